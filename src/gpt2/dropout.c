/* SPDX-License-Identifier: Apache-2.0 */
#include "gpt2/dropout.h"
#include "base/rng.h"
#include "kernels/kernels.h"

#include <math.h>

enum { DRAWS = 64 }; /* numbers drawn ahead, four elements each */

tdm_dropout tdm_dropout_make(float p, uint64_t seed, uint64_t step)
{
    uint32_t cut = p > 0 ? (uint32_t)lrintf(p * 65536) : 0;
    if (cut > 65000) cut = 65000;
    return (tdm_dropout){seed, step, cut, 65536.0f / (float)(65536 - cut)};
}

void tdm_dropout_apply(const tdm_dropout *d, float *x, size_t n, uint64_t site, uint64_t row)
{
    if (!d || !d->cut) return;
    tdm_rng r = tdm_rng_make(tdm_mix64(d->seed) ^ d->step, site, row);
    const tdm_kernels *k = tdm_kernels_best();
    for (size_t i = 0; i < n; i += 4 * DRAWS) {
        size_t part = n - i < 4 * DRAWS ? n - i : 4 * DRAWS;
        uint64_t draw[DRAWS];
        for (size_t j = 0; j < (part + 3) / 4; j++) draw[j] = tdm_rng_u64(&r);
        k->drop(x + i, draw, (uint16_t)d->cut, d->scale, part); /* cut is at most 65000 */
    }
}
