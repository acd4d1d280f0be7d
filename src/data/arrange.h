/* SPDX-License-Identifier: Apache-2.0 */
/* arrange.h - the rows of one part of a shelf put in their last order: people by (hash, id), a person's rows by time,
 * equal times as they came. Inside this floor only. */
#ifndef TDM_DATA_ARRANGE_H
#define TDM_DATA_ARRANGE_H

#include "data/shelf.h"

/* What a part comes to. Its numbers are sums that the dataset's arrays are sized by. */
typedef struct tdm_arranged {
    uint32_t *person; /* people with rows, in order: their numbers in the part's table; tdm_free */
    size_t people, rows;
    size_t summary_bytes, review_bytes;
    size_t duplicates, outside; /* rows left out */
    bool tested;                /* some row is of the test file */
} tdm_arranged;

/* Room to work in, kept from part to part. All zero is none; tdm_arrange_room_clear releases. */
typedef struct tdm_arrange_room {
    void *t;
    size_t *at;
    uint32_t *order;
    size_t t_cap, at_cap, order_cap;
} tdm_arrange_room;

void tdm_arrange_room_clear(tdm_arrange_room *r);

/* Marks (1) an item in used[part][number], where threads meet that all write the same; and write only what is new, so
 * that they do not take the line from each other for every row. */
static inline void tdm_mark_item(uint8_t *const *used, uint32_t item)
{
    uint8_t *mark = &used[item >> 24][item & 0xffffff];
    if (!__atomic_load_n(mark, __ATOMIC_RELAXED)) __atomic_store_n(mark, 1, __ATOMIC_RELAXED);
}

/* Replaces the part's rows by the rows in order, without those that equal an earlier one (all fields) and those rated
 * outside [low, high], and marks the items that are left. */
tdm_status tdm_arrange(tdm_arranged *out, tdm_shelf *s, size_t part, const tdm_intern *people, float low, float high,
                       tdm_arrange_room *room, uint8_t *const *used, tdm_err *err);

#endif
