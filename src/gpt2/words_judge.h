/* SPDX-License-Identifier: Apache-2.0 */
/* words_judge.h - how well gpt2-words foretells what people who were held out wrote.
 *
 * Judged are the tokens of an answer as training documents have it (docs/prompts.md): the summary, the mark of the
 * review, its first sentence, the mark of the end. What stands before them is the prompt of a training document: the
 * history, the item with the rating that was given, the history items that led to it, what others wrote. */
#ifndef TDM_GPT2_WORDS_JUDGE_H
#define TDM_GPT2_WORDS_JUDGE_H

#include "model/model.h"

/* A review that training has not seen. */
typedef struct tdm_held_review {
    tdm_history history; /* before it */
    uint32_t user, item; /* of the training rows */
    float rating;        /* NaN: none */
    uint32_t row;        /* of it in the texts */
} tdm_held_review;

enum { TDM_JUDGE_ORDER = 5 };

/* Perplexities are exp(mean of -log p) over `tokens`, the same ones for all three. */
typedef struct tdm_words_perplexity {
    size_t reviews, tokens;
    double own;          /* behind the prompt of the same pair of person and item */
    double other;        /* behind the next review's that is of another pair; NaN where all are of one */
    double ngram;        /* of the n-gram model (text/ngram.h) of order TDM_JUDGE_ORDER */
    size_t ngram_tokens; /* of training's answers that it has read, of two million at most */
} tdm_words_perplexity;

/* m: gpt2-words, else TDM_E_ARG. The n-gram model reads the answers of the documents that gpt2-words was trained on
 * with `seed`, in the order of the people. *out has 0 reviews where none says anything, or m has learned no sentences;
 * its perplexities are then NaN. Reads the reviews on the run's pool; cancelled by it. */
tdm_status tdm_gpt2_words_judge(tdm_words_perplexity *out, const tdm_model *m, const tdm_held_review *review, size_t n,
                                uint64_t seed, tdm_run *run, tdm_err *err);

#endif
