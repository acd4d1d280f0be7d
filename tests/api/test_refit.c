/* SPDX-License-Identifier: Apache-2.0 */
/* test_refit.c - what validation chose, fitted again with its rows: lengths and fusion are taken over, parameters are
 * those of a fit on all those rows, both folders are judged, and a killed refit goes on to the same bytes. */
#include "check.h"

#include "api/bundle.h"
#include "base/file.h"
#include "base/mem.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[] = "/tmp/tandem-refit-XXXXXX";
static char source[64], held[64];
static const char models[] = "popularity,item-knn,cooccurrence,ials,gpt2-items,hybrid";
static const char *const set[] = {"ials.factors=16", "gpt2-items.updates=0", "gpt2-items.channels=32"};

static tdm_run *run_of(void)
{
    tdm_run *run;
    tdm_err err;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2, .seed = 1}, &err), err);
    return run;
}

static void log_write(const char *path, int from, int to)
{
    tdm_buf b = {0};
    tdm_err err;
    tdm_buf_str(&b, "user,item,rating,time\n");
    for (int u = 0; u < 200; u++)
        for (int k = from; k < to + u % 4; k++)
            tdm_buf_fmt(&b, "p%d,i%d,%d,%d\n", u, (11 * u + k * (1 + u % 3)) % 50, 1 + (11 * u + k) % 50 / 10,
                        1500000000 + 100 * k + u);
    CHECK_OK(tdm_file_write(path, b.p, b.n, &err), err);
    tdm_buf_clear(&b);
}

static tdm_options options(const char *const *sources)
{
    return (tdm_options){.sources = sources,
                         .n_sources = 1,
                         .models = models,
                         .split = "leave-one-out",
                         .set = set,
                         .n_set = sizeof set / sizeof *set,
                         .refit = 1};
}

static cJSON *fit(const char *name, const tdm_options *o)
{
    char folder[96], *answer;
    tdm_err err;
    tdm_run *run = run_of();
    cJSON *json;
    snprintf(folder, sizeof folder, "%s/%s", top, name);
    CHECK_OK(tdm_pipeline_fit(&answer, folder, o, run, &err), err);
    CHECK_OK(tdm_json_parse(&json, answer, strlen(answer), "an answer", &err), err);
    tdm_text_free(answer);
    tdm_run_close(run);
    return json;
}

static cJSON *json_of(const char *name, const char *file)
{
    char path[160];
    cJSON *json;
    tdm_err err;
    snprintf(path, sizeof path, "%s/%s/%s", top, name, file);
    CHECK_OK(tdm_json_read(&json, path, &err), err);
    return json;
}

static bool same_file(const char *a, const char *b, const char *file)
{
    char x[160], y[160], hx[65], hy[65];
    tdm_err err;
    snprintf(x, sizeof x, "%s/%s/%s", top, a, file);
    snprintf(y, sizeof y, "%s/%s/%s", top, b, file);
    CHECK_OK(tdm_file_sha256(hx, x, &err), err);
    CHECK_OK(tdm_file_sha256(hy, y, &err), err);
    return !strcmp(hx, hy);
}

static double value(const cJSON *models_of, const char *model, const char *metric)
{
    return tdm_json_num(cJSON_GetObjectItem(cJSON_GetObjectItem(models_of, model), metric), "value", NAN);
}

static void fits_twice(void **state)
{
    (void)state;
    const char *sources[] = {source};
    tdm_options o = options(sources), plain = o;
    plain.refit = 0;
    cJSON *answer = fit("twice", &o), *once = fit("once", &plain);

    /* the folder inside is the plain fit, to the byte, and its figures are told apart */
    assert_true(same_file("once", "twice/before", "tandem.json"));
    const cJSON *before = cJSON_GetObjectItem(answer, "before"), *now = cJSON_GetObjectItem(answer, "models");
    static const char *const names[] = {"popularity", "cooccurrence", "ials", "gpt2-items", "hybrid"};
    for (size_t i = 0; i < 5; i++)
        assert_true(value(before, names[i], "ndcg@10") ==
                    value(cJSON_GetObjectItem(once, "models"), names[i], "ndcg@10"));
    assert_true(value(now, "hybrid", "ndcg@10") != value(before, "hybrid", "ndcg@10"));
    assert_false(same_file("once", "twice", "cf/cooccurrence.safetensors"));

    /* rows: all but the last of each person; lengths: those chosen before; the fusion: as it was */
    tdm_bundle *b, *was;
    tdm_err err;
    char folder[96];
    snprintf(folder, sizeof folder, "%s/twice", top);
    CHECK_OK(tdm_bundle_open(&b, folder, &err), err);
    snprintf(folder, sizeof folder, "%s/once", top);
    CHECK_OK(tdm_bundle_open(&was, folder, &err), err);
    assert_true(b->protocol.refit && !was->protocol.refit);
    assert_int_equal(b->split->train->N, was->split->train->N + was->split->validation.n);
    assert_int_equal(b->split->validation.n, 0);
    assert_int_equal(b->split->test.n, was->split->test.n);
    assert_true(same_file("once", "twice", "fusion.json"));
    tdm_bundle_close(b);
    tdm_bundle_close(was);
    cJSON *training = json_of("twice/before", "training.json"), *again = json_of("twice", "training.json");
    double share =
        tdm_json_num(cJSON_GetObjectItem(cJSON_GetObjectItem(training, "gpt2-items"), "chosen"), "epochs", 0);
    double passes = tdm_json_num(cJSON_GetObjectItem(cJSON_GetObjectItem(training, "ials"), "chosen"), "iterations", 0);
    assert_true(share > 0 && share <= 1 && passes >= 1);
    const cJSON *curves = cJSON_GetObjectItem(cJSON_GetObjectItem(again, "gpt2-items"), "curves");
    assert_null(cJSON_GetObjectItem(curves, "ndcg@10")); /* nobody judged the second fit */
    const cJSON *steps = cJSON_GetObjectItem(cJSON_GetObjectItem(curves, "loss"), "step");
    double last = cJSON_GetArrayItem(steps, cJSON_GetArraySize(steps) - 1)->valuedouble;
    double epochs = round(14 * share); /* of the standard 14, each of some 16 updates */
    assert_true(fmod(last, epochs) == 0 && last / epochs >= 15 && last / epochs <= 18);
    cJSON_Delete(training);
    cJSON_Delete(again);
    cJSON_Delete(answer);
    cJSON_Delete(once);
}

static void files_are_fitted_again(void **state)
{
    (void)state;
    const char *sources[] = {source};
    tdm_options o = options(sources);
    o.refit = 0;
    o.split = "files";
    o.test = held;
    o.models = "popularity,item-knn,hybrid";
    o.n_set = 0;
    cJSON *answer = fit("files", &o);
    const cJSON *before = cJSON_GetObjectItem(answer, "before");
    assert_true(value(before, "hybrid", "rmse") > 0 &&
                value(cJSON_GetObjectItem(answer, "models"), "hybrid", "rmse") > 0);
    assert_true(tdm_json_num(cJSON_GetObjectItem(answer, "dataset"), "training_interactions", 0) == 1900);
    cJSON_Delete(answer);
}

static void killed_and_gone_on_with(void **state)
{
    (void)state;
    const char *sources[] = {source};
    char manifest[96];
    const tdm_options o = options(sources);
    snprintf(manifest, sizeof manifest, "%s/killed/before/tandem.json", top);
    for (int wait = 0; wait < 3; wait++) {
        pid_t child = fork();
        if (!child) {
            cJSON_Delete(fit("killed", &o));
            _exit(0);
        }
        if (wait) /* once the first fit is whole, then some way into the second */
            while (!tdm_file_exists(manifest) && !waitpid(child, NULL, WNOHANG)) usleep(1000);
        usleep(60000u * (unsigned)(1 + wait));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    cJSON_Delete(fit("killed", &o));
    assert_true(same_file("killed", "twice", "tandem.json"));
    assert_true(same_file("killed/before", "twice/before", "tandem.json"));
}

static void validation_is_no_more(void **state)
{
    (void)state;
    char folder[96], *answer;
    tdm_err err;
    tdm_run *run = run_of();
    snprintf(folder, sizeof folder, "%s/twice", top);
    assert_int_equal(tdm_pipeline_evaluate(&answer, folder, &(tdm_options){.on = "validation"}, run, &err), TDM_E_ARG);
    assert_non_null(strstr(err.msg, "holds nobody out for validation"));
    tdm_run_close(run);
}

static int make(void **state)
{
    (void)state;
    if (!mkdtemp(top)) return -1;
    snprintf(source, sizeof source, "%s/log.csv", top);
    snprintf(held, sizeof held, "%s/held.csv", top);
    log_write(source, 0, 8);
    log_write(held, 12, 14);
    return 0;
}

static int take_away(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", top);
    return system(command) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_twice),
        cmocka_unit_test(files_are_fitted_again),
        cmocka_unit_test(killed_and_gone_on_with),
        cmocka_unit_test(validation_is_no_more),
    };
    return cmocka_run_group_tests(tests, make, take_away);
}
