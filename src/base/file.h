/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - whole files: mapped to read, written beside their final name, synced and renamed. */
#ifndef TDM_BASE_FILE_H
#define TDM_BASE_FILE_H

#include "base/bytes.h"
#include "base/status.h"

/* A file mapped read-only. An empty file has p = "" and n = 0. */
typedef struct tdm_map {
    const uint8_t *p;
    size_t n;
} tdm_map;

tdm_status tdm_map_open(tdm_map *out, const char *path, tdm_err *err);
void tdm_map_close(tdm_map *m); /* all-zero is fine */

/* Writes the pieces one after another to `path` so that after a crash at any moment `path` is the old file or the new
 * one, whole: written to "<path>.tmp", fsync, rename, fsync of the folder. */
tdm_status tdm_file_write_pieces(const char *path, const tdm_str *pieces, size_t n, tdm_err *err);
tdm_status tdm_file_write(const char *path, const void *bytes, size_t n, tdm_err *err);

/* Waits until what was written to the file is on the disk. */
tdm_status tdm_file_sync(const char *path, tdm_err *err);

/* Makes a rename to `path` last: syncs its folder. */
void tdm_file_settle(const char *path);

bool tdm_file_exists(const char *path);
bool tdm_folder_exists(const char *path);
tdm_status tdm_folder_make(const char *path, tdm_err *err); /* with its parents; an existing one is fine */

/* "<a>/<b>", the caller's to tdm_free; NULL where memory is short. */
char *tdm_path_join(const char *a, const char *b);

/* SHA-256 of a file as 64 hexadecimal digits and a NUL. */
tdm_status tdm_file_sha256(char out[65], const char *path, tdm_err *err);

#endif
