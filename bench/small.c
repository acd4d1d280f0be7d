/* SPDX-License-Identifier: Apache-2.0 */
/* small.c - small systems over gathered rows, the inner loops of a factorisation: each kernel, and solves whole. */
#include "measure.h"

#include "base/mem.h"
#include "base/rng.h"
#include "kernels/small_spd.h"

#include <stdio.h>
#include <string.h>

enum { POOL = 27000, LISTS = 100000, LONGEST = 400 }; /* rows to gather from; numbers of rows drawn */

typedef struct small {
    tdm_kernels k;
    tdm_small_spd s;
    size_t n; /* rows of a list */
    const uint32_t *at;
    float *a, *p, *x, *A, *B, *X;
    uint32_t turn; /* lists follow one another through `at`, so that rows are not always the same */
} small;

static const uint32_t *next_list(small *m)
{
    m->turn = (uint32_t)((m->turn + m->n) % (LISTS - LONGEST));
    return m->at + m->turn;
}
static void gather(void *p)
{
    small *m = p;
    m->k.gather(m->X, m->s.Y, m->s.K, next_list(m), NULL, m->n);
}
static void across(void *p)
{
    small *m = p;
    m->k.gather_across(m->X, tdm_padded(m->n), m->s.Y, m->s.K, next_list(m), m->a, m->s.d, m->n);
}
static void gram(void *p)
{
    small *m = p;
    m->k.gram(m->A, m->s.K, m->X, m->s.K, m->n, m->s.K, 1);
}
static void pull(void *p)
{
    small *m = p;
    m->k.pull(m->x, m->X, m->s.K, m->a, NULL, m->p, m->n);
}
static void gather_pull(void *p)
{
    small *m = p;
    m->k.gather_pull(m->X, m->x, m->s.Y, m->s.K, next_list(m), m->a, NULL, m->p, m->n);
}
static void factor(void *p)
{
    small *m = p;
    memcpy(m->A, m->B, m->n * m->s.K * sizeof *m->A);
    if (!m->k.spd_factor(m->A, m->s.K, m->n)) bench_stop("not positive definite");
}
static void solve(void *p)
{
    small *m = p;
    memcpy(m->x + m->s.K, m->a, m->n * sizeof *m->x);
    m->k.spd_solve(m->x, m->x + m->s.K, m->A, m->s.K, m->n);
}
static void whole(void *p)
{
    small *m = p;
    double fit;
    if (!tdm_small_spd_solve(&m->s, m->x, &fit, next_list(m), m->a, NULL, m->n)) bench_stop("lost to rounding");
}
static void descend(void *p)
{
    small *m = p;
    double fit;
    memset(m->x, 0, m->s.K * sizeof *m->x);
    tdm_small_spd_descend(&m->s, m->x, &fit, next_list(m), m->a, NULL, m->n, 3);
}

static void line(const char *name, const bench_tables *t, small *m, bool in_flops, bench_work w, bench_fn *fn)
{
    char full[64];
    snprintf(full, sizeof full, "%-18sn = %3zu", name, m->n);
    bench_line(full, t, in_flops, w, fn, m, &m->k);
}

/* What each costs by its formula; a whole solve counts the smaller of its two spaces. The rows of Y count as memory,
 * since in a fit they are: here the third cache may hold them, and shares above 100 % say that it does. */
void bench_small(const bench_tables *t, size_t K)
{
    char title[64];
    float *Y = bench_drawn(POOL * K), *d = bench_drawn(K), *scratch = bench_drawn(tdm_small_spd_scratch(K));
    uint32_t *at = tdm_new(LISTS, sizeof *at);
    if (!at) bench_stop("not enough memory");
    tdm_rng r = tdm_rng_make(1, 2, 3);
    for (size_t i = 0; i < LISTS; i++) at[i] = (uint32_t)tdm_rng_below(&r, POOL);
    for (size_t i = 0; i < K; i++) d[i] = 1 + d[i] * d[i];
    small m = {.at = at,
               .a = bench_drawn(LONGEST),
               .p = bench_drawn(K),
               .x = bench_drawn(2 * K),
               .A = bench_drawn(K * K),
               .B = bench_drawn(K * K),
               .X = bench_drawn(tdm_padded(LONGEST) * K)};
    m.s = (tdm_small_spd){&m.k, Y, K, d, 0.1f, scratch};
    for (size_t i = 0; i < LONGEST; i++) m.a[i] = 1 + m.a[i] * m.a[i];
    for (size_t i = 0; i < K; i++) m.B[i * K + i] += (float)K;

    const size_t list[] = {20, 72, LONGEST}, order[] = {20, 64, 128};
    double w = (double)K;
    snprintf(title, sizeof title, "GB/s, rows of %zu", K);
    bench_head(title, t);
    for (size_t i = 0; i < 3; i++) {
        double row = 4 * (double)(m.n = list[i]) * w;
        line("gather", t, &m, false, (bench_work){.read = row, .written = row, .level = BENCH_FAR}, gather);
    }
    for (size_t i = 0; i < 2 && list[i] <= K; i++) {
        double row = 4 * (double)(m.n = list[i]) * w;
        line("gather_across", t, &m, false, (bench_work){.read = row, .written = row, .level = BENCH_FAR}, across);
    }
    snprintf(title, sizeof title, "GFLOP/s, rows of %zu", K);
    bench_head(title, t);
    for (size_t i = 0; i < 3; i++) {
        double n = (double)(m.n = list[i]);
        line("gram", t, &m, true, (bench_work){.flops = n * w * w, .read = 4 * n * w, .level = BENCH_MIDDLE}, gram);
    }
    for (size_t i = 0; i < 3; i++) {
        double n = (double)(m.n = list[i]);
        line("pull", t, &m, true,
             (bench_work){.flops = 4 * n * w, .read = 4 * n * w, .level = i ? BENCH_MIDDLE : BENCH_NEAR}, pull);
    }
    for (size_t i = 0; i < 3; i++) {
        double n = (double)(m.n = list[i]);
        line("gather_pull", t, &m, true, (bench_work){.flops = 4 * n * w, .read = 4 * n * w, .level = BENCH_FAR},
             gather_pull);
    }
    for (size_t i = 0; i < 3 && order[i] <= K; i++) { /* with the copy of its matrix, which a fit would have built */
        double n = (double)(m.n = order[i]);
        line("spd_factor", t, &m, true, (bench_work){.flops = n * n * n / 3}, factor);
    }
    for (size_t i = 0; i < 3 && order[i] <= K; i++) {
        double n = (double)(m.n = order[i]);
        m.k = t->k[0];
        factor(&m);
        line("spd_solve", t, &m, true,
             (bench_work){.flops = 2 * n * n, .read = 4 * n * n, .level = n > 64 ? BENCH_MIDDLE : BENCH_NEAR}, solve);
    }
    for (size_t i = 0; i < 3; i++) {
        double n = (double)(m.n = list[i]), s = n < w ? n : w, l = n < w ? w : n;
        line("exact, whole", t, &m, true,
             (bench_work){.flops = s * s * l + s * s * s / 3, .read = 4 * n * w, .level = BENCH_FAR}, whole);
    }
    for (size_t i = 0; i < 3; i++) {
        double n = (double)(m.n = list[i]);
        line("descent, whole", t, &m, true, (bench_work){.flops = 16 * n * w, .read = 4 * n * w, .level = BENCH_FAR},
             descend);
    }
    tdm_free(Y);
    tdm_free(d);
    tdm_free(scratch);
    tdm_free(at);
    tdm_free(m.a);
    tdm_free(m.p);
    tdm_free(m.x);
    tdm_free(m.A);
    tdm_free(m.B);
    tdm_free(m.X);
}
