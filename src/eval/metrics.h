/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - what one ranking is worth to one person, and what many rankings do to a catalogue; no models here.
 *
 * L is the first k of the ranking, R the person's relevant items (at least one), rel_i 1 where the i-th of L is in R:
 *
 *     precision  hits / k                          recall  hits / |R|
 *     f1         2 precision recall / (precision + recall); 0 where both are 0
 *     map        sum over i of rel_i * (hits among the first i) / i, divided by min(k, |R|)
 *     ndcg       sum over i of rel_i / log2(i + 1), divided by the same sum for min(k, |R|) hits on top
 *     mrr        1 / place of the first hit; 0    hit     1 where there is a hit; else 0
 *
 * A ranking shorter than k is one without hits in the missing places: precision still divides by k. */
#ifndef TDM_EVAL_METRICS_H
#define TDM_EVAL_METRICS_H

#include "data/split.h"

#define TDM_METRIC_LIST(X)                                                                                             \
    X(PRECISION, "precision")                                                                                          \
    X(RECALL, "recall")                                                                                                \
    X(F1, "f1")                                                                                                        \
    X(MAP, "map")                                                                                                      \
    X(NDCG, "ndcg")                                                                                                    \
    X(MRR, "mrr")                                                                                                      \
    X(HIT, "hit")

typedef enum tdm_metric {
#define X(id, name) TDM_##id,
    TDM_METRIC_LIST(X)
#undef X
        TDM_METRICS
} tdm_metric;

const char *tdm_metric_name(tdm_metric m);

/* The relevant items of question q: its counted targets, each once, in order of their index. `set` has room for all
 * targets of the question. Returns how many. */
size_t tdm_relevant(uint32_t *set, const tdm_questions *qs, size_t q);

/* All metrics at cutoff k > 0 of a ranking of n items without repeats. `relevant` is sorted; R = 0 gives zeros. */
void tdm_metrics(double value[TDM_METRICS], const uint32_t *list, size_t n, const uint32_t *relevant, size_t R,
                 size_t k);

/* Gini coefficient of n counts, 0 where all are equal (or zero), towards 1 where one has everything:
 * sum over i of (2 i - n - 1) x_i / (n * sum of x), x sorted upwards. Sorts `counts`. */
double tdm_gini(uint32_t *counts, size_t n);

#endif
