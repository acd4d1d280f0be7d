/* SPDX-License-Identifier: Apache-2.0 */
/* test_forget.c - a person taken out of a dataset folder: no byte of theirs is left, all else is as if they had never
 * been there, and no failure on the way leaves anything between the old folder and the new one. */
#define _GNU_SOURCE /* memmem */
#include "check.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[] = "/tmp/tandem-forget-XXXXXX";
static const char gone[] = "person-to-forget";

static char *in(const char *folder, const char *name)
{
    char *path = tdm_path_join(folder, name);
    CHECK(path);
    return path;
}

static tdm_run *run_open(void)
{
    tdm_run *run;
    tdm_err err;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2, .seed = 1}, &err), err);
    return run;
}

/* Twelve people with six rows each, the last of them the one to forget, who alone wrote "secret" and rated 1. */
static void log_write(const char *path, bool with)
{
    tdm_buf b = {0};
    tdm_err err;
    tdm_buf_str(&b, "user,item,rating,time,summary,text\n");
    for (int u = 0; u < 12; u++)
        for (int k = 0; k < 6; k++) {
            char name[40];
            snprintf(name, sizeof name, "p%d", u);
            if (u == 11) snprintf(name, sizeof name, "%s", gone);
            if (u == 11 && !with) continue;
            tdm_buf_fmt(&b, "%s,i%d,%d,%d,\"%s thing\",\"%s words of row %d\"\n", name, (u * 5 + k) % 15,
                        u == 11 ? 1 : 2 + (u + k) % 4, 1500000000 + (3 * u + k) * 86400 + 5,
                        u == 11 ? "secret" : "blue", u == 11 ? "secret" : "some", 100 * u + k);
        }
    CHECK(!b.failed);
    CHECK_OK(tdm_file_write(path, b.p, b.n, &err), err);
    tdm_buf_clear(&b);
}

/* A dataset folder `name` in the test's folder, freed by the caller. */
static char *dataset(const char *name, bool with)
{
    char *folder = in(top, name), *text, *source = in(top, with ? "with.csv" : "without.csv");
    tdm_run *run = run_open();
    tdm_err err;
    log_write(source, with);
    tdm_options o = {.sources = (const char *const *)&source, .n_sources = 1};
    CHECK_OK(tdm_pipeline_prepare(&text, folder, &o, run, &err), err);
    tdm_text_free(text);
    tdm_run_close(run);
    tdm_free(source);
    return folder;
}

static uint64_t fingerprint(const char *folder)
{
    tdm_dataset *d;
    tdm_err err;
    CHECK_OK(tdm_dataset_open(&d, folder, &err), err);
    uint64_t f = d->fingerprint;
    tdm_dataset_close(d);
    return f;
}

static cJSON *forget(const char *folder, const char *const *models, size_t n)
{
    tdm_run *run = run_open();
    tdm_err err;
    char *text;
    cJSON *answer;
    CHECK_OK(tdm_forget(&text, folder, gone, models, n, run, &err), err);
    CHECK_OK(tdm_json_parse(&answer, text, strlen(text), "the answer", &err), err);
    tdm_text_free(text);
    tdm_run_close(run);
    return answer;
}

static void refused(const char *folder, const char *user, const char *model, const char *needle)
{
    tdm_run *run = run_open();
    tdm_err err = {{0}};
    char *text;
    CHECK(tdm_forget(&text, folder, user, &model, model != NULL, run, &err) == TDM_E_ARG && !text);
    if (!strstr(err.msg, needle)) fail_msg("%s: %s", needle, err.msg);
    tdm_run_close(run);
}

static bool holds(const char *path, const char *needle)
{
    tdm_map m;
    tdm_err err;
    CHECK_OK(tdm_map_open(&m, path, &err), err);
    bool found = memmem(m.p, m.n, needle, strlen(needle)) != NULL;
    tdm_map_close(&m);
    return found;
}

static const char *const files[] = {"dataset.json", "dataset.safetensors", "text.safetensors"};

/* Whether any file of the dataset has the needle. */
static bool found_in(const char *folder, const char *needle)
{
    bool found = false;
    for (int k = 0; k < 3; k++) {
        char *path = in(folder, files[k]);
        found |= holds(path, needle);
        tdm_free(path);
    }
    return found;
}

static cJSON *health_of(const char *folder)
{
    char *path = in(folder, "dataset.json");
    cJSON *index;
    tdm_err err;
    CHECK_OK(tdm_json_read(&index, path, &err), err);
    cJSON *h = cJSON_DetachItemFromObject(index, "health");
    cJSON_Delete(index);
    tdm_free(path);
    CHECK(h);
    return h;
}

/* ---- tests ---- */

static void what_is_left_is_the_log_without_them(void **state)
{
    (void)state;
    char *folder = dataset("a", true), *want = dataset("b", false);
    CHECK(found_in(folder, gone) && found_in(folder, "secret"));
    cJSON *was = health_of(folder), *answer = forget(folder, NULL, 0), *now = health_of(folder),
          *rest = health_of(want);
    CHECK(!found_in(folder, gone) && !found_in(folder, "secret"));
    CHECK(fingerprint(folder) == fingerprint(want));
    CHECK(tdm_json_num(answer, "removed", 0) == 6 && tdm_json_num(answer, "users", 0) == 11);
    CHECK(tdm_json_num(answer, "interactions", 0) == 66 && tdm_json_num(answer, "items", 0) == 15);
    CHECK(tdm_json_num(now, "rows_read", 0) == 72 && cJSON_HasObjectItem(now, "sources")); /* what the reading knew */
    static const char *const reading[] = {"rows_read", "sources"};
    for (int k = 0; k < 2; k++) {
        cJSON_DeleteItemFromObject(now, reading[k]);
        cJSON_DeleteItemFromObject(rest, reading[k]);
    }
    CHECK(cJSON_Compare(now, rest, true) && !cJSON_Compare(was, rest, true));
    cJSON_Delete(was);
    cJSON_Delete(now);
    cJSON_Delete(rest);
    cJSON_Delete(answer);
    tdm_free(folder);
    tdm_free(want);
}

static void the_first_and_the_last_person_can_go_too(void **state)
{
    (void)state;
    char *folder = dataset("each", true);
    for (int left = 12; left > 1; left--) { /* whoever is first, or last, in the folder */
        tdm_dataset *d;
        tdm_run *run = run_open();
        tdm_err err;
        char id[40], *text;
        CHECK_OK(tdm_dataset_open(&d, folder, &err), err);
        CHECK((int)d->U == left);
        tdm_str s = tdm_strings_at(&d->user_id, left % 2 ? 0 : (size_t)left - 1);
        snprintf(id, sizeof id, "%.*s", TDM_STR_ARG(s));
        tdm_dataset_close(d);
        CHECK_OK(tdm_forget(&text, folder, id, NULL, 0, run, &err), err);
        tdm_text_free(text);
        tdm_run_close(run);
        CHECK(!found_in(folder, id) || strlen(id) < 4); /* "p1" may be in anything */
    }
    tdm_dataset *d;
    tdm_err err;
    char id[40];
    CHECK_OK(tdm_dataset_open(&d, folder, &err), err);
    snprintf(id, sizeof id, "%.*s", TDM_STR_ARG(tdm_strings_at(&d->user_id, 0)));
    tdm_dataset_close(d);
    refused(folder, id, NULL, "delete the folder instead");
    tdm_free(folder);
}

static void other_files_stay_and_are_named(void **state)
{
    (void)state;
    char *folder = dataset("others", true), *note = in(folder, "notes.txt"), *sub = in(folder, "more"),
         *side = in(top, "others.forgetting");
    tdm_err err;
    CHECK_OK(tdm_file_write(note, "mine", 4, &err), err);
    CHECK_OK(tdm_folder_make(sub, &err), err);
    struct stat info;
    CHECK(chmod(folder, 0700) == 0);
    cJSON *answer = forget(folder, NULL, 0);
    const cJSON *list = cJSON_GetObjectItem(answer, "other_files");
    CHECK(cJSON_GetArraySize(list) == 2 && !strcmp(cJSON_GetArrayItem(list, 0)->valuestring, "more") &&
          !strcmp(cJSON_GetArrayItem(list, 1)->valuestring, "notes.txt"));
    CHECK(tdm_file_exists(note) && tdm_folder_exists(sub) && !tdm_folder_exists(side));
    CHECK(stat(folder, &info) == 0 && (info.st_mode & 07777) == 0700);
    cJSON_Delete(answer);
    tdm_free(folder);
    tdm_free(note);
    tdm_free(sub);
    tdm_free(side);
}

/* A crash before the change of names leaves half a new folder beside, one after it the old folder beside. */
static void what_a_crash_left_is_tidied_away(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        char *folder = dataset(after ? "crash-after" : "crash-before", true);
        char *aside = in(top, after ? "crash-after.forgetting" : "crash-before.forgetting");
        char *half = in(aside, "dataset.safetensors.tmp"), *note = in(aside, "notes.txt"),
             *back = in(folder, "notes.txt");
        tdm_err err;
        CHECK_OK(tdm_folder_make(aside, &err), err);
        CHECK_OK(tdm_file_write(half, gone, strlen(gone), &err), err);
        if (after) { /* the notes had not moved over yet */
            char *whole = in(aside, "dataset.json");
            CHECK_OK(tdm_file_write(whole, gone, strlen(gone), &err), err);
            CHECK_OK(tdm_file_write(note, "mine", 4, &err), err);
            tdm_free(whole);
        }
        cJSON_Delete(forget(folder, NULL, 0));
        CHECK(!tdm_folder_exists(aside) && !found_in(folder, gone) && tdm_file_exists(back) == (after == 1));
        tdm_free(folder);
        tdm_free(aside);
        tdm_free(half);
        tdm_free(note);
        tdm_free(back);
    }
}

static void a_failure_leaves_the_old_or_the_new(void **state)
{
    (void)state;
    char *without = dataset("nobody", false), *side = in(top, "fails.forgetting");
    uint64_t new = fingerprint(without), old;
    char *folder = dataset("fails", true);
    tdm_run *run = run_open();
    size_t live = tdm_mem_live();
    long k = 0, failed = 0;
    old = fingerprint(folder);
    CHECK(old != new);
    for (; k < 5000; k++) {
        tdm_err err = {{0}};
        char *text;
        tdm_mem_fail_after(k);
        tdm_status st = tdm_forget(&text, folder, gone, NULL, 0, run, &err);
        tdm_mem_fail_after(-1);
        uint64_t now = fingerprint(folder);
        if (!st) tdm_text_free(text);
        if (tdm_mem_live() != live) fail_msg("allocation %ld failed: %zu blocks left", k, tdm_mem_live() - live);
        if (!st && now == new && !tdm_folder_exists(side)) break;
        failed++;
        CHECK(st == TDM_E_NOMEM && (now == old || now == new));
        if (now == new) { /* done but for the tidying or the answer: begin again for the next failure */
            tdm_free(folder);
            tdm_run_close(run);
            folder = dataset("fails", true);
            run = run_open();
        }
        live = tdm_mem_live();
    }
    if (failed <= 40 || k == 5000) fail_msg("%ld of %ld calls failed", failed, k);
    tdm_run_close(run);
    tdm_free(folder);
    tdm_free(without);
    tdm_free(side);
}

static void models_say_what_they_hold(void **state)
{
    (void)state;
    char *folder = dataset("data", true), *model = in(top, "model"), *text;
    tdm_run *run = run_open();
    tdm_options o = {.models = "popularity,user-knn,content,hybrid", .split = "leave-one-out"};
    tdm_err err;
    CHECK_OK(tdm_pipeline_train(&text, folder, model, &o, run, &err), err);
    tdm_text_free(text);
    const char *models[] = {model};
    for (int twice = 0; twice < 2; twice++) { /* the second time the dataset does not know them, but the model does */
        cJSON *answer = forget(folder, models, 1);
        CHECK(tdm_json_num(answer, "removed", -1) == (twice ? 0 : 6));
        const cJSON *m = cJSON_GetArrayItem(cJSON_GetObjectItem(answer, "models"), 0), *h;
        const cJSON *list = cJSON_GetObjectItem(m, "holds");
        CHECK(!strcmp(tdm_json_str(m, "folder", ""), model) && tdm_json_num(m, "interactions", 0) == 6);
        const char *const want[] = {"dataset", "popularity", "user-knn", "content", "hybrid"};
        size_t n = 0;
        cJSON_ArrayForEach(h, list) CHECK(n < 5 && !strcmp(tdm_json_str(h, "name", ""), want[n++]));
        CHECK(n == 5);
        cJSON_Delete(answer);
    }
    CHECK(found_in(model, gone));
    refused(model, gone, NULL, "a model cannot unlearn");
    refused(folder, "p1", folder, "is no model folder");
    CHECK_OK(tdm_pipeline_train(&text, folder, model, &o, run, &err), err);
    tdm_text_free(text);
    CHECK(!found_in(model, gone));
    refused(folder, gone, model, "there is no person"); /* nobody knows them any more */
    tdm_run_close(run);
    tdm_free(folder);
    tdm_free(model);
}

static void an_unknown_person_is_an_error_with_the_nearest(void **state)
{
    (void)state;
    char *folder = dataset("unknown", true);
    uint64_t old = fingerprint(folder);
    refused(folder, "person-to-forgot", NULL, "the nearest by spelling: person-to-forget");
    refused(folder, "entirely different", NULL, "nor one spelled like it");
    CHECK(fingerprint(folder) == old);
    tdm_free(folder);
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(top) ? 0 : -1;
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
        cmocka_unit_test(what_is_left_is_the_log_without_them),
        cmocka_unit_test(the_first_and_the_last_person_can_go_too),
        cmocka_unit_test(other_files_stay_and_are_named),
        cmocka_unit_test(what_a_crash_left_is_tidied_away),
        cmocka_unit_test(a_failure_leaves_the_old_or_the_new),
        cmocka_unit_test(models_say_what_they_hold),
        cmocka_unit_test(an_unknown_person_is_an_error_with_the_nearest),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
