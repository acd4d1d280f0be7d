/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TASTES = 20 };

void bench_fail(const char *name, const char *what)
{
    fprintf(stderr, "%s: %s\n", name, what);
    exit(1);
}

static void *room(size_t n, size_t size)
{
    void *p = tdm_new(n, size);
    if (!p) bench_fail("the made log", "not enough memory");
    return p;
}

/* The rank, of I, whose share of the sum of popularities holds x. */
static size_t drawn(const double *upto, size_t I, double x)
{
    size_t low = 0, high = I - 1;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (upto[mid] > x) high = mid;
        else low = mid + 1;
    }
    return low;
}

/* n choices of person u. `name`: the number of the item of a rank; `last`: who chose the rank last, plus one. */
static void person_make(bench_log *l, size_t u, size_t n, const double *upto, const uint32_t *name, uint32_t *last)
{
    tdm_rng r = tdm_rng_make(7, 2, u);
    const size_t I = l->d.I;
    size_t taste = (size_t)tdm_rng_below(&r, TASTES), tries = 0;
    double lean = tdm_rng_normal(&r), mood = tdm_rng_normal(&r);
    int64_t now = 1000000000 + (int64_t)tdm_rng_below(&r, 300000000);
    for (size_t k = 0; k < n; tries++) {
        size_t i = drawn(upto, I, tdm_rng_unit(&r) * upto[I - 1]);
        bool liked = i % TASTES == taste || tdm_rng_below(&r, 3) == 0;
        if ((!liked || last[i] == u + 1) && tries < 50) continue;
        while (last[i] == u + 1) i = (i + 1) % I; /* a very long history: the next one that is left */
        last[i] = (uint32_t)u + 1;
        double x = 3.5 + 0.5 * mood + lean * sin((double)i) + 0.9 * tdm_rng_normal(&r);
        l->item[l->d.N] = name[i];
        l->time[l->d.N] = now += 3600;
        l->rating[l->d.N++] = (float)fmin(fmax(floor(x + 0.5), 1), 5);
        tries = 0;
        k++;
    }
    l->offset[u + 1] = (int64_t)l->d.N;
}

void bench_log_make(bench_log *l, double millions)
{
    bench_log_make_of(l, millions, (size_t)(BENCH_PEOPLE * millions), BENCH_ITEMS);
}

void bench_log_make_of(bench_log *l, double millions, size_t U, size_t I)
{
    const size_t N = (size_t)(1e6 * millions);
    if (!U || !I) bench_fail("the made log", "there must be people and items");
    double *upto = room(I, sizeof *upto), *length = room(U, sizeof *length), sum = 0;
    uint32_t *last = room(I, sizeof *last), *name = room(I, sizeof *name);
    *l = (bench_log){.offset = room(U + 1, sizeof *l->offset),
                     .time = room(N, sizeof *l->time),
                     .item = room(N, sizeof *l->item),
                     .rating = room(N, sizeof *l->rating),
                     .d.I = I};
    tdm_rng shuffle = tdm_rng_make(7, 0, 0);
    for (size_t i = 0; i < I; i++) { /* items are numbered by a hash, so popular ones lie anywhere */
        size_t j = (size_t)tdm_rng_below(&shuffle, i + 1);
        name[i] = name[j];
        name[j] = (uint32_t)i;
        upto[i] = sum += pow((double)i + 20, -0.9);
    }
    sum = 0;
    for (size_t u = 0; u < U; u++) {
        tdm_rng r = tdm_rng_make(7, 1, u);
        sum += length[u] = fmin(exp(tdm_rng_normal(&r)), 40);
    }
    for (size_t u = 0; u < U; u++) {
        size_t n = (size_t)(length[u] / sum * (double)N + 0.999), left = N - l->d.N;
        n = n > I / 2 ? I / 2 : n;
        person_make(l, u, n > left ? left : n, upto, name, last);
    }
    l->d = (tdm_dataset){.U = U, .I = I, .N = l->d.N, .offset = l->offset, .item = l->item, .rating = l->rating};
    l->d.time = l->time;
    l->d.has_ratings = l->d.has_times = true;
    l->d.rating_low = 1;
    l->d.rating_high = 5;
    tdm_free(upto);
    tdm_free(length);
    tdm_free(last);
    tdm_free(name);
}

void bench_log_clear(bench_log *l)
{
    tdm_free(l->offset);
    tdm_free(l->time);
    tdm_free(l->item);
    tdm_free(l->rating);
}
