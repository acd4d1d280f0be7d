/* SPDX-License-Identifier: Apache-2.0 */
/* test_basics.c - the simple models, reckoned by hand. Items are letters: a is 0. */
#include "check.h"

#include "base/mem.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { A, B, C, D, E, DAY = 86400 };

/* NAN stands for "no opinion". */
static void expect(const tdm_model *m, const tdm_history *h, const float *want, size_t I)
{
    tdm_err err;
    float got[26];
    CHECK_OK(m->ops->score(m, got, h, 1, &err), err);
    for (size_t i = 0; i < I; i++)
        if (isnan(want[i]) ? got[i] != -INFINITY : !(fabsf(got[i] - want[i]) < 1e-6f)) /* floats near 1 */
            fail_msg("%s: item %c has %g where %g is expected", m->ops->name, (int)('a' + i), (double)got[i],
                     (double)want[i]);
}

static tdm_history of(const uint32_t *items, size_t n)
{
    return (tdm_history){.items = items, .n = n, .now = TDM_NO_TIME, .self = TDM_NONE};
}

/* ---- recent ---- */

static char said[400];
static void hear(void *ctx, tdm_log_level level, const char *stage, const char *message)
{
    (void)ctx, (void)level, (void)stage;
    snprintf(said, sizeof said, "%s", message);
}

/* a on days 0, 8 and 8, b on day 4, c on day 6; half is gone after 4 days. */
static const int64_t days[] = {0, 4 * DAY, 6 * DAY, 8 * DAY, 8 * DAY};
static toy *five_rows(void)
{
    toy *t = toy_of("a b | c a | a", 4);
    toy_times(t, days);
    return t;
}

static void a_choice_halves_with_its_age(void **state)
{
    (void)state;
    toy *t = five_rows();
    tdm_model *m = toy_fit(&tdm_recent_ops, t, "half_life=4", 1);
    const float want[] = {log1pf(0.25f + 1 + 1), log1pf(0.5f), log1pf(sqrtf(0.5f)), NAN};
    tdm_history h = of(NULL, 0);
    expect(m, &h, want, 4);
    h.now = 8 * DAY;
    expect(m, &h, want, 4);
    h.now = 800 * DAY; /* all have faded alike, so it stands still */
    expect(m, &h, want, 4);
    tdm_model_close(m);
    tdm_free(t);
}

static void a_question_of_the_past_is_answered_from_its_past(void **state)
{
    (void)state;
    toy *t = five_rows();
    tdm_model *m = toy_fit(&tdm_recent_ops, t, "half_life=4", 1);
    tdm_history h = of(NULL, 0);
    const float day7[] = {log1pf(powf(0.5f, 7 / 4.f)), log1pf(powf(0.5f, 3 / 4.f)), log1pf(powf(0.5f, 1 / 4.f)), NAN};
    const float day4[] = {log1pf(0.5f), log1pf(1), NAN, NAN}, day0[] = {log1pf(1), NAN, NAN, NAN},
                before[] = {NAN, NAN, NAN, NAN};
    h.now = 7 * DAY;
    expect(m, &h, day7, 4);
    h.now = 4 * DAY;
    expect(m, &h, day4, 4);
    h.now = 0;
    expect(m, &h, day0, 4);
    h.now = -1;
    expect(m, &h, before, 4);
    tdm_model_close(m);
    tdm_free(t);
}

static void a_person_counts_once_at_the_newest_row(void **state)
{
    (void)state;
    toy *t = toy_of("a a b", 2);
    toy_times(t, (const int64_t[]){0, DAY, 2 * DAY});
    tdm_model *m = toy_fit(&tdm_recent_ops, t, "half_life=1", 1);
    const float want[] = {log1pf(0.5f), log1pf(1)};
    tdm_history h = of(NULL, 0);
    expect(m, &h, want, 2);
    tdm_model_close(m);
    tdm_free(t);
}

static void a_row_without_a_time_counts_as_the_oldest(void **state)
{
    (void)state;
    toy *t = toy_of("a | b | c", 3);
    toy_times(t, (const int64_t[]){TDM_NO_TIME, 3 * DAY, 4 * DAY});
    tdm_model *m = toy_fit(&tdm_recent_ops, t, "half_life=1", 1);
    const float want[] = {log1pf(0.5f), log1pf(0.5f), log1pf(1)};
    tdm_history h = of(NULL, 0);
    expect(m, &h, want, 3);
    tdm_model_close(m);
    tdm_free(t);
}

static void without_times_it_is_popularity_and_says_so(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(200, 60, 41);
    t->d.has_times = false;
    struct tdm_run run = {.seed = 1, .log = hear};
    tdm_params p = tdm_params_standard(tdm_recent_ops.params);
    tdm_fit_input in = {.train = &t->d, .params = &p, .run = &run};
    tdm_model *m, *n = toy_fit(&tdm_popularity_ops, t, "", 1);
    *said = 0;
    CHECK_OK(tdm_recent_ops.fit(&m, &in, &err), err);
    CHECK(strstr(said, "no times"));
    float got[60], want[60];
    tdm_history h = of((const uint32_t[]){A}, 1);
    h.now = 5;
    CHECK_OK(m->ops->score(m, got, &h, 1, &err), err);
    CHECK_OK(n->ops->score(n, want, &h, 1, &err), err);
    CHECK(!memcmp(got, want, sizeof got));
    tdm_model_close(m);
    tdm_model_close(n);
    tdm_free(t);
}

/* Likes b to have half the weight of c, two days after it: a half-life of two days. */
static tdm_status likes_two_days(void *ctx, double *value, const tdm_model *m, tdm_err *err)
{
    float got[4];
    tdm_history h = of(NULL, 0);
    tdm_status st = m->ops->score(m, got, &h, 1, err);
    ++*(int *)ctx;
    *value = -fabs((double)expm1f(got[B]) / (double)expm1f(got[C]) - 0.5);
    return st;
}

static void validation_chooses_the_half_life(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = five_rows(), *same = five_rows();
    int asked = 0;
    struct tdm_run run = {.seed = 1, .log = hear};
    tdm_params p = tdm_params_standard(tdm_recent_ops.params);
    const tdm_judge judge = {likes_two_days, &asked};
    tdm_fit_input in = {.train = &t->d, .params = &p, .judge = &judge, .run = &run};
    tdm_model *m;
    CHECK_OK(tdm_recent_ops.fit(&m, &in, &err), err);
    CHECK(asked == 6); /* 16, 8, 4, 2 days, and two worse */
    CHECK(strstr(said, "half_life: 2 days"));
    tdm_model *n = toy_fit(&tdm_recent_ops, same, "half_life=2", 1);
    float want[4];
    tdm_history h = of(NULL, 0);
    CHECK_OK(n->ops->score(n, want, &h, 1, &err), err);
    for (size_t i = 0; i < 4; i++)
        if (want[i] == -INFINITY) want[i] = NAN;
    expect(m, &h, want, 4);
    tdm_model_close(m);
    tdm_model_close(n);
    tdm_free(t);
    tdm_free(same);
}

/* ---- category-popularity ---- */

/* x holds a (3 people), b (1) and c (2); y holds c and d (2); e (1) has none. */
static toy *shelf(void)
{
    toy *t = toy_of("a b | a c d | a c d e", 5);
    toy_categories(t, "x|x|x y|y|");
    return t;
}

static void shelves_are_mixed_by_the_history(void **state)
{
    (void)state;
    toy *t = shelf();
    tdm_model *m = toy_fit(&tdm_category_popularity_ops, t, "overall=0 history_decay=0.5", 1);
    const float from_b[] = {3 / 6.f, 1 / 6.f, 2 / 6.f, NAN, NAN};
    tdm_history h = of((const uint32_t[]){B}, 1);
    expect(m, &h, from_b, 5);
    /* d is newest: 2/3 for y; b: 1/3 for x */
    const float mixed[] = {3 / 18.f, 1 / 18.f, 2 / 18.f + 2 / 6.f, 2 / 6.f, NAN};
    h = of((const uint32_t[]){B, D}, 2);
    expect(m, &h, mixed, 5);
    tdm_model_close(m);
    tdm_free(t);
}

static void an_item_of_two_shelves_is_half_on_each(void **state)
{
    (void)state;
    toy *t = shelf();
    tdm_model *m = toy_fit(&tdm_category_popularity_ops, t, "overall=0", 1);
    const float want[] = {0.5f * 3 / 6, 0.5f * 1 / 6, 0.5f * 2 / 6 + 0.5f * 2 / 4, 0.5f * 2 / 4, NAN};
    tdm_history h = of((const uint32_t[]){C}, 1);
    expect(m, &h, want, 5);
    tdm_model_close(m);
    tdm_free(t);
}

static void a_shelf_that_nobody_chose_from_does_not_count(void **state)
{
    (void)state;
    toy *t = toy_of("a b | a c d | a c d e", 6);
    toy_categories(t, "x|x|x y|y||x z");
    tdm_model *m = toy_fit(&tdm_category_popularity_ops, t, "overall=0", 1);
    const float want[] = {3 / 6.f, 1 / 6.f, 2 / 6.f, NAN, NAN, NAN};
    tdm_history h = of((const uint32_t[]){E + 1}, 1);
    expect(m, &h, want, 6);
    tdm_model_close(m);
    tdm_free(t);
}

static void what_no_shelf_explains_is_popularity(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = shelf();
    tdm_model *m = toy_fit(&tdm_category_popularity_ops, t, "overall=0.1 history_decay=1", 1);
    const float all[] = {3 / 9.f, 1 / 9.f, 2 / 9.f, 2 / 9.f, 1 / 9.f};
    tdm_history h = of(NULL, 0);
    expect(m, &h, all, 5);
    h = of((const uint32_t[]){E, 77}, 2); /* no category, and an item that nobody knows */
    expect(m, &h, all, 5);
    h = of((const uint32_t[]){E, B}, 2); /* half of 0.9 on x; the rest on all */
    const float want[] = {0.45f * 3 / 6 + 0.55f * 3 / 9, 0.45f / 6 + 0.55f / 9, 0.45f * 2 / 6 + 0.55f * 2 / 9,
                          0.55f * 2 / 9, 0.55f / 9};
    expect(m, &h, want, 5);
    tdm_evidence e;
    CHECK_OK(m->ops->because(m, &e, &h, A, &err), err);
    CHECK(e.n_because == 1 && e.because[0].item == B);
    CHECK(fabsf(e.because[0].share - 0.45f * 3 / 6 / want[A]) < 1e-6f);
    CHECK(fabsf(e.because[0].share + e.rest - 1) < 1e-6f);
    tdm_model_close(m);
    tdm_free(t);
}

/* ---- transitions ---- */

static void the_last_item_says_what_is_next(void **state)
{
    (void)state;
    toy *t = toy_of("a b c | a b | a c | b a", 4); /* a: b twice, c once; P: a 4, b 3, c 2 of 9 */
    tdm_model *m = toy_fit(&tdm_transitions_ops, t, "shrink=0", 1);
    const float from_a[] = {NAN, 2 / 3.f, 1 / 3.f, NAN}, from_c[] = {4 / 9.f, 3 / 9.f, 2 / 9.f, NAN};
    tdm_history h = of((const uint32_t[]){C, A}, 2);
    expect(m, &h, from_a, 4);
    h = of((const uint32_t[]){A, C}, 2); /* nothing ever followed c: what is popular */
    expect(m, &h, from_c, 4);
    h = of(NULL, 0);
    expect(m, &h, from_c, 4);
    h = of((const uint32_t[]){A, 77}, 2); /* what nobody knows is passed over */
    expect(m, &h, from_a, 4);
    tdm_model_close(m);
    tdm_free(t);
}

static void rare_steps_lean_to_what_is_popular(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_of("a b c | a b | a c | b a", 4);
    tdm_model *m = toy_fit(&tdm_transitions_ops, t, "shrink=2", 1);
    const float want[] = {2 * 4 / 9.f / 5, (2 + 2 * 3 / 9.f) / 5, (1 + 2 * 2 / 9.f) / 5, NAN};
    tdm_history h = of((const uint32_t[]){C, A}, 2);
    expect(m, &h, want, 4);
    tdm_evidence e;
    CHECK_OK(m->ops->because(m, &e, &h, B, &err), err);
    CHECK(e.n_because == 1 && e.because[0].item == A && fabsf(e.because[0].share - 0.4f / want[B]) < 1e-6f);
    CHECK(fabsf(e.rest - (1 - 0.4f / want[B])) < 1e-6f);
    CHECK_OK(m->ops->because(m, &e, &h, A, &err), err);
    CHECK(e.n_because == 0 && e.rest == 1);
    tdm_model_close(m);
    tdm_free(t);
}

static void a_repeated_purchase_is_a_step(void **state)
{
    (void)state;
    toy *t = toy_of("a a b", 2);
    tdm_model *m = toy_fit(&tdm_transitions_ops, t, "shrink=0", 1);
    const float want[] = {0.5f, 0.5f};
    tdm_history h = of((const uint32_t[]){A}, 1);
    expect(m, &h, want, 2);
    tdm_model_close(m);
    tdm_free(t);
}

/* Both are distributions over the catalogue, whatever the history. */
static void probabilities_sum_to_one(void **state)
{
    (void)state;
    tdm_err err;
    enum { PEOPLE = 30, ITEMS = 60 }; /* so few that some steps were seen once */
    static const tdm_model_ops *const ops[] = {&tdm_category_popularity_ops, &tdm_transitions_ops};
    toy *t = toy_drawn(PEOPLE, ITEMS, 42);
    for (size_t k = 0; k < 2; k++) {
        tdm_model *m = toy_fit(ops[k], t, "", 2);
        for (size_t u = 0; u < PEOPLE; u++) {
            float got[ITEMS];
            double sum = 0;
            tdm_history h = of(t->item + t->offset[u], (size_t)(t->offset[u + 1] - t->offset[u]));
            CHECK_OK(m->ops->score(m, got, &h, 1, &err), err);
            for (size_t i = 0; i < ITEMS; i++) sum += got[i] > -INFINITY ? (double)got[i] : 0;
            CHECK(fabs(sum - 1) < 1e-5); /* sixty floats of seven digits */
        }
        tdm_model_close(m);
    }
    tdm_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_choice_halves_with_its_age),
        cmocka_unit_test(a_question_of_the_past_is_answered_from_its_past),
        cmocka_unit_test(a_person_counts_once_at_the_newest_row),
        cmocka_unit_test(a_row_without_a_time_counts_as_the_oldest),
        cmocka_unit_test(without_times_it_is_popularity_and_says_so),
        cmocka_unit_test(validation_chooses_the_half_life),
        cmocka_unit_test(shelves_are_mixed_by_the_history),
        cmocka_unit_test(an_item_of_two_shelves_is_half_on_each),
        cmocka_unit_test(a_shelf_that_nobody_chose_from_does_not_count),
        cmocka_unit_test(what_no_shelf_explains_is_popularity),
        cmocka_unit_test(the_last_item_says_what_is_next),
        cmocka_unit_test(rare_steps_lean_to_what_is_popular),
        cmocka_unit_test(a_repeated_purchase_is_a_step),
        cmocka_unit_test(probabilities_sum_to_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
