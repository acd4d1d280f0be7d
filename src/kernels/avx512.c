/* SPDX-License-Identifier: Apache-2.0 */
/* avx512.c - sixteen floats at a time. Built with -mavx512f -mavx512bw -mavx512dq -mavx512vl. */
#include "kernels/tables.h"

#include <immintrin.h>
#include <math.h>

typedef __m512 vec;
enum { LANES = 16 };
#define ALL(f) _mm512_set1_ps(f)
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define LOAD_N(p, n) _mm512_maskz_loadu_ps((__mmask16)((1u << (n)) - 1), p)
#define STORE_N(p, n, v) _mm512_mask_storeu_ps(p, (__mmask16)((1u << (n)) - 1), v)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define MIN(a, b) _mm512_min_ps(a, b)
#define MAX(a, b) _mm512_max_ps(a, b)
#define SQRT(v) _mm512_sqrt_ps(v)
#define ROUND(v) _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define POW2(v) _mm512_scalef_ps(_mm512_set1_ps(1), v)
#define ZERO_BELOW(v, x, f) _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, _mm512_set1_ps(f), _CMP_NLT_UQ), v)
#define DROP(v, p, cut)                                                                                                \
    _mm512_maskz_mov_ps(_mm256_cmpge_epu16_mask(_mm256_loadu_si256((const __m256i *)(const void *)(p)),                \
                                                _mm256_set1_epi16((short)(cut))),                                      \
                        v)
#define ADD_ALL(v) _mm512_reduce_add_ps(v)
#define MAX_ALL(v) _mm512_reduce_max_ps(v)

#include "kernels/lanes.inc"

void tdm_kernels_init_avx512(tdm_kernels *k) { fill(k, "avx512"); }
