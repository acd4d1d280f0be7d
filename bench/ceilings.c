/* SPDX-License-Identifier: Apache-2.0 */
/* ceilings.c - what the machine can do at most: multiplications with additions from registers, quotients,
 * bytes from each place.
 */
#include "measure.h"

#include "base/mem.h"
#include "base/run.h"

#include <stdio.h>
#include <string.h>

enum { COMPUTED = 100000 };

typedef struct ceiling {
    float *a, *b;
    size_t n; /* bytes */
    double flops;
    float sink;
} ceiling;

typedef struct ways {
    const char *isa;
    bench_fn *compute, *divide, *read, *copy;
} ways;

#ifdef __x86_64__
#include <immintrin.h>
#define VEC __m128 /* what a C compiler may use on every x86-64: no FMA */
#define FMA(a, b, c) ((a) * (b) + (c))
#define ALL(f) _mm_set1_ps(f)
#define SUMS 12
#define TARGET
#define NAME(x) x##_c
#include "ceilings.inc"
#define VEC __m256
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define ALL(f) _mm256_set1_ps(f)
#define SUMS 12
#define TARGET __attribute__((target("avx2,fma")))
#define NAME(x) x##_avx2
#include "ceilings.inc"
#define VEC __m512
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define ALL(f) _mm512_set1_ps(f)
#define SUMS 12
#define TARGET __attribute__((target("avx512f")))
#define NAME(x) x##_avx512
#include "ceilings.inc"
static const ways all[] = {{"c", compute_c, divide_c, read_c, copy_c},
                           {"avx2", compute_avx2, divide_avx2, read_avx2, copy_avx2},
                           {"avx512", compute_avx512, divide_avx512, read_avx512, copy_avx512}};
#elif defined(__aarch64__)
#include <arm_neon.h>
#define VEC float32x4_t
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#define ALL(f) vdupq_n_f32(f)
#define SUMS 24
#define TARGET
#define NAME(x) x##_neon
#include "ceilings.inc"
static const ways all[] = {{"c", compute_neon, divide_neon, read_neon, copy_neon},
                           {"neon", compute_neon, divide_neon, read_neon, copy_neon}};
#else
#define VEC float __attribute__((vector_size(16), may_alias))
#define FMA(a, b, c) ((a) * (b) + (c))
#define ALL(f) ((VEC){f, f, f, f})
#define SUMS 8
#define TARGET
#define NAME(x) x##_c
#include "ceilings.inc"
static const ways all[] = {{"c", compute_c, divide_c, read_c, copy_c}};
#endif

bench_ceilings bench_ceilings_of(const char *isa)
{
    bench_ceilings out = {0};
    const ways *w = all;
    while (strcmp(w->isa, isa)) w++;
    for (int level = 0; level < BENCH_LEVELS; level++) {
        size_t n = bench_floats[level];
        ceiling c = {.a = bench_drawn(n), .b = bench_drawn(n), .n = n * sizeof(float)};
        out.read[level] = (double)c.n / bench_best(w->read, &c);
        out.copy[level] = (level == BENCH_NEAR ? 2 : 3) * (double)c.n / bench_best(w->copy, &c);
        if (level == BENCH_NEAR) {
            double seconds = bench_best(w->compute, &c);
            out.flops = c.flops / seconds;
            seconds = bench_best(w->divide, &c);
            out.quotients = c.flops / seconds;
        }
        tdm_free(c.a);
        tdm_free(c.b);
    }
    return out;
}

/* ---- memory, by one thread and by all ---- */

typedef struct memory {
    float *a, *b;
    tdm_pool *pool;
    const tdm_kernels *k;
} memory;

enum { PIECE = 1 << 20 };

static void read_piece(void *ctx, size_t chunk, size_t begin, size_t end)
{
    memory *m = ctx;
    (void)chunk;
    m->b[begin] = m->k->sum(m->a + begin, end - begin);
}

static void write_piece(void *ctx, size_t chunk, size_t begin, size_t end)
{
    memory *m = ctx;
    (void)chunk;
    memset(m->a + begin, 0, (end - begin) * sizeof(float));
}

static void copy_piece(void *ctx, size_t chunk, size_t begin, size_t end)
{
    memory *m = ctx;
    (void)chunk;
    memcpy(m->b + begin, m->a + begin, (end - begin) * sizeof(float));
}

static void read_all(void *p) { tdm_pool_for(((memory *)p)->pool, bench_floats[BENCH_FAR], PIECE, read_piece, p); }
static void write_all(void *p) { tdm_pool_for(((memory *)p)->pool, bench_floats[BENCH_FAR], PIECE, write_piece, p); }
static void copy_all(void *p) { tdm_pool_for(((memory *)p)->pool, bench_floats[BENCH_FAR], PIECE, copy_piece, p); }

void bench_memory(tdm_run *one, tdm_run *many, const tdm_kernels *k)
{
    double bytes = (double)bench_floats[BENCH_FAR] * sizeof(float);
    memory m = {.a = bench_drawn(bench_floats[BENCH_FAR]), .b = bench_drawn(bench_floats[BENCH_FAR]), .k = k};
    printf("\nmemory, GB/s                      read          write   read and write\n");
    for (int i = 0; i < 2; i++) {
        m.pool = (i ? many : one)->pool;
        printf("%2zu thread%s %24.1f%15.1f%17.1f\n", tdm_pool_threads(m.pool), i ? "s" : " ",
               bytes / bench_best_clock(read_all, &m) / 1e9, bytes / bench_best_clock(write_all, &m) / 1e9,
               2 * bytes / bench_best_clock(copy_all, &m) / 1e9);
    }
    tdm_free(m.a);
    tdm_free(m.b);
}
