/* SPDX-License-Identifier: Apache-2.0 */
/* items_states.h - histories that gpt2-items has read, kept so that one more event costs one token.
 *
 * A person's keys and values stay in pages of a decoder (decode.h). A history that is longer than the model's window is
 * read anew at each event, for positions are learned: the newest items stand where others stood before. Scores equal
 * those of the whole history up to the rounding of sums. */
#ifndef TDM_GPT2_ITEMS_STATES_H
#define TDM_GPT2_ITEMS_STATES_H

#include "base/pool.h"
#include "model/model.h"

typedef struct tdm_items_states tdm_items_states; /* one thread uses one at a time */

/* Room for `people` of them, 0 .. people - 1. `m` is a gpt2-items (another model is TDM_E_ARG) and outlives it; pool
 * NULL: all on the calling thread. */
tdm_status tdm_items_states_open(tdm_items_states **out, const tdm_model *m, size_t people, tdm_pool *pool,
                                 tdm_err *err);
void tdm_items_states_close(tdm_items_states *s);

/* Reads a whole history; what the person had before is forgotten. Items outside the catalogue are passed over. */
tdm_status tdm_items_states_begin(tdm_items_states *s, size_t person, const tdm_history *h, tdm_err *err);

/* One more event for each of n different people who have begun, in one pass over the weights. After a failure they
 * begin anew. */
tdm_status tdm_items_states_extend(tdm_items_states *s, const size_t *person, const uint32_t *item, size_t n,
                                   tdm_err *err);

/* I scores of one who has begun; -INFINITY where the model has no opinion. Lists: tdm_topk_wanted. */
tdm_status tdm_items_states_score(const tdm_items_states *s, float *scores, size_t person, tdm_err *err);

#endif
