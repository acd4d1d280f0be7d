/* SPDX-License-Identifier: Apache-2.0 */
/* test_split.c - the protocol, on logs small enough to split by hand. A log is written as words "user item rating
 * time", an item is looked up by its id, and lists of ids are compared as text. */
#include "check.h"

#include "base/mem.h"
#include "data/small_log.h"
#include "data/split.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct line {
    const char *user, *item;
    float rating;
    int64_t time;
    bool test;
} line;

static tdm_dataset *log_make(const line *l, size_t n)
{
    tdm_builder *b;
    tdm_dataset *d;
    tdm_err err;
    CHECK_OK(tdm_builder_open(&b, 7, &err), err);
    for (size_t k = 0; k < n; k++) {
        tdm_row row = {.user = tdm_str_of(l[k].user),
                       .item = tdm_str_of(l[k].item),
                       .rating = l[k].rating,
                       .time = l[k].time,
                       .test = l[k].test,
                       .ordered = l[k].time == TDM_NO_TIME};
        CHECK_OK(tdm_builder_add(b, &row, &err), err);
    }
    CHECK_OK(small_log_finish(&d, b, 0, NULL, &err), err);
    tdm_builder_close(b);
    return d;
}
#define LOG(...) log_make((const line[]){__VA_ARGS__}, sizeof((const line[]){__VA_ARGS__}) / sizeof(line))
#define NONE NAN, TDM_NO_TIME, false

static const char *list(const tdm_dataset *d, const uint32_t *item, size_t n)
{
    static char text[4][256];
    static int turn;
    char *out = text[turn++ % 4], *p = out;
    *p = 0;
    for (size_t k = 0; k < n; k++) {
        tdm_str id = tdm_strings_at(&d->item_id, item[k]);
        p += sprintf(p, "%s%.*s", k ? " " : "", TDM_STR_ARG(id));
    }
    return out;
}

static const char *trained(const tdm_dataset *d, const tdm_split *s, const char *user)
{
    tdm_history h = tdm_dataset_history(s->train, tdm_dataset_user(d, tdm_str_of(user)));
    return list(d, h.items, h.n);
}

/* "history | answers", an answer that does not count in brackets; "" where the person is not asked. */
static const char *asked(const tdm_dataset *d, const tdm_questions *qs, const char *user)
{
    static char text[2][512];
    static int turn;
    char *out = text[turn++ % 2], *p = out;
    *p = 0;
    for (size_t q = 0; q < qs->n; q++) {
        if (qs->user[q] != tdm_dataset_user(d, tdm_str_of(user))) continue;
        tdm_history h = tdm_questions_history(qs, q);
        CHECK(h.self == qs->user[q] && h.now == qs->now[q]);
        p += sprintf(p, "%s |", list(d, h.items, h.n));
        for (int64_t k = qs->target_at[q]; k < qs->target_at[q + 1]; k++)
            p += sprintf(p, qs->target_counts[k] ? " %s" : " (%s)", list(d, &qs->target[k], 1));
    }
    return out;
}

static tdm_split *split(const tdm_dataset *d, tdm_protocol p)
{
    tdm_split *s;
    tdm_err err;
    if (p.positive_from == 0) p.positive_from = NAN;
    CHECK_OK(tdm_split_make(&s, d, &p, &err), err);
    return s;
}

static void the_last_item_is_test_and_the_one_before_validation(void **state)
{
    (void)state;
    tdm_dataset *d =
        LOG({"ann", "a", NONE}, {"ann", "b", NONE}, {"ann", "c", NONE}, {"ann", "d", NONE}, {"bob", "a", NONE},
            {"bob", "b", NONE}, {"cid", "c", NONE}, {"cid", "a", NONE}, {"cid", "c", NONE});
    tdm_split *s = split(d, (tdm_protocol){.split = TDM_SPLIT_LEAVE_ONE_OUT});
    assert_string_equal(trained(d, s, "ann"), "a b");
    assert_string_equal(asked(d, &s->validation, "ann"), "a b | c");
    assert_string_equal(asked(d, &s->test, "ann"), "a b c | d");
    assert_string_equal(trained(d, s, "bob"), "a b"); /* two items: training only */
    assert_string_equal(asked(d, &s->test, "bob"), "");
    assert_string_equal(trained(d, s, "cid"), "a c"); /* three rows of two items; the newest c stays */
    CHECK(s->validation.n == 1 && s->test.n == 1 && s->train->N == 6);
    CHECK(s->train->row[0] < d->N && s->train->fingerprint != d->fingerprint);
    tdm_split_close(s);
    tdm_dataset_close(d);
}

static void an_item_of_the_history_counts_only_where_seen_is_kept(void **state)
{
    (void)state;
    tdm_dataset *d = LOG({"ann", "a", NONE}, {"ann", "b", NONE}, {"ann", "c", NONE}, {"ann", "a", NONE});
    tdm_split *s = split(d, (tdm_protocol){.split = TDM_SPLIT_LEAVE_ONE_OUT});
    assert_string_equal(asked(d, &s->test, "ann"), "a b c | (a)");
    tdm_split_close(s);
    s = split(d, (tdm_protocol){.split = TDM_SPLIT_LEAVE_ONE_OUT, .seen = TDM_SEEN_KEEP});
    assert_string_equal(asked(d, &s->test, "ann"), "a b c | a");
    tdm_split_close(s);
    tdm_dataset_close(d);
}

static void two_instants_cut_the_log_and_ties_fall_behind_the_cut(void **state)
{
    (void)state;
    /* ten rows: the cuts are the instants of rows 8 and 9 (from 0), 80 and 90; the tie at 80 is validation */
    tdm_dataset *d =
        LOG({"ann", "a", 5, 10}, {"ann", "b", 5, 20}, {"ann", "c", 5, 80}, {"ann", "d", 5, 90}, {"bob", "a", 5, 30},
            {"bob", "b", 5, 40}, {"bob", "c", 5, 50}, {"bob", "d", 5, 60}, {"bob", "e", 5, 80}, {"cid", "a", 5, 7});
    tdm_split *s = split(d, (tdm_protocol){.split = TDM_SPLIT_TIME});
    assert_string_equal(trained(d, s, "ann"), "a b");
    assert_string_equal(trained(d, s, "bob"), "a b c d");
    assert_string_equal(asked(d, &s->validation, "ann"), "a b | c");
    assert_string_equal(asked(d, &s->validation, "bob"), "a b c d | e");
    assert_string_equal(asked(d, &s->test, "ann"), "a b c | d");
    CHECK(s->test.n == 1 && s->test.now[0] == 90);
    tdm_split_close(s);
    tdm_dataset_close(d);
    tdm_err err;
    tdm_protocol p = {.split = TDM_SPLIT_TIME, .positive_from = NAN};
    d = LOG({"ann", "a", NONE}, {"ann", "b", NONE});
    CHECK(tdm_split_make(&s, d, &p, &err) == TDM_E_ARG && strstr(err.msg, "leave-one-out"));
    tdm_dataset_close(d);
}

static void a_ratio_holds_out_a_tenth_twice_rounded(void **state)
{
    (void)state;
    tdm_dataset *d =
        LOG({"ann", "a", NONE}, {"ann", "b", NONE}, {"ann", "c", NONE}, {"ann", "d", NONE}, {"ann", "e", NONE},
            {"bob", "a", NONE}, {"bob", "b", NONE}, {"bob", "c", NONE}, {"bob", "d", NONE});
    tdm_split *s = split(d, (tdm_protocol){.split = TDM_SPLIT_RATIO});
    assert_string_equal(trained(d, s, "ann"), "a b c");
    assert_string_equal(asked(d, &s->validation, "ann"), "a b c | d");
    assert_string_equal(asked(d, &s->test, "ann"), "a b c d | e");
    assert_string_equal(trained(d, s, "bob"), "a b c d"); /* a tenth of four rounds to none */
    tdm_split_close(s);
    tdm_dataset_close(d);
}

static void files_say_what_is_test(void **state)
{
    (void)state;
    static char names[100][8];
    line l[101];
    for (int k = 0; k < 100; k++) {
        sprintf(names[k], "i%d", k);
        l[k] = (line){"ann", names[k], 4, 100 + k, k % 4 == 3};
    }
    tdm_dataset *d = log_make(l, 100);
    tdm_split *s = split(d, (tdm_protocol){.split = TDM_SPLIT_FILES, .seed = 3});
    CHECK(s->test.n == 1 && s->test.target_at[1] == 25 && s->test.history_at[1] == 75);
    CHECK(s->validation.n == 1 && s->validation.target_at[1] > 1 && s->validation.target_at[1] < 18);
    CHECK((int64_t)s->train->N + s->validation.target_at[1] == 75);
    for (int64_t k = 0; k < 25; k++) {
        tdm_str id = tdm_strings_at(&d->item_id, s->test.target[k]);
        CHECK((id.p[id.n - 1] - '0' + (id.n == 3 ? 10 * (id.p[1] - '0') : 0)) % 4 == 3);
    }
    tdm_split_close(s);
    tdm_dataset_close(d);
}

static void repeated_pairs_are_resolved_inside_each_part(void **state)
{
    (void)state;
    const line l[] = {
        {"ann", "a", 1, 1}, {"ann", "b", 2, 2}, {"ann", "a", 3, 3}, {"ann", "c", 4, 4}, {"ann", "a", 5, 5}};
    tdm_dataset *d = log_make(l, 5);
    struct {
        tdm_duplicates rule;
        const char *train, *test;
        float first;
    } want[] = {
        {TDM_DUPLICATES_NEWEST, "b a", "b a c | (a)", 2},
        {TDM_DUPLICATES_OLDEST, "a b", "a b c | (a)", 1},
        {TDM_DUPLICATES_SUM, "b a", "b a c | (a)", 2},
        {TDM_DUPLICATES_KEEP, "a b a", "a b a c | (a)", 1},
    };
    for (size_t k = 0; k < 4; k++) {
        tdm_split *s = split(d, (tdm_protocol){.split = TDM_SPLIT_LEAVE_ONE_OUT, .duplicates = want[k].rule});
        assert_string_equal(trained(d, s, "ann"), want[k].train);
        assert_string_equal(asked(d, &s->test, "ann"), want[k].test);
        CHECK(s->train->rating[0] == want[k].first);
        if (want[k].rule == TDM_DUPLICATES_SUM)
            CHECK(s->train->rating[1] == 4); /* 1 + 3, without the 5 of the future */
        tdm_split_close(s);
    }
    tdm_dataset_close(d);
}

static void a_dislike_is_no_positive_but_its_rating_is_judged(void **state)
{
    (void)state;
    tdm_dataset *d = LOG({"ann", "a", 5, 1}, {"ann", "b", 5, 2}, {"ann", "c", 3, 3}, {"ann", "d", 2, 4});
    tdm_split *s = split(d, (tdm_protocol){.split = TDM_SPLIT_LEAVE_ONE_OUT, .positive_from = 3});
    assert_string_equal(asked(d, &s->validation, "ann"), "a b | c");
    assert_string_equal(asked(d, &s->test, "ann"), "a b c | (d)");
    CHECK(s->test.target_rating[0] == 2);
    tdm_split_close(s);
    tdm_dataset_close(d);
}

static void an_answer_given_twice_counts_once(void **state)
{
    (void)state;
    tdm_dataset *d = LOG({"ann", "a", 5, 1, 0}, {"ann", "b", 5, 2, 0}, {"ann", "c", 3, 3, 1}, {"ann", "c", 4, 4, 1});
    tdm_split *s =
        split(d, (tdm_protocol){.split = TDM_SPLIT_FILES, .seen = TDM_SEEN_KEEP, .duplicates = TDM_DUPLICATES_KEEP});
    CHECK(strstr(asked(d, &s->test, "ann"), "| c (c)"));
    tdm_split_close(s);
    tdm_dataset_close(d);
}

static void ties_are_shuffled_by_seed_and_only_ties(void **state)
{
    (void)state;
    static char names[40][8];
    line l[41];
    l[0] = (line){"ann", "z", 5, 1, false};
    for (int k = 0; k < 40; k++) {
        sprintf(names[k], "i%02d", k);
        l[k + 1] = (line){"ann", names[k], 5, 2, false};
    }
    tdm_dataset *d = log_make(l, 41);
    char drawn[3][256];
    for (uint64_t k = 0; k < 3; k++) {
        tdm_split *s =
            split(d, (tdm_protocol){.split = TDM_SPLIT_LEAVE_ONE_OUT, .ties = TDM_TIES_SHUFFLE, .seed = k / 2});
        snprintf(drawn[k], sizeof drawn[k], "%s", trained(d, s, "ann"));
        CHECK(drawn[k][0] == 'z');
        tdm_split_close(s);
    }
    tdm_split *s = split(d, (tdm_protocol){.split = TDM_SPLIT_LEAVE_ONE_OUT});
    CHECK(!strcmp(drawn[0], drawn[1]) && strcmp(drawn[0], drawn[2]) && strcmp(drawn[0], trained(d, s, "ann")));
    tdm_split_close(s);
    tdm_dataset_close(d);
    d = LOG({"ann", "a", NONE}, {"ann", "b", NONE}, {"ann", "c", NONE}, {"ann", "d", NONE}, {"ann", "e", NONE},
            {"ann", "f", NONE});
    s = split(d, (tdm_protocol){.split = TDM_SPLIT_LEAVE_ONE_OUT, .ties = TDM_TIES_SHUFFLE});
    assert_string_equal(asked(d, &s->test, "ann"), "a b c d e | f"); /* no times are no ties */
    tdm_split_close(s);
    tdm_dataset_close(d);
}

static void parts_of_questions_are_whole_and_apart(void **state)
{
    (void)state;
    static char users[200][8];
    static const char *items[] = {"a", "b", "c", "d"};
    line l[800];
    for (int u = 0; u < 200; u++) {
        sprintf(users[u], "u%d", u);
        for (int k = 0; k < 4; k++) l[4 * u + k] = (line){users[u], items[(u + k) % 4], (float)k, k, false};
    }
    tdm_dataset *d = log_make(l, 800);
    tdm_split *s = split(d, (tdm_protocol){.split = TDM_SPLIT_LEAVE_ONE_OUT});
    tdm_questions low, high;
    tdm_err err;
    CHECK_OK(tdm_questions_part(&low, &s->test, d, 0, 0.3, 5, &err), err);
    CHECK_OK(tdm_questions_part(&high, &s->test, d, 0.3, 1, 5, &err), err);
    CHECK(low.n + high.n == 200 && low.n > 35 && low.n < 85);
    for (int u = 0; u < 200; u++) {
        char want[64];
        snprintf(want, sizeof want, "%s", asked(d, &s->test, users[u]));
        const char *a = asked(d, &low, users[u]);
        assert_string_equal(*a ? a : asked(d, &high, users[u]), want);
        CHECK(!*a || !*asked(d, &high, users[u]));
    }
    tdm_questions_clear(&low);
    tdm_questions_clear(&high);
    tdm_split_close(s);
    tdm_dataset_close(d);
}

/* 300 people choose 6 of 200 items each, in order. */
static tdm_dataset *chosen(bool backwards)
{
    static char users[300][8], items[200][8];
    line *l = tdm_new(1800, sizeof *l);
    CHECK(l);
    for (int u = 0; u < 300; u++) sprintf(users[u], "u%d", u);
    for (int i = 0; i < 200; i++) sprintf(items[i], "i%d", i);
    for (int k = 0; k < 1800; k++) {
        int u = k / 6, j = k % 6;
        l[backwards ? 1799 - k : k] = (line){users[u], items[(u * 7 + j * j * 3 + j) % 200], 5, j + 1, false};
    }
    tdm_dataset *d = log_make(l, 1800);
    tdm_free(l);
    return d;
}

/* Cold items are about a tenth, the same whatever the order of rows; nothing of them is in training or in a history,
 * and test is about nothing else. Of what is left a person's last item is for validation, where two stay before it. */
static void cold_items_are_new_to_training(void **state)
{
    (void)state;
    tdm_dataset *d = chosen(false), *again = chosen(true);
    const tdm_protocol p = {.split = TDM_SPLIT_COLD_ITEMS, .positive_from = NAN, .seed = 4};
    tdm_split *s = split(d, p), *t = split(again, p),
              *other = split(d, (tdm_protocol){.split = TDM_SPLIT_COLD_ITEMS, .positive_from = NAN, .seed = 5});
    size_t cold = 0, differ = 0, answers = 0;
    for (uint32_t i = 0; i < d->I; i++) {
        cold += !s->barred[i];
        differ += s->barred[i] != other->barred[i];
        CHECK(t->barred[tdm_dataset_item(again, tdm_strings_at(&d->item_id, i))] == s->barred[i]);
    }
    CHECK(cold >= 10 && cold <= 32 && differ > 0);
    CHECK(s->test.barred == s->barred && !s->validation.barred);
    for (size_t k = 0; k < s->train->N; k++) CHECK(s->barred[s->train->item[k]]);
    for (size_t q = 0; q < s->test.n; q++) {
        tdm_history h = tdm_questions_history(&s->test, q);
        for (size_t k = 0; k < h.n; k++) CHECK(s->barred[h.items[k]]);
        for (int64_t a = s->test.target_at[q]; a < s->test.target_at[q + 1]; a++, answers++)
            CHECK(!s->barred[s->test.target[a]] && s->test.target_counts[a]);
    }
    for (size_t q = 0; q < s->validation.n; q++) {
        CHECK(tdm_questions_history(&s->validation, q).n >= 2);
        CHECK(s->barred[s->validation.target[s->validation.target_at[q]]]);
    }
    CHECK(answers > 0 && s->train->N + s->validation.n + answers == d->N);
    tdm_split *all[] = {s, t, other};
    for (int k = 0; k < 3; k++) tdm_split_close(all[k]);
    tdm_dataset_close(d);
    tdm_dataset_close(again);
}

/* Asked with the newest alone, and then by a stranger: a person's own row would tell the rest. */
static void a_history_can_be_cut_to_its_newest(void **state)
{
    (void)state;
    tdm_dataset *d = LOG({"ann", "a", 5, 1}, {"ann", "b", 4, 2}, {"ann", "c", 3, 3}, {"ann", "d", 2, 4},
                         {"bob", "a", 1, 1}, {"bob", "b", 2, 2}, {"bob", "c", 3, 3});
    tdm_split *s = split(d, (tdm_protocol){.split = TDM_SPLIT_LEAVE_ONE_OUT, .positive_from = NAN});
    tdm_questions cut = s->test;
    cut.newest = 2;
    for (size_t q = 0; q < cut.n; q++) {
        tdm_history whole = tdm_questions_history(&s->test, q), h = tdm_questions_history(&cut, q);
        CHECK(h.n == 2 && h.self == (whole.n > 2 ? TDM_NONE : whole.self) && h.now == whole.now);
        for (size_t k = 0; k < 2; k++) {
            CHECK(h.items[k] == whole.items[whole.n - 2 + k] && h.ratings[k] == whole.ratings[whole.n - 2 + k]);
            CHECK(h.times[k] == whole.times[whole.n - 2 + k]);
        }
    }
    tdm_split_close(s);
    tdm_dataset_close(d);
}

static void names_of_kinds_are_read_back(void **state)
{
    (void)state;
    for (int k = 0; k < 5; k++) CHECK(tdm_split_kind_parse(tdm_split_kind_name((tdm_split_kind)k)) == k);
    CHECK(tdm_split_kind_parse("loo") == -1);
}

static void a_failed_allocation_leaks_nothing(void **state)
{
    (void)state;
    tdm_dataset *d = LOG({"ann", "a", 5, 1}, {"ann", "b", 5, 2}, {"ann", "c", 3, 3}, {"ann", "d", 2, 4});
    size_t live = tdm_mem_live();
    long k = 0;
    for (;; k++) {
        tdm_split *s;
        tdm_err err;
        tdm_protocol p = {.split = TDM_SPLIT_COLD_ITEMS, .positive_from = NAN};
        tdm_mem_fail_after(k);
        tdm_status st = tdm_split_make(&s, d, &p, &err);
        tdm_mem_fail_after(-1);
        tdm_split_close(s);
        CHECK(tdm_mem_live() == live);
        if (st == TDM_OK) break;
        CHECK(st == TDM_E_NOMEM && k < 1000);
    }
    CHECK(k > 10);
    tdm_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_item_is_test_and_the_one_before_validation),
        cmocka_unit_test(an_item_of_the_history_counts_only_where_seen_is_kept),
        cmocka_unit_test(two_instants_cut_the_log_and_ties_fall_behind_the_cut),
        cmocka_unit_test(a_ratio_holds_out_a_tenth_twice_rounded),
        cmocka_unit_test(files_say_what_is_test),
        cmocka_unit_test(repeated_pairs_are_resolved_inside_each_part),
        cmocka_unit_test(a_dislike_is_no_positive_but_its_rating_is_judged),
        cmocka_unit_test(an_answer_given_twice_counts_once),
        cmocka_unit_test(ties_are_shuffled_by_seed_and_only_ties),
        cmocka_unit_test(parts_of_questions_are_whole_and_apart),
        cmocka_unit_test(cold_items_are_new_to_training),
        cmocka_unit_test(a_history_can_be_cut_to_its_newest),
        cmocka_unit_test(names_of_kinds_are_read_back),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
