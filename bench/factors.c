/* SPDX-License-Identifier: Apache-2.0 */
/* factors.c - the factorisations on a made log of half of MovieLens-20M's size: seconds and GFLOP/s of an iteration,
 * and memory.
 *
 *     bench_factors [model [millions [threads [name=value ...]]]]      ials 10 2 factors=64 conjugate=1
 *
 * Items by Zipf's law, history lengths log-normal, ratings 1 to 5 that lean on two hidden traits, times rising. People
 * and lengths grow with the millions; items stay 27,000. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/run.h"
#include "cf/cf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 27000 };

static void fail(const char *what)
{
    fprintf(stderr, "bench_factors: %s\n", what);
    exit(1);
}

static void *must(size_t n, size_t size)
{
    void *p = tdm_new(n, size);
    if (!p) fail("not enough memory");
    return p;
}

typedef struct made {
    tdm_dataset d;
    int64_t *offset;
    uint32_t *item;
    float *rating;
} made;

/* An item by its share of the sum of 1 / (rank + 20)^0.9, by bisection; ranks are spread over the numbers. */
static uint32_t draw_item(const double *sum, double u)
{
    size_t low = 0, high = ITEMS - 1;
    u *= sum[ITEMS - 1];
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (sum[mid] < u) low = mid + 1;
        else high = mid;
    }
    return (uint32_t)(low * 10007 % ITEMS);
}

static void make(made *m, size_t U, size_t N)
{
    double *sum = must(ITEMS, sizeof *sum), all = 0;
    uint32_t *last = must(ITEMS, sizeof *last);
    for (size_t i = 0; i < ITEMS; i++) sum[i] = all += pow((double)i + 20, -0.9);
    m->offset = must(U + 1, sizeof *m->offset);
    m->item = must(N, sizeof *m->item);
    m->rating = must(N, sizeof *m->rating);
    double *length = must(U, sizeof *length);
    all = 0;
    for (size_t u = 0; u < U; u++) {
        tdm_rng r = tdm_rng_make(7, 1, u);
        all += length[u] = fmin(exp(tdm_rng_normal(&r)), 40);
    }
    size_t n = 0;
    for (size_t u = 0; u < U; u++) {
        tdm_rng r = tdm_rng_make(7, 2, u);
        size_t want = (size_t)(length[u] / all * (double)N + 0.999);
        double taste = tdm_rng_normal(&r), mood = tdm_rng_normal(&r);
        for (size_t k = 0; k < want && n < N; k++) {
            uint32_t i = draw_item(sum, tdm_rng_unit(&r));
            for (int again = 0; last[i] == u + 1 && again < 30; again++) i = draw_item(sum, tdm_rng_unit(&r));
            last[i] = (uint32_t)u + 1;
            double trait = sin((double)i), x = 3.5 + 0.5 * mood + taste * trait + 0.9 * tdm_rng_normal(&r);
            m->item[n] = i;
            m->rating[n++] = (float)fmin(fmax(floor(x + 0.5), 1), 5);
        }
        m->offset[u + 1] = (int64_t)n;
    }
    m->d = (tdm_dataset){.U = U, .I = ITEMS, .N = n, .offset = m->offset, .item = m->item, .rating = m->rating};
    m->d.has_ratings = true;
    m->d.rating_low = 1;
    m->d.rating_high = 5;
    tdm_free(sum);
    tdm_free(last);
    tdm_free(length);
}

typedef struct laps {
    double last, least, sum;
    size_t n;
} laps;

static void lap(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    laps *l = ctx;
    double now = tdm_seconds(), took = now - l->last;
    l->last = now;
    printf("%s %2llu of %llu: %6.2f s  %s\n", stage, (unsigned long long)done, (unsigned long long)total, took,
           note ? note : "");
    fflush(stdout);
    if (done == 0) return;
    if (!l->n++ || took < l->least) l->least = took;
    l->sum += took;
}

static void say(void *ctx, tdm_log_level level, const char *stage, const char *message)
{
    (void)ctx, (void)level;
    printf("%s: %s\n", stage, message);
}

int main(int argc, char **argv)
{
    tdm_err err;
    tdm_run *run;
    laps l = {0};
    const char *name = argc > 1 ? argv[1] : "ials";
    double millions = argc > 2 ? strtod(argv[2], NULL) : 10;
    const tdm_model_ops *ops = !strcmp(name, "mf") ? &tdm_mf_ops : &tdm_ials_ops;
    if (strcmp(name, ops->name)) fail("the models are ials and mf");
    tdm_params p = tdm_params_standard(ops->params);
    const bool few = ops == &tdm_ials_ops; /* iterations and sweeps cost the same each */
    if (tdm_params_set(&p, ops->name, few ? "iterations" : "samples", few ? 5 : 1, &err)) fail(err.msg);
    if (!few && tdm_params_set(&p, ops->name, "warm_up", 5, &err)) fail(err.msg);
    for (int i = 4; i < argc; i++) {
        char *is = strchr(argv[i], '=');
        if (!is) fail("parameters are name=value");
        *is = 0;
        if (tdm_params_set(&p, ops->name, argv[i], strtod(is + 1, NULL), &err)) fail(err.msg);
    }
    const tdm_run_options o = {
        .threads = argc > 3 ? strtoul(argv[3], NULL, 10) : 2, .seed = 1, .log = say, .progress = lap, .ctx = &l};
    if (tdm_run_open(&run, &o, &err)) fail(err.msg);
    made m;
    make(&m, (size_t)(13800 * millions), (size_t)(1e6 * millions));
    size_t log_bytes = tdm_peak_memory();
    printf("%zu people, %zu items, %zu interactions, %zu threads\n", m.d.U, m.d.I, m.d.N, tdm_pool_threads(run->pool));
    tdm_model *model;
    tdm_fit_input in = {.train = &m.d, .params = &p, .run = run};
    tdm_peak_memory_reset();
    double began = l.last = tdm_seconds();
    if (ops->fit(&model, &in, &err)) fail(err.msg);
    printf("fit %.2f s, best iteration %.3f s, mean %.3f s; peak memory %.0f MB, of which %.0f MB are the made log\n",
           tdm_seconds() - began, l.least, l.sum / (double)l.n, (double)tdm_peak_memory() / 1e6,
           (double)log_bytes / 1e6);
    tdm_model_close(model);
    tdm_run_close(run);
    tdm_free(m.offset);
    tdm_free(m.item);
    tdm_free(m.rating);
    return 0;
}
