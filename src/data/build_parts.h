/* SPDX-License-Identifier: Apache-2.0 */
/* build_parts.h - what the files of the builder share. Inside this floor only. */
#ifndef TDM_DATA_BUILD_PARTS_H
#define TDM_DATA_BUILD_PARTS_H

#include "data/arrange.h"
#include "data/build.h"
#include "data/catalog.h"

struct tdm_builder {
    uint64_t seed;
    tdm_run *run;
    size_t memory;
    float low, high;
    bool none; /* a rating of -1 is none */
    tdm_intern user[TDM_PARTS];
    tdm_catalog items;
    tdm_shelf shelf;
    tdm_batch own; /* of tdm_builder_add */
    size_t rows;
};

/* Lets go of all ids, items and rows. */
void tdm_builder_empty(tdm_builder *b);

/* Runs fn on every part and gives the first part's failure there is. One thread has TDM_PARTS_AT_ONCE parts one after
 * another, from a multiple of it. */
enum { TDM_PARTS_AT_ONCE = 8, TDM_PART_RUNS = TDM_PARTS / TDM_PARTS_AT_ONCE };
typedef tdm_status tdm_part_fn(void *ctx, size_t part, tdm_err *err);
tdm_status tdm_parts_each(tdm_run *run, tdm_part_fn *fn, void *ctx, tdm_err *err);

/* Which people and items stay, by part and number in it (1), and what the rows between them come to. */
typedef struct tdm_kept {
    uint8_t *user[TDM_PARTS], *item[TDM_PARTS];
    tdm_arranged part[TDM_PARTS];
} tdm_kept;

/* Arranges all parts and peels to the k-core. */
tdm_status tdm_kept_find(tdm_kept *out, tdm_builder *b, size_t core, tdm_left_out *left, tdm_err *err);
void tdm_kept_clear(tdm_kept *k);

static inline bool tdm_kept_row(const tdm_kept *k, size_t part, const tdm_packed *row)
{
    return k->user[part][row->user] && k->item[row->item >> 24][row->item & 0xffffff];
}

#endif
