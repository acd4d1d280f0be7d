/* SPDX-License-Identifier: Apache-2.0 */
/* score.h - how likely are these ways to go on? Many continuations of one beginning, which is read once. */
#ifndef TDM_GPT2_SCORE_H
#define TDM_GPT2_SCORE_H

#include "gpt2/decode.h"

/* Continuation q is token[start[q] .. start[q + 1]), q < n, as in a batch (gpt2.h); an empty one has log p 0.
 *
 *     sum[q] = log p(continuation q | prefix)          n; may be NULL
 *     logp[i] = log p(token[i] | what stands before)   start[n]; may be NULL
 *
 * among all V tokens, as tdm_gpt2_logp has it up to the rounding of sums, and the same whatever else is asked with it.
 * prefix: at least one token; it and each continuation together at most T + 1. pool as for a decoder. Fails with
 * TDM_E_ARG where a text does not fit the model, TDM_E_NOMEM. */
tdm_status tdm_gpt2_score(const tdm_gpt2_packed *packed, double *sum, float *logp, const uint32_t *prefix,
                          size_t n_prefix, const uint32_t *token, const uint32_t *start, size_t n, tdm_pool *pool,
                          tdm_err *err);

#endif
