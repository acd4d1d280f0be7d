/* SPDX-License-Identifier: Apache-2.0 */
/* ials_update.c - new events in the factors of items, by half a step of ials for the items that need one.
 *
 *     y_i = (w0 X'X + pull + sum over people u of i: a_ui x_u x_u')^-1 sum over u: (w0 + a_ui) x_u
 *
 * X are never kept. Those of i's people are folded in again, each one solve over a history, and X'X is kept with the
 * model: what changed people were is taken off it, what they are is added. So an item costs its people and no more.
 * Which items need it update.h says; an event counts 1 where it lands. That x of an old person moves a little with each
 * event, and so all their other items, is left to the next fit: the drift of api/update.c is there to call for it. */
#include "base/mem.h"
#include "base/status.h"
#include "cf/cf.h"
#include "cf/ials_model.h"
#include "cf/update.h"
#include "kernels/small_spd.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* Many rows solved against one other side. */
typedef struct solving {
    const tdm_ials_rules *r;
    const float *other;   /* rows of K, in a basis where w0 times the sum of all of them squared is diagonal: */
    const double *spread; /* K */
    size_t n_other;
    tdm_ials_lists list;
    const uint32_t *which; /* n: the rows to solve; NULL: all */
    size_t n;
    float *x;          /* list.n x K */
    atomic_int failed; /* 1: memory, 2: rounding */
} solving;

static void solve(void *ctx, size_t chunk, size_t begin, size_t end)
{
    solving *s = ctx;
    size_t K = s->r->K;
    (void)chunk;
    float *d = tdm_new(K + tdm_small_spd_scratch(K), sizeof *d);
    if (!d) atomic_store(&s->failed, 1);
    const tdm_small_spd spd = {tdm_kernels_best(), s->other, K, d, (float)s->r->unobserved, d ? d + K : NULL};
    for (size_t k = begin; d && k < end; k++) {
        size_t row = s->which ? s->which[k] : k;
        size_t at = (size_t)s->list.from[row], n = (size_t)s->list.from[row + 1] - at;
        double fit, pull = tdm_ials_pull(s->r, (double)n, (double)s->n_other);
        for (size_t j = 0; j < K; j++) d[j] = (float)(s->spread[j] + pull);
        memset(s->x + row * K, 0, K * sizeof *s->x);
        if (n && !tdm_small_spd_solve(&spd, s->x + row * K, &fit, s->list.at + at, s->list.a + at, NULL, n))
            atomic_store(&s->failed, 2);
    }
    tdm_free(d);
}

static tdm_status solve_all(solving *s, tdm_run *run, tdm_err *err)
{
    tdm_pool_for(run->pool, s->n, s->n / 64 + 1, solve, s);
    if (atomic_load(&s->failed) == 1) return tdm_nomem(err, "ials");
    if (atomic_load(&s->failed))
        return tdm_fail(err, TDM_E_ARG, "ials: an update cannot be solved in single precision; train again");
    return tdm_run_check(run, "ials", err);
}

/* Rows of K x K that turn into the basis where symmetric G is diagonal; the diagonal, falling, into value. */
static tdm_status basis_of(float *turn, double *value, const float *G, size_t K, tdm_err *err)
{
    double *v = tdm_new(K * K + 2 * K, sizeof *v), *e = v ? v + K * K : NULL;
    if (!v) return tdm_nomem(err, "ials");
    for (size_t i = 0; i < K * K; i++) v[i] = (double)G[i];
    bool found = tdm_small_eigen(e, v, e + K, K);
    for (size_t k = 0; found && k < K; k++) {
        size_t from = K - 1 - k;
        value[k] = fmax(e[from], 0);
        for (size_t j = 0; j < K; j++) turn[k * K + j] = (float)v[from * K + j];
    }
    tdm_free(v);
    return found ? TDM_OK : tdm_fail(err, TDM_E_FORMAT, "ials: its sums are not numbers; train again");
}

/* rows[n x K] = rows * turn' (or turn), a few at a time. */
static tdm_status turn_all(float *rows, const float *turn, int across, size_t n, size_t K, tdm_err *err)
{
    enum { BLOCK = 128 };
    float *t = tdm_new(BLOCK, K * sizeof *t);
    if (!t) return tdm_nomem(err, "ials");
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;
        tdm_gemm(0, across, m, K, K, 1, rows + at * K, K, turn, K, 0, t, K);
        memcpy(rows + at * K, t, m * K * sizeof *t);
    }
    tdm_free(t);
    return TDM_OK;
}

typedef struct updating {
    const tdm_ials_model *old;
    tdm_ials_model *s;
    const tdm_update *u;
    size_t K, longest;
    float *Y, *people; /* those of s */
    double *spread;    /* K: of Y as people are folded in with */
    unsigned char *only;
} updating;

/* X of some people, n x K, folded in with Y as it is; *rows are theirs. */
static tdm_status fold(float **X, tdm_rows *rows, const updating *w, const tdm_dataset *d, const uint32_t *item_now,
                       const uint32_t *people, size_t n, tdm_ials_lists list[2], tdm_err *err)
{
    size_t I = w->u->now->I;
    *X = NULL;
    tdm_status st = tdm_rows_of(rows, d, people, n, item_now, I, w->longest, true, err);
    if (!st && !(*X = tdm_new(n, w->K * sizeof **X))) st = tdm_nomem(err, "the factors of people");
    if (st) return st;
    tdm_ials_lists_make(list, w->old, rows);
    solving s = {.r = &w->s->rules, .other = w->Y, .spread = w->spread, .n_other = I, .list = list[0], .n = n, .x = *X};
    return solve_all(&s, w->u->run, err);
}

/* Takes who changed as they were off the sum over people, or adds them as they are. */
static tdm_status people_add(updating *w, bool now, tdm_err *err)
{
    const tdm_update *u = w->u;
    tdm_rows rows = {0};
    tdm_ials_lists list[2];
    float *X = NULL;
    uint32_t *who = tdm_new(u->n_changed, sizeof *who);
    if (!who) return tdm_nomem(err, "who changed");
    for (size_t c = 0; c < u->n_changed; c++) who[c] = now ? u->changed[c].now : u->changed[c].was;
    tdm_status st = fold(&X, &rows, w, now ? u->now : u->was, now ? NULL : u->item_now, who, u->n_changed, list, err);
    if (!st) tdm_gemm(1, 0, w->K, w->K, u->n_changed, now ? 1 : -1, X, w->K, X, w->K, 1, w->people, w->K);
    tdm_rows_clear(&rows);
    tdm_free(X);
    tdm_free(who);
    return st;
}

/* ---- which items ---- */

/* How many choices each item has, and how many came or went where. */
static tdm_status count(double *size, float *missing, const updating *w, tdm_err *err)
{
    const tdm_update *u = w->u;
    tdm_reading was = {0}, now = {0};
    tdm_status st = tdm_reading_open(&was, u->was, u->item_now, u->now->I, w->longest, true, err);
    if (!st) st = tdm_reading_open(&now, u->now, NULL, u->now->I, w->longest, true, err);
    for (size_t v = 0; !st && v < u->now->U; v++) {
        size_t n = tdm_reading_of(&now, v);
        for (size_t j = 0; j < n; j++) size[now.item[j]]++;
    }
    if (!st) memset(now.last, 0, u->now->I * sizeof *now.last); /* people are read again */
    for (size_t c = 0; !st && c < u->n_changed; c++) {
        size_t a = tdm_reading_of(&was, u->changed[c].was), b = tdm_reading_of(&now, u->changed[c].now), same = 0;
        while (same < a && same < b && was.item[same] == now.item[same]) same++;
        for (size_t j = same; j < a; j++) missing[was.item[j]]++;
        for (size_t j = same; j < b; j++) missing[now.item[j]]++;
    }
    tdm_reading_close(&was);
    tdm_reading_close(&now);
    return st;
}

/* ---- the half step ---- */

/* Solves the marked items against X of their people, whose rows are list. */
static tdm_status items_solve(updating *w, float *X, size_t n, const tdm_ials_lists *list, tdm_err *err)
{
    size_t K = w->K, marked = 0;
    float *turn = tdm_new(K + 1, K * sizeof *turn), *y = turn ? turn + K * K : NULL;
    double *spread = tdm_new(K, sizeof *spread);
    uint32_t *which = tdm_new(list->n, sizeof *which);
    tdm_status st = turn && spread && which ? TDM_OK : tdm_nomem(err, "the factors of items");
    for (size_t i = 0; !st && i < list->n; i++)
        if (w->only[i]) which[marked++] = (uint32_t)i;
    if (!st) st = basis_of(turn, spread, w->people, K, err);
    if (!st) st = turn_all(X, turn, 1, n, K, err);
    for (size_t k = 0; !st && k < K; k++) spread[k] *= w->s->rules.unobserved;
    solving s = {.r = &w->s->rules,
                 .other = X,
                 .spread = spread,
                 .n_other = w->u->now->U,
                 .list = *list,
                 .which = which,
                 .n = marked,
                 .x = w->Y};
    if (!st) st = solve_all(&s, w->u->run, err);
    for (size_t k = 0; !st && k < marked; k++) { /* and back */
        float *row = w->Y + which[k] * K;
        tdm_gemm(0, 0, 1, K, K, 1, row, K, turn, K, 0, y, K);
        memcpy(row, y, K * sizeof *y);
    }
    tdm_free(turn);
    tdm_free(spread);
    tdm_free(which);
    return st;
}

static tdm_status items_renew(updating *w, tdm_err *err)
{
    uint32_t *people;
    float *X = NULL;
    size_t n;
    tdm_rows rows = {0};
    tdm_ials_lists list[2];
    tdm_status st = tdm_people_with(&people, &n, w->u->now, w->only, err);
    if (!st) st = fold(&X, &rows, w, w->u->now, NULL, people, n, list, err);
    if (!st) st = items_solve(w, X, n, &list[1], err);
    tdm_rows_clear(&rows);
    tdm_free(X);
    tdm_free(people);
    return st;
}

/* Turns what is kept into the basis where the sum of y y' is diagonal. */
static tdm_status straighten(updating *w, tdm_err *err)
{
    size_t K = w->K, I = w->u->now->I;
    float *G = tdm_new(2 * K, K * sizeof *G), *turn = G ? G + K * K : NULL, *spread = (float *)(uintptr_t)w->s->spread;
    if (!G) return tdm_nomem(err, "ials");
    tdm_gemm(1, 0, K, K, I, 1, w->Y, K, w->Y, K, 0, G, K);
    tdm_status st = basis_of(turn, w->spread, G, K, err);
    for (size_t k = 0; !st && k < K; k++) spread[k] = (float)(w->s->rules.unobserved * w->spread[k]);
    if (!st) st = turn_all(w->Y, turn, 1, I, K, err);
    if (!st) {
        tdm_gemm(0, 0, K, K, K, 1, turn, K, w->people, K, 0, G, K);
        tdm_gemm(0, 1, K, K, K, 1, G, K, turn, K, 0, w->people, K);
    }
    tdm_free(G);
    return st;
}

static tdm_status begin(updating *w, tdm_err *err)
{
    const tdm_ials_model *old = w->old;
    tdm_ials_model *s = w->s;
    size_t K = w->K, I = w->u->now->I;
    float *missing = tdm_new(I, sizeof *missing), *spread = tdm_new(K, sizeof *spread);
    s->item = w->Y = tdm_new(I, K * sizeof *w->Y);
    s->people = w->people = tdm_new(K, K * sizeof *w->people);
    s->missing = missing;
    s->spread = spread;
    w->spread = tdm_new(K, sizeof *w->spread);
    w->only = tdm_new(I, 1);
    if (!w->Y || !w->people || !missing || !spread || !w->spread || !w->only) return tdm_nomem(err, "ials");
    memcpy(w->people, old->people, K * K * sizeof *w->people);
    for (size_t k = 0; k < K; k++) w->spread[k] = (double)old->spread[k];
    for (size_t i = 0; i < w->u->was->I; i++) {
        uint32_t to = w->u->item_now[i];
        if (to == TDM_NONE) continue;
        memcpy(w->Y + to * K, old->item + i * K, K * sizeof *w->Y);
        if (old->missing) missing[to] = old->missing[i];
    }
    return TDM_OK;
}

tdm_status tdm_ials_update(tdm_model **out, const tdm_model *m, const tdm_update *u, tdm_updated *what, tdm_err *err)
{
    const tdm_ials_model *old = (const tdm_ials_model *)m;
    size_t I = u->now->I;
    *out = NULL;
    updating w = {.old = old, .u = u, .K = old->rules.K, .longest = (size_t)tdm_param_get(&old->p, "longest")};
    double *size = tdm_new(I, sizeof *size);
    w.s = tdm_ials_model_new(&old->p, I);
    tdm_status st = size && w.s ? begin(&w, err) : tdm_nomem(err, "ials");
    if (!st) st = count(size, (float *)(uintptr_t)w.s->missing, &w, err);
    if (!st) {
        tdm_rows_mark(w.only, (float *)(uintptr_t)w.s->missing, size, I, u->share, what);
        st = people_add(&w, false, err);
    }
    if (!st) st = people_add(&w, true, err);
    if (!st) st = items_renew(&w, err);
    if (!st) st = straighten(&w, err);
    tdm_free(size);
    tdm_free(w.spread);
    tdm_free(w.only);
    if (st && w.s) m->ops->close(&w.s->base);
    if (!st) *out = &w.s->base;
    return st;
}
