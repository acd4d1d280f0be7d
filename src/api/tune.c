/* SPDX-License-Identifier: Apache-2.0 */
/* tune.c - a training whose settings are sought first: trials of a model, then the model, then the next.
 *
 * Models are searched in the order in which they are fitted, so that one that needs others is tried on those that were
 * chosen. The time is dealt out evenly: a model may take what is left over the models that are left, and what it does
 * not need goes to those after it. */
#include "api/answer.h"
#include "api/registry.h"
#include "api/settings.h"
#include "api/train.h"
#include "base/file.h"
#include "base/mem.h"
#include "tune/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Trials without a gain after which a search that only time bounds ends. */
enum { PATIENCE = 20 };

typedef struct tuner {
    const tdm_options *o;
    tdm_trials trials;
    double left; /* seconds */
    size_t models_left;
    tdm_buf settings; /* of tuned.conf */
    tdm_run *run;
} tuner;

/* "90s", "30m", "2h", or "90" */
static tdm_status budget_parse(double *seconds, const char *words, tdm_err *err)
{
    static const char units[] = "smh";
    static const double worth[] = {1, 60, 3600};
    char *end;
    *seconds = INFINITY;
    if (!words) return TDM_OK;
    double v = strtod(words, &end);
    const char *unit = *end ? strchr(units, *end) : units;
    if (end == words || !unit || (*end && end[1]) || !(v > 0) || !isfinite(v))
        return tdm_fail(err, TDM_E_ARG, "--budget takes a time such as 90s, 30m or 2h, not \"%s\"", words);
    *seconds = v * worth[unit - units];
    return TDM_OK;
}

static void settings_add(tdm_buf *out, const tdm_model_ops *ops, const tdm_searched *found, const char *metric)
{
    tdm_buf_fmt(out, "# %s: %s %.6g at first, %.6g in trial %zu of %zu\n", ops->name, metric, found->first,
                found->value, found->at + 1, found->trials);
    for (const tdm_param *p = ops->params; p->name; p++)
        if (p->search.to > p->search.from)
            tdm_buf_fmt(out, "set = %s.%s=%.10g\n", ops->name, p->name, tdm_param_get(&found->best, p->name));
}

static tdm_status choose(void *ctx, tdm_params *p, const tdm_model_ops *ops, const tdm_fit_input *in,
                         const char *metric, uint64_t key, tdm_err *err)
{
    tuner *t = ctx;
    tdm_searched found;
    if (!tdm_search_has(ops)) return TDM_OK;
    if (!in->judge)
        return tdm_fail(err, TDM_E_ARG, "tune: the split holds nobody out for validation, so no trial can be judged");
    const tdm_search_input s = {.ops = ops,
                                .fit = in,
                                .metric = metric,
                                .key = key,
                                .trials = t->o->trials        ? t->o->trials
                                          : isfinite(t->left) ? TDM_SEARCH_MOST
                                                              : TDM_SEARCH_TRIALS,
                                .patience = t->o->budget && !t->o->trials ? PATIENCE : 0,
                                .seconds = t->left / (double)(t->models_left ? t->models_left : 1)};
    tdm_status st = tdm_search(&found, &t->trials, &s, err);
    if (st) return st;
    t->left = fmax(t->left - found.seconds, 0);
    t->models_left--;
    *p = found.best;
    settings_add(&t->settings, ops, &found, metric);
    tdm_log(t->run, TDM_LOG_INFO, "tune",
            "%s: %s %.4f at first, %.4f in trial %zu of %zu (%zu stopped early) in %.0f s", ops->name, metric,
            found.first, found.value, found.at + 1, found.trials, found.stopped, found.seconds);
    return TDM_OK;
}

static tdm_status settings_write(const tuner *t, const char *folder, tdm_err *err)
{
    char *path = tdm_path_join(folder, "tuned.conf");
    tdm_status st = path && !t->settings.failed ? tdm_file_write(path, t->settings.p, t->settings.n, err)
                                                : tdm_nomem(err, "the settings found");
    tdm_free(path);
    return st;
}

static tdm_status trials_open(tuner *t, const char *folder, tdm_err *err)
{
    char *path = tdm_path_join(folder, "tune.jsonl");
    tdm_status st = path ? tdm_trials_open(&t->trials, path, err) : tdm_nomem(err, folder);
    tdm_free(path);
    return st;
}

static tdm_status count_models(tuner *t, tdm_err *err)
{
    unsigned char chosen[TDM_MAX_MODELS];
    tdm_status st = tdm_models_choose(chosen, t->o->models, err);
    for (int i = 0; !st && tdm_models[i]; i++) t->models_left += chosen[i] && tdm_search_has(tdm_models[i]);
    if (!st && !t->models_left)
        st = tdm_fail(err, TDM_E_ARG,
                      "tune: none of the models asked for declares where to look for settings; `tandem "
                      "models` shows those that do");
    return st;
}

tdm_status tdm_tune_folder(const char *folder, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    tuner t = {.o = o, .run = run};
    const tdm_chooser chooser = {choose, &t};
    tdm_status st = budget_parse(&t.left, o->budget, err);
    if (!st && o->trials > TDM_SEARCH_MOST)
        st = tdm_fail(err, TDM_E_ARG, "--trials takes at most %d, not %zu", TDM_SEARCH_MOST, o->trials);
    if (!st) st = count_models(&t, err);
    if (!st) st = trials_open(&t, folder, err);
    if (!st) st = tdm_train_folder(folder, o, &chooser, run, err);
    if (!st) st = settings_write(&t, folder, err);
    tdm_trials_clear(&t.trials);
    tdm_buf_clear(&t.settings);
    return st;
}
