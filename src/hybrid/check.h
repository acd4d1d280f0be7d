/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - whether a written sentence may be shown: it must say nothing checkable that the evidence does not. Inside
 * this folder only. */
#ifndef TDM_HYBRID_CHECK_H
#define TDM_HYBRID_CHECK_H

#include "hybrid/claims.h"

enum { TDM_SENTENCE_BYTES = 360 };

/* `known` is all that was evidence, a text a line. Refused (false, *why says it in a few words; why may be NULL): what
 * is empty, too long, not UTF-8 or not one line; a number, in digits or from "two" on, that is not in `known` beside
 * one of the same words; a sign of money or percent that is not in `known`; a name of the catalogue (claims.h) that is
 * not in one of its lines. */
bool tdm_sentence_check(const char **why, tdm_str sentence, tdm_str known, const tdm_claims *c);

/* The first half of it: whether it is neither empty nor too long, UTF-8 and one line. For what somebody said, which is
 * its own evidence. */
bool tdm_sentence_form(tdm_str sentence);

#endif
