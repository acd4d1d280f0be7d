/* SPDX-License-Identifier: Apache-2.0 */
/* course_problem.h - a course over a problem of five weights.
 *
 * The problem is |w - t|^2 / 2 with targets that move with the step, so that every update depends on which batch it was
 * and on all before it. A list of mishaps says what is wrong with which updates. */
#ifndef TDM_TESTS_GPT2_COURSE_PROBLEM_H
#define TDM_TESTS_GPT2_COURSE_PROBLEM_H

#include "base/json.h"
#include "base/run.h"
#include "gpt2/course.h"

enum { N = 5, STEPS = 90, KEEP = 10 };

typedef enum mishap { NONE, NAN_GRADIENT, NAN_LOSS, HIGH_LOSS, HIGH_NORM, NOTHING } mishap;

typedef struct problem {
    float w[N], g[N], average[N];
    double number; /* when it was last kept, to be seen in the checkpoint */
    uint64_t key;
    mishap at[STEPS + 1];
    uint64_t cancel_after; /* 0: nobody cancels */
    const char *checkpoint, *log;
    struct tdm_run run;
    tdm_adamw *adam;
    tdm_course *course;
    float seen[STEPS + 1][N]; /* the weights before each update */
    size_t updates, gradients;
    char said[4096]; /* warnings */
} problem;

problem *problem_new(void); /* to free() */

/* From the first weights, with what the caller has set; ends as tdm_course_begin does. */
tdm_status course_start(problem *p, tdm_err *err);
void course_started(problem *p); /* likewise, or the test has failed */
void course_stop(problem *p);

/* To the end, keeping and judging every KEEP updates. */
tdm_status course_go(problem *p, tdm_err *err);
void course_done(problem *p);

void course_mishaps(problem *p); /* one of each kind, and a row that sends it back */
cJSON *course_curves(const problem *p);
void course_file_name(char out[64], const char *name);

#endif
