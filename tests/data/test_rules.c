/* SPDX-License-Identifier: Apache-2.0 */
/* test_rules.c - what cleaning leaves out, mends and counts, and how each rule is left out itself. */
#include "data/raw_log.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>

static void bad_rows_are_counted_written_and_stop_a_strict_run(void **state)
{
    (void)state;
    const char *text =
        "user,item,rating,time\n"
        "a,x,5,100\n,x,5,100\na,nan,5,100\na,x,five,100\na,x,5,soon\na,x,9,100\na,x,5,100\n"
        "a,y,4,100\na,z,3,101\na,w,3,102\nb,y,3,103\nb,v,1,104\nb,x,3,105\nb,w,2,106\nb,u,2,107\nc,x,1,1\n";
    loaded x = load(text, NULL, (tdm_options){.rejects = raw_rejects_path});
    const cJSON *r = cJSON_GetObjectItem(x.health, "rejected");
    CHECK(tdm_json_num(x.health, "rows_read", 0) == 16 && tdm_json_num(x.health, "duplicates", 0) == 1);
    CHECK(tdm_json_num(r, "no person", 0) == 1 && tdm_json_num(r, "no item", 0) == 1);
    CHECK(tdm_json_num(r, "bad rating", 0) == 1 && tdm_json_num(r, "bad time", 0) == 1);
    CHECK(tdm_json_num(r, "rating outside the scale", 0) == 1 && x.d->N == 10 && x.d->rating_high == 5);
    CHECK(tdm_json_num(x.health, "users_with_time_ties", 0) == 1);
    done(&x);
    tdm_map m;
    tdm_err err;
    CHECK_OK(tdm_map_open(&m, raw_rejects_path, &err), err);
    const char *p = (const char *)m.p;
    size_t lines = 0;
    for (size_t at = 0; at < m.n; lines++) {
        const char *end = memchr(p + at, '\n', m.n - at);
        cJSON *j;
        CHECK_OK(tdm_json_parse(&j, p + at, (size_t)(end - p) - at, "a reject", &err), err);
        if (!lines) {
            CHECK(tdm_json_num(j, "line", 0) == 3 && tdm_json_num(j, "offset", 0) == 32);
            assert_string_equal(tdm_json_str(j, "reason", ""), "no person");
            assert_string_equal(tdm_json_str(j, "row", ""), ",x,5,100");
        }
        cJSON_Delete(j);
        at = (size_t)(end - p) + 1;
    }
    CHECK(lines == 5);
    tdm_map_close(&m);
    CHECK(load_try(&x, text, NULL, (tdm_options){.strict = 1}, &err) == TDM_E_FORMAT);
    CHECK(strstr(err.msg, "rows:3: no person"));
    x = load(text, NULL, (tdm_options){.min_rating = 3});
    CHECK(x.d->N == 6 && tdm_json_num(x.health, "below_min_rating", 0) == 4);
    done(&x);
}

static void a_scale_of_ten_is_no_outlier(void **state)
{
    (void)state;
    loaded x = load("user,item,rating\na,x,10\na,y,7\nb,x,3\nb,y,9\nc,x,1\n", NULL, (tdm_options){0});
    CHECK(x.d->N == 5 && x.d->rating_high == 10);
    done(&x);
}

static void rules_of_cleaning_can_be_left_out(void **state)
{
    (void)state;
    char commas[800] = "user,item,rating,text\na,x,5,so &amp; so\na,x,5,so &amp; so\na,nan,4,b\nb,y,50,caf\xe9\n"
                       "\"AG3D6O4STAQKAY2UVGEUV46KN35Q,AHMY5CWJMMK5BJRBBSNLYT3ONILA\",y,1,c\n";
    for (int k = 0; k < 12; k++) sprintf(commas + strlen(commas), "u%d,z,3,\n", k); /* so that 50 is one of many */
    loaded x = load(commas, NULL, (tdm_options){.max_bad = 1});
    const cJSON *cleaned = cJSON_GetObjectItem(x.health, "cleaned");
    CHECK(x.d->N == 15 && tdm_json_num(x.health, "duplicates", 0) == 1 &&
          tdm_json_num(x.health, "several_people", 0) == 1);
    CHECK(tdm_json_num(cleaned, "html", 0) == 2 && tdm_json_num(cleaned, "encoding", 0) == 1);
    done(&x);
    static const struct {
        const char *keep;
        size_t N;
    } cases[] = {{"duplicates", 16}, {"scale", 16}, {"placeholders", 16}, {"people", 14}, {"duplicates, scale", 17}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        x = load(commas, NULL, (tdm_options){.max_bad = 1, .keep = cases[k].keep});
        if (x.d->N != cases[k].N) fail_msg("--keep %s: %zu rows", cases[k].keep, x.d->N);
        done(&x);
    }
    x = load("user,item,text\na,x,<b>so</b> &amp; so\n", NULL, (tdm_options){.keep = "html"});
    assert_string_equal(told(x.d), "a x /<b>so</b> &amp; so\n");
    done(&x);
    tdm_err err;
    CHECK(load_try(&x, commas, NULL, (tdm_options){.keep = "all"}, &err) == TDM_E_ARG && strstr(err.msg, "all"));
}

static void lost_zeros_are_found_and_put_back(void **state)
{
    (void)state;
    const char *rows = "user,item\na,205616461\na,B00000001\nb,0738700797\n";
    const char *items =
        "asin,title\n0205616461,Lost here\n738700797,Lost there\nB00000001,Whole\n0000000007,Nobody's\n";
    loaded x = load(rows, items, (tdm_options){0});
    CHECK(tdm_json_num(x.health, "items_damaged", 0) == 2 && tdm_json_num(x.health, "items_with_title", 0) == 1);
    CHECK(tdm_dataset_item(x.d, tdm_str_of("205616461")) != TDM_NONE);
    done(&x);
    x = load(rows, items, (tdm_options){.mend_ids = 1});
    CHECK(tdm_json_num(x.health, "items_damaged", 0) == 2 && tdm_json_num(x.health, "items_with_title", 0) == 3);
    uint32_t mended = tdm_dataset_item(x.d, tdm_str_of("0205616461"));
    CHECK(mended != TDM_NONE && tdm_str_is(tdm_dataset_name(x.d, mended), "Lost here"));
    CHECK(tdm_dataset_item(x.d, tdm_str_of("205616461")) == TDM_NONE && x.d->I == 3);
    done(&x);
}

static void a_file_of_bad_rows_is_refused_with_its_column(void **state)
{
    (void)state;
    const char *rows = "user,item,rating\na,x,five\nb,y,four\nc,z,3\n";
    loaded x;
    tdm_err err;
    CHECK(load_try(&x, rows, NULL, (tdm_options){0}, &err) == TDM_E_FORMAT);
    CHECK(strstr(err.msg, "2 of the first 3") && strstr(err.msg, "column 3, rating") && strstr(err.msg, "five"));
    x = load(rows, NULL, (tdm_options){.max_bad = 0.7});
    CHECK(x.d->N == 1);
    done(&x);
}

static void people_in_one_cell_are_told_apart(void **state)
{
    (void)state;
    reads("product_id,user_id,rating\nB1,\"AG3D6O4STAQKAY2UVGEUV46KN35Q,AHMY5CWJMMK5BJRBBSNLYT3ONILA\",4\nB2,"
          "AG3D6O4STAQKAY2UVGEUV46KN35Q,3\n",
          "AG3D6O4STAQKAY2UVGEUV46KN35Q B1 4\nAG3D6O4STAQKAY2UVGEUV46KN35Q B2 3\nAHMY5CWJMMK5BJRBBSNLYT3ONILA B1 4\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_rows_are_counted_written_and_stop_a_strict_run),
        cmocka_unit_test(a_scale_of_ten_is_no_outlier),
        cmocka_unit_test(rules_of_cleaning_can_be_left_out),
        cmocka_unit_test(lost_zeros_are_found_and_put_back),
        cmocka_unit_test(a_file_of_bad_rows_is_refused_with_its_column),
        cmocka_unit_test(people_in_one_cell_are_told_apart),
    };
    return cmocka_run_group_tests(tests, raw_folder_make, raw_folder_remove);
}
