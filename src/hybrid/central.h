/* SPDX-License-Identifier: Apache-2.0 */
/* central.h - what reviewers of an item have in common to say: of the sentences that other people wrote about it in
 * training rows, the one that shares most words with the others.
 *
 *     centrality(s) = sum over the other sentences t of F1(words of s, words of t)
 *
 * with words as text/terms.h has them, a word shared as often as both have it; of equals the first. Sentences end at
 * . ! or ?, or with a line; they have 4 to 40 words, at most TDM_CENTRAL_BYTES bytes, no quotation mark inside, and
 * pass tdm_sentence_form. The first 64 of them are read, in the order of the people, which is drawn. */
#ifndef TDM_HYBRID_CENTRAL_H
#define TDM_HYBRID_CENTRAL_H

#include "hybrid/explain.h"

enum { TDM_CENTRAL_BYTES = 240 };

/* Appends the sentence, tidy, to `out`: the most central one without a blocked word, of in->item, by others than
 * `asker` (or TDM_NONE) who did not dislike it. Nothing where there is none. Reads in->train, in->item,
 * in->positive_from and in->block. */
tdm_status tdm_central_find(tdm_buf *out, const tdm_explain_input *in, uint32_t asker, tdm_err *err);

#endif
