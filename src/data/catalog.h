/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.h - the items of a log while it is read: their ids, what is known of them, and their last numbers. Inside
 * this floor only.
 *
 * An item's code is its part (intern.h) and its number there. Different parts may be written by different threads. */
#ifndef TDM_DATA_CATALOG_H
#define TDM_DATA_CATALOG_H

#include "base/status.h"
#include "data/intern.h"

enum { TDM_FIELD_TITLE, TDM_FIELD_BRAND, TDM_FIELD_CATEGORY, TDM_FIELD_DESCRIPTION, TDM_FIELD_KEYWORDS, TDM_FIELDS };

typedef struct tdm_item_texts {
    tdm_buf bytes;
    uint64_t *at; /* by number: 1 + where the item's record begins in `bytes`; 0: nothing is known */
    size_t cap, n;
} tdm_item_texts;

typedef struct tdm_renamed {
    uint32_t code;
    size_t at, n; /* the new id in `names` */
} tdm_renamed;

/* All zero is empty, once `seed` is set. */
typedef struct tdm_catalog {
    uint64_t seed;
    tdm_intern part[TDM_PARTS];
    tdm_item_texts text[TDM_PARTS];
    tdm_renamed *renamed;
    size_t n_renamed, renamed_cap;
    tdm_buf names;
} tdm_catalog;

void tdm_catalog_clear(tdm_catalog *c);

static inline uint32_t tdm_item_code(size_t part, uint32_t number) { return (uint32_t)(part << 24) | number; }

uint32_t tdm_catalog_find(const tdm_catalog *c, tdm_str id); /* its code, or TDM_NONE */

/* Adds texts (TDM_FIELDS, empty: unknown) to what is known: of several for one field the first stays, keywords add up
 * line by line. False where memory is short. */
bool tdm_catalog_describe(tdm_catalog *c, uint32_t code, const tdm_str *texts);

/* A title that came with a row: counts only where no tdm_catalog_describe brings one. */
bool tdm_catalog_row_title(tdm_catalog *c, uint32_t code, tdm_str title);

/* Gives an item another id from now on; another item that has it becomes the same item. */
bool tdm_catalog_rename(tdm_catalog *c, uint32_t code, tdm_str id);

/* The items in their last order: by (hash, id). tdm_numbering_clear releases. */
typedef struct tdm_numbering {
    uint32_t *number[TDM_PARTS]; /* by part and number in it: the item's last number; TDM_NONE: left out */
    uint32_t *code; /* I; the item of a last number, of several of one id the one that texts are known of */
    tdm_str *id;    /* I */
    size_t n;
} tdm_numbering;

/* `used`: by part and number in it, 1 where the item stays. */
tdm_status tdm_catalog_number(tdm_numbering *out, tdm_catalog *c, uint8_t *const *used, tdm_err *err);
void tdm_numbering_clear(tdm_numbering *n);

/* What is known, with a row's title where there is no other. */
tdm_str tdm_catalog_text(const tdm_catalog *c, uint32_t code, int field);

#endif
