/* SPDX-License-Identifier: Apache-2.0 */
/* damage.h - prepares damaged files through the public API and holds what comes out to its promises.
 *
 * A preparation ends in one of two ways. It fails: then there is one sentence that names the file, and the folder holds
 * nothing that looks like a dataset. Or it succeeds: then the health table accounts for every row that was read,
 *
 *     rows_read + several_people = interactions + duplicates + rejected + below_min_rating
 *                                  + left_out_events + left_out_core
 *
 * where a missing key counts 0, and the folder opens as a dataset of as many interactions. */
#ifndef TDM_TESTS_DAMAGE_H
#define TDM_TESTS_DAMAGE_H

#include "base/bytes.h"
#include "base/json.h"
#include "check.h"

/* cmocka group set-up and tear-down: a folder in memory where there is /dev/shm, since a preparation syncs. */
int damage_begin(void **state);
int damage_end(void **state);

bool damage_deep(void); /* TANDEM_DEEP=1: the long form of the tests */

const char *damage_path(const char *name); /* in the folder; good for the next three calls too */
void damage_put(const char *path, const void *bytes, size_t n);
char *damage_get(const char *path, size_t *n); /* to free(); NULL: there is none */
void damage_remove(const char *folder);        /* with the files in it; none is fine */
size_t damage_count(const char *folder);       /* files in it; 0 too where there is no folder */

/* What is at ../shared/data beside the repository, at most `n` bytes of it cut behind a line; NULL: not there. */
char *damage_real(const char *name, size_t *n);

typedef struct outcome {
    tdm_status st;
    tdm_err err;
    cJSON *health; /* NULL on failure */
} outcome;

/* Prepares one file into `folder` with `threads` threads; `more` (NULL: nothing) has the other options. */
outcome damage_prepare(const char *source, const char *folder, const tdm_options *more, size_t threads);
void damage_done(outcome *o);

double damage_rejected(const cJSON *health);  /* of all reasons */
const char *damage_form(const cJSON *health); /* the form found of the first source */

/* What is wrong with the outcome, as text that stands until the next call; NULL: all is well. The folder had no dataset
 * before. */
const char *damage_wrong(const outcome *o, const char *source, const char *folder);

/* Things that are wrong, counted; the first few are printed. `bytes` are kept in a file whose name is printed too. */
void damage_note(const char *what, const char *label, const void *bytes, size_t n);
void damage_notes_end(void); /* fails the test where there was any, and begins anew */

#endif
