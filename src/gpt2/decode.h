/* SPDX-License-Identifier: Apache-2.0 */
/* decode.h - token after token with a KV cache, for many texts at once.
 *
 * Texts may share what they begin with: a fork costs nothing until the two differ. A token's numbers are the same
 * whatever else is in the step with it and however many threads work on it; what is fed many tokens at a time agrees
 * with what is fed one by one up to the rounding of sums. A cache is never shifted: learned positions are part of every
 * key, so who outgrows a cache begins anew with the newest tokens. */
#ifndef TDM_GPT2_DECODE_H
#define TDM_GPT2_DECODE_H

#include "gpt2/gpt2.h"
#include "kernels/packed.h"

/* ---- weights as a decoder reads them ---- */

typedef struct tdm_gpt2_packed tdm_gpt2_packed; /* const, for any number of decoders and threads */

/* f32 reads g's own weights and takes no room; bf16 and i8 are made from them, half and a quarter as many bytes. `g`
 * outlives it. Embeddings, LayerNorms and prompts of many tokens are read from g in any case. */
tdm_status tdm_gpt2_packed_open(tdm_gpt2_packed **out, const tdm_gpt2 *g, tdm_weights kind, tdm_pool *pool,
                                tdm_err *err);
void tdm_gpt2_packed_close(tdm_gpt2_packed *p);
size_t tdm_gpt2_packed_bytes(const tdm_gpt2_packed *p); /* read for one token, its logits included */

/* ---- texts ---- */

typedef struct tdm_decoder tdm_decoder; /* one thread uses one at a time */

/* Room for `texts` texts, 0 .. texts - 1, of up to `most` tokens (<= T); pages are made as texts grow. `packed`
 * outlives the decoder; pool NULL: all on the calling thread, as inside a task of a pool. */
tdm_status tdm_decoder_open(tdm_decoder **out, const tdm_gpt2_packed *packed, size_t texts, size_t most, tdm_pool *pool,
                            tdm_err *err);
void tdm_decoder_close(tdm_decoder *d);

/* Appends n tokens to a text; one that outgrows `most` is TDM_E_ARG. Afterwards row 0 is what stands behind the last.
 */
tdm_status tdm_decoder_feed(tdm_decoder *d, size_t text, const uint32_t *tokens, size_t n, tdm_err *err);

/* Appends one token to each of n different texts, in one pass over the weights. Afterwards row i is text[i]'s. */
tdm_status tdm_decoder_step(tdm_decoder *d, const size_t *text, const uint32_t *token, size_t n, tdm_err *err);

size_t tdm_decoder_length(const tdm_decoder *d, size_t text);
void tdm_decoder_rewind(tdm_decoder *d, size_t text, size_t n); /* keeps the first n tokens */
void tdm_decoder_fork(tdm_decoder *d, size_t to, size_t from);  /* `to` becomes what `from` is now */

/* Of the rows of the last feed or step: the state (C floats, behind the final LayerNorm), the logits (V a row, of the
 * first n rows), and the logits of some tokens alone, which cost as many products. */
const float *tdm_decoder_state(const tdm_decoder *d, size_t row);
void tdm_decoder_logits(tdm_decoder *d, float *logits, size_t n);
void tdm_decoder_logits_of(const tdm_decoder *d, size_t row, float *logits, const uint32_t *token, size_t n);

#endif
