/* SPDX-License-Identifier: Apache-2.0 */
/* The inverse of large symmetric matrices against elimination in double, and its bits at 1, 2 and 7 threads. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "kernels/spd.h"

#include <math.h>
#include <string.h>

/* X'X + I of drawn columns that share a part, so that nothing is diagonal; above the diagonal stands what must not be
 * read. */
static float *drawn(size_t n)
{
    size_t rows = n / 2 + 1; /* fewer than n: without the identity it has no inverse */
    float *x = tdm_new(rows, n * sizeof *x), *A = tdm_new(n, n * sizeof *A);
    tdm_rng r = tdm_rng_make(7, 1, n);
    CHECK(x && A);
    for (size_t k = 0; k < rows; k++) {
        double shared = tdm_rng_normal(&r);
        for (size_t i = 0; i < n; i++) x[k * n + i] = (float)(tdm_rng_normal(&r) + 0.3 * shared);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = i == j;
            for (size_t k = 0; k < rows && j <= i; k++) sum += (double)x[k * n + i] * (double)x[k * n + j] / 10;
            A[i * n + j] = j <= i ? (float)sum : NAN;
        }
    tdm_free(x);
    return A;
}

/* Gauss-Jordan without pivots, which a positive definite matrix does not need. */
static double *eliminated(const float *A, size_t n)
{
    double *a = tdm_new(n, n * sizeof *a);
    CHECK(a);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) a[i * n + j] = (double)(j <= i ? A[i * n + j] : A[j * n + i]);
    for (size_t k = 0; k < n; k++) {
        double pivot = 1 / a[k * n + k];
        a[k * n + k] = 1;
        for (size_t j = 0; j < n; j++) a[k * n + j] *= pivot;
        for (size_t i = 0; i < n; i++) {
            if (i == k) continue;
            double x = a[i * n + k];
            a[i * n + k] = 0;
            for (size_t j = 0; j < n; j++) a[i * n + j] -= x * a[k * n + j];
        }
    }
    return a;
}

static tdm_status invert(float *A, size_t n, size_t threads, tdm_err *err)
{
    struct tdm_run run = {.seed = 1};
    CHECK_OK(tdm_pool_open(&run.pool, threads, err), *err);
    tdm_status st = tdm_spd_invert(A, n, &run, "test", err);
    tdm_pool_close(run.pool);
    return st;
}

static void the_inverse_is_near_the_exact_one(void **state)
{
    (void)state;
    const size_t size[] = {1, 2, 31, 255, 256, 257, 600};
    for (size_t c = 0; c < sizeof size / sizeof *size; c++) {
        size_t n = size[c];
        tdm_err err;
        float *A = drawn(n);
        double *want = eliminated(A, n), most = 0, off = 0;
        CHECK_OK(invert(A, n, 2, &err), err);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                CHECK(A[i * n + j] == A[j * n + i]);
                most = fmax(most, fabs(want[i * n + j]));
                off = fmax(off, fabs((double)A[i * n + j] - want[i * n + j]));
            }
        /* the smallest eigenvalue is 1 and the largest about 0.0045 n^2: 1,600 * 2^-24 is 1e-4, were every rounding as
         * bad as it can be */
        if (!(off <= 1e-4 * most)) fail_msg("n = %zu: off by %g, and the largest is %g", n, off, most);
        tdm_free(A);
        tdm_free(want);
    }
}

static void the_bits_do_not_depend_on_the_threads(void **state)
{
    (void)state;
    enum { N = 600 };
    tdm_err err;
    float *one = drawn(N);
    CHECK_OK(invert(one, N, 1, &err), err);
    for (size_t threads = 2; threads <= 7; threads += 5) {
        float *many = drawn(N);
        CHECK_OK(invert(many, N, threads, &err), err);
        CHECK(!memcmp(one, many, N * N * sizeof *one));
        tdm_free(many);
    }
    tdm_free(one);
}

static void what_is_not_positive_definite_is_named(void **state)
{
    (void)state;
    enum { N = 300 };
    const float bad[] = {-1, 0, NAN, INFINITY};
    for (size_t k = 0; k < 4; k++) {
        tdm_err err;
        float *A = tdm_new(N, N * sizeof *A);
        CHECK(A);
        for (size_t i = 0; i < N; i++) A[i * N + i] = i == 290 ? bad[k] : 1;
        CHECK(invert(A, N, 2, &err) == TDM_E_ARG);
        CHECK(strstr(err.msg, "row 290 of 300"));
        tdm_free(A);
    }
}

static void failed_memory_and_interruption_are_survived(void **state)
{
    (void)state;
    enum { N = 300 };
    tdm_err err;
    float *A = drawn(N);
    struct tdm_run run = {.seed = 1};
    size_t live = tdm_mem_live();
    tdm_mem_fail_after(0);
    CHECK(tdm_spd_invert(A, N, &run, "test", &err) == TDM_E_NOMEM);
    tdm_mem_fail_after(-1);
    tdm_run_cancel(&run);
    CHECK(tdm_spd_invert(A, N, &run, "test", &err) == TDM_E_CANCELLED);
    CHECK(tdm_mem_live() == live);
    tdm_free(A);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_inverse_is_near_the_exact_one),
        cmocka_unit_test(the_bits_do_not_depend_on_the_threads),
        cmocka_unit_test(what_is_not_positive_definite_is_named),
        cmocka_unit_test(failed_memory_and_interruption_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
