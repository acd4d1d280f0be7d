/* SPDX-License-Identifier: Apache-2.0 */
/* measure.h - how bench_kernels measures: the best of some rounds, beside what bounds it.
 *
 * What bounds a kernel is the roofline of Williams, Waterman and Patterson (2009): no call is shorter than its
 * operations / (operations a second), its quotients and roots / (quotients a second), or its bytes / (bytes a second)
 * of where the numbers lie. The longest of the three is its bound; its share of the ceiling is that time by what it
 * took. */
#ifndef TDM_BENCH_MEASURE_H
#define TDM_BENCH_MEASURE_H

#include "kernels/kernels.h"

#include <stddef.h>

/* Where numbers lie: the first cache, the second, the memory. */
enum { BENCH_NEAR, BENCH_MIDDLE, BENCH_FAR, BENCH_LEVELS };
extern const size_t bench_floats[BENCH_LEVELS]; /* of an array that lies there */

/* What one thread reaches with one instruction set, a second. A copy counts what moves: beyond the first cache, what is
 * overwritten is fetched before. */
typedef struct bench_ceilings {
    double flops, quotients, read[BENCH_LEVELS], copy[BENCH_LEVELS];
} bench_ceilings;

enum { BENCH_TABLES = 4 };
typedef struct bench_tables { /* those of this machine, the plain one first */
    size_t n;
    tdm_kernels k[BENCH_TABLES];
    bench_ceilings c[BENCH_TABLES];
} bench_tables;

/* Only the table of that name where `isa` is not NULL. */
bench_tables bench_tables_here(const char *isa);

typedef void bench_fn(void *ctx);

/* Seconds of one call, the best of some rounds: the machine's other work only ever makes one slower. The first counts
 * the processor time of this thread, the second the clock, for what runs on many. */
double bench_best(bench_fn *fn, void *ctx);
double bench_best_clock(bench_fn *fn, void *ctx);

/* What one call costs by its formula. */
typedef struct bench_work {
    double flops, quotients;
    double read, written, fresh; /* bytes; fresh: of what is written, the part that is not read before */
    int level;                   /* where the bytes lie */
} bench_work;

/* One line: for each table the rate, in GFLOP/s or GB/s, and its share of the ceiling; and which ceiling it is.
 * `slot` is the table that fn calls. */
void bench_head(const char *title, const bench_tables *t);
void bench_line(const char *name, const bench_tables *t, bool in_flops, bench_work w, bench_fn *fn, void *ctx,
                tdm_kernels *slot);

float *bench_drawn(size_t n); /* from -1/2 to 1/2; n floats that tdm_free takes back */
_Noreturn void bench_stop(const char *what);

/* The parts: ceilings.c, rows.c, small.c, products.c, steps.c. */
struct tdm_run;
bench_ceilings bench_ceilings_of(const char *isa);
void bench_memory(struct tdm_run *one, struct tdm_run *many, const tdm_kernels *k);
void bench_rows(const bench_tables *t);
void bench_small(const bench_tables *t, size_t K);
double bench_products(const bench_tables *t); /* the operations a second of 1024^3 */
void bench_choices(const bench_tables *t);
void bench_inverses(struct tdm_run *run, double gemm);
void bench_steps(struct tdm_run *run, double gemm);

#endif
