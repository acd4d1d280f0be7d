/* SPDX-License-Identifier: Apache-2.0 */
/* test_course.c - a course: what it makes, what it leaves out, and where it goes on. */
#include "check.h"
#include "course_problem.h"

#include "base/file.h"
#include "base/mem.h"
#include "gpt2/course_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    course_started(p);
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
    course_stop(p);
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
    course_started(p);
    CHECK_OK(tdm_course_run(p->course, 69, &err), err);
    CHECK(p->updates == 69);
    CHECK_OK(tdm_course_run(p->course, 80, &err), err);
    tdm_course_told t = tdm_course_tell(p->course);
    CHECK(p->updates == 78 && t.skipped == 2 && t.returns == 0);
    CHECK(!memcmp(p->seen[70], p->seen[71], sizeof p->w) && !memcmp(p->seen[72], p->seen[73], sizeof p->w));
    CHECK(strstr(p->said, "update 70 is left out: a loss of ") &&
          strstr(p->said, "update 72 is left out: gradients of"));
    course_stop(p);
    free(p);
}

static void too_many_in_a_row_go_back_at_half_the_rate(void **state)
{
    (void)state;
    char path[64];
    course_file_name(path, "back");
    problem *p = problem_new(), *q = problem_new();
    for (uint64_t s = 47; s < 47 + TDM_COURSE_ROW; s++) p->at[s] = q->at[s] = s % 2 ? NAN_GRADIENT : NAN_LOSS;
    p->at[70] = q->at[70] = HIGH_LOSS; /* too early to tell: what was usual is forgotten on going back */
    q->checkpoint = path;
    unlink(path);
    course_started(p);
    course_started(q);
    course_done(p);
    course_done(q);
    tdm_course_told t = tdm_course_tell(p->course);
    CHECK(t.step == STEPS && t.returns == 1 && t.share == 0.5);
    CHECK(t.skipped == TDM_COURSE_ROW);
    CHECK(memcmp(p->seen[41], p->seen[47], sizeof p->w));
    CHECK(!memcmp(p->seen[41], p->seen[47 + TDM_COURSE_ROW], sizeof p->w)); /* as after update 40 */
    CHECK(strstr(p->said, "goes on from the weights after update 40, at half the rate"));
    /* in a file or in memory, the same */
    CHECK(!memcmp(p->w, q->w, sizeof p->w) && !memcmp(p->average, q->average, sizeof p->average));
    course_stop(p);
    course_stop(q);
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
    course_started(p);
    CHECK(course_go(p, &err) == TDM_E_FORMAT);
    assert_int_equal(p->gradients, 11 + (TDM_COURSE_RETURNS + 1) * TDM_COURSE_ROW);
    CHECK(strstr(err.msg, "gpt2-toy") && strstr(err.msg, "the loss is no longer a number") &&
          strstr(err.msg, "a 16th of the rate") && strstr(err.msg, "train with a lower rate"));
    CHECK(!memcmp(p->w, p->seen[11], sizeof p->w)); /* never ruined */
    course_stop(p);
    free(p);
}

/* ---- averages ---- */

static void the_average_is_its_formula(void **state)
{
    (void)state;
    problem *p = problem_new();
    float average[N];
    course_started(p);
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
    course_stop(p);
    free(p);
}

/* ---- going on ---- */

static void stopped_after_any_update_it_ends_with_the_same_bytes(void **state)
{
    (void)state;
    char path[64];
    course_file_name(path, "any");
    problem *whole = problem_new(), *p = problem_new();
    course_mishaps(whole);
    course_mishaps(p);
    course_started(whole);
    course_done(whole);
    tdm_course_told all = tdm_course_tell(whole->course);
    CHECK(all.skipped == 3 + TDM_COURSE_ROW && all.returns == 1);
    cJSON *curves = course_curves(whole);
    p->checkpoint = path;
    for (uint64_t first = 1; first < STEPS; first++)
        for (uint64_t more = 1; more < 12 && first + more < STEPS; more += 5) { /* and once again, a little later */
            tdm_err err;
            unlink(path);
            p->cancel_after = first;
            course_started(p);
            CHECK(course_go(p, &err) == TDM_E_CANCELLED);
            course_stop(p);
            p->cancel_after = first + more;
            course_started(p);
            CHECK(tdm_course_tell(p->course).step == first && !*p->said);
            CHECK(course_go(p, &err) == TDM_E_CANCELLED);
            course_stop(p);
            p->cancel_after = 0;
            course_started(p);
            CHECK(tdm_course_tell(p->course).step == first + more);
            CHECK(p->number == (double)((first + more) / KEEP * KEEP));
            course_done(p);
            CHECK(p->gradients == STEPS - first - more);
            tdm_course_told t = tdm_course_tell(p->course);
            CHECK(t.skipped == all.skipped && t.returns == all.returns && t.share == all.share);
            CHECK(t.recent == all.recent && t.loss == all.loss);
            cJSON *o = course_curves(p);
            CHECK(cJSON_Compare(o, curves, true));
            cJSON_Delete(o);
            CHECK(!memcmp(p->w, whole->w, sizeof p->w) && !memcmp(p->average, whole->average, sizeof p->average));
            course_stop(p);
        }
    course_stop(whole);
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
    course_file_name(path, "damaged");
    tdm_err err;
    problem *whole = problem_new(), *p = problem_new();
    course_started(whole);
    course_done(whole);
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
        course_started(p);
        CHECK(course_go(p, &err) == TDM_E_CANCELLED);
        course_stop(p);
        p->cancel_after = 0;
        if (i < kinds) overwrite(path, damage[i].at, damage[i].bytes);
        else CHECK(!truncate(path, (off_t)(i - kinds) * 300));
        course_started(p);
        CHECK(tdm_course_tell(p->course).step == 0);
        if (!strstr(p->said, "begun anew, since the checkpoint is of no use") ||
            (i < kinds && !strstr(p->said, damage[i].why)))
            fail_msg("damage %zu: \"%s\" where \"%s\" is expected", i, p->said, i < kinds ? damage[i].why : "");
        course_done(p);
        CHECK(!memcmp(p->w, whole->w, sizeof p->w));
        course_stop(p);
    }
    p->key++; /* another training's */
    course_started(p);
    CHECK(strstr(p->said, "other data or settings") && tdm_course_tell(p->course).step == 0);
    course_stop(p);
    p->checkpoint = "/nowhere/checkpoint";
    CHECK(course_start(p, &err) == TDM_E_IO);
    course_stop(p);
    course_stop(whole);
    unlink(path);
    free(whole);
    free(p);
}

static void short_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    char path[64];
    course_file_name(path, "memory");
    problem *p = problem_new();
    course_mishaps(p);
    size_t live = tdm_mem_live();
    for (int file = 0; file < 2; file++) {
        long k = 0;
        p->checkpoint = file ? path : NULL;
        for (tdm_status st = TDM_E_NOMEM; st; k++) {
            tdm_err err;
            unlink(path);
            tdm_mem_fail_after(k);
            st = course_start(p, &err);
            if (!st) st = course_go(p, &err);
            tdm_mem_fail_after(-1);
            course_stop(p);
            CHECK(tdm_mem_live() == live);
            if (st && st != TDM_E_NOMEM) fail_msg("allocation %ld: %s", k, err.msg);
        }
        CHECK(k > 5);
    }
    unlink(path);
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
        cmocka_unit_test(the_average_is_its_formula),
        cmocka_unit_test(stopped_after_any_update_it_ends_with_the_same_bytes),
        cmocka_unit_test(what_is_damaged_is_begun_anew),
        cmocka_unit_test(short_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
