/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/told.h"

#include "base/mem.h"
#include "tune/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

/* The search, by its hash, whose best trial has these settings; NULL: none. */
static const char *search_find(const tdm_trials *t, const tdm_model_ops *ops, const tdm_params *chosen)
{
    const tdm_space s = tdm_space_of(ops->params);
    const cJSON *line;
    cJSON_ArrayForEach(line, t->lines)
    {
        size_t same = 0;
        if (strcmp(of(line, "model")->valuestring, ops->name) || isnan(tdm_trial_value(line))) continue;
        for (size_t d = 0; d < s.D; d++)
            same += tdm_json_num(of(line, "settings"), s.table[s.at[d]].name, NAN) == chosen->value[s.at[d]];
        if (same == s.D) return of(line, "search")->valuestring;
    }
    return NULL;
}

/* ---- importance ---- */

typedef struct placed {
    double x, rank;
} placed;

static int by_x(const void *a, const void *b)
{
    double x = ((const placed *)a)->x, y = ((const placed *)b)->x;
    return x < y ? -1 : x > y;
}

/* Equal values stay in one part, whatever that does to the parts' sizes. */
static double between_thirds(placed *p, size_t n)
{
    double mean = 0, all = 0, between = 0;
    qsort(p, n, sizeof *p, by_x);
    for (size_t i = 0; i < n; i++) mean += p[i].rank / (double)n;
    for (size_t i = 0; i < n; i++) all += pow(p[i].rank - mean, 2);
    for (size_t third = 0, from = 0; third < TDM_TOLD_THIRDS && from < n; third++) {
        size_t to = n * (third + 1) / TDM_TOLD_THIRDS;
        double sum = 0;
        if (to <= from) continue;
        while (to < n && p[to].x - p[to - 1].x < 1e-9) to++;
        for (size_t i = from; i < to; i++) sum += p[i].rank;
        between += pow(sum / (double)(to - from) - mean, 2) * (double)(to - from);
        from = to;
    }
    return all > 0 ? between / all : 0;
}

static double rank_of(const tdm_tried *tried, size_t n, size_t k)
{
    double rank = 0;
    for (size_t i = 0; i < n; i++) rank += tdm_tried_better(&tried[k], &tried[i]);
    return rank;
}

/* ---- the answer ---- */

static tdm_status parameters_add(cJSON *o, const tdm_space *s, const tdm_tried *tried, size_t n, tdm_err *err)
{
    static const char *const scales[] = {"linear", "log", "integer"};
    cJSON *list = cJSON_AddObjectToObject(o, "parameters");
    placed *p = tdm_new(n, sizeof *p);
    for (size_t d = 0; p && d < s->D; d++) {
        const tdm_param *param = &s->table[s->at[d]];
        cJSON *one = cJSON_AddObjectToObject(list, param->name);
        for (size_t k = 0; k < n; k++) p[k] = (placed){tried[k].x[d], rank_of(tried, n, k)};
        cJSON_AddNumberToObject(one, "from", param->search.from);
        cJSON_AddNumberToObject(one, "to", param->search.to);
        cJSON_AddStringToObject(one, "scale", scales[param->scale]);
        cJSON_AddNumberToObject(one, "importance", n < TDM_TOLD_FEWEST ? 0 : between_thirds(p, n));
    }
    tdm_free(p);
    return p ? TDM_OK : tdm_nomem(err, "a search");
}

tdm_status tdm_search_tell(cJSON *to, const tdm_trials *t, const tdm_model_ops *ops, const tdm_params *chosen,
                           tdm_err *err)
{
    const char *search = search_find(t, ops, chosen);
    if (!search) return TDM_OK;
    const tdm_space s = tdm_space_of(ops->params);
    size_t room = (size_t)cJSON_GetArraySize(t->lines), n = 0;
    tdm_tried *tried = tdm_new(room, sizeof *tried);
    cJSON *o = cJSON_AddObjectToObject(to, ops->name), *list = cJSON_CreateArray();
    double first = NAN, best = NAN, at = 0, seconds = 0;
    const cJSON *line;
    cJSON_ArrayForEach(line, t->lines)
    {
        if (!tried || strcmp(of(line, "search")->valuestring, search)) continue;
        tdm_params p = tdm_params_standard(ops->params);
        double value = tdm_trial_value(line);
        cJSON *copy = cJSON_Duplicate(line, true);
        tdm_trial_settings(&p, line);
        tried[n] = tdm_tried_of(line);
        tdm_space_point(tried[n].x, &s, &p);
        n += tried[n].value > -INFINITY;
        seconds += of(line, "seconds")->valuedouble;
        if (of(line, "trial")->valuedouble == 1) first = value;
        if (isnan(best) || value > best) best = value, at = of(line, "trial")->valuedouble;
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "model");
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "search");
        cJSON_AddItemToArray(list, copy);
        if (!of(o, "metric")) cJSON_AddStringToObject(o, "metric", of(line, "metric")->valuestring);
    }
    if (!isnan(first)) cJSON_AddNumberToObject(o, "first", first);
    cJSON_AddNumberToObject(o, "value", best);
    cJSON_AddNumberToObject(o, "best", at);
    cJSON_AddNumberToObject(o, "seconds", seconds);
    tdm_status st = tried ? parameters_add(o, &s, tried, n, err) : tdm_nomem(err, "a search");
    cJSON_AddItemToObject(o, "trials", list);
    tdm_free(tried);
    return st;
}
