/* SPDX-License-Identifier: Apache-2.0 */
/* hybrid.h - one ranking from all models: candidates from each, their scores normalised per history, joined by weights
 * that were learned on validation people. */
#ifndef TDM_HYBRID_HYBRID_H
#define TDM_HYBRID_HYBRID_H

#include "model/model.h"

extern const tdm_model_ops tdm_hybrid_ops;

/* What each part adds to the score of `item`: parts[p] for names[p], *P of them (P <= number of needs + 1); they sum to
 * the score that tdm_hybrid_ops.score gives. `parts` has room for 32; names live as long as the model. */
tdm_status tdm_hybrid_parts(const tdm_model *m, float *parts, const char *const **names, size_t *P,
                            const tdm_history *h, uint32_t item, tdm_err *err);

/* The same for n items of one history, which every model then scores once: parts is n x P, P the number of models. */
tdm_status tdm_hybrid_parts_of(const tdm_model *m, float *parts, const tdm_history *h, const uint32_t *items, size_t n,
                               tdm_err *err);

/* The open models that the hybrid joins, in the order of its parts' names. */
size_t tdm_hybrid_models(const tdm_model *m, const tdm_model *const **models);

#endif
