/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/significance.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* ---- bootstrap ---- */

enum { RESAMPLES = 8, DRAWS = 512 }; /* to a chunk of the pool */

typedef struct boot {
    double *sums;
    const double *x;
    size_t P, M;
    uint64_t seed;
    atomic_bool failed;
} boot;

/* A chunk walks the table once for all its resamples, so that a row is read from memory once and used eight times. */
static void boot_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    boot *b = ctx;
    size_t n = end - begin;
    uint32_t *drawn = tdm_new(b->P * sizeof *drawn, RESAMPLES); /* P x RESAMPLES: how often */
    (void)chunk;
    if (!drawn) {
        atomic_store(&b->failed, true);
        return;
    }
    for (size_t r = 0; r < n; r++) {
        tdm_rng rng = tdm_rng_make(b->seed, 0xb007, begin + r);
        for (size_t i = 0; i < b->P; i++) drawn[tdm_rng_below(&rng, b->P) * RESAMPLES + r]++;
    }
    for (size_t i = 0; i < b->P; i++) {
        const double *row = b->x + i * b->M;
        for (size_t r = 0; r < n; r++) {
            double w = drawn[i * RESAMPLES + r], *sum = b->sums + (begin + r) * b->M;
            for (size_t m = 0; w != 0 && m < b->M; m++) sum[m] += w * row[m];
        }
    }
    tdm_free(drawn);
}

tdm_status tdm_bootstrap(double *sums, const double *x, size_t P, size_t M, size_t R, uint64_t seed, tdm_pool *pool,
                         tdm_err *err)
{
    boot b = {.sums = sums, .x = x, .P = P, .M = M, .seed = seed};
    for (size_t i = 0; i < R * M; i++) sums[i] = 0;
    if (P) tdm_pool_for(pool, R, RESAMPLES, boot_chunk, &b);
    return atomic_load(&b.failed) ? tdm_nomem(err, "the resamples") : TDM_OK;
}

static int upwards(const void *x, const void *y)
{
    const double *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

static double point(const double *v, size_t n, double share)
{
    double at = share * (double)(n - 1);
    size_t i = (size_t)at;
    return i + 1 < n ? v[i] + (at - (double)i) * (v[i + 1] - v[i]) : v[n - 1];
}

void tdm_interval(double *low, double *high, double *values, size_t n)
{
    *low = *high = NAN;
    for (size_t i = 0; i < n; i++)
        if (isnan(values[i])) return;
    qsort(values, n, sizeof *values, upwards);
    *low = point(values, n, 0.025);
    *high = point(values, n, 0.975);
}

/* ---- paired test ----
 *
 * Eight people make a table of the 256 sums that their signs can give; a draw is then one look-up for each eight
 * people, and one random word serves 64. People without a difference change nothing and are left out before. */

typedef struct flips {
    const double *table; /* groups x 256 */
    size_t groups;
    double observed; /* |sum|, less what rounding may take */
    uint64_t seed;
    size_t *beyond; /* a chunk each */
} flips;

static void flip_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    flips *f = ctx;
    double sum[DRAWS] = {0};
    tdm_rng rng = tdm_rng_make(f->seed, 0xf11b, chunk);
    for (size_t g = 0; g < f->groups; g += 8)
        for (size_t r = 0; r < end - begin; r++) {
            uint64_t word = tdm_rng_u64(&rng);
            for (size_t i = g; i < g + 8 && i < f->groups; i++, word >>= 8) sum[r] += f->table[i * 256 + (word & 255)];
        }
    for (size_t r = 0; r < end - begin; r++) f->beyond[chunk] += fabs(sum[r]) >= f->observed;
}

tdm_status tdm_paired_test(double *p, const double *d, size_t P, size_t draws, uint64_t seed, tdm_pool *pool,
                           tdm_err *err)
{
    size_t n = 0, chunks = tdm_chunks(draws, DRAWS);
    double sum = 0, mass = 0;
    *p = 1;
    for (size_t i = 0; i < P; i++) n += d[i] != 0;
    if (!n) return TDM_OK;
    size_t groups = (n + 7) / 8;
    double *table = tdm_new(groups, 256 * sizeof *table), *some = tdm_new(groups, 8 * sizeof *some);
    size_t *beyond = tdm_new(chunks, sizeof *beyond), total = 0;
    if (table && some && beyond) {
        for (size_t i = 0, at = 0; i < P; i++) {
            sum += d[i];
            mass += fabs(d[i]);
            if (d[i] != 0) some[at++] = d[i]; /* the last group is filled up with zeros */
        }
        for (size_t g = 0; g < groups; g++)
            for (size_t signs = 0; signs < 256; signs++)
                for (size_t i = 0; i < 8; i++)
                    table[g * 256 + signs] += signs >> i & 1 ? some[g * 8 + i] : -some[g * 8 + i];
        /* A draw that equals the observed sum but for rounding counts as equal: the error is on the careful side. */
        flips f = {table, groups, fabs(sum) - 1e-12 * mass, seed, beyond};
        tdm_pool_for(pool, draws, DRAWS, flip_chunk, &f);
        for (size_t c = 0; c < chunks; c++) total += beyond[c];
        *p = (1 + (double)total) / (1 + (double)draws);
    }
    bool short_of_memory = !table || !some || !beyond;
    tdm_free(table);
    tdm_free(some);
    tdm_free(beyond);
    return short_of_memory ? tdm_nomem(err, "the paired test") : TDM_OK;
}

/* ---- Holm ---- */

void tdm_holm(double *p, size_t m)
{
    /* Tables are small: the next smallest is looked for each time. A corrected value waits with its sign bit set. */
    double least = 0;
    for (size_t step = 0; step < m; step++) {
        size_t best = m;
        for (size_t i = 0; i < m; i++)
            if (!signbit(p[i]) && (best == m || p[i] < p[best])) best = i;
        double corrected = p[best] * (double)(m - step);
        if (corrected > 1) corrected = 1;
        if (corrected > least) least = corrected;
        p[best] = -least;
    }
    for (size_t i = 0; i < m; i++) p[i] = fabs(p[i]);
}
