/* SPDX-License-Identifier: Apache-2.0 */
#include "api/settings.h"
#include "api/registry.h"
#include "base/file.h"
#include "base/mem.h"
#include "eval/evaluate.h"
#include "gpt2/form.h"
#include "gpt2/words.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const ties_names[] = {"file", "shuffle", NULL}, *const seen_names[] = {"filter", "keep", NULL},
                         *const duplicates_names[] = {"newest", "oldest", "sum", "keep", NULL};

const char *tdm_ties_name(tdm_ties t) { return ties_names[t]; }
const char *tdm_seen_name(tdm_seen s) { return seen_names[s]; }

/* The place of `word` in `names`; NULL is the first. */
static tdm_status choose(int *out, const char *word, const char *const *names, const char *option, tdm_err *err)
{
    tdm_buf all = {0};
    *out = 0;
    for (int i = 0; word && names[i]; i++) {
        if (!strcmp(word, names[i])) {
            *out = i;
            tdm_buf_clear(&all);
            return TDM_OK;
        }
        tdm_buf_fmt(&all, "%s%s", i ? ", " : "", names[i]);
    }
    if (!word) return TDM_OK;
    tdm_fail(err, TDM_E_ARG, "--%s takes one of %s, not \"%s\"", option, all.p ? all.p : "?", word);
    tdm_buf_clear(&all);
    return TDM_E_ARG;
}

tdm_status tdm_protocol_parse(tdm_protocol *p, const tdm_options *o, bool has_times, uint64_t seed, tdm_err *err)
{
    int ties = 0, seen = 0, duplicates = 0;
    int split = o->split ? tdm_split_kind_parse(o->split) : has_times ? TDM_SPLIT_TIME : TDM_SPLIT_LEAVE_ONE_OUT;
    if (split < 0)
        return tdm_fail(err, TDM_E_ARG, "--split takes time, leave-one-out, ratio, files or cold-items, not \"%s\"",
                        o->split);
    if (split == TDM_SPLIT_TIME && !has_times)
        return tdm_fail(err, TDM_E_ARG, "--split time needs times, and this data has none; use leave-one-out or ratio");
    tdm_status st = choose(&ties, o->ties, ties_names, "ties", err);
    if (!st) st = choose(&seen, o->seen, seen_names, "seen", err);
    if (!st) st = choose(&duplicates, o->duplicates, duplicates_names, "duplicates", err);
    *p = (tdm_protocol){.split = (tdm_split_kind)split,
                        .ties = (tdm_ties)ties,
                        .seen = (tdm_seen)seen,
                        .duplicates = (tdm_duplicates)duplicates,
                        .positive_from = o->positive_from != 0 ? (float)o->positive_from : NAN,
                        .refit = o->refit != 0,
                        .seed = seed};
    return st;
}

cJSON *tdm_protocol_json(const tdm_protocol *p)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "split", tdm_split_kind_name(p->split));
    cJSON_AddStringToObject(o, "ties", ties_names[p->ties]);
    cJSON_AddStringToObject(o, "seen", seen_names[p->seen]);
    cJSON_AddStringToObject(o, "duplicates", duplicates_names[p->duplicates]);
    if (!isnan(p->positive_from)) cJSON_AddNumberToObject(o, "positive-from", (double)p->positive_from);
    if (p->refit) cJSON_AddTrueToObject(o, "refit");
    cJSON_AddNumberToObject(o, "seed", (double)p->seed);
    return o;
}

tdm_status tdm_protocol_read(tdm_protocol *p, const cJSON *json, const char *path, tdm_err *err)
{
    tdm_options o = {.split = tdm_json_str(json, "split", ""),
                     .ties = tdm_json_str(json, "ties", ""),
                     .seen = tdm_json_str(json, "seen", ""),
                     .duplicates = tdm_json_str(json, "duplicates", ""),
                     .positive_from = tdm_json_num(json, "positive-from", 0),
                     .refit = tdm_json_bool(json, "refit", false)};
    double seed = tdm_json_num(json, "seed", -1);
    tdm_err why = {{0}};
    if (seed < 0 || seed > 0x1p53 || tdm_protocol_parse(p, &o, true, (uint64_t)seed, &why))
        return tdm_fail(err, TDM_E_FORMAT, "%s: its protocol cannot be read: %.200s", path, why.msg);
    return TDM_OK;
}

/* ---- parameters ---- */

/* What a preset changes against the declared defaults, which are the standard preset. Everything is cheap beside the
 * two GPT-2s. `quick` reads a million tokens in small updates and without dropout, which so short a training has no use
 * for: on the sample a perplexity of 2.3, where 400 updates of 2048 with dropout leave 4.8. `best` gives both models
 * more time before they are stopped, a larger model of words, and gpt2-items what a search found on Beauty and what
 * held on Sports and Gift Cards (docs/tuning.md). */
static const struct {
    const char *preset, *model, *param;
    double value;
} presets[] = {
    {"quick", "gpt2-words", "tokens", 512},  {"quick", "gpt2-words", "longest", 2000},
    {"quick", "gpt2-words", "dropout", 0},   {"quick", "gpt2-words", "epochs", 20},
    {"best", "gpt2-items", "epochs", 30},    {"best", "gpt2-items", "patience", 6},
    {"best", "gpt2-items", "layers", 2},     {"best", "gpt2-items", "channels", 96},
    {"best", "gpt2-items", "dropout", 0.34}, {"best", "gpt2-items", "decay", 0.9},
    {"best", "gpt2-items", "batch", 2560},   {"best", "gpt2-items", "average", 2.5},
    {"best", "gpt2-words", "C", 256},        {"best", "gpt2-words", "L", 4},
    {"best", "gpt2-words", "longest", 4000},
};

static bool preset_known(const char *preset)
{
    return !strcmp(preset, "quick") || !strcmp(preset, "standard") || !strcmp(preset, "best");
}

/* "model.parameter=value" in its three pieces. */
static bool set_split(const char *s, tdm_str *model, tdm_str *param, const char **value)
{
    const char *equals = strchr(s, '='), *dot = NULL;
    for (const char *c = s; equals && c < equals; c++)
        if (*c == '.') dot = c;
    if (!dot || dot == s || equals == dot + 1 || !equals[1]) return false;
    *model = (tdm_str){s, (size_t)(dot - s)};
    *param = (tdm_str){dot + 1, (size_t)(equals - dot - 1)};
    *value = equals + 1;
    return true;
}

/* Whether every --set has its form and names a model. */
static tdm_status set_check(const tdm_options *o, tdm_err *err)
{
    tdm_str model, param;
    const char *value;
    for (size_t i = 0; i < o->n_set; i++) {
        if (!set_split(o->set[i], &model, &param, &value))
            return tdm_fail(err, TDM_E_ARG, "--set takes model.parameter=value, not \"%s\"", o->set[i]);
        if (tdm_models_index(model) < 0)
            return tdm_fail(err, TDM_E_ARG, "--set %s: there is no model \"%.*s\"; `tandem models` lists them",
                            o->set[i], TDM_STR_ARG(model));
    }
    return TDM_OK;
}

tdm_status tdm_settings_params(tdm_params *out, const tdm_model_ops *ops, const tdm_options *o, tdm_err *err)
{
    const char *preset = o->preset ? o->preset : "standard";
    tdm_status st = TDM_OK;
    *out = tdm_params_standard(ops->params);
    for (size_t i = 0; !st && i < sizeof presets / sizeof *presets; i++)
        if (!strcmp(presets[i].preset, preset) && !strcmp(presets[i].model, ops->name))
            st = tdm_params_set(out, ops->name, presets[i].param, presets[i].value, err);
    for (size_t i = 0; !st && i < o->n_set; i++) {
        tdm_str model, param;
        const char *value;
        char name[64], *end;
        if (!set_split(o->set[i], &model, &param, &value) || !tdm_str_is(model, ops->name)) continue;
        snprintf(name, sizeof name, "%.*s", TDM_STR_ARG(param));
        double v = strtod(value, &end);
        if (*end) return tdm_fail(err, TDM_E_ARG, "--set %s: \"%s\" is not a number", o->set[i], value);
        st = tdm_params_set(out, ops->name, name, v, err);
    }
    return st;
}

tdm_status tdm_settings_stored(tdm_params *out, const cJSON *manifest, const tdm_model_ops *ops, tdm_err *err)
{
    const cJSON *m, *v;
    tdm_status st = TDM_OK;
    *out = tdm_params_standard(ops->params);
    cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(manifest, "models"))
    {
        if (strcmp(tdm_json_str(m, "name", ""), ops->name)) continue;
        cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(m, "parameters")) if (!st) st =
            tdm_params_set(out, ops->name, v->string, cJSON_GetNumberValue(v), err);
    }
    return st;
}

/* Whether the file can be added to; it is there then. */
static tdm_status log_check(const char *path, tdm_err *err)
{
    FILE *f = path ? fopen(path, "ae") : NULL;
    if (path && !f) return tdm_fail(err, TDM_E_IO, "--train-log %s: could not be opened: %s", path, strerror(errno));
    if (f) fclose(f);
    return TDM_OK;
}

static tdm_status forms_check(const tdm_options *o, tdm_err *err)
{
    tdm_forms *f = tdm_new(1, sizeof *f);
    tdm_status st = f ? tdm_forms_read(f, o->forms, o->n_forms, err) : tdm_nomem(err, "a form");
    tdm_free(f);
    return st;
}

tdm_status tdm_settings_check(const tdm_options *o, tdm_err *err)
{
    unsigned char chosen[TDM_MAX_MODELS];
    tdm_params params;
    tdm_protocol protocol;
    size_t k[TDM_MAX_CUTOFFS], n_k;
    if (o->preset && !preset_known(o->preset))
        return tdm_fail(err, TDM_E_ARG, "--preset takes quick, standard or best, not \"%s\"", o->preset);
    if (o->on && strcmp(o->on, "test") && strcmp(o->on, "validation"))
        return tdm_fail(err, TDM_E_ARG, "--on takes test or validation, not \"%s\"", o->on);
    if (o->gpt2 && !tdm_folder_exists(o->gpt2))
        return tdm_fail(err, TDM_E_ARG, "--gpt2 %s: there is no such folder", o->gpt2);
    tdm_status st = forms_check(o, err);
    if (!st) st = log_check(o->train_log, err);
    if (!st) st = set_check(o, err);
    if (!st) st = tdm_models_choose(chosen, o->models, err);
    for (int i = 0; !st && tdm_models[i]; i++) {
        st = tdm_settings_params(&params, tdm_models[i], o, err);
        if (!st && chosen[i] && tdm_models[i] == &tdm_gpt2_words_ops) st = tdm_gpt2_words_check(&params, o->gpt2, err);
    }
    if (!st) st = tdm_protocol_parse(&protocol, o, true, 0, err);
    return st ? st : tdm_cutoffs_parse(k, &n_k, o->cutoffs, err);
}
