/* SPDX-License-Identifier: Apache-2.0 */
/* What the program says while it works, where its options come from, and that README.md names verbs that exist. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIT "fit reviews.jsonl --items items.jsonl " E2E_QUICK " --models popularity,item-knn,content,hybrid "

static void loudness(void **state)
{
    (void)state;
    ran *r = tandem(FIT "-o quiet -q");
    CHECK(!r->status && !*r->err && *r->out);
    r = tandem(FIT "-o plain");
    CHECK(!r->status && strstr(r->err, "item-knn       done in") && !strstr(r->err, "\r") && !strstr(r->err, "\033"));
    CHECK(!strstr(r->err, "fitting"));
    r = tandem(FIT "-o loud -v");
    CHECK(!r->status && strstr(r->err, "item-knn       fitting"));
    r = tandem("fit reviews.jsonl --items nowhere.jsonl -o x -q");
    CHECK(r->status == 1 && strstr(r->err, "nowhere.jsonl")); /* quiet is not dumb */
}

static void check_log(const char *path, const char *stage, const char *message)
{
    char *text = e2e_read(path, NULL), *next;
    size_t found = 0, lines = 0;
    for (char *line = text; *line; line = next, lines++) {
        cJSON *o = NULL;
        tdm_err err = {{0}};
        next = strchr(line, '\n');
        CHECK(next);
        *next++ = 0;
        CHECK_OK(tdm_json_parse(&o, line, strlen(line), "a line of the log", &err), err);
        unsigned year, month, day, hour, minute;
        CHECK(sscanf(tdm_json_str(o, "time", ""), "%4u-%2u-%2uT%2u:%2u:", &year, &month, &day, &hour, &minute) == 5);
        const char *level = tdm_json_str(o, "level", "");
        CHECK(!strcmp(level, "info") || !strcmp(level, "warn") || !strcmp(level, "error") || !strcmp(level, "debug"));
        CHECK(*tdm_json_str(o, "stage", "") && *tdm_json_str(o, "message", ""));
        found += !strcmp(tdm_json_str(o, "stage", ""), stage) && strstr(tdm_json_str(o, "message", ""), message);
        cJSON_Delete(o);
    }
    free(text);
    if (!found) fail_msg("%s: none of %zu lines is of %s and says \"%s\"", path, lines, stage, message);
}

static void log_file(void **state)
{
    (void)state;
    assert_int_equal(tandem(FIT "-o logged -q --log fit.log")->status, 0);
    check_log("fit.log", "item-knn", "fitting");
    assert_int_equal(tandem("fit nowhere.jsonl -o x --log fail.log")->status, 1);
    check_log("fail.log", "tandem", "nowhere.jsonl");
    e2e_refused(FIT "-o x --log nowhere/fit.log", 1, "nowhere/fit.log", NULL);
}

static void train_log(void **state)
{
    (void)state;
    assert_int_equal(tandem("fit reviews.jsonl --items items.jsonl " E2E_QUICK
                            " --models content,gpt2-items,gpt2-words -o lines -q --train-log train.log")
                         ->status,
                     0);
    size_t steps[2] = {0}, judged = 0;
    char *text = e2e_read("train.log", NULL), *next;
    for (char *line = text; *line; line = next) {
        cJSON *o = NULL;
        tdm_err err = {{0}};
        next = strchr(line, '\n');
        CHECK(next);
        *next++ = 0;
        CHECK_OK(tdm_json_parse(&o, line, strlen(line), "a line of the log", &err), err);
        const char *model = tdm_json_str(o, "model", "");
        CHECK(!strcmp(model, "gpt2-items") || !strcmp(model, "gpt2-words"));
        if (cJSON_GetObjectItem(o, "loss")) steps[!strcmp(model, "gpt2-words")]++;
        judged += cJSON_GetObjectItem(o, "ndcg@10") != NULL;
        CHECK(tdm_json_num(o, "skipped", 0) == 0);
        cJSON_Delete(o);
    }
    free(text);
    CHECK(steps[0] > 2 && steps[1] == 30 && judged == 2);
    e2e_refused(FIT "-o x --train-log nowhere/train.log", 1, "nowhere/train.log", NULL);
    CHECK(!e2e_exists("x"));
}

/* Flag before environment before file. */
static void sources_of_options(void **state)
{
    static const char file[] = "# of the house\nseed = 5\nthreads = 2\n\nset = item-knn.k=7\n";
    (void)state;
    e2e_write("house.conf", file, sizeof file - 1);
    ran *r = tandem("fit --print-config");
    CHECK(!r->status && strstr(r->out, "seed = 1\n"));
    r = tandem("fit -c house.conf --print-config");
    CHECK(!r->status && strstr(r->out, "seed = 5\n") && strstr(r->out, "threads = 2\n") &&
          strstr(r->out, "set = item-knn.k=7\n"));
    setenv("TANDEM_SEED", "6", 1);
    r = tandem("fit -c house.conf --print-config");
    CHECK(!r->status && strstr(r->out, "seed = 6\n") && strstr(r->out, "threads = 2\n"));
    r = tandem("fit -c house.conf --print-config --seed 7");
    CHECK(!r->status && strstr(r->out, "seed = 7\n"));
    assert_int_equal(tandem(FIT "-o by-environment")->status, 0);
    setenv("TANDEM_SEED", "six", 1);
    e2e_refused("models", 2, "seed", "six", NULL);
    unsetenv("TANDEM_SEED");
    assert_int_equal(tandem(FIT "-o by-flag --seed 6")->status, 0);
    char *a = e2e_read("by-environment/tandem.json", NULL), *b = e2e_read("by-flag/tandem.json", NULL);
    assert_string_equal(a, b);
    free(a);
    free(b);
    e2e_refused("fit -c nowhere.conf", 1, "nowhere.conf", NULL);
    e2e_write("bad.conf", "colour = red\n", 13);
    e2e_refused("fit -c bad.conf", 1, "bad.conf:1", "colour", NULL);
}

/* What --print-config prints is a file that -c takes. */
static void print_config_is_a_config(void **state)
{
    (void)state;
    ran *r = tandem("fit --print-config --seed 9 --preset quick --strict --cutoffs 3,4");
    char *first = strdup(r->out);
    e2e_write("printed.conf", first, strlen(first));
    r = tandem("fit -c printed.conf --print-config");
    CHECK(!r->status && strstr(r->out, "seed = 9\n") && strstr(r->out, "strict = yes\n"));
    char *config = strdup(first), *said = strdup(r->out);
    /* The name of the file itself is in the second only. */
    for (char *a = strtok(config, "\n"); a; a = strtok(NULL, "\n"))
        if (strncmp(a, "# config", 8) && !strstr(said, a)) fail_msg("\"%s\" was lost", a);
    free(config);
    free(said);
    free(first);
}

static void verb_exists(const char *at, size_t *n)
{
    char verb[32], command[64];
    if (sscanf(at, "tandem %31[a-z]", verb) != 1) return; /* tandem --help */
    snprintf(command, sizeof command, "%s --help", verb);
    if (tandem(command)->status) fail_msg("README.md: there is no verb %s", verb);
    ++*n;
}

/* Every `tandem VERB` of README.md that is code, in a block or between backquotes, exists. Prose is not code. */
static void readme(void **state)
{
    (void)state;
    if (!e2e_exists(TDM_SOURCE_DIR "/README.md")) {
        print_message("there is no README.md\n");
        skip();
    }
    char *text = e2e_read(TDM_SOURCE_DIR "/README.md", NULL);
    bool block = false;
    size_t n = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (!strncmp(line, "```", 3)) block = !block;
        if (block && !strncmp(line, "tandem ", 7)) verb_exists(line, &n);
        for (const char *c = line; !block && (c = strstr(c, "`tandem ")); c++) verb_exists(c + 1, &n);
    }
    free(text);
    CHECK(n >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(loudness),
                                       cmocka_unit_test(log_file),
                                       cmocka_unit_test(train_log),
                                       cmocka_unit_test(sources_of_options),
                                       cmocka_unit_test(print_config_is_a_config),
                                       cmocka_unit_test(readme)};
    return cmocka_run_group_tests(tests, e2e_begin, e2e_end);
}
