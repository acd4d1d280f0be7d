/* SPDX-License-Identifier: Apache-2.0 */
/* split.h - training rows, validation questions and test questions, as docs/evaluation.md defines them. */
#ifndef TDM_DATA_SPLIT_H
#define TDM_DATA_SPLIT_H

#include "data/dataset.h"

typedef enum tdm_split_kind {
    TDM_SPLIT_TIME,
    TDM_SPLIT_LEAVE_ONE_OUT,
    TDM_SPLIT_RATIO,
    TDM_SPLIT_FILES,
    TDM_SPLIT_COLD_ITEMS
} tdm_split_kind;
typedef enum tdm_ties { TDM_TIES_FILE, TDM_TIES_SHUFFLE } tdm_ties;
typedef enum tdm_seen { TDM_SEEN_FILTER, TDM_SEEN_KEEP } tdm_seen;
typedef enum tdm_duplicates {
    TDM_DUPLICATES_NEWEST,
    TDM_DUPLICATES_OLDEST,
    TDM_DUPLICATES_SUM,
    TDM_DUPLICATES_KEEP
} tdm_duplicates;

/* The protocol. Stored in the manifest: it cannot change at evaluate. */
typedef struct tdm_protocol {
    tdm_split_kind split;
    tdm_ties ties;
    tdm_seen seen;
    tdm_duplicates duplicates; /* which of a person's rows for one item stays, within each part */
    float positive_from;       /* rated below this: never a positive target; NaN: nothing is below */
    bool refit;          /* validation rows are training rows too: what they chose is fitted again before the test */
    uint64_t seed; /* of the shuffle of ties, the drawn validation of `files` and the drawn items of `cold-items` */
} tdm_protocol;

/* n questions: "what will this person choose next, given this history?" with the answers. */
typedef struct tdm_questions {
    size_t n;
    const uint32_t *user;      /* n; the person's number in the dataset */
    const int64_t *now;        /* n; time of the first answer, or TDM_NO_TIME */
    const int64_t *history_at; /* n + 1: history of question q is [history_at[q], history_at[q + 1]) */
    const uint32_t *item;
    const float *rating;
    const int64_t *time;
    const int64_t *target_at; /* n + 1 */
    const uint32_t *target;
    const float *target_rating;   /* NaN: none */
    const uint8_t *target_counts; /* 1: a relevant item of the ranking; 0: a dislike, or seen before under seen=filter.
                                     Ratings are judged on all targets */
    const uint8_t *barred;        /* a number an item, the split's: 1, and it does not rank. NULL: all may */
    size_t newest;                /* questions are asked with so many of their newest items alone; 0: with all */
    void *owner;
} tdm_questions;

typedef struct tdm_split {
    tdm_dataset *train; /* the same people, items and texts; only training interactions. Closed with the split */
    tdm_questions validation, test;
    uint8_t *barred; /* an item: 1 where it may not rank on test, since only the cold ones are asked for; or NULL */
} tdm_split;

tdm_status tdm_split_make(tdm_split **out, const tdm_dataset *d, const tdm_protocol *p, tdm_err *err);
void tdm_split_close(tdm_split *s);

/* The history that question `q` is asked with. `self` is the person's training row; nobody's where the history is cut,
 * since that row would tell the rest of it. */
tdm_history tdm_questions_history(const tdm_questions *qs, size_t q);

/* A copy holding only the questions whose person falls, by a seeded hash of the id, into [low, high) of [0, 1). */
tdm_status tdm_questions_part(tdm_questions *out, const tdm_questions *qs, const tdm_dataset *d, double low,
                              double high, uint64_t seed, tdm_err *err);
void tdm_questions_clear(tdm_questions *qs);

/* "leave-one-out" and so on; -1 where the word names nothing. */
const char *tdm_split_kind_name(tdm_split_kind k);
int tdm_split_kind_parse(const char *word);

#endif
