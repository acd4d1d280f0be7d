/* SPDX-License-Identifier: Apache-2.0 */
/* avx512.c - sixteen floats at a time. Built with -mavx512f -mavx512bw -mavx512dq -mavx512vl. */
#include "kernels/tables.h"

#include <float.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

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

static inline void add_four(float s[4], vec a, vec b, vec c, vec d)
{
    vec t = _mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b),
        u = _mm512_unpacklo_ps(c, d) + _mm512_unpackhi_ps(c, d);
    __m512d v = _mm512_castps_pd(t), w = _mm512_castps_pd(u);
    t = _mm512_castpd_ps(_mm512_unpacklo_pd(v, w)) + _mm512_castpd_ps(_mm512_unpackhi_pd(v, w));
    __m256 h = _mm512_castps512_ps256(t) + _mm512_extractf32x8_ps(t, 1);
    _mm_storeu_ps(s, _mm256_castps256_ps128(h) + _mm256_extractf128_ps(h, 1));
}

enum { ROWS = 8 }; /* of a tile of gram: with three vectors of sums each, 24 of 32 registers */

static inline void transpose(vec r[LANES])
{
    vec t[LANES];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int c = 0; c < 2; c++) {
            __m512d a = _mm512_castps_pd(t[i + c]), b = _mm512_castps_pd(t[i + c + 2]);
            r[i + 2 * c] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
            r[i + 2 * c + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
        }
    for (int i = 0; i < 16; i += 8) /* quarters: of rows 0-3 and 4-7 the even columns of four, then the odd ones */
        for (int c = 0; c < 4; c++) {
            t[i + c] = _mm512_shuffle_f32x4(r[i + c], r[i + c + 4], 0x88);
            t[i + c + 4] = _mm512_shuffle_f32x4(r[i + c], r[i + c + 4], 0xdd);
        }
    for (int c = 0; c < 8; c++) {
        r[c] = _mm512_shuffle_f32x4(t[c], t[c + 8], 0x88);
        r[c + 8] = _mm512_shuffle_f32x4(t[c], t[c + 8], 0xdd);
    }
}

#include "kernels/lanes.inc"
#include "kernels/small_spd.inc"
#include "kernels/sgd.inc"

#define GREATER(v, w) ((uint64_t)_mm512_cmp_ps_mask(v, w, _CMP_GT_OQ))
#include "kernels/above.inc"

enum { FEW_ROWS = 6, FEW_VECS = 4 };
#define LOAD_BF16(p)                                                                                                   \
    _mm512_castsi512_ps(                                                                                               \
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(p))), 16))
#define FETCH(p) _mm_prefetch((const char *)(p), _MM_HINT_T0)
#include "kernels/few.inc"
#include "kernels/few_avx2.inc"

void tdm_kernels_init_avx512(tdm_kernels *k)
{
    fill(k, "avx512");
    fill_small_spd(k);
    fill_above(k);
    fill_sgd(k);
    fill_few(k);
    k->few_i8 = few_i8;
}
