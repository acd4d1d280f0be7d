/* SPDX-License-Identifier: Apache-2.0 */
/* recommend.c - the best ten of the catalogue for everybody of a made log (log.h), with ials.
 *
 *     bench_recommend [millions [threads [factors [name=value ...]]]]          bench_recommend 10 2 64 history_decay=1
 *
 * Fits one iteration (what the factors are changes no work), then asks, in turns and several times over:
 *
 *     everybody         from histories to lists, as `tandem recommend --all` asks
 *     ..., seen too     the same without leaving out what people have
 *     ready points      people's factors given, no solve for each: the pass over the catalogue alone
 *     product alone     tdm_gemm of people x factors x items, a tile at a time, read by nobody
 *
 * The best of each is printed in people a second of wall clock and in processor time a person; the least that the
 * arithmetic takes is 2 K I operations a person. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/run.h"
#include "cf/cf.h"
#include "model/factors_topk.h"
#include "kernels/kernels.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { CHUNK = 192, TOP = 10, ROUNDS = 5, TILE = 2048 };

typedef struct work {
    const bench_log *log;
    const tdm_model *model;
    tdm_factors f;
    float *X; /* U x K: the mean of each history's items */
    uint32_t *items;
    float *scores;
    size_t *n;
    bool filter;
} work;

static void fail(const char *what) { bench_fail("bench_recommend", what); }

static void *room(size_t n, size_t size)
{
    void *p = tdm_new(n, size);
    if (!p) fail("not enough memory");
    return p;
}

static void ask(const work *w, size_t begin, size_t end, bool ready)
{
    tdm_history h[CHUNK];
    tdm_err err;
    const tdm_wanted wanted = {.k = TOP, .filter_seen = w->filter};
    const tdm_ranked out = {w->items + begin * TOP, w->scores + begin * TOP, w->n + begin};
    for (size_t u = begin; u < end; u++) h[u - begin] = tdm_dataset_history(&w->log->d, (uint32_t)u);
    tdm_status st = ready ? tdm_factors_topk(&out, &w->f, w->X + begin * w->f.K, h, end - begin, &wanted, &err)
                          : w->model->ops->topk(w->model, &out, h, end - begin, &wanted, &err);
    if (st) fail(err.msg);
}

static void everybody(void *ctx, size_t chunk, size_t begin, size_t end)
{
    (void)chunk;
    ask(ctx, begin, end, false);
}

static void ready_points(void *ctx, size_t chunk, size_t begin, size_t end)
{
    (void)chunk;
    ask(ctx, begin, end, true);
}

static void product_alone(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const work *w = ctx;
    (void)chunk;
    float *tile = room(CHUNK * TILE, sizeof *tile);
    for (size_t i = 0; i < w->f.I; i += TILE) {
        size_t n = w->f.I - i < TILE ? w->f.I - i : TILE;
        tdm_gemm(0, 1, end - begin, n, w->f.K, 1, w->X + begin * w->f.K, w->f.K, w->f.item + i * w->f.K, w->f.K, 0,
                 tile, TILE);
    }
    tdm_free(tile);
}

static void means(work *w)
{
    const tdm_dataset *d = &w->log->d;
    size_t K = w->f.K;
    for (size_t u = 0; u < d->U; u++) {
        int64_t n = d->offset[u + 1] - d->offset[u];
        for (int64_t k = d->offset[u]; k < d->offset[u + 1]; k++)
            tdm_kernels_best()->axpy(w->X + u * K, 1 / (float)n, w->f.item + d->item[k] * K, K);
    }
}

static double processor_seconds(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static tdm_model *fitted(const bench_log *log, tdm_run *run, char **word)
{
    tdm_err err;
    tdm_model *m;
    tdm_params p = tdm_params_standard(tdm_ials_ops.params);
    if (tdm_params_set(&p, "ials", "iterations", 1, &err)) fail(err.msg);
    for (; *word; word++) {
        char *is = strchr(*word, '=');
        if (is) *is = 0;
        if (tdm_params_set(&p, "ials", is ? *word : "factors", strtod(is ? is + 1 : *word, NULL), &err)) fail(err.msg);
    }
    const tdm_fit_input in = {.train = &log->d, .params = &p, .run = run};
    if (tdm_ials_ops.fit(&m, &in, &err)) fail(err.msg);
    return m;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        tdm_range_fn *fn;
        bool filter;
    } ways[] = {{"everybody", everybody, true},
                {"everybody, seen too", everybody, false},
                {"ready points", ready_points, true},
                {"product alone", product_alone, false}};
    enum { WAYS = sizeof ways / sizeof *ways };
    tdm_err err;
    tdm_run *run;
    bench_log log;
    double wall[WAYS], busy[WAYS];
    const tdm_run_options o = {.threads = argc > 2 ? strtoul(argv[2], NULL, 10) : 2, .seed = 1};
    if (tdm_run_open(&run, &o, &err)) fail(err.msg);
    bench_log_make(&log, argc > 1 ? strtod(argv[1], NULL) : 10);
    tdm_model *m = fitted(&log, run, argc > 3 ? argv + 3 : argv + argc);
    work w = {.log = &log, .model = m, .f = {.I = log.d.I}};
    if (m->ops->vectors(m, &w.f.item, &w.f.K, &err)) fail(err.msg);
    size_t U = log.d.U, K = w.f.K;
    w.X = room(U, K * sizeof *w.X);
    w.items = room(U, TOP * sizeof *w.items);
    w.scores = room(U, TOP * sizeof *w.scores);
    w.n = room(U, sizeof *w.n);
    means(&w);
    printf("%zu people, %zu items, %zu interactions, %zu factors, %zu threads, %s\n", U, log.d.I, log.d.N, K,
           tdm_pool_threads(run->pool), tdm_kernels_best()->isa);
    for (int round = 0; round < ROUNDS; round++)
        for (int k = 0; k < WAYS; k++) {
            w.filter = ways[k].filter;
            double t = tdm_seconds(), c = processor_seconds();
            tdm_pool_for(run->pool, U, CHUNK, ways[k].fn, &w);
            t = tdm_seconds() - t;
            c = processor_seconds() - c;
            if (!round || t < wall[k]) wall[k] = t;
            if (!round || c < busy[k]) busy[k] = c;
        }
    for (int k = 0; k < WAYS; k++)
        printf(
            "%-20s %8.0f people/s  %6.2f us of a processor a person  %6.1f GFLOP/s of one  %4.0f %% of the product\n",
            ways[k].name, (double)U / wall[k], 1e6 * busy[k] / (double)U,
            2e-9 * (double)K * (double)log.d.I * (double)U / busy[k], 100 * busy[WAYS - 1] / busy[k]);
    tdm_free(w.X);
    tdm_free(w.items);
    tdm_free(w.scores);
    tdm_free(w.n);
    tdm_model_close(m);
    bench_log_clear(&log);
    tdm_run_close(run);
    return 0;
}
