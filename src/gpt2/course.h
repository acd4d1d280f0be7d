/* SPDX-License-Identifier: Apache-2.0 */
/* course.h - a training from its first update to its last: all that is the same whatever is trained.
 *
 *     each update:  gradients -> guard -> AdamW -> averages of the weights -> a line of the log
 *
 * The guard judges the loss and the norm of all gradients before a weight moves. What is no number, or leaps far above
 * what came before, is left out: the update is passed over, its batch too. TDM_COURSE_ROW of these in a row, and the
 * course goes back to the state that was last kept, and on from the next batch at half the rate; that
 * TDM_COURSE_RETURNS times, and then it gives up. (Chowdhery et al. 2022, "PaLM", 5.1: restart from a checkpoint before
 * the spike and pass over the batches around it.) All of it follows from the numbers of the training alone, so it is
 * the same on every run.
 *
 * The state is every array and number that is registered, and what the course itself counts. It is in the checkpoint,
 * whole: a course that was stopped after any update and begun again ends with the same bytes as one that was not. */
#ifndef TDM_GPT2_COURSE_H
#define TDM_GPT2_COURSE_H

#include "gpt2/train.h"

enum { TDM_COURSE_ROW = 8, TDM_COURSE_RETURNS = 4 };

/* ---- the rate ---- */

/* A linear warm-up, then a cosine from `rate` down to rate x floor at `steps`; floor 1: constant. */
typedef struct tdm_schedule {
    double rate;
    uint64_t warmup, steps;
    double floor;
} tdm_schedule;

double tdm_schedule_rate(const tdm_schedule *s, uint64_t step); /* of an update, from 1 */

/* ---- the guard (course_guard.c) ---- */

enum { TDM_GUARD_WINDOW = 32 };

/* Losses and norms of the last updates that were made; update n is at n modulo the window. */
typedef struct tdm_guard {
    double loss[TDM_GUARD_WINDOW], norm[TDM_GUARD_WINDOW];
    uint64_t n;
} tdm_guard;

typedef enum tdm_verdict {
    TDM_UPDATE_FINE,
    TDM_UPDATE_NO_NUMBER,
    TDM_UPDATE_LOSS_LEAPS,
    TDM_UPDATE_NORM_LEAPS
} tdm_verdict;

/* Once the window is full: a loss leaps that is above the window's mean by more than 10 deviations and by more than the
 * mean (than 1, where that is more); a norm that is more than 32 times the window's median. *usual (may be NULL): that
 * mean, or median. */
tdm_verdict tdm_guard_ask(const tdm_guard *g, double loss, double norm, double *usual);
void tdm_guard_add(tdm_guard *g, double loss, double norm);

/* ---- the course ---- */

/* What one update learns from. */
typedef struct tdm_course_batch {
    double loss;    /* the mean over its targets */
    size_t tokens;  /* 0: there is nothing to learn, and no update is made */
    uint64_t epoch; /* from 0 */
} tdm_course_batch;

typedef struct tdm_course_plan {
    const char *name; /* of the model: "gpt2-items" */
    tdm_run *run;
    tdm_adamw *adam; /* whose moments are part of the state; outlives the course */
    uint64_t key;    /* of everything that the bytes depend on (tdm_course_key) */
    tdm_schedule schedule;
    double share;           /* of the weights in their average, once it has reached back far enough */
    const char *checkpoint; /* a file, or NULL: the state that was kept is held in memory */
    const char *log;        /* a file that lines of JSON are added to, or NULL */
    void *ctx;

    /* Gradients of update `step` (from 1) into the arrays of `adam`; called with steps that rise by one. TDM_E_FORMAT
     * with a loss that is not finite is the guard's affair, any other failure ends the course. */
    tdm_status (*gradients)(void *ctx, tdm_course_batch *out, uint64_t step, tdm_err *err);
    void (*updated)(void *ctx); /* weights have changed: what follows from them is made anew; or NULL */
} tdm_course_plan;

typedef struct tdm_course tdm_course;

tdm_status tdm_course_open(tdm_course **out, const tdm_course_plan *p, tdm_err *err); /* names are borrowed */
void tdm_course_close(tdm_course *c);

/* Makes data[n] part of the state; it outlives the course. All of them before tdm_course_begin. */
void tdm_course_array(tdm_course *c, const char *name, float *data, size_t n);
void tdm_course_number(tdm_course *c, double *x); /* may be infinite */

/* Makes average[n] part of the state, and after each update  average += (weights - average) x share. The first weights
 * are soon forgotten: at update t the share is 10 / (10 + t) while that is more. */
void tdm_course_average(tdm_course *c, const char *name, float *average, const float *weights, size_t n);

/* Takes up the checkpoint, or warns why it is of no use; without one, keeps what is there as the beginning. */
tdm_status tdm_course_begin(tdm_course *c, tdm_err *err);

/* Makes updates until `until` are made. Interrupted, it writes the checkpoint and is TDM_E_CANCELLED. */
tdm_status tdm_course_run(tdm_course *c, uint64_t until, tdm_err *err);

/* Writes the state; unless the last update could not be made, it is what the course goes back to from now on. */
tdm_status tdm_course_keep(tdm_course *c, tdm_err *err);

/* How far it has come. */
typedef struct tdm_course_told {
    uint64_t step;    /* updates, with those left out */
    uint64_t skipped; /* left out */
    uint64_t returns; /* times that it went back */
    double share;     /* of the schedule's rate that is left: 1, 1/2, ... */
    double loss;      /* mean by tokens since tdm_course_lap */
    double speed;     /* tokens a second since then */
    double recent;    /* mean loss that forgets: a twentieth with each update */
} tdm_course_told;
tdm_course_told tdm_course_tell(const tdm_course *c);
void tdm_course_lap(tdm_course *c);

/* Makes values that tdm_course_log is given under this name a curve beside that of the loss, and part of the state.
 * Before tdm_course_begin. */
void tdm_course_curve(tdm_course *c, const char *name);

/* Adds what the course went through to `to` (may be NULL):  name: {"step": [...], "value": [...]}  for "loss" and each
 * curve that has a value. A value is the mean over the updates behind the step before; at most TDM_COURSE_POINTS. */
enum { TDM_COURSE_POINTS = 200 };
void tdm_course_curves(const tdm_course *c, struct cJSON *to);

/* A point of its curve and a line of the log: one more value, such as what a judge said after an epoch. */
void tdm_course_log(tdm_course *c, const char *key, double value);

uint64_t tdm_course_key(uint64_t key, const void *bytes, size_t n); /* mixes bytes into a key */

#endif
