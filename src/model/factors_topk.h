/* SPDX-License-Identifier: Apache-2.0 */
/* factors_topk.h - from points to rankings: what models of factors share once they know where the asker stands. */
#ifndef TDM_MODEL_FACTORS_TOPK_H
#define TDM_MODEL_FACTORS_TOPK_H

#include "model/model.h"

/* Items as rows of K factors, K a multiple of TDM_PAD. The score of an item is x . y, summed in the order of k, so it
 * is the same alone, in a batch and in a list; a product of 0 is no opinion. */
typedef struct tdm_factors {
    const float *item; /* I x K */
    size_t I, K;
} tdm_factors;

/* scores: B x I, of people at X[B x K]. */
tdm_status tdm_factors_score(float *scores, const tdm_factors *f, const float *X, size_t B, tdm_err *err);

/* The best of these scores; nothing of the size B x I is written. */
tdm_status tdm_factors_topk(const tdm_ranked *out, const tdm_factors *f, const float *X, const tdm_history *h, size_t B,
                            const tdm_wanted *w, tdm_err *err);

#endif
