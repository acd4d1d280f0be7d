/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.h - a model's rankings and ratings, judged person by person as docs/evaluation.md defines it. */
#ifndef TDM_EVAL_EVALUATE_H
#define TDM_EVAL_EVALUATE_H

#include "base/run.h"
#include "data/split.h"
#include "model/model.h"

/* Mean ndcg@k over the questions that have at least one counted target; items of the history are left out of the
 * ranking under TDM_SEEN_FILTER. *value is 0 where no question has one. Questions are scored in batches over the pool.
 * I: the size of the catalogue, which is the length of a row of scores. */
tdm_status tdm_ndcg(double *value, const tdm_model *m, const tdm_questions *qs, size_t I, size_t k, tdm_seen seen,
                    tdm_pool *pool, tdm_err *err);

#endif
