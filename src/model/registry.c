/* SPDX-License-Identifier: Apache-2.0 */
#include "model/registry.h"

#include <string.h>

const tdm_model_ops *tdm_registry_find(tdm_registry r, const char *name)
{
    for (; *r; r++)
        if (!strcmp((*r)->name, name)) return *r;
    return NULL;
}
