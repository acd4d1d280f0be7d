/* SPDX-License-Identifier: Apache-2.0 */
/* slist.c - what comes next regressed on what came before, in closed form.
 *
 * Each history is cut once behind every item but its last. S has a row for each cut with what lies before it, nearer
 * items counting more; T what lies behind it, likewise; X a row for each history, 1 where it has an item:
 *
 *     S = past_decay^(steps back from the cut)    T = future_decay^(steps on from it)
 *
 *     least over B:  whole ||X - XB||^2  +  (1 - whole) ||T - SB||^2  +  lambda ||B||^2
 *     B = (whole X'X + (1 - whole) S'S + lambda I)^-1  (whole X'X + (1 - whole) S'T)
 *
 * (Choi, Kim, Lee, Shim and Lee, "Session-aware Linear Item-Item Models for Session-based Recommendation", WWW 2021:
 * SLIST, which joins SLIS, whole = 1, and SLIT, whole = 0.) An item counts once in a history, at its newest place. Rows
 * of S and T are never made: summed over its cuts, a history of n items adds for places p < q, g = q - p,
 *
 *     S'S: past^g (1 + past^2 + .. + past^2(n - 2 - q))        S'T: past^(g-1) + past^(g-2) future + .. + future^(g-1)
 *
 * S'T is sparse, and directional co-occurrence itself; the inverse takes out of it what other items of the past
 * explain. Links of an item to itself are left out. Where one matrix of all items does not fit: local.h. */
#include "base/mem.h"
#include "base/status.h"
#include "cf/cf.h"
#include "cf/linear.h"
#include "cf/local.h"
#include "cf/pairs.h"
#include "cf/square.h"
#include "kernels/kernels.h"
#include "kernels/spd.h"

#include <math.h>
#include <string.h>

static const char stage[] = "slist";

static const tdm_param params[] = {
    {"lambda", 100, 0.1, 100000, TDM_LOG, "added to each item's own sum: more trusts rare pairs less", {1, 3000}},
    {"whole", 0.3, 0, 1, TDM_LINEAR, "how much whole histories, without order, count beside their cuts", {0, 1}},
    {"past_decay", 0.7, 0, 1, TDM_LINEAR, "how much an item one step further before the cut still counts", {0.2, 1}},
    {"future_decay", 0, 0, 1, TDM_LINEAR, "the same behind the cut; 0: the next item only", {0, 1}},
    {"history_decay", 0.6, 0, 1, TDM_LINEAR, "how much an item one step older in the history still counts", {0.2, 1}},
    {"k", 200, 1, 100000, TDM_INTEGER, "links kept for an item"},
    {"most_items", 40000, 1, 200000, TDM_INTEGER, "items that one matrix is made of, the most chosen ones"},
    TDM_LOCAL_PARAMS,
    {"longest", 1000, 2, 1000000, TDM_INTEGER, "newest rows of a person that are read"},
    {0},
};

typedef struct solving {
    const tdm_rows *rows;
    tdm_square square;
    double lambda, whole;
    double *past;     /* longest + 1: past^g */
    double *cuts;     /* longest + 1: 1 + past^2 + .. of so many terms */
    double *cross;    /* longest + 1: S'T of places g apart */
    tdm_links target; /* n x n, in rows of the square: whole X'X + (1 - whole) S'T */
} solving;

static bool series(solving *s, size_t longest, double past, double future)
{
    s->past = tdm_new(longest + 1, sizeof *s->past);
    s->cuts = tdm_new(longest + 1, sizeof *s->cuts);
    s->cross = tdm_new(longest + 1, sizeof *s->cross);
    if (!s->past || !s->cuts || !s->cross) return false;
    double f = 1; /* future^(g-1) */
    s->past[0] = 1;
    for (size_t g = 1; g <= longest; g++, f *= future) {
        s->past[g] = s->past[g - 1] * past;
        s->cuts[g] = s->cuts[g - 1] + s->past[g - 1] * s->past[g - 1];
        s->cross[g] = s->cross[g - 1] * past + f;
    }
    return true;
}

/* What places p and q of a history of n say about A; for p = q, what its item has on the diagonal. */
static double gram_of(const solving *s, size_t n, size_t p, size_t q)
{
    size_t gap = q > p ? q - p : p - q, last = q > p ? q : p;
    return s->whole + (1 - s->whole) * s->past[gap] * s->cuts[n - 1 - last];
}

/* The lower triangle of whole X'X + (1 - whole) S'S + lambda I. */
static void count(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const solving *s = ctx;
    const tdm_rows *r = s->rows;
    (void)chunk;
    for (size_t a = begin; a < end; a++) {
        float *row = s->square.at + a * s->square.n;
        size_t item = s->square.item[a];
        for (int64_t k = r->from[item]; k < r->from[item + 1]; k++) {
            const uint32_t *history = r->item + r->offset[r->user[k]];
            size_t n = (size_t)(r->offset[r->user[k] + 1] - r->offset[r->user[k]]), p = r->place[k];
            for (size_t q = 0; q < n; q++) {
                uint32_t b = s->square.slot[history[q]];
                if (b > a) continue;
                row[b] += (float)gram_of(s, n, p, q);
            }
        }
        row[a] += (float)s->lambda;
    }
}

static void target_row(void *ctx, tdm_tally *t, uint32_t from)
{
    const solving *s = ctx;
    const tdm_rows *r = s->rows;
    size_t item = s->square.item[from];
    for (int64_t k = r->from[item]; k < r->from[item + 1]; k++) {
        const uint32_t *history = r->item + r->offset[r->user[k]];
        size_t n = (size_t)(r->offset[r->user[k] + 1] - r->offset[r->user[k]]), p = r->place[k];
        for (size_t q = s->whole > 0 ? 0 : p + 1; q < n; q++) {
            uint32_t to = s->square.slot[history[q]];
            if (to != TDM_NONE) tdm_tally_add(t, to, s->whole + (q > p ? (1 - s->whole) * s->cross[q - p] : 0));
        }
    }
}

static float target_weight(void *ctx, uint32_t from, uint32_t to, double sum, uint32_t n)
{
    (void)ctx, (void)from, (void)to, (void)n;
    return (float)sum;
}

/* Rows of the inverse times the target, TDM_LINKS_ROWS of them side by side in `side` while they are summed: so each
 * number of the target is read once for all of them and meets them in one or a few instructions. */
static void rows_of(void *ctx, float *w, float *side, size_t begin, size_t end)
{
    enum { R = TDM_LINKS_ROWS };
    const solving *s = ctx;
    const tdm_links *t = &s->target;
    size_t n = s->square.n, rows = end - begin;
    void (*axpy)(float *, float, const float *, size_t) = tdm_kernels_best()->axpy;
    memset(side, 0, n * R * sizeof *side);
    for (size_t b = 0; b < n; b++) {
        float P[R] = {0};
        for (size_t r = 0; r < rows; r++) P[r] = s->square.at[(begin + r) * n + b];
        for (int64_t k = t->offset[b]; k < t->offset[b + 1]; k++)
            axpy(side + (size_t)t->item[k] * R, t->weight[k], P, R);
    }
    for (size_t r = 0; r < rows; r++) {
        for (size_t j = 0; j < n; j++) w[r * n + j] = side[j * R + r];
        w[r * n + begin + r] = 0;
    }
}

static tdm_status solve_dense(tdm_links *out, solving *s, const tdm_params *p, tdm_run *run, tdm_err *err)
{
    size_t links = (size_t)tdm_param_get(p, "k"), most_items = (size_t)tdm_param_get(p, "most_items");
    tdm_status st = tdm_square_make(&s->square, s->rows, most_items, links, tdm_pairs_cells(s->rows), run, stage, err);
    if (st) return st;
    size_t n = s->square.n;
    tdm_pool_for(run->pool, n, 16, count, s);
    const tdm_links_maker maker = {target_row, target_weight, s};
    st = tdm_links_make(&s->target, n, n, &maker, run, stage, err);
    if (!st) st = tdm_spd_invert(s->square.at, n, run, stage, err);
    const tdm_links_matrix x = {rows_of, s, s->square.item, n};
    return st ? st : tdm_links_take(out, s->rows->I, links, &x, run, stage, err);
}

/* ---- without one matrix: local.h ---- */

static void local_row(void *ctx, tdm_tally *t, uint32_t a)
{
    const solving *s = ctx;
    const tdm_rows *r = s->rows;
    for (int64_t k = r->from[a]; k < r->from[a + 1]; k++) {
        const uint32_t *history = r->item + r->offset[r->user[k]];
        size_t n = (size_t)(r->offset[r->user[k] + 1] - r->offset[r->user[k]]), p = r->place[k];
        for (size_t q = 0; q < n; q++) tdm_tally_add(t, history[q], gram_of(s, n, p, q));
    }
}

/* Item b is regressed on itself too, as in the whole matrix, also where nothing says so but a number next to nothing.
 */
static void local_column(void *ctx, tdm_tally *t, uint32_t b)
{
    const solving *s = ctx;
    const tdm_rows *r = s->rows;
    tdm_tally_add(t, b, 1e-20);
    for (int64_t k = r->from[b]; k < r->from[b + 1]; k++) {
        const uint32_t *history = r->item + r->offset[r->user[k]];
        size_t n = (size_t)(r->offset[r->user[k] + 1] - r->offset[r->user[k]]), q = r->place[k];
        for (size_t p = 0; p < (s->whole > 0 ? n : q); p++)
            tdm_tally_add(t, history[p], s->whole + (p < q ? (1 - s->whole) * s->cross[q - p] : 0));
    }
}

static tdm_status solve_local(tdm_links *out, solving *s, const tdm_params *p, tdm_run *run, tdm_err *err)
{
    const tdm_rows *r = s->rows;
    double *diagonal = tdm_new(r->I, sizeof *diagonal);
    if (!diagonal) return tdm_nomem(err, stage);
    for (size_t i = 0; i < r->I; i++) diagonal[i] = s->lambda;
    for (size_t u = 0; u < r->U; u++) {
        size_t n = (size_t)(r->offset[u + 1] - r->offset[u]);
        for (size_t q = 0; q < n; q++) diagonal[r->item[(size_t)r->offset[u] + q]] += gram_of(s, n, q, q);
    }
    const tdm_local l = {.row = local_row, .column = local_column, .ctx = s, .diagonal = diagonal};
    tdm_status st = tdm_local_solve(out, &l, r, p, run, stage, err);
    tdm_free(diagonal);
    return st;
}

static size_t longest_row(const tdm_rows *r)
{
    int64_t most = 0;
    for (size_t u = 0; u < r->U; u++)
        if (r->offset[u + 1] - r->offset[u] > most) most = r->offset[u + 1] - r->offset[u];
    return (size_t)most;
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    const tdm_params *p = in->params;
    tdm_rows rows;
    bool dense;
    *out = NULL;
    tdm_status st = tdm_local_rows(&rows, &dense, in->train, p, true, in->run, stage, err);
    if (st) return st;
    solving s = {.rows = &rows, .lambda = tdm_param_get(p, "lambda"), .whole = tdm_param_get(p, "whole")};
    tdm_linear *l = tdm_linear_new(sizeof *l, &tdm_slist_ops, p);
    if (!l || !series(&s, longest_row(&rows), tdm_param_get(p, "past_decay"), tdm_param_get(p, "future_decay")))
        st = tdm_nomem(err, stage);
    if (!st) st = (dense ? solve_dense : solve_local)(&l->links, &s, p, in->run, err);
    tdm_free(s.past);
    tdm_free(s.cuts);
    tdm_free(s.cross);
    tdm_links_clear(&s.target);
    tdm_square_clear(&s.square);
    tdm_rows_clear(&rows);
    if (st) tdm_linear_close((tdm_model *)l);
    else *out = &l->base;
    return st;
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    return tdm_linear_load(out, sizeof(tdm_linear), &tdm_slist_ops, path, train->I, err);
}

const tdm_model_ops tdm_slist_ops = {
    .name = "slist",
    .summary = "what comes next regressed on what came before, in closed form",
    .path = "cf/slist.safetensors",
    .params = params,
    .optional = true,
    .fit = fit,
    .score = tdm_linear_score,
    .topk = tdm_linear_topk,
    .because = tdm_linear_because,
    .save = tdm_linear_save,
    .load = load,
    .close = tdm_linear_close,
};
