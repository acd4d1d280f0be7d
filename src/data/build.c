/* SPDX-License-Identifier: Apache-2.0 */
/* build.c - batches in: items get their codes, then rows go to the parts of their people. A part is worked on by one
 * thread and takes the batches in order, so that who works on what leaves no trace. */
#include "data/build_parts.h"

#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { OWN = 4096 }; /* rows of tdm_builder_add that are taken in at once */

tdm_status tdm_builder_open(tdm_builder **out, uint64_t seed, tdm_err *err)
{
    tdm_builder *b = *out = tdm_new(1, sizeof *b);
    if (!b) return tdm_nomem(err, "a dataset");
    b->seed = b->items.seed = b->own.seed = seed;
    b->low = -FLT_MAX;
    b->high = FLT_MAX;
    tdm_shelf_open(&b->shelf, ".");
    return TDM_OK;
}

void tdm_builder_empty(tdm_builder *b)
{
    for (size_t p = 0; p < TDM_PARTS; p++) tdm_intern_clear(&b->user[p]);
    tdm_catalog_clear(&b->items);
    tdm_shelf_close(&b->shelf);
    tdm_batch_clear(&b->own);
}

void tdm_builder_close(tdm_builder *b)
{
    if (!b) return;
    tdm_builder_empty(b);
    tdm_free(b);
}

void tdm_builder_use(tdm_builder *b, tdm_run *run, const char *folder, size_t memory)
{
    b->run = run;
    b->memory = memory;
    b->shelf.folder = folder;
}

void tdm_builder_scale(tdm_builder *b, double low, double high, bool none)
{
    b->none = none;
    b->low = low < -FLT_MAX ? -FLT_MAX : (float)low;
    b->high = high > FLT_MAX ? FLT_MAX : (float)high;
}

uint64_t tdm_builder_seed(const tdm_builder *b) { return b->seed; }
size_t tdm_builder_rows(const tdm_builder *b) { return b->rows + b->own.n; }

/* ---- parts ---- */

typedef struct each {
    tdm_part_fn *fn;
    void *ctx;
    tdm_status st[TDM_PARTS];
    tdm_err *err; /* by part; NULL: nobody asks */
} each;

static void each_range(void *ctx, size_t chunk, size_t begin, size_t end)
{
    each *e = ctx;
    (void)chunk;
    for (size_t p = begin; p < end; p++) e->st[p] = e->fn(e->ctx, p, e->err ? &e->err[p] : NULL);
}

tdm_status tdm_parts_each(tdm_run *run, tdm_part_fn *fn, void *ctx, tdm_err *err)
{
    each e = {.fn = fn, .ctx = ctx, .err = err ? tdm_new(TDM_PARTS, sizeof *err) : NULL};
    if (err && !e.err) return tdm_nomem(err, "the rows");
    tdm_pool_for(run ? run->pool : NULL, TDM_PARTS, TDM_PARTS_AT_ONCE, each_range, &e);
    tdm_status st = TDM_OK;
    for (size_t p = 0; !st && p < TDM_PARTS; p++) {
        st = e.st[p];
        if (st && err) *err = e.err[p];
    }
    tdm_free(e.err);
    return st;
}

/* ---- rows in ---- */

typedef struct taken {
    tdm_builder *b;
    tdm_batch *const *batch;
    size_t n;
} taken;

static tdm_status items_take(void *ctx, size_t p, tdm_err *err)
{
    const taken *t = ctx;
    tdm_catalog *c = &t->b->items;
    for (size_t k = 0; k < t->n; k++) {
        tdm_batch *x = t->batch[k];
        for (size_t i = x->item_at[p]; i < x->item_at[p + 1]; i++) {
            tdm_batch_row *r = &x->row[x->by_item[i]];
            uint32_t number = tdm_intern_add(&c->part[p], tdm_batch_item(x, r), r->item_hash);
            if (number == TDM_NONE) return tdm_nomem(err, "the items");
            r->item = tdm_item_code(p, number);
            tdm_str title = {x->bytes.p + r->item_at + r->item_n, r->title_n};
            if (title.n && !tdm_catalog_row_title(c, r->item, title)) return tdm_nomem(err, "the items");
        }
    }
    return TDM_OK;
}

static tdm_status users_take(void *ctx, size_t p, tdm_err *err)
{
    const taken *t = ctx;
    tdm_builder *b = t->b;
    for (size_t k = 0; k < t->n; k++) {
        const tdm_batch *x = t->batch[k];
        for (size_t i = x->user_at[p]; i < x->user_at[p + 1]; i++) {
            const tdm_batch_row *r = &x->row[x->by_user[i]];
            const char *summary = x->bytes.p + r->at + r->user_n;
            tdm_packed row = {
                .user = tdm_intern_add(&b->user[p], tdm_batch_user(x, r), r->user_hash),
                .item = r->item,
                .rating = isnan(r->rating) ? NAN : r->rating + 0.0f, /* one NaN and one 0: equal data, equal bytes */
                .time = r->time,
                .flags = (uint8_t)r->flags,
                .summary = {summary, r->summary_n},
                .review = {summary + r->summary_n, r->review_n}};
            if (row.user == TDM_NONE || !tdm_shelved_add(&b->shelf, &b->shelf.part[p], &row))
                return tdm_nomem(err, "the interactions");
        }
    }
    return TDM_OK;
}

tdm_status tdm_builder_take(tdm_builder *b, tdm_batch *const *batches, size_t n, tdm_err *err)
{
    taken t = {b, batches, n};
    size_t rows = b->rows;
    for (size_t k = 0; k < n; k++) rows += batches[k]->n;
    if (rows >= TDM_NONE - 1) return tdm_fail(err, TDM_E_UNSUPPORTED, "more than %u interactions", TDM_NONE - 1);
    tdm_status st = tdm_parts_each(b->run, items_take, &t, err);
    if (!st) st = tdm_parts_each(b->run, users_take, &t, err);
    if (!st) b->rows = rows;
    if (!st && b->memory && atomic_load(&b->shelf.held) > b->memory) st = tdm_shelf_spill(&b->shelf, err);
    return st;
}

tdm_status tdm_builder_flush(tdm_builder *b, tdm_err *err)
{
    tdm_batch *own = &b->own;
    if (!own->n) return TDM_OK;
    if (!tdm_batch_list(own)) return tdm_nomem(err, "the interactions");
    tdm_status st = tdm_builder_take(b, &own, 1, err);
    tdm_batch_reset(own);
    return st;
}

tdm_status tdm_builder_add(tdm_builder *b, const tdm_row *r, tdm_err *err)
{
    if (!r->user.n || !r->item.n) return tdm_fail(err, TDM_E_ARG, "an interaction needs a person and an item");
    tdm_buf *bytes = &b->own.bytes;
    size_t at = bytes->n;
    const tdm_str texts[] = {r->user, r->summary, r->review, r->item};
    for (int k = 0; k < 4; k++) tdm_buf_add(bytes, texts[k].p, texts[k].n);
    tdm_batch_row row = {.at = at,
                         .item_at = bytes->n - r->item.n,
                         .user_n = (uint32_t)r->user.n,
                         .item_n = (uint32_t)r->item.n,
                         .summary_n = (uint32_t)r->summary.n,
                         .review_n = (uint32_t)r->review.n,
                         .rating = r->rating,
                         .time = r->time,
                         .flags = (r->test ? TDM_ROW_TEST : 0) | (r->ordered ? TDM_ROW_ORDERED : 0)};
    if (!tdm_batch_add(&b->own, &row)) return tdm_nomem(err, "the interactions");
    return b->own.n < OWN ? TDM_OK : tdm_builder_flush(b, err);
}

/* ---- items ---- */

uint32_t tdm_builder_find(const tdm_builder *b, tdm_str id)
{
    return id.n ? tdm_catalog_find(&b->items, id) : TDM_NONE;
}

tdm_status tdm_builder_describe(tdm_builder *b, uint32_t code, const tdm_str *texts, tdm_err *err)
{
    return tdm_catalog_describe(&b->items, code, texts) ? TDM_OK : tdm_nomem(err, "the items");
}

tdm_status tdm_builder_item(tdm_builder *b, const tdm_item *item, bool *known, tdm_err *err)
{
    tdm_status st = tdm_builder_flush(b, err);
    if (st) return st;
    const tdm_str texts[TDM_FIELDS] = {item->title, item->brand, item->category, item->description, item->keywords};
    uint32_t code = tdm_builder_find(b, item->id);
    if (code == TDM_NONE) code = tdm_builder_find(b, item->other_id);
    if (known) *known = code != TDM_NONE;
    return code == TDM_NONE ? TDM_OK : tdm_builder_describe(b, code, texts, err);
}

tdm_status tdm_builder_rename(tdm_builder *b, uint32_t code, tdm_str id, tdm_err *err)
{
    return tdm_catalog_rename(&b->items, code, id) ? TDM_OK : tdm_nomem(err, "the items");
}
