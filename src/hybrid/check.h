/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - whether a written sentence may be shown: it must say nothing checkable that the evidence does not. Inside
 * this folder only. */
#ifndef TDM_HYBRID_CHECK_H
#define TDM_HYBRID_CHECK_H

#include "data/dataset.h"

enum { TDM_SENTENCE_BYTES = 320 };

/* `known` is all that was evidence, one text after another. Refused (false, *why says it in a few words; why may be
 * NULL): what is empty, too long, not UTF-8 or not one line; a number or a sign of money that is not in `known`; the
 * title of an item of the catalogue that is not in `known`. Titles of several words count in any letter case, those of
 * one word where they are written as a name: with their capital, and not as a sentence's first word. */
bool tdm_sentence_check(const char **why, tdm_str sentence, tdm_str known, const tdm_dataset *d);

/* The first half of it: whether it is neither empty nor too long, UTF-8 and one line. For what somebody said, which is
 * its own evidence. */
bool tdm_sentence_form(tdm_str sentence);

#endif
