/* SPDX-License-Identifier: Apache-2.0 */
/* diverse.h - lists that do not say the same thing ten times. */
#ifndef TDM_HYBRID_DIVERSE_H
#define TDM_HYBRID_DIVERSE_H

#include "model/model.h"

typedef struct tdm_diversity {
    double weight;        /* 0 .. 1: 0 is the plain ranking, 1 looks at nothing but how unlike items are */
    const float *vectors; /* I x K: how alike items are is the cosine of theirs; one of zeros is like none */
    size_t K;
} tdm_diversity;

/* Puts `n` of `found` ranked items first and returns how many they are, min(n, found). Each is, in turn, the one with
 * the largest
 *
 *     (1 - weight) relevance - weight (largest cosine to one already taken)
 *
 * (maximal marginal relevance: Carbonell and Goldstein 1998), where relevance is the score brought to 0 .. 1 over the
 * `found`; equals stay in their order, so the first is the first. scores go with their items. scratch: found floats. */
size_t tdm_diverse(uint32_t *items, float *scores, size_t found, size_t n, const tdm_diversity *d, float *scratch);

/* How many candidates a list of k is made from: ten times as many, at least 100, at most all I items. */
size_t tdm_diverse_depth(size_t k, size_t I);

/* tdm_model_topk, then that: among tdm_diverse_depth of w->k. d NULL or of weight 0: as it is. */
tdm_status tdm_diverse_topk(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B,
                            const tdm_wanted *w, size_t I, const tdm_diversity *d, tdm_err *err);

#endif
