/* SPDX-License-Identifier: Apache-2.0 */
/* words.h - the words of a text: runs of letters and digits in lower case. */
#ifndef TDM_CONTENT_WORDS_H
#define TDM_CONTENT_WORDS_H

#include "base/bytes.h"

/* Takes the next word off the front of *text into word[cap], without a NUL; returns its length, 0 at the end. A word
 * is cut at `cap`. Letters and digits are those of ASCII and every character from U+00C0 on but punctuation, symbols
 * and spaces; an apostrophe inside a word is left out ("women's": "womens"). Lower case covers Latin, Greek and
 * Cyrillic. Bytes that are not UTF-8 separate words. */
size_t tdm_words_next(char *word, size_t cap, tdm_str *text);

#endif
