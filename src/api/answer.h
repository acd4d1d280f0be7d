/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - a JSON document on its way out of the library. */
#ifndef TDM_API_ANSWER_H
#define TDM_API_ANSWER_H

#include "base/json.h"

/* Turns `json` into the text that a caller gets and deletes it; NULL counts as memory that ran short. */
tdm_status tdm_answer(char **text, cJSON *json, tdm_err *err);

#endif
