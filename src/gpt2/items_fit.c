/* SPDX-License-Identifier: Apache-2.0 */
/* items_fit.c - training: one epoch after another, judged on the average of the weights.
 *
 *     each batch:   gradients -> AdamW -> E = W + S P -> average += (weights - average) * share
 *     each epoch:   the judge asks the average; the best stays; the course goes into the checkpoint
 *
 * The rate warms up over a twentieth of the updates and falls along a cosine to a hundredth. The average reaches back
 * `average` epochs and shorter at the start. It is linear, so the average of E is the E of the averages.
 *
 * How long: `epochs`, but at least as many as make `updates` updates, and `patience` stretches with them: what a model
 * learns from a log of a few hundred people is limited by updates and not by passes (an order that half of the choices
 * follow was learned after some 400, long after an ndcg that rose no more for three passes). For the same reason a
 * small log's batches are a sixteenth of it, if that is less than `batch`. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/items_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char stage[] = "gpt2-items";
enum { BATCHES = 16, LEAST = 64, RANGE = 1 << 16 };

typedef struct fitting {
    const tdm_fit_input *in;
    tdm_items *m; /* its g holds the average while training */
    tdm_gpt2 *live;
    tdm_items_feed feed;
    tdm_items_table table;
    tdm_gpt2_trainer *trainer;
    tdm_adamw *adam;
    float *best, *best_P;
    uint64_t epochs, updates; /* in all */
    uint64_t patience;
    double share; /* of the live weights in the average, once it has reached back far enough */
    tdm_items_course course;
} fitting;

/* ---- beginning ---- */

static void begin_weights(fitting *f)
{
    tdm_gpt2_init(f->live, f->in->run->seed);
    tdm_items_table_begin(&f->table, f->live->w.wte, f->in->run->seed);
    tdm_items_table_join(&f->table, f->live->w.wte, f->in->run->pool);
    memcpy(f->m->g->block, f->live->block, f->live->n * sizeof(float));
    if (f->table.K) memcpy(f->m->P, f->table.P, f->table.K * f->table.C * sizeof(float));
}

static tdm_status optimiser_open(fitting *f, tdm_err *err)
{
    tdm_adamw_group group[TDM_GPT2_GROUPS + 1];
    const tdm_gpt2_tensors grad = tdm_gpt2_trainer_grad(f->trainer);
    float decay = (float)tdm_param_get(f->in->params, "decay");
    size_t n = tdm_gpt2_groups(group, f->live, &grad, decay);
    for (size_t i = 0; i < n; i++)
        if (group[i].w == f->live->w.wte) group[i].w = f->table.W; /* dW = dE */
    if (f->table.K) group[n++] = (tdm_adamw_group){f->table.P, f->table.dP, f->table.K * f->table.C, decay};
    return tdm_adamw_open(&f->adam, group, n,
                          (tdm_adamw_options){.beta1 = 0.9f, .beta2 = 0.98f, .eps = 1e-9f, .clip = 1}, err);
}

static uint64_t course_key(const fitting *f, const float *S)
{
    const tdm_fit_input *in = f->in;
    const tdm_dataset *d = in->train;
    uint64_t key = tdm_items_key(in->run->seed, TDM_VERSION, strlen(TDM_VERSION)), judged = in->judge != NULL;
    for (size_t p = 0; tdm_items_params[p].name; p++) key = tdm_items_key(key, &in->params->value[p], sizeof(double));
    key = tdm_items_key(key, &judged, sizeof judged);
    key = tdm_items_key(key, d->offset, (d->U + 1) * sizeof *d->offset);
    key = tdm_items_key(key, d->item, d->N * sizeof *d->item);
    return S ? tdm_items_key(key, S, d->I * f->table.K * sizeof *S) : key;
}

static void course_begin(fitting *f, const float *S)
{
    tdm_items_course *c = &f->course;
    float *moment1, *moment2;
    size_t moments, P = f->table.K * f->table.C;
    tdm_adamw_state(f->adam, &moment1, &moment2, &moments);
    *c = (tdm_items_course){.key = course_key(f, S), .best = -INFINITY};
    tdm_items_course_add(c, "weights", f->live->block, f->live->n);
    tdm_items_course_add(c, "rows", f->table.W, f->live->s.V * f->live->s.C);
    tdm_items_course_add(c, "projection", f->table.P, P);
    tdm_items_course_add(c, "moment1", moment1, moments);
    tdm_items_course_add(c, "moment2", moment2, moments);
    tdm_items_course_add(c, "average", f->m->g->block, f->m->g->n);
    tdm_items_course_add(c, "average.projection", f->m->P, P);
    if (!f->in->judge) return;
    tdm_items_course_add(c, "best", f->best, f->m->g->n);
    tdm_items_course_add(c, "best.projection", f->best_P, P);
}

static tdm_status fitting_open(fitting *f, const tdm_fit_input *in, tdm_err *err)
{
    const tdm_params *p = in->params;
    const float *S;
    *f = (fitting){.in = in};
    if (!in->train->N) return tdm_fail(err, TDM_E_ARG, "gpt2-items: there are no histories to learn from");
    const tdm_gpt2_shape s = tdm_items_shape(p, in->train->I);
    size_t tokens = (size_t)tdm_param_get(p, "batch"), share = in->train->N / BATCHES;
    if (share < LEAST) share = LEAST;
    tdm_status st = tdm_gpt2_shape_check(&s, stage, err);
    if (!st) st = tdm_items_open(&f->m, &S, in->train, in->needs ? in->needs[0] : NULL, p, err);
    if (!st) st = tdm_gpt2_open(&f->live, s, err);
    if (!st) st = tdm_gpt2_open(&f->m->g, s, err);
    if (!st) st = tdm_items_table_open(&f->table, f->m, S, s.C, err);
    if (!st) st = tdm_items_feed_open(&f->feed, in->train, s.T, tokens < share ? tokens : share, err);
    const tdm_gpt2_trainer_options o = {.most = f->feed.most, .dropout = (float)tdm_param_get(p, "dropout")};
    if (!st) st = tdm_gpt2_trainer_open(&f->trainer, f->live, &o, in->run, err);
    if (!st) st = optimiser_open(f, err);
    if (st) return st;
    f->best = tdm_new(f->live->n, sizeof *f->best);
    f->best_P = tdm_new(f->table.K, s.C * sizeof *f->best_P);
    f->m->P = tdm_new(f->table.K, s.C * sizeof *f->m->P);
    if (!f->best || !f->best_P || !f->m->P) return tdm_nomem(err, stage);

    double least = ceil(tdm_param_get(p, "updates") / (double)f->feed.steps), epochs = tdm_param_get(p, "epochs");
    f->epochs = (uint64_t)(epochs > least ? epochs : least);
    f->updates = f->epochs * f->feed.steps;
    f->patience = (uint64_t)ceil(tdm_param_get(p, "patience") * (double)f->epochs / epochs);
    f->share = 1 / (1 + tdm_param_get(p, "average") * (double)f->feed.steps);
    begin_weights(f);
    course_begin(f, S);
    return TDM_OK;
}

static void fitting_close(fitting *f)
{
    tdm_adamw_close(f->adam);
    tdm_gpt2_trainer_close(f->trainer);
    tdm_items_feed_clear(&f->feed);
    tdm_items_table_clear(&f->table);
    tdm_gpt2_close(f->live);
    tdm_free(f->best);
    tdm_free(f->best_P);
    if (f->m) tdm_items_close(&f->m->base);
}

/* ---- a batch ---- */

typedef struct averaging {
    float *average;
    const float *live;
    float share;
} averaging;

static void average_range(void *ctx, size_t chunk, size_t begin, size_t end)
{
    (void)chunk;
    const averaging *a = ctx;
    for (size_t i = begin; i < end; i++) a->average[i] += a->share * (a->live[i] - a->average[i]);
}

static void average(fitting *f)
{
    double young = 10 / (10 + (double)f->course.step); /* the first weights are soon forgotten */
    averaging a = {f->m->g->block, f->live->block, (float)(young > f->share ? young : f->share)};
    tdm_pool_for(f->in->run->pool, f->live->n, RANGE, average_range, &a);
    a.average = f->m->P;
    a.live = f->table.P;
    average_range(&a, 0, 0, f->table.K * f->table.C);
}

static tdm_status batch(fitting *f, double *loss, size_t *targets, tdm_err *err)
{
    tdm_pool *pool = f->in->run->pool;
    const tdm_gpt2_batch b = tdm_items_feed_next(&f->feed);
    *loss = 0;
    *targets = b.N;
    uint64_t step = ++f->course.step;
    if (!b.N) return TDM_OK; /* one long history took two batches' share */
    tdm_status st = tdm_gpt2_trainer_step(f->trainer, loss, &b, step, err);
    if (st) return st;
    tdm_items_table_backward(&f->table, tdm_gpt2_trainer_grad(f->trainer).wte, pool);
    double rate = tdm_param_get(f->in->params, "rate") * tdm_cosine_rate(step, f->updates / 20 + 1, f->updates, 0.01);
    tdm_adamw_step(f->adam, (float)rate, step, pool);
    tdm_items_table_join(&f->table, f->live->w.wte, pool);
    average(f);
    return TDM_OK;
}

/* ---- an epoch ---- */

static tdm_status judge(fitting *f, double *value, tdm_err *err)
{
    tdm_items_course *c = &f->course;
    size_t P = f->table.K * f->table.C * sizeof(float), n = f->m->g->n * sizeof(float);
    tdm_status st = f->in->judge->ask(f->in->judge->ctx, value, &f->m->base, err);
    if (st || !(*value > c->best)) return st;
    c->best = *value;
    c->best_epoch = c->epoch;
    memcpy(f->best, f->m->g->block, n);
    if (P) memcpy(f->best_P, f->m->P, P);
    return TDM_OK;
}

static tdm_status epoch(fitting *f, tdm_err *err)
{
    tdm_run *run = f->in->run;
    tdm_items_course *c = &f->course;
    double sum = 0, loss, value = 0, began = tdm_seconds();
    size_t counted = 0, targets;
    tdm_items_feed_epoch(&f->feed, run->seed, c->epoch);
    for (size_t k = 0; k < f->feed.steps; k++) {
        char note[64];
        tdm_status st = tdm_run_check(run, stage, err);
        if (!st) st = batch(f, &loss, &targets, err);
        if (st) return st;
        sum += loss * (double)targets;
        counted += targets;
        snprintf(note, sizeof note, "epoch %llu, loss %.3f", (unsigned long long)c->epoch + 1,
                 sum / (double)(counted ? counted : 1));
        tdm_progress(run, stage, c->step, f->updates, note);
    }
    double seconds = tdm_seconds() - began;
    c->epoch++;
    if (f->in->judge) {
        tdm_status st = judge(f, &value, err);
        if (st) return st;
    }
    char judged[64] = "";
    if (f->in->judge)
        snprintf(judged, sizeof judged, ", ndcg@10 %.4f%s", value, c->best_epoch == c->epoch ? " (best)" : "");
    tdm_log(run, TDM_LOG_INFO, stage, "epoch %llu of %llu: loss %.4f%s, %.0f tokens/s", (unsigned long long)c->epoch,
            (unsigned long long)f->epochs, sum / (double)f->feed.N, judged,
            seconds > 0 ? (double)f->feed.N / seconds : 0);
    return f->in->checkpoint ? tdm_items_course_write(c, f->in->checkpoint, err) : TDM_OK;
}

static bool finished(const fitting *f)
{
    const tdm_items_course *c = &f->course;
    if (c->epoch >= f->epochs) return true;
    return f->in->judge && c->epoch >= c->best_epoch + f->patience;
}

static void resume(fitting *f)
{
    tdm_err why;
    tdm_run *run = f->in->run;
    if (!f->in->checkpoint || !tdm_file_exists(f->in->checkpoint)) return;
    if (tdm_items_course_read(&f->course, f->in->checkpoint, &why))
        tdm_log(run, TDM_LOG_WARN, stage, "begun anew, since the checkpoint is of no use: %s", why.msg);
    else tdm_log(run, TDM_LOG_INFO, stage, "goes on after epoch %llu", (unsigned long long)f->course.epoch);
}

tdm_status tdm_items_fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    fitting f;
    *out = NULL;
    tdm_status st = fitting_open(&f, in, err);
    if (!st) {
        tdm_log(in->run, TDM_LOG_INFO, stage, "%zu items, %zu tokens an epoch in %zu batches, %llu epochs%s", f.m->I,
                f.feed.N, f.feed.steps, (unsigned long long)f.epochs, f.table.K ? "" : "; items have no words");
        resume(&f);
    }
    while (!st && !finished(&f)) st = epoch(&f, err);
    if (!st && in->judge && f.course.best_epoch) {
        memcpy(f.m->g->block, f.best, f.m->g->n * sizeof(float));
        if (f.table.K) memcpy(f.m->P, f.best_P, f.table.K * f.table.C * sizeof(float));
    }
    if (!st) {
        *out = &f.m->base;
        f.m = NULL;
    }
    fitting_close(&f);
    return st;
}
