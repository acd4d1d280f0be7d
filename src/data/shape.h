/* SPDX-License-Identifier: Apache-2.0 */
/* shape.h - what a raw file is, found by looking at its first bytes and never at its name. Inside this floor only. */
#ifndef TDM_DATA_SHAPE_H
#define TDM_DATA_SHAPE_H

#include "data/roles.h"
#include "data/source.h"
#include "data/table.h"

typedef enum tdm_form { TDM_FORM_LINES, TDM_FORM_VALUES, TDM_FORM_TABLE, TDM_FORM_SEQUENCES } tdm_form;

typedef struct tdm_shape {
    tdm_form form;
    bool items;               /* a list of items, not a log */
    bool python;              /* objects are Python dicts */
    bool flags;               /* a table of items whose last 19 columns are MovieLens genres */
    tdm_dialect dialect;      /* of a table */
    bool tags;                /* a log of what people called items: read for the items' sake */
    int column[TDM_ROLES];    /* of a table; -1: none */
    tdm_role used[TDM_ROLES]; /* the roles that have a column */
    size_t n_used;
    tdm_cells names;    /* a table's header or the keys of the first objects */
    uint64_t names_end; /* unpacked bytes of the file up to behind a table's header; 0: it has none */
    tdm_role_map map;
    char text[80]; /* "comma-separated table with a header", for people */
} tdm_shape;

enum { TDM_LONGEST_RECORD = 64 << 20 }; /* bytes; a file with a longer one is refused */

/* Looks at what lies ahead in `s` and takes nothing. `format` NULL or "auto": any; else "json", "csv", "tsv", "table"
 * or "sequences". `map`: as --map, or NULL. A file that holds no log (or no list of items) is refused with a sentence
 * that says what was found and what was expected. */
tdm_status tdm_shape_find(tdm_shape *out, tdm_source *s, bool items, const char *format, const char *map, tdm_err *err);
void tdm_shape_clear(tdm_shape *s);

/* The columns of a table from names or, without a header, from values in `sample`, which is the file's beginning from
 * the byte `offset` on. `last`: to its end. False where people or items (for a list: items, or anything said of them)
 * are not found. */
bool tdm_shape_columns(tdm_shape *s, tdm_str sample, uint64_t offset, bool last);

/* What is expected, for refusals. */
const char *tdm_shape_expected(bool items);

/* Whether roles found so far are enough. */
bool tdm_shape_enough(const bool *has, bool items);

#endif
