/* SPDX-License-Identifier: Apache-2.0 */
/* kept.c - which rows a dataset holds: duplicates out, then the k-core.
 *
 * A row of the core is one whose person and item are in it, so peeling works on pairs of numbers (8 bytes a row, held
 * only meanwhile) and ends in two bitmaps. */
#include "data/build_parts.h"

#include "base/mem.h"

#include <string.h>

void tdm_kept_clear(tdm_kept *k)
{
    for (size_t p = 0; p < TDM_PARTS; p++) {
        tdm_free(k->user[p]);
        tdm_free(k->item[p]);
        tdm_free(k->part[p].person);
    }
    *k = (tdm_kept){0};
}

typedef struct work {
    tdm_builder *b;
    tdm_kept *k;
    tdm_arrange_room room[TDM_PART_RUNS];
    uint32_t (*pair)[2]; /* person and item of each row, both numbered through all parts */
    size_t row_at[TDM_PARTS + 1], user_at[TDM_PARTS + 1], item_at[TDM_PARTS + 1];
} work;

static tdm_status arrange(void *ctx, size_t p, tdm_err *err)
{
    work *w = ctx;
    tdm_builder *b = w->b;
    tdm_arrange_room *room = &w->room[p / TDM_PARTS_AT_ONCE];
    float low = b->none ? -1 : b->low;
    tdm_status st = tdm_arrange(&w->k->part[p], &b->shelf, p, &b->user[p], low, b->high, room, w->k->item, err);
    if (p % TDM_PARTS_AT_ONCE == TDM_PARTS_AT_ONCE - 1) tdm_arrange_room_clear(room);
    for (size_t i = 0; !st && i < w->k->part[p].people; i++) w->k->user[p][w->k->part[p].person[i]] = 1;
    return st;
}

/* Writes the pairs of a part's rows to their place. */
static tdm_status pair(void *ctx, size_t p, tdm_err *err)
{
    work *w = ctx;
    tdm_shelved_cursor c = {.shelf = &w->b->shelf, .rows = &w->b->shelf.part[p]};
    tdm_packed row;
    bool more = true;
    tdm_status st = TDM_OK;
    for (size_t at = w->row_at[p]; !(st = tdm_shelved_next(&c, &row, &more, err)) && more; at++) {
        w->pair[at][0] = (uint32_t)w->user_at[p] + row.user;
        w->pair[at][1] = (uint32_t)w->item_at[row.item >> 24] + (row.item & 0xffffff);
    }
    tdm_shelved_close(&c);
    return st;
}

static tdm_status peel(work *w, size_t rows, size_t core, tdm_err *err)
{
    size_t users = w->user_at[TDM_PARTS], items = w->item_at[TDM_PARTS], n = rows;
    uint32_t *of_user = tdm_new(users, sizeof *of_user), *of_item = tdm_new(items, sizeof *of_item);
    tdm_status st = of_user && of_item ? TDM_OK : tdm_nomem(err, "the k-core");
    for (bool changed = true; !st && changed;) {
        size_t left = 0;
        memset(of_user, 0, users * sizeof *of_user);
        memset(of_item, 0, items * sizeof *of_item);
        for (size_t j = 0; j < n; j++) of_user[w->pair[j][0]]++, of_item[w->pair[j][1]]++;
        for (size_t j = 0; j < n; j++) {
            bool stays = of_user[w->pair[j][0]] >= core && of_item[w->pair[j][1]] >= core;
            if (stays) memmove(w->pair[left++], w->pair[j], sizeof *w->pair);
        }
        changed = left < n;
        n = left;
    }
    for (size_t p = 0; !st && p < TDM_PARTS; p++) { /* now every count is that of the core */
        for (size_t i = w->user_at[p]; i < w->user_at[p + 1]; i++) w->k->user[p][i - w->user_at[p]] = of_user[i] > 0;
        for (size_t i = w->item_at[p]; i < w->item_at[p + 1]; i++) w->k->item[p][i - w->item_at[p]] = of_item[i] > 0;
    }
    tdm_free(of_user);
    tdm_free(of_item);
    return st;
}

/* What a part comes to without what was peeled off. */
static tdm_status measure(void *ctx, size_t p, tdm_err *err)
{
    work *w = ctx;
    tdm_arranged *a = &w->k->part[p];
    tdm_shelved_cursor c = {.shelf = &w->b->shelf, .rows = &w->b->shelf.part[p]};
    tdm_packed row;
    bool more = true;
    tdm_status st;
    size_t people = 0;
    for (size_t i = 0; i < a->people; i++)
        if (w->k->user[p][a->person[i]]) a->person[people++] = a->person[i];
    a->people = people;
    a->rows = a->summary_bytes = a->review_bytes = 0;
    a->tested = false;
    while (!(st = tdm_shelved_next(&c, &row, &more, err)) && more) {
        if (!tdm_kept_row(w->k, p, &row)) continue;
        a->rows++;
        a->summary_bytes += row.summary.n;
        a->review_bytes += row.review.n;
        a->tested |= row.flags & TDM_ROW_TEST;
    }
    tdm_shelved_close(&c);
    return st;
}

tdm_status tdm_kept_find(tdm_kept *out, tdm_builder *b, size_t core, tdm_left_out *left, tdm_err *err)
{
    work w = {.b = b, .k = out};
    bool room = true;
    *out = (tdm_kept){0};
    *left = (tdm_left_out){0};
    for (size_t p = 0; p < TDM_PARTS; p++) {
        room &= (out->user[p] = tdm_new(b->user[p].n, 1)) && (out->item[p] = tdm_new(b->items.part[p].n, 1));
        w.user_at[p + 1] = w.user_at[p] + b->user[p].n;
        w.item_at[p + 1] = w.item_at[p] + b->items.part[p].n;
    }
    tdm_status st = room ? tdm_parts_each(b->run, arrange, &w, err) : tdm_nomem(err, "the rows");
    for (size_t p = 0; p < TDM_PARTS; p++) {
        w.row_at[p + 1] = w.row_at[p] + out->part[p].rows;
        left->duplicates += out->part[p].duplicates;
        left->outside += out->part[p].outside;
    }
    size_t rows = w.row_at[TDM_PARTS];
    if (!st && core > 1 && !(w.pair = tdm_new(rows, sizeof *w.pair))) st = tdm_nomem(err, "the k-core");
    if (!st && core > 1) st = tdm_parts_each(b->run, pair, &w, err);
    if (!st && core > 1) st = peel(&w, rows, core, err);
    if (!st && core > 1) st = tdm_parts_each(b->run, measure, &w, err);
    left->core = rows;
    for (size_t p = 0; p < TDM_PARTS; p++) left->core -= out->part[p].rows;
    tdm_free(w.pair);
    if (st) tdm_kept_clear(out);
    return st;
}
