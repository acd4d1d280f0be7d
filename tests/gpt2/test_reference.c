/* SPDX-License-Identifier: Apache-2.0 */
/* test_reference.c - folders and a reference in PyTorch, both ways: what it wrote says here what it says there; and,
 * with TANDEM_DEEP=1 and Debian's python3-torch, what tandem saves says there what it says here, be it made here, read
 * from another's folder, or trained by the program. */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/safetensors.h"
#include "gpt2/gpt2.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GOLDEN TDM_SOURCE_DIR "/tests/gpt2/golden/"
#define TINY TDM_SOURCE_DIR "/../shared/data/gpt2/tiny-random" /* as the common library saved it */
#define PYTHON "/usr/bin/python3"
enum { MOST = 64 };

/* Logits of one sequence: n x V, the caller's. */
static float *logits_of(const tdm_gpt2 *g, const uint32_t *token, size_t n)
{
    tdm_err err;
    const uint32_t start[] = {0, (uint32_t)n};
    const tdm_gpt2_batch b = {.token = token, .start = start, .S = 1, .N = n};
    float *out = tdm_new(n * g->s.V, sizeof *out);
    CHECK(out);
    CHECK_OK(tdm_gpt2_logits(g, out, &b, &err), err);
    return out;
}

static void its_folders_say_the_same_here(void **state)
{
    (void)state;
    static const char *const folders[] = {"f16", "bf16", "sharded"};
    for (size_t k = 0; k < sizeof folders / sizeof *folders; k++) {
        tdm_err err;
        tdm_gpt2 *g;
        tdm_safetensors *f;
        const void *token, *want;
        uint32_t tokens[MOST];
        char path[512];
        snprintf(path, sizeof path, GOLDEN "%s", folders[k]);
        CHECK_OK(tdm_gpt2_load(&g, path, &err), err);
        snprintf(path, sizeof path, GOLDEN "%s/logits.safetensors", folders[k]);
        CHECK_OK(tdm_safetensors_open(&f, path, &err), err);
        size_t n = g->s.T;
        CHECK_OK(tdm_safetensors_need(f, &token, "token", TDM_I64, n, &err), err);
        CHECK_OK(tdm_safetensors_need(f, &want, "logits", TDM_F32, n * g->s.V, &err), err);
        for (size_t i = 0; i < n; i++) {
            int64_t t;
            memcpy(&t, (const char *)token + i * sizeof t, sizeof t); /* nothing aligns the data of such files */
            tokens[i] = (uint32_t)t;
        }
        float *got = logits_of(g, tokens, n), most = 0, off = 0;
        for (size_t i = 0; i < n * g->s.V; i++) {
            float w;
            memcpy(&w, (const char *)want + i * sizeof w, sizeof w);
            most = fmaxf(most, fabsf(w));
            off = fmaxf(off, fabsf(got[i] - w));
        }
        CHECK(most > 0 && off <= 1e-4f * most);
        tdm_free(got);
        tdm_safetensors_close(f);
        tdm_gpt2_close(g);
    }
}

/* Asks the reference whether `folder` has the logits of g: yes, and no where one of them is another. */
static void asked(const tdm_gpt2 *g, const char *folder, const char *logits_file)
{
    tdm_err err;
    int64_t token[MOST] = {0};
    uint32_t tokens[MOST] = {0};
    char command[1024];
    size_t n = g->s.T < MOST ? g->s.T : MOST;
    for (size_t i = 0; i < n; i++) token[i] = tokens[i] = (uint32_t)(i * 7 % g->s.V);
    float *logits = logits_of(g, tokens, n), most = 0;
    const tdm_tensor t[] = {tdm_tensor_1d("token", TDM_I64, token, n),
                            tdm_tensor_2d("logits", TDM_F32, logits, n, g->s.V)};
    for (size_t i = 0; i < n * g->s.V; i++) most = fmaxf(most, fabsf(logits[i]));
    CHECK_OK(tdm_safetensors_write(logits_file, t, 2, NULL, &err), err);
    snprintf(command, sizeof command, PYTHON " " TDM_SOURCE_DIR "/tools/golden_folder.py '%s' '%s'", folder,
             logits_file);
    if (system(command)) fail_msg("the reference does not say the same of %s", folder);
    logits[n * g->s.V - 1] += most / 1000; /* it would notice */
    CHECK_OK(tdm_safetensors_write(logits_file, t, 2, NULL, &err), err);
    if (!system(command)) fail_msg("the reference says that logits of %s are right, which are not", folder);
    tdm_free(logits);
}

/* ---- what is saved, in a folder of its own; deep ---- */

static char folder[32];

static int folder_new(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/tandem-reference-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_gone(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static char *in(const char *name)
{
    static char path[2][256];
    static unsigned next;
    char *p = path[next++ % 2];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

/* Skips, with the reason, what needs time and the reference. */
static void only_deep(void)
{
    const char *deep = getenv("TANDEM_DEEP");
    if (!deep || strcmp(deep, "1")) {
        print_message("skipped: PyTorch reads what tandem saves with TANDEM_DEEP=1 only\n");
        skip();
    }
    if (system(PYTHON " -c 'import torch' 2>/dev/null")) {
        print_message("skipped: " PYTHON " has no torch; sh tools/setup.sh torch\n");
        skip();
    }
}

static void saved_and_asked(const tdm_gpt2 *g, const char *name)
{
    tdm_err err;
    const char *to = in(name);
    CHECK_OK(tdm_folder_make(to, &err), err);
    CHECK_OK(tdm_gpt2_save(g, to, &err), err);
    asked(g, to, in("logits"));
}

static void what_is_made_here_says_the_same_there(void **state)
{
    (void)state;
    only_deep();
    tdm_err err;
    tdm_gpt2 *g;
    CHECK_OK(tdm_gpt2_open(&g, (tdm_gpt2_shape){.V = 300, .T = 40, .C = 48, .L = 3, .H = 4}, &err), err);
    tdm_gpt2_init(g, 8);
    tdm_rng r = tdm_rng_make(4, 0, 0);
    for (size_t i = 0; i < g->n; i++) g->block[i] += 0.1f * (float)tdm_rng_normal(&r); /* biases too */
    saved_and_asked(g, "new");
    tdm_gpt2_close(g);
}

static void what_was_read_says_the_same_there(void **state)
{
    (void)state;
    only_deep();
    static const char *const from[] = {GOLDEN "f16", GOLDEN "bf16", GOLDEN "sharded", TINY};
    static const char *const to[] = {"f16", "bf16", "sharded", "tiny"};
    for (size_t k = 0; k < sizeof from / sizeof *from; k++) {
        tdm_err err;
        tdm_gpt2 *g;
        if (!tdm_folder_exists(from[k])) {
            print_message("left out: %s is not there\n", from[k]);
            continue;
        }
        CHECK_OK(tdm_gpt2_load(&g, from[k], &err), err);
        asked(g, from[k], in("logits")); /* as another saved it */
        saved_and_asked(g, to[k]);
        tdm_gpt2_close(g);
    }
}

static void what_the_program_trained_says_the_same_there(void **state)
{
    (void)state;
    only_deep();
    static const char *const trained[] = {"demo/model/gpt2-words", "demo/model/gpt2-items"};
    char command[1024];
    snprintf(command, sizeof command,
             "cd %s && '" TDM_PROGRAM "' demo demo --preset quick --models gpt2-items,gpt2-words -q "
             "--set gpt2-words.steps=60 --set gpt2-items.epochs=3 >/dev/null",
             folder);
    CHECK(!system(command));
    for (size_t k = 0; k < sizeof trained / sizeof *trained; k++) {
        tdm_err err;
        tdm_gpt2 *g;
        CHECK_OK(tdm_gpt2_load(&g, in(trained[k]), &err), err);
        asked(g, in(trained[k]), in("logits"));
        tdm_gpt2_close(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_folders_say_the_same_here),
        cmocka_unit_test(what_is_made_here_says_the_same_there),
        cmocka_unit_test(what_was_read_says_the_same_there),
        cmocka_unit_test(what_the_program_trained_says_the_same_there),
    };
    return cmocka_run_group_tests(tests, folder_new, folder_gone);
}
