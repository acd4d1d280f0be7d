/* SPDX-License-Identifier: Apache-2.0 */
/* words_world.h - a small world of tea people and tool people, who write as such people do, and gpt2-words fitted to it
 * in a second or two. Item "i0-3" is the fourth of the tea things; two of them share a title, and one of the tools is
 * called by marks of the prompt. */
#ifndef TDM_TESTS_GPT2_WORDS_WORLD_H
#define TDM_TESTS_GPT2_WORDS_WORLD_H

#include "gpt2/words.h"

enum { WORLD_PEOPLE = 40, WORLD_EACH = 5, WORLD_KINDS = 2, WORLD_ITEMS = 8 };

tdm_dataset *words_world(bool reviews);
tdm_run *words_run(size_t threads);
tdm_params words_small(double steps);
tdm_model *words_fitted(const tdm_dataset *d, tdm_run *run, double steps);

/* The best k of one history, nothing left out. */
tdm_status words_topk(const tdm_model *m, uint32_t *items, float *scores, size_t *n, const tdm_history *h, size_t k,
                      tdm_err *err);

#endif
