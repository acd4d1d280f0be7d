/* SPDX-License-Identifier: Apache-2.0 */
/* items_fit.c - training: one epoch after another, judged on the average of the weights.
 *
 *     each batch:   gradients -> AdamW -> E = W + S P -> average += (weights - average) * share
 *     each epoch:   the judge asks the average; the best stays; the course is kept
 *
 * The rate warms up over a twentieth of the updates and falls along a cosine to a share, `floor`. The average reaches
 * back `average` epochs and shorter at the start. It is linear, so the average of E is the E of the averages.
 *
 * How long: `epochs`, but at least as many as make `updates` updates, and `patience` stretches with them: what a model
 * learns from a log of a few hundred people is limited by updates and not by passes (an order that half of the choices
 * follow was learned after some 400, long after an ndcg that rose no more for three passes). For the same reason a
 * small log's batches are a sixteenth of it, if that is less than `batch`. */
#include "base/json.h"
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/course.h"
#include "gpt2/items_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char stage[] = "gpt2-items";
enum { BATCHES = 16, LEAST = 64 };

typedef struct fitting {
    const tdm_fit_input *in;
    tdm_items *m; /* its g holds the average while training */
    tdm_gpt2 *live;
    tdm_items_feed feed;
    tdm_items_table table;
    tdm_gpt2_trainer *trainer;
    tdm_adamw *adam;
    tdm_course *course;
    float *best, *best_P;
    double best_value, best_epoch; /* 0: none was judged */
    uint64_t epochs;               /* of the schedule */
    uint64_t until;                /* it ends after these at the latest */
    uint64_t patience;
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

static uint64_t key_of(const fitting *f, const float *S)
{
    const tdm_fit_input *in = f->in;
    const tdm_dataset *d = in->train;
    uint64_t key = tdm_course_key(in->run->seed, TDM_VERSION, strlen(TDM_VERSION)), judged = in->judge != NULL;
    for (size_t p = 0; tdm_items_params[p].name; p++) key = tdm_course_key(key, &in->params->value[p], sizeof(double));
    key = tdm_course_key(key, &judged, sizeof judged);
    key = tdm_course_key(key, &f->until, sizeof f->until);
    key = tdm_course_key(key, d->offset, (d->U + 1) * sizeof *d->offset);
    key = tdm_course_key(key, d->item, d->N * sizeof *d->item);
    return S ? tdm_course_key(key, S, d->I * f->table.K * sizeof *S) : key;
}

/* ---- a batch ---- */

static tdm_status gradients(void *ctx, tdm_course_batch *out, uint64_t step, tdm_err *err)
{
    fitting *f = ctx;
    out->epoch = (step - 1) / f->feed.steps;
    if ((step - 1) % f->feed.steps == 0) tdm_items_feed_epoch(&f->feed, f->in->run->seed, out->epoch);
    const tdm_gpt2_batch b = tdm_items_feed_next(&f->feed);
    out->tokens = b.N;
    if (!b.N) return TDM_OK; /* one long history took two batches' share */
    tdm_status st = tdm_gpt2_trainer_step(f->trainer, &out->loss, &b, step, err);
    if (!st) tdm_items_table_backward(&f->table, tdm_gpt2_trainer_grad(f->trainer).wte, f->in->run->pool);
    return st;
}

static void updated(void *ctx)
{
    const fitting *f = ctx;
    tdm_items_table_join(&f->table, f->live->w.wte, f->in->run->pool);
}

static tdm_status course_open(fitting *f, const float *S, tdm_err *err)
{
    const tdm_fit_input *in = f->in;
    size_t P = f->table.K * f->table.C;
    uint64_t updates = f->epochs * f->feed.steps;
    const tdm_course_plan plan = {
        .name = stage,
        .run = in->run,
        .adam = f->adam,
        .key = key_of(f, S),
        .schedule = {tdm_param_get(in->params, "rate"), updates / 20 + 1, updates, tdm_param_get(in->params, "floor")},
        .share = 1 / (1 + tdm_param_get(in->params, "average") * (double)f->feed.steps),
        .checkpoint = in->checkpoint,
        .log = in->train_log,
        .ctx = f,
        .gradients = gradients,
        .updated = updated};
    tdm_status st = tdm_course_open(&f->course, &plan, err);
    if (st) return st;
    tdm_course_array(f->course, "weights", f->live->block, f->live->n);
    tdm_course_array(f->course, "rows", f->table.W, f->live->s.V * f->live->s.C);
    tdm_course_array(f->course, "projection", f->table.P, P);
    tdm_course_average(f->course, "average", f->m->g->block, f->live->block, f->live->n);
    tdm_course_average(f->course, "average.projection", f->m->P, f->table.P, P);
    tdm_course_number(f->course, &f->best_value);
    tdm_course_number(f->course, &f->best_epoch);
    if (!in->judge) return TDM_OK;
    tdm_course_curve(f->course, "ndcg@10");
    tdm_course_array(f->course, "best", f->best, f->m->g->n);
    tdm_course_array(f->course, "best.projection", f->best_P, P);
    return TDM_OK;
}

/* ---- the whole ---- */

static tdm_status fitting_open(fitting *f, const tdm_fit_input *in, tdm_err *err)
{
    const tdm_params *p = in->params;
    const float *S;
    *f = (fitting){.in = in, .best_value = -INFINITY};
    if (!in->train->N) return tdm_fail(err, TDM_E_ARG, "gpt2-items: there are no histories to learn from");
    const tdm_gpt2_shape s = tdm_items_shape(p, in->train->I);
    size_t tokens = (size_t)tdm_param_get(p, "batch"), most = in->train->N / BATCHES;
    if (most < LEAST) most = LEAST;
    tdm_status st = tdm_gpt2_shape_check(&s, stage, err);
    if (!st) st = tdm_items_open(&f->m, &S, in->train, in->needs ? in->needs[0] : NULL, p, err);
    if (!st) st = tdm_gpt2_open(&f->live, s, err);
    if (!st) st = tdm_gpt2_open(&f->m->g, s, err);
    if (!st) st = tdm_items_table_open(&f->table, f->m, S, s.C, err);
    if (!st) st = tdm_items_feed_open(&f->feed, in->train, s.T, tokens < most ? tokens : most, err);
    const tdm_gpt2_trainer_options o = {.most = f->feed.most,
                                        .dropout = (float)tdm_param_get(p, "dropout"),
                                        .gemm = tdm_param_get(p, "bf16") > 0 ? tdm_gemm_bf16 : tdm_gemm,
                                        .memory = in->memory};
    if (!st) st = tdm_gpt2_trainer_open(&f->trainer, f->live, &o, in->run, err);
    if (!st) st = optimiser_open(f, err);
    if (st) return st;
    f->best = tdm_new(f->live->n, sizeof *f->best);
    f->best_P = tdm_new(f->table.K, s.C * sizeof *f->best_P);
    f->m->P = tdm_new(f->table.K, s.C * sizeof *f->m->P);
    if (!f->best || !f->best_P || !f->m->P) return tdm_nomem(err, stage);

    double least = ceil(tdm_param_get(p, "updates") / (double)f->feed.steps), epochs = tdm_param_get(p, "epochs");
    f->epochs = (uint64_t)(epochs > least ? epochs : least);
    f->patience = (uint64_t)ceil(tdm_param_get(p, "patience") * (double)f->epochs / epochs);
    double share = tdm_json_num(in->again, "epochs", 1);
    f->until = share > 0 && share < 1 ? (uint64_t)ceil(share * (double)f->epochs - 1e-9) : f->epochs;
    begin_weights(f);
    return course_open(f, S, err);
}

static void fitting_close(fitting *f)
{
    tdm_course_close(f->course);
    tdm_adamw_close(f->adam);
    tdm_gpt2_trainer_close(f->trainer);
    tdm_items_feed_clear(&f->feed);
    tdm_items_table_clear(&f->table);
    tdm_gpt2_close(f->live);
    tdm_free(f->best);
    tdm_free(f->best_P);
    if (f->m) tdm_items_close(&f->m->base);
}

/* The batches of an epoch of which some are done already. */
static void feed_resume(fitting *f)
{
    uint64_t step = tdm_course_tell(f->course).step, done = step % f->feed.steps;
    if (done) tdm_items_feed_epoch(&f->feed, f->in->run->seed, step / f->feed.steps);
    while (done--) (void)tdm_items_feed_next(&f->feed);
}

static tdm_status judge(fitting *f, double *value, uint64_t epoch, tdm_err *err)
{
    size_t P = f->table.K * f->table.C * sizeof(float), n = f->m->g->n * sizeof(float);
    tdm_status st = f->in->judge->ask(f->in->judge->ctx, value, &f->m->base, err);
    if (st) return st;
    tdm_course_log(f->course, "ndcg@10", *value);
    if (!(*value > f->best_value)) return TDM_OK;
    f->best_value = *value;
    f->best_epoch = (double)epoch;
    memcpy(f->best, f->m->g->block, n);
    if (P) memcpy(f->best_P, f->m->P, P);
    return TDM_OK;
}

static tdm_status epoch(fitting *f, uint64_t number, tdm_err *err)
{
    double value = 0;
    char judged[64] = "";
    tdm_status st = tdm_course_run(f->course, number * f->feed.steps, err);
    const tdm_course_told told = tdm_course_tell(f->course);
    if (!st && f->in->judge) st = judge(f, &value, number, err);
    if (st) return st;
    if (f->in->judge)
        snprintf(judged, sizeof judged, ", ndcg@10 %.4f%s", value, f->best_epoch == (double)number ? " (best)" : "");
    tdm_log(f->in->run, TDM_LOG_INFO, stage, "epoch %llu of %llu: loss %.4f%s, %.0f tokens/s",
            (unsigned long long)number, (unsigned long long)f->epochs, told.loss, judged, told.speed);
    tdm_course_lap(f->course);
    return tdm_course_keep(f->course, err);
}

static bool finished(const fitting *f, uint64_t epoch)
{
    if (epoch >= f->until) return true;
    return f->in->judge && epoch >= (uint64_t)f->best_epoch + f->patience;
}

tdm_status tdm_items_fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    fitting f;
    uint64_t done = 0;
    *out = NULL;
    tdm_status st = fitting_open(&f, in, err);
    if (!st) {
        tdm_log(in->run, TDM_LOG_INFO, stage, "%zu items, %zu tokens an epoch in %zu batches, %llu epochs%s", f.m->I,
                f.feed.N, f.feed.steps, (unsigned long long)f.epochs, f.table.K ? "" : "; items have no words");
        tdm_gpt2_plan_log(tdm_gpt2_trainer_plan(f.trainer), in->run, stage);
        st = tdm_course_begin(f.course, err);
    }
    if (!st) {
        feed_resume(&f);
        done = tdm_course_tell(f.course).step / f.feed.steps;
    }
    while (!st && !finished(&f, done)) st = epoch(&f, ++done, err);
    if (!st && in->chosen && in->judge)
        cJSON_AddNumberToObject(in->chosen, "epochs", f.best_epoch / (double)f.epochs); /* a share of the schedule */
    if (!st && in->judge && f.best_epoch > 0) {
        memcpy(f.m->g->block, f.best, f.m->g->n * sizeof(float));
        if (f.table.K) memcpy(f.m->P, f.best_P, f.table.K * f.table.C * sizeof(float));
    }
    if (!st) {
        tdm_course_curves(f.course, in->curves);
        *out = &f.m->base;
        f.m = NULL;
    }
    fitting_close(&f);
    return st;
}
