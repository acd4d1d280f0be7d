/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/tandem-safetensors-%ld", (long)getpid());
    return 0;
}

static int drop_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void what_is_written_is_read_aligned(void **state)
{
    (void)state;
    float f[6] = {1, 2, 3, 4, 5, 6};
    int64_t o[4] = {0, 3, 3, 5};
    tdm_strings names = {"abcde", o, 3}, back;
    tdm_tensor t[4] = {tdm_tensor_1d("flags", TDM_U8, "xyz", 3), tdm_tensor_2d("f", TDM_F32, f, 2, 3)};
    tdm_tensor_strings(t + 2, "names.offset", "names.bytes", &names);
    const char *meta[] = {"kind", "te\"st", NULL};
    tdm_err err;
    CHECK_OK(tdm_safetensors_write(path, t, 4, meta, &err), err);
    tdm_safetensors *s;
    CHECK_OK(tdm_safetensors_open(&s, path, &err), err);
    const void *p;
    CHECK_OK(tdm_safetensors_need(s, &p, "f", TDM_F32, 6, &err), err);
    CHECK(memcmp(p, f, sizeof f) == 0 && (uintptr_t)p % 4 == 0);
    const tdm_tensor *x = tdm_safetensors_find(s, "f");
    CHECK(x->dims == 2 && x->shape[0] == 2 && x->shape[1] == 3);
    CHECK_OK(tdm_safetensors_strings(s, &back, "names", 3, &err), err);
    CHECK(tdm_str_is(tdm_strings_at(&back, 0), "abc") && tdm_strings_at(&back, 1).n == 0);
    assert_string_equal(tdm_safetensors_meta(s, "kind"), "te\"st");
    CHECK(tdm_safetensors_need(s, &p, "f", TDM_F32, 7, &err) == TDM_E_FORMAT);
    CHECK(tdm_safetensors_need(s, &p, "g", TDM_F32, 7, &err) == TDM_E_FORMAT);
    tdm_safetensors_close(s);
}

static void write_raw(const char *json, size_t data)
{
    uint8_t raw[600] = {0};
    size_t n = strlen(json);
    raw[0] = (uint8_t)n;
    raw[1] = (uint8_t)(n >> 8);
    memcpy(raw + 8, json, n);
    CHECK(tdm_file_write(path, raw, 8 + n + data, NULL) == TDM_OK);
}

static void lengths_that_a_file_claims_are_not_trusted(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F99\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,10]}}", "[]", "{\"a\":7}", "{",
    };
    tdm_safetensors *s;
    tdm_err err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_raw(bad[i], 8);
        CHECK(tdm_safetensors_open(&s, path, &err) == TDM_E_FORMAT && !s && strstr(err.msg, path));
    }
    CHECK(tdm_file_write(path, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, NULL) == TDM_OK);
    CHECK(tdm_safetensors_open(&s, path, &err) == TDM_E_FORMAT);
    write_raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8);
    CHECK(tdm_safetensors_open(&s, path, &err) == TDM_OK);
    tdm_safetensors_close(s);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    write_raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8);
    size_t live = tdm_mem_live();
    long k = 0;
    for (; k < 100; k++) {
        tdm_safetensors *s;
        tdm_mem_fail_after(k);
        tdm_status st = tdm_safetensors_open(&s, path, NULL);
        tdm_mem_fail_after(-1);
        tdm_safetensors_close(s);
        CHECK(tdm_mem_live() == live);
        if (!st) break;
        CHECK(st == TDM_E_NOMEM);
    }
    CHECK(k == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_aligned),
        cmocka_unit_test(lengths_that_a_file_claims_are_not_trusted),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_path, drop_path);
}
