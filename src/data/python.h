/* SPDX-License-Identifier: Apache-2.0 */
/* python.h - a Python dict, as old dumps print it, written as JSON. Inside this floor only. */
#ifndef TDM_DATA_PYTHON_H
#define TDM_DATA_PYTHON_H

#include "base/bytes.h"

/* Appends `dict` as JSON: strings in ' or " with any prefix u or b, their escapes (\x, \U, \'), None, True and False,
 * nan and inf as null, tuples as lists, 5L as 5. JSON stays as it is. What is neither comes out as something that is no
 * JSON: whoever reads it finds that out. */
void tdm_python_json(tdm_buf *out, tdm_str dict);

#endif
