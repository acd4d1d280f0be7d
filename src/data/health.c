/* SPDX-License-Identifier: Apache-2.0 */
/* health.c - the order of the table, and the small keys. The big ones have files of their own: people (one pass over
 * everybody), lengths, times, bots, core, titles, language, warnings. */
#include "data/health_parts.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

bool tdm_health_put(cJSON *o, const char *key, cJSON *value)
{
    if (!value) return false;
    cJSON_DeleteItemFromObjectCaseSensitive(o, key);
    if (cJSON_AddItemToObject(o, key, value)) return true;
    cJSON_Delete(value);
    return false;
}

bool tdm_health_number(cJSON *o, const char *key, double value)
{
    return tdm_health_put(o, key, cJSON_CreateNumber(value));
}

bool tdm_health_text(cJSON *o, const char *key, tdm_str s) { return tdm_json_add_text(o, key, tdm_utf8_cut(s, 200)); }

int tdm_health_bin(uint64_t v)
{
    int k = 0;
    while (v >>= 1) k++;
    return k < TDM_HEALTH_BINS ? k : TDM_HEALTH_BINS - 1;
}

cJSON *tdm_health_bins(const size_t *count)
{
    cJSON *o = cJSON_CreateObject();
    int last = TDM_HEALTH_BINS;
    while (last && !count[last - 1]) last--;
    for (int k = 0; o && k < last; k++) {
        char name[48];
        unsigned long long low = 1ull << k;
        if (k) snprintf(name, sizeof name, "%llu-%llu", low, 2 * low - 1);
        else strcpy(name, "1");
        if (cJSON_AddNumberToObject(o, name, (double)count[k])) continue;
        cJSON_Delete(o);
        o = NULL;
    }
    return o;
}

void tdm_sort_u32(uint32_t *v, uint32_t *spare, size_t n)
{
    enum { BITS = 11, DIGITS = 1 << BITS };
    uint32_t *from = v, *to = spare;
    size_t at[DIGITS];
    for (int shift = 0; shift < 32; shift += BITS) {
        memset(at, 0, sizeof at);
        for (size_t i = 0; i < n; i++) at[from[i] >> shift & (DIGITS - 1)]++;
        if (n && at[from[0] >> shift & (DIGITS - 1)] == n) continue; /* all alike in this digit */
        size_t sum = 0;
        for (int k = 0; k < DIGITS; k++) {
            size_t c = at[k];
            at[k] = sum;
            sum += c;
        }
        for (size_t i = 0; i < n; i++) to[at[from[i] >> shift & (DIGITS - 1)]++] = from[i];
        uint32_t *was = from;
        from = to;
        to = was;
    }
    if (from != v && n) memcpy(v, from, n * sizeof *v);
}

static bool ratings_add(cJSON *h, const tdm_tally *t)
{
    cJSON *o = cJSON_CreateObject();
    bool ok = o;
    for (int k = 0; ok && k < t->n; k++) {
        char name[32];
        snprintf(name, sizeof name, "%g", (double)t->value[k]);
        ok = tdm_health_number(o, name, (double)t->count[k]);
    }
    if (ok) return tdm_health_put(h, "ratings", o);
    cJSON_Delete(o);
    return false;
}

static bool texts_add(cJSON *h, const tdm_dataset *d, const tdm_health_people *p)
{
    cJSON *o = cJSON_CreateObject();
    bool ok = tdm_health_number(h, "text_coverage", d->N ? (double)p->texts / (double)d->N : 0) && o &&
              tdm_health_number(o, "summaries", (double)p->summaries) &&
              tdm_health_number(o, "reviews", (double)p->reviews) &&
              tdm_health_number(o, "mean", p->texts ? (double)p->bytes / (double)p->texts : 0) &&
              tdm_health_number(o, "most", (double)p->most) &&
              tdm_health_put(o, "histogram", tdm_health_bins(p->text_bins));
    if (ok) return tdm_health_put(h, "text_bytes", o);
    cJSON_Delete(o);
    return false;
}

static bool counts_add(cJSON *h, const tdm_dataset *d, const tdm_health_people *p, size_t titled)
{
    double cells = (double)d->U * (double)d->I;
    return tdm_health_number(h, "repeated_pairs", (double)p->repeated) && tdm_health_number(h, "users", (double)d->U) &&
           tdm_health_number(h, "items", (double)d->I) && tdm_health_number(h, "interactions", (double)d->N) &&
           tdm_health_number(h, "density", cells > 0 ? (double)(d->N - p->repeated) / cells : 0) &&
           tdm_health_number(h, "items_with_title", (double)titled);
}

/* Peeling cores is one long walk that cannot be shared out; the rest is done meanwhile. */
typedef struct halves {
    const tdm_dataset *d;
    const tdm_health_people *p;
    size_t titled;
    cJSON *h[2];
    tdm_status st[2];
    tdm_err err[2];
} halves;

static void half_add(void *ctx, size_t k, size_t begin, size_t end)
{
    halves *w = ctx;
    cJSON *h = w->h[k];
    tdm_err *err = &w->err[k];
    (void)begin, (void)end;
    if (k == 0) {
        w->st[0] = tdm_health_core(h, w->d, err);
        return;
    }
    tdm_status st = tdm_health_times(h, w->d, w->p, err);
    if (!st) st = tdm_health_lengths(h, w->d, err);
    if (!st) st = tdm_health_languages(h, w->d, w->p->texts, w->titled, err);
    if (!st) st = tdm_health_titles(h, w->d, err);
    if (!st) st = tdm_health_bots(h, w->d, w->p, err);
    w->st[1] = st;
}

static tdm_status halves_add(cJSON *h, const tdm_dataset *d, const tdm_health_people *p, size_t titled, tdm_run *run,
                             tdm_err *err)
{
    halves w = {.d = d, .p = p, .titled = titled, .h = {cJSON_CreateObject(), h}};
    if (!w.h[0]) return tdm_nomem(err, "the health table");
    tdm_pool_for(run ? run->pool : NULL, 2, 1, half_add, &w);
    tdm_status st = w.st[0] ? w.st[0] : w.st[1];
    if (st && err) *err = w.err[w.st[0] ? 0 : 1];
    if (!st && !tdm_health_put(h, "core", cJSON_DetachItemFromObjectCaseSensitive(w.h[0], "core")))
        st = tdm_nomem(err, "the health table");
    cJSON_Delete(w.h[0]);
    return st;
}

tdm_status tdm_health_add(cJSON *h, const tdm_dataset *d, tdm_run *run, tdm_err *err)
{
    tdm_health_people p = {0};
    size_t titled = 0;
    tdm_status st = tdm_health_people_init(&p, d, run, err);
    for (size_t i = 0; d->title.n && i < d->I; i++) titled += tdm_strings_at(&d->title, i).n > 0;
    if (!st && !(counts_add(h, d, &p, titled) && texts_add(h, d, &p) && ratings_add(h, &p.ratings)))
        st = tdm_nomem(err, "the health table");
    if (!st) st = halves_add(h, d, &p, titled, run, err);
    if (!st) st = tdm_health_warnings(h, err);
    tdm_health_people_clear(&p);
    return st;
}
