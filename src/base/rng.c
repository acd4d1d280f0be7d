/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"

#include <math.h>

uint64_t tdm_mix64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

tdm_rng tdm_rng_make(uint64_t seed, uint64_t a, uint64_t b)
{
    uint64_t key = tdm_mix64(tdm_mix64(tdm_mix64(seed) ^ a) ^ b);
    tdm_rng r;
    for (int i = 0; i < 4; i++) r.s[i] = tdm_mix64(key + (uint64_t)i);
    return r;
}

static uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

uint64_t tdm_rng_u64(tdm_rng *r)
{
    uint64_t *s = r->s, out = rotl(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

uint64_t tdm_rng_below(tdm_rng *r, uint64_t n)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % n, x;
    do x = tdm_rng_u64(r);
    while (x >= limit);
    return x % n;
}

double tdm_rng_unit(tdm_rng *r) { return (double)(tdm_rng_u64(r) >> 11) * 0x1p-53; }

double tdm_rng_normal(tdm_rng *r)
{
    double u = 1.0 - tdm_rng_unit(r), v = tdm_rng_unit(r); /* u in (0, 1] */
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586476925 * v);
}

void tdm_rng_shuffle_u32(tdm_rng *r, uint32_t *a, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)tdm_rng_below(r, i);
        uint32_t t = a[i - 1];
        a[i - 1] = a[j];
        a[j] = t;
    }
}
