/* SPDX-License-Identifier: Apache-2.0 */
/* cf.h - collaborative filtering: models that learn from who chose what, and in which order.
 *
 * Each is one file and one table of functions (model/model.h). All work from a history alone, say which
 * history items made a score, and give the same bytes at any number of threads.
 *
 *     popularity     how often an item was chosen; the floor that everything must beat
 *     recent         how often it was chosen of late
 *     category-popularity   how often, in the categories of a history
 *     transitions    what comes right after the last item
 *     cooccurrence   what follows what in histories, near steps counting more; directional
 *     item-knn       cosine of the people who chose two items
 *     ease           each item regressed on all others, in closed form
 *     slist          what comes next regressed on what came before, in closed form
 *     user-knn       what people with similar histories chose
 *     ials           people and items as points, fitted to who chose what
 *     mf             people and items as points, fitted to ratings by sampling
 *     svdpp          the same by gradient descent, and by what was chosen at all */
#ifndef TDM_CF_CF_H
#define TDM_CF_CF_H

#include "model/model.h"

extern const tdm_model_ops tdm_popularity_ops;
extern const tdm_model_ops tdm_recent_ops;
extern const tdm_model_ops tdm_category_popularity_ops;
extern const tdm_model_ops tdm_transitions_ops;
extern const tdm_model_ops tdm_cooccurrence_ops;
extern const tdm_model_ops tdm_item_knn_ops;
extern const tdm_model_ops tdm_user_knn_ops;
extern const tdm_model_ops tdm_ease_ops;
extern const tdm_model_ops tdm_slist_ops;
extern const tdm_model_ops tdm_ials_ops;
extern const tdm_model_ops tdm_mf_ops;
extern const tdm_model_ops tdm_svdpp_ops;

/* The people most like a history, most similar first: at most *n training rows into users[*n] and similarity[*n]; *n
 * becomes how many there are. `m` is a user-knn; h->self is left out. */
tdm_status tdm_user_knn_people(const tdm_model *m, uint32_t *users, float *similarity, size_t *n, const tdm_history *h,
                               tdm_err *err);

#endif
