/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_bf16.c - the product of floats rounded to bf16, two k at a time, with sums in floats. Built with -mavx512bf16.
 */
#include "kernels/gemm.h"

#include <immintrin.h>

#define UNIT 2
#include "kernels/gemm_tile.inc"

static inline __m512i along(const float *p, size_t left, bool round)
{
    (void)round;
    __m512i low = rounded(_mm512_maskz_loadu_epi32(mask_of(left), p)),
            high = left > 16 ? rounded(_mm512_maskz_loadu_epi32(mask_of(left - 16), p + 16)) : _mm512_setzero_si512();
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(_mm512_srli_epi32(low, 16))),
                              _mm512_cvtepi32_epi16(_mm512_srli_epi32(high, 16)), 1);
}

static inline __m512i across(const float *p, size_t ld, size_t left, __mmask16 columns, bool round)
{
    (void)round;
    __m512i even = _mm512_srli_epi32(rounded(_mm512_maskz_loadu_epi32(columns, p)), 16);
    if (left < 2) return even;
    return _mm512_mask_blend_epi16(0xaaaaaaaa, even, rounded(_mm512_maskz_loadu_epi32(columns, p + ld)));
}

static inline __m512 step(__m512 sum, __m512 x, __m512 b)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_castps_si512(x), (__m512bh)_mm512_castps_si512(b));
}

void tdm_gemm_avx512_pairs(int ta, int tb, size_t M, size_t N, size_t K, float alpha, const float *A, size_t lda,
                           const float *B, size_t ldb, float beta, float *C, size_t ldc)
{
    product(ta, tb, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc, true);
}
