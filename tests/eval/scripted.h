/* SPDX-License-Identifier: Apache-2.0 */
/* scripted.h - questions with answers, and models that say what they are told to say. */
#ifndef TDM_TESTS_EVAL_SCRIPTED_H
#define TDM_TESTS_EVAL_SCRIPTED_H

#include "base/json.h"
#include "check.h"
#include "eval/evaluate.h"

enum { MOST = 1 << 16 };

/* A training log and questions; arrays in place. Person u of the data asks question u. */
typedef struct stage {
    tdm_dataset train;
    tdm_questions qs;
    int64_t offset[8192], history_at[4096], target_at[4096];
    uint32_t row[MOST], item[MOST], user[4096], target[MOST];
    float rating[MOST], target_rating[MOST];
    int64_t now[4096], time[MOST];
    uint8_t counts[MOST];
} stage;

stage *stage_new(size_t I);

/* One training person; one question (ratings may be NULL: none; counts may be NULL: all count). */
void stage_train(stage *s, const uint32_t *items, size_t n);
void stage_ask(stage *s, const uint32_t *history, size_t h, const uint32_t *targets, const uint8_t *counts,
               const float *ratings, size_t n);

/* People with skewed tastes, drawn: about 8 history items, 1 to 3 targets with ratings each. */
stage *stage_drawn(size_t people, size_t I, uint64_t seed);

/* Ids "u<number>" and "i<number>" for the people and items of a stage, into static room. */
void stage_ids(tdm_dataset *d);

/* A model whose scores of question q are scores[q * I ...] and whose ratings of its targets lie as the targets do. With
 * `scores` NULL: drawn from (seed, q), the more of `skill` the higher the targets stand. */
typedef struct scripted {
    tdm_model base;
    tdm_model_ops ops;
    const stage *s;
    const float *scores, *ratings;
    double skill;
    uint64_t seed;
    tdm_status fails;
} scripted;

scripted scripted_make(const char *name, const stage *s);

#endif
