/* SPDX-License-Identifier: Apache-2.0 */
/* words_line.h - the lines of a form filled in. Only for the files of gpt2-words that make prompts and documents. */
#ifndef TDM_GPT2_WORDS_LINE_H
#define TDM_GPT2_WORDS_LINE_H

#include "gpt2/words_parts.h"

#include <math.h>

/* The form that the model's documents have: that of reviews where there are any, else that of histories. */
const tdm_form *tdm_words_form(const tdm_words *w);

/* What the placeholders of a line stand for; a text without anything in it is no value. */
enum { LATER_ROOM = 24 };
typedef struct tdm_line_values {
    const uint32_t *title; /* as tokens */
    size_t n_title;
    tdm_str text[TDM_FIELDS]; /* of all others */
    char later[LATER_ROOM];   /* where text[TDM_FIELD_later] lies: not to be copied */
} tdm_line_values;

void tdm_line_item(tdm_line_values *v, const tdm_words *w, uint32_t item, float rating);
void tdm_line_history(tdm_line_values *v, const tdm_words *w, const tdm_history *h, size_t j); /* its j-th item */
void tdm_line_other(tdm_line_values *v, const tdm_words *w, tdm_str summary, float rating);

/* How much tokens count in the loss: marks and words of the form, values, the title that is asked for, and the mark
 * behind it. The mark that begins a document counts nothing: nothing stands before it. */
typedef struct tdm_line_weights {
    float words, value, title, end;
} tdm_line_weights;

/* Appends a part's pieces up to `to`, which is at most its end. `out->failed` is for the caller to look at. */
tdm_status tdm_line_add(tdm_prompt *out, const tdm_words *w, tdm_line_room *r, const tdm_line_values *v, size_t part,
                        size_t to, tdm_line_weights k, tdm_err *err);

/* The most tokens that a part can take with a title of so many. */
size_t tdm_line_most(const tdm_words *w, size_t part, size_t title);

/* Fills w->line; TDM_E_FORMAT where a document could outgrow the window. */
tdm_status tdm_lines_measure(tdm_words *w, tdm_err *err);

#endif
