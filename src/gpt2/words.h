/* SPDX-License-Identifier: Apache-2.0 */
/* words.h - GPT-2 over byte-level BPE: it reads histories as text and writes the reason beside a recommendation. */
#ifndef TDM_GPT2_WORDS_H
#define TDM_GPT2_WORDS_H

#include "model/model.h"

extern const tdm_model_ops tdm_gpt2_words_ops;

/* Refuses parameters that ask for adapters where there is nothing pretrained to put them beside (`pretrained` NULL). A
 * fit does too; this needs no data. */
tdm_status tdm_gpt2_words_check(const tdm_params *p, const char *pretrained, tdm_err *err);

#endif
