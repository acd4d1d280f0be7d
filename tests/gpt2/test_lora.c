/* SPDX-License-Identifier: Apache-2.0 */
/* test_lora.c - adapters against PyTorch, against finite differences, against the merged model, and in files. */
#include "golden_model.h"

#include "base/file.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/tandem-lora-XXXXXX";
static const char *const names[TDM_LORA_SITES] = {"qkv", "att", "fc", "proj"};

/* The adapters of tools/golden_train.py: rank 4, alpha 8, at all sites. */
static tdm_lora *golden_lora(const golden *x, tdm_safetensors **file, float dropout)
{
    tdm_err err;
    tdm_lora *l;
    CHECK_OK(tdm_safetensors_open(file, TDM_SOURCE_DIR "/tests/gpt2/golden/train.safetensors", &err), err);
    const tdm_lora_options o = {.rank = 4, .alpha = 8, .dropout = dropout};
    CHECK_OK(tdm_lora_open(&l, x->g->s, &o, &err), err);
    for (int k = 0; k < TDM_LORA_SITES; k++)
        for (size_t layer = 0; layer < x->g->s.L; layer++) {
            char name[32];
            const tdm_adapter a = tdm_lora_at(l, l->block, layer, k);
            snprintf(name, sizeof name, "lora.a.%s", names[k]);
            memcpy(a.a, golden_floats_in(*file, name, 2 * 4 * a.in) + layer * 4 * a.in, 4 * a.in * sizeof(float));
            snprintf(name, sizeof name, "lora.b.%s", names[k]);
            memcpy(a.b, golden_floats_in(*file, name, 2 * 4 * a.out) + layer * 4 * a.out, 4 * a.out * sizeof(float));
        }
    return l;
}

/* `block` (of adapters or their gradients) is what the file has under "<prefix>lora.a.qkv" and so on. */
static void as_in(const tdm_safetensors *file, const char *prefix, const tdm_lora *l, float *block)
{
    for (int k = 0; k < TDM_LORA_SITES; k++)
        for (size_t layer = 0; layer < l->s.L; layer++) {
            char name[32];
            const tdm_adapter a = tdm_lora_at(l, block, layer, k);
            snprintf(name, sizeof name, "%slora.a.%s", prefix, names[k]);
            golden_near(name, a.a, golden_floats_in(file, name, 2 * 4 * a.in) + layer * 4 * a.in, 4 * a.in);
            snprintf(name, sizeof name, "%slora.b.%s", prefix, names[k]);
            golden_near(name, a.b, golden_floats_in(file, name, 2 * 4 * a.out) + layer * 4 * a.out, 4 * a.out);
        }
}

static void gradients_and_five_steps_are_those_of_pytorch(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open(), *kept = golden_open();
    tdm_safetensors *f;
    tdm_lora *l = golden_lora(x, &f, 0);
    struct tdm_run run = golden_run(2);
    tdm_gpt2_trainer *t;
    double loss[5];
    const void *losses;
    CHECK_OK(tdm_safetensors_need(f, &losses, "lora.losses", TDM_F64, 5, &err), err);
    CHECK_OK(tdm_gpt2_trainer_open(&t, x->g, &(tdm_gpt2_trainer_options){.most = MOST, .lora = l}, &run, &err), err);
    CHECK_OK(tdm_gpt2_trainer_step(t, loss, &x->b, 1, &err), err);
    as_in(f, "d.", l, tdm_gpt2_trainer_grad_lora(t));
    CHECK(!tdm_gpt2_trainer_grad(t).wte);
    tdm_gpt2_trainer_close(t);
    golden_train(x->g, x, (golden_course){.o.lora = l, .steps = 5, .total = 20, .losses = loss});
    for (size_t k = 0; k < 5; k++) assert_float_equal(loss[k], ((const double *)losses)[k], 1e-4);
    as_in(f, "s.", l, l->block);
    assert_memory_equal(x->g->block, kept->g->block, x->g->n * sizeof(float)); /* the base is as it was */
    tdm_pool_close(run.pool);
    tdm_lora_close(l);
    tdm_safetensors_close(f);
    golden_close(kept);
    golden_close(x);
}

static void gradients_of_parts_add_up_to_those_of_the_whole(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    tdm_safetensors *f;
    tdm_lora *l = golden_lora(x, &f, 0);
    struct tdm_run run = golden_run(2);
    tdm_gpt2_trainer *t;
    tdm_gpt2_batch part[2];
    tdm_adamw_group group[TDM_GPT2_GROUPS];
    uint32_t start[8];
    double loss, parts;
    const tdm_gpt2_trainer_options o = {.most = MOST, .lora = l, .rows = 61};
    golden_parts(x, part, start);
    CHECK_OK(tdm_gpt2_trainer_open(&t, x->g, &o, &run, &err), err);
    tdm_gpt2_trainer_groups(t, group, 0);
    float *whole = tdm_new(group[1].n, sizeof *whole);
    CHECK_OK(tdm_gpt2_trainer_step(t, &loss, &x->b, 1, &err), err);
    memcpy(whole, group[1].g, group[1].n * sizeof *whole);
    CHECK_OK(tdm_gpt2_trainer_steps(t, &parts, part, 2, 1, &err), err);
    assert_float_equal(parts, loss, 1e-5);
    as_in(f, "d.", l, tdm_gpt2_trainer_grad_lora(t));
    golden_near("rows", group[1].g, whole, group[1].n);
    tdm_free(whole);
    tdm_gpt2_trainer_close(t);
    tdm_pool_close(run.pool);
    tdm_lora_close(l);
    tdm_safetensors_close(f);
    golden_close(x);
}

/* As in test_train.c, with dropout of the blocks and of the adapters' inputs; and with the last 20 rows of the table.
 */
static void gradients_are_finite_differences_under_dropout(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    tdm_safetensors *f;
    tdm_lora *l = golden_lora(x, &f, 0.25f);
    struct tdm_run run = golden_run(1);
    tdm_gpt2_trainer *t;
    tdm_adamw_group group[TDM_GPT2_GROUPS];
    double loss, up, down;
    const tdm_gpt2_trainer_options o = {.most = MOST, .dropout = 0.3f, .lora = l, .rows = 20};
    CHECK_OK(tdm_gpt2_trainer_open(&t, x->g, &o, &run, &err), err);
    CHECK_OK(tdm_gpt2_trainer_step(t, &loss, &x->b, 7, &err), err);
    assert_int_equal(tdm_gpt2_trainer_groups(t, group, 0.1f), 2);
    CHECK(group[0].n == l->n && group[1].n == 20 * x->g->s.C && group[1].w == x->g->w.wte + 41 * x->g->s.C);
    for (size_t k = 0; k < 2; k++) {
        float *w = group[k].w, most = 0, *d = tdm_new(group[k].n, sizeof *d);
        memcpy(d, group[k].g, group[k].n * sizeof *d);
        for (size_t i = 0; i < group[k].n; i++) most = fmaxf(most, fabsf(d[i]));
        CHECK(most > 0.01f);
        for (size_t j = 0; j < 60; j++) {
            size_t i = (j * 7919 + 13) % group[k].n;
            const float was = w[i], step = 2e-2f;
            w[i] = was + step;
            CHECK_OK(tdm_gpt2_trainer_step(t, &up, &x->b, 7, &err), err);
            w[i] = was - step;
            CHECK_OK(tdm_gpt2_trainer_step(t, &down, &x->b, 7, &err), err);
            w[i] = was;
            double want = (up - down) / (2 * (double)step);
            if (!(fabs(want - (double)d[i]) <= 0.01 * (double)most + 1e-4))
                fail_msg("[%zu][%zu] is %g, the difference %g", k, i, (double)d[i], want);
        }
        tdm_free(d);
    }
    tdm_gpt2_trainer_close(t);
    tdm_pool_close(run.pool);
    tdm_lora_close(l);
    tdm_safetensors_close(f);
    golden_close(x);
}

/* Ten steps with adapters at two sites and the rows of new tokens; whole, in two parts, and with a block made again; at
 * 1, 2 and 7 threads. */
static void same_bytes_at_any_number_of_threads(void **state)
{
    (void)state;
    const size_t threads[] = {1, 2, 7};
    float *first[2] = {NULL, NULL};
    for (size_t k = 0; k < 12; k++) {
        tdm_err err;
        golden *x = golden_open();
        tdm_lora *l;
        tdm_gpt2_plan all;
        const tdm_lora_options some = {.rank = 3, .dropout = 0.1f, .sites = 1 << TDM_LORA_ATT | 1 << TDM_LORA_FC};
        CHECK_OK(tdm_lora_open(&l, x->g->s, &some, &err), err);
        CHECK(l->n == x->g->s.L * 3 * (24 + 24 + 24 + 96));
        tdm_lora_init(l, 5);
        golden_course c = {.o = {.most = MOST, .dropout = 0.2f, .lora = l, .rows = 5},
                           .steps = 10,
                           .threads = threads[k % 3],
                           .parts = 1 + k / 6};
        if (k / 3 % 2) {
            CHECK_OK(tdm_gpt2_plan_make(&all, x->g->s, &c.o, &err), err);
            c.o.memory = all.all - 1;
        }
        golden_train(x->g, x, c);
        size_t n = l->n, rows = 5 * x->g->s.C;
        float *got = tdm_new(n + rows, sizeof *got), **want = &first[c.parts - 1];
        memcpy(got, l->block, n * sizeof *got);
        memcpy(got + n, x->g->w.wte + 56 * x->g->s.C, rows * sizeof *got);
        if (!*want) *want = got;
        assert_memory_equal(*want, got, (n + rows) * sizeof *got);
        if (*want != got) tdm_free(got);
        tdm_lora_close(l);
        golden_close(x);
    }
    CHECK(memcmp(first[0], first[1], 100 * sizeof(float)));
    tdm_free(first[0]);
    tdm_free(first[1]);
}

/* One target at a time, the trainer's loss is its -log p with the adapters beside the weights. */
static void a_merged_model_says_the_same(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    tdm_safetensors *f;
    tdm_lora *l = golden_lora(x, &f, 0);
    struct tdm_run run = golden_run(1);
    tdm_gpt2_trainer *t;
    float apart[MOST], merged[MOST], base[MOST];
    uint32_t target[MOST];
    tdm_gpt2_batch b = x->b;
    b.target = target;
    b.weight = NULL;
    CHECK_OK(tdm_gpt2_trainer_open(&t, x->g, &(tdm_gpt2_trainer_options){.most = MOST, .lora = l}, &run, &err), err);
    for (size_t i = 0; i < b.N; i++) {
        double loss;
        memset(target, 0xff, sizeof target);
        target[i] = (uint32_t)(i % x->g->s.V);
        CHECK_OK(tdm_gpt2_trainer_step(t, &loss, &b, 1, &err), err);
        apart[i] = (float)-loss;
    }
    for (size_t i = 0; i < b.N; i++) target[i] = (uint32_t)(i % x->g->s.V);
    CHECK_OK(tdm_gpt2_logp(x->g, base, &b, &err), err);
    tdm_lora_merge(x->g, l);
    CHECK_OK(tdm_gpt2_logp(x->g, merged, &b, &err), err);
    golden_near("log p", merged, apart, b.N);
    float off = 0;
    for (size_t i = 0; i < b.N; i++) off = fmaxf(off, fabsf(base[i] - merged[i]));
    CHECK(off > 0.1f);
    tdm_gpt2_trainer_close(t);
    tdm_pool_close(run.pool);
    tdm_lora_close(l);
    tdm_safetensors_close(f);
    golden_close(x);
}

static void begun_adapters_change_nothing(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open(), *kept = golden_open();
    tdm_lora *l;
    CHECK_OK(tdm_lora_open(&l, x->g->s, &(tdm_lora_options){.rank = 4}, &err), err);
    tdm_lora_init(l, 9);
    const tdm_adapter a = tdm_lora_at(l, l->block, 1, TDM_LORA_PROJ);
    double sum = 0;
    for (size_t i = 0; i < 4 * a.in; i++) {
        CHECK((double)fabsf(a.a[i]) <= 1 / sqrt(96) + 1e-7);
        sum += (double)(a.a[i] * a.a[i]);
    }
    assert_float_equal(sum / (4 * 96), 1 / 96.0 / 3, 5e-4); /* the variance of such a draw, over 384 of them */
    tdm_lora_merge(x->g, l);
    assert_memory_equal(x->g->block, kept->g->block, x->g->n * sizeof(float));
    tdm_lora_close(l);
    CHECK(tdm_lora_open(&l, x->g->s, &(tdm_lora_options){.rank = 0}, &err) == TDM_E_ARG && !l);
    CHECK(tdm_lora_open(&l, x->g->s, &(tdm_lora_options){.rank = 25}, &err) == TDM_E_ARG);
    CHECK(tdm_lora_open(&l, x->g->s, &(tdm_lora_options){.rank = 1, .sites = 16}, &err) == TDM_E_ARG);
    golden_close(kept);
    golden_close(x);
}

/* ---- files ---- */

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void saved_adapters_load_the_same(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    tdm_safetensors *f;
    tdm_lora *l = golden_lora(x, &f, 0.125f), *again;
    CHECK_OK(tdm_lora_save(l, folder, "gpt2", &err), err);
    CHECK_OK(tdm_lora_load(&again, x->g->s, folder, &err), err);
    CHECK(again->n == l->n && again->o.rank == 4 && again->o.alpha == 8 && again->o.dropout == 0.125f);
    assert_memory_equal(again->block, l->block, l->n * sizeof(float));
    tdm_lora_close(again);
    tdm_lora_close(l);
    tdm_safetensors_close(f);
    CHECK_OK(tdm_safetensors_open(&f, in_folder("adapter_model.safetensors"), &err), err);
    assert_int_equal(tdm_safetensors_n(f), 2 * 4 * 2);
    const tdm_tensor *t = tdm_safetensors_find(f, "base_model.model.transformer.h.1.attn.c_attn.lora_B.weight");
    assert_non_null(t);
    CHECK(t->shape[0] == 72 && t->shape[1] == 4);
    tdm_safetensors_close(f);
    /* the names that others use: the last part alone, which means both c_proj */
    const tdm_lora_options two = {.rank = 2, .sites = 1 << TDM_LORA_ATT | 1 << TDM_LORA_PROJ};
    CHECK_OK(tdm_lora_open(&l, x->g->s, &two, &err), err);
    tdm_lora_init(l, 1);
    CHECK_OK(tdm_lora_save(l, folder, NULL, &err), err);
    static const char config[] =
        "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 2, \"target_modules\": [\"c_proj\"],"
        " \"rank_pattern\": {}, \"modules_to_save\": null}";
    CHECK_OK(tdm_file_write(in_folder("adapter_config.json"), config, strlen(config), &err), err);
    CHECK_OK(tdm_lora_load(&again, x->g->s, folder, &err), err);
    CHECK(again->o.sites == two.sites);
    assert_memory_equal(again->block, l->block, l->n * sizeof(float));
    tdm_lora_close(again);
    tdm_lora_close(l);
    golden_close(x);
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    tdm_lora *l, *again;
    CHECK_OK(tdm_lora_open(&l, x->g->s, &(tdm_lora_options){.rank = 2}, &err), err);
    CHECK_OK(tdm_lora_save(l, folder, NULL, &err), err);
    const tdm_gpt2_shape deeper = {61, 16, 24, 3, 3}, shallower = {61, 16, 24, 1, 3}, wider = {61, 16, 48, 2, 3};
    CHECK(tdm_lora_load(&again, deeper, folder, &err) == TDM_E_FORMAT && !again);
    CHECK(tdm_lora_load(&again, shallower, folder, &err) == TDM_E_FORMAT);
    CHECK(tdm_lora_load(&again, wider, folder, &err) == TDM_E_FORMAT);
#define HEAD "{\"peft_type\": \"LORA\", "
#define SITES "\"target_modules\": [\"c_attn\", \"c_proj\", \"c_fc\"]"
    static const char *const configs[] = {"{}",
                                          "[]",
                                          "{\"peft_type\": \"IA3\"}",
                                          HEAD "\"r\": 2}",
                                          HEAD SITES "}",
                                          HEAD "\"r\": 1e30, " SITES "}",
                                          HEAD "\"r\": 3, " SITES "}",
                                          HEAD "\"r\": 2.5, " SITES "}",
                                          HEAD "\"r\": 2, \"lora_alpha\": -1, " SITES "}",
                                          HEAD "\"r\": 2, \"target_modules\": [\"c_attn\"]}",
                                          HEAD "\"r\": 2, \"target_modules\": [\"attn\", 3]}",
                                          HEAD "\"r\": 2, \"use_dora\": true, " SITES "}",
                                          HEAD "\"r\": 2, \"rank_pattern\": {\"c_attn\": 4}, " SITES "}"};
    for (size_t k = 0; k < sizeof configs / sizeof *configs; k++) {
        CHECK_OK(tdm_file_write(in_folder("adapter_config.json"), configs[k], strlen(configs[k]), &err), err);
        CHECK(tdm_lora_load(&again, x->g->s, folder, &err) != TDM_OK);
        CHECK(again == NULL && err.msg[0]);
    }
    l->block[3] = NAN;
    CHECK_OK(tdm_lora_save(l, folder, NULL, &err), err);
    CHECK(tdm_lora_load(&again, x->g->s, folder, &err) == TDM_E_FORMAT);
    struct tdm_run run = golden_run(1);
    tdm_gpt2_trainer *t;
    l->s.L = 3;
    CHECK(tdm_gpt2_trainer_open(&t, x->g, &(tdm_gpt2_trainer_options){.most = MOST, .lora = l}, &run, &err) ==
          TDM_E_ARG);
    tdm_pool_close(run.pool);
    tdm_lora_close(l);
    golden_close(x);
}

static tdm_status all_once(const golden *x, tdm_err *err)
{
    struct tdm_run run = {.seed = 4};
    tdm_gpt2_trainer *t = NULL;
    tdm_lora *l = NULL, *again = NULL;
    double loss;
    tdm_status st = tdm_lora_open(&l, x->g->s, &(tdm_lora_options){.rank = 2, .dropout = 0.5f}, err);
    if (!st) st = tdm_gpt2_trainer_open(&t, x->g, &(tdm_gpt2_trainer_options){.most = MOST, .lora = l}, &run, err);
    if (!st) st = tdm_gpt2_trainer_step(t, &loss, &x->b, 1, err);
    if (!st) st = tdm_lora_save(l, folder, "x", err);
    if (!st) st = tdm_lora_load(&again, x->g->s, folder, err);
    tdm_gpt2_trainer_close(t);
    tdm_lora_close(again);
    tdm_lora_close(l);
    return st;
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    size_t live = tdm_mem_live();
    long k = 0, well = 0; /* a folder that cannot be synced is borne, so one that goes well is not yet the end */
    for (; k < 1000 && well < 2; k++) {
        tdm_mem_fail_after(k);
        tdm_status st = all_once(x, &err);
        tdm_mem_fail_after(-1);
        CHECK(tdm_mem_live() == live);
        CHECK(st == TDM_OK || st == TDM_E_NOMEM);
        well = st ? 0 : well + 1;
    }
    CHECK(k > 25 && k < 1000);
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
    unlink(in_folder("adapter_config.json"));
    unlink(in_folder("adapter_model.safetensors"));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_and_five_steps_are_those_of_pytorch),
        cmocka_unit_test(gradients_of_parts_add_up_to_those_of_the_whole),
        cmocka_unit_test(gradients_are_finite_differences_under_dropout),
        cmocka_unit_test(same_bytes_at_any_number_of_threads),
        cmocka_unit_test(a_merged_model_says_the_same),
        cmocka_unit_test(begun_adapters_change_nothing),
        cmocka_unit_test(saved_adapters_load_the_same),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
