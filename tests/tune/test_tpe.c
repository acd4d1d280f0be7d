/* SPDX-License-Identifier: Apache-2.0 */
/* test_tpe.c - the cube of settings, and where the estimator looks in it. */
#include "check.h"

#include "base/rng.h"
#include "tune/tpe.h"

#include <math.h>
#include <string.h>

static const tdm_param table[] = {
    {"rate", 0.01, 0, 1, TDM_LOG, "", {0.001, 0.1}},  {"fixed", 5, 0, 10, TDM_LINEAR, ""},
    {"depth", 2, 1, 9, TDM_INTEGER, "", {1, 4}},      {"width", 64, 1, 999, TDM_INTEGER, "", {32, 160, 32}},
    {"share", 0.5, 0, 1, TDM_LINEAR, "", {0.2, 0.7}}, {0},
};

static void settings_and_points(void **state)
{
    (void)state;
    const tdm_space s = tdm_space_of(table);
    tdm_params p = tdm_params_standard(table);
    double x[4];
    assert_int_equal(s.D, 4);
    assert_int_equal(tdm_space_of(NULL).D, 0);
    tdm_space_point(x, &s, &p);
    assert_true(fabs(x[0] - 0.5) < 1e-12); /* 0.01 is in the middle of 0.001 .. 0.1 on a log scale */
    assert_true(fabs(x[1] - 1.0 / 3) < 1e-12 && fabs(x[2] - 0.25) < 1e-12 && fabs(x[3] - 0.6) < 1e-12);

    tdm_space_settings(&p, &s, (double[]){0, 0.49, 0.9, 1});
    assert_true(tdm_param_get(&p, "rate") == 0.001 && tdm_param_get(&p, "depth") == 2);
    assert_true(tdm_param_get(&p, "width") == 160 && tdm_param_get(&p, "share") == 0.7);
    assert_true(tdm_param_get(&p, "fixed") == 5); /* not searched: left as it was */

    tdm_space_settings(&p, &s, (double[]){0.123456789, 0, 0.3, 0.1234567});
    assert_true(tdm_param_get(&p, "rate") == 0.001766 && tdm_param_get(&p, "share") == 0.2617); /* four digits */
    assert_true(tdm_param_get(&p, "width") == 64);

    p.value[0] = 0.9, p.value[2] = 9; /* outside: at the sides */
    tdm_space_point(x, &s, &p);
    assert_true(x[0] == 1 && x[1] == 1);
    double y[4] = {0.123456789, 0.4, 0.3, 0.77}, z[4];
    tdm_space_snap(y, &s);
    memcpy(z, y, sizeof z);
    tdm_space_snap(z, &s);
    for (int d = 0; d < 4; d++) assert_true(fabs(y[d] - z[d]) < 1e-9);
}

static void further_is_better(void **state)
{
    (void)state;
    const tdm_tried ended = {.value = 0.1, .steps = SIZE_MAX}, higher = {.value = 0.3, .steps = SIZE_MAX},
                    stopped = {.value = 0.5, .steps = 6}, failed = {.value = -INFINITY, .steps = 0};
    assert_true(tdm_tried_better(&higher, &ended) && !tdm_tried_better(&ended, &higher));
    assert_true(tdm_tried_better(&ended, &stopped) && !tdm_tried_better(&stopped, &ended));
    assert_true(tdm_tried_better(&stopped, &failed) && !tdm_tried_better(&failed, &stopped));
}

/* The negative distance from a place, of a search of n trials; the distance of the best. */
static double best_distance(size_t n, uint64_t seed, bool by_estimator)
{
    static const tdm_param four[] = {{"a", 0, 0, 1, TDM_LINEAR, "", {0, 1}},
                                     {"b", 0, 0, 1, TDM_LINEAR, "", {0, 1}},
                                     {"c", 0, 0, 1, TDM_LINEAR, "", {0, 1}},
                                     {"d", 0, 0, 1, TDM_LINEAR, "", {0, 1}},
                                     {0}};
    static const double place[] = {0.2, 0.83, 0.5, 0.31};
    const tdm_space s = tdm_space_of(four);
    static tdm_tried tried[128];
    tdm_rng r = tdm_rng_make(seed, 7, 7);
    double best = INFINITY;
    tdm_err err;
    for (size_t k = 0; k < n; k++) {
        double sum = 0;
        if (by_estimator) CHECK_OK(tdm_tpe_propose(tried[k].x, &s, tried, k, seed, &err), err);
        else
            for (int d = 0; d < 4; d++) tried[k].x[d] = tdm_rng_unit(&r);
        for (int d = 0; d < 4; d++) {
            assert_true(tried[k].x[d] >= 0 && tried[k].x[d] <= 1);
            sum += pow(tried[k].x[d] - place[d], 2);
        }
        tried[k].value = -sqrt(sum);
        tried[k].steps = SIZE_MAX;
        best = fmin(best, sqrt(sum));
    }
    return best;
}

static void finds_more_than_chance(void **state)
{
    (void)state;
    double found = 0, drawn = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        found += best_distance(60, seed, true) / 20;
        drawn += best_distance(60, seed, false) / 20;
    }
    print_message("distance from the best place after 60 trials: %.3f, by drawing %.3f\n", found, drawn);
    assert_true(found < 0.6 * drawn);
    assert_true(best_distance(40, 3, true) == best_distance(40, 3, true));
    assert_true(best_distance(40, 3, true) != best_distance(40, 4, true));
}

/* A space of eight settings: each is proposed once before any comes again. */
static void no_settings_twice(void **state)
{
    (void)state;
    static const tdm_param small[] = {
        {"a", 1, 1, 4, TDM_INTEGER, "", {1, 4}}, {"b", 0, 0, 1, TDM_INTEGER, "", {0, 1}}, {0}};
    const tdm_space s = tdm_space_of(small);
    tdm_tried tried[12] = {0};
    bool seen[8] = {false};
    tdm_err err;
    for (size_t k = 0; k < 12; k++) {
        tdm_params p = tdm_params_standard(small);
        CHECK_OK(tdm_tpe_propose(tried[k].x, &s, tried, k, 1, &err), err);
        tdm_space_settings(&p, &s, tried[k].x);
        size_t cell = (size_t)(p.value[0] - 1) * 2 + (size_t)p.value[1];
        if (k < 8) assert_false(seen[cell]);
        seen[cell] = true;
        tried[k].value = (double)cell;
        tried[k].steps = SIZE_MAX;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_and_points),
        cmocka_unit_test(further_is_better),
        cmocka_unit_test(finds_more_than_chance),
        cmocka_unit_test(no_settings_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
