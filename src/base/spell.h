/* SPDX-License-Identifier: Apache-2.0 */
/* spell.h - what somebody may have meant. */
#ifndef TDM_BASE_SPELL_H
#define TDM_BASE_SPELL_H

#include "base/bytes.h"

/* Optimal string alignment distance of two short texts in bytes: insert, delete, replace, swap neighbours. Texts over
 * 64 bytes are compared by their first 64. (Levenshtein 1966; the swap is Damerau 1964.) */
size_t tdm_spell_distance(tdm_str a, tdm_str b);

/* The up to `n` of `all` nearest to `word`, nearest first (ties by their place), at most a third of the word away.
 * Returns how many there are. */
size_t tdm_spell_nearest(size_t *at, size_t n, tdm_str word, const tdm_strings *all);

#endif
