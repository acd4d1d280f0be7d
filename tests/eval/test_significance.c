/* SPDX-License-Identifier: Apache-2.0 */
/* test_significance.c - intervals that hold the mean, tests that find what is there and nothing else. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "eval/significance.h"

#include <math.h>
#include <string.h>

enum { P = 2000, R = 1000 };

static tdm_pool *pool_of(size_t threads)
{
    tdm_err err;
    tdm_pool *pool;
    CHECK_OK(tdm_pool_open(&pool, threads, &err), err);
    return pool;
}

static double *drawn(size_t n, uint64_t seed, double mean)
{
    double *x = tdm_new(n, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) {
        tdm_rng r = tdm_rng_make(seed, i, 0);
        x[i] = mean + tdm_rng_normal(&r);
    }
    return x;
}

static void bootstrap_interval_is_that_of_the_normal_approximation(void **state)
{
    (void)state;
    tdm_err err;
    tdm_pool *pool = pool_of(2);
    double *x = drawn(P, 1, 0.3), *boot = tdm_new(R, sizeof *boot), low, high, mean = 0, square = 0;
    CHECK_OK(tdm_bootstrap(boot, x, P, 1, R, 7, pool, &err), err);
    for (size_t r = 0; r < R; r++) boot[r] /= P;
    tdm_interval(&low, &high, boot, R);
    for (size_t i = 0; i < P; i++) mean += x[i] / P;
    for (size_t i = 0; i < P; i++) square += (x[i] - mean) * (x[i] - mean);
    double half = 1.96 * sqrt(square / P / P);
    /* the 2.5% point of 1,000 resamples scatters by about 6% of the half width; four of that */
    assert_true(fabs(low - (mean - half)) < 0.25 * half && fabs(high - (mean + half)) < 0.25 * half);
    tdm_free(x);
    tdm_free(boot);
    tdm_pool_close(pool);
}

static void a_constant_has_an_interval_without_width(void **state)
{
    (void)state;
    tdm_err err;
    double x[50], boot[R], low, high;
    for (int i = 0; i < 50; i++) x[i] = 0.25;
    CHECK_OK(tdm_bootstrap(boot, x, 50, 1, R, 7, NULL, &err), err);
    for (size_t r = 0; r < R; r++) boot[r] /= 50;
    tdm_interval(&low, &high, boot, R);
    assert_true(low == 0.25 && high == 0.25);
}

static void columns_of_one_call_see_the_same_people(void **state)
{
    (void)state;
    tdm_err err;
    double *x = drawn(P, 2, 0), *two = tdm_new(P, 2 * sizeof *two), *a = tdm_new(R, sizeof *a),
           *b = tdm_new(R, 2 * sizeof *b);
    for (size_t i = 0; i < P; i++) {
        two[2 * i] = 1;
        two[2 * i + 1] = x[i];
    }
    CHECK_OK(tdm_bootstrap(a, x, P, 1, R, 9, NULL, &err), err);
    CHECK_OK(tdm_bootstrap(b, two, P, 2, R, 9, NULL, &err), err);
    for (size_t r = 0; r < R; r++) assert_true(a[r] == b[2 * r + 1] && b[2 * r] == P);
    tdm_free(x);
    tdm_free(two);
    tdm_free(a);
    tdm_free(b);
}

static void equal_models_have_p_one(void **state)
{
    (void)state;
    tdm_err err;
    double d[100] = {0}, p = 0;
    CHECK_OK(tdm_paired_test(&p, d, 100, 10000, 1, NULL, &err), err);
    assert_true(p == 1);
}

static void a_clear_difference_has_the_smallest_p_and_none_has_a_large_one(void **state)
{
    (void)state;
    tdm_err err;
    double *clear = drawn(P, 3, 0.2), *none = drawn(P, 4, 0), p, sum = 0;
    CHECK_OK(tdm_paired_test(&p, clear, P, 10000, 1, NULL, &err), err);
    assert_true(p == 1.0 / 10001);
    for (size_t i = 0; i < P; i++) sum += none[i];
    for (size_t i = 0; i < P; i++) none[i] -= sum / P; /* a mean of nothing but rounding */
    CHECK_OK(tdm_paired_test(&p, none, P, 10000, 1, NULL, &err), err);
    assert_true(p > 0.9);
    tdm_free(clear);
    tdm_free(none);
}

/* All 2^12 signs, counted one by one; the draws must come near that. Twelve people are two tables of eight. */
static void p_is_the_share_of_sign_flips_at_least_as_far_out(void **state)
{
    (void)state;
    tdm_err err;
    const double d[] = {0.5, 0.25, 0, 1, -0.25, 0.75, 0.125, -0.5, 0.5, 0.375, 0.25, 1, -0.625};
    double observed = 0, p;
    int beyond = 0;
    for (int i = 0; i < 13; i++) observed += d[i];
    for (int signs = 0; signs < 8192; signs++) { /* the zero's sign counts everything twice */
        double sum = 0;
        for (int i = 0; i < 13; i++) sum += signs >> i & 1 ? d[i] : -d[i];
        beyond += fabs(sum) >= fabs(observed);
    }
    CHECK_OK(tdm_paired_test(&p, d, 13, 100000, 5, NULL, &err), err);
    double exact = beyond / 8192.0, scatter = sqrt(exact * (1 - exact) / 100000);
    assert_true(exact > 0.01 && exact < 0.9 && fabs(p - exact) < 4 * scatter);
}

static void holm_by_hand(void **state)
{
    (void)state;
    /* sorted .01 .02 .03 .04 times 4 3 2 1 = .04 .06 .06 .04, then never below the one before */
    double p[] = {0.04, 0.01, 0.03, 0.02}, one[] = {0.7, 0.6};
    const double want[] = {0.06, 0.04, 0.06, 0.06};
    tdm_holm(p, 4);
    for (int i = 0; i < 4; i++) assert_true(fabs(p[i] - want[i]) < 1e-15);
    tdm_holm(one, 2);
    assert_true(one[0] == 1 && one[1] == 1);
    tdm_holm(one, 0);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    tdm_err err;
    double *x = drawn(P * 3, 6, 0.01), *first = tdm_new(R, 3 * sizeof *first), *again = tdm_new(R, 3 * sizeof *again),
           p[2];
    const size_t threads[] = {1, 2, 7};
    for (int t = 0; t < 3; t++) {
        tdm_pool *pool = pool_of(threads[t]);
        CHECK_OK(tdm_bootstrap(t ? again : first, x, P, 3, R, 1, pool, &err), err);
        CHECK_OK(tdm_paired_test(&p[t > 0], x, P, 10000, 1, pool, &err), err);
        tdm_pool_close(pool);
        if (t) assert_memory_equal(first, again, R * 3 * sizeof *first);
        if (t) assert_true(p[0] == p[1]);
    }
    tdm_free(x);
    tdm_free(first);
    tdm_free(again);
}

static void short_memory_is_reported(void **state)
{
    (void)state;
    tdm_err err;
    double x[64], boot[16], p;
    for (int i = 0; i < 64; i++) x[i] = i;
    size_t live = tdm_mem_live();
    tdm_mem_fail_after(0);
    assert_int_equal(tdm_bootstrap(boot, x, 64, 1, 16, 1, NULL, &err), TDM_E_NOMEM);
    for (long k = 0; k < 3; k++) {
        tdm_mem_fail_after(k);
        assert_int_equal(tdm_paired_test(&p, x, 64, 1000, 1, NULL, &err), TDM_E_NOMEM);
    }
    tdm_mem_fail_after(-1);
    assert_int_equal(tdm_mem_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bootstrap_interval_is_that_of_the_normal_approximation),
        cmocka_unit_test(a_constant_has_an_interval_without_width),
        cmocka_unit_test(columns_of_one_call_see_the_same_people),
        cmocka_unit_test(equal_models_have_p_one),
        cmocka_unit_test(a_clear_difference_has_the_smallest_p_and_none_has_a_large_one),
        cmocka_unit_test(p_is_the_share_of_sign_flips_at_least_as_far_out),
        cmocka_unit_test(holm_by_hand),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(short_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
