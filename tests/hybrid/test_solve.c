/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "hybrid/solve.h"

#include <math.h>

static void small_systems_are_solved(void **state)
{
    (void)state;
    double A[] = {4, 0, 2, 5}, b[] = {8, 14}; /* 4x + 2y = 8, 2x + 5y = 14 */
    CHECK(tdm_solve(A, b, 2));
    CHECK(fabs(b[0] - 0.75) < 1e-12 && fabs(b[1] - 2.5) < 1e-12);
    double flat[] = {1, 0, 2, 1}, c[] = {1, 1};
    CHECK(!tdm_solve(flat, c, 2)); /* not positive definite */
}

/* Rows are folds, columns pulls, the strongest first. */
static void luck_does_not_weaken_the_pull(void **state)
{
    (void)state;
    const double sure[] = {9, 5, 6, 9, 5, 6, 9, 5, 6, 9, 5, 6}; /* every fold says so */
    CHECK(tdm_pull_choose(sure, 4, 3) == 1);
    const double lucky[] = {5, 9, 5, 5, 9, 5, 5, 9, 5, 5.5, 9, 1}; /* one fold makes the weakest the best */
    CHECK(tdm_pull_choose(lucky, 4, 3) == 0);
    const double strongest[] = {1, 2, 1, 2, 1, 2};
    CHECK(tdm_pull_choose(strongest, 3, 2) == 0);
    const double broken[] = {INFINITY, 2, INFINITY, 2, INFINITY, 2};
    CHECK(tdm_pull_choose(broken, 3, 2) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_systems_are_solved),
        cmocka_unit_test(luck_does_not_weaken_the_pull),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
