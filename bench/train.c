/* SPDX-License-Identifier: Apache-2.0 */
/* train.c - training steps of the shapes that docs/bench.md compares, one a run, so that the peak of memory is its own.
 *
 *     bench_train SHAPE [threads [steps [KEY=VALUE ...]]]
 *
 *     a       d = 128, 4 layers, 4 heads, 12,000 words, 32 sequences of 64
 *     b       d = 256, 6 layers, 8 heads, 50,257 words, 8 sequences of 128
 *     c       GPT-2 small, 124 million weights, 4 sequences of 64
 *     long    d = 256, 4 layers, 8 heads, 4,000 words, 2 sequences of 1,024
 *     items   d = 128, 2 layers, 2 heads, 12,101 items, 2,048 tokens of histories of up to 50
 *
 *     lora=RANK        adapters in place of the weights
 *     memory=MB        allowed for all of it: what does not fit is made again in backward
 *     accumulate=N     batches of a step
 *     bf16             mixed precision
 *
 * Prints the plan of memory, the median and the best of the steps' rates, and the peak of memory. */
#include "measure.h"
#include "training.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { STEPS_MOST = 1000 };

static const struct {
    const char *name;
    tdm_gpt2_shape s;
    size_t tokens, least, most;
    float dropout;
} shapes[] = {
    {"a", {12000, 64, 128, 4, 4}, 2048, 64, 64, 0},       {"b", {50257, 128, 256, 6, 8}, 1024, 128, 128, 0},
    {"c", {50257, 1024, 768, 12, 12}, 256, 64, 64, 0},    {"long", {4000, 1024, 256, 4, 8}, 2048, 1024, 1024, 0.1f},
    {"items", {12102, 51, 128, 2, 2}, 2048, 2, 50, 0.4f},
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void how_read(bench_training_how *how, const char *text)
{
    size_t n;
    if (sscanf(text, "lora=%zu", &n) == 1) how->rank = n;
    else if (sscanf(text, "memory=%zu", &n) == 1) how->memory = n * 1000000;
    else if (sscanf(text, "accumulate=%zu", &n) == 1) how->parts = n;
    else if (!strcmp(text, "bf16")) how->gemm = tdm_gemm_bf16;
    else bench_stop("unknown: lora=RANK, memory=MB, accumulate=N and bf16 are known");
}

int main(int argc, char **argv)
{
    size_t k = 0, shapes_n = sizeof shapes / sizeof *shapes;
    while (k < shapes_n && (argc < 2 || strcmp(shapes[k].name, argv[1]))) k++;
    if (k == shapes_n)
        bench_stop("use: bench_train a|b|c|long|items [threads [steps [lora=RANK] [memory=MB] [accumulate=N] [bf16]]]");
    size_t threads = argc > 2 ? strtoul(argv[2], NULL, 10) : 0, steps = argc > 3 ? strtoul(argv[3], NULL, 10) : 10;
    if (!steps || steps > STEPS_MOST) bench_stop("1 to 1000 steps can be timed");
    bench_training_how how = {.dropout = shapes[k].dropout};
    for (int i = 4; i < argc; i++) how_read(&how, argv[i]);
    tdm_err err;
    tdm_run *run;
    bench_training t;
    double seconds[STEPS_MOST], update = 1e9;
    if (tdm_run_open(&run, &(tdm_run_options){.threads = threads, .seed = 1}, &err)) bench_stop(err.msg);
    bench_training_open(&t, shapes[k].s, shapes[k].tokens, shapes[k].least, shapes[k].most, how, run);
    char plan[TDM_PLAN_TEXT];
    tdm_gpt2_plan_say(tdm_gpt2_trainer_plan(t.trainer), plan);
    printf("%s: %s\n", shapes[k].name, plan);
    bench_training_step(&t); /* touches all memory once */
    for (size_t i = 0; i < steps; i++) {
        double began = tdm_seconds();
        bench_training_step(&t);
        seconds[i] = tdm_seconds() - began;
        if (t.update < update) update = t.update;
    }
    qsort(seconds, steps, sizeof *seconds, by_size);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double tokens = (double)(t.batch.N * t.parts), flops = bench_training_flops(&t);
    printf("%s: %zu threads, %.0f tokens/s (best %.0f), %.1f ms a step (AdamW %.1f), %.1f GFLOP/s of products, peak "
           "%.0f MB, loss "
           "%.4f\n",
           shapes[k].name, tdm_pool_threads(run->pool), tokens / seconds[steps / 2], tokens / seconds[0],
           seconds[steps / 2] * 1e3, update * 1e3, flops / seconds[steps / 2] / 1e9,
           (double)used.ru_maxrss * 1024 / 1e6, t.loss);
    bench_training_close(&t);
    tdm_run_close(run);
    return 0;
}
