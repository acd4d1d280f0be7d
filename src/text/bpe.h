/* SPDX-License-Identifier: Apache-2.0 */
/* bpe.h - byte-level byte-pair encoding, exactly GPT-2's, and the learning of one from text.
 *
 * Text is cut by GPT-2's expression (PCRE2, with Unicode classes); the bytes of a piece are merged pair by pair, the
 * lowest rank first. Any bytes go in and come out again: bytes that are not UTF-8 are pieces of their own. (A foreign vocabulary that lacks
 * a byte cannot say it and leaves it out.) */
#ifndef TDM_TEXT_BPE_H
#define TDM_TEXT_BPE_H

#include "base/run.h"
#include "base/bytes.h"

typedef struct tdm_bpe tdm_bpe; /* const use is safe from many threads */

/* Reads vocab.json (or encoder.json) and merges.txt (or vocab.bpe) of a folder, and added_tokens.json and
 * special_tokens_map.json where they are. */
tdm_status tdm_bpe_open(tdm_bpe **out, const char *folder, tdm_err *err);
void tdm_bpe_close(tdm_bpe *b);

/* Learns up to `vocabulary` tokens (bytes and merges) from `texts`, deterministic at any number of threads; `special`
 * are added tokens (NULL at the end), numbered behind the others, that plain text never encodes to. */
tdm_status tdm_bpe_learn(tdm_bpe **out, const tdm_strings *texts, size_t vocabulary, const char *const *special,
                         tdm_run *run, tdm_err *err);

/* Adds special tokens to an opened vocabulary; those that are there keep their number. */
tdm_status tdm_bpe_add_special(tdm_bpe *b, const char *const *special, tdm_err *err);

/* Writes vocab.json, merges.txt, added_tokens.json, special_tokens_map.json, tokenizer_config.json into `folder`. */
tdm_status tdm_bpe_save(const tdm_bpe *b, const char *folder, tdm_err *err);

size_t tdm_bpe_size(const tdm_bpe *b);                            /* tokens, special ones included */
uint32_t tdm_bpe_special(const tdm_bpe *b, const char *name);     /* a special token's number, or UINT32_MAX */

/* ---- a vocabulary as its files write it ---- */

bool tdm_bpe_is_special(const tdm_bpe *b, uint32_t token);

/* Appends a token as vocab.json has it: bytes in GPT-2's alphabet, a special token's name. False: no token has the number. */
bool tdm_bpe_written(const tdm_bpe *b, uint32_t token, tdm_buf *out);

size_t tdm_bpe_merges(const tdm_bpe *b);
void tdm_bpe_merge_written(const tdm_bpe *b, size_t rank, tdm_buf *out); /* appends "left right", as merges.txt has it */

/* The token that begins and ends a text: "<|endoftext|>", else the first special one, else UINT32_MAX. */
uint32_t tdm_bpe_main_special(const tdm_bpe *b);

/* ---- text ---- */

typedef struct tdm_tokens { uint32_t *at; size_t n, cap; } tdm_tokens; /* all zero is empty; tdm_free(at) */

/* Appends the tokens of `text` to `out`. A special token's name in `text` is plain text. */
tdm_status tdm_bpe_encode(const tdm_bpe *b, tdm_tokens *out, tdm_str text, tdm_err *err);

/* Appends the bytes of a token (a special one: nothing). */
void tdm_bpe_decode(const tdm_bpe *b, tdm_buf *out, const uint32_t *tokens, size_t n);

#endif
