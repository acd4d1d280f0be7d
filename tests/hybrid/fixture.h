/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.h - models whose scores are a table, questions made by hand, and a drawn log with texts. */
#ifndef TDM_TESTS_HYBRID_FIXTURE_H
#define TDM_TESTS_HYBRID_FIXTURE_H

#include "data/split.h"
#include "hybrid/hybrid.h"

/* A model that answers a history by the row of its last item: score[last * I + i]. */
typedef struct table {
    tdm_model base;
    tdm_model_ops ops;
    size_t I;
    float *score;  /* I x I */
    float *rating; /* I x I; NULL: does not rate */
} table;

/* All scores zero; ratings too, where `rates`. Closed with tdm_model_close. */
table *table_new(const char *name, size_t I, bool rates);

/* Questions; arrays of their own. */
typedef struct quiz {
    tdm_questions qs;
    uint32_t user[1024], item[32768], target[1024];
    int64_t now[1024], history_at[1025], target_at[1025], time[32768];
    float rating[32768], target_rating[1024];
    uint8_t counts[1024];
} quiz;

quiz *quiz_new(void);
void quiz_add(quiz *z, const uint32_t *history, size_t n, uint32_t target);
void quiz_add_target(quiz *z, uint32_t target, bool counts); /* one more of the last question */

/* A dataset without rows or texts. */
tdm_dataset empty_log(size_t I);

/* Fits the hybrid over `models` (NULL at the end); fails the test where that fails. labels may be NULL. */
tdm_model *fuse(const tdm_model *const *models, const tdm_dataset *train, const tdm_questions *labels, size_t threads);

/* The same where items of a history may be recommended again, on one thread. */
tdm_model *fuse_seen(const tdm_model *const *models, const tdm_dataset *train, const tdm_questions *labels);

/* The best item of one history. */
uint32_t best_of(const tdm_model *m, const tdm_history *h, size_t I);

/* A log of people with tastes: items have a kind that is in their titles, people mostly stay with one, and each item
 * has one that often follows it. Ratings, times, summaries and reviews too. */
tdm_dataset *drawn_log(size_t people, size_t items, uint64_t seed);

/* A file in a folder of this test's own; NULL removes the folder. */
const char *path_of(const char *name);

#endif
