/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h - candidates of many questions, with what each model says of them. Inside this folder only. */
#ifndef TDM_HYBRID_SAMPLE_H
#define TDM_HYBRID_SAMPLE_H

#include "data/split.h"
#include "hybrid/fusion.h"
#include "hybrid/listwise.h"

/* The candidates of a question are the best `top` of each model, history left out unless f->seen. */
typedef struct tdm_sample {
    size_t n;       /* lists: questions of which a candidate is an answer */
    tdm_list *list; /* n; `length` is log(1 + length of the history), not scaled */
    size_t rows, asked;
    struct tdm_sample_piece *piece;
    size_t pieces;
} tdm_sample;

enum { TDM_SAMPLE_CELLS = 100000000 }; /* floats of candidates: once there are as many, no more are asked */

/* From the questions with a counted target, at most `most` of them. `answered` false: every question is taken, and no
 * target is marked (only the spread of opinions is wanted). */
tdm_status tdm_sample_make(tdm_sample *out, const tdm_fusion *f, const tdm_questions *qs, size_t top, size_t most,
                           bool answered, tdm_run *run, tdm_err *err);
void tdm_sample_clear(tdm_sample *s); /* all-zero is fine */

#endif
