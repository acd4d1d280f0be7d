/* SPDX-License-Identifier: Apache-2.0 */
/* source.h - the bytes of a raw file, unpacked as they are read: plain, gz, bz2, xz, zst, lz4, or the one file of a zip
 * or tar. A reader looks ahead as far as it needs and then takes what it has understood. */
#ifndef TDM_DATA_SOURCE_H
#define TDM_DATA_SOURCE_H

#include "base/bytes.h"
#include "base/status.h"

typedef struct tdm_source tdm_source;

/* `path` "-": standard input. A missing file, a folder, a damaged archive and one of several files are errors; a byte
 * order mark is skipped. */
tdm_status tdm_source_open(tdm_source **out, const char *path, tdm_err *err);

/* One file of an archive of several, by its name there. */
tdm_status tdm_source_open_member(tdm_source **out, const char *path, const char *member, tdm_err *err);

/* Calls each(ctx, name) for every file of a zip or tar of several; for anything else never. Hidden files are passed
 * over. A false from `each` says that memory is short. */
tdm_status tdm_source_members(const char *path, bool (*each)(void *ctx, const char *name), void *ctx, tdm_err *err);

/* The same over bytes in memory, which must outlive the source; `name` is what errors call it. */
tdm_status tdm_source_open_bytes(tdm_source **out, const char *name, const void *bytes, size_t n, tdm_err *err);
void tdm_source_close(tdm_source *s);

/* Reads on until `need` bytes lie ahead or the end is reached. */
tdm_status tdm_source_fill(tdm_source *s, size_t need, tdm_err *err);

tdm_str tdm_source_ahead(const tdm_source *s);               /* read and not yet taken; good until the next fill */
bool tdm_source_ended(const tdm_source *s);                  /* nothing lies behind what is ahead */
void tdm_source_take(tdm_source *s, size_t n, size_t lines); /* lines: line ends among them */

const char *tdm_source_name(const tdm_source *s);
size_t tdm_source_line_number(const tdm_source *s);  /* of the next byte, from 1 */
uint64_t tdm_source_offset(const tdm_source *s);     /* of the next byte, unpacked */
uint64_t tdm_source_read(const tdm_source *s);       /* bytes of the file read so far, packed */
uint64_t tdm_source_size(const tdm_source *s);       /* bytes of the file, packed; 0: unknown */
const char *tdm_source_packing(const tdm_source *s); /* "gzip" and so on; "none" */

#endif
