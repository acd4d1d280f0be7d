/* SPDX-License-Identifier: Apache-2.0 */
/* words_write.c - the sentence beside a recommendation.
 *
 * The prompt is that of a review's document, with the best rating and what other people who liked the item wrote; the
 * model first writes a summary, then the sentence. Of a few seeded tries that pass as a sentence the one with the
 * highest likelihood per token is taken; none may pass, then there is no sentence, which is no error. */
#include "base/mem.h"
#include "base/status.h"
#include "base/utf8.h"
#include "gpt2/decode.h"
#include "gpt2/sample.h"
#include "gpt2/words_parts.h"

#include <math.h>
#include <string.h>

enum { TRIES = 12, STRANGE = 1, ANSWER_TOKENS = SUMMARY_TOKENS + REVIEW_TOKENS + 3, SHORTEST = 24, LONGEST_WORD = 32 };

typedef struct writer {
    const tdm_words *w;
    tdm_decoder *d;
    tdm_prompt prompt;
    tdm_sampling how;
    uint32_t *allowed; /* plain tokens, then the marks that may follow */
    float *logits;     /* V */
    tdm_sampler *sampler;
    tdm_buf text, one;
    double logp; /* of the tokens of `text`, and how many */
    size_t tokens;
} writer;

/* ---- is it a sentence? ---- */

/* Long enough to say something: four words or more, mostly letters, none endless or made up, and no two neighbours
 * twice, which is how a small model goes round in circles. *strange: neighbours that nobody has written so. */
static bool passes(const tdm_lexicon *l, tdm_str s, size_t *strange)
{
    enum { MOST = 64 };
    tdm_str word[MOST];
    size_t n = 0, letters = 0, all = s.n;
    *strange = 0;
    if (s.n < SHORTEST || !tdm_prompt_ends(s)) return false;
    for (size_t i = 0; i < s.n; i++)
        letters += ((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z') || (uint8_t)s.p[i] >= 0x80;
    while (n < MOST && (word[n] = tdm_lexicon_word(&s)).n) n++;
    for (size_t i = 0; i < n; i++) {
        if (word[i].n > LONGEST_WORD || !tdm_lexicon_knows(l, word[i])) return false;
        if (i && tdm_str_eq(word[i], word[i - 1])) return false;
        if (i) *strange += !tdm_lexicon_joins(l, word[i - 1], word[i]);
        for (size_t j = i + 1; j + 1 < n; j++)
            if (tdm_str_eq(word[i], word[j]) && tdm_str_eq(word[i + 1], word[j + 1])) return false;
    }
    return n >= 4 && n < MOST && 2 * letters > all;
}

/* ---- one try ---- */

/* Draws one of the plain tokens or of the `n` marks behind them. */
static uint32_t draw(writer *x, tdm_rng *rng, const uint32_t *mark, size_t n, double *logp)
{
    size_t plain = x->w->n_plain;
    for (size_t i = 0; i < n; i++) x->allowed[plain + i] = mark[i];
    tdm_decoder_logits(x->d, x->logits, 1);
    const tdm_choice from = {.allowed = x->allowed, .n = plain + n};
    return tdm_sample(x->sampler, x->logits, &from, &x->how, rng, logp);
}

/* Writes plain tokens into x->text until a mark is drawn, which *stopped says (UINT32_MAX: none was, there were
 * enough). */
static tdm_status write_part(writer *x, tdm_rng *rng, const uint32_t *mark, size_t n, size_t most, bool sentence,
                             uint32_t *stopped, tdm_err *err)
{
    tdm_status st = TDM_OK;
    tdm_buf_reset(&x->text);
    x->logp = 0;
    x->tokens = 0;
    *stopped = UINT32_MAX;
    while (!st && x->tokens < most) {
        double logp;
        uint32_t t = draw(x, rng, mark, x->tokens ? n : 0, &logp);
        for (size_t i = 0; i < n; i++)
            if (t == mark[i]) {
                *stopped = t;
                return TDM_OK;
            }
        tdm_buf_reset(&x->one);
        tdm_bpe_decode(x->w->b, &x->one, &t, 1);
        bool fresh = x->one.n && x->one.p[0] == ' ';
        if (sentence && fresh && x->text.n >= SHORTEST && tdm_prompt_ends((tdm_str){x->text.p, x->text.n}))
            return TDM_OK;
        tdm_buf_add(&x->text, x->one.p, x->one.n);
        if (x->text.failed || x->one.failed) return tdm_nomem(err, "a sentence");
        x->logp += logp;
        x->tokens++;
        st = tdm_decoder_feed(x->d, 0, &t, 1, err);
    }
    return st;
}

/* One answer: the sentence in x->text with its likelihood; empty where it did not come to one. */
static tdm_status attempt(writer *x, tdm_rng *rng, tdm_err *err)
{
    const tdm_marks *mark = &x->w->mark;
    const uint32_t *prompt = x->prompt.token.at;
    size_t n = x->prompt.token.n;
    uint32_t first = x->w->summaries ? mark->summary : mark->review, stopped;
    tdm_decoder_rewind(x->d, 0, n - 1);
    tdm_status st = tdm_decoder_feed(x->d, 0, (uint32_t[]){prompt[n - 1], first}, 2, err);
    if (!st && x->w->summaries) {
        const uint32_t after = x->w->reviews ? mark->review : mark->text;
        st = write_part(x, rng, &after, 1, SUMMARY_TOKENS, false, &stopped, err);
        if (st) return st;
        if (!x->w->reviews) { /* nobody writes more than a summary: it is the sentence if it can be one */
            if (x->text.n && !tdm_prompt_ends((tdm_str){x->text.p, x->text.n})) tdm_buf_char(&x->text, '.');
            return x->text.failed ? tdm_nomem(err, "a sentence") : TDM_OK;
        }
        st = tdm_decoder_feed(x->d, 0, &mark->review, 1, err);
    }
    return st ? st : write_part(x, rng, &mark->text, 1, REVIEW_TOKENS, true, &stopped, err);
}

/* ---- the best of a few ---- */

static tdm_status best_of(writer *x, char *out, size_t cap, double *logp, const tdm_reason *r, tdm_err *err)
{
    tdm_buf clean = {0};
    tdm_status st = TDM_OK;
    double best = -INFINITY;
    for (uint64_t t = 0; !st && t < TRIES; t++) {
        tdm_rng rng = tdm_rng_make(r->seed, 0x5e17 + r->item, t);
        st = attempt(x, &rng, err);
        if (st || !x->tokens || !tdm_utf8_valid((tdm_str){x->text.p, x->text.n})) continue;
        tdm_prompt_clean(&clean, (tdm_str){x->text.p, x->text.n}, SIZE_MAX);
        if (clean.failed) st = tdm_nomem(err, "a sentence");
        size_t most = cap - 1 < REVIEW_BYTES ? cap - 1 : REVIEW_BYTES;
        tdm_str s = tdm_prompt_sentences((tdm_str){clean.p, clean.n}, most);
        double mean = x->logp / (double)x->tokens;
        size_t strange;
        if (st || !passes(&x->w->lexicon, s, &strange) || strange > STRANGE) continue;
        if (mean - (double)strange <= best) continue; /* one strange join weighs a unit of likelihood */
        best = mean - (double)strange;
        memcpy(out, s.p, s.n);
        out[s.n] = 0;
        *logp = mean;
    }
    tdm_buf_clear(&clean);
    return st;
}

/* The prompt of a reason. */
static tdm_status ask(writer *x, const tdm_reason *r, tdm_err *err)
{
    const tdm_words *w = x->w;
    const tdm_dataset *d = w->train;
    size_t window = (size_t)tdm_param_get(&w->p, "window");
    tdm_question q = {.history = r->history,
                      .item = r->item,
                      .person = r->history->self,
                      .rating = d->rating_high > d->rating_low ? d->rating_high : NAN,
                      .others = true,
                      .good = true,
                      .most_history = (size_t)tdm_param_get(&w->p, "history"),
                      .room = (window < w->g->s.T ? window : w->g->s.T) - ANSWER_TOKENS};
    for (size_t i = 0; r->evidence && i < r->evidence->n_because && q.n_because < BECAUSE; i++)
        if (r->evidence->because[i].item < w->names.I && r->evidence->because[i].share > 0)
            q.because[q.n_because++] = r->evidence->because[i].item;
    tdm_rng rng = tdm_rng_make(r->seed, 0x07e5, r->item);
    return tdm_words_prompt(&x->prompt, w, &q, &rng, err);
}

tdm_status tdm_words_write(const tdm_model *m, char *out, size_t cap, double *logp, const tdm_reason *r, tdm_err *err)
{
    const tdm_words *w = (const tdm_words *)m;
    if (cap) out[0] = 0;
    *logp = 0;
    if (r->item >= w->names.I)
        return tdm_fail(err, TDM_E_ARG, "gpt2-words: there is no item %u to write about", r->item);
    if (!w->writes || cap < SHORTEST + 1) return TDM_OK; /* without reviews it has learned titles, not sentences */
    writer x = {.w = w,
                .how = {.temperature = (float)tdm_param_get(&w->p, "temperature"),
                        .top_k = (size_t)tdm_param_get(&w->p, "top_k"),
                        .top_p = (float)tdm_param_get(&w->p, "top_p")},
                .allowed = tdm_new(w->n_plain + 2, sizeof *x.allowed),
                .logits = tdm_new(w->g->s.V, sizeof *x.logits)};
    tdm_status st = x.allowed && x.logits ? tdm_sampler_open(&x.sampler, w->g->s.V, err) : tdm_nomem(err, "a sentence");
    if (!st) memcpy(x.allowed, w->plain, w->n_plain * sizeof *x.allowed);
    if (!st) st = ask(&x, r, err);
    if (!st) st = tdm_decoder_open(&x.d, w->packed, 1, x.prompt.token.n + ANSWER_TOKENS, NULL, err);
    if (!st) st = tdm_decoder_feed(x.d, 0, x.prompt.token.at, x.prompt.token.n, err);
    if (!st) st = best_of(&x, out, cap, logp, r, err);
    if (st) out[0] = 0;
    tdm_decoder_close(x.d);
    tdm_prompt_clear(&x.prompt);
    tdm_buf_clear(&x.text);
    tdm_buf_clear(&x.one);
    tdm_free(x.allowed);
    tdm_free(x.logits);
    tdm_sampler_close(x.sampler);
    return st;
}
