/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - one record of a delimited text (CSV, TSV, "::", "|", ";", blanks) at a time. Inside this floor only. */
#ifndef TDM_DATA_TABLE_H
#define TDM_DATA_TABLE_H

#include "base/bytes.h"

typedef struct tdm_dialect {
    char sep[3];    /* "," "\t" "::" and so on; " " stands for any run of blanks */
    size_t columns; /* how many most records have; 0: not known yet */
    bool header;    /* the first record is names */
    bool escapes;   /* \" inside of quotes is a quote */
} tdm_dialect;

typedef struct tdm_cell_at {
    const char *p; /* NULL: in `bytes` of the cells */
    size_t at, n;
} tdm_cell_at;

/* The cells of a record, unquoted: pieces of the text that was read, but for those with doubled quotes. All zero is
 * empty; tdm_cells_clear releases. */
typedef struct tdm_cells {
    tdm_cell_at *cell;
    size_t n, cap;
    tdm_buf bytes;
    bool unclosed; /* a quote that never closed was read as a letter */
    bool failed;   /* memory */
} tdm_cells;

void tdm_cells_clear(tdm_cells *c);
void tdm_cells_add(tdm_cells *c, tdm_str copied);
void tdm_cells_own(tdm_cells *c); /* copies what is still in the text, which may go then */

static inline tdm_str tdm_cell(const tdm_cells *c, size_t i) /* empty past the last */
{
    if (i >= c->n) return (tdm_str){"", 0};
    const tdm_cell_at *x = &c->cell[i];
    return (tdm_str){x->p ? x->p : x->n ? c->bytes.p + x->at : "", x->n};
}

/* Reads the record that begins `ahead` and returns its length with the line's end; 0: more bytes are needed (never
 * where `last`, unless nothing is ahead). A quoted cell may hold separators, doubled quotes and, but for tabs and
 * blanks, line ends. `c` NULL: only the length. */
size_t tdm_table_next(tdm_cells *c, const tdm_dialect *d, tdm_str ahead, bool last);

/* The same length, and whether bytes behind the record had to be seen for it: a quote in it that closes nowhere, or
 * only in another record. */
size_t tdm_table_cut(bool *beyond, const tdm_dialect *d, tdm_str ahead, bool last);

/* Whether \" stands in the text where it closes no cell: so it is one way to write a quote there. */
bool tdm_table_escapes(const tdm_dialect *d, tdm_str text);

/* Whether a record may go over several lines. */
bool tdm_table_spans_lines(const tdm_dialect *d);

#endif
