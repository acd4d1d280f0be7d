/* SPDX-License-Identifier: Apache-2.0 */
/* arrange.c - a part fits in memory even where the log does not, so the sort of a log is a sort of each of its parts.
 *
 * Two packed rows are equal where their bytes are; a row that is a duplicate stands at the same time as the one it
 * repeats, so only rows of one instant are compared. */
#include "data/arrange.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FEW = 24 }; /* up to here simple ways are the fastest */

typedef struct timed {
    int64_t time;
    const char *p; /* the packed row */
    uint32_t seq, n;
} timed;

typedef struct held {
    const char **p;
    char **read;
    size_t n;
} held;

static void held_clear(held *h)
{
    for (size_t k = 0; h->read && k < h->n; k++) tdm_free(h->read[k]);
    tdm_free(h->read);
    tdm_free(h->p);
}

static tdm_status held_open(held *h, const tdm_shelf *s, const tdm_shelved *r, tdm_err *err)
{
    *h = (held){tdm_new(r->n, sizeof *h->p), tdm_new(r->n, sizeof *h->read), r->n};
    tdm_status st = h->p && h->read ? TDM_OK : tdm_nomem(err, "the rows");
    for (size_t k = 0; !st && k < r->n; k++) st = tdm_chunk_bytes(&h->p[k], &h->read[k], s, &r->chunk[k], err);
    return st;
}

static bool before(const timed *a, const timed *b) { return a->time != b->time ? a->time < b->time : a->seq < b->seq; }

static int by_time(const void *x, const void *y) { return before(x, y) ? -1 : 1; }

static void sort(timed *t, size_t n)
{
    bool sorted = true;
    for (size_t i = 1; sorted && i < n; i++) sorted = t[i - 1].time <= t[i].time;
    if (sorted) return;
    if (n > FEW) {
        qsort(t, n, sizeof *t, by_time);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        timed x = t[i];
        size_t at = i;
        for (; at && before(&x, &t[at - 1]); at--) t[at] = t[at - 1];
        t[at] = x;
    }
}

/* ---- duplicates ---- */

static bool equal(const timed *a, const timed *b) { return a->n == b->n && !memcmp(a->p, b->p, a->n); }

typedef struct hashed {
    uint64_t hash;
    size_t i;
} hashed;

static int by_hash(const void *x, const void *y)
{
    const hashed *a = x, *b = y;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    return (a->i > b->i) - (a->i < b->i);
}

static bool ordered(const timed *t) { return tdm_row_ordered(t->p); }

/* Marks (n = 0) rows of one instant that equal an earlier one. */
static bool mark_many(timed *t, size_t n)
{
    hashed *h = tdm_new(n, sizeof *h);
    if (!h) return false;
    for (size_t i = 0; i < n; i++) h[i] = (hashed){XXH3_64bits(t[i].p, t[i].n), i};
    qsort(h, n, sizeof *h, by_hash);
    for (size_t first = 0, i = 1; i < n; i++) {
        if (h[i].hash != h[first].hash) first = i;
        else if (equal(&t[h[first].i], &t[h[i].i]) && !ordered(&t[h[i].i])) t[h[i].i].n = 0;
    }
    tdm_free(h);
    return true;
}

static bool mark(timed *t, size_t n)
{
    if (n > FEW) return mark_many(t, n);
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i && t[i].n && !ordered(&t[i]); k++)
            if (equal(&t[k], &t[i])) t[i].n = 0;
    return true;
}

/* ---- a part ---- */

typedef struct work {
    tdm_arranged *out;
    tdm_shelf *shelf;
    tdm_shelved fresh;
    uint8_t *const *used;
} work;

/* The rows of one person. */
static bool person(work *w, uint32_t who, timed *t, size_t n)
{
    sort(t, n);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && t[to].time == t[from].time;) to++;
        if (to - from > 1 && !mark(t + from, to - from)) return false;
    }
    for (size_t i = 0; i < n; i++) {
        tdm_packed row;
        if (!t[i].n) {
            w->out->duplicates++;
            continue;
        }
        tdm_row_unpack(&row, t[i].p);
        if (!tdm_shelved_add(w->shelf, &w->fresh, &row)) return false;
        tdm_mark_item(w->used, row.item);
        w->out->summary_bytes += row.summary.n;
        w->out->review_bytes += row.review.n;
        w->out->tested |= row.flags & TDM_ROW_TEST;
    }
    if (n) w->out->person[w->out->people++] = who;
    return true;
}

/* The rows of all, those of a person together: those of local number i are t[at[i]] .. t[at[i + 1]]. */
static void group(timed *t, size_t *at, const held *h, const tdm_shelved *r, size_t people, tdm_arranged *out,
                  float low, float high)
{
    tdm_packed row;
    for (int pass = 0; pass < 2; pass++) {
        uint32_t seq = 0;
        for (size_t k = 0; k < r->n; k++)
            for (size_t i = 0; i < r->chunk[k].n; seq++) {
                const char *p = h->p[k] + i;
                uint32_t n = (uint32_t)tdm_row_unpack(&row, p);
                i += n;
                bool outside = row.rating < low || row.rating > high; /* false for none (NaN) */
                if (pass == 0) {
                    out->outside += outside;
                    at[row.user + 1] += !outside;
                } else if (!outside) t[at[row.user]++] = (timed){row.time, p, seq, n};
            }
        for (size_t i = 0; pass == 0 && i < people; i++) at[i + 1] += at[i];
    }
    memmove(at + 1, at, people * sizeof *at);
    at[0] = 0;
}

void tdm_arrange_room_clear(tdm_arrange_room *r)
{
    tdm_free(r->t);
    tdm_free(r->at);
    tdm_free(r->order);
    *r = (tdm_arrange_room){0};
}

tdm_status tdm_arrange(tdm_arranged *out, tdm_shelf *s, size_t part, const tdm_intern *people, float low, float high,
                       tdm_arrange_room *room, uint8_t *const *used, tdm_err *err)
{
    tdm_shelved *r = &s->part[part];
    held h = {0};
    work w = {.out = out, .shelf = s, .used = used};
    *out = (tdm_arranged){.person = tdm_new(people->n, sizeof *out->person)};
    bool enough = out->person && !tdm_grow(&room->at, &room->at_cap, people->n + 1, sizeof *room->at) &&
                  !tdm_grow(&room->t, &room->t_cap, r->rows, sizeof(timed)) &&
                  !tdm_grow(&room->order, &room->order_cap, people->n, sizeof *room->order) &&
                  tdm_intern_order(room->order, people);
    tdm_status st = enough ? held_open(&h, s, r, err) : tdm_nomem(err, "the rows");
    timed *t = room->t;
    size_t *at = room->at;
    if (!st) {
        memset(at, 0, (people->n + 1) * sizeof *at);
        group(t, at, &h, r, people->n, out, low, high);
    }
    for (size_t i = 0; !st && i < people->n; i++) {
        uint32_t who = room->order[i];
        if (!person(&w, who, t + at[who], at[who + 1] - at[who])) st = tdm_nomem(err, "the rows");
    }
    held_clear(&h);
    if (!st && s->fd >= 0) st = tdm_shelved_spill(s, &w.fresh, err);
    if (!st) {
        tdm_shelved_clear(s, r);
        *r = w.fresh;
        out->rows = w.fresh.rows;
    } else tdm_shelved_clear(s, &w.fresh);
    return st;
}
