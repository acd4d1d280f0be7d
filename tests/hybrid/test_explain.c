/* SPDX-License-Identifier: Apache-2.0 */
/* test_explain.c - what may be told, what may be quoted, and how it is tidied. */
#include "fixture.h"
#include "shop.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "check.h"
#include "cf/cf.h"
#include "data/small_log.h"
#include "hybrid/explain.h"
#include "hybrid/tidy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what is told ---- */

static void the_evidence_is_what_the_rows_say(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    CHECK(h.n == 3);
    tdm_explain_input in = shop_about(&x, &h, "kettle");
    cJSON *o = shop_explained(&in);
    shop_must_say(o, "\"All 6 other people who chose \\\"Green tea\\\" went on to choose this.\"");
    shop_must_say(o, "6 people with a similar history chose it.");
    shop_must_say(o, "6 people chose it; its 6 ratings average 4.3 on a scale from 1 to 5."); /* (5 * 5 + 1) / 6 */
    shop_must_say(o, "Somebody who chose it wrote: \\\"It boils in a minute and sings softly.\\\"");
    shop_must_say(o, "It is of the same brand as \\\"Cup\\\", \\\"Clay\\\".");
    shop_must_say(o, "\"text_source\":\"evidence\"");
    shop_must_say(o, "\"neighbours\":[{\"user\":\"p");
    CHECK(cJSON_GetArraySize(cJSON_GetObjectItem(o, "neighbours")) == 6);
    cJSON_Delete(o);
    shop_close(&x);
}

/* The rows of one instant stand in some order in the file, which says nothing about who went on to what. */
static void one_instant_is_no_order(void **state)
{
    (void)state;
    shop x = shop_open();
    int64_t *time = tdm_new(x.d->N, sizeof *time);
    for (size_t k = 0; k < x.d->N; k++) time[k] = 7;
    tdm_dataset same = *x.s->train;
    same.time = time;
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    tdm_explain_input in = shop_about(&x, &h, "kettle");
    in.train = &same;
    cJSON *o = shop_explained(&in);
    shop_must_say(o, "\"All 6 other people who chose \\\"Green tea\\\" chose this too.\"");
    CHECK(!shop_says(o, "went on"));
    cJSON_Delete(o);
    tdm_free(time);
    shop_close(&x);
}

static void a_dislike_is_never_a_reason(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    for (int k = 0; k < 2; k++) {
        tdm_explain_input in = shop_about(&x, &h, "kettle");
        if (k) in.positive_from = NAN; /* then nothing is a dislike, and the pot counts */
        cJSON *o = shop_explained(&in), *one;
        double sum = tdm_json_num(o, "rest", NAN);
        bool pot = false;
        cJSON_ArrayForEach(one, cJSON_GetObjectItem(o, "because"))
        {
            sum += tdm_json_num(one, "share", NAN);
            pot = pot || !strcmp(tdm_json_str(one, "item", ""), "pot");
        }
        CHECK(fabs(sum - 1) < 1e-5);
        CHECK(pot == (k == 1));
        CHECK(shop_says(o, "The Blue Pot") == (k == 1));
        CHECK(!shop_says(o, "liked \\\"The Blue Pot"));
        cJSON_Delete(o);
    }
    shop_close(&x);
}

/* Of every item, for everybody: what was held out, and what the asker wrote, is never told. */
static void held_out_rows_and_own_words_are_never_cited(void **state)
{
    (void)state;
    shop x = shop_open();
    for (uint32_t u = 0; u < x.d->U; u++) {
        tdm_history h = tdm_dataset_history(x.d, u); /* also with all that the person ever chose as the history */
        bool ann = tdm_str_is(tdm_strings_at(&x.d->user_id, u), "ann");
        for (uint32_t i = 0; i < x.d->I; i++) {
            tdm_explain_input in = shop_about(&x, &h, "tea");
            in.item = i;
            cJSON *o = shop_explained(&in);
            CHECK(!shop_says(o, "Held out") && !shop_says(o, "secretly"));
            CHECK(!ann || !shop_says(o, "Ann says"));
            cJSON_Delete(o);
        }
    }
    shop_close(&x);
}

/* The same on a drawn log: every quoted sentence is a training row of the item, by somebody else. */
static void quotes_come_from_training_rows_of_others(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = drawn_log(150, 60, 3);
    tdm_split *s;
    tdm_protocol p = {.split = TDM_SPLIT_LEAVE_ONE_OUT, .positive_from = NAN, .seed = 1};
    CHECK_OK(tdm_split_make(&s, d, &p, &err), err);
    struct tdm_run run = {.seed = 1};
    tdm_params params = tdm_params_standard(tdm_item_knn_ops.params);
    tdm_fit_input in = {.train = s->train, .params = &params, .run = &run};
    tdm_model *m;
    CHECK_OK(tdm_item_knn_ops.fit(&m, &in, &err), err);
    size_t quoted = 0;
    for (uint32_t u = 0; u < d->U; u++) {
        tdm_history h = tdm_dataset_history(d, u);
        for (uint32_t i = u % 5; i < d->I; i += 5) {
            tdm_explain_input ask = {
                .data = d, .train = s->train, .model = m, .history = &h, .item = i, .positive_from = NAN};
            cJSON *o = shop_explained(&ask), *line;
            cJSON_ArrayForEach(line, cJSON_GetObjectItem(o, "evidence"))
            {
                const char *q = strstr(line->valuestring, "wrote: \"");
                unsigned who, what;
                if (!q) continue;
                assert_int_equal(sscanf(q, "wrote: \"Person %u read item %u", &who, &what), 2);
                char user[16], id[16];
                snprintf(user, sizeof user, "u%u", who);
                snprintf(id, sizeof id, "i%u", what);
                uint32_t v = tdm_dataset_user(d, tdm_str_of(user));
                bool there = false;
                for (int64_t k = s->train->offset[v]; k < s->train->offset[v + 1]; k++)
                    there = there || s->train->item[k] == i;
                CHECK(v != u && tdm_dataset_item(d, tdm_str_of(id)) == i && there);
                quoted++;
            }
            cJSON_Delete(o);
        }
    }
    CHECK(quoted > 500);
    tdm_model_close(m);
    tdm_split_close(s);
    tdm_dataset_close(d);
}

static void strangers_and_odd_items_get_an_answer(void **state)
{
    (void)state;
    tdm_err err;
    shop x = shop_open();
    uint32_t cup = shop_item(&x, "cup");
    tdm_history empty = {.now = TDM_NO_TIME, .self = TDM_NONE};
    tdm_history one = {.items = &cup, .n = 1, .now = TDM_NO_TIME, .self = TDM_NONE};
    for (uint32_t i = 0; i < x.d->I; i++)
        for (int k = 0; k < 2; k++) {
            tdm_explain_input in = shop_about(&x, k ? &one : &empty, "tea");
            in.item = i;
            cJSON *o = shop_explained(&in), *line;
            const char *text = tdm_json_str(o, "text", "");
            CHECK(strlen(text) > 20 && strlen(text) < 400 && !strchr(text, '\n'));
            cJSON_ArrayForEach(line, cJSON_GetObjectItem(o, "evidence"))
                CHECK(strlen(line->valuestring) < 400 && !strchr(line->valuestring, '\n'));
            cJSON_Delete(o);
        }
    tdm_explain_input in = shop_about(&x, &one, "spoon"); /* a title of 880 characters is cut behind a word */
    in.model = x.knn;
    in.item = shop_item(&x, "tray");
    cJSON *o = shop_explained(&in);
    shop_must_say(o, "Nobody else has chosen it yet"); /* all its rows are held out */
    cJSON_Delete(o);
    in.item = (uint32_t)x.d->I;
    o = cJSON_CreateObject();
    CHECK(tdm_explain(o, &in, &err) == TDM_E_ARG);
    cJSON_Delete(o);
    shop_close(&x);
}

static void tidied(const char *in, size_t most, const char *want)
{
    tdm_buf b = {0};
    tdm_tidy(&b, tdm_str_of(in), most);
    assert_string_equal(b.n ? b.p : "", want);
    CHECK(b.n <= most && tdm_utf8_valid((tdm_str){b.p, b.n}));
    tdm_buf_clear(&b);
}

static void texts_are_tidied(void **state)
{
    (void)state;
    tidied("  one\r\n\ttwo\x01three  ", 80, "one two three");
    tidied("", 80, "");
    tidied("\xff\xfe", 80, "");
    tidied("caf\xc3\xa9 noir", 80, "caf\xc3\xa9 noir");
    tidied("one two three four", 14, "one two\xe2\x80\xa6");
    tidied("abcdefghijklmnop", 10, "abcdefg\xe2\x80\xa6");
    tidied("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 8, "\xc3\xa9\xc3\xa9\xe2\x80\xa6"); /* no half letters */
    tdm_str s = tdm_tidy_sentence(tdm_str_of("So. This one is long enough to stand. And this."), 10, 60);
    CHECK(tdm_str_is(s, "This one is long enough to stand."));
    CHECK(tdm_tidy_sentence(tdm_str_of("no end to this text here"), 5, 60).n == 0);
}

/* ---- memory ---- */

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    shop x = shop_open();
    tdm_history h = tdm_dataset_history(x.s->train, tdm_dataset_user(x.d, tdm_str_of("ann")));
    tdm_explain_input in = shop_about(&x, &h, "kettle");
    tdm_block *b;
    tdm_err err;
    CHECK_OK(tdm_block_open(&b, &err), err);
    CHECK_OK(tdm_block_read(b, "list", tdm_str_of("cup\nclay"), &err), err);
    in.block = b;
    size_t live = tdm_mem_live();
    long n = 0;
    for (;; n++) {
        cJSON *o = cJSON_CreateObject();
        tdm_mem_fail_after(n);
        tdm_status st = tdm_explain(o, &in, &err);
        tdm_mem_fail_after(-1);
        cJSON_Delete(o);
        CHECK(tdm_mem_live() == live);
        if (st == TDM_OK) break;
        CHECK(st == TDM_E_NOMEM);
    }
    CHECK(n > 10);
    tdm_block_close(b);
    shop_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_evidence_is_what_the_rows_say),
        cmocka_unit_test(one_instant_is_no_order),
        cmocka_unit_test(a_dislike_is_never_a_reason),
        cmocka_unit_test(held_out_rows_and_own_words_are_never_cited),
        cmocka_unit_test(quotes_come_from_training_rows_of_others),
        cmocka_unit_test(strangers_and_odd_items_get_an_answer),
        cmocka_unit_test(texts_are_tidied),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
