/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ask.h"

#include "api/answer.h"
#include "base/mem.h"
#include "base/spell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tdm_status not_found(const tdm_bundle *b, const char *what, tdm_str id, const tdm_strings *all, tdm_err *err)
{
    size_t near[3], n = tdm_spell_nearest(near, 3, id, all);
    tdm_buf names = {0};
    for (size_t i = 0; i < n; i++)
        tdm_buf_fmt(&names, "%s%.*s", i ? ", " : "", TDM_STR_ARG(tdm_strings_at(all, near[i])));
    if (n)
        tdm_fail(err, TDM_E_ARG, "there is no %s \"%.*s\" in %s; the nearest by spelling: %s", what, TDM_STR_ARG(id),
                 b->folder, names.p ? names.p : "");
    else
        tdm_fail(err, TDM_E_ARG, "there is no %s \"%.*s\" among the %zu of %s, nor one spelled like it", what,
                 TDM_STR_ARG(id), all->n, b->folder);
    tdm_buf_clear(&names);
    return TDM_E_ARG;
}

tdm_status tdm_find_item(const tdm_bundle *b, uint32_t *out, tdm_str id, tdm_err *err)
{
    *out = tdm_dataset_item(b->data, id);
    return *out == TDM_NONE ? not_found(b, "item", id, &b->data->item_id, err) : TDM_OK;
}

tdm_status tdm_find_user(const tdm_bundle *b, uint32_t *out, tdm_str id, tdm_err *err)
{
    *out = tdm_dataset_user(b->data, id);
    return *out == TDM_NONE ? not_found(b, "person", id, &b->data->user_id, err) : TDM_OK;
}

bool tdm_list_next(tdm_str *word, tdm_str *rest)
{
    while (rest->n) {
        const char *comma = memchr(rest->p, ',', rest->n);
        size_t n = comma ? (size_t)(comma - rest->p) : rest->n;
        *word = tdm_str_trim((tdm_str){rest->p, n});
        rest->p += n + (comma != NULL);
        rest->n -= n + (comma != NULL);
        if (word->n) return true;
    }
    return false;
}

/* "ID" or "ID:4.5". An id may hold a colon itself: the whole word is tried first. */
static tdm_status typed_item(const tdm_bundle *b, uint32_t *item, float *rating, tdm_str word, tdm_err *err)
{
    *rating = NAN;
    *item = tdm_dataset_item(b->data, word);
    if (*item != TDM_NONE) return TDM_OK;
    size_t colon = word.n;
    while (colon && word.p[colon - 1] != ':') colon--;
    if (colon < 2) return tdm_find_item(b, item, word, err);
    char number[32], *end;
    snprintf(number, sizeof number, "%.*s", (int)(word.n - colon), word.p + colon);
    double r = strtod(number, &end);
    if (end == number || *end || !isfinite(r))
        return tdm_fail(err, TDM_E_ARG, "\"%.*s\": a rating must be a number, as in %.*s:4", TDM_STR_ARG(word),
                        (int)colon - 1, word.p);
    *rating = (float)r;
    return tdm_find_item(b, item, (tdm_str){word.p, colon - 1}, err);
}

static tdm_status typed_history(tdm_asked *a, const tdm_bundle *b, const char *text, tdm_err *err)
{
    tdm_str rest = tdm_str_of(text), word;
    size_t most = 1;
    for (const char *c = text; *c; c++) most += *c == ',';
    a->items = tdm_new(most, sizeof *a->items);
    a->ratings = tdm_new(most, sizeof *a->ratings);
    if (!a->items || !a->ratings) return tdm_nomem(err, "a history");
    size_t n = 0;
    while (tdm_list_next(&word, &rest)) {
        tdm_status st = typed_item(b, &a->items[n], &a->ratings[n], word, err);
        if (st) return st;
        n++;
    }
    a->user = TDM_NONE;
    a->h = (tdm_history){.items = a->items, .ratings = a->ratings, .n = n, .now = TDM_NO_TIME, .self = TDM_NONE};
    return TDM_OK;
}

tdm_status tdm_asked_init(tdm_asked *out, const tdm_bundle *b, const tdm_query *q, tdm_err *err)
{
    *out = (tdm_asked){.user = TDM_NONE};
    tdm_status st;
    if (q->user) {
        st = tdm_find_user(b, &out->user, tdm_str_of(q->user), err);
        if (!st) out->h = tdm_dataset_history(b->data, out->user);
    } else {
        st = typed_history(out, b, q->history ? q->history : "", err);
    }
    if (st) tdm_asked_clear(out);
    return st;
}

void tdm_asked_clear(tdm_asked *a)
{
    tdm_free(a->items);
    tdm_free(a->ratings);
    *a = (tdm_asked){.user = TDM_NONE};
}

/* Up to two review summaries, for an item that nothing names: what stands in for a title. */
static void add_summaries(tdm_buf *title, const tdm_dataset *d, uint32_t i)
{
    size_t said = 0;
    for (size_t k = 0; said < 2 && d->summary.n && k < d->N; k++) {
        if (d->item[k] != i) continue;
        tdm_str s = tdm_strings_at(&d->summary, d->row[k]);
        if (s.n) tdm_buf_fmt(title, "%s\"%.*s\"", said++ ? ", " : ": ", TDM_STR_ARG(s));
    }
}

void tdm_json_add_item(cJSON *o, const tdm_dataset *d, uint32_t i)
{
    tdm_str id = tdm_strings_at(&d->item_id, i), name = tdm_dataset_name(d, i);
    tdm_buf title = {0};
    tdm_buf_add(&title, name.p, name.n);
    if (tdm_str_eq(id, name)) add_summaries(&title, d, i);
    tdm_json_add_text(o, "item", id);
    tdm_json_add_text(o, "title", title.failed ? name : (tdm_str){title.p, title.n});
    tdm_buf_clear(&title);
}
