/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - one record of a delimited text (CSV, TSV, "::", "|", ";", blanks) at a time. Inside this floor only. */
#ifndef TDM_DATA_TABLE_H
#define TDM_DATA_TABLE_H

#include "base/bytes.h"

typedef struct tdm_dialect {
    char sep[3];    /* "," "\t" "::" and so on; " " stands for any run of blanks */
    size_t columns; /* how many most records have; 0: not known yet */
    bool header;    /* the first record is names */
} tdm_dialect;

/* The cells of a record, unquoted. All zero is empty; tdm_cells_clear releases. */
typedef struct tdm_cells {
    tdm_buf bytes;
    size_t *end; /* cell i is bytes [end[i - 1], end[i]) */
    size_t n, cap;
    bool unclosed; /* a quote that never closed was read as a letter */
    bool failed;   /* memory */
} tdm_cells;

void tdm_cells_clear(tdm_cells *c);
tdm_str tdm_cell(const tdm_cells *c, size_t i); /* empty past the last */

/* Reads the record that begins `ahead` and returns its length with the line's end; 0: more bytes are needed (never
 * where `last`, unless nothing is ahead). A quoted cell may hold separators, doubled quotes and, but for tabs and
 * blanks, line ends. */
size_t tdm_table_next(tdm_cells *c, const tdm_dialect *d, tdm_str ahead, bool last);

#endif
