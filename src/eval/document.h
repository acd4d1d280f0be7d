/* SPDX-License-Identifier: Apache-2.0 */
/* document.h - an evaluation as the JSON document that `tandem evaluate --json` prints, and what is made from it. */
#ifndef TDM_EVAL_DOCUMENT_H
#define TDM_EVAL_DOCUMENT_H

#include "base/json.h"
#include "eval/evaluate.h"

/* Adds "people", "held_out", "targets", "ratings", "cutoffs", "main", "models", "comparisons", "slices", "best_part"
 * and "definitions" to `o`. `subject` is the model whose best rival is looked for; SIZE_MAX: none. */
tdm_status tdm_evaluation_add(cJSON *o, const tdm_evaluation *e, size_t subject, tdm_err *err);

/* The document as a table for a terminal `width` columns wide. */
tdm_status tdm_evaluation_table(tdm_buf *out, const cJSON *document, size_t width, tdm_err *err);

/* The document as one HTML file that needs no other. */
tdm_status tdm_evaluation_html(tdm_buf *out, const cJSON *document, tdm_err *err);

#endif
