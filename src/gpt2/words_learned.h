/* SPDX-License-Identifier: Apache-2.0 */
/* words_learned.h - which numbers a training of gpt2-words changes: all weights, or, with `lora`, adapters of low rank
 * and the rows of tokens that the pretrained vocabulary did not have. They are what a checkpoint holds. Not for others:
 * they see words.h. */
#ifndef TDM_GPT2_WORDS_LEARNED_H
#define TDM_GPT2_WORDS_LEARNED_H

#include "gpt2/course.h"
#include "gpt2/words_parts.h"

typedef struct tdm_learned {
    tdm_gpt2 *g;
    tdm_lora *lora; /* NULL: all weights */
    size_t rows;    /* with adapters: last rows of the token table */
    struct tdm_learned_part {
        const char *name, *mean; /* in the checkpoint, and so its average */
        float *at, *average;     /* average: NULL where none is kept */
        size_t n;
    } part[2];
    size_t n; /* parts */
} tdm_learned;

/* `w` has begun. Adapters are drawn from the seed. */
tdm_status tdm_learned_open(tdm_learned *l, const tdm_words *w, uint64_t seed, tdm_err *err);
void tdm_learned_clear(tdm_learned *l);

/* Makes it the state of a course, with averages that follow it where `averages`. */
tdm_status tdm_learned_join(tdm_learned *l, tdm_course *c, bool averages, tdm_err *err);

/* At the end: averages take their place, and adapters become part of the weights. */
void tdm_learned_finish(tdm_learned *l);

#endif
