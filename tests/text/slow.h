/* SPDX-License-Identifier: Apache-2.0 */
/* slow.h - GPT-2's encoding straight from its description (openai/gpt-2, src/encoder.py), for tests to hold the fast
 * one against: the whole expression by PCRE2, then round after round over the strings of a piece. Stops the test where
 * memory or a file fails. */
#ifndef TDM_TESTS_TEXT_SLOW_H
#define TDM_TESTS_TEXT_SLOW_H

#include "base/bytes.h"

#include <stdbool.h>

typedef struct slow slow;

slow *slow_open(const char *merges); /* the path of a vocab.bpe or merges.txt */
void slow_close(slow *s);

/* The end of the piece that begins at `at`. */
size_t slow_cut(slow *s, tdm_str text, size_t at);

/* Appends the tokens of `text` as the original writes them, each with a line's end behind it. */
void slow_encode(slow *s, tdm_buf *out, tdm_str text);

/* Appends bytes in the alphabet of the original's files. */
void slow_write(tdm_buf *out, tdm_str bytes);

#endif
