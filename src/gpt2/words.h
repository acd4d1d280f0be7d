/* SPDX-License-Identifier: Apache-2.0 */
/* words.h - GPT-2 over byte-level BPE: it reads histories as text and writes the reason beside a recommendation. */
#ifndef TDM_GPT2_WORDS_H
#define TDM_GPT2_WORDS_H

#include "model/model.h"

extern const tdm_model_ops tdm_gpt2_words_ops;

/* Refuses parameters that ask for adapters where there is nothing pretrained to put them beside (`pretrained` NULL). A
 * fit does too; this needs no data. */
tdm_status tdm_gpt2_words_check(const tdm_params *p, const char *pretrained, tdm_err *err);

/* Whose sentence stands beside a recommendation unless somebody asks for another's: GPT-2's, or one that a reviewer of
 * the item wrote. A model begins with GPT-2's; whoever can judge both on people held out for choosing says which did
 * better, and the folder's words.json keeps it. The parameter `sentence` overrides what was judged. */
typedef struct tdm_words_choice {
    bool review;           /* the reviewer's did better */
    size_t people;         /* judged on so many; 0: nobody was there to judge by */
    double gpt2, reviewer; /* the mean rouge@l of both */
    uint64_t of;           /* what was judged: changes where the judgment may; 0: nothing was */
} tdm_words_choice;

/* `m` is gpt2-words in both. */
const tdm_words_choice *tdm_gpt2_words_choice(const tdm_model *m);
void tdm_gpt2_words_choose(tdm_model *m, const tdm_words_choice *c);

/* The choice that the folder at `path` keeps. */
tdm_status tdm_gpt2_words_choice_read(tdm_words_choice *out, const char *path, tdm_err *err);

/* Whether the parameter `sentence` says whose stands, or the model learns no sentences: nothing is left to judge. */
bool tdm_gpt2_words_is_told(const tdm_model *m);

/* Whether a reviewer's sentence stands first: by the parameter `sentence`, else by the choice. False for other models.
 */
bool tdm_gpt2_words_cedes(const tdm_model *m);

/* Writes words.json of a folder that `save` wrote anew, with the choice. */
tdm_status tdm_gpt2_words_note(const tdm_model *m, const char *path, tdm_err *err);

#endif
