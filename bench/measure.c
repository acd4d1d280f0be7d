/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const size_t bench_floats[BENCH_LEVELS] = {2000, 12000, 64 << 20};

void bench_stop(const char *what)
{
    fprintf(stderr, "bench_kernels: %s\n", what);
    exit(1);
}

float *bench_drawn(size_t n)
{
    float *x = tdm_new(n, sizeof *x);
    tdm_rng r = tdm_rng_make(1, 2, n);
    if (!x) bench_stop("not enough memory");
    for (size_t i = 0; i < n; i++) x[i] = (float)tdm_rng_unit(&r) - 0.5f;
    return x;
}

bench_tables bench_tables_here(const char *isa)
{
    const unsigned ask[] = {0, TDM_CPU_AVX2, TDM_CPU_AVX2 | TDM_CPU_AVX512, TDM_CPU_NEON};
    bench_tables t = {0};
    for (size_t i = 0; i < sizeof ask / sizeof *ask; i++) {
        if ((ask[i] & tdm_cpu_features()) != ask[i]) continue;
        tdm_kernels_init(&t.k[t.n], ask[i]);
        if (isa && strcmp(isa, t.k[t.n].isa)) continue;
        t.c[t.n] = bench_ceilings_of(t.k[t.n].isa);
        t.n++;
    }
    if (!t.n) bench_stop("this machine has no such table; c, avx2, avx512 and neon are the names");
    return t;
}

static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A round is as many calls as take 10 ms together; a call that takes long has fewer rounds. */
static double best_by(double clock(void), bench_fn *fn, void *ctx)
{
    enum { ROUNDS = 7 };
    double least = 1e9, once;
    fn(ctx);
    once = clock();
    fn(ctx);
    once = clock() - once;
    size_t calls = once > 0.01 ? 1 : (size_t)(0.01 / (once + 1e-7)) + 1;
    int rounds = once > 0.1 ? 3 : ROUNDS;
    for (int round = 0; round < rounds; round++) {
        double t = clock();
        for (size_t i = 0; i < calls; i++) fn(ctx);
        t = (clock() - t) / (double)calls;
        if (t < least) least = t;
    }
    return least;
}

double bench_best(bench_fn *fn, void *ctx) { return best_by(thread_seconds, fn, ctx); }
double bench_best_clock(bench_fn *fn, void *ctx) { return best_by(tdm_seconds, fn, ctx); }

void bench_head(const char *title, const bench_tables *t)
{
    printf("\n%-28s", title);
    for (size_t i = 0; i < t->n; i++) printf("%15s", t->k[i].isa);
    printf("   bound by\n");
}

void bench_line(const char *name, const bench_tables *t, bool in_flops, bench_work w, bench_fn *fn, void *ctx,
                tdm_kernels *slot)
{
    static const char *const where[] = {"1st cache", "2nd cache", "memory"};
    const char *by = "";
    printf("%-28s", name);
    for (size_t i = 0; i < t->n; i++) {
        const bench_ceilings *c = &t->c[i];
        *slot = t->k[i];
        double seconds = bench_best(fn, ctx), bytes = w.read + w.written;
        double operating = w.flops / c->flops, dividing = w.quotients / c->quotients;
        double computing = fmax(operating, dividing);
        double moved = bytes + (w.level == BENCH_NEAR ? 0 : w.fresh);
        double moving = moved / (w.written > 0 ? c->copy : c->read)[w.level];
        by = computing < moving ? where[w.level] : operating < dividing ? "quotients" : "arithmetic";
        printf("%9.1f %3.0f %%", (in_flops ? w.flops : bytes) / seconds / 1e9,
               100 * (computing > moving ? computing : moving) / seconds);
    }
    printf("   %s\n", by);
}
