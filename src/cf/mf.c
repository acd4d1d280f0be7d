/* SPDX-License-Identifier: Apache-2.0 */
/* mf.c - Bayesian matrix factorisation of ratings, asked with a history.
 *
 *     rating(u, i) = mean + deviation * x_u . y_i
 *
 * Fitting draws samples of the item factors and of where people's factors come from, by Gibbs sampling (mf_sweep.c);
 * no single best point is chosen, so nothing needs a regularization to be tuned and little is overfitted. People's own
 * factors are not kept. Who asks is folded in, sample by sample, by the mean that x has given the history's ratings
 *
 *     x_s = A_s^-1 (pull_s + noise_s sum over rated j: v_j y_sj)      A_s = P_s + noise_s sum over rated j: y_sj y_sj'
 *
 * and the prediction is the mean over samples. Being linear in the ratings v_j, it says what each of them adds. */
#include "cf/mf.h"
#include "base/mem.h"
#include "base/status.h"
#include "cf/cf.h"
#include "cf/recency.h"
#include "cf/rows.h"
#include "kernels/kernels.h"
#include "model/evidence.h"
#include "model/stored.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const tdm_param params[] = {
    {"factors", 16, 16, TDM_MF_MOST, TDM_INTEGER, "numbers for an item, rounded up to a multiple of 16"},
    {"warm_up", 50, 1, 10000, TDM_INTEGER, "sweeps before the first sample"},
    {"samples", 64, 1, 1000, TDM_INTEGER, "samples kept"},
    {"thin", 4, 1, 1000, TDM_INTEGER, "sweeps from one sample to the next"},
    {"longest", 100000, 2, 1000000, TDM_INTEGER, "newest rows of a person that are read"},
    {0},
};

enum { MEAN, DEVIATION, LOW, HIGH, RATINGS, SCALE };

typedef struct mf {
    tdm_model base;
    tdm_params p;
    size_t I, K, S;
    const double *scale;    /* SCALE numbers; RATINGS is 0 where there were none, and nothing can be said */
    const float *item;      /* I x S x K */
    const float *precision; /* S x K x K */
    const float *pull;      /* S x K */
    const float *noise;     /* S */
    const float *rated;     /* I; how many rated it */
    tdm_safetensors *file;  /* what mapped arrays lie in; NULL for a fitted model, which owns them */
} mf;

static void mf_close(tdm_model *m)
{
    mf *s = (mf *)m;
    if (!s) return;
    if (!s->file) {
        tdm_free((void *)(uintptr_t)s->scale);
        tdm_free((void *)(uintptr_t)s->item);
        tdm_free((void *)(uintptr_t)s->precision);
        tdm_free((void *)(uintptr_t)s->pull);
        tdm_free((void *)(uintptr_t)s->noise);
        tdm_free((void *)(uintptr_t)s->rated);
    }
    tdm_safetensors_close(s->file);
    tdm_free(s);
}

static void mf_set(mf *s, const tdm_params *p, size_t I)
{
    s->base.ops = &tdm_mf_ops;
    s->p = *p;
    s->I = I;
    s->K = tdm_padded((size_t)tdm_param_get(p, "factors"));
    s->S = (size_t)tdm_param_get(p, "samples");
}

/* ---- fit ---- */

/* Drops rows without a rating, in both orders, and puts values where ratings and places were. */
static void lists_make(tdm_mf_lists list[2], tdm_rows *r, const double *scale)
{
    float *by_item = (float *)(void *)r->place;
    size_t n = 0;
    for (size_t i = 0; i < r->I; i++) { /* first, while a place still leads to its rating */
        size_t from = (size_t)r->from[i], to = (size_t)r->from[i + 1];
        r->from[i] = (int64_t)n;
        for (size_t k = from; k < to; k++) {
            float x = r->rating[r->offset[r->user[k]] + r->place[k]];
            if (!isfinite(x)) continue;
            x = (float)(((double)x - scale[MEAN]) / scale[DEVIATION]);
            r->user[n] = r->user[k];
            memcpy(by_item + n++, &x, sizeof x);
        }
    }
    r->from[r->I] = (int64_t)n;
    n = 0;
    for (size_t u = 0; u < r->U; u++) {
        size_t from = (size_t)r->offset[u], to = (size_t)r->offset[u + 1];
        r->offset[u] = (int64_t)n;
        for (size_t k = from; k < to; k++) {
            if (!isfinite(r->rating[k])) continue;
            r->item[n] = r->item[k];
            r->rating[n++] = (float)(((double)r->rating[k] - scale[MEAN]) / scale[DEVIATION]);
        }
    }
    r->offset[r->U] = (int64_t)n;
    list[0] = (tdm_mf_lists){r->U, r->offset, r->item, r->rating};
    list[1] = (tdm_mf_lists){r->I, r->from, r->user, by_item};
}

static void scale_make(double *scale, const tdm_rows *r, const tdm_dataset *train)
{
    double n = 0, sum = 0, square = 0;
    for (size_t k = 0; k < r->N; k++)
        if (isfinite(r->rating[k])) sum += (double)r->rating[k], n++;
    double mean = n > 0 ? sum / n : 0;
    for (size_t k = 0; k < r->N; k++)
        if (isfinite(r->rating[k])) square += ((double)r->rating[k] - mean) * ((double)r->rating[k] - mean);
    scale[MEAN] = mean;
    scale[DEVIATION] = square > 0 ? sqrt(square / n) : 1;
    scale[LOW] = (double)train->rating_low;
    scale[HIGH] = (double)train->rating_high;
    scale[RATINGS] = n;
}

static void keep(mf *s, size_t at, const tdm_mf *w)
{
    size_t K = s->K;
    const float *y = tdm_mf_items(w);
    float *item = (float *)(uintptr_t)s->item;
    for (size_t i = 0; i < s->I; i++) memcpy(item + (i * s->S + at) * K, y + i * K, K * sizeof *y);
    tdm_mf_prior p = tdm_mf_people_prior(w);
    memcpy((float *)(uintptr_t)s->precision + at * K * K, p.precision, K * K * sizeof(float));
    memcpy((float *)(uintptr_t)s->pull + at * K, p.pull, K * sizeof(float));
    ((float *)(uintptr_t)s->noise)[at] = tdm_mf_precision(w);
}

static tdm_status sample(mf *s, tdm_mf *w, tdm_run *run, tdm_err *err)
{
    size_t warm = (size_t)tdm_param_get(&s->p, "warm_up"), thin = (size_t)tdm_param_get(&s->p, "thin"), kept = 0;
    size_t sweeps = warm + (s->S - 1) * thin + 1;
    for (size_t t = 0; t < sweeps; t++) {
        double rmse;
        char note[64];
        tdm_status st = tdm_mf_sweep(w, t, &rmse, err);
        if (!st) st = tdm_run_check(run, "mf", err);
        if (st) return st;
        if (t >= warm && (t - warm) % thin == 0) keep(s, kept++, w);
        snprintf(note, sizeof note, "rmse %.4f of a sample, in training", rmse * s->scale[DEVIATION]);
        tdm_progress(run, "mf", t + 1, sweeps, note);
    }
    return TDM_OK;
}

static tdm_status arrays_make(mf *s, const tdm_rows *r, const tdm_dataset *train, tdm_err *err)
{
    double *scale = tdm_new(SCALE, sizeof *scale);
    float *rated = tdm_new(s->I, sizeof *rated);
    s->scale = scale;
    s->rated = rated;
    s->item = tdm_new(s->I, s->S * s->K * sizeof *s->item);
    s->precision = tdm_new(s->S, s->K * s->K * sizeof *s->precision);
    s->pull = tdm_new(s->S, s->K * sizeof *s->pull);
    s->noise = tdm_new(s->S, sizeof *s->noise);
    if (!scale || !rated || !s->item || !s->precision || !s->pull || !s->noise)
        return tdm_nomem(err, "the samples of mf; fewer take less (mf.samples)");
    scale_make(scale, r, train);
    for (size_t k = 0; k < r->N; k++)
        if (isfinite(r->rating[k])) rated[r->item[k]]++;
    return TDM_OK;
}

/* Says before the work what it will take: the log twice, with offsets, factors of both sides, and the samples. */
static void foresee(const tdm_fit_input *in)
{
    const tdm_dataset *d = in->train;
    double K = (double)tdm_padded((size_t)tdm_param_get(in->params, "factors")), rows = (double)d->U + (double)d->I,
           kept = 4 * tdm_param_get(in->params, "samples") * K * ((double)d->I + K),
           all = kept + 16 * (double)d->N + (4 * K + 8) * rows;
    tdm_log(in->run, TDM_LOG_INFO, "mf", "%.0f MB, of which %.0f are the samples kept", all / 1e6, kept / 1e6);
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    tdm_rows rows;
    foresee(in);
    tdm_status st = tdm_rows_make(&rows, in->train, (size_t)tdm_param_get(in->params, "longest"), true, err);
    if (st) return st;
    tdm_mf *w = NULL;
    mf *s = tdm_new(1, sizeof *s);
    if (s) {
        mf_set(s, in->params, rows.I);
        st = arrays_make(s, &rows, in->train, err);
    } else st = tdm_nomem(err, "mf");
    if (!st && s->scale[RATINGS] > 0) {
        tdm_mf_lists list[2];
        lists_make(list, &rows, s->scale);
        st = tdm_mf_open(&w, s->K, &list[0], &list[1], in->run, err);
        if (!st) st = sample(s, w, in->run, err);
    }
    tdm_mf_close(w);
    tdm_rows_clear(&rows);
    if (st) mf_close(s ? &s->base : NULL);
    else *out = &s->base;
    return st;
}

/* ---- asking ---- */

enum { TILE = 64 };

typedef struct asking {
    tdm_recency r;    /* the history, each item once */
    float *value;     /* r.n; NaN: not rated */
    float *A;         /* K x K */
    float *X;         /* TILE x K */
    float *b, *c, *v; /* K, TILE, K */
} asking;

static void asking_close(asking *q)
{
    tdm_recency_clear(&q->r);
    tdm_free(q->value);
    tdm_free(q->A);
}

static tdm_status asking_open(asking *q, const mf *s, const tdm_history *h, tdm_err *err)
{
    size_t K = s->K;
    *q = (asking){0};
    tdm_status st = tdm_recency_make(&q->r, h, 1, s->I, err);
    if (st) return st;
    q->value = tdm_new(q->r.n, sizeof *q->value);
    q->A = tdm_new(K * K + TILE * K + 2 * K + TILE, sizeof *q->A);
    if (!q->value || !q->A) {
        asking_close(q);
        return tdm_nomem(err, "folding in a history");
    }
    q->X = q->A + K * K;
    q->b = q->X + TILE * K;
    q->v = q->b + K;
    q->c = q->v + K;
    for (size_t j = 0; j < q->r.n; j++) {
        float x = h->ratings ? h->ratings[q->r.at[j]] : NAN;
        q->value[j] = isfinite(x) ? (float)(((double)x - s->scale[MEAN]) / s->scale[DEVIATION]) : NAN;
    }
    return TDM_OK;
}

/* A becomes the factored matrix of sample t, b its right side. */
static bool asking_sample(asking *q, const mf *s, size_t t)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t K = s->K, n = 0;
    const float nothing[TDM_MF_MOST] = {0};
    memcpy(q->A, s->precision + t * K * K, K * K * sizeof *q->A);
    memcpy(q->b, s->pull + t * K, K * sizeof *q->b);
    for (size_t j = 0; j <= q->r.n; j++) {
        if (n == TILE || (j == q->r.n && n)) {
            k->gram(q->A, K, q->X, K, n, K, s->noise[t]);
            k->pull(q->b, q->X, K, q->c, q->c, nothing, n);
            n = 0;
        }
        if (j == q->r.n || isnan(q->value[j])) continue;
        memcpy(q->X + n * K, s->item + ((size_t)q->r.item[j] * s->S + t) * K, K * sizeof *q->X);
        q->c[n++] = s->noise[t] * q->value[j];
    }
    return k->spd_factor(q->A, K, K);
}

/* x[S x K], so that a product with an item's row is the prediction's distance from the mean. */
static tdm_status fold_in(float *x, const mf *s, const tdm_history *h, tdm_err *err)
{
    asking q;
    tdm_status st = asking_open(&q, s, h, err);
    if (st) return st;
    for (size_t t = 0; t < s->S; t++) {
        if (asking_sample(&q, s, t)) tdm_kernels_best()->spd_solve(x + t * s->K, q.b, q.A, s->K, s->K);
        else memset(x + t * s->K, 0, s->K * sizeof *x);
    }
    tdm_kernels_best()->scale(x, (float)(s->scale[DEVIATION] / (double)s->S), x, s->S * s->K);
    asking_close(&q);
    return TDM_OK;
}

/* Item by item and not as one product of matrices: there a history's bits would be those of its place in the batch. */
static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const mf *s = (const mf *)m;
    size_t width = s->S * s->K, I = s->I;
    bool known = s->scale[RATINGS] > 0;
    tdm_status st = TDM_OK;
    float *x = tdm_new(1, width * sizeof *x);
    if (!x) st = tdm_nomem(err, "scores");
    for (size_t b = 0; b < B && !st; b++) {
        float *to = scores + b * I;
        memset(x, 0, width * sizeof *x);
        if (known) st = fold_in(x, s, &h[b], err);
        if (st) break;
        tdm_kernels_best()->products(to, s->item, I, width, x);
        for (size_t i = 0; i < I; i++) to[i] = s->rated[i] > 0 ? (float)(s->scale[MEAN] + (double)to[i]) : -INFINITY;
    }
    tdm_free(x);
    return st;
}

static tdm_status rate(const tdm_model *m, float *ratings, const tdm_history *h, const uint32_t *items, size_t n,
                       tdm_err *err)
{
    const mf *s = (const mf *)m;
    size_t width = s->S * s->K;
    for (size_t k = 0; k < n; k++) ratings[k] = NAN;
    if (!(s->scale[RATINGS] > 0)) return TDM_OK;
    float *x = tdm_new(width, sizeof *x);
    if (!x) return tdm_nomem(err, "mf's ratings");
    tdm_status st = fold_in(x, s, h, err);
    for (size_t k = 0; k < n && !st; k++) {
        double r = s->scale[MEAN];
        if (items[k] < s->I) r += (double)tdm_kernels_best()->dot(x, s->item + items[k] * width, width);
        ratings[k] = (float)fmin(fmax(r, s->scale[LOW]), s->scale[HIGH]);
    }
    tdm_free(x);
    return st;
}

static tdm_status because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err)
{
    const mf *s = (const mf *)m;
    const tdm_kernels *k = tdm_kernels_best();
    *out = (tdm_evidence){.rest = 1};
    if (!(s->scale[RATINGS] > 0) || item >= s->I) return TDM_OK;
    asking q;
    tdm_status st = asking_open(&q, s, h, err);
    if (st) return st;
    size_t K = s->K;
    double *part = tdm_new(h->n, sizeof *part), other = s->scale[MEAN], each = s->scale[DEVIATION] / (double)s->S;
    if (!part) st = tdm_nomem(err, "a history's shares");
    for (size_t t = 0; t < s->S && !st; t++) {
        if (!asking_sample(&q, s, t)) continue;
        memcpy(q.b, s->item + ((size_t)item * s->S + t) * K, K * sizeof *q.b);
        k->spd_solve(q.v, q.b, q.A, K, K);
        other += each * (double)k->dot(q.v, s->pull + t * K, K);
        for (size_t j = 0; j < q.r.n; j++) {
            if (isnan(q.value[j])) continue;
            float by = k->dot(q.v, s->item + ((size_t)q.r.item[j] * s->S + t) * K, K);
            part[q.r.at[j]] += each * (double)s->noise[t] * (double)q.value[j] * (double)by;
        }
    }
    if (!st) tdm_evidence_shares(out, h, part, other);
    tdm_free(part);
    asking_close(&q);
    return st;
}

static tdm_status vectors(const tdm_model *m, const float **out, size_t *K, tdm_err *err)
{
    const mf *s = (const mf *)m;
    (void)err;
    *out = s->item;
    *K = s->S * s->K;
    return TDM_OK;
}

/* ---- files ---- */

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    const mf *s = (const mf *)m;
    const tdm_tensor t[] = {
        tdm_tensor_1d("scale", TDM_F64, s->scale, SCALE),
        tdm_tensor_2d("item", TDM_F32, s->item, s->I, s->S * s->K),
        tdm_tensor_2d("people.precision", TDM_F32, s->precision, s->S, s->K * s->K),
        tdm_tensor_2d("people.pull", TDM_F32, s->pull, s->S, s->K),
        tdm_tensor_1d("noise", TDM_F32, s->noise, s->S),
        tdm_tensor_1d("rated", TDM_F32, s->rated, s->I),
    };
    return tdm_stored_write(path, s->base.ops->name, &s->p, t, sizeof t / sizeof *t, err);
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    *out = NULL;
    tdm_params p;
    tdm_safetensors *f;
    tdm_status st = tdm_stored_open(&f, &p, path, tdm_mf_ops.name, params, err);
    if (st) return st;
    mf *s = tdm_new(1, sizeof *s);
    if (!s) {
        tdm_safetensors_close(f);
        return tdm_nomem(err, path);
    }
    mf_set(s, &p, train->I);
    s->file = f;
    size_t K = s->K, S = s->S;
    st = tdm_stored_doubles(f, &s->scale, path, "scale", SCALE, err);
    if (!st) st = tdm_stored_floats(f, &s->item, path, "item", s->I * S * K, err);
    if (!st) st = tdm_stored_floats(f, &s->precision, path, "people.precision", S * K * K, err);
    if (!st) st = tdm_stored_floats(f, &s->pull, path, "people.pull", S * K, err);
    if (!st) st = tdm_stored_floats(f, &s->noise, path, "noise", S, err);
    if (!st) st = tdm_stored_floats(f, &s->rated, path, "rated", s->I, err);
    if (!st && !(s->scale[DEVIATION] > 0))
        st = tdm_fail(err, TDM_E_FORMAT, "%s: scale[%d] is not above 0", path, DEVIATION);
    if (st) mf_close(&s->base);
    else *out = &s->base;
    return st;
}

const tdm_model_ops tdm_mf_ops = {
    .name = "mf",
    .summary = "people and items as points whose products say how much it is liked",
    .path = "cf/mf.safetensors",
    .optional = true,
    .for_ratings = true,
    .params = params,
    .fit = fit,
    .score = score,
    .rate = rate,
    .because = because,
    .vectors = vectors,
    .save = save,
    .load = load,
    .close = mf_close,
};
