/* SPDX-License-Identifier: Apache-2.0 */
/* intake.h - the records of a block of a log, cleaned, and what was met on the way. Inside this floor only. */
#ifndef TDM_DATA_INTAKE_H
#define TDM_DATA_INTAKE_H

#include "data/batch.h"
#include "data/clean.h"
#include "data/load.h"
#include "data/reader.h"
#include "data/scale.h"

/* What holds for all blocks of a file. */
typedef struct tdm_intake_rules {
    const tdm_shape *shape;
    const char *name; /* of the file, in rejects */
    double min_rating;
    bool test;     /* the file is the test file */
    bool keep_bad; /* rejects are wanted */
    tdm_keep keep;
    size_t file; /* its place among all files */
    double high; /* ratings outside 0..high may lie outside the scale */
} tdm_intake_rules;

enum { TDM_EVENT_KINDS = 64 };

/* How often events of each type came. */
typedef struct tdm_event_counts {
    char name[TDM_EVENT_KINDS][40];
    size_t count[TDM_EVENT_KINDS], n;
} tdm_event_counts;

void tdm_event_count(tdm_event_counts *e, tdm_str name, size_t count);

typedef struct tdm_bad_row {
    tdm_reject why;
    size_t line;
    char detail[80];
} tdm_bad_row;

/* All zero is empty, once batch.seed is set. */
typedef struct tdm_intake {
    tdm_batch batch;
    size_t rows, rejected[TDM_REJECTS], below_min_rating, left_out_events, several_people, rated;
    tdm_bad_row bad[TDM_REJECTS]; /* the first for each reason */
    size_t cleaned[TDM_CLEANED];  /* values, by what was changed */
    size_t first_bad;             /* line of the first of all; 0: none */
    tdm_buf rejects;              /* JSON lines */
    tdm_outside *outside;         /* rows that may turn out to be outside the scale */
    size_t n_outside, outside_cap;
    tdm_buf raw; /* their records */
    tdm_event_counts events;
} tdm_intake;

void tdm_intake_clear(tdm_intake *x);

/* Empties `x` and fills it with the block that `records` is at. */
tdm_status tdm_intake_block(tdm_intake *x, tdm_records *records, const tdm_intake_rules *rules, tdm_err *err);

/* A rejected row as the line that the rejects file gets. */
void tdm_reject_write(tdm_buf *out, const char *file, size_t line, uint64_t offset, tdm_reject why, const char *detail,
                      tdm_str raw);

#endif
