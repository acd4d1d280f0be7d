/* SPDX-License-Identifier: Apache-2.0 */
/* ials.c - implicit matrix factorisation: people and items as points whose products say who chose what.
 *
 *     minimise  sum over chosen (u, i): (w0 + a_ui) (1 - x_u.y_i)^2  +  w0 * sum over all others: (x_u.y_i)^2
 *               + sum over u: l (n_u + w0 I)^v |x_u|^2  +  sum over i: l (n_i + w0 U)^v |y_i|^2
 *
 * (Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008; the weight w0 of what
 * was not chosen and the power v of the regularization are those of Rendle, Krichene, Zhang and Koren, "Revisiting the
 * Performance of iALS on Item Recommendation Benchmarks", RecSys 2022.) With one side fixed the other is a
 * least-squares problem for each row (ials_step.c).
 *
 * Only item factors are kept. Who asks is folded in: one solve over the history gives the x that training would have
 * given, items further from its end counting less. The solve is linear in the history's items,
 *
 *     score(i) = y_i' A^-1 sum over j: c_j y_j,        A = w0 sum of y y' + pull + sum over j: a_j y_j y_j'
 *
 * so c_j y_i' A^-1 y_j is exactly what item j adds. */
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "cf/cf.h"
#include "model/factors_topk.h"
#include "cf/ials_model.h"
#include "cf/recency.h"
#include "cf/update.h"
#include "kernels/small_spd.h"
#include "model/evidence.h"
#include "model/stored.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const tdm_param params[] = {
    {"factors", 256, 16, 512, TDM_INTEGER, "numbers for an item, rounded up to a multiple of 16", {64, 320, 64}},
    {"iterations", 16, 1, 1000, TDM_INTEGER, "passes over people and items, at most"},
    {"patience", 3, 1, 1000, TDM_INTEGER, "passes without a better ranking before it stops"},
    {"conjugate", 0, 0, 1, TDM_INTEGER, "0: solve exactly; 1: by conjugate gradient from the last pass"},
    {"steps", 3, 1, 100, TDM_INTEGER, "of conjugate gradient"},
    {"alpha", 1, 1e-3, 1e6, TDM_LOG, "weight of a choice, beside that of what was not chosen"},
    {"unobserved", 0.03, 1e-6, 1e3, TDM_LOG, "weight of what was not chosen", {0.001, 1}},
    {"regularization", 0.3, 1e-6, 1e4, TDM_LOG, "pull of factors towards 0", {0.01, 10}},
    {"power", 0, 0, 1, TDM_LINEAR, "how much more that pulls what has more choices", {0, 1}},
    {"by_rating", 0, 0, 1, TDM_INTEGER, "1: a choice weighs alpha times its rating"},
    {"history_decay", 0.5, 0, 1, TDM_LINEAR, "how much an item one step older in the history still counts", {0.2, 1}},
    {"longest", 100000, 2, 1000000, TDM_INTEGER, "newest rows of a person that are read"},
    {0},
};

typedef tdm_ials_model ials;

static void ials_close(tdm_model *m)
{
    ials *s = (ials *)m;
    if (!s) return;
    if (!s->file) {
        tdm_free((void *)(uintptr_t)s->item);
        tdm_free((void *)(uintptr_t)s->spread);
        tdm_free((void *)(uintptr_t)s->people);
        tdm_free((void *)(uintptr_t)s->missing);
    }
    tdm_safetensors_close(s->file);
    tdm_free(s);
}

static void ials_set(ials *s, const tdm_params *p, size_t I)
{
    s->base.ops = &tdm_ials_ops;
    s->p = *p;
    s->I = I;
    s->rules.K = tdm_padded((size_t)tdm_param_get(p, "factors"));
    s->rules.unobserved = tdm_param_get(p, "unobserved");
    s->rules.regularization = tdm_param_get(p, "regularization");
    s->rules.power = tdm_param_get(p, "power");
    s->rules.steps = tdm_param_get(p, "conjugate") > 0 ? (int)tdm_param_get(p, "steps") : 0;
    s->alpha = tdm_param_get(p, "alpha");
    s->decay = tdm_param_get(p, "history_decay");
    s->by_rating = tdm_param_get(p, "by_rating") > 0;
}

tdm_ials_model *tdm_ials_model_new(const tdm_params *p, size_t I)
{
    ials *s = tdm_new(1, sizeof *s);
    if (s) ials_set(s, p, I);
    return s;
}

/* a_ui: a rating at or below 0 says no more than one of a hundredth. */
static float weight_of(const ials *s, float rating)
{
    if (!s->by_rating || isnan(rating)) return (float)s->alpha;
    return (float)(s->alpha * fmin(fmax((double)rating, 0.01), 1e6));
}

/* ---- fit ---- */

void tdm_ials_lists_make(tdm_ials_lists list[2], const ials *s, tdm_rows *r)
{
    float *by_item = (float *)(void *)r->place;
    for (size_t k = 0; k < r->N; k++) r->rating[k] = weight_of(s, r->rating[k]);
    for (size_t k = 0; k < r->N; k++) {
        float a = r->rating[r->offset[r->user[k]] + r->place[k]];
        memcpy(by_item + k, &a, sizeof a);
    }
    list[0] = (tdm_ials_lists){r->U, r->offset, r->item, r->rating};
    list[1] = (tdm_ials_lists){r->I, r->from, r->user, by_item};
}

typedef struct fitting {
    ials *s;
    const tdm_fit_input *in;
    tdm_rows rows;
    float *X, *Y, *best, *best_spread, *best_people; /* best: NULL without a judge */
    double best_value;
    size_t best_at;
    tdm_ials *work;
} fitting;

/* Rows are read in no order, so small pages cost a look-up for nearly every one. */
static void use_large_pages(void *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    uintptr_t from = ((uintptr_t)p + 4095) & ~(uintptr_t)4095, to = ((uintptr_t)p + bytes) & ~(uintptr_t)4095;
    if (to > from) (void)madvise((void *)from, to - from, MADV_HUGEPAGE); /* only advice */
#else
    (void)p, (void)bytes;
#endif
}

static tdm_status begin(fitting *f, tdm_err *err)
{
    ials *s = f->s;
    size_t K = s->rules.K, U = f->rows.U, I = f->rows.I;
    tdm_ials_lists list[2];
    double log_size = 16 * (double)f->rows.N + 8 * (double)(U + I),
           factors = 4 * (double)K * (double)(U + I + (f->in->judge ? I : 0)); /* and the best so far */
    tdm_log(f->in->run, TDM_LOG_INFO, "ials", "%.0f MB: %.0f for the log, twice, and %.0f for %zu factors of %zu rows",
            (log_size + factors) / 1e6, log_size / 1e6, factors / 1e6, K, U + I);
    f->X = tdm_new(U, K * sizeof *f->X);
    f->Y = tdm_new(I, K * sizeof *f->Y);
    float *spread = tdm_new(K, sizeof *spread), *people = tdm_new(K * K, sizeof *people);
    s->item = f->Y;
    s->spread = spread;
    s->people = people;
    if (f->in->judge) {
        f->best = tdm_new(I, K * sizeof *f->best);
        f->best_spread = tdm_new(K, sizeof *f->best_spread);
        f->best_people = tdm_new(K * K, sizeof *f->best_people);
    }
    if (!f->X || !f->Y || !spread || !people || (f->in->judge && (!f->best || !f->best_spread || !f->best_people)))
        return tdm_nomem(err, "the factors; fewer of them take less (ials.factors)");
    use_large_pages(f->X, U * K * sizeof *f->X);
    use_large_pages(f->Y, I * K * sizeof *f->Y);
    for (size_t i = 0; i < I; i++) { /* one stream an item, so that any split of the work draws the same */
        tdm_rng r = tdm_rng_make(f->in->run->seed, 0, i);
        for (size_t k = 0; k < K; k++) f->Y[i * K + k] = (float)(0.1 / sqrt((double)K) * tdm_rng_normal(&r));
    }
    tdm_ials_lists_make(list, s, &f->rows);
    return tdm_ials_open(&f->work, &s->rules, &list[0], &list[1], f->X, f->Y, f->in->run, err);
}

/* Items that nobody chose have no place: descent from a drawn start never quite gets to 0. */
static void settle(fitting *f)
{
    size_t K = f->s->rules.K;
    memcpy((void *)(uintptr_t)f->s->spread, tdm_ials_spread(f->work), K * sizeof(float));
    tdm_ials_people(f->work, (float *)(uintptr_t)f->s->people);
    for (size_t i = 0; i < f->rows.I; i++)
        if (!tdm_rows_count(&f->rows, i)) memset(f->Y + i * K, 0, K * sizeof *f->Y);
}

/* *stop: the ranking has not become better for a while. */
static tdm_status judge(fitting *f, size_t t, double *value, bool *stop, tdm_err *err)
{
    size_t n = f->rows.I * f->s->rules.K;
    tdm_status st = f->in->judge->ask(f->in->judge->ctx, value, &f->s->base, err);
    if (st) return st;
    if (t == 0 || *value > f->best_value) {
        f->best_value = *value;
        f->best_at = t;
        memcpy(f->best, f->Y, n * sizeof *f->Y);
        memcpy(f->best_spread, f->s->spread, f->s->rules.K * sizeof(float));
        memcpy(f->best_people, f->s->people, f->s->rules.K * f->s->rules.K * sizeof(float));
    }
    *stop = t - f->best_at >= (size_t)tdm_param_get(&f->s->p, "patience");
    return TDM_OK;
}

static tdm_status train(fitting *f, tdm_err *err)
{
    double allowed = tdm_param_get(&f->s->p, "iterations"), again = tdm_json_num(f->in->again, "iterations", allowed);
    size_t most = (size_t)(again >= 1 && again < allowed ? again : allowed); /* what a file says is not trusted */
    tdm_status st = TDM_OK;
    bool stop = false;
    for (size_t t = 0; t < most && !stop && !st; t++) {
        char note[96];
        double objective = 0, value = 0;
        st = tdm_ials_step(f->work, &objective, err);
        if (st) break;
        settle(f);
        snprintf(note, sizeof note, "objective %.7g", objective);
        if (f->in->judge && !(st = judge(f, t, &value, &stop, err)))
            snprintf(note, sizeof note, "objective %.7g, ndcg@10 %.4f", objective, value);
        tdm_progress(f->in->run, "ials", t + 1, most, note);
        if (!st) st = tdm_run_check(f->in->run, "ials", err);
    }
    if (!st && f->in->judge) {
        memcpy(f->Y, f->best, f->rows.I * f->s->rules.K * sizeof *f->Y);
        memcpy((void *)(uintptr_t)f->s->spread, f->best_spread, f->s->rules.K * sizeof(float));
        memcpy((void *)(uintptr_t)f->s->people, f->best_people, f->s->rules.K * f->s->rules.K * sizeof(float));
        tdm_log(f->in->run, TDM_LOG_INFO, "ials", "best after %zu iterations: ndcg@10 %.4f", f->best_at + 1,
                f->best_value);
        if (f->in->chosen) cJSON_AddNumberToObject(f->in->chosen, "iterations", (double)(f->best_at + 1));
    }
    return st;
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    fitting f = {.in = in};
    tdm_status st = tdm_rows_make(&f.rows, in->train, (size_t)tdm_param_get(in->params, "longest"), true, err);
    if (st) return st;
    f.s = tdm_ials_model_new(in->params, f.rows.I);
    if (!f.s) st = tdm_nomem(err, "ials");
    if (!st) st = begin(&f, err);
    if (!st) st = train(&f, err);
    tdm_ials_close(f.work);
    tdm_free(f.X);
    tdm_free(f.best);
    tdm_free(f.best_spread);
    tdm_free(f.best_people);
    tdm_rows_clear(&f.rows);
    if (st) ials_close(f.s ? &f.s->base : NULL);
    else *out = &f.s->base;
    return st;
}

/* ---- asking ---- */

/* What a question needs, in one block: reused for every history of a batch. */
typedef struct asking {
    tdm_small_spd spd;
    float *d; /* K */
    tdm_recency r;
    float *a; /* r.n */
} asking;

static tdm_status asking_open(asking *q, const ials *s, tdm_err *err)
{
    size_t K = s->rules.K;
    *q = (asking){.d = tdm_new(K + tdm_small_spd_scratch(K), sizeof *q->d)};
    if (!q->d) return tdm_nomem(err, "folding in a history");
    q->spd = (tdm_small_spd){tdm_kernels_best(), s->item, K, q->d, (float)s->rules.unobserved, q->d + K};
    return TDM_OK;
}

static void asking_close(asking *q)
{
    tdm_recency_clear(&q->r);
    tdm_free(q->a);
    tdm_free(q->d);
}

/* The history as a list of weights, and the diagonal for its length. */
static tdm_status asking_of(asking *q, const ials *s, const tdm_history *h, tdm_err *err)
{
    tdm_recency_clear(&q->r);
    tdm_free(q->a);
    q->a = NULL;
    tdm_status st = tdm_recency_make(&q->r, h, s->decay, s->I, err);
    if (st) return st;
    q->a = tdm_new(q->r.n, sizeof *q->a);
    if (!q->a) return tdm_nomem(err, "a history's weights");
    for (size_t j = 0; j < q->r.n; j++) {
        float x = h->ratings ? h->ratings[q->r.at[j]] : NAN;
        q->a[j] = (float)(q->r.weight[j] * (double)weight_of(s, x));
        if (q->a[j] < 1e-12f) q->a[j] = 1e-12f;
    }
    float pull = (float)tdm_ials_pull(&s->rules, (double)q->r.n, (double)s->I);
    for (size_t k = 0; k < s->rules.K; k++) q->d[k] = s->spread[k] + pull;
    return TDM_OK;
}

/* X: B x K, where each history's person stands; 0 without an opinion. */
static tdm_status fold_in(float **X, const ials *s, const tdm_history *h, size_t B, tdm_err *err)
{
    size_t K = s->rules.K;
    asking q;
    tdm_status st = asking_open(&q, s, err);
    *X = tdm_new(B, K * sizeof **X);
    if (!st && !*X) st = tdm_nomem(err, "a batch of people");
    for (size_t b = 0; b < B && !st; b++) {
        double fit;
        st = asking_of(&q, s, &h[b], err);
        if (!st && !tdm_small_spd_solve(&q.spd, *X + b * K, &fit, q.r.item, q.a, NULL, q.r.n))
            memset(*X + b * K, 0, K * sizeof **X);
    }
    asking_close(&q);
    return st;
}

static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const ials *s = (const ials *)m;
    const tdm_factors f = {s->item, s->I, s->rules.K};
    float *X;
    tdm_status st = fold_in(&X, s, h, B, err);
    if (!st) st = tdm_factors_score(scores, &f, X, B, err);
    tdm_free(X);
    return st;
}

static tdm_status topk(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B, const tdm_wanted *w,
                       tdm_err *err)
{
    const ials *s = (const ials *)m;
    const tdm_factors f = {s->item, s->I, s->rules.K};
    float *X;
    tdm_status st = fold_in(&X, s, h, B, err);
    if (!st) st = tdm_factors_topk(out, &f, X, h, B, w, err);
    tdm_free(X);
    return st;
}

static tdm_status because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err)
{
    const ials *s = (const ials *)m;
    size_t K = s->rules.K;
    *out = (tdm_evidence){.rest = 1};
    asking q;
    tdm_status st = asking_open(&q, s, err);
    double *part = tdm_new(h->n, sizeof *part);
    float *v = tdm_new(K, sizeof *v);
    if (!st && (!part || !v)) st = tdm_nomem(err, "a history's shares");
    if (!st) st = asking_of(&q, s, h, err);
    if (!st && item < s->I && tdm_small_spd_factor(&q.spd, q.r.item, q.a, q.r.n)) {
        tdm_small_spd_again(&q.spd, v, s->item + (size_t)item * K);
        for (size_t j = 0; j < q.r.n; j++) {
            double c = (double)q.a[j] + s->rules.unobserved;
            part[q.r.at[j]] = c * (double)q.spd.k->dot(v, s->item + (size_t)q.r.item[j] * K, K);
        }
        tdm_evidence_shares(out, h, part, 0);
    }
    asking_close(&q);
    tdm_free(part);
    tdm_free(v);
    return st;
}

static tdm_status vectors(const tdm_model *m, const float **out, size_t *K, tdm_err *err)
{
    const ials *s = (const ials *)m;
    (void)err;
    *out = s->item;
    *K = s->rules.K;
    return TDM_OK;
}

/* ---- files ---- */

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    const ials *s = (const ials *)m;
    const tdm_tensor t[] = {tdm_tensor_2d("item", TDM_F32, s->item, s->I, s->rules.K),
                            tdm_tensor_1d("spread", TDM_F32, s->spread, s->rules.K),
                            tdm_tensor_2d("people", TDM_F32, s->people, s->rules.K, s->rules.K),
                            tdm_tensor_1d("missing", TDM_F32, s->missing, s->I)};
    return tdm_stored_write(path, s->base.ops->name, &s->p, t, s->missing ? 4 : 3, err);
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    *out = NULL;
    tdm_params p;
    tdm_safetensors *file;
    tdm_status st = tdm_stored_open(&file, &p, path, tdm_ials_ops.name, params, err);
    if (st) return st;
    ials *s = tdm_ials_model_new(&p, train->I);
    if (!s) {
        tdm_safetensors_close(file);
        return tdm_nomem(err, path);
    }
    s->file = file;
    st = tdm_stored_floats(file, &s->item, path, "item", s->I * s->rules.K, err);
    if (!st) st = tdm_stored_floats(file, &s->spread, path, "spread", s->rules.K, err);
    if (!st) st = tdm_stored_floats(file, &s->people, path, "people", s->rules.K * s->rules.K, err);
    if (!st && tdm_safetensors_find(file, "missing"))
        st = tdm_stored_floats(file, &s->missing, path, "missing", s->I, err);
    for (size_t k = 0; !st && k < s->rules.K; k++)
        if (s->spread[k] < 0) st = tdm_fail(err, TDM_E_FORMAT, "%s: spread[%zu] is below 0", path, k);
    if (st) ials_close(&s->base);
    else *out = &s->base;
    return st;
}

const tdm_model_ops tdm_ials_ops = {
    .name = "ials",
    .summary = "people and items as points whose products say who chose what",
    .path = "cf/ials.safetensors",
    .optional = true,
    .params = params,
    .fit = fit,
    .update = tdm_ials_update,
    .score = score,
    .topk = topk,
    .because = because,
    .vectors = vectors,
    .save = save,
    .load = load,
    .close = ials_close,
};
