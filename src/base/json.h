/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - small JSON files and objects, over cJSON. Big logs are not read through this. */
#ifndef TDM_BASE_JSON_H
#define TDM_BASE_JSON_H

#include "base/bytes.h"
#include "base/status.h"

#include <cjson/cJSON.h>

/* Parses all of `text`; trailing bytes other than white space are an error. `name` is what the error calls it. The
 * caller cJSON_Delete()s. */
tdm_status tdm_json_parse(cJSON **out, const char *text, size_t n, const char *name, tdm_err *err);
tdm_status tdm_json_read(cJSON **out, const char *path, tdm_err *err);

/* Writes `json` indented, with a last newline, atomically. */
tdm_status tdm_json_write(const cJSON *json, const char *path, tdm_err *err);

/* A member of an object, or the default where it is missing or of another type. */
double tdm_json_num(const cJSON *o, const char *key, double otherwise);
const char *tdm_json_str(const cJSON *o, const char *key, const char *otherwise);
bool tdm_json_bool(const cJSON *o, const char *key, bool otherwise);

/* Adds a string member from borrowed text; NUL and bytes that are not UTF-8 become U+FFFD. The member, or NULL where
 * memory is short. */
cJSON *tdm_json_add_text(cJSON *o, const char *key, tdm_str s);

/* Appends `s` to `out` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void tdm_json_quote(tdm_buf *out, tdm_str s);

#endif
