/* SPDX-License-Identifier: Apache-2.0 */
/* content.h - recommends by what items are called: the one model that has an opinion on what nobody has chosen yet. */
#ifndef TDM_CONTENT_CONTENT_H
#define TDM_CONTENT_CONTENT_H

#include "model/model.h"

extern const tdm_model_ops tdm_content_ops;

#endif
