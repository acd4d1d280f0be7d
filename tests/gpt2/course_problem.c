/* SPDX-License-Identifier: Apache-2.0 */
#include "course_problem.h"
#include "check.h"

#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static tdm_status gradients(void *ctx, tdm_course_batch *out, uint64_t step, tdm_err *err)
{
    problem *p = ctx;
    tdm_rng rng = tdm_rng_make(7, 0, step);
    memcpy(p->seen[step], p->w, sizeof p->w);
    p->gradients++;
    out->epoch = (step - 1) / 20;
    out->tokens = p->at[step] == NOTHING ? 0 : 10;
    out->loss = 3;
    for (size_t i = 0; i < N; i++) {
        p->g[i] = p->w[i] - (float)i + 0.1f * (float)tdm_rng_unit(&rng);
        out->loss += (double)(p->g[i] * p->g[i]) / 2;
    }
    if (p->cancel_after == step) tdm_run_cancel(&p->run);
    switch (p->at[step]) {
    case NAN_GRADIENT:
        p->g[3] = NAN;
        break;
    case HIGH_LOSS:
        out->loss *= 100;
        break;
    case HIGH_NORM:
        p->g[1] = 1e4f;
        break;
    case NAN_LOSS:
        out->loss = NAN;
        return tdm_fail(err, TDM_E_FORMAT, "as the trainer says it");
    default:
        break;
    }
    return TDM_OK;
}

static void updated(void *ctx)
{
    problem *p = ctx;
    p->updates++;
}

static void note(void *ctx, tdm_log_level level, const char *stage, const char *message)
{
    problem *p = ctx;
    size_t n = strlen(p->said);
    (void)stage;
    if (level == TDM_LOG_WARN) snprintf(p->said + n, sizeof p->said - n, "%s\n", message);
}

problem *problem_new(void)
{
    problem *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->key = 77;
    return p;
}

tdm_status course_start(problem *p, tdm_err *err)
{
    for (size_t i = 0; i < N; i++) p->w[i] = p->average[i] = (float)(i * i);
    p->number = 0;
    p->updates = p->gradients = 0;
    p->said[0] = 0;
    p->run = (struct tdm_run){.log = note, .ctx = p};
    const tdm_adamw_group group[] = {{p->w, p->g, 2, 0.1f}, {p->w + 2, p->g + 2, N - 2, 0}};
    tdm_status st = tdm_adamw_open(&p->adam, group, 2, (tdm_adamw_options){0.9f, 0.98f, 1e-8f, 1}, err);
    if (st) return st;
    const tdm_course_plan plan = {.name = "gpt2-toy",
                                  .run = &p->run,
                                  .adam = p->adam,
                                  .key = p->key,
                                  .schedule = {0.05, 5, STEPS, 0.1},
                                  .share = 0.2,
                                  .checkpoint = p->checkpoint,
                                  .log = p->log,
                                  .ctx = p,
                                  .gradients = gradients,
                                  .updated = updated};
    st = tdm_course_open(&p->course, &plan, err);
    if (st) return st;
    tdm_course_array(p->course, "weights", p->w, N);
    tdm_course_array(p->course, "none", NULL, 0);
    tdm_course_average(p->course, "average", p->average, p->w, N);
    tdm_course_number(p->course, &p->number);
    tdm_course_curve(p->course, "judged");
    return tdm_course_begin(p->course, err);
}

void course_stop(problem *p)
{
    tdm_course_close(p->course);
    tdm_adamw_close(p->adam);
    p->course = NULL;
    p->adam = NULL;
}

tdm_status course_go(problem *p, tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (uint64_t step = tdm_course_tell(p->course).step; !st && step < STEPS;) {
        step += KEEP - step % KEEP;
        st = tdm_course_run(p->course, step, err);
        p->number = (double)step;
        if (!st) tdm_course_log(p->course, "judged", 1 / p->number);
        if (!st) tdm_course_log(p->course, "nobody's", 1);
        if (!st) st = tdm_course_keep(p->course, err);
    }
    return st;
}

void course_started(problem *p)
{
    tdm_err err;
    CHECK_OK(course_start(p, &err), err);
}

void course_done(problem *p)
{
    tdm_err err;
    CHECK_OK(course_go(p, &err), err);
}

void course_file_name(char out[64], const char *name)
{
    snprintf(out, 64, "/tmp/tandem-course-%d-%s", (int)getpid(), name);
}

void course_mishaps(problem *p)
{
    p->at[3] = NOTHING;
    p->at[24] = NAN_GRADIENT;
    p->at[37] = HIGH_LOSS;
    for (uint64_t s = 46; s < 46 + TDM_COURSE_ROW; s++) p->at[s] = NAN_LOSS;
    p->at[87] = HIGH_NORM;
}

cJSON *course_curves(const problem *p)
{
    cJSON *o = cJSON_CreateObject();
    tdm_course_curves(p->course, o);
    return o;
}
