/* SPDX-License-Identifier: Apache-2.0 */
/* test_tune.c - a search over a dataset folder: the models are those of the settings found, a killed search ends as one
 * that was not, the budget is kept to, and wrong words are refused before anything is tried. */
#include "check.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[] = "/tmp/tandem-tune-XXXXXX";
static char data[64];
enum { TRIALS = 8 };

static tdm_options options(void)
{
    return (tdm_options){
        .models = "ease,cooccurrence,gpt2-items,svdpp,hybrid", .split = "leave-one-out", .trials = TRIALS};
}

static tdm_run *run_of(void)
{
    tdm_run *run;
    tdm_err err;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2, .seed = 1}, &err), err);
    return run;
}

static void folder_of(char out[96], const char *name) { snprintf(out, 96, "%s/%s", top, name); }

static cJSON *tune(const char *name, const tdm_options *o)
{
    char folder[96], *answer;
    tdm_err err;
    tdm_run *run = run_of();
    cJSON *json;
    folder_of(folder, name);
    CHECK_OK(tdm_pipeline_tune(&answer, data, folder, o, run, &err), err);
    CHECK_OK(tdm_json_parse(&json, answer, strlen(answer), "an answer", &err), err);
    tdm_text_free(answer);
    tdm_run_close(run);
    return json;
}

/* 150 people walk round 30 items, each from a place and with a step of their own; ratings follow the item. */
static int make(void **state)
{
    (void)state;
    char source[96], *health;
    const char *sources[] = {source};
    tdm_buf b = {0};
    tdm_err err;
    if (!mkdtemp(top)) return -1;
    snprintf(data, sizeof data, "%s/data", top);
    folder_of(source, "log.csv");
    tdm_buf_str(&b, "user,item,rating,time\n");
    for (int u = 0; u < 150; u++)
        for (int k = 0; k < 8 + u % 5; k++)
            tdm_buf_fmt(&b, "p%d,i%d,%d,%d\n", u, (7 * u + k * (1 + u % 2)) % 30, 1 + (7 * u + k) % 30 / 6,
                        1500000000 + 100 * k + u);
    tdm_run *run = run_of();
    CHECK_OK(tdm_file_write(source, b.p, b.n, &err), err);
    const tdm_options o = {.sources = sources, .n_sources = 1};
    CHECK_OK(tdm_pipeline_prepare(&health, data, &o, run, &err), err);
    tdm_text_free(health);
    tdm_run_close(run);
    tdm_buf_clear(&b);
    return 0;
}

static int take_away(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", top);
    return system(command) != 0;
}

static char *text_of(const char *folder, const char *file)
{
    char path[160];
    tdm_map m;
    tdm_err err;
    snprintf(path, sizeof path, "%s/%s/%s", top, folder, file);
    CHECK_OK(tdm_map_open(&m, path, &err), err);
    char *text = tdm_strndup((const char *)m.p, m.n);
    tdm_map_close(&m);
    return text;
}

static void check_same(const char *a, const char *b, const char *file)
{
    char *x = text_of(a, file), *y = text_of(b, file);
    assert_string_equal(x, y);
    tdm_free(x);
    tdm_free(y);
}

static void finds_and_trains(void **state)
{
    (void)state;
    tdm_options o = options();
    const char *poor[] = {"cooccurrence.history_decay=1", "cooccurrence.source_power=1", "gpt2-items.updates=60"};
    o.set = poor;
    o.n_set = 3;
    cJSON *answer = tune("found", &o), *search = cJSON_GetObjectItem(answer, "search");
    static const char *const names[] = {"ease", "cooccurrence", "gpt2-items", "svdpp"};
    for (size_t i = 0; i < 4; i++) {
        const cJSON *m = cJSON_GetObjectItem(search, names[i]);
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(m, "trials")), TRIALS);
        assert_true(tdm_json_num(m, "value", -9) >= tdm_json_num(m, "first", 9));
        assert_string_equal(tdm_json_str(m, "metric", ""), i == 3 ? "-rmse" : "ndcg@10");
    }
    assert_null(cJSON_GetObjectItem(search, "hybrid"));
    cJSON_Delete(answer);

    /* what is in tuned.conf, given to a training, is the same folder; its manifest says the preset's words alike */
    char *conf = text_of("found", "tuned.conf"), *line = conf, folder[96], *summary;
    const char *set[64];
    size_t n = 0;
    tdm_err err;
    set[n++] = poor[2];
    while ((line = strstr(line, "set = "))) {
        char *end = strchr(line, '\n');
        set[n++] = line + 6;
        *end = 0;
        line = end + 1;
    }
    assert_true(n > 15);
    o = options();
    o.set = set;
    o.n_set = n;
    tdm_run *run = run_of();
    folder_of(folder, "again");
    CHECK_OK(tdm_pipeline_train(&summary, data, folder, &o, run, &err), err);
    check_same("found", "again", "tandem.json");
    tdm_text_free(summary);
    tdm_run_close(run);
    tdm_free(conf);
}

/* The lines without seconds, which a clock says. */
static char *story(const char *folder)
{
    char *text = text_of(folder, "tune.jsonl"), *to = text;
    for (char *p = text; *p;) {
        if (!strncmp(p, "\"seconds\":", 10)) p = strchr(p, ',');
        *to++ = *p++;
    }
    *to = 0;
    return text;
}

static size_t lines_of(const char *folder)
{
    char path[160];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/%s/tune.jsonl", top, folder);
    if (!tdm_file_exists(path)) return 0;
    char *text = text_of(folder, "tune.jsonl");
    for (char *p = text; *p; p++) n += *p == '\n';
    tdm_free(text);
    return n;
}

static void killed_and_begun_again(void **state)
{
    (void)state;
    tdm_options o = options();
    o.models = "cooccurrence,ease";
    o.trials = 12;
    cJSON_Delete(tune("whole", &o));
    for (size_t after = 1; after < 24; after += 9) {
        pid_t child = fork();
        if (!child) {
            cJSON_Delete(tune("killed", &o));
            _exit(0);
        }
        while (lines_of("killed") < after && !waitpid(child, NULL, WNOHANG)) usleep(200);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        cJSON_Delete(tune("killed", &o));
        char *a = story("whole"), *b = story("killed");
        assert_string_equal(a, b);
        check_same("whole", "killed", "tandem.json");
        check_same("whole", "killed", "tuned.conf");
        tdm_free(a);
        tdm_free(b);
        char command[160];
        snprintf(command, sizeof command, "rm -r %s/killed", top);
        assert_int_equal(system(command), 0);
    }
}

static void keeps_to_the_budget(void **state)
{
    (void)state;
    tdm_options o = options();
    o.models = "gpt2-items";
    o.trials = 0;
    o.budget = "1s";
    cJSON *answer = tune("budget", &o), *m = cJSON_GetObjectItem(cJSON_GetObjectItem(answer, "search"), "gpt2-items");
    const cJSON *last = NULL, *trials = cJSON_GetObjectItem(m, "trials");
    for (last = trials->child; last->next;) last = last->next;
    assert_true(tdm_json_num(m, "seconds", 0) - tdm_json_num(last, "seconds", 0) < 1);
    assert_true(tdm_json_num(m, "seconds", 0) >= 1);
    cJSON_Delete(answer);
}

static void refused(const tdm_options *o, const char *words)
{
    char folder[96], *answer;
    tdm_err err;
    tdm_run *run = run_of();
    folder_of(folder, "refused");
    assert_int_not_equal(tdm_pipeline_tune(&answer, data, folder, o, run, &err), TDM_OK);
    assert_null(answer);
    if (!strstr(err.msg, words)) fail_msg("\"%s\" does not say \"%s\"", err.msg, words);
    assert_int_equal(lines_of("refused"), 0);
    tdm_run_close(run);
}

static void wrong_words(void **state)
{
    (void)state;
    tdm_options o = options();
    o.budget = "soon";
    refused(&o, "--budget takes a time such as 90s, 30m or 2h, not \"soon\"");
    o.budget = "-3m";
    refused(&o, "--budget takes a time");
    o.budget = NULL;
    o.trials = 100000;
    refused(&o, "--trials takes at most 2000, not 100000");
    o.trials = 3;
    o.models = "popularity";
    refused(&o, "none of the models asked for declares where to look");
    o.models = "eese";
    refused(&o, "the nearest is ease");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_and_trains),
        cmocka_unit_test(killed_and_begun_again),
        cmocka_unit_test(keeps_to_the_budget),
        cmocka_unit_test(wrong_words),
    };
    return cmocka_run_group_tests(tests, make, take_away);
}
