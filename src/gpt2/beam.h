/* SPDX-License-Identifier: Apache-2.0 */
/* beam.h - the likeliest ways to go on, as far as a beam of some texts sees.
 *
 * At each token the `width` likeliest continuations that have not ended go on; one that says an end token among the
 * width likeliest is done. The list is in order of
 *
 *     log p / ((5 + n) / 6)^alpha      n: tokens, the end among them
 *
 * (Wu et al., "Google's Neural Machine Translation System", 2016; alpha 0: of log p itself). The search ends when as
 * many as the width are done and none of those that go on can come before the last of them. Equal ones are in the order
 * in which they end, then of their beginnings, then of their tokens. */
#ifndef TDM_GPT2_BEAM_H
#define TDM_GPT2_BEAM_H

#include "gpt2/decode.h"
#include "gpt2/trie.h"

/* Which tokens may follow `said`: writes them, below V, into token[V], each once, and returns how many. None: nothing
 * may follow, which ends a continuation without an end token. */
typedef size_t tdm_beam_allow(void *ctx, uint32_t *token, const uint32_t *said, size_t n);

typedef struct tdm_beam_options {
    size_t width; /* at least 1; 1 with alpha 0 is greedy */
    size_t most;  /* tokens of a continuation at most, the end among them; at least 1 */
    float alpha;  /* 0 or more */
    const uint32_t *end;
    size_t n_end;          /* 0: continuations have `most` tokens */
    tdm_beam_allow *allow; /* NULL: all tokens may follow */
    void *ctx;
    bool among; /* p is among the tokens allowed, and only their logits are made; else among all V */
} tdm_beam_options;

typedef struct tdm_beam_found {
    uint32_t *token; /* n; without the end token */
    size_t n;
    double logp, score; /* the end token's among them */
    bool ended;         /* by an end token, or because nothing may follow; else by `most` */
} tdm_beam_found;

typedef struct tdm_beam {
    tdm_beam_found *found; /* the best first */
    size_t n;              /* at most the width; 0 where nothing may follow at all */
    uint32_t *room;        /* of all their tokens */
} tdm_beam;

/* Continues the prefix (at least one token; with `most` more at most T + 1). pool as for a decoder. Fails with
 * TDM_E_ARG where texts do not fit the model, TDM_E_NOMEM; `out` is empty then. */
tdm_status tdm_beam_search(tdm_beam *out, const tdm_gpt2_packed *packed, const uint32_t *prefix, size_t n_prefix,
                           const tdm_beam_options *o, tdm_pool *pool, tdm_err *err);
void tdm_beam_clear(tdm_beam *b);

/* A tdm_beam_allow along the titles of a catalogue: ctx is the const tdm_trie, whose `end` is an end token. */
size_t tdm_beam_along(void *ctx, uint32_t *token, const uint32_t *said, size_t n);

#endif
