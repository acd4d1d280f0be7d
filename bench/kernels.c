/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - how fast the kernels and a training step are, beside what the machine can do: a matrix product of 1024^3
 * for what computes, a copy of memory for what reads and writes.
 *
 *     bench_kernels [threads [table]]      threads of the training steps (default: all), table: c, avx2, avx512
 *
 * Each figure is the best of several rounds: the machine's other work only ever makes one slower. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/run.h"
#include "gpt2/train.h"
#include "kernels/kernels.h"
#include "kernels/spd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 7 };

static void fail(const char *what)
{
    fprintf(stderr, "bench_kernels: %s\n", what);
    exit(1);
}

static float *drawn(size_t n)
{
    float *x = tdm_new(n, sizeof *x);
    tdm_rng r = tdm_rng_make(1, 2, n);
    if (!x) fail("not enough memory");
    for (size_t i = 0; i < n; i++) x[i] = (float)tdm_rng_unit(&r) - 0.5f;
    return x;
}

typedef void work_fn(void *ctx);

/* Seconds of one call: the best round of calls that take some milliseconds together. */
static double best(work_fn *fn, void *ctx)
{
    double least = 1e9;
    fn(ctx);
    double once = tdm_seconds();
    fn(ctx);
    once = tdm_seconds() - once;
    size_t calls = once > 0.02 ? 1 : (size_t)(0.02 / (once + 1e-7)) + 1;
    for (int round = 0; round < ROUNDS; round++) {
        double t = tdm_seconds();
        for (size_t i = 0; i < calls; i++) fn(ctx);
        t = (tdm_seconds() - t) / (double)calls;
        if (t < least) least = t;
    }
    return least;
}

/* ---- rows ---- */

typedef struct rows {
    tdm_kernels k;
    size_t n;
    float *a, *b, *c, *d, stat[2];
    float sink;
} rows;

static void copy(void *p)
{
    rows *r = p;
    memcpy(r->a, r->b, r->n * sizeof(float));
}
static void dot(void *p)
{
    rows *r = p;
    r->sink += r->k.dot(r->a, r->b, r->n);
}
static void axpy(void *p)
{
    rows *r = p;
    r->k.axpy(r->a, 1e-9f, r->b, r->n);
}
static void largest(void *p)
{
    rows *r = p;
    r->sink += r->k.max(r->a, r->n);
}
static void exp_sum(void *p)
{
    rows *r = p;
    r->sink += r->k.exp_sum(r->a, r->b, 1, r->n);
}
static void gelu(void *p)
{
    rows *r = p;
    r->k.gelu(r->a, r->b, r->d, r->n);
}
static void gelu_back(void *p)
{
    rows *r = p;
    r->k.gelu_back(r->a, r->b, r->c, r->n);
}
static void norm(void *p)
{
    rows *r = p;
    r->k.norm(r->a, r->stat, r->b, r->c, r->d, r->n);
}

static void adamw(void *p)
{
    rows *r = p;
    const tdm_adamw_rates o = {
        .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .rate = 1e-9f, .fix1 = 1, .fix2 = 1, .keep = 1, .scale = 1};
    r->k.adamw(r->a, r->c, r->d, r->b, r->n, &o);
}

/* Rows of a vocabulary's length lie in the second cache, an array of 8 million floats nowhere near. */
static void bench_rows(const tdm_kernels *k)
{
    const struct {
        const char *name;
        work_fn *fn;
        double moved;
    } all[] = {
        {"copy", copy, 8},       {"dot", dot, 8},    {"axpy", axpy, 12},           {"max", largest, 4},
        {"exp_sum", exp_sum, 8}, {"gelu", gelu, 16}, {"gelu_back", gelu_back, 12}, {"norm", norm, 16},
        {"adamw", adamw, 28},
    };
    const size_t size[] = {128, 12000, 8 << 20};
    printf("\nGB/s of the %s table (read and written)\n%-10s %12s %12s %12s\n", k->isa, "", "n = 128", "12,000",
           "8,388,608");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        printf("%-10s", all[i].name);
        for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
            rows r = {.k = *k,
                      .n = size[s],
                      .a = drawn(size[s]),
                      .b = drawn(size[s]),
                      .c = drawn(size[s]),
                      .d = drawn(size[s])};
            for (size_t j = 0; j < r.n; j++) r.d[j] *= r.d[j]; /* adamw's second moment; gelu adds it again and again */
            if (all[i].fn == gelu) memset(r.d, 0, r.n * sizeof *r.d);
            printf(" %12.1f", all[i].moved * (double)r.n / best(all[i].fn, &r) / 1e9);
            tdm_free(r.a);
            tdm_free(r.b);
            tdm_free(r.c);
            tdm_free(r.d);
        }
        printf("\n");
    }
}

/* ---- products ---- */

typedef struct product {
    int ta, tb;
    size_t M, N, K;
    const char *what;
    float *a, *b, *c;
} product;

static void multiply(void *ctx)
{
    product *p = ctx;
    tdm_gemm(p->ta, p->tb, p->M, p->N, p->K, 1, p->a, p->ta ? p->M : p->K, p->b, p->tb ? p->K : p->N, 0, p->c, p->N);
}

/* Returns the GFLOP/s of the 1024^3 on one thread. */
static double bench_products(void)
{
    product all[] = {
        {.M = 1024, .N = 1024, .K = 1024, .what = "the ceiling"},
        {.tb = 1, .M = 128, .N = 12000, .K = 128, .what = "logits of a tile"},
        {.M = 128, .N = 128, .K = 12000, .what = "gradient of its states"},
        {.ta = 1, .M = 512, .N = 128, .K = 1024, .what = "gradient of 512 items"},
        {.M = 128, .N = 384, .K = 128, .what = "queries, keys, values"},
        {.M = 128, .N = 512, .K = 128, .what = "wide layer"},
        {.M = 128, .N = 128, .K = 512, .what = "and back"},
        {.ta = 1, .M = 128, .N = 128, .K = 1024, .what = "gradient of weights"},
        {.tb = 1, .M = 128, .N = 128, .K = 64, .what = "attention, 128 tokens"},
        {.tb = 1, .M = 8, .N = 8, .K = 64, .what = "attention, 8 tokens"},
        {.M = 1, .N = 384, .K = 128, .what = "one token"},
    };
    double ceiling = 0;
    printf("\nGFLOP/s of products on one thread\n");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        product *p = &all[i];
        p->a = drawn(p->M * p->K);
        p->b = drawn(p->K * p->N);
        p->c = drawn(p->M * p->N);
        double rate = 2.0 * (double)(p->M * p->N * p->K) / best(multiply, p) / 1e9;
        if (!i) ceiling = rate;
        printf("%5zu x %5zu x %5zu %s%s %8.1f  %3.0f %%  %s\n", p->M, p->N, p->K, p->ta ? "T" : "N", p->tb ? "T" : "N",
               rate, 100 * rate / ceiling, p->what);
        tdm_free(p->a);
        tdm_free(p->b);
        tdm_free(p->c);
    }
    return ceiling;
}

/* ---- inverses ---- */

typedef struct inverting {
    float *A;
    size_t n;
    tdm_run *run;
} inverting;

/* The inverse of the inverse is the matrix again: nothing need be put back between calls. */
static void invert(void *ctx)
{
    inverting *x = ctx;
    tdm_err err;
    if (tdm_spd_invert(x->A, x->n, x->run, "bench", &err)) fail(err.msg);
}

static void bench_inverses(tdm_run *run, double ceiling)
{
    const size_t size[] = {1000, 4000};
    size_t threads = tdm_pool_threads(run->pool);
    printf("\nGFLOP/s of inverses of symmetric matrices, n^3 operations\n");
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        inverting x = {.n = size[i], .run = run, .A = drawn(size[i] * size[i])};
        for (size_t r = 0; r < x.n; r++) x.A[r * x.n + r] += (float)x.n;
        double seconds = best(invert, &x), rate = (double)x.n * (double)x.n * (double)x.n / seconds / 1e9;
        printf("%5zu x %5zu %18.1f  %3.0f %% of %zu x the ceiling, %.2f s\n", x.n, x.n, rate,
               100 * rate / (ceiling * (double)threads), threads, seconds);
        tdm_free(x.A);
    }
}

/* ---- a training step ---- */

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
    if (tdm_gpt2_trainer_step(t->trainer, &loss, &t->batch, ++t->step, &err)) fail(err.msg);
    tdm_adamw_step(t->adam, 1e-4f, t->step, t->run->pool);
}

/* Sequences of `least` to `most` tokens, skewed to the short ones as histories are. */
static void bench_step(const char *name, tdm_gpt2_shape s, size_t tokens, size_t least, size_t most, float dropout,
                       tdm_run *run, double ceiling)
{
    tdm_err err;
    training t = {.run = run};
    tdm_gpt2 *g;
    tdm_adamw_group group[TDM_GPT2_GROUPS];
    uint32_t *token = tdm_new(tokens, sizeof *token), *start = tdm_new(tokens + 1, sizeof *start);
    uint32_t *target = tdm_new(tokens, sizeof *target);
    if (!token || !start || !target) fail("not enough memory");
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
    if (tdm_gpt2_open(&g, s, &err) || tdm_gpt2_trainer_open(&t.trainer, g, tokens, dropout, run, &err)) fail(err.msg);
    tdm_gpt2_init(g, 5);
    tdm_gpt2_tensors grad = tdm_gpt2_trainer_grad(t.trainer);
    size_t groups = tdm_gpt2_groups(group, g, &grad, 0.01f);
    if (tdm_adamw_open(&t.adam, group, groups, (tdm_adamw_options){0.9f, 0.98f, 1e-9f, 1}, &err)) fail(err.msg);
    double seconds = best(step, &t), flops = 0;
    /* products only: forward once, backward twice; attention's are left out */
    flops = 6.0 * (double)tokens * (double)s.C * ((double)s.V + 12.0 * (double)(s.C * s.L));
    size_t threads = tdm_pool_threads(run->pool);
    printf("%-28s %9.0f tokens/s %8.2f ms %8.1f GFLOP/s  %3.0f %% of %zu x the ceiling\n", name,
           (double)tokens / seconds, seconds * 1e3, flops / seconds / 1e9,
           100 * flops / seconds / 1e9 / (ceiling * (double)threads), threads);
    tdm_adamw_close(t.adam);
    tdm_gpt2_trainer_close(t.trainer);
    tdm_gpt2_close(g);
    tdm_free(token);
    tdm_free(start);
    tdm_free(target);
}

int main(int argc, char **argv)
{
    tdm_err err;
    tdm_run *run;
    tdm_kernels k = *tdm_kernels_best();
    if (argc > 2)
        tdm_kernels_init(&k, !strcmp(argv[2], "avx2") ? TDM_CPU_AVX2
                             : !strcmp(argv[2], "c")  ? 0
                                                      : TDM_CPU_AVX2 | TDM_CPU_AVX512);
    if (tdm_run_open(&run, &(tdm_run_options){.threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, .seed = 1}, &err))
        fail(err.msg);
    double ceiling = bench_products();
    bench_inverses(run, ceiling);
    bench_rows(&k);
    printf("\ntraining steps, with AdamW\n");
    bench_step("items, V 12,000 C 128 L 1", (tdm_gpt2_shape){12000, 51, 128, 1, 2}, 2048, 2, 50, 0.4f, run, ceiling);
    bench_step("items, V 18,000 C 128 L 1", (tdm_gpt2_shape){18000, 51, 128, 1, 2}, 1024, 2, 50, 0.4f, run, ceiling);
    bench_step("words, V 4,000 C 128 L 2", (tdm_gpt2_shape){4000, 256, 128, 2, 4}, 2048, 60, 256, 0.1f, run, ceiling);
    bench_step("words, V 8,000 C 256 L 4", (tdm_gpt2_shape){8000, 256, 256, 4, 4}, 2048, 128, 256, 0.1f, run, ceiling);
    tdm_run_close(run);
    return 0;
}
