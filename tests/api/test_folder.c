/* SPDX-License-Identifier: Apache-2.0 */
/* test_folder.c - a model folder: what makes it whole, what damage is told apart, what is trained again, and that short
 * memory anywhere is an error and never a leak. */
#include "check.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char top[] = "/tmp/tandem-folder-XXXXXX", model[64], reviews[64];
static const char some_models[] = "popularity,user-knn,item-knn,cooccurrence,content,hybrid";

static tdm_run *run_of(size_t threads, uint64_t seed)
{
    tdm_run *run;
    tdm_err err;
    tdm_run_options o = {.threads = threads, .seed = seed};
    CHECK_OK(tdm_run_open(&run, &o, &err), err);
    return run;
}

static tdm_options options(const char *models)
{
    static const char *source = reviews;
    return (tdm_options){.sources = &source, .n_sources = 1, .split = "leave-one-out", .models = models};
}

static void fit(const char *folder, const char *models, size_t threads)
{
    tdm_run *run = run_of(threads, 1);
    tdm_options o = options(models);
    tdm_err err;
    char *text;
    CHECK_OK(tdm_pipeline_fit(&text, folder, &o, run, &err), err);
    tdm_text_free(text);
    tdm_run_close(run);
}

static char *in(const char *folder, const char *name)
{
    char *path = tdm_path_join(folder, name);
    CHECK(path);
    return path;
}

static cJSON *manifest_of(const char *folder)
{
    cJSON *m;
    tdm_err err;
    char *path = in(folder, "tandem.json");
    CHECK_OK(tdm_json_read(&m, path, &err), err);
    tdm_free(path);
    return m;
}

static void opens_with(tdm_status want, const char *needle)
{
    tdm_recommender *r;
    tdm_err err = {{0}};
    tdm_status st = tdm_recommender_open(&r, model, &err);
    if (st != want || (needle && !strstr(err.msg, needle)))
        fail_msg("opened with %s: %s; wanted %s, %s", tdm_status_text(st), err.msg, tdm_status_text(want), needle);
    tdm_recommender_close(r);
}

/* Replaces a file by `bytes`, opens the folder, puts the file back. */
static void damaged(const char *name, const void *bytes, size_t n, tdm_status want, const char *needle)
{
    tdm_map map;
    tdm_err err;
    char *path = in(model, name);
    CHECK_OK(tdm_map_open(&map, path, &err), err);
    char *whole = tdm_strndup((const char *)map.p, map.n);
    size_t size = map.n;
    tdm_map_close(&map);
    CHECK(whole);
    if (bytes) CHECK_OK(tdm_file_write(path, bytes, n, &err), err);
    else CHECK(unlink(path) == 0);
    opens_with(want, needle);
    CHECK_OK(tdm_file_write(path, whole, size, &err), err);
    tdm_free(whole);
    tdm_free(path);
}

static void damage_is_told_by_file(void **state)
{
    (void)state;
    cJSON *m = manifest_of(model);
    const cJSON *f;
    size_t files = 0;
    cJSON_ArrayForEach(f, cJSON_GetObjectItem(m, "files"))
    {
        damaged(f->string, NULL, 0, TDM_E_IO, f->string);
        damaged(f->string, "", 0, TDM_E_FORMAT, f->string);
        damaged(f->string, "not what it was", 15, TDM_E_FORMAT, f->string);
        files++;
    }
    CHECK(files >= 8); /* three of the data, one of each model at least */
    cJSON_Delete(m);
    opens_with(TDM_OK, NULL);
}

static void a_manifest_is_not_trusted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tdm_status st;
        const char *needle;
    } cases[] = {
        {"", TDM_E_FORMAT, "tandem.json"},
        {"[]", TDM_E_UNSUPPORTED, "another version"},
        {"{\"format\": 99}", TDM_E_UNSUPPORTED, "another version"},
        {"{\"format\": 1}", TDM_E_FORMAT, "protocol"},
        {"{\"format\": 1, \"protocol\": {\"split\": \"ratio\", \"ties\": \"file\", \"seen\": \"filter\", "
         "\"duplicates\": "
         "\"newest\", \"seed\": -4}}",
         TDM_E_FORMAT, "protocol"},
        {"{\"format\": 1, \"protocol\": {\"split\": \"ratio\", \"ties\": \"file\", \"seen\": \"filter\", "
         "\"duplicates\": "
         "\"newest\", \"seed\": 1}, \"files\": {\"../secret\": \"00\"}}",
         TDM_E_FORMAT, "outside its folder"},
        {"{\"format\": 1, \"protocol\": {\"split\": \"ratio\", \"ties\": \"file\", \"seen\": \"filter\", "
         "\"duplicates\": "
         "\"newest\", \"seed\": 1}, \"models\": [{\"name\": \"oracle\"}]}",
         TDM_E_UNSUPPORTED, "oracle"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        damaged("tandem.json", cases[i].text, strlen(cases[i].text), cases[i].st, cases[i].needle);
}

static void only_what_changed_is_trained_again(void **state)
{
    (void)state;
    char *folder = in(top, "again"), *path = in(folder, "training.json");
    tdm_run *run = run_of(1, 1);
    tdm_options o = options("item-knn,content");
    tdm_err err;
    char *text;
    fit(folder, "item-knn,content", 1);
    cJSON *before = manifest_of(folder);
    CHECK(unlink(path) == 0);
    const char *set[] = {"content.K=8"};
    o.set = set;
    o.n_set = 1;
    CHECK_OK(tdm_pipeline_fit(&text, folder, &o, run, &err), err);
    tdm_text_free(text);
    cJSON *measured, *after = manifest_of(folder);
    CHECK_OK(tdm_json_read(&measured, path, &err), err);
    CHECK(!cJSON_HasObjectItem(measured, "item-knn") && cJSON_HasObjectItem(measured, "content"));
    const cJSON *a = cJSON_GetObjectItem(before, "files"), *b = cJSON_GetObjectItem(after, "files");
    CHECK(!strcmp(tdm_json_str(a, "cf/item-knn.safetensors", "a"), tdm_json_str(b, "cf/item-knn.safetensors", "b")));
    CHECK(strcmp(tdm_json_str(a, "content.safetensors", ""), tdm_json_str(b, "content.safetensors", "")));
    cJSON_Delete(before);
    cJSON_Delete(after);
    cJSON_Delete(measured);
    tdm_run_close(run);
    tdm_free(path);
    tdm_free(folder);
}

static void threads_do_not_change_a_byte(void **state)
{
    (void)state;
    cJSON *one = manifest_of(model);
    for (size_t threads = 2; threads <= 7; threads += 5) {
        char *folder = in(top, threads == 2 ? "two" : "seven");
        fit(folder, some_models, threads);
        cJSON *m = manifest_of(folder);
        CHECK(cJSON_Compare(one, m, true)); /* it holds the sum of every file */
        cJSON_Delete(m);
        tdm_free(folder);
    }
    cJSON_Delete(one);
}

/* Asks for everything once; whatever was given is given back. */
static tdm_status ask_all(tdm_err *err)
{
    tdm_recommender *r;
    tdm_query known = {.user = "p1", .n = 3, .words = 1}, typed = {.history = "i1,i2:4", .category = NULL, .n = 3};
    char *text = NULL;
    tdm_status st = tdm_recommender_open(&r, model, err);
    if (!st && !(st = tdm_recommender_recommend(r, &text, &known, err))) tdm_text_free(text);
    if (!st && !(st = tdm_recommender_recommend(r, &text, &typed, err))) tdm_text_free(text);
    if (!st && !(st = tdm_recommender_explain(r, &text, &known, "i3", err))) tdm_text_free(text);
    if (!st && !(st = tdm_recommender_similar(r, &text, "i3", NULL, NULL, 3, err))) tdm_text_free(text);
    if (!st && !(st = tdm_recommender_similar(r, &text, NULL, "p1", NULL, 3, err))) tdm_text_free(text);
    tdm_recommender_close(r);
    if (!st && !(st = tdm_inspect(&text, model, err))) tdm_text_free(text);
    return st;
}

static void short_memory_is_an_error_and_no_leak(void **state)
{
    (void)state;
    size_t live = tdm_mem_live();
    tdm_err err = {{0}};
    long k = 0, most = 20000, failed = 0;
    CHECK_OK(ask_all(&err), err);
    for (; k < most; k += 1 + k / 64) { /* every one of the first, then ever fewer of the thousands */
        tdm_mem_fail_after(k);
        tdm_status st = ask_all(&err);
        tdm_mem_fail_after(-1);
        if (tdm_mem_live() != live) fail_msg("allocation %ld failed: %zu blocks left", k, tdm_mem_live() - live);
        if (st == TDM_OK) break;
        failed++;
        if (st != TDM_E_NOMEM) fail_msg("allocation %ld failed: %s: %s", k, tdm_status_text(st), err.msg);
    }
    CHECK(failed > 50 && k < most);
}

static void a_cancelled_fit_says_what_it_kept(void **state)
{
    (void)state;
    char *folder = in(top, "cancelled");
    tdm_run *run = run_of(1, 1);
    tdm_options o = options(some_models);
    tdm_err err = {{0}};
    char *text = NULL;
    tdm_run_cancel(run);
    CHECK(tdm_pipeline_fit(&text, folder, &o, run, &err) == TDM_E_CANCELLED);
    CHECK(!text && err.msg[0]);
    tdm_run_close(run);
    fit(folder, some_models, 1);
    cJSON *whole = manifest_of(model), *m = manifest_of(folder);
    CHECK(cJSON_Compare(whole, m, true));
    cJSON_Delete(whole);
    cJSON_Delete(m);
    tdm_free(folder);
}

static int begin(void **state)
{
    (void)state;
    tdm_err err;
    tdm_buf b = {0};
    if (!mkdtemp(top)) return -1;
    snprintf(model, sizeof model, "%s/model", top);
    snprintf(reviews, sizeof reviews, "%s/reviews.csv", top);
    tdm_buf_str(&b, "user,item,rating,time,summary\n");
    for (int u = 0; u < 30; u++)
        for (int k = 0; k < 6; k++)
            tdm_buf_fmt(&b, "p%d,i%d,%d,%d,\"%s thing\"\n", u, (u * 5 + k * k * (1 + u % 2)) % 15, 1 + (u + k) % 5,
                        1500000000 + (3 * u + k) * 86400, k % 2 ? "red" : "blue");
    bool ok = !b.failed && !tdm_file_write(reviews, b.p, b.n, &err);
    tdm_buf_clear(&b);
    if (ok) fit(model, some_models, 1);
    return ok ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", top);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_told_by_file),
        cmocka_unit_test(a_manifest_is_not_trusted),
        cmocka_unit_test(only_what_changed_is_trained_again),
        cmocka_unit_test(threads_do_not_change_a_byte),
        cmocka_unit_test(short_memory_is_an_error_and_no_leak),
        cmocka_unit_test(a_cancelled_fit_says_what_it_kept),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
