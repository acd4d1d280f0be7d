/* SPDX-License-Identifier: Apache-2.0 */
/* test_sample.c - the sample is what shop.h says it is: its files, its people, its dirt. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/run.h"
#include "base/utf8.h"
#include "check.h"
#include "folder.h"
#include "sample/shop.h"

#include <stdlib.h>
#include <string.h>

static tdm_shop shop;

static int all_open(void **state)
{
    tdm_err err;
    if (scratch_open(state)) return -1;
    CHECK_OK(tdm_shop_make(&shop, 1, &err), err);
    CHECK_OK(tdm_sample_write(scratch("a"), 1, &err), err);
    return 0;
}

static int all_close(void **state)
{
    tdm_shop_clear(&shop);
    return scratch_close(state);
}

static bool same_file(const char *a, const char *b)
{
    char x[65], y[65];
    tdm_err err;
    CHECK_OK(tdm_file_sha256(x, a, &err), err);
    CHECK_OK(tdm_file_sha256(y, b, &err), err);
    return !strcmp(x, y);
}

static void a_seed_decides_every_byte(void **state)
{
    (void)state;
    tdm_err err;
    CHECK_OK(tdm_sample_write(scratch("b"), 1, &err), err);
    CHECK_OK(tdm_sample_write(scratch("c"), 2, &err), err);
    CHECK(same_file(scratch("a/reviews.jsonl"), scratch("b/reviews.jsonl")));
    CHECK(same_file(scratch("a/items.jsonl"), scratch("b/items.jsonl")));
    CHECK(!same_file(scratch("a/reviews.jsonl"), scratch("c/reviews.jsonl")));
    CHECK(!same_file(scratch("a/items.jsonl"), scratch("c/items.jsonl")));
}

static void counts_are_those_of_a_small_shop(void **state)
{
    (void)state;
    size_t domain[TDM_SHOP_DOMAINS] = {0}, longest = 0;
    CHECK(shop.I >= 300 && shop.I <= TDM_SHOP_ITEMS);
    CHECK(shop.N >= 8 * TDM_SHOP_PEOPLE && shop.N <= 13 * TDM_SHOP_PEOPLE);
    CHECK(shop.first[0] == 0 && shop.first[TDM_SHOP_PEOPLE] == shop.N);
    for (size_t i = 0; i < shop.I; i++) domain[shop.item[i].domain]++;
    for (int d = 0; d < TDM_SHOP_DOMAINS; d++) CHECK(domain[d] >= 80);
    for (uint32_t u = 0; u < TDM_SHOP_PEOPLE; u++) {
        size_t n = shop.first[u + 1] - shop.first[u];
        CHECK(n >= 6);
        longest = n > longest ? n : longest;
        for (size_t k = shop.first[u]; k < shop.first[u + 1]; k++) {
            const tdm_visit *v = &shop.visit[k];
            CHECK(v->person == u && v->step == k - shop.first[u] && v->item < shop.I);
            CHECK(v->rating >= 1 && v->rating <= 5 && v->day < TDM_SHOP_DAYS);
            CHECK(v->day >= shop.item[v->item].launch);
            if (v->step) CHECK(v[-1].day < v->day);
        }
    }
    CHECK(longest >= 20); /* some people have a long history */
}

static void nobody_chooses_a_thing_twice(void **state)
{
    (void)state;
    for (size_t u = 0; u < TDM_SHOP_PEOPLE; u++)
        for (size_t k = shop.first[u]; k < shop.first[u + 1]; k++)
            for (size_t j = shop.first[u]; j < k; j++) CHECK(shop.visit[j].item != shop.visit[k].item);
}

static void titles_and_ids_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < shop.I; i++) {
        CHECK(*shop.item[i].title && *shop.item[i].description);
        CHECK(strlen(shop.item[i].title) + 1 < sizeof shop.item[i].title); /* not cut off */
        for (size_t j = 0; j < i; j++) {
            if (!strcmp(shop.item[i].title, shop.item[j].title)) fail_msg("two items are \"%s\"", shop.item[i].title);
            CHECK(strcmp(shop.item[i].id, shop.item[j].id) != 0);
        }
    }
}

static size_t lines_checked(const char *path, const char *const *keys)
{
    tdm_map m;
    tdm_err err;
    size_t lines = 0;
    CHECK_OK(tdm_map_open(&m, path, &err), err);
    CHECK(m.n > 0 && m.p[m.n - 1] == '\n');
    for (const char *c = (const char *)m.p, *end = c + m.n; c < end; lines++) {
        size_t n = (size_t)((const char *)memchr(c, '\n', (size_t)(end - c)) - c);
        cJSON *o = NULL;
        CHECK(tdm_utf8_valid((tdm_str){c, n}));
        CHECK_OK(tdm_json_parse(&o, c, n, "a line of the sample", &err), err);
        for (size_t k = 0; keys[k]; k++)
            if (!cJSON_HasObjectItem(o, keys[k])) fail_msg("%s, line %zu: no %s", path, lines + 1, keys[k]);
        cJSON_Delete(o);
        c += n + 1;
    }
    tdm_map_close(&m);
    return lines;
}

static void every_line_is_json_in_utf8(void **state)
{
    (void)state;
    static const char *const review[] = {"asin", "summary", "unixReviewTime", "reviewTime", NULL};
    static const char *const item[] = {"asin", "title", "brand", "category", "description", NULL};
    CHECK(lines_checked(scratch("a/reviews.jsonl"), review) > shop.N);
    CHECK(lines_checked(scratch("a/items.jsonl"), item) == shop.I);
}

static int more_first(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

static void popularity_is_skewed_and_nothing_is_left_out(void **state)
{
    (void)state;
    uint32_t rows[TDM_SHOP_ITEMS] = {0};
    size_t top = 0;
    for (size_t n = 0; n < shop.N; n++) rows[shop.visit[n].item]++;
    qsort(rows, shop.I, sizeof *rows, more_first);
    for (size_t i = 0; i < shop.I / 10; i++) top += rows[i];
    CHECK(4 * top >= shop.N); /* a tenth of the items has a quarter of the rows or more */
    CHECK(rows[shop.I - 1] >= 1);
}

/* How often b comes within three steps after a, both over all people. */
static void sequels_come_right_after(void **state)
{
    (void)state;
    size_t after = 0, before = 0, both = 0;
    for (size_t k = 0; k < shop.N; k++)
        for (size_t j = k + 1; j < shop.N && shop.visit[j].person == shop.visit[k].person; j++) {
            const tdm_shop_item *x = &shop.item[shop.visit[k].item], *y = &shop.item[shop.visit[j].item];
            bool forward = x->next == (int)shop.visit[j].item, back = y->next == (int)shop.visit[k].item;
            both += forward || back;
            after += forward && j - k <= 3;
            before += back && j - k <= 3;
        }
    CHECK(after > 500);
    CHECK(after > 20 * before);
    CHECK(10 * after > 8 * both);
}

static void every_reason_is_a_good_share(void **state)
{
    (void)state;
    size_t last[TDM_REASONS] = {0};
    for (size_t u = 0; u < TDM_SHOP_PEOPLE; u++) last[shop.visit[shop.first[u + 1] - 1].reason]++;
    for (int r = 0; r < TDM_REASONS; r++) CHECK(last[r] >= 80); /* enough people for a test on each */
}

/* The files hold 12 rows twice, 15 second reviews of one thing, one row without a person and two without a rating. A
 * duplicate or a second review may be of a broken row, so a count may be one off. */
static void the_dirt_is_counted(void **state)
{
    (void)state;
    tdm_err err;
    tdm_run *run;
    char *text;
    const char *source = scratch("a/reviews.jsonl");
    tdm_options o = {.sources = &source, .n_sources = 1, .items = scratch("a/items.jsonl")};
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 1, .seed = 1}, &err), err);
    CHECK_OK(tdm_pipeline_prepare(&text, scratch("data"), &o, run, &err), err);
    cJSON *h = NULL;
    CHECK_OK(tdm_json_parse(&h, text, strlen(text), "the health table", &err), err);
    double rows = tdm_json_num(h, "rows_read", 0), twice = tdm_json_num(h, "duplicates", 0);
    double again = tdm_json_num(h, "repeated_pairs", 0), kept = tdm_json_num(h, "interactions", 0), rated = 0;
    const cJSON *rejected = cJSON_GetObjectItemCaseSensitive(h, "rejected"), *count;
    double nobody = tdm_json_num(rejected, "no person", 0);
    cJSON_ArrayForEach(count, cJSON_GetObjectItemCaseSensitive(h, "ratings")) rated += count->valuedouble;
    CHECK(twice >= 11 && twice <= 13);
    CHECK(again >= 13 && again <= 15);
    CHECK(nobody >= 1 && nobody <= 2);
    CHECK(rows == kept + twice + nobody);
    CHECK(kept - rated >= 1 && kept - rated <= 3);
    CHECK(tdm_json_num(h, "users", 0) == TDM_SHOP_PEOPLE);
    CHECK(tdm_json_num(h, "items", 0) == (double)shop.I);
    CHECK(tdm_json_num(h, "items_with_title", 0) == (double)shop.I);
    cJSON_Delete(h);
    tdm_text_free(text);

    o.strict = 1;
    CHECK(tdm_pipeline_prepare(&text, scratch("strict"), &o, run, &err) == TDM_E_FORMAT);
    tdm_run_close(run);
}

static void a_folder_is_needed(void **state)
{
    (void)state;
    tdm_err err;
    CHECK(tdm_sample_write(NULL, 1, &err) == TDM_E_ARG);
    CHECK(tdm_sample_write("", 1, &err) == TDM_E_ARG);
    CHECK(tdm_sample_write(scratch("a/items.jsonl/x"), 1, &err) == TDM_E_IO);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    size_t live = tdm_mem_live();
    long n = 0;
    for (;; n++) {
        tdm_err err;
        tdm_mem_fail_after(n);
        tdm_status st = tdm_sample_write(scratch("f"), 3, &err);
        tdm_mem_fail_after(-1);
        CHECK(tdm_mem_live() == live);
        if (st == TDM_OK) break;
        CHECK(st == TDM_E_NOMEM);
    }
    CHECK(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_decides_every_byte),
        cmocka_unit_test(counts_are_those_of_a_small_shop),
        cmocka_unit_test(nobody_chooses_a_thing_twice),
        cmocka_unit_test(titles_and_ids_are_unique),
        cmocka_unit_test(every_line_is_json_in_utf8),
        cmocka_unit_test(popularity_is_skewed_and_nothing_is_left_out),
        cmocka_unit_test(sequels_come_right_after),
        cmocka_unit_test(every_reason_is_a_good_share),
        cmocka_unit_test(the_dirt_is_counted),
        cmocka_unit_test(a_folder_is_needed),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests_name("sample", tests, all_open, all_close);
}
