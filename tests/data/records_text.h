/* SPDX-License-Identifier: Apache-2.0 */
/* records_text.h - what a reader finds in a file, as one text, so that two readings can be compared. For tests and
 * fuzzers. */
#ifndef TDM_TESTS_RECORDS_TEXT_H
#define TDM_TESTS_RECORDS_TEXT_H

#include "data/reader.h"

/* Appends the block's records: line, offset, what is wrong, where the record lies, and its values. Returns how many. */
size_t records_of_block(tdm_buf *out, tdm_records *r, const tdm_block *b);

/* The same of a whole file at hand that begins at `offset`, in blocks of `most` bytes, each with room of its own so
 * that a sanitizer sees a read behind it; 0: in one block, uncut. Windows onto the file grow as tdm_block_next lets
 * them. */
size_t records_of_text(tdm_buf *out, tdm_records *r, const tdm_shape *shape, tdm_str text, size_t most,
                       uint64_t offset);

/* Where two such texts differ, with a little of both, escaped; good until the next call. NULL: nowhere. */
const char *records_differ(const tdm_buf *a, const tdm_buf *b);

#endif
