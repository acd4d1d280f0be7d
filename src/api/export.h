/* SPDX-License-Identifier: Apache-2.0 */
/* export.h - what tdm_export is made of. */
#ifndef TDM_API_EXPORT_H
#define TDM_API_EXPORT_H

#include "tandem.h"

tdm_status tdm_export_gguf(const char *folder, const char *to, tdm_err *err);

#endif
