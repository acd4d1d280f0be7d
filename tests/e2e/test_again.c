/* SPDX-License-Identifier: Apache-2.0 */
/* Same seed, same bytes: at any number of threads, and after any interruption. */
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Long enough that an interruption finds both GPT-2s in the middle: a checkpoint an epoch of items, and one every 100
 * updates of words. */
#define LONGER                                                                                                         \
    "-v --preset quick --set gpt2-words.steps=180 --set gpt2-words.C=64 --set gpt2-items.epochs=20 --set "             \
    "gpt2-items.updates=0"
#define FIT "fit reviews.jsonl --items items.jsonl " LONGER

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* 0: there is no such file. Another file in its place has another number. */
static ino_t number_of(const char *path)
{
    struct stat s;
    return stat(path, &s) ? 0 : s.st_ino;
}

/* Starts a fit, waits until `file` is there, or a second one in its place, and then `ms` more, and sends `sig`. */
static ran *interrupt_once(const char *folder, const char *file, bool second, long ms, int sig)
{
    char command[512], path[256];
    snprintf(command, sizeof command, FIT " -o %s", folder);
    snprintf(path, sizeof path, "%s/%s", folder, file);
    pid_t pid = e2e_start(command);
    for (int i = 0; i < 60000 && !e2e_exists(path); i++) pause_ms(2); /* two minutes, for slow builds */
    if (!e2e_exists(path)) {
        kill(pid, SIGKILL);
        fail_msg("%s did not come into being: %s", path, e2e_finish(pid)->err);
    }
    ino_t first = number_of(path); /* of a checkpoint: the beginning */
    for (int i = 0; second && i < 60000 && number_of(path) == first; i++) pause_ms(2);
    pause_ms(ms);
    kill(pid, sig);
    return e2e_finish(pid);
}

/* On a busy machine the waiting can wake too late and find the fit done: then anew. */
static ran *interrupt(const char *folder, const char *file, bool second, long ms, int sig)
{
    ran *r = NULL;
    for (int i = 0; i < 5; i++) {
        r = interrupt_once(folder, file, second, ms, sig);
        if (r->status) break;
        e2e_remove(folder);
    }
    return r;
}

static ran *go_on(const char *folder)
{
    char command[512];
    snprintf(command, sizeof command, FIT " -o %s", folder);
    ran *r = tandem(command);
    if (r->status) fail_msg("going on: status %d: %s", r->status, r->err);
    return r;
}

/* What is not measured in training.json: how the losses went. */
static void same_curves(const char *a, const char *b)
{
    static const char *const models[] = {"gpt2-items", "gpt2-words"};
    const char *const folders[] = {a, b};
    cJSON *measured[2];
    for (size_t i = 0; i < 2; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/training.json", folders[i]);
        char *text = e2e_read(path, NULL);
        measured[i] = cJSON_Parse(text);
        free(text);
    }
    for (size_t m = 0; m < 2; m++) {
        const cJSON *x = cJSON_GetObjectItem(cJSON_GetObjectItem(measured[0], models[m]), "curves"),
                    *y = cJSON_GetObjectItem(cJSON_GetObjectItem(measured[1], models[m]), "curves");
        CHECK(x && cJSON_GetArraySize(x) > 0 && cJSON_Compare(x, y, true));
    }
    cJSON_Delete(measured[0]);
    cJSON_Delete(measured[1]);
}

static void threads(void **state)
{
    (void)state;
    e2e_fit("whole", LONGER " -j 1");
    e2e_fit("two", LONGER " -j 2");
    e2e_same_model("whole", "two");
    same_curves("whole", "two");
}

/* Another seed is another model: that the comparison can fail. */
static void another_seed(void **state)
{
    size_t n, m;
    (void)state;
    e2e_fit("other", E2E_QUICK " --seed 2");
    e2e_fit("first", E2E_QUICK " --seed 1");
    char *a = e2e_read("other/gpt2-items/model.safetensors", &n),
         *b = e2e_read("first/gpt2-items/model.safetensors", &m);
    CHECK(n == m && memcmp(a, b, n));
    free(a);
    free(b);
}

static void killed(void **state)
{
    static const struct {
        const char *file; /* what is there when it happens */
        long ms;
        const char *then; /* what going on must say */
    } moments[] = {
        {"dataset.json", 0, NULL},           {"gpt2-items.checkpoint", 0, "gpt2-items     goes on after update"},
        {"gpt2-items.checkpoint", 60, NULL}, {"gpt2-words.checkpoint", 0, "gpt2-words     goes on after update 100"},
        {"gpt2-words.checkpoint", 80, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        char folder[32];
        snprintf(folder, sizeof folder, "killed%zu", i);
        ran *r = interrupt(folder, moments[i].file, moments[i].then != NULL, moments[i].ms, SIGKILL);
        assert_int_equal(r->status, 128 + SIGKILL);
        r = go_on(folder);
        if (moments[i].then && !strstr(r->err, moments[i].then))
            fail_msg("did not say \"%s\": %s", moments[i].then, r->err);
        if (moments[i].file[0] == 'g') CHECK(strstr(r->err, "content        already trained"));
        e2e_same_model("whole", folder);
        same_curves("whole", folder);
    }
}

/* Killed again and again, a little later each time, in one folder. */
static void killed_often(void **state)
{
    (void)state;
    for (long ms = 20; ms <= 320; ms += 60) (void)interrupt_once("often", "dataset.json", false, ms, SIGKILL);
    go_on("often");
    e2e_same_model("whole", "often");
}

static void ctrl_c(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *folder = i ? "stopped-words" : "stopped-items";
        ran *r =
            interrupt(folder, i ? "gpt2-words.checkpoint" : "gpt2-items.checkpoint", true, 40, i ? SIGTERM : SIGINT);
        assert_int_equal(r->status, 130);
        CHECK(!*r->out);
        const char *said = strstr(r->err, "tandem: interrupted; kept in ");
        if (!said) fail_msg("did not say what was kept: %s", r->err);
        CHECK(strstr(said, folder) && strstr(said, "item-knn") && strchr(said, '\n') == said + strlen(said) - 1);
        if (i) CHECK(strstr(said, "gpt2-items"));
        r = go_on(folder);
        CHECK(strstr(r->err, "goes on after update")); /* the one that it was stopped after */
        e2e_same_model("whole", folder);
    }
}

/* A folder that is whole already: nothing is trained again, and no byte changes. */
static void again(void **state)
{
    (void)state;
    ran *r = go_on("two");
    CHECK(strstr(r->err, "gpt2-items     already trained") && strstr(r->err, "gpt2-words     already trained"));
    CHECK(strstr(r->err, "hybrid         already trained"));
    e2e_same_model("whole", "two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads), cmocka_unit_test(another_seed),
                                       cmocka_unit_test(killed),  cmocka_unit_test(killed_often),
                                       cmocka_unit_test(ctrl_c),  cmocka_unit_test(again)};
    return cmocka_run_group_tests(tests, e2e_begin, e2e_end);
}
