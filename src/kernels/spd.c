/* SPDX-License-Identifier: Apache-2.0 */
/* spd.c - Cholesky, the inverse of its factor, and that inverse's square, tile by tile in the lower triangle.
 *
 *     A = L L'            columns of tiles from the left     L_ij = (A_ij - sum k<j: L_ik L_jk') L_jj^-T
 *     W = L^-1            rows of tiles from the top         W_ij = -W_ii sum j<=k<i: L_ik W_kj
 *     A^-1 = W'W          rows of tiles from the top         P_ij = sum k>=i: W_ki' W_kj
 *
 * Each is a third of the n^3 operations. Each sum is one long matrix product into a tile where it stands, so the
 * tiles of a step are independent, the pool takes them in any order, and each is always the same product. In every step
 * what it overwrites is needed later by nobody but itself, which reads a copy: of one row or column of tiles, `panel`.
 * (L_jj is read by no other tile once L_jj^-1 is known; so the latter takes its place at once.) */
#include "kernels/spd.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { NB = TDM_SPD_PANEL };

typedef struct inverse {
    float *A, *panel; /* n x n; NB x n */
    size_t n, tiles;
    size_t i0, i1; /* the rows (and columns) of the diagonal tile of this step */
    const tdm_kernels *k;
} inverse;

static size_t tile_end(const inverse *s, size_t begin) { return s->n - begin < NB ? s->n : begin + NB; }

/* ---- the diagonal tile: small, and done by one thread ---- */

/* Row r of L against the rows above it. Returns the row that has no positive pivot, or w. */
static size_t factor(const inverse *s, float *D, size_t w)
{
    for (size_t r = 0; r < w; r++) {
        float *row = D + r * s->n;
        for (size_t c = 0; c < r; c++) row[c] = (row[c] - s->k->dot(row, D + c * s->n, c)) / D[c * s->n + c];
        double pivot = (double)row[r] - (double)s->k->dot(row, row, r);
        if (!(pivot > 0) || !isfinite(pivot)) return r;
        row[r] = (float)sqrt(pivot);
    }
    return w;
}

/* L becomes L^-1, with zeros above. Row r: (e_r - sum over c < r of L_rc W_c) / L_rr. */
static void factor_invert(const inverse *s, float *D, size_t w)
{
    float row[NB];
    for (size_t r = 0; r < w; r++) {
        float *out = D + r * s->n, d = 1 / out[r];
        memset(row, 0, w * sizeof *row);
        for (size_t c = 0; c < r; c++) s->k->axpy(row, -out[c] * d, D + c * s->n, c + 1);
        row[r] = d;
        memcpy(out, row, w * sizeof *row);
    }
}

/* ---- A = L L' ---- */

/* Takes from the tiles at and below the diagonal what the columns to the left make of them. */
static void column_update(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const inverse *s = ctx;
    (void)chunk;
    float *rows = s->A + (s->i0 + begin) * s->n;
    tdm_gemm(0, 1, end - begin, s->i1 - s->i0, s->i0, -1, rows, s->n, s->A + s->i0 * s->n, s->n, 1, rows + s->i0, s->n);
}

/* The tiles below the diagonal, times L_jj^-T. */
static void column_solve(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const inverse *s = ctx;
    (void)chunk;
    size_t w = s->i1 - s->i0;
    float *copy = s->panel + begin * NB;
    for (size_t r = begin; r < end; r++)
        memcpy(copy + (r - begin) * NB, s->A + (s->i1 + r) * s->n + s->i0, w * sizeof *copy);
    tdm_gemm(0, 1, end - begin, w, w, 1, copy, NB, s->A + s->i0 * s->n + s->i0, s->n, 0,
             s->A + (s->i1 + begin) * s->n + s->i0, s->n);
}

static tdm_status column(inverse *s, tdm_run *run, const char *stage, tdm_err *err)
{
    size_t w = s->i1 - s->i0;
    float *D = s->A + s->i0 * s->n + s->i0;
    if (s->i0) tdm_pool_for(run->pool, s->n - s->i0, NB, column_update, s);
    size_t bad = factor(s, D, w);
    if (bad < w)
        return tdm_fail(err, TDM_E_ARG, "%s: the matrix is not positive definite at row %zu of %zu; regularise it more",
                        stage, s->i0 + bad, s->n);
    factor_invert(s, D, w);
    tdm_pool_for(run->pool, s->n - s->i1, NB, column_solve, s);
    return TDM_OK;
}

/* ---- W = L^-1 ---- */

/* panel = -W_ii L_ik for the columns k of some tiles */
static void row_scale(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const inverse *s = ctx;
    (void)chunk;
    const float *row = s->A + s->i0 * s->n;
    tdm_gemm(0, 0, s->i1 - s->i0, end - begin, s->i1 - s->i0, -1, row + s->i0, s->n, row + begin, s->n, 0,
             s->panel + begin, s->n);
}

/* W_ij = panel times the column of W above */
static void row_multiply(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const inverse *s = ctx;
    (void)chunk;
    tdm_gemm(0, 0, s->i1 - s->i0, end - begin, s->i0 - begin, 1, s->panel + begin, s->n, s->A + begin * s->n + begin,
             s->n, 0, s->A + s->i0 * s->n + begin, s->n);
}

/* ---- P = W'W ---- */

static void row_copy(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const inverse *s = ctx;
    (void)chunk;
    for (size_t r = 0; r < s->i1 - s->i0; r++)
        memcpy(s->panel + r * s->n + begin, s->A + (s->i0 + r) * s->n + begin, (end - begin) * sizeof(float));
}

static void row_square(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const inverse *s = ctx;
    (void)chunk;
    size_t w = s->i1 - s->i0, below = s->n - s->i1;
    float *out = s->A + s->i0 * s->n + begin;
    tdm_gemm(1, 0, w, end - begin, w, 1, s->panel + s->i0, s->n, s->panel + begin, s->n, 0, out, s->n);
    if (below)
        tdm_gemm(1, 0, w, end - begin, below, 1, s->A + s->i1 * s->n + s->i0, s->n, s->A + s->i1 * s->n + begin, s->n,
                 1, out, s->n);
}

/* The upper triangle from the lower, a square at a time so that both are read and written in whole lines. */
static void mirror(void *ctx, size_t chunk, size_t begin, size_t end)
{
    enum { SQUARE = 32 };
    const inverse *s = ctx;
    (void)chunk;
    for (size_t c0 = 0; c0 < end; c0 += SQUARE)
        for (size_t r = begin; r < end; r++)
            for (size_t c = c0; c < c0 + SQUARE && c < r; c++) s->A[c * s->n + r] = s->A[r * s->n + c];
}

tdm_status tdm_spd_invert(float *A, size_t n, tdm_run *run, const char *stage, tdm_err *err)
{
    enum { FACTOR, INVERT, SQUARE, PASSES };
    tdm_status st = TDM_OK;
    inverse s = {.A = A, .n = n, .tiles = tdm_chunks(n, NB), .k = tdm_kernels_best()};
    s.panel = tdm_new(n, NB * sizeof *s.panel);
    if (!s.panel) return tdm_nomem(err, stage);
    for (size_t pass = FACTOR; pass < PASSES && !st; pass++)
        for (size_t t = 0; t < s.tiles && !st; t++) {
            s.i0 = t * NB;
            s.i1 = tile_end(&s, s.i0);
            if (pass == FACTOR) st = column(&s, run, stage, err);
            else if (pass == INVERT && t) {
                tdm_pool_for(run->pool, s.i0, NB, row_scale, &s);
                tdm_pool_for(run->pool, s.i0, NB, row_multiply, &s);
            } else if (pass == SQUARE) {
                tdm_pool_for(run->pool, s.i1, NB, row_copy, &s);
                tdm_pool_for(run->pool, s.i1, NB, row_square, &s);
            }
            tdm_progress(run, stage, pass * s.tiles + t + 1, PASSES * s.tiles, NULL);
            if (!st) st = tdm_run_check(run, stage, err);
        }
    if (!st) tdm_pool_for(run->pool, n, NB, mirror, &s);
    tdm_free(s.panel);
    return st;
}
