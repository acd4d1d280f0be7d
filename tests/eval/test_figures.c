/* SPDX-License-Identifier: Apache-2.0 */
/* test_figures.c - the report's figures: their points by hand and against the lists themselves, and that what is drawn
 * stands where the numbers say. */
#include "scripted.h"

#include "base/mem.h"
#include "eval/document.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEOPLE = 300, ITEMS = 200 };

static const cJSON *of(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (!v) fail_msg("the document has no \"%s\"", key);
    return v;
}

/* ---- points by hand ---- */

/* 1,000 items: one has 500 of 1,000 counts, 99 have 4, 104 have 1. */
static void a_tail_by_hand(void **state)
{
    (void)state;
    uint32_t counts[1000] = {0};
    double share[TDM_TAIL_POINTS];
    counts[999] = 500;
    for (int i = 900; i < 999; i++) counts[i] = 4;
    for (int i = 796; i < 900; i++) counts[i] = 1;
    tdm_tail(share, counts, 1000);
    static const double want[][2] = {{.001, .5}, {.002, .504}, {.01, .536}, {.1, .896}, {.2, .996}, {.3, 1}, {1, 1}};
    for (size_t w = 0; w < sizeof want / sizeof *want; w++) {
        int p = 0;
        while (p < TDM_TAIL_POINTS && fabs(tdm_tail_items[p] - want[w][0]) > 1e-12) p++;
        assert_true(p < TDM_TAIL_POINTS);
        if (fabs(share[p] - want[w][1]) > 1e-12) fail_msg("at %g: %.12g, not %g", want[w][0], share[p], want[w][1]);
    }
    uint32_t two[] = {1, 3}; /* a share that cuts an item has that part of it: a fifth of 2 items is .4 of the first */
    tdm_tail(share, two, 2);
    assert_true(fabs(share[8] - .4 * .75) < 1e-12 && share[TDM_TAIL_POINTS - 1] == 1);
    tdm_tail(share, counts, 0);
    assert_true(share[TDM_TAIL_POINTS - 1] == 0);
}

static void groups_by_hand(void **state)
{
    (void)state;
    tdm_bin bin[TDM_BINS];
    tdm_rated r[200];
    for (int i = 0; i < 200; i++)
        r[i] = (tdm_rated){(float)(1 + (i * 37) % 200) / 40, (float)(1 + (i * 37) % 200 / 50)};
    assert_int_equal(tdm_calibration(bin, r, 200), 10);
    for (int b = 0; b < 10; b++) { /* predictions are 1/40 to 200/40, each once: twenty a group */
        double first = 20 * b + 1, given = 0;
        for (int k = 0; k < 20; k++) given += 1 + (20 * b + k) / 50;
        assert_int_equal(bin[b].n, 20);
        assert_true(fabs(bin[b].predicted - (first + 9.5) / 40) < 1e-6);
        assert_true(fabs(bin[b].given - given / 20) < 1e-9);
    }
    for (int i = 0; i < 200; i++) r[i].predicted = i < 150 ? 3 : 4; /* only two predictions there are */
    assert_int_equal(tdm_calibration(bin, r, 200), 2);
    assert_true(bin[0].n == 150 && bin[0].predicted == 3 && bin[1].n == 50 && bin[1].predicted == 4);
    assert_int_equal(tdm_calibration(bin, r, 5), 1); /* too few to part */
    assert_int_equal(bin[0].n, 5);
    assert_int_equal(tdm_calibration(bin, r, 0), 0);
}

/* ---- an evaluation's ---- */

typedef struct world {
    stage *s;
    scripted good, poor;
    uint32_t counts[2][ITEMS]; /* how often each model's first ten hold an item */
    size_t models;
} world;

static tdm_status count(void *ctx, const tdm_lists *l, tdm_err *err)
{
    world *w = ctx;
    (void)err;
    for (size_t i = 0; i < l->n; i++)
        for (size_t p = 0; p < l->found[i] && p < 10; p++) w->counts[w->models][l->list[i * l->depth + p]]++;
    w->models++;
    return TDM_OK;
}

static cJSON *document_make(world *w, bool rates)
{
    tdm_err err;
    tdm_run *run;
    tdm_evaluation *e;
    memset(w, 0, sizeof *w);
    w->s = stage_drawn(PEOPLE, ITEMS, 11);
    w->good = scripted_make("good", w->s);
    w->poor = scripted_make("p<or", w->s);
    w->good.skill = 0.8;
    w->poor.seed = 2;
    if (!rates) w->good.ops.rate = w->poor.ops.rate = NULL;
    w->good.base.ops = &w->good.ops;
    w->poor.base.ops = &w->poor.ops;
    const tdm_model *models[] = {&w->good.base, &w->poor.base};
    const tdm_evaluate_input in = {.models = models,
                                   .n_models = 2,
                                   .questions = &w->s->qs,
                                   .train = &w->s->train,
                                   .rating_low = 1,
                                   .rating_high = 5,
                                   .seed = 3,
                                   .lists = count,
                                   .ctx = w};
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2, .seed = 3}, &err), err);
    CHECK_OK(tdm_evaluate(&e, &in, run, &err), err);
    cJSON *o = cJSON_CreateObject();
    CHECK_OK(tdm_evaluation_add(o, e, 0, &err), err);
    tdm_evaluation_close(e);
    tdm_run_close(run);
    return o;
}

static int downwards(const void *x, const void *y)
{
    const uint32_t *a = x, *b = y;
    return (*a < *b) - (*a > *b);
}

static void expect_tail(const cJSON *list, uint32_t *counts)
{
    const double items[] = {.01, .1, .5}; /* 2, 20 and 100 of the items */
    const int place[] = {3, 6, 11};
    double all = 0;
    qsort(counts, ITEMS, sizeof *counts, downwards);
    for (int i = 0; i < ITEMS; i++) all += counts[i];
    assert_int_equal(cJSON_GetArraySize(list), TDM_TAIL_POINTS);
    for (int k = 0; k < 3; k++) {
        double sum = 0, got = cJSON_GetArrayItem(list, place[k])->valuedouble;
        for (int i = 0; i < (int)(items[k] * ITEMS + .5); i++) sum += counts[i];
        if (fabs(got - sum / all) > 1e-9) fail_msg("at %g: %.12g, not %.12g", items[k], got, sum / all);
    }
}

static void the_tails_are_those_of_the_lists(void **state)
{
    (void)state;
    world w;
    cJSON *o = document_make(&w, true);
    const cJSON *tail = of(o, "long_tail");
    uint32_t own[ITEMS] = {0};
    const tdm_dataset *d = &w.s->train;
    for (size_t u = 0; u < d->U; u++)
        for (int64_t t = d->offset[u]; t < d->offset[u + 1]; t++) {
            bool before = false;
            for (int64_t k = d->offset[u]; k < t; k++) before = before || d->item[k] == d->item[t];
            own[d->item[t]] += !before;
        }
    expect_tail(of(of(tail, "models"), "good"), w.counts[0]);
    expect_tail(of(of(tail, "models"), "p<or"), w.counts[1]);
    expect_tail(of(tail, "data"), own);
    cJSON_Delete(o);
    tdm_free(w.s);
}

static void the_groups_hold_every_rating(void **state)
{
    (void)state;
    world w;
    cJSON *o = document_make(&w, true);
    const cJSON *g, *groups = of(of(o, "calibration"), "good");
    double n = 0, given = 0, all = 0, last = 0;
    cJSON_ArrayForEach(g, groups)
    {
        n += of(g, "ratings")->valuedouble;
        given += of(g, "ratings")->valuedouble * of(g, "given")->valuedouble;
        assert_true(of(g, "predicted")->valuedouble > last);
        last = of(g, "predicted")->valuedouble;
    }
    size_t targets = (size_t)w.s->qs.target_at[w.s->qs.n];
    for (size_t t = 0; t < targets; t++) all += (double)w.s->target_rating[t];
    assert_true(n == (double)targets && fabs(given - all) < 1e-6 && cJSON_GetArraySize(groups) == 10);
    cJSON_Delete(o);
    tdm_free(w.s);
}

/* ---- what is drawn ---- */

/* The number behind `key` at `at`. */
static double after(const char *at, const char *key)
{
    const char *s = at ? strstr(at, key) : NULL;
    if (!s) fail_msg("nothing is drawn with %s", key);
    return strtod(s + strlen(key), NULL);
}

static size_t times(const char *from, const char *to, const char *what)
{
    size_t n = 0;
    for (const char *s = strstr(from, what); s && s < to; s = strstr(s + 1, what)) n++;
    return n;
}

static char *page_of(const cJSON *o)
{
    tdm_err err;
    tdm_buf page = {0};
    CHECK_OK(tdm_evaluation_html(&page, o, &err), err);
    return page.p;
}

static void dots_stand_where_the_numbers_say(void **state)
{
    (void)state;
    world w;
    cJSON *o = document_make(&w, true);
    cJSON *models = cJSON_GetObjectItem(o, "models");
    /* half of the axis to the right and a third up; the other at both ends */
    static const char *const keys[] = {"coverage@10", "ndcg@10"};
    static const double values[2][2] = {{.3, .02}, {.6, .06}};
    for (int m = 0; m < 2; m++)
        for (int k = 0; k < 2; k++)
            cJSON_SetNumberValue(
                cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetArrayItem(models, m), keys[k]), "value"),
                values[m][k]);
    char *page = page_of(o);
    const char *section = strstr(page, "<h2>Beyond the best sellers</h2>");
    assert_non_null(section);
    const char *figure = strstr(section, "<figure"), *end = strstr(figure, "</figure>");
    assert_non_null(strstr(figure, "good 0.0200 at 0.3, p&lt;or 0.0600 at 0.6"));
    assert_int_equal(times(figure, end, "<circle"), 2);
    assert_true(times(figure, end, ">p&lt;or<") == 1 && times(figure, end, ">good<") == 1);
    const char *good = strstr(figure, "<g class=\"lead\">"), *other = strstr(figure, "<g class=\"second\">");
    double left = after(figure, "<line class=\"grid\" x1=\""), right = after(figure, "x2=\""),
           bottom = after(figure, "y1=\"");
    assert_true(fabs(after(good, "cx=\"") - (left + .5 * (right - left))) < .1);
    assert_true(fabs(after(other, "cx=\"") - right) < .1);
    double top = after(other, "cy=\""); /* at the end of its axis */
    assert_true(fabs(after(good, "cy=\"") - (bottom + (top - bottom) / 3)) < .1 && top < bottom);
    tdm_free(page);
    cJSON_Delete(o);
    tdm_free(w.s);
}

static void curves_and_tables_are_there_with_their_numbers(void **state)
{
    (void)state;
    world w;
    cJSON *o = document_make(&w, true);
    char *page = page_of(o), text[64];
    const char *tail = strstr(page, "Who gets the recommendations</figcaption>"), *end;
    assert_non_null(tail);
    end = strstr(tail, "</figure>");
    assert_int_equal(times(tail, end, "<path class=\"curve\""), 3);
    assert_int_equal(times(tail, end, "<g class=\"own\">"), 1);
    const cJSON *good = of(of(of(o, "long_tail"), "models"), "good");
    snprintf(text, sizeof text, "<td>%.1f%%</td>", 100 * cJSON_GetArrayItem(good, 8)->valuedouble);
    const char *row = strstr(end, "<th scope=\"row\">good</th>");
    assert_true(row && times(row, strstr(row, "</tr>"), text) == 1);
    const char *rated = strstr(page, "Ratings as predicted and as given</figcaption>");
    assert_non_null(rated);
    assert_int_equal(times(rated, strstr(rated, "</figure>"), "<path class=\"curve\""), 3);
    assert_int_equal(times(rated, strstr(rated, "</figure>"), "<circle"), 20); /* of two marked models */
    const cJSON *first = cJSON_GetArrayItem(of(of(o, "calibration"), "good"), 0);
    snprintf(text, sizeof text, "good</th><td>%.2f, %.2f</td>", of(first, "predicted")->valuedouble,
             of(first, "given")->valuedouble);
    assert_non_null(strstr(rated, text));
    tdm_free(page);
    cJSON_Delete(o);
    tdm_free(w.s);
}

static void nothing_is_drawn_of_nothing(void **state)
{
    (void)state;
    world w;
    cJSON *o = document_make(&w, false);
    assert_null(cJSON_GetObjectItem(o, "calibration"));
    cJSON_DeleteItemFromObject(o, "long_tail");
    char *page = page_of(o);
    assert_null(strstr(page, "Ratings as predicted"));
    assert_null(strstr(page, "Who gets the recommendations"));
    assert_non_null(strstr(page, "Beyond the best sellers"));
    tdm_free(page);
    cJSON_Delete(o);
    tdm_free(w.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_tail_by_hand),
                                       cmocka_unit_test(groups_by_hand),
                                       cmocka_unit_test(the_tails_are_those_of_the_lists),
                                       cmocka_unit_test(the_groups_hold_every_rating),
                                       cmocka_unit_test(dots_stand_where_the_numbers_say),
                                       cmocka_unit_test(curves_and_tables_are_there_with_their_numbers),
                                       cmocka_unit_test(nothing_is_drawn_of_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
