/* SPDX-License-Identifier: Apache-2.0 */
/* ask.h - a question as typed, as a history of item numbers; and what an answer says of an item. */
#ifndef TDM_API_ASK_H
#define TDM_API_ASK_H

#include "api/bundle.h"
#include "api/explained.h"

/* The public recommender is an open model folder. */
struct tdm_recommender {
    tdm_bundle *b;
    uint8_t *excluded; /* I: 1 where tdm_recommender_exclude named the item; NULL: none is */
    tdm_block *block;  /* what tdm_recommender_block listed; NULL: nothing */
    tdm_explained *explained;
    tdm_claims *claims; /* what names things in the folder's catalogue */
};

typedef struct tdm_asked {
    tdm_history h;
    uint32_t user;   /* TDM_NONE: a typed history */
    uint32_t *items; /* what h points to, where it was typed */
    float *ratings;
} tdm_asked;

/* Resolves q->user or q->history. Unknown ids are errors that name the nearest ones. */
tdm_status tdm_asked_init(tdm_asked *out, const tdm_bundle *b, const tdm_query *q, tdm_err *err);
void tdm_asked_clear(tdm_asked *a);

/* The number of an item or a person by id, or an error that names the nearest ids. */
tdm_status tdm_find_item(const tdm_bundle *b, uint32_t *out, tdm_str id, tdm_err *err);
tdm_status tdm_find_user(const tdm_bundle *b, uint32_t *out, tdm_str id, tdm_err *err);

/* Takes the next word of a list "A,B,C" off *rest, trimmed; false at its end. */
bool tdm_list_next(tdm_str *word, tdm_str *rest);

/* Takes the next id off *rest, the text of a list with one id a line: trimmed, without empty lines and those that begin
 * with #; false at its end. */
bool tdm_ids_next(tdm_str *id, tdm_str *rest);

/* Adds "item" and "title" of item i. One that nothing names is called by its id and what reviews in `d` are headed:
 * hand in the training data, so that no held-out review is read. */
void tdm_json_add_item(cJSON *o, const tdm_dataset *d, uint32_t i);

#endif
