/* SPDX-License-Identifier: Apache-2.0 */
/* test_update.c - a model folder brought up to date: what is updated, fitted, kept and left out, what the manifest
 * says, drift under more of the same and under another taste, and that no failure leaves half a folder. */
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

static char top[] = "/tmp/tandem-update-XXXXXX";
static const char all_models[] = "popularity,user-knn,item-knn,cooccurrence,ials,ease,hybrid";

static char *in(const char *name)
{
    char *path = tdm_path_join(top, name);
    CHECK(path);
    return path;
}

static tdm_run *run_of(size_t threads)
{
    tdm_run *run;
    tdm_err err;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = threads, .seed = 1}, &err), err);
    return run;
}

/* 240 people walk round 40 items from a place of their own, `steps` rows each. People 0 to 79 walk `more` rows on, one
 * item further each as before, or, of another taste, seven back. `grown`: one of them meets a new item, and there is a
 * new person. */
static void log_write(const char *path, int steps, int more, bool turned, bool grown)
{
    tdm_buf b = {0};
    tdm_err err;
    tdm_buf_str(&b, "user,item,rating,time\n");
    for (int u = 0; u < 240 + grown; u++)
        for (int k = 0, at = u * 7; k < steps + (u < 80 ? more : 0); k++) {
            bool back = turned && k >= steps;
            at += back ? 40 - 7 : 1 + (k + u) % 5 / 4;
            int item = grown && u == 5 && k == steps ? 77 : at % 40;
            tdm_buf_fmt(&b, "p%d,i%d,%d,%d\n", u, item, 1 + (u + k) % 5, 1500000000 + 100 * k + u);
        }
    CHECK(!b.failed);
    CHECK_OK(tdm_file_write(path, b.p, b.n, &err), err);
    tdm_buf_clear(&b);
}

/* A dataset folder of that log, freed by the caller. */
static char *dataset(const char *name, int more, bool turned, bool grown)
{
    char *folder = in(name), *text, *source = in("log.csv");
    tdm_run *run = run_of(1);
    tdm_err err;
    log_write(source, 12, more, turned, grown);
    tdm_options o = {.sources = (const char *const *)&source, .n_sources = 1};
    CHECK_OK(tdm_pipeline_prepare(&text, folder, &o, run, &err), err);
    tdm_text_free(text);
    tdm_run_close(run);
    tdm_free(source);
    return folder;
}

static char *trained(const char *name, const char *data, const char *models)
{
    static const char *const set[] = {"ials.factors=16"};
    char *folder = in(name), *text;
    tdm_run *run = run_of(1);
    tdm_err err;
    tdm_options o = {.split = "leave-one-out", .models = models, .set = set, .n_set = 1};
    CHECK_OK(tdm_pipeline_train(&text, data, folder, &o, run, &err), err);
    tdm_text_free(text);
    tdm_run_close(run);
    return folder;
}

static cJSON *update(const char *model, const char *data, const char *name, size_t threads)
{
    char *folder = in(name), *text;
    tdm_run *run = run_of(threads);
    tdm_err err;
    cJSON *o;
    CHECK_OK(tdm_pipeline_update(&text, model, data, folder, run, &err), err);
    CHECK_OK(tdm_json_parse(&o, text, strlen(text), "the answer", &err), err);
    tdm_text_free(text);
    tdm_run_close(run);
    tdm_free(folder);
    return o;
}

static const cJSON *model_of(const cJSON *o, const char *name)
{
    const cJSON *m;
    cJSON_ArrayForEach(m, cJSON_GetObjectItem(o, "models")) if (!strcmp(tdm_json_str(m, "name", ""), name)) return m;
    return NULL;
}

static void fate_is(const cJSON *o, const char *name, const char *fate)
{
    assert_string_equal(tdm_json_str(model_of(o, name), "update", ""), fate);
}

static cJSON *manifest_of(const char *name)
{
    cJSON *m;
    tdm_err err;
    char *folder = in(name), *path = tdm_path_join(folder, "tandem.json");
    CHECK_OK(tdm_json_read(&m, path, &err), err);
    tdm_free(path);
    tdm_free(folder);
    return m;
}

static void opens(const char *name)
{
    tdm_recommender *r;
    tdm_err err;
    char *folder = in(name), *text;
    CHECK_OK(tdm_recommender_open(&r, folder, &err), err);
    CHECK_OK(tdm_recommender_recommend(r, &text, &(tdm_query){.user = "p5", .n = 5}, &err), err);
    tdm_text_free(text);
    tdm_recommender_close(r);
    tdm_free(folder);
}

static char *then, *model;

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(top)) return -1;
    then = dataset("then", 0, false, false);
    model = trained("model", then, all_models);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    tdm_free(then);
    tdm_free(model);
    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command);
}

static void more_of_the_same(void **state)
{
    (void)state;
    char *data = dataset("same", 3, false, false);
    cJSON *o = update(model, data, "same-model", 2), *m = manifest_of("same-model"), *old = manifest_of("model");
    static const char *const updated[] = {"item-knn", "cooccurrence", "ials"};
    for (int k = 0; k < 3; k++) {
        fate_is(o, updated[k], "updated");
        CHECK(tdm_json_num(model_of(o, updated[k]), "rows_remade", -1) > 0);
        CHECK(tdm_json_num(model_of(o, updated[k]), "missing_most", 1) <= 0.05);
        CHECK(tdm_json_num(model_of(o, updated[k]), "drift", 1) <=
              0.1 + tdm_json_num(model_of(o, updated[k]), "drift_margin", 0)); /* the rule: no call for a fit */
    }
    fate_is(o, "popularity", "fitted");
    fate_is(o, "user-knn", "fitted");
    fate_is(o, "ease", "stayed");
    fate_is(o, "hybrid", "stayed");
    CHECK((int)(tdm_json_num(o, "events_now", 0) - tdm_json_num(o, "events_then", 0)) == 240);
    CHECK((int)tdm_json_num(o, "people_changed", 0) == 80);
    opens("same-model");

    /* the manifest says what came from where, and no training takes an update for its own */
    assert_string_equal(tdm_json_str(m, "updated_from", ""), tdm_json_str(old, "dataset", "-"));
    CHECK(strcmp(tdm_json_str(m, "dataset", ""), tdm_json_str(old, "dataset", "")));
    CHECK(strcmp(tdm_json_str(model_of(m, "ials"), "key", ""), tdm_json_str(model_of(old, "ials"), "key", "")));
    assert_string_equal(tdm_json_str(model_of(m, "ials"), "update", ""), "updated");

    /* and the same again: nothing new */
    char *first = in("same-model");
    cJSON *twice = update(first, data, "twice/", 1);
    CHECK((int)tdm_json_num(twice, "people_changed", -1) == 0);
    CHECK(cJSON_IsNull(cJSON_GetObjectItem(model_of(twice, "ials"), "drift")));
    CHECK(!tdm_json_bool(twice, "refit", true));
    opens("twice");
    tdm_free(first);
    cJSON_Delete(twice);
    cJSON_Delete(o);
    cJSON_Delete(m);
    cJSON_Delete(old);
    tdm_free(data);
}

static void another_taste_drifts(void **state)
{
    (void)state;
    char *data = dataset("turned", 5, true, false);
    cJSON *o = update(model, data, "turned-model", 2);
    CHECK(tdm_json_num(model_of(o, "cooccurrence"), "drift", 0) > 0.3);
    CHECK(tdm_json_num(model_of(o, "ease"), "drift", 0) > 0.3); /* one that stays shows it, too */
    CHECK(tdm_json_bool(o, "refit", false));
    cJSON_Delete(o);
    tdm_free(data);
}

static void a_new_item_leaves_models_out(void **state)
{
    (void)state;
    char *data = dataset("grown", 3, false, true);
    cJSON *o = update(model, data, "grown-model", 2), *m = manifest_of("grown-model");
    fate_is(o, "ease", "left out");
    fate_is(o, "hybrid", "left out");
    fate_is(o, "ials", "updated");
    CHECK(!model_of(m, "ease") && !model_of(m, "hybrid") && model_of(m, "ials"));
    CHECK((int)tdm_json_num(o, "items_new", 0) == 1 && (int)tdm_json_num(o, "people_new", 0) == 1);
    CHECK(tdm_json_bool(o, "refit", false));
    opens("grown-model");

    /* the new item is recommended to who has what came before it */
    tdm_recommender *r;
    tdm_err err;
    char *folder = in("grown-model"), *text;
    CHECK_OK(tdm_recommender_open(&r, folder, &err), err);
    CHECK_OK(tdm_recommender_recommend(r, &text, &(tdm_query){.history = "i77", .n = 5, .model = "ials"}, &err), err);
    tdm_text_free(text);
    tdm_recommender_close(r);
    tdm_free(folder);
    cJSON_Delete(o);
    cJSON_Delete(m);
    tdm_free(data);
}

static void refused(const char *data, const char *folder, const char *needle)
{
    tdm_run *run = run_of(1);
    tdm_err err = {{0}};
    char *text, side[128];
    CHECK(tdm_pipeline_update(&text, model, data, folder, run, &err) == TDM_E_ARG && !text);
    if (!strstr(err.msg, needle)) fail_msg("%s: %s", needle, err.msg);
    snprintf(side, sizeof side, "%s.updating", folder);
    CHECK(!tdm_folder_exists(side));
    tdm_run_close(run);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    char *folder = in("none"), *source = in("other.csv"), *other = in("other"), *text;
    tdm_err err;
    refused(then, model, "is there already");
    const char rows[] = "user,item,rating,time\na,i1,3,1\na,i2,4,2\na,i3,4,3\nb,i1,3,4\nb,i2,5,5\nb,i4,1,6\n";
    CHECK_OK(tdm_file_write(source, rows, sizeof rows - 1, &err), err);
    tdm_run *run = run_of(1);
    CHECK_OK(tdm_pipeline_prepare(&text, other, &(tdm_options){.sources = (const char *const *)&source, .n_sources = 1},
                                  run, &err),
             err);
    tdm_text_free(text);
    tdm_run_close(run);
    refused(other, folder, "the old events and the new ones");
    CHECK(!tdm_folder_exists(folder));
    tdm_free(folder);
    tdm_free(source);
    tdm_free(other);
}

/* A child that is killed while it works, at a moment of each call: the folder is there whole or not at all, and the
 * next update sweeps away what was left beside it. */
static void killed_it_is_absent_or_whole(void **state)
{
    (void)state;
    char *data = in("same"), *folder = in("killed"), command[160];
    size_t absent = 0, whole = 0;
    for (int ms = 0; ms < 10000 && whole < 2; ms += 2 + ms / 8) {
        pid_t child = fork();
        if (child == 0) {
            tdm_run *run;
            tdm_err err;
            char *text;
            if (tdm_run_open(&run, &(tdm_run_options){.threads = 1, .seed = 1}, &err)) _exit(1);
            _exit(tdm_pipeline_update(&text, model, data, folder, run, &err) != TDM_OK);
        }
        usleep((useconds_t)(1000 * ms));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        if (tdm_folder_exists(folder)) opens("killed"), whole++;
        else absent++;
        snprintf(command, sizeof command, "rm -rf %s", folder);
        CHECK(system(command) == 0);
    }
    CHECK(absent > 0 && whole > 0);
    cJSON_Delete(update(model, data, "killed", 1));
    opens("killed");
    snprintf(command, sizeof command, "%s.updating", folder);
    CHECK(!tdm_folder_exists(command));
    print_message("killed: %zu times absent, %zu times whole\n", absent, whole);
    tdm_free(data);
    tdm_free(folder);
}

static void short_memory_is_an_error_and_no_leak(void **state)
{
    (void)state;
    char *data = in("same"), *folder = in("short");
    tdm_run *run = run_of(1);
    size_t live = tdm_mem_live();
    bool done = false;
    for (long k = 0; !done; k += 1 + k / 8) { /* some thousand allocations: each of the first, then ever fewer */
        tdm_err err;
        char *text;
        tdm_mem_fail_after(k);
        tdm_status st = tdm_pipeline_update(&text, model, data, folder, run, &err);
        tdm_mem_fail_after(-1);
        done = st == TDM_OK;
        if (done) tdm_text_free(text);
        else CHECK(st == TDM_E_NOMEM && !tdm_folder_exists(folder));
        CHECK(tdm_mem_live() == live);
    }
    tdm_run_close(run);
    tdm_free(data);
    tdm_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_of_the_same),
        cmocka_unit_test(another_taste_drifts),
        cmocka_unit_test(a_new_item_leaves_models_out),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(killed_it_is_absent_or_whole),
        cmocka_unit_test(short_memory_is_an_error_and_no_leak),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
