/* SPDX-License-Identifier: Apache-2.0 */
#include "api/answer.h"

#include "base/mem.h"

tdm_status tdm_answer(char **text, cJSON *json, tdm_err *err)
{
    char *made = json ? cJSON_Print(json) : NULL;
    *text = made ? tdm_strdup(made) : NULL;
    cJSON_free(made);
    cJSON_Delete(json);
    return *text ? TDM_OK : tdm_nomem(err, "an answer");
}

void tdm_text_free(char *text) { tdm_free(text); }
