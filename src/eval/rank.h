/* SPDX-License-Identifier: Apache-2.0 */
/* rank.h - a model's best k for many questions, over the whole catalogue.
 *
 * Questions are asked in batches, a batch to a chunk of the pool, so that memory is some rows of I scores for each thread
 * (none for models that need not write them) and a list does not depend on the number of threads. */
#ifndef TDM_EVAL_RANK_H
#define TDM_EVAL_RANK_H

#include "base/run.h"
#include "data/split.h"
#include "hybrid/diverse.h"
#include "model/model.h"

typedef struct tdm_rank_job {
    const tdm_model *model; /* one that ranks */
    const tdm_questions *questions;
    const uint32_t *asked; /* n: which of the questions */
    size_t n;
    size_t I, k;   /* k <= I */
    tdm_seen seen; /* TDM_SEEN_FILTER: items of the history do not rank */
    const tdm_diversity *unlike; /* NULL: by score alone */
    float *scores;               /* n x k: takes the scores of the lists; NULL: nobody wants them */
} tdm_rank_job;

/* list: n x k, the best first; found: n, how long each list is. `run` may be NULL where only the pool matters; with it,
 * progress is told as stage "evaluate" and a cancel is heeded. */
tdm_status tdm_rank(uint32_t *list, uint32_t *found, const tdm_rank_job *job, tdm_pool *pool, tdm_run *run,
                    tdm_err *err);

/* The questions with at least one counted target, in order: how many, into asked (room for questions->n). */
size_t tdm_questions_asked(uint32_t *asked, const tdm_questions *qs);

#endif
