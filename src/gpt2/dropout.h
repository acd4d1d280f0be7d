/* SPDX-License-Identifier: Apache-2.0 */
/* dropout.h - masks that are drawn again where they are needed again, instead of being kept. Inside this floor only. */
#ifndef TDM_GPT2_DROPOUT_H
#define TDM_GPT2_DROPOUT_H

#include <stddef.h>
#include <stdint.h>

/* Zeroes x[i] with probability cut / 65536 and scales the rest; the mask is keyed by (seed, step, site, row), so that
 * backward draws it again. cut 0: nothing happens. */
typedef struct tdm_dropout {
    uint64_t seed, step;
    uint32_t cut;
    float scale;
} tdm_dropout;

tdm_dropout tdm_dropout_make(float p, uint64_t seed, uint64_t step);
void tdm_dropout_apply(const tdm_dropout *d, float *x, size_t n, uint64_t site, uint64_t row);

/* Sites: of the embedding, and three for each layer. */
enum { TDM_SITE_EMBEDDING = 0, TDM_SITE_ATTENTION = 1, TDM_SITE_MIX = 2, TDM_SITE_MLP = 3 };
static inline uint64_t tdm_site(size_t layer, int which) { return 3 * (uint64_t)layer + (uint64_t)which; }

#endif
