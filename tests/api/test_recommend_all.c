/* SPDX-License-Identifier: Apache-2.0 */
/* test_recommend_all.c - everybody's recommendations in a file are what each is told alone, whole or not there. */
#include "check.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PEOPLE = 420, EACH = 6 }; /* more people than two chunks of the fused way hold */

static char top[] = "/tmp/tandem-all-XXXXXX", reviews[64], model[64];
static tdm_recommender *shared;

static char *path_of(const char *name)
{
    char *path = tdm_path_join(top, name);
    CHECK(path);
    return path;
}

static tdm_run *run_of(size_t threads, tdm_progress_fn *progress, void *ctx)
{
    tdm_run *run;
    tdm_err err;
    tdm_run_options o = {.threads = threads, .seed = 1, .progress = progress, .ctx = ctx};
    CHECK_OK(tdm_run_open(&run, &o, &err), err);
    return run;
}

/* Ids as a table must quote them, some longer than others. */
static void id_of(char out[32], char kind, int i)
{
    static const char *const odd[] = {"", "a,b", "\"\"q", "\ttab", " \xc3\xa9t\xc3\xa9", "; c", "'"};
    snprintf(out, 32, "%c%d%s", kind, i, odd[i % 7]);
}

static void reviews_write(void)
{
    tdm_buf b = {0};
    tdm_err err;
    tdm_buf_str(&b, "user,item,rating,time\n");
    for (int u = 0; u < PEOPLE; u++)
        for (int k = 0; k < EACH - u % 3; k++) {
            char user[32], item[32];
            id_of(user, 'p', u);
            id_of(item, 'i', u % 2 * 12 + (u / 2 + k * (1 + u % 3)) % 12);
            tdm_buf_fmt(&b, "\"%s\",\"%s\",%d,%d\n", user, item, 1 + (u + k) % 5, 1500000000 + (u + 3 * k) * 86400);
        }
    CHECK_OK(tdm_file_write(reviews, b.p, b.n, &err), err);
    tdm_buf_clear(&b);
}

/* ---- what was written ---- */

static char *text_of(const char *path)
{
    tdm_map m;
    tdm_err err;
    CHECK_OK(tdm_map_open(&m, path, &err), err);
    char *text = tdm_strndup((const char *)m.p, m.n);
    CHECK(text);
    tdm_map_close(&m);
    return text;
}

/* The text of a file that is asked for with `q`. */
static char *everybody(const char *name, const tdm_query *q, size_t threads)
{
    tdm_run *run = run_of(threads, NULL, NULL);
    tdm_err err;
    char *path = path_of(name), *summary;
    CHECK_OK(tdm_recommender_recommend_all(shared, &summary, q, path, NULL, NULL, run, &err), err);
    tdm_text_free(summary);
    char *text = text_of(path);
    CHECK(unlink(path) == 0);
    tdm_free(path);
    tdm_run_close(run);
    return text;
}

/* The next line as JSON. */
static cJSON *line_next(char **at)
{
    char *end = strchr(*at, '\n');
    tdm_err err;
    cJSON *o;
    CHECK(end);
    CHECK_OK(tdm_json_parse(&o, *at, (size_t)(end - *at), "a line", &err), err);
    *at = end + 1;
    return o;
}

static void as_told_alone(const cJSON *line, const tdm_query *all)
{
    tdm_query q = *all;
    tdm_err err;
    char *answer;
    cJSON *alone;
    q.user = tdm_json_str(line, "user", NULL);
    CHECK_OK(tdm_recommender_recommend(shared, &answer, &q, &err), err);
    CHECK_OK(tdm_json_parse(&alone, answer, strlen(answer), "an answer", &err), err);
    const cJSON *a = cJSON_GetObjectItem(alone, "recommendations"), *b = cJSON_GetObjectItem(line, "recommendations");
    CHECK(cJSON_GetArraySize(a) == cJSON_GetArraySize(b));
    for (int k = 0; k < cJSON_GetArraySize(a); k++) {
        const cJSON *x = cJSON_GetArrayItem(a, k), *y = cJSON_GetArrayItem(b, k);
        CHECK(!strcmp(tdm_json_str(x, "item", "a"), tdm_json_str(y, "item", "b")));
        CHECK((float)tdm_json_num(x, "score", 1) == (float)tdm_json_num(y, "score", 2));
    }
    CHECK(!strcmp(tdm_json_str(alone, "note", ""), tdm_json_str(line, "note", "")));
    cJSON_Delete(alone);
    tdm_text_free(answer);
}

static void everybody_is_told_what_each_is_told_alone(void **state)
{
    (void)state;
    const tdm_query all[] = {{.model = "ials"},
                             {.model = "ials", .n = 3, .exclude = "i0,i7"},
                             {.model = "cooccurrence", .n = 40},
                             {.model = "popularity", .n = 5},
                             {.n = 4}};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        const tdm_query q = all[k];
        char *text = everybody("all.jsonl", &q, 2), *at = text;
        size_t lines = 0, notes = 0;
        for (; *at; lines++) {
            cJSON *line = line_next(&at);
            if (lines % 7 == k) as_told_alone(line, &q);
            notes += cJSON_HasObjectItem(line, "note");
            cJSON_Delete(line);
        }
        CHECK(lines == PEOPLE);
        CHECK((notes == PEOPLE) == (q.n == 40)); /* nobody can be given 40 of 24 */
        tdm_free(text);
    }
}

/* The next field of a table, its quotes undone. */
static void field_next(char *out, char **at, char between)
{
    bool quoted = **at == '"';
    *at += quoted;
    for (;; ++*at) {
        if (quoted && **at == '"') {
            if (*++*at != '"') break;
        } else if (!quoted && (**at == between || **at == '\n')) break;
        CHECK(**at);
        *out++ = **at;
    }
    *out = 0;
    ++*at;
}

static void tables_say_what_the_lines_say(void **state)
{
    (void)state;
    const tdm_query q = {.model = "ials", .n = 6};
    char *lines = everybody("all.jsonl", &q, 1);
    for (int tabs = 0; tabs < 2; tabs++) {
        char *table = everybody(tabs ? "all.tsv" : "all.csv", &q, 1), *at = table, *line = lines, got[64];
        CHECK(!strncmp(at, tabs ? "user\trank\titem\tscore\n" : "user,rank,item,score\n", 21));
        at += 21;
        while (*line) {
            cJSON *o = line_next(&line);
            const cJSON *r, *list = cJSON_GetObjectItem(o, "recommendations");
            int rank = 0;
            cJSON_ArrayForEach(r, list)
            {
                field_next(got, &at, tabs ? '\t' : ',');
                CHECK(!strcmp(got, tdm_json_str(o, "user", "")));
                field_next(got, &at, tabs ? '\t' : ',');
                CHECK(atoi(got) == ++rank);
                field_next(got, &at, tabs ? '\t' : ',');
                CHECK(!strcmp(got, tdm_json_str(r, "item", "")));
                field_next(got, &at, tabs ? '\t' : ',');
                CHECK(strtof(got, NULL) == (float)tdm_json_num(r, "score", -1));
            }
            cJSON_Delete(o);
        }
        CHECK(!*at);
        tdm_free(table);
    }
    tdm_free(lines);
}

static void same_bytes_at_any_number_of_threads(void **state)
{
    (void)state;
    static const char *const models[] = {"ials", "item-knn", NULL};
    for (size_t k = 0; k < 3; k++) {
        const tdm_query q = {.model = models[k]};
        char *one = everybody("all.csv", &q, 1);
        for (size_t threads = 2; threads <= 7; threads += 5) {
            char *many = everybody("all.csv", &q, threads);
            CHECK(!strcmp(one, many));
            tdm_free(many);
        }
        tdm_free(one);
    }
}

/* ---- whole or not there ---- */

static const char before[] = "what was there before\n";

/* After a failed call the old file is as it was and nothing lies beside it. */
static void untouched(const char *path)
{
    char *text = text_of(path);
    CHECK(!strcmp(text, before));
    tdm_free(text);
    tdm_buf b = {0};
    tdm_buf_fmt(&b, "%s.tmp", path);
    CHECK(!tdm_file_exists(b.p));
    tdm_buf_clear(&b);
}

static void stop(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    (void)stage, (void)done, (void)total, (void)note;
    tdm_run_cancel(*(tdm_run **)ctx);
}

static void a_cancelled_call_leaves_what_was_there(void **state)
{
    (void)state;
    tdm_run *run = NULL;
    tdm_err err = {{0}};
    char *path = path_of("kept.csv"), *summary = NULL;
    CHECK_OK(tdm_file_write(path, before, sizeof before - 1, &err), err);
    run = run_of(2, stop, &run);
    const tdm_query q = {.model = "ials"};
    CHECK(tdm_recommender_recommend_all(shared, &summary, &q, path, NULL, NULL, run, &err) == TDM_E_CANCELLED);
    CHECK(!summary && strstr(err.msg, "interrupted") && strstr(err.msg, path));
    untouched(path);
    tdm_run_close(run);
    CHECK(unlink(path) == 0);
    tdm_free(path);
}

/* Whether an item of this id is among the recommendations of any line. */
static bool recommended(const char *lines, const char *id)
{
    char *copy = strdup(lines), *at = copy;
    bool found = false;
    CHECK(copy);
    while (*at) {
        cJSON *line = line_next(&at);
        const cJSON *one;
        cJSON_ArrayForEach(one, cJSON_GetObjectItem(line, "recommendations"))
            found = found || !strcmp(tdm_json_str(one, "item", ""), id);
        cJSON_Delete(line);
    }
    free(copy);
    return found;
}

static void a_file_leaves_items_out(void **state)
{
    (void)state;
    static const char list[] = "\xef\xbb\xbfi0\r\n# not sold now: i2\n\n  i1a,b \nnobody\n#i8\nnobody knows", more[] = "i7";
    const tdm_query q = {.model = "cooccurrence", .n = 3};
    tdm_recommender *own = shared;
    tdm_err err;
    size_t unknown = 99;
    char *file = path_of("not-wanted.txt"), *nowhere = path_of("none.txt"), *text = everybody("all.jsonl", &q, 2);
    CHECK(recommended(text, "i0") && recommended(text, "i1a,b") && recommended(text, "i7"));
    tdm_free(text);
    CHECK_OK(tdm_recommender_open(&shared, model, &err), err);
    CHECK_OK(tdm_file_write(file, list, sizeof list - 1, &err), err);
    CHECK_OK(tdm_recommender_exclude(shared, &unknown, file, &err), err);
    CHECK(unknown == 2);
    CHECK(tdm_recommender_exclude(shared, &unknown, nowhere, &err) == TDM_E_IO && unknown == 0);
    CHECK(strstr(err.msg, nowhere));
    text = everybody("all.jsonl", &q, 2);
    CHECK(!recommended(text, "i0") && !recommended(text, "i1a,b") && recommended(text, "i7"));
    for (char *at = text; *at;) {
        cJSON *line = line_next(&at);
        as_told_alone(line, &q);
        cJSON_Delete(line);
    }
    tdm_free(text);
    CHECK_OK(tdm_file_write(file, more, sizeof more - 1, &err), err);
    CHECK_OK(tdm_recommender_exclude(shared, &unknown, file, &err), err); /* adds to what was left out */
    text = everybody("all.jsonl", &(tdm_query){.model = "cooccurrence", .n = 3, .exclude = "i14"}, 2);
    CHECK(!recommended(text, "i0") && !recommended(text, "i7"));
    tdm_free(text);
    size_t live = tdm_mem_live();
    tdm_mem_fail_after(0);
    CHECK(tdm_recommender_exclude(shared, &unknown, file, &err) == TDM_E_NOMEM);
    tdm_mem_fail_after(-1);
    CHECK(tdm_mem_live() == live);
    tdm_recommender_close(shared);
    shared = own;
    CHECK(unlink(file) == 0);
    tdm_free(file);
    tdm_free(nowhere);
}

static void refused(const tdm_query *q, const char *path, tdm_status want, const char *needle)
{
    tdm_run *run = run_of(1, NULL, NULL);
    tdm_err err = {{0}};
    char *summary = NULL;
    tdm_status st = tdm_recommender_recommend_all(shared, &summary, q, path, NULL, NULL, run, &err);
    if (st != want || summary || !strstr(err.msg, needle)) fail_msg("%s: %s", tdm_status_text(st), err.msg);
    tdm_run_close(run);
}

static void what_cannot_be_done_is_said_before_the_work(void **state)
{
    (void)state;
    tdm_err err;
    char *path = path_of("kept.jsonl"), *folder = path_of("folder.csv"), *nowhere = path_of("no/where.csv");
    CHECK_OK(tdm_file_write(path, before, sizeof before - 1, &err), err);
    CHECK_OK(tdm_folder_make(folder, &err), err);
    refused(&(tdm_query){0}, "all.txt", TDM_E_ARG, "end it in .jsonl, .csv or .tsv");
    refused(&(tdm_query){0}, ".csv", TDM_E_ARG, "end it in");
    refused(&(tdm_query){.model = "oracle"}, path, TDM_E_ARG, "oracle");
    refused(&(tdm_query){.exclude = "x1"}, path, TDM_E_ARG, "x1");
    refused(&(tdm_query){.category = "Tea"}, path, TDM_E_ARG, "no categories");
    refused(&(tdm_query){0}, folder, TDM_E_ARG, "is a folder");
    refused(&(tdm_query){0}, nowhere, TDM_E_IO, "could not create");
    untouched(path);
    CHECK(unlink(path) == 0 && rmdir(folder) == 0);
    tdm_free(path);
    tdm_free(folder);
    tdm_free(nowhere);
}

static int take(void *ctx, const char *bytes, size_t n)
{
    tdm_buf_add(ctx, bytes, n);
    return 0;
}

static int refuse(void *ctx, const char *bytes, size_t n)
{
    (void)ctx, (void)bytes, (void)n;
    return 1;
}

static void a_writer_gets_the_lines_of_the_file(void **state)
{
    (void)state;
    const tdm_query q = {.model = "ials"};
    tdm_run *run = run_of(2, NULL, NULL);
    tdm_err err;
    tdm_buf got = {0};
    char *summary, *text = everybody("all.jsonl", &q, 2);
    CHECK_OK(tdm_recommender_recommend_all(shared, &summary, &q, NULL, take, &got, run, &err), err);
    CHECK(!strcmp(got.p, text));
    tdm_text_free(summary);
    CHECK(tdm_recommender_recommend_all(shared, &summary, &q, NULL, refuse, NULL, run, &err) == TDM_E_IO);
    CHECK(!summary && strstr(err.msg, "could not be written"));
    tdm_buf_clear(&got);
    tdm_free(text);
    tdm_run_close(run);
}

static void short_memory_is_an_error_and_no_leak(void **state)
{
    (void)state;
    const tdm_query q = {.model = "cooccurrence", .n = 2, .exclude = "i0"};
    tdm_run *run = run_of(1, NULL, NULL);
    char *path = path_of("kept.tsv");
    tdm_err err = {{0}};
    CHECK_OK(tdm_file_write(path, before, sizeof before - 1, &err), err);
    size_t live = tdm_mem_live();
    long k = 0, most = 20000, failed = 0, fine = 0; /* a name for a message may be short without harm */
    for (; k < most && fine < 4; k += 1 + k / 16) {
        char *summary = NULL;
        tdm_mem_fail_after(k);
        tdm_status st = tdm_recommender_recommend_all(shared, &summary, &q, path, NULL, NULL, run, &err);
        tdm_mem_fail_after(-1);
        tdm_text_free(summary);
        if (tdm_mem_live() != live) fail_msg("allocation %ld failed: %zu blocks left", k, tdm_mem_live() - live);
        fine = st == TDM_OK ? fine + 1 : 0;
        if (st && st != TDM_E_NOMEM) fail_msg("allocation %ld failed: %s: %s", k, tdm_status_text(st), err.msg);
        failed += st != TDM_OK;
    }
    if (failed <= 20 || k >= most) fail_msg("%ld failures, %ld allocations: %s", failed, k, err.msg);
    CHECK(unlink(path) == 0);
    tdm_free(path);
    tdm_run_close(run);
}

static int begin(void **state)
{
    (void)state;
    static const char *source = reviews;
    const char *set[] = {"ials.factors=32", "ials.iterations=3"};
    const tdm_options o = {.sources = &source,
                           .n_sources = 1,
                           .split = "leave-one-out",
                           .models = "popularity,item-knn,cooccurrence,ials,hybrid",
                           .set = set,
                           .n_set = 2};
    tdm_err err;
    char *text;
    CHECK(mkdtemp(top));
    snprintf(reviews, sizeof reviews, "%s/reviews.csv", top);
    snprintf(model, sizeof model, "%s/m", top);
    reviews_write();
    tdm_run *run = run_of(2, NULL, NULL);
    CHECK_OK(tdm_pipeline_fit(&text, model, &o, run, &err), err);
    tdm_text_free(text);
    tdm_run_close(run);
    CHECK_OK(tdm_recommender_open(&shared, model, &err), err);
    return 0;
}

static int end(void **state)
{
    (void)state;
    char command[128];
    tdm_recommender_close(shared);
    snprintf(command, sizeof command, "rm -rf '%s'", top);
    return system(command) == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_is_told_what_each_is_told_alone),
        cmocka_unit_test(tables_say_what_the_lines_say),
        cmocka_unit_test(same_bytes_at_any_number_of_threads),
        cmocka_unit_test(a_file_leaves_items_out),
        cmocka_unit_test(a_cancelled_call_leaves_what_was_there),
        cmocka_unit_test(what_cannot_be_done_is_said_before_the_work),
        cmocka_unit_test(a_writer_gets_the_lines_of_the_file),
        cmocka_unit_test(short_memory_is_an_error_and_no_leak),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
