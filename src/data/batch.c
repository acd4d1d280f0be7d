/* SPDX-License-Identifier: Apache-2.0 */
#include "data/batch.h"

#include "base/mem.h"

#include <string.h>

void tdm_batch_clear(tdm_batch *b)
{
    tdm_buf_clear(&b->bytes);
    tdm_free(b->row);
    tdm_free(b->by_user);
    tdm_free(b->by_item);
    *b = (tdm_batch){.seed = b->seed};
}

void tdm_batch_reset(tdm_batch *b)
{
    tdm_buf_reset(&b->bytes);
    b->n = 0;
}

bool tdm_batch_add(tdm_batch *b, const tdm_batch_row *row)
{
    if (b->bytes.failed || b->n == UINT32_MAX || tdm_grow(&b->row, &b->cap, b->n + 1, sizeof *b->row)) return false;
    tdm_batch_row *r = &b->row[b->n++];
    *r = *row;
    if (r->summary_n + r->review_n) r->flags |= TDM_ROW_TEXT;
    r->user_hash = tdm_id_hash(tdm_batch_user(b, r), b->seed);
    r->item_hash = tdm_id_hash(tdm_batch_item(b, r), b->seed);
    return true;
}

/* Counting sort: at[p] becomes where part p begins. */
static void list(uint32_t *order, uint32_t *at, const tdm_batch *b, bool items)
{
    memset(at, 0, (TDM_PARTS + 1) * sizeof *at);
    for (size_t k = 0; k < b->n; k++) at[tdm_part_of(items ? b->row[k].item_hash : b->row[k].user_hash)]++;
    for (size_t p = 0, sum = 0; p <= TDM_PARTS; p++) {
        size_t n = at[p];
        at[p] = (uint32_t)sum;
        sum += n;
    }
    for (size_t k = 0; k < b->n; k++)
        order[at[tdm_part_of(items ? b->row[k].item_hash : b->row[k].user_hash)]++] = (uint32_t)k;
    memmove(at + 1, at, TDM_PARTS * sizeof *at);
    at[0] = 0;
}

bool tdm_batch_list(tdm_batch *b)
{
    if (tdm_grow(&b->by_user, &b->by_user_cap, b->n, sizeof *b->by_user) ||
        tdm_grow(&b->by_item, &b->by_item_cap, b->n, sizeof *b->by_item))
        return false;
    list(b->by_user, b->user_at, b, false);
    list(b->by_item, b->item_at, b, true);
    return true;
}
