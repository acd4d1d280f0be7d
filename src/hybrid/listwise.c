/* SPDX-License-Identifier: Apache-2.0 */
#include "hybrid/listwise.h"

#include "base/mem.h"
#include "base/status.h"
#include "hybrid/solve.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { GRAIN = 64, STEPS = 50, MOST = TDM_GATES * TDM_LIST_MODELS };

/* Sums over lists: loss, gradient (F), lower half of the Hessian (F x F). One chunk's, or all. */
typedef struct pass {
    const tdm_listwise *s;
    const double *w;
    size_t F, folds, fold;
    bool inside;  /* count the fold, rather than all others */
    bool curved;  /* gradient and Hessian too */
    double *part; /* one stretch a chunk */
    bool failed;  /* written only by chunks of one value: set means set */
} pass;

static size_t stretch(size_t F, bool curved) { return curved ? 1 + F + F * F : 1; }

/* What the weights of a candidate are multiplied with: s->gates numbers a model. */
static void expand(double *x, const tdm_listwise *s, const tdm_list *l, size_t j)
{
    size_t P = s->P, G = s->gates;
    const float *row = l->row + j * tdm_row_width(P);
    double gate[TDM_GATES] = {1, (double)row[tdm_row_people(P)] * s->scale[tdm_row_people(P)], l->length,
                              (double)row[tdm_row_seen(P)]};
    for (size_t p = 0; p < P; p++)
        for (size_t g = 0; g < G; g++) x[G * p + g] = (double)row[p] * s->scale[p] * gate[g];
}

double tdm_list_score(const double *weights, const tdm_listwise *s, const tdm_list *l, size_t j)
{
    double x[MOST], z = 0;
    expand(x, s, l, j);
    for (size_t p = 0; p < s->P; p++)
        for (size_t g = 0; g < s->gates; g++) z += weights[TDM_GATES * p + g] * x[s->gates * p + g];
    return z;
}

static void list_add(double *sum, double *z, const pass *a, const tdm_list *l)
{
    size_t F = a->F, P = a->s->P;
    double x[MOST], mean[MOST] = {0}, top = -INFINITY, mass = 0, hit = 0;
    double *grad = sum + 1, *hess = sum + 1 + F;
    for (size_t j = 0; j < l->n; j++) {
        expand(x, a->s, l, j);
        z[j] = 0;
        for (size_t k = 0; k < F; k++) z[j] += a->w[k] * x[k];
        if (z[j] > top) top = z[j];
    }
    for (size_t j = 0; j < l->n; j++) {
        hit += (double)l->row[j * tdm_row_width(P) + tdm_row_target(P)] * (z[j] - top);
        z[j] = exp(z[j] - top);
        mass += z[j];
    }
    sum[0] += log(mass) - hit;
    if (!a->curved) return;
    for (size_t j = 0; j < l->n; j++) {
        double p = z[j] / mass, d = p - (double)l->row[j * tdm_row_width(P) + tdm_row_target(P)];
        expand(x, a->s, l, j);
        for (size_t k = 0; k < F; k++) {
            double px = p * x[k];
            grad[k] += d * x[k];
            mean[k] += px;
            for (size_t i = 0; i <= k; i++) hess[k * F + i] += px * x[i];
        }
    }
    for (size_t k = 0; k < F; k++)
        for (size_t i = 0; i <= k; i++) hess[k * F + i] -= mean[k] * mean[i];
}

static void lists_add(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const pass *a = ctx;
    size_t most = 0;
    for (size_t q = begin; q < end; q++)
        if (a->s->list[q].n > most) most = a->s->list[q].n;
    double *z = tdm_new(most, sizeof *z), *sum = a->part + chunk * stretch(a->F, a->curved);
    if (!z) sum[0] = NAN; /* told apart from a loss, which is finite */
    for (size_t q = begin; z && q < end; q++) {
        bool in = a->folds && q % a->folds == a->fold;
        if (in == a->inside) list_add(sum, z, a, &a->s->list[q]);
    }
    tdm_free(z);
}

/* `sum`: one stretch. */
static tdm_status pass_run(double *sum, pass *a, tdm_pool *pool, tdm_err *err)
{
    size_t chunks = tdm_chunks(a->s->n, GRAIN), n = stretch(a->F, a->curved);
    memset(sum, 0, n * sizeof *sum);
    a->part = tdm_new(chunks * n, sizeof *a->part);
    if (!a->part) return tdm_nomem(err, "the fusion's sums");
    tdm_pool_for(pool, a->s->n, GRAIN, lists_add, a);
    for (size_t c = 0; c < chunks; c++)
        for (size_t k = 0; k < n; k++) sum[k] += a->part[c * n + k];
    tdm_free(a->part);
    return isfinite(sum[0]) ? TDM_OK : tdm_nomem(err, "the fusion's sums");
}

/* Adds the pull to a stretch. */
static void pull(double *sum, const double *w, const tdm_listwise *s, double strength, bool curved)
{
    size_t P = s->P, G = s->gates, F = G * P;
    double mean = 0, *grad = sum + 1, *hess = sum + 1 + F;
    for (size_t p = 0; p < P; p++) mean += w[G * p] / (double)P;
    sum[0] += (double)P / 2 * (mean - 1) * (mean - 1);
    for (size_t k = 0; k < F; k++) {
        double d = k % G ? w[k] : w[k] - mean;
        sum[0] += strength / 2 * d * d;
        if (!curved) continue;
        grad[k] += strength * d + (k % G ? 0 : mean - 1);
        hess[k * F + k] += strength;
        for (size_t i = 0; k % G == 0 && i <= k; i += G) hess[k * F + i] += (1 - strength) / (double)P;
    }
}

/* The weights without those that no gate uses, and back. */
static void weights_pack(double *packed, const double *w, const tdm_listwise *s)
{
    for (size_t k = 0; k < s->gates * s->P; k++) packed[k] = w[k / s->gates * TDM_GATES + k % s->gates];
}

static void weights_unpack(double *w, const double *packed, const tdm_listwise *s)
{
    for (size_t k = 0; k < s->gates * s->P; k++) w[k / s->gates * TDM_GATES + k % s->gates] = packed[k];
}

tdm_status tdm_listwise_fit(double *weights, const tdm_listwise *s, double strength, size_t folds, size_t fold,
                            tdm_pool *pool, tdm_err *err)
{
    size_t F = s->gates * s->P;
    double w[MOST];
    assert(F <= MOST);
    weights_pack(w, weights, s);
    pass a = {.s = s, .F = F, .folds = folds, .fold = fold};
    double *sum = tdm_new(stretch(F, true), sizeof *sum), next[MOST], loss, one;
    tdm_status st = sum ? TDM_OK : tdm_nomem(err, "the fusion's weights");
    for (size_t step = 0; !st && step < STEPS; step++) {
        a.w = w;
        a.curved = true;
        st = pass_run(sum, &a, pool, err);
        if (st) break;
        pull(sum, w, s, strength, true);
        loss = sum[0];
        double *d = sum + 1, gain = 0, grad[MOST];
        memcpy(grad, d, F * sizeof *grad);
        if (!tdm_solve(sum + 1 + F, d, F)) break; /* rounding won: this is as near as it gets */
        for (size_t k = 0; k < F; k++) gain += grad[k] * d[k];
        if (!(gain > 1e-6 * (1 + fabs(loss)) * 1e-3)) break;
        a.w = next;
        a.curved = false;
        bool better = false;
        for (double t = 1; !better && t > 1e-4; t /= 2) {
            double pulled[1 + MOST];
            for (size_t k = 0; k < F; k++) next[k] = w[k] - t * d[k];
            st = pass_run(&one, &a, pool, err);
            if (st) break;
            pulled[0] = one;
            pull(pulled, next, s, strength, false);
            better = pulled[0] <= loss - 1e-4 * t * gain;
        }
        if (st || !better) break;
        memcpy(w, next, F * sizeof *w);
    }
    weights_unpack(weights, w, s);
    tdm_free(sum);
    return st;
}

tdm_status tdm_listwise_loss(double *loss, const double *weights, const tdm_listwise *s, size_t folds, size_t fold,
                             tdm_pool *pool, tdm_err *err)
{
    double w[MOST];
    weights_pack(w, weights, s);
    pass a = {.s = s, .w = w, .F = s->gates * s->P, .folds = folds, .fold = fold, .inside = true};
    return pass_run(loss, &a, pool, err);
}
