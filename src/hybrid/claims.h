/* SPDX-License-Identifier: Apache-2.0 */
/* claims.h - all that names things in a catalogue, so that a text can be searched for names at once. Inside this folder
 * and for who opens a recommender.
 *
 * A text is its words: runs of letters and digits, ASCII's in any case. These name something:
 *
 *     an id that has a digit
 *     a title of several words; one of one word where it is written as a name, with its capital, and begins no sentence
 *     a part of a title between marks, of two words or more, one of which few titles have
 *     three words of a title in a row that few titles have, two of which few titles have
 *     a brand
 *     a category, of one or of many ("card" is "Cards")
 *
 * Few is an eighth of all titles, for three words in a row eight titles or a thousandth. */
#ifndef TDM_HYBRID_CLAIMS_H
#define TDM_HYBRID_CLAIMS_H

#include "data/dataset.h"

typedef struct tdm_claims tdm_claims; /* const, for any number of threads */

/* Reads ids, titles, brands and categories of `d`, which need not outlive it. */
tdm_status tdm_claims_open(tdm_claims **out, const tdm_dataset *d, tdm_err *err);
void tdm_claims_close(tdm_claims *c);

/* What the first name in `text` is that does not stand in `known`, word by word, in any one of its lines: "an item", "a
 * brand", "a category"; NULL: all of them do, or there is none. */
const char *tdm_claims_unbacked(const tdm_claims *c, tdm_str text, tdm_str known);

#endif
