/* SPDX-License-Identifier: Apache-2.0 */
/* build.h - a dataset put together in memory, row by row: what readers fill and what tests make small logs with.
 *
 *     tdm_builder *b;
 *     tdm_builder_open(&b, seed, err);
 *     tdm_builder_add(b, &(tdm_row){.user = tdm_str_of("ann"), .item = tdm_str_of("tea"), .rating = 5, .time = 10},
 * err); tdm_builder_item(b, &(tdm_item){.id = tdm_str_of("tea"), .title = tdm_str_of("Green tea")}, err);
 *     tdm_builder_finish(&dataset, b, 0, err);
 *     tdm_builder_close(b);
 *
 * All text is copied and taken as it is: cleaning is the readers' work. */
#ifndef TDM_DATA_BUILD_H
#define TDM_DATA_BUILD_H

#include "base/json.h"
#include "data/dataset.h"

/* One interaction. */
typedef struct tdm_row {
    tdm_str user, item;      /* not empty */
    float rating;            /* NaN: none */
    int64_t time;            /* seconds since 1970; TDM_NO_TIME: none */
    tdm_str summary, review; /* empty: none */
    bool test;               /* from the test file of a `files` split */
    bool ordered;            /* the file's order says when, so that an equal row further on is not a duplicate */
} tdm_row;

/* What is known of one item. */
typedef struct tdm_item {
    tdm_str id;                                            /* not empty */
    tdm_str other_id;                                      /* tried where no row has `id`; empty: none */
    tdm_str title, brand, category, description, keywords; /* empty: unknown; categories joined by '\n' */
} tdm_item;

typedef struct tdm_builder tdm_builder;

/* `seed` keys the hash that numbers people and items. */
tdm_status tdm_builder_open(tdm_builder **out, uint64_t seed, tdm_err *err);
void tdm_builder_close(tdm_builder *b);

/* Adds an interaction, unless an equal one (all fields) is there: then it is only counted. */
tdm_status tdm_builder_add(tdm_builder *b, const tdm_row *row, tdm_err *err);

/* Leaves row number `row` out of what tdm_builder_finish gives. */
void tdm_builder_drop(tdm_builder *b, size_t row);

/* Adds what is known of an item that some row added before has; others are passed over. Of several texts for one field
 * the first stays. *known (may be NULL): whether a row has it. */
tdm_status tdm_builder_item(tdm_builder *b, const tdm_item *item, bool *known, tdm_err *err);

size_t tdm_builder_rows(const tdm_builder *b);       /* kept so far */
size_t tdm_builder_duplicates(const tdm_builder *b); /* exact duplicates left out so far */

/* Gives the dataset of all rows so far. `core` > 1: people and items with fewer interactions are left out until none is
 * left with fewer (k-core). People and items are numbered in the order of XXH3(id, seed), ties by id. */
tdm_status tdm_builder_finish(tdm_dataset **out, const tdm_builder *b, size_t core, tdm_err *err);

/* Writes dataset.safetensors, text.safetensors and, last, dataset.json with their checksums into `folder` (made where
 * it is not). `health` is stored under "health"; NULL: none. Equal data gives equal bytes. */
tdm_status tdm_dataset_save(const tdm_dataset *d, const char *folder, const cJSON *health, tdm_err *err);

#endif
