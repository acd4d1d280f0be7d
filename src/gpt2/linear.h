/* SPDX-License-Identifier: Apache-2.0 */
/* linear.h - y = x W + b and what flows back through it. Inside this floor only.
 *
 *     dx = dy W'          dW = x' dy          db = the sum of dy's rows
 *
 * W is [in x out], as the published files have it. Every product of these is made by `gemm`: that is the one place
 * where the arithmetic of a pass is chosen. */
#ifndef TDM_GPT2_LINEAR_H
#define TDM_GPT2_LINEAR_H

#include "kernels/kernels.h"

/* The weights of one layer, or their gradients. */
typedef struct tdm_linear {
    float *w, *b; /* in x out, out */
    size_t in, out;
} tdm_linear;

void tdm_linear_product(float *y, const float *x, size_t n, const tdm_linear *l, tdm_gemm_fn *gemm); /* x W alone */
void tdm_linear_forward(float *y, const float *x, size_t n, const tdm_linear *l, tdm_gemm_fn *gemm);
void tdm_linear_backward(float *dx, const float *dy, size_t n, const tdm_linear *l, tdm_gemm_fn *gemm);

/* Columns begin .. end of d->w and d->b, each a sum over the n rows in one order; overwritten, or added to. */
void tdm_linear_gradient(const tdm_linear *d, const float *x, const float *dy, size_t n, size_t begin, size_t end,
                         bool add, tdm_gemm_fn *gemm);

#endif
