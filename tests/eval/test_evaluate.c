/* SPDX-License-Identifier: Apache-2.0 */
/* test_evaluate.c - what must hold of any evaluation: any number of threads, short memory, luck, failure, cancel. */
#include "scripted.h"

#include "base/mem.h"
#include "eval/document.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PEOPLE = 300, ITEMS = 200 };

typedef struct trio {
    stage *s;
    scripted good, fair, even;
    float *same; /* the scores of `even`: one for all */
    const tdm_model *models[3];
} trio;

static void trio_make(trio *t)
{
    t->s = stage_drawn(PEOPLE, ITEMS, 11);
    t->same = tdm_new(PEOPLE * ITEMS, sizeof *t->same);
    assert_non_null(t->same);
    t->good = scripted_make("good", t->s);
    t->fair = scripted_make("fair", t->s);
    t->even = scripted_make("even", t->s);
    t->good.skill = 0.8;
    t->fair.skill = 0.3;
    t->fair.seed = 2;
    t->even.scores = t->same;
    t->even.ops.rate = NULL;
    scripted *all[] = {&t->good, &t->fair, &t->even};
    for (int i = 0; i < 3; i++) {
        all[i]->base.ops = &all[i]->ops;
        t->models[i] = &all[i]->base;
    }
}

static void trio_clear(trio *t)
{
    tdm_free(t->same);
    tdm_free(t->s);
}

static tdm_status judge(tdm_evaluation **e, const trio *t, size_t threads, tdm_err *err)
{
    tdm_run *run;
    *e = NULL;
    tdm_status st = tdm_run_open(&run, &(tdm_run_options){.threads = threads, .seed = 3}, err);
    if (st) return st;
    tdm_evaluate_input in = {.models = t->models,
                             .n_models = 3,
                             .subject = 0,
                             .questions = &t->s->qs,
                             .train = &t->s->train,
                             .rating_low = 1,
                             .rating_high = 5,
                             .seed = 3};
    st = tdm_evaluate(e, &in, run, err);
    tdm_run_close(run);
    return st;
}

static cJSON *document_of(const tdm_evaluation *e)
{
    tdm_err err;
    cJSON *o = cJSON_CreateObject(), *m;
    CHECK_OK(tdm_evaluation_add(o, e, 0, &err), err);
    cJSON_ArrayForEach(m, cJSON_GetObjectItem(o, "models")) cJSON_DeleteItemFromObject(m, "evaluation_seconds");
    return o;
}

static void threads_change_no_byte_of_the_document(void **state)
{
    (void)state;
    tdm_err err;
    trio t;
    trio_make(&t);
    const size_t threads[] = {1, 2, 7};
    char *first = NULL;
    for (int i = 0; i < 3; i++) {
        tdm_evaluation *e;
        CHECK_OK(judge(&e, &t, threads[i], &err), err);
        cJSON *o = document_of(e);
        char *text = cJSON_Print(o);
        if (first) assert_string_equal(first, text);
        else first = text;
        if (first != text) cJSON_free(text);
        cJSON_Delete(o);
        tdm_evaluation_close(e);
    }
    cJSON_free(first);
    trio_clear(&t);
}

static void the_better_model_wins_and_the_table_says_so(void **state)
{
    (void)state;
    tdm_err err;
    trio t;
    trio_make(&t);
    tdm_evaluation *e;
    CHECK_OK(judge(&e, &t, 2, &err), err);
    assert_int_equal(e->people, PEOPLE);
    assert_int_equal(e->n_comparisons, 2 + 2 + 1); /* the even one does not rate */
    for (size_t i = 0; i < e->n_comparisons; i++) {
        const tdm_comparison *c = &e->comparisons[i];
        if (c->of == TDM_OF_RMSE) continue;
        assert_true(c->difference.value > 0 && c->difference.low > 0 && c->corrected < 0.05 && c->corrected >= c->p);
    }
    cJSON *o = document_of(e);
    tdm_buf table = {0}, page = {0};
    CHECK_OK(tdm_evaluation_table(&table, o, 80, &err), err);
    assert_non_null(strstr(table.p, "good minus fair, ndcg@10: +0."));
    for (const char *line = table.p; *line; line = strchr(line, '\n') + 1) assert_true(strcspn(line, "\n") <= 80);
    CHECK_OK(tdm_evaluation_html(&page, o, &err), err);
    assert_non_null(strstr(page.p, "</html>"));
    tdm_buf_clear(&table);
    tdm_buf_clear(&page);
    cJSON_Delete(o);
    tdm_evaluation_close(e);
    trio_clear(&t);
}

/* A model that scores all items alike ranks them by an index that carries no meaning: it hits as chance does. */
static void a_constant_model_cannot_win(void **state)
{
    (void)state;
    tdm_err err;
    trio t;
    trio_make(&t);
    tdm_evaluation *e;
    CHECK_OK(judge(&e, &t, 2, &err), err);
    const tdm_judged *even = &e->models[2];
    double chance = 10.0 / ITEMS, recall = even->at[e->main][TDM_RECALL].value;
    /* 300 people with about two targets each: a standard error of sqrt(.05 * .95 / 550) = .009 around .05, and the
     * filter of what was seen helps by a few per cent of it */
    assert_true(recall < chance + 4 * 0.0093);
    assert_true(recall < e->models[0].at[e->main][TDM_RECALL].low);
    assert_true(even->at[e->main][TDM_COVERAGE].value < 0.5 && even->at[e->main][TDM_GINI].value > 0.8);
    tdm_evaluation_close(e);
    trio_clear(&t);
}

/* More people than are scored between two looks at progress: each list must land at its own person. */
static void many_people_keep_their_own_lists(void **state)
{
    (void)state;
    tdm_err err;
    double ndcg;
    stage *s = stage_drawn(2500, 40, 9);
    scripted knows = scripted_make("knows", s);
    knows.base.ops = &knows.ops;
    knows.skill = 5;
    CHECK_OK(tdm_ndcg(&ndcg, &knows.base, &s->qs, 40, 10, TDM_SEEN_KEEP, NULL, &err), err);
    assert_true(fabs(ndcg - 1) < 1e-12);
    tdm_free(s);
}

/* Takes all lists of a model; the first list of every model must hold allowed items alone. */
static tdm_status only_allowed(void *ctx, const tdm_lists *l, tdm_err *err)
{
    size_t *listed = ctx;
    (void)err;
    for (size_t i = 0; i < l->n; i++)
        for (uint32_t k = 0; k < l->found[i]; k++, ++*listed) CHECK(!l->questions->barred[l->list[i * l->depth + k]]);
    return TDM_OK;
}

/* Items that may not rank are in nobody's list, the rest moves up, and the document says how many there were. */
static void barred_items_do_not_rank(void **state)
{
    (void)state;
    tdm_err err;
    tdm_run *run;
    tdm_evaluation *e, *all;
    trio t;
    uint8_t barred[ITEMS];
    size_t listed = 0, left = 0;
    trio_make(&t);
    for (size_t i = 0; i < ITEMS; i++) left += !(barred[i] = i % 4 != 1);
    CHECK_OK(judge(&all, &t, 2, &err), err);
    tdm_questions qs = t.s->qs;
    qs.barred = barred;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2, .seed = 3}, &err), err);
    const tdm_evaluate_input in = {.models = t.models,
                                   .n_models = 3,
                                   .questions = &qs,
                                   .train = &t.s->train,
                                   .seed = 3,
                                   .lists = only_allowed,
                                   .ctx = &listed};
    CHECK_OK(tdm_evaluate(&e, &in, run, &err), err);
    tdm_run_close(run);
    CHECK(e->candidates == left && all->candidates == ITEMS && listed > PEOPLE);
    cJSON *o = document_of(e);
    CHECK(tdm_json_num(o, "candidates", 0) == (double)left && !cJSON_GetObjectItem(o, "newest"));
    cJSON_Delete(o);
    tdm_evaluation_close(e);
    tdm_evaluation_close(all);
    trio_clear(&t);
}

static void names_from_outside_are_escaped_in_the_page(void **state)
{
    (void)state;
    tdm_err err;
    trio t;
    trio_make(&t);
    t.good.ops.name = "<script>alert(1)</script>";
    tdm_evaluation *e;
    CHECK_OK(judge(&e, &t, 1, &err), err);
    cJSON *o = document_of(e);
    cJSON_AddStringToObject(o, "command", "tandem fit 'a<b>&c'");
    tdm_buf page = {0};
    CHECK_OK(tdm_evaluation_html(&page, o, &err), err);
    assert_null(strstr(page.p, "<script"));
    assert_non_null(strstr(page.p, "a&lt;b&gt;&amp;c"));
    assert_null(strstr(page.p, "http"));
    tdm_buf_clear(&page);
    cJSON_Delete(o);
    tdm_evaluation_close(e);
    trio_clear(&t);
}

/* A line for what has several values, a sentence for one, nothing for what is no number. */
static void curves_of_training_are_drawn(void **state)
{
    static const char training[] =
        "{\"<b>\": {\"curves\": {\"loss\": {\"step\": [1, 2, 4], \"value\": [8, 3, 2]},"
        "\"flat\": {\"step\": [1, 1000], \"value\": [5, 5]}, \"p<q\": {\"step\": [1200], \"value\": [41.25]},"
        "\"odd\": {\"step\": [null, \"x\", -1], \"value\": [1, 2, 3]}, \"more\": {\"step\": 3}, \"no\": 7,"
        "\"begin\": {\"step\": [0, 0], \"value\": [1, 2]}}}, \"ease\": {\"seconds\": 1}}";
    (void)state;
    tdm_err err;
    trio t;
    trio_make(&t);
    tdm_evaluation *e;
    CHECK_OK(judge(&e, &t, 1, &err), err);
    for (int with = 0; with < 2; with++) {
        cJSON *o = document_of(e);
        cJSON_AddItemToObject(o, "training", cJSON_Parse(with ? training : "{\"ease\": {\"seconds\": 1}}"));
        tdm_buf page = {0};
        CHECK_OK(tdm_evaluation_html(&page, o, &err), err);
        assert_int_equal(strstr(page.p, "How training went") != NULL, with);
        if (with) {
            /* an axis from 2 to 8 over a height of 142 below 16: 8 is on top, 2 at the bottom, 3 a sixth above it */
            assert_non_null(strstr(page.p, "d=\"M105.0 16.0L210.0 134.3L420.0 158.0\""));
            assert_non_null(strstr(page.p, "&lt;b&gt;, loss: 8 at first, 2 in the end"));
            assert_non_null(strstr(page.p, "1,000 updates"));
            assert_non_null(strstr(page.p, "<p>&lt;b&gt;, p&lt;q: 41.25 after 1,200 updates.</p>"));
            assert_null(strstr(page.p, "odd"));
            assert_null(strstr(page.p, "nan"));
            assert_null(strstr(page.p, "inf"));
        }
        tdm_buf_clear(&page);
        cJSON_Delete(o);
    }
    tdm_evaluation_close(e);
    trio_clear(&t);
}

static void nobody_to_judge_is_no_crash(void **state)
{
    (void)state;
    tdm_err err;
    trio t;
    trio_make(&t);
    memset(t.s->counts, 0, sizeof t.s->counts); /* nothing counts: ratings alone are judged */
    tdm_evaluation *e;
    double ndcg = 1;
    CHECK_OK(judge(&e, &t, 2, &err), err);
    assert_int_equal(e->people, 0);
    assert_true(isnan(e->models[0].at[0][TDM_NDCG].value) && e->models[0].rmse.value > 0);
    CHECK_OK(tdm_ndcg(&ndcg, t.models[0], &t.s->qs, ITEMS, 10, TDM_SEEN_FILTER, NULL, &err), err);
    assert_true(ndcg == 0);
    cJSON *o = document_of(e);
    tdm_buf out = {0};
    CHECK_OK(tdm_evaluation_table(&out, o, 80, &err), err);
    CHECK_OK(tdm_evaluation_html(&out, o, &err), err);
    tdm_buf_clear(&out);
    cJSON_Delete(o);
    tdm_evaluation_close(e);
    trio_clear(&t);
}

/* A model without any opinion gives empty lists: it reaches nothing, and nothing is equal about that. */
static void a_silent_model_is_no_best_of_anything(void **state)
{
    (void)state;
    tdm_err err;
    trio t;
    trio_make(&t);
    for (size_t i = 0; i < PEOPLE * ITEMS; i++)
        t.same[i] = i % 3 ? NAN : -INFINITY; /* and what is no number never ranks */
    tdm_evaluation *e;
    CHECK_OK(judge(&e, &t, 2, &err), err);
    const tdm_estimate *at = e->models[2].at[e->main];
    assert_true(at[TDM_NDCG].value == 0 && at[TDM_COVERAGE].value == 0);
    assert_true(isnan(at[TDM_GINI].value) && isnan(at[TDM_NOVELTY].value) && isnan(at[TDM_DIVERSITY].value));
    tdm_evaluation_close(e);
    trio_clear(&t);
}

static void a_models_failure_is_passed_up_with_its_sentence(void **state)
{
    (void)state;
    tdm_err err;
    trio t;
    trio_make(&t);
    t.fair.fails = TDM_E_FORMAT;
    tdm_evaluation *e;
    size_t live = tdm_mem_live();
    assert_int_equal(judge(&e, &t, 2, &err), TDM_E_FORMAT);
    assert_null(e);
    assert_string_equal(err.msg, "scripted: told to fail");
    assert_int_equal(tdm_mem_live(), live);
    trio_clear(&t);
}

static void a_cancelled_run_stops(void **state)
{
    (void)state;
    tdm_err err;
    trio t;
    trio_make(&t);
    tdm_run *run;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2}, &err), err);
    tdm_run_cancel(run);
    tdm_evaluate_input in = {.models = t.models, .n_models = 3, .questions = &t.s->qs, .train = &t.s->train};
    tdm_evaluation *e;
    assert_int_equal(tdm_evaluate(&e, &in, run, &err), TDM_E_CANCELLED);
    tdm_run_close(run);
    trio_clear(&t);
}

static void every_short_allocation_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    tdm_err err;
    trio t;
    trio_make(&t);
    size_t live = tdm_mem_live();
    long k = 0;
    for (; k < 20000; k++) {
        tdm_evaluation *e;
        tdm_mem_fail_after(k);
        tdm_status st = judge(&e, &t, 1, &err);
        tdm_mem_fail_after(-1);
        tdm_evaluation_close(e);
        assert_int_equal(tdm_mem_live(), live);
        if (!st) break;
        assert_int_equal(st, TDM_E_NOMEM);
        k += k / 16; /* all of the first, then some of the many alike */
    }
    assert_true(k > 60 && k < 20000);
    trio_clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_no_byte_of_the_document),
        cmocka_unit_test(the_better_model_wins_and_the_table_says_so),
        cmocka_unit_test(a_constant_model_cannot_win),
        cmocka_unit_test(many_people_keep_their_own_lists),
        cmocka_unit_test(barred_items_do_not_rank),
        cmocka_unit_test(names_from_outside_are_escaped_in_the_page),
        cmocka_unit_test(curves_of_training_are_drawn),
        cmocka_unit_test(nobody_to_judge_is_no_crash),
        cmocka_unit_test(a_silent_model_is_no_best_of_anything),
        cmocka_unit_test(a_models_failure_is_passed_up_with_its_sentence),
        cmocka_unit_test(a_cancelled_run_stops),
        cmocka_unit_test(every_short_allocation_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
