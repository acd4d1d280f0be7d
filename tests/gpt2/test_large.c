/* SPDX-License-Identifier: Apache-2.0 */
/* test_large.c - GPT-2 small's own shape, 124 million weights, against PyTorch. No file holds the weights: they are a
 * hash, the one that tools/golden_train.py states. */
#include "golden_model.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 32, SOME = 64 };

static const int64_t *whole_in(const tdm_safetensors *f, const char *name, size_t n)
{
    tdm_err err;
    const void *p;
    CHECK_OK(tdm_safetensors_need(f, &p, name, TDM_I64, n, &err), err);
    return p;
}

static double number_in(const tdm_safetensors *f, const char *name)
{
    tdm_err err;
    const void *p;
    CHECK_OK(tdm_safetensors_need(f, &p, name, TDM_F64, 1, &err), err);
    return *(const double *)p;
}

typedef struct filling {
    float *w, mean;
    uint64_t tensor;
} filling;

static void fill(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const filling *f = ctx;
    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        float unit = (float)(tdm_mix64((f->tensor << 40) + i) >> 40) / 16777216;
        f->w[i] = f->mean + (unit - 0.5f) / 8;
    }
}

/* Of 1e-4 of the largest: values, the largest value itself, and the length of the whole, which leaves none unseen. */
static void gradient_near(const tdm_safetensors *f, const char *name, const float *d, size_t n)
{
    char key[32];
    snprintf(key, sizeof key, "at.%s", name);
    const int64_t *at = whole_in(f, key, SOME);
    snprintf(key, sizeof key, "d.%s", name);
    const float *want = golden_floats_in(f, key, SOME);
    snprintf(key, sizeof key, "most.%s", name);
    const double largest = (double)*golden_floats_in(f, key, 1);
    snprintf(key, sizeof key, "norm.%s", name);
    const double length = number_in(f, key);
    double most = 0, sum = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)d[i]));
        sum += (double)d[i] * (double)d[i];
    }
    if (!(fabs(most - largest) <= 1e-4 * largest)) fail_msg("%s: the largest is %g, not %g", name, most, largest);
    if (!(fabs(sqrt(sum) - length) <= 1e-4 * length)) fail_msg("%s: the length is %g, not %g", name, sqrt(sum), length);
    for (size_t k = 0; k < SOME; k++)
        if (!(fabs((double)d[at[k]] - (double)want[k]) <= 1e-4 * largest))
            fail_msg("%s[%lld] is %g, not %g", name, (long long)at[k], (double)d[at[k]], (double)want[k]);
}

static void logits_near(const tdm_safetensors *f, const float *logits, size_t V)
{
    const int64_t *column = whole_in(f, "at.logits", SOME);
    const float *want = golden_floats_in(f, "logits", N * SOME), most = *golden_floats_in(f, "most.logits", 1);
    float largest = 0;
    for (size_t i = 0; i < N * V; i++) largest = fmaxf(largest, fabsf(logits[i]));
    assert_float_equal(largest, most, 1e-4 * (double)most);
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < SOME; k++)
            assert_float_equal(logits[i * V + (size_t)column[k]], want[i * SOME + k], 1e-4 * (double)most);
}

static void a_model_of_124_million_weights_is_that_of_pytorch(void **state)
{
    (void)state;
    tdm_err err;
    const tdm_gpt2_shape s = {.V = 50257, .T = 1024, .C = 768, .L = 12, .H = 12};
    tdm_safetensors *f;
    tdm_gpt2 *g;
    tdm_gpt2_trainer *t;
    struct tdm_run run = golden_run(2);
    uint32_t token[N], target[N], start[] = {0, N / 2, N}, k = 0;
    double loss;
    CHECK_OK(tdm_safetensors_open(&f, TDM_SOURCE_DIR "/tests/gpt2/golden/large.safetensors", &err), err);
    CHECK_OK(tdm_gpt2_open(&g, s, &err), err);
#define X(name, count, layered, decay)                                                                                 \
    {                                                                                                                  \
        filling a = {g->w.name, !strcmp(#name, "ln1w") || !strcmp(#name, "ln2w") || !strcmp(#name, "lnfw"), k++};      \
        tdm_pool_for(run.pool, (count), 65536, fill, &a);                                                              \
    }
    TDM_GPT2_TENSORS(X)
#undef X
    for (size_t i = 0; i < N; i++) {
        token[i] = (uint32_t)whole_in(f, "token", N)[i];
        target[i] = (uint32_t)whole_in(f, "target", N)[i];
    }
    const tdm_gpt2_batch b = {.token = token, .start = start, .S = 2, .N = N, .target = target};
    float *logits = tdm_new(N, s.V * sizeof *logits);
    CHECK_OK(tdm_gpt2_logits(g, logits, &b, &err), err);
    logits_near(f, logits, s.V);
    tdm_free(logits);
    CHECK_OK(tdm_gpt2_trainer_open(&t, g, &(tdm_gpt2_trainer_options){.most = N}, &run, &err), err);
    CHECK_OK(tdm_gpt2_trainer_step(t, &loss, &b, 1, &err), err);
    assert_float_equal(loss, number_in(f, "loss"), 1e-4);
    const tdm_gpt2_tensors d = tdm_gpt2_trainer_grad(t);
#define X(name, count, layered, decay) gradient_near(f, #name, d.name, count);
    TDM_GPT2_TENSORS(X)
#undef X
    tdm_gpt2_trainer_close(t);
    tdm_gpt2_close(g);
    tdm_safetensors_close(f);
    tdm_pool_close(run.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_model_of_124_million_weights_is_that_of_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
