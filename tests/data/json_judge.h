/* SPDX-License-Identifier: Apache-2.0 */
/* json_judge.h - objects through cJSON: the slow, plain reader that the fast one is held to. */
#ifndef TDM_TESTS_JSON_JUDGE_H
#define TDM_TESTS_JSON_JUDGE_H

#include "base/json.h"

/* Parses one object, as JSON or else as a Python dict (*python is then set, never cleared). NULL: neither. `spare` is
 * room to work in. */
cJSON *judge_parse(tdm_str text, bool *python, tdm_buf *spare);

/* Appends a value as text: a number in full, the members of a list each on a line; nothing for null and objects. */
void judge_text(tdm_buf *out, const cJSON *v);

#endif
