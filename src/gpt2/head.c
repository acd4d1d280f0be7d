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
    float *block;          /* the floats below */
    size_t rows;           /* of logits */
    float *logits;         /* rows x V */
    float *x, *dx;         /* most x C: the positions that have a target, one behind another */
    float *fx;             /* most x C: f x */
    float *weight;         /* most: divided by the mass */
    uint32_t *at, *target; /* most */
    double *loss;          /* most */
    tdm_head_table into;
    size_t first, n; /* the block in the works */
};

static size_t block_of(tdm_gpt2_shape s, size_t most)
{
    size_t rows = budget / s.V / ROWS * ROWS;
    if (rows < ROWS) rows = ROWS;
    return rows < most ? rows : most;
}

/* Lays the arrays over `block`, or only counts them where it is NULL. */
static size_t place(tdm_head *h, float *block, tdm_gpt2_shape s, size_t most)
{
    const struct {
        float **at;
        size_t n;
    } list[] = {{&h->logits, block_of(s, most) * s.V},
                {&h->x, most * s.C},
                {&h->dx, most * s.C},
                {&h->fx, most * s.C},
                {&h->weight, most}};
    size_t n = 0;
    for (size_t k = 0; k < sizeof list / sizeof *list; k++) {
        if (block) *list[k].at = block + n;
        n += (list[k].n + 15) / 16 * 16; /* a cache line */
    }
    return n;
}

size_t tdm_head_floats(tdm_gpt2_shape s, size_t most) { return place(&(tdm_head){0}, NULL, s, most); }

tdm_status tdm_head_open(tdm_head **out, const tdm_gpt2 *g, size_t most, tdm_gemm_fn *gemm, tdm_err *err)
{
    *out = NULL;
    tdm_head *h = tdm_new(1, sizeof *h);
    if (!h) return tdm_nomem(err, "the output of a GPT-2");
    h->g = g;
    h->gemm = gemm;
    h->rows = block_of(g->s, most);
    h->block = tdm_new(tdm_head_floats(g->s, most), sizeof *h->block);
    h->at = tdm_new(most, 2 * sizeof *h->at);
    h->loss = tdm_new(most, sizeof *h->loss);
    if (!h->block || !h->at || !h->loss) {
        tdm_head_close(h);
        return tdm_nomem(err, "the output of a GPT-2");
    }
    place(h, h->block, g->s, most);
    h->target = h->at + most;
    *out = h;
    return TDM_OK;
}

void tdm_head_close(tdm_head *h)
{
    if (!h) return;
    tdm_free(h->block);
    tdm_free(h->at);
    tdm_free(h->loss);
    tdm_free(h);
}

static bool counts(const tdm_gpt2_batch *b, size_t i)
{
    return b->target[i] != TDM_GPT2_SILENT && (!b->weight || b->weight[i] > 0);
}

double tdm_head_mass(const tdm_gpt2_batch *b)
{
    double sum = 0;
    for (size_t i = 0; i < b->N; i++)
        if (counts(b, i)) sum += b->weight ? (double)b->weight[i] : 1;
    return sum;
}

/* Positions with a target and a weight; returns how many. */
static size_t gather(tdm_head *h, const float *x, const tdm_gpt2_batch *b, double mass)
{
    size_t C = h->g->s.C, M = 0;
    for (size_t i = 0; i < b->N; i++) {
        if (!counts(b, i)) continue;
        h->at[M] = (uint32_t)i;
        h->target[M] = b->target[i];
        h->weight[M] = (float)((b->weight ? (double)b->weight[i] : 1) / mass);
        memcpy(h->x + M * C, x + i * C, C * sizeof *x);
        M++;
    }
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
    size_t V = h->g->s.V, C = h->g->s.C, from = h->into.from;
    (void)chunk;
    h->gemm(1, 0, end - begin, C, h->n, 1, h->logits + from + begin, V, h->fx + h->first * C, C,
            h->first || h->into.add ? 1 : 0, h->into.d + begin * C, C);
    for (size_t i = h->first; i < h->first + h->n; i++)
        if (h->target[i] >= from + begin && h->target[i] < from + end)
            tdm_kernels_best()->axpy(h->into.d + (h->target[i] - from) * C, -h->weight[i], h->x + i * C, C);
}

double tdm_head_step(tdm_head *h, float *dx, tdm_head_table into, double mass, const float *x, const tdm_gpt2_batch *b,
                     tdm_pool *pool)
{
    size_t V = h->g->s.V, C = h->g->s.C, M = gather(h, x, b, mass), learned = into.d ? V - into.from : 0;
    double loss = 0;
    memset(dx, 0, b->N * C * sizeof *dx);
    if (into.d && !M && !into.add) memset(into.d, 0, learned * C * sizeof *into.d);
    h->into = into;
    for (h->first = 0; h->first < M; h->first += h->n) {
        h->n = M - h->first < h->rows ? M - h->first : h->rows;
        tdm_pool_for(pool, h->n, ROWS, rows, h);
        if (learned) tdm_pool_for(pool, learned, TABLE_ROWS, table, h);
    }
    for (size_t m = 0; m < M; m++) {
        loss += h->loss[m];
        memcpy(dx + h->at[m] * C, h->dx + m * C, C * sizeof *dx);
    }
    return loss;
}
