/* SPDX-License-Identifier: Apache-2.0 */
/* raw_log.h - a raw file, small, written to a folder of the test's own and read back as a dataset. */
#ifndef TDM_TESTS_RAW_LOG_H
#define TDM_TESTS_RAW_LOG_H

#include "check.h"

#include "data/load.h"

extern char raw_rows_path[64], raw_items_path[64], raw_rejects_path[64];

int raw_folder_make(void **state);
int raw_folder_remove(void **state);
void raw_put(const char *path, const char *bytes, size_t n);

/* A dataset out of texts, with its health table. */
typedef struct loaded {
    tdm_dataset *d;
    cJSON *health;
} loaded;

/* `rows` NULL: what the file holds already; `items` NULL: none. */
tdm_status load_try(loaded *out, const char *rows, const char *items, tdm_options o, tdm_err *err);
loaded load(const char *rows, const char *items, tdm_options o);
void done(loaded *x);

/* "user item rating time summary / review" of every interaction, person by person in the order of their ids. */
const char *told(const tdm_dataset *d);

/* That rows are told so. */
void reads(const char *rows, const char *want);

#endif
