/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - a JSON document on its way out of the library. */
#ifndef TDM_API_ANSWER_H
#define TDM_API_ANSWER_H

#include "base/json.h"

/* Turns `json` into the text that a caller gets and deletes it; NULL counts as memory that ran short. */
tdm_status tdm_answer(char **text, cJSON *json, tdm_err *err);

/* A string member from borrowed text; bytes that are not UTF-8 become U+FFFD. Returns the member or NULL. */
cJSON *tdm_json_add_text(cJSON *o, const char *key, tdm_str s);

#endif
