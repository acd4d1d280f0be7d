/* SPDX-License-Identifier: Apache-2.0 */
/* test_health.c - the health table: every figure of a log small enough to work out by hand, cores against the plain
 * way, rates, and the same table at any number of threads. */
#include "check.h"

#include "base/mem.h"
#include "base/run.h"
#include "data/health_log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DAY = 86400 };

/* ---- by hand ---- */

/* ann: tea and mug at one instant, tea again on the leap day; bob: tea, mug, jar; cat: tea; dan: jar, nothing known. */
static tdm_dataset *kitchen(void)
{
    const int64_t t = 951739200; /* 2000-02-28 12:00 UTC */
    tdm_builder *b = builder();
    add(b, (row){"ann", "tea", 5, t, "Good", "I like it"});
    add(b, (row){"ann", "mug", 4, t, NULL, "four"});
    add(b, (row){"ann", "tea", 5, t + DAY, NULL, NULL});
    add(b, (row){"bob", "tea", 5, t + 1, "abc", NULL});
    add(b, (row){"bob", "mug", 3, t + 2, NULL, NULL});
    add(b, (row){"bob", "jar", 4, t + 3 * DAY, NULL, NULL});
    add(b, (row){"cat", "tea", 5, t + 7, NULL, NULL});
    add(b, (row){"dan", "jar", NAN, TDM_NO_TIME, NULL, NULL});
    title(b, "tea", "Tea");
    return finish(b);
}

static void a_small_log_is_counted_exactly(void **state)
{
    (void)state;
    cJSON *h = health_close(kitchen());
    is(h, "users", 4);
    is(h, "items", 3);
    is(h, "interactions", 8);
    is(h, "repeated_pairs", 1);
    is(h, "density", 7.0 / 12);
    is(h, "items_with_title", 1);
    is(h, "text_coverage", 3.0 / 8);
    is_text(h, "text_bytes/histogram", "{\"1\":0,\"2-3\":1,\"4-7\":1,\"8-15\":1}"); /* "abc", "four", 4 + 9 bytes */
    is(h, "text_bytes/summaries", 2);
    is(h, "text_bytes/reviews", 2);
    is(h, "text_bytes/mean", 20.0 / 3);
    is(h, "text_bytes/most", 13);
    is_text(h, "ratings", "{\"3\":1,\"4\":2,\"5\":4}");
    is_text(h, "time_span", "[951739200,951998400]");
    is(h, "interactions_with_time", 7);
    is(h, "users_with_time_ties", 1);
    is_text(h, "times_in_days", "false");
    is_text(h, "time_line",
            "{\"unit\":\"day\",\"counts\":{\"2000-02-28\":5,\"2000-02-29\":1,\"2000-03-01\":0,\"2000-03-02\":1}}");
    is_text(h, "busiest_instant", "{\"time\":951739200,\"interactions\":2,\"share\":0.25}");
    is_text(h, "history", "{\"mean\":2,\"median\":2,\"most\":3,\"histogram\":{\"1\":2,\"2-3\":2}}");
    is(h, "popularity/mean", 8.0 / 3);
    is(h, "popularity/median", 2);
    is(h, "popularity/most", 4);
    is_text(h, "popularity/histogram", "{\"1\":0,\"2-3\":2,\"4-7\":1}");
    is(h, "popularity/single", 0);
    is(h, "popularity/unseen", 0);
    is(h, "popularity/top_1_percent", 0.5);
    is(h, "popularity/gini", 1.0 / 6); /* (-2 * 2 + 0 * 2 + 2 * 4) / (3 * 8) */
    /* cat and dan go, then jar with bob alone: ann three, bob two */
    is_text(h, "core/2", "{\"users\":2,\"items\":2,\"interactions\":5}");
    is_text(h, "core/3", "{\"users\":0,\"items\":0,\"interactions\":0}");
    is(h, "bots/users", 0);
    CHECK(warns(h, "1 of 8 interactions have no time") && warns(h, "2 of 4 people (50%) have a single interaction"));
    CHECK(warns(h, "1 of 4 people have interactions at one instant") && warns(h, "57% of the ratings are 5"));
    cJSON_Delete(h);
}

static void long_histories_are_sorted_by_every_digit(void **state)
{
    (void)state;
    static const int lengths[] = {2500, 9, 5000, 4100, 1};
    tdm_builder *b = builder();
    for (int u = 0; u < 5; u++)
        for (int k = 0; k < lengths[u]; k++) {
            char user[16], item[16];
            snprintf(user, sizeof user, "p%d", u);
            snprintf(item, sizeof item, "i%d", k % 7);
            add(b, (row){user, item, 5, 1000000 + k, NULL, NULL});
        }
    cJSON *h = health_close(finish(b));
    is(h, "history/median", 2500);
    is(h, "history/most", 5000);
    is(h, "repeated_pairs", 2500 + 9 + 5000 + 4100 + 1 - 4 * 7 - 1);
    is_text(h, "history/histogram",
            "{\"1\":1,\"2-3\":0,\"4-7\":0,\"8-15\":1,\"16-31\":0,\"32-63\":0,\"64-127\":0,"
            "\"128-255\":0,\"256-511\":0,\"512-1023\":0,\"1024-2047\":0,\"2048-4095\":1,"
            "\"4096-8191\":2}");
    cJSON_Delete(h);
}

static void nothing_known_is_said_and_not_invented(void **state)
{
    (void)state;
    tdm_builder *b = builder();
    for (int k = 0; k < 3; k++) add(b, (row){k == 2 ? "b" : "a", k ? "y" : "x", NAN, TDM_NO_TIME, NULL, NULL});
    cJSON *h = health_close(finish(b));
    const char *const none[] = {"time_span", "time_line", "busiest_instant", "bots"};
    for (size_t k = 0; k < sizeof none / sizeof *none; k++) is_text(h, none[k], "null");
    is_text(h, "ratings", "{}");
    is_text(h, "text_languages", "{}");
    CHECK(warns(h, "There are no times") && warns(h, "There are no ratings") && warns(h, "Nobody wrote a text"));
    cJSON_Delete(h);
}

static void a_table_is_brought_up_to_date(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = kitchen();
    cJSON *h = cJSON_CreateObject();
    cJSON_AddNumberToObject(h, "rows_read", 10);
    cJSON_AddNumberToObject(h, "duplicates", 1);
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(h, "rejected"), "bad time", 1);
    cJSON_AddNumberToObject(h, "users", 99);
    for (int twice = 0; twice < 2; twice++) {
        CHECK_OK(tdm_health_add(h, d, NULL, &err), err);
        is(h, "users", 4);
        is(h, "rows_read", 10);
        CHECK(warns(h, "1 of 10 rows (10%) could not be used") && warns(h, "1 of 10 rows (10%) were exact duplicates"));
    }
    size_t users = 0;
    const cJSON *v;
    cJSON_ArrayForEach(v, h) users += !strcmp(v->string, "users");
    CHECK(users == 1);
    cJSON_Delete(h);
    tdm_dataset_close(d);
}

static void the_step_of_the_time_line_fits_its_length(void **state)
{
    (void)state;
    static const struct {
        int days;
        const char *unit, *first, *last;
    } cases[] = {{0, "day", "1999-12-31", "1999-12-31"}, {90, "day", "1999-12-31", "2000-03-30"},
                 {91, "month", "1999-12", "2000-03"},    {1093, "month", "1999-12", "2002-12"},
                 {1094, "year", "1999", "2002"},         {36525, "year", "1999", "2099"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tdm_builder *b = builder();
        add(b, (row){"a", "x", 1, 946598400, NULL, NULL}); /* 1999-12-31 */
        add(b, (row){"a", "y", 1, 946598400 + (int64_t)cases[k].days * DAY + DAY - 1, NULL, NULL});
        cJSON *h = health_close(finish(b));
        const cJSON *first = at(h, "time_line/counts")->child, *last = first;
        while (last->next) last = last->next;
        if (strcmp(cJSON_GetStringValue(at(h, "time_line/unit")), cases[k].unit) ||
            strcmp(first->string, cases[k].first) || strcmp(last->string, cases[k].last))
            fail_msg("%d days: %s", cases[k].days, cJSON_Print(at(h, "time_line")));
        cJSON_Delete(h);
    }
    tdm_builder *b = builder(); /* before 1970, and too long a time for a line */
    add(b, (row){"a", "x", 1, -1, NULL, NULL});
    cJSON *h = health_close(finish(b));
    is_text(h, "time_line/counts", "{\"1969-12-31\":1}");
    cJSON_Delete(h);
    b = builder();
    add(b, (row){"a", "x", 1, INT64_MIN + 1, NULL, NULL});
    add(b, (row){"a", "y", 1, INT64_MAX, NULL, NULL});
    h = health_close(finish(b));
    is_text(h, "time_line", "null");
    is(h, "bots/users", 0);
    cJSON_Delete(h);
}

/* ---- cores ---- */

static void a_chain_peels_to_nothing_and_a_ring_stays(void **state)
{
    (void)state;
    enum { LINKS = 5000 };
    char user[16], item[16];
    for (int ring = 0; ring < 2; ring++) {
        tdm_builder *b = builder();
        for (int k = 0; k < LINKS; k++)
            for (int side = 0; side < 2; side++) { /* person k has items k and k + 1 */
                if (k + side == LINKS && !ring) continue;
                snprintf(user, sizeof user, "p%d", k);
                snprintf(item, sizeof item, "i%d", (k + side) % LINKS);
                add(b, (row){user, item, 1, 10, NULL, NULL});
            }
        cJSON *h = health_close(finish(b));
        is(h, "core/2/users", ring ? LINKS : 0);
        is(h, "core/2/interactions", ring ? 2 * LINKS : 0);
        is(h, "core/3/items", 0);
        cJSON_Delete(h);
    }
}

/* A log of `people` with drawn histories, some long, items ever rarer. */
static tdm_dataset *drawn(int people)
{
    static const char *const words[] = {"it is the best of all", "das ist nicht gut und sehr klein", "ok", ""};
    char user[16], item[16], name[32];
    uint32_t x = 12345;
    tdm_builder *b = builder();
    for (int u = 0; u < people; u++) {
        x = x * 1664525u + 1013904223u;
        int n = 1 + (int)(x >> 28) * (u % 50 ? 1 : 20);
        for (int k = 0; k < n; k++) {
            x = x * 1664525u + 1013904223u;
            uint32_t i = (x >> 16) % 1000 * (x >> 26) / 64;
            snprintf(user, sizeof user, "p%d", u);
            snprintf(item, sizeof item, "i%u", i);
            add(b, (row){user, item, (float)(1 + (x >> 13) % 5), 1000000000 + (int64_t)((x >> 8) % 5000) * 7777,
                         words[x >> 9 & 3], NULL});
        }
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(item, sizeof item, "i%d", i);
        snprintf(name, sizeof name, i % 10 ? "Thing no. %d" : "THING: no %d!", i / 2);
        title(b, item, name);
    }
    return finish(b);
}

/* The plain way: passes over all rows until nothing changes. */
static void core_plain(size_t out[3], const tdm_dataset *d, unsigned k)
{
    uint8_t *keep = tdm_new(d->N, 1);
    unsigned *users = tdm_new(d->U, sizeof *users), *items = tdm_new(d->I, sizeof *items);
    CHECK(keep && users && items);
    memset(keep, 1, d->N);
    for (bool changed = true; changed;) {
        changed = false;
        memset(users, 0, d->U * sizeof *users);
        memset(items, 0, d->I * sizeof *items);
        for (size_t u = 0; u < d->U; u++)
            for (int64_t j = d->offset[u]; j < d->offset[u + 1]; j++)
                if (keep[j]) users[u]++, items[d->item[j]]++;
        for (size_t u = 0; u < d->U; u++)
            for (int64_t j = d->offset[u]; j < d->offset[u + 1]; j++)
                if (keep[j] && (users[u] < k || items[d->item[j]] < k)) keep[j] = 0, changed = true;
    }
    memset(out, 0, 3 * sizeof *out);
    for (size_t u = 0; u < d->U; u++) out[0] += users[u] > 0;
    for (size_t i = 0; i < d->I; i++) out[1] += items[i] > 0;
    for (size_t j = 0; j < d->N; j++) out[2] += keep[j];
    tdm_free(keep);
    tdm_free(users);
    tdm_free(items);
}

static void cores_are_those_of_plain_passes(void **state)
{
    (void)state;
    static const unsigned cores[] = {2, 3, 5, 10, 20};
    tdm_dataset *d = drawn(2000);
    cJSON *h = health_of(d, NULL);
    size_t again = 0, rows = 0;
    for (size_t k = 0; k < 5; k++) {
        size_t want[3];
        char path[40];
        core_plain(want, d, cores[k]);
        for (int m = 0; m < 3; m++) {
            snprintf(path, sizeof path, "core/%u/%s", cores[k], m == 0 ? "users" : m == 1 ? "items" : "interactions");
            is(h, path, (double)want[m]);
        }
        rows += want[2] > 0 && want[2] < d->N;
    }
    CHECK(rows >= 3); /* else this log tests nothing */
    for (size_t u = 0; u < d->U; u++)
        for (int64_t j = d->offset[u]; j < d->offset[u + 1]; j++) {
            int64_t m = d->offset[u];
            while (d->item[m] != d->item[j]) m++;
            again += m < j;
        }
    CHECK(again > 100);
    is(h, "repeated_pairs", (double)again);
    cJSON_Delete(h);
    tdm_dataset_close(d);
}

static void threads_do_not_change_the_table(void **state)
{
    (void)state;
    tdm_dataset *d = drawn(3000);
    cJSON *h = health_of(d, NULL);
    char *alone = cJSON_Print(h);
    cJSON_Delete(h);
    static const size_t threads[] = {1, 2, 7};
    for (size_t k = 0; k < 3; k++) {
        tdm_run *run;
        tdm_err err;
        CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = threads[k], .seed = 1}, &err), err);
        h = health_of(d, run);
        char *text = cJSON_Print(h);
        CHECK(!strcmp(text, alone));
        cJSON_free(text);
        cJSON_Delete(h);
        tdm_run_close(run);
    }
    cJSON_free(alone);
    tdm_dataset_close(d);
}

/* ---- rates ---- */

/* Twenty people who choose `pace` items on each of three days, and one who chooses n, `gap` seconds apart. */
static cJSON *crowd(int pace, int n, int gap)
{
    char user[16], item[16];
    tdm_builder *b = builder();
    for (int u = 0; u < 20; u++)
        for (int k = 0; k < 3 * pace; k++) {
            snprintf(user, sizeof user, "p%d", u);
            snprintf(item, sizeof item, "i%d", k);
            add(b, (row){user, item, 5, 1000000000 + (int64_t)(k / pace) * 10 * DAY + k % pace * 100, NULL, NULL});
        }
    for (int k = 0; k < n; k++) {
        snprintf(item, sizeof item, "i%d", k % 500);
        add(b, (row){"robot", item, 5, 1000000000 + (int64_t)k * gap, NULL, NULL});
    }
    return health_close(finish(b));
}

static void rates_are_held_against_those_of_the_log(void **state)
{
    (void)state;
    static const struct {
        int pace, n, gap, flagged;
    } cases[] = {
        {1, 60, 0, 0},                       /* 60 in a minute is the most that passes */
        {1, 61, 0, 1},                       /* 61 is not */
        {1, 100, 863, 0},                    /* 100 in a day */
        {1, 101, 863, 1},  {1, 101, 864, 0}, /* the last comes 86,400 s after the first: another day */
        {15, 140, 600, 0},                   /* where people choose 15 a day, up to 150 are nothing */
        {15, 151, 500, 1},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        cJSON *h = crowd(cases[k].pace, cases[k].n, cases[k].gap);
        int want = cases[k].flagged;
        if (tdm_json_num(at(h, "bots"), "users", -1) != want) fail_msg("case %zu: %s", k, cJSON_Print(at(h, "bots")));
        if (want) {
            is(h, "bots/interactions", cases[k].n);
            is(h, "bots/share", (double)cases[k].n / (60.0 * cases[k].pace + cases[k].n));
            is_text(h, "bots/examples/0/user", "\"robot\"");
            CHECK(warns(h, "1 person chose faster"));
        }
        cJSON_Delete(h);
    }
}

static void a_log_that_knows_days_alone_has_no_minutes(void **state)
{
    (void)state;
    char item[16];
    tdm_builder *b = builder();
    for (int k = 0; k < 90; k++) { /* 90 at one instant, which is a day */
        snprintf(item, sizeof item, "i%d", k);
        add(b, (row){"keen", item, 5, 11000 * (int64_t)DAY, NULL, NULL});
        add(b, (row){"calm", item, 5, (11000 + k) * (int64_t)DAY, NULL, NULL});
    }
    cJSON *h = health_close(finish(b));
    is_text(h, "times_in_days", "true");
    is_text(h, "bots/over_in_a_minute", "null");
    is(h, "bots/users", 0);
    is_text(h, "busiest_instant", "{\"time\":950400000,\"interactions\":91,\"share\":0.50555555555555554}");
    CHECK(warns(h, "Times are whole days"));
    cJSON_Delete(h);
}

static void the_busiest_instant_is_found_among_many(void **state)
{
    (void)state;
    char item[16];
    for (int many = 3; many <= 6; many++) { /* 1 row in 1,024 of 5,000 is 4.88 */
        tdm_builder *b = builder();
        for (int k = 0; k < 5000; k++) {
            snprintf(item, sizeof item, "i%d", k % 100);
            add(b, (row){k % 2 ? "a" : "b", item, 5, k < many ? 77 : 1000 + 13 * (int64_t)k, NULL, NULL});
        }
        cJSON *h = health_close(finish(b));
        if (many < 5) is_text(h, "busiest_instant", "null");
        else is(h, "busiest_instant/interactions", many);
        cJSON_Delete(h);
    }
}

/* ---- failures ---- */

static void short_memory_is_an_error_and_no_leak(void **state)
{
    (void)state;
    tdm_dataset *d = drawn(60);
    size_t live = tdm_mem_live();
    long k = 0;
    for (; k < 1000; k++) {
        tdm_err err = {{0}};
        cJSON *h = cJSON_CreateObject();
        tdm_mem_fail_after(k);
        tdm_status st = tdm_health_add(h, d, NULL, &err);
        tdm_mem_fail_after(-1);
        cJSON_Delete(h);
        if (tdm_mem_live() != live) fail_msg("allocation %ld failed: %zu blocks left", k, tdm_mem_live() - live);
        if (!st) break;
        CHECK(st == TDM_E_NOMEM && err.msg[0]);
    }
    CHECK(k > 15 && k < 1000);
    tdm_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_log_is_counted_exactly),
        cmocka_unit_test(long_histories_are_sorted_by_every_digit),
        cmocka_unit_test(nothing_known_is_said_and_not_invented),
        cmocka_unit_test(a_table_is_brought_up_to_date),
        cmocka_unit_test(the_step_of_the_time_line_fits_its_length),
        cmocka_unit_test(a_chain_peels_to_nothing_and_a_ring_stays),
        cmocka_unit_test(cores_are_those_of_plain_passes),
        cmocka_unit_test(threads_do_not_change_the_table),
        cmocka_unit_test(rates_are_held_against_those_of_the_log),
        cmocka_unit_test(a_log_that_knows_days_alone_has_no_minutes),
        cmocka_unit_test(the_busiest_instant_is_found_among_many),
        cmocka_unit_test(short_memory_is_an_error_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
