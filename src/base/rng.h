/* SPDX-License-Identifier: Apache-2.0 */
/* rng.h - random streams keyed by what they are for, never by the thread that draws.
 *
 * Generator: xoshiro256++ (Blackman and Vigna, 2019, prng.di.unimi.it), its state filled by splitmix64 from the key. */
#ifndef TDM_BASE_RNG_H
#define TDM_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct tdm_rng {
    uint64_t s[4];
} tdm_rng;

/* One stream for each (seed, a, b): say a = epoch, b = chunk. */
tdm_rng tdm_rng_make(uint64_t seed, uint64_t a, uint64_t b);

uint64_t tdm_rng_u64(tdm_rng *r);
uint64_t tdm_rng_below(tdm_rng *r, uint64_t n);              /* uniform in [0, n), n > 0, without bias */
double tdm_rng_unit(tdm_rng *r);                             /* uniform in [0, 1), 53 bits */
double tdm_rng_normal(tdm_rng *r);                           /* standard normal (Box-Muller, one of the pair) */
void tdm_rng_shuffle_u32(tdm_rng *r, uint32_t *a, size_t n); /* Fisher-Yates */

/* A 64-bit mix of one word (splitmix64's finaliser): for keys made from numbers. */
uint64_t tdm_mix64(uint64_t x);

#endif
