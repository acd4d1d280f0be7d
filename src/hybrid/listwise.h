/* SPDX-License-Identifier: Apache-2.0 */
/* listwise.h - softmax regression over lists of candidates: which weights would have put the answers first?
 *
 * A row is one candidate: P opinions, the people gate, the target (1 / answers where it is an answer, else 0), and for
 * network.h the P opinions that the last item alone gives. A list is the candidates of one question. With x the
 * opinions and their products with both gates, all scaled,
 *
 *     loss = sum over lists: -sum over candidates: target * log softmax(w.x)
 *          + strength / 2 * (sum of gated w^2 + sum over models (w - mean w)^2) + P / 2 * (mean w - 1)^2
 *
 * so a strong pull leads to equal weights of all models, whose common size stays free: a sensible answer for few lists,
 * and with none it is 1. Convex; Newton's method with halved steps. */
#ifndef TDM_HYBRID_LISTWISE_H
#define TDM_HYBRID_LISTWISE_H

#include "base/pool.h"

#include <stdint.h>

enum { TDM_LIST_MODELS = 31 }; /* P at most */
static inline size_t tdm_list_width(size_t P) { return 2 * P + 2; }

typedef struct tdm_list {
    const float *row; /* n x tdm_list_width(P) */
    size_t n;
    double length; /* the length gate, scaled */
} tdm_list;

typedef struct tdm_lists {
    size_t P, n;
    const tdm_list *list; /* n */
    const double *scale;  /* P + 1: what a row's opinions and its people gate are multiplied by */
} tdm_lists;

/* w: 3 P weights (constant, by people, by length of model 0, then of model 1 ...), from where it starts to where it
 * ends. Lists k with k % folds == fold are left out; folds = 0: none. */
tdm_status tdm_listwise_fit(double *w, const tdm_lists *s, double strength, size_t folds, size_t fold, tdm_pool *pool,
                            tdm_err *err);

/* The score of candidate j. */
double tdm_list_score(const double *w, const tdm_lists *s, const tdm_list *l, size_t j);

/* The loss of the lists with k % folds == fold, without the pull. */
tdm_status tdm_listwise_loss(double *loss, const double *w, const tdm_lists *s, size_t folds, size_t fold,
                             tdm_pool *pool, tdm_err *err);

#endif
