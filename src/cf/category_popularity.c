/* SPDX-License-Identifier: Apache-2.0 */
/* category_popularity.c - what is popular in the categories of a history.
 *
 *     score(i) = (1 - overall) sum over history items j: w_j sum over categories c of both:  P(c | j) P(i | c)
 *                + (overall + (1 - overall) * what w_j of items without a category holds) P(i)
 *
 *     P(i | c) = n_i / n_c        n_i: people who chose i; n_c: their sum over the items of c; P(i) = n_i / sum of all
 *     P(c | j) = 1 / how many categories j has that anybody chose from
 *     w_j      ~ history_decay^(steps of j from the end), their sum 1
 *
 * A mixture of multinomials, so scores are a distribution over the catalogue, a history item's share of a score is
 * exact, and the rest is what is popular anyway. An empty history, or data without categories, gets popularity itself.
 */
#include "base/mem.h"
#include "base/status.h"
#include "cf/cf.h"
#include "cf/recency.h"
#include "cf/rows.h"
#include "model/evidence.h"
#include "model/stored.h"

#include <math.h>
#include <stdlib.h>

static const tdm_param params[] = {
    {"history_decay", 0.9, 0, 1, TDM_LINEAR, "how much an item one step older in the history still counts", {0.3, 1}},
    {"overall", 0.05, 0, 1, TDM_LINEAR, "share of what is popular whatever the history", {0, 0.5}},
    {0},
};

typedef struct shelves {
    tdm_model base;
    tdm_params p;
    size_t I, C;
    double decay, overall;
    const float *people;   /* I: n_i */
    const int64_t *offset; /* I + 1: categories of item i are category[offset[i] .. offset[i + 1]), rising */
    const uint32_t *category;
    double *size;          /* C: n_c; made from the others, not stored */
    double all;            /* sum of n_i */
    tdm_safetensors *file; /* what mapped arrays lie in; NULL for a fitted model, which owns them */
} shelves;

static void shelves_close(tdm_model *m)
{
    shelves *s = (shelves *)m;
    if (!s) return;
    if (!s->file) {
        tdm_free((void *)(uintptr_t)s->people);
        tdm_free((void *)(uintptr_t)s->offset);
        tdm_free((void *)(uintptr_t)s->category);
    }
    tdm_free(s->size);
    tdm_safetensors_close(s->file);
    tdm_free(s);
}

static shelves *shelves_new(size_t I)
{
    shelves *s = tdm_new(1, sizeof *s);
    if (s) *s = (shelves){.base.ops = &tdm_category_popularity_ops, .I = I};
    return s;
}

/* What is reckoned from the arrays. */
static tdm_status finish(shelves *s, tdm_err *err)
{
    s->decay = tdm_param_get(&s->p, "history_decay");
    s->overall = tdm_param_get(&s->p, "overall");
    for (int64_t k = 0; k < s->offset[s->I]; k++)
        if (s->category[k] >= s->C) s->C = (size_t)s->category[k] + 1;
    s->size = tdm_new(s->C, sizeof *s->size);
    if (!s->size) return tdm_nomem(err, "the sizes of categories");
    for (size_t i = 0; i < s->I; i++) {
        s->all += (double)s->people[i];
        for (int64_t k = s->offset[i]; k < s->offset[i + 1]; k++) s->size[s->category[k]] += (double)s->people[i];
    }
    return TDM_OK;
}

/* ---- fitting ---- */

/* A line of an item's categories. */
typedef struct line {
    tdm_str text;
    uint32_t item;
    uint32_t category;
} line;

static int by_text(const void *a, const void *b)
{
    const line *x = a, *y = b;
    int by = tdm_str_cmp(x->text, y->text);
    return by ? by : (x->item > y->item) - (x->item < y->item);
}

static int by_item(const void *a, const void *b)
{
    const line *x = a, *y = b;
    if (x->item != y->item) return x->item < y->item ? -1 : 1;
    return (x->category > y->category) - (x->category < y->category);
}

/* All lines of all items; `out` NULL: only counted. */
static size_t lines_take(line *out, const tdm_dataset *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->I && d->category.n == d->I; i++) {
        tdm_str rest = tdm_strings_at(&d->category, i);
        for (size_t k = 0, begin = 0; k <= rest.n; k++) {
            if (k < rest.n && rest.p[k] != '\n') continue;
            tdm_str text = {rest.p + begin, k - begin};
            begin = k + 1;
            if (!text.n) continue;
            if (out) out[n] = (line){text, (uint32_t)i, 0};
            n++;
        }
    }
    return n;
}

/* Numbers categories in the order of their bytes, and lists each item's once. */
static tdm_status categories_take(shelves *s, const tdm_dataset *d, tdm_err *err)
{
    size_t n = lines_take(NULL, d), kept = 0;
    line *l = tdm_new(n, sizeof *l);
    int64_t *offset = tdm_new(s->I + 1, sizeof *offset);
    uint32_t *category = tdm_new(n, sizeof *category);
    s->offset = offset;
    s->category = category;
    if (!l || !offset || !category) {
        tdm_free(l);
        return tdm_nomem(err, "the categories of items");
    }
    lines_take(l, d);
    if (n) qsort(l, n, sizeof *l, by_text);
    for (size_t k = 1; k < n; k++) l[k].category = l[k - 1].category + !tdm_str_eq(l[k].text, l[k - 1].text);
    if (n) qsort(l, n, sizeof *l, by_item);
    for (size_t k = 0; k < n; k++) {
        if (k && l[k].item == l[k - 1].item && l[k].category == l[k - 1].category) continue;
        category[kept++] = l[k].category;
        offset[l[k].item + 1]++;
    }
    for (size_t i = 0; i < s->I; i++) offset[i + 1] += offset[i];
    tdm_free(l);
    return TDM_OK;
}

static tdm_status make(shelves *s, const tdm_fit_input *in, tdm_err *err)
{
    tdm_rows rows;
    tdm_status st = tdm_rows_make(&rows, in->train, SIZE_MAX, true, err);
    if (st) return st;
    float *people = tdm_new(s->I, sizeof *people);
    s->people = people;
    for (size_t i = 0; people && i < s->I; i++) people[i] = (float)tdm_rows_count(&rows, i);
    tdm_rows_clear(&rows);
    if (!people) return tdm_nomem(err, "category-popularity");
    st = tdm_run_check(in->run, "category-popularity", err);
    if (!st) st = categories_take(s, in->train, err);
    if (!st) st = finish(s, err);
    if (!st && s->I && !s->C)
        tdm_log(in->run, TDM_LOG_WARN, "category-popularity",
                "no item has a category, so this is what is popular overall");
    return st;
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    shelves *s = shelves_new(in->train->I);
    if (!s) return tdm_nomem(err, "category-popularity");
    s->p = *in->params;
    tdm_status st = make(s, in, err);
    if (st) shelves_close(&s->base);
    else *out = &s->base;
    return st;
}

/* ---- asking ---- */

/* How many categories j has that anybody chose from. */
static size_t shelves_of(const shelves *s, uint32_t j)
{
    size_t n = 0;
    for (int64_t k = s->offset[j]; k < s->offset[j + 1]; k++) n += s->size[s->category[k]] > 0;
    return n;
}

/* What each item of a history gives each of its categories; *rest: what is left for P(i). */
static tdm_status weights(tdm_recency *r, double *rest, const shelves *s, const tdm_history *h, tdm_err *err)
{
    tdm_status st = tdm_recency_make(r, h, s->decay, s->I, err);
    double sum = 0;
    *rest = r->n ? s->overall : 1;
    for (size_t j = 0; j < r->n; j++) sum += r->weight[j];
    for (size_t j = 0; j < r->n; j++) {
        double part = (1 - s->overall) * r->weight[j] / sum;
        size_t n = shelves_of(s, r->item[j]);
        r->weight[j] = n ? part / (double)n : 0;
        if (!n) *rest += part;
    }
    return st;
}

static tdm_status score_one(const shelves *s, float *scores, double *per, const tdm_history *h, tdm_err *err)
{
    tdm_recency r;
    double rest;
    tdm_status st = weights(&r, &rest, s, h, err);
    if (st) return st;
    for (size_t c = 0; c < s->C; c++) per[c] = 0;
    for (size_t j = 0; j < r.n; j++)
        for (int64_t k = s->offset[r.item[j]]; k < s->offset[r.item[j] + 1]; k++)
            if (s->size[s->category[k]] > 0) per[s->category[k]] += r.weight[j] / s->size[s->category[k]];
    for (size_t i = 0; i < s->I; i++) {
        double sum = rest / s->all;
        for (int64_t k = s->offset[i]; k < s->offset[i + 1]; k++) sum += per[s->category[k]];
        scores[i] = s->people[i] > 0 && sum > 0 ? (float)((double)s->people[i] * sum) : -INFINITY;
    }
    tdm_recency_clear(&r);
    return TDM_OK;
}

static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const shelves *s = (const shelves *)m;
    double *per = tdm_new(s->C, sizeof *per); /* by category: what a person who chose from it adds to a score */
    tdm_status st = per ? TDM_OK : tdm_nomem(err, "category-popularity");
    for (size_t b = 0; b < B && !st; b++) st = score_one(s, scores + b * s->I, per, &h[b], err);
    tdm_free(per);
    return st;
}

/* sum over categories of both: 1 / n_c. */
static double meeting(const shelves *s, uint32_t j, uint32_t i)
{
    double sum = 0;
    for (int64_t a = s->offset[j], b = s->offset[i]; a < s->offset[j + 1] && b < s->offset[i + 1];) {
        uint32_t x = s->category[a], y = s->category[b];
        if (x == y && s->size[x] > 0) sum += 1 / s->size[x];
        a += x <= y;
        b += y <= x;
    }
    return sum;
}

static tdm_status because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err)
{
    const shelves *s = (const shelves *)m;
    *out = (tdm_evidence){.rest = 1};
    double *part = tdm_new(h->n, sizeof *part), rest;
    if (!part) return tdm_nomem(err, "a history's shares");
    tdm_recency r;
    tdm_status st = weights(&r, &rest, s, h, err);
    for (size_t j = 0; !st && j < r.n; j++) part[r.at[j]] = r.weight[j] * meeting(s, r.item[j], item);
    if (!st && s->people[item] > 0) tdm_evidence_shares(out, h, part, rest / s->all);
    tdm_recency_clear(&r);
    tdm_free(part);
    return st;
}

/* ---- disk ---- */

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    const shelves *s = (const shelves *)m;
    const tdm_tensor t[] = {
        tdm_tensor_1d("people", TDM_F32, s->people, s->I),
        tdm_tensor_1d("category.offset", TDM_I64, s->offset, s->I + 1),
        tdm_tensor_1d("category.number", TDM_U32, s->category, (size_t)s->offset[s->I]),
    };
    return tdm_stored_write(path, s->base.ops->name, &s->p, t, sizeof t / sizeof *t, err);
}

static tdm_status read(shelves *s, const char *path, tdm_err *err)
{
    const void *p;
    tdm_status st = tdm_stored_floats(s->file, &s->people, path, "people", s->I, err);
    if (!st) st = tdm_safetensors_need(s->file, &p, "category.offset", TDM_I64, s->I + 1, err);
    if (st) return st;
    s->offset = p;
    for (size_t i = 0; i < s->I; i++)
        if (s->people[i] < 0)
            return tdm_fail(err, TDM_E_FORMAT, "%s: people[%zu] is %g", path, i, (double)s->people[i]);
    bool rising = s->offset[0] == 0;
    for (size_t i = 0; rising && i < s->I; i++) rising = s->offset[i] <= s->offset[i + 1];
    if (!rising) return tdm_fail(err, TDM_E_FORMAT, "%s: category.offset does not rise from 0", path);
    size_t n = (size_t)s->offset[s->I];
    st = tdm_safetensors_need(s->file, &p, "category.number", TDM_U32, n, err);
    if (st) return st;
    s->category = p;
    for (size_t i = 0; i < s->I; i++)
        for (int64_t k = s->offset[i]; k < s->offset[i + 1]; k++)
            if (s->category[k] >= n || (k > s->offset[i] && s->category[k] <= s->category[k - 1]))
                return tdm_fail(err, TDM_E_FORMAT, "%s: category.number[%lld] is %u: out of order or not below %zu",
                                path, (long long)k, s->category[k], n);
    return finish(s, err);
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    *out = NULL;
    shelves *s = shelves_new(train->I);
    if (!s) return tdm_nomem(err, path);
    tdm_status st = tdm_stored_open(&s->file, &s->p, path, s->base.ops->name, s->base.ops->params, err);
    if (!st) st = read(s, path, err);
    if (st) shelves_close(&s->base);
    else *out = &s->base;
    return st;
}

const tdm_model_ops tdm_category_popularity_ops = {
    .name = "category-popularity",
    .summary = "what is popular in the categories of a history",
    .path = "cf/category-popularity.safetensors",
    .params = params,
    .optional = true,
    .fit = fit,
    .score = score,
    .because = because,
    .save = save,
    .load = load,
    .close = shelves_close,
};
