/* SPDX-License-Identifier: Apache-2.0 */
/* products.c - matrix products at the shapes that models have, inverses, eigenvectors, and the choice of the best. */
#include "measure.h"

#include "base/mem.h"
#include "base/run.h"
#include "kernels/gemm.h"
#include "kernels/small_spd.h"
#include "kernels/spd.h"
#include "model/topk.h"

#include <stdio.h>
#include <string.h>

typedef struct product {
    int ta, tb;
    size_t M, N, K;
    const char *what;
    float *a, *b, *c;
    tdm_gemm_fn *gemm;
} product;

static void multiply(void *ctx)
{
    product *p = ctx;
    p->gemm(p->ta, p->tb, p->M, p->N, p->K, 1, p->a, p->ta ? p->M : p->K, p->b, p->tb ? p->K : p->N, 0, p->c, p->N);
}

/* All ways to a product; `cpu`: what it needs. */
static const struct {
    const char *name;
    tdm_gemm_fn *gemm;
    unsigned cpu;
} ways[] = {
    {"chosen", tdm_gemm, 0},
    {"oneDNN", tdm_gemm_onednn, 0},
#if defined __x86_64__
    {"avx512", tdm_gemm_avx512, TDM_CPU_AVX512},
#endif
    {"bf16", tdm_gemm_bf16, 0},
#if defined __x86_64__
    {"rounded", tdm_gemm_avx512_rounded, TDM_CPU_AVX512},
    {"pairs", tdm_gemm_avx512_pairs, TDM_CPU_BF16},
#endif
};
enum { WAYS = sizeof ways / sizeof *ways };

double bench_products(const bench_tables *t)
{
    product all[] = {
        {.M = 1024, .N = 1024, .K = 1024, .what = "the longest"},
        {.tb = 1, .M = 64, .N = 27000, .K = 64, .what = "scores of 64 people, 64 factors"},
        {.tb = 1, .M = 64, .N = 27000, .K = 128, .what = "scores of 64 people, 128 factors"},
        {.tb = 1, .M = 64, .N = 2048, .K = 128, .what = "a tile of them"},
        {.tb = 1, .M = 1, .N = 27000, .K = 128, .what = "scores of one person"},
        {.ta = 1, .M = 128, .N = 128, .K = 27000, .what = "Y'Y of a catalogue"},
        {.tb = 1, .M = 128, .N = 256, .K = 128, .what = "logits of a tile, 256 items"},
        {.M = 128, .N = 128, .K = 256, .what = "gradient of its states"},
        {.ta = 1, .M = 256, .N = 128, .K = 1024, .what = "gradient of 256 items"},
        {.M = 128, .N = 384, .K = 128, .what = "queries, keys, values"},
        {.M = 128, .N = 512, .K = 128, .what = "wide layer"},
        {.M = 128, .N = 128, .K = 512, .what = "and back"},
        {.ta = 1, .M = 128, .N = 128, .K = 1024, .what = "gradient of weights"},
        {.M = 128, .N = 3072, .K = 768, .what = "wide layer of GPT-2"},
        {.tb = 1, .M = 128, .N = 768, .K = 3072, .what = "what flows back through it"},
        {.ta = 1, .M = 768, .N = 128, .K = 256, .what = "128 columns of its gradient"},
        {.tb = 1, .M = 64, .N = 64, .K = 64, .what = "attention, 64 tokens"},
        {.M = 64, .N = 64, .K = 64, .what = "what it gathers"},
        {.tb = 1, .M = 8, .N = 8, .K = 64, .what = "attention, 8 tokens"},
        {.M = 8, .N = 64, .K = 8, .what = "what it gathers"},
        {.M = 1, .N = 384, .K = 128, .what = "one token"},
    };
    double first = 0;
    printf("\nproducts on one thread, GFLOP/s; %s can do %.0f; bf16 is %s\n%24s", t->k[t->n - 1].isa,
           t->c[t->n - 1].flops / 1e9, tdm_gemm_bf16_name(), "");
    for (size_t w = 0; w < WAYS; w++) printf(" %8s", ways[w].name);
    printf("\n");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        product *p = &all[i];
        p->a = bench_drawn(p->M * p->K);
        p->b = bench_drawn(p->K * p->N);
        p->c = bench_drawn(p->M * p->N);
        printf("%5zu x %5zu x %5zu %s%s", p->M, p->N, p->K, p->ta ? "T" : "N", p->tb ? "T" : "N");
        for (size_t w = 0; w < WAYS; w++) {
            if ((ways[w].cpu & tdm_cpu_features()) != ways[w].cpu) {
                printf(" %8s", "");
                continue;
            }
            p->gemm = ways[w].gemm;
            double rate = 2.0 * (double)(p->M * p->N * p->K) / bench_best(multiply, p);
            if (!i && !w) first = rate;
            printf(" %8.1f", rate / 1e9);
        }
        printf("  %s\n", p->what);
        tdm_free(p->a);
        tdm_free(p->b);
        tdm_free(p->c);
    }
    return first;
}

/* ---- the best of many, and eigenvectors ---- */

typedef struct choosing {
    float *scores;
    uint32_t items[100];
    size_t n, k, got;
} choosing;

static void choose(void *ctx)
{
    choosing *c = ctx;
    c->got += tdm_topk(c->items, NULL, c->scores, c->n, c->k);
}

typedef struct turning {
    double *was, *vectors, values[128], off[128];
    size_t n;
} turning;

static void turn(void *ctx)
{
    turning *x = ctx;
    memcpy(x->vectors, x->was, x->n * x->n * sizeof *x->was);
    if (!tdm_small_eigen(x->values, x->vectors, x->off, x->n)) bench_stop("eigenvectors did not settle");
}

void bench_choices(const bench_tables *t)
{
    choosing c = {.n = 27000, .scores = bench_drawn(27000)};
    double read = t->c[t->n - 1].read[BENCH_MIDDLE];
    printf("\nthe best of 27,000 scores, GB/s, of reading the second cache\n");
    for (c.k = 10; c.k <= 100; c.k *= 10) {
        double rate = (double)c.n * sizeof(float) / bench_best(choose, &c);
        printf("k = %-4zu %30.1f %3.0f %%\n", c.k, rate / 1e9, 100 * rate / read);
    }
    tdm_free(c.scores);
    printf("\neigenvectors in double, GFLOP/s at 9 n^3 operations\n");
    for (size_t n = 64; n <= 128; n *= 2) {
        turning x = {.n = n, .was = tdm_new(n * n, sizeof(double)), .vectors = tdm_new(n * n, sizeof(double))};
        float *drawn = bench_drawn(n * n);
        if (!x.was || !x.vectors) bench_stop("not enough memory");
        for (size_t i = 0; i < n * n; i++) x.was[i] = (double)drawn[i];
        double seconds = bench_best(turn, &x);
        printf("n = %-4zu %30.1f %8.2f ms\n", n, 9.0 * (double)(n * n * n) / seconds / 1e9, 1e3 * seconds);
        tdm_free(x.was);
        tdm_free(x.vectors);
        tdm_free(drawn);
    }
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
    if (tdm_spd_invert(x->A, x->n, x->run, "bench", &err)) bench_stop(err.msg);
}

void bench_inverses(tdm_run *run, double gemm)
{
    const size_t size[] = {1000, 4000};
    size_t threads = tdm_pool_threads(run->pool);
    printf("\ninverses of symmetric matrices, GFLOP/s at n^3 operations, by the clock\n");
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        inverting x = {.n = size[i], .run = run, .A = bench_drawn(size[i] * size[i])};
        for (size_t r = 0; r < x.n; r++) x.A[r * x.n + r] += (float)x.n;
        double seconds = bench_best_clock(invert, &x), rate = (double)(x.n * x.n * x.n) / seconds;
        printf("%5zu x %5zu %26.1f %3.0f %% of %zu x 1024^3, %.2f s\n", x.n, x.n, rate / 1e9,
               100 * rate / (gemm * (double)threads), threads, seconds);
        tdm_free(x.A);
    }
}
