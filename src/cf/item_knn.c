/* SPDX-License-Identifier: Apache-2.0 */
/* item_knn.c - items are near where the same people chose them.
 *
 *     link(a, b) = sum over people of both: f_u^2  *  c / (c + shrink)  /  (|a|^2^source |b|^2^target)
 *     f_u = n_u^-activity        |a|^2 = sum over people of a: f_u^2
 *
 * Ranking (Deshpande and Karypis, "Item-Based Top-N Recommendation Algorithms", TOIS 2004): with both powers at 0.5 the
 * cosine of the columns of the people x items matrix, whose rows are scaled by f_u, so that who chose everything says
 * little about any pair. A pair that few people made is shrunk. A smaller target power lets best-sellers keep some of
 * their lead.
 *
 * Ratings (Koren, "Factor in the Neighbors", TKDD 2010, eq. 3-5): the correlation rho of what is left of two items'
 * ratings after the baseline b, shrunk for small support, then over the k nearest rated items of the history
 *
 *     s_ab = rho_ab * c / (c + 100)        r(t) = b(t) + sum_j s_tj (r_j - b(j)) / (sum_j |s_tj| + 0.01) */
#include "base/mem.h"
#include "base/status.h"
#include "cf/cf.h"
#include "cf/linear.h"
#include "cf/update.h"
#include "model/topk.h"

#include <math.h>

static const tdm_param params[] = {
    {"k", 500, 1, 100000, TDM_INTEGER, "neighbours kept for an item"},
    {"shrink", 4, 0, 1000, TDM_LOG, "pairs seen so rarely count by c / (c + shrink)"},
    {"source_power", 0.4, 0, 1, TDM_LINEAR, "popularity of the history's item that is divided out; 0.5: cosine"},
    {"target_power", 0.3, 0, 1, TDM_LINEAR, "popularity of the recommended item that is divided out; 0.5: cosine"},
    {"activity", 0.25, 0, 1, TDM_LINEAR, "how much less a person of long history says about a pair"},
    {"history_decay", 0.7, 0, 1, TDM_LINEAR, "how much an item one step older in the history still counts"},
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

typedef struct pairing {
    const tdm_rows *rows;
    double *person;  /* U: 1 / n_u^(2 activity) for ranking */
    double *norm;    /* I: the item's squared length */
    float *residual; /* N: rating minus baseline, NaN where there is none */
    double shrink, source, target;
    const unsigned char *only; /* I: the rows to make; NULL: all */
} pairing;

static void row(void *ctx, tdm_tally *t, uint32_t from)
{
    const pairing *c = ctx;
    const tdm_rows *r = c->rows;
    if (c->only && !c->only[from]) return;
    for (int64_t k = r->from[from]; k < r->from[from + 1]; k++) {
        uint32_t u = r->user[k];
        for (int64_t j = r->offset[u]; j < r->offset[u + 1]; j++)
            if (r->item[j] != from) tdm_tally_add(t, r->item[j], c->person[u]);
    }
}

static float weight(void *ctx, uint32_t from, uint32_t to, double sum, uint32_t count)
{
    const pairing *c = ctx;
    return (float)(sum * count / (count + c->shrink) / (pow(c->norm[from], c->source) * pow(c->norm[to], c->target)));
}

static void rated_row(void *ctx, tdm_tally *t, uint32_t from)
{
    const pairing *c = ctx;
    const tdm_rows *r = c->rows;
    for (int64_t k = r->from[from]; k < r->from[from + 1]; k++) {
        uint32_t u = r->user[k];
        double x = (double)c->residual[r->offset[u] + r->place[k]];
        for (int64_t j = r->offset[u]; isfinite(x) && j < r->offset[u + 1]; j++)
            if (r->item[j] != from && isfinite(c->residual[j]))
                tdm_tally_add(t, r->item[j], x * (double)c->residual[j]);
    }
}

static float rated_weight(void *ctx, uint32_t from, uint32_t to, double sum, uint32_t count)
{
    const pairing *c = ctx;
    double length = sqrt(c->norm[from] * c->norm[to]);
    return length > 0 ? (float)(sum / length * count / (count + c->shrink)) : 0;
}

static void item_knn_close(tdm_model *m)
{
    item_knn *s = (item_knn *)m;
    if (!s) return;
    tdm_links_clear(&s->rated);
    tdm_baseline_clear(&s->baseline);
    tdm_linear_close(m);
}

/* Sets up `c` for ranking. */
static void ranking_prepare(pairing *c, const tdm_params *p)
{
    double activity = tdm_param_get(p, "activity");
    const tdm_rows *r = c->rows;
    for (size_t u = 0; u < r->U; u++) {
        double n = (double)(r->offset[u + 1] - r->offset[u]);
        c->person[u] = n > 0 ? pow(n, -2 * activity) : 0;
    }
    for (size_t i = 0; i < r->I; i++)
        for (int64_t k = r->from[i]; k < r->from[i + 1]; k++) c->norm[i] += c->person[r->user[k]];
    c->shrink = tdm_param_get(p, "shrink");
    c->source = tdm_param_get(p, "source_power");
    c->target = tdm_param_get(p, "target_power");
}

tdm_status tdm_item_knn_links(tdm_links *out, const tdm_rows *rows, const double *size, const unsigned char *only,
                              const tdm_params *p, tdm_run *run, tdm_err *err)
{
    pairing c = {.rows = rows,
                 .person = tdm_new(rows->U, sizeof(double)),
                 .norm = tdm_new(rows->I, sizeof(double)),
                 .only = only};
    tdm_status st = c.person && c.norm ? TDM_OK : tdm_nomem(err, "item-knn");
    const tdm_links_maker maker = {row, weight, &c};
    if (!st) {
        ranking_prepare(&c, p);
        for (size_t i = 0; size && i < rows->I; i++) c.norm[i] = size[i];
        st = tdm_links_make(out, rows->I, (size_t)tdm_param_get(p, "k"), &maker, run, "item-knn", err);
    }
    tdm_free(c.person);
    tdm_free(c.norm);
    return st;
}

size_t tdm_item_knn_rated(tdm_model *m, tdm_links **rated, tdm_baseline **baseline)
{
    item_knn *s = (item_knn *)m;
    if (s) *rated = &s->rated, *baseline = &s->baseline;
    return sizeof *s;
}

/* Sets up `c` for ratings. */
static void rating_prepare(pairing *c, const tdm_baseline *b, const tdm_params *p)
{
    const tdm_rows *r = c->rows;
    for (size_t i = 0; i < r->I; i++) c->norm[i] = 0;
    for (size_t u = 0; u < r->U; u++) {
        size_t at = (size_t)r->offset[u], n = (size_t)r->offset[u + 1] - at;
        tdm_history h = {.items = r->item + at, .ratings = r->rating + at, .n = n};
        double offset = tdm_baseline_user(b, &h);
        for (size_t k = at; k < at + n; k++) {
            double x = (double)r->rating[k] - tdm_baseline_at(b, offset, r->item[k]);
            c->residual[k] = (float)x;
            if (isfinite(x)) c->norm[r->item[k]] += x * x;
        }
    }
    c->shrink = tdm_param_get(p, "rated_shrink");
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    const tdm_params *p = in->params;
    tdm_rows rows;
    tdm_status st = tdm_rows_make(&rows, in->train, (size_t)tdm_param_get(p, "longest"), true, err);
    if (st) return st;
    item_knn *s = tdm_linear_new(sizeof *s, &tdm_item_knn_ops, p);
    pairing c = {.rows = &rows, .norm = tdm_new(rows.I, sizeof(double)), .residual = tdm_new(rows.N, sizeof(float))};
    if (!s || !c.norm || !c.residual) st = tdm_nomem(err, "item-knn");
    if (!st) st = tdm_baseline_make(&s->baseline, &rows, in->train, err);
    if (!st) st = tdm_item_knn_links(&s->linear.links, &rows, NULL, NULL, p, in->run, err);
    if (!st) { /* without ratings nothing is finite and the links are empty */
        rating_prepare(&c, &s->baseline, p);
        const tdm_links_maker maker = {rated_row, rated_weight, &c};
        st = tdm_links_make(&s->rated, rows.I, (size_t)tdm_param_get(p, "k"), &maker, in->run, "item-knn", err);
    }
    tdm_free(c.norm);
    tdm_free(c.residual);
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
    .rate = rate,
    .because = tdm_linear_because,
    .save = save,
    .load = load,
    .close = item_knn_close,
};
