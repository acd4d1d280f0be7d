/* SPDX-License-Identifier: Apache-2.0 */
/* params.c - values of declared parameters, each checked against its range when it is set and never afterwards. */
#include "model/params.h"
#include "base/bytes.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static size_t table_length(const tdm_param *table)
{
    size_t n = 0;
    while (table && table[n].name) n++;
    assert(n <= TDM_MAX_PARAMS);
    return n;
}

static const tdm_param *table_find(const tdm_param *table, const char *name)
{
    for (const tdm_param *p = table; p && p->name; p++)
        if (!strcmp(p->name, name)) return p;
    return NULL;
}

tdm_params tdm_params_standard(const tdm_param *table)
{
    tdm_params p = {.table = table};
    for (size_t i = 0, n = table_length(table); i < n; i++) p.value[i] = table[i].standard;
    return p;
}

static tdm_status unknown(const tdm_params *p, const char *model, const char *name, tdm_err *err)
{
    tdm_buf names = {0};
    for (const tdm_param *t = p->table; t && t->name; t++) tdm_buf_fmt(&names, "%s%s", names.n ? ", " : "", t->name);
    tdm_status st = names.n ? tdm_fail(err, TDM_E_ARG, "%s has no parameter \"%.80s\"; it has %s", model, name, names.p)
                            : tdm_fail(err, TDM_E_ARG, "%s has no parameters, so \"%.80s\" cannot be set", model, name);
    tdm_buf_clear(&names);
    return st;
}

tdm_status tdm_params_set(tdm_params *p, const char *model, const char *name, double value, tdm_err *err)
{
    const tdm_param *t = table_find(p->table, name);
    if (!t) return unknown(p, model, name, err);
    bool whole = t->scale != TDM_INTEGER || value == floor(value);
    if (!(value >= t->low && value <= t->high) || !whole)
        return tdm_fail(err, TDM_E_ARG, "%s.%s is %g; allowed is a %s from %g to %g", model, name, value,
                        t->scale == TDM_INTEGER ? "whole number" : "number", t->low, t->high);
    p->value[t - p->table] = value;
    return TDM_OK;
}

double tdm_param_get(const tdm_params *p, const char *name)
{
    const tdm_param *t = table_find(p->table, name);
    assert(t);
    return t ? p->value[t - p->table] : NAN;
}
