/* SPDX-License-Identifier: Apache-2.0 */
/* items.h - GPT-2 over item tokens: a history is a sequence, every position foretells the next item. */
#ifndef TDM_GPT2_ITEMS_H
#define TDM_GPT2_ITEMS_H

#include "model/model.h"

extern const tdm_model_ops tdm_gpt2_items_ops;

#endif
