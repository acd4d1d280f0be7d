/* SPDX-License-Identifier: Apache-2.0 */
/* neon.c - four floats at a time, on 64-bit ARM, where Advanced SIMD is part of the base: nothing to ask for, no flags.
 */
#include "kernels/tables.h"

#include <arm_neon.h>
#include <float.h>
#include <math.h>
#include <stdint.h>

typedef float32x4_t vec;
enum { LANES = 4 };
#define ALL(f) vdupq_n_f32(f)
#define LOAD(p) vld1q_f32(p)
#define STORE(p, v) vst1q_f32(p, v)
#define LOAD_N(p, n) load_first(p, n)
#define STORE_N(p, n, v) store_first(p, n, v)
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#define MIN(a, b) vbslq_f32(vcltq_f32(a, b), a, b)
#define MAX(a, b) vbslq_f32(vcgtq_f32(a, b), a, b)
#define SQRT(v) vsqrtq_f32(v)
#define ROUND(v) vrndnq_f32(v)
#define POW2(v) vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(v), vdupq_n_s32(127)), 23))
#define ZERO_BELOW(v, x, f) keep(v, vmvnq_u32(vcltq_f32(x, vdupq_n_f32(f))))
#define DROP(v, p, cut) drop_below(v, *(p), cut)
#define ADD_ALL(v) vaddvq_f32(v)
#define MAX_ALL(v) vmaxvq_f32(v)

static inline vec load_first(const float *p, size_t n) /* n is 1, 2 or 3 */
{
    vec v = vld1q_lane_f32(p, vdupq_n_f32(0), 0);
    if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
    if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
    return v;
}

static inline void store_first(float *p, size_t n, vec v)
{
    vst1q_lane_f32(p, v, 0);
    if (n > 1) vst1q_lane_f32(p + 1, v, 1);
    if (n > 2) vst1q_lane_f32(p + 2, v, 2);
}

static inline vec keep(vec v, uint32x4_t mask)
{
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(v), mask));
}

static inline vec drop_below(vec v, uint64_t draw, uint16_t cut)
{
    uint16x4_t in = vcge_u16(vcreate_u16(draw), vdup_n_u16(cut)); /* all ones widen to all ones as signed numbers */
    return keep(v, vreinterpretq_u32_s32(vmovl_s16(vreinterpret_s16_u16(in))));
}

static inline void add_four(float s[4], vec a, vec b, vec c, vec d)
{
    vst1q_f32(s, vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)));
}

enum { ROWS = 8 }; /* of a tile of gram: with three vectors of sums each, 24 of 32 registers */

static inline vec low_halves(vec a, vec b) { return vcombine_f32(vget_low_f32(a), vget_low_f32(b)); }
static inline vec high_halves(vec a, vec b) { return vcombine_f32(vget_high_f32(a), vget_high_f32(b)); }

static inline void transpose(vec r[LANES])
{
    vec a = vtrn1q_f32(r[0], r[1]), b = vtrn2q_f32(r[0], r[1]); /* a: columns 0 and 2 of both, b: 1 and 3 */
    vec c = vtrn1q_f32(r[2], r[3]), d = vtrn2q_f32(r[2], r[3]);
    r[0] = low_halves(a, c);
    r[1] = low_halves(b, d);
    r[2] = high_halves(a, c);
    r[3] = high_halves(b, d);
}

#include "kernels/lanes.inc"
#include "kernels/small_spd.inc"
#include "kernels/sgd.inc"

enum { FEW_ROWS = 6, FEW_VECS = 4 };
#define LOAD_BF16(p) vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16))
#define FETCH(p) __builtin_prefetch(p)
#include "kernels/few.inc"

void tdm_kernels_init_neon(tdm_kernels *k)
{
    fill(k, "neon");
    fill_small_spd(k);
    fill_sgd(k);
    tdm_above_init_c(k);
    tdm_few_init_c(k); /* few_i8 */
    fill_few(k);
}
