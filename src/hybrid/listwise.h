/* SPDX-License-Identifier: Apache-2.0 */
/* listwise.h - softmax regression over lists of candidates: which weights would have put the answers first?
 *
 * A row is one candidate: P opinions on the whole history, P on its last item alone, P ranks (fusion.h), the people
 * gate, 1 where it is in the history, and the target (1 / answers where it is an answer, else 0). A list is the
 * candidates of one question. With x the opinions on the whole history and their products with the gates, all scaled,
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
static inline size_t tdm_row_people(size_t P) { return 3 * P; }
static inline size_t tdm_row_seen(size_t P) { return 3 * P + 1; }
static inline size_t tdm_row_target(size_t P) { return 3 * P + 2; }
static inline size_t tdm_row_width(size_t P) { return 3 * P + 3; }

/* A model's weights: constant, by people of the item, by length of the history, for items of the history. */
enum { TDM_GATES = 4 };

typedef struct tdm_list {
    const float *row; /* n x tdm_row_width(P) */
    size_t n;
    double length; /* the length gate, scaled */
} tdm_list;

typedef struct tdm_listwise {
    size_t P, n;
    const tdm_list *list; /* n */
    size_t gates;         /* TDM_GATES; one less where no candidate is in its history */
    const double *scale;  /* tdm_row_target(P): what a row's columns are multiplied by */
} tdm_listwise;

/* weights: TDM_GATES weights of model 0, then of model 1 and so on, from where it starts to where it ends; those beyond
 * s->gates are not read and stay. Lists k with k % folds == fold are left out; folds = 0: none. */
tdm_status tdm_listwise_fit(double *weights, const tdm_listwise *s, double strength, size_t folds, size_t fold,
                            tdm_pool *pool, tdm_err *err);

/* The score of candidate j. */
double tdm_list_score(const double *weights, const tdm_listwise *s, const tdm_list *l, size_t j);

/* The loss of the lists with k % folds == fold, without the pull. */
tdm_status tdm_listwise_loss(double *loss, const double *weights, const tdm_listwise *s, size_t folds, size_t fold,
                             tdm_pool *pool, tdm_err *err);

#endif
