/* SPDX-License-Identifier: Apache-2.0 */
/* items.c - how long the item-to-item models take to fit on a large log, drawn in memory.
 *
 *     bench_items [threads [people items interactions [model ...]]]
 *
 * Half of MovieLens 20M's size unless told: 138,000 people, 27,000 items, 10 million interactions. Popularity falls as
 * a power of rank, histories are long-tailed and repeat nothing, ratings are 1 to 5. People belong to one of some
 * tastes, which prefer some of the items: with none, every pair would be as likely as chance makes it. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/run.h"
#include "cf/cf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void fail(const char *what)
{
    fprintf(stderr, "bench_items: %s\n", what);
    exit(1);
}

static void *room(size_t n, size_t size)
{
    void *p = tdm_new(n, size);
    if (!p) fail("not enough memory");
    return p;
}

enum { TASTES = 20 };

typedef struct log_made {
    tdm_dataset d;
    int64_t *offset;
    uint32_t *item;
    float *rating;
} log_made;

/* The item whose share of the sum of popularities holds x. */
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

/* `name`: the number of the item of a rank: items are numbered by a hash, so popular ones lie anywhere. */
static void person(log_made *l, size_t u, size_t n, const double *upto, const uint32_t *name, uint32_t *last)
{
    tdm_rng r = tdm_rng_make(17, u, 0);
    size_t taste = (size_t)tdm_rng_below(&r, TASTES), I = l->d.I;
    for (size_t tries = 0; n > 0; tries++) {
        size_t i = drawn(upto, I, tdm_rng_unit(&r) * upto[I - 1]);
        bool liked = i % TASTES == taste || tdm_rng_below(&r, 3) == 0;
        if ((!liked || last[i] == u + 1) && tries < 50) continue;
        if (last[i] == u + 1) { /* a very long history: the next one that is left */
            while (last[i] == u + 1) i = (i + 1) % I;
        }
        last[i] = (uint32_t)u + 1;
        l->item[l->d.N] = name[i];
        l->rating[l->d.N++] = (float)(1 + tdm_rng_below(&r, 5));
        n--;
        tries = 0;
    }
    l->offset[u + 1] = (int64_t)l->d.N;
}

static log_made log_make(size_t U, size_t I, size_t N)
{
    log_made l = {.offset = room(U + 1, sizeof(int64_t)), .item = room(N, sizeof(uint32_t))};
    l.rating = room(N, sizeof(float));
    l.d = (tdm_dataset){.U = U, .I = I, .has_ratings = true, .rating_low = 1, .rating_high = 5};
    double *upto = room(I, sizeof *upto), sum = 0, *length = room(U, sizeof *length);
    uint32_t *last = room(I, sizeof *last), *name = room(I, sizeof *name);
    tdm_rng shuffle = tdm_rng_make(23, 0, 0);
    for (size_t i = 0; i < I; i++) {
        size_t j = (size_t)tdm_rng_below(&shuffle, i + 1);
        name[i] = name[j];
        name[j] = (uint32_t)i;
    }
    for (size_t i = 0; i < I; i++) upto[i] = sum += pow((double)i + 20, -1);
    sum = 0;
    for (size_t u = 0; u < U; u++) {
        tdm_rng r = tdm_rng_make(19, u, 0);
        double x = pow(1 - tdm_rng_unit(&r), -1 / 1.5); /* Pareto: from 1, three on average */
        sum += length[u] = x < 60 ? x : 60;
    }
    for (size_t u = 0; u < U; u++) {
        size_t n = (size_t)(length[u] / sum * (double)N + 0.5), left = N - l.d.N;
        n = n > I / 2 ? I / 2 : n;
        person(&l, u, n > left ? left : n, upto, name, last);
    }
    l.d.offset = l.offset;
    l.d.item = l.item;
    l.d.rating = l.rating;
    tdm_free(upto);
    tdm_free(length);
    tdm_free(last);
    tdm_free(name);
    return l;
}

static double processor_seconds(struct rusage *use)
{
    getrusage(RUSAGE_SELF, use);
    return (double)(use->ru_utime.tv_sec + use->ru_stime.tv_sec) +
           (double)(use->ru_utime.tv_usec + use->ru_stime.tv_usec) / 1e6;
}

static void bench(const tdm_model_ops *ops, const log_made *l, tdm_run *run)
{
    tdm_err err;
    tdm_params p = tdm_params_standard(ops->params);
    tdm_fit_input in = {.train = &l->d, .params = &p, .run = run};
    tdm_model *m;
    struct rusage use;
    double t = tdm_seconds(), busy = processor_seconds(&use);
    if (ops->fit(&m, &in, &err)) fail(err.msg);
    t = tdm_seconds() - t;
    busy = processor_seconds(&use) - busy;
    printf("%-14s %8.2f s %8.2f s of processors %6.2f GB at most so far\n", ops->name, t, busy,
           (double)use.ru_maxrss / 1e6);
    fflush(stdout);
    tdm_model_close(m);
}

int main(int argc, char **argv)
{
    static const tdm_model_ops *const all[] = {&tdm_cooccurrence_ops, &tdm_item_knn_ops, &tdm_ease_ops, &tdm_slist_ops};
    tdm_err err;
    tdm_run *run;
    size_t n[] = {0, 138000, 27000, 10000000};
    for (int i = 1; i < argc && i <= 4; i++) n[i - 1] = strtoull(argv[i], NULL, 10);
    if (n[1] < 1 || n[2] < 2 * TASTES || n[3] < n[1])
        fail("bench_items [threads [people items interactions [model ...]]]");
    if (tdm_run_open(&run, &(tdm_run_options){.threads = n[0], .seed = 1}, &err)) fail(err.msg);
    log_made l = log_make(n[1], n[2], n[3]);
    printf("%zu people, %zu items, %zu interactions; %zu threads\n", l.d.U, l.d.I, l.d.N, tdm_pool_threads(run->pool));
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        bool asked = argc <= 5 && k < 2; /* the inverses take minutes at this size: only by name */
        for (int i = 5; i < argc; i++) asked |= !strcmp(argv[i], all[k]->name);
        if (asked) bench(all[k], &l, run);
    }
    tdm_free(l.offset);
    tdm_free(l.item);
    tdm_free(l.rating);
    tdm_run_close(run);
    return 0;
}
