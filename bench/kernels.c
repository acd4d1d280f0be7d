/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - how fast the kernels and a training step are, beside what the machine can do, measured in the same run.
 *
 *     bench_kernels [threads [table]]      threads of what runs on many (default: all); table: c, avx2, avx512, neon
 *
 * Each table that the machine can run has its column, with its own ceilings. What runs on one thread is timed by that
 * thread's processor time, so other work on the machine matters little; on an idle machine figures are still better,
 * since memory and the upper caches are shared. */
#include "measure.h"

#include "base/run.h"

#include <stdio.h>
#include <stdlib.h>

static void print_ceilings(const bench_tables *t)
{
    static const char *const where[] = {"1st cache", "2nd cache", "memory"};
    printf("%-28s", "one thread can do at most");
    for (size_t i = 0; i < t->n; i++) printf("%15s", t->k[i].isa);
    printf("\n%-28s", "arithmetic, GFLOP/s");
    for (size_t i = 0; i < t->n; i++) printf("%15.1f", t->c[i].flops / 1e9);
    printf("\n%-28s", "quotients, billions/s");
    for (size_t i = 0; i < t->n; i++) printf("%15.1f", t->c[i].quotients / 1e9);
    for (int level = 0; level < BENCH_LEVELS; level++) {
        printf("\nread, %-9s, GB/s       ", where[level]);
        for (size_t i = 0; i < t->n; i++) printf("%15.1f", t->c[i].read[level] / 1e9);
        printf("\ncopy, %-9s, GB/s       ", where[level]);
        for (size_t i = 0; i < t->n; i++) printf("%15.1f", t->c[i].copy[level] / 1e9);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    tdm_err err;
    tdm_run *one, *many;
    size_t threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (tdm_run_open(&one, &(tdm_run_options){.threads = 1, .seed = 1}, &err) ||
        tdm_run_open(&many, &(tdm_run_options){.threads = threads, .seed = 1}, &err))
        bench_stop(err.msg);
    bench_tables t = bench_tables_here(argc > 2 ? argv[2] : NULL);
    print_ceilings(&t);
    bench_memory(one, many, &t.k[t.n - 1]);
    double gemm = bench_products(&t);
    bench_small(&t, 64);
    bench_small(&t, 128);
    bench_rows(&t);
    bench_choices(&t);
    bench_inverses(many, gemm);
    bench_steps(many, gemm);
    tdm_run_close(one);
    tdm_run_close(many);
    return 0;
}
