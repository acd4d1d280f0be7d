/* SPDX-License-Identifier: Apache-2.0 */
/* recent.c - what is chosen these days: popularity in which a choice loses half its weight in every half-life.
 *
 *     score(i) = log(1 + sum over people who chose i, at time t <= now:  2^-((now - t) / half_life))
 *
 * `now` is the history's: a question of last March is answered from what was chosen until last March. After the newest
 * training row, and where `now` is unknown, that row's time stands for it, for then all sums only shrink alike. The
 * sums of an item at each time it was chosen are kept, so any `now` costs one search an item:
 *
 *     sum_k = 1 + sum_(k-1) * 2^-((t_k - t_(k-1)) / half_life)
 *
 * Where half_life is 0, twice the span of the log, the span, a half of it and so on are tried until two in a row made
 * validation worse; where nobody validates it is an eighth of the span. Rows without a time count as the oldest. The
 * order of a person's rows says nothing of when others chose, so on a log without times this is popularity, and the log
 * says so. Nothing in a history causes a score, so there is no evidence but `rest`. */
#include "base/json.h"
#include "base/mem.h"
#include "base/status.h"
#include "cf/cf.h"
#include "model/stored.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 86400, HALVINGS = 12, UNJUDGED = 4 }; /* 2 * span / 2^UNJUDGED */

static const tdm_param params[] = {
    {"half_life", 0, 0, 36500, TDM_LOG, "days in which a choice loses half its weight; 0: what validation likes best"},
    {0},
};

typedef struct recent {
    tdm_model base;
    tdm_params p;
    size_t I;
    const double *half;  /* 1: the half-life in seconds */
    const int64_t *from; /* I + 1: item i was chosen at time[from[i] .. from[i + 1]), rising */
    const int64_t *time;
    const float *sum;
    int64_t oldest, newest;
    float *latest; /* I: scores as of the newest row, which most questions want; made from the others, not stored */
    tdm_safetensors *file; /* what mapped arrays lie in; NULL for a fitted model, which owns them */
} recent;

static void recent_close(tdm_model *m)
{
    recent *s = (recent *)m;
    if (!s) return;
    if (!s->file) {
        tdm_free((void *)(uintptr_t)s->half);
        tdm_free((void *)(uintptr_t)s->from);
        tdm_free((void *)(uintptr_t)s->time);
        tdm_free((void *)(uintptr_t)s->sum);
    }
    tdm_free(s->latest);
    tdm_safetensors_close(s->file);
    tdm_free(s);
}

static void score_at(const recent *s, float *scores, int64_t now)
{
    for (size_t i = 0; i < s->I; i++) {
        int64_t low = s->from[i], high = s->from[i + 1];
        if (high > low && s->time[high - 1] <= now) low = high;
        while (low < high) { /* the first that is after now */
            int64_t mid = low + (high - low) / 2;
            if (s->time[mid] <= now) low = mid + 1;
            else high = mid;
        }
        double sum = 0;
        if (low > s->from[i]) {
            double age = (double)now - (double)s->time[low - 1];
            sum = (double)s->sum[low - 1] * exp2(-age / *s->half);
        }
        scores[i] = (float)log1p(sum);
        if (!(scores[i] > 0)) scores[i] = -INFINITY;
    }
}

/* The first and the last time; 0 and 0 where there are none. */
static void ends_find(recent *s)
{
    size_t n = (size_t)s->from[s->I];
    s->oldest = s->newest = n ? s->time[0] : 0;
    for (size_t k = 1; k < n; k++) {
        if (s->time[k] < s->oldest) s->oldest = s->time[k];
        if (s->time[k] > s->newest) s->newest = s->time[k];
    }
}

/* ---- fitting ---- */

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

typedef struct work {
    const recent *s;
    int64_t *time;
    float *sum;
} work;

static void sort_items(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const work *w = ctx;
    (void)chunk;
    for (size_t i = begin; i < end; i++)
        qsort(w->time + w->s->from[i], (size_t)(w->s->from[i + 1] - w->s->from[i]), sizeof *w->time, by_time);
}

static void sum_items(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const work *w = ctx;
    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        double sum = 0;
        for (int64_t k = w->s->from[i]; k < w->s->from[i + 1]; k++) {
            double age = k > w->s->from[i] ? (double)w->time[k] - (double)w->time[k - 1] : 0;
            sum = 1 + sum * exp2(-age / *w->s->half);
            w->sum[k] = (float)sum;
        }
    }
}

/* Each item's times, a person counted once, at the newest row. */
static tdm_status times_take(const tdm_dataset *d, int64_t *from, int64_t *time, tdm_err *err)
{
    uint32_t *last = tdm_new(d->I, sizeof *last); /* u + 1 once the newest row of person u was seen */
    uint8_t *again = tdm_new(d->N, 1);
    int64_t oldest = INT64_MAX;
    if (!last || !again) {
        tdm_free(last);
        tdm_free(again);
        return tdm_nomem(err, "recent");
    }
    for (size_t u = 0; u < d->U; u++)
        for (size_t k = (size_t)d->offset[u + 1]; k-- > (size_t)d->offset[u];) {
            again[k] = last[d->item[k]] == u + 1;
            last[d->item[k]] = (uint32_t)u + 1;
            if (!again[k]) from[d->item[k] + 1]++;
            if (d->has_times && d->time[k] != TDM_NO_TIME && d->time[k] < oldest) oldest = d->time[k];
        }
    for (size_t i = 0; i < d->I; i++) from[i + 1] += from[i];
    for (size_t k = 0; k < d->N; k++) {
        if (again[k]) continue;
        bool known = d->has_times && d->time[k] != TDM_NO_TIME;
        time[from[d->item[k]]++] = known ? d->time[k] : oldest == INT64_MAX ? 0 : oldest;
    }
    for (size_t i = d->I; i > 0; i--) from[i] = from[i - 1]; /* each start was moved to its end */
    from[0] = 0;
    tdm_free(last);
    tdm_free(again);
    return TDM_OK;
}

static tdm_status sums_make(work *w, double *half, double seconds, tdm_run *run, tdm_err *err)
{
    tdm_status st = tdm_run_check(run, "recent", err);
    *half = seconds;
    if (st) return st;
    tdm_pool_for(run->pool, w->s->I, 256, sum_items, w);
    score_at(w->s, w->s->latest, w->s->newest);
    return TDM_OK;
}

static tdm_status half_life_choose(work *w, double *half, const tdm_fit_input *in, tdm_err *err)
{
    const recent *s = w->s;
    double span = (double)s->newest - (double)s->oldest, given = tdm_param_get(&s->p, "half_life") * DAY;
    double best = -1, chosen = ldexp(2 * span, -UNJUDGED);
    if (!(span > 0)) chosen = DAY;
    double again = tdm_json_num(in->again, "half_life", 0) * DAY;
    if (again > 0) given = again;
    if (given > 0) chosen = given;
    int worse = 0;
    for (int k = 0; in->judge && !(given > 0) && span > 0 && k < HALVINGS && worse < 2; k++) {
        double value, seconds = ldexp(2 * span, -k);
        tdm_status st = sums_make(w, half, seconds, in->run, err);
        if (!st) st = in->judge->ask(in->judge->ctx, &value, &s->base, err);
        if (st) return st;
        tdm_progress(in->run, "recent", (uint64_t)k + 1, 0, NULL);
        tdm_log(in->run, TDM_LOG_DEBUG, "recent", "half_life %.3g days: ndcg@10 %.4f", seconds / DAY, value);
        worse = value > best ? 0 : worse + 1;
        if (value > best) best = value, chosen = seconds;
    }
    if (!(given > 0) && span > 0)
        tdm_log(in->run, TDM_LOG_INFO, "recent", "half_life: %.3g days, of a log of %.4g days%s", chosen / DAY,
                span / DAY, best < 0 ? "; nobody validated it" : "");
    if (in->chosen) cJSON_AddNumberToObject(in->chosen, "half_life", chosen / DAY);
    return sums_make(w, half, chosen, in->run, err);
}

static tdm_status make(recent *s, const tdm_fit_input *in, tdm_err *err)
{
    const tdm_dataset *d = in->train;
    for (size_t k = 0; k < d->N; k++)
        if (d->item[k] >= d->I)
            return tdm_fail(err, TDM_E_FORMAT, "training row %zu names item %u of %zu", k, d->item[k], d->I);
    double *half = tdm_new(1, sizeof *half);
    int64_t *from = tdm_new(d->I + 1, sizeof *from), *time = tdm_new(d->N, sizeof *time);
    float *sum = tdm_new(d->N, sizeof *sum);
    s->half = half, s->from = from, s->time = time, s->sum = sum;
    s->latest = tdm_new(d->I, sizeof *s->latest);
    if (!half || !from || !time || !sum || !s->latest) return tdm_nomem(err, "recent");
    if (d->N && !d->has_times)
        tdm_log(in->run, TDM_LOG_INFO, "recent", "the log has no times, so what is recent is what is popular");
    tdm_status st = times_take(d, from, time, err);
    if (st) return st;
    work w = {s, time, sum};
    tdm_pool_for(in->run->pool, d->I, 256, sort_items, &w);
    ends_find(s);
    return half_life_choose(&w, half, in, err);
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    recent *s = tdm_new(1, sizeof *s);
    if (!s) return tdm_nomem(err, "recent");
    *s = (recent){.base.ops = &tdm_recent_ops, .p = *in->params, .I = in->train->I};
    tdm_status st = make(s, in, err);
    if (st) recent_close(&s->base);
    else *out = &s->base;
    return st;
}

/* ---- asking ---- */

static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const recent *s = (const recent *)m;
    (void)err;
    for (size_t b = 0; b < B; b++, scores += s->I) {
        if (h[b].now == TDM_NO_TIME || h[b].now >= s->newest) memcpy(scores, s->latest, s->I * sizeof *scores);
        else score_at(s, scores, h[b].now);
    }
    return TDM_OK;
}

static tdm_status because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err)
{
    (void)m, (void)h, (void)item, (void)err;
    *out = (tdm_evidence){.rest = 1};
    return TDM_OK;
}

/* ---- disk ---- */

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    const recent *s = (const recent *)m;
    size_t n = (size_t)s->from[s->I];
    const tdm_tensor t[] = {
        tdm_tensor_1d("half_life", TDM_F64, s->half, 1),
        tdm_tensor_1d("chosen.offset", TDM_I64, s->from, s->I + 1),
        tdm_tensor_1d("chosen.time", TDM_I64, s->time, n),
        tdm_tensor_1d("chosen.sum", TDM_F32, s->sum, n),
    };
    return tdm_stored_write(path, s->base.ops->name, &s->p, t, sizeof t / sizeof *t, err);
}

static tdm_status read(recent *s, const char *path, tdm_err *err)
{
    const void *p;
    tdm_status st = tdm_stored_doubles(s->file, &s->half, path, "half_life", 1, err);
    if (!st) st = tdm_safetensors_need(s->file, &p, "chosen.offset", TDM_I64, s->I + 1, err);
    if (st) return st;
    s->from = p;
    bool rising = s->from[0] == 0;
    for (size_t i = 0; rising && i < s->I; i++) rising = s->from[i] <= s->from[i + 1];
    if (!rising) return tdm_fail(err, TDM_E_FORMAT, "%s: chosen.offset does not rise from 0", path);
    size_t n = (size_t)s->from[s->I];
    st = tdm_safetensors_need(s->file, &p, "chosen.time", TDM_I64, n, err);
    if (st) return st;
    s->time = p;
    for (size_t i = 0; i < s->I; i++)
        for (int64_t k = s->from[i] + 1; k < s->from[i + 1]; k++)
            if (s->time[k] < s->time[k - 1])
                return tdm_fail(err, TDM_E_FORMAT, "%s: chosen.time[%lld] is before the one before it", path,
                                (long long)k);
    if (!(*s->half > 0)) return tdm_fail(err, TDM_E_FORMAT, "%s: half_life is %g", path, *s->half);
    ends_find(s);
    st = tdm_stored_floats(s->file, &s->sum, path, "chosen.sum", n, err);
    if (st) return st;
    s->latest = tdm_new(s->I, sizeof *s->latest);
    if (!s->latest) return tdm_nomem(err, path);
    score_at(s, s->latest, s->newest);
    return TDM_OK;
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    *out = NULL;
    recent *s = tdm_new(1, sizeof *s);
    if (!s) return tdm_nomem(err, path);
    *s = (recent){.base.ops = &tdm_recent_ops, .I = train->I};
    tdm_status st = tdm_stored_open(&s->file, &s->p, path, s->base.ops->name, s->base.ops->params, err);
    if (!st) st = read(s, path, err);
    if (st) recent_close(&s->base);
    else *out = &s->base;
    return st;
}

/* Sums of the new rows with the half-life that was found: they cost a reading of the log. */
static tdm_status update(tdm_model **out, const tdm_model *m, const tdm_update *u, tdm_updated *what, tdm_err *err)
{
    const recent *s = (const recent *)m;
    tdm_params p = s->p;
    *out = NULL;
    tdm_status st = tdm_params_set(&p, "recent", "half_life", fmin(*s->half / DAY, 36500), err);
    const tdm_fit_input in = {.train = u->now, .params = &p, .run = u->run};
    if (!st) st = fit(out, &in, err);
    if (st) return st;
    ((recent *)*out)->p = s->p; /* what a fit is told stays what it was */
    *what = (tdm_updated){.remade = u->now->I};
    return TDM_OK;
}

const tdm_model_ops tdm_recent_ops = {
    .name = "recent",
    .summary = "how often an item was chosen of late",
    .path = "cf/recent.safetensors",
    .params = params,
    .fit = fit,
    .update = update,
    .score = score,
    .because = because,
    .save = save,
    .load = load,
    .close = recent_close,
};
