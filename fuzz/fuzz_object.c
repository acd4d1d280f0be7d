/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_object.c - any bytes as one object. Where cJSON reads one without Python's help, so do we, and values are UTF-8
 * whatever came. */
#include "base/utf8.h"
#include "data/object.h"
#include "data/json_judge.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int every_other(void *ctx, tdm_str key) { return (*(int *)ctx)++ & 1 ? -1 : (int)(key.n & 0xff); }

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static tdm_objects *o;
    tdm_err err;
    const tdm_object_value *v;
    size_t values;
    bool whole, python = false;
    int asked = 0;
    if (!o && tdm_objects_open(&o, &err)) return 0;
    if (tdm_object_read(o, (tdm_str){(const char *)p, n}, every_other, &asked, &python, &v, &values, &whole, &err))
        return 0;
    if (!whole && values) abort();
    for (size_t i = 0; i < values; i++)
        if (v[i].slot < 0 || v[i].slot > 255 || !tdm_utf8_valid(v[i].text)) abort();
    tdm_buf spare = {0};
    tdm_str text = tdm_str_trim((tdm_str){(const char *)p, n});
    bool strict = tdm_utf8_valid(text);
    for (size_t i = 0; i < text.n && strict; i++) strict = (unsigned char)text.p[i] >= ' ' && text.p[i] != '\\';
    cJSON *j = strict ? judge_parse(text, &python, &spare) : NULL;
    if (j && !whole) abort();
    cJSON_Delete(j);
    tdm_buf_clear(&spare);
    return 0;
}
