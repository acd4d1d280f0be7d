/* SPDX-License-Identifier: Apache-2.0 */
#include "golden_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const float *golden_floats_in(const tdm_safetensors *file, const char *name, size_t n)
{
    tdm_err err;
    const void *p;
    CHECK_OK(tdm_safetensors_need(file, &p, name, TDM_F32, n, &err), err);
    return p;
}

const float *golden_floats(const golden *x, const char *name, size_t n) { return golden_floats_in(x->file, name, n); }

static size_t whole_of(const golden *x, uint32_t *out, const char *name)
{
    const tdm_tensor *t = tdm_safetensors_find(x->file, name);
    assert_non_null(t);
    assert_true(t->dtype == TDM_I64 && t->shape[0] <= MOST);
    for (size_t i = 0; i < t->shape[0]; i++) out[i] = (uint32_t)((const int64_t *)t->data)[i]; /* -1: silent */
    return t->shape[0];
}

golden *golden_open(void)
{
    tdm_err err;
    golden *x = calloc(1, sizeof *x);
    CHECK_OK(tdm_safetensors_open(&x->file, TDM_SOURCE_DIR "/tests/gpt2/golden/gpt2.safetensors", &err), err);
    const tdm_gpt2_shape s = {.V = 61, .T = 16, .C = 24, .L = 2, .H = 3};
    CHECK_OK(tdm_gpt2_open(&x->g, s, &err), err);
#define X(name, count, layered, decay) memcpy(x->g->w.name, golden_floats(x, #name, count), (count) * sizeof(float));
    TDM_GPT2_TENSORS(X)
#undef X
    x->b.N = whole_of(x, x->token, "token");
    x->b.S = whole_of(x, x->start, "start") - 1;
    whole_of(x, x->target, "target");
    x->b.token = x->token;
    x->b.start = x->start;
    x->b.target = x->target;
    x->b.weight = golden_floats(x, "weight", x->b.N);
    return x;
}

void golden_close(golden *x)
{
    tdm_gpt2_close(x->g);
    tdm_safetensors_close(x->file);
    free(x);
}

void golden_near(const char *name, const float *got, const float *want, size_t n)
{
    double most = 0, off = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)want[i]));
        off = fmax(off, fabs((double)got[i] - (double)want[i]));
    }
    if (!(off <= 1e-4 * most)) fail_msg("%s differs by %g of %g", name, off, most);
}

struct tdm_run golden_run(size_t threads)
{
    tdm_err err;
    struct tdm_run run = {.seed = 4};
    CHECK_OK(tdm_pool_open(&run.pool, threads, &err), err);
    return run;
}

void golden_parts(const golden *x, tdm_gpt2_batch part[2], uint32_t start[8])
{
    const size_t cut = 3, at = x->start[cut];
    for (size_t q = 0; q + cut <= x->b.S; q++) start[q] = x->start[cut + q] - x->start[cut];
    part[0] = x->b;
    part[0].S = cut;
    part[0].N = at;
    part[1] = (tdm_gpt2_batch){.token = x->b.token + at,
                               .start = start,
                               .S = x->b.S - cut,
                               .N = x->b.N - at,
                               .target = x->b.target + at,
                               .weight = x->b.weight + at};
}

void golden_train(tdm_gpt2 *g, const golden *x, golden_course c)
{
    tdm_err err;
    uint32_t start[8];
    tdm_gpt2_batch part[2] = {x->b};
    struct tdm_run run = golden_run(c.threads ? c.threads : 2);
    tdm_gpt2_trainer *t;
    tdm_adamw *a;
    c.o.most = MOST;
    if (c.parts == 2) golden_parts(x, part, start);
    CHECK_OK(tdm_gpt2_trainer_open(&t, g, &c.o, &run, &err), err);
    tdm_adamw_group group[TDM_GPT2_GROUPS];
    size_t n = tdm_gpt2_trainer_groups(t, group, 0.1f);
    CHECK_OK(tdm_adamw_open(&a, group, n, (tdm_adamw_options){0.9f, 0.95f, 1e-8f, 1}, &err), err);
    for (uint64_t step = 1; step <= c.steps; step++) {
        double loss, rate = 3e-3 * tdm_cosine_rate(step, 5, c.total ? c.total : c.steps, 0.1);
        CHECK_OK(tdm_gpt2_trainer_steps(t, &loss, part, c.parts ? c.parts : 1, step, &err), err);
        double norm = tdm_adamw_step(a, (float)rate, step, run.pool);
        if (c.losses) c.losses[step - 1] = loss;
        if (c.norms) c.norms[step - 1] = norm;
    }
    tdm_adamw_close(a);
    tdm_gpt2_trainer_close(t);
    tdm_pool_close(run.pool);
}
