/* SPDX-License-Identifier: Apache-2.0 */
/* test_failures.c - a preparation that fails leaves things as they were: in an empty place nothing that looks like a
 * dataset, in the folder of an earlier dataset that dataset, byte for byte. */
#include "damage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char good[] = "user,item,rating\na,x,5\na,y,4\nb,x,3\nb,z,2\nc,y,5\n";
static const char other[] = "user,item,rating\nd,x,5\ne,y,4\nf,q,3\n";

/* ---- ways to fail ---- */

typedef struct failure {
    const char *name, *bytes; /* of the source */
    size_t n;                 /* 0: as many as strlen() says */
    tdm_options o;
    const char *said; /* a part of the sentence */
    bool cancelled;
} failure;

static const failure failures[] = {
    {"an empty file", "", 0, {0}, "empty"},
    {"a page", "<html><body>404</body></html>\n", 0, {0}, "HTML"},
    {"a gz that stops", "\x1f\x8b\x08\0\0\0\0\0\0\x03K\xd4", 12, {0}, ""},
    {"nothing but bad rows", "user,item,rating\n,x,5\n,y,4\nnan,z,5\n", 0, {0}, "no person"},
    {"a bad row and --strict", "user,item,rating\na,x,5\n,y,4\nb,z,5\n", 0, {.strict = 1}, ":3:"},
    {"a core that leaves nothing", other, 0, {.core = 7}, "core"},
    {"no row above --min-rating", other, 0, {.min_rating = 6}, "--min-rating"},
    {"a column that is not there", other, 0, {.map = "user=who"}, "user"},
    {"a format that is not known", other, 0, {.format = "xml"}, "xml"},
    {"no list of items", other, 0, {.items = "/nowhere/items.csv"}, "/nowhere/items.csv"},
    {"a list of items that is none", other, 0, {.items = TDM_SOURCE_DIR "/LICENSE"}, "LICENSE"},
    {"no room for rejects", other, 0, {.rejects = "/nowhere/rejects.jsonl"}, "/nowhere/rejects.jsonl"},
    {"cancelled", other, 0, {0}, "", true},
};

static tdm_status fails(const failure *f, const char *folder, tdm_err *err)
{
    const char *path = damage_path("log");
    tdm_options o = f->o;
    tdm_run *run;
    char *text = NULL;
    damage_put(path, f->bytes, f->n ? f->n : strlen(f->bytes));
    o.sources = &path;
    o.n_sources = 1;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 1, .seed = 1}, err), *err);
    if (f->cancelled) tdm_run_cancel(run);
    tdm_status st = tdm_pipeline_prepare(&text, folder, &o, run, err);
    tdm_run_close(run);
    CHECK(!st == (text != NULL));
    tdm_text_free(text);
    return st;
}

/* ---- what a folder holds ---- */

static const char *const files[] = {"dataset.json", "dataset.safetensors", "text.safetensors"};
enum { FILES = sizeof files / sizeof *files };

typedef struct content {
    char *p[FILES];
    size_t n[FILES], count;
} content;

static const char *file_of(const char *folder, size_t k)
{
    static char path[500];
    snprintf(path, sizeof path, "%s/%s", folder, files[k]);
    return path;
}

static content content_of(const char *folder)
{
    content c = {.count = damage_count(folder)};
    for (size_t k = 0; k < FILES; k++) c.p[k] = damage_get(file_of(folder, k), &c.n[k]);
    return c;
}

static void content_free(content *c)
{
    for (size_t k = 0; k < FILES; k++) free(c->p[k]);
}

static const char *content_differs(const content *a, const content *b)
{
    if (a->count != b->count) return "files were added or are gone";
    for (size_t k = 0; k < FILES; k++)
        if (!a->p[k] != !b->p[k] || (a->p[k] && (a->n[k] != b->n[k] || memcmp(a->p[k], b->p[k], a->n[k]))))
            return files[k];
    return NULL;
}

static content prepared(const char *folder)
{
    const char *path = damage_path("good");
    damage_put(path, good, sizeof good - 1);
    damage_remove(folder);
    outcome o = damage_prepare(path, folder, NULL, 1);
    CHECK_OK(o.st, o.err);
    damage_done(&o);
    return content_of(folder);
}

/* ---- tests ---- */

static void a_failure_leaves_nothing_where_nothing_was(void **state)
{
    const failure *f = *state;
    tdm_err err = {{0}};
    const char *folder = damage_path("new");
    damage_remove(folder);
    CHECK(fails(f, folder, &err) != TDM_OK);
    if (!strstr(err.msg, f->said) || !err.msg[0]) fail_msg("it says: %s", err.msg);
    assert_int_equal(damage_count(folder), 0);
}

static void a_failure_leaves_an_earlier_dataset_alone(void **state)
{
    const failure *f = *state;
    tdm_err err = {{0}};
    const char *folder = damage_path("old");
    content before = prepared(folder);
    CHECK(fails(f, folder, &err) != TDM_OK);
    content after = content_of(folder);
    const char *differs = content_differs(&before, &after);
    if (differs) fail_msg("%s is not as it was", differs);
    content_free(&before);
    content_free(&after);
}

/* A disk that fills up: no file may grow beyond a limit, for every limit up to the largest file of the dataset. What is
 * there afterwards is the old dataset, the new one, or, where there was none, nothing that says it is one. */
static void full_disk(bool earlier)
{
    char path[400], folder[400];
    snprintf(path, sizeof path, "%s", damage_path("log"));
    snprintf(folder, sizeof folder, "%s", damage_path("full"));
    struct rlimit was, limit;
    damage_put(path, other, sizeof other - 1);
    outcome whole = damage_prepare(path, folder, NULL, 1);
    CHECK_OK(whole.st, whole.err);
    damage_done(&whole);
    content done = content_of(folder);
    size_t largest = 0;
    for (size_t k = 0; k < FILES; k++) largest = done.n[k] > largest ? done.n[k] : largest;
    signal(SIGXFSZ, SIG_IGN); /* a write then fails with EFBIG, as it would with ENOSPC */
    CHECK(!getrlimit(RLIMIT_FSIZE, &was));
    for (size_t most = 0; most <= largest; most += 16) {
        content before = {0}, after;
        damage_remove(folder);
        if (earlier) before = prepared(folder);
        limit = was;
        limit.rlim_cur = most;
        CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
        outcome o = damage_prepare(path, folder, NULL, 1);
        CHECK(!setrlimit(RLIMIT_FSIZE, &was));
        after = content_of(folder);
        const char *differs = content_differs(o.st ? &before : &done, &after);
        char label[100], told[1300];
        snprintf(label, sizeof label, "%s with room for %zu bytes a file", earlier ? "over a dataset" : "anew", most);
        snprintf(told, sizeof told, "%s: %s", o.st ? "the earlier state is hurt" : "not the whole dataset",
                 differs ? differs : "");
        bool pretends = o.st && !earlier && after.p[0]; /* dataset.json without the rest */
        if (earlier || !o.st ? differs != NULL : pretends) damage_note(told, label, o.err.msg, strlen(o.err.msg));
        if (o.st && !strstr(o.err.msg, folder))
            damage_note("the sentence names no file", label, o.err.msg, strlen(o.err.msg));
        content_free(&before);
        content_free(&after);
        damage_done(&o);
    }
    signal(SIGXFSZ, SIG_DFL);
    content_free(&done);
    damage_remove(folder);
    damage_notes_end();
}

static void a_full_disk_leaves_no_dataset(void **state)
{
    (void)state;
    full_disk(false);
}

static void a_full_disk_leaves_the_earlier_dataset(void **state)
{
    (void)state;
    full_disk(true);
}

int main(void)
{
    enum { N = sizeof failures / sizeof *failures };
    struct CMUnitTest tests[2 * N + 2] = {cmocka_unit_test(a_full_disk_leaves_no_dataset),
                                          cmocka_unit_test(a_full_disk_leaves_the_earlier_dataset)};
    for (size_t k = 0; k < N; k++) {
        static char names[N][100];
        snprintf(names[k], sizeof names[k], "%s, over a dataset", failures[k].name);
        tests[2 + k] = (struct CMUnitTest){failures[k].name, a_failure_leaves_nothing_where_nothing_was, NULL, NULL,
                                           (void *)&failures[k]};
        tests[2 + N + k] =
            (struct CMUnitTest){names[k], a_failure_leaves_an_earlier_dataset_alone, NULL, NULL, (void *)&failures[k]};
    }
    return cmocka_run_group_tests(tests, damage_begin, damage_end);
}
