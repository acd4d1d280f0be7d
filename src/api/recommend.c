/* SPDX-License-Identifier: Apache-2.0 */
/* recommend.c - rank the catalogue for one question, filter, explain what is shown. */
#include "api/answer.h"
#include "api/ask.h"
#include "base/mem.h"
#include "base/spell.h"
#include "cf/cf.h"
#include "hybrid/explain.h"
#include "hybrid/hybrid.h"
#include "model/topk.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_HISTORY = 10 };

tdm_status tdm_recommender_open(tdm_recommender **out, const char *folder, tdm_err *err)
{
    *out = tdm_new(1, sizeof **out);
    if (!*out) return tdm_nomem(err, folder);
    tdm_status st = tdm_bundle_open(&(*out)->b, folder, err);
    if (st) {
        tdm_free(*out);
        *out = NULL;
    }
    return st;
}

void tdm_recommender_close(tdm_recommender *r)
{
    if (!r) return;
    tdm_bundle_close(r->b);
    tdm_free(r);
}

/* ---- ranking ---- */

/* Takes the next line off *rest. */
static bool line_next(tdm_str *line, tdm_str *rest)
{
    if (!rest->n) return false;
    const char *end = memchr(rest->p, '\n', rest->n);
    size_t n = end ? (size_t)(end - rest->p) : rest->n;
    *line = (tdm_str){rest->p, n};
    rest->p += n + (end != NULL);
    rest->n -= n + (end != NULL);
    return true;
}

/* Whether one of the item's categories is `want`, letter case of ASCII aside. */
static bool in_category(const tdm_dataset *d, uint32_t i, tdm_str want)
{
    tdm_str rest = tdm_strings_at(&d->category, i), word;
    while (line_next(&word, &rest)) {
        size_t k = 0;
        while (word.n == want.n && k < want.n && tolower((unsigned char)word.p[k]) == tolower((unsigned char)want.p[k]))
            k++;
        if (word.n == want.n && k == want.n) return true;
    }
    return false;
}

/* A category that no item has, with the one most like it in spelling. */
static tdm_status no_category(const tdm_dataset *d, const char *want, tdm_err *err)
{
    tdm_str nearest = {0};
    size_t best = SIZE_MAX;
    for (uint32_t i = 0; i < d->I; i++) {
        tdm_str rest = tdm_strings_at(&d->category, i), word;
        while (line_next(&word, &rest)) {
            size_t distance = tdm_spell_distance(word, tdm_str_of(want));
            if (distance < best) best = distance, nearest = word;
        }
    }
    if (!nearest.n)
        return tdm_fail(err, TDM_E_ARG, "no item has the category \"%s\": this data has no categories", want);
    return tdm_fail(err, TDM_E_ARG, "no item has the category \"%s\"; the nearest by spelling: %.*s", want,
                    TDM_STR_ARG(nearest));
}

/* -INFINITY for every item that may not be shown. */
static tdm_status filter(float *scores, const tdm_bundle *b, const tdm_asked *a, const tdm_query *q, tdm_err *err)
{
    const tdm_dataset *d = b->data;
    for (size_t k = 0; b->protocol.seen == TDM_SEEN_FILTER && k < a->h.n; k++) scores[a->h.items[k]] = -INFINITY;
    tdm_str rest = tdm_str_of(q->exclude), word;
    while (tdm_list_next(&word, &rest)) {
        uint32_t i;
        tdm_status st = tdm_find_item(b, &i, word, err);
        if (st) return st;
        scores[i] = -INFINITY;
    }
    size_t left = 0;
    for (uint32_t i = 0; q->category && i < d->I; i++) {
        if (in_category(d, i, tdm_str_of(q->category))) left++;
        else scores[i] = -INFINITY;
    }
    return q->category && !left ? no_category(d, q->category, err) : TDM_OK;
}

/* Scores over the catalogue, also of a model that only gives its best (the others stay without opinion). */
static tdm_status score(float *scores, const tdm_model *m, const tdm_history *h, size_t I, size_t n, tdm_err *err)
{
    if (m->ops->score) return m->ops->score(m, scores, h, 1, err);
    size_t k = n + h->n < 50 ? 50 : n + h->n, found = 0;
    uint32_t *items = tdm_new(k, sizeof *items);
    float *best = tdm_new(k, sizeof *best);
    tdm_status st = items && best ? m->ops->topk(m, items, best, &found, h, k, err) : tdm_nomem(err, "a ranking");
    for (size_t i = 0; i < I; i++) scores[i] = -INFINITY;
    for (size_t i = 0; !st && i < found; i++) scores[items[i]] = best[i];
    tdm_free(items);
    tdm_free(best);
    return st;
}

/* ---- the document ---- */

static const tdm_model *trained(const tdm_bundle *b, const tdm_model_ops *ops)
{
    int i = tdm_models_index(tdm_str_of(ops->name));
    return b->model[i];
}

static const tdm_model *writer(const tdm_bundle *b)
{
    for (int i = 0; tdm_models[i]; i++)
        if (b->model[i] && b->model[i]->ops->write) return b->model[i];
    return NULL;
}

static tdm_status add_parts(cJSON *o, const tdm_model *m, const tdm_history *h, uint32_t item, float total,
                            tdm_err *err)
{
    cJSON *parts = cJSON_AddObjectToObject(o, "parts");
    if (m->ops != &tdm_hybrid_ops) {
        cJSON_AddNumberToObject(parts, m->ops->name, (double)total);
        return TDM_OK;
    }
    float part[TDM_MAX_MODELS];
    const char *const *names;
    size_t P = 0;
    tdm_status st = tdm_hybrid_parts(m, part, &names, &P, h, item, err);
    for (size_t p = 0; !st && p < P; p++) cJSON_AddNumberToObject(parts, names[p], (double)part[p]);
    return st;
}

static tdm_status item_document(cJSON **out, const tdm_bundle *b, const tdm_model *m, const tdm_asked *a, uint32_t item,
                                float total, const tdm_query *q, tdm_err *err)
{
    cJSON *o = cJSON_CreateObject();
    *out = o;
    tdm_json_add_item(o, b->split->train, item);
    cJSON_AddNumberToObject(o, "score", (double)total);
    tdm_status st = add_parts(o, m, &a->h, item, total, err);
    if (st || !q->words) return st;
    tdm_explain_input in = {.data = b->data,
                            .train = b->split->train,
                            .model = m,
                            .writer = writer(b),
                            .history = &a->h,
                            .item = item,
                            .positive_from = b->protocol.positive_from,
                            .seed = q->seed};
    return tdm_explain(o, &in, err);
}

static void add_user(cJSON *o, const tdm_bundle *b, const tdm_asked *a)
{
    if (a->user == TDM_NONE) cJSON_AddNullToObject(o, "user");
    else tdm_json_add_text(o, "user", tdm_strings_at(&b->data->user_id, a->user));
}

/* The newest items of the history, so that a reader sees what the answer goes by. */
static void add_history(cJSON *o, const tdm_bundle *b, const tdm_asked *a)
{
    cJSON *list = cJSON_AddArrayToObject(o, "history");
    for (size_t k = 0; k < a->h.n && k < SHOWN_HISTORY; k++) {
        size_t at = a->h.n - 1 - k;
        cJSON *one = cJSON_CreateObject();
        tdm_json_add_item(one, b->split->train, a->h.items[at]);
        if (a->h.ratings && isfinite(a->h.ratings[at]))
            cJSON_AddNumberToObject(one, "rating", (double)a->h.ratings[at]);
        cJSON_AddItemToArray(list, one);
    }
    cJSON_AddNumberToObject(o, "history_length", (double)a->h.n);
}

static tdm_status rank(cJSON *o, const tdm_bundle *b, const tdm_model *m, const tdm_asked *a, const tdm_query *q,
                       tdm_err *err)
{
    size_t I = b->data->I, asked = q->n ? q->n : 10, n = asked < I ? asked : I;
    float *scores = tdm_new(I, sizeof *scores), *best = tdm_new(n, sizeof *best);
    uint32_t *items = tdm_new(n, sizeof *items);
    tdm_status st = scores && best && items ? score(scores, m, &a->h, I, n, err) : tdm_nomem(err, "a ranking");
    if (!st) st = filter(scores, b, a, q, err);
    size_t found = st ? 0 : tdm_topk(items, best, scores, I, n);
    cJSON *list = cJSON_AddArrayToObject(o, "recommendations");
    for (size_t k = 0; !st && k < found; k++) {
        cJSON *one;
        st = item_document(&one, b, m, a, items[k], best[k], q, err);
        cJSON_AddItemToArray(list, one);
    }
    if (!st && found < asked && !cJSON_GetObjectItem(o, "note")) {
        char note[160];
        snprintf(note, sizeof note, "%zu of the %zu asked for: no other item %shas a score from %s", found, asked,
                 q->category || q->exclude ? "passes the filters and " : "", m->ops->name);
        cJSON_AddStringToObject(o, "note", note);
    }
    tdm_free(scores);
    tdm_free(best);
    tdm_free(items);
    return st;
}

tdm_status tdm_recommender_recommend(tdm_recommender *r, char **answer, const tdm_query *q, tdm_err *err)
{
    const tdm_model *m;
    tdm_asked a;
    *answer = NULL;
    tdm_status st = tdm_bundle_model(r->b, &m, q->model, err);
    if (!st) st = tdm_asked_init(&a, r->b, q, err);
    if (st) return st;
    cJSON *o = cJSON_CreateObject();
    add_user(o, r->b, &a);
    add_history(o, r->b, &a);
    if (a.h.n == 0 && !q->model && trained(r->b, &tdm_popularity_ops)) {
        m = trained(r->b, &tdm_popularity_ops);
        cJSON_AddStringToObject(o, "note", "the history is empty, so this is what is popular");
    }
    cJSON_AddStringToObject(o, "model", m->ops->name);
    st = rank(o, r->b, m, &a, q, err);
    tdm_asked_clear(&a);
    if (!st) return tdm_answer(answer, o, err);
    cJSON_Delete(o);
    return st;
}

tdm_status tdm_recommender_explain(tdm_recommender *r, char **answer, const tdm_query *q, const char *item,
                                   tdm_err *err)
{
    const tdm_model *m;
    tdm_asked a;
    uint32_t i;
    cJSON *o = NULL;
    *answer = NULL;
    tdm_status st = tdm_bundle_model(r->b, &m, q->model, err);
    if (!st) st = tdm_find_item(r->b, &i, tdm_str_of(item), err);
    if (!st) st = tdm_asked_init(&a, r->b, q, err);
    if (st) return st;
    float *scores = tdm_new(r->b->data->I, sizeof *scores);
    st = scores ? score(scores, m, &a.h, r->b->data->I, 50, err) : tdm_nomem(err, "a ranking");
    if (!st) st = item_document(&o, r->b, m, &a, i, scores[i], q, err);
    if (!st) add_user(o, r->b, &a);
    tdm_free(scores);
    tdm_asked_clear(&a);
    if (!st) return tdm_answer(answer, o, err);
    cJSON_Delete(o);
    return st;
}
