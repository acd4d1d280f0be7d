/* SPDX-License-Identifier: Apache-2.0 */
/* visits.c - people walk through the shop. shop.h says why they choose what they choose. */
#include "base/mem.h"
#include "sample/shop.h"

#include <string.h>

enum { LONGEST = 40, LATELY = 4, NEAR_THE_END = 170, ANY = -1 };

/* A new item stays next to unknown: it has at most so many rows before this day or before a person's last two choices,
 * which is what models learn from, whether the data is split by time or by leaving out the last. */
enum { FEW = 1, LATE = TDM_SHOP_DAYS - 90 };

/* Chances in a hundred. A sequel and a new item are asked for first; the rest share what is left. */
enum { SEQUEL_NEXT = 60, SEQUEL_LATER = 50, WORDS = 55, CIRCLE = 22, WAY = 68 };

typedef struct walker {
    uint32_t person;
    tdm_rng r;
    uint32_t item[LONGEST];
    int rating[LONGEST];
    uint32_t day[LONGEST];
    size_t n, steps;       /* chosen so far; to choose in all */
    unsigned cluster, way; /* cluster: of the last step of the way. way: 1, or TDM_SHOP_CLUSTERS - 1 for one back */
    bool chosen[TDM_SHOP_ITEMS];
    uint32_t *early; /* I: rows so far that models learn from, of new items */
} walker;

static bool chance(tdm_rng *r, unsigned percent) { return tdm_rng_below(r, 100) < percent; }

/* The days of a history, rising by at least one: most people are still there at the end. */
static void days_draw(walker *w)
{
    uint32_t last = chance(&w->r, 65) ? TDM_SHOP_DAYS - 1 - (uint32_t)tdm_rng_below(&w->r, NEAR_THE_END)
                                      : 400 + (uint32_t)tdm_rng_below(&w->r, TDM_SHOP_DAYS - 400);
    uint32_t pace = 6 + (uint32_t)tdm_rng_below(&w->r, 60), most = last / LONGEST; /* all fit, whatever is drawn */
    for (size_t k = w->steps; k--;) {
        w->day[k] = last;
        uint32_t gap = 1 + (uint32_t)tdm_rng_below(&w->r, pace);
        last -= gap < most ? gap : most;
    }
}

/* An item by its weight, of one cluster (TDM_SHOP_CLUSTERS: of none) and one circle, or of ANY; -1 where the person has
 * all of them. */
static int by_weight(walker *w, const tdm_shop *s, int cluster, int circle)
{
    uint64_t sum = 0;
    for (int pass = 0;; pass++) {
        uint64_t at = pass ? tdm_rng_below(&w->r, sum) : 0;
        for (size_t i = 0; i < s->I; i++) {
            const tdm_shop_item *t = &s->item[i];
            if (w->chosen[i] || (cluster != ANY && t->cluster != (unsigned)cluster) ||
                (circle != ANY && t->circle != (unsigned)circle))
                continue;
            if (!pass) sum += t->weight;
            else if (at < t->weight) return (int)i;
            else at -= t->weight;
        }
        if (!sum) return -1;
    }
}

static int by_sequel(walker *w, const tdm_shop *s)
{
    for (size_t back = 1; back <= 2 && back <= w->n; back++) {
        int next = s->item[w->item[w->n - back]].next;
        if (next >= 0 && !w->chosen[next] && w->rating[w->n - back] >= 3 &&
            chance(&w->r, back == 1 ? SEQUEL_NEXT : SEQUEL_LATER))
            return next;
    }
    return -1;
}

/* Whether the next choice is one that models learn from, however the data is split. */
static bool is_early(const walker *w) { return w->n + 2 < w->steps || w->day[w->n] < LATE; }

static int by_words(walker *w, const tdm_shop *s)
{
    uint32_t like[TDM_SHOP_ITEMS];
    size_t n = 0;
    for (size_t i = 0; i < s->I; i++)
        for (size_t back = 1; s->item[i].anchor >= 0 && back <= LATELY && back <= w->n; back++)
            if (w->item[w->n - back] == (uint32_t)s->item[i].anchor && !w->chosen[i] &&
                s->item[i].launch <= w->day[w->n] && !(is_early(w) && w->early[i] >= FEW))
                like[n++] = (uint32_t)i;
    return n && chance(&w->r, WORDS) ? (int)like[tdm_rng_below(&w->r, n)] : -1;
}

static int by_circle(walker *w, const tdm_shop *s)
{
    for (int k = 0; w->n && k < 40; k++) {
        unsigned circle = s->item[w->item[tdm_rng_below(&w->r, w->n)]].circle;
        int i = circle < TDM_SHOP_ITEMS ? by_weight(w, s, ANY, (int)circle) : -1;
        if (i >= 0) return i;
    }
    return -1;
}

static int by_way(walker *w, const tdm_shop *s)
{
    unsigned next = (w->cluster + w->way) % TDM_SHOP_CLUSTERS;
    int i = by_weight(w, s, (int)next, ANY);
    if (i >= 0) w->cluster = next;
    return i;
}

static int choose(walker *w, const tdm_shop *s, tdm_shop_reason *reason)
{
    int i = by_sequel(w, s);
    *reason = TDM_BY_SEQUEL;
    if (i >= 0) return i;
    *reason = TDM_BY_WORDS;
    if ((i = by_words(w, s)) >= 0) return i;
    uint64_t draw = tdm_rng_below(&w->r, 100);
    if (draw < CIRCLE) {
        *reason = TDM_BY_CIRCLE;
        if ((i = by_circle(w, s)) >= 0) return i;
        *reason = TDM_BY_CROWD; /* the first of a circle is a chance find */
        if ((i = by_weight(w, s, TDM_SHOP_CLUSTERS, ANY)) >= 0) return i;
    }
    *reason = TDM_BY_WAY;
    if (draw < CIRCLE + WAY && (i = by_way(w, s)) >= 0) return i;
    *reason = TDM_BY_CROWD;
    return by_weight(w, s, ANY, ANY);
}

/* How good the item is, how well it fits, and how strict the person is. */
static int rate(walker *w, const tdm_shop *s, uint32_t item, tdm_shop_reason reason)
{
    static const int fit[TDM_REASONS] = {10, 8, 9, 7, -14};
    const tdm_shop_item *t = &s->item[item];
    uint64_t shelf = (uint64_t)(unsigned char)t->shelf->sub[0] * 256 + (unsigned char)t->shelf->sub[1];
    int taste = (int)(tdm_mix64(s->seed ^ tdm_mix64(w->person * 65536ull + shelf)) % 23) - 11;
    int mood = (int)(tdm_mix64(s->seed + w->person) % 17) - 8;
    int luck = (int)tdm_rng_below(&w->r, 21) - 10;
    int score = 46 + fit[reason] + taste + mood + luck + (int)t->quality - 18;
    return score >= 56 ? 5 : score >= 42 ? 4 : score >= 30 ? 3 : score >= 18 ? 2 : 1;
}

static tdm_status walk(tdm_shop *s, uint32_t person, uint32_t *early, tdm_err *err)
{
    walker w = {.person = person, .r = tdm_rng_make(s->seed, TDM_STREAM_PERSON, person), .early = early};
    w.steps = 6 + tdm_rng_below(&w.r, 6);
    if (chance(&w.r, 20)) w.steps += tdm_rng_below(&w.r, 18);
    w.cluster = (unsigned)tdm_rng_below(&w.r, TDM_SHOP_CLUSTERS);
    w.way = chance(&w.r, 50) ? 1 : TDM_SHOP_CLUSTERS - 1;
    days_draw(&w);
    if (tdm_grow(&s->visit, &s->cap, s->N + w.steps, sizeof *s->visit)) return tdm_nomem(err, "the rows of the sample");
    for (; w.n < w.steps; w.n++) {
        tdm_shop_reason reason;
        uint32_t i = (uint32_t)choose(&w, s, &reason); /* a history is far shorter than the catalogue */
        early[i] += reason == TDM_BY_WORDS && is_early(&w);
        w.item[w.n] = i;
        w.rating[w.n] = rate(&w, s, i, reason);
        w.chosen[i] = true;
        s->visit[s->N++] = (tdm_visit){person, i, w.day[w.n], (uint32_t)w.n, reason, w.rating[w.n]};
    }
    return TDM_OK;
}

/* An item that nobody chose takes the place of somebody's last choice out of the crowd. */
static void nobody_left_out(tdm_shop *s)
{
    uint32_t seen[TDM_SHOP_ITEMS] = {0};
    for (size_t n = 0; n < s->N; n++) seen[s->visit[n].item]++;
    for (size_t i = 0; i < s->I; i++)
        for (size_t u = 0; u < TDM_SHOP_PEOPLE && !seen[i]; u++) {
            tdm_visit *v = &s->visit[s->first[u + 1] - 1];
            if (v->reason != TDM_BY_CROWD || v->day < s->item[i].launch || seen[v->item] < 2) continue;
            seen[v->item]--;
            seen[i]++;
            v->item = (uint32_t)i;
        }
}

tdm_status tdm_shop_visits(tdm_shop *s, tdm_err *err)
{
    uint32_t early[TDM_SHOP_ITEMS] = {0};
    for (uint32_t u = 0; u < TDM_SHOP_PEOPLE; u++) {
        tdm_status st = walk(s, u, early, err);
        if (st) return st;
        s->first[u + 1] = s->N;
    }
    nobody_left_out(s);
    return TDM_OK;
}

tdm_status tdm_shop_make(tdm_shop *out, uint64_t seed, tdm_err *err)
{
    *out = (tdm_shop){.seed = seed};
    tdm_status st = tdm_shop_stock(out, err);
    if (!st) st = tdm_shop_visits(out, err);
    if (st) tdm_shop_clear(out);
    return st;
}

void tdm_shop_clear(tdm_shop *s)
{
    tdm_free(s->item);
    tdm_free(s->visit);
    *s = (tdm_shop){0};
}
