/* SPDX-License-Identifier: Apache-2.0 */
/* build.h - a dataset put together row by row: what readers fill and what tests make small logs with.
 *
 *     tdm_builder *b;
 *     tdm_builder_open(&b, seed, err);
 *     tdm_builder_add(b, &(tdm_row){.user = tdm_str_of("ann"), .item = tdm_str_of("tea"), .rating = 5, .time = 10},
 * err); tdm_builder_item(b, &(tdm_item){.id = tdm_str_of("tea"), .title = tdm_str_of("Green tea")}, NULL, err);
 *     tdm_builder_write(&dataset, b, folder, 0, err);
 *     tdm_dataset_seal(dataset, folder, health, err);
 *     tdm_builder_close(b);
 *
 * All text is copied and taken as it is: cleaning is the readers' work. Ids are held in memory, and what is known of
 * items; rows only as far as they are told to (tdm_builder_use). */
#ifndef TDM_DATA_BUILD_H
#define TDM_DATA_BUILD_H

#include "base/json.h"
#include "data/batch.h"
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

/* What became of the rows. */
typedef struct tdm_left_out {
    size_t duplicates; /* equal to an earlier row in all fields */
    size_t outside;    /* rated outside of tdm_builder_scale */
    size_t core;       /* of people or items with too few rows */
} tdm_left_out;

typedef struct tdm_builder tdm_builder;

/* `seed` keys the hash that numbers people and items. */
tdm_status tdm_builder_open(tdm_builder **out, uint64_t seed, tdm_err *err);
void tdm_builder_close(tdm_builder *b);
uint64_t tdm_builder_seed(const tdm_builder *b);

/* The threads of `run` do the work (NULL: the caller does), and rows beyond `memory` bytes go to a file without a name
 * in `folder`, which is borrowed (0: all stay in memory). */
void tdm_builder_use(tdm_builder *b, tdm_run *run, const char *folder, size_t memory);

/* Rows rated below `low` or above `high` are left out when the dataset is written. `none`: a rating of -1 is none. */
void tdm_builder_scale(tdm_builder *b, double low, double high, bool none);

/* Adds an interaction, or all of several batches in their order (whose item codes it fills in). */
tdm_status tdm_builder_add(tdm_builder *b, const tdm_row *row, tdm_err *err);
tdm_status tdm_builder_take(tdm_builder *b, tdm_batch *const *batches, size_t n, tdm_err *err);

size_t tdm_builder_rows(const tdm_builder *b); /* added so far */

/* The code of an item that some row has, by either id; TDM_NONE: none has. Any number of threads at once, once all rows
 * of tdm_builder_add are taken in (tdm_builder_flush). */
uint32_t tdm_builder_find(const tdm_builder *b, tdm_str id);
tdm_status tdm_builder_flush(tdm_builder *b, tdm_err *err);

/* Adds what is known of the item of a code: TDM_FIELDS texts (catalog.h). */
tdm_status tdm_builder_describe(tdm_builder *b, uint32_t code, const tdm_str *texts, tdm_err *err);

/* Adds what is known of an item that some row has; others are passed over. Of several texts for one field the first
 * stays, keywords add up. *known (may be NULL): whether a row has it. */
tdm_status tdm_builder_item(tdm_builder *b, const tdm_item *item, bool *known, tdm_err *err);

/* Gives an item another id; an item that has it already becomes the same. */
tdm_status tdm_builder_rename(tdm_builder *b, uint32_t code, tdm_str id, tdm_err *err);

/* Writes the arrays into `folder` (made where it is not), beside those of a dataset that is there, and gives them
 * mapped. `core` > 1: people and items with fewer rows are left out until none is left with fewer (k-core). People and
 * items are numbered in the order of XXH3(id, seed), ties by id. Equal rows give equal bytes, at any number of threads
 * and any budget. The builder holds nothing afterwards but ids. Where nothing is left, nothing is written and *out is
 * NULL. *left may be NULL. */
tdm_status tdm_builder_write(tdm_dataset **out, tdm_builder *b, const char *folder, size_t core, tdm_left_out *left,
                             tdm_err *err);

/* Writes dataset.json with counts, `health` (NULL: none) and the files' checksums: from now on `folder` is a dataset.
 */
tdm_status tdm_dataset_seal(const tdm_dataset *d, const char *folder, const cJSON *health, tdm_err *err);

/* Removes what was written into `folder` and never sealed. */
void tdm_dataset_drop(const char *folder);

/* Writes all three files of a dataset whose people and items are in order: for datasets made out of others. */
tdm_status tdm_dataset_save(const tdm_dataset *d, const char *folder, const cJSON *health, tdm_err *err);

#endif
