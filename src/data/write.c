/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - parts out: every part knows where its rows begin in the arrays of the dataset and puts them there, so that
 * no array is ever whole in memory. */
#include "data/build_parts.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/safetensors.h"
#include "data/owner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OFFSET, TIME, ITEM, RATING, USER_OFFSET, USER_BYTES, ITEM_OFFSET, ITEM_BYTES, PART, MAIN };
enum { SUMMARY = TDM_FIELDS, REVIEW, TEXTS }; /* texts of rows, behind the fields of items */

typedef struct work {
    tdm_builder *b;
    const tdm_kept *k;
    tdm_numbering items;
    tdm_safetensors_out *main, *text;
    size_t U, I, N;
    size_t user_at[TDM_PARTS + 1], row_at[TDM_PARTS + 1], id_at[TDM_PARTS + 1]; /* where a part begins */
    size_t summary_at[TDM_PARTS + 1], review_at[TDM_PARTS + 1];
    size_t item_bytes, bytes[TEXTS];
    size_t tensor[TEXTS]; /* in `text`: the first of the two; none where there are no bytes */
    bool tested;
} work;

/* ---- a column of some rows, and texts one behind another with their ends ---- */

typedef struct texts {
    tdm_buf bytes;
    int64_t *end, base;
    size_t n, cap;
} texts;

/* Empties it for `n` texts, the first of which begins at `base`. */
static bool texts_begin(texts *t, size_t n, size_t base)
{
    tdm_buf_reset(&t->bytes);
    t->base = (int64_t)base;
    t->n = 0;
    return !tdm_grow(&t->end, &t->cap, n, sizeof *t->end);
}

static void texts_add(texts *t, tdm_str s)
{
    tdm_buf_add(&t->bytes, s.p, s.n);
    t->end[t->n++] = t->base + (int64_t)t->bytes.n;
}

static void texts_clear(texts *t)
{
    tdm_buf_clear(&t->bytes);
    tdm_free(t->end);
    *t = (texts){0};
}

/* Puts them as strings number `first` and on of the tensor pair `offset`, `offset` + 1. */
static tdm_status texts_put(const texts *t, tdm_safetensors_out *o, size_t offset, size_t first, tdm_err *err)
{
    if (t->bytes.failed) return tdm_nomem(err, "the texts");
    tdm_status st = tdm_safetensors_put(o, offset, (first + 1) * sizeof *t->end, t->end, t->n * sizeof *t->end, err);
    return st ? st : tdm_safetensors_put(o, offset + 1, (size_t)t->base, t->bytes.p, t->bytes.n, err);
}

/* ---- rows ---- */

typedef struct columns {
    uint32_t *item;
    float *rating;
    int64_t *time, *end; /* end: of each person's rows */
    uint8_t *part;
    texts summary, review, id;
    size_t cap[5];
} columns;

static bool columns_begin(columns *c, const work *w, size_t p)
{
    size_t n = w->row_at[p + 1] - w->row_at[p], people = w->user_at[p + 1] - w->user_at[p];
    return !tdm_grow(&c->item, &c->cap[0], n, sizeof *c->item) &&
           !tdm_grow(&c->rating, &c->cap[1], n, sizeof *c->rating) &&
           !tdm_grow(&c->time, &c->cap[2], n, sizeof *c->time) &&
           !tdm_grow(&c->end, &c->cap[3], people, sizeof *c->end) && !tdm_grow(&c->part, &c->cap[4], n, 1) &&
           texts_begin(&c->summary, n, w->summary_at[p]) && texts_begin(&c->review, n, w->review_at[p]) &&
           texts_begin(&c->id, people, w->id_at[p]);
}

static void columns_clear(columns *c)
{
    tdm_free(c->item);
    tdm_free(c->rating);
    tdm_free(c->time);
    tdm_free(c->end);
    tdm_free(c->part);
    texts_clear(&c->summary);
    texts_clear(&c->review);
    texts_clear(&c->id);
    *c = (columns){0};
}

static tdm_status columns_put(const columns *c, const work *w, size_t p, tdm_err *err)
{
    size_t at = w->row_at[p], n = w->row_at[p + 1] - at, first = w->user_at[p], people = w->user_at[p + 1] - first;
    tdm_safetensors_out *m = w->main;
    tdm_status st = tdm_safetensors_put(m, TIME, at * 8, c->time, n * 8, err);
    if (!st) st = tdm_safetensors_put(m, ITEM, at * 4, c->item, n * 4, err);
    if (!st) st = tdm_safetensors_put(m, RATING, at * 4, c->rating, n * 4, err);
    if (!st && w->tested) st = tdm_safetensors_put(m, PART, at, c->part, n, err);
    if (!st) st = tdm_safetensors_put(m, OFFSET, (first + 1) * 8, c->end, people * 8, err);
    if (!st) st = texts_put(&c->id, m, USER_OFFSET, first, err);
    if (!st && w->bytes[SUMMARY]) st = texts_put(&c->summary, w->text, w->tensor[SUMMARY], at, err);
    if (!st && w->bytes[REVIEW]) st = texts_put(&c->review, w->text, w->tensor[REVIEW], at, err);
    return st;
}

typedef struct writing {
    const work *w;
    columns *room; /* TDM_PART_RUNS */
} writing;

static tdm_status part_write(void *ctx, size_t p, tdm_err *err)
{
    writing *x = ctx;
    const work *w = x->w;
    tdm_shelf *shelf = &w->b->shelf;
    const tdm_arranged *a = &w->k->part[p];
    tdm_shelved_cursor cursor = {.shelf = shelf, .rows = &shelf->part[p]};
    columns *c = &x->room[p / TDM_PARTS_AT_ONCE];
    tdm_packed row;
    bool more = true;
    size_t j = 0, person = 0;
    tdm_status st = columns_begin(c, w, p) ? TDM_OK : tdm_nomem(err, "the rows");
    while (!st && !(st = tdm_shelved_next(&cursor, &row, &more, err)) && more) {
        if (!tdm_kept_row(w->k, p, &row)) continue;
        while (a->person[person] != row.user) person++;
        c->item[j] = w->items.number[row.item >> 24][row.item & 0xffffff];
        c->rating[j] = w->b->none && row.rating == -1 ? NAN : row.rating;
        c->time[j] = row.time;
        c->part[j] = row.flags & TDM_ROW_TEST;
        if (w->bytes[SUMMARY]) texts_add(&c->summary, row.summary);
        if (w->bytes[REVIEW]) texts_add(&c->review, row.review);
        j++;
        c->end[person] = (int64_t)(w->row_at[p] + j);
    }
    tdm_shelved_close(&cursor);
    for (size_t i = 0; !st && i < a->people; i++) texts_add(&c->id, tdm_intern_at(&w->b->user[p], a->person[i]));
    if (!st) st = columns_put(c, w, p, err);
    if (p % TDM_PARTS_AT_ONCE == TDM_PARTS_AT_ONCE - 1) columns_clear(c);
    tdm_shelved_clear(shelf, &shelf->part[p]);
    return st;
}

static tdm_status parts_write(work *w, tdm_err *err)
{
    writing x = {.w = w, .room = tdm_new(TDM_PART_RUNS, sizeof *x.room)};
    if (!x.room) return tdm_nomem(err, "the rows");
    tdm_status st = tdm_parts_each(w->b->run, part_write, &x, err);
    tdm_free(x.room);
    return st;
}

/* ---- items ---- */

/* What is known of the items in one field; or, behind the fields, their ids. */
static tdm_status field_write(work *w, int field, tdm_err *err)
{
    enum { AT_ONCE = 1 << 14 };
    tdm_status st = TDM_OK;
    size_t base = 0;
    texts t = {0};
    if (field < TDM_FIELDS && !w->bytes[field]) return TDM_OK;
    for (size_t from = 0; !st && from < w->I; from += AT_ONCE) {
        size_t to = from + AT_ONCE < w->I ? from + AT_ONCE : w->I;
        if (!texts_begin(&t, to - from, base)) {
            st = tdm_nomem(err, "the items");
            break;
        }
        for (size_t i = from; i < to; i++)
            texts_add(&t,
                      field < TDM_FIELDS ? tdm_catalog_text(&w->b->items, w->items.code[i], field) : w->items.id[i]);
        base += t.bytes.n;
        st = field < TDM_FIELDS ? texts_put(&t, w->text, w->tensor[field], from, err)
                                : texts_put(&t, w->main, ITEM_OFFSET, from, err);
    }
    texts_clear(&t);
    return st;
}

static void sizes(work *w)
{
    for (size_t p = 0; p < TDM_PARTS; p++) {
        const tdm_arranged *a = &w->k->part[p];
        size_t id = 0;
        for (size_t i = 0; i < a->people; i++) id += tdm_intern_at(&w->b->user[p], a->person[i]).n;
        w->id_at[p + 1] = w->id_at[p] + id;
        w->user_at[p + 1] = w->user_at[p] + a->people;
        w->row_at[p + 1] = w->row_at[p] + a->rows;
        w->summary_at[p + 1] = w->summary_at[p] + a->summary_bytes;
        w->review_at[p + 1] = w->review_at[p] + a->review_bytes;
        w->tested |= a->tested;
    }
    w->U = w->user_at[TDM_PARTS];
    w->N = w->row_at[TDM_PARTS];
    w->I = w->items.n;
    w->bytes[SUMMARY] = w->summary_at[TDM_PARTS];
    w->bytes[REVIEW] = w->review_at[TDM_PARTS];
    for (size_t i = 0; i < w->I; i++) {
        w->item_bytes += w->items.id[i].n;
        for (int f = 0; f < TDM_FIELDS; f++) w->bytes[f] += tdm_catalog_text(&w->b->items, w->items.code[i], f).n;
    }
}

static tdm_status files_begin(work *w, const char *folder, tdm_err *err)
{
    static const char *const names[TEXTS] = {"title",    "brand",   "category", "description",
                                             "keywords", "summary", "review"};
    char name[2 * TEXTS][32];
    tdm_tensor m[MAIN] = {[OFFSET] = tdm_tensor_1d("offset", TDM_I64, NULL, w->U + 1),
                          [TIME] = tdm_tensor_1d("time", TDM_I64, NULL, w->N),
                          [ITEM] = tdm_tensor_1d("item", TDM_U32, NULL, w->N),
                          [RATING] = tdm_tensor_1d("rating", TDM_F32, NULL, w->N),
                          [USER_OFFSET] = tdm_tensor_1d("user_id.offset", TDM_I64, NULL, w->U + 1),
                          [USER_BYTES] = tdm_tensor_1d("user_id.bytes", TDM_U8, NULL, w->id_at[TDM_PARTS]),
                          [ITEM_OFFSET] = tdm_tensor_1d("item_id.offset", TDM_I64, NULL, w->I + 1),
                          [ITEM_BYTES] = tdm_tensor_1d("item_id.bytes", TDM_U8, NULL, w->item_bytes),
                          [PART] = tdm_tensor_1d("part", TDM_U8, NULL, w->N)},
               t[2 * TEXTS];
    size_t n = 0;
    for (size_t k = 0; k < TEXTS; k++) {
        if (!w->bytes[k]) continue;
        w->tensor[k] = n;
        snprintf(name[n], sizeof name[0], "%s.offset", names[k]);
        snprintf(name[n + 1], sizeof name[0], "%s.bytes", names[k]);
        t[n] = tdm_tensor_1d(name[n], TDM_I64, NULL, (k < TDM_FIELDS ? w->I : w->N) + 1);
        t[n + 1] = tdm_tensor_1d(name[n + 1], TDM_U8, NULL, w->bytes[k]);
        n += 2;
    }
    char *path = tdm_path_join(folder, TDM_DATASET_MAIN TDM_DATASET_DRAFT);
    char *text = tdm_path_join(folder, TDM_DATASET_TEXT TDM_DATASET_DRAFT);
    tdm_status st = path && text ? TDM_OK : tdm_nomem(err, "a file name");
    if (!st) st = tdm_safetensors_begin(&w->main, path, m, w->tested ? MAIN : PART, err);
    if (!st) st = tdm_safetensors_begin(&w->text, text, t, n, err);
    tdm_free(path);
    tdm_free(text);
    return st;
}

/* The disk has until tdm_dataset_seal to write it all. */
static tdm_status ends(work *w, tdm_err *err)
{
    tdm_status st = tdm_safetensors_end(w->main, false, err);
    w->main = NULL;
    if (!st) {
        st = tdm_safetensors_end(w->text, false, err);
        w->text = NULL;
    }
    return st;
}

tdm_status tdm_builder_write(tdm_dataset **out, tdm_builder *b, const char *folder, size_t core, tdm_left_out *left,
                             tdm_err *err)
{
    tdm_left_out ignored;
    tdm_kept kept = {0};
    work w = {.b = b, .k = &kept};
    *out = NULL;
    tdm_status st = tdm_folder_make(folder, err);
    if (!st) st = tdm_builder_flush(b, err);
    if (!st) st = tdm_kept_find(&kept, b, core, left ? left : &ignored, err);
    if (!st) st = tdm_catalog_number(&w.items, &b->items, kept.item, err);
    if (!st) sizes(&w);
    if (!st)
        tdm_log(b->run, TDM_LOG_DEBUG, "prepare", "sorted: %zu people, %zu items, %zu interactions", w.U, w.I, w.N);
    if (st || !w.N) goto done;
    st = files_begin(&w, folder, err);
    if (!st) st = parts_write(&w, err);
    for (int f = 0; !st && f <= TDM_FIELDS; f++) st = field_write(&w, f, err);
    if (!st) st = tdm_run_check(b->run, "prepare", err);
    if (!st) st = ends(&w, err);
    tdm_log(b->run, TDM_LOG_DEBUG, "prepare", "written");
    tdm_builder_empty(b);
    tdm_mem_trim(); /* before the dataset is mapped */
    if (!st) st = tdm_dataset_map(out, folder, (size_t[]){w.U, w.I, w.N}, b->seed, true, err);
done:
    if (st) tdm_dataset_drop(folder);
    tdm_safetensors_drop(w.main);
    tdm_safetensors_drop(w.text);
    tdm_numbering_clear(&w.items);
    tdm_kept_clear(&kept);
    return st;
}
