/* SPDX-License-Identifier: Apache-2.0 */
/* test_health_texts.c - languages and titles, figures of real logs that another program found, and a log without one
 * person. */
#include "check.h"

#include "base/run.h"
#include "data/load.h"
#include "data/small_log.h"
#include "data/without.h"
#include "data/health_log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- texts ---- */

static void languages_are_told_where_they_can_be(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"This is the best card that I have seen, and it was so easy to use.", "English"},
        {"Das ist ein sehr schönes Geschenk und es war nicht zu teuer.", "German"},
        {"C'est une très bonne idée pour les enfants et je suis ravie.", "French"},
        {"Es un regalo muy bueno para los niños y no es caro.", "Spanish"},
        {"O produto é muito bom e não foi caro, mas demorou.", "Portuguese"},
        {"Non è molto bello ma il prezzo è buono e la scatola anche.", "Italian"},
        {"Het is een heel goed boek en ik ben er blij mee.", "Dutch"},
        {"Det är en bra bok och jag har inte läst den än.", "Swedish"},
        {"To jest bardzo dobry prezent i nie jest drogi.", "Polish"},
        {"Bu çok güzel bir kitap ve çok da ucuz.", "Turkish"},
        {"Это очень хорошая книга, и она мне понравилась.", "Russian"},
        {"Це дуже гарна книга, і вона мені була цікава, та ще й дешева.", "Ukrainian"},
        {"これはとても良い本です。", "Japanese"},
        {"这本书很好，我很喜欢。", "Chinese"},
        {"정말 좋은 책입니다", "Korean"},
        {"Αυτό είναι καλό", "Greek"},
        {"Great gift", "unknown"},
        {"To the moon", "English"}, /* two, and Polish has one of them */
        {"The gift", "unknown"},    /* one word is not enough */
        {"La la la", "unknown"},    /* as French as Spanish and Italian */
        {"12345 !!!", "unknown"},
    };
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        tdm_builder *b = builder();
        char want[64];
        add(b, (row){"a", "x", 1, 5, k % 2 ? texts[k][0] : NULL, k % 2 ? NULL : texts[k][0]});
        title(b, "x", texts[k][0]);
        cJSON *h = health_close(finish(b));
        snprintf(want, sizeof want, "{\"%s\":1}", texts[k][1]);
        is_text(h, "text_languages", want);
        is_text(h, "title_languages", want);
        cJSON_Delete(h);
    }
}

static void the_sample_of_texts_covers_few_and_many(void **state)
{
    (void)state;
    for (int n = 4; n <= 40000; n *= 100) { /* a quarter German; text on every fourth row alone */
        char item[16];
        tdm_builder *b = builder();
        for (int k = 0; k < n; k++) {
            snprintf(item, sizeof item, "i%d", k);
            bool german = k % 16 == 0;
            const char *text = german ? "das ist ein Buch und nicht mehr" : "this is the one that I like";
            add(b, (row){"a", item, 1, 5, k % 4 == 0 ? text : NULL, NULL});
        }
        cJSON *h = health_close(finish(b));
        double share = tdm_json_num(at(h, "text_languages"), "German", 0);
        if (n == 4) CHECK(share == 1);
        /* 2000 of 10,000 texts at an even step of 20 rows: what comes next to every place, German in 1 of 4 to half */
        else if (n == 400) CHECK(share == 0.25);
        else CHECK(share > 0.2 && share < 0.5);
        CHECK(n == 4 || warns(h, "several languages"));
        cJSON_Delete(h);
    }
}

static void titles_alike_but_for_case_and_marks_are_one(void **state)
{
    (void)state;
    static const char *const titles[][2] = {
        {"a", "The Tea!"}, {"b", "the  TEA"}, {"c", "THE-TEA"},  {"d", "Café au lait"}, {"e", "CAFÉ AU LAIT"},
        {"f", "Чай"},      {"g", "чАЙ…"},     {"h", "Tea, the"}, {"i", "!!!"},          {"j", "???"},
        {"k", "Tea 2"},    {"l", "Tea 3"},    {"m", ""}};
    tdm_builder *b = builder();
    for (size_t k = 0; k < sizeof titles / sizeof *titles; k++) {
        add(b, (row){"u", titles[k][0], 1, 5, NULL, NULL});
        title(b, titles[k][0], titles[k][1]);
    }
    cJSON *h = health_close(finish(b));
    is(h, "same_titles/titles", 3);
    is(h, "same_titles/items", 7);
    is(h, "same_titles/examples/0/items", 3);
    CHECK(cJSON_GetArraySize(at(h, "same_titles/examples/0/ids")) == 3);
    CHECK(cJSON_GetArraySize(at(h, "same_titles/examples")) == 3);
    cJSON_Delete(h);
}

/* ---- a person taken out ---- */

static void without_a_person_is_the_log_without_them(void **state)
{
    (void)state;
    for (int gone = 0; gone < 6; gone++) {
        tdm_builder *whole = builder(), *rest = builder();
        for (int u = 0; u < 6; u++)
            for (int k = 0; k < 4; k++) {
                char user[24], item[16], text[40];
                snprintf(user, sizeof user, "person %d", u);
                snprintf(item, sizeof item, "i%d", (u + k) % 5);
                snprintf(text, sizeof text, "%d wrote of %d", u, k);
                row r = {user,
                         item,
                         u ? (float)(1 + (u * k) % 5) : 0.5f,
                         k * 1000 + u,
                         k % 2 ? text : NULL,
                         k % 3 ? NULL : text};
                add(whole, r);
                if (u != gone) add(rest, r);
            }
        for (int i = 0; i < 5; i++) {
            char item[16];
            snprintf(item, sizeof item, "i%d", i);
            title(whole, item, item);
            title(rest, item, item);
        }
        tdm_dataset *d = finish(whole), *want = finish(rest), *got;
        char id[24];
        tdm_err err;
        snprintf(id, sizeof id, "person %d", gone);
        CHECK_OK(tdm_dataset_without(&got, d, tdm_dataset_user(d, tdm_str_of(id)), &err), err);
        CHECK(got->U == 5 && got->N == 20 && got->fingerprint == want->fingerprint);
        CHECK(tdm_dataset_user(got, tdm_str_of(id)) == TDM_NONE);
        for (size_t u = 0; u < got->U; u++) CHECK(tdm_dataset_user(got, tdm_strings_at(&got->user_id, u)) == u);
        CHECK(got->rating_low == want->rating_low && got->rating_high == want->rating_high);
        tdm_dataset_close(got);
        tdm_dataset_close(want);
        tdm_dataset_close(d);
    }
}

/* ---- real logs ---- */

static cJSON *health_of_files(const char *source, const char *items)
{
    tdm_builder *b;
    tdm_load l;
    tdm_left_out left;
    tdm_dataset *d;
    tdm_run *run;
    tdm_err err;
    cJSON *h;
    if (access(source, R_OK)) {
        print_message("%s is not here\n", source);
        skip();
    }
    tdm_options o = {.sources = &source, .n_sources = 1, .items = items};
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2, .seed = 1}, &err), err);
    CHECK_OK(tdm_builder_open(&b, 1, &err), err);
    CHECK_OK(tdm_load_files(&l, b, &o, run, &err), err);
    CHECK_OK(small_log_finish(&d, b, 0, &left, &err), err);
    CHECK_OK(tdm_health(&h, d, &left, &l, NULL, &err), err);
    tdm_load_clear(&l);
    tdm_builder_close(b);
    tdm_dataset_close(d);
    tdm_run_close(run);
    return h;
}

#define DATA TDM_SOURCE_DIR "/../shared/data/"

/* The figures of both are those of a few lines of Python over the raw files. */
static void gift_cards_are_as_another_program_counts_them(void **state)
{
    (void)state;
    cJSON *h =
        health_of_files(DATA "raw/gift-cards-2018/Gift_Cards_5.json", DATA "raw/gift-cards-2018/meta_Gift_Cards.json");
    is(h, "rows_read", 2972);
    is(h, "users", 458);
    is(h, "items", 148);
    is(h, "items_with_title", 148);
    is(h, "repeated_pairs", 7);
    is(h, "users_with_time_ties", 439);
    is(h, "history/mean", 6.489082969432315);
    is(h, "history/median", 6);
    is(h, "history/most", 32);
    is(h, "popularity/median", 12);
    is(h, "popularity/most", 94);
    is(h, "popularity/top_1_percent", 0.06123822341857335);
    is(h, "popularity/top_10_percent", 0.34253028263795426);
    is(h, "popularity/gini", 0.4588956385726238);
    is(h, "text_bytes/reviews", 2966);
    is(h, "text_bytes/summaries", 2972);
    is(h, "busiest_instant/time", 1513209600);
    is(h, "busiest_instant/interactions", 23);
    is_text(h, "time_line/counts",
            "{\"2012\":3,\"2013\":30,\"2014\":187,\"2015\":379,\"2016\":947,\"2017\":1007,\"2018\":419}");
    is_text(h, "core/5", "{\"users\":456,\"items\":147,\"interactions\":2960}");
    is_text(h, "core/10", "{\"users\":0,\"items\":0,\"interactions\":0}");
    is(h, "same_titles/items", 2);
    is(h, "bots/users", 0);
    cJSON_Delete(h);
}

static void movielens_is_as_another_program_counts_it(void **state)
{
    (void)state;
    cJSON *h = health_of_files(DATA "movielens/ml-100k/u.data", DATA "movielens/ml-100k/u.item");
    is(h, "users", 944);
    is(h, "items", 1682);
    is(h, "interactions", 100003);
    is(h, "users_with_time_ties", 944);
    is(h, "history/mean", 105.93538135593221);
    is(h, "history/median", 64.5);
    is(h, "history/most", 737);
    is(h, "popularity/median", 27);
    is(h, "popularity/single", 141);
    is(h, "popularity/top_1_percent", 0.07634770956871294);
    is(h, "popularity/top_10_percent", 0.42872713818585445);
    is(h, "popularity/gini", 0.6290086743295442);
    is_text(h, "busiest_instant", "null"); /* twelve rows: 1 in 8,334 */
    is_text(h, "time_line",
            "{\"unit\":\"month\",\"counts\":{\"1997-09\":6704,\"1997-10\":10304,\"1997-11\":23980,\"1997-12\":11914,"
            "\"1998-01\":14095,\"1998-02\":10991,\"1998-03\":12656,\"1998-04\":9359}}");
    is_text(h, "core/5", "{\"users\":943,\"items\":1349,\"interactions\":99287}");
    is_text(h, "core/10", "{\"users\":943,\"items\":1152,\"interactions\":97953}");
    is_text(h, "core/20", "{\"users\":917,\"items\":937,\"interactions\":94443}");
    is(h, "same_titles/titles", 18);
    is(h, "same_titles/items", 36);
    is(h, "bots/users", 0); /* up to 30 in a minute and 737 in a day, and all by hand */
    cJSON_Delete(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(languages_are_told_where_they_can_be),
        cmocka_unit_test(the_sample_of_texts_covers_few_and_many),
        cmocka_unit_test(titles_alike_but_for_case_and_marks_are_one),
        cmocka_unit_test(without_a_person_is_the_log_without_them),
        cmocka_unit_test(gift_cards_are_as_another_program_counts_them),
        cmocka_unit_test(movielens_is_as_another_program_counts_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
