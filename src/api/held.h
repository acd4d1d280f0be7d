/* SPDX-License-Identifier: Apache-2.0 */
/* held.h - reviews that were held out: what people wrote about the answers of questions, unseen by training. */
#ifndef TDM_API_HELD_H
#define TDM_API_HELD_H

#include "api/bundle.h"
#include "gpt2/words_judge.h"

typedef struct tdm_held {
    tdm_held_review *at; /* histories are borrowed from the questions */
    size_t n, cap;
} tdm_held;

/* The first `most` of the questions' targets about which something was written in a row that is none of training's, in
 * the order of the questions; of a person `each` at most. Of several rows about one thing the last counts, which is
 * test's, or, with `validation`, the first: what is chosen must not see test's. */
tdm_status tdm_held_find(tdm_held *out, const tdm_bundle *b, const tdm_questions *qs, bool validation, size_t most,
                         size_t each, tdm_err *err);
void tdm_held_clear(tdm_held *h);

/* A copy of the first 40 words that were written, the summary's first, for tdm_free; NULL where memory is short. */
char *tdm_held_reference(const tdm_dataset *d, const tdm_held_review *r);

#endif
