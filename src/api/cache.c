/* SPDX-License-Identifier: Apache-2.0 */
/* cache.c - a table of chains by the hash of the key, and a list of all entries from the one asked for last to the one
 * asked for the longest ago. Keys are compared whole: two people whose hashes meet do not get each other's text. */
#include "api/cache.h"

#include "base/mem.h"

#include <pthread.h>
#include <string.h>
#include <xxhash.h>

enum { CHAINS = 4096 };

typedef struct entry {
    struct entry *chain;         /* the next of the same chain */
    struct entry *newer, *older; /* by when it was asked for */
    uint64_t hash;
    size_t n_key, n_text;
    char bytes[]; /* key, text, NUL */
} entry;

struct tdm_cache {
    pthread_mutex_t lock;
    entry **first; /* CHAINS */
    entry *newest, *oldest;
    tdm_cache_counts count;
};

static size_t size_of(const entry *e) { return sizeof *e + e->n_key + e->n_text + 1; }

tdm_status tdm_cache_open(tdm_cache **out, size_t most, tdm_err *err)
{
    tdm_cache *c = *out = tdm_new(1, sizeof *c);
    if (c) c->first = tdm_new(CHAINS, sizeof *c->first);
    if (!c || !c->first) {
        tdm_free(c);
        *out = NULL;
        return tdm_nomem(err, "a cache");
    }
    pthread_mutex_init(&c->lock, NULL);
    c->count.most = most;
    return TDM_OK;
}

/* ---- the list ---- */

static void list_remove(tdm_cache *c, entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void list_put_first(tdm_cache *c, entry *e)
{
    e->newer = NULL;
    e->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
}

static void drop_oldest(tdm_cache *c)
{
    entry *e = c->oldest, **at = &c->first[e->hash % CHAINS];
    while (*at != e) at = &(*at)->chain;
    *at = e->chain;
    list_remove(c, e);
    c->count.kept--;
    c->count.bytes -= size_of(e);
    tdm_free(e);
}

void tdm_cache_close(tdm_cache *c)
{
    if (!c) return;
    while (c->oldest) drop_oldest(c);
    pthread_mutex_destroy(&c->lock);
    tdm_free(c->first);
    tdm_free(c);
}

/* ---- asking ---- */

static entry *look_up(const tdm_cache *c, tdm_str key, uint64_t hash)
{
    for (entry *e = c->first[hash % CHAINS]; e; e = e->chain)
        if (e->hash == hash && e->n_key == key.n && !memcmp(e->bytes, key.p, key.n)) return e;
    return NULL;
}

tdm_status tdm_cache_find(tdm_cache *c, char **text, tdm_str key, tdm_err *err)
{
    uint64_t hash = XXH3_64bits(key.p, key.n);
    *text = NULL;
    pthread_mutex_lock(&c->lock);
    entry *e = look_up(c, key, hash);
    if (e) {
        c->count.found++;
        list_remove(c, e);
        list_put_first(c, e);
        *text = tdm_strndup(e->bytes + e->n_key, e->n_text);
    } else {
        c->count.missed++;
    }
    pthread_mutex_unlock(&c->lock);
    return e && !*text ? tdm_nomem(err, "a text that was kept") : TDM_OK;
}

void tdm_cache_add(tdm_cache *c, tdm_str key, tdm_str text)
{
    uint64_t hash = XXH3_64bits(key.p, key.n);
    entry *e = tdm_new(sizeof *e + key.n + text.n + 1, 1);
    if (!e) return;
    e->hash = hash;
    e->n_key = key.n;
    e->n_text = text.n;
    memcpy(e->bytes, key.p, key.n);
    memcpy(e->bytes + key.n, text.p, text.n);
    size_t size = size_of(e);
    pthread_mutex_lock(&c->lock);
    if (size <= c->count.most && !look_up(c, key, hash)) {
        while (c->count.bytes + size > c->count.most) drop_oldest(c);
        e->chain = c->first[hash % CHAINS];
        c->first[hash % CHAINS] = e;
        list_put_first(c, e);
        c->count.kept++;
        c->count.bytes += size;
        e = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    tdm_free(e);
}

void tdm_cache_resize(tdm_cache *c, size_t most)
{
    pthread_mutex_lock(&c->lock);
    while (c->oldest) drop_oldest(c);
    c->count.most = most;
    pthread_mutex_unlock(&c->lock);
}

tdm_cache_counts tdm_cache_counted(tdm_cache *c)
{
    pthread_mutex_lock(&c->lock);
    tdm_cache_counts counts = c->count;
    pthread_mutex_unlock(&c->lock);
    return counts;
}
