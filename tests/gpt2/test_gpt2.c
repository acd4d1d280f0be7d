/* SPDX-License-Identifier: Apache-2.0 */
/* test_gpt2.c - the engine against PyTorch, against finite differences and against itself. */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/safetensors.h"
#include "gpt2/decode.h"
#include "gpt2/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/tandem-gpt2-XXXXXX";
enum { MOST = 64 };

typedef struct golden {
    tdm_safetensors *file;
    tdm_gpt2 *g;
    tdm_gpt2_batch b;
    uint32_t token[MOST], start[MOST], target[MOST];
} golden;

static const float *floats_of(const golden *x, const char *name, size_t n)
{
    tdm_err err;
    const void *p;
    CHECK_OK(tdm_safetensors_need(x->file, &p, name, TDM_F32, n, &err), err);
    return p;
}

static size_t whole_of(const golden *x, uint32_t *out, const char *name)
{
    const tdm_tensor *t = tdm_safetensors_find(x->file, name);
    assert_non_null(t);
    assert_true(t->dtype == TDM_I64 && t->shape[0] <= MOST);
    for (size_t i = 0; i < t->shape[0]; i++) out[i] = (uint32_t)((const int64_t *)t->data)[i]; /* -1: silent */
    return t->shape[0];
}

static golden *golden_open(void)
{
    tdm_err err;
    golden *x = calloc(1, sizeof *x);
    CHECK_OK(tdm_safetensors_open(&x->file, TDM_SOURCE_DIR "/tests/gpt2/golden/gpt2.safetensors", &err), err);
    const tdm_gpt2_shape s = {.V = 61, .T = 16, .C = 24, .L = 2, .H = 3};
    CHECK_OK(tdm_gpt2_open(&x->g, s, &err), err);
#define X(name, count, layered, decay) memcpy(x->g->w.name, floats_of(x, #name, count), (count) * sizeof(float));
    TDM_GPT2_TENSORS(X)
#undef X
    x->b.N = whole_of(x, x->token, "token");
    x->b.S = whole_of(x, x->start, "start") - 1;
    whole_of(x, x->target, "target");
    x->b.token = x->token;
    x->b.start = x->start;
    x->b.target = x->target;
    x->b.weight = floats_of(x, "weight", x->b.N);
    return x;
}

static void golden_close(golden *x)
{
    tdm_gpt2_close(x->g);
    tdm_safetensors_close(x->file);
    free(x);
}

/* The largest difference, over the largest value: float sums in another order differ by about 1e-6. */
static void near(const char *name, const float *got, const float *want, size_t n)
{
    double most = 0, off = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)want[i]));
        off = fmax(off, fabs((double)got[i] - (double)want[i]));
    }
    if (!(off <= 1e-4 * most)) fail_msg("%s differs by %g of %g", name, off, most);
}

static void logits_are_those_of_pytorch(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    float *logits = tdm_new(x->b.N, x->g->s.V * sizeof *logits), logp[MOST];
    CHECK_OK(tdm_gpt2_logits(x->g, logits, &x->b, &err), err);
    near("logits", logits, floats_of(x, "logits", x->b.N * x->g->s.V), x->b.N * x->g->s.V);
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

static struct tdm_run run_of(size_t threads)
{
    tdm_err err;
    struct tdm_run run = {.seed = 4};
    CHECK_OK(tdm_pool_open(&run.pool, threads, &err), err);
    return run;
}

static void gradients_are_those_of_pytorch(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    struct tdm_run run = run_of(2);
    tdm_gpt2_trainer *t;
    double loss;
    CHECK_OK(tdm_gpt2_trainer_open(&t, x->g, MOST, 0, &run, &err), err);
    CHECK_OK(tdm_gpt2_trainer_step(t, &loss, &x->b, 1, &err), err);
    assert_float_equal(loss, *(const double *)tdm_safetensors_find(x->file, "loss")->data, 1e-5);
    const tdm_gpt2_tensors d = tdm_gpt2_trainer_grad(t);
    const tdm_gpt2_shape s = x->g->s;
#define X(name, count, layered, decay) near("d." #name, d.name, floats_of(x, "d." #name, count), count);
    TDM_GPT2_TENSORS(X)
#undef X
    tdm_gpt2_trainer_close(t);
    tdm_pool_close(run.pool);
    golden_close(x);
}

/* With dropout too: the mask of a step is the same at every call. Central differences of a float loss near 5 with steps
 * of 2e-2 are good to about 5e-7 / 4e-2 = 1e-5, and to the curvature, so a hundredth of the largest is asked. */
static void gradients_are_finite_differences_under_dropout(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    struct tdm_run run = run_of(1);
    tdm_gpt2_trainer *t;
    double loss, up, down;
    CHECK_OK(tdm_gpt2_trainer_open(&t, x->g, MOST, 0.3f, &run, &err), err);
    CHECK_OK(tdm_gpt2_trainer_step(t, &loss, &x->b, 7, &err), err);
    const tdm_gpt2_tensors d = tdm_gpt2_trainer_grad(t);
    const tdm_gpt2_shape s = x->g->s;
    float *kept = tdm_new(x->g->n, sizeof *kept);
    memcpy(kept, d.wte, x->g->n * sizeof *kept);
    size_t at = 0;
#define X(name, count, layered, decay)                                                                                 \
    {                                                                                                                  \
        float most = 0, *w = x->g->w.name;                                                                             \
        for (size_t i = 0; i < (count); i++) most = fmaxf(most, fabsf(kept[at + i]));                                  \
        for (size_t k = 0; k < 6; k++) {                                                                               \
            size_t i = (k * 7919 + 13) % (count);                                                                      \
            const float was = w[i], step = 2e-2f;                                                                      \
            w[i] = was + step;                                                                                         \
            CHECK_OK(tdm_gpt2_trainer_step(t, &up, &x->b, 7, &err), err);                                              \
            w[i] = was - step;                                                                                         \
            CHECK_OK(tdm_gpt2_trainer_step(t, &down, &x->b, 7, &err), err);                                            \
            w[i] = was;                                                                                                \
            double want = (up - down) / (2 * (double)step);                                                            \
            if (!(fabs(want - (double)kept[at + i]) <= 0.01 * (double)most + 1e-4))                                    \
                fail_msg("d." #name "[%zu] is %g, the difference %g", i, (double)kept[at + i], want);                  \
        }                                                                                                              \
        at += (count);                                                                                                 \
    }
    TDM_GPT2_TENSORS(X)
#undef X
    tdm_free(kept);
    tdm_gpt2_trainer_close(t);
    tdm_pool_close(run.pool);
    golden_close(x);
}

/* ---- training ---- */

static void train(tdm_gpt2 *g, const golden *x, size_t threads, size_t steps, float dropout, double *last)
{
    tdm_err err;
    struct tdm_run run = run_of(threads);
    tdm_gpt2_trainer *t;
    tdm_adamw *a;
    CHECK_OK(tdm_gpt2_trainer_open(&t, g, MOST, dropout, &run, &err), err);
    tdm_adamw_group group[TDM_GPT2_GROUPS];
    const tdm_gpt2_tensors d = tdm_gpt2_trainer_grad(t);
    size_t n = tdm_gpt2_groups(group, g, &d, 0.1f);
    assert_int_equal(n, TDM_GPT2_GROUPS);
    CHECK_OK(tdm_adamw_open(&a, group, n, (tdm_adamw_options){0.9f, 0.95f, 1e-8f, 1}, &err), err);
    for (uint64_t step = 1; step <= steps; step++) {
        CHECK_OK(tdm_gpt2_trainer_step(t, last, &x->b, step, &err), err);
        tdm_adamw_step(a, (float)(3e-3 * tdm_cosine_rate(step, 5, steps, 0.1)), step, run.pool);
    }
    tdm_adamw_close(a);
    tdm_gpt2_trainer_close(t);
    tdm_pool_close(run.pool);
}

static void training_learns_the_batch_by_heart(void **state)
{
    (void)state;
    golden *x = golden_open();
    double loss;
    tdm_gpt2_init(x->g, 3);
    train(x->g, x, 2, 150, 0, &loss);
    CHECK(loss < 0.2); /* from log 61 = 4.1 */
    golden_close(x);
}

static void same_bytes_at_any_number_of_threads(void **state)
{
    (void)state;
    const size_t threads[] = {1, 2, 7};
    float *first = NULL;
    for (size_t k = 0; k < 3; k++) {
        golden *x = golden_open();
        double loss;
        train(x->g, x, threads[k], 10, 0.2f, &loss);
        if (!first) {
            first = tdm_new(x->g->n, sizeof *first);
            memcpy(first, x->g->block, x->g->n * sizeof *first);
        }
        assert_memory_equal(first, x->g->block, x->g->n * sizeof *first);
        golden_close(x);
    }
    tdm_free(first);
}

static void a_loss_that_is_no_number_is_said(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    struct tdm_run run = run_of(1);
    tdm_gpt2_trainer *t;
    double loss;
    CHECK_OK(tdm_gpt2_trainer_open(&t, x->g, MOST, 0, &run, &err), err);
    x->g->w.qkvw[5] = NAN;
    CHECK(tdm_gpt2_trainer_step(t, &loss, &x->b, 1, &err) == TDM_E_FORMAT);
    assert_non_null(strstr(err.msg, "no longer a number"));
    x->token[3] = 61;
    CHECK(tdm_gpt2_trainer_step(t, &loss, &x->b, 1, &err) == TDM_E_ARG);
    tdm_gpt2_trainer_close(t);
    tdm_pool_close(run.pool);
    golden_close(x);
}

/* One weight by hand: m = .1 g, v = .05 g^2, both corrected give g and g^2. */
static void adamw_is_its_formula(void **state)
{
    (void)state;
    tdm_err err;
    float w[2] = {1, 1}, g[2] = {3, 4};
    tdm_adamw *a;
    tdm_adamw_group group[2] = {{w, g, 1, 0.1f}, {w + 1, g + 1, 1, 0}};
    CHECK_OK(tdm_adamw_open(&a, group, 2, (tdm_adamw_options){0.9f, 0.95f, 0, 1}, &err), err);
    assert_float_equal(tdm_adamw_step(a, 0.5f, 1, NULL), 5, 1e-6);
    assert_float_equal(w[0], 1 - 0.5 * 0.1 - 0.5, 1e-5);
    assert_float_equal(w[1], 1 - 0.5, 1e-5);
    float *m, *v;
    size_t n;
    tdm_adamw_state(a, &m, &v, &n);
    assert_int_equal(n, 2);
    assert_float_equal(m[0], 0.1 * 3 / 5, 1e-6); /* clipped to a norm of 1 */
    assert_float_equal(v[1], 0.05 * 0.8 * 0.8, 1e-6);
    tdm_adamw_close(a);
    assert_float_equal(tdm_cosine_rate(5, 10, 100, 0.1), 0.5, 1e-12);
    assert_float_equal(tdm_cosine_rate(55, 10, 100, 0.1), 0.1 + 0.9 / 2, 1e-12);
    assert_float_equal(tdm_cosine_rate(100, 10, 100, 0.1), 0.1, 1e-12);
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
    tdm_status st = tdm_gpt2_trainer_open(&t, x->g, MOST, 0, &run, err);
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
    for (; k < 1000; k++) {
        tdm_mem_fail_after(k);
        tdm_status st = all_once(x, &err);
        tdm_mem_fail_after(-1);
        CHECK(tdm_mem_live() == live);
        if (st == TDM_OK) break;
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
        cmocka_unit_test(gradients_are_those_of_pytorch),
        cmocka_unit_test(gradients_are_finite_differences_under_dropout),
        cmocka_unit_test(training_learns_the_batch_by_heart),
        cmocka_unit_test(same_bytes_at_any_number_of_threads),
        cmocka_unit_test(a_loss_that_is_no_number_is_said),
        cmocka_unit_test(adamw_is_its_formula),
        cmocka_unit_test(the_last_state_gives_the_last_logits),
        cmocka_unit_test(a_saved_model_loads_the_same),
        cmocka_unit_test(damaged_folders_are_refused),
        cmocka_unit_test(the_common_librarys_checkpoint_is_read),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
