/* SPDX-License-Identifier: Apache-2.0 */
/* small_spd.c - the plain kernels for small systems, and how they are put together. */
#include "kernels/small_spd.h"
#include "kernels/tables.h"

#include <math.h>
#include <string.h>

/* ---- the plain table ---- */

static void gather(float *X, const float *Y, size_t K, const uint32_t *at, const float *w, size_t n)
{
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < K; k++) X[j * K + k] = (w ? w[j] : 1) * Y[at[j] * K + k];
}

static void gather_across(float *Z, size_t ldz, const float *Y, size_t K, const uint32_t *at, const float *w,
                          const float *d, size_t n)
{
    for (size_t j = 0; j < tdm_padded(n); j++)
        for (size_t k = 0; k < K; k++) Z[k * ldz + j] = j < n ? w[j] * (d[k] * Y[at[j] * K + k]) : 0;
}

static void gram(float *A, size_t lda, const float *X, size_t ldx, size_t n, size_t K, float sign)
{
    for (size_t i = 0; i < K; i++)
        for (size_t j = i; j < K; j++) {
            double s = 0;
            for (size_t k = 0; k < n; k++) s += (double)X[k * ldx + i] * (double)X[k * ldx + j];
            A[i * lda + j] += (float)((double)sign * s);
        }
}

static double pull(float *r, const float *X, size_t K, const float *a, const float *c, const float *p, size_t n)
{
    double told = 0;
    for (size_t j = 0; j < n; j++) {
        double s = 0, e = c ? (double)c[j] : 0;
        for (size_t k = 0; k < K; k++) s += (double)X[j * K + k] * (double)p[k];
        float f = (float)(e - (double)a[j] * s);
        told += e * s;
        for (size_t k = 0; k < K; k++) r[k] += f * X[j * K + k];
    }
    return told;
}

static double gather_pull(float *X, float *r, const float *Y, size_t K, const uint32_t *at, const float *a,
                          const float *c, const float *p, size_t n)
{
    gather(X, Y, K, at, NULL, n);
    return pull(r, X, K, a, c, p, n);
}

static bool spd_factor(float *A, size_t lda, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i; j < n; j++) {
            double s = (double)A[i * lda + j];
            for (size_t k = 0; k < i; k++) s -= (double)A[k * lda + i] * (double)A[k * lda + j];
            A[i * lda + j] = (float)s;
        }
        if (!(A[i * lda + i] > 0)) return false;
        A[i * lda + i] = 1 / sqrtf(A[i * lda + i]);
        for (size_t j = i + 1; j < n; j++) A[i * lda + j] *= A[i * lda + i];
    }
    return true;
}

static void spd_solve(float *x, float *b, const float *A, size_t lda, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double s = (double)b[i];
        for (size_t k = 0; k < i; k++) s -= (double)A[k * lda + i] * (double)b[k];
        b[i] = (float)(s * (double)A[i * lda + i]);
    }
    for (size_t i = n; i-- > 0;) {
        double s = (double)b[i];
        for (size_t k = i + 1; k < n; k++) s -= (double)A[i * lda + k] * (double)x[k];
        x[i] = (float)(s * (double)A[i * lda + i]);
    }
}

void tdm_small_spd_init_c(tdm_kernels *k)
{
    k->gather = gather;
    k->gather_across = gather_across;
    k->gram = gram;
    k->pull = pull;
    k->gather_pull = gather_pull;
    k->spd_factor = spd_factor;
    k->spd_solve = spd_solve;
}

/* ---- one system ---- */

enum { TILE = 64, DESCEND = 256 * 1024 }; /* rows of a tile; floats of gathered rows that stay near the processor */

size_t tdm_small_spd_descend_limit(size_t K) { return DESCEND / K; }

/* The scratch is cut into: the matrix [K x K], rows [K x K or TILE x K or DESCEND], then vectors of K and
 * one of as many as there may be rows. */
size_t tdm_small_spd_scratch(size_t K)
{
    size_t rows = K > TILE ? K * K : TILE * K;
    if (rows < DESCEND) rows = DESCEND;
    return K * K + rows + 8 * K + DESCEND / TDM_PAD;
}

static float *rows_of(const tdm_small_spd *s) { return s->scratch + s->K * s->K; }
static float *vector_of(const tdm_small_spd *s, size_t i)
{
    size_t rows = s->K > TILE ? s->K * s->K : TILE * s->K;
    if (rows < DESCEND) rows = DESCEND;
    return rows_of(s) + rows + i * s->K;
}

static inline float c_at(const tdm_small_spd *s, const float *a, const float *c, size_t j)
{
    return c ? c[j] : a[j] + s->plus;
}

/* A = D + sum a_j y_j y_j', and b += sum c_j y_j where b is not NULL, a tile of rows at a time. */
static void normal_matrix(const tdm_small_spd *s, float *b, const uint32_t *at, const float *a, const float *c,
                          size_t n)
{
    size_t K = s->K;
    float *A = s->scratch, *X = rows_of(s), *root = vector_of(s, 8);
    memset(A, 0, K * K * sizeof *A);
    for (size_t k = 0; k < K; k++) A[k * K + k] = s->d[k];
    for (size_t from = 0; from < n; from += TILE) {
        size_t m = n - from < TILE ? n - from : TILE;
        for (size_t j = 0; j < m; j++) root[j] = sqrtf(a[from + j]);
        s->k->gather(X, s->Y, K, at + from, root, m);
        s->k->gram(A, K, X, K, m, K, 1);
        for (size_t j = 0; b && j < m; j++) s->k->axpy(b, c_at(s, a, c, from + j) / root[j], X + j * K, K);
    }
}

bool tdm_small_spd_factor(const tdm_small_spd *s, const uint32_t *at, const float *a, size_t n)
{
    normal_matrix(s, NULL, at, a, NULL, n);
    return s->k->spd_factor(s->scratch, s->K, s->K);
}

void tdm_small_spd_again(const tdm_small_spd *s, float *x, const float *b)
{
    float *t = vector_of(s, 0);
    memcpy(t, b, s->K * sizeof *t);
    s->k->spd_solve(x, t, s->scratch, s->K, s->K);
}

static bool solve_by_factors(const tdm_small_spd *s, float *x, double *fit, const uint32_t *at, const float *a,
                             const float *c, size_t n)
{
    size_t K = s->K;
    float *b = vector_of(s, 0), *t = vector_of(s, 1);
    memset(b, 0, K * sizeof *b);
    normal_matrix(s, b, at, a, c, n);
    if (!s->k->spd_factor(s->scratch, K, K)) return false;
    memcpy(t, b, K * sizeof *b);
    s->k->spd_solve(x, t, s->scratch, K, K);
    *fit = (double)s->k->dot(x, b, K);
    return true;
}

static bool solve_by_rows(const tdm_small_spd *s, float *x, double *fit, const uint32_t *at, const float *a,
                          const float *c, size_t n)
{
    size_t K = s->K, wide = tdm_padded(n);
    float *M = s->scratch, *Z = rows_of(s), *root = vector_of(s, 0), *d = vector_of(s, 1);
    float *left = vector_of(s, 2), *right = vector_of(s, 3), *y = vector_of(s, 4);
    for (size_t k = 0; k < K; k++) d[k] = 1 / sqrtf(s->d[k]);
    for (size_t j = 0; j < n; j++) {
        root[j] = sqrtf(a[j]);
        left[j] = right[j] = c_at(s, a, c, j) / root[j];
    }
    s->k->gather_across(Z, wide, s->Y, K, at, root, d, n);
    memset(M, 0, wide * wide * sizeof *M);
    for (size_t j = 0; j < n; j++) M[j * wide + j] = 1;
    s->k->gram(M, wide, Z, wide, K, wide, 1);
    if (!s->k->spd_factor(M, wide, n)) return false;
    s->k->spd_solve(y, right, M, wide, n);
    *fit = (double)s->k->dot(left, left, n) - (double)s->k->dot(left, y, n);
    for (size_t k = 0; k < K; k++) x[k] = d[k] * s->k->dot(Z + k * wide, y, n);
    return true;
}

bool tdm_small_spd_solve(const tdm_small_spd *s, float *x, double *fit, const uint32_t *at, const float *a,
                         const float *c, size_t n)
{
    if (n >= s->K) return solve_by_factors(s, x, fit, at, a, c, n);
    if (n) return solve_by_rows(s, x, fit, at, a, c, n);
    memset(x, 0, s->K * sizeof *x);
    *fit = 0;
    return true;
}

void tdm_small_spd_descend(const tdm_small_spd *s, float *x, double *fit, const uint32_t *at, const float *a,
                           const float *c, size_t n, int steps)
{
    size_t K = s->K;
    const tdm_kernels *k = s->k;
    float *X = rows_of(s), *r = vector_of(s, 0), *p = vector_of(s, 1), *q = vector_of(s, 2), *made = vector_of(s, 8);
    for (size_t i = 0; i < K; i++) r[i] = -s->d[i] * x[i];
    for (size_t j = 0; !c && j < n; j++) made[j] = a[j] + s->plus;
    /* b'x of the start, and -(x'Ax - 2 b'x) = b'x + r'x; each step adds along r'r to that */
    double down = k->gather_pull(X, r, s->Y, K, at, a, c ? c : made, x, n) + (double)k->dot(r, x, K);
    memcpy(p, r, K * sizeof *p);
    float rr = k->dot(r, r, K);
    for (int t = 0; t < steps && rr > 1e-20f; t++) { /* implicit stops there too */
        memset(q, 0, K * sizeof *q);
        k->pull(q, X, K, a, NULL, p, n);
        for (size_t i = 0; i < K; i++) q[i] = s->d[i] * p[i] - q[i];
        float along = rr / k->dot(p, q, K), was = rr;
        down += (double)along * (double)rr;
        k->axpy(x, along, p, K);
        k->axpy(r, -along, q, K);
        rr = k->dot(r, r, K);
        for (size_t i = 0; i < K; i++) p[i] = r[i] + rr / was * p[i];
    }
    *fit = down;
}
