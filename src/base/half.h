/* SPDX-License-Identifier: Apache-2.0 */
/* half.h - floats in 16 bits: bf16, the upper half of a float (8 bits of exponent, 7 of fraction), and IEEE 754's f16
 * (5 and 10). Rounding is to the nearest, ties to even; NaN stays NaN. */
#ifndef TDM_BASE_HALF_H
#define TDM_BASE_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint16_t tdm_to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x != x) return (uint16_t)(bits >> 16 | 64);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float tdm_from_bf16(uint16_t h)
{
    uint32_t bits = (uint32_t)h << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint16_t tdm_to_f16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000;
    bits &= 0x7fffffff;
    if (bits >= 0x477ff000) return (uint16_t)(sign | 0x7c00 | (bits > 0x7f800000 ? 0x200 : 0)); /* from 65,520 on */
    if (bits < 0x38800000) { /* below 2^-14 they are multiples of 2^-24: the steps between floats from 0.5 on */
        float magnitude;
        memcpy(&magnitude, &bits, sizeof magnitude);
        magnitude += 0.5f;
        memcpy(&bits, &magnitude, sizeof bits);
        return (uint16_t)(sign | (bits - 0x3f000000));
    }
    bits += 0xfff + (bits >> 13 & 1);
    return (uint16_t)(sign | (bits - 0x38000000) >> 13);
}

static inline float tdm_from_f16(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 1023;
    uint32_t bits = sign | (e == 31 ? 0x7f800000 : (e + 112) << 23) | m << 13;
    float x;
    if (!e) {
        x = (float)m * 0x1p-24f;
        return sign ? -x : x;
    }
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
