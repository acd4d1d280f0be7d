/* SPDX-License-Identifier: Apache-2.0 */
/* item_knn.c - items are near where the same people chose them.
 *
 *     n(a, b) = sum over people of both: f_u^2         f_u = n_u^-activity         c: how many people
 *
 *     cosine         link(a, b) = n(a, b) / (n(a, a)^source n(b, b)^target)        both powers 0.5: of columns
 *     Jaccard        link(a, b) = n(a, b) / (n(a, a) + n(b, b) - n(a, b))
 *     conditional    link(a, b) = n(a, b) / (people of a * (people of b)^target)
 *
 * each times c / (c + shrink): a pair that few people made is shrunk. Scaling a person's row by f_u makes who chose
 * everything say little about any pair. A small target power lets best-sellers keep some of their lead. The third is
 * that of Deshpande and Karypis ("Item-Based Top-N Recommendation Algorithms", TOIS 2004, eq. 6), how likely b is where
 * a is, and `target` their alpha.
 *
 * Ratings (Koren, "Factor in the Neighbors", TKDD 2010, eq. 3-5): the correlation rho of what is left of two items'
 * ratings after the baseline b, shrunk for small support, then over the k nearest rated items of the history
 *
 *     s_ab = rho_ab * c / (c + 100)        r(t) = b(t) + sum_j s_tj (r_j - b(j)) / (sum_j |s_tj| + 0.01)
 *
 * Both come from one count of all pairs: item_pairs.h. */
#include "base/mem.h"
#include "base/status.h"
#include "cf/cf.h"
#include "cf/item_pairs.h"
#include "cf/linear.h"
#include "cf/update.h"
#include "model/topk.h"

#include <math.h>

enum { COSINE, JACCARD, CONDITIONAL };

static const tdm_param params[] = {
    {"k", 500, 1, 100000, TDM_INTEGER, "neighbours kept for an item"},
    {"similarity", 0, 0, 2, TDM_INTEGER, "0: cosine; 1: Jaccard; 2: conditional probability"},
    {"shrink", 4, 0, 1000, TDM_LOG, "pairs seen so rarely count by c / (c + shrink)", {0.1, 100}},
    {"source_power", 0.4, 0, 1, TDM_LINEAR, "of cosine: popularity of the history's item that is divided out", {0, 1}},
    {"target_power",
     0.3,
     0,
     1,
     TDM_LINEAR,
     "popularity of the recommended item that is divided out (not by Jaccard)",
     {0, 1}},
    {"activity", 0.25, 0, 1, TDM_LINEAR, "how much less a person of long history says about a pair", {0, 1}},
    {"history_decay", 0.7, 0, 1, TDM_LINEAR, "how much an item one step older in the history still counts", {0.2, 1}},
    {"rated_k", 40, 1, 1000, TDM_INTEGER, "rated items of the history that predict a rating"},
    {"rated_shrink", 100, 0, 10000, TDM_LOG, "rated pairs seen so rarely count by c / (c + rated_shrink)"},
    {"longest", 1000, 2, 1000000, TDM_INTEGER, "newest rows of a person that are read"},
    {0},
};

typedef struct item_knn {
    tdm_linear linear;
    tdm_links rated; /* s_ab; empty without ratings */
    tdm_baseline baseline;
} item_knn;

static void item_knn_close(tdm_model *m)
{
    item_knn *s = (item_knn *)m;
    if (!s) return;
    tdm_links_clear(&s->rated);
    tdm_baseline_clear(&s->baseline);
    tdm_linear_close(m);
}

/* What becomes of the counts, by similarity: the vectors of item_pairs.h. */
static bool similarity_prepare(tdm_item_pairs *c, float *person, const tdm_params *p)
{
    const tdm_rows *r = c->rows;
    double activity = tdm_param_get(p, "activity"), target = tdm_param_get(p, "target_power");
    int kind = (int)tdm_param_get(p, "similarity");
    double *norm = tdm_new(r->I, sizeof *norm);
    if (!norm) return false;
    for (size_t u = 0; u < r->U; u++) {
        double n = (double)(r->offset[u + 1] - r->offset[u]);
        person[u] = n > 0 ? (float)pow(n, -2 * activity) : 0;
    }
    for (size_t i = 0; i < r->I; i++)
        for (int64_t k = r->from[i]; k < r->from[i + 1]; k++) norm[i] += (double)person[r->user[k]];
    for (size_t i = 0; i < r->I; i++) {
        double n = (double)tdm_rows_count(r, i);
        if (!(n > 0)) continue; /* in no pair */
        c->source[i] = kind == COSINE ? (float)pow(norm[i], -tdm_param_get(p, "source_power")) : 1;
        c->target[i] = kind == COSINE ? (float)pow(norm[i], -target) : 1;
        if (kind == CONDITIONAL) c->source[i] = (float)(1 / n), c->target[i] = (float)pow(n, -target);
        if (c->length) c->length[i] = (float)norm[i];
    }
    tdm_free(norm);
    return true;
}

size_t tdm_item_knn_rated(tdm_model *m, tdm_links **rated, tdm_baseline **baseline)
{
    item_knn *s = (item_knn *)m;
    if (s) *rated = &s->rated, *baseline = &s->baseline;
    return sizeof *s;
}

typedef struct leaving {
    const tdm_rows *rows;
    const tdm_baseline *baseline;
    float *residual;
} leaving;

/* What is left of each rating of these people. */
static void residual_of(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const leaving *l = ctx;
    const tdm_rows *r = l->rows;
    (void)chunk;
    for (size_t u = begin; u < end; u++) {
        size_t at = (size_t)r->offset[u], n = (size_t)r->offset[u + 1] - at;
        tdm_history h = {.items = r->item + at, .ratings = r->rating + at, .n = n};
        double offset = tdm_baseline_user(l->baseline, &h);
        for (size_t k = at; k < at + n; k++) {
            double x = (double)r->rating[k] - tdm_baseline_at(l->baseline, offset, r->item[k]);
            l->residual[k] = isfinite(x) ? (float)x : NAN;
        }
    }
}

/* That, and the scale of each item. */
static bool residual_prepare(const tdm_rows *r, float *residual, float *scale, const tdm_baseline *b, tdm_run *run)
{
    double *norm = tdm_new(r->I, sizeof *norm);
    if (!norm) return false;
    leaving l = {r, b, residual};
    tdm_pool_for(run->pool, r->U, 1024, residual_of, &l);
    for (size_t k = 0; k < r->N; k++)
        if (isfinite(residual[k])) norm[r->item[k]] += (double)residual[k] * (double)residual[k];
    for (size_t i = 0; i < r->I; i++) scale[i] = norm[i] > 0 ? (float)(1 / sqrt(norm[i])) : 0;
    tdm_free(norm);
    return true;
}

static tdm_status make_links(item_knn *s, tdm_rows *rows, const tdm_fit_input *in, tdm_err *err)
{
    const tdm_params *p = in->params;
    bool rated = isfinite(s->baseline.mean);
    float *person = tdm_new(rows->U, sizeof *person), *residual = rated ? tdm_new(rows->N, sizeof *residual) : NULL;
    tdm_item_pairs c = {.rows = rows,
                        .person = person,
                        .residual = residual,
                        .k = (size_t)tdm_param_get(p, "k"),
                        .shrink = (float)tdm_param_get(p, "shrink"),
                        .rated_shrink = (float)tdm_param_get(p, "rated_shrink"),
                        .source = tdm_new(rows->I, sizeof(float)),
                        .target = tdm_new(rows->I, sizeof(float)),
                        .scale = tdm_new(rows->I, sizeof(float))};
    bool jaccard = (int)tdm_param_get(p, "similarity") == JACCARD;
    if (jaccard) c.length = tdm_new(rows->I, sizeof(float));
    tdm_status st = TDM_OK;
    if (!person || (rated && !residual) || !c.source || !c.target || !c.scale || (jaccard && !c.length) ||
        !similarity_prepare(&c, person, p) ||
        (rated && !residual_prepare(rows, residual, c.scale, &s->baseline, in->run)))
        st = tdm_nomem(err, "item-knn");
    if (!st) st = tdm_item_pairs_links(&s->linear.links, &s->rated, &c, in->run, "item-knn", err);
    if (!st && !rated) st = tdm_links_none(&s->rated, rows->I, err);
    tdm_free(person);
    tdm_free(residual);
    tdm_free(c.source);
    tdm_free(c.target);
    tdm_free(c.length);
    tdm_free(c.scale);
    return st;
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    tdm_rows rows;
    tdm_status st = tdm_rows_make(&rows, in->train, (size_t)tdm_param_get(in->params, "longest"), true, err);
    if (st) return st;
    item_knn *s = tdm_linear_new(sizeof *s, &tdm_item_knn_ops, in->params);
    if (!s) st = tdm_nomem(err, "item-knn");
    if (!st) st = tdm_baseline_make(&s->baseline, &rows, in->train, err);
    if (!st) st = make_links(s, &rows, in, err);
    tdm_rows_clear(&rows);
    if (st) item_knn_close(s ? &s->linear.base : NULL);
    else *out = &s->linear.base;
    return st;
}

/* The history's ratings minus the baseline; the newest of an item that repeats. */
static double rate_one(const item_knn *s, const tdm_history *h, double user, uint32_t item, float *strength,
                       uint32_t *best, size_t k)
{
    double base = tdm_baseline_at(&s->baseline, user, item), sum = 0, mass = 0.01;
    if (!h->ratings) return base;
    for (size_t j = 0; j < h->n; j++) {
        bool rated = isfinite(h->ratings[j]) && h->items[j] < s->rated.I && h->items[j] != item;
        float w = rated ? tdm_links_at(&s->rated, item, h->items[j]) : 0;
        strength[j] = w > 0 ? w : -INFINITY; /* who rates two items in opposite ways says little: as in Koren's Sk */
    }
    size_t n = tdm_topk(best, NULL, strength, h->n, k);
    for (size_t b = 0; b < n; b++) {
        size_t j = best[b];
        double w = (double)strength[j];
        sum += w * ((double)h->ratings[j] - tdm_baseline_at(&s->baseline, user, h->items[j]));
        mass += fabs(w);
    }
    return base + sum / mass;
}

static tdm_status rate(const tdm_model *m, float *ratings, const tdm_history *h, const uint32_t *items, size_t n,
                       tdm_err *err)
{
    const item_knn *s = (const item_knn *)m;
    size_t k = (size_t)tdm_param_get(&s->linear.p, "rated_k");
    float *strength = tdm_new(h->n, sizeof *strength);
    uint32_t *best = tdm_new(k, sizeof *best);
    if (!strength || !best) {
        tdm_free(strength);
        tdm_free(best);
        return tdm_nomem(err, "item-knn's ratings");
    }
    double user = tdm_baseline_user(&s->baseline, h);
    for (size_t i = 0; i < n; i++)
        ratings[i] = tdm_baseline_clip(&s->baseline, rate_one(s, h, user, items[i], strength, best, k));
    tdm_free(strength);
    tdm_free(best);
    return TDM_OK;
}

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    const item_knn *s = (const item_knn *)m;
    tdm_tensor t[5];
    tdm_links_tensors(t, &s->rated, "rated.offset", "rated.item", "rated.weight");
    tdm_baseline_tensors(t + 3, &s->baseline);
    return tdm_linear_write(&s->linear, path, t, 5, err);
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    tdm_model *m;
    *out = NULL;
    tdm_status st = tdm_linear_load(&m, sizeof(item_knn), &tdm_item_knn_ops, path, train->I, err);
    if (st) return st;
    item_knn *s = (item_knn *)m;
    tdm_safetensors *f = s->linear.file;
    st = tdm_links_read(&s->rated, f, path, train->I, "rated.offset", "rated.item", "rated.weight", err);
    if (!st) st = tdm_baseline_read(&s->baseline, f, path, train->I, err);
    if (st) item_knn_close(m);
    else *out = m;
    return st;
}

const tdm_model_ops tdm_item_knn_ops = {
    .name = "item-knn",
    .summary = "items that the same people chose",
    .path = "cf/item-knn.safetensors",
    .params = params,
    .fit = fit,
    .update = tdm_item_knn_update,
    .score = tdm_linear_score,
    .topk = tdm_linear_topk,
    .rate = rate,
    .because = tdm_linear_because,
    .save = save,
    .load = load,
    .close = item_knn_close,
};
