/* SPDX-License-Identifier: Apache-2.0 */
/* values.h - JSON objects out of a stream: one a line, several to a line, over several lines, in one array; and
 * Python's way of writing a dict. Inside this floor only. */
#ifndef TDM_DATA_VALUES_H
#define TDM_DATA_VALUES_H

#include "base/json.h"

/* What a line or a piece holds once an array's brackets and the commas between its values are off. */
tdm_str tdm_value_strip(tdm_str line);

/* The object that begins `ahead`, behind blanks, commas and brackets. Returns how many bytes to take with it; 0: more
 * are needed. *value is empty where only such filler was left, or *broken is set and it is a line that begins no object
 * or one that never closes. */
size_t tdm_value_next(tdm_str *value, bool *broken, tdm_str ahead, bool last);

/* Parses one object, as JSON or else as a Python dict (*python is then set, never cleared). NULL: neither. `spare` is
 * room to work in. */
cJSON *tdm_value_parse(tdm_str text, bool *python, tdm_buf *spare);

/* Appends a value as text: a number in full, the members of a list each on a line; nothing for null and objects. */
void tdm_value_text(tdm_buf *out, const cJSON *v);

#endif
