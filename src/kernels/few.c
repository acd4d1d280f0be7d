/* SPDX-License-Identifier: Apache-2.0 */
/* few.c - the plain kernels for few rows against a panel of weights; few.inc says what they are for. */
#include "base/half.h"
#include "kernels/tables.h"

#include <math.h>
#include <string.h>

static void few_f32(float *y, size_t ldy, const float *x, size_t ldx, size_t n, const float *w, size_t ldw, size_t in)
{
    for (size_t r = 0; r < n; r++)
        for (size_t c = 0; c < TDM_PANEL; c++) {
            float s = 0;
            for (size_t k = 0; k < in; k++) s = fmaf(x[r * ldx + k], w[k * ldw + c], s);
            y[r * ldy + c] = s;
        }
}

static void few_across(float *y, size_t ldy, const float *x, size_t ldx, size_t n, const float *w, size_t columns,
                       size_t in)
{
    for (size_t r = 0; r < n; r++)
        for (size_t c = 0; c < columns; c++) {
            float s = 0;
            for (size_t k = 0; k < in; k++) s = fmaf(w[c * in + k], x[r * ldx + k], s);
            y[r * ldy + c] = s;
        }
}

static void few_bf16(float *y, size_t ldy, const float *x, size_t ldx, size_t n, const uint16_t *w, size_t in)
{
    for (size_t r = 0; r < n; r++)
        for (size_t c = 0; c < TDM_PANEL; c++) {
            float s = 0;
            for (size_t k = 0; k < in; k++) s = fmaf(x[r * ldx + k], tdm_from_bf16(w[k * TDM_PANEL + c]), s);
            y[r * ldy + c] = s;
        }
}

static void few_i8(float *y, size_t ldy, const tdm_row_i8 *x, size_t n, const uint8_t *w)
{
    size_t groups = x->in / TDM_GROUP;
    for (size_t r = 0; r < n; r++)
        for (size_t c = 0; c < TDM_PANEL; c++) {
            float s = 0;
            for (size_t g = 0; g < groups; g++) {
                int32_t sum = x->shift[r * groups + g];
                for (size_t k = g * TDM_GROUP; k < (g + 1) * TDM_GROUP; k++)
                    sum += x->q[r * x->in + k] * w[(k / 4 * TDM_PANEL + c) * 4 + k % 4];
                s = fmaf((float)sum, x->scale[r * groups + g], s);
            }
            y[r * ldy + c] = s;
        }
}

void tdm_few_init_c(tdm_kernels *k)
{
    k->few_f32 = few_f32;
    k->few_across = few_across;
    k->few_bf16 = few_bf16;
    k->few_i8 = few_i8;
}
