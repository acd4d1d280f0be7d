/* SPDX-License-Identifier: Apache-2.0 */
/* words_fit.c - a vocabulary, a beginning, and a number of updates that the size of the data decides.
 *
 * Beginning: a pretrained GPT-2 with its own vocabulary, to which the marks of the prompt are added (their rows are the
 * mean of the old ones; every old row stays as it is), or a small one from scratch with a vocabulary learned from the
 * training rows. How many tokens that vocabulary gets: 1,000, from 100 kB of text on 2,000, from 4 MB on 4,000.
 *
 * Updates: `epochs` times the documents' tokens over `tokens`, at most `longest`; for a model with more weights than
 * the standard shape fewer in proportion, since each costs that much more, but not below LEAST. */
#include "base/file.h"
#include "base/mem.h"
#include "base/safetensors.h"
#include "base/status.h"
#include "gpt2/train.h"
#include "gpt2/words_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char stage[] = "gpt2-words";
enum { LEAST = 50, STANDARD_WEIGHTS = 700000, OFTEN = 100, TITLE_TIMES = 20 };

/* ---- the vocabulary ---- */

typedef struct texts {
    tdm_buf bytes;
    int64_t *offset;
    size_t n, cap;
    bool failed;
} texts;

static void texts_add(texts *t, const tdm_buf *s)
{
    if (!s->n) return;
    tdm_buf_add(&t->bytes, s->p, s->n);
    if (t->bytes.failed || s->failed || tdm_grow(&t->offset, &t->cap, t->n + 2, sizeof *t->offset)) t->failed = true;
    else t->offset[++t->n] = (int64_t)t->bytes.n;
}

/* Names, as often as their items are chosen (up to a limit), and what people wrote in the training rows. */
static void texts_read(texts *t, const tdm_dataset *d, const tdm_readers *r)
{
    tdm_buf s = {0};
    for (size_t i = 0; i < d->I && !t->failed; i++) {
        int64_t times = r->from[i + 1] - r->from[i];
        tdm_words_name(&s, d, r, (uint32_t)i, TDM_NONE, NULL);
        for (int64_t k = 0; k < times && k < TITLE_TIMES; k++) texts_add(t, &s);
    }
    for (size_t k = 0; k < d->N && !t->failed; k++) {
        tdm_prompt_clean(&s, tdm_strings_at(&d->summary, d->row[k]), SUMMARY_BYTES);
        texts_add(t, &s);
        tdm_prompt_clean(&s, tdm_strings_at(&d->review, d->row[k]), 4 * REVIEW_BYTES);
        texts_add(t, &s);
    }
    for (size_t i = 0; i < TDM_RATING_WORDS && !t->failed; i++) { /* seen twice, so that they may become tokens */
        tdm_buf_reset(&s);
        tdm_buf_str(&s, tdm_rating_words[i]);
        texts_add(t, &s);
        texts_add(t, &s);
    }
    tdm_buf_clear(&s);
}

static tdm_status vocabulary_learn(tdm_words *w, tdm_run *run, tdm_err *err)
{
    texts t = {0};
    tdm_readers r;
    tdm_status st = tdm_readers_make(&r, w->train, err);
    if (st) return st;
    texts_read(&t, w->train, &r);
    tdm_readers_clear(&r);
    if (t.failed) st = tdm_nomem(err, "the texts to learn words from");
    size_t tokens = (size_t)tdm_param_get(&w->p, "vocabulary");
    if (!tokens) tokens = t.bytes.n < 100000 ? 1000 : t.bytes.n < 4000000 ? 2000 : 4000;
    const tdm_strings all = {t.bytes.p, t.offset, t.n};
    if (!st) st = tdm_bpe_learn(&w->b, &all, tokens < 256 ? 256 : tokens, tdm_prompt_special, run, err);
    tdm_buf_clear(&t.bytes);
    tdm_free(t.offset);
    return st;
}

/* ---- the beginning ---- */

static tdm_status begin_scratch(tdm_words *w, tdm_run *run, tdm_err *err)
{
    const tdm_params *p = &w->p;
    tdm_status st = vocabulary_learn(w, run, err);
    if (st) return st;
    tdm_gpt2_shape s = {.V = tdm_bpe_size(w->b),
                        .T = (size_t)tdm_param_get(p, "window"),
                        .C = (size_t)tdm_param_get(p, "C"),
                        .L = (size_t)tdm_param_get(p, "L"),
                        .H = (size_t)tdm_param_get(p, "H")};
    st = tdm_gpt2_shape_check(&s, stage, err);
    if (!st) st = tdm_gpt2_open(&w->g, s, err);
    if (!st) tdm_gpt2_init(w->g, run->seed);
    return st;
}

/* A copy of `old` with room for V tokens. */
static tdm_status extend(tdm_gpt2 **out, const tdm_gpt2 *old, size_t V, tdm_err *err)
{
    tdm_gpt2_shape s = old->s;
    s.V = V;
    tdm_status st = tdm_gpt2_shape_check(&s, stage, err);
    if (!st) st = tdm_gpt2_open(out, s, err);
    if (st) return st;
    size_t rows = old->s.V * s.C;
    memcpy((*out)->w.wte, old->w.wte, rows * sizeof(float));
    memcpy((*out)->w.wpe, old->w.wpe, (old->n - rows) * sizeof(float)); /* the rest follows, in the same order */
    for (size_t c = 0; c < s.C; c++) {
        double mean = 0;
        for (size_t v = 0; v < old->s.V; v++) mean += (double)old->w.wte[v * s.C + c];
        for (size_t v = old->s.V; v < V; v++) (*out)->w.wte[v * s.C + c] = (float)(mean / (double)old->s.V);
    }
    return TDM_OK;
}

static tdm_status begin_pretrained(tdm_words *w, const char *folder, tdm_err *err)
{
    tdm_gpt2 *old = NULL;
    tdm_status st = tdm_bpe_open(&w->b, folder, err);
    if (!st) st = tdm_gpt2_load(&old, folder, err);
    if (st) return st;
    size_t was = tdm_bpe_size(w->b);
    if (was > old->s.V)
        st = tdm_fail(err, TDM_E_FORMAT,
                      "%s: the vocabulary has %zu tokens, the model rows for %zu: they do not belong together", folder,
                      was, old->s.V);
    if (!st && old->s.T < WORDS_T)
        st = tdm_fail(err, TDM_E_UNSUPPORTED, "%s: a model of %zu positions is too short for a prompt, which needs %d",
                      folder, old->s.T, WORDS_T);
    if (!st) st = tdm_bpe_add_special(w->b, tdm_prompt_special, err);
    size_t V = st ? 0 : tdm_bpe_size(w->b);
    if (!st) st = extend(&w->g, old, V > old->s.V ? V : old->s.V, err);
    if (!st) { /* what the folder says beside its weights goes on with them */
        w->g->config = old->config;
        w->g->generation = old->generation;
        w->g->bare = old->bare;
        old->config = NULL;
        old->generation = NULL;
    }
    tdm_gpt2_close(old);
    return st;
}

/* ---- the course ---- */

typedef struct fitting {
    const tdm_fit_input *in;
    tdm_words *w;
    tdm_docs docs, held;
    tdm_docs_room room;
    tdm_gpt2_trainer *trainer;
    tdm_adamw *adam;
    uint32_t *order;
    size_t most, next; /* tokens of a batch; documents of this epoch given out */
    uint64_t epoch, step, steps, key;
    double rate;
} fitting;

static uint64_t mix(uint64_t key, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (; n; n -= n < 8 ? n : 8, p += 8) {
        uint64_t word = 0;
        memcpy(&word, p, n < 8 ? n : 8);
        key = tdm_mix64(key ^ word);
    }
    return key;
}

/* Of everything that the bytes depend on. */
static uint64_t course_key(const fitting *f)
{
    const tdm_docs *d = &f->docs;
    uint64_t key = mix(f->in->run->seed, TDM_VERSION, sizeof TDM_VERSION);
    for (size_t p = 0; tdm_words_params[p].name; p++) key = mix(key, &f->in->params->value[p], sizeof(double));
    key = mix(key, d->all.token.at, d->all.token.n * sizeof *d->all.token.at);
    key = mix(key, d->all.weight, d->all.token.n * sizeof *d->all.weight);
    return mix(key, f->w->g->block, f->w->g->n * sizeof(float));
}

/* The documents of the next batch; a new epoch's order is a new shuffle. */
static void next_batch(fitting *f, tdm_gpt2_batch *b)
{
    if (f->next == f->docs.n) {
        f->epoch++;
        f->next = 0;
    }
    if (!f->next) {
        tdm_rng rng = tdm_rng_make(f->in->run->seed, 0xd0c5, f->epoch);
        for (size_t i = 0; i < f->docs.n; i++) f->order[i] = (uint32_t)i;
        tdm_rng_shuffle_u32(&rng, f->order, f->docs.n);
    }
    f->next += tdm_docs_batch(b, &f->room, &f->docs, f->order + f->next, f->docs.n - f->next, f->most);
}

static tdm_status checkpoint_write(const fitting *f, tdm_err *err)
{
    if (!f->in->checkpoint) return TDM_OK;
    float *m, *v;
    size_t n;
    const uint64_t counter[2] = {f->key, f->step};
    const char *meta[] = {"model", "gpt2-words checkpoint", NULL};
    tdm_adamw_state(f->adam, &m, &v, &n);
    const tdm_tensor t[] = {tdm_tensor_1d("counters", TDM_U64, counter, 2),
                            tdm_tensor_1d("weights", TDM_F32, f->w->g->block, f->w->g->n),
                            tdm_tensor_1d("moment1", TDM_F32, m, n), tdm_tensor_1d("moment2", TDM_F32, v, n)};
    return tdm_safetensors_write(f->in->checkpoint, t, 4, meta, err);
}

/* Takes up a checkpoint of this very training, or leaves all as it is. */
static tdm_status checkpoint_read(fitting *f, tdm_err *why)
{
    tdm_safetensors *s;
    const void *counter, *data[3];
    float *into[3] = {f->w->g->block};
    size_t n[3] = {f->w->g->n};
    static const char *const name[] = {"weights", "moment1", "moment2"};
    tdm_adamw_state(f->adam, &into[1], &into[2], &n[1]);
    n[2] = n[1];
    tdm_status st = tdm_safetensors_open(&s, f->in->checkpoint, why);
    if (st) return st;
    st = tdm_safetensors_need(s, &counter, "counters", TDM_U64, 2, why);
    const uint64_t *c = st ? NULL : counter;
    if (!st && (c[0] != f->key || c[1] > f->steps))
        st = tdm_fail(why, TDM_E_FORMAT, "%s: was begun with other data or settings", f->in->checkpoint);
    for (size_t i = 0; !st && i < 3; i++) {
        st = tdm_safetensors_need(s, &data[i], name[i], TDM_F32, n[i], why);
        for (size_t k = 0; !st && k < n[i]; k++)
            if (!isfinite(((const float *)data[i])[k]))
                st = tdm_fail(why, TDM_E_FORMAT, "%s: %s holds what is not a number", f->in->checkpoint, name[i]);
    }
    if (!st) { /* all of it is right, so now it may be taken */
        f->step = c[1];
        for (size_t i = 0; i < 3; i++) memcpy(into[i], data[i], n[i] * sizeof(float));
        tdm_gpt2_batch b;
        for (uint64_t k = 0; k < f->step; k++) next_batch(f, &b);
    }
    tdm_safetensors_close(s);
    return st;
}

static void resume(fitting *f)
{
    tdm_err why;
    tdm_run *run = f->in->run;
    if (!f->in->checkpoint || !tdm_file_exists(f->in->checkpoint)) return;
    if (checkpoint_read(f, &why))
        tdm_log(run, TDM_LOG_WARN, stage, "begun anew, since the checkpoint is of no use: %s", why.msg);
    else tdm_log(run, TDM_LOG_INFO, stage, "goes on after update %llu", (unsigned long long)f->step);
}

static uint64_t updates(const fitting *f)
{
    const tdm_params *p = f->in->params;
    double steps = tdm_param_get(p, "steps");
    if (steps > 0) return (uint64_t)steps;
    double most = tdm_param_get(p, "longest"), weights = (double)f->w->g->n;
    steps = ceil(tdm_param_get(p, "epochs") * (double)f->docs.all.token.n / (double)f->most);
    if (weights > 2 * STANDARD_WEIGHTS) most = ceil(most * 2 * STANDARD_WEIGHTS / weights);
    if (steps > most) steps = most;
    return (uint64_t)(steps > LEAST ? steps : LEAST);
}

static tdm_status fitting_open(fitting *f, tdm_err *err)
{
    const tdm_params *p = f->in->params;
    tdm_run *run = f->in->run;
    tdm_words *w = f->w;
    tdm_status st = f->in->pretrained ? begin_pretrained(w, f->in->pretrained, err) : begin_scratch(w, run, err);
    if (!st) st = tdm_words_complete(w, err);
    if (!st) st = tdm_docs_make(&f->docs, &f->held, w, run, err);
    if (!st && !f->docs.n) st = tdm_fail(err, TDM_E_ARG, "gpt2-words: there are no histories to learn from");
    if (st) return st;
    f->most = (size_t)tdm_param_get(p, "tokens");
    if (f->most < f->docs.longest) f->most = f->docs.longest;
    f->steps = updates(f);
    f->rate = tdm_param_get(p, f->in->pretrained ? "tuning_rate" : "rate");
    f->order = tdm_new(f->docs.n, sizeof *f->order);
    if (!f->order) return tdm_nomem(err, stage);
    st = tdm_docs_room_make(&f->room, f->most, err);
    const tdm_gpt2_trainer_options o = {.most = f->most, .dropout = (float)tdm_param_get(p, "dropout")};
    if (!st) st = tdm_gpt2_trainer_open(&f->trainer, w->g, &o, run, err);
    if (st) return st;
    tdm_adamw_group group[TDM_GPT2_GROUPS];
    const tdm_gpt2_tensors grad = tdm_gpt2_trainer_grad(f->trainer);
    size_t n = tdm_gpt2_groups(group, w->g, &grad, (float)tdm_param_get(p, "decay"));
    st = tdm_adamw_open(&f->adam, group, n, (tdm_adamw_options){.beta1 = 0.9f, .beta2 = 0.98f, .eps = 1e-8f, .clip = 1},
                        err);
    if (!st) f->key = course_key(f);
    return st;
}

static void fitting_close(fitting *f)
{
    tdm_adamw_close(f->adam);
    tdm_gpt2_trainer_close(f->trainer);
    tdm_docs_room_clear(&f->room);
    tdm_docs_clear(&f->docs);
    tdm_docs_clear(&f->held);
    tdm_free(f->order);
    if (f->w) tdm_words_close(&f->w->base);
}

static tdm_status train(fitting *f, tdm_err *err)
{
    tdm_run *run = f->in->run;
    tdm_status st = TDM_OK;
    double smooth = 0;
    while (!st && f->step < f->steps) {
        tdm_gpt2_batch b;
        double loss = 0;
        char note[64];
        st = tdm_run_check(run, stage, err);
        if (st) {
            (void)checkpoint_write(f, NULL); /* what was asked for is to stop; the checkpoint is a help */
            break;
        }
        next_batch(f, &b);
        uint64_t step = f->step + 1;
        st = tdm_gpt2_trainer_step(f->trainer, &loss, &b, step, err);
        if (st) break;
        double rate = f->rate * tdm_cosine_rate(step, f->steps / 20 + 1, f->steps, 0.05);
        tdm_adamw_step(f->adam, (float)rate, step, run->pool);
        f->step = step;
        smooth += (loss - smooth) * (smooth > 0 ? 0.05 : 1);
        snprintf(note, sizeof note, "loss %.3f", smooth);
        tdm_progress(run, stage, step, f->steps, note);
        if (step % OFTEN == 0) {
            tdm_log(run, TDM_LOG_DEBUG, stage, "update %llu of %llu: loss %.4f", (unsigned long long)step,
                    (unsigned long long)f->steps, smooth);
            if (step < f->steps) st = checkpoint_write(f, err);
        }
    }
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
        resume(&f);
        st = train(&f, err);
    }
    double perplexity;
    if (!st && f.held.n) {
        st = tdm_docs_perplexity(&perplexity, f.w->g, &f.held, err);
        if (!st)
            tdm_log(in->run, TDM_LOG_INFO, stage, "perplexity %.2f on %zu documents held out", perplexity, f.held.n);
    }
    if (!st) {
        *out = &f.w->base;
        f.w = NULL;
    }
    fitting_close(&f);
    return st;
}
