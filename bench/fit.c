/* SPDX-License-Identifier: Apache-2.0 */
/* fit.c - how long a collaborative model takes to fit on a made log (log.h), and how much memory.
 *
 *     bench_fit MODEL [millions [threads [name=value ...]]]            bench_fit ials 10 2 factors=64 conjugate=1
 *
 * people=COUNT and items=COUNT make a log of another shape: bench_fit ease 5 2 people=1000000 items=100000.
 *
 * A model that reports progress step by step (iterations, sweeps, epochs) gets the time of its best step and the mean.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/run.h"
#include "cf/cf.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const tdm_model_ops *const models[] = {
    &tdm_popularity_ops,  &tdm_recent_ops,       &tdm_category_popularity_ops,
    &tdm_transitions_ops, &tdm_cooccurrence_ops, &tdm_item_knn_ops,
    &tdm_user_knn_ops,    &tdm_ease_ops,         &tdm_slist_ops,
    &tdm_ials_ops,        &tdm_mf_ops,           &tdm_svdpp_ops,
};

static void fail(const char *what) { bench_fail("bench_fit", what); }

static const tdm_model_ops *model_of(const char *name)
{
    for (size_t k = 0; k < sizeof models / sizeof *models; k++)
        if (!strcmp(name, models[k]->name)) return models[k];
    fail("there is no such model of this kind; `tandem models` lists all");
    return NULL;
}

/* The times between reports of progress. */
typedef struct laps {
    double last, least, sum;
    size_t n;
} laps;

static void lap(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    laps *l = ctx;
    double now = tdm_seconds(), took = now - l->last;
    l->last = now;
    if (done == 0) return;
    if (total <= 100)
        printf("%s %2llu of %llu: %6.3f s  %s\n", stage, (unsigned long long)done, (unsigned long long)total, took,
               note ? note : "");
    fflush(stdout);
    if (!l->n++ || took < l->least) l->least = took;
    l->sum += took;
}

static void say(void *ctx, tdm_log_level level, const char *stage, const char *message)
{
    (void)ctx, (void)level;
    printf("%s: %s\n", stage, message);
}

/* The size of the log comes before the model's own parameters are read. */
typedef struct shape {
    double millions;
    size_t people, items;
} shape;

static bool shape_read(shape *s, const char *name, double value)
{
    bool people = !strcmp(name, "people"), items = !strcmp(name, "items");
    if (people) s->people = (size_t)value;
    if (items) s->items = (size_t)value;
    return people || items;
}

static void params_read(tdm_params *p, shape *s, const tdm_model_ops *ops, char **word)
{
    tdm_err err;
    *p = tdm_params_standard(ops->params);
    for (; *word; word++) {
        char *is = strchr(*word, '=');
        if (!is) fail("parameters are name=value");
        *is = 0;
        double value = strtod(is + 1, NULL);
        if (!shape_read(s, *word, value) && tdm_params_set(p, ops->name, *word, value, &err)) fail(err.msg);
    }
}

static double processor_seconds(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    tdm_err err;
    tdm_run *run;
    tdm_params p;
    tdm_model *model;
    bench_log log;
    laps l = {0};
    if (argc < 2) fail("bench_fit MODEL [millions [threads [name=value ...]]]");
    const tdm_model_ops *ops = model_of(argv[1]);
    shape size = {.millions = argc > 2 ? strtod(argv[2], NULL) : 10, .items = BENCH_ITEMS};
    size.people = (size_t)(BENCH_PEOPLE * size.millions);
    params_read(&p, &size, ops, argc > 4 ? argv + 4 : argv + argc);
    const tdm_run_options o = {
        .threads = argc > 3 ? strtoul(argv[3], NULL, 10) : 2, .seed = 1, .log = say, .progress = lap, .ctx = &l};
    if (tdm_run_open(&run, &o, &err)) fail(err.msg);
    bench_log_make_of(&log, size.millions, size.people, size.items);
    printf("%zu people, %zu items, %zu interactions, %zu threads\n", log.d.U, log.d.I, log.d.N,
           tdm_pool_threads(run->pool));
    size_t log_bytes = tdm_peak_memory();
    tdm_peak_memory_reset();
    tdm_fit_input in = {.train = &log.d, .params = &p, .run = run};
    double busy = processor_seconds(), began = l.last = tdm_seconds();
    if (ops->fit(&model, &in, &err)) fail(err.msg);
    printf("%s: fit %.2f s, %.2f s of processors", ops->name, tdm_seconds() - began, processor_seconds() - busy);
    if (l.n) printf("; best step of %zu %.3f s, mean %.3f s", l.n, l.least, l.sum / (double)l.n);
    printf("; peak memory %.0f MB, of which %.0f MB are the made log\n", (double)tdm_peak_memory() / 1e6,
           (double)log_bytes / 1e6);
    tdm_model_close(model);
    bench_log_clear(&log);
    tdm_run_close(run);
    return 0;
}
