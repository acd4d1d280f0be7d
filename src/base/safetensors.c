/* SPDX-License-Identifier: Apache-2.0 */
#include "base/safetensors.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
#define X(name, size) {#name, size},
    TDM_DTYPE_LIST(X)
#undef X
};
enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

struct tdm_safetensors {
    char *path;
    tdm_map map;
    cJSON *header; /* owns the names */
    tdm_tensor *t;
    size_t n;
};

size_t tdm_dtype_size(tdm_dtype t) { return dtypes[t].size; }
const char *tdm_dtype_name(tdm_dtype t) { return dtypes[t].name; }

size_t tdm_tensor_count(const tdm_tensor *t)
{
    size_t n = 1;
    for (size_t i = 0; i < t->dims; i++) n *= t->shape[i];
    return n;
}

tdm_tensor tdm_tensor_1d(const char *name, tdm_dtype t, const void *data, size_t n)
{
    return (tdm_tensor){.name = name, .dtype = t, .dims = 1, .shape = {n}, .data = data};
}

tdm_tensor tdm_tensor_2d(const char *name, tdm_dtype t, const void *data, size_t rows, size_t columns)
{
    return (tdm_tensor){.name = name, .dtype = t, .dims = 2, .shape = {rows, columns}, .data = data};
}

void tdm_tensor_strings(tdm_tensor out[2], const char *offset_name, const char *bytes_name, const tdm_strings *s)
{
    out[0] = tdm_tensor_1d(offset_name, TDM_I64, s->offset, s->n + 1);
    out[1] = tdm_tensor_1d(bytes_name, TDM_U8, s->bytes, (size_t)s->offset[s->n]);
}

/* ---- read ---- */

static bool whole_number(const cJSON *v, size_t limit, size_t *out)
{
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0) || v->valuedouble > (double)limit) return false;
    *out = (size_t)v->valuedouble;
    return (double)*out == v->valuedouble;
}

/* Fills `t` from its header entry; `bytes` is what lies behind the header. */
static bool entry_read(tdm_tensor *t, const cJSON *e, const uint8_t *data, size_t bytes)
{
    const char *dtype = tdm_json_str(e, "dtype", "");
    int k = 0;
    while (k < DTYPES && strcmp(dtypes[k].name, dtype)) k++;
    if (k == DTYPES) return false;
    t->name = e->string;
    t->dtype = (tdm_dtype)k;
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(e, "shape"), *d;
    if (!cJSON_IsArray(shape)) return false;
    size_t count = 1;
    cJSON_ArrayForEach(d, shape)
    {
        if (t->dims == TDM_MAX_DIMS || !whole_number(d, SIZE_MAX >> 12, &t->shape[t->dims])) return false;
        if (__builtin_mul_overflow(count, t->shape[t->dims], &count)) return false;
        t->dims++;
    }
    size_t begin, end, need;
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(e, "data_offsets");
    if (cJSON_GetArraySize(o) != 2) return false;
    if (!whole_number(cJSON_GetArrayItem(o, 0), bytes, &begin) || !whole_number(cJSON_GetArrayItem(o, 1), bytes, &end))
        return false;
    if (begin > end || __builtin_mul_overflow(count, dtypes[k].size, &need) || end - begin != need) return false;
    t->data = data + begin;
    return true;
}

static tdm_status header_read(tdm_safetensors *s, tdm_err *err)
{
    uint64_t h = 0;
    if (s->map.n >= 8)
        for (int i = 0; i < 8; i++) h |= (uint64_t)s->map.p[i] << 8 * i;
    if (s->map.n < 8 || h > s->map.n - 8)
        return tdm_fail(err, TDM_E_FORMAT, "%s: not a safetensors file, or cut short: %zu bytes", s->path, s->map.n);
    tdm_status st = tdm_json_parse(&s->header, (const char *)s->map.p + 8, (size_t)h, s->path, err);
    if (st) return st;
    if (!cJSON_IsObject(s->header))
        return tdm_fail(err, TDM_E_FORMAT, "%s: its safetensors header is not an object", s->path);
    s->t = tdm_new((size_t)cJSON_GetArraySize(s->header), sizeof *s->t);
    if (!s->t) return tdm_nomem(err, s->path);
    const cJSON *e;
    cJSON_ArrayForEach(e, s->header)
    {
        if (!strcmp(e->string, "__metadata__")) continue;
        if (tdm_safetensors_find(s, e->string))
            return tdm_fail(err, TDM_E_FORMAT, "%s: tensor %.80s is there twice", s->path, e->string);
        if (!entry_read(&s->t[s->n], e, s->map.p + 8 + h, s->map.n - 8 - (size_t)h))
            return tdm_fail(err, TDM_E_FORMAT, "%s: tensor %.80s does not fit the file of %zu bytes", s->path,
                            e->string, s->map.n);
        s->n++;
    }
    return TDM_OK;
}

tdm_status tdm_safetensors_open(tdm_safetensors **out, const char *path, tdm_err *err)
{
    *out = NULL;
    tdm_safetensors *s = tdm_new(1, sizeof *s);
    if (!s || !(s->path = tdm_strdup(path))) {
        tdm_free(s);
        return tdm_nomem(err, path);
    }
    tdm_status st = tdm_map_open(&s->map, path, err);
    if (!st) st = header_read(s, err);
    if (st) tdm_safetensors_close(s);
    else *out = s;
    return st;
}

void tdm_safetensors_close(tdm_safetensors *s)
{
    if (!s) return;
    cJSON_Delete(s->header);
    tdm_map_close(&s->map);
    tdm_free(s->t);
    tdm_free(s->path);
    tdm_free(s);
}

size_t tdm_safetensors_n(const tdm_safetensors *s) { return s->n; }
const tdm_tensor *tdm_safetensors_at(const tdm_safetensors *s, size_t i) { return &s->t[i]; }

const tdm_tensor *tdm_safetensors_find(const tdm_safetensors *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->t[i].name, name)) return &s->t[i];
    return NULL;
}

const char *tdm_safetensors_meta(const tdm_safetensors *s, const char *key)
{
    return tdm_json_str(cJSON_GetObjectItemCaseSensitive(s->header, "__metadata__"), key, NULL);
}

tdm_status tdm_safetensors_need(const tdm_safetensors *s, const void **data, const char *name, tdm_dtype t,
                                size_t count, tdm_err *err)
{
    const tdm_tensor *x = tdm_safetensors_find(s, name);
    *data = NULL;
    if (!x) return tdm_fail(err, TDM_E_FORMAT, "%s: there is no tensor %s", s->path, name);
    size_t n = tdm_tensor_count(x);
    if (x->dtype != t || n != count)
        return tdm_fail(err, TDM_E_FORMAT, "%s: tensor %s holds %zu %s where %zu %s are expected", s->path, name, n,
                        dtypes[x->dtype].name, count, dtypes[t].name);
    if ((uintptr_t)x->data % dtypes[t].size)
        return tdm_fail(err, TDM_E_FORMAT, "%s: tensor %s is not aligned to its elements", s->path, name);
    *data = x->data;
    return TDM_OK;
}

tdm_status tdm_safetensors_strings(const tdm_safetensors *s, tdm_strings *out, const char *name, size_t n, tdm_err *err)
{
    char key[256];
    const void *offset, *bytes;
    *out = (tdm_strings){0};
    snprintf(key, sizeof key, "%s.offset", name);
    tdm_status st = tdm_safetensors_need(s, &offset, key, TDM_I64, n + 1, err);
    if (st) return st;
    const int64_t *o = offset;
    bool rising = o[0] == 0;
    for (size_t i = 0; rising && i < n; i++) rising = o[i] <= o[i + 1];
    if (!rising) return tdm_fail(err, TDM_E_FORMAT, "%s: tensor %s does not rise from 0", s->path, key);
    snprintf(key, sizeof key, "%s.bytes", name);
    st = tdm_safetensors_need(s, &bytes, key, TDM_U8, (size_t)o[n], err);
    if (!st) *out = (tdm_strings){bytes, o, n};
    return st;
}
