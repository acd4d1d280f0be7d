/* SPDX-License-Identifier: Apache-2.0 */
#include "training.h"
#include "measure.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

void bench_training_step(void *ctx)
{
    bench_training *t = ctx;
    tdm_err err;
    if (tdm_gpt2_trainer_steps(t->trainer, &t->loss, t->part, t->parts, ++t->step, &err)) bench_stop(err.msg);
    double began = tdm_seconds();
    tdm_adamw_step(t->adam, 1e-4f, t->step, t->run->pool);
    t->update = tdm_seconds() - began;
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

void bench_training_open(bench_training *t, tdm_gpt2_shape s, size_t tokens, size_t least, size_t most,
                         bench_training_how how, tdm_run *run)
{
    tdm_err err;
    tdm_adamw_group group[TDM_GPT2_GROUPS];
    *t = (bench_training){.run = run, .parts = how.parts ? how.parts : 1};
    if (t->parts > BENCH_PARTS) bench_stop("a step has at most 64 parts");
    batch_draw(t, s.V, tokens, least, most);
    for (size_t k = 0; k < t->parts; k++) t->part[k] = t->batch;
    if (tdm_gpt2_open(&t->g, s, &err)) bench_stop(err.msg);
    if (how.rank && tdm_lora_open(&t->lora, s, &(tdm_lora_options){.rank = how.rank}, &err)) bench_stop(err.msg);
    tdm_gpt2_init(t->g, 5);
    if (t->lora) tdm_lora_init(t->lora, 6);
    const tdm_gpt2_trainer_options o = {
        .most = tokens, .dropout = how.dropout, .memory = how.memory, .lora = t->lora, .gemm = how.gemm};
    if (tdm_gpt2_trainer_open(&t->trainer, t->g, &o, run, &err)) bench_stop(err.msg);
    size_t groups = tdm_gpt2_trainer_groups(t->trainer, group, 0.01f);
    if (tdm_adamw_open(&t->adam, group, groups, (tdm_adamw_options){0.9f, 0.98f, 1e-9f, 1}, &err)) bench_stop(err.msg);
}

void bench_training_close(bench_training *t)
{
    tdm_adamw_close(t->adam);
    tdm_gpt2_trainer_close(t->trainer);
    tdm_lora_close(t->lora);
    tdm_gpt2_close(t->g);
    tdm_free(t->token);
    tdm_free(t->start);
    tdm_free(t->target);
}

double bench_training_flops(const bench_training *t)
{
    const tdm_gpt2_shape s = t->g->s;
    double times = t->lora ? 4 : 6; /* adapters leave out the gradients of weights; their own are small */
    return times * (double)(t->batch.N * t->parts) * (double)s.C * ((double)s.V + 12.0 * (double)(s.C * s.L));
}
