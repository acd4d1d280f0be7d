/* SPDX-License-Identifier: Apache-2.0 */
/* packed.h - the bytes that libarchive is given: a file's own, or unpacked by zlib where it is gzip. Inside this floor
 * only.
 *
 * libarchive unpacks gzip too, but looks at neither its checksum nor its length, so that a damaged download would be
 * read as if it were whole. */
#ifndef TDM_DATA_PACKED_H
#define TDM_DATA_PACKED_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive;
typedef struct tdm_packed_file tdm_packed_file;

/* `fd` is taken over; 0 is standard input and stays open. */
tdm_status tdm_packed_open_fd(tdm_packed_file **out, int fd, tdm_err *err);
tdm_status tdm_packed_open_bytes(tdm_packed_file **out, const void *bytes, size_t n, tdm_err *err); /* borrowed */
void tdm_packed_close(tdm_packed_file *f);

/* Makes `a` read from it; what libarchive's opening says. `f` must outlive `a`. */
int tdm_packed_give(tdm_packed_file *f, struct archive *a);

bool tdm_packed_gzip(const tdm_packed_file *f);

/* Unpacks what is left behind the end of a tar in a gzip, where its checksum stands; 0, or -1 and the reason in `a`. */
int tdm_packed_finish(tdm_packed_file *f, struct archive *a);

uint64_t tdm_packed_taken(const tdm_packed_file *f); /* bytes read of the file so far */

/* Whether a zip has its end, which is the list of its files. True for what cannot be looked at from behind. */
bool tdm_packed_zip_ends(const tdm_packed_file *f);

#endif
