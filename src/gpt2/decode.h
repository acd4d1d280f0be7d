/* SPDX-License-Identifier: Apache-2.0 */
/* decode.h - token after token with a KV cache; and how a token is drawn. */
#ifndef TDM_GPT2_DECODE_H
#define TDM_GPT2_DECODE_H

#include "base/rng.h"
#include "gpt2/gpt2.h"

typedef struct tdm_decoder tdm_decoder; /* one thread uses one at a time */

/* Room for `most` tokens (<= T). `g` outlives the decoder. */
tdm_status tdm_decoder_open(tdm_decoder **out, const tdm_gpt2 *g, size_t most, tdm_err *err);
void tdm_decoder_close(tdm_decoder *d);

/* Appends n tokens; a text that outgrows `most` is TDM_E_ARG. Afterwards tdm_decoder_logits gives V logits for the next. */
tdm_status tdm_decoder_feed(tdm_decoder *d, const uint32_t *tokens, size_t n, tdm_err *err);
const float *tdm_decoder_logits(const tdm_decoder *d);
size_t tdm_decoder_length(const tdm_decoder *d);
void tdm_decoder_rewind(tdm_decoder *d, size_t n); /* keeps the first n tokens; feed again before asking for logits */

typedef struct tdm_sampling {
    float temperature; /* 0: the likeliest token */
    size_t top_k;      /* 0: all */
    float top_p;       /* 0 or 1: all */
} tdm_sampling;

/* Draws one of the `n` tokens allowed[] (NULL: all V). *logp: its log-probability among all V at temperature 1. The
 * order of equal logits is that of the tokens, so the same stream draws the same token. `work`: V floats and V
 * indices of scratch, both the caller's. */
uint32_t tdm_sample(const float *logits, size_t V, const uint32_t *allowed, size_t n, const tdm_sampling *how,
                    tdm_rng *rng, double *logp, float *work, uint32_t *work_at);

#endif
