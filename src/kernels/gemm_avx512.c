/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_avx512.c - the product of floats, which may be rounded to bf16 first. Built with -mavx512f and its company. */
#include "kernels/gemm.h"

#include <immintrin.h>

#define UNIT 1
#include "kernels/gemm_tile.inc"

static inline __m512i kept(__m512i x, bool round)
{
    return round ? _mm512_and_si512(rounded(x), _mm512_set1_epi32((int)0xffff0000)) : x;
}

static inline __m512i along(const float *p, size_t left, bool round)
{
    return kept(_mm512_maskz_loadu_epi32(mask_of(left), p), round);
}

static inline __m512i across(const float *p, size_t ld, size_t left, __mmask16 columns, bool round)
{
    (void)ld, (void)left;
    return kept(_mm512_maskz_loadu_epi32(columns, p), round);
}

static inline __m512 step(__m512 sum, __m512 x, __m512 b) { return _mm512_fmadd_ps(x, b, sum); }

void tdm_gemm_avx512(int ta, int tb, size_t M, size_t N, size_t K, float alpha, const float *A, size_t lda,
                     const float *B, size_t ldb, float beta, float *C, size_t ldc)
{
    product(ta, tb, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc, false);
}

void tdm_gemm_avx512_rounded(int ta, int tb, size_t M, size_t N, size_t K, float alpha, const float *A, size_t lda,
                             const float *B, size_t ldb, float beta, float *C, size_t ldc)
{
    product(ta, tb, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc, true);
}
