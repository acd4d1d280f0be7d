/* SPDX-License-Identifier: Apache-2.0 */
/* test_train.c - gradients and steps against PyTorch and finite differences; ways of saving memory against the plain
 * way. */
#include "golden_model.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

/* ---- gradients ---- */

static void gradients_are_those_of_pytorch(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    struct tdm_run run = golden_run(2);
    tdm_gpt2_trainer *t;
    double loss;
    CHECK_OK(tdm_gpt2_trainer_open(&t, x->g, &(tdm_gpt2_trainer_options){.most = MOST}, &run, &err), err);
    CHECK_OK(tdm_gpt2_trainer_step(t, &loss, &x->b, 1, &err), err);
    assert_float_equal(loss, *(const double *)tdm_safetensors_find(x->file, "loss")->data, 1e-5);
    const tdm_gpt2_tensors d = tdm_gpt2_trainer_grad(t);
    const tdm_gpt2_shape s = x->g->s;
#define X(name, count, layered, decay) golden_near("d." #name, d.name, golden_floats(x, "d." #name, count), count);
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
    struct tdm_run run = golden_run(1);
    tdm_gpt2_trainer *t;
    double loss, up, down;
    CHECK_OK(tdm_gpt2_trainer_open(&t, x->g, &(tdm_gpt2_trainer_options){.most = MOST, .dropout = 0.3f}, &run, &err),
             err);
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

/* ---- steps ---- */

/* What AdamW does to the keys' biases is noise: softmax does not see them, so their gradients are what rounding leaves
 * of zero, and Adam blows that up. */
static void keys_of(float *to, const float *qkvb, tdm_gpt2_shape s)
{
    memcpy(to, qkvb, s.L * 3 * s.C * sizeof *to);
    for (size_t l = 0; l < s.L; l++) memset(to + (l * 3 + 1) * s.C, 0, s.C * sizeof *to);
}

static void twenty_steps_are_those_of_pytorch(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    tdm_safetensors *f;
    CHECK_OK(tdm_safetensors_open(&f, TDM_SOURCE_DIR "/tests/gpt2/golden/train.safetensors", &err), err);
    const void *losses, *norms;
    CHECK_OK(tdm_safetensors_need(f, &losses, "losses", TDM_F64, 20, &err), err);
    CHECK_OK(tdm_safetensors_need(f, &norms, "norms", TDM_F64, 20, &err), err);
    double loss[20], norm[20];
    golden_train(x->g, x, (golden_course){.steps = 20, .losses = loss, .norms = norm});
    for (size_t k = 0; k < 20; k++) {
        assert_float_equal(loss[k], ((const double *)losses)[k], 1e-4);
        assert_float_equal(norm[k], ((const double *)norms)[k], 1e-4 * norm[k]);
    }
    const tdm_gpt2_shape s = x->g->s;
    float got[3 * 24 * 2], want[3 * 24 * 2];
#define X(name, count, layered, decay)                                                                                 \
    if (strcmp(#name, "qkvb")) golden_near("s." #name, x->g->w.name, golden_floats_in(f, "s." #name, count), count);
    TDM_GPT2_TENSORS(X)
#undef X
    keys_of(got, x->g->w.qkvb, s);
    keys_of(want, golden_floats_in(f, "s.qkvb", s.L * 3 * s.C), s);
    golden_near("s.qkvb", got, want, s.L * 3 * s.C);
    tdm_safetensors_close(f);
    golden_close(x);
}

static void training_learns_the_batch_by_heart(void **state)
{
    (void)state;
    golden *x = golden_open();
    double loss[150];
    tdm_gpt2_init(x->g, 3);
    golden_train(x->g, x, (golden_course){.steps = 150, .losses = loss});
    CHECK(loss[149] < 0.2); /* from log 61 = 4.1 */
    golden_close(x);
}

/* ---- the same by other ways ---- */

/* Bytes that make a training of the golden model go through all blocks but the last again. */
static size_t least_memory(tdm_gpt2_shape s)
{
    tdm_err err;
    tdm_gpt2_plan all, least;
    CHECK_OK(tdm_gpt2_plan_make(&all, s, &(tdm_gpt2_trainer_options){.most = MOST}, &err), err);
    CHECK_OK(tdm_gpt2_plan_make(&least, s, &(tdm_gpt2_trainer_options){.most = MOST, .memory = all.all - 1}, &err),
             err);
    CHECK(all.remade == 0 && least.remade == s.L - 1 && least.all < all.all);
    return least.all;
}

/* Ten steps under dropout: whole, in parts, and with blocks made again; each at 1, 2 and 7 threads. */
static void same_bytes_at_any_number_of_threads(void **state)
{
    (void)state;
    const size_t threads[] = {1, 2, 7};
    float *first[2] = {NULL, NULL}; /* by parts: what is made again changes nothing */
    for (size_t k = 0; k < 12; k++) {
        golden *x = golden_open();
        golden_course c = {.steps = 10, .threads = threads[k % 3], .parts = 1 + k / 6, .o.dropout = 0.2f};
        if (k / 3 % 2) c.o.memory = least_memory(x->g->s);
        golden_train(x->g, x, c);
        float **want = &first[c.parts - 1];
        if (!*want) {
            *want = tdm_new(x->g->n, sizeof **want);
            memcpy(*want, x->g->block, x->g->n * sizeof **want);
        }
        assert_memory_equal(*want, x->g->block, x->g->n * sizeof **want);
        golden_close(x);
    }
    CHECK(memcmp(first[0], first[1], 1000 * sizeof(float))); /* parts have masks of their own */
    tdm_free(first[0]);
    tdm_free(first[1]);
}

/* Mixed precision: losses stay within a hundredth of those in floats for 40 steps, yet are others; and its bytes are
 * the same at any number of threads, with blocks made again too. */
static void mixed_precision_follows_floats(void **state)
{
    (void)state;
    double exact[40], mixed[40];
    float *first = NULL;
    for (size_t k = 0; k < 5; k++) {
        golden *x = golden_open();
        golden_course c = {.steps = 40, .threads = k, .o.gemm = tdm_gemm_bf16, .losses = mixed};
        if (!k) c = (golden_course){.steps = 40, .threads = 1, .losses = exact};
        if (k == 3) c.o.memory = least_memory(x->g->s);
        golden_train(x->g, x, c);
        if (k == 1) {
            first = tdm_new(x->g->n, sizeof *first);
            memcpy(first, x->g->block, x->g->n * sizeof *first);
            CHECK(memcmp(exact, mixed, sizeof exact));
            for (size_t s = 0; s < 40; s++) assert_float_equal(mixed[s], exact[s], 0.01 * exact[s]);
        }
        if (k) assert_memory_equal(first, x->g->block, x->g->n * sizeof *first);
        golden_close(x);
    }
    tdm_free(first);
}

/* Weights are of 0.5 to 1.5 and a quarter of the targets silent, so that a mean of the parts' means would be off. */
static void gradients_of_parts_add_up_to_those_of_the_whole(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    struct tdm_run run = golden_run(2);
    tdm_gpt2_trainer *t;
    tdm_gpt2_batch part[3];
    uint32_t start[8];
    double loss;
    golden_parts(x, part, start);
    part[2] = (tdm_gpt2_batch){.start = start, .target = x->b.target}; /* of nothing */
    CHECK_OK(tdm_gpt2_trainer_open(&t, x->g, &(tdm_gpt2_trainer_options){.most = MOST}, &run, &err), err);
    CHECK_OK(tdm_gpt2_trainer_steps(t, &loss, part, 3, 1, &err), err);
    assert_float_equal(loss, *(const double *)tdm_safetensors_find(x->file, "loss")->data, 1e-5);
    const tdm_gpt2_tensors d = tdm_gpt2_trainer_grad(t);
    const tdm_gpt2_shape s = x->g->s;
#define X(name, count, layered, decay) golden_near("d." #name, d.name, golden_floats(x, "d." #name, count), count);
    TDM_GPT2_TENSORS(X)
#undef X
    tdm_gpt2_trainer_close(t);
    tdm_pool_close(run.pool);
    golden_close(x);
}

/* The plan says what is allocated, to the few arrays that are not floats: tiles, layers' tables, positions. */
static void the_plan_is_what_is_allocated(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    struct tdm_run run = golden_run(1);
    char text[TDM_PLAN_TEXT];
    size_t least = least_memory(x->g->s);
    for (size_t k = 0; k < 2; k++) {
        tdm_gpt2_trainer *t;
        tdm_adamw *a;
        tdm_adamw_group group[TDM_GPT2_GROUPS];
        size_t before = tdm_mem_bytes() - x->g->n * sizeof(float);
        const tdm_gpt2_trainer_options o = {.most = MOST, .memory = k ? least : 0};
        CHECK_OK(tdm_gpt2_trainer_open(&t, x->g, &o, &run, &err), err);
        size_t n = tdm_gpt2_trainer_groups(t, group, 0);
        assert_int_equal(n, TDM_GPT2_GROUPS);
        CHECK_OK(tdm_adamw_open(&a, group, n, (tdm_adamw_options){0.9f, 0.95f, 1e-8f, 1}, &err), err);
        const tdm_gpt2_plan *p = tdm_gpt2_trainer_plan(t);
        size_t taken = tdm_mem_bytes() - before;
        CHECK(taken >= p->all && taken < p->all + 8192);
        tdm_gpt2_plan_say(p, text);
        CHECK(!!strstr(text, "1 of 2 blocks are made again") == (k == 1));
        assert_non_null(strstr(text, "activations 0 MB, "));
        tdm_adamw_close(a);
        tdm_gpt2_trainer_close(t);
    }
    /* 16 million tokens at once through GPT-2 XL are beyond any machine, and what can be made again is */
    tdm_gpt2_plan xl;
    const tdm_gpt2_shape s = {50257, 1024, 1600, 48, 25};
    CHECK_OK(tdm_gpt2_plan_make(&xl, s, &(tdm_gpt2_trainer_options){.most = (size_t)1 << 24}, &err), err);
    CHECK(xl.remade == 47 && xl.layers == 48);
    CHECK_OK(tdm_gpt2_plan_make(&xl, x->g->s, &(tdm_gpt2_trainer_options){.most = MOST}, &err), err);
    CHECK(xl.remade == 0);
    tdm_gpt2_trainer *t;
    const tdm_gpt2_trainer_options o = {.most = MOST, .memory = least - 1};
    CHECK(tdm_gpt2_trainer_open(&t, x->g, &o, &run, &err) == TDM_E_NOMEM);
    assert_non_null(strstr(err.msg, "are allowed"));
    tdm_pool_close(run.pool);
    golden_close(x);
}

/* ---- single things ---- */

static void a_loss_that_is_no_number_is_said(void **state)
{
    (void)state;
    tdm_err err;
    golden *x = golden_open();
    struct tdm_run run = golden_run(1);
    tdm_gpt2_trainer *t;
    double loss;
    CHECK_OK(tdm_gpt2_trainer_open(&t, x->g, &(tdm_gpt2_trainer_options){.most = MOST}, &run, &err), err);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_pytorch),
        cmocka_unit_test(gradients_are_finite_differences_under_dropout),
        cmocka_unit_test(twenty_steps_are_those_of_pytorch),
        cmocka_unit_test(training_learns_the_batch_by_heart),
        cmocka_unit_test(same_bytes_at_any_number_of_threads),
        cmocka_unit_test(mixed_precision_follows_floats),
        cmocka_unit_test(gradients_of_parts_add_up_to_those_of_the_whole),
        cmocka_unit_test(the_plan_is_what_is_allocated),
        cmocka_unit_test(a_loss_that_is_no_number_is_said),
        cmocka_unit_test(adamw_is_its_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
