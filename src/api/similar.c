/* SPDX-License-Identifier: Apache-2.0 */
/* similar.c - what is like an item, who is like a person.
 *
 * Items: the cosine of a model's item vectors; a model without vectors is asked what it would recommend to somebody who
 * has only that item. People: the neighbours of user-knn. */
#include "api/answer.h"
#include "api/ask.h"
#include "base/mem.h"
#include "cf/cf.h"
#include "model/topk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const tdm_model *trained(const tdm_bundle *b, const char *name)
{
    int i = tdm_models_index(tdm_str_of(name));
    return i < 0 ? NULL : b->model[i];
}

/* Learned vectors hold what was chosen and what is written; then words alone; then what was chosen alone. */
static tdm_status model_of_items(const tdm_model **out, const tdm_bundle *b, const char *name, tdm_err *err)
{
    static const char *const order[] = {"gpt2-items", "content", "item-knn"};
    for (size_t k = 0; !name && k < sizeof order / sizeof *order; k++)
        if ((*out = trained(b, order[k]))) return TDM_OK;
    return tdm_bundle_model(b, out, name, err);
}

static void cosines(float *out, const float *v, size_t I, size_t K, uint32_t item)
{
    const float *a = v + item * K;
    double own = 0;
    for (size_t k = 0; k < K; k++) own += (double)a[k] * (double)a[k];
    for (size_t i = 0; i < I; i++) {
        double dot = 0, length = 0;
        for (size_t k = 0; k < K; k++) {
            dot += (double)a[k] * (double)v[i * K + k];
            length += (double)v[i * K + k] * (double)v[i * K + k];
        }
        out[i] = own > 0 && length > 0 ? (float)(dot / sqrt(own * length)) : -INFINITY;
    }
}

static tdm_status items_like(cJSON *list, const tdm_bundle *b, const tdm_model *m, uint32_t item, size_t n,
                             tdm_err *err)
{
    size_t I = b->data->I, K;
    const float *v;
    tdm_history h = {.items = &item, .n = 1, .now = TDM_NO_TIME, .self = TDM_NONE};
    if (n > I) n = I;
    float *scores = tdm_new(I, sizeof *scores), *best = tdm_new(n, sizeof *best);
    uint32_t *items = tdm_new(n, sizeof *items);
    tdm_status st = scores && best && items ? TDM_OK : tdm_nomem(err, "similar items");
    if (!st && m->ops->vectors) {
        st = m->ops->vectors(m, &v, &K, err);
        if (!st) cosines(scores, v, I, K, item);
    } else if (!st && m->ops->score) {
        st = m->ops->score(m, scores, &h, 1, err);
    } else if (!st) {
        st = tdm_fail(err, TDM_E_UNSUPPORTED, "%s cannot say what is like an item; try --model content", m->ops->name);
    }
    if (!st) scores[item] = -INFINITY;
    size_t found = st ? 0 : tdm_topk(items, best, scores, I, n);
    for (size_t k = 0; k < found; k++) {
        cJSON *o = cJSON_CreateObject();
        tdm_json_add_item(o, b->split->train, items[k]);
        cJSON_AddNumberToObject(o, "similarity", (double)best[k]);
        cJSON_AddItemToArray(list, o);
    }
    tdm_free(scores);
    tdm_free(best);
    tdm_free(items);
    return st;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* How many of the sorted items own[n] a person has too. */
static double shared(const tdm_dataset *d, const uint32_t *own, size_t n, uint32_t user)
{
    size_t both = 0;
    for (int64_t k = d->offset[user]; k < d->offset[user + 1]; k++)
        both += bsearch(&d->item[k], own, n, sizeof *own, by_number) != NULL;
    return (double)both;
}

static tdm_status people_like(cJSON *list, const tdm_bundle *b, const tdm_history *h, size_t n, tdm_err *err)
{
    const tdm_model *m = trained(b, "user-knn");
    if (!m)
        return tdm_fail(err, TDM_E_ARG, "%s: similar people are user-knn's to say, and it was not trained", b->folder);
    if (n > b->data->U) n = b->data->U;
    uint32_t *users = tdm_new(n, sizeof *users);
    float *similarity = tdm_new(n, sizeof *similarity);
    uint32_t *own = tdm_new(h->n, sizeof *own);
    tdm_status st = users && similarity && own ? tdm_user_knn_people(m, users, similarity, &n, h, err)
                                               : tdm_nomem(err, "similar people");
    if (!st) {
        memcpy(own, h->items, h->n * sizeof *own);
        qsort(own, h->n, sizeof *own, by_number);
    }
    for (size_t k = 0; !st && k < n; k++) {
        cJSON *o = cJSON_CreateObject();
        tdm_json_add_text(o, "user", tdm_strings_at(&b->data->user_id, users[k]));
        cJSON_AddNumberToObject(o, "similarity", (double)similarity[k]);
        cJSON_AddNumberToObject(o, "shared", shared(b->split->train, own, h->n, users[k]));
        cJSON_AddItemToArray(list, o);
    }
    tdm_free(own);
    tdm_free(users);
    tdm_free(similarity);
    return st;
}

tdm_status tdm_recommender_similar(tdm_recommender *r, char **answer, const char *item, const char *user,
                                   const char *model, size_t n, tdm_err *err)
{
    uint32_t at;
    const tdm_model *m;
    *answer = NULL;
    if (!n) n = 10;
    cJSON *o = cJSON_CreateObject(), *list = NULL;
    tdm_status st =
        item ? tdm_find_item(r->b, &at, tdm_str_of(item), err) : tdm_find_user(r->b, &at, tdm_str_of(user), err);
    if (!st && item && !(st = model_of_items(&m, r->b, model, err))) {
        tdm_json_add_item(o, r->b->split->train, at);
        cJSON_AddStringToObject(o, "model", m->ops->name);
        list = cJSON_AddArrayToObject(o, "similar");
        st = items_like(list, r->b, m, at, n, err);
    } else if (!st && !item) {
        tdm_history h = tdm_dataset_history(r->b->data, at);
        tdm_json_add_text(o, "user", tdm_strings_at(&r->b->data->user_id, at));
        cJSON_AddStringToObject(o, "model", "user-knn");
        list = cJSON_AddArrayToObject(o, "similar");
        st = people_like(list, r->b, &h, n, err);
    }
    if (!st) return tdm_answer(answer, o, err);
    cJSON_Delete(o);
    return st;
}
