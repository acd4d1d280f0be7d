/* SPDX-License-Identifier: Apache-2.0 */
/* head.h - the softmax over the vocabulary, fused with its cross-entropy: logits exist for a block of positions at a
 * time and become their own gradient in place. Inside this floor only. */
#ifndef TDM_GPT2_HEAD_H
#define TDM_GPT2_HEAD_H

#include "gpt2/gpt2.h"
#include "gpt2/linear.h"

typedef struct tdm_head tdm_head;

/* For up to `most` positions with a target; its products are made by `gemm`. `g` outlives it. */
tdm_status tdm_head_open(tdm_head **out, const tdm_gpt2 *g, size_t most, tdm_gemm_fn *gemm, tdm_err *err);
void tdm_head_close(tdm_head *h);

size_t tdm_head_floats(tdm_gpt2_shape s, size_t most); /* that it holds: nearly all are logits */

/* The weights of a batch's targets, added up: what its losses are divided by. */
double tdm_head_mass(const tdm_gpt2_batch *b);

/* Where the gradient of the output table goes. */
typedef struct tdm_head_table {
    float *d;    /* (V - from) x C: of the rows from there on; NULL: it is not wanted */
    size_t from;
    bool add;    /* to what d holds; otherwise it is overwritten */
} tdm_head_table;

/* x: N x C, the final LayerNorm's output. Gives the sum of the weighted -log p of the batch's targets over `mass`; its
 * gradient by x into dx (N x C; zero where silent) and by the output table as `into` says. */
double tdm_head_step(tdm_head *h, float *dx, tdm_head_table into, double mass, const float *x, const tdm_gpt2_batch *b,
                     tdm_pool *pool);

#endif
