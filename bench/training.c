/* SPDX-License-Identifier: Apache-2.0 */
#include "training.h"
#include "measure.h"

#include "base/mem.h"
#include "base/rng.h"

void bench_training_step(void *ctx)
{
    bench_training *t = ctx;
    tdm_err err;
    if (tdm_gpt2_trainer_step(t->trainer, &t->loss, &t->batch, ++t->step, &err)) bench_stop(err.msg);
    tdm_adamw_step(t->adam, 1e-4f, t->step, t->run->pool);
}

static void batch_draw(bench_training *t, size_t V, size_t tokens, size_t least, size_t most)
{
    t->token = tdm_new(tokens, sizeof *t->token);
    t->start = tdm_new(tokens + 1, sizeof *t->start);
    t->target = tdm_new(tokens, sizeof *t->target);
    if (!t->token || !t->start || !t->target) bench_stop("not enough memory");
    tdm_rng r = tdm_rng_make(3, 4, tokens);
    size_t n = 0, S = 0;
    for (; n < tokens; t->start[++S] = (uint32_t)n) {
        double u = tdm_rng_unit(&r);
        size_t length = least + (size_t)(u * u * u * u * (double)(most - least + 1));
        if (length > most) length = most;
        n += length < tokens - n ? length : tokens - n;
    }
    for (size_t i = 0; i < tokens; i++) {
        t->token[i] = (uint32_t)tdm_rng_below(&r, V);
        t->target[i] = (uint32_t)tdm_rng_below(&r, V);
    }
    t->batch = (tdm_gpt2_batch){.token = t->token, .start = t->start, .S = S, .N = tokens, .target = t->target};
}

void bench_training_open(bench_training *t, tdm_gpt2_shape s, size_t tokens, size_t least, size_t most, float dropout,
                         tdm_run *run)
{
    tdm_err err;
    tdm_adamw_group group[TDM_GPT2_GROUPS];
    const tdm_gpt2_trainer_options o = {.most = tokens, .dropout = dropout};
    *t = (bench_training){.run = run};
    batch_draw(t, s.V, tokens, least, most);
    if (tdm_gpt2_open(&t->g, s, &err) || tdm_gpt2_trainer_open(&t->trainer, t->g, &o, run, &err)) bench_stop(err.msg);
    tdm_gpt2_init(t->g, 5);
    tdm_gpt2_tensors grad = tdm_gpt2_trainer_grad(t->trainer);
    size_t groups = tdm_gpt2_groups(group, t->g, &grad, 0.01f);
    if (tdm_adamw_open(&t->adam, group, groups, (tdm_adamw_options){0.9f, 0.98f, 1e-9f, 1}, &err)) bench_stop(err.msg);
}

void bench_training_close(bench_training *t)
{
    tdm_adamw_close(t->adam);
    tdm_gpt2_trainer_close(t->trainer);
    tdm_gpt2_close(t->g);
    tdm_free(t->token);
    tdm_free(t->start);
    tdm_free(t->target);
}

double bench_training_flops(const bench_training *t)
{
    const tdm_gpt2_shape s = t->g->s;
    return 6.0 * (double)t->batch.N * (double)s.C * ((double)s.V + 12.0 * (double)(s.C * s.L));
}
