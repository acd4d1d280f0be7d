/* SPDX-License-Identifier: Apache-2.0 */
/* explain.h - why an item: evidence first, then a sentence that says it. */
#ifndef TDM_HYBRID_EXPLAIN_H
#define TDM_HYBRID_EXPLAIN_H

#include "base/json.h"
#include "hybrid/claims.h"
#include "model/model.h"

/* What became of sentences: how many GPT-2 wrote, how many are a reviewer's, how many are plain, how many are none; for
 * how many GPT-2 had to try again; and of its tries, those that came to no sentence, were refused for a blocked word,
 * and for what is no evidence. */
#define TDM_EXPLAIN_COUNTS(X)                                                                                          \
    X(gpt2) X(review) X(evidence) X(none) X(again) X(tries) X(unfinished) X(blocked) X(unbacked)

/* Whose sentence stands; where it has none to say, the next one's does: a reviewer's (central.h), then GPT-2's, then
 * the plain one made from the evidence. */
typedef enum tdm_speaker { TDM_SPEAKER_GPT2, TDM_SPEAKER_REVIEW, TDM_SPEAKER_EVIDENCE } tdm_speaker;

/* "gpt2", "review", "evidence"; -1 where the word names none. */
const char *tdm_speaker_name(tdm_speaker s);
int tdm_speaker_parse(const char *word);

typedef struct tdm_explain_counts {
#define X(name) uint64_t name;
    TDM_EXPLAIN_COUNTS(X)
#undef X
} tdm_explain_counts;

typedef struct tdm_explain_input {
    const tdm_dataset *data;  /* ids and titles */
    const tdm_dataset *train; /* what may be cited: training rows */
    const tdm_model *model;   /* whose recommendation it is: the hybrid or any other */
    const tdm_model *writer;  /* has ops->write; NULL: none was trained */
    tdm_speaker speaker;
    const tdm_history *history;
    uint32_t item;
    const tdm_block *block; /* words that no sentence may hold; NULL: none is blocked */
    float positive_from;    /* rated below: not a "because you liked"; NaN: nothing is */
    uint64_t seed;
    const tdm_claims *claims;   /* of `data`; NULL: made for this one explanation, which takes a look at all titles */
    bool lead;                  /* what GPT-2 or a reviewer says stands behind what led to it, else alone */
    tdm_explain_counts *counts; /* is added to; NULL: nobody counts */
    tdm_draft_fn *draft;        /* told what is written, as far as it passes the check, word by word; NULL: nobody is */
    void *draft_ctx;
} tdm_explain_input;

/* Adds to `o` the members "because", "rest", "neighbours", "evidence", "text", "text_source" ("gpt2", "review",
 * "evidence", or "none" where every sentence would hold a blocked word), for "gpt2" "written" and for "review" "quote",
 * what GPT-2 or the reviewer said alone, and "tries", as docs/answers.md lists them. */
tdm_status tdm_explain(cJSON *o, const tdm_explain_input *in, tdm_err *err);

#endif
