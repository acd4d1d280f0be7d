/* SPDX-License-Identifier: Apache-2.0 */
#include "model/stored.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static size_t table_length(const tdm_param *table)
{
    size_t n = 0;
    while (table && table[n].name) n++;
    return n;
}

tdm_status tdm_stored_write(const char *path, const char *name, const tdm_params *p, const tdm_tensor *t, size_t n,
                            tdm_err *err)
{
    tdm_tensor all[TDM_STORED_TENSORS];
    assert(n < TDM_STORED_TENSORS);
    all[0] = tdm_tensor_1d("parameters", TDM_F64, p->value, table_length(p->table));
    for (size_t i = 0; i < n; i++) all[i + 1] = t[i];
    const char *meta[] = {"model", name, NULL};
    return tdm_safetensors_write(path, all, n + 1, meta, err);
}

tdm_status tdm_stored_open(tdm_safetensors **out, tdm_params *p, const char *path, const char *name,
                           const tdm_param *table, tdm_err *err)
{
    *out = NULL;
    *p = tdm_params_standard(table);
    tdm_safetensors *s;
    tdm_status st = tdm_safetensors_open(&s, path, err);
    if (st) return st;
    const char *is = tdm_safetensors_meta(s, "model");
    const double *value;
    size_t n = table_length(table);
    if (!is || strcmp(is, name)) {
        st = tdm_fail(err, TDM_E_FORMAT, "%s: holds %.80s where the model %s is expected", path, is ? is : "no model",
                      name);
        goto fail;
    }
    st = tdm_stored_doubles(s, &value, path, "parameters", n, err);
    for (size_t i = 0; !st && i < n; i++)
        if ((st = tdm_params_set(p, path, table[i].name, value[i], err))) st = TDM_E_FORMAT;
    if (st) goto fail;
    *out = s;
    return TDM_OK;

fail:
    tdm_safetensors_close(s);
    return st;
}

tdm_status tdm_stored_floats(const tdm_safetensors *s, const float **data, const char *path, const char *name,
                             size_t count, tdm_err *err)
{
    const void *p;
    tdm_status st = tdm_safetensors_need(s, &p, name, TDM_F32, count, err);
    *data = p;
    for (size_t i = 0; !st && i < count; i++)
        if (!isfinite((*data)[i])) st = tdm_fail(err, TDM_E_FORMAT, "%s: %s[%zu] is not a number", path, name, i);
    return st;
}

tdm_status tdm_stored_doubles(const tdm_safetensors *s, const double **data, const char *path, const char *name,
                              size_t count, tdm_err *err)
{
    const void *p;
    tdm_status st = tdm_safetensors_need(s, &p, name, TDM_F64, count, err);
    *data = p;
    for (size_t i = 0; !st && i < count; i++)
        if (!isfinite((*data)[i])) st = tdm_fail(err, TDM_E_FORMAT, "%s: %s[%zu] is not a number", path, name, i);
    return st;
}
