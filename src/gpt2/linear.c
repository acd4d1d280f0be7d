/* SPDX-License-Identifier: Apache-2.0 */
#include "gpt2/linear.h"
#include "kernels/kernels.h"

#include <string.h>

void tdm_linear_product(float *y, const float *x, size_t n, const tdm_linear *l, tdm_gemm_fn *gemm)
{
    gemm(0, 0, n, l->out, l->in, 1, x, l->in, l->w, l->out, 0, y, l->out);
}

void tdm_linear_forward(float *y, const float *x, size_t n, const tdm_linear *l, tdm_gemm_fn *gemm)
{
    for (size_t i = 0; i < n; i++) memcpy(y + i * l->out, l->b, l->out * sizeof *y);
    gemm(0, 0, n, l->out, l->in, 1, x, l->in, l->w, l->out, 1, y, l->out);
}

void tdm_linear_backward(float *dx, const float *dy, size_t n, const tdm_linear *l, tdm_gemm_fn *gemm)
{
    gemm(0, 1, n, l->in, l->out, 1, dy, l->out, l->w, l->out, 0, dx, l->in);
}

void tdm_linear_gradient(const tdm_linear *d, const float *x, const float *dy, size_t n, size_t begin, size_t end,
                         bool add, tdm_gemm_fn *gemm)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t columns = end - begin;
    gemm(1, 0, d->in, columns, n, 1, x, d->in, dy + begin, d->out, add ? 1 : 0, d->w + begin, d->out);
    if (!add) memset(d->b + begin, 0, columns * sizeof *d->b);
    for (size_t r = 0; r < n; r++) k->axpy(d->b + begin, 1, dy + r * d->out + begin, columns);
}
