/* SPDX-License-Identifier: Apache-2.0 */
/* items_parts.h - what the files of gpt2-items share. Not for others: they see items.h.
 *
 * Token i < I is item i; token I begins every history, so that a person's first item is foretold too and an empty
 * history has an answer. A history's newest `window` items stand behind it. */
#ifndef TDM_GPT2_ITEMS_PARTS_H
#define TDM_GPT2_ITEMS_PARTS_H

#include "gpt2/gpt2.h"
#include "gpt2/items.h"
#include "gpt2/train.h"

/* ---- the model ---- */

enum { TDM_ITEMS_UNKNOWN, TDM_ITEMS_WORDS, TDM_ITEMS_CHOSEN }; /* by nothing, by its words alone, by training rows */

typedef struct tdm_items {
    tdm_model base;
    tdm_params p;
    size_t I;
    const tdm_strings *id; /* of items; the training set's */
    tdm_gpt2 *g;           /* V = I + 1; wte is the effective table E */
    uint8_t *known;        /* I: what says something about the item */
    float *prior;          /* I: log of the share of training rows that chose it */
    size_t K;              /* length of a content vector; 0: the items have no words */
    float *P;              /* K x C: the projection that is part of E; NULL where K is 0 */
} tdm_items;

extern const tdm_param tdm_items_params[];

/* An empty one of this shape; `content` is the model of needs[0], or NULL. *S (may be NULL): its vectors, I x K,
 * borrowed; NULL where there are none. */
tdm_status tdm_items_open(tdm_items **out, const float **S, const tdm_dataset *train, const tdm_model *content,
                          const tdm_params *p, tdm_err *err);
void tdm_items_close(tdm_model *m);

tdm_gpt2_shape tdm_items_shape(const tdm_params *p, size_t I);

tdm_status tdm_items_fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err);
tdm_status tdm_items_because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err);
tdm_status tdm_items_save(const tdm_model *m, const char *path, tdm_err *err);
tdm_status tdm_items_load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                          tdm_err *err);

/* Writes a history as tokens: the beginning, then its newest items, at most s.T tokens in all; items outside the
 * catalogue are passed over. `skip` (or SIZE_MAX) is a place in the history to leave out. Returns how many tokens. */
size_t tdm_items_tokens(const tdm_items *m, uint32_t *token, const tdm_history *h, size_t skip);

/* ---- feed: training histories as packed batches (items_feed.c) ---- */

typedef struct tdm_items_feed {
    const uint32_t *item;     /* of the training set, borrowed */
    uint32_t begin;           /* the token that begins a history */
    size_t S, N;              /* pieces; their items in all, which is how many tokens an epoch has */
    size_t steps;             /* batches of an epoch */
    size_t most;              /* tokens of a batch at most */
    int64_t *at;              /* S: where a piece's items begin */
    uint32_t *n;              /* S: how many they are, 1 .. T */
    uint32_t *order;          /* S: pieces in this epoch's order */
    size_t next, done;        /* pieces and tokens given out in this epoch */
    size_t step;              /* batches given out in this epoch */
    uint32_t *token, *target; /* most */
    uint32_t *start;          /* most + 1 */
} tdm_items_feed;

/* Batches of about `tokens` tokens; pieces of T at most. */
tdm_status tdm_items_feed_open(tdm_items_feed *f, const tdm_dataset *train, size_t T, size_t tokens, tdm_err *err);
void tdm_items_feed_clear(tdm_items_feed *f);
void tdm_items_feed_epoch(tdm_items_feed *f, uint64_t seed, uint64_t epoch); /* shuffles and starts again */
tdm_gpt2_batch tdm_items_feed_next(tdm_items_feed *f);                       /* steps times an epoch */

/* ---- table: E = W + S P (items_table.c) ---- */

typedef struct tdm_items_table {
    size_t I, C, K;
    const float *S;       /* I x K, or NULL */
    const uint8_t *known; /* I, borrowed */
    float *W;             /* I + 1 x C: rows of their own, the last for the beginning */
    float *P;             /* K x C */
    float *dP;            /* K x C */
} tdm_items_table;

/* Everything zero. `m` and S outlive the table. */
tdm_status tdm_items_table_open(tdm_items_table *t, const tdm_items *m, const float *S, size_t C, tdm_err *err);

/* W as `begin` (I + 1 x C) has it, P drawn. */
void tdm_items_table_begin(const tdm_items_table *t, const float *begin, uint64_t seed);
void tdm_items_table_clear(tdm_items_table *t);
void tdm_items_table_join(const tdm_items_table *t, float *E, tdm_pool *pool); /* E = W + S P */
/* dP = S^T dE; dE becomes dW. */
void tdm_items_table_backward(const tdm_items_table *t, float *dE, tdm_pool *pool);

#endif
