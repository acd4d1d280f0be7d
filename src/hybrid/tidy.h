/* SPDX-License-Identifier: Apache-2.0 */
/* tidy.h - what people wrote, made fit to stand inside a sentence of ours. Inside this folder only. */
#ifndef TDM_HYBRID_TIDY_H
#define TDM_HYBRID_TIDY_H

#include "base/bytes.h"

/* Appends `text` in one line: valid UTF-8, white space and control characters as single blanks, none at the ends. Over
 * `most` bytes it is cut behind a word, where there is one, and ends in an ellipsis. */
void tdm_tidy(tdm_buf *out, tdm_str text, size_t most);

/* The first sentence of `text` that is from `least` to `most` bytes long, its end mark included; empty where there is
 * none. It borrows from `text`, which is expected to be tidy. */
tdm_str tdm_tidy_sentence(tdm_str text, size_t least, size_t most);

/* A white-space or control character, or one that shows nothing. */
bool tdm_tidy_blank(uint32_t c);

/* A letter or a digit, as far as the ends of words go: ASCII's, and all that is beyond Latin-1's signs. */
bool tdm_tidy_letter(uint32_t c);

#endif
