/* SPDX-License-Identifier: Apache-2.0 */
/* texts.h - written texts beside those that people wrote themselves.
 *
 * A text is its words (text/terms.h). Every measure is of a whole list of pairs, in [0, 1] but for diversity.
 *
 *     bleu@n       corpus BLEU of one reference: min(1, exp(1 - r/c)) exp(mean over k <= n of log p_k); p_k are the
 * clipped matches of all pairs over all written k-grams, r and c all words of the references and of the written texts;
 * 0 where a p_k is (Papineni et al. 2002) rouge@n      mean F1 of clipped n-gram matches; rouge@l of the longest common
 * subsequence (Lin 2004) distinct@n   different n-grams over all n-grams of the written texts (Li et al. 2016) usr
 * different texts over all texts, by their words (unique sentence ratio) fmr          of the pairs whose reference
 * names a feature: the share that names the first of them (feature matching) fcr          features named in any text
 * over all features (feature coverage) diversity    mean over pairs of texts of how many features both name; less is
 * more diverse
 *
 * The last four are of Li, Zhang and Chen ("Generate Neural Template Explanations for Recommendation", 2020;
 * "Personalized Transformer for Explainable Recommendation", 2021). A feature is a single word that the caller lists.
 */
#ifndef TDM_EVAL_TEXTS_H
#define TDM_EVAL_TEXTS_H

#include "base/bytes.h"
#include "base/status.h"
#include "text/terms.h"

#define TDM_TEXT_MEASURES(X)                                                                                           \
    X(bleu1, "bleu@1")                                                                                                 \
    X(bleu4, "bleu@4")                                                                                                 \
    X(rouge1, "rouge@1")                                                                                               \
    X(rouge2, "rouge@2")                                                                                               \
    X(rougel, "rouge@l")                                                                                               \
    X(distinct1, "distinct@1")                                                                                         \
    X(distinct2, "distinct@2")                                                                                         \
    X(usr, "usr")                                                                                                      \
    X(fmr, "fmr")                                                                                                      \
    X(fcr, "fcr")                                                                                                      \
    X(diversity, "diversity")

typedef struct tdm_text_scores {
#define X(field, name) double field;
    TDM_TEXT_MEASURES(X)
#undef X
} tdm_text_scores;

typedef struct tdm_text_pair {
    tdm_str written, reference;
} tdm_text_pair;

/* feature: n_features hashes of words, rising. Measures without a case (no pairs, no features) are 0. */
tdm_status tdm_texts_score(tdm_text_scores *out, const tdm_text_pair *pair, size_t n, const uint64_t *feature,
                           size_t n_features, tdm_err *err);

#endif
