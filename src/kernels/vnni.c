/* SPDX-License-Identifier: Apache-2.0 */
/* vnni.c - few_i8 with AVX-512's products of bytes. Built with -mavx512f -mavx512bw -mavx512vnni. */
#include "kernels/tables.h"

#include <immintrin.h>
#include <string.h>

enum { ROWS = 6, VECS = TDM_PANEL / 16 }; /* 24 sums and four vectors of weights, of 32 registers */

static inline __attribute__((always_inline)) void block(float *y, size_t ldy, const int8_t *q, const float *scale,
                                                        const int32_t *shift, size_t in, const uint8_t *w, const int R)
{
    size_t groups = in / TDM_GROUP;
    for (size_t g = 0; g < groups; g++) {
        __m512i a[ROWS][VECS], v[VECS];
        for (int r = 0; r < R; r++)
            for (int j = 0; j < VECS; j++) a[r][j] = _mm512_set1_epi32(shift[(size_t)r * groups + g]);
#pragma GCC unroll 1 /* unrolled, the sums would not stay in registers */
        for (size_t k = 0; k < TDM_GROUP; k += 4, w += 4 * TDM_PANEL) {
            for (int j = 0; j < VECS; j++) v[j] = _mm512_loadu_si512(w + 64 * j);
            for (int r = 0; r < R; r++) {
                int32_t four;
                memcpy(&four, q + (size_t)r * in + g * TDM_GROUP + k, sizeof four);
                __m512i x = _mm512_set1_epi32(four);
                for (int j = 0; j < VECS; j++) a[r][j] = _mm512_dpbusd_epi32(a[r][j], v[j], x);
            }
        }
        for (int r = 0; r < R; r++) { /* sums of groups live in y: registers are for those of one group */
            __m512 f = _mm512_set1_ps(scale[(size_t)r * groups + g]);
            float *out = y + (size_t)r * ldy;
            for (int j = 0; j < VECS; j++) {
                __m512 s = g ? _mm512_loadu_ps(out + 16 * j) : _mm512_setzero_ps();
                _mm512_storeu_ps(out + 16 * j, _mm512_fmadd_ps(_mm512_cvtepi32_ps(a[r][j]), f, s));
            }
        }
    }
}

static void few_i8(float *y, size_t ldy, const tdm_row_i8 *x, size_t n, const uint8_t *w)
{
    size_t in = x->in, groups = in / TDM_GROUP;
    const int8_t *q = x->q;
    const float *scale = x->scale;
    const int32_t *shift = x->shift;
    for (; n >= ROWS; n -= ROWS) {
        block(y, ldy, q, scale, shift, in, w, ROWS);
        y += ROWS * ldy;
        q += ROWS * in;
        scale += ROWS * groups;
        shift += ROWS * groups;
    }
    switch (n) {
    case 5:
        block(y, ldy, q, scale, shift, in, w, 5);
        break;
    case 4:
        block(y, ldy, q, scale, shift, in, w, 4);
        break;
    case 3:
        block(y, ldy, q, scale, shift, in, w, 3);
        break;
    case 2:
        block(y, ldy, q, scale, shift, in, w, 2);
        break;
    case 1:
        block(y, ldy, q, scale, shift, in, w, 1);
        break;
    default:
        break;
    }
}

void tdm_kernels_init_vnni(tdm_kernels *k) { k->few_i8 = few_i8; }
