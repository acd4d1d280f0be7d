/* SPDX-License-Identifier: Apache-2.0 */
/* test_cold.c - cold start judged from the log to the report, on a log where words decide: people buy within their
 * taste, and an item's title says which taste it is of. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "cf/cf.h"
#include "content/content.h"
#include "data/small_log.h"
#include "data/split.h"
#include "eval/document.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TASTES = 10, EACH = 31, PEOPLE = 400, CHOICES = 8 };

static const char *const tastes[TASTES] = {"green tea",    "rose soap", "garden tool", "jazz record",  "wool scarf",
                                           "running shoe", "oil paint", "board game",  "camera strap", "bread knife"};

/* Person u is of taste u % TASTES and chooses CHOICES different items of it, in a drawn order. */
static tdm_dataset *shop(void)
{
    tdm_err err;
    tdm_builder *b;
    tdm_dataset *d;
    char user[16], item[16], title[64];
    CHECK_OK(tdm_builder_open(&b, 7, &err), err);
    for (int u = 0; u < PEOPLE; u++) {
        tdm_rng r = tdm_rng_make(5, (uint64_t)u, 1);
        int start = (int)tdm_rng_below(&r, EACH), step = 1 + (int)tdm_rng_below(&r, EACH - 1); /* EACH is prime */
        for (int k = 0; k < CHOICES; k++) {
            int which = (start + k * step) % EACH;
            snprintf(user, sizeof user, "u%d", u);
            snprintf(item, sizeof item, "i%d", u % TASTES * EACH + which);
            tdm_row row = {.user = tdm_str_of(user), .item = tdm_str_of(item), .rating = NAN, .time = k + 1};
            CHECK_OK(tdm_builder_add(b, &row, &err), err);
        }
    }
    for (int i = 0; i < TASTES * EACH; i++) {
        snprintf(item, sizeof item, "i%d", i);
        snprintf(title, sizeof title, "%s number %d", tastes[i / EACH], i);
        tdm_item it = {.id = tdm_str_of(item), .title = tdm_str_of(title)};
        CHECK_OK(tdm_builder_item(b, &it, NULL, &err), err);
    }
    CHECK_OK(small_log_finish(&d, b, 0, NULL, &err), err);
    tdm_builder_close(b);
    return d;
}

typedef struct judged {
    tdm_evaluation *whole, *click;
    cJSON *document;
} judged;

static void judged_clear(judged *j)
{
    tdm_evaluation_close(j->whole);
    tdm_evaluation_close(j->click);
    cJSON_Delete(j->document);
}

/* Popularity and content, fitted and judged under a split. */
static judged judge(const tdm_dataset *d, tdm_split_kind kind, size_t threads)
{
    static const tdm_model_ops *const ops[] = {&tdm_popularity_ops, &tdm_content_ops};
    tdm_err err;
    tdm_run *run;
    tdm_split *s;
    tdm_model *m[2];
    judged j = {.document = cJSON_CreateObject()};
    const tdm_protocol p = {.split = kind, .positive_from = NAN, .seed = 4};
    CHECK_OK(tdm_split_make(&s, d, &p, &err), err);
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = threads, .seed = 3}, &err), err);
    for (int i = 0; i < 2; i++) {
        const tdm_params params = tdm_params_standard(ops[i]->params);
        const tdm_fit_input in = {.train = s->train, .params = &params, .run = run};
        CHECK_OK(ops[i]->fit(&m[i], &in, &err), err);
    }
    const tdm_model *models[] = {m[0], m[1]};
    const tdm_evaluate_input in = {
        .models = models, .n_models = 2, .subject = 1, .questions = &s->test, .train = s->train, .seed = 3};
    CHECK_OK(tdm_evaluate(&j.whole, &in, run, &err), err);
    CHECK_OK(tdm_evaluate_click(&j.click, &in, run, &err), err);
    CHECK_OK(tdm_evaluation_add(j.document, j.whole, 1, &err), err);
    CHECK_OK(tdm_evaluation_add_click(j.document, j.click, &err), err);
    cJSON *one;
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(j.document, "models"))
        cJSON_DeleteItemFromObject(one, "evaluation_seconds");
    for (int i = 0; i < 2; i++) tdm_model_close(m[i]);
    tdm_run_close(run);
    tdm_split_close(s);
    return j;
}

static double recall(const tdm_evaluation *e, int model) { return e->models[model].at[e->main][TDM_RECALL].value; }

/* About 30 cold items, 3 to a taste: who knows the taste has the first three places right, chance 10 of 30. */
static void words_find_what_nobody_touched(void **state)
{
    (void)state;
    tdm_dataset *d = shop();
    judged j = judge(d, TDM_SPLIT_COLD_ITEMS, 2);
    const cJSON *models = cJSON_GetObjectItem(j.document, "models"), *content = cJSON_GetObjectItem(models, "content");
    size_t cold = j.whole->candidates;
    CHECK(cold > 15 && cold < 50 && j.whole->people > 100);
    CHECK(fabs(j.whole->chance - 10.0 / (double)cold) < 1e-12);
    CHECK(recall(j.whole, 1) > 0.95 && recall(j.whole, 0) == 0);
    CHECK(recall(j.click, 1) > 0.95 && recall(j.click, 0) == 0); /* one item says the taste */
    CHECK(fabs(tdm_json_num(content, "times_chance", 0) - recall(j.whole, 1) * (double)cold / 10) < 1e-9);
    CHECK(fabs(tdm_json_num(cJSON_GetObjectItem(j.document, "chance"), "recall@10", 0) - j.whole->chance) < 1e-12);
    content =
        cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetObjectItem(j.document, "one_click"), "models"), "content");
    CHECK(!cJSON_GetObjectItem(content, "times_popularity") && tdm_json_num(content, "times_chance", 0) > 1);
    judged_clear(&j);
    tdm_dataset_close(d);
}

/* Every taste is as large as the others: popularity finds 10 of 310 items, a click the 31 of a taste. */
static void one_click_is_worth_more_than_popularity(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = shop();
    judged j = judge(d, TDM_SPLIT_LEAVE_ONE_OUT, 2);
    CHECK(j.whole->chance == 0 && !cJSON_GetObjectItem(j.document, "chance"));
    CHECK(j.click->people == PEOPLE && j.click->newest == 1 && j.click->n_k == 1 && j.click->n_comparisons == 0);
    CHECK(recall(j.click, 0) > 0 && recall(j.click, 1) > 5 * recall(j.click, 0));
    const cJSON *click = cJSON_GetObjectItem(j.document, "one_click"), *models = cJSON_GetObjectItem(click, "models"),
                *content = cJSON_GetObjectItem(models, "content"), *at = cJSON_GetObjectItem(content, "recall@10");
    CHECK(tdm_json_num(click, "people", 0) == PEOPLE && cJSON_GetArraySize(models) == 2);
    CHECK(fabs(tdm_json_num(content, "times_popularity", 0) - recall(j.click, 1) / recall(j.click, 0)) < 1e-9);
    CHECK(tdm_json_num(at, "low", 2) < recall(j.click, 1) && tdm_json_num(at, "high", -1) > recall(j.click, 1));
    tdm_buf table = {0}, page = {0};
    CHECK_OK(tdm_evaluation_table(&table, j.document, 80, &err), err);
    CHECK_OK(tdm_evaluation_html(&page, j.document, &err), err);
    CHECK(strstr(table.p, "\nrecall@10 with one click, 400 people\n") && strstr(table.p, " times popularity\n"));
    CHECK(strstr(page.p, "<h2>With one click</h2>") && !strstr(page.p, "nobody had touched"));
    tdm_buf_clear(&table);
    tdm_buf_clear(&page);
    judged_clear(&j);
    tdm_dataset_close(d);
}

static void cold_items_have_a_part_in_both_reports(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = shop();
    judged j = judge(d, TDM_SPLIT_COLD_ITEMS, 1);
    tdm_buf table = {0}, page = {0};
    CHECK_OK(tdm_evaluation_table(&table, j.document, 80, &err), err);
    CHECK_OK(tdm_evaluation_html(&page, j.document, &err), err);
    CHECK(strstr(table.p, "\nrecall@10 among items nobody chose in training\n") && strstr(table.p, " times chance\n"));
    CHECK(!strstr(table.p, "times popularity") && !strstr(page.p, "Times popularity"));
    CHECK(strstr(page.p, "nobody had touched</h2>") && strstr(page.p, "<th scope=\"col\">Times chance</th>"));
    CHECK(!strstr(page.p, "the whole catalogue to choose from") && !strstr(page.p, "nan"));
    tdm_buf_clear(&table);
    tdm_buf_clear(&page);
    judged_clear(&j);
    tdm_dataset_close(d);
}

static void threads_change_no_byte(void **state)
{
    (void)state;
    static const tdm_split_kind kinds[] = {TDM_SPLIT_COLD_ITEMS, TDM_SPLIT_LEAVE_ONE_OUT};
    tdm_dataset *d = shop();
    for (int k = 0; k < 2; k++) {
        judged one = judge(d, kinds[k], 1), two = judge(d, kinds[k], 2);
        char *a = cJSON_Print(one.document), *b = cJSON_Print(two.document);
        assert_string_equal(a, b);
        cJSON_free(a);
        cJSON_free(b);
        judged_clear(&one);
        judged_clear(&two);
    }
    tdm_dataset_close(d);
}

/* ---- who is asked, and with what ---- */

typedef struct listener {
    tdm_model base;
    tdm_model_ops ops;
    size_t asked[8192], longest; /* questions by their item; the longest history */
} listener;

/* Knows nothing, and remembers what it was asked. One thread. */
static tdm_status listen(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    listener *l = (listener *)(uintptr_t)m;
    (void)err;
    for (size_t b = 0; b < B; b++) {
        scores[b * 2] = scores[b * 2 + 1] = 1;
        CHECK(h[b].n > 0);
        if (h[b].n > l->longest) l->longest = h[b].n;
        l->asked[h[b].times[h[b].n - 1]]++;
    }
    return TDM_OK;
}

/* 8,000 people; the time of an item of a history is the person's number. Every seventh has none, every fifth nothing
 * that counts: the first 5,000 of the others are asked, once each, with one item. */
static void drawn_people_with_a_click_are_asked_once_with_one_item(void **state)
{
    enum { MANY = 8000 };
    (void)state;
    tdm_err err;
    tdm_run *run;
    tdm_evaluation *e;
    static uint32_t user[MANY], item[3 * MANY], target[MANY];
    static int64_t now[MANY], history_at[MANY + 1], target_at[MANY + 1], time[3 * MANY], none[2];
    static float rating[3 * MANY], target_rating[MANY];
    static uint8_t counts[MANY];
    size_t people = 0, last = 0;
    for (size_t q = 0; q < MANY; q++) {
        size_t at = (size_t)history_at[q], n = q % 7 ? 1 + q % 3 : 0;
        for (size_t k = 0; k < n; k++) time[at + k] = (int64_t)q;
        history_at[q + 1] = (int64_t)(at + n);
        target_at[q + 1] = (int64_t)q + 1;
        target[q] = 1;
        counts[q] = q % 5 != 0;
        if (n && counts[q] && people < TDM_CLICK_PEOPLE) {
            people++;
            last = q;
        }
    }
    CHECK(people == TDM_CLICK_PEOPLE && last < MANY - 1);
    const tdm_questions qs = {.n = MANY,
                              .user = user,
                              .now = now,
                              .history_at = history_at,
                              .item = item,
                              .rating = rating,
                              .time = time,
                              .target_at = target_at,
                              .target = target,
                              .target_rating = target_rating,
                              .target_counts = counts};
    const tdm_dataset train = {.I = 2, .offset = none};
    listener *l = tdm_new(1, sizeof *l);
    CHECK(l);
    l->ops = (tdm_model_ops){.name = "listener", .score = listen};
    l->base.ops = &l->ops;
    const tdm_model *models[] = {&l->base};
    const tdm_evaluate_input in = {
        .models = models, .n_models = 1, .questions = &qs, .train = &train, .k = {3, 7}, .n_k = 2};
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 1, .seed = 3}, &err), err);
    CHECK_OK(tdm_evaluate_click(&e, &in, run, &err), err);
    tdm_run_close(run);
    CHECK(e->people == TDM_CLICK_PEOPLE && e->k[e->main] == 3 && l->longest == 1);
    for (size_t q = 0; q < MANY; q++) CHECK(l->asked[q] == (q % 7 && q % 5 && q <= last));
    tdm_evaluation_close(e);
    tdm_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_find_what_nobody_touched),
        cmocka_unit_test(one_click_is_worth_more_than_popularity),
        cmocka_unit_test(cold_items_have_a_part_in_both_reports),
        cmocka_unit_test(threads_change_no_byte),
        cmocka_unit_test(drawn_people_with_a_click_are_asked_once_with_one_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
