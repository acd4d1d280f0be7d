/* SPDX-License-Identifier: Apache-2.0 */
/* attention.c - a head at a time, its n x n weights in scratch. */
#include "gpt2/attention.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

size_t tdm_attention_floats(size_t longest) { return 2 * longest * longest; }

/* Rows of P: softmax over what stands at or before, zero after. `before`: rows of the cache that stand before row 0.
 * mass (may be NULL): of every row, H apart. */
static void causal_softmax(float *p, float *mass, size_t H, size_t n, size_t all, size_t before)
{
    const tdm_kernels *k = tdm_kernels_best();
    for (size_t i = 0; i < n; i++) {
        float *row = p + i * all;
        size_t seen = before + i + 1;
        float most = k->max(row, seen), sum = k->exp_sum(row, row, most, seen);
        k->scale(row, 1 / sum, row, seen);
        if (mass) mass[i * H] = most + logf(sum);
        memset(row + seen, 0, (all - seen) * sizeof *row);
    }
}

void tdm_attention_cached(float *out, const float *q, size_t qld, const float *k, const float *v, size_t kld,
                          tdm_gpt2_shape s, size_t n, size_t all, float *scratch)
{
    size_t d = s.C / s.H;
    float scale = 1 / sqrtf((float)d);
    for (size_t h = 0; h < s.H; h++) {
        tdm_gemm(0, 1, n, all, d, scale, q + h * d, qld, k + h * d, kld, 0, scratch, all);
        causal_softmax(scratch, NULL, 0, n, all, all - n);
        tdm_gemm(0, 0, n, d, all, 1, scratch, all, v + h * d, kld, 0, out + h * d, s.C);
    }
}

void tdm_attention_forward(float *att, float *mass, const float *qkv, tdm_gpt2_shape s, size_t layer, tdm_span span,
                           const tdm_dropout *drop, float *scratch)
{
    size_t C = s.C, d = C / s.H, at = span.at, n = span.n;
    float scale = 1 / sqrtf((float)d);
    for (size_t h = 0; h < s.H; h++) {
        const float *q = qkv + at * 3 * C + h * d;
        tdm_gemm(0, 1, n, n, d, scale, q, 3 * C, q + C, 3 * C, 0, scratch, n);
        causal_softmax(scratch, mass + at * s.H + h, s.H, n, n, 0);
        for (size_t i = 0; i < n; i++)
            tdm_dropout_apply(drop, scratch + i * n, i + 1, tdm_site(layer, TDM_SITE_ATTENTION), (at + i) * s.H + h);
        tdm_gemm(0, 0, n, d, n, 1, scratch, n, q + 2 * C, 3 * C, 0, att + at * C + h * d, C);
    }
}

/* P (n x n) of one head, before dropout. */
static void weights_again(float *p, const float *mass, const float *q, const float *key, tdm_gpt2_shape s, size_t n)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t d = s.C / s.H, ld = 3 * s.C;
    tdm_gemm(0, 1, n, n, d, 1 / sqrtf((float)d), q, ld, key, ld, 0, p, n);
    for (size_t i = 0; i < n; i++) {
        float *row = p + i * n;
        (void)k->exp_sum(row, row, mass[i * s.H], i + 1);
        memset(row + i + 1, 0, (n - i - 1) * sizeof *row);
    }
}

/* With O = D V, D = dropout(P), P = softmax(S), S = scale Q K':
 *     dV = D' dO     dP = dropout(dO V')     dS = P (dP - sum_j P dP)     dQ = scale dS K     dK = scale dS' Q
 * and sum_j P dP = dO . O. */
void tdm_attention_backward(float *dqkv, const float *datt, const float *att, const float *mass, const float *qkv,
                            tdm_gpt2_shape s, size_t layer, tdm_span span, const tdm_dropout *drop, float *scratch)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t C = s.C, d = C / s.H, ld = 3 * C, at = span.at, n = span.n;
    float scale = 1 / sqrtf((float)d), *p = scratch, *w = scratch + n * n;
    for (size_t h = 0; h < s.H; h++) {
        const float *q = qkv + at * ld + h * d, *dout = datt + at * C + h * d, *out = att + at * C + h * d;
        float *dq = dqkv + at * ld + h * d;
        uint64_t site = tdm_site(layer, TDM_SITE_ATTENTION);
        weights_again(p, mass + at * s.H + h, q, q + C, s, n);
        memcpy(w, p, n * n * sizeof *w);
        for (size_t i = 0; i < n; i++) tdm_dropout_apply(drop, w + i * n, i + 1, site, (at + i) * s.H + h);
        tdm_gemm(1, 0, n, d, n, 1, w, n, dout, C, 0, dq + 2 * C, ld);
        tdm_gemm(0, 1, n, n, d, 1, dout, C, q + 2 * C, ld, 0, w, n);
        for (size_t i = 0; i < n; i++) {
            float *dp = w + i * n;
            tdm_dropout_apply(drop, dp, i + 1, site, (at + i) * s.H + h);
            float mean = k->dot(dout + i * C, out + i * C, d);
            for (size_t j = 0; j <= i; j++) dp[j] = p[i * n + j] * (dp[j] - mean);
            memset(dp + i + 1, 0, (n - i - 1) * sizeof *dp);
        }
        tdm_gemm(0, 0, n, d, n, scale, w, n, q + C, ld, 0, dq, ld);
        tdm_gemm(1, 0, n, d, n, scale, w, n, q, ld, 0, dq + C, ld);
    }
}
