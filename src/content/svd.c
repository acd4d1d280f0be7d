/* SPDX-License-Identifier: Apache-2.0 */
/* svd.c - subspace iteration on X X', a block of columns at a time so that nothing of size V x K is held.
 *
 * Orthonormal columns come from the Cholesky factor of Y'Y, twice, since once loses half the digits (Yamamoto et al.,
 * "Roundoff error analysis of the CholeskyQR2 algorithm", ETNA 2015). A column that depends on those before it becomes
 * zero: so does what lies beyond the rank. */
#include "content/svd.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

enum { EXTRA = 16, ROUNDS = 5, BLOCK = 16, PARTS = 32, SWEEPS = 30 };

typedef struct work {
    const tdm_terms *X;
    size_t L, grain;     /* columns; items of a chunk of a sum */
    float *Q, *Y;        /* I x L */
    float *Z;            /* V x BLOCK */
    size_t first, width; /* the block of columns in the works */
    const float *a, *b;  /* factors of a gram */
    double *part;        /* PARTS x L x L */
    double *G;           /* L x L */
    double *R;           /* L x L */
} work;

/* ---- Y = X X' Q, columns [first, first + width) ---- */

static void to_terms(void *ctx, size_t chunk, size_t begin, size_t end)
{
    work *w = ctx;
    (void)chunk;
    for (size_t v = begin; v < end; v++) {
        float *z = w->Z + v * BLOCK;
        memset(z, 0, BLOCK * sizeof *z);
        for (int64_t k = w->X->from[v]; k < w->X->from[v + 1]; k++) {
            const float *q = w->Q + (size_t)w->X->item[k] * w->L + w->first;
            for (size_t c = 0; c < w->width; c++) z[c] += w->X->weight_of[k] * q[c];
        }
    }
}

static void to_items(void *ctx, size_t chunk, size_t begin, size_t end)
{
    work *w = ctx;
    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        float *y = w->Y + i * w->L + w->first, sum[BLOCK] = {0};
        for (int64_t k = w->X->offset[i]; k < w->X->offset[i + 1]; k++) {
            const float *z = w->Z + (size_t)w->X->term[k] * BLOCK;
            for (size_t c = 0; c < BLOCK; c++) sum[c] += w->X->weight[k] * z[c];
        }
        memcpy(y, sum, w->width * sizeof *y);
    }
}

static void multiply(work *w, tdm_run *run)
{
    for (w->first = 0; w->first < w->L; w->first += BLOCK) {
        w->width = w->L - w->first < BLOCK ? w->L - w->first : BLOCK;
        tdm_pool_for(run->pool, w->X->V, 256, to_terms, w);
        tdm_pool_for(run->pool, w->X->I, 256, to_items, w);
    }
}

/* ---- G = a' b ---- */

static void gram_part(void *ctx, size_t chunk, size_t begin, size_t end)
{
    work *w = ctx;
    size_t L = w->L;
    double *g = w->part + chunk * L * L;
    memset(g, 0, L * L * sizeof *g);
    for (size_t i = begin; i < end; i++) {
        const float *a = w->a + i * L, *b = w->b + i * L;
        for (size_t r = 0; r < L; r++) {
            double x = (double)a[r];
            for (size_t c = 0; x != 0 && c < L; c++) g[r * L + c] += x * (double)b[c];
        }
    }
}

static void gram(work *w, const float *a, const float *b, tdm_run *run)
{
    size_t n = w->L * w->L, parts = tdm_chunks(w->X->I, w->grain);
    w->a = a;
    w->b = b;
    tdm_pool_for(run->pool, w->X->I, w->grain, gram_part, w);
    memset(w->G, 0, n * sizeof *w->G);
    for (size_t p = 0; p < parts; p++)
        for (size_t k = 0; k < n; k++) w->G[k] += w->part[p * n + k];
}

/* ---- Q = Y with orthonormal columns ---- */

/* R = the inverse of G's upper Cholesky factor; a column without length of its own is zero. */
static void inverse_factor(work *w)
{
    size_t L = w->L;
    double *G = w->G, *R = w->R, largest = 0;
    for (size_t c = 0; c < L; c++) largest = fmax(largest, G[c * L + c]);
    for (size_t c = 0; c < L; c++) /* G becomes its factor in place: G = U'U, U upper */
        for (size_t r = c; r < L; r++) {
            double x = G[c * L + r];
            for (size_t k = 0; k < c; k++) x -= G[k * L + c] * G[k * L + r];
            if (r == c) G[c * L + c] = x > 1e-10 * largest ? sqrt(x) : 0;
            else G[c * L + r] = G[c * L + c] > 0 ? x / G[c * L + c] : 0;
        }
    memset(R, 0, L * L * sizeof *R);
    for (size_t c = 0; c < L; c++) { /* U R = 1, column by column from below */
        if (!(G[c * L + c] > 0)) continue;
        R[c * L + c] = 1 / G[c * L + c];
        for (size_t r = c; r-- > 0;) {
            double x = 0;
            for (size_t k = r + 1; k <= c; k++) x += G[r * L + k] * R[k * L + c];
            R[r * L + c] = G[r * L + r] > 0 ? -x / G[r * L + r] : 0;
        }
    }
}

/* Q = Y R, row by row. */
static void apply(void *ctx, size_t chunk, size_t begin, size_t end)
{
    work *w = ctx;
    (void)chunk;
    double sum[TDM_SVD_LIMIT + EXTRA];
    for (size_t i = begin; i < end; i++) {
        const float *y = w->Y + i * w->L;
        memset(sum, 0, w->L * sizeof *sum);
        for (size_t r = 0; r < w->L; r++)
            for (size_t c = 0; c < w->L; c++) sum[c] += (double)y[r] * w->R[r * w->L + c];
        for (size_t c = 0; c < w->L; c++) w->Q[i * w->L + c] = (float)sum[c];
    }
}

static void orthonormal(work *w, tdm_run *run)
{
    for (int twice = 0; twice < 2; twice++) {
        if (twice) memcpy(w->Y, w->Q, w->X->I * w->L * sizeof *w->Y);
        gram(w, w->Y, w->Y, run);
        inverse_factor(w);
        tdm_pool_for(run->pool, w->X->I, 256, apply, w);
    }
}

/* ---- eigenvectors ---- */

/* Rotates columns p and q of m, which has rows of n, by (c, s). */
static void rotate_columns(double *m, size_t n, size_t p, size_t q, double c, double s)
{
    for (size_t k = 0; k < n; k++) {
        double x = m[k * n + p], y = m[k * n + q];
        m[k * n + p] = c * x - s * y;
        m[k * n + q] = s * x + c * y;
    }
}

static void rotate_rows(double *m, size_t n, size_t p, size_t q, double c, double s)
{
    for (size_t k = 0; k < n; k++) {
        double x = m[p * n + k], y = m[q * n + k];
        m[p * n + k] = c * x - s * y;
        m[q * n + k] = s * x + c * y;
    }
}

static double rotate_all(double *a, double *v, size_t n)
{
    double off = 0;
    for (size_t p = 0; p < n; p++)
        for (size_t q = p + 1; q < n; q++) {
            double x = a[p * n + q];
            off += x * x;
            if (fabs(x) <= 1e-16 * sqrt(fabs(a[p * n + p] * a[q * n + q]))) continue;
            double theta = (a[q * n + q] - a[p * n + p]) / (2 * x);
            double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
            double c = 1 / sqrt(t * t + 1), s = t * c;
            rotate_columns(a, n, p, q, c, s);
            rotate_rows(a, n, p, q, c, s);
            rotate_columns(v, n, p, q, c, s);
        }
    return off;
}

tdm_status tdm_eigen(double *values, double *vectors, double *a, size_t n, tdm_err *err)
{
    double size = 0, off = 0;
    memset(vectors, 0, n * n * sizeof *vectors);
    for (size_t i = 0; i < n; i++) vectors[i * n + i] = 1;
    for (size_t k = 0; k < n * n; k++) size += a[k] * a[k];
    int sweep = 0;
    do off = rotate_all(a, vectors, n);
    while (off > 1e-22 * size && ++sweep < SWEEPS);
    if (!(off <= 1e-22 * size)) return tdm_fail(err, TDM_E_ARG, "eigenvectors of %zu x %zu do not settle", n, n);
    for (size_t i = 0; i < n; i++) values[i] = a[i * n + i];
    for (size_t i = 0; i < n; i++) { /* selection sort: the largest first */
        size_t best = i;
        for (size_t k = i + 1; k < n; k++)
            if (values[k] > values[best]) best = k;
        double x = values[i];
        values[i] = values[best], values[best] = x;
        for (size_t r = 0; r < n && best != i; r++) {
            x = vectors[r * n + i];
            vectors[r * n + i] = vectors[r * n + best], vectors[r * n + best] = x;
        }
    }
    return TDM_OK;
}

/* ---- all of it ---- */

/* out = Q (eigenvectors x root of eigenvalues), each row scaled to length 1. G holds the eigenvectors, R[0..L) the
 * eigenvalues. */
static void rows_out(float *out, const work *w, size_t K)
{
    size_t L = w->L, columns = K < L ? K : L;
    for (size_t i = 0; i < w->X->I; i++) {
        double length = 0;
        for (size_t c = 0; c < K; c++) {
            double x = 0;
            for (size_t r = 0; c < columns && r < L; r++) x += (double)w->Q[i * L + r] * w->G[r * L + c];
            if (c < columns) x *= sqrt(fmax(w->R[c], 0));
            out[i * K + c] = (float)x;
            length += x * x;
        }
        bool empty = w->X->offset[i] == w->X->offset[i + 1] || !(length > 1e-12);
        for (size_t c = 0; c < K; c++) out[i * K + c] = empty ? 0 : (float)((double)out[i * K + c] / sqrt(length));
    }
}

tdm_status tdm_svd_items(float *out, const tdm_terms *X, size_t K, tdm_run *run, const char *stage, tdm_err *err)
{
    tdm_status st = TDM_OK;
    size_t least = X->I < X->V ? X->I : X->V, L = K + EXTRA < least ? K + EXTRA : least;
    memset(out, 0, X->I * K * sizeof *out);
    if (!L) return TDM_OK;
    work w = {.X = X, .L = L, .grain = X->I / PARTS + 1};
    w.Q = tdm_new(X->I, L * sizeof *w.Q);
    w.Y = tdm_new(X->I, L * sizeof *w.Y);
    w.Z = tdm_new(X->V, BLOCK * sizeof *w.Z);
    w.part = tdm_new(PARTS, L * L * sizeof *w.part);
    w.G = tdm_new(L, L * sizeof *w.G);
    w.R = tdm_new(L, L * sizeof *w.R);
    if (!w.Q || !w.Y || !w.Z || !w.part || !w.G || !w.R) st = tdm_nomem(err, "the vectors of items");
    for (size_t i = 0; !st && i < X->I; i++) {
        tdm_rng rng = tdm_rng_make(run->seed, 0, i);
        for (size_t c = 0; c < L; c++) w.Q[i * L + c] = (float)tdm_rng_normal(&rng);
    }
    for (int round = 0; !st && round < ROUNDS; round++) {
        multiply(&w, run);
        orthonormal(&w, run);
        tdm_progress(run, stage, (uint64_t)round + 1, ROUNDS + 1, NULL);
        st = tdm_run_check(run, stage, err);
    }
    if (!st) {
        multiply(&w, run);
        gram(&w, w.Q, w.Y, run);
        double *V = w.part, *values = w.part + L * L; /* PARTS > 1: there is room */
        for (size_t r = 0; r < L; r++)                /* symmetric but for rounding */
            for (size_t c = 0; c < r; c++) w.G[r * L + c] = w.G[c * L + r] = (w.G[r * L + c] + w.G[c * L + r]) / 2;
        st = tdm_eigen(values, V, w.G, L, err);
        memcpy(w.G, V, L * L * sizeof *V);
        memcpy(w.R, values, L * sizeof *values);
    }
    if (!st) rows_out(out, &w, K);
    tdm_progress(run, stage, ROUNDS + 1, ROUNDS + 1, NULL);
    tdm_free(w.Q);
    tdm_free(w.Y);
    tdm_free(w.Z);
    tdm_free(w.part);
    tdm_free(w.G);
    tdm_free(w.R);
    return st;
}
