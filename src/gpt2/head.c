/* SPDX-License-Identifier: Apache-2.0 */
/* head.c - with p = softmax(l), l = x E', and weight w of a position, W the sum of weights:
 *
 *     loss = sum w (log sum exp(l) - l_target) / W      dl = w (p - onehot) / W      dx = dl E      dE = dl' x
 *
 * dl is never written. With e = exp(l - max l) and f = w / (W sum e), a number for each position,
 *
 *     dx = f (e E) - w/W E_target          dE = e' (f x) - (for each position, at its target's row) w/W x
 *
 * so the largest array meets three products, one maximum and one exponential, and nothing else.
 *
 * A block holds so many rows of logits as fit BUDGET. Its rows are made side by side in tiles; then dE is added to,
 * rows of E side by side. So every float of dE is a sum in one order, whatever the number of threads. */
#include "gpt2/head.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { ROWS = 128, TABLE_ROWS = 512 };
static const size_t budget = (size_t)16 << 20; /* floats of a block of logits: 64 MiB */

struct tdm_head {
    const tdm_gpt2 *g;
    tdm_gemm_fn *gemm;
    size_t block, most;    /* rows of logits; positions */
    float *logits;         /* block x V */
    float *x, *dx;         /* most x C: the positions that have a target, one behind another */
    float *fx;             /* most x C: f x */
    uint32_t *at, *target; /* most */
    float *weight;         /* most: divided by their sum */
    double *loss;          /* most */
    float *dwte;
    size_t first, n; /* the block in the works */
};

tdm_status tdm_head_open(tdm_head **out, const tdm_gpt2 *g, size_t most, tdm_gemm_fn *gemm, tdm_err *err)
{
    *out = NULL;
    tdm_head *h = tdm_new(1, sizeof *h);
    if (!h) return tdm_nomem(err, "the output of a GPT-2");
    h->g = g;
    h->gemm = gemm;
    h->most = most;
    h->block = budget / g->s.V / ROWS * ROWS;
    if (h->block < ROWS) h->block = ROWS;
    if (h->block > most) h->block = most;
    h->logits = tdm_new(h->block, g->s.V * sizeof *h->logits);
    h->x = tdm_new(most, g->s.C * sizeof *h->x);
    h->dx = tdm_new(most, g->s.C * sizeof *h->dx);
    h->fx = tdm_new(most, g->s.C * sizeof *h->fx);
    h->at = tdm_new(most, sizeof *h->at);
    h->target = tdm_new(most, sizeof *h->target);
    h->weight = tdm_new(most, sizeof *h->weight);
    h->loss = tdm_new(most, sizeof *h->loss);
    if (h->logits && h->x && h->dx && h->fx && h->at && h->target && h->weight && h->loss) {
        *out = h;
        return TDM_OK;
    }
    tdm_head_close(h);
    return tdm_nomem(err, "the output of a GPT-2");
}

void tdm_head_close(tdm_head *h)
{
    if (!h) return;
    tdm_free(h->logits);
    tdm_free(h->x);
    tdm_free(h->dx);
    tdm_free(h->fx);
    tdm_free(h->at);
    tdm_free(h->target);
    tdm_free(h->weight);
    tdm_free(h->loss);
    tdm_free(h);
}

/* Positions with a target and a weight; returns how many. */
static size_t gather(tdm_head *h, const float *x, const tdm_gpt2_batch *b)
{
    size_t C = h->g->s.C, M = 0;
    double sum = 0;
    for (size_t i = 0; i < b->N; i++) {
        float w = b->weight ? b->weight[i] : 1;
        if (b->target[i] == TDM_GPT2_SILENT || !(w > 0)) continue;
        h->at[M] = (uint32_t)i;
        h->target[M] = b->target[i];
        h->weight[M] = w;
        memcpy(h->x + M * C, x + i * C, C * sizeof *x);
        sum += (double)w;
        M++;
    }
    for (size_t m = 0; m < M; m++) h->weight[m] = (float)((double)h->weight[m] / sum);
    return M;
}

static void rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_head *h = ctx;
    const tdm_kernels *k = tdm_kernels_best();
    size_t V = h->g->s.V, C = h->g->s.C, first = h->first + begin, n = end - begin;
    float *l = h->logits + begin * V, f[ROWS];
    (void)chunk;
    h->gemm(0, 1, n, V, C, 1, h->x + first * C, C, h->g->w.wte, C, 0, l, V);
    for (size_t i = 0; i < n; i++) {
        float *row = l + i * V, w = h->weight[first + i], target = row[h->target[first + i]];
        float most = k->max(row, V), sum = k->exp_sum(row, row, most, V);
        h->loss[first + i] = (double)w * (log((double)sum) + (double)most - (double)target);
        f[i] = w / sum;
        k->scale(h->fx + (first + i) * C, f[i], h->x + (first + i) * C, C);
    }
    h->gemm(0, 0, n, C, V, 1, l, V, h->g->w.wte, C, 0, h->dx + first * C, C);
    for (size_t i = 0; i < n; i++) {
        float *dx = h->dx + (first + i) * C;
        k->scale(dx, f[i], dx, C);
        k->axpy(dx, -h->weight[first + i], h->g->w.wte + h->target[first + i] * C, C);
    }
}

static void table(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_head *h = ctx;
    size_t V = h->g->s.V, C = h->g->s.C;
    (void)chunk;
    h->gemm(1, 0, end - begin, C, h->n, 1, h->logits + begin, V, h->fx + h->first * C, C, h->first ? 1 : 0,
            h->dwte + begin * C, C);
    for (size_t i = h->first; i < h->first + h->n; i++)
        if (h->target[i] >= begin && h->target[i] < end)
            tdm_kernels_best()->axpy(h->dwte + h->target[i] * C, -h->weight[i], h->x + i * C, C);
}

double tdm_head_step(tdm_head *h, float *dx, float *dwte, const float *x, const tdm_gpt2_batch *b, tdm_pool *pool)
{
    size_t V = h->g->s.V, C = h->g->s.C, M = gather(h, x, b);
    double loss = 0;
    memset(dx, 0, b->N * C * sizeof *dx);
    if (!M) memset(dwte, 0, V * C * sizeof *dwte);
    h->dwte = dwte;
    for (h->first = 0; h->first < M; h->first += h->n) {
        h->n = M - h->first < h->block ? M - h->first : h->block;
        tdm_pool_for(pool, h->n, ROWS, rows, h);
        tdm_pool_for(pool, V, TABLE_ROWS, table, h);
    }
    for (size_t m = 0; m < M; m++) {
        loss += h->loss[m];
        memcpy(dx + h->at[m] * C, h->dx + m * C, C * sizeof *dx);
    }
    return loss;
}
