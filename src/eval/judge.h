/* SPDX-License-Identifier: Apache-2.0 */
/* judge.h - inside eval: what evaluate.c prepares once and the judging of each model uses. */
#ifndef TDM_EVAL_JUDGE_H
#define TDM_EVAL_JUDGE_H

#include "eval/evaluate.h"

typedef struct tdm_judge_room {
    const tdm_evaluate_input *in;
    tdm_evaluation *e;
    tdm_run *run;
    size_t I, depth;
    uint32_t *asked;      /* people: questions with counted targets */
    int64_t *relevant_at; /* people + 1 */
    uint32_t *relevant;   /* sorted inside a person */
    uint8_t *length;      /* people: class of the history's length */
    uint32_t *chosen;     /* I: people who chose the item in training */
    size_t choosers;      /* people with a training row */
    uint8_t *popular;     /* I: 1 in the head */
    double *norm;         /* I: length of the item's vector; NULL without vectors */
} tdm_judge_room;

/* The ranking half of one model: fills at, slices, ndcg, recall and their resamples. */
tdm_status tdm_judge_ranking(tdm_judged *j, const tdm_judge_room *room, const tdm_model *m, tdm_err *err);

/* The sum of an item's cosines with the items that `sum` (K) has taken in so far; takes it in too. Needs room->norm. */
double tdm_judge_cosines(const tdm_judge_room *room, double *sum, uint32_t item);

/* What diversity costs the subject's lists: fills e->tradeoff. Needs room->norm and people. */
tdm_status tdm_judge_diversity(const tdm_judge_room *room, tdm_err *err);

/* The rating half: predictions and errors. */
tdm_status tdm_judge_ratings(tdm_judged *j, const tdm_judge_room *room, const tdm_model *m, tdm_err *err);

/* The subject against every other model, Holm-corrected. */
tdm_status tdm_judge_pairs(const tdm_judge_room *room, tdm_err *err);

#endif
