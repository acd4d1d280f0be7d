/* SPDX-License-Identifier: Apache-2.0 */
/* explained.c - the key of an explanation is all that it is made from and that may differ between two questions to one
 * recommender: who ranks, the item, the seed, who speaks, and the history to the byte. What may not, the model folder
 * and the list of blocked words, is the recommender's, which forgets what it kept when the list grows. */
#include "api/explained.h"

#include "base/mem.h"

#include <pthread.h>
#include <string.h>

struct tdm_explained {
    tdm_cache *cache;
    pthread_mutex_t lock; /* of the counts */
    tdm_explain_counts count;
};

tdm_status tdm_explained_open(tdm_explained **out, size_t most, tdm_err *err)
{
    tdm_explained *x = *out = tdm_new(1, sizeof *x);
    tdm_status st = x ? tdm_cache_open(&x->cache, most, err) : tdm_nomem(err, "explanations");
    if (!st) {
        pthread_mutex_init(&x->lock, NULL);
        return TDM_OK;
    }
    tdm_free(x);
    *out = NULL;
    return st;
}

void tdm_explained_close(tdm_explained *x)
{
    if (!x) return;
    tdm_cache_close(x->cache);
    pthread_mutex_destroy(&x->lock);
    tdm_free(x);
}

void tdm_explained_forget(tdm_explained *x, size_t most) { tdm_cache_resize(x->cache, most); }

size_t tdm_explained_most(tdm_explained *x) { return tdm_cache_counted(x->cache).most; }

static void key_make(tdm_buf *key, const tdm_explain_input *in)
{
    const tdm_history *h = in->history;
    const char *name = in->model->ops->name;
    tdm_buf_add(key, name, strlen(name) + 1);
    tdm_buf_add(key, &in->item, sizeof in->item);
    tdm_buf_add(key, &in->seed, sizeof in->seed);
    tdm_buf_char(key, (char)in->speaker);
    tdm_buf_add(key, &h->self, sizeof h->self);
    tdm_buf_add(key, &h->now, sizeof h->now);
    tdm_buf_char(key, (char)((h->ratings != NULL) | (h->times != NULL) << 1));
    tdm_buf_add(key, h->items, h->n * sizeof *h->items);
    if (h->ratings) tdm_buf_add(key, h->ratings, h->n * sizeof *h->ratings);
    if (h->times) tdm_buf_add(key, h->times, h->n * sizeof *h->times);
}

/* Moves the members of `from` to the end of `o`. */
static bool move(cJSON *o, cJSON *from)
{
    bool ok = true;
    while (ok && from->child) {
        cJSON *one = cJSON_DetachItemViaPointer(from, from->child);
        ok = cJSON_AddItemToObject(o, one->string, one);
        if (!ok) cJSON_Delete(one);
    }
    return ok;
}

/* Explains, and keeps what came out. */
static tdm_status make(cJSON *made, tdm_explained *x, const tdm_explain_input *in, tdm_str key, tdm_err *err)
{
    tdm_explain_counts count = {0};
    tdm_explain_input counted = *in;
    counted.counts = &count;
    tdm_status st = tdm_explain(made, &counted, err);
    pthread_mutex_lock(&x->lock);
#define X(name) x->count.name += count.name;
    TDM_EXPLAIN_COUNTS(X)
#undef X
    pthread_mutex_unlock(&x->lock);
    if (st) return st;
    char *text = cJSON_PrintUnformatted(made);
    if (!text) return tdm_nomem(err, "an explanation");
    tdm_cache_add(x->cache, key, tdm_str_of(text));
    cJSON_free(text);
    return TDM_OK;
}

tdm_status tdm_explained_add(cJSON *o, tdm_explained *x, const tdm_explain_input *in, tdm_err *err)
{
    tdm_buf key = {0};
    char *text = NULL;
    cJSON *made = NULL;
    key_make(&key, in);
    tdm_str k = {key.p, key.n};
    tdm_status st = key.failed ? tdm_nomem(err, "an explanation") : tdm_cache_find(x->cache, &text, k, err);
    if (!st && text) st = tdm_json_parse(&made, text, strlen(text), "an explanation that was kept", err);
    if (!st && !text) {
        made = cJSON_CreateObject();
        st = made ? make(made, x, in, k, err) : tdm_nomem(err, "an explanation");
    }
    if (!st && !move(o, made)) st = tdm_nomem(err, "an explanation");
    cJSON_Delete(made);
    tdm_free(text);
    tdm_buf_clear(&key);
    return st;
}

cJSON *tdm_explained_counts(tdm_explained *x)
{
    tdm_cache_counts kept = tdm_cache_counted(x->cache);
    cJSON *o = cJSON_CreateObject(), *cache = cJSON_AddObjectToObject(o, "cache");
    cJSON_AddNumberToObject(cache, "found", (double)kept.found);
    cJSON_AddNumberToObject(cache, "missed", (double)kept.missed);
    cJSON_AddNumberToObject(cache, "kept", (double)kept.kept);
    cJSON_AddNumberToObject(cache, "bytes", (double)kept.bytes);
    cJSON_AddNumberToObject(cache, "most_bytes", (double)kept.most);
    pthread_mutex_lock(&x->lock);
    tdm_explain_counts count = x->count;
    pthread_mutex_unlock(&x->lock);
    cJSON *made = cJSON_AddObjectToObject(o, "sentences");
#define X(name) cJSON_AddNumberToObject(made, #name, (double)count.name);
    TDM_EXPLAIN_COUNTS(X)
#undef X
    return o;
}
