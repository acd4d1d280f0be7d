/* SPDX-License-Identifier: Apache-2.0 */
#include "data/json_judge.h"

#include "data/python.h"

#include <math.h>
#include <string.h>

static cJSON *whole(tdm_str s)
{
    const char *end = NULL;
    cJSON *j = cJSON_ParseWithLengthOpts(s.p, s.n, &end, 0);
    if (j && (!cJSON_IsObject(j) || tdm_str_trim((tdm_str){end, (size_t)(s.p + s.n - end)}).n)) {
        cJSON_Delete(j);
        j = NULL;
    }
    return j;
}

cJSON *judge_parse(tdm_str text, bool *python, tdm_buf *spare)
{
    text = tdm_str_trim(text);
    if (text.n < 2 || text.p[0] != '{') return NULL;
    cJSON *j = whole(text);
    if (j) return j;
    tdm_buf_reset(spare);
    tdm_python_json(spare, text);
    if (spare->failed || !spare->n) return NULL;
    j = whole((tdm_str){spare->p, spare->n});
    if (j && memchr(text.p, '\'', text.n)) *python = true;
    return j;
}

void judge_text(tdm_buf *out, const cJSON *v)
{
    if (cJSON_IsString(v)) tdm_buf_str(out, v->valuestring);
    else if (cJSON_IsNumber(v)) {
        double d = v->valuedouble;
        if (floor(d) == d && fabs(d) < 0x1p63) tdm_buf_fmt(out, "%lld", (long long)d);
        else tdm_buf_fmt(out, "%.17g", d);
    } else if (cJSON_IsBool(v)) tdm_buf_str(out, cJSON_IsTrue(v) ? "true" : "false");
    else if (cJSON_IsArray(v)) {
        size_t at = out->n;
        const cJSON *m;
        cJSON_ArrayForEach(m, v)
        {
            size_t was = out->n;
            if (was > at) tdm_buf_char(out, '\n');
            size_t from = out->n;
            judge_text(out, m);
            if (out->n == from && !out->failed) out->n = was;
        }
    }
}
