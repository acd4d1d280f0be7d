/* SPDX-License-Identifier: Apache-2.0 */
/* popularity.c - how often an item was chosen; the floor that every other model must beat.
 *
 *     score(i) = log(1 + n_i)          n_i: people who chose item i in training; never chosen: no opinion
 *
 * The logarithm changes no order; it keeps a best-seller's lead within what a fusion can weigh. A rating is the
 * baseline of baseline.h. Nothing in a history causes a score, so there is no evidence but `rest`. */
#include "base/mem.h"
#include "base/status.h"
#include "cf/baseline.h"
#include "cf/cf.h"
#include "model/stored.h"
#include "model/topk.h"

#include <math.h>
#include <string.h>

typedef struct popularity {
    tdm_model base;
    tdm_params p;
    size_t I;
    const float *score; /* I; 0 for what nobody chose */
    tdm_baseline baseline;
    tdm_safetensors *file; /* what mapped arrays lie in; NULL for a fitted model, which owns them */
} popularity;

static void popularity_close(tdm_model *m)
{
    popularity *s = (popularity *)m;
    if (!s) return;
    tdm_baseline_clear(&s->baseline);
    if (!s->file) tdm_free((void *)(uintptr_t)s->score);
    tdm_safetensors_close(s->file);
    tdm_free(s);
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    tdm_rows rows;
    tdm_status st = tdm_rows_make(&rows, in->train, SIZE_MAX, true, err);
    if (st) return st;
    popularity *s = tdm_new(1, sizeof *s);
    float *score = tdm_new(rows.I, sizeof *score);
    if (!s || !score) {
        tdm_free(s);
        tdm_free(score);
        tdm_rows_clear(&rows);
        return tdm_nomem(err, "popularity");
    }
    *s = (popularity){.base.ops = &tdm_popularity_ops, .p = *in->params, .I = rows.I, .score = score};
    for (size_t i = 0; i < rows.I; i++) score[i] = (float)log1p((double)tdm_rows_count(&rows, i));
    st = tdm_run_check(in->run, "popularity", err);
    if (!st) st = tdm_baseline_make(&s->baseline, &rows, in->train, err);
    tdm_rows_clear(&rows);
    if (st) popularity_close(&s->base);
    else *out = &s->base;
    return st;
}

static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const popularity *s = (const popularity *)m;
    (void)h;
    (void)err;
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < s->I; i++) scores[b * s->I + i] = s->score[i] > 0 ? s->score[i] : -INFINITY;
    return TDM_OK;
}

/* One list does for all of a batch: so much longer than what is wanted that a history may hold the top of it. */
static tdm_status topk(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B, const tdm_wanted *w,
                       tdm_err *err)
{
    const popularity *s = (const popularity *)m;
    size_t most = w->k < s->I ? w->k : s->I, longest = 0;
    for (size_t b = 0; w->filter_seen && b < B; b++) longest = h[b].n > longest ? h[b].n : longest;
    most = longest < s->I - most ? most + longest : s->I;
    float *scores = tdm_new(s->I, sizeof *scores);
    uint32_t *list = tdm_new(most, sizeof *list);
    uint8_t *had = tdm_new(s->I, sizeof *had);
    tdm_status st = scores && list && had ? TDM_OK : tdm_nomem(err, "a batch of rankings");
    for (size_t i = 0; !st && i < s->I; i++)
        scores[i] = s->score[i] > 0 && !(w->barred && w->barred[i]) ? s->score[i] : -INFINITY;
    size_t listed = st ? 0 : tdm_topk(list, NULL, scores, s->I, most);
    for (size_t b = 0; !st && b < B; b++) {
        size_t n = 0, at = b * w->k, filtered = w->filter_seen ? h[b].n : 0;
        for (size_t j = 0; j < filtered; j++)
            if (h[b].items[j] < s->I) had[h[b].items[j]] = 1;
        for (size_t k = 0; k < listed && n < w->k; k++) {
            if (had[list[k]]) continue;
            out->items[at + n] = list[k];
            out->scores[at + n++] = scores[list[k]];
        }
        for (size_t j = 0; j < filtered; j++)
            if (h[b].items[j] < s->I) had[h[b].items[j]] = 0;
        out->n[b] = n;
    }
    tdm_free(scores);
    tdm_free(list);
    tdm_free(had);
    return st;
}

static tdm_status rate(const tdm_model *m, float *ratings, const tdm_history *h, const uint32_t *items, size_t n,
                       tdm_err *err)
{
    const popularity *s = (const popularity *)m;
    (void)err;
    double user = tdm_baseline_user(&s->baseline, h);
    for (size_t k = 0; k < n; k++)
        ratings[k] = tdm_baseline_clip(&s->baseline, tdm_baseline_at(&s->baseline, user, items[k]));
    return TDM_OK;
}

static tdm_status because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err)
{
    (void)m;
    (void)h;
    (void)item;
    (void)err;
    *out = (tdm_evidence){.rest = 1};
    return TDM_OK;
}

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    const popularity *s = (const popularity *)m;
    tdm_tensor t[3] = {tdm_tensor_1d("score", TDM_F32, s->score, s->I)};
    tdm_baseline_tensors(t + 1, &s->baseline);
    return tdm_stored_write(path, s->base.ops->name, &s->p, t, 3, err);
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    *out = NULL;
    popularity *s = tdm_new(1, sizeof *s);
    if (!s) return tdm_nomem(err, path);
    *s = (popularity){.base.ops = &tdm_popularity_ops, .I = train->I};
    tdm_status st = tdm_stored_open(&s->file, &s->p, path, s->base.ops->name, s->base.ops->params, err);
    if (!st) st = tdm_stored_floats(s->file, &s->score, path, "score", s->I, err);
    if (!st) st = tdm_baseline_read(&s->baseline, s->file, path, s->I, err);
    if (!s->file) s->score = NULL;
    if (st) popularity_close(&s->base);
    else *out = &s->base;
    return st;
}

const tdm_model_ops tdm_popularity_ops = {
    .name = "popularity",
    .summary = "how often an item was chosen",
    .path = "cf/popularity.safetensors",
    .fit = fit,
    .score = score,
    .topk = topk,
    .rate = rate,
    .because = because,
    .save = save,
    .load = load,
    .close = popularity_close,
};
