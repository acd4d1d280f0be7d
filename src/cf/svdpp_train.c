/* SPDX-License-Identifier: Apache-2.0 */
/* svdpp_train.c - epochs of gradient descent on ratings, and of what choices imply between them.
 *
 *     minimise   sum over rated (u, i): (r_ui - mean - (p_u + c_u) . y_i)^2
 *                + pull sum over u: n_u^power |p_u|^2  +  pull_item sum over i: n_i^power |y_i|^2 */
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "cf/svdpp.h"

#include <math.h>
#include <string.h>

struct tdm_svdpp_training {
    tdm_svdpp_rules rules;
    const tdm_rows *r;
    tdm_grid grid;
    float *P, *C;           /* U x K */
    float *pull_p, *pull_q; /* U, I */
    float open[2 * TDM_PAD];
    float *Q, *Y; /* the caller's */
    tdm_svdpp_implied *implied;
    tdm_run *run;
};

/* Rows near 0, their fixed numbers in place; a stream each, so that any split of the work draws the same. */
static void rows_draw(float *X, size_t n, size_t K, size_t held, uint64_t seed, uint64_t side)
{
    double size = 0.1 / sqrt((double)K);
    for (size_t row = 0; row < n; row++) {
        tdm_rng r = tdm_rng_make(seed, UINT64_MAX - 4 - side, row);
        for (size_t k = 0; k < K; k++) X[row * K + k] = k < K - 2 ? (float)(size * tdm_rng_normal(&r)) : 0;
        X[row * K + held] = 1;
    }
}

static void pulls_make(tdm_svdpp_training *w)
{
    const tdm_rows *r = w->r;
    float *of_item = w->pull_q;
    for (size_t u = 0; u < r->U; u++) {
        size_t n = 0;
        for (size_t k = (size_t)r->offset[u]; k < (size_t)r->offset[u + 1]; k++)
            if (isfinite(r->rating[k])) n++, of_item[r->item[k]]++;
        w->pull_p[u] = n ? (float)(w->rules.pull * pow((double)n, w->rules.power - 1)) : 0;
    }
    for (size_t i = 0; i < r->I; i++)
        if (of_item[i] > 0) of_item[i] = (float)(w->rules.pull_item * pow((double)of_item[i], w->rules.power - 1));
}

tdm_status tdm_svdpp_training_open(tdm_svdpp_training **out, const tdm_svdpp_rules *rules, const tdm_rows *r,
                                   double mean, float *Q, float *Y, tdm_run *run, tdm_err *err)
{
    *out = NULL;
    size_t K = rules->K;
    tdm_svdpp_training *w = tdm_new(1, sizeof *w);
    if (!w) return tdm_nomem(err, "svdpp");
    *w = (tdm_svdpp_training){.rules = *rules, .r = r, .Q = Q, .Y = Y, .run = run};
    w->P = tdm_new(r->U, K * sizeof *w->P);
    w->pull_p = tdm_new(r->U, sizeof *w->pull_p);
    w->pull_q = tdm_new(r->I, sizeof *w->pull_q);
    if (rules->implied) w->C = tdm_new(r->U, K * sizeof *w->C);
    tdm_status st = TDM_OK;
    if (!w->P || !w->pull_p || !w->pull_q || (rules->implied && !w->C))
        st = tdm_nomem(err, "the factors; fewer of them take less (svdpp.factors)");
    if (!st) st = tdm_grid_make(&w->grid, r, mean, K, run, err);
    if (!st && rules->implied)
        st = tdm_svdpp_implied_open(&w->implied, r, K, w->P, w->C, Y, rules->power, rules->pull_implied, run, err);
    if (st) {
        tdm_svdpp_training_close(w);
        return st;
    }
    for (size_t k = 0; k < 2 * TDM_PAD; k++) w->open[k] = 1;
    w->open[TDM_PAD - 2] = w->open[2 * TDM_PAD - 1] = 0;
    rows_draw(w->P, r->U, K, K - 2, run->seed, 0);
    rows_draw(Q, r->I, K, K - 1, run->seed, 1);
    pulls_make(w);
    *out = w;
    return TDM_OK;
}

tdm_status tdm_svdpp_training_epoch(tdm_svdpp_training *w, size_t t, double *rmse, tdm_err *err)
{
    const tdm_svdpp_rules *x = &w->rules;
    const tdm_sgd s = {.P = w->P,
                       .Q = w->Q,
                       .C = t ? w->C : NULL,
                       .pull_p = w->pull_p,
                       .pull_q = w->pull_q,
                       .open = w->open,
                       .K = x->K,
                       .rate = (float)(x->rate * pow(x->slowing, (double)t))};
    double square = tdm_grid_epoch(&w->grid, &s, t, w->run);
    tdm_status st = tdm_run_check(w->run, "svdpp", err);
    if (st) return st;
    if (!isfinite(square))
        return tdm_fail(err, TDM_E_ARG,
                        "svdpp: the factors grew beyond all bounds in epoch %zu; use a lower svdpp.rate", t + 1);
    *rmse = w->grid.n ? sqrt(square / (double)w->grid.n) : 0;
    if (w->implied) tdm_svdpp_implied_step(w->implied, x->steps);
    return tdm_run_check(w->run, "svdpp", err);
}

void tdm_svdpp_training_close(tdm_svdpp_training *w)
{
    if (!w) return;
    tdm_svdpp_implied_close(w->implied);
    tdm_grid_clear(&w->grid);
    tdm_free(w->P);
    tdm_free(w->C);
    tdm_free(w->pull_p);
    tdm_free(w->pull_q);
    tdm_free(w);
}
