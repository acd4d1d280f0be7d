/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h - the type of the one list of models; api/registry.c fills it. */
#ifndef TDM_MODEL_REGISTRY_H
#define TDM_MODEL_REGISTRY_H

#include "model/model.h"

/* Every model there is, in an order in which `needs` come first; ends with NULL. */
typedef const tdm_model_ops *const *tdm_registry;

/* The model called `name`, or NULL. */
const tdm_model_ops *tdm_registry_find(tdm_registry r, const char *name);

#endif
