/* SPDX-License-Identifier: Apache-2.0 */
/* ease.c - each item regressed on all others at once, in closed form.
 *
 *     G = X'X       P = (G + lambda I)^-1       link(a, b) = -P_ab / P_bb       link(a, a) = 0
 *
 * X is people x items, 1 where a person chose an item. The links are those that best rebuild X from itself where no
 * item may use itself (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, eq. 8). What two items
 * share only through a third is explained away, so a link may be negative: that is what counting pairs cannot say. A
 * history enters with its newest items first (history_decay). Of each row the k largest links are kept; the rest are
 * many and next to nothing. Where one matrix of all items does not fit: local.h. */
#include "base/mem.h"
#include "base/status.h"
#include "cf/cf.h"
#include "cf/linear.h"
#include "cf/local.h"
#include "cf/square.h"
#include "kernels/spd.h"

static const char stage[] = "ease";

static const tdm_param params[] = {
    {"lambda", 100, 1, 100000, TDM_LOG, "added to each item's own count: more trusts rare pairs less", {1, 3000}},
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
    double lambda;
    float *own; /* n: 1 / P_bb */
} solving;

/* The lower triangle of G + lambda I. */
static void count(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const solving *s = ctx;
    const tdm_rows *r = s->rows;
    (void)chunk;
    for (size_t a = begin; a < end; a++) {
        float *row = s->square.at + a * s->square.n;
        size_t item = s->square.item[a];
        for (int64_t k = r->from[item]; k < r->from[item + 1]; k++)
            for (int64_t j = r->offset[r->user[k]]; j < r->offset[r->user[k] + 1]; j++) {
                uint32_t b = s->square.slot[r->item[j]];
                if (b <= a) row[b] += 1;
            }
        row[a] += (float)s->lambda;
    }
}

static void rows_of(void *ctx, float *w, float *scratch, size_t begin, size_t end)
{
    const solving *s = ctx;
    (void)scratch;
    size_t n = s->square.n;
    for (size_t a = begin; a < end; a++, w += n) {
        const float *P = s->square.at + a * n;
        for (size_t b = 0; b < n; b++) w[b] = -P[b] * s->own[b];
        w[a] = 0;
    }
}

/* One matrix of all items, or of the most chosen ones. */
static tdm_status fit_dense(tdm_links *out, solving *s, const tdm_params *p, tdm_run *run, tdm_err *err)
{
    size_t links = (size_t)tdm_param_get(p, "k"), most_items = (size_t)tdm_param_get(p, "most_items");
    tdm_status st = tdm_square_make(&s->square, s->rows, most_items, links, 0, run, stage, err);
    size_t n = s->square.n;
    if (!st && !(s->own = tdm_new(n, sizeof *s->own))) st = tdm_nomem(err, stage);
    if (!st) {
        tdm_pool_for(run->pool, n, 16, count, s);
        st = tdm_spd_invert(s->square.at, n, run, stage, err);
    }
    if (!st) {
        for (size_t b = 0; b < n; b++) s->own[b] = 1 / s->square.at[b * n + b];
        const tdm_links_matrix x = {rows_of, s, s->square.item, n};
        st = tdm_links_take(out, s->rows->I, links, &x, run, stage, err);
    }
    tdm_free(s->own);
    tdm_square_clear(&s->square);
    return st;
}

static void local_row(void *ctx, tdm_tally *t, uint32_t a)
{
    const tdm_rows *r = ((const solving *)ctx)->rows;
    for (int64_t k = r->from[a]; k < r->from[a + 1]; k++)
        for (int64_t j = r->offset[r->user[k]]; j < r->offset[r->user[k] + 1]; j++) tdm_tally_add(t, r->item[j], 1);
}

static tdm_status fit_local(tdm_links *out, solving *s, const tdm_params *p, tdm_run *run, tdm_err *err)
{
    size_t I = s->rows->I;
    double *diagonal = tdm_new(I, sizeof *diagonal);
    if (!diagonal) return tdm_nomem(err, stage);
    for (size_t a = 0; a < I; a++) diagonal[a] = (double)tdm_rows_count(s->rows, a) + s->lambda;
    const tdm_local l = {.row = local_row, .ctx = s, .diagonal = diagonal};
    tdm_status st = tdm_local_solve(out, &l, s->rows, p, run, stage, err);
    tdm_free(diagonal);
    return st;
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    const tdm_params *p = in->params;
    tdm_rows rows;
    bool dense;
    *out = NULL;
    tdm_status st = tdm_local_rows(&rows, &dense, in->train, p, false, in->run, stage, err);
    if (st) return st;
    solving s = {.rows = &rows, .lambda = tdm_param_get(p, "lambda")};
    tdm_linear *l = tdm_linear_new(sizeof *l, &tdm_ease_ops, p);
    if (!l) st = tdm_nomem(err, stage);
    if (!st) st = dense ? fit_dense(&l->links, &s, p, in->run, err) : fit_local(&l->links, &s, p, in->run, err);
    tdm_rows_clear(&rows);
    if (st) tdm_linear_close((tdm_model *)l);
    else *out = &l->base;
    return st;
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    return tdm_linear_load(out, sizeof(tdm_linear), &tdm_ease_ops, path, train->I, err);
}

const tdm_model_ops tdm_ease_ops = {
    .name = "ease",
    .summary = "each item regressed on all others, in closed form",
    .path = "cf/ease.safetensors",
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
