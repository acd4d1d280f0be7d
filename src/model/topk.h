/* SPDX-License-Identifier: Apache-2.0 */
/* topk.h - the one order of a ranking: higher score first, equal scores by item index; NaN and -INFINITY never rank. */
#ifndef TDM_MODEL_TOPK_H
#define TDM_MODEL_TOPK_H

#include "model/model.h"

/* The best k of n scores into items[k] and best[k] (best may be NULL); returns how many there are, fewer than k where
 * fewer than k are above -INFINITY. A heap of k: O(n + k log k) for the usual n >> k. */
size_t tdm_topk(uint32_t *items, float *best, const float *scores, size_t n, size_t k);

/* The same list filled item by item, for whoever does not have all scores in one row. Begin with n = 0. */
typedef struct tdm_best {
    uint32_t *items; /* k */
    float *scores;   /* k */
    size_t n, k;
} tdm_best;

/* Items come in any order, each once. */
void tdm_best_offer(tdm_best *b, uint32_t item, float score);

/* What a score must be above to matter, where items come by rising index. */
float tdm_best_bar(const tdm_best *b);

/* Puts the best first; nothing is offered after that. */
void tdm_best_sort(tdm_best *b);

/* The list of one history from its row of I scores, in which what stays out becomes -INFINITY; returns its length. */
size_t tdm_topk_wanted(uint32_t *items, float *best, float *scores, size_t I, const tdm_history *h,
                       const tdm_wanted *w);

/* The best k items of each of B histories, with any model that ranks: by its own way, or score by score, a few rows of
 * the I items at a time. */
tdm_status tdm_model_topk(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B,
                          const tdm_wanted *w, size_t I, tdm_err *err);

/* The same, always score by score. */
tdm_status tdm_model_topk_of_scores(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B,
                                    const tdm_wanted *w, size_t I, tdm_err *err);

#endif
