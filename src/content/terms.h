/* SPDX-License-Identifier: Apache-2.0 */
/* terms.h - what items are called, as weighted terms.
 *
 *     item i:  term[offset[i] .. offset[i + 1]) rising, weight[]          a row of length 1, or empty
 *
 *     weight = (1 + log tf) * log(I / df), the row scaled to length 1    (Salton and Buckley, IP&M 1988)
 *
 * A term is a word of title, keywords or the head of the description, a pair of neighbouring title words, a brand, a
 * part of the category path, or a word of a brand or a part. A term keeps its kind: the brand "Dove" is not the word
 * "dove". Terms in fewer than min_df items join nothing and are left out, like those in more than half of all. An item
 * with neither title nor keywords is described by the words of the review summaries of the rows it is given: training
 * rows, so that no held-out review is read. */
#ifndef TDM_CONTENT_TERMS_H
#define TDM_CONTENT_TERMS_H

#include "data/dataset.h"

typedef struct tdm_terms {
    size_t I, V;
    int64_t *offset; /* I + 1 */
    uint32_t *term;
    float *weight;
    int64_t *from; /* V + 1: the same by term. Item rising, and its weight */
    uint32_t *item;
    float *weight_of;
} tdm_terms;

tdm_status tdm_terms_make(tdm_terms *out, const tdm_dataset *train, size_t min_df, size_t description_words,
                          tdm_err *err);
void tdm_terms_clear(tdm_terms *t); /* all-zero is fine */

/* Fills from, item and weight_of out of the rows. */
tdm_status tdm_terms_invert(tdm_terms *t, tdm_err *err);

/* The cosine of two items: their rows have length 1. */
double tdm_terms_dot(const tdm_terms *t, uint32_t a, uint32_t b);

#endif
