/* SPDX-License-Identifier: Apache-2.0 */
/* update.c - what an update costs and what it loses, beside a model that stays as it is and one that is fitted again.
 *
 *     bench_update MODEL SEQUENCES|MILLIONS NEW SHIFTED [name=value ...]   bench_update ials sequences.txt 0.05 0
 *
 * SEQUENCES has a person a line, "id item item ..."; a number makes a log (log.h). The last two choices of a person are
 * held out, as in leave-one-out. NEW: the share of events that come in later, the last five (or fewer) of some people.
 * SHIFTED: the share of those that go to another item than they did, the same one for each: a change of taste, which
 * the held-out choices of those people follow. Prints ndcg@10 of the test choices of all and of those people, seconds
 * of processors, the rows made anew, what is missing, and the drift (src/api/update.c). */
#include "base/mem.h"
#include "base/rng.h"
#include "base/run.h"
#include "cf/cf.h"
#include "cf/update.h"
#include "eval/evaluate.h"
#include "log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const tdm_model_ops *const models[] = {&tdm_cooccurrence_ops, &tdm_item_knn_ops, &tdm_ials_ops};

static void fail(const char *what) { bench_fail("bench_update", what); }

static void *room(size_t n, size_t size)
{
    void *p = tdm_new(n, size);
    if (!p) fail("not enough memory");
    return p;
}

static double processor_seconds(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* A log, and of each person how many of the last rows come in later. */
typedef struct whole {
    size_t U, I, N;
    int64_t *offset;
    uint32_t *item, *late;
} whole;

static void sequences_read(whole *w, const char *path)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0, U = 0, N = 0;
    if (!f) fail("there is no such file of sequences");
    for (int pass = 0; pass < 2; pass++) {
        if (pass) w->offset = room(U + 1, sizeof *w->offset), w->item = room(N, sizeof *w->item);
        U = N = 0;
        rewind(f);
        while (getline(&line, &cap, f) > 0) {
            char *at = line, *end;
            strtoul(at, &at, 10);
            for (unsigned long i; (i = strtoul(at, &end, 10), end != at); at = end, N++) {
                if (i >= w->I) w->I = i + 1;
                if (pass) w->item[N] = (uint32_t)i;
            }
            U++;
            if (pass) w->offset[U] = (int64_t)N;
        }
    }
    w->U = U, w->N = N;
    free(line);
    fclose(f);
}

static void later_choose(whole *w, double share, double shifted)
{
    size_t want = (size_t)(share * (double)(w->N - 2 * w->U)), n = 0;
    w->late = room(w->U, sizeof *w->late);
    for (size_t u = 0, step = 0; n < want && step < w->U; step++, u = (u + 7919) % w->U) {
        size_t at = (size_t)w->offset[u], count = (size_t)w->offset[u + 1] - at, left = count < 5 ? 0 : count - 4;
        size_t c = left < 5 ? left : 5;
        if (n + c > want) c = want - n;
        w->late[u] = (uint32_t)c;
        n += c;
        for (size_t k = at + count - c; k < at + count; k++) {
            tdm_rng r = tdm_rng_make(3, u, k);
            if (tdm_rng_unit(&r) < shifted) w->item[k] = (uint32_t)((w->item[k] * 7919ull + 1) % w->I);
        }
    }
}

/* Training rows, all but the last `behind`, and the choice behind them; changed: of people with later events only. */
typedef struct view {
    tdm_dataset d;
    tdm_questions q;
} view;

static void view_make(view *v, const whole *w, bool now, size_t behind, bool changed)
{
    int64_t *offset = room(w->U + 1, sizeof *offset), *hat = room(w->U + 1, sizeof *hat),
            *tat = room(w->U + 1, sizeof *tat), *at_time = room(w->U, sizeof *at_time);
    uint32_t *item = room(w->N, sizeof *item), *target = room(w->U, sizeof *target), *user = room(w->U, sizeof *user);
    float *rating = room(w->N, sizeof *rating);
    uint8_t *counts = room(w->U, 1);
    int64_t *time = room(w->N, sizeof *time);
    size_t N = 0;
    for (size_t k = 0; k < w->N; k++) rating[k] = NAN, time[k] = TDM_NO_TIME;
    for (size_t u = 0; u < w->U; u++) {
        size_t at = (size_t)w->offset[u], end = (size_t)w->offset[u + 1] - (now ? 0 : w->late[u]) - behind;
        hat[u] = (int64_t)N;
        for (size_t k = at; k < end; k++) item[N++] = w->item[k];
        offset[u + 1] = hat[u + 1] = (int64_t)N;
        user[u] = (uint32_t)u;
        at_time[u] = TDM_NO_TIME;
        target[u] = w->item[end];
        counts[u] = !changed || w->late[u];
        for (size_t k = at; k < end; k++) counts[u] = counts[u] && w->item[k] != target[u];
        tat[u + 1] = (int64_t)u + 1;
    }
    v->d = (tdm_dataset){.U = w->U, .I = w->I, .N = N, .offset = offset, .item = item, .rating = rating, .time = time};
    v->q = (tdm_questions){w->U, user, at_time, hat, item, rating, time, tat, target, rating, counts, NULL};
}

static double ask(const tdm_model *m, const view *v, tdm_run *run)
{
    tdm_err err;
    double value;
    if (tdm_ndcg(&value, m, &v->q, v->d.I, 10, TDM_SEEN_FILTER, run->pool, &err)) fail(err.msg);
    return value;
}

int main(int argc, char **argv)
{
    tdm_err err;
    tdm_run *run;
    tdm_params p;
    tdm_model *old, *again, *m;
    const tdm_model_ops *ops = NULL;
    whole w = {0};
    if (argc < 5) fail("bench_update MODEL SEQUENCES|MILLIONS NEW SHIFTED [name=value ...]");
    for (size_t k = 0; k < sizeof models / sizeof *models; k++)
        if (!strcmp(argv[1], models[k]->name)) ops = models[k];
    if (!ops) fail("the models that take events in are cooccurrence, item-knn and ials");
    p = tdm_params_standard(ops->params);
    for (int i = 5; i < argc; i++) {
        char *is = strchr(argv[i], '=');
        if (!is) fail("parameters are name=value");
        *is = 0;
        if (tdm_params_set(&p, ops->name, argv[i], strtod(is + 1, NULL), &err)) fail(err.msg);
    }
    bool made = strtod(argv[2], NULL) > 0;
    if (made) {
        static bench_log log;
        bench_log_make(&log, strtod(argv[2], NULL));
        w = (whole){log.d.U, log.d.I, log.d.N, log.offset, log.item, NULL};
    } else sequences_read(&w, argv[2]);
    double share = strtod(argv[3], NULL);
    later_choose(&w, share < 1 ? share : share / (double)(w.N - 2 * w.U), strtod(argv[4], NULL));
    if (tdm_run_open(&run, &(tdm_run_options){.threads = 2, .seed = 1}, &err)) fail(err.msg);
    view was, now, test, ours;
    view_make(&was, &w, false, 2, true); /* asked of their next choice: then and now */
    view_make(&now, &w, true, 2, true);
    if (!made) view_make(&test, &w, true, 1, false), view_make(&ours, &w, true, 1, true);
    tdm_fit_input in = {.train = &was.d, .params = &p, .run = run};
    double t = processor_seconds();
    if (ops->fit(&old, &in, &err)) fail(err.msg);
    printf("%zu people, %zu items, %zu events and then %zu more; a fit took %.2f s\n", w.U, w.I, was.d.N,
           now.d.N - was.d.N, processor_seconds() - t);
    double then = made ? 0 : ask(old, &was, run);
    if (!made) {
        in.train = &now.d;
        if (ops->fit(&again, &in, &err)) fail(err.msg);
        printf("as it was     all %.4f theirs %.4f  drift %5.1f %%\n", ask(old, &test, run), ask(old, &ours, run),
               100 - 100 * ask(old, &now, run) / then);
        printf("fitted again  all %.4f theirs %.4f  drift %5.1f %%\n", ask(again, &test, run), ask(again, &ours, run),
               100 - 100 * ask(again, &now, run) / then);
    }
    uint32_t *same_item = room(w.I, sizeof *same_item), *same_user = room(w.U, sizeof *same_user);
    for (size_t i = 0; i < w.I; i++) same_item[i] = (uint32_t)i;
    for (size_t u = 0; u < w.U; u++) same_user[u] = (uint32_t)u;
    t = processor_seconds();
    tdm_change *changed;
    tdm_updated what;
    tdm_update u = {.now = &now.d, .was = &was.d, .item_now = same_item, .run = run};
    if (tdm_changes_find(&changed, &u.n_changed, &now.d, &was.d, same_item, same_user, &err)) fail(err.msg);
    u.changed = changed;
    printf("finding %zu changed people %.3f s\n", u.n_changed, processor_seconds() - t);
    static const double shares[] = {0.2, 0.1, 0.05, 0.02, 0};
    for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
        u.share = shares[k];
        t = processor_seconds();
        if (ops->update(&m, old, &u, &what, &err)) fail(err.msg);
        t = processor_seconds() - t;
        printf("share %4.2f    ", u.share);
        if (!made)
            printf("all %.4f theirs %.4f  drift %5.1f %%  ", ask(m, &test, run), ask(m, &ours, run),
                   100 - 100 * ask(m, &now, run) / then);
        printf("%7.3f s, %5zu rows, missing %.3f %%, at most %4.1f %%\n", t, what.remade, 100 * what.missing,
               100 * what.most);
        fflush(stdout);
        tdm_model_close(m);
    }
    return 0;
}
