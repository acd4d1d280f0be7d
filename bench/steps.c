/* SPDX-License-Identifier: Apache-2.0 */
/* steps.c - training steps whole, on all threads, by the clock. */
#include "measure.h"
#include "training.h"

#include <stdio.h>

static void bench_step(const char *name, tdm_gpt2_shape s, size_t tokens, size_t least, size_t most, float dropout,
                       tdm_run *run, double gemm)
{
    bench_training t;
    bench_training_open(&t, s, tokens, least, most, (bench_training_how){.dropout = dropout}, run);
    double seconds = bench_best_clock(bench_training_step, &t), flops = bench_training_flops(&t);
    size_t threads = tdm_pool_threads(run->pool);
    printf("%-28s %9.0f tokens/s %8.2f ms %8.1f GFLOP/s  %3.0f %% of %zu x 1024^3\n", name, (double)tokens / seconds,
           seconds * 1e3, flops / seconds / 1e9, 100 * flops / seconds / 1e9 / (gemm / 1e9 * (double)threads), threads);
    bench_training_close(&t);
}

void bench_steps(tdm_run *run, double gemm)
{
    printf("\ntraining steps, with AdamW\n");
    bench_step("items, V 12,000 C 128 L 1", (tdm_gpt2_shape){12000, 51, 128, 1, 2}, 2048, 2, 50, 0.4f, run, gemm);
    bench_step("items, V 18,000 C 128 L 1", (tdm_gpt2_shape){18000, 51, 128, 1, 2}, 1024, 2, 50, 0.4f, run, gemm);
    bench_step("words, V 4,000 C 128 L 2", (tdm_gpt2_shape){4000, 256, 128, 2, 4}, 2048, 60, 256, 0.1f, run, gemm);
    bench_step("words, V 8,000 C 256 L 4", (tdm_gpt2_shape){8000, 256, 256, 4, 4}, 2048, 128, 256, 0.1f, run, gemm);
}
