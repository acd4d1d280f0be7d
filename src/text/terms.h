/* SPDX-License-Identifier: Apache-2.0 */
/* terms.h - a text as its words: runs of letters, digits and bytes beyond ASCII, ASCII letters in lower case.
 * Punctuation is no word. */
#ifndef TDM_TEXT_TERMS_H
#define TDM_TEXT_TERMS_H

#include "base/bytes.h"

#include <stdbool.h>

enum { TDM_TEXT_WORDS = 512 }; /* words of a text that are read */

/* The words of `text` as 64-bit hashes (XXH3; that two words of a log share one is as likely as a broken disk), at most
 * TDM_TEXT_WORDS; returns how many. */
size_t tdm_text_words(uint64_t word[TDM_TEXT_WORDS], tdm_str text);

/* The next word of *rest in its own letters; false: there is none. */
bool tdm_text_word(tdm_str *word, tdm_str *rest);

void tdm_terms_sort(uint64_t *term, size_t n); /* rising */

/* How many two rising lists share, each as often as both have it. */
size_t tdm_terms_shared(const uint64_t *a, size_t n, const uint64_t *b, size_t m);

#endif
