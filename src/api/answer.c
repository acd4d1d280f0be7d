/* SPDX-License-Identifier: Apache-2.0 */
#include "api/answer.h"

#include "base/mem.h"
#include "base/utf8.h"

tdm_status tdm_answer(char **text, cJSON *json, tdm_err *err)
{
    char *made = json ? cJSON_Print(json) : NULL;
    *text = made ? tdm_strdup(made) : NULL;
    cJSON_free(made);
    cJSON_Delete(json);
    return *text ? TDM_OK : tdm_nomem(err, "an answer");
}

void tdm_text_free(char *text) { tdm_free(text); }

cJSON *tdm_json_add_text(cJSON *o, const char *key, tdm_str s)
{
    tdm_buf b = {0};
    tdm_buf_str(&b, "");
    while (s.n) {
        uint32_t c;
        size_t n = tdm_utf8_next(s, &c);
        if (c == TDM_UTF8_BAD || c == 0) tdm_utf8_add(&b, 0xfffd);
        else tdm_buf_add(&b, s.p, n);
        s.p += n;
        s.n -= n;
    }
    cJSON *added = b.failed ? NULL : cJSON_AddStringToObject(o, key, b.p);
    tdm_buf_clear(&b);
    return added;
}
