/* SPDX-License-Identifier: Apache-2.0 */
/* test_gpt2.c - the engine against PyTorch and against itself. */
#include "golden_model.h"

#include "base/file.h"
#include "base/mem.h"
#include "gpt2/decode.h"
#include "gpt2/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/tandem-gpt2-XXXXXX";

static void logits_are_those_of_pytorch(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    float *logits = tdm_new(x->b.N, x->g->s.V * sizeof *logits), logp[MOST];
    CHECK_OK(tdm_gpt2_logits(x->g, logits, &x->b, &err), err);
    golden_near("logits", logits, golden_floats(x, "logits", x->b.N * x->g->s.V), x->b.N * x->g->s.V);
    CHECK_OK(tdm_gpt2_logp(x->g, logp, &x->b, &err), err);
    double sum = 0, mass = 0;
    for (size_t i = 0; i < x->b.N; i++) {
        if (x->target[i] == TDM_GPT2_SILENT) continue;
        sum -= (double)x->b.weight[i] * (double)logp[i];
        mass += (double)x->b.weight[i];
    }
    const double *loss = tdm_safetensors_find(x->file, "loss")->data;
    assert_float_equal(sum / mass, *loss, 1e-5);
    tdm_free(logits);
    golden_close(x);
}

static void the_last_state_gives_the_last_logits(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    size_t V = x->g->s.V;
    float *logits = tdm_new(x->b.N, V * sizeof *logits), last[5 * 24];
    CHECK_OK(tdm_gpt2_logits(x->g, logits, &x->b, &err), err);
    CHECK_OK(tdm_gpt2_last(x->g, last, &x->b, &err), err);
    for (size_t q = 0; q < x->b.S; q++) { /* the output's product with the table is the logits of the last position */
        double dot = 0;
        for (size_t c = 0; c < 24; c++) dot += (double)last[q * 24 + c] * (double)x->g->w.wte[9 * 24 + c];
        assert_float_equal(dot, logits[(x->start[q + 1] - 1) * V + 9], 1e-4);
    }
    tdm_free(logits);
    golden_close(x);
}

/* ---- folders ---- */

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void a_saved_model_loads_the_same(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    tdm_gpt2 *again;
    CHECK_OK(tdm_gpt2_save(x->g, folder, &err), err);
    CHECK_OK(tdm_gpt2_load(&again, folder, &err), err);
    CHECK(again->n == x->g->n);
    assert_memory_equal(again->block, x->g->block, x->g->n * sizeof(float));
    tdm_gpt2_close(again);
    golden_close(x);
}

static void damaged_folders_are_refused(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    tdm_gpt2 *g;
    static const char *const configs[] = {
        "{}",
        "[]",
        "{\"vocab_size\": 61}",
        "{\"model_type\": \"bert\"}",
        "{\"vocab_size\": 1e30, \"n_positions\": 16, \"n_embd\": 24, \"n_layer\": 2, \"n_head\": 3}",
        "{\"vocab_size\": 62, \"n_positions\": 16, \"n_embd\": 24, \"n_layer\": 2, \"n_head\": 3}",
        "{\"vocab_size\": 61, \"n_positions\": 16, \"n_embd\": 24, \"n_layer\": 3, \"n_head\": 3}",
        "{\"vocab_size\": 61, \"n_positions\": 16, \"n_embd\": 24, \"n_layer\": 2, \"n_head\": 5}",
        "{\"vocab_size\": 61, \"n_positions\": 16, \"n_embd\": 24, \"n_layer\": 2, \"n_head\": 3, \"n_inner\": 7}"};
    CHECK_OK(tdm_gpt2_save(x->g, folder, &err), err);
    for (size_t k = 0; k < sizeof configs / sizeof *configs; k++) {
        CHECK_OK(tdm_file_write(in_folder("config.json"), configs[k], strlen(configs[k]), &err), err);
        CHECK(tdm_gpt2_load(&g, folder, &err) != TDM_OK);
        CHECK(g == NULL && err.msg[0]);
    }
    x->g->w.fcw[3] = INFINITY;
    CHECK_OK(tdm_gpt2_save(x->g, folder, &err), err);
    CHECK(tdm_gpt2_load(&g, folder, &err) == TDM_E_FORMAT);
    golden_close(x);
}

/* A checkpoint as the common library saves it, without the prefix. */
static void the_common_librarys_checkpoint_is_read(void **state)
{
    (void)state;
    static const char path[] = TDM_SOURCE_DIR "/../shared/data/gpt2/tiny-random";
    if (!tdm_folder_exists(path)) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    tdm_err err;
    tdm_gpt2 *g, *again;
    CHECK_OK(tdm_gpt2_load(&g, path, &err), err);
    CHECK(g->s.V == 21 && g->s.T == 1024 && g->s.C == 2 && g->s.L == 1 && g->s.H == 1);
    CHECK(g->w.ln1w[0] == 1 && g->w.lnfw[1] == 1 && g->w.wte[0] != 0);
    CHECK_OK(tdm_gpt2_save(g, folder, &err), err);
    CHECK_OK(tdm_gpt2_load(&again, folder, &err), err);
    assert_memory_equal(again->block, g->block, g->n * sizeof(float));
    tdm_gpt2_close(again);
    tdm_gpt2_close(g);
}

static tdm_status all_once(const golden *x, tdm_err *err)
{
    struct tdm_run run = {.seed = 4};
    tdm_gpt2_trainer *t = NULL;
    tdm_gpt2_packed *p = NULL;
    tdm_decoder *d = NULL;
    tdm_adamw *a = NULL;
    tdm_gpt2 *g = NULL;
    double loss;
    float logp[MOST];
    tdm_status st = tdm_gpt2_trainer_open(&t, x->g, &(tdm_gpt2_trainer_options){.most = MOST}, &run, err);
    if (!st) st = tdm_gpt2_trainer_step(t, &loss, &x->b, 1, err);
    if (!st) st = tdm_gpt2_logp(x->g, logp, &x->b, err);
    if (!st) st = tdm_gpt2_packed_open(&p, x->g, TDM_WEIGHTS_I8, NULL, err);
    if (!st) st = tdm_decoder_open(&d, p, 2, 4, NULL, err);
    if (!st) st = tdm_decoder_feed(d, 0, x->token, 3, err);
    if (!st) tdm_decoder_fork(d, 1, 0);
    if (!st) st = tdm_decoder_step(d, (const size_t[]){1, 0}, x->token, 2, err);
    if (!st)
        st = tdm_adamw_open(&a, &(tdm_adamw_group){x->g->block, x->g->block, 10, 0}, 1, (tdm_adamw_options){0}, err);
    if (!st) st = tdm_gpt2_save(x->g, folder, err);
    if (!st) st = tdm_gpt2_load(&g, folder, err);
    tdm_gpt2_close(g);
    tdm_adamw_close(a);
    tdm_decoder_close(d);
    tdm_gpt2_packed_close(p);
    tdm_gpt2_trainer_close(t);
    return st;
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    size_t live = tdm_mem_live();
    long k = 0;
    for (int well = 0; well < 2 && k < 1000; k++) { /* twice: settling a file bears one that fails */
        tdm_mem_fail_after(k);
        tdm_status st = all_once(x, &err);
        tdm_mem_fail_after(-1);
        CHECK(tdm_mem_live() == live);
        well = st ? 0 : well + 1;
    }
    CHECK(k > 30 && k < 1000);
    golden_close(x);
}

static int folder_make(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
    (void)state;
    unlink(in_folder("config.json"));
    unlink(in_folder("model.safetensors"));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_are_those_of_pytorch),
        cmocka_unit_test(the_last_state_gives_the_last_logits),
        cmocka_unit_test(a_saved_model_loads_the_same),
        cmocka_unit_test(damaged_folders_are_refused),
        cmocka_unit_test(the_common_librarys_checkpoint_is_read),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
