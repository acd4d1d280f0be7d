/* SPDX-License-Identifier: Apache-2.0 */
/* test_forms.c - the same few rows behind other separators, in other JSON, packed and encoded otherwise; and what holds
 * no rows, which is refused with what it is. */
#include "formats/case.h"

#include "base/file.h"
#include "base/json.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N(a) (sizeof(a) / sizeof *(a))

static void tables_of_every_separator(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"renamed_semicolon.csv"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (0 titled), 3 interactions",
         {"ann,tea,4,1393545600,,", "bob,pot,5,1393632000,,"}},
        {{"renamed_bar.csv"}, NULL, NULL, "2 rows, 2 people, 1 items (0 titled), 2 interactions", {"ann,tea,4,,,"}},
        {{"renamed_tab.tsv"},
         NULL,
         NULL,
         "2 rows, 2 people, 1 items (0 titled), 2 interactions",
         {"ann,tea,4,,,\"\"\"Hot\"\", she said\"", "bob,tea,3,,,"}},
        {{"renamed_colons.dat"},
         NULL,
         NULL,
         "2 rows, 2 people, 1 items (0 titled), 2 interactions",
         {"bob,tea,3,1400000001,,"}},
        {{"hotel_semicolon.csv"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (0 titled), 3 interactions",
         {"r1,h9,4.5,1391385600,,Sauber; ruhig"}},
        {{"blanks.txt"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (0 titled), 3 interactions",
         {"bob,pot,5,1400000002,,"}},
        {{"sequences.txt"}, NULL, NULL, "11 rows, 3 people, 6 items (0 titled), 11 interactions", {"3,15,,,,"}},
    };
    cases_check(cases, N(cases));
}

static void json_of_every_form(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"array.json"},
         NULL,
         NULL,
         "4 rows, 2 people, 2 items (0 titled), 3 interactions; 1 broken record",
         {"ann,tea,4,,,a ] and a }", "bob,pot,,,,"}},
        {{"json_ids.jsonl"},
         NULL,
         NULL,
         "3 rows, 2 people, 2 items (0 titled), 3 interactions",
         {"-8845298781299428018,-3499919498720038879,,1465413032,,",
          "9223372036854775807,12345678901234567890,,1465413034,,"}},
        {{"values.json"}, NULL, NULL, "3 rows, 2 people, 2 items (0 titled), 3 interactions", {"bob,pot,,,,"}},
    };
    cases_check(cases, N(cases));
}

static void encodings(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"bom_crlf.csv"},
         NULL,
         NULL,
         "2 rows, 2 people, 1 items (0 titled), 2 interactions",
         {"ann,tea,4,,two lines,", "bob,tea,3,,one,"}},
        {{"latin1.csv"},
         NULL,
         NULL,
         "2 rows, 2 people, 1 items (0 titled), 2 interactions",
         {"José,café,,,très bon,", "ann,café,,,ok,"}},
        {{"cp1252.csv"},
         NULL,
         NULL,
         "2 rows, 2 people, 1 items (0 titled), 2 interactions",
         {"ann,tea,,,“hot” – 5 €,", "bob,tea,,,don’t,"}},
    };
    cases_check(cases, N(cases));
}

/* Packs `n` files of tests/formats/samples into `path`; `name`: as in libarchive, "zip" and so on. */
static void pack(const char *path, const char *format, const char *filter, const char *const *names, size_t n)
{
    struct archive *a = archive_write_new();
    CHECK(!archive_write_set_format_by_name(a, format));
    if (filter) CHECK(!archive_write_add_filter_by_name(a, filter));
    CHECK(!archive_write_open_filename(a, path));
    for (size_t k = 0; k < n; k++) {
        char from[300];
        tdm_map m;
        tdm_err err;
        struct archive_entry *e = archive_entry_new();
        snprintf(from, sizeof from, "%s/tests/formats/samples/%s", TDM_SOURCE_DIR, names[k]);
        CHECK_OK(tdm_map_open(&m, from, &err), err);
        archive_entry_set_pathname(e, names[k]);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_size(e, (la_int64_t)m.n);
        CHECK(!archive_write_header(a, e) && archive_write_data(a, m.p, m.n) == (la_ssize_t)m.n);
        archive_entry_free(e);
        tdm_map_close(&m);
    }
    CHECK(!archive_write_close(a));
    archive_write_free(a);
}

static void packed_files(void **state)
{
    (void)state;
    static const struct {
        const char *format, *filter;
    } packings[] = {{"raw", "gzip"}, {"raw", "bzip2"},   {"raw", "xz"},      {"raw", "zstd"},
                    {"raw", "lz4"},  {"zip", NULL},      {"gnutar", "gzip"}, {"ustar", "bzip2"},
                    {"pax", "xz"},   {"gnutar", "zstd"}, {"gnutar", NULL}};
    static const char *const names[] = {"amazon_2018_reviews.json"};
    char room[64], path[100];
    const char *folder = case_folder(room, sizeof room), *file = path;
    snprintf(path, sizeof path, "%s/packed", folder);
    for (size_t k = 0; k < N(packings); k++) {
        pack(path, packings[k].format, packings[k].filter, names, 1);
        tdm_options o = {.sources = &file, .n_sources = 1};
        const char *got = case_prepare(folder, &o);
        if (strcmp(got, "5 rows, 2 people, 2 items (0 titled), 4 interactions; 1 duplicate"))
            fail_msg("%s %s: %s", packings[k].format, packings[k].filter ? packings[k].filter : "", got);
    }
    case_folder_remove(folder);
}

/* A download as it comes: ratings, films and a page about them in one zip. */
static void an_archive_of_several_files(void **state)
{
    (void)state;
    static const char *const names[] = {"ml_25m_ratings.csv", "ml_25m_movies.csv", "refused_words.txt"};
    char room[64], path[100];
    const char *folder = case_folder(room, sizeof room), *file = path;
    snprintf(path, sizeof path, "%s/ml.zip", folder);
    pack(path, "zip", NULL, names, 3);
    tdm_options o = {.sources = &file, .n_sources = 1};
    const char *got = case_prepare(folder, &o), *want = "3 rows, 2 people, 2 items (2 titled), 3 interactions";
    assert_string_equal(got, want);
    case_folder_remove(folder);
}

static void two_sources_are_one_log(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"amazon_2014_reviews.json", "amazon_2018_reviews.json", "ratings_2014.csv"},
         "amazon_2014_meta.json",
         NULL,
         "14 rows, 9 people, 7 items (2 titled), 13 interactions; 1 duplicate"},
    };
    cases_check(cases, N(cases));
}

static void what_is_no_log_is_refused(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"refused_labels.txt"}, NULL, NULL, "refused: … found texts with labels (\"__label__…\") … no person"},
        {{"refused_alexa.tsv"},
         NULL,
         NULL,
         "refused: … columns rating, date, variation, verified_reviews, feedback … expected interactions with a "
         "person"},
        {{"refused_counts.csv"}, NULL, NULL, "refused: … columns asin, count"},
        {{"refused_counts.txt"}, NULL, NULL, "refused: … B00KITE001, 17"},
        {{"refused_nested_sessions.jsonl"}, NULL, NULL, "refused: … JSON objects with the keys session, events"},
        {{"refused_clothes.csv"}, NULL, NULL, "refused: … Clothing ID, Age"},
        {{"refused_snap.txt"}, NULL, NULL, "refused: … product/productId:"},
        {{"refused_page.csv"}, NULL, NULL, "refused: … an HTML page"},
        {{"refused_words.txt"}, NULL, NULL, "refused: … expected interactions"},
        {{"ml_100k_u.user"}, NULL, NULL, "refused: … expected interactions"},
        {{"ml_1m_users.dat"}, NULL, NULL, "refused: … expected interactions"},
        {{"recbole.user"}, NULL, NULL, "refused: … user_id:token, age:token"},
        {{"fine_food.csv"},
         NULL,
         "user=Nobody",
         "refused: … has no column Nobody as --map says for user; its 10 columns begin: Id, ProductId"},
    };
    cases_check(cases, N(cases));
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *found;
    } cases[] = {
#define BYTES(b) b, sizeof(b) - 1
        {BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "a PNG image"},
        {BYTES("\xff\xd8\xff\xe0\0\x10JFIF"), "a JPEG image"},
        {BYTES("GIF89a\1\0\1\0"), "a GIF image"},
        {BYTES("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), "a PDF document"},
        {BYTES("PAR1\x15\x04\x15"), "a Parquet file"},
        {BYTES("SQLite format 3\0\x10\0"), "an SQLite database"},
        {BYTES("\x89HDF\r\n\x1a\n"), "an HDF5 file"},
        {BYTES("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"), "an XML document"},
        {BYTES("\xff\xfeu\0s\0e\0r\0"), "text in UTF-16"},
        {BYTES(""), "an empty file"},
        {BYTES(" \n\t\r\n  "), "a file of nothing but white space"},
        {BYTES("user,item\n\0\0\0\0"), "binary data"},
#undef BYTES
    };
    char room[64], path[100], want[200];
    const char *folder = case_folder(room, sizeof room), *file = path;
    snprintf(path, sizeof path, "%s/reviews.csv", folder);
    for (size_t k = 0; k < N(cases); k++) {
        FILE *f = fopen(path, "wb");
        CHECK(f && fwrite(cases[k].bytes, 1, cases[k].n, f) == cases[k].n && !fclose(f));
        tdm_options o = {.sources = &file, .n_sources = 1};
        const char *got = case_prepare(folder, &o);
        snprintf(want, sizeof want, "refused: %s: found %s", path, cases[k].found);
        if (strncmp(got, want, strlen(want))) fail_msg("expected %s\n    found %s", want, got);
    }
    case_folder_remove(folder);
}

/* What `inspect` says of tables: "interactions: user 1, item 2", by the numbers of the columns. */
static void columns_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *file, *roles;
    } cases[] = {{"ml_10m_tags.dat", "tags: user 1, item 2, time 4, tag 3"},
                 {"ml_25m_tags.csv", "tags: user 1, item 2, time 4, tag 3"},
                 {"steam_200k.csv", "interactions: user 1, item 2, event 3"},
                 {"taobao_behavior.csv", "interactions: user 1, item 2, time 5, event 4"},
                 {"retailrocket_events.csv", "interactions: user 2, item 4, time 1, event 3"},
                 {"events_no_header.csv", "interactions: user 1, item 4, time 5, event 3"},
                 {"rees46.csv", "interactions: user 8, item 3, time 1, event 2"},
                 {"deskdrop_interactions.csv", "interactions: user 4, item 3, time 1, event 2"},
                 {"lastfm_360k.tsv", "interactions: user 1, item 2"},
                 {"ratings_2014.csv", "interactions: user 1, item 2, rating 3, time 4"},
                 {"ratings_2018.csv", "interactions: user 2, item 1, rating 3, time 4"},
                 {"deskdrop_articles.csv", "items: item 3, title 11, description 12"},
                 {"mind_news.tsv", "items: item 1, title 4, category 2, description 5"},
                 {"ml_1m_movies.dat", "items: item 1, title 2, category 3"},
                 {"ml_100k_u.item", "items: item 1, title 2"},
                 {"words_as_ids.csv", "interactions: user 1, item 2, rating 3, time 5"},
                 {"things_no_header.tsv", "items: item 1, title 3, category 2"},
                 {"reviews_without_people.csv", "items: item 1, title 2"}, /* what was written is no description */
                 {"anime.csv", "items: item 1, title 2, category 3"},
                 {"bx_books.csv", "items: item 1, title 2, brand 3"}};
    for (size_t k = 0; k < N(cases); k++) {
        char path[300], *answer, got[300];
        tdm_err err;
        snprintf(path, sizeof path, "%s/tests/formats/samples/%s", TDM_SOURCE_DIR, cases[k].file);
        CHECK_OK(tdm_inspect(&answer, path, &err), err);
        cJSON *j = cJSON_Parse(answer);
        const cJSON *found = cJSON_GetObjectItem(j, "found"), *r;
        int n = snprintf(got, sizeof got, "%s", tdm_json_str(found, "holds", ""));
        const char *between = ":";
        cJSON_ArrayForEach(r, cJSON_GetObjectItem(found, "roles"))
        {
            n += snprintf(got + n, sizeof got - (size_t)n, "%s %s %g", between, r->string, r->valuedouble);
            between = ",";
        }
        if (strcmp(got, cases[k].roles)) fail_msg("%s: %s, not %s", cases[k].file, got, cases[k].roles);
        cJSON_Delete(j);
        tdm_text_free(answer);
    }
}

/* The manual's tables name every sample, so that none is tested and not told. */
static void every_sample_is_in_the_manual(void **state)
{
    (void)state;
    tdm_map m;
    tdm_err err;
    CHECK_OK(tdm_map_open(&m, TDM_SOURCE_DIR "/docs/formats.md", &err), err);
    char *text = malloc(m.n + 1), name[300];
    CHECK(text);
    memcpy(text, m.p, m.n);
    text[m.n] = 0;
    size_t samples = 0;
    DIR *d = opendir(TDM_SOURCE_DIR "/tests/formats/samples");
    CHECK(d);
    for (const struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        samples++;
        snprintf(name, sizeof name, "`%s`", e->d_name);
        if (!strstr(text, name)) fail_msg("docs/formats.md does not name %s", e->d_name);
    }
    CHECK(samples > 80);
    closedir(d);
    free(text);
    tdm_map_close(&m);
}

static void standard_input(void **state)
{
    (void)state;
    char room[64];
    const char *folder = case_folder(room, sizeof room), *dash = "-";
    int was = dup(0), file = open(TDM_SOURCE_DIR "/tests/formats/samples/amazon_2018_reviews.json", O_RDONLY);
    CHECK(was >= 0 && file >= 0 && dup2(file, 0) == 0 && !close(file));
    tdm_options o = {.sources = &dash, .n_sources = 1};
    const char *got = case_prepare(folder, &o);
    CHECK(dup2(was, 0) == 0 && !close(was));
    assert_string_equal(got, "5 rows, 2 people, 2 items (0 titled), 4 interactions; 1 duplicate");
    case_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tables_of_every_separator),
                                       cmocka_unit_test(json_of_every_form),
                                       cmocka_unit_test(encodings),
                                       cmocka_unit_test(packed_files),
                                       cmocka_unit_test(columns_are_told_apart),
                                       cmocka_unit_test(every_sample_is_in_the_manual),
                                       cmocka_unit_test(standard_input),
                                       cmocka_unit_test(an_archive_of_several_files),
                                       cmocka_unit_test(two_sources_are_one_log),
                                       cmocka_unit_test(what_is_no_log_is_refused),
                                       cmocka_unit_test(bytes_that_are_no_text_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
