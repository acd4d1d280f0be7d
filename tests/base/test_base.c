/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/run.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void memory_is_zeroed_aligned_counted_and_checked(void **state)
{
    (void)state;
    size_t live = tdm_mem_live();
    unsigned char *p = tdm_new(1000, 3);
    CHECK(p && (uintptr_t)p % TDM_ALIGN == 0 && tdm_mem_live() == live + 1);
    for (size_t i = 0; i < 3000; i++) CHECK(p[i] == 0);
    CHECK(tdm_new(SIZE_MAX / 2, 4) == NULL);
    tdm_mem_fail_after(1);
    void *a = tdm_new(1, 1), *b = tdm_new(1, 1), *c = tdm_new(1, 1);
    CHECK(a && !b && c);
    tdm_mem_fail_after(-1);
    tdm_free(a);
    tdm_free(c);
    tdm_free(p);
    CHECK(tdm_mem_live() == live);
}

static void grow_keeps_contents_and_zeroes_the_rest(void **state)
{
    (void)state;
    uint32_t *p = NULL;
    size_t cap = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        CHECK(tdm_grow(&p, &cap, i + 1, sizeof *p) == 0);
        CHECK(p[i] == 0);
        p[i] = i;
    }
    for (uint32_t i = 0; i < 1000; i++) CHECK(p[i] == i);
    tdm_free(p);
}

static void sum_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    double *part = ctx;
    for (size_t i = begin; i < end; i++) part[chunk] += 1.0 / (double)(i + 1);
}

static void same_bits_at_1_2_and_7_threads(void **state)
{
    (void)state;
    enum { N = 100003, GRAIN = 97 };
    double sums[3];
    size_t threads[3] = {1, 2, 7};
    for (int t = 0; t < 3; t++) {
        tdm_pool *pool;
        tdm_err err;
        CHECK_OK(tdm_pool_open(&pool, threads[t], &err), err);
        CHECK(tdm_pool_threads(pool) == threads[t]);
        for (int again = 0; again < 20; again++) {
            double *part = tdm_new(tdm_chunks(N, GRAIN), sizeof *part);
            tdm_pool_for(pool, N, GRAIN, sum_chunk, part);
            sums[t] = 0;
            for (size_t c = 0; c < tdm_chunks(N, GRAIN); c++) sums[t] += part[c];
            tdm_free(part);
        }
        tdm_pool_close(pool);
    }
    CHECK(memcmp(&sums[0], &sums[1], sizeof(double)) == 0 && memcmp(&sums[0], &sums[2], sizeof(double)) == 0);
}

static void rng_is_keyed_and_unbiased(void **state)
{
    (void)state;
    tdm_rng a = tdm_rng_make(1, 2, 3), b = tdm_rng_make(1, 2, 3), c = tdm_rng_make(1, 3, 2);
    CHECK(tdm_rng_u64(&a) == tdm_rng_u64(&b) && tdm_rng_u64(&a) != tdm_rng_u64(&c));
    size_t count[7] = {0};
    double mean = 0, square = 0;
    for (int i = 0; i < 70000; i++) {
        count[tdm_rng_below(&a, 7)]++;
        double x = tdm_rng_normal(&a);
        mean += x / 70000;
        square += x * x / 70000;
    }
    for (int i = 0; i < 7; i++) CHECK(count[i] > 9500 && count[i] < 10500); /* 10000 +- 5 deviations of 93 */
    CHECK(mean > -0.02 && mean < 0.02 && square > 0.97 && square < 1.03);
}

static void utf8_refuses_what_rfc_3629_refuses(void **state)
{
    (void)state;
    const char *good[] = {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xb8", "\xf4\x8f\xbf\xbf"};
    const char *bad[] = {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) CHECK(tdm_utf8_valid(tdm_str_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(!tdm_utf8_valid(tdm_str_of(bad[i])));
    CHECK(tdm_utf8_cut(tdm_str_of("a\xe2\x82\xac"), 3).n == 1);
    tdm_buf b = {0};
    for (uint32_t c = 0; c < 0x110000; c += 977) {
        if (c >= 0xd800 && c < 0xe000) continue;
        tdm_buf_reset(&b);
        tdm_utf8_add(&b, c);
        uint32_t back;
        CHECK(tdm_utf8_next((tdm_str){b.p, b.n}, &back) == b.n && back == c);
    }
    tdm_buf_clear(&b);
}

static void json_quotes_any_bytes_and_reads_them_back(void **state)
{
    (void)state;
    tdm_buf b = {0};
    tdm_json_quote(&b, (tdm_str){"a\"\\\n\x01\xff\xc3\xa9", 8});
    assert_string_equal(b.p, "\"a\\\"\\\\\\n\\u0001\\ufffd\xc3\xa9\"");
    cJSON *j;
    tdm_err err;
    CHECK_OK(tdm_json_parse(&j, b.p, b.n, "test", &err), err);
    cJSON_Delete(j);
    CHECK(tdm_json_parse(&j, "{} x", 4, "test", &err) == TDM_E_FORMAT && !j);
    tdm_buf_clear(&b);
}

static void files_are_replaced_whole_and_hashed(void **state)
{
    (void)state;
    char folder[] = "/tmp/tandem-base-XXXXXX";
    tdm_err err;
    CHECK(mkdtemp(folder));
    char *deep = tdm_path_join(folder, "a/b/c"), *path = tdm_path_join(deep, "x");
    CHECK_OK(tdm_folder_make(deep, &err), err);
    CHECK_OK(tdm_file_write(path, "abc", 3, &err), err);
    char hex[65];
    CHECK_OK(tdm_file_sha256(hex, path, &err), err);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); /* FIPS 180-2 */
    CHECK(tdm_file_write(deep, "abc", 3, &err) == TDM_E_IO && strstr(err.msg, deep));
    tdm_map m;
    CHECK(tdm_map_open(&m, "/nowhere/at/all", &err) == TDM_E_IO && m.p == NULL);
    CHECK_OK(tdm_map_open(&m, path, &err), err);
    CHECK(m.n == 3 && !memcmp(m.p, "abc", 3));
    tdm_map_close(&m);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
    tdm_free(path);
    tdm_free(deep);
}

static void cancel_is_seen(void **state)
{
    (void)state;
    tdm_run *run;
    tdm_err err;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2}, &err), err);
    CHECK(tdm_run_check(run, "x", &err) == TDM_OK);
    tdm_run_cancel(run);
    CHECK(tdm_run_check(run, "x", &err) == TDM_E_CANCELLED);
    tdm_run_close(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_counted_and_checked),
        cmocka_unit_test(grow_keeps_contents_and_zeroes_the_rest),
        cmocka_unit_test(same_bits_at_1_2_and_7_threads),
        cmocka_unit_test(rng_is_keyed_and_unbiased),
        cmocka_unit_test(utf8_refuses_what_rfc_3629_refuses),
        cmocka_unit_test(json_quotes_any_bytes_and_reads_them_back),
        cmocka_unit_test(files_are_replaced_whole_and_hashed),
        cmocka_unit_test(cancel_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
