/* SPDX-License-Identifier: Apache-2.0 */
/* layer_back.c - backward through one block, for the rows of a tile. Attention weights are made again from queries and
 * keys: that costs less than keeping them. */
#include "gpt2/layer.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

/* P (n x n) of one head, before dropout. */
static void weights_again(float *p, const float *q, const float *key, size_t ld, size_t n, size_t d, float scale)
{
    const tdm_kernels *k = tdm_kernels_best();
    tdm_gemm(0, 1, n, n, d, scale, q, ld, key, ld, 0, p, n);
    for (size_t i = 0; i < n; i++) {
        float *row = p + i * n;
        float sum = k->exp_sum(row, row, k->max(row, i + 1), i + 1);
        k->scale(row, 1 / sum, row, i + 1);
        memset(row + i + 1, 0, (n - i - 1) * sizeof *row);
    }
}

/* With O = D V, D = dropout(P), P = softmax(S), S = scale Q K':
 *     dV = D' dO     dP = dropout(dO V')     dS = P (dP - sum_j P dP)     dQ = scale dS K     dK = scale dS' Q */
static void attend_back(float *dqkv, const float *datt, const float *qkv, tdm_gpt2_shape s, size_t layer, size_t at,
                        size_t n, const tdm_dropout *drop, float *scratch)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t C = s.C, d = C / s.H, ld = 3 * C;
    float scale = 1 / sqrtf((float)d), *p = scratch, *w = scratch + n * n;
    for (size_t h = 0; h < s.H; h++) {
        const float *q = qkv + at * ld + h * d, *out = datt + at * C + h * d;
        float *dq = dqkv + at * ld + h * d;
        uint64_t site = tdm_site(layer, TDM_SITE_ATTENTION);
        weights_again(p, q, q + C, ld, n, d, scale);
        memcpy(w, p, n * n * sizeof *w);
        for (size_t i = 0; i < n; i++) tdm_dropout_apply(drop, w + i * n, i + 1, site, (at + i) * s.H + h);
        tdm_gemm(1, 0, n, d, n, 1, w, n, out, C, 0, dq + 2 * C, ld);
        tdm_gemm(0, 1, n, n, d, 1, out, C, q + 2 * C, ld, 0, w, n);
        for (size_t i = 0; i < n; i++) {
            float *dp = w + i * n;
            tdm_dropout_apply(drop, dp, i + 1, site, (at + i) * s.H + h);
            float mean = k->dot(p + i * n, dp, i + 1);
            for (size_t j = 0; j <= i; j++) dp[j] = p[i * n + j] * (dp[j] - mean);
            memset(dp + i + 1, 0, (n - i - 1) * sizeof *dp);
        }
        tdm_gemm(0, 0, n, d, n, scale, w, n, q + C, ld, 0, dq, ld);
        tdm_gemm(1, 0, n, d, n, scale, w, n, q, ld, 0, dq + C, ld);
    }
}

void tdm_layer_backward(const tdm_layer_back *g, float *norms, const tdm_layer_acts *a, const tdm_layer_w *w,
                        tdm_gpt2_shape s, size_t layer, const tdm_gpt2_batch *b, const tdm_tile *t,
                        const tdm_dropout *drop, float *scratch)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t C = s.C, at = t->n, n = t->n_end - t->n;
    memset(norms, 0, 4 * C * sizeof *norms);

    memcpy(g->dmlp + at * C, g->dx + at * C, n * C * sizeof *g->dx);
    for (size_t i = at; i < t->n_end; i++)
        tdm_dropout_apply(drop, g->dmlp + i * C, C, tdm_site(layer, TDM_SITE_MLP), i);
    tdm_gemm(0, 1, n, 4 * C, C, 1, g->dmlp + at * C, C, w->projw, C, 0, g->dfc + at * 4 * C, 4 * C);
    for (size_t i = at; i < t->n_end; i++)
        k->gelu_back(g->dfc + i * 4 * C, g->dfc + i * 4 * C, a->fc + i * 4 * C, 4 * C);
    tdm_gemm(0, 1, n, C, 4 * C, 1, g->dfc + at * 4 * C, 4 * C, w->fcw, 4 * C, 0, g->tmp + at * C, C);
    for (size_t i = at; i < t->n_end; i++)
        k->norm_back(g->dx + i * C, norms + 2 * C, norms + 3 * C, g->tmp + i * C, a->mid + i * C, a->stat2 + i * 2,
                     w->ln2w, C);

    memcpy(g->dmix + at * C, g->dx + at * C, n * C * sizeof *g->dx);
    for (size_t i = at; i < t->n_end; i++)
        tdm_dropout_apply(drop, g->dmix + i * C, C, tdm_site(layer, TDM_SITE_MIX), i);
    tdm_gemm(0, 1, n, C, C, 1, g->dmix + at * C, C, w->attw, C, 0, g->tmp + at * C, C);
    for (size_t q = t->s; q < t->s_end; q++)
        attend_back(g->dqkv, g->tmp, a->qkv, s, layer, b->start[q], b->start[q + 1] - b->start[q], drop, scratch);
    tdm_gemm(0, 1, n, C, 3 * C, 1, g->dqkv + at * 3 * C, 3 * C, w->qkvw, 3 * C, 0, g->tmp + at * C, C);
    for (size_t i = at; i < t->n_end; i++)
        k->norm_back(g->dx + i * C, norms, norms + C, g->tmp + i * C, a->x + i * C, a->stat1 + i * 2, w->ln1w, C);
}
