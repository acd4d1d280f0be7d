/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c - how long a collaborative model takes to score the whole catalogue for people of a made log (log.h).
 *
 *     bench_ask MODEL [millions [threads [questions [name=value ...]]]]         bench_ask user-knn 10 2 1000 search=1
 *
 * The people are drawn evenly from the training rows, each asks with the whole history and is not a neighbour of
 * itself. Batches of 16 go to the threads. A first round, not timed, sums all scores: it shows whether two ways of
 * finding them found the same. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/run.h"
#include "cf/cf.h"
#include "log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { BATCH = 16, ROUNDS = 3 };

static const tdm_model_ops *const models[] = {
    &tdm_popularity_ops, &tdm_cooccurrence_ops, &tdm_item_knn_ops, &tdm_user_knn_ops,
    &tdm_ease_ops,       &tdm_slist_ops,        &tdm_ials_ops,     &tdm_mf_ops,
};

static void fail(const char *what) { bench_fail("bench_ask", what); }

static const tdm_model_ops *model_of(const char *name)
{
    for (size_t k = 0; k < sizeof models / sizeof *models; k++)
        if (!strcmp(name, models[k]->name)) return models[k];
    fail("there is no such model of this kind; `tandem models` lists all");
    return NULL;
}

static void params_read(tdm_params *p, const tdm_model_ops *ops, char **word)
{
    tdm_err err;
    *p = tdm_params_standard(ops->params);
    for (; *word; word++) {
        char *is = strchr(*word, '=');
        if (!is) fail("parameters are name=value");
        *is = 0;
        if (tdm_params_set(p, ops->name, *word, strtod(is + 1, NULL), &err)) fail(err.msg);
    }
}

static double processor_seconds(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

typedef struct asking {
    const tdm_model *m;
    const tdm_dataset *d;
    tdm_history *h;
    double *sum; /* of each batch; NULL: not asked for */
} asking;

static void ask(void *ctx, size_t chunk, size_t begin, size_t end)
{
    asking *a = ctx;
    tdm_err err;
    float *scores = tdm_new((end - begin) * a->d->I, sizeof *scores);
    if (!scores) fail("not enough memory");
    if (a->m->ops->score(a->m, scores, a->h + begin, end - begin, &err)) fail(err.msg);
    if (a->sum) a->sum[chunk] = 0;
    for (size_t i = 0; a->sum && i < (end - begin) * a->d->I; i++)
        if (isfinite(scores[i])) a->sum[chunk] += (double)scores[i];
    tdm_free(scores);
}

int main(int argc, char **argv)
{
    tdm_err err;
    tdm_run *run;
    tdm_params p;
    tdm_model *model;
    bench_log log;
    if (argc < 2) fail("bench_ask MODEL [millions [threads [questions [name=value ...]]]]");
    const tdm_model_ops *ops = model_of(argv[1]);
    size_t Q = argc > 4 ? strtoul(argv[4], NULL, 10) : 1000;
    params_read(&p, ops, argc > 5 ? argv + 5 : argv + argc);
    const tdm_run_options o = {.threads = argc > 3 ? strtoul(argv[3], NULL, 10) : 2, .seed = 1};
    if (tdm_run_open(&run, &o, &err)) fail(err.msg);
    bench_log_make(&log, argc > 2 ? strtod(argv[2], NULL) : 10);
    tdm_free(log.time); /* nobody asks for it, and a million people's are large */
    log.time = NULL;
    log.d.time = NULL;
    log.d.has_times = false;
    printf("%zu people, %zu items, %zu interactions, %zu threads\n", log.d.U, log.d.I, log.d.N,
           tdm_pool_threads(run->pool));
    tdm_fit_input in = {.train = &log.d, .params = &p, .run = run};
    double began = tdm_seconds(), busy = processor_seconds();
    if (ops->fit(&model, &in, &err)) fail(err.msg);
    printf("%s: fit %.2f s, %.2f s of processors\n", ops->name, tdm_seconds() - began, processor_seconds() - busy);
    if (Q > log.d.U) Q = log.d.U;
    double *sums = tdm_new(tdm_chunks(Q, BATCH), sizeof *sums), sum = 0;
    asking a = {.m = model, .d = &log.d, .h = tdm_new(Q, sizeof *a.h), .sum = sums};
    if (!a.h || !sums) fail("not enough memory");
    for (size_t q = 0; q < Q; q++) {
        size_t u = q * log.d.U / Q, at = (size_t)log.d.offset[u];
        a.h[q] = (tdm_history){.items = log.d.item + at,
                               .ratings = log.d.rating + at,
                               .n = (size_t)log.d.offset[u + 1] - at,
                               .now = TDM_NO_TIME,
                               .self = (uint32_t)u};
    }
    tdm_pool_for(run->pool, Q, BATCH, ask, &a);
    for (size_t c = 0; c < tdm_chunks(Q, BATCH); c++) sum += sums[c];
    printf("scores sum to %.9g\n", sum);
    a.sum = NULL;
    for (int round = 0; round < ROUNDS; round++) {
        began = tdm_seconds();
        busy = processor_seconds();
        tdm_pool_for(run->pool, Q, BATCH, ask, &a);
        double took = tdm_seconds() - began;
        printf("%zu people in %.3f s: %.0f people/s, %.3f s of processors\n", Q, took, (double)Q / took,
               processor_seconds() - busy);
        fflush(stdout);
    }
    tdm_free(a.h);
    tdm_free(sums);
    tdm_model_close(model);
    bench_log_clear(&log);
    tdm_run_close(run);
    return 0;
}
