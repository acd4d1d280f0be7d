/* SPDX-License-Identifier: Apache-2.0 */
/* explained.h - explanations that a recommender gives, made once for each person, item and way of asking. Inside this
 * folder. */
#ifndef TDM_API_EXPLAINED_H
#define TDM_API_EXPLAINED_H

#include "api/cache.h"
#include "hybrid/explain.h"

typedef struct tdm_explained tdm_explained;

tdm_status tdm_explained_open(tdm_explained **out, size_t most, tdm_err *err); /* keeps up to `most` bytes */
void tdm_explained_close(tdm_explained *x);

/* As tdm_explain, from what is kept where the same was asked before. in->counts is not read. Many threads may ask. */
tdm_status tdm_explained_add(cJSON *o, tdm_explained *x, const tdm_explain_input *in, tdm_err *err);

/* Forgets all, for what explanations are made with has changed; up to `most` bytes are kept from here on. */
void tdm_explained_forget(tdm_explained *x, size_t most);
size_t tdm_explained_most(tdm_explained *x);

/* What tdm_recommender_counts tells. */
cJSON *tdm_explained_counts(tdm_explained *x);

#endif
