/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka.h - what the kernels' tests use of cmocka, for a processor that Debian's cmocka was not installed for. The
 * first check that fails ends the program. */
#ifndef TDM_TESTS_ALONE_CMOCKA_H
#define TDM_TESTS_ALONE_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

static inline void tdm_alone_check(int holds, const char *what, const char *file, int line)
{
    if (holds) return;
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    exit(1);
}

static inline int tdm_alone_run(const struct CMUnitTest *tests, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        void *state = NULL;
        printf("%s\n", tests[i].name);
        fflush(stdout);
        tests[i].run(&state);
    }
    return 0;
}

#define assert_true(x) tdm_alone_check(!!(x), #x, __FILE__, __LINE__)
#define assert_non_null(p) tdm_alone_check((p) != NULL, #p, __FILE__, __LINE__)
#define assert_string_equal(a, b) tdm_alone_check(!strcmp(a, b), #a " is " #b, __FILE__, __LINE__)
#define cmocka_unit_test(f)                                                                                            \
    {                                                                                                                  \
#f, f                                                                                                          \
    }
#define cmocka_run_group_tests(tests, setup, teardown) tdm_alone_run(tests, sizeof tests / sizeof *tests)

#endif
