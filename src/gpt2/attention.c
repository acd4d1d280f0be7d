/* SPDX-License-Identifier: Apache-2.0 */
/* attention.c - a head at a time, QUERIES of its rows at a time: those see the keys up to their last one, and their
 * weights are all of P there ever is. */
#include "gpt2/attention.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { QUERIES = 64 };

static size_t lesser(size_t a, size_t b) { return a < b ? a : b; }

size_t tdm_attention_floats(size_t longest) { return 2 * lesser(longest, QUERIES) * longest; }

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
    size_t C = s.C, d = C / s.H, ld = 3 * C;
    float scale = 1 / sqrtf((float)d);
    for (size_t h = 0; h < s.H; h++)
        for (size_t from = 0, n, all; from < span.n; from += n) {
            n = lesser(span.n - from, QUERIES);
            all = from + n;
            size_t at = span.at + from;
            const float *key = qkv + span.at * ld + h * d + C;
            tdm_gemm(0, 1, n, all, d, scale, qkv + at * ld + h * d, ld, key, ld, 0, scratch, all);
            causal_softmax(scratch, mass + at * s.H + h, s.H, n, all, from);
            for (size_t i = 0; i < n; i++)
                tdm_dropout_apply(drop, scratch + i * all, from + i + 1, tdm_site(layer, TDM_SITE_ATTENTION),
                                  (at + i) * s.H + h);
            tdm_gemm(0, 0, n, d, all, 1, scratch, all, key + C, ld, 0, att + at * C + h * d, C);
        }
}

/* What backward works on: rows from .. from + n of one head, and the keys 0 .. all that they see. */
typedef struct block {
    size_t h, from, n, all;
    float *p, *w; /* n x all each */
} block;

/* P of a block, before dropout. */
static void weights_again(const block *b, const float *mass, const float *q, const float *key, tdm_gpt2_shape s)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t d = s.C / s.H, ld = 3 * s.C;
    tdm_gemm(0, 1, b->n, b->all, d, 1 / sqrtf((float)d), q, ld, key, ld, 0, b->p, b->all);
    for (size_t i = 0; i < b->n; i++) {
        float *row = b->p + i * b->all;
        size_t seen = b->from + i + 1;
        (void)k->exp_sum(row, row, mass[i * s.H], seen);
        memset(row + seen, 0, (b->all - seen) * sizeof *row);
    }
}

/* With O = D V, D = dropout(P), P = softmax(S), S = scale Q K':
 *     dV = D' dO     dP = dropout(dO V')     dS = P (dP - sum_j P dP)     dQ = scale dS K     dK = scale dS' Q
 * and sum_j P dP = dO . O. */
static void block_backward(const block *b, float *dqkv, const float *datt, const float *att, const float *mass,
                           const float *qkv, tdm_gpt2_shape s, size_t layer, tdm_span span, const tdm_dropout *drop)
{
    const tdm_kernels *k = tdm_kernels_best();
    const size_t C = s.C, d = C / s.H, ld = 3 * C, at = span.at + b->from, n = b->n, all = b->all;
    const float scale = 1 / sqrtf((float)d), *q = qkv + at * ld + b->h * d, *key = qkv + span.at * ld + b->h * d + C,
                *dout = datt + at * C + b->h * d, *out = att + at * C + b->h * d;
    const float kept = all < span.n ? 1 : 0; /* of dK and dV: the last block is the first to be here */
    float *p = b->p, *w = b->w, *dkey = dqkv + span.at * ld + b->h * d + C;
    uint64_t site = tdm_site(layer, TDM_SITE_ATTENTION);
    weights_again(b, mass + at * s.H + b->h, q, key, s);
    memcpy(w, p, n * all * sizeof *w);
    for (size_t i = 0; i < n; i++) tdm_dropout_apply(drop, w + i * all, b->from + i + 1, site, (at + i) * s.H + b->h);
    tdm_gemm(1, 0, all, d, n, 1, w, all, dout, C, kept, dkey + C, ld);
    tdm_gemm(0, 1, n, all, d, 1, dout, C, key + C, ld, 0, w, all);
    for (size_t i = 0; i < n; i++) {
        float *dp = w + i * all, mean = k->dot(dout + i * C, out + i * C, d);
        size_t seen = b->from + i + 1;
        tdm_dropout_apply(drop, dp, seen, site, (at + i) * s.H + b->h);
        for (size_t j = 0; j < seen; j++) dp[j] = p[i * all + j] * (dp[j] - mean);
        memset(dp + seen, 0, (all - seen) * sizeof *dp);
    }
    tdm_gemm(0, 0, n, d, all, scale, w, all, key, ld, 0, dqkv + at * ld + b->h * d, ld);
    tdm_gemm(1, 0, all, d, n, scale, w, all, q, ld, kept, dkey, ld);
}

void tdm_attention_backward(float *dqkv, const float *datt, const float *att, const float *mass, const float *qkv,
                            tdm_gpt2_shape s, size_t layer, tdm_span span, const tdm_dropout *drop, float *scratch)
{
    for (size_t h = 0; h < s.H; h++)
        for (size_t all = span.n, n; all; all -= n) { /* backwards: the last rows see all keys */
            n = all % QUERIES ? all % QUERIES : QUERIES;
            const block b = {h, all - n, n, all, scratch, scratch + n * all};
            block_backward(&b, dqkv, datt, att, mass, qkv, s, layer, span, drop);
        }
}
