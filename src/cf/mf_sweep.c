/* SPDX-License-Identifier: Apache-2.0 */
/* mf_sweep.c - one sweep of Bayesian probabilistic matrix factorisation.
 *
 *     value_ui ~ N(x_u . y_i, 1 / noise)       x_u ~ N(m_X, P_X^-1)      y_i ~ N(m_Y, P_Y^-1)
 *     m, P ~ normal-Wishart (mean 0, strength 2, identity scale, K degrees of freedom)     noise ~ Gamma, vague
 *
 * (Salakhutdinov and Mnih, "Bayesian Probabilistic Matrix Factorization using Markov Chain Monte Carlo", ICML 2008.)
 * Given everything else a row is normal, with precision P + noise * sum y y' and a mean that solves a K x K system, so
 * a side is a parallel loop; each row draws from a stream of its own. Priors are drawn in double by one thread. */
#include "cf/mf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { MOST = TDM_MF_MOST, TILE = 64, GRAIN = 64, PARTS = 64 };
static const double strength = 2; /* of the prior's mean, in rows */

struct tdm_mf {
    size_t K;
    tdm_mf_lists list[2]; /* people, items */
    float *factor[2];
    tdm_mf_prior prior[2];
    float noise;
    size_t ratings;
    tdm_run *run;
    const tdm_kernels *k;
    uint64_t sweep;
    size_t side;
    double *part; /* PARTS x (K x K + K + 1), or a square error for each chunk of people */
    size_t error_chunks;
    double *error;
};

/* ---- rows ---- */

/* x = U^-1 (U'^-1 b + e): the mean of the row and what it strays from it, by one pass down and one up. */
static void draw(float *x, const float *U, const float *b, size_t K, tdm_rng *r)
{
    float z[MOST];
    for (size_t i = 0; i < K; i++) z[i] = b[i];
    for (size_t i = 0; i < K; i++) {
        z[i] *= U[i * K + i];
        for (size_t j = i + 1; j < K; j++) z[j] -= U[i * K + j] * z[i];
    }
    for (size_t i = 0; i < K; i++) z[i] += (float)tdm_rng_normal(r);
    for (size_t i = K; i-- > 0;) {
        float s = z[i];
        for (size_t j = i + 1; j < K; j++) s -= U[i * K + j] * x[j];
        x[i] = s * U[i * K + i];
    }
}

static void rows_draw(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_mf *w = ctx;
    size_t K = w->K, side = w->side;
    const tdm_mf_lists *l = &w->list[side];
    float A[MOST * MOST], X[TILE * MOST], b[MOST], c[TILE], nothing[MOST] = {0};
    (void)chunk;
    if (atomic_load_explicit(&w->run->cancel, memory_order_relaxed)) return;
    for (size_t row = begin; row < end; row++) {
        size_t at = (size_t)l->from[row], to = (size_t)l->from[row + 1];
        tdm_rng r = tdm_rng_make(w->run->seed, 2 * w->sweep + side, row);
        memcpy(A, w->prior[side].precision, K * K * sizeof *A);
        memcpy(b, w->prior[side].pull, K * sizeof *b);
        for (; at < to; at += TILE) {
            size_t n = to - at < TILE ? to - at : TILE;
            for (size_t j = 0; j < n; j++) c[j] = w->noise * l->value[at + j];
            w->k->gather(X, w->factor[!side], K, l->at + at, NULL, n);
            w->k->gram(A, K, X, K, n, K, w->noise);
            w->k->pull(b, X, K, c, c, nothing, n);
        }
        if (w->k->spd_factor(A, K, K)) draw(w->factor[side] + row * K, A, b, K, &r);
    }
}

static void errors_sum(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_mf *w = ctx;
    const tdm_mf_lists *l = &w->list[0];
    double s = 0;
    for (size_t u = begin; u < end; u++)
        for (size_t j = (size_t)l->from[u]; j < (size_t)l->from[u + 1]; j++) {
            float e = l->value[j] - w->k->dot(w->factor[0] + u * w->K, w->factor[1] + l->at[j] * w->K, w->K);
            s += (double)e * (double)e;
        }
    w->error[chunk] = s;
}

/* ---- priors ---- */

/* Marsaglia and Tsang, "A simple method for generating gamma variables", TOMS 2000; shape >= 1/3. */
static double draw_gamma(double shape, tdm_rng *r)
{
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    if (shape < 1) return draw_gamma(shape + 1, r) * pow(1 - tdm_rng_unit(r), 1 / shape);
    for (;;) {
        double x = tdm_rng_normal(r), v = 1 + c * x;
        if (!(v > 0)) continue;
        v = v * v * v;
        if (log(1 - tdm_rng_unit(r)) < x * x / 2 + d - d * v + d * log(v)) return d * v;
    }
}

/* A = L L' in place, the lower triangle; false where it is not positive definite. */
static bool cholesky(double *A, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        for (size_t i = j; i < n; i++) {
            double s = A[i * n + j];
            for (size_t k = 0; k < j; k++) s -= A[i * n + k] * A[j * n + k];
            if (i == j && !(s > 0)) return false;
            A[i * n + j] = i == j ? sqrt(s) : s / A[j * n + j];
        }
        for (size_t i = 0; i < j; i++) A[i * n + j] = 0;
    }
    return true;
}

/* x = L^-1 b or, with `across`, L'^-1 b, in place. */
static void lower_solve(double *x, const double *L, size_t n, bool across)
{
    if (!across)
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < i; k++) x[i] -= L[i * n + k] * x[k];
            x[i] /= L[i * n + i];
        }
    else
        for (size_t i = n; i-- > 0;) {
            for (size_t k = i + 1; k < n; k++) x[i] -= L[k * n + i] * x[k];
            x[i] /= L[i * n + i];
        }
}

/* Sums of rows that have ratings: of x x', of x, and how many. */
static void moments_sum(void *ctx, size_t part, size_t begin, size_t end)
{
    tdm_mf *w = ctx;
    size_t K = w->K;
    double *S = w->part + part * (K * K + K + 1);
    const tdm_mf_lists *l = &w->list[w->side];
    memset(S, 0, (K * K + K + 1) * sizeof *S);
    for (size_t row = begin; row < end; row++) {
        const float *x = w->factor[w->side] + row * K;
        if (l->from[row] == l->from[row + 1]) continue;
        for (size_t i = 0; i < K; i++) {
            for (size_t j = 0; j <= i; j++) S[i * K + j] += (double)x[i] * (double)x[j];
            S[K * K + i] += (double)x[i];
        }
        S[K * K + K]++;
    }
}

/* Draws P from a Wishart distribution with inverse scale V (destroyed) and df degrees of freedom, and m given P. With
 * V = L L' and Bartlett's T, P = (L'^-1 T)(L'^-1 T)'. */
static bool prior_draw(const tdm_mf_prior *out, double *V, const double *center, double rows, double df, size_t K,
                       tdm_rng *r)
{
    double T[MOST * MOST] = {0}, P[MOST * MOST], column[MOST], mean[MOST];
    if (!cholesky(V, K)) return false;
    for (size_t j = 0; j < K; j++) {
        for (size_t i = 0; i < K; i++)
            column[i] = i < j ? 0 : i == j ? sqrt(2 * draw_gamma((df - (double)j) / 2, r)) : tdm_rng_normal(r);
        lower_solve(column, V, K, true);
        for (size_t i = 0; i < K; i++) T[i * K + j] = column[i];
    }
    for (size_t i = 0; i < K; i++)
        for (size_t j = 0; j < K; j++) {
            P[i * K + j] = 0;
            for (size_t k = 0; k < K; k++) P[i * K + j] += T[i * K + k] * T[j * K + k];
            out->precision[i * K + j] = (float)P[i * K + j];
        }
    memcpy(T, P, K * K * sizeof *T);
    if (!cholesky(T, K)) return false;
    for (size_t i = 0; i < K; i++) mean[i] = tdm_rng_normal(r) / sqrt(rows);
    lower_solve(mean, T, K, true);
    for (size_t i = 0; i < K; i++) mean[i] += center[i];
    for (size_t i = 0; i < K; i++) {
        double s = 0;
        for (size_t j = 0; j < K; j++) s += P[i * K + j] * mean[j];
        out->pull[i] = (float)s;
    }
    return true;
}

static bool prior_sample(tdm_mf *w, size_t side)
{
    size_t K = w->K, n = w->list[side].n, grain = n / PARTS + 1, size = K * K + K + 1;
    double V[MOST * MOST], center[MOST];
    double *S = w->part;
    w->side = side;
    tdm_pool_for(w->run->pool, n, grain, moments_sum, w);
    for (size_t p = 1; p < tdm_chunks(n, grain); p++)
        for (size_t i = 0; i < size; i++) S[i] += w->part[p * size + i];
    double rows = n ? S[K * K + K] : 0, *sum = S + K * K;
    /* scale^-1 + sum (x - mean)(x - mean)' + shrinkage of the mean = 1 + sum x x' - (rows + strength) center center' */
    for (size_t i = 0; i < K; i++) center[i] = n ? sum[i] / (rows + strength) : 0;
    for (size_t i = 0; i < K; i++)
        for (size_t j = 0; j <= i; j++) {
            double s = (i == j ? 1 : 0) + (n ? S[i * K + j] : 0) - (rows + strength) * center[i] * center[j];
            V[i * K + j] = V[j * K + i] = s;
        }
    tdm_rng r = tdm_rng_make(w->run->seed, 2 * w->sweep + side, UINT64_MAX);
    return prior_draw(&w->prior[side], V, center, rows + strength, rows + (double)K, K, &r);
}

/* ---- a sweep ---- */

tdm_status tdm_mf_sweep(tdm_mf *w, uint64_t sweep, double *rmse, tdm_err *err)
{
    w->sweep = sweep;
    for (size_t side = 0; side < 2; side++)
        if (!prior_sample(w, side))
            return tdm_fail(err, TDM_E_ARG, "mf: the factors grew beyond all bounds; use fewer (mf.factors)");
    for (w->side = 0; w->side < 2; w->side++) tdm_pool_for(w->run->pool, w->list[w->side].n, GRAIN, rows_draw, w);
    tdm_status st = tdm_run_check(w->run, "mf", err);
    if (st) return st;
    double square = 0;
    tdm_pool_for(w->run->pool, w->list[0].n, GRAIN, errors_sum, w);
    for (size_t c = 0; c < w->error_chunks; c++) square += w->error[c];
    if (!isfinite(square))
        return tdm_fail(err, TDM_E_ARG, "mf: the factors grew beyond all bounds; use fewer (mf.factors)");
    tdm_rng r = tdm_rng_make(w->run->seed, 2 * sweep, UINT64_MAX - 1);
    double n = (double)w->ratings;
    w->noise = (float)(draw_gamma(n / 2 + 1, &r) / (square / 2 + 1));
    *rmse = n > 0 ? sqrt(square / n) : 0;
    return TDM_OK;
}

const float *tdm_mf_items(const tdm_mf *w) { return w->factor[1]; }
tdm_mf_prior tdm_mf_people_prior(const tdm_mf *w) { return w->prior[0]; }
float tdm_mf_precision(const tdm_mf *w) { return w->noise; }

/* ---- making ---- */

tdm_status tdm_mf_open(tdm_mf **out, size_t K, const tdm_mf_lists *people, const tdm_mf_lists *items, tdm_run *run,
                       tdm_err *err)
{
    *out = NULL;
    tdm_mf *w = tdm_new(1, sizeof *w);
    if (!w) return tdm_nomem(err, "mf");
    *w = (tdm_mf){.K = K, .list = {*people, *items}, .noise = 2, .run = run, .k = tdm_kernels_best()};
    bool short_of = false;
    w->ratings = (size_t)people->from[people->n];
    w->error_chunks = tdm_chunks(people->n, GRAIN);
    w->part = tdm_new(PARTS + 1, (K * K + K + 1) * sizeof *w->part);
    w->error = tdm_new(w->error_chunks, sizeof *w->error);
    short_of = !w->part || !w->error;
    for (size_t s = 0; s < 2 && !short_of; s++) {
        w->factor[s] = tdm_new(w->list[s].n, K * sizeof(float));
        w->prior[s].precision = tdm_new(K * K + K, sizeof(float));
        w->prior[s].pull = w->prior[s].precision + K * K;
        short_of = !w->factor[s] || !w->prior[s].precision;
        for (size_t i = 0; !short_of && i < w->list[s].n; i++) {
            tdm_rng r = tdm_rng_make(run->seed, UINT64_MAX - s, i);
            for (size_t k = 0; k < K; k++) w->factor[s][i * K + k] = (float)(0.3 * tdm_rng_normal(&r));
        }
    }
    if (short_of) {
        tdm_mf_close(w);
        return tdm_nomem(err, "mf; fewer factors take less (mf.factors)");
    }
    *out = w;
    return TDM_OK;
}

void tdm_mf_close(tdm_mf *w)
{
    if (!w) return;
    for (size_t s = 0; s < 2; s++) {
        tdm_free(w->factor[s]);
        tdm_free(w->prior[s].precision);
    }
    tdm_free(w->part);
    tdm_free(w->error);
    tdm_free(w);
}
