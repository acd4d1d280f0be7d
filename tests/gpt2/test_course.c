/* SPDX-License-Identifier: Apache-2.0 */
/* test_course.c - a course over a problem of five weights: what it makes, what it leaves out, and where it goes on.
 *
 * The problem is |w - t|^2 / 2 with targets that move with the step, so that every update depends on which batch it was
 * and on all before it. A list of mishaps says what is wrong with which updates. */
#include "check.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/run.h"
#include "gpt2/course_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static problem *problem_new(void)
{
    problem *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->key = 77;
    return p;
}

/* From the first weights, with what the caller has set; ends as tdm_course_begin does. */
static tdm_status start(problem *p, tdm_err *err)
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

static void stop(problem *p)
{
    tdm_course_close(p->course);
    tdm_adamw_close(p->adam);
    p->course = NULL;
    p->adam = NULL;
}

/* To the end, keeping every KEEP updates. */
static tdm_status go(problem *p, tdm_err *err)
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

static void started(problem *p)
{
    tdm_err err;
    CHECK_OK(start(p, &err), err);
}

static void done(problem *p)
{
    tdm_err err;
    CHECK_OK(go(p, &err), err);
}

static void file_name(char out[64], const char *name)
{
    snprintf(out, 64, "/tmp/tandem-course-%d-%s", (int)getpid(), name);
}

/* ---- the rate ---- */

static void the_rate_warms_up_and_falls_or_stays(void **state)
{
    (void)state;
    const tdm_schedule s = {2, 10, 110, 0.1}, stays = {2, 10, 110, 1};
    assert_float_equal(tdm_schedule_rate(&s, 1), 0.2, 1e-12);
    assert_float_equal(tdm_schedule_rate(&s, 10), 2, 1e-12);
    assert_float_equal(tdm_schedule_rate(&s, 60), 2 * (0.1 + 0.9 / 2), 1e-12);
    assert_float_equal(tdm_schedule_rate(&s, 35), 2 * (0.1 + 0.9 * (1 + sqrt(0.5)) / 2), 1e-12);
    assert_float_equal(tdm_schedule_rate(&s, 110), 0.2, 1e-12);
    assert_float_equal(tdm_schedule_rate(&stays, 5), 1, 1e-12);
    for (uint64_t step = 10; step <= 110; step += 10) assert_float_equal(tdm_schedule_rate(&stays, step), 2, 1e-12);
}

/* ---- the guard ---- */

static void the_guard_knows_a_leap(void **state)
{
    (void)state;
    tdm_guard g = {0};
    double usual;
    for (int i = 0; i < TDM_GUARD_WINDOW; i++) {                     /* mean 4, deviation 0.5; norms' median 1 */
        CHECK(tdm_guard_ask(&g, 1e9, 1e9, NULL) == TDM_UPDATE_FINE); /* nothing is usual yet */
        CHECK(tdm_guard_ask(&g, NAN, 1, NULL) == TDM_UPDATE_NO_NUMBER);
        tdm_guard_add(&g, i % 2 ? 4.5 : 3.5, i < 3 ? 1e6 : 1);
    }
    CHECK(tdm_guard_ask(&g, 8.99, 1, NULL) == TDM_UPDATE_FINE);
    CHECK(tdm_guard_ask(&g, 9.01, 1, &usual) == TDM_UPDATE_LOSS_LEAPS && fabs(usual - 4) < 1e-12);
    CHECK(tdm_guard_ask(&g, 0, 1, NULL) == TDM_UPDATE_FINE); /* a leap down is welcome */
    CHECK(tdm_guard_ask(&g, 4, 31.9, NULL) == TDM_UPDATE_FINE);
    CHECK(tdm_guard_ask(&g, 4, 32.1, &usual) == TDM_UPDATE_NORM_LEAPS && usual == 1);
    CHECK(tdm_guard_ask(&g, INFINITY, 1, NULL) == TDM_UPDATE_NO_NUMBER);
    CHECK(tdm_guard_ask(&g, 4, INFINITY, NULL) == TDM_UPDATE_NO_NUMBER);
    CHECK(tdm_guard_ask(&g, 4, NAN, NULL) == TDM_UPDATE_NO_NUMBER);
    for (int i = 0; i < TDM_GUARD_WINDOW; i++) tdm_guard_add(&g, 4, 0); /* no deviation, no gradients */
    CHECK(tdm_guard_ask(&g, 7.99, 1, NULL) == TDM_UPDATE_FINE);         /* ... but less than twice is no leap */
    CHECK(tdm_guard_ask(&g, 8.01, 1, NULL) == TDM_UPDATE_LOSS_LEAPS);
    for (int i = 0; i < TDM_GUARD_WINDOW; i++) tdm_guard_add(&g, 0.01, 1); /* learned by heart */
    CHECK(tdm_guard_ask(&g, 1, 1, NULL) == TDM_UPDATE_FINE);
    CHECK(tdm_guard_ask(&g, 1.02, 1, NULL) == TDM_UPDATE_LOSS_LEAPS);
}

static void what_is_no_number_moves_nothing(void **state)
{
    (void)state;
    problem *p = problem_new();
    float *m, *v, before[2][N];
    size_t n;
    p->at[5] = NAN_GRADIENT;
    p->at[6] = NAN_LOSS;
    p->at[7] = NOTHING;
    started(p);
    tdm_adamw_state(p->adam, &m, &v, &n);
    tdm_err err;
    CHECK_OK(tdm_course_run(p->course, 4, &err), err);
    float average[N];
    memcpy(before[0], m, sizeof before[0]);
    memcpy(before[1], v, sizeof before[1]);
    memcpy(average, p->average, sizeof average);
    CHECK_OK(tdm_course_run(p->course, 7, &err), err);
    CHECK(!memcmp(p->seen[5], p->w, sizeof p->w) && !memcmp(average, p->average, sizeof average));
    CHECK(!memcmp(before[0], m, sizeof before[0]) && !memcmp(before[1], v, sizeof before[1]));
    tdm_course_told t = tdm_course_tell(p->course);
    CHECK(t.step == 7 && t.skipped == 2 && p->updates == 4 && t.returns == 0 && t.share == 1);
    CHECK(strstr(p->said, "update 5 is left out: its loss or gradients are no number") && !strstr(p->said, "update 6"));
    CHECK_OK(tdm_course_run(p->course, 8, &err), err);
    CHECK(memcmp(p->seen[5], p->w, sizeof p->w) && p->updates == 5);
    stop(p);
    free(p);
}

static void leaps_are_left_out(void **state)
{
    (void)state;
    problem *p = problem_new();
    tdm_err err;
    p->at[20] = HIGH_LOSS; /* too early to tell */
    p->at[70] = HIGH_LOSS;
    p->at[72] = HIGH_NORM;
    started(p);
    CHECK_OK(tdm_course_run(p->course, 69, &err), err);
    CHECK(p->updates == 69);
    CHECK_OK(tdm_course_run(p->course, 80, &err), err);
    tdm_course_told t = tdm_course_tell(p->course);
    CHECK(p->updates == 78 && t.skipped == 2 && t.returns == 0);
    CHECK(!memcmp(p->seen[70], p->seen[71], sizeof p->w) && !memcmp(p->seen[72], p->seen[73], sizeof p->w));
    CHECK(strstr(p->said, "update 70 is left out: a loss of ") &&
          strstr(p->said, "update 72 is left out: gradients of"));
    stop(p);
    free(p);
}

static void too_many_in_a_row_go_back_at_half_the_rate(void **state)
{
    (void)state;
    char path[64];
    file_name(path, "back");
    problem *p = problem_new(), *q = problem_new();
    for (uint64_t s = 47; s < 47 + TDM_COURSE_ROW; s++) p->at[s] = q->at[s] = s % 2 ? NAN_GRADIENT : NAN_LOSS;
    p->at[70] = q->at[70] = HIGH_LOSS; /* too early to tell: what was usual is forgotten on going back */
    q->checkpoint = path;
    unlink(path);
    started(p);
    started(q);
    done(p);
    done(q);
    tdm_course_told t = tdm_course_tell(p->course);
    CHECK(t.step == STEPS && t.returns == 1 && t.share == 0.5);
    CHECK(t.skipped == TDM_COURSE_ROW);
    CHECK(memcmp(p->seen[41], p->seen[47], sizeof p->w));
    CHECK(!memcmp(p->seen[41], p->seen[47 + TDM_COURSE_ROW], sizeof p->w)); /* as after update 40 */
    CHECK(strstr(p->said, "goes on from the weights after update 40, at half the rate"));
    /* in a file or in memory, the same */
    CHECK(!memcmp(p->w, q->w, sizeof p->w) && !memcmp(p->average, q->average, sizeof p->average));
    stop(p);
    stop(q);
    unlink(path);
    free(p);
    free(q);
}

static void in_the_end_it_gives_up(void **state)
{
    (void)state;
    tdm_err err;
    problem *p = problem_new();
    for (uint64_t s = 12; s <= STEPS; s++) p->at[s] = NAN_GRADIENT;
    started(p);
    CHECK(go(p, &err) == TDM_E_FORMAT);
    assert_int_equal(p->gradients, 11 + (TDM_COURSE_RETURNS + 1) * TDM_COURSE_ROW);
    CHECK(strstr(err.msg, "gpt2-toy") && strstr(err.msg, "the loss is no longer a number") &&
          strstr(err.msg, "a 16th of the rate") && strstr(err.msg, "train with a lower rate"));
    CHECK(!memcmp(p->w, p->seen[11], sizeof p->w)); /* never ruined */
    stop(p);
    free(p);
}

/* ---- averages ---- */

static void the_average_is_its_formula(void **state)
{
    (void)state;
    problem *p = problem_new();
    float average[N];
    started(p);
    memcpy(average, p->average, sizeof average);
    for (uint64_t s = 1; s <= STEPS; s++) {
        tdm_err err;
        CHECK_OK(tdm_course_run(p->course, s, &err), err);
        float share = (float)(s < 40 ? 10 / (10 + (double)s) : 0.2); /* 10 / (10 + 40) = 0.2 */
        for (size_t i = 0; i < N; i++) {
            average[i] += share * (p->w[i] - average[i]);
            assert_float_equal(p->average[i], average[i], 1e-6);
            average[i] = p->average[i];
        }
    }
    stop(p);
    free(p);
}

/* ---- curves ---- */

static cJSON *curves_of(const problem *p)
{
    cJSON *o = cJSON_CreateObject();
    tdm_course_curves(p->course, o);
    return o;
}

static double number_at(const cJSON *curves, const char *name, const char *which, int i)
{
    const cJSON *list = cJSON_GetObjectItem(cJSON_GetObjectItem(curves, name), which);
    if (i < 0) return cJSON_GetArraySize(list);
    return cJSON_GetNumberValue(cJSON_GetArrayItem(list, i));
}

static void a_short_course_is_all_in_its_curves(void **state)
{
    (void)state;
    problem *p = problem_new();
    p->at[3] = NOTHING;
    p->at[5] = NAN_LOSS;
    p->at[80] = HIGH_LOSS;
    started(p);
    cJSON *o = curves_of(p);
    CHECK(!o->child); /* nothing happened yet */
    cJSON_Delete(o);
    done(p);
    o = curves_of(p);
    CHECK(cJSON_GetArraySize(o) == 2 && number_at(o, "loss", "value", -1) == STEPS - 3);
    CHECK(number_at(o, "judged", "value", -1) == STEPS / KEEP);
    int at = 0;
    for (uint64_t s = 1; s <= STEPS; s++) {
        if (p->at[s] != NONE) continue;
        tdm_rng rng = tdm_rng_make(7, 0, s);
        double loss = 3;
        for (size_t i = 0; i < N; i++) {
            float g = p->seen[s][i] - (float)i + 0.1f * (float)tdm_rng_unit(&rng);
            loss += (double)(g * g) / 2;
        }
        CHECK(number_at(o, "loss", "step", at) == (double)s);
        assert_float_equal(number_at(o, "loss", "value", at), loss, 1e-12);
        at++;
    }
    for (int i = 0; i < STEPS / KEEP; i++) {
        CHECK(number_at(o, "judged", "step", i) == (i + 1) * KEEP);
        assert_float_equal(number_at(o, "judged", "value", i), 1.0 / ((i + 1) * KEEP), 1e-12);
    }
    cJSON_Delete(o);
    stop(p);
    free(p);
}

/* Of whatever length: bounded points, steps that rise to the last one, and the mean of all that went in. */
static void a_long_course_has_few_points(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {1, 199, 200, 201, 399, 400, 5000, 123457};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        tdm_curve k = {.every = 1};
        double sum = 0, mass = 0, all = 0, of = 0;
        for (uint64_t s = 1; s <= lengths[i]; s++) {
            double value = (double)(s * s % 101), weight = (double)(1 + s % 7);
            tdm_curve_add(&k, s, value, weight);
            CHECK(tdm_curve_possible(&k));
            sum += value * weight;
            mass += weight;
        }
        size_t n = (size_t)k.n + (k.count > 0);
        CHECK(n <= COURSE_POINTS && (n >= COURSE_POINTS / 2 || n == lengths[i]));
        CHECK(k.point[n - 1].step == (double)lengths[i]);
        for (size_t p = 0; p < n; p++) {
            CHECK(!p || k.point[p].step > k.point[p - 1].step);
            all += k.point[p].value * k.point[p].weight;
            of += k.point[p].weight;
        }
        CHECK(of == mass);
        assert_float_equal(all, sum, 1e-9 * sum);
    }
}

/* ---- going on ---- */

static void mishaps(problem *p)
{
    p->at[3] = NOTHING;
    p->at[24] = NAN_GRADIENT;
    p->at[37] = HIGH_LOSS;
    for (uint64_t s = 46; s < 46 + TDM_COURSE_ROW; s++) p->at[s] = NAN_LOSS;
    p->at[87] = HIGH_NORM;
}

static void stopped_after_any_update_it_ends_with_the_same_bytes(void **state)
{
    (void)state;
    char path[64];
    file_name(path, "any");
    problem *whole = problem_new(), *p = problem_new();
    mishaps(whole);
    mishaps(p);
    started(whole);
    done(whole);
    tdm_course_told all = tdm_course_tell(whole->course);
    CHECK(all.skipped == 3 + TDM_COURSE_ROW && all.returns == 1);
    cJSON *curves = curves_of(whole);
    p->checkpoint = path;
    for (uint64_t first = 1; first < STEPS; first++)
        for (uint64_t more = 1; more < 12 && first + more < STEPS; more += 5) { /* and once again, a little later */
            tdm_err err;
            unlink(path);
            p->cancel_after = first;
            started(p);
            CHECK(go(p, &err) == TDM_E_CANCELLED);
            stop(p);
            p->cancel_after = first + more;
            started(p);
            CHECK(tdm_course_tell(p->course).step == first && !*p->said);
            CHECK(go(p, &err) == TDM_E_CANCELLED);
            stop(p);
            p->cancel_after = 0;
            started(p);
            CHECK(tdm_course_tell(p->course).step == first + more);
            CHECK(p->number == (double)((first + more) / KEEP * KEEP));
            done(p);
            CHECK(p->gradients == STEPS - first - more);
            tdm_course_told t = tdm_course_tell(p->course);
            CHECK(t.skipped == all.skipped && t.returns == all.returns && t.share == all.share);
            CHECK(t.recent == all.recent && t.loss == all.loss);
            cJSON *o = curves_of(p);
            CHECK(cJSON_Compare(o, curves, true));
            cJSON_Delete(o);
            CHECK(!memcmp(p->w, whole->w, sizeof p->w) && !memcmp(p->average, whole->average, sizeof p->average));
            stop(p);
        }
    stop(whole);
    cJSON_Delete(curves);
    unlink(path);
    free(whole);
    free(p);
}

/* Overwrites eight bytes behind the header's 8 + H. */
static void overwrite(const char *path, size_t at, const void *bytes)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    uint8_t head[8];
    CHECK(fread(head, 1, 8, f) == 8);
    long H = head[0] + 256 * head[1];
    CHECK(!fseek(f, 8 + H + (long)at, SEEK_SET) && fwrite(bytes, 1, 8, f) == 8 && !fclose(f));
}

static void what_is_damaged_is_begun_anew(void **state)
{
    (void)state;
    char path[64];
    file_name(path, "damaged");
    tdm_err err;
    problem *whole = problem_new(), *p = problem_new();
    started(whole);
    done(whole);
    p->checkpoint = path;
    const uint64_t high = UINT64_MAX, row = TDM_COURSE_ROW;
    const double no_number = NAN, negative = -1, many = COURSE_POINTS, half = 0.5;
    enum { CURVES = 56 + 8 * (4 + 2 * TDM_GUARD_WINDOW + 1), CURVE = sizeof(tdm_curve) };
    const float nans[2] = {NAN, NAN};
    const struct {
        size_t at;
        const void *bytes;
        const char *why;
    } damage[] = {
        {0, &high, "begun with other data"},   /* the key */
        {8, &high, "do not belong together"},  /* updates */
        {16, &high, "do not belong together"}, /* ... when it was kept */
        {24, &high, "do not belong together"},
        {32, &row, "do not belong together"},
        {40, &high, "do not belong together"},
        {48, &high, "do not belong together"},
        {56, &negative, "do not belong together"}, /* share of the rate */
        {64, &no_number, "do not belong together"},
        {56 + 8 * (4 + 2 * TDM_GUARD_WINDOW), &no_number, "do not belong"},
        {CURVES, &negative, "cannot be one"}, /* points: too few, too many, half a one */
        {CURVES, &many, "cannot be one"},
        {CURVES, &half, "cannot be one"},
        {CURVES + 8, &half, "cannot be one"},  /* the stretch of one */
        {CURVES + 16, &many, "cannot be one"}, /* values of an open one */
        {CURVES + 24, &no_number, "cannot be one"},
        {CURVES + 40, &negative, "cannot be one"}, /* the weight of the first */
        {CURVES + CURVE + 8, &negative, "cannot be one"},
        {CURVES + 2 * CURVE, nans, "moment1 holds what is not a number"},
    };
    size_t kinds = sizeof damage / sizeof *damage;
    for (size_t i = 0; i < kinds + 5; i++) {
        unlink(path);
        p->cancel_after = 33;
        started(p);
        CHECK(go(p, &err) == TDM_E_CANCELLED);
        stop(p);
        p->cancel_after = 0;
        if (i < kinds) overwrite(path, damage[i].at, damage[i].bytes);
        else CHECK(!truncate(path, (off_t)(i - kinds) * 300));
        started(p);
        CHECK(tdm_course_tell(p->course).step == 0);
        if (!strstr(p->said, "begun anew, since the checkpoint is of no use") ||
            (i < kinds && !strstr(p->said, damage[i].why)))
            fail_msg("damage %zu: \"%s\" where \"%s\" is expected", i, p->said, i < kinds ? damage[i].why : "");
        done(p);
        CHECK(!memcmp(p->w, whole->w, sizeof p->w));
        stop(p);
    }
    p->key++; /* another training's */
    started(p);
    CHECK(strstr(p->said, "other data or settings") && tdm_course_tell(p->course).step == 0);
    stop(p);
    p->checkpoint = "/nowhere/checkpoint";
    CHECK(start(p, &err) == TDM_E_IO);
    stop(p);
    stop(whole);
    unlink(path);
    free(whole);
    free(p);
}

static void short_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    char path[64];
    file_name(path, "memory");
    problem *p = problem_new();
    mishaps(p);
    size_t live = tdm_mem_live();
    for (int file = 0; file < 2; file++) {
        long k = 0;
        p->checkpoint = file ? path : NULL;
        for (tdm_status st = TDM_E_NOMEM; st; k++) {
            tdm_err err;
            unlink(path);
            tdm_mem_fail_after(k);
            st = start(p, &err);
            if (!st) st = go(p, &err);
            tdm_mem_fail_after(-1);
            stop(p);
            CHECK(tdm_mem_live() == live);
            if (st && st != TDM_E_NOMEM) fail_msg("allocation %ld: %s", k, err.msg);
        }
        CHECK(k > 5);
    }
    unlink(path);
    free(p);
}

/* ---- the log ---- */

static void the_log_is_lines_of_json(void **state)
{
    (void)state;
    static const char *const keys[] = {"step",      "steps",      "epoch",   "loss",    "rate",        "norm",
                                       "rss_bytes", "peak_bytes", "skipped", "returns", "seconds_left"};
    char path[64];
    file_name(path, "log");
    unlink(path);
    tdm_err err;
    problem *p = problem_new();
    mishaps(p);
    p->log = path;
    started(p);
    done(p);
    tdm_course_log(p->course, "ndcg@10", 0.25);
    stop(p);
    tdm_map map;
    CHECK_OK(tdm_map_open(&map, path, &err), err);
    size_t lines = 0, left_out = 0, judged = 0, beside = 0, no_loss = 0;
    const char *at = (const char *)map.p, *end = at + map.n;
    for (const char *next; at < end; at = next + 1, lines++) {
        cJSON *o;
        next = memchr(at, '\n', (size_t)(end - at));
        assert_non_null(next);
        CHECK_OK(tdm_json_parse(&o, at, (size_t)(next - at), "a line", &err), err);
        assert_string_equal(tdm_json_str(o, "model", ""), "gpt2-toy");
        if (cJSON_GetObjectItem(o, "ndcg@10")) {
            judged++;
            CHECK(tdm_json_num(o, "ndcg@10", 0) == 0.25 && tdm_json_num(o, "step", 0) == STEPS);
        } else if (cJSON_GetObjectItem(o, "judged") || cJSON_GetObjectItem(o, "nobody's")) beside++;
        else {
            uint64_t step = (uint64_t)tdm_json_num(o, "step", 0);
            bool made = tdm_json_bool(o, "made", true);
            for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
                if (!cJSON_GetObjectItem(o, keys[i])) fail_msg("update %zu has no %s", (size_t)step, keys[i]);
            const tdm_schedule s = {0.05, 5, STEPS, 0.1};
            double share = step > 46 + TDM_COURSE_ROW - 1 ? 0.5 : 1;
            assert_float_equal(tdm_json_num(o, "rate", 0), tdm_schedule_rate(&s, step) * share, 1e-12);
            CHECK(made == (p->at[step] == NONE) && tdm_json_num(o, "epoch", 0) == (double)((step - 1) / 20 + 1));
            CHECK(tdm_json_num(o, "rss_bytes", 0) > 1e5);
            CHECK(!made || tdm_json_num(o, "tokens_per_second", 0) > 0);
            left_out += !made;
            no_loss += cJSON_IsNull(cJSON_GetObjectItem(o, "loss"));
        }
        cJSON_Delete(o);
    }
    CHECK(beside == 2 * STEPS / KEEP);
    lines -= beside;
    CHECK(lines == STEPS && judged == 1); /* one update had nothing to learn from; one line is the judge's */
    CHECK(left_out == 3 + TDM_COURSE_ROW && no_loss == TDM_COURSE_ROW);
    tdm_map_close(&map);
    unlink(path);
    p->log = "/nowhere/log";
    CHECK(start(p, &err) == TDM_E_IO && strstr(err.msg, "/nowhere/log"));
    stop(p);
    p->log = "/dev/full"; /* a training is worth more than its log */
    started(p);
    done(p);
    CHECK(strstr(p->said, "/dev/full: could not be written") && tdm_course_tell(p->course).step == STEPS);
    stop(p);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_warms_up_and_falls_or_stays),
        cmocka_unit_test(the_guard_knows_a_leap),
        cmocka_unit_test(what_is_no_number_moves_nothing),
        cmocka_unit_test(leaps_are_left_out),
        cmocka_unit_test(too_many_in_a_row_go_back_at_half_the_rate),
        cmocka_unit_test(in_the_end_it_gives_up),
        cmocka_unit_test(a_short_course_is_all_in_its_curves),
        cmocka_unit_test(a_long_course_has_few_points),
        cmocka_unit_test(the_average_is_its_formula),
        cmocka_unit_test(stopped_after_any_update_it_ends_with_the_same_bytes),
        cmocka_unit_test(what_is_damaged_is_begun_anew),
        cmocka_unit_test(short_memory_leaves_nothing_behind),
        cmocka_unit_test(the_log_is_lines_of_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
