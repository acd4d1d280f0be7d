/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/search.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double WORTH = 0.001; /* of the best so far: what is less is no gain to wait for */

typedef struct searching {
    const tdm_search_input *in;
    tdm_trials *trials;
    tdm_space space;
    tdm_tried *tried; /* n */
    size_t n;
    const tdm_judge *judge;
    double judged[TDM_SEARCH_MOST];
    size_t steps;
    bool stopped;
    char why[128]; /* it was stopped */
} searching;

bool tdm_search_has(const tdm_model_ops *ops) { return tdm_space_of(ops->params).D > 0; }

/* ---- rungs ---- */

static bool is_rung(size_t step)
{
    size_t rung = TDM_RUNG_FIRST;
    while (rung < step) rung *= TDM_RUNG_KEPT;
    return rung == step;
}

/* Whether the trial being made may go on from judgement `step` (from 1), where it was given `value`. */
static bool goes_on(searching *s, size_t step, double value)
{
    size_t better = 0, came = 1;
    for (size_t k = 0; k < s->n; k++) {
        double other = tdm_trial_judged(tdm_trials_find(s->trials, s->in->ops->name, s->in->key, k), step - 1);
        if (isnan(other)) continue;
        came++;
        better += other > value;
    }
    if (came <= TDM_RUNG_KEPT || better * TDM_RUNG_KEPT < came) return true;
    snprintf(s->why, sizeof s->why, "at judgement %zu its %s was %.4f, and %zu of %zu were better", step, s->in->metric,
             value, better, came);
    return false;
}

static tdm_status judge_ask(void *ctx, double *value, const tdm_model *m, tdm_err *err)
{
    searching *s = ctx;
    tdm_status st = s->judge->ask(s->judge->ctx, value, m, err);
    if (st || s->steps == TDM_SEARCH_MOST) return st;
    s->judged[s->steps++] = *value;
    if (!is_rung(s->steps) || goes_on(s, s->steps, *value)) return TDM_OK;
    s->stopped = true;
    return tdm_fail(err, TDM_E_CANCELLED, "stopped");
}

/* ---- a trial ---- */

static tdm_status settings_next(tdm_params *p, const searching *s, tdm_err *err)
{
    double x[TDM_MAX_PARAMS];
    *p = *s->in->fit->params;
    if (!s->n) return TDM_OK; /* where the search begins */
    tdm_status st = tdm_tpe_propose(x, &s->space, s->tried, s->n, tdm_mix64(s->in->fit->run->seed), err);
    if (!st) tdm_space_settings(p, &s->space, x);
    return st;
}

/* Fits and judges; what goes wrong inside is the trial's own affair, unless the whole search was interrupted. */
static tdm_status try(searching *s, tdm_trial *t, tdm_err *err)
{
    tdm_err why = {{0}};
    const tdm_judge judge = {judge_ask, s};
    tdm_fit_input in = *s->in->fit;
    tdm_model *m = NULL;
    double began = tdm_seconds();
    in.params = &t->settings;
    in.judge = &judge;
    s->steps = 0;
    s->stopped = false;
    t->value = NAN;
    tdm_status st = s->in->ops->fit(&m, &in, &why);
    if (!st) st = s->judge->ask(s->judge->ctx, &t->value, m, &why);
    tdm_model_close(m);
    t->seconds = tdm_seconds() - began;
    t->judged = s->judged;
    t->steps = s->steps;
    if (st && !s->stopped && tdm_run_check(in.run, s->in->ops->name, err)) return TDM_E_CANCELLED;
    t->end = s->stopped ? TDM_TRIAL_STOPPED : st || !isfinite(t->value) ? TDM_TRIAL_FAILED : TDM_TRIAL_FINISHED;
    if (t->end == TDM_TRIAL_FINISHED) snprintf(t->reason, sizeof t->reason, "finished");
    else if (t->end == TDM_TRIAL_STOPPED) snprintf(t->reason, sizeof t->reason, "stopped: %.120s", s->why);
    else snprintf(t->reason, sizeof t->reason, "failed: %.200s", st ? why.msg : "what it was judged at is no number");
    return TDM_OK;
}

tdm_tried tdm_tried_of(const cJSON *line)
{
    double value = tdm_trial_value(line), last = -INFINITY;
    size_t steps = 0;
    if (!isnan(value)) return (tdm_tried){.value = value, .steps = SIZE_MAX};
    if (!strncmp(tdm_json_str(line, "reason", ""), "stopped", 7))
        for (double v; !isnan(v = tdm_trial_judged(line, steps)); steps++) last = v;
    return (tdm_tried){.value = last, .steps = steps};
}

/* Takes in a trial of the file, as one that settings are proposed from and as part of the sum. */
static void take(searching *s, tdm_searched *out, const cJSON *line)
{
    tdm_tried *t = &s->tried[s->n];
    tdm_params p = *s->in->fit->params;
    *t = tdm_tried_of(line);
    tdm_trial_settings(&p, line);
    tdm_space_point(t->x, &s->space, &p);
    bool finished = t->steps == SIZE_MAX;
    if (finished && (isnan(out->value) || t->value > out->value)) {
        if (isnan(out->value) || t->value > out->value + WORTH * fabs(out->value)) out->gained = s->n;
        out->value = t->value;
        out->best = p;
        out->at = s->n;
    }
    if (!s->n) out->first = finished ? t->value : NAN;
    out->stopped += !finished && t->value > -INFINITY;
    out->failed += t->value == -INFINITY;
    out->seconds += tdm_json_num(line, "seconds", 0);
    out->trials++;
    s->n++;
}

/* ---- the whole ---- */

static tdm_status trial(searching *s, tdm_searched *out, tdm_err *err)
{
    const tdm_search_input *in = s->in;
    const cJSON *line = tdm_trials_find(s->trials, in->ops->name, in->key, s->n);
    tdm_trial t = {0};
    if (!line) {
        tdm_status st = tdm_run_check(in->fit->run, in->ops->name, err);
        if (!st) st = settings_next(&t.settings, s, err);
        if (!st) st = try(s, &t, err);
        if (!st) st = tdm_trials_add(s->trials, in->ops->name, in->key, s->n, in->metric, &t, err);
        if (st) return st;
        line = tdm_trials_find(s->trials, in->ops->name, in->key, s->n);
        if (t.end == TDM_TRIAL_FINISHED)
            tdm_log(in->fit->run, TDM_LOG_INFO, "tune", "%s, trial %zu: %s %.4f after %.1f s", in->ops->name, s->n + 1,
                    in->metric, t.value, t.seconds);
        else tdm_log(in->fit->run, TDM_LOG_INFO, "tune", "%s, trial %zu %s", in->ops->name, s->n + 1, t.reason);
    }
    take(s, out, line);
    return TDM_OK;
}

static bool ended(const tdm_searched *out, const tdm_search_input *in)
{
    bool patient = !in->patience || isnan(out->value) || out->trials - out->gained <= in->patience;
    return out->trials >= in->trials || out->seconds >= in->seconds || !patient;
}

/* "0.0512 after 12 of 30" for the bar. */
static void tell(const tdm_searched *out, const tdm_search_input *in)
{
    char stage[64], note[64] = "";
    snprintf(stage, sizeof stage, "tune %s", in->ops->name);
    if (!isnan(out->value)) snprintf(note, sizeof note, "best %s %.4f", in->metric, out->value);
    tdm_progress(in->fit->run, stage, out->trials, in->trials < TDM_SEARCH_MOST ? in->trials : 0, note);
}

static tdm_status none_finished(const searching *s, tdm_err *err)
{
    const cJSON *last = tdm_trials_find(s->trials, s->in->ops->name, s->in->key, s->n - 1);
    return tdm_fail(err, TDM_E_ARG, "tune: no trial of %s came to its end; the last one %s", s->in->ops->name,
                    tdm_json_str(last, "reason", "?"));
}

tdm_status tdm_search(tdm_searched *out, tdm_trials *t, const tdm_search_input *in, tdm_err *err)
{
    *out = (tdm_searched){.best = *in->fit->params, .first = NAN, .value = NAN};
    searching *s = tdm_new(1, sizeof *s);
    if (!s) return tdm_nomem(err, "a search");
    s->in = in;
    s->trials = t;
    s->space = tdm_space_of(in->ops->params);
    s->judge = in->fit->judge;
    s->tried = tdm_new(in->trials, sizeof *s->tried);
    tdm_status st = s->tried ? TDM_OK : tdm_nomem(err, "a search");
    while (!st && !ended(out, in)) {
        tell(out, in);
        st = trial(s, out, err);
    }
    if (!st) tell(out, in);
    if (!st && isnan(out->value)) st = none_finished(s, err);
    tdm_free(s->tried);
    tdm_free(s);
    return st;
}
