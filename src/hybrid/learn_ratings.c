/* SPDX-License-Identifier: Apache-2.0 */
/* learn_ratings.c - ridge regression over the models' rating predictions.
 *
 *     rating = mean + shift + sum over models: w_m (their rating - mean)
 *     loss   = sum of squared errors + strength * sum (w_m - 1 / models)^2 + shift^2
 *
 * so few ratings give the models' average. A model that cannot say counts as saying the mean. All that is kept of the
 * ratings is the normal equations of each fold, so the strength is chosen on left-out people without another pass. */
#include "hybrid/learn.h"

#include "base/mem.h"
#include "data/split.h"
#include "hybrid/solve.h"

#include <math.h>
#include <string.h>

enum { GRAIN = 16, FOLDS = 5, MOST = TDM_FUSION_MODELS + 1 };

static const double strengths[] = {1e6, 1000, 300, 100, 30, 10, 3, 1};

enum { STRENGTHS = sizeof strengths / sizeof *strengths };

/* Normal equations of some ratings; x = (1, predictions minus mean). */
typedef struct equations {
    double xx[MOST * MOST], xy[MOST], yy;
    size_t n;
} equations;

typedef struct asking {
    const tdm_fusion *f;
    const tdm_questions *qs;
    size_t R, first;                 /* R: 1 + models that rate */
    size_t model[TDM_FUSION_MODELS]; /* R - 1 */
    equations *part;                 /* FOLDS a chunk */
    tdm_status *st;
    tdm_err *err;
} asking;

static void equations_add(equations *e, const equations *other, size_t R)
{
    for (size_t i = 0; i < R; i++) {
        e->xy[i] += other->xy[i];
        for (size_t j = 0; j <= i; j++) e->xx[i * R + j] += other->xx[i * R + j];
    }
    e->yy += other->yy;
    e->n += other->n;
}

static tdm_status question_add(equations *e, const asking *a, size_t q, float *said, tdm_err *err)
{
    const tdm_questions *qs = a->qs;
    size_t at = (size_t)qs->target_at[q], n = (size_t)qs->target_at[q + 1] - at;
    bool any = false;
    for (size_t t = at; t < at + n; t++) any = any || isfinite(qs->target_rating[t]);
    if (!any) return TDM_OK;
    tdm_history h = tdm_questions_history(qs, q);
    for (size_t k = 0; k + 1 < a->R; k++) {
        const tdm_model *m = a->f->model[a->model[k]];
        tdm_status st = m->ops->rate(m, said + k * n, &h, qs->target + at, n, err);
        if (st) return st;
    }
    for (size_t t = 0; t < n; t++) {
        double x[MOST] = {1}, y = (double)qs->target_rating[at + t] - a->f->mean;
        if (!isfinite(y)) continue;
        for (size_t k = 1; k < a->R; k++) {
            double r = (double)said[(k - 1) * n + t] - a->f->mean;
            x[k] = isfinite(r) ? r : 0;
        }
        for (size_t i = 0; i < a->R; i++) {
            e->xy[i] += x[i] * y;
            for (size_t j = 0; j <= i; j++) e->xx[i * a->R + j] += x[i] * x[j];
        }
        e->yy += y * y;
        e->n++;
    }
    return TDM_OK;
}

static void chunk_ask(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const asking *a = ctx;
    size_t most = 0;
    for (size_t q = a->first + begin; q < a->first + end; q++) {
        size_t n = (size_t)(a->qs->target_at[q + 1] - a->qs->target_at[q]);
        if (n > most) most = n;
    }
    float *said = tdm_new(most, a->R * sizeof *said);
    tdm_status *st = &a->st[chunk];
    *st = said ? TDM_OK : tdm_nomem(&a->err[chunk], "the ratings");
    for (size_t q = a->first + begin; q < a->first + end && !*st; q++)
        *st = question_add(&a->part[chunk * FOLDS + q % FOLDS], a, q, said, &a->err[chunk]);
    tdm_free(said);
}

/* w (R) of these equations; false where they have no solution. */
static bool solve(double *w, const equations *e, size_t R, double strength)
{
    double A[MOST * MOST];
    memcpy(A, e->xx, sizeof A);
    for (size_t k = 0; k < R; k++) {
        w[k] = e->xy[k] + (k ? strength / (double)(R - 1) : 0);
        A[k * R + k] += k ? strength : 1;
    }
    return tdm_solve(A, w, R);
}

/* Squared error of w on these ratings. */
static double error_of(const double *w, const equations *e, size_t R)
{
    double sum = e->yy;
    for (size_t i = 0; i < R; i++) {
        sum -= 2 * w[i] * e->xy[i];
        for (size_t j = 0; j < i; j++) sum += 2 * w[i] * w[j] * e->xx[i * R + j];
        sum += w[i] * w[i] * e->xx[i * R + i];
    }
    return sum;
}

static tdm_status equations_make(equations *fold, asking *a, tdm_run *run, tdm_err *err)
{
    enum { ROUND = 16 };
    tdm_status st = TDM_OK;
    a->part = tdm_new(ROUND * FOLDS, sizeof *a->part);
    a->st = tdm_new(ROUND, sizeof *a->st);
    a->err = tdm_new(ROUND, sizeof *a->err);
    if (!a->part || !a->st || !a->err) st = tdm_nomem(err, "the ratings");
    for (; !st && a->first < a->qs->n; a->first += ROUND * GRAIN) {
        size_t n = a->qs->n - a->first < ROUND * GRAIN ? a->qs->n - a->first : ROUND * GRAIN;
        memset(a->part, 0, ROUND * FOLDS * sizeof *a->part);
        tdm_pool_for(run->pool, n, GRAIN, chunk_ask, a);
        for (size_t c = 0; c < tdm_chunks(n, GRAIN) && !st; c++) {
            if ((st = a->st[c]) && err) *err = a->err[c];
            for (size_t k = 0; k < FOLDS; k++) equations_add(&fold[k], &a->part[c * FOLDS + k], a->R);
        }
        tdm_progress(run, "hybrid", a->first + n, a->qs->n, "ratings");
        if (!st) st = tdm_run_check(run, "hybrid", err);
    }
    tdm_free(a->part);
    tdm_free(a->st);
    tdm_free(a->err);
    return st;
}

/* Chooses the strength by left-out folds and solves for all of them. */
static void weights_make(tdm_fusion *f, const asking *a, const equations *fold, equations *some, tdm_run *run)
{
    size_t R = a->R;
    double loss[FOLDS * STRENGTHS], w[MOST], sum = 0;
    for (size_t out = 0; out < FOLDS; out++) {
        memset(some, 0, sizeof *some);
        for (size_t k = 0; k < FOLDS; k++)
            if (k != out) equations_add(some, &fold[k], R);
        for (size_t s = 0; s < STRENGTHS; s++)
            loss[out * STRENGTHS + s] = solve(w, some, R, strengths[s]) ? error_of(w, &fold[out], R) : INFINITY;
    }
    size_t chosen = tdm_pull_choose(loss, FOLDS, STRENGTHS);
    for (size_t out = 0; out < FOLDS; out++) sum += loss[out * STRENGTHS + chosen];
    memset(some, 0, sizeof *some);
    for (size_t k = 0; k < FOLDS; k++) equations_add(some, &fold[k], R);
    if (!some->n || !solve(w, some, R, strengths[chosen])) return;
    f->rated = some->n;
    f->shift = w[0];
    for (size_t k = 1; k < R; k++) f->rate[a->model[k - 1]] = w[k];
    tdm_log(run, TDM_LOG_INFO, "hybrid", "%zu validation ratings: rmse %.4f on people left out", f->rated,
            sqrt(fmax(sum, 0) / (double)f->rated));
}

tdm_status tdm_fusion_learn_ratings(tdm_fusion *f, const tdm_fit_input *in, tdm_err *err)
{
    asking a = {.f = f, .qs = in->labels, .R = 1};
    for (size_t p = 0; p < f->P; p++)
        if (f->model[p]->ops->rate) a.model[a.R++ - 1] = p;
    for (size_t k = 0; k + 1 < a.R; k++) f->rate[a.model[k]] = 1 / (double)(a.R - 1);
    if (!isfinite(f->mean) || !in->labels || !in->labels->n || a.R == 1) return TDM_OK;
    equations *fold = tdm_new(FOLDS + 1, sizeof *fold);
    if (!fold) return tdm_nomem(err, "the ratings");
    tdm_status st = equations_make(fold, &a, in->run, err);
    if (!st) weights_make(f, &a, fold, fold + FOLDS, in->run);
    tdm_free(fold);
    return st;
}
