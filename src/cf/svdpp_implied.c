/* SPDX-License-Identifier: Apache-2.0 */
/* svdpp_implied.c - what the choice of an item says of a person, whatever the rating.
 *
 *     minimise over Y   sum over u: w_u |v_u - c_u|^2  +  l sum over j: |y_j|^2       c_u = 1 / sqrt(n_u) sum over j:
 * y_j
 *
 * v_u is where u stands, w_u = (ratings of u)^power as everywhere in svdpp, n_u counts rows, rated or not. Where
 * people's own part p = v - c is at its best, this has the gradient of the ratings' own error in Y, so Y may be
 * bettered once an epoch and once a person instead of at every rating: a few steps of conjugate gradient, each number
 * of a row a problem of its own with the same matrix, scaled by its diagonal. v stays, so p loses what c gains. */
#include "base/mem.h"
#include "base/status.h"
#include "cf/svdpp.h"

#include <math.h>
#include <string.h>

enum { AHEAD = 6, GRAIN = 64, PARTS = 64 };

struct tdm_svdpp_implied {
    const tdm_rows *r;
    size_t K;
    float *P, *C, *Y;
    float l;
    float *left, *right;                        /* U: 1 / sqrt(n_u), and w_u times that */
    float *scale;                               /* I: 1 / diagonal */
    float *R, *D, *S;                           /* I x K: what is left, the direction, the matrix times it */
    float *T;                                   /* U x K: what the direction implies */
    double *part;                               /* PARTS x 2 K */
    float a[TDM_SVDPP_MOST], b[TDM_SVDPP_MOST]; /* K */
    tdm_run *run;
    const tdm_kernels *k;
    const float *from; /* of items_gather: P or T */
};

static inline void fetch(const float *row, size_t K)
{
    for (size_t k = 0; k < K; k += 16) __builtin_prefetch(row + k);
}

/* T_u = left_u sum over u's items of D */
static void people_gather(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_svdpp_implied *w = ctx;
    size_t K = w->K;
    (void)chunk;
    for (size_t u = begin; u < end; u++) {
        float *t = w->T + u * K;
        size_t at = (size_t)w->r->offset[u], to = (size_t)w->r->offset[u + 1];
        memset(t, 0, K * sizeof *t);
        for (; at < to; at++) {
            if (at + AHEAD < w->r->N) fetch(w->D + w->r->item[at + AHEAD] * K, K);
            w->k->axpy(t, w->left[u], w->D + w->r->item[at] * K, K);
        }
    }
}

/* S_i = sum over i's people of right_u from_u */
static void items_gather(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_svdpp_implied *w = ctx;
    size_t K = w->K;
    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        float *s = w->S + i * K;
        size_t at = (size_t)w->r->from[i], to = (size_t)w->r->from[i + 1];
        memset(s, 0, K * sizeof *s);
        for (; at < to; at++) {
            if (at + AHEAD < w->r->N) fetch(w->from + w->r->user[at + AHEAD] * K, K);
            w->k->axpy(s, w->right[w->r->user[at]], w->from + w->r->user[at] * K, K);
        }
    }
}

/* part: R.R scaled, and D.S, number by number */
static void products(void *ctx, size_t part, size_t begin, size_t end)
{
    tdm_svdpp_implied *w = ctx;
    size_t K = w->K;
    double *s = w->part + part * 2 * K;
    memset(s, 0, 2 * K * sizeof *s);
    for (size_t i = begin; i < end; i++)
        for (size_t k = 0; k < K; k++) {
            double x = (double)w->R[i * K + k];
            s[k] += x * x * (double)w->scale[i];
            s[K + k] += (double)w->D[i * K + k] * (double)w->S[i * K + k];
        }
}

static void products_sum(tdm_svdpp_implied *w)
{
    size_t I = w->r->I, grain = I / PARTS + 1, width = 2 * w->K;
    tdm_pool_for(w->run->pool, I, grain, products, w);
    for (size_t p = 1; p < tdm_chunks(I, grain); p++)
        for (size_t k = 0; k < width; k++) w->part[k] += w->part[p * width + k];
    for (size_t k = 0; k < width && !I; k++) w->part[k] = 0;
}

static void people_move(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_svdpp_implied *w = ctx;
    size_t K = w->K;
    (void)chunk;
    for (size_t u = begin; u < end; u++)
        for (size_t k = 0; k < K; k++) {
            float x = w->a[k] * w->T[u * K + k];
            w->C[u * K + k] += x;
            w->P[u * K + k] -= x;
        }
}

static void gather_items(tdm_svdpp_implied *w, const float *from)
{
    w->from = from;
    tdm_pool_for(w->run->pool, w->r->I, GRAIN, items_gather, w);
}

void tdm_svdpp_implied_step(tdm_svdpp_implied *w, size_t steps)
{
    size_t K = w->K, I = w->r->I, held = K - 2;
    double was[TDM_SVDPP_MOST];
    gather_items(w, w->P);
    for (size_t i = 0; i < I; i++)
        for (size_t k = 0; k < K; k++) {
            size_t at = i * K + k;
            w->R[at] = k == held ? 0 : w->S[at] - w->l * w->Y[at];
            w->D[at] = w->scale[i] * w->R[at];
        }
    for (size_t step = 0; step < steps; step++) {
        tdm_pool_for(w->run->pool, w->r->U, GRAIN, people_gather, w);
        gather_items(w, w->T);
        for (size_t k = 0; k < I * K; k++) w->S[k] += w->l * w->D[k];
        products_sum(w);
        for (size_t k = 0; k < K; k++) {
            was[k] = w->part[k];
            w->a[k] = w->part[K + k] > 0 ? (float)(w->part[k] / w->part[K + k]) : 0;
        }
        for (size_t i = 0; i < I; i++)
            for (size_t k = 0; k < K; k++) {
                w->Y[i * K + k] += w->a[k] * w->D[i * K + k];
                w->R[i * K + k] -= w->a[k] * w->S[i * K + k];
            }
        tdm_pool_for(w->run->pool, w->r->U, GRAIN, people_move, w);
        if (step + 1 == steps) break;
        products_sum(w);
        for (size_t k = 0; k < K; k++) w->b[k] = was[k] > 0 ? (float)(w->part[k] / was[k]) : 0;
        for (size_t i = 0; i < I; i++)
            for (size_t k = 0; k < K; k++) w->D[i * K + k] = w->scale[i] * w->R[i * K + k] + w->b[k] * w->D[i * K + k];
    }
}

tdm_status tdm_svdpp_implied_open(tdm_svdpp_implied **out, const tdm_rows *r, size_t K, float *P, float *C, float *Y,
                                  double power, double pull, tdm_run *run, tdm_err *err)
{
    *out = NULL;
    tdm_svdpp_implied *w = tdm_new(1, sizeof *w);
    if (!w) return tdm_nomem(err, "svdpp");
    *w = (tdm_svdpp_implied){.r = r, .K = K, .P = P, .C = C, .Y = Y, .l = (float)pull, .run = run};
    w->k = tdm_kernels_best();
    w->left = tdm_new(r->U, sizeof *w->left);
    w->right = tdm_new(r->U, sizeof *w->right);
    w->scale = tdm_new(r->I, sizeof *w->scale);
    w->R = tdm_new(r->I, K * sizeof *w->R);
    w->D = tdm_new(r->I, K * sizeof *w->D);
    w->S = tdm_new(r->I, K * sizeof *w->S);
    w->T = tdm_new(r->U, K * sizeof *w->T);
    w->part = tdm_new(PARTS, 2 * K * sizeof *w->part);
    if (!w->left || !w->right || !w->scale || !w->R || !w->D || !w->S || !w->T || !w->part) {
        tdm_svdpp_implied_close(w);
        return tdm_nomem(err, "what choices imply; svdpp.implied=0 goes without");
    }
    for (size_t u = 0; u < r->U; u++) {
        size_t at = (size_t)r->offset[u], to = (size_t)r->offset[u + 1], rated = 0;
        for (size_t k = at; k < to; k++) rated += isfinite(r->rating[k]);
        double each = to > at ? 1 / sqrt((double)(to - at)) : 0;
        w->left[u] = (float)each;
        w->right[u] = rated ? (float)(each * pow((double)rated, power)) : 0;
    }
    for (size_t i = 0; i < r->I; i++) {
        double sum = pull;
        for (int64_t k = r->from[i]; k < r->from[i + 1]; k++)
            sum += (double)w->left[r->user[k]] * (double)w->right[r->user[k]];
        w->scale[i] = (float)(1 / sum);
    }
    *out = w;
    return TDM_OK;
}

void tdm_svdpp_implied_close(tdm_svdpp_implied *w)
{
    if (!w) return;
    tdm_free(w->left);
    tdm_free(w->right);
    tdm_free(w->scale);
    tdm_free(w->R);
    tdm_free(w->D);
    tdm_free(w->S);
    tdm_free(w->T);
    tdm_free(w->part);
    tdm_free(w);
}
