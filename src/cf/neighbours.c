/* SPDX-License-Identifier: Apache-2.0 */
/* neighbours.c - blocks of people, lists of items, and a heap of the k best.
 *
 * A person's sum is a whole number: w_j in units of 2^-43 of the sum of all w, in the upper 44 bits, and below it how
 * many items were shared. One addition does both, the order of additions does not matter, and a block is compared with
 * a bound as integers. Against doubles a w_j loses at most 2^-44 of the sum, and s_v is a float in the end. */
#include "cf/neighbours.h"
#include "base/mem.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096, COUNT_BITS = 20, MOST = (1 << COUNT_BITS) - 1, AHEAD = 8 }; /* a block's sums: 32 kB */
static const double whole = 0x1p43, careful = 1 - 1e-6; /* bounds give way by more than rounding can do */

/* ---- people by length ---- */

typedef struct ranked {
    double length;
    uint32_t id;
} ranked;

static int shorter(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

tdm_status tdm_crowd_make(tdm_crowd *out, const tdm_people *p, tdm_err *err)
{
    const tdm_rows *r = &p->rows;
    tdm_crowd c = {.id = tdm_new(r->U, sizeof *c.id),
                   .who = tdm_new(r->N, sizeof *c.who),
                   .length = tdm_new(r->U, sizeof *c.length)};
    ranked *order = tdm_new(r->U, sizeof *order);
    int64_t *at = tdm_new(r->I, sizeof *at);
    *out = (tdm_crowd){0};
    if (!c.id || !c.who || !c.length || !order || !at) {
        tdm_free(order);
        tdm_free(at);
        tdm_crowd_clear(&c);
        return tdm_nomem(err, "people by the length of their histories");
    }
    for (size_t u = 0; u < r->U; u++) order[u] = (ranked){p->length[u], (uint32_t)u};
    qsort(order, r->U, sizeof *order, shorter);
    for (size_t i = 0; i < r->I; i++) at[i] = r->from[i];
    for (size_t v = 0; v < r->U; v++) {
        uint32_t u = c.id[v] = order[v].id;
        c.length[v] = order[v].length;
        for (int64_t k = r->offset[u]; k < r->offset[u + 1]; k++) c.who[at[r->item[k]]++] = (uint32_t)v;
    }
    tdm_free(order);
    tdm_free(at);
    *out = c;
    return TDM_OK;
}

void tdm_crowd_clear(tdm_crowd *c)
{
    tdm_free(c->id);
    tdm_free(c->who);
    tdm_free(c->length);
    *c = (tdm_crowd){0};
}

/* ---- room ---- */

/* An item of the history. */
struct tdm_list {
    const uint32_t *next, *end; /* of its people: not yet met */
    uint64_t weight;            /* as it is added */
    uint64_t rest;              /* the sum of this and of all later lists, without counts */
};

tdm_status tdm_neighbours_make(tdm_neighbours *out, const tdm_people *p, size_t k, tdm_err *err)
{
    if (k > p->rows.U) k = p->rows.U;
    tdm_neighbours s = {.k = k,
                        .user = tdm_new(k, sizeof *s.user),
                        .s = tdm_new(k, sizeof *s.s),
                        .anchor = tdm_new(k, sizeof *s.anchor),
                        .slot = tdm_new(p->rows.I, sizeof *s.slot),
                        .sums = tdm_new(BLOCK, sizeof *s.sums)};
    *out = s;
    if (s.user && s.s && s.anchor && s.slot && s.sums) return TDM_OK;
    tdm_neighbours_clear(out);
    return tdm_nomem(err, "a search for neighbours");
}

void tdm_neighbours_clear(tdm_neighbours *s)
{
    tdm_free(s->user);
    tdm_free(s->s);
    tdm_free(s->anchor);
    tdm_free(s->slot);
    tdm_free(s->sums);
    tdm_free(s->list);
    tdm_free(s->weight);
    tdm_free(s->share);
    *s = (tdm_neighbours){0};
}

/* Room for a history of n items. */
static tdm_status grow(tdm_neighbours *s, size_t n, tdm_err *err)
{
    if (n <= s->cap) return TDM_OK;
    n += n / 2;
    tdm_free(s->list);
    tdm_free(s->weight);
    tdm_free(s->share);
    s->cap = 0;
    s->list = tdm_new(n, sizeof *s->list);
    s->weight = tdm_new(n + 1, sizeof *s->weight);
    s->share = tdm_new(n + 1, sizeof *s->share);
    if (!s->list || !s->weight || !s->share) return tdm_nomem(err, "a search for neighbours");
    s->cap = n;
    return TDM_OK;
}

/* ---- the k best: a heap, the worst on top ---- */

static bool behind(float s, uint32_t user, float than, uint32_t than_user)
{
    return s < than || (s == than && user > than_user);
}

static void sink(tdm_neighbours *h, size_t n, size_t at, float s, uint32_t user)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && behind(h->s[child + 1], h->user[child + 1], h->s[child], h->user[child])) child++;
        if (!behind(h->s[child], h->user[child], s, user)) break;
        h->s[at] = h->s[child];
        h->user[at] = h->user[child];
    }
    h->s[at] = s;
    h->user[at] = user;
}

static void heap_make(tdm_neighbours *h)
{
    for (size_t at = h->n / 2; at-- > 0;) sink(h, h->n, at, h->s[at], h->user[at]);
}

/* True where the worst of k is now another. */
static bool offer(tdm_neighbours *h, float s, uint32_t user)
{
    if (h->n == h->k) {
        if (!behind(h->s[0], h->user[0], s, user)) return false;
        sink(h, h->n, 0, s, user);
        return true;
    }
    if (!(s > 0)) return false;
    h->s[h->n] = s;
    h->user[h->n++] = user;
    if (h->n < h->k) return false;
    heap_make(h);
    return true;
}

static void in_order(tdm_neighbours *h)
{
    heap_make(h);
    for (size_t left = h->n; left > 1;) { /* the worst goes to the end, again and again */
        float s = h->s[0];
        uint32_t user = h->user[0];
        left--;
        sink(h, left, 0, h->s[left], h->user[left]);
        h->s[left] = s;
        h->user[left] = user;
    }
}

/* ---- the search ---- */

/* What stays the same from block to block. */
typedef struct search {
    tdm_neighbours *s;
    const tdm_people *p;
    const tdm_crowd *c;
    uint32_t self;
    size_t n, read; /* items; how many of their lists are read, the first ones */
    double scale;   /* of a sum, to sum w_j / |a| */
} search;

/* Lists that say much for their length come first. */
static int worth_more(const void *a, const void *b)
{
    const struct tdm_list *x = a, *y = b;
    double p = (double)x->weight * (double)(y->end - y->next), q = (double)y->weight * (double)(x->end - x->next);
    if (p != q) return p > q ? -1 : 1;
    return (x->next > y->next) - (x->next < y->next);
}

static void lists_make(search *x, const tdm_probe *q, double shrink)
{
    tdm_neighbours *s = x->s;
    const tdm_rows *r = &x->p->rows;
    double total = 0;
    for (size_t j = 0; j < x->n; j++) total += q->a[j] * x->p->b[q->item[j]];
    for (size_t j = 0; j < x->n; j++) {
        uint32_t i = q->item[j];
        double w = floor(q->a[j] * x->p->b[i] / total * whole + 0.5);
        s->weight[j + 1] = (uint64_t)(w < 1 ? 1 : w) << COUNT_BITS | 1;
        s->slot[i] = (uint32_t)j + 1;
        s->list[j] = (struct tdm_list){
            .next = x->c->who + r->from[i], .end = x->c->who + r->from[i + 1], .weight = s->weight[j + 1]};
    }
    s->weight[0] = 0;
    for (size_t c = 0; c <= x->n; c++) s->share[c] = c ? (double)c / ((double)c + shrink) : 0;
    qsort(s->list, x->n, sizeof *s->list, worth_more);
    uint64_t rest = 0;
    for (size_t h = x->n; h-- > 0;) s->list[h].rest = rest += s->list[h].weight >> COUNT_BITS;
    x->scale = total / whole / q->length;
}

/* What a person of this length must have of the sum, before c / (c + shrink), to be among the k best. */
static double needed(const search *x, double length)
{
    return x->s->n < x->s->k ? 0 : (double)x->s->s[0] * careful * length / x->scale;
}

/* A sum that is too small for everybody from this rank on. */
static uint64_t low_of(const search *x, size_t rank)
{
    double need = needed(x, x->c->length[rank]) / x->s->share[x->n] - 1;
    return need < 1 ? 0 : need < whole * 2 ? (uint64_t)need << COUNT_BITS : UINT64_MAX;
}

static float similarity(const search *x, uint64_t sum, double length)
{
    return (float)((double)(sum >> COUNT_BITS) * x->s->share[sum & MOST] * x->scale / length);
}

static void block(search *x, size_t begin, size_t end)
{
    tdm_neighbours *s = x->s;
    uint64_t *sums = s->sums;
    uint32_t first = (uint32_t)begin, last = (uint32_t)end;
    size_t met = 0;
    for (size_t h = 0; h < x->read; h++) {
        struct tdm_list *l = &s->list[h];
        const uint32_t *v = l->next;
        uint64_t w = l->weight;
        for (; l->end - v >= 4 && v[3] < last; v += 4) {
            sums[v[0] - first] += w;
            sums[v[1] - first] += w;
            sums[v[2] - first] += w;
            sums[v[3] - first] += w;
        }
        for (; v < l->end && *v < last; v++) sums[*v - first] += w;
        met += (size_t)(v - l->next);
        l->next = v;
    }
    if (!met) return;
    uint64_t low = low_of(x, begin);
    for (size_t v = 0; v < end - begin; v++) {
        uint64_t sum = sums[v];
        sums[v] = 0;
        if (sum <= low || x->c->id[begin + v] == x->self) continue;
        if (offer(s, similarity(x, sum, x->c->length[begin + v]), x->c->id[begin + v])) low = low_of(x, begin);
    }
}

/* Rows lie anywhere in memory: those that are soon read are called for. */
static void call_for(const tdm_neighbours *s, const tdm_rows *r, size_t b)
{
    if (b >= s->n) return;
    const uint32_t *item = r->item + r->offset[s->user[b]];
    size_t n = (size_t)(r->offset[s->user[b] + 1] - r->offset[s->user[b]]);
    for (size_t q = 0; q < n && q < 256; q += TDM_ALIGN / sizeof *item) __builtin_prefetch(item + q);
}

/* The sums of those found, from their own rows: a search that left lists unread knows only parts of them. */
static void complete(search *x)
{
    tdm_neighbours *s = x->s;
    const tdm_rows *r = &x->p->rows;
    for (size_t b = 0; b < s->n; b++) {
        uint64_t sum = 0;
        call_for(s, r, b + AHEAD);
        for (int64_t k = r->offset[s->user[b]]; k < r->offset[s->user[b] + 1]; k++)
            sum += s->weight[s->slot[r->item[k]]];
        s->s[b] = similarity(x, sum, x->p->length[s->user[b]]);
    }
}

static void anchors(search *x)
{
    tdm_neighbours *s = x->s;
    const tdm_rows *r = &x->p->rows;
    for (size_t b = 0; b < s->n; b++) {
        const uint32_t *item = r->item + r->offset[s->user[b]];
        size_t n = (size_t)(r->offset[s->user[b] + 1] - r->offset[s->user[b]]);
        call_for(s, r, b + AHEAD);
        uint32_t newest = UINT32_MAX;
        for (size_t q = 0; q < n; q++) {
            uint32_t j = s->slot[item[q]] - 1; /* nothing shared: the largest there is */
            if (j < newest) newest = j, s->anchor[b] = (uint32_t)q;
        }
    }
}

tdm_status tdm_neighbours_find(tdm_neighbours *s, const tdm_people *p, const tdm_crowd *c, const tdm_probe *q,
                               double shrink, double unread, tdm_err *err)
{
    search x = {.s = s, .p = p, .c = c, .self = q->self, .n = q->n < MOST ? q->n : MOST};
    size_t U = p->rows.U;
    s->n = 0;
    tdm_status st = grow(s, x.n, err);
    if (st || !x.n || !s->k || !(q->length > 0)) return st;
    lists_make(&x, q, shrink);
    double all = (double)s->list[0].rest;
    for (x.read = x.n; x.read > 1 && (double)s->list[x.read - 1].rest <= unread * all; x.read--) {}
    for (size_t begin = 0; begin < U; begin += BLOCK) {
        if (all * s->share[x.n] < needed(&x, c->length[begin])) break;
        block(&x, begin, begin + BLOCK < U ? begin + BLOCK : U);
    }
    if (x.read < x.n) complete(&x);
    in_order(s);
    anchors(&x);
    for (size_t j = 0; j < x.n; j++) s->slot[q->item[j]] = 0;
    return TDM_OK;
}
