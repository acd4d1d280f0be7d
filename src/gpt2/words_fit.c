/* SPDX-License-Identifier: Apache-2.0 */
/* words_fit.c - training: a number of updates that the size of the data decides.
 *
 * With adapters an update goes through the model in parts of PART tokens, whose gradients are added up: activations,
 * which the adapters need of every layer, are then those of a part, and the products of a part are still large enough
 * to be as fast. Which documents make an update does not change.
 *
 * Updates: `epochs` times the documents' tokens over `tokens`; where that is fewer than FEW, so many, but at most
 * MORE times as many epochs, since a model from scratch does not write before; at most `longest`; for a model with more
 * weights than the standard shape fewer in proportion, since each costs that much more, but not below LEAST.
 *
 * Learned from few texts, weights are better in the mean over many updates than where they end: docs/prompts.md. */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/words_learned.h"

#include <math.h>

static const char stage[] = "gpt2-words";
enum { LEAST = 50, FEW = 400, MORE = 3, STANDARD_WEIGHTS = 700000, OFTEN = 100, PART = 512, AVERAGE = 60 };

typedef struct fitting {
    const tdm_fit_input *in;
    tdm_words *w;
    tdm_docs docs, held;
    tdm_docs_room room;
    tdm_learned learned;
    tdm_gpt2_trainer *trainer;
    tdm_adamw *adam;
    tdm_course *course;
    uint32_t *order;
    tdm_gpt2_batch *batch;   /* the parts of an update */
    size_t most, part, next; /* tokens of an update, of a part; documents of this epoch given out */
    uint64_t epoch, steps;
} fitting;

/* Of everything that the bytes depend on. */
static uint64_t key_of(const fitting *f)
{
    const tdm_docs *d = &f->docs;
    uint64_t key = tdm_course_key(f->in->run->seed, TDM_VERSION, sizeof TDM_VERSION);
    for (size_t p = 0; tdm_words_params[p].name; p++)
        key = tdm_course_key(key, &f->in->params->value[p], sizeof(double));
    key = tdm_course_key(key, &f->part, sizeof f->part);
    key = tdm_course_key(key, d->all.token.at, d->all.token.n * sizeof *d->all.token.at);
    key = tdm_course_key(key, d->all.weight, d->all.token.n * sizeof *d->all.weight);
    return tdm_course_key(key, f->w->g->block, f->w->g->n * sizeof(float));
}

/* ---- an update's documents ---- */

/* Two parts side by side are longer than one may be, so these are the most. */
static size_t parts_most(const fitting *f) { return 2 * f->most / f->part + 1; }

/* The parts of the next update, into f->batch; a new epoch's order is a new shuffle. Returns how many. */
static size_t next_update(fitting *f)
{
    size_t n = 0, N = 0, S = 0;
    if (f->next == f->docs.n) {
        f->epoch++;
        f->next = 0;
    }
    if (!f->next) {
        tdm_rng rng = tdm_rng_make(f->in->run->seed, 0xd0c5, f->epoch);
        for (size_t i = 0; i < f->docs.n; i++) f->order[i] = (uint32_t)i;
        tdm_rng_shuffle_u32(&rng, f->order, f->docs.n);
    }
    while (f->next < f->docs.n && n < parts_most(f)) {
        const tdm_docs_room *r = &f->room;
        /* a document has two tokens or more, so that the starts of all parts have room, each with an end of its own */
        const tdm_docs_room room = {r->token + N, r->target + N, r->start + S + n, r->weight + N};
        size_t left = f->most - N, most = left < f->part ? left : f->part;
        size_t took = tdm_docs_batch(&f->batch[n], &room, &f->docs, f->order + f->next, f->docs.n - f->next, most);
        if (!took) break;
        N += f->batch[n].N;
        S += took;
        f->next += took;
        n++;
    }
    return n;
}

static tdm_status gradients(void *ctx, tdm_course_batch *out, uint64_t step, tdm_err *err)
{
    fitting *f = ctx;
    size_t n = next_update(f);
    out->epoch = f->epoch;
    for (size_t k = 0; k < n; k++) out->tokens += f->batch[k].N;
    return tdm_gpt2_trainer_steps(f->trainer, &out->loss, f->batch, n, step, err);
}

/* ---- the course ---- */

static uint64_t updates(const fitting *f)
{
    const tdm_params *p = f->in->params;
    double steps = tdm_param_get(p, "steps");
    if (steps > 0) return (uint64_t)steps;
    double most = tdm_param_get(p, "longest"), weights = (double)f->w->g->n;
    steps = ceil(tdm_param_get(p, "epochs") * (double)f->docs.all.token.n / (double)f->most);
    if (!f->in->pretrained && steps < FEW) steps = fmin(FEW, MORE * steps);
    if (weights > 2 * STANDARD_WEIGHTS) most = ceil(most * 2 * STANDARD_WEIGHTS / weights);
    if (steps > most) steps = most;
    return (uint64_t)(steps > LEAST ? steps : LEAST);
}

/* Updates that the average reaches back. It begins at the first weights, so it must be short beside the whole. */
static double reach_of(const fitting *f)
{
    double reach = tdm_param_get(f->in->params, "average");
    if (reach >= 0) return reach;
    return f->in->pretrained ? 0 : fmin(AVERAGE, floor((double)f->steps / 8));
}

static tdm_status course_open(fitting *f, tdm_err *err)
{
    const tdm_params *p = f->in->params;
    const char *rate = f->learned.lora ? "lora_rate" : f->in->pretrained ? "tuning_rate" : "rate";
    double reach = reach_of(f);
    const tdm_course_plan plan = {
        .name = stage,
        .run = f->in->run,
        .adam = f->adam,
        .key = key_of(f),
        .schedule = {tdm_param_get(p, rate), f->steps / 20 + 1, f->steps, tdm_param_get(p, "floor")},
        .share = 1 / (1 + reach),
        .checkpoint = f->in->checkpoint,
        .log = f->in->train_log,
        .ctx = f,
        .gradients = gradients};
    tdm_status st = tdm_course_open(&f->course, &plan, err);
    if (st) return st;
    if (f->held.n) tdm_course_curve(f->course, "perplexity");
    return tdm_learned_join(&f->learned, f->course, reach > 0, err);
}

static tdm_status fitting_open(fitting *f, tdm_err *err)
{
    const tdm_params *p = f->in->params;
    tdm_run *run = f->in->run;
    tdm_words *w = f->w;
    tdm_status st = tdm_gpt2_words_check(p, f->in->pretrained, err);
    if (!st && !f->in->forms) st = tdm_forms_read(&w->forms, NULL, 0, err);
    if (f->in->forms) w->forms = *f->in->forms;
    if (!st) st = tdm_words_begin(w, f->in->pretrained, run, err);
    if (!st) st = tdm_words_complete(w, err);
    if (!st) st = tdm_docs_make(&f->docs, &f->held, w, run, err);
    if (!st && !f->docs.n) st = tdm_fail(err, TDM_E_ARG, "gpt2-words: there are no histories to learn from");
    if (st) return st;
    f->most = (size_t)tdm_param_get(p, "tokens");
    if (f->most < f->docs.longest) f->most = f->docs.longest;
    f->part = tdm_param_get(p, "lora") > 0 && f->most > PART ? PART : f->most;
    if (f->part < f->docs.longest) f->part = f->docs.longest;
    f->steps = updates(f);
    f->batch = tdm_new(parts_most(f), sizeof *f->batch);
    f->order = tdm_new(f->docs.n, sizeof *f->order);
    if (!f->order || !f->batch) return tdm_nomem(err, stage);
    st = tdm_docs_room_make(&f->room, f->most, err);
    if (!st) st = tdm_learned_open(&f->learned, w, run->seed, err);
    const tdm_gpt2_trainer_options o = {.most = f->part,
                                        .dropout = (float)tdm_param_get(p, "dropout"),
                                        .gemm = tdm_param_get(p, "bf16") > 0 ? tdm_gemm_bf16 : tdm_gemm,
                                        .memory = f->in->memory,
                                        .lora = f->learned.lora,
                                        .rows = f->learned.rows};
    if (!st) st = tdm_gpt2_trainer_open(&f->trainer, w->g, &o, run, err);
    if (st) return st;
    tdm_adamw_group group[TDM_GPT2_GROUPS];
    size_t n = tdm_gpt2_trainer_groups(f->trainer, group, (float)tdm_param_get(p, "decay"));
    st = tdm_adamw_open(&f->adam, group, n, (tdm_adamw_options){.beta1 = 0.9f, .beta2 = 0.98f, .eps = 1e-8f, .clip = 1},
                        err);
    return st ? st : course_open(f, err);
}

static void fitting_close(fitting *f)
{
    tdm_course_close(f->course);
    tdm_adamw_close(f->adam);
    tdm_gpt2_trainer_close(f->trainer);
    tdm_learned_clear(&f->learned);
    tdm_docs_room_clear(&f->room);
    tdm_docs_clear(&f->docs);
    tdm_docs_clear(&f->held);
    tdm_free(f->order);
    tdm_free(f->batch);
    if (f->w) tdm_words_close(&f->w->base);
}

static tdm_status train(fitting *f, tdm_err *err)
{
    tdm_status st = tdm_course_begin(f->course, err);
    uint64_t step = st ? f->steps : tdm_course_tell(f->course).step;
    for (uint64_t k = 0; !st && k < step; k++) next_update(f);
    while (!st && step < f->steps) {
        step += OFTEN - step % OFTEN;
        if (step > f->steps) step = f->steps;
        st = tdm_course_run(f->course, step, err);
        if (st) break;
        tdm_log(f->in->run, TDM_LOG_DEBUG, stage, "update %llu of %llu: loss %.4f", (unsigned long long)step,
                (unsigned long long)f->steps, tdm_course_tell(f->course).recent);
        if (step < f->steps) st = tdm_course_keep(f->course, err);
    }
    if (!st) tdm_learned_finish(&f->learned);
    return st;
}

tdm_status tdm_words_fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    fitting f = {.in = in, .w = tdm_new(1, sizeof *f.w)};
    *out = NULL;
    if (!f.w) return tdm_nomem(err, stage);
    f.w->base.ops = &tdm_gpt2_words_ops;
    f.w->p = *in->params;
    f.w->train = in->train;
    tdm_status st = fitting_open(&f, err);
    if (!st) {
        tdm_log(in->run, TDM_LOG_INFO, stage, "%zu documents of %zu tokens (%s), %zu words, %llu updates of %zu tokens",
                f.docs.n, f.docs.all.token.n, f.w->writes ? "reviews" : "titles only", tdm_bpe_size(f.w->b),
                (unsigned long long)f.steps, f.most);
        tdm_gpt2_plan_log(tdm_gpt2_trainer_plan(f.trainer), in->run, stage);
        st = train(&f, err);
    }
    if (!st) st = tdm_words_pack(f.w, in->run->pool, err);
    double perplexity;
    if (!st && f.held.n) {
        st = tdm_docs_perplexity(&perplexity, f.w->g, &f.held, in->run, err);
        if (!st) {
            tdm_log(in->run, TDM_LOG_INFO, stage, "perplexity %.2f on %zu documents held out", perplexity, f.held.n);
            tdm_course_log(f.course, "perplexity", perplexity);
        }
    }
    if (!st) {
        tdm_course_curves(f.course, in->curves);
        *out = &f.w->base;
        f.w = NULL;
    }
    fitting_close(&f);
    return st;
}
