/* SPDX-License-Identifier: Apache-2.0 */
/* course_parts.h - what the files of a course share. Not for others: they see course.h. */
#ifndef TDM_GPT2_COURSE_PARTS_H
#define TDM_GPT2_COURSE_PARTS_H

#include "gpt2/course.h"

#include <stdio.h>

enum { COURSE_ARRAYS = 12, COURSE_NUMBERS = 8, COURSE_NAME = 40, COURSE_CURVES = 2, COURSE_POINTS = TDM_COURSE_POINTS };

/* Doubles alone: a curve is in the checkpoint as it is. */
typedef struct tdm_point { double step, value, weight; } tdm_point;
typedef struct tdm_curve {
    double n, every, count; /* points that are whole; values of a whole one; values in point[n] */
    tdm_point point[COURSE_POINTS];
} tdm_curve;

struct tdm_course {
    tdm_course_plan p;
    /* the state: arrays and numbers of the model ... */
    size_t n, n_numbers;
    struct {
        const char *name;
        char good[COURSE_NAME]; /* "good.<name>": as it was when it was last kept */
        float *data;
        const float *weights; /* what this is an average of, or NULL */
        size_t count;
    } array[COURSE_ARRAYS];
    double *number[COURSE_NUMBERS];
    const char *curve_name[COURSE_CURVES];
    size_t n_curves;
    /* ... and of the course */
    uint64_t step, kept; /* updates now, and when it was last kept */
    uint64_t skipped, row, returns;
    double share, recent;
    double sum, tokens; /* of losses by tokens, and tokens, since the last lap */
    tdm_guard guard;
    tdm_curve curve[COURSE_CURVES]; /* the first is of the loss */
    /* not part of it */
    float *good;       /* all arrays, one behind another, where there is no checkpoint */
    double began, lap; /* seconds */
    uint64_t from;     /* the step at which this call began */
    size_t lap_tokens;
    struct {
        FILE *to;
        uint64_t every;
        double loss, tokens, since; /* since the last line */
        bool failed;
    } log;
    double looked; /* when memory was last asked for */
    size_t resident;
};

/* ---- the checkpoint (course_file.c) ---- */

tdm_status tdm_course_write(const tdm_course *c, tdm_err *err);
/* Fills the state from the file, or leaves all as it is and says in `why` what was wrong. */
tdm_status tdm_course_read(tdm_course *c, tdm_err *why);
/* Fills the arrays with what was last kept. */
tdm_status tdm_course_restore(tdm_course *c, tdm_err *err);

/* ---- curves (course_curve.c) ---- */

void tdm_curve_add(tdm_curve *k, uint64_t step, double value, double weight);
bool tdm_curve_possible(const tdm_curve *k); /* one that was read */

/* ---- the log (course_log.c) ---- */

tdm_status tdm_course_log_open(tdm_course *c, tdm_err *err);
/* Where it is time for one, a line; always a note for who watches. norm: NaN where there is none. */
void tdm_course_log_update(tdm_course *c, const tdm_course_batch *b, double rate, double norm, bool made);

#endif
