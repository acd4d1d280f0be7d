/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h - a raw file as a stream of records: what stands for whom, not yet cleaned. */
#ifndef TDM_DATA_READER_H
#define TDM_DATA_READER_H

#include "data/shape.h"

typedef struct tdm_record {
    tdm_str value[TDM_ROLES]; /* as in the file; empty: not there */
    tdm_str raw;              /* the record's own bytes */
    const char *bad;          /* why it cannot be read; NULL: it can */
    size_t line;              /* where it begins, from 1 */
    uint64_t offset;          /* the same in unpacked bytes */
    bool ordered;             /* its place in the file is its time */
} tdm_record;

typedef struct tdm_reader tdm_reader;

/* `items`: a list of items is expected, not a log. `format` and `map` as in tdm_options; NULL: found by looking. */
tdm_status tdm_reader_open(tdm_reader **out, const char *path, bool items, const char *format, const char *map,
                           tdm_err *err);
/* Takes the source over, even on failure. */
tdm_status tdm_reader_open_source(tdm_reader **out, tdm_source *s, bool items, const char *format, const char *map,
                                  tdm_err *err);
void tdm_reader_close(tdm_reader *r);

/* The next record, good until the next call; *more is false at the end. */
tdm_status tdm_reader_next(tdm_reader *r, tdm_record *out, bool *more, tdm_err *err);

const tdm_shape *tdm_reader_shape(const tdm_reader *r);
const tdm_source *tdm_reader_source(const tdm_reader *r);

#endif
