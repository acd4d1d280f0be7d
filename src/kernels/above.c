/* SPDX-License-Identifier: Apache-2.0 */
/* above.c - the plain kernels for products of which few are wanted; above.inc says what they are for. */
#include "kernels/tables.h"

static size_t above(float *P, uint64_t *hit, size_t *rows, const float *Y, size_t n, size_t K, const float *Z,
                    const float *least)
{
    *rows = 1;
    for (size_t i = 0; i < n; i++) {
        *hit = 0;
        for (size_t c = 0; c < TDM_WIDE; c++) {
            double s = 0;
            for (size_t k = 0; k < K; k++) s += (double)Y[i * K + k] * (double)Z[k * TDM_WIDE + c];
            P[c] = (float)s;
            if (P[c] > least[c]) *hit |= (uint64_t)1 << c;
        }
        if (*hit) return i;
    }
    return n;
}

static void products(float *p, const float *Y, size_t n, size_t K, const float *x)
{
    for (size_t i = 0; i < n; i++) {
        double s = 0;
        for (size_t k = 0; k < K; k++) s += (double)Y[i * K + k] * (double)x[k];
        p[i] = (float)s;
    }
}

void tdm_above_init_c(tdm_kernels *k)
{
    k->above = above;
    k->products = products;
}
