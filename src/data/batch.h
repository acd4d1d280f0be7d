/* SPDX-License-Identifier: Apache-2.0 */
/* batch.h - some rows of a log, cleaned, on their way from the thread that read them to the builder. Inside this floor
 * only.
 *
 * Rows carry their texts in one blob and are listed by the parts (intern.h) of their people and items, so that the
 * builder's threads find what is theirs without looking at the rest. */
#ifndef TDM_DATA_BATCH_H
#define TDM_DATA_BATCH_H

#include "data/intern.h"

enum { TDM_ROW_TEST = 1, TDM_ROW_ORDERED = 2, TDM_ROW_TEXT = 4 };

typedef struct tdm_batch_row {
    uint64_t user_hash, item_hash;
    int64_t time;
    size_t at;      /* in `bytes`: the person's id, then summary and review */
    size_t item_at; /* in `bytes`: the item's id, then its title */
    uint32_t user_n, item_n, title_n, summary_n, review_n;
    float rating;
    uint32_t item; /* its code, once the builder knows it */
    uint32_t flags;
} tdm_batch_row;

/* All zero is empty, once `seed` is set. */
typedef struct tdm_batch {
    uint64_t seed;
    tdm_buf bytes;
    tdm_batch_row *row;
    size_t n, cap;
    uint32_t *by_user, *by_item; /* n each; rows by part, inside a part in order */
    size_t by_user_cap, by_item_cap;
    uint32_t user_at[TDM_PARTS + 1], item_at[TDM_PARTS + 1]; /* where a part begins in them */
} tdm_batch;

void tdm_batch_clear(tdm_batch *b); /* releases, keeps the seed */
void tdm_batch_reset(tdm_batch *b); /* empties, keeps the room */

/* Appends a row whose texts are in `bytes` already and hashes its ids; false where memory is short. */
bool tdm_batch_add(tdm_batch *b, const tdm_batch_row *row);

/* Lists the rows by part; false where memory is short. */
bool tdm_batch_list(tdm_batch *b);

static inline tdm_str tdm_batch_user(const tdm_batch *b, const tdm_batch_row *r)
{
    return (tdm_str){b->bytes.p + r->at, r->user_n};
}
static inline tdm_str tdm_batch_item(const tdm_batch *b, const tdm_batch_row *r)
{
    return (tdm_str){b->bytes.p + r->item_at, r->item_n};
}

#endif
