/* SPDX-License-Identifier: Apache-2.0 */
/* document.h - an evaluation as the JSON document that `tandem evaluate --json` prints, and what is made from it. */
#ifndef TDM_EVAL_DOCUMENT_H
#define TDM_EVAL_DOCUMENT_H

#include "base/json.h"
#include "eval/evaluate.h"
#include "eval/influence.h"

/* Adds "people", "held_out", "targets", "ratings", "cutoffs", "main", "chance", "models", "comparisons", "slices",
 * "best_part" and "definitions" to `o`. `subject` is the model whose best rival is looked for; SIZE_MAX: none. */
tdm_status tdm_evaluation_add(cJSON *o, const tdm_evaluation *e, size_t subject, tdm_err *err);

/* Adds "long_tail", where somebody was judged: "items" (shares of the catalogue, the most chosen first), and what these
 * have of all that was chosen in training ("data") and of each model's recommendations ("models"); and "calibration",
 * where ratings were: for each model a list of groups, "ratings" (how many), and their means "predicted" and "given".
 */
tdm_status tdm_evaluation_add_figures(cJSON *o, const tdm_evaluation *e, tdm_err *err);

/* Adds "influence": "people", "list" (how long) and "history", for each class of length with somebody in it "people"
 * and "parts", each part's mean share; where somebody was asked. */
tdm_status tdm_evaluation_add_influence(cJSON *o, const tdm_influence *v, tdm_err *err);

/* A hybrid without some of its parts: what to call it, and the names it lacks, NULL at the end. */
typedef struct tdm_ablated {
    const char *name;
    const char *lacks[TDM_INFLUENCE_PARTS + 1];
} tdm_ablated;

/* Adds "ablation" from an evaluation of the whole hybrid and after it of n that lack something, all learned from
 * `labels` people: "people", "labels", "whole" and "without", by name: the two measures of the main cutoff, "lacks",
 * and "change", what each of these measures loses. */
tdm_status tdm_evaluation_add_ablation(cJSON *o, const tdm_evaluation *e, const tdm_ablated *a, size_t n, size_t labels,
                                       tdm_err *err);

/* Adds "one_click", what tdm_evaluate_click found: "people", and for each model the two measures of the main cutoff and
 * how many times popularity's recall its recall is (left out where popularity finds nothing), or chance's. */
tdm_status tdm_evaluation_add_click(cJSON *o, const tdm_evaluation *e, tdm_err *err);

/* The document as a table for a terminal `width` columns wide. */
tdm_status tdm_evaluation_table(tdm_buf *out, const cJSON *document, size_t width, tdm_err *err);

/* The document as one HTML file that needs no other. */
tdm_status tdm_evaluation_html(tdm_buf *out, const cJSON *document, tdm_err *err);

#endif
