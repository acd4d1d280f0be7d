/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.h - what judging one folder and comparing two have in common. */
#ifndef TDM_API_EVALUATE_H
#define TDM_API_EVALUATE_H

#include "api/bundle.h"
#include "eval/document.h"

/* Fills in questions, catalogue, scale, cutoffs and vectors from the folder and the options. *on: "test" or
 * "validation"; *whose: the model whose item vectors measure diversity, NULL: none has any. */
tdm_status tdm_evaluate_questions(tdm_evaluate_input *in, const tdm_bundle *b, const tdm_options *o, const char **on,
                                  const char **whose, tdm_err *err);

/* Adds "text": what is written for people of `qs` beside what they wrote themselves (docs/answers.md). A folder whose
 * models write nothing, or people who wrote nothing, are an error. */
tdm_status tdm_evaluate_text(cJSON *document, const tdm_bundle *b, const tdm_questions *qs, tdm_run *run, tdm_err *err);

/* Adds "dataset", "split", "ties", "seen", "protocol" and "on". */
void tdm_evaluation_describe(cJSON *o, const tdm_bundle *b, const char *on);

/* Adds "ablation", where the folder has a hybrid that learned from validation people: what it is without some of its
 * parts, on the first few thousand people of in->questions. */
tdm_status tdm_ablation_add(cJSON *document, const tdm_bundle *b, const tdm_evaluate_input *in, tdm_run *run,
                            tdm_err *err);

#endif
