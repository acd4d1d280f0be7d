/* SPDX-License-Identifier: Apache-2.0 */
/* attention.h - causal attention of one sequence, all heads, as GPT-2 has it. Inside this floor only.
 *
 *     S = Q K' / sqrt(d)     P = softmax(S), a row over what stands at or before it     O = dropout(P) V
 *
 * Head h has channels h d .. (h + 1) d. P is never kept: backward makes it again from `mass`, the log of the sum of
 * exp(S) of each row and head. */
#ifndef TDM_GPT2_ATTENTION_H
#define TDM_GPT2_ATTENTION_H

#include "gpt2/dropout.h"
#include "gpt2/gpt2.h"

/* A sequence's rows at .. at + n of arrays that hold a whole batch. */
typedef struct tdm_span {
    size_t at, n;
} tdm_span;

size_t tdm_attention_floats(size_t longest); /* of scratch, for sequences up to this long: in proportion to it */

/* att: N x C; mass: N x H; qkv: N x 3C: queries, keys, values. */
void tdm_attention_forward(float *att, float *mass, const float *qkv, tdm_gpt2_shape s, size_t layer, tdm_span span,
                           const tdm_dropout *drop, float *scratch);

/* dqkv (N x 3C) from datt, the gradient of att, which forward left in `att` with `mass`. */
void tdm_attention_backward(float *dqkv, const float *datt, const float *att, const float *mass, const float *qkv,
                            tdm_gpt2_shape s, size_t layer, tdm_span span, const tdm_dropout *drop, float *scratch);

/* n new rows over `all` rows of a cache, the new ones last; no dropout: for decoding. q: n x qld; k, v: all x kld; out:
 * n x C. scratch: n x all. */
void tdm_attention_cached(float *out, const float *q, size_t qld, const float *k, const float *v, size_t kld,
                          tdm_gpt2_shape s, size_t n, size_t all, float *scratch);

#endif
