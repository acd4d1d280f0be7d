/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - rankings as files for other judges: TREC runs with their qrels, and the values of each person. */
#ifndef TDM_EVAL_FILES_H
#define TDM_EVAL_FILES_H

#include "eval/evaluate.h"

#include <stdio.h>

/* Where an evaluation's lists go. Zero what is not wanted. */
typedef struct tdm_files {
    const tdm_dataset *data; /* ids */
    const char *trec;        /* folder: qrels.txt and NAME.run */
    const char *per_person;  /* file: JSON lines */
    bool qrels_written;
    FILE *people;
} tdm_files;

tdm_status tdm_files_open(tdm_files *f, const tdm_dataset *data, const char *trec, const char *per_person,
                          tdm_err *err);

/* A tdm_evaluate_input.lists; ctx is the tdm_files. */
tdm_status tdm_files_take(void *ctx, const tdm_lists *l, tdm_err *err);

/* Finishes the files; safe after a failure, and then `err` may be NULL. */
tdm_status tdm_files_close(tdm_files *f, tdm_err *err);

#endif
