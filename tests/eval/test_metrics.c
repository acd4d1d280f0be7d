/* SPDX-License-Identifier: Apache-2.0 */
/* test_metrics.c - every metric against an independent computation (tools/golden_metrics.py) and against hand-made
 * lists. */
#include "scripted.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Both sides add a few hundred doubles of size one in different orders: 1e-9 leaves room for that and for no other
 * definition. */
static const double near = 1e-9;

static const cJSON *of(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (!v) fail_msg("the golden file has no \"%s\"", key);
    return v;
}

static void expect(double got, const cJSON *want, const char *what)
{
    bool same = cJSON_IsNull(want) ? isnan(got) : fabs(got - want->valuedouble) <= near;
    if (!same) fail_msg("%s: %.15g where %.15g is expected", what, got, cJSON_IsNull(want) ? NAN : want->valuedouble);
}

static size_t numbers(uint32_t *out, const cJSON *list)
{
    const cJSON *v;
    size_t n = 0;
    cJSON_ArrayForEach(v, list) out[n++] = (uint32_t)v->valueint;
    return n;
}

static size_t floats(float *out, const cJSON *list, float none)
{
    const cJSON *v;
    size_t n = 0;
    cJSON_ArrayForEach(v, list) out[n++] = cJSON_IsNull(v) ? none : (float)v->valuedouble;
    return n;
}

typedef struct golden {
    stage *s;
    float scores[4096], ratings[4096], vectors[1024];
    size_t K;
    const cJSON *expected;
} golden;

static void golden_load(golden *g, const cJSON *c)
{
    const cJSON *v;
    uint32_t history[64], targets[64], flags[64];
    uint8_t counts[64];
    float given[64];
    size_t I = (size_t)of(c, "items")->valueint, at = 0;
    g->s = stage_new(I);
    g->expected = of(c, "expected");
    cJSON_ArrayForEach(v, of(c, "train")) stage_train(g->s, history, numbers(history, v));
    cJSON_ArrayForEach(v, of(c, "vectors")) g->K = floats(g->vectors + at++ * g->K, v, 0);
    at = 0;
    cJSON_ArrayForEach(v, of(c, "questions"))
    {
        size_t h = numbers(history, of(v, "history")), n = numbers(targets, of(v, "targets"));
        numbers(flags, of(v, "counts"));
        for (size_t k = 0; k < n; k++) counts[k] = (uint8_t)flags[k];
        floats(given, of(v, "ratings"), NAN);
        floats(g->ratings + g->s->target_at[g->s->qs.n], of(v, "predicted"), NAN);
        floats(g->scores + I * at++, of(v, "scores"), -INFINITY);
        stage_ask(g->s, history, h, targets, counts, given, n);
    }
}

/* Values of each person, as they are handed out for files. */
static tdm_status people_check(void *ctx, const tdm_lists *l, tdm_err *err)
{
    const cJSON *persons = of(ctx, "persons");
    (void)err;
    assert_int_equal(l->n, (size_t)of(ctx, "people")->valueint);
    for (size_t i = 0; i < l->n; i++)
        for (size_t c = 0; c < l->evaluation->n_k; c++)
            for (int m = 0; m < TDM_METRICS; m++) {
                const cJSON *want = cJSON_GetArrayItem(cJSON_GetArrayItem(persons, (int)c), (int)i);
                expect(l->metrics[(i * l->evaluation->n_k + c) * TDM_METRICS + (size_t)m],
                       of(want, tdm_measure_name(m)), tdm_measure_name(m));
            }
    return TDM_OK;
}

static void case_check(const cJSON *c, const cJSON *cutoffs)
{
    tdm_err err;
    golden *g = tdm_new(1, sizeof *g);
    assert_non_null(g);
    golden_load(g, c);
    scripted m = scripted_make("scripted", g->s);
    m.base.ops = &m.ops;
    m.scores = g->scores;
    m.ratings = g->ratings;
    const tdm_model *models[] = {&m.base};
    tdm_run *run;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2, .seed = 3}, &err), err);
    tdm_evaluate_input in = {.models = models,
                             .n_models = 1,
                             .subject = 1,
                             .questions = &g->s->qs,
                             .train = &g->s->train,
                             .rating_low = 1,
                             .rating_high = 5,
                             .vectors = g->vectors,
                             .K = g->K,
                             .seen = cJSON_IsTrue(of(c, "keep")) ? TDM_SEEN_KEEP : TDM_SEEN_FILTER,
                             .seed = 3,
                             .lists = people_check,
                             .ctx = (void *)(uintptr_t)g->expected};
    const cJSON *k;
    cJSON_ArrayForEach(k, cutoffs) in.k[in.n_k++] = (size_t)k->valueint;
    tdm_evaluation *e;
    CHECK_OK(tdm_evaluate(&e, &in, run, &err), err);
    const tdm_judged *j = &e->models[0];
    for (size_t i = 0; i < e->n_k; i++) {
        char key[16];
        snprintf(key, sizeof key, "%zu", e->k[i]);
        for (int x = 0; x < TDM_MEASURES; x++)
            expect(j->at[i][x].value, of(of(of(g->expected, "at"), key), tdm_measure_name(x)), tdm_measure_name(x));
    }
    for (int s = 0; s < TDM_SLICES; s++) {
        const cJSON *want = of(of(g->expected, "slices"), tdm_slice_name(s));
        assert_int_equal(e->slice_people[s], of(want, "people")->valueint);
        expect(j->slice_ndcg[s].value, of(want, "ndcg"), tdm_slice_name(s));
        expect(j->slice_recall[s].value, of(want, "recall"), tdm_slice_name(s));
    }
    expect(j->rmse.value, of(g->expected, "rmse"), "rmse");
    expect(j->mae.value, of(g->expected, "mae"), "mae");
    assert_int_equal(j->rated, of(g->expected, "rated")->valueint);
    assert_int_equal(j->unrated, of(g->expected, "unrated")->valueint);
    double ndcg;
    CHECK_OK(tdm_ndcg(&ndcg, &m.base, &g->s->qs, g->s->train.I, 10, in.seen, run->pool, &err), err);
    expect(ndcg, of(of(of(g->expected, "at"), "10"), "ndcg"), "tdm_ndcg");
    tdm_evaluation_close(e);
    tdm_run_close(run);
    tdm_free(g->s);
    tdm_free(g);
}

static void metrics_agree_with_an_independent_computation(void **state)
{
    (void)state;
    tdm_err err;
    cJSON *all;
    const cJSON *c;
    CHECK_OK(tdm_json_read(&all, TDM_SOURCE_DIR "/tests/eval/golden/metrics.json", &err), err);
    assert_int_equal(cJSON_GetArraySize(of(all, "cases")), 4);
    cJSON_ArrayForEach(c, of(all, "cases")) case_check(c, of(all, "cutoffs"));
    cJSON_Delete(all);
}

/* ---- by hand ---- */

static void hits_at_places_two_and_four_of_three_relevant(void **state)
{
    (void)state;
    const uint32_t list[] = {9, 3, 8, 5, 7}, relevant[] = {3, 5, 6};
    double v[TDM_METRICS], ideal = 1 + 1 / log2(3) + 0.5, gain = 1 / log2(3) + 1 / log2(5);
    tdm_metrics(v, list, 5, relevant, 3, 5);
    assert_true(fabs(v[TDM_PRECISION] - 2.0 / 5) < near && fabs(v[TDM_RECALL] - 2.0 / 3) < near);
    assert_true(fabs(v[TDM_F1] - 2 * (2.0 / 5) * (2.0 / 3) / (2.0 / 5 + 2.0 / 3)) < near);
    assert_true(fabs(v[TDM_MAP] - (1.0 / 2 + 2.0 / 4) / 3) < near);
    assert_true(fabs(v[TDM_NDCG] - gain / ideal) < near);
    assert_true(v[TDM_MRR] == 0.5 && v[TDM_HIT] == 1);
}

static void a_perfect_list_gives_one_at_every_cutoff(void **state)
{
    (void)state;
    const uint32_t list[] = {4, 2, 9}, relevant[] = {2, 4, 9};
    double v[TDM_METRICS];
    for (size_t k = 1; k <= 3; k++) {
        tdm_metrics(v, list, 3, relevant, 3, k);
        assert_true(v[TDM_MAP] == 1 && v[TDM_NDCG] == 1 && v[TDM_MRR] == 1 && v[TDM_PRECISION] == 1);
    }
}

static void an_empty_list_and_an_empty_set_give_zeros(void **state)
{
    (void)state;
    const uint32_t list[] = {1}, relevant[] = {1};
    double v[TDM_METRICS];
    tdm_metrics(v, list, 0, relevant, 1, 10);
    for (int m = 0; m < TDM_METRICS; m++) assert_true(v[m] == 0);
    tdm_metrics(v, list, 1, relevant, 0, 10);
    for (int m = 0; m < TDM_METRICS; m++) assert_true(v[m] == 0);
}

static void gini_of_equals_is_zero_and_of_one_owner_is_nearly_one(void **state)
{
    (void)state;
    uint32_t equal[] = {3, 3, 3, 3}, owner[] = {0, 8, 0, 0}, none[] = {0, 0}, two[] = {1, 3};
    assert_true(tdm_gini(equal, 4) == 0 && tdm_gini(none, 2) == 0 && tdm_gini(none, 0) == 0);
    assert_true(fabs(tdm_gini(owner, 4) - 0.75) < near && fabs(tdm_gini(two, 2) - 0.25) < near);
}

static void cutoffs_are_sorted_and_nonsense_is_refused(void **state)
{
    (void)state;
    size_t k[TDM_MAX_CUTOFFS], n;
    tdm_err err;
    const char *const bad[] = {"", "0", "5,,10", "ten", "5;10", "-5", "1,2,3,4,5,6,7,8,9", "9999999999999999999999"};
    CHECK_OK(tdm_cutoffs_parse(k, &n, "20,5,10,5", &err), err);
    assert_true(n == 3 && k[0] == 5 && k[1] == 10 && k[2] == 20);
    CHECK_OK(tdm_cutoffs_parse(k, &n, NULL, &err), err);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tdm_cutoffs_parse(k, &n, bad[i], &err), TDM_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_agree_with_an_independent_computation),
        cmocka_unit_test(hits_at_places_two_and_four_of_three_relevant),
        cmocka_unit_test(a_perfect_list_gives_one_at_every_cutoff),
        cmocka_unit_test(an_empty_list_and_an_empty_set_give_zeros),
        cmocka_unit_test(gini_of_equals_is_zero_and_of_one_owner_is_nearly_one),
        cmocka_unit_test(cutoffs_are_sorted_and_nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
