/* SPDX-License-Identifier: Apache-2.0 */
/* test_read.c - raw files of every kind, small, written to a folder and read back as datasets. */
#include "data/raw_log.h"

#include "base/file.h"
#include "base/mem.h"
#include "data/describe.h"
#include "data/small_log.h"

#include <archive.h>
#include <archive_entry.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void json_lines_of_three_generations_are_read(void **state)
{
    (void)state;
    reads(
        "{\"reviewerID\": \"A1\", \"asin\": \"B1\", \"helpful\": [0, 0], \"reviewText\": \"Good.\", \"overall\": 5.0, "
        "\"summary\": \"Yes\", \"unixReviewTime\": 1393545600, \"reviewTime\": \"02 28, 2014\"}\n"
        "{\"reviewerID\": \"A2\", \"asin\": \"B1\", \"overall\": 2.0, \"vote\": \"1,024\", \"style\": {\"Size:\": "
        "\"4\"}, "
        "\"verified\": true, \"reviewTime\": \"06 17, 2018\"}\n",
        "A1 B1 5 @1393545600 Yes/Good.\nA2 B1 2 @1529193600\n");
    reads("{\"rating\": 4.0, \"title\": \"Nice\", \"text\": \"It is\", \"images\": [], \"asin\": \"V1\", "
          "\"parent_asin\": \"P1\", \"user_id\": \"AG\", \"timestamp\": 1588687728923, \"helpful_vote\": 0}\n",
          "AG P1 4 @1588687728 Nice/It is\n");
}

static void json_need_not_be_one_a_line(void **state)
{
    (void)state;
    const char *want = "a x 1\na y 2\nb x 3\n";
    reads("[{\"user\": \"a\", \"item\": \"x\", \"rating\": 1},\n{\"user\": \"a\", \"item\": \"y\", \"rating\": 2},\n"
          "{\"user\": \"b\", \"item\": \"x\", \"rating\": 3}]\n",
          want);
    reads("[\n  {\n    \"user\": \"a\",\n    \"item\": \"x\", \"rating\": 1\n  },\n  {\"user\": \"a\",\n \"item\": "
          "\"y\", "
          "\"rating\": 2\n}, {\"user\": \"b\", \"item\": \"x\", \"rating\": \"3\"}\n]",
          want);
    reads("{\"user\": \"a\", \"item\": \"x\", \"rating\": 1} {\"user\": \"a\", \"item\": \"y\", \"rating\": 2}"
          "{\"user\": \"b\", \"item\": \"x\", \"rating\": 3}",
          want);
    reads("{'user': u'a', 'item': 'x', 'rating': 1, 'style': {'it\\'s': None}}\n{'user': \"a\", 'item': 'y', 'rating': "
          "2}\n"
          "{'user': 'b', 'item': 'x', 'rating': 3, 'ok': True}\n",
          want);
}

static void a_broken_line_costs_one_row(void **state)
{
    (void)state;
    loaded x = load(
        "{\"user\": \"a\", \"item\": \"x\"}\n{\"user\": \"a\", \"item\": \"y\n{\"user\": \"b\", \"item\": \"z\"}\n",
        NULL, (tdm_options){0});
    assert_string_equal(told(x.d), "a x\nb z\n");
    const cJSON *rejected = cJSON_GetObjectItem(x.health, "rejected");
    CHECK(tdm_json_num(rejected, "broken record", 0) == 1 && tdm_json_num(x.health, "rows_read", 0) == 3);
    done(&x);
}

static void ids_that_are_numbers_stay_whole(void **state)
{
    (void)state;
    reads("{\"user\": 76561197970982479, \"item\": 7}\n{\"user\": 76561197970982478, \"item\": 7}\n",
          "76561197970982478 7\n76561197970982479 7\n");
    reads("user,item,rating\n007,0205616461,5\n7,205616461,4\n", "007 0205616461 5\n7 205616461 4\n");
}

static void separators_are_found(void **state)
{
    (void)state;
    const char *want = "1 10 5 @978300760\n1 11 3 @978302109\n2 10 4 @978301968\n";
    static const char *const sep[] = {",", ";", "|", "\t", "::", " "};
    for (size_t k = 0; k < 6; k++)
        for (int header = 0; header < 2; header++) {
            char text[300], *p = text;
            const char *s = sep[k];
            if (header) p += sprintf(p, "userId%sitemId%srating%stimestamp\r\n", s, s, s);
            sprintf(p, "1%s10%s5%s978300760\r\n1%s11%s3%s978302109\r\n2%s10%s4%s978301968\r\n", s, s, s, s, s, s, s, s,
                    s);
            reads(text, want);
        }
}

static void a_few_lines_with_blanks_among_tabs_are_rows_too(void **state)
{
    (void)state;
    reads("0   50  5 "
          "881250949\n196\t242\t3\t881250949\n186\t302\t3\t891717742\n22\t377\t1\t878887116\n5\t50\t1\t878887116\n",
          "0 50 5 @881250949\n186 302 3 @891717742\n196 242 3 @881250949\n22 377 1 @878887116\n5 50 1 @878887116\n");
}

static void quotes_hold_separators_lines_and_quotes(void **state)
{
    (void)state;
    reads("\xef\xbb\xbfUserId,ProductId,Score,Summary,Text\r\n"
          "a,x,5,\"Say \"\"hi\"\", now\",\"one\r\ntwo, three\"\r\n"
          "b,x,4,plain,\"\"\r\n",
          "a x 5 Say \"hi\", now/one two, three\nb x 4 plain/\n");
    /* a quote that never closes is a letter like others, and no row is lost */
    loaded x = load("user,item,rating\na,\"x,5\nb,x,4\nc,x,4\nd,x,4\ne,x,4\n", NULL, (tdm_options){0});
    assert_string_equal(told(x.d), "a \"x 5\nb x 4\nc x 4\nd x 4\ne x 4\n");
    done(&x);
}

static void single_bytes_become_utf8(void **state)
{
    (void)state;
    reads("user,item,text\na,caf\xe9,d\xe9j\xe0 vu \x96 oui\nb,caf\xc3\xa9,d\xc3\xa9j\xc3\xa0\n",
          "a caf\xc3\xa9 /d\xc3\xa9j\xc3\xa0 vu \xe2\x80\x93 oui\nb caf\xc3\xa9 /d\xc3\xa9j\xc3\xa0\n");
}

static void without_a_header_values_say_what_columns_are(void **state)
{
    (void)state;
    reads(
        "A2IBPI20UZIR0U,1384719342,\"cassandra \"\"Yeah, well\"\"\",\"[0, 0]\",\"Not much to write about here, but it "
        "does "
        "exactly what it's supposed to.\",5,good,1393545600,\"02 28, 2014\"\n"
        "A14VAT5EAX3D9S,B00004Y2UT,Jake,\"[13, 14]\",\"The product does exactly as it should and is quite "
        "affordable.\",4,quite good,1363392000,\"03 16, 2013\"\n"
        "A195EZSQDW3E21,B00004Y2UT,Rick,\"[1, 1]\",\"The primary job of this device is to block the breath.\",5,my "
        "view,1377648000,\"08 28, 2013\"\n",
        "A14VAT5EAX3D9S B00004Y2UT 4 @1363392000 quite good/The product does exactly as it should and is quite "
        "affordable.\nA195EZSQDW3E21 B00004Y2UT 5 @1377648000 my view/The primary job of this device is to block the "
        "breath.\nA2IBPI20UZIR0U 1384719342 5 @1393545600 good/Not much to write about here, but it does exactly what "
        "it's supposed to.\n");
    /* the item first, as in the ratings-only files of 2018 */
    reads("B00004Y2UT,A14VAT5EAX3D9S,5.0,1363392000\nB00004Y2UT,A195EZSQDW3E21,4.0,1377648000\n",
          "A14VAT5EAX3D9S B00004Y2UT 5 @1363392000\nA195EZSQDW3E21 B00004Y2UT 4 @1377648000\n");
}

static void sequences_are_in_order_and_have_no_time(void **state)
{
    (void)state;
    reads("1 10 11 10\n2 10\n3 12 11 9 8\n", "1 10\n1 11\n1 10\n2 10\n3 12\n3 11\n3 9\n3 8\n");
    loaded x = load("ann tea pot\nbob pot\n", NULL, (tdm_options){.format = "sequences"});
    assert_string_equal(told(x.d), "ann tea\nann pot\nbob pot\n");
    done(&x);
}

static void columns_can_be_said(void **state)
{
    (void)state;
    loaded x = load("who;what;mark\nann;tea;4\nbob;tea;3\n", NULL, (tdm_options){.map = "user=who,item=2,rating=mark"});
    assert_string_equal(told(x.d), "ann tea 4\nbob tea 3\n");
    done(&x);
    x = load("{\"who\": \"ann\", \"what\": \"tea\"}\n", NULL, (tdm_options){.map = "user=who,item=what"});
    assert_string_equal(told(x.d), "ann tea\n");
    done(&x);
    tdm_err err;
    CHECK(load_try(&x, "who;what\nann;tea\n", NULL, (tdm_options){.map = "user=whom,item=what"}, &err) == TDM_E_ARG);
    CHECK(strstr(err.msg, "whom") && strstr(err.msg, "who, what"));
    CHECK(load_try(&x, NULL, NULL, (tdm_options){.map = "people=1"}, &err) == TDM_E_ARG && strstr(err.msg, "people"));
    CHECK(load_try(&x, NULL, NULL, (tdm_options){.format = "xml"}, &err) == TDM_E_ARG && strstr(err.msg, "xml"));
}

static void what_is_no_log_is_refused_with_what_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {{"", "empty"},
                 {" \n\n", "white space"},
                 {"__label__2 Great CD: my lovely Pat\n__label__1 Buyer beware: no\n", "__label__"},
                 {"<!DOCTYPE html><html><body>404</body></html>", "HTML"},
                 {"%PDF-1.4 x", "PDF"},
                 {"\x89PNG\r\n\x1a\n", "PNG"},
                 {"\xff\xd8\xff\xe0 JFIF", "JPEG"},
                 {"PAR1\x15", "Parquet"},
                 {"just some words\nand a few more words here\nand a third line\n", "neither JSON nor a table"},
                 {"movieId,title,genres\n1,Toy Story,Comedy\n", "movieId, title, genres"},
                 {"{\"asin\": \"B1\", \"title\": \"T\"}\n", "asin, title"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        loaded x;
        tdm_err err = {{0}};
        tdm_status st = load_try(&x, cases[k].text, NULL, (tdm_options){0}, &err);
        if (st != TDM_E_FORMAT || !strstr(err.msg, cases[k].says) || !strstr(err.msg, "expected"))
            fail_msg("%s: %s", cases[k].says, err.msg);
    }
    loaded x;
    tdm_err err;
    unlink(raw_rows_path);
    CHECK(load_try(&x, NULL, NULL, (tdm_options){0}, &err) == TDM_E_IO && strstr(err.msg, raw_rows_path));
}

static void check_item(const char *rows, const char *items, const char *id, const char *want)
{
    loaded x = load(rows, items, (tdm_options){0});
    const tdm_dataset *d = x.d;
    uint32_t i = tdm_dataset_item(d, tdm_str_of(id));
    CHECK(i != TDM_NONE);
    char got[1000];
    snprintf(got, sizeof got, "%.*s/%.*s/%.*s/%.*s/%.*s", TDM_STR_ARG(tdm_strings_at(&d->title, i)),
             TDM_STR_ARG(tdm_strings_at(&d->brand, i)), TDM_STR_ARG(tdm_strings_at(&d->category, i)),
             TDM_STR_ARG(tdm_strings_at(&d->description, i)), TDM_STR_ARG(tdm_strings_at(&d->keywords, i)));
    assert_string_equal(got, want);
    done(&x);
}

static void items_of_every_kind_are_read(void **state)
{
    (void)state;
    const char *b1 = "user,item\na,B1\n", *one = "1 1 2\n2 1\n3 1 2 3\n";
    check_item(
        b1,
        "{\"category\": [\"Gift Cards\", \"Gift Cards\"], \"description\": [\"One.\", \"Two &amp; <b>three</b>\"], "
        "\"title\": \"Card\\n $100\", \"also_buy\": [\"B7\"], \"brand\": \"Acme\", \"rank\": \"5 in x\", \"asin\": "
        "\"B1\", "
        "\"similar_item\": \"z\", \"price\": \"\"}\n",
        "B1", "Card $100/Acme/Gift Cards/One. Two & three/");
    check_item(
        b1,
        "{'asin': 'B1', 'title': \"Dr. Suess' puzzle\", 'brand': 'Dr. \"S\"', 'categories': [['Toys', 'Puzzles']], "
        "'salesRank': {'Toys': 6}, 'related': {'also_bought': ['B2']}}\n",
        "B1", "Dr. Suess' puzzle/Dr. \"S\"/Toys\nPuzzles//");
    check_item(one,
               "{\"item_id\": 1, \"asin\": \"B0048KGFHU\", \"title\": null, \"textual_id\": \"ghost tool\", "
               "\"attributes\": [\"Ghost\", "
               "\"Sports\"], \"brand\": \"Unknown\"}\n",
               "1", "////ghost tool\nGhost\nSports");
    check_item("{\"user_id\": \"u\", \"parent_asin\": \"P1\", \"asin\": \"V1\"}\n",
               "{\"parent_asin\": \"P1\", \"title\": \"Shoe\", \"store\": \"Acme\", \"categories\": [], "
               "\"main_category\": \"Shoes\", "
               "\"features\": [\"red\"]}\n",
               "P1", "Shoe/Acme/Shoes/red/");
    check_item(one,
               "1|Toy Story (1995)|01-Jan-1995||http://x|0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
               "2|Caf\xe9 (1996)|01-Jan-1996||http://y|0|1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n",
               "2", "Caf\xc3\xa9 (1996)//Action//");
    check_item(one, "movieId,title,genres\n1,\"Heat, The (1995)\",Crime|Drama\n2,Old (1990),(no genres listed)\n", "1",
               "Heat, The (1995)//Crime\nDrama//");
    check_item(one, "1::Toy Story (1995)::Animation|Comedy\n2::Heat (1995)::Crime|Drama\n", "2",
               "Heat (1995)//Crime\nDrama//");
    check_item(b1, "{\"asin\": \"B1\", \"title\": \"title_495\", \"brand\": \"nan\", \"description\": \"x\"}\n", "B1",
               "///x/");
}

static void packed_files_are_unpacked(void **state)
{
    (void)state;
    static const char text[] = "user,item,rating\na,x,5\nb,x,4\n";
    for (int kind = 0; kind < 5; kind++) {
        struct archive *a = archive_write_new();
        struct archive_entry *e = archive_entry_new();
        CHECK(!(kind == 4 ? archive_write_set_format_zip(a) : archive_write_set_format_raw(a)));
        int rc = kind == 0   ? archive_write_add_filter_gzip(a)
                 : kind == 1 ? archive_write_add_filter_bzip2(a)
                 : kind == 2 ? archive_write_add_filter_xz(a)
                 : kind == 3 ? archive_write_add_filter_zstd(a)
                             : ARCHIVE_OK;
        CHECK(rc == ARCHIVE_OK && !archive_write_open_filename(a, raw_rows_path));
        archive_entry_set_pathname(e, "rows.csv");
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_size(e, sizeof text - 1);
        CHECK(!archive_write_header(a, e) && archive_write_data(a, text, sizeof text - 1) == sizeof text - 1);
        CHECK(!archive_write_close(a));
        archive_write_free(a);
        archive_entry_free(e);
        loaded x = load(NULL, NULL, (tdm_options){0});
        assert_string_equal(told(x.d), "a x 5\nb x 4\n");
        done(&x);
    }
    raw_put(raw_rows_path, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\x54", 12); /* cut short */
    loaded x;
    tdm_err err;
    CHECK(load_try(&x, NULL, NULL, (tdm_options){0}, &err) != TDM_OK && strstr(err.msg, raw_rows_path));
}

static void a_raw_file_is_described(void **state)
{
    (void)state;
    static const char text[] = "userId,movieId,rating\n1,2,3\n";
    cJSON *j;
    tdm_err err;
    raw_put(raw_rows_path, text, sizeof text - 1);
    CHECK_OK(tdm_raw_describe(&j, raw_rows_path, &err), err);
    assert_string_equal(tdm_json_str(j, "holds", ""), "interactions");
    CHECK(tdm_json_num(cJSON_GetObjectItem(j, "roles"), "item", 0) == 2);
    CHECK(cJSON_GetArraySize(cJSON_GetObjectItem(j, "first")) == 1);
    cJSON_Delete(j);
    raw_put(raw_rows_path, "%PDF-1.4", 8);
    CHECK(tdm_raw_describe(&j, raw_rows_path, &err) == TDM_E_FORMAT && !j && strstr(err.msg, "PDF"));
}

static void a_failed_allocation_leaks_nothing(void **state)
{
    (void)state;
    static const char *const rows[] = {"user,item,rating,text\na,x,5,\"so & so\"\nb,x,99,\n", "1 10 11\n2 10\n",
                                       "{\"user\": \"a\", \"item\": \"x\"}\n{'user': 'b', 'item': 'x'}\n{\n"};
    size_t live = tdm_mem_live();
    for (size_t kind = 0; kind < 3; kind++) {
        long k = 0;
        for (;; k++) {
            loaded x;
            tdm_err err = {{0}};
            tdm_mem_fail_after(k);
            tdm_status st = load_try(
                &x, rows[kind], "{\"id\": \"x\", \"title\": \"T\", \"tags\": [\"q\", \"r\"], \"keywords\": \"s\"}\n",
                (tdm_options){.rejects = raw_rejects_path}, &err);
            tdm_mem_fail_after(-1);
            done(&x);
            CHECK(tdm_mem_live() == live);
            if (st == TDM_OK) break;
            if (st != TDM_E_NOMEM) fail_msg("allocation %ld of kind %zu: %s", k, kind, err.msg);
            CHECK(k < 5000);
        }
        if (k <= 20) fail_msg("kind %zu is done after %ld allocations", kind, k);
    }
}

/* The real files, where they are: counts that their publishers state. */
static void real_files_give_the_known_counts(void **state)
{
    (void)state;
    static const struct {
        const char *rows, *items;
        double users, n_items, interactions, titled;
    } known[] = {
        {"raw/gift-cards-2018/Gift_Cards_5.json.gz", "raw/gift-cards-2018/meta_Gift_Cards.json.gz", 458, 148, 2972,
         148},
        {"raw/Musical_instruments_reviews.partial.csv", NULL, 1381, 392, 5050, 0},
        {"amazon2014/beauty/sequences.txt", "amazon2014/beauty/items.jsonl", 22363, 12101, 198502, 12094},
        {"movielens/ml-100k/u.data", "movielens/ml-100k/u.item", 944, 1682, 100003, 1681},
        {"movielens/ml-100k/u.data.official", NULL, 943, 1682, 100000, 0},
        {"movielens/ml-latest-small/ratings.csv", "movielens/ml-latest-small/movies.csv", 671, 9066, 100004, 9066}};
    const char *shared = getenv("TDM_SHARED");
    if (!shared) shared = TDM_SOURCE_DIR "/../shared/data";
    if (!tdm_folder_exists(shared)) {
        print_message("no folder of real data (TDM_SHARED): skipped\n");
        skip();
    }
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        char *rows = tdm_path_join(shared, known[k].rows), *items = NULL;
        if (known[k].items) items = tdm_path_join(shared, known[k].items);
        tdm_options o = {.sources = (const char *const *)&rows, .n_sources = 1, .items = items};
        tdm_builder *b;
        tdm_load l;
        loaded x;
        tdm_err err;
        CHECK_OK(tdm_builder_open(&b, 1, &err), err);
        CHECK_OK(tdm_load_files(&l, b, &o, NULL, &err), err);
        tdm_left_out left;
        CHECK_OK(small_log_finish(&x.d, b, 0, &left, &err), err);
        CHECK_OK(tdm_health(&x.health, x.d, &left, &l, NULL, &err), err);
        bool right = (double)x.d->U == known[k].users && (double)x.d->I == known[k].n_items &&
                     (double)x.d->N == known[k].interactions &&
                     tdm_json_num(x.health, "items_with_title", -1) == known[k].titled;
        if (!right) fail_msg("%s: %s", rows, cJSON_Print(x.health));
        done(&x);
        tdm_load_clear(&l);
        tdm_builder_close(b);
        tdm_free(rows);
        tdm_free(items);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_lines_of_three_generations_are_read),
        cmocka_unit_test(json_need_not_be_one_a_line),
        cmocka_unit_test(a_broken_line_costs_one_row),
        cmocka_unit_test(ids_that_are_numbers_stay_whole),
        cmocka_unit_test(separators_are_found),
        cmocka_unit_test(a_few_lines_with_blanks_among_tabs_are_rows_too),
        cmocka_unit_test(quotes_hold_separators_lines_and_quotes),
        cmocka_unit_test(single_bytes_become_utf8),
        cmocka_unit_test(without_a_header_values_say_what_columns_are),
        cmocka_unit_test(sequences_are_in_order_and_have_no_time),
        cmocka_unit_test(columns_can_be_said),
        cmocka_unit_test(what_is_no_log_is_refused_with_what_it_is),
        cmocka_unit_test(items_of_every_kind_are_read),
        cmocka_unit_test(packed_files_are_unpacked),
        cmocka_unit_test(a_raw_file_is_described),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
        cmocka_unit_test(real_files_give_the_known_counts),
    };
    return cmocka_run_group_tests(tests, raw_folder_make, raw_folder_remove);
}
