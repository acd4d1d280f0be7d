/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h - the one list of models. A new model is one file and one line here. */
#ifndef TDM_API_REGISTRY_H
#define TDM_API_REGISTRY_H

#include "model/registry.h"

enum { TDM_MAX_MODELS = 32 };

/* Every model, in an order in which what a model needs comes before it; NULL at the end. */
extern const tdm_model_ops *const tdm_models[];

/* Which of them `words` ("ease,hybrid"; NULL: all but the optional ones) asks for, with what those need added:
 * chosen[i] is set where tdm_models[i] is wanted. An unknown name is an error that names the nearest one. */
tdm_status tdm_models_choose(unsigned char chosen[TDM_MAX_MODELS], const char *words, tdm_err *err);

/* The place of a name in tdm_models, or -1. */
int tdm_models_index(tdm_str name);

#endif
