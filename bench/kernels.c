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
#include "kernels/small_spd.h"

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

/* ---- small systems over gathered rows ---- */

typedef struct small {
    tdm_small_spd s;
    size_t n; /* rows of a list */
    const uint32_t *at;
    float *a, *x, *A, *B, *X;
    uint32_t turn; /* lists follow one another through `at`, so that rows are not always the same */
} small;

enum { POOL = 30000, LISTS = 100000 }; /* rows to gather from; numbers of rows drawn */

static const uint32_t *next_list(small *m)
{
    m->turn = (uint32_t)((m->turn + m->n) % (LISTS - 4096));
    return m->at + m->turn;
}
static void small_gather(void *p)
{
    small *m = p;
    m->s.k->gather(m->X, m->s.Y, m->s.K, next_list(m), NULL, m->n);
}
static void small_across(void *p)
{
    small *m = p;
    m->s.k->gather_across(m->X, tdm_padded(m->n), m->s.Y, m->s.K, next_list(m), m->a, m->s.d, m->n);
}
static void small_gram(void *p)
{
    small *m = p;
    m->s.k->gram(m->A, m->s.K, m->X, m->s.K, m->n, m->s.K, 1);
}
static void small_pull(void *p)
{
    small *m = p;
    m->s.k->pull(m->x, m->X, m->s.K, m->a, NULL, m->x, m->n);
}
static void small_factor(void *p)
{
    small *m = p;
    memcpy(m->A, m->B, m->n * m->s.K * sizeof *m->A);
    if (!m->s.k->spd_factor(m->A, m->s.K, m->n)) fail("not positive definite");
}
static void small_solve(void *p)
{
    small *m = p;
    memcpy(m->x + m->s.K, m->a, m->n * sizeof *m->x);
    m->s.k->spd_solve(m->x, m->x + m->s.K, m->A, m->s.K, m->n);
}
static void small_whole(void *p)
{
    small *m = p;
    double fit;
    if (!tdm_small_spd_solve(&m->s, m->x, &fit, next_list(m), m->a, NULL, m->n)) fail("lost to rounding");
}
static void small_descend(void *p)
{
    small *m = p;
    double fit;
    memset(m->x, 0, m->s.K * sizeof *m->x);
    tdm_small_spd_descend(&m->s, m->x, &fit, next_list(m), m->a, NULL, m->n, 3);
}

/* What each costs by its formula; the whole solves count the smaller of their two spaces. */
static void bench_small(const tdm_kernels *k, size_t K, double ceiling)
{
    const size_t list[] = {20, 72, 400};
    float *Y = drawn(POOL * K), *d = drawn(K), *a = drawn(4096), *scratch = drawn(tdm_small_spd_scratch(K));
    uint32_t *at = tdm_new(LISTS, sizeof *at);
    if (!at) fail("not enough memory");
    tdm_rng r = tdm_rng_make(1, 2, 3);
    for (size_t i = 0; i < LISTS; i++) at[i] = (uint32_t)tdm_rng_below(&r, POOL);
    for (size_t i = 0; i < K; i++) d[i] = 1 + d[i] * d[i];
    for (size_t i = 0; i < 4096; i++) a[i] = 1 + a[i] * a[i];
    printf("\nGFLOP/s of small systems, rows of %zu, %s table (%% of the ceiling)\n%-14s", K, k->isa, "");
    for (size_t j = 0; j < 3; j++) printf("         n = %4zu", list[j]);
    const struct {
        const char *name;
        work_fn *fn;
        int cost;
    } all[] = {{"gather, GB/s", small_gather, 0}, {"across, GB/s", small_across, 0},   {"gram", small_gram, 1},
               {"pull", small_pull, 2},           {"factor", small_factor, 3},         {"solve", small_solve, 4},
               {"exact, whole", small_whole, 5},  {"descent, whole", small_descend, 6}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        printf("\n%-14s", all[i].name);
        for (size_t j = 0; j < 3; j++) {
            small m = {.s = {k, Y, K, d, 0.1f, scratch}, .n = list[j], .at = at, .a = a};
            double n = (double)list[j], w = (double)K, s = n < w ? n : w, l = n < w ? w : n;
            if ((all[i].cost == 3 || all[i].cost == 4) && list[j] > K) m.n = K, n = w;
            m.x = drawn(2 * K + 16);
            m.A = drawn(K * K);
            m.B = drawn(K * K);
            m.X = drawn(tdm_padded(list[j]) * K);
            for (size_t e = 0; e < K; e++) m.B[e * K + e] += (float)K;
            if (all[i].cost == 4) small_factor(&m);
            const double cost[] = {8 * n * w, n * w * w, 4 * n * w, n * n * n / 3, 2 * n * n, 0, 16 * n * w};
            double work = all[i].cost == 5 ? s * s * l + s * s * s / 3 : cost[all[i].cost];
            double rate = work / best(all[i].fn, &m) / 1e9;
            printf(" %8.1f", rate);
            if (all[i].cost) printf(" %3.0f %%", 100 * rate / ceiling);
            else printf("      ");
            tdm_free(m.x);
            tdm_free(m.A);
            tdm_free(m.B);
            tdm_free(m.X);
        }
    }
    printf("\n");
    tdm_free(Y);
    tdm_free(d);
    tdm_free(a);
    tdm_free(at);
    tdm_free(scratch);
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
    bench_small(&k, 64, ceiling);
    bench_small(&k, 128, ceiling);
    printf("\ntraining steps, with AdamW\n");
    bench_step("items, V 12,000 C 128 L 1", (tdm_gpt2_shape){12000, 51, 128, 1, 2}, 2048, 2, 50, 0.4f, run, ceiling);
    bench_step("items, V 18,000 C 128 L 1", (tdm_gpt2_shape){18000, 51, 128, 1, 2}, 1024, 2, 50, 0.4f, run, ceiling);
    bench_step("words, V 4,000 C 128 L 2", (tdm_gpt2_shape){4000, 256, 128, 2, 4}, 2048, 60, 256, 0.1f, run, ceiling);
    bench_step("words, V 8,000 C 256 L 4", (tdm_gpt2_shape){8000, 256, 256, 4, 4}, 2048, 128, 256, 0.1f, run, ceiling);
    tdm_run_close(run);
    return 0;
}
