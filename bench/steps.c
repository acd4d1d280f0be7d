/* SPDX-License-Identifier: Apache-2.0 */
/* steps.c - training steps whole, on all threads, by the clock. */
#include "measure.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/run.h"
#include "gpt2/train.h"

#include <stdio.h>

typedef struct training {
    tdm_gpt2_trainer *trainer;
    tdm_adamw *adam;
    tdm_gpt2_batch batch;
    tdm_run *run;
    uint64_t step;
} training;

static void step(void *ctx)
{
    training *t = ctx;
    double loss;
    tdm_err err;
    if (tdm_gpt2_trainer_step(t->trainer, &loss, &t->batch, ++t->step, &err)) bench_stop(err.msg);
    tdm_adamw_step(t->adam, 1e-4f, t->step, t->run->pool);
}

/* Sequences of `least` to `most` tokens, skewed to the short ones as histories are. */
static void bench_step(const char *name, tdm_gpt2_shape s, size_t tokens, size_t least, size_t most, float dropout,
                       tdm_run *run, double gemm)
{
    tdm_err err;
    training t = {.run = run};
    tdm_gpt2 *g;
    tdm_adamw_group group[TDM_GPT2_GROUPS];
    uint32_t *token = tdm_new(tokens, sizeof *token), *start = tdm_new(tokens + 1, sizeof *start);
    uint32_t *target = tdm_new(tokens, sizeof *target);
    if (!token || !start || !target) bench_stop("not enough memory");
    tdm_rng r = tdm_rng_make(3, 4, tokens);
    size_t n = 0, S = 0;
    for (; n < tokens; start[++S] = (uint32_t)n) {
        double u = tdm_rng_unit(&r);
        size_t length = least + (size_t)(u * u * u * u * (double)(most - least + 1));
        n += length < tokens - n ? length : tokens - n;
    }
    for (size_t i = 0; i < tokens; i++) {
        token[i] = (uint32_t)tdm_rng_below(&r, s.V);
        target[i] = (uint32_t)tdm_rng_below(&r, s.V);
    }
    t.batch = (tdm_gpt2_batch){.token = token, .start = start, .S = S, .N = tokens, .target = target};
    if (tdm_gpt2_open(&g, s, &err) || tdm_gpt2_trainer_open(&t.trainer, g, tokens, dropout, run, &err))
        bench_stop(err.msg);
    tdm_gpt2_init(g, 5);
    tdm_gpt2_tensors grad = tdm_gpt2_trainer_grad(t.trainer);
    size_t groups = tdm_gpt2_groups(group, g, &grad, 0.01f);
    if (tdm_adamw_open(&t.adam, group, groups, (tdm_adamw_options){0.9f, 0.98f, 1e-9f, 1}, &err)) bench_stop(err.msg);
    double seconds = bench_best_clock(step, &t), flops = 0;
    /* products only: forward once, backward twice; attention's are left out */
    flops = 6.0 * (double)tokens * (double)s.C * ((double)s.V + 12.0 * (double)(s.C * s.L));
    size_t threads = tdm_pool_threads(run->pool);
    printf("%-28s %9.0f tokens/s %8.2f ms %8.1f GFLOP/s  %3.0f %% of %zu x 1024^3\n", name, (double)tokens / seconds,
           seconds * 1e3, flops / seconds / 1e9, 100 * flops / seconds / 1e9 / (gemm / 1e9 * (double)threads), threads);
    tdm_adamw_close(t.adam);
    tdm_gpt2_trainer_close(t.trainer);
    tdm_gpt2_close(g);
    tdm_free(token);
    tdm_free(start);
    tdm_free(target);
}

void bench_steps(tdm_run *run, double gemm)
{
    printf("\ntraining steps, with AdamW\n");
    bench_step("items, V 12,000 C 128 L 1", (tdm_gpt2_shape){12000, 51, 128, 1, 2}, 2048, 2, 50, 0.4f, run, gemm);
    bench_step("items, V 18,000 C 128 L 1", (tdm_gpt2_shape){18000, 51, 128, 1, 2}, 1024, 2, 50, 0.4f, run, gemm);
    bench_step("words, V 4,000 C 128 L 2", (tdm_gpt2_shape){4000, 256, 128, 2, 4}, 2048, 60, 256, 0.1f, run, gemm);
    bench_step("words, V 8,000 C 256 L 4", (tdm_gpt2_shape){8000, 256, 256, 4, 4}, 2048, 128, 256, 0.1f, run, gemm);
}
