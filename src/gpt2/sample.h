/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h - how a token is drawn from logits.
 *
 * The steps, each on what the one before it has left, which is the order of the common library:
 *
 *     penalty      the logit of a token that was said already is divided by it where positive, else multiplied
 *                  (Keskar et al., "CTRL: A Conditional Transformer Language Model", 2019)
 *     temperature  logits are divided by it
 *     top_k        the likeliest so many
 *     top_p        the fewest of the likeliest that hold this share (Holtzman et al., "The Curious Case of Neural Text
 *                  Degeneration", ICLR 2020)
 *     min_p        those at least this share as likely as the likeliest (Nguyen et al., "Turning Up the Heat: Min-p
 *                  Sampling for Creative and Coherent LLM Outputs", 2024)
 *     one draw     with the probabilities that these have among themselves
 *
 * The order of equal logits is that of the tokens, so the same stream draws the same token. */
#ifndef TDM_GPT2_SAMPLE_H
#define TDM_GPT2_SAMPLE_H

#include "base/rng.h"
#include "base/status.h"

typedef struct tdm_sampling {
    float temperature; /* 0: the likeliest token, and no draw */
    size_t top_k;      /* 0: all */
    float top_p;       /* 0 or 1: all */
    float min_p;       /* 0: all; at most 1 */
    float penalty;     /* 0 or 1: none; above 1: what was said becomes less likely */
    size_t window;     /* of what was said, so many tokens count; 0: all */
} tdm_sampling;

/* What a token is drawn from. */
typedef struct tdm_choice {
    const uint32_t *allowed; /* n tokens, in any order, each once; NULL: all V */
    size_t n;                /* at least 1 where there is `allowed` */
    const uint32_t *said;    /* what stands before, newest last; for the penalty only */
    size_t n_said;
} tdm_choice;

typedef struct tdm_sampler tdm_sampler; /* the scratch of draws; one thread uses one at a time */

/* For logits of V >= 1 tokens. */
tdm_status tdm_sampler_open(tdm_sampler **out, size_t V, tdm_err *err);
void tdm_sampler_close(tdm_sampler *s);

/* Draws one token from V logits. *logp (may be NULL): its log-probability among all V as the model has it, before any
 * of the steps. Logits that are NaN are never drawn; where none can be, it is the first of the allowed. */
uint32_t tdm_sample(tdm_sampler *s, const float *logits, const tdm_choice *from, const tdm_sampling *how, tdm_rng *rng,
                    double *logp);

double tdm_log_mass(const float *logits, size_t V); /* the log of the sum of exp over all V */

#endif
