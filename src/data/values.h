/* SPDX-License-Identifier: Apache-2.0 */
/* values.h - JSON objects out of a stream: one a line, several to a line, over several lines, in one array.
 * Inside this floor only. */
#ifndef TDM_DATA_VALUES_H
#define TDM_DATA_VALUES_H

#include "base/bytes.h"

/* What a line or a piece holds once an array's brackets and the commas between its values are off. */
tdm_str tdm_value_strip(tdm_str line);

/* The object that begins `ahead`, behind blanks, commas and brackets. Returns how many bytes to take with it; 0: more
 * are needed. *value is empty where only such filler was left, or *broken is set and it is a line that begins no object
 * or one that never closes. */
size_t tdm_value_next(tdm_str *value, bool *broken, tdm_str ahead, bool last);

#endif
