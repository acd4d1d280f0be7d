/* SPDX-License-Identifier: Apache-2.0 */
/* item_pairs.c - each pair once: items are renumbered by how many chose them (0: most), and row a counts items b < a.
 *
 * The list of a person lies in the order of the new numbers, so what row a needs of it is the part before a. A row's
 * sums are 16 bytes a cell, added to in one step; the cells of much chosen items are the most used ones and lie
 * together at the start, in the first cache.
 *
 * A finished row is read once. Each cell is a link of a to b and one of b to a, for ranking and for ratings: four
 * weights, and what does not beat the weakest that b (or a) keeps is dropped (item_nearest.h). Those of a go to a at
 * once; those of b wait, for other threads count other rows, and are handed in when the round is over. Rounds are
 * bounded in cells, which bounds what can wait. A row with few sums is not read from end to end: its people's lists are
 * walked again.
 *
 * Vectors have four numbers, as all of x86-64 and arm64 have registers for. */
#include "cf/item_pairs.h"
#include "base/mem.h"
#include "base/status.h"
#include "cf/item_nearest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 16,            /* a round's chunks, each with cells of its own */
    PARTS = 16,            /* ranges of items in which a round's links are handed in */
    ROUND_CELLS = 2097152, /* of a round, but for the last row; a row is never split */
    RANGES = 32,           /* of people, in which lists are made */
    AHEAD = 8,             /* a list is fetched so many lists before it is walked, */
    FETCHED = 32           /* so many lines of it: what comes behind, the processor foresees */
};

enum { RANKING, RATED, KINDS };

typedef float four __attribute__((vector_size(16)));
typedef int32_t mask __attribute__((vector_size(16)));

typedef struct element {
    uint32_t item; /* new number */
    float x;       /* NaN: not rated */
} element;

typedef struct candidate {
    uint32_t row, item; /* new numbers */
    float w;
} candidate;

typedef struct waiting {
    candidate *of;
    size_t n, cap;
} waiting;

typedef struct slot {
    four *cell; /* I + 4: s, c, t, d; zero between rows */
    waiting wait[KINDS][PARTS];
    float bar[KINDS]; /* of the row that is read */
    bool failed;
} slot;

typedef struct counting {
    const tdm_item_pairs *p;
    bool all_rated;
    size_t I, width;                         /* width: items of a part */
    uint32_t *item, *number;                 /* I: old number of a new one, and back */
    float *source, *target, *length, *scale; /* I + 4, by new number */
    element *list;                           /* N + U: a person's f_u^2 as x, then the person's items by new number */
    uint64_t *visit; /* N: by item, where a list begins and how many of it stand before the item */
    size_t *from;    /* I + 1: visits of a row */
    size_t *most;    /* I: links a row can get at most */
    uint64_t *sums;  /* I: additions of a row */
    tdm_nearest keep[KINDS];
    float *least[KINDS]; /* I + 4: keep[].least as it was when the round began, */
    float *bar[KINDS];   /* I + 4: and the bar that makes for columns */
    slot slots[SLOTS];
    size_t border[SLOTS + 1]; /* rows of this round's chunks */
} counting;

/* ---- counting ---- */

enum { BEFORE_BITS = 24 }; /* of a visit; the rest is the place in the lists */
static size_t place_of(uint64_t visit) { return (size_t)(visit >> BEFORE_BITS); }
static size_t before_of(uint64_t visit) { return (size_t)(visit & (((uint64_t)1 << BEFORE_BITS) - 1)); }

static void fetch(const element *list, size_t n)
{
    const char *line = (const char *)list, *end = (const char *)(list + n + 1);
    for (size_t k = 0; line < end && k < FETCHED; line += 64, k++) __builtin_prefetch(line);
}

typedef enum has { NOTHING_RATED, SOME_RATED, ALL_RATED } has;

/* One row. `what`: a literal, so that this is three functions. */
static inline __attribute__((always_inline)) void count_row(const counting *c, four *cell, uint32_t a, has what)
{
    size_t end = c->from[a + 1];
    for (size_t k = c->from[a]; k < end; k++) {
        const element *list = c->list + place_of(c->visit[k]);
        size_t n = before_of(c->visit[k]);
        uint64_t next = c->visit[k + AHEAD < end ? k + AHEAD : k];
        fetch(c->list + place_of(next), before_of(next));
        const four one = {list->x, 1, 0, 0};
        float x = list[n + 1].x;
        if (what != NOTHING_RATED && x == x) {
            const four by = {0, 0, x, 0}, both = {0, 0, 0, 1}, one_both = one + both;
            for (size_t j = 1; j <= n; j++) {
                four y = {list[j].x, list[j].x, list[j].x, list[j].x};
                if (what == ALL_RATED) cell[list[j].item] += by * y + one_both;
                else cell[list[j].item] += one + (four)((mask)(by * y + both) & (y == y));
            }
        } else
            for (size_t j = 1; j <= n; j++) cell[list[j].item] += one;
    }
}

/* ---- from counts to links ---- */

static inline four at(const float *v, size_t b)
{
    four x;
    memcpy(&x, v + b, sizeof x);
    return x;
}

static inline bool any(mask m)
{
    uint64_t half[2];
    memcpy(half, &m, sizeof half);
    return half[0] | half[1];
}

static inline four all(float x) { return (four){x, x, x, x}; }

static inline four size_of(four x) { return (four)((mask)x & 0x7fffffff); }

/* x c / (c + shrink), 0 where c is */
static inline four shrunk(four x, four c, float shrink)
{
    four under = c + all(shrink);
    mask few = under < all(1); /* only where c is 0, or under 0 / 0 */
    return x * c / (four)(((mask)under & ~few) | ((mask)all(1) & few));
}

/* What x c must exceed, times (c + shrink), for a link to be looked at; `by`: what is left of its formula. A little
 * less than the weakest that stays, for the test multiplies where the weight is divided, and both round. */
static float bar_of(const tdm_nearest *keep, size_t row, float by) { return keep->least[row] * (1 - 0x1p-20F) / by; }

static const float *own_of(const counting *c, int kind) { return kind == RATED ? c->scale : c->source; }

/* Reckons the weights of the cells from b on and sees where they go: to row a at once, to the rows of the columns
 * later. */
static __attribute__((noinline)) void offer(counting *c, slot *s, int kind, uint32_t a, uint32_t b, four sum,
                                            four count)
{
    tdm_nearest *keep = &c->keep[kind];
    four row, column;
    if (kind == RATED) row = column = shrunk(sum, count, c->p->rated_shrink) * (all(c->scale[a]) * at(c->scale, b));
    else {
        four w = shrunk(sum, count, c->p->shrink);
        if (c->length) w /= all(c->length[a]) + at(c->length, b) - sum;
        row = w * (all(c->source[a]) * at(c->target, b));
        column = w * (at(c->source, b) * all(c->target[a]));
    }
    for (uint32_t j = 0; j < 4; j++) {
        if (fabsf(row[j]) >= keep->least[a]) tdm_nearest_add(keep, a, c->item[b + j], row[j]);
        if (!(fabsf(column[j]) >= c->least[kind][b + j])) continue;
        waiting *w = &s->wait[kind][(b + j) / c->width];
        if (w->n == w->cap && tdm_grow(&w->of, &w->cap, w->n + 1, sizeof *w->of)) s->failed = true;
        else w->of[w->n++] = (candidate){b + j, a, column[j]};
    }
    s->bar[kind] = bar_of(keep, a, own_of(c, kind)[a]);
}

/* What reading a row needs, beside the loop and not behind pointers that a written cell might change. */
typedef struct reading {
    four *cell;
    const float *target, *length, *scale, *ranking_bar, *rated_bar;
    four shrink, rated_shrink, target_a, length_a, scale_a, ranking_a, rated_a; /* the last two: the row's bars */
} reading;

/* Reads the four cells from b on, which become zero. Whether any of their links is strong enough is found without a
 * division, for most are not. */
static inline __attribute__((always_inline)) void read_four(counting *c, slot *s, reading *r, uint32_t a, uint32_t b)
{
    four *x = r->cell + b;
    if (!any((mask)x[0] | (mask)x[1] | (mask)x[2] | (mask)x[3])) return;
    four low = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5), high = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5);
    four sum = __builtin_shufflevector(low, high, 0, 1, 4, 5), count = __builtin_shufflevector(low, high, 2, 3, 6, 7);
    four over = sum * count, under = count + r->shrink;
    if (r->length) under *= r->length_a + at(r->length, b) - sum;
    if (any((over * at(r->target, b) > r->ranking_a * under) | (over * r->target_a > at(r->ranking_bar, b) * under))) {
        offer(c, s, RANKING, a, b, sum, count);
        r->ranking_a = all(s->bar[RANKING]);
    }
    if (r->scale) {
        low = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7), high = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
        sum = __builtin_shufflevector(low, high, 0, 1, 4, 5), count = __builtin_shufflevector(low, high, 2, 3, 6, 7);
        over = size_of(sum) * count, under = count + r->rated_shrink;
        if (any((over * at(r->scale, b) > r->rated_a * under) | (over * r->scale_a > at(r->rated_bar, b) * under))) {
            offer(c, s, RATED, a, b, sum, count);
            r->rated_a = all(s->bar[RATED]);
        }
    }
    x[0] = x[1] = x[2] = x[3] = all(0);
}

static void read_row(counting *c, slot *s, uint32_t a)
{
    reading r = {.cell = s->cell,
                 .target = c->target,
                 .length = c->length,
                 .scale = c->scale,
                 .ranking_bar = c->bar[RANKING],
                 .rated_bar = c->bar[RATED],
                 .shrink = all(c->p->shrink),
                 .rated_shrink = all(c->p->rated_shrink),
                 .target_a = all(c->target[a]),
                 .ranking_a = all(bar_of(&c->keep[RANKING], a, c->source[a]))};
    if (c->length) r.length_a = all(c->length[a]);
    if (c->scale) r.scale_a = all(c->scale[a]), r.rated_a = all(bar_of(&c->keep[RATED], a, c->scale[a]));
    if (c->sums[a] >= a / 4) {
        for (uint32_t b = 0; b < a; b += 4) read_four(c, s, &r, a, b);
        return;
    }
    for (size_t k = c->from[a]; k < c->from[a + 1]; k++) {
        const element *list = c->list + place_of(c->visit[k]);
        for (size_t j = 1; j <= before_of(c->visit[k]); j++) read_four(c, s, &r, a, list[j].item / 4 * 4);
    }
}

/* ---- rounds ---- */

static void round_count(void *ctx, size_t chunk, size_t begin, size_t end)
{
    counting *c = ctx;
    slot *s = &c->slots[chunk];
    (void)begin, (void)end;
    if (c->border[chunk] == c->border[chunk + 1]) return;
    if (!s->cell) s->cell = tdm_new(c->I + 4, sizeof *s->cell);
    s->failed = !s->cell;
    for (size_t a = c->border[chunk]; a < c->border[chunk + 1] && !s->failed; a++) {
        if (!c->scale) count_row(c, s->cell, (uint32_t)a, NOTHING_RATED);
        else if (c->all_rated) count_row(c, s->cell, (uint32_t)a, ALL_RATED);
        else count_row(c, s->cell, (uint32_t)a, SOME_RATED);
        read_row(c, s, (uint32_t)a);
    }
}

static void round_hand_in(void *ctx, size_t part, size_t begin, size_t end)
{
    counting *c = ctx;
    (void)begin, (void)end;
    size_t low = part * c->width, high = low + c->width < c->I ? low + c->width : c->I;
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t k = 0; k < SLOTS; k++) {
            const candidate *w = c->slots[k].wait[kind][part].of;
            for (size_t j = 0; j < c->slots[k].wait[kind][part].n; j++)
                tdm_nearest_add(&c->keep[kind], w[j].row, c->item[w[j].item], w[j].w);
            c->slots[k].wait[kind][part].n = 0;
        }
        for (size_t b = low; b < high && c->least[kind]; b++) {
            c->least[kind][b] = c->keep[kind].least[b];
            c->bar[kind][b] = bar_of(&c->keep[kind], b, own_of(c, kind)[b]);
        }
    }
}

/* What a row costs: its sums, and its cells. */
static uint64_t cost_of(const counting *c, size_t a)
{
    return c->sums[a] + (c->sums[a] < a / 4 ? c->sums[a] : a / 4) + 1;
}
static uint64_t cells_of(const counting *c, size_t a) { return c->sums[a] < a ? c->sums[a] : a; }

/* Lays the borders of a round that begins at row `first`, and returns where it ends. */
static size_t round_lay(counting *c, size_t first)
{
    uint64_t cells = 0, cost = 0, upto = 0, most = c->p->round ? c->p->round : ROUND_CELLS;
    size_t end = first, next = 1;
    for (; end < c->I && cells < most; end++) cells += cells_of(c, end), cost += cost_of(c, end);
    c->border[0] = first;
    for (size_t a = first; a < end; a++) {
        upto += cost_of(c, a);
        while (next < SLOTS && upto * SLOTS >= cost * next) c->border[next++] = a + 1;
    }
    while (next <= SLOTS) c->border[next++] = end;
    return end;
}

static tdm_status rounds(counting *c, tdm_run *run, const char *stage, tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (size_t first = 0, end; !st && first < c->I; first = end) {
        end = round_lay(c, first);
        tdm_pool_for(run->pool, SLOTS, 1, round_count, c);
        for (size_t k = 0; k < SLOTS; k++)
            if (c->slots[k].failed) st = tdm_nomem(err, "the pairs of items");
        if (!st) tdm_pool_for(run->pool, PARTS, 1, round_hand_in, c);
        tdm_progress(run, stage, end, c->I, NULL);
        if (!st) st = tdm_run_check(run, stage, err);
    }
    return st;
}

/* ---- before the rounds ---- */

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Numbers items by how many chose them, the lower first of equals. */
static bool number_items(counting *c)
{
    uint64_t *key = tdm_new(c->I, sizeof *key);
    if (!key) return false;
    for (size_t i = 0; i < c->I; i++) key[i] = (uint64_t)(UINT32_MAX - tdm_rows_count(c->p->rows, i)) << 32 | i;
    qsort(key, c->I, sizeof *key, by_key);
    for (size_t a = 0; a < c->I; a++) {
        c->item[a] = (uint32_t)key[a];
        c->number[c->item[a]] = (uint32_t)a;
        c->from[a + 1] = c->from[a] + tdm_rows_count(c->p->rows, c->item[a]);
    }
    tdm_free(key);
    return true;
}

/* What a range of people adds to the lists: item after item goes to the lists of its people, so these are in order. A
 * range is so small that its lists stay near the processor. */
static void lists_make(void *ctx, size_t chunk, size_t begin, size_t end)
{
    counting *c = ctx;
    const tdm_rows *r = c->p->rows;
    (void)chunk;
    for (size_t u = begin; u < end; u++) c->list[r->offset[u] + u] = (element){0, c->p->person[u]};
    for (size_t a = 0; a < c->I; a++) {
        int64_t low = r->from[c->item[a]], high = r->from[c->item[a] + 1], last = high;
        while (low < high) { /* the first of these people */
            int64_t mid = low + (high - low) / 2;
            if (r->user[mid] < begin) low = mid + 1;
            else high = mid;
        }
        uint64_t *visit = c->visit + c->from[a] - r->from[c->item[a]];
        for (int64_t k = low; k < last && r->user[k] < end; k++) {
            size_t u = r->user[k], at = (size_t)r->offset[u] + u;
            float x = c->p->residual ? c->p->residual[(size_t)r->offset[u] + r->place[k]] : 0;
            uint32_t before = c->list[at].item++; /* how many there are, until all are */
            c->list[at + 1 + before] = (element){(uint32_t)a, x};
            visit[k] = (uint64_t)at << BEFORE_BITS | before;
        }
    }
}

/* How many sums a row has, and at most how many partners an item can have. */
static void rows_measure(void *ctx, size_t chunk, size_t begin, size_t end)
{
    counting *c = ctx;
    (void)chunk;
    for (size_t a = begin; a < end; a++) {
        size_t most = 0;
        for (size_t k = c->from[a]; k < c->from[a + 1]; k++) {
            c->sums[a] += before_of(c->visit[k]);
            most += c->list[place_of(c->visit[k])].item - 1;
        }
        c->most[a] = most < c->I - 1 ? most : c->I - 1;
    }
}

/* A vector by new number, with room to be read in fours. */
static bool renumber(const counting *c, float **out, const float *v)
{
    if (!v) return true;
    *out = tdm_new(c->I + 4, sizeof **out);
    for (size_t a = 0; *out && a < c->I; a++) (*out)[a] = v[c->item[a]];
    return *out;
}

static tdm_status prepare(counting *c, tdm_run *run, const char *stage, tdm_err *err)
{
    const tdm_item_pairs *p = c->p;
    c->most = tdm_new(c->I, sizeof *c->most);
    c->item = tdm_new(c->I + 4, sizeof *c->item);
    c->number = tdm_new(c->I, sizeof *c->number);
    c->list = tdm_new(p->rows->N + p->rows->U, sizeof *c->list);
    c->visit = tdm_new(p->rows->N, sizeof *c->visit);
    c->from = tdm_new(c->I + 1, sizeof *c->from);
    c->sums = tdm_new(c->I, sizeof *c->sums);
    bool fine = c->most && c->item && c->number && c->list && c->visit && c->from && c->sums && number_items(c) &&
                renumber(c, &c->source, p->source) && renumber(c, &c->target, p->target) &&
                renumber(c, &c->length, p->length) && (!p->residual || renumber(c, &c->scale, p->scale));
    tdm_status st = fine ? TDM_OK : tdm_nomem(err, "the pairs of items");
    size_t kinds = p->residual ? KINDS : 1;
    c->all_rated = p->residual;
    for (size_t k = 0; p->residual && k < p->rows->N; k++) c->all_rated &= isfinite(p->residual[k]);
    if (!st) {
        tdm_pool_for(run->pool, p->rows->U, p->rows->U / RANGES + 1, lists_make, c);
        tdm_pool_for(run->pool, c->I, 256, rows_measure, c);
        uint64_t pairs = 0;
        for (size_t a = 0; a < c->I; a++) pairs += c->sums[a];
        double keys = (double)(kinds * tdm_nearest_bytes(c->I, p->k, c->most));
        double cells = (double)(SLOTS * c->I * sizeof(four)), log = (double)p->rows->N * 36;
        double wait = (double)(kinds * 2 * ROUND_CELLS * sizeof(candidate));
        tdm_log(
            run, TDM_LOG_INFO, stage,
            "%.3g pairs; %.0f MB: %.0f for the log, %.0f for links in the making, at most %.0f for pairs in the making",
            (double)pairs, (keys + cells + log + wait) / 1e6, log / 1e6, keys / 1e6, (cells + wait) / 1e6);
    }
    for (size_t kind = 0; kind < kinds && !st; kind++) {
        st = tdm_nearest_make(&c->keep[kind], c->I, p->k, c->most, err);
        c->least[kind] = tdm_new(c->I + 4, sizeof(float));
        c->bar[kind] = tdm_new(c->I + 4, sizeof(float));
        if (!st && (!c->least[kind] || !c->bar[kind])) st = tdm_nomem(err, "the pairs of items");
        for (size_t b = 0; b < c->I && !st; b++) {
            c->least[kind][b] = c->keep[kind].least[b];
            c->bar[kind][b] = bar_of(&c->keep[kind], b, own_of(c, (int)kind)[b]);
        }
    }
    return st;
}

static void counting_clear(counting *c)
{
    for (size_t k = 0; k < SLOTS; k++) {
        tdm_free(c->slots[k].cell);
        for (size_t j = 0; j < PARTS; j++)
            for (int kind = 0; kind < KINDS; kind++) tdm_free(c->slots[k].wait[kind][j].of);
    }
    for (int kind = 0; kind < KINDS; kind++) {
        tdm_nearest_clear(&c->keep[kind]);
        tdm_free(c->least[kind]);
        tdm_free(c->bar[kind]);
    }
    tdm_free(c->item);
    tdm_free(c->number);
    tdm_free(c->source);
    tdm_free(c->target);
    tdm_free(c->length);
    tdm_free(c->scale);
    tdm_free(c->list);
    tdm_free(c->sums);
    tdm_free(c->most);
    tdm_free(c->visit);
    tdm_free(c->from);
}

tdm_status tdm_item_pairs_links(tdm_links *ranking, tdm_links *rated, const tdm_item_pairs *p, tdm_run *run,
                                const char *stage, tdm_err *err)
{
    *ranking = *rated = (tdm_links){0};
    counting *c = tdm_new(1, sizeof *c);
    if (!c) return tdm_nomem(err, "the pairs of items");
    c->p = p;
    c->I = p->rows->I;
    c->width = c->I / PARTS + 1;
    tdm_status st = prepare(c, run, stage, err);
    if (!st) st = rounds(c, run, stage, err);
    if (!st) st = tdm_nearest_links(ranking, &c->keep[RANKING], c->number, run, err);
    tdm_nearest_clear(&c->keep[RANKING]);
    if (!st && p->residual) st = tdm_nearest_links(rated, &c->keep[RATED], c->number, run, err);
    if (st) tdm_links_clear(ranking);
    counting_clear(c);
    tdm_free(c);
    return st;
}
