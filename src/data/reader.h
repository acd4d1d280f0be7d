/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h - a raw file as records: what stands for whom, not yet cleaned. Inside this floor only.
 *
 * A file is cut into blocks (blocks.h) one after another; blocks are read by any thread, each with records of its own.
 */
#ifndef TDM_DATA_READER_H
#define TDM_DATA_READER_H

#include "data/blocks.h"

typedef struct tdm_reader {
    tdm_source *s;
    tdm_shape shape;
} tdm_reader;

/* `items`: a list of items is expected, not a log. `format` and `map` as in tdm_options; NULL: found by looking. */
tdm_status tdm_reader_open(tdm_reader *out, const char *path, bool items, const char *format, const char *map,
                           tdm_err *err);
/* Takes the source over, even on failure. */
tdm_status tdm_reader_open_source(tdm_reader *out, tdm_source *s, bool items, const char *format, const char *map,
                                  tdm_err *err);
void tdm_reader_close(tdm_reader *r);

/* ---- the records of a block ---- */

typedef struct tdm_record {
    tdm_str value[TDM_ROLES]; /* as in the file; empty: not there */
    tdm_str raw;              /* the record's own bytes */
    const char *bad;          /* why it cannot be read; NULL: it can */
    bool ordered;             /* its place in the file is its time */
} tdm_record;

typedef struct tdm_records tdm_records;

/* One for each thread; the shape is borrowed and not changed. */
tdm_status tdm_records_open(tdm_records **out, const tdm_shape *shape, tdm_err *err);
void tdm_records_close(tdm_records *r);

/* Goes to the beginning of a block, which must live until its last record is done with. */
void tdm_records_begin(tdm_records *r, const tdm_block *b);

/* The next record, good until the next call; *more is false at the end of the block. */
tdm_status tdm_records_next(tdm_records *r, tdm_record *out, bool *more, tdm_err *err);

/* Where the last record began in the file: its line, from 1, and its offset in unpacked bytes. */
size_t tdm_records_line(const tdm_records *r);
uint64_t tdm_records_offset(const tdm_records *r);

#endif
