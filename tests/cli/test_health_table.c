/* SPDX-License-Identifier: Apache-2.0 */
/* test_health_table.c - the health table on a terminal, and forget as a verb. */
#include "check.h"
#include "cli/program.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 80, SCREEN = 50 };

/* Sixty people over three years, with ratings, texts and ids that try to draw on the terminal. */
static void log_write(void)
{
    tdm_buf b = {0};
    tdm_buf_str(&b, "user,item,rating,time,summary\n");
    for (int u = 0; u < 60; u++)
        for (int k = 0; k < 2 + u % 9 * (u % 9); k++)
            tdm_buf_fmt(&b, "person%02d,item%03d,%d,%d,\"it is the one that we have\"\n", u, (u * 7 + k * k) % 150,
                        1 + (u + k) % 5, 1400000000 + (u * 17 + k * 13) % 1000 * 86400 + u);
    tdm_buf_str(&b, "p\x1b[31m,item001,5,x,bad time\n");
    CHECK(!b.failed);
    free(scratch_file("log.csv", b.p));
    tdm_buf_clear(&b);
}

static size_t columns(const char *s, size_t n)
{
    size_t c = 0;
    for (size_t i = 0; i < n; i++) c += ((unsigned char)s[i] & 0xc0) != 0x80;
    return c;
}

static void has(const char *text, const char *needle)
{
    if (!strstr(text, needle)) fail_msg("\"%s\" is not in:\n%s", needle, text);
}

static void the_table_fits_a_screen(void **state)
{
    (void)state;
    said s = program_run("", "prepare log.csv -o d -q"), again = program_run("", "inspect d");
    CHECK(s.status == 0 && again.status == 0);
    has(again.out, s.out);
    has(again.out, "dataset folder");
    size_t lines = 0;
    for (const char *p = s.out; *p; lines++) {
        size_t n = strcspn(p, "\n"), most = strncmp(p, "  - ", 4) && strncmp(p, "    ", 4) ? WIDTH : 100;
        if (columns(p, n) > most) fail_msg("%zu columns: %.*s", columns(p, n), (int)n, p);
        if (memchr(p, 0x1b, n)) fail_msg("an escape: %.*s", (int)n, p);
        p += n + (p[n] == '\n');
    }
    if (lines > SCREEN) fail_msg("%zu lines:\n%s", lines, s.out);
    static const char *const parts[] = {"data health",
                                        "rows read",
                                        "people",
                                        "rejected",
                                        "bad time",
                                        "people by items (median",
                                        "items by people (median",
                                        "ratings",
                                        "months a bar",
                                        "core",
                                        "the long tail",
                                        "English 100%",
                                        "█",
                                        "2014-05"};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) has(s.out, parts[k]);
    said_clear(&s);
    said_clear(&again);
}

static void forget_is_a_verb(void **state)
{
    (void)state;
    said s = program_run("", "prepare log.csv -o f -q");
    CHECK(s.status == 0);
    said_clear(&s);
    s = program_run("", "forget f");
    CHECK(s.status == 2);
    has(s.err, "--user ID");
    said_clear(&s);
    s = program_run("", "forget f --user person99");
    CHECK(s.status == 1);
    has(s.err, "the nearest by spelling: person");
    said_clear(&s);
    s = program_run("", "forget f --user person11");
    CHECK(s.status == 0);
    has(s.out, "person11 was removed from f with 6 interactions; 59 people");
    said_clear(&s);
    s = program_run("", "forget f --user person11");
    CHECK(s.status == 1);
    said_clear(&s);
}

static int begin(void **state)
{
    (void)state;
    scratch_open();
    log_write();
    return 0;
}

static int end(void **state)
{
    (void)state;
    scratch_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_table_fits_a_screen), cmocka_unit_test(forget_is_a_verb)};
    return cmocka_run_group_tests(tests, begin, end);
}
