/* SPDX-License-Identifier: Apache-2.0 */
/* bf16.h - the upper half of a float: 8 bits of exponent, 7 of fraction. */
#ifndef TDM_KERNELS_BF16_H
#define TDM_KERNELS_BF16_H

#include <stdint.h>
#include <string.h>

/* To the nearest, ties to even; NaN stays NaN. */
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

#endif
