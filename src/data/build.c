/* SPDX-License-Identifier: Apache-2.0 */
/* build.c - rows in, CSR out.
 *
 * While rows come in, people and items are numbered by first appearance and columns grow. Finishing renumbers both by
 * the hash of their ids, so that nothing of the file's listing is left in an index, puts the rows of a person together
 * and orders them by time; equal times keep the order of the file. */
#include "data/build.h"

#include "base/mem.h"
#include "data/intern.h"
#include "data/owner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { SUMMARY, REVIEW, TEXTS };
enum { TITLE, BRAND, CATEGORY, DESCRIPTION, KEYWORDS, FIELDS };

typedef struct span {
    size_t at, n;
} span;

struct tdm_builder {
    tdm_intern users, items;
    uint32_t *user, *item; /* n each */
    float *rating;
    int64_t *time;
    uint8_t *test;       /* 1: of the test file; 2: dropped */
    span *text[TEXTS];   /* n each, in `bytes` */
    span *field[FIELDS]; /* by item, in `bytes` */
    tdm_buf bytes;
    size_t n, cap[7 + FIELDS], duplicates, field_n;
    uint32_t *slot; /* rows by hash: number + 1, or 0 */
    size_t room;
};

tdm_status tdm_builder_open(tdm_builder **out, uint64_t seed, tdm_err *err)
{
    *out = tdm_new(1, sizeof **out);
    if (!*out) return tdm_nomem(err, "a dataset");
    (*out)->users.seed = (*out)->items.seed = seed;
    return TDM_OK;
}

void tdm_builder_close(tdm_builder *b)
{
    if (!b) return;
    tdm_intern_clear(&b->users);
    tdm_intern_clear(&b->items);
    tdm_free(b->user);
    tdm_free(b->item);
    tdm_free(b->rating);
    tdm_free(b->time);
    tdm_free(b->test);
    for (int k = 0; k < TEXTS; k++) tdm_free(b->text[k]);
    for (int k = 0; k < FIELDS; k++) tdm_free(b->field[k]);
    tdm_buf_clear(&b->bytes);
    tdm_free(b->slot);
    tdm_free(b);
}

size_t tdm_builder_rows(const tdm_builder *b) { return b->n; }
void tdm_builder_drop(tdm_builder *b, size_t row) { b->test[row] |= 2; }
size_t tdm_builder_duplicates(const tdm_builder *b) { return b->duplicates; }

static tdm_str span_str(const tdm_builder *b, span s) { return (tdm_str){s.n ? b->bytes.p + s.at : "", s.n}; }

static span span_add(tdm_builder *b, tdm_str s)
{
    span at = {b->bytes.n, s.n};
    if (s.n) tdm_buf_add(&b->bytes, s.p, s.n);
    return at;
}

/* ---- duplicates ---- */

static uint64_t row_hash(uint32_t u, uint32_t i, float rating, int64_t time, tdm_str summary, tdm_str review)
{
    struct {
        uint64_t pair, rating, time, summary, review;
    } key = {(uint64_t)u << 32 | i, 1, (uint64_t)time, 0, 0};
    if (!isnan(rating)) memcpy(&key.rating, &rating, sizeof rating);
    if (summary.n) key.summary = XXH3_64bits(summary.p, summary.n);
    if (review.n) key.review = XXH3_64bits(review.p, review.n);
    return XXH3_64bits(&key, sizeof key);
}

static uint64_t row_hash_at(const tdm_builder *b, size_t j)
{
    return row_hash(b->user[j], b->item[j], b->rating[j], b->time[j], span_str(b, b->text[SUMMARY][j]),
                    span_str(b, b->text[REVIEW][j]));
}

static bool row_equal(const tdm_builder *b, size_t j, uint32_t u, uint32_t i, const tdm_row *r)
{
    bool rating = b->rating[j] == r->rating || (isnan(b->rating[j]) && isnan(r->rating));
    return b->user[j] == u && b->item[j] == i && rating && b->time[j] == r->time && (b->test[j] & 1) == r->test &&
           tdm_str_eq(span_str(b, b->text[SUMMARY][j]), r->summary) &&
           tdm_str_eq(span_str(b, b->text[REVIEW][j]), r->review);
}

static bool rows_widen(tdm_builder *b)
{
    if (b->n * 2 < b->room) return true;
    size_t room = b->room ? b->room * 2 : 256;
    uint32_t *slot = tdm_new(room, sizeof *slot);
    if (!slot) return false;
    for (size_t j = 0; j < b->n; j++) {
        size_t at = row_hash_at(b, j) & (room - 1);
        while (slot[at]) at = (at + 1) & (room - 1);
        slot[at] = (uint32_t)j + 1;
    }
    tdm_free(b->slot);
    b->slot = slot;
    b->room = room;
    return true;
}

/* ---- rows and items ---- */

static bool columns_widen(tdm_builder *b)
{
    size_t need = b->n + 1, *cap = b->cap;
    return !tdm_grow(&b->user, &cap[0], need, sizeof *b->user) && !tdm_grow(&b->item, &cap[1], need, sizeof *b->item) &&
           !tdm_grow(&b->rating, &cap[2], need, sizeof *b->rating) &&
           !tdm_grow(&b->time, &cap[3], need, sizeof *b->time) && !tdm_grow(&b->test, &cap[4], need, 1) &&
           !tdm_grow(&b->text[0], &cap[5], need, sizeof(span)) && !tdm_grow(&b->text[1], &cap[6], need, sizeof(span));
}

tdm_status tdm_builder_add(tdm_builder *b, const tdm_row *r, tdm_err *err)
{
    if (!r->user.n || !r->item.n) return tdm_fail(err, TDM_E_ARG, "an interaction needs a person and an item");
    if (b->n >= TDM_NONE - 1) return tdm_fail(err, TDM_E_UNSUPPORTED, "more than %u interactions", TDM_NONE - 1);
    uint32_t u = tdm_intern_add(&b->users, r->user), i = tdm_intern_add(&b->items, r->item);
    if (u == TDM_NONE || i == TDM_NONE || !rows_widen(b) || !columns_widen(b))
        return tdm_nomem(err, "the interactions");
    size_t at = row_hash(u, i, r->rating, r->time, r->summary, r->review) & (b->room - 1);
    for (; b->slot[at]; at = (at + 1) & (b->room - 1))
        if (!r->ordered && row_equal(b, b->slot[at] - 1, u, i, r)) {
            b->duplicates++;
            return TDM_OK;
        }
    size_t j = b->n;
    b->user[j] = u;
    b->item[j] = i;
    b->rating[j] = isnan(r->rating) ? NAN : r->rating; /* one NaN: equal data, equal bytes */
    b->time[j] = r->time;
    b->test[j] = r->test;
    b->text[SUMMARY][j] = span_add(b, r->summary);
    b->text[REVIEW][j] = span_add(b, r->review);
    if (b->bytes.failed) return tdm_nomem(err, "the texts");
    b->slot[at] = (uint32_t)j + 1;
    b->n++;
    return TDM_OK;
}

tdm_status tdm_builder_item(tdm_builder *b, const tdm_item *item, bool *known, tdm_err *err)
{
    uint32_t i = tdm_intern_find(&b->items, item->id);
    if (i == TDM_NONE && item->other_id.n) i = tdm_intern_find(&b->items, item->other_id);
    if (known) *known = i != TDM_NONE;
    if (i == TDM_NONE) return TDM_OK;
    const tdm_str text[FIELDS] = {item->title, item->brand, item->category, item->description, item->keywords};
    for (int k = 0; k < FIELDS; k++) {
        if (tdm_grow(&b->field[k], &b->cap[7 + k], b->items.n, sizeof(span))) return tdm_nomem(err, "the items");
        if (!b->field[k][i].n) b->field[k][i] = span_add(b, text[k]);
    }
    b->field_n = b->items.n;
    return b->bytes.failed ? tdm_nomem(err, "the items' texts") : TDM_OK;
}

/* ---- finish ---- */

/* Marks the rows of the k-core: peels people and items with too few rows, round by round, to the fixed point. */
static tdm_status core_mark(uint8_t *keep, const tdm_builder *b, size_t core, tdm_err *err)
{
    uint32_t *of_user = tdm_new(b->users.n, sizeof *of_user), *of_item = tdm_new(b->items.n, sizeof *of_item);
    tdm_status st = of_user && of_item ? TDM_OK : tdm_nomem(err, "the k-core");
    for (size_t j = 0; j < b->n; j++) keep[j] = !(b->test[j] & 2);
    for (bool changed = core > 1; !st && changed;) {
        changed = false;
        memset(of_user, 0, b->users.n * sizeof *of_user);
        memset(of_item, 0, b->items.n * sizeof *of_item);
        for (size_t j = 0; j < b->n; j++)
            if (keep[j]) of_user[b->user[j]]++, of_item[b->item[j]]++;
        for (size_t j = 0; j < b->n; j++)
            if (keep[j] && (of_user[b->user[j]] < core || of_item[b->item[j]] < core)) keep[j] = 0, changed = true;
    }
    tdm_free(of_user);
    tdm_free(of_item);
    return st;
}

typedef struct ranked {
    uint64_t hash;
    tdm_str id;
    uint32_t old;
} ranked;

static int by_hash(const void *x, const void *y)
{
    const ranked *a = x, *b = y;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    return tdm_str_cmp(a->id, b->id);
}

/* Numbers the ids that kept rows use: new_of[old] or TDM_NONE; their strings and the order of the strings. */
static tdm_status renumber(tdm_owner *o, uint32_t *new_of, tdm_strings *ids, const uint32_t **order,
                           const tdm_intern *t, const uint32_t *column, const uint8_t *keep, size_t n, tdm_err *err)
{
    ranked *r = tdm_new(t->n, sizeof *r);
    if (!r) return tdm_nomem(err, "the ids");
    for (size_t i = 0; i < t->n; i++) new_of[i] = TDM_NONE;
    for (size_t j = 0; j < n; j++)
        if (keep[j]) new_of[column[j]] = 0;
    size_t used = 0, bytes = 0;
    for (size_t i = 0; i < t->n; i++)
        if (new_of[i] != TDM_NONE) {
            r[used++] = (ranked){t->hash[i], tdm_intern_at(t, i), (uint32_t)i};
            bytes += tdm_intern_at(t, i).n;
        }
    if (used) qsort(r, used, sizeof *r, by_hash);
    int64_t *offset = tdm_owner_new(o, used + 1, sizeof *offset);
    char *p = tdm_owner_new(o, bytes + 1, 1);
    uint32_t *by_id = tdm_owner_new(o, used, sizeof *by_id);
    tdm_status st = offset && p && by_id ? TDM_OK : tdm_nomem(err, "the ids");
    for (size_t i = 0; !st && i < used; i++) {
        new_of[r[i].old] = (uint32_t)i;
        memcpy(p + offset[i], r[i].id.p, r[i].id.n);
        offset[i + 1] = offset[i] + (int64_t)r[i].id.n;
    }
    if (!st) {
        *ids = (tdm_strings){p, offset, used};
        *order = by_id;
        st = tdm_strings_order(by_id, ids, err);
    }
    tdm_free(r);
    return st;
}

/* Strings number k of `n`: from[which[k]]; `from` NULL: all empty. */
static tdm_status gather(tdm_owner *o, tdm_strings *out, const tdm_builder *b, const span *from, size_t from_n,
                         const uint32_t *which, size_t n, tdm_err *err)
{
    size_t bytes = 0;
    for (size_t k = 0; k < n; k++) bytes += which[k] < from_n ? from[which[k]].n : 0;
    int64_t *offset = tdm_owner_new(o, n + 1, sizeof *offset);
    char *p = tdm_owner_new(o, bytes + 1, 1);
    if (!offset || !p) return tdm_nomem(err, "the texts");
    for (size_t k = 0; k < n; k++) {
        tdm_str s = which[k] < from_n ? span_str(b, from[which[k]]) : (tdm_str){"", 0};
        memcpy(p + offset[k], s.p, s.n);
        offset[k + 1] = offset[k] + (int64_t)s.n;
    }
    *out = (tdm_strings){p, offset, n};
    return TDM_OK;
}

typedef struct timed {
    int64_t time;
    uint32_t row;
} timed;

static int by_time(const void *x, const void *y)
{
    const timed *a = x, *b = y;
    if (a->time != b->time) return a->time < b->time ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* Fills the CSR; old_row[j]: the builder's row of interaction j. */
static tdm_status arrange(tdm_dataset *d, uint32_t *old_row, const tdm_builder *b, const uint8_t *keep,
                          const uint32_t *new_user, const uint32_t *new_item, tdm_err *err)
{
    tdm_owner *o = d->owner;
    int64_t *offset = tdm_owner_new(o, d->U + 1, sizeof *offset), *time = tdm_owner_new(o, d->N, sizeof *time);
    uint32_t *item = tdm_owner_new(o, d->N, sizeof *item), *row = tdm_owner_new(o, d->N, sizeof *row);
    float *rating = tdm_owner_new(o, d->N, sizeof *rating);
    uint8_t *part = tdm_owner_new(o, d->N, 1);
    timed *t = tdm_new(d->N, sizeof *t);
    size_t *at = tdm_new(d->U + 1, sizeof *at);
    if (!offset || !time || !item || !row || !rating || !part || !t || !at) {
        tdm_free(t);
        tdm_free(at);
        return tdm_nomem(err, "the interactions");
    }
    for (size_t j = 0; j < b->n; j++)
        if (keep[j]) offset[new_user[b->user[j]] + 1]++;
    for (size_t u = 0; u < d->U; u++) offset[u + 1] += offset[u], at[u] = (size_t)offset[u];
    for (size_t j = 0; j < b->n; j++)
        if (keep[j]) t[at[new_user[b->user[j]]]++] = (timed){b->time[j], (uint32_t)j};
    for (size_t u = 0; u < d->U; u++)
        if (offset[u + 1] - offset[u] > 1)
            qsort(t + offset[u], (size_t)(offset[u + 1] - offset[u]), sizeof *t, by_time);
    bool tested = false;
    for (size_t j = 0; j < d->N; j++) {
        uint32_t k = old_row[j] = t[j].row;
        item[j] = new_item[b->item[k]];
        rating[j] = b->rating[k];
        time[j] = b->time[k];
        row[j] = (uint32_t)j;
        part[j] = b->test[k] & 1;
        tested |= part[j] != 0;
    }
    d->offset = offset;
    d->item = item;
    d->rating = rating;
    d->time = time;
    d->row = row;
    d->part = tested ? part : NULL;
    tdm_free(t);
    tdm_free(at);
    return TDM_OK;
}

static tdm_status texts(tdm_dataset *d, const tdm_builder *b, const uint32_t *old_row, const uint32_t *new_item,
                        tdm_err *err)
{
    tdm_owner *o = d->owner;
    tdm_strings *fields[FIELDS] = {&d->title, &d->brand, &d->category, &d->description, &d->keywords};
    uint32_t *old_item = tdm_new(d->I, sizeof *old_item);
    tdm_status st = old_item ? TDM_OK : tdm_nomem(err, "the items");
    for (size_t i = 0; !st && i < b->items.n; i++)
        if (new_item[i] != TDM_NONE) old_item[new_item[i]] = (uint32_t)i;
    for (int k = 0; !st && k < FIELDS; k++)
        st = gather(o, fields[k], b, b->field[k], b->field[k] ? b->field_n : 0, old_item, d->I, err);
    if (!st) st = gather(o, &d->summary, b, b->text[SUMMARY], b->n, old_row, d->N, err);
    if (!st) st = gather(o, &d->review, b, b->text[REVIEW], b->n, old_row, d->N, err);
    tdm_free(old_item);
    return st;
}

tdm_status tdm_builder_finish(tdm_dataset **out, const tdm_builder *b, size_t core, tdm_err *err)
{
    *out = NULL;
    tdm_dataset *d = tdm_owner_dataset();
    uint8_t *keep = tdm_new(b->n, 1);
    uint32_t *new_user = tdm_new(b->users.n, sizeof *new_user), *new_item = tdm_new(b->items.n, sizeof *new_item);
    uint32_t *old_row = NULL;
    tdm_status st = d && keep && new_user && new_item ? core_mark(keep, b, core, err) : tdm_nomem(err, "the dataset");
    if (st) goto done;
    tdm_owner *o = d->owner;
    for (size_t j = 0; j < b->n; j++) d->N += keep[j];
    st = renumber(o, new_user, &d->user_id, &o->user_order, &b->users, b->user, keep, b->n, err);
    if (!st) st = renumber(o, new_item, &d->item_id, &o->item_order, &b->items, b->item, keep, b->n, err);
    d->U = d->user_id.n;
    d->I = d->item_id.n;
    if (!st && !(old_row = tdm_new(d->N, sizeof *old_row))) st = tdm_nomem(err, "the interactions");
    if (!st) st = arrange(d, old_row, b, keep, new_user, new_item, err);
    if (!st) st = texts(d, b, old_row, new_item, err);
    if (st) goto done;
    tdm_dataset_derive(d);
    *out = d;
    d = NULL;
done:
    tdm_free(keep);
    tdm_free(new_user);
    tdm_free(new_item);
    tdm_free(old_row);
    tdm_dataset_close(d);
    return st;
}
