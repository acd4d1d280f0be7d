/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/trials.h"

#include "base/file.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

static bool all_numbers(const cJSON *list)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, list)
    {
        if (!cJSON_IsNumber(v)) return false;
    }
    return true;
}

static bool is_trial(const cJSON *line)
{
    const cJSON *value = of(line, "value"), *number = of(line, "trial");
    return cJSON_IsObject(line) && cJSON_IsString(of(line, "model")) && cJSON_IsString(of(line, "search")) &&
           cJSON_IsString(of(line, "reason")) && cJSON_IsString(of(line, "metric")) && cJSON_IsNumber(number) &&
           number->valuedouble >= 1 && (cJSON_IsNumber(value) || cJSON_IsNull(value)) &&
           cJSON_IsNumber(of(line, "seconds")) && of(line, "seconds")->valuedouble >= 0 &&
           cJSON_IsArray(of(line, "judged")) && all_numbers(of(line, "judged")) &&
           cJSON_IsObject(of(line, "settings")) && all_numbers(of(line, "settings"));
}

static tdm_status line_add(tdm_trials *t, tdm_str line, size_t number, tdm_err *err)
{
    cJSON *json = NULL;
    if (tdm_json_parse(&json, line.p, line.n, "a trial", NULL) || !is_trial(json)) {
        cJSON_Delete(json);
        return tdm_fail(err, TDM_E_FORMAT,
                        "%s: line %zu is no trial of a search; move the file away, and the search begins anew", t->path,
                        number);
    }
    if (cJSON_AddItemToArray(t->lines, json)) return TDM_OK;
    cJSON_Delete(json);
    return tdm_nomem(err, t->path);
}

tdm_status tdm_trials_read(tdm_trials *t, const char *path, const void *bytes, size_t n, tdm_err *err)
{
    *t = (tdm_trials){.path = tdm_strdup(path), .lines = cJSON_CreateArray()};
    tdm_status st = t->path && t->lines ? TDM_OK : tdm_nomem(err, path);
    size_t number = 1;
    for (const char *p = bytes, *end = p + n; !st && p < end; number++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t length = (size_t)((stop ? stop : end) - p);
        if (length) st = line_add(t, (tdm_str){p, length}, number, err);
        p += length + (stop != NULL);
    }
    if (st) tdm_trials_clear(t);
    return st;
}

tdm_status tdm_trials_open(tdm_trials *t, const char *path, tdm_err *err)
{
    tdm_map map = {.p = (const uint8_t *)""};
    *t = (tdm_trials){0};
    tdm_status st = tdm_file_exists(path) ? tdm_map_open(&map, path, err) : TDM_OK;
    if (st) return st;
    st = tdm_trials_read(t, path, map.p, map.n, err);
    tdm_map_close(&map);
    return st;
}

void tdm_trials_clear(tdm_trials *t)
{
    tdm_free(t->path);
    cJSON_Delete(t->lines);
    *t = (tdm_trials){0};
}

static void hex_of(char out[17], uint64_t search) { snprintf(out, 17, "%016llx", (unsigned long long)search); }

const cJSON *tdm_trials_find(const tdm_trials *t, const char *model, uint64_t search, size_t number)
{
    char hex[17];
    const cJSON *line;
    hex_of(hex, search);
    cJSON_ArrayForEach(line, t->lines)
    {
        if (of(line, "trial")->valuedouble == (double)(number + 1) && !strcmp(of(line, "search")->valuestring, hex) &&
            !strcmp(of(line, "model")->valuestring, model))
            return line;
    }
    return NULL;
}

void tdm_trial_settings(tdm_params *p, const cJSON *line)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, of(line, "settings")) for (size_t i = 0; p->table && p->table[i].name; i++)
    {
        bool inside = v->valuedouble >= p->table[i].low && v->valuedouble <= p->table[i].high;
        if (!strcmp(p->table[i].name, v->string) && inside) p->value[i] = v->valuedouble;
    }
}

double tdm_trial_value(const cJSON *line)
{
    const cJSON *v = of(line, "value");
    return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

double tdm_trial_judged(const cJSON *line, size_t step)
{
    const cJSON *v = of(line, "judged")->child;
    for (; v && step; step--) v = v->next;
    return v ? v->valuedouble : NAN;
}

static tdm_status write(const tdm_trials *t, tdm_err *err)
{
    const cJSON *line;
    tdm_buf out = {0};
    cJSON_ArrayForEach(line, t->lines)
    {
        char *text = cJSON_PrintUnformatted(line);
        tdm_buf_fmt(&out, "%s\n", text ? text : "");
        if (!text) out.failed = true;
        cJSON_free(text);
    }
    tdm_status st = out.failed ? tdm_nomem(err, t->path) : tdm_file_write(t->path, out.p, out.n, err);
    tdm_buf_clear(&out);
    return st;
}

tdm_status tdm_trials_add(tdm_trials *t, const char *model, uint64_t search, size_t number, const char *metric,
                          const tdm_trial *trial, tdm_err *err)
{
    char hex[17];
    hex_of(hex, search);
    cJSON *line = cJSON_CreateObject(), *settings;
    cJSON_AddStringToObject(line, "model", model);
    cJSON_AddStringToObject(line, "search", hex);
    cJSON_AddNumberToObject(line, "trial", (double)(number + 1));
    cJSON_AddStringToObject(line, "metric", metric);
    if (trial->end == TDM_TRIAL_FINISHED) cJSON_AddNumberToObject(line, "value", trial->value);
    else cJSON_AddNullToObject(line, "value");
    cJSON_AddItemToObject(line, "judged", cJSON_CreateDoubleArray(trial->judged, (int)trial->steps));
    cJSON_AddNumberToObject(line, "seconds", trial->seconds);
    tdm_json_add_text(line, "reason", tdm_str_of(trial->reason));
    settings = cJSON_AddObjectToObject(line, "settings");
    for (size_t i = 0; trial->settings.table && trial->settings.table[i].name; i++)
        if (trial->settings.table[i].search.to > trial->settings.table[i].search.from)
            cJSON_AddNumberToObject(settings, trial->settings.table[i].name, trial->settings.value[i]);
    if (!is_trial(line) || !cJSON_AddItemToArray(t->lines, line)) { /* a member that could not be made is missing */
        cJSON_Delete(line);
        return tdm_nomem(err, t->path);
    }
    return write(t, err);
}
