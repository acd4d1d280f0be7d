/* SPDX-License-Identifier: Apache-2.0 */
/* recommend.c - rank the catalogue for one question, filter, explain what is shown. */
#include "api/answer.h"
#include "api/ask.h"
#include "api/recommend.h"
#include "api/speaker.h"
#include "api/stream.h"
#include "base/mem.h"
#include "hybrid/explain.h"
#include "hybrid/hybrid.h"

#include <math.h>
#include <string.h>

enum { SHOWN_HISTORY = 10, EXPLAINED_BYTES = 8 << 20 };

tdm_status tdm_recommender_open(tdm_recommender **out, const char *folder, tdm_err *err)
{
    *out = tdm_new(1, sizeof **out);
    if (!*out) return tdm_nomem(err, folder);
    tdm_status st = tdm_explained_open(&(*out)->explained, EXPLAINED_BYTES, err);
    if (!st) st = tdm_bundle_open(&(*out)->b, folder, err);
    if (!st) st = tdm_claims_open(&(*out)->claims, (*out)->b->data, err);
    if (st) {
        tdm_recommender_close(*out);
        *out = NULL;
    }
    return st;
}

void tdm_recommender_keep(tdm_recommender *r, size_t bytes) { tdm_explained_forget(r->explained, bytes); }

tdm_status tdm_recommender_counts(tdm_recommender *r, char **answer, tdm_err *err)
{
    return tdm_answer(answer, tdm_explained_counts(r->explained), err);
}

void tdm_recommender_close(tdm_recommender *r)
{
    if (!r) return;
    tdm_bundle_close(r->b);
    tdm_explained_close(r->explained);
    tdm_claims_close(r->claims);
    tdm_block_close(r->block);
    tdm_free(r->excluded);
    tdm_free(r);
}

/* What a model that only gives its best says of one item: its place among them, or no opinion. */
static tdm_status score_in_list(float *score, const tdm_model *m, const tdm_history *h, uint32_t item, tdm_err *err)
{
    size_t k = 50 + h->n, found = 0;
    uint32_t *items = tdm_new(k, sizeof *items);
    float *best = tdm_new(k, sizeof *best);
    const tdm_wanted w = {.k = k};
    const tdm_ranked out = {items, best, &found};
    tdm_status st = items && best ? m->ops->topk(m, &out, h, 1, &w, err) : tdm_nomem(err, "a ranking");
    *score = -INFINITY;
    for (size_t i = 0; !st && i < found; i++)
        if (items[i] == item) *score = best[i];
    tdm_free(items);
    tdm_free(best);
    return st;
}

static tdm_status score_of(float *score, const tdm_model *m, const tdm_history *h, size_t I, uint32_t item,
                           tdm_err *err)
{
    if (!m->ops->score) return score_in_list(score, m, h, item, err);
    float *scores = tdm_new(I, sizeof *scores);
    tdm_status st = scores ? m->ops->score(m, scores, h, 1, err) : tdm_nomem(err, "a ranking");
    if (!st) *score = scores[item];
    tdm_free(scores);
    return st;
}

/* ---- the document ---- */

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

static tdm_status item_document(cJSON **out, const tdm_recommender *r, const tdm_model *m, const tdm_asked *a,
                                uint32_t item, float total, size_t place, const tdm_query *q, tdm_err *err)
{
    const tdm_bundle *b = r->b;
    cJSON *o = cJSON_CreateObject();
    *out = o;
    tdm_json_add_item(o, b->split->train, item);
    cJSON_AddNumberToObject(o, "score", (double)total);
    tdm_speaker speaker;
    tdm_status st = add_parts(o, m, &a->h, item, total, err);
    if (!st) st = tdm_speaker_of(&speaker, b, q->sentence, err);
    if (st || !q->words) return st;
    tdm_streaming told = {.fn = q->stream, .ctx = q->stream_ctx};
    tdm_explain_input in = {.data = b->data,
                            .train = b->split->train,
                            .model = m,
                            .writer = tdm_bundle_writer(b),
                            .speaker = speaker,
                            .history = &a->h,
                            .item = item,
                            .block = r->block,
                            .positive_from = b->protocol.positive_from,
                            .seed = q->seed,
                            .claims = r->claims,
                            .lead = true,
                            .draft = told.fn ? tdm_streaming_draft : NULL,
                            .draft_ctx = &told};
    st = tdm_streaming_begin(&told, place, tdm_json_str(o, "item", ""), tdm_json_str(o, "title", ""), err);
    if (!st) st = tdm_explained_add(o, r->explained, &in, err);
    if (!st) st = tdm_streaming_done(&told, tdm_json_str(o, "text", ""), tdm_json_str(o, "text_source", ""), err);
    tdm_streaming_clear(&told);
    return st;
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

static tdm_status rank(cJSON *o, const tdm_recommender *r, const tdm_model *chosen, const tdm_asked *a,
                       const tdm_query *q, tdm_err *err)
{
    const tdm_bundle *b = r->b;
    const tdm_model *m = tdm_asked_model(b, q, chosen, a->h.n);
    size_t I = b->data->I, asked = q->n ? q->n : 10, n = asked < I ? asked : I, found = 0;
    float *best = tdm_new(n, sizeof *best);
    uint32_t *items = tdm_new(n, sizeof *items);
    uint8_t *barred = NULL;
    tdm_diversity unlike;
    tdm_status st = best && items ? tdm_barred_make(&barred, r, q, err) : tdm_nomem(err, "a ranking");
    if (!st) st = tdm_diversity_make(&unlike, q->diversity, b, err);
    const tdm_wanted w = {.k = n, .filter_seen = b->protocol.seen == TDM_SEEN_FILTER, .barred = barred};
    const tdm_ranked out = {items, best, &found};
    char note[TDM_NOTE];
    if (!st) st = tdm_diverse_topk(m, &out, &a->h, 1, &w, I, &unlike, err);
    cJSON_AddStringToObject(o, "model", m->ops->name);
    if (!st && tdm_list_note(note, barred != NULL, chosen, m, found, asked)) cJSON_AddStringToObject(o, "note", note);
    cJSON *list = cJSON_AddArrayToObject(o, "recommendations");
    for (size_t k = 0; !st && k < found; k++) {
        cJSON *one;
        st = item_document(&one, r, m, a, items[k], best[k], k, q, err);
        cJSON_AddItemToArray(list, one);
    }
    tdm_free(barred);
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
    st = rank(o, r, m, &a, q, err);
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
    float score;
    st = score_of(&score, m, &a.h, r->b->data->I, i, err);
    if (!st) st = item_document(&o, r, m, &a, i, score, 0, q, err);
    if (!st) add_user(o, r->b, &a);
    tdm_asked_clear(&a);
    if (!st) return tdm_answer(answer, o, err);
    cJSON_Delete(o);
    return st;
}
