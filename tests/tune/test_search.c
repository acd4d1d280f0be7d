/* SPDX-License-Identifier: Apache-2.0 */
/* test_search.c - trials of a model that says what it is worth: rungs decided in the order of trials, failures, a
 * search that is cut off at any trial and goes on, and the file it goes on from. */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "tune/told.h"
#include "tune/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/tandem-search-XXXXXX";
static const double place[] = {0.7, 0.2};
enum { PASSES = 7 };

/* ---- a model that asks its judge after each of seven passes ---- */

typedef struct toy {
    tdm_model base;
    double worth;
} toy;

static const tdm_param toy_params[] = {
    {"a", 0.1, 0, 1, TDM_LINEAR, "", {0, 1}},
    {"b", 0.9, 0, 1, TDM_LINEAR, "", {0, 1}},
    {"passes", PASSES, 0, 100, TDM_INTEGER, ""},
    {"fails_above", 2, 0, 2, TDM_LINEAR, ""},
    {0},
};

static void toy_close(tdm_model *m) { tdm_free(m); }

static tdm_status toy_fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err);
static const tdm_model_ops toy_ops = {.name = "toy", .params = toy_params, .fit = toy_fit, .close = toy_close};

static tdm_status toy_fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    double a = tdm_param_get(in->params, "a"), b = tdm_param_get(in->params, "b");
    double end = 1 - hypot(a - place[0], b - place[1]);
    if (a > tdm_param_get(in->params, "fails_above")) return tdm_fail(err, TDM_E_ARG, "a is too large");
    toy *t = tdm_new(1, sizeof *t);
    if (!t) return tdm_nomem(err, "a toy");
    t->base.ops = &toy_ops;
    tdm_status st = TDM_OK;
    for (int pass = 1; !st && pass <= tdm_param_get(in->params, "passes"); pass++) {
        double value;
        t->worth = end * pass / PASSES;
        st = in->judge->ask(in->judge->ctx, &value, &t->base, err);
    }
    t->worth = end;
    if (st) toy_close(&t->base);
    else *out = &t->base;
    return st;
}

/* ---- searching ---- */

typedef struct asked {
    tdm_run *run;
    size_t n, cancel_at; /* judgements; the run is cancelled at this one */
} asked;

static tdm_status ask(void *ctx, double *value, const tdm_model *m, tdm_err *err)
{
    asked *a = ctx;
    *value = ((const toy *)m)->worth;
    if (++a->n != a->cancel_at) return TDM_OK;
    tdm_run_cancel(a->run);
    return tdm_run_check(a->run, "toy", err);
}

static tdm_run *run_of(uint64_t seed)
{
    tdm_run *run;
    tdm_err err;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 1, .seed = seed}, &err), err);
    return run;
}

static tdm_status search(tdm_searched *out, const tdm_params *from, size_t trials, size_t patience, size_t cancel_at,
                         tdm_err *err)
{
    tdm_trials t;
    asked a = {run_of(1), 0, cancel_at};
    const tdm_judge judge = {ask, &a};
    const tdm_fit_input in = {.params = from, .judge = &judge, .run = a.run};
    const tdm_search_input s = {.ops = &toy_ops,
                                .fit = &in,
                                .metric = "worth",
                                .key = 42,
                                .trials = trials,
                                .patience = patience,
                                .seconds = INFINITY};
    tdm_status st = tdm_trials_open(&t, path, err);
    if (!st) st = tdm_search(out, &t, &s, err);
    tdm_trials_clear(&t);
    tdm_run_close(a.run);
    return st;
}

/* The file without what a clock says. */
static char *story(void)
{
    tdm_map m;
    tdm_err err;
    CHECK_OK(tdm_map_open(&m, path, &err), err);
    char *text = tdm_strndup((const char *)m.p, m.n), *to = text;
    tdm_map_close(&m);
    for (char *p = text; *p;) {
        if (!strncmp(p, "\"seconds\":", 10)) p = strchr(p, ',');
        *to++ = *p++;
    }
    *to = 0;
    return text;
}

static void comes_near(void **state)
{
    (void)state;
    tdm_searched found;
    tdm_err err;
    const tdm_params from = tdm_params_standard(toy_params);
    unlink(path);
    CHECK_OK(search(&found, &from, 60, 0, 0, &err), err);
    assert_true(fabs(found.first - (1 - hypot(0.6, 0.7))) < 1e-12); /* the settings it began from are the first trial */
    assert_true(found.value > 0.93 && found.trials == 60 && !found.failed);
    assert_true(found.stopped > 15 && found.stopped < 50);
    assert_true(tdm_param_get(&found.best, "passes") == PASSES);
    assert_true(found.value == 1 - hypot(found.best.value[0] - place[0], found.best.value[1] - place[1]));
}

/* Every decision at a rung, taken again by hand from the file. */
static void rungs_are_decided_in_order(void **state)
{
    (void)state;
    tdm_trials t;
    tdm_err err;
    const tdm_params from = tdm_params_standard(toy_params);
    tdm_searched found;
    unlink(path);
    CHECK_OK(search(&found, &from, 40, 0, 0, &err), err);
    CHECK_OK(tdm_trials_open(&t, path, &err), err);
    for (size_t k = 0; k < 40; k++) {
        const cJSON *line = tdm_trials_find(&t, "toy", 42, k);
        size_t steps = 0, expected = PASSES;
        while (!isnan(tdm_trial_judged(line, steps))) steps++;
        for (size_t rung = 2; rung <= 6 && rung <= steps; rung += 4) {
            double v = tdm_trial_judged(line, rung - 1), came = 1, better = 0;
            for (size_t j = 0; j < k; j++) {
                double w = tdm_trial_judged(tdm_trials_find(&t, "toy", 42, j), rung - 1);
                came += !isnan(w);
                better += w > v;
            }
            if (came > 3 && better * 3 >= came && rung < expected) expected = rung;
        }
        assert_int_equal(steps, expected);
        assert_true(isnan(tdm_trial_value(line)) == (expected < PASSES));
        assert_int_equal(!strncmp(tdm_json_str(line, "reason", ""), expected < PASSES ? "stopped: " : "finished", 8),
                         1);
    }
    assert_null(tdm_trials_find(&t, "toy", 42, 40));
    assert_null(tdm_trials_find(&t, "toy", 43, 0));
    tdm_trials_clear(&t);
}

static void cut_off_and_begun_again(void **state)
{
    (void)state;
    tdm_searched found, again;
    tdm_err err;
    const tdm_params from = tdm_params_standard(toy_params);
    unlink(path);
    CHECK_OK(search(&found, &from, 24, 0, 0, &err), err);
    char *whole = story();
    for (size_t at = 1; at < 100; at += 7) {
        unlink(path);
        assert_int_equal(search(&again, &from, 24, 0, at, &err), TDM_E_CANCELLED);
        CHECK_OK(search(&again, &from, 10, 0, 0, &err), err); /* few, and then more */
        CHECK_OK(search(&again, &from, 24, 0, 0, &err), err);
        char *text = story();
        assert_string_equal(text, whole);
        assert_memory_equal(&again.best, &found.best, sizeof found.best);
        assert_int_equal(again.at, found.at);
        tdm_free(text);
    }
    tdm_free(whole);
}

static void ends_when_nothing_is_found(void **state)
{
    (void)state;
    tdm_searched found;
    tdm_err err;
    tdm_params from = tdm_params_standard(toy_params);
    from.value[0] = place[0], from.value[1] = place[1]; /* nothing is better than the first */
    unlink(path);
    CHECK_OK(search(&found, &from, 1000, 12, 0, &err), err);
    assert_int_equal(found.trials, 13);
    assert_int_equal(found.at, 0);
}

static void trials_that_fail(void **state)
{
    (void)state;
    tdm_searched found;
    tdm_err err;
    tdm_params from = tdm_params_standard(toy_params);
    CHECK_OK(tdm_params_set(&from, "toy", "fails_above", 0.5, &err), err);
    unlink(path);
    CHECK_OK(search(&found, &from, 30, 0, 0, &err), err);
    assert_true(found.failed > 2 && found.failed < 20 && found.best.value[0] <= 0.5 && found.value > 0.7);
    char *text = story();
    assert_non_null(strstr(text, "failed: a is too large"));
    tdm_free(text);

    CHECK_OK(tdm_params_set(&from, "toy", "fails_above", 0, &err), err);
    unlink(path);
    assert_int_equal(search(&found, &from, 3, 0, 0, &err), TDM_E_ARG);
    assert_non_null(strstr(err.msg, "no trial of toy came to its end; the last one failed: a is too large"));
}

static void files_that_are_none(void **state)
{
    (void)state;
    static const char good[] = "{\"model\":\"toy\",\"search\":\"2a\",\"trial\":1,\"metric\":\"m\",\"value\":null,"
                               "\"judged\":[1],\"seconds\":1,\"reason\":\"stopped\",\"settings\":{\"a\":0.5}}\n";
    static const char *const bad[] = {"{\"model\":\"toy\"}", "[]", "7", "{", "\"settings\"", "\xff"};
    tdm_trials t;
    tdm_err err;
    char line[512];
    CHECK_OK(tdm_trials_read(&t, "f", good, strlen(good), &err), err);
    assert_int_equal(cJSON_GetArraySize(t.lines), 1);
    tdm_trials_clear(&t);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(line, sizeof line, "%s%s\n", good, bad[i]);
        assert_int_equal(tdm_trials_read(&t, "f", line, strlen(line), &err), TDM_E_FORMAT);
        assert_non_null(strstr(err.msg, "f: line 2 is no trial of a search"));
    }
    for (size_t n = 1; n + 2 < strlen(good); n++) /* cut anywhere */
        assert_int_equal(tdm_trials_read(&t, "f", good, n, &err), TDM_E_FORMAT);
}

static void what_it_hung_on(void **state)
{
    (void)state;
    tdm_searched found;
    tdm_trials t;
    tdm_err err;
    const tdm_params from = tdm_params_standard(toy_params);
    cJSON *told = cJSON_CreateObject();
    unlink(path);
    CHECK_OK(search(&found, &from, 40, 0, 0, &err), err);
    CHECK_OK(tdm_trials_open(&t, path, &err), err);
    CHECK_OK(tdm_search_tell(told, &t, &toy_ops, &found.best, &err), err);
    const cJSON *m = cJSON_GetObjectItem(told, "toy"), *p = cJSON_GetObjectItem(m, "parameters");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(m, "trials")), 40);
    assert_true(tdm_json_num(m, "value", 0) == found.value && tdm_json_num(m, "first", 0) == found.first);
    assert_true(tdm_json_num(m, "best", 0) == (double)(found.at + 1));
    assert_int_equal(cJSON_GetArraySize(p), 2);
    for (const cJSON *one = p->child; one; one = one->next) {
        double share = tdm_json_num(one, "importance", -1);
        assert_true(share > 0.02 && share < 1);
    }
    tdm_params other = found.best;
    other.value[0] = 0.123;
    cJSON *none = cJSON_CreateObject();
    CHECK_OK(tdm_search_tell(none, &t, &toy_ops, &other, &err), err);
    assert_null(none->child); /* the folder's settings are of no search in the file */
    cJSON_Delete(none);
    cJSON_Delete(told);
    tdm_trials_clear(&t);
}

static int make(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd);
}

static int take_away(void **state)
{
    (void)state;
    return unlink(path) || tdm_mem_live() != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_near),
        cmocka_unit_test(rungs_are_decided_in_order),
        cmocka_unit_test(cut_off_and_begun_again),
        cmocka_unit_test(ends_when_nothing_is_found),
        cmocka_unit_test(trials_that_fail),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(what_it_hung_on),
    };
    return cmocka_run_group_tests(tests, make, take_away);
}
