/* SPDX-License-Identifier: Apache-2.0 */
/* shelf.h - the rows of a log on their way to a dataset, by the part of their person: packed in memory, and beyond a
 * budget in a file. Inside this floor only.
 *
 * A part is written by one thread at a time, different parts by any. A packed row is
 *
 *     u32 person (in its part) << 8 | form, u32 item (a code)
 *     time        nothing, u32 or i64
 *     rating      nothing, one byte of tenths or f32
 *     texts       nothing, or u32 length of the summary, u32 length of the review, both texts
 *
 * so that a rating with its time costs 13 bytes, and equal rows have equal bytes. */
#ifndef TDM_DATA_SHELF_H
#define TDM_DATA_SHELF_H

#include "base/status.h"
#include "data/batch.h"

#include <stdatomic.h>

typedef struct tdm_packed {
    uint32_t user, item;
    float rating;
    int64_t time;
    uint8_t flags;
    tdm_str summary, review;
} tdm_packed;

typedef struct tdm_chunk {
    char *p; /* NULL: in the file */
    size_t n, cap;
    uint64_t at; /* in the file */
} tdm_chunk;

/* Rows of one part in the order they came. */
typedef struct tdm_shelved {
    tdm_chunk *chunk;
    size_t n, cap, rows;
} tdm_shelved;

typedef struct tdm_shelf {
    tdm_shelved part[TDM_PARTS];
    atomic_size_t held; /* bytes in memory */
    const char *folder; /* where the file goes; borrowed */
    int fd;             /* of a file without a name; -1: none yet */
    atomic_ullong end;  /* its length */
} tdm_shelf;

void tdm_shelf_open(tdm_shelf *s, const char *folder);
void tdm_shelf_close(tdm_shelf *s);

bool tdm_shelved_add(tdm_shelf *s, tdm_shelved *r, const tdm_packed *row); /* false: memory is short */
void tdm_shelved_clear(tdm_shelf *s, tdm_shelved *r);

/* Writes all rows that are in memory to the file. */
tdm_status tdm_shelf_spill(tdm_shelf *s, tdm_err *err);
tdm_status tdm_shelved_spill(tdm_shelf *s, tdm_shelved *r, tdm_err *err);

/* Goes through the rows of a part: what is in the file is read a chunk at a time. */
typedef struct tdm_shelved_cursor {
    tdm_shelf *shelf;
    const tdm_shelved *rows;
    size_t chunk, at;
    char *read; /* the chunk, where it came from the file */
    const char *p;
} tdm_shelved_cursor;

/* *more is false at the end, and then the cursor is closed; texts are good until the next call. */
tdm_status tdm_shelved_next(tdm_shelved_cursor *c, tdm_packed *row, bool *more, tdm_err *err);
void tdm_shelved_close(tdm_shelved_cursor *c);

/* The row packed at `from`; returns its length. */
size_t tdm_row_unpack(tdm_packed *row, const char *from);
bool tdm_row_ordered(const char *from); /* TDM_ROW_ORDERED of the row packed there */

/* The bytes of a chunk: its own, or read into *read, which the caller frees. */
tdm_status tdm_chunk_bytes(const char **p, char **read, const tdm_shelf *s, const tdm_chunk *c, tdm_err *err);

#endif
