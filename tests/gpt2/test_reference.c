/* SPDX-License-Identifier: Apache-2.0 */
/* test_reference.c - folders and a reference in PyTorch, both ways: what it wrote says here what it says there; and,
 * with TANDEM_DEEP=1 and Debian's python3-torch, what tandem saves says there what it says here. */
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

/* Saves `g` with the logits of a sequence beside it and asks the reference. */
static void asked(const tdm_gpt2 *g, const char *folder)
{
    tdm_err err;
    int64_t token[MOST];
    uint32_t tokens[MOST];
    char command[1024], path[256];
    size_t n = g->s.T < MOST ? g->s.T : MOST;
    for (size_t i = 0; i < n; i++) token[i] = tokens[i] = (uint32_t)(i * 7 % g->s.V);
    CHECK_OK(tdm_folder_make(folder, &err), err);
    CHECK_OK(tdm_gpt2_save(g, folder, &err), err);
    float *logits = logits_of(g, tokens, n);
    const tdm_tensor t[] = {tdm_tensor_1d("token", TDM_I64, token, n),
                            tdm_tensor_2d("logits", TDM_F32, logits, n, g->s.V)};
    snprintf(path, sizeof path, "%s/logits", folder);
    CHECK_OK(tdm_safetensors_write(path, t, 2, NULL, &err), err);
    snprintf(command, sizeof command, "/usr/bin/python3 " TDM_SOURCE_DIR "/tools/golden_folder.py %s %s", folder, path);
    if (system(command)) fail_msg("the reference does not say the same of %s", folder);
    logits[n * g->s.V - 1] += 1; /* it would notice */
    CHECK_OK(tdm_safetensors_write(path, t, 2, NULL, &err), err);
    if (!system(command)) fail_msg("the reference says that logits of %s are right, which are not", folder);
    tdm_free(logits);
}

static void what_is_saved_says_the_same_there(void **state)
{
    (void)state;
    const char *deep = getenv("TANDEM_DEEP");
    if (!deep || strcmp(deep, "1") || system("/usr/bin/python3 -c 'import torch' 2>/dev/null")) skip();
    tdm_err err;
    tdm_gpt2 *g;
    char folder[] = "/tmp/tandem-reference-XXXXXX", path[128];
    CHECK(mkdtemp(folder));
    CHECK_OK(tdm_gpt2_open(&g, (tdm_gpt2_shape){.V = 300, .T = 40, .C = 48, .L = 3, .H = 4}, &err), err);
    tdm_gpt2_init(g, 8);
    tdm_rng r = tdm_rng_make(4, 0, 0);
    for (size_t i = 0; i < g->n; i++) g->block[i] += 0.1f * (float)tdm_rng_normal(&r); /* biases too */
    snprintf(path, sizeof path, "%s/new", folder);
    asked(g, path);
    tdm_gpt2_close(g);
    static const char *const read[] = {"f16", "bf16", "sharded"};
    for (size_t k = 0; k < sizeof read / sizeof *read; k++) {
        snprintf(path, sizeof path, GOLDEN "%s", read[k]);
        CHECK_OK(tdm_gpt2_load(&g, path, &err), err);
        snprintf(path, sizeof path, "%s/%s", folder, read[k]);
        asked(g, path);
        tdm_gpt2_close(g);
    }
    snprintf(path, sizeof path, "rm -r %s", folder);
    CHECK(!system(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_folders_say_the_same_here),
        cmocka_unit_test(what_is_saved_says_the_same_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
