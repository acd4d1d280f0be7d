/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF. */
#ifndef TDM_BASE_UTF8_H
#define TDM_BASE_UTF8_H

#include "base/bytes.h"

enum { TDM_UTF8_BAD = 0x110000 }; /* what tdm_utf8_next gives for a byte that begins no valid character */

/* The first character of `s` (s.n > 0) into *c; returns its length in bytes. A bad byte gives TDM_UTF8_BAD and 1. */
size_t tdm_utf8_next(tdm_str s, uint32_t *c);

bool tdm_utf8_valid(tdm_str s);

/* The longest prefix of at most `n` bytes that does not cut a character. */
tdm_str tdm_utf8_cut(tdm_str s, size_t n);

/* Appends code point `c` (<= 0x10FFFF) in UTF-8. */
void tdm_utf8_add(tdm_buf *b, uint32_t c);

#endif
