/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/file.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

tdm_status tdm_json_parse(cJSON **out, const char *text, size_t n, const char *name, tdm_err *err)
{
    const char *end = NULL;
    *out = cJSON_ParseWithLengthOpts(text, n, &end, 0);
    size_t at = end ? (size_t)(end - text) : 0;
    if (*out) {
        tdm_str rest = tdm_str_trim((tdm_str){text + at, n - at});
        if (rest.n == 0 || (rest.n == 1 && rest.p[0] == 0)) return TDM_OK;
        cJSON_Delete(*out);
        *out = NULL;
    }
    return tdm_fail(err, TDM_E_FORMAT, "%s: not valid JSON at byte %zu", name, at);
}

tdm_status tdm_json_read(cJSON **out, const char *path, tdm_err *err)
{
    tdm_map m;
    *out = NULL;
    tdm_status st = tdm_map_open(&m, path, err);
    if (st) return st;
    st = tdm_json_parse(out, (const char *)m.p, m.n, path, err);
    tdm_map_close(&m);
    return st;
}

tdm_status tdm_json_write(const cJSON *json, const char *path, tdm_err *err)
{
    char *text = cJSON_Print(json);
    if (!text) return tdm_nomem(err, path);
    tdm_str pieces[] = {tdm_str_of(text), tdm_str_of("\n")};
    tdm_status st = tdm_file_write_pieces(path, pieces, 2, err);
    cJSON_free(text);
    return st;
}

double tdm_json_num(const cJSON *o, const char *key, double otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsNumber(v) ? v->valuedouble : otherwise;
}

const char *tdm_json_str(const cJSON *o, const char *key, const char *otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsString(v) ? v->valuestring : otherwise;
}

bool tdm_json_bool(const cJSON *o, const char *key, bool otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsBool(v) ? cJSON_IsTrue(v) : otherwise;
}

void tdm_json_quote(tdm_buf *out, tdm_str s)
{
    tdm_buf_char(out, '"');
    while (s.n) {
        uint32_t c;
        size_t n = tdm_utf8_next(s, &c);
        if (c == '"' || c == '\\') tdm_buf_fmt(out, "\\%c", (char)c);
        else if (c == '\n') tdm_buf_str(out, "\\n");
        else if (c < 0x20 || c == 0x7f) tdm_buf_fmt(out, "\\u%04x", c);
        else if (c == TDM_UTF8_BAD) tdm_buf_str(out, "\\ufffd");
        else tdm_buf_add(out, s.p, n);
        s.p += n;
        s.n -= n;
    }
    tdm_buf_char(out, '"');
}

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
