/* SPDX-License-Identifier: Apache-2.0 */
/* test_tradeoff.c - what diversity costs: by hand, against the whole evaluation, and with whom it is not judged. */
#include "scripted.h"

#include "base/mem.h"
#include "eval/document.h"

#include <math.h>
#include <string.h>

enum { K = 4 };

typedef struct judged {
    stage *s;
    const float *vectors;
    size_t K, k;
    bool plain; /* the tradeoff is not asked for */
} judged;

static tdm_status judge(tdm_evaluation **e, const judged *j, scripted *model, size_t threads, tdm_err *err)
{
    tdm_run *run;
    *e = NULL;
    model->base.ops = &model->ops;
    const tdm_model *models[] = {&model->base};
    tdm_status st = tdm_run_open(&run, &(tdm_run_options){.threads = threads, .seed = 5}, err);
    if (st) return st;
    tdm_evaluate_input in = {.models = models,
                             .n_models = 1,
                             .questions = &j->s->qs,
                             .train = &j->s->train,
                             .vectors = j->vectors,
                             .K = j->K,
                             .k = {j->k},
                             .n_k = 1,
                             .tradeoff = !j->plain,
                             .seed = 5};
    st = tdm_evaluate(e, &in, run, err);
    tdm_run_close(run);
    return st;
}

/* Item 3 was had. Items 0 and 1 are alike, 2 is like none of them; relevance is 1, .9, .5 and, of item 4, 0. The second
 * place is 1's while .9 (1 - X) - X > .5 (1 - X), which is up to X = 2 / 7. */
static void two_places_by_hand(void **state)
{
    (void)state;
    static const float vectors[] = {1, 0, 2, 0, 0, 1, 1, 1, 0, 3}, scores[] = {10, 9.5f, 7.5f, 20, 5};
    tdm_err err;
    stage *s = stage_new(5);
    stage_train(s, (uint32_t[]){3}, 1);
    stage_ask(s, (uint32_t[]){3}, 1, (uint32_t[]){2}, NULL, NULL, 1);
    scripted model = scripted_make("told", s);
    model.scores = scores;
    tdm_evaluation *e;
    CHECK_OK(judge(&e, &(judged){s, vectors, 2, 2, false}, &model, 1, &err), err);
    assert_int_equal(e->tradeoff.people, 1);
    const double weights[] = {0, 0.1, 0.3, 0.5}, hit = 1 / log2(3);
    for (int w = 0; w < TDM_SPREADS; w++) {
        const tdm_spread *at = &e->tradeoff.at[w];
        assert_true(at->weight == weights[w]);
        assert_true(fabs(at->ndcg.value - (w < 2 ? 0 : hit)) < 1e-12);
        assert_true(fabs(at->difference.value - (w < 2 ? 0 : hit)) < 1e-12);
        assert_true(fabs(at->diversity.value - (w < 2 ? 0 : 1)) < 1e-12);
    }
    tdm_evaluation_close(e);
    tdm_free(s);
}

static float *vectors_drawn(size_t I)
{
    float *v = tdm_new(I * K, sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < I; i++)
        for (size_t k = 0; k < K; k++) v[i * K + k] = (float)((i * 7 + k * 13 + i * k * 5) % 11) - 4;
    return v;
}

/* Everybody is asked where they are few, and the plain lists are then those of the evaluation itself. */
static void the_plain_lists_are_the_evaluations(void **state)
{
    (void)state;
    tdm_err err;
    stage *s = stage_drawn(300, 200, 4);
    float *vectors = vectors_drawn(200);
    scripted model = scripted_make("good", s);
    model.skill = 0.8;
    tdm_evaluation *e;
    CHECK_OK(judge(&e, &(judged){s, vectors, K, 10, false}, &model, 2, &err), err);
    const tdm_judged *whole = &e->models[0];
    const tdm_spread *at = e->tradeoff.at;
    assert_int_equal(e->tradeoff.people, e->people);
    assert_true(at[0].ndcg.value == whole->at[0][TDM_NDCG].value && at[0].ndcg.low == whole->at[0][TDM_NDCG].low);
    assert_true(at[0].diversity.value == whole->at[0][TDM_DIVERSITY].value && at[0].difference.value == 0);
    for (int w = 1; w < TDM_SPREADS; w++) {
        assert_true(at[w].diversity.value > at[w - 1].diversity.value);
        assert_true(fabs(at[0].ndcg.value + at[w].difference.value - at[w].ndcg.value) < 1e-12);
    }
    assert_true(at[3].difference.high < 0); /* items that stand high by skill are passed over */
    tdm_evaluation_close(e);
    tdm_free(vectors);
    tdm_free(s);
}

static cJSON *document_of(const tdm_evaluation *e)
{
    tdm_err err;
    cJSON *o = cJSON_CreateObject(), *m;
    CHECK_OK(tdm_evaluation_add(o, e, 0, &err), err);
    cJSON_ArrayForEach(m, cJSON_GetObjectItem(o, "models")) cJSON_DeleteItemFromObject(m, "evaluation_seconds");
    cJSON_DeleteItemFromObject(cJSON_GetObjectItem(o, "diversity_cost"), "evaluation_seconds");
    return o;
}

static void many_are_drawn_from_and_the_report_says_so(void **state)
{
    (void)state;
    tdm_err err;
    stage *s = stage_drawn(3000, 60, 6);
    float *vectors = vectors_drawn(60);
    scripted model = scripted_make("good", s);
    model.skill = 0.5;
    char *first = NULL;
    const size_t threads[] = {1, 2, 7};
    for (int i = 0; i < 3; i++) {
        tdm_evaluation *e;
        tdm_buf page = {0};
        CHECK_OK(judge(&e, &(judged){s, vectors, K, 10, false}, &model, threads[i], &err), err);
        assert_int_equal(e->people, 3000);
        assert_int_equal(e->tradeoff.people, 500);
        const tdm_estimate *all = &e->models[0].at[0][TDM_NDCG], *some = &e->tradeoff.at[0].ndcg;
        assert_true(some->value != all->value && some->low < all->value && all->value < some->high);
        cJSON *o = document_of(e);
        char *text = cJSON_Print(o);
        if (first) assert_string_equal(first, text);
        CHECK_OK(tdm_evaluation_html(&page, o, &err), err);
        assert_non_null(strstr(page.p, "<h2>What diversity costs</h2>"));
        assert_non_null(strstr(page.p, "for 500 people drawn of the 3,000 judged"));
        assert_non_null(strstr(page.p, "<th scope=\"row\">0.3</th>"));
        if (first) cJSON_free(text);
        else first = text;
        tdm_buf_clear(&page);
        cJSON_Delete(o);
        tdm_evaluation_close(e);
    }
    cJSON_free(first);
    tdm_free(vectors);
    tdm_free(s);
}

/* Without vectors, with vectors of nothing, or unasked, the document has no such part and the page no such section. */
static void nothing_is_said_where_nothing_can_be(void **state)
{
    (void)state;
    static const float zeros[200 * K];
    tdm_err err;
    stage *s = stage_drawn(100, 200, 4);
    float *vectors = vectors_drawn(200);
    scripted model = scripted_make("good", s);
    const judged cases[] = {{s, NULL, 0, 10, false}, {s, zeros, K, 10, false}, {s, vectors, K, 10, true}};
    for (int i = 0; i < 3; i++) {
        tdm_evaluation *e;
        tdm_buf page = {0};
        CHECK_OK(judge(&e, &cases[i], &model, 1, &err), err);
        cJSON *o = document_of(e);
        assert_int_equal(e->tradeoff.people, 0);
        assert_null(cJSON_GetObjectItem(o, "diversity_cost"));
        CHECK_OK(tdm_evaluation_html(&page, o, &err), err);
        assert_null(strstr(page.p, "What diversity costs"));
        tdm_buf_clear(&page);
        cJSON_Delete(o);
        tdm_evaluation_close(e);
    }
    tdm_free(vectors);
    tdm_free(s);
}

static void short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    tdm_err err;
    stage *s = stage_drawn(80, 60, 4);
    float *vectors = vectors_drawn(60);
    scripted model = scripted_make("good", s);
    size_t live = tdm_mem_live();
    long k = 0, refusals = 0;
    for (; k < 20000; k++) {
        tdm_evaluation *e;
        tdm_mem_fail_after(k);
        tdm_status st = judge(&e, &(judged){s, vectors, K, 10, false}, &model, 1, &err);
        tdm_mem_fail_after(-1);
        tdm_evaluation_close(e);
        assert_int_equal(tdm_mem_live(), live);
        if (!st) break;
        assert_int_equal(st, TDM_E_NOMEM);
        refusals += strstr(err.msg, "what diversity costs") != NULL;
    }
    assert_true(refusals >= 12 && k < 20000); /* ten arrays, then the sums and their resamples */
    tdm_free(vectors);
    tdm_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_places_by_hand),
                                       cmocka_unit_test(the_plain_lists_are_the_evaluations),
                                       cmocka_unit_test(many_are_drawn_from_and_the_report_says_so),
                                       cmocka_unit_test(nothing_is_said_where_nothing_can_be),
                                       cmocka_unit_test(short_memory_is_reported_and_nothing_leaks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
