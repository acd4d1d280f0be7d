/* SPDX-License-Identifier: Apache-2.0 */
/* words_begin.c - the vocabulary and the first weights.
 *
 * Either a pretrained GPT-2 with its own vocabulary, to which the marks of the prompt are added (their rows are the
 * mean of the old ones; every old row stays as it is), or a small one from scratch with a vocabulary learned from the
 * training rows. How many tokens that vocabulary gets: 1,000, from 100 kB of text on 2,000, from 4 MB on 4,000. */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/words_parts.h"

#include <string.h>

static const char stage[] = "gpt2-words";
enum { TITLE_TIMES = 20 };

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
    w->fresh = V > was ? (V > old->s.V ? V : old->s.V) - was : 0;
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

tdm_status tdm_words_begin(tdm_words *w, const char *pretrained, tdm_run *run, tdm_err *err)
{
    return pretrained ? begin_pretrained(w, pretrained, err) : begin_scratch(w, run, err);
}
