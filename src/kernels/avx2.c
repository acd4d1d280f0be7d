/* SPDX-License-Identifier: Apache-2.0 */
/* avx2.c - eight floats at a time. Built with -mavx2 -mfma; nothing here runs before the processor was asked. */
#include "kernels/tables.h"

#include <float.h>
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef __m256 vec;
enum { LANES = 8 };
#define ALL(f) _mm256_set1_ps(f)
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define LOAD_N(p, n) _mm256_maskload_ps(p, first(n))
#define STORE_N(p, n, v) _mm256_maskstore_ps(p, first(n), v)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define MIN(a, b) _mm256_min_ps(a, b)
#define MAX(a, b) _mm256_max_ps(a, b)
#define SQRT(v) _mm256_sqrt_ps(v)
#define ROUND(v) _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define POW2(v)                                                                                                        \
    _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(127)), 23))
#define ZERO_BELOW(v, x, f) _mm256_andnot_ps(_mm256_cmp_ps(x, _mm256_set1_ps(f), _CMP_LT_OQ), v)
#define DROP(v, p, cut) drop_below(v, p, cut)
#define ADD_ALL(v) add_all(v)
#define MAX_ALL(v) max_all(v)

static const int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1}; /* a window of it is the mask of the first n */

static inline __m256i first(size_t n) { return _mm256_loadu_si256((const __m256i *)(const void *)(ones + 8 - n)); }

static inline vec drop_below(vec v, const uint64_t *p, uint16_t cut)
{
    __m256i draw = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
    return _mm256_andnot_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(cut), draw)), v);
}

static inline float add_all(vec v)
{
    __m128 a = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    a = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)));
}

static inline float max_all(vec v)
{
    __m128 a = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    a = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(a, _mm_movehdup_ps(a)));
}

static inline void add_four(float s[4], vec a, vec b, vec c, vec d)
{
    vec t = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    _mm_storeu_ps(s, _mm_add_ps(_mm256_castps256_ps128(t), _mm256_extractf128_ps(t, 1)));
}

enum { ROWS = 4 }; /* of a tile of gram: with three vectors of sums each, twelve of sixteen registers */

static inline void transpose(vec r[LANES])
{
    vec t[LANES];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int c = 0; c < 2; c++) {
            __m256d a = _mm256_castps_pd(t[i + c]), b = _mm256_castps_pd(t[i + c + 2]);
            r[i + 2 * c] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
            r[i + 2 * c + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
        }
    for (int c = 0; c < 4; c++) {
        vec a = r[c], b = r[c + 4];
        r[c] = _mm256_permute2f128_ps(a, b, 0x20);
        r[c + 4] = _mm256_permute2f128_ps(a, b, 0x31);
    }
}

#include "kernels/lanes.inc"
#include "kernels/small_spd.inc"
#include "kernels/sgd.inc"

#define GREATER(v, w) ((uint64_t)(unsigned)_mm256_movemask_ps(_mm256_cmp_ps(v, w, _CMP_GT_OQ)))
#include "kernels/above.inc"

enum { FEW_ROWS = 4, FEW_VECS = 2 };
#define LOAD_BF16(p)                                                                                                   \
    _mm256_castsi256_ps(                                                                                               \
        _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)(p))), 16))
#define FETCH(p) _mm_prefetch((const char *)(p), _MM_HINT_T0)
#include "kernels/few.inc"
#include "kernels/few_avx2.inc"

void tdm_kernels_init_avx2(tdm_kernels *k)
{
    fill(k, "avx2");
    fill_small_spd(k);
    fill_above(k);
    fill_sgd(k);
    fill_few(k);
    k->few_i8 = few_i8;
}
