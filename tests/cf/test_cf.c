/* SPDX-License-Identifier: Apache-2.0 */
/* test_cf.c - rankings and their reasons, reckoned by hand. Items are letters: a is 0. */
#include "check.h"

#include "base/mem.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>

enum { A, B, C, D, E };
static const char plain_linear[] = "shrink=0 source_power=0 target_power=0 history_decay=1 ";
static const char plain_votes[] = "shrink=0 iuf_power=0 amplify=1 target_power=0 gap_decay=1 before=1 history_decay=1 ";

/* Fits, scores one history, and checks the scores; NAN stands for "no opinion". */
static void expect_scores(const tdm_model_ops *ops, const char *log, const char *settings, const char *history,
                          const float *want, size_t I)
{
    tdm_err err;
    toy *t = toy_of(log, I), *ht = toy_of(history, I);
    tdm_history h = toy_history(ht);
    tdm_model *m = toy_fit(ops, t, settings, 1);
    float got[26];
    CHECK_OK(ops->score(m, got, &h, 1, &err), err);
    for (size_t i = 0; i < I; i++) {
        bool same = isnan(want[i]) ? got[i] == -INFINITY : fabsf(got[i] - want[i]) < 1e-5f;
        if (!same)
            fail_msg("%s: item %c has %g where %g is expected", ops->name, (int)('a' + i), (double)got[i],
                     (double)want[i]);
    }
    tdm_model_close(m);
    tdm_free(t);
    tdm_free(ht);
}

static tdm_evidence evidence_of(const tdm_model_ops *ops, const char *log, const char *settings, const char *history,
                                uint32_t item)
{
    tdm_err err;
    toy *t = toy_of(log, 5), *ht = toy_of(history, 5);
    tdm_history h = toy_history(ht);
    tdm_model *m = toy_fit(ops, t, settings, 1);
    tdm_evidence e;
    CHECK_OK(ops->because(m, &e, &h, item, &err), err);
    tdm_model_close(m);
    tdm_free(t);
    tdm_free(ht);
    return e;
}

static void popularity_counts_people(void **state)
{
    (void)state;
    const float want[] = {logf(3), logf(4), logf(2), NAN}; /* a repeats within a person and counts once */
    expect_scores(&tdm_popularity_ops, "a b a | a b | b c", "", "", want, 4);
}

/* From a: b one step on, c two steps on. Back: the reverse of it, and never an item to itself. */
static void cooccurrence_counts_steps_and_direction(void **state)
{
    (void)state;
    char settings[200];
    snprintf(settings, sizeof settings, "%sgap_decay=0.5 reverse=0.2", plain_linear);
    const float from_a[] = {NAN, 1, 0.5f, NAN}, from_b[] = {0.2f, NAN, 1, NAN}, from_c[] = {0.1f, 0.2f, NAN, NAN};
    expect_scores(&tdm_cooccurrence_ops, "a b c", settings, "a", from_a, 4);
    expect_scores(&tdm_cooccurrence_ops, "a b c", settings, "b", from_b, 4);
    expect_scores(&tdm_cooccurrence_ops, "a b c", settings, "c", from_c, 4);
}

static void cooccurrence_divides_out_popularity_and_shrinks(void **state)
{
    (void)state;
    /* a -> b twice (2/(2+1) of 2), n_a = 4, n_b = 2; a -> c twice, n_c = 2, once each side of the middle */
    const float want[] = {NAN, (float)(2 * (2.0 / 3) / (2 * sqrt(2))), (float)(2 * (2.0 / 3) / (2 * sqrt(2)))};
    expect_scores(&tdm_cooccurrence_ops, "a b | a b | a c | a c",
                  "gap_decay=1 reverse=0 shrink=1 source_power=0.5 target_power=0.5 history_decay=1", "a", want, 3);
}

static void old_history_counts_less(void **state)
{
    (void)state;
    const float want[] = {NAN, 0.5f * 1, 1}; /* a -> b from one step back, b -> c from the end */
    expect_scores(&tdm_cooccurrence_ops, "a b | b c",
                  "gap_decay=1 reverse=0 shrink=0 source_power=0 target_power=0 history_decay=0.5", "a b", want, 3);
}

static void a_repeated_item_counts_once_at_its_newest_place(void **state)
{
    (void)state;
    const float want[] = {NAN, 1, 0.5f};
    expect_scores(&tdm_cooccurrence_ops, "a b | b c",
                  "gap_decay=1 reverse=0 shrink=0 source_power=0 target_power=0 history_decay=0.5", "a b a", want, 3);
}

static void only_the_k_strongest_links_stay(void **state)
{
    (void)state;
    const float want[] = {NAN, 1, NAN};
    expect_scores(&tdm_cooccurrence_ops, "a b c", "gap_decay=0.5 shrink=0 source_power=0 target_power=0 k=1", "a", want,
                  3);
}

static void equal_links_stay_by_item(void **state)
{
    (void)state;
    const float want[] = {NAN, 1, 1, NAN};
    expect_scores(&tdm_cooccurrence_ops, "a d | a c | a b", "shrink=0 source_power=0 target_power=0 k=2", "a", want, 4);
}

static void a_repeated_item_does_not_follow_itself(void **state)
{
    (void)state;
    const float want[] = {NAN, 1, NAN};
    expect_scores(&tdm_cooccurrence_ops, "a b a", "gap_decay=1 reverse=0 shrink=0 source_power=0 target_power=0", "a",
                  want, 3);
}

static void shares_are_the_parts_of_the_score(void **state)
{
    (void)state;
    /* c: from b one step (1), from a two steps (.5) at half weight: .25 of 1.25 */
    tdm_evidence e =
        evidence_of(&tdm_cooccurrence_ops, "a b c",
                    "gap_decay=0.5 reverse=0 shrink=0 source_power=0 target_power=0 history_decay=0.5", "a b", C);
    CHECK(e.n_because == 2 && e.because[0].item == B && e.because[1].item == A);
    CHECK(fabsf(e.because[0].share - 0.8f) < 1e-6f && fabsf(e.because[1].share - 0.2f) < 1e-6f);
    CHECK(fabsf(e.rest) < 1e-6f);
}

static void item_knn_is_the_cosine_of_columns(void **state)
{
    (void)state;
    const float want[] = {NAN, (float)(2 / sqrt(3 * 2)), (float)(1 / sqrt(3 * 1)), NAN};
    expect_scores(&tdm_item_knn_ops, "a b | b a | a c", "shrink=0 source_power=0.5 target_power=0.5 activity=0", "a",
                  want, 4);
}

static void item_knn_trusts_busy_people_less(void **state)
{
    (void)state;
    /* f^2 is 1/2 for the first person and 1/4 for the second */
    const float b = (float)(0.5 / sqrt(0.75 * 0.5)), others = (float)(0.25 / sqrt(0.75 * 0.25));
    const float want[] = {NAN, b, others, others, others};
    expect_scores(&tdm_item_knn_ops, "a b | a c d e", "shrink=0 source_power=0.5 target_power=0.5 activity=0.5", "a",
                  want, 5);
}

/* {a,b} beside {a,b,c}: 2 / (sqrt 2 sqrt 3); beside {a,d}: 1 / (sqrt 2 sqrt 2). What the asker has is scored too. */
static void user_knn_votes_with_the_cosine(void **state)
{
    (void)state;
    const float s1 = (float)(2 / sqrt(6)), s2 = 0.5f;
    const float want[] = {s1 + s2, s1, s1, s2, NAN};
    expect_scores(&tdm_user_knn_ops, "a b c | a d | e", plain_votes, "a b", want, 5);
}

static void user_knn_keeps_the_k_most_similar(void **state)
{
    (void)state;
    char settings[200];
    snprintf(settings, sizeof settings, "%sk=1", plain_votes);
    const float s1 = (float)(2 / sqrt(6));
    const float want[] = {s1, s1, s1, NAN, NAN};
    expect_scores(&tdm_user_knn_ops, "a b c | a d | e", settings, "a b", want, 5);
}

/* b: log(1 + 3/2) for a, log(1 + 3/1) for all others. */
static void rare_items_say_more(void **state)
{
    (void)state;
    double a = log(2.5), x = log(4);
    float want[] = {0, 0, 0, 0, NAN};
    float s1 = (float)(x * x / (sqrt(x * x + a * a) * sqrt(2 * x * x)));     /* shares b */
    float s2 = (float)(a * a / (sqrt(x * x + a * a) * sqrt(a * a + x * x))); /* shares a */
    float s3 = (float)(a * a / (sqrt(x * x + a * a) * a));
    want[A] = s2 + s3;
    want[B] = want[C] = s1;
    want[D] = s2;
    expect_scores(&tdm_user_knn_ops, "b c | a d | a",
                  "shrink=0 iuf_power=1 amplify=1 target_power=0 gap_decay=1 before=1 history_decay=1", "a b", want, 5);
}

/* The newest shared item is b: c follows at once, d and e later, a stood before. */
static void what_neighbours_went_on_to_says_more(void **state)
{
    (void)state;
    const float s = (float)(2 / sqrt(2 * 5)) / 2; /* shrink 2: two shared items count half */
    const float want[] = {s * 0.1f, s, s, s * 0.5f, s * 0.25f};
    expect_scores(&tdm_user_knn_ops, "a b c d e",
                  "shrink=2 iuf_power=0 amplify=1 target_power=0 gap_decay=0.5 before=0.1 history_decay=1", "c b", want,
                  5);
}

static void nobody_is_their_own_neighbour(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_of("a b c | a d", 4);
    tdm_model *m = toy_fit(&tdm_user_knn_ops, t, plain_votes, 1);
    tdm_history h = {.items = t->item, .n = 3, .self = 0};
    float scores[4];
    CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
    CHECK(scores[C] == -INFINITY && scores[B] == -INFINITY && scores[D] > 0);
    tdm_evidence e;
    CHECK_OK(m->ops->because(m, &e, &h, D, &err), err);
    CHECK(e.n_people == 1 && e.people[0].user == 1);
    h.self = TDM_NONE; /* a stranger with the same history has that neighbour */
    CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
    CHECK(scores[C] > 0);
    tdm_model_close(m);
    tdm_free(t);
}

static void evidence_names_neighbours_who_chose_it(void **state)
{
    (void)state;
    tdm_evidence e = evidence_of(&tdm_user_knn_ops, "a b c | a d | b c | e c", plain_votes, "a b", C);
    CHECK(e.n_people == 2 && e.people[0].user == 0 && e.people[1].user == 2);
    CHECK(fabsf(e.people[0].similarity - (float)(2 / sqrt(6))) < 1e-6f);
    CHECK(fabsf(e.people[1].similarity - 0.5f) < 1e-6f);
    /* a has half of the first vote; b its other half and all of the second */
    double s1 = 2 / sqrt(6), s2 = 0.5;
    CHECK(e.n_because == 2 && e.because[0].item == B);
    CHECK(fabs((double)e.because[1].share - s1 / 2 / (s1 + s2)) < 1e-6);
    CHECK(fabsf(e.rest) < 1e-6f);
}

static void nothing_shared_is_no_opinion(void **state)
{
    (void)state;
    const float none[] = {NAN, NAN, NAN, NAN, NAN};
    const tdm_model_ops *all[] = {&tdm_cooccurrence_ops, &tdm_item_knn_ops, &tdm_user_knn_ops};
    for (size_t k = 0; k < 3; k++) {
        expect_scores(all[k], "a b | c d", "", "e", none, 5);
        expect_scores(all[k], "a b | c d", "", "", none, 5);
        expect_scores(all[k], "a b | c d", "", "z", none, 5); /* an item past the catalogue */
        tdm_evidence e = evidence_of(all[k], "a b | c d", "", "e", A);
        CHECK(e.n_because == 0 && e.n_people == 0 && e.rest == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(popularity_counts_people),
        cmocka_unit_test(cooccurrence_counts_steps_and_direction),
        cmocka_unit_test(cooccurrence_divides_out_popularity_and_shrinks),
        cmocka_unit_test(old_history_counts_less),
        cmocka_unit_test(a_repeated_item_counts_once_at_its_newest_place),
        cmocka_unit_test(only_the_k_strongest_links_stay),
        cmocka_unit_test(equal_links_stay_by_item),
        cmocka_unit_test(a_repeated_item_does_not_follow_itself),
        cmocka_unit_test(shares_are_the_parts_of_the_score),
        cmocka_unit_test(item_knn_is_the_cosine_of_columns),
        cmocka_unit_test(item_knn_trusts_busy_people_less),
        cmocka_unit_test(user_knn_votes_with_the_cosine),
        cmocka_unit_test(user_knn_keeps_the_k_most_similar),
        cmocka_unit_test(rare_items_say_more),
        cmocka_unit_test(what_neighbours_went_on_to_says_more),
        cmocka_unit_test(nobody_is_their_own_neighbour),
        cmocka_unit_test(evidence_names_neighbours_who_chose_it),
        cmocka_unit_test(nothing_shared_is_no_opinion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
