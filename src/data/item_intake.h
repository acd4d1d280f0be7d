/* SPDX-License-Identifier: Apache-2.0 */
/* item_intake.h - the records of a block of a list of items, or of a log of tags, cleaned. Inside this floor only. */
#ifndef TDM_DATA_ITEM_INTAKE_H
#define TDM_DATA_ITEM_INTAKE_H

#include "data/build.h"
#include "data/catalog.h"
#include "data/clean.h"
#include "data/reader.h"

/* How a record's id was found among the items of the rows. */
typedef enum tdm_match {
    TDM_MATCH_NONE,
    TDM_MATCH_WHOLE,
    TDM_MATCH_ROWS_DAMAGED, /* the rows have it without its leading zeros, as spreadsheets write it */
    TDM_MATCH_LIST_DAMAGED  /* the list has it without its leading zeros */
} tdm_match;

typedef struct tdm_found_item {
    uint32_t code;
    tdm_match match;
    size_t at; /* in `bytes`: its id, then its texts one behind another */
    uint32_t id_n, n[TDM_FIELDS];
} tdm_found_item;

/* All zero is empty. */
typedef struct tdm_item_intake {
    size_t rows, broken, cleaned[TDM_CLEANED];
    tdm_found_item *item; /* those that rows have */
    size_t n, cap;
    tdm_buf bytes, piece;
} tdm_item_intake;

void tdm_item_intake_clear(tdm_item_intake *x);

/* What holds for all blocks of a file. */
typedef struct tdm_item_rules {
    const tdm_shape *shape;
    const tdm_builder *builder; /* whose rows say which items are wanted */
    bool mend;                  /* damaged ids count as found */
    tdm_keep keep;
} tdm_item_rules;

/* Empties `x` and fills it with the block that `records` is at. */
tdm_status tdm_item_intake_block(tdm_item_intake *x, tdm_records *records, const tdm_item_rules *rules, tdm_err *err);

#endif
