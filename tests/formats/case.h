/* SPDX-License-Identifier: Apache-2.0 */
/* case.h - one raw file of one format, and what must come of it, through the public interface alone. */
#ifndef TDM_TESTS_FORMATS_CASE_H
#define TDM_TESTS_FORMATS_CASE_H

#include "check.h"

enum { CASE_FILES = 4 };

typedef struct format_case {
    const char *files[CASE_FILES]; /* sources under tests/formats/samples; with a slash: under the shared data */
    const char *items;             /* a list of items, or NULL */
    const char *map;               /* --map, or NULL */
    /* "6 rows, 3 people, 4 items (2 titled), 5 interactions; 1 duplicate, 2 no person", with what is not 0 behind the
     * semicolon. Where the file is refused: "refused: " and words of the sentence, apart by " … ". */
    const char *want;
    const char *told[3]; /* lines of interactions.csv or items.csv that must be there */
} format_case;

/* Checks every case and fails once at the end, with a line for each that went wrong. A case of shared data that is not
 * there is said and passed over. */
void cases_check(const format_case *c, size_t n);

/* The summary of one prepare as in `want`, or its refusal; good until the next call. `folder` takes the dataset and the
 * exported tables. */
const char *case_prepare(const char *folder, const tdm_options *o);

/* A folder of the test's own under /tmp; removed with all in it by the second. */
const char *case_folder(char *room, size_t n);
void case_folder_remove(const char *folder);

#endif
