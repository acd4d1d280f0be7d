/* SPDX-License-Identifier: Apache-2.0 */
/* svdpp.c - SVD++: ratings by taste, and by what it says to have chosen an item at all; asked with a history.
 *
 *     rating(u, i) = mean + offset_u + offset_i + y_i . (p_u + 1 / sqrt(n_u) sum over u's items j: z_j)
 *
 * (Koren, "Factorization Meets the Neighborhood: a Multifaceted Collaborative Filtering Model", KDD 2008; without z,
 * biased matrix factorisation: Koren, Bell and Volinsky, IEEE Computer 2009.) Trained by gradient descent (grid.c,
 * svdpp_train.c). People's own factors are not kept: who asks gets the p that training's own problem gives a history,
 * by one solve (svdpp_fold.c), so strangers and training people take the same path. That solve is linear in the ratings
 * and in the choices,
 *
 *     x = A^-1 sum over j: (v_j y_j + l / sqrt(n) z_j)        v_j: how far j's rating is from mean and offset
 *
 * so y_i' A^-1 (...) is exactly what history item j adds to the prediction for i. */
#include "cf/svdpp.h"
#include "base/mem.h"
#include "base/status.h"
#include "cf/cf.h"
#include "cf/recency.h"
#include "model/evidence.h"
#include "model/stored.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const tdm_param params[] = {
    {"factors", 64, 16, TDM_SVDPP_MOST, TDM_INTEGER,
     "numbers for an item, two of them offsets, rounded up to a multiple of 16"},
    {"implied", 1, 0, 1, TDM_INTEGER, "1: what was chosen counts, whatever its rating; 0: plain biased factorisation"},
    {"epochs", 200, 1, 10000, TDM_INTEGER, "passes over the ratings, at most"},
    {"patience", 10, 1, 10000, TDM_INTEGER, "epochs without better predictions of ratings kept back before it stops"},
    {"held", 0.1, 0, 0.5, TDM_LINEAR, "share of ratings kept back to choose the epochs; 0: train them all"},
    {"rate", 0.015, 1e-6, 1, TDM_LOG, "of learning, in the first epoch", {0.003, 0.05}},
    {"slowing", 0.99, 0.1, 1, TDM_LINEAR, "the rate of an epoch over that of the one before"},
    {"pull", 4.3, 1e-6, 100, TDM_LOG, "of a person's factors towards what choices imply, per rating", {0.5, 20}},
    {"pull_item", 3, 1e-6, 100, TDM_LOG, "of an item's factors towards 0, per rating", {0.5, 20}},
    {"power", 0.3, 0, 1, TDM_LINEAR, "how the pull grows with the number of ratings", {0, 1}},
    {"pull_implied", 12, 1e-6, 1e6, TDM_LOG, "of what choices imply towards 0", {1, 100}},
    {"steps", 1, 1, 100, TDM_INTEGER, "of conjugate gradient on what choices imply, after an epoch"},
    {"longest", 100000, 2, 1000000, TDM_INTEGER, "newest rows of a person that are read"},
    {0},
};

enum { MEAN, LOW, HIGH, SHIFT, SLOPE, RATINGS, SCALE };
enum { MOST_ASKED = 5000 }; /* people whose ratings are kept back */

typedef struct svdpp {
    tdm_model base;
    tdm_params p;
    tdm_svdpp_rules rules;
    size_t I, K;
    const double *scale;   /* SCALE numbers; RATINGS is 0 where there were none, and nothing can be said */
    const float *item;     /* I x K */
    const float *implied;  /* I x K, or NULL */
    const float *rated;    /* I; how many rated it */
    tdm_safetensors *file; /* what mapped arrays lie in; NULL for a fitted model, which owns them */
} svdpp;

static void svdpp_close(tdm_model *m)
{
    svdpp *s = (svdpp *)m;
    if (!s) return;
    if (!s->file) {
        tdm_free((void *)(uintptr_t)s->scale);
        tdm_free((void *)(uintptr_t)s->item);
        tdm_free((void *)(uintptr_t)s->implied);
        tdm_free((void *)(uintptr_t)s->rated);
    }
    tdm_safetensors_close(s->file);
    tdm_free(s);
}

static void svdpp_set(svdpp *s, const tdm_params *p, size_t I)
{
    s->base.ops = &tdm_svdpp_ops;
    s->p = *p;
    s->I = I;
    s->K = tdm_padded((size_t)tdm_param_get(p, "factors"));
    s->rules = (tdm_svdpp_rules){.K = s->K,
                                 .rate = tdm_param_get(p, "rate"),
                                 .slowing = tdm_param_get(p, "slowing"),
                                 .pull = tdm_param_get(p, "pull"),
                                 .pull_item = tdm_param_get(p, "pull_item"),
                                 .power = tdm_param_get(p, "power"),
                                 .implied = tdm_param_get(p, "implied") > 0,
                                 .pull_implied = tdm_param_get(p, "pull_implied"),
                                 .steps = (size_t)tdm_param_get(p, "steps")};
}

static tdm_svdpp_space space_of(const svdpp *s)
{
    return (tdm_svdpp_space){s->I, s->K, s->item, s->implied, s->scale[MEAN], s->rules.pull, s->rules.power};
}

/* ---- fit ---- */

static void scale_make(svdpp *s, const tdm_rows *r, const tdm_dataset *train)
{
    double n = 0, sum = 0, *scale = (double *)(uintptr_t)s->scale;
    float *rated = (float *)(uintptr_t)s->rated;
    memset(rated, 0, s->I * sizeof *rated);
    for (size_t k = 0; k < r->N; k++)
        if (isfinite(r->rating[k])) sum += (double)r->rating[k], n++, rated[r->item[k]]++;
    scale[MEAN] = n > 0 ? sum / n : 0;
    scale[LOW] = (double)train->rating_low;
    scale[HIGH] = (double)train->rating_high;
    scale[RATINGS] = n;
}

/* Trains at most *epochs; with ratings kept back, until they are predicted no better: *epochs is then how many were
 * best, and the calibration is theirs. */
static tdm_status train(svdpp *s, const tdm_rows *r, const tdm_svdpp_held *held, size_t *epochs, tdm_run *run,
                        tdm_err *err)
{
    size_t most = *epochs, best = 0, patience = (size_t)tdm_param_get(&s->p, "patience");
    double least = INFINITY, *scale = (double *)(uintptr_t)s->scale;
    tdm_svdpp_training *w;
    tdm_status st = tdm_svdpp_training_open(&w, &s->rules, r, scale[MEAN], (float *)(uintptr_t)s->item,
                                            (float *)(uintptr_t)s->implied, run, err);
    for (size_t t = 0; !st && t < most && !(held && t >= best + patience); t++) {
        double rmse, kept = 0, shift, slope;
        char note[96];
        st = tdm_svdpp_training_epoch(w, t, &rmse, err);
        if (st) break;
        snprintf(note, sizeof note, "rmse %.4f in training", rmse);
        if (held) {
            tdm_svdpp_space space = space_of(s);
            st = tdm_svdpp_held_ask(held, &kept, &shift, &slope, &space, r, scale[LOW], scale[HIGH], run, err);
            snprintf(note, sizeof note, "rmse %.4f in training, %.4f of ratings kept back", rmse, kept);
            if (!st && kept < least) {
                least = kept;
                best = t + 1;
                scale[SHIFT] = shift;
                scale[SLOPE] = slope;
            }
        }
        tdm_progress(run, "svdpp", t + 1, most, note);
    }
    tdm_svdpp_training_close(w);
    if (held) *epochs = best ? best : 1;
    if (held && !st)
        tdm_log(run, TDM_LOG_INFO, "svdpp",
                "best after %zu epochs: rmse %.4f of %zu ratings kept back, which lie near %.3f + %.3f times the "
                "prediction",
                *epochs, least, held->n, scale[SHIFT], scale[SLOPE]);
    return st;
}

/* Items that nobody rated have the mean and no traits. */
static void settle(svdpp *s)
{
    for (size_t i = 0; i < s->I; i++)
        if (!(s->rated[i] > 0)) memset((float *)(uintptr_t)s->item + i * s->K, 0, (s->K - 1) * sizeof(float));
}

static tdm_status arrays_make(svdpp *s, tdm_err *err)
{
    double *scale = tdm_new(SCALE, sizeof *scale);
    s->scale = scale;
    s->rated = tdm_new(s->I, sizeof *s->rated);
    s->item = tdm_new(s->I, s->K * sizeof *s->item);
    if (s->rules.implied) s->implied = tdm_new(s->I, s->K * sizeof *s->implied);
    if (!scale || !s->rated || !s->item || (s->rules.implied && !s->implied))
        return tdm_nomem(err, "the factors; fewer of them take less (svdpp.factors)");
    scale[SLOPE] = 1;
    return TDM_OK;
}

static void foresee(const svdpp *s, const tdm_dataset *train, tdm_run *run)
{
    double N = (double)train->N, U = (double)train->U, I = (double)train->I, K = 4 * (double)s->K;
    double log_size = 16 * N + 8 * (U + I), cells = tdm_grid_bytes(N, U, I), factors = K * (U + I);
    if (s->rules.implied) factors += K * (2 * U + 4 * I);
    tdm_log(run, TDM_LOG_INFO, "svdpp", "%.0f MB: %.0f for the log, twice, %.0f for its cells, %.0f for factors",
            (log_size + cells + factors) / 1e6, log_size / 1e6, cells / 1e6, factors / 1e6);
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    size_t longest = (size_t)tdm_param_get(in->params, "longest"), epochs = (size_t)tdm_param_get(in->params, "epochs");
    double share = tdm_param_get(in->params, "held");
    tdm_rows rows = {0};
    *out = NULL;
    svdpp *s = tdm_new(1, sizeof *s);
    if (!s) return tdm_nomem(err, "svdpp");
    svdpp_set(s, in->params, in->train->I);
    foresee(s, in->train, in->run);
    tdm_status st = arrays_make(s, err);
    if (!st && share > 0) {
        tdm_svdpp_held held = {0};
        st = tdm_rows_make(&rows, in->train, longest, true, err);
        if (!st) st = tdm_svdpp_held_take(&held, &rows, share, MOST_ASKED, in->run, err);
        if (!st) scale_make(s, &rows, in->train);
        if (!st && held.n && s->scale[RATINGS] > 0) st = train(s, &rows, &held, &epochs, in->run, err);
        tdm_svdpp_held_clear(&held);
        tdm_rows_clear(&rows);
    }
    if (!st) st = tdm_rows_make(&rows, in->train, longest, true, err);
    if (!st) scale_make(s, &rows, in->train);
    if (!st && s->implied) memset((float *)(uintptr_t)s->implied, 0, s->I * s->K * sizeof(float));
    if (!st && s->scale[RATINGS] > 0) st = train(s, &rows, NULL, &epochs, in->run, err);
    tdm_rows_clear(&rows);
    if (st) svdpp_close(&s->base);
    else {
        settle(s);
        *out = &s->base;
    }
    return st;
}

/* ---- asking ---- */

typedef struct asking {
    tdm_svdpp_space space;
    tdm_svdpp_fold fold;
    tdm_recency r; /* the history, each item once */
    float *rating; /* r.n */
    bool known;    /* whether the matrix could be factored */
} asking;

static void asking_close(asking *q)
{
    tdm_recency_clear(&q->r);
    tdm_free(q->rating);
    tdm_svdpp_fold_close(&q->fold);
}

static tdm_status asking_open(asking *q, const svdpp *s, const tdm_history *h, tdm_err *err)
{
    *q = (asking){.space = space_of(s)};
    tdm_status st = tdm_recency_make(&q->r, h, 1, s->I, err);
    if (!st) st = tdm_svdpp_fold_open(&q->fold, &q->space, err);
    if (!st && !(q->rating = tdm_new(q->r.n, sizeof *q->rating))) st = tdm_nomem(err, "folding in a history");
    if (st) {
        asking_close(q);
        return st;
    }
    for (size_t j = 0; j < q->r.n; j++) q->rating[j] = h->ratings ? h->ratings[q->r.at[j]] : NAN;
    q->known = tdm_svdpp_fold_factor(&q->fold, &q->space, q->r.item, q->rating, q->r.n);
    return TDM_OK;
}

static tdm_status fold_in(float *x, const svdpp *s, const tdm_history *h, tdm_err *err)
{
    asking q;
    tdm_status st = asking_open(&q, s, h, err);
    if (st) return st;
    memset(x, 0, s->K * sizeof *x);
    x[s->K - 2] = 1;
    if (q.known) tdm_svdpp_fold_solve(&q.fold, &q.space, x);
    asking_close(&q);
    return TDM_OK;
}

static double said_of(const svdpp *s, double product)
{
    return s->scale[SHIFT] + s->scale[SLOPE] * (s->scale[MEAN] + product);
}

/* Item by item and not as one product of matrices: there a history's bits would be those of its place in the batch. */
static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const svdpp *s = (const svdpp *)m;
    size_t K = s->K, I = s->I;
    bool known = s->scale[RATINGS] > 0;
    tdm_status st = TDM_OK;
    float *x = tdm_new(1, K * sizeof *x);
    if (!x) st = tdm_nomem(err, "scores");
    for (size_t b = 0; b < B && !st; b++) {
        float *to = scores + b * I;
        memset(x, 0, K * sizeof *x);
        if (known) st = fold_in(x, s, &h[b], err);
        if (st) break;
        tdm_kernels_best()->products(to, s->item, I, K, x);
        for (size_t i = 0; i < I; i++) to[i] = s->rated[i] > 0 ? (float)said_of(s, (double)to[i]) : -INFINITY;
    }
    tdm_free(x);
    return st;
}

static tdm_status rate(const tdm_model *m, float *ratings, const tdm_history *h, const uint32_t *items, size_t n,
                       tdm_err *err)
{
    const svdpp *s = (const svdpp *)m;
    float x[TDM_SVDPP_MOST];
    for (size_t k = 0; k < n; k++) ratings[k] = NAN;
    if (!(s->scale[RATINGS] > 0)) return TDM_OK;
    tdm_status st = fold_in(x, s, h, err);
    for (size_t k = 0; k < n && !st; k++) {
        bool known = items[k] < s->I;
        double r =
            said_of(s, (double)(known ? tdm_kernels_best()->dot(x, s->item + items[k] * s->K, s->K) : x[s->K - 1]));
        ratings[k] = (float)fmin(fmax(r, s->scale[LOW]), s->scale[HIGH]);
    }
    return st;
}

static tdm_status because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err)
{
    const svdpp *s = (const svdpp *)m;
    const tdm_kernels *k = tdm_kernels_best();
    size_t K = s->K;
    *out = (tdm_evidence){.rest = 1};
    if (!(s->scale[RATINGS] > 0) || item >= s->I) return TDM_OK;
    asking q;
    float v[TDM_SVDPP_MOST] = {0};
    tdm_status st = asking_open(&q, s, h, err);
    if (st) return st;
    double *part = tdm_new(h->n, sizeof *part), slope = s->scale[SLOPE];
    if (!part) st = tdm_nomem(err, "a history's shares");
    if (!st && q.known) {
        memcpy(q.fold.b, s->item + item * K, K * sizeof *q.fold.b);
        q.fold.b[K - 2] = 0;
        k->spd_solve(v, q.fold.b, q.fold.A, K, K);
        v[K - 2] = 0;
        for (size_t j = 0; j < q.r.n; j++) {
            const float *y = s->item + q.r.item[j] * K;
            double by = 0;
            if (isfinite(q.rating[j]))
                by = ((double)q.rating[j] - s->scale[MEAN] - (double)y[K - 2]) * (double)k->dot(v, y, K);
            if (s->implied) by += q.fold.pull * q.fold.each * (double)k->dot(v, s->implied + q.r.item[j] * K, K);
            part[q.r.at[j]] = slope * by;
        }
    }
    if (!st) tdm_evidence_shares(out, h, part, said_of(s, (double)s->item[item * K + K - 2]));
    tdm_free(part);
    asking_close(&q);
    return st;
}

static tdm_status vectors(const tdm_model *m, const float **out, size_t *K, tdm_err *err)
{
    const svdpp *s = (const svdpp *)m;
    (void)err;
    *out = s->item;
    *K = s->K;
    return TDM_OK;
}

/* ---- files ---- */

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    const svdpp *s = (const svdpp *)m;
    const tdm_tensor t[] = {
        tdm_tensor_1d("scale", TDM_F64, s->scale, SCALE),
        tdm_tensor_2d("item", TDM_F32, s->item, s->I, s->K),
        tdm_tensor_1d("rated", TDM_F32, s->rated, s->I),
        tdm_tensor_2d("implied", TDM_F32, s->implied, s->I, s->K),
    };
    return tdm_stored_write(path, s->base.ops->name, &s->p, t, sizeof t / sizeof *t - !s->implied, err);
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    *out = NULL;
    tdm_params p;
    tdm_safetensors *f;
    tdm_status st = tdm_stored_open(&f, &p, path, tdm_svdpp_ops.name, params, err);
    if (st) return st;
    svdpp *s = tdm_new(1, sizeof *s);
    if (!s) {
        tdm_safetensors_close(f);
        return tdm_nomem(err, path);
    }
    svdpp_set(s, &p, train->I);
    s->file = f;
    st = tdm_stored_doubles(f, &s->scale, path, "scale", SCALE, err);
    if (!st) st = tdm_stored_floats(f, &s->item, path, "item", s->I * s->K, err);
    if (!st) st = tdm_stored_floats(f, &s->rated, path, "rated", s->I, err);
    if (!st && s->rules.implied) st = tdm_stored_floats(f, &s->implied, path, "implied", s->I * s->K, err);
    if (!st && s->scale[LOW] > s->scale[HIGH])
        st = tdm_fail(err, TDM_E_FORMAT, "%s: ratings from %g down to %g", path, s->scale[LOW], s->scale[HIGH]);
    if (st) svdpp_close(&s->base);
    else *out = &s->base;
    return st;
}

const tdm_model_ops tdm_svdpp_ops = {
    .name = "svdpp",
    .summary = "ratings by taste and by what was chosen at all, by gradient descent",
    .path = "cf/svdpp.safetensors",
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
    .close = svdpp_close,
};
