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

/* x: N x C, the final LayerNorm's output. Gives the weighted mean of -log p over the batch's targets; its gradient by x
 * into dx (N x C; zero where silent) and by the output table into dwte (V x C, overwritten). */
double tdm_head_step(tdm_head *h, float *dx, float *dwte, const float *x, const tdm_gpt2_batch *b, tdm_pool *pool);

#endif
