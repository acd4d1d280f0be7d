/* SPDX-License-Identifier: Apache-2.0 */
/* describe.h - what a raw file is, for people who wonder why it is read as it is. */
#ifndef TDM_DATA_DESCRIBE_H
#define TDM_DATA_DESCRIBE_H

#include "base/json.h"

/* {"kind": "raw file", "holds": "interactions" or "items", "format", "packing", "columns": names or keys, "roles":
 * {role: number of the column}, "first": up to three records}. A file that is neither is an error that says what it is.
 */
tdm_status tdm_raw_describe(cJSON **out, const char *path, tdm_err *err);

#endif
