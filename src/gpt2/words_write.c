/* SPDX-License-Identifier: Apache-2.0 */
/* words_write.c - the sentence beside a recommendation.
 *
 * The prompt is that of a review's document, with the best rating and what other people who liked the item wrote; the
 * model first writes a summary, then the sentence. Of a few seeded tries that pass as a sentence, and that whoever asks
 * lets pass, the one with the highest likelihood per token is taken, what the history adds to it counted twice; none
 * may pass, then there is no sentence, which is no error.
 *
 * The tries are texts that fork from one reading of the prompt and go on side by side, a token each in one pass over
 * the weights; each draws from a stream of its own, so that none depends on the others. At temperature 0, where all
 * would be the same, the first begins with the likeliest token, the second with the second likeliest, and so on.
 *
 * A token that would put a blocked word into a try is not taken, and another is drawn in its place; the end of what is
 * written so far counts as the end of a word, so a longer word that begins with a blocked one is given up too where its
 * pieces part there. */
#include "base/mem.h"
#include "base/status.h"
#include "base/utf8.h"
#include "gpt2/decode.h"
#include "gpt2/sample.h"
#include "gpt2/score.h"
#include "gpt2/words_parts.h"

#include <math.h>
#include <string.h>

enum {
    TRIES = 12,
    REDRAWS = 8,
    STRANGE = 1,
    ANSWER_TOKENS = SUMMARY_TOKENS + REVIEW_TOKENS + 3,
    SHORTEST = 24,
    LONGEST_WORD = 32
};
static const double PERSONAL = 2;

/* One try at an answer. */
typedef struct
try {
    tdm_rng rng;
    bool done, summary; /* summary: that is the part being written */
    tdm_buf text;       /* of the part */
    double logp;        /* of its tokens, and how many */
    size_t tokens;
    uint32_t next;  /* what is to be read next */
    uint32_t *said; /* all that was drawn, both parts */
    size_t n_said;
}
try;

typedef struct writer {
    const tdm_words *w;
    tdm_decoder *d;
    tdm_prompt prompt;
    tdm_sampling how;
    uint32_t *allowed; /* plain tokens, then the mark that may follow */
    const tdm_block *block;
    uint32_t *left; /* of these, what is left of them behind draws that may not be */
    tdm_folded folded;
    float *logits; /* TRIES x V */
    tdm_sampler *sampler;
    try try[TRIES];
    uint32_t *said; /* TRIES x ANSWER_TOKENS */
    tdm_buf one;
    tdm_draft_fn *draft; /* told of one of the tries */
    void *draft_ctx;
    size_t told;    /* which; TRIES: none yet */
    tdm_buf so_far; /* what it has, clean */
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

/* ---- the tries ---- */

typedef enum taken { TAKEN, FULL, BLOCKED } taken;

/* Takes a token drawn into the part being written. FULL: it stands as it was, for the part was whole before; BLOCKED:
 * so it does, for a blocked word would be in it. */
static tdm_status take(writer *x, try *t, uint32_t token, double logp, taken *how, tdm_err *err)
{
    size_t before = t->text.n;
    bool found;
    tdm_buf_reset(&x->one);
    tdm_bpe_decode(x->w->b, &x->one, &token, 1);
    bool fresh = x->one.n && x->one.p[0] == ' ';
    *how = !t->summary && fresh && before >= SHORTEST && tdm_prompt_ends((tdm_str){t->text.p, before}) ? FULL : TAKEN;
    if (*how == FULL) return TDM_OK;
    tdm_buf_add(&t->text, x->one.p, x->one.n);
    if (t->text.failed || x->one.failed) return tdm_nomem(err, "a sentence");
    tdm_status st = tdm_block_find(x->block, &found, (tdm_str){t->text.p, t->text.n}, &x->folded, err);
    if (st) return st;
    if (found) {
        *how = BLOCKED;
        t->text.p[t->text.n = before] = 0;
        return TDM_OK;
    }
    t->logp += logp;
    t->tokens++;
    t->said[t->n_said++] = token;
    t->next = token;
    return TDM_OK;
}

/* The part is written: the next one, or the end. */
static tdm_status finish_part(writer *x, try *t, tdm_err *err)
{
    t->done = !t->summary || !x->w->reviews;
    if (t->done && t->summary && t->text.n && !tdm_prompt_ends((tdm_str){t->text.p, t->text.n}))
        tdm_buf_char(&t->text, '.'); /* nobody writes more than a summary: it is the sentence if it can be one */
    if (t->text.failed) return tdm_nomem(err, "a sentence");
    if (t->done) return TDM_OK;
    tdm_buf_reset(&t->text);
    t->logp = 0;
    t->tokens = 0;
    t->summary = false;
    t->next = x->w->mark.review;
    return TDM_OK;
}

/* The same choice without `token`. */
static void leave_out(writer *x, tdm_choice *from, uint32_t token)
{
    size_t n = 0;
    for (size_t i = 0; i < from->n; i++)
        if (from->allowed[i] != token) x->left[n++] = from->allowed[i];
    from->allowed = x->left;
    from->n = n;
}

/* One token more for a try whose logits these are: a plain one, or, behind the first, the mark that ends the part. */
static tdm_status go_on(writer *x, try *t, const float *logits, tdm_err *err)
{
    bool greedy = !(x->how.temperature > 0);
    const tdm_words *w = x->w;
    size_t most = t->summary ? SUMMARY_TOKENS : REVIEW_TOKENS;
    uint32_t mark = t->summary && w->reviews ? w->mark.review : w->mark.text;
    x->allowed[w->n_plain] = mark;
    tdm_choice from = {.allowed = x->allowed, .n = w->n_plain + (t->tokens > 0), .said = t->said, .n_said = t->n_said};
    tdm_status st = TDM_OK;
    taken how = BLOCKED;
    for (size_t k = 0; greedy && !t->n_said && k < (size_t)(t - x->try) && from.n > 1; k++)
        leave_out(x, &from, tdm_sample(x->sampler, logits, &from, &x->how, &t->rng, NULL));
    for (size_t k = 0; !st && how == BLOCKED && k < REDRAWS && from.n; k++) {
        double logp;
        uint32_t token = tdm_sample(x->sampler, logits, &from, &x->how, &t->rng, &logp);
        if (token == mark) how = FULL;
        else st = take(x, t, token, logp, &how, err);
        if (how == BLOCKED) leave_out(x, &from, token);
    }
    if (st || (how == TAKEN && t->tokens < most)) return st;
    if (how != BLOCKED) return finish_part(x, t, err);
    t->done = true; /* every way on says it */
    t->tokens = 0;
    return TDM_OK;
}

/* ---- drafts ---- */

/* Whether a try may still be the sentence: what it writes now is the part that is shown, and if it is done it passes.
 */
static bool hopeful(const writer *x, const try *t)
{
    size_t strange;
    if ((t->summary && x->w->reviews) || !t->tokens) return false;
    return !t->done || (passes(&x->w->lexicon, (tdm_str){t->text.p, t->text.n}, &strange) && strange <= STRANGE);
}

/* Tells of the try that was told of before while it may be the sentence, else of the likeliest that may. */
static tdm_status tell(writer *x, tdm_err *err)
{
    if (x->told == TRIES || !hopeful(x, &x->try[x->told])) {
        x->told = TRIES;
        double best = -INFINITY;
        for (size_t i = 0; i < TRIES; i++) {
            const try *t = &x->try[i];
            if (!hopeful(x, t) || t->logp / (double)t->tokens <= best) continue;
            best = t->logp / (double)t->tokens;
            x->told = i;
        }
    }
    if (x->told == TRIES) return TDM_OK;
    const try *t = &x->try[x->told];
    tdm_prompt_clean(&x->so_far, (tdm_str){t->text.p, t->text.n}, SIZE_MAX);
    if (x->so_far.failed) return tdm_nomem(err, "a sentence");
    if (!x->draft(x->draft_ctx, (tdm_str){x->so_far.p, x->so_far.n})) return TDM_OK;
    return tdm_fail(err, TDM_E_CANCELLED, "whoever the sentence was told to has stopped it");
}

/* ---- all of it ---- */

static tdm_status write_all(writer *x, const tdm_reason *r, tdm_err *err)
{
    const tdm_words *w = x->w;
    size_t V = w->g->s.V, text[TRIES], rows = TRIES;
    uint32_t token[TRIES], first = w->summaries ? w->mark.summary : w->mark.review;
    tdm_status st = tdm_decoder_feed(x->d, 0, x->prompt.token.at, x->prompt.token.n, err);
    if (!st) st = tdm_decoder_feed(x->d, 0, &first, 1, err);
    if (st) return st;
    tdm_decoder_logits(x->d, x->logits, 1);
    for (size_t i = 0; i < TRIES; i++) {
        tdm_decoder_fork(x->d, i, 0);
        x->try[i].rng = tdm_rng_make(r->seed, 0x5e17 + r->item, i);
        x->try[i].summary = w->summaries;
        x->try[i].said = x->said + i * ANSWER_TOKENS;
        if (!st) st = go_on(x, &x->try[i], x->logits, err);
    }
    while (!st && rows) {
        rows = 0;
        for (size_t i = 0; i < TRIES; i++) {
            if (x->try[i].done) continue;
            text[rows] = i;
            token[rows++] = x->try[i].next;
        }
        if (rows) st = tdm_decoder_step(x->d, text, token, rows, err);
        if (st || !rows) break;
        tdm_decoder_logits(x->d, x->logits, rows);
        for (size_t i = 0; !st && i < rows; i++) st = go_on(x, &x->try[text[i]], x->logits + i * V, err);
        if (!st && x->draft) st = tell(x, err);
    }
    return st;
}

/* ---- the best of a few ---- */

/* A try that may be the answer. */
typedef struct candidate {
    const try *t;
    tdm_buf text; /* its sentences */
    double worth;
} candidate;

/* Those that pass as a sentence and that whoever asks lets pass. */
static tdm_status candidates(const writer *x, candidate *c, size_t *n, const tdm_reason *r, size_t cap, tdm_err *err)
{
    tdm_buf clean = {0};
    tdm_status st = TDM_OK;
    for (size_t i = 0; !st && i < TRIES; i++) {
        const try *t = &x->try[i];
        if (!t->tokens || !tdm_utf8_valid((tdm_str){t->text.p, t->text.n})) continue;
        tdm_prompt_clean(&clean, (tdm_str){t->text.p, t->text.n}, SIZE_MAX);
        if (clean.failed) st = tdm_nomem(err, "a sentence");
        size_t most = cap - 1 < REVIEW_BYTES ? cap - 1 : REVIEW_BYTES;
        tdm_str s = tdm_prompt_sentences((tdm_str){clean.p, clean.n}, most);
        size_t strange;
        if (st || !passes(&x->w->lexicon, s, &strange) || strange > STRANGE) continue;
        if (r->fits && !r->fits(r->fits_ctx, s)) continue;
        candidate *to = &c[(*n)++];
        to->t = t;
        to->worth = t->logp / (double)t->tokens - (double)strange; /* a strange join weighs a unit of likelihood */
        tdm_buf_add(&to->text, s.p, s.n);
        if (to->text.failed) st = tdm_nomem(err, "a sentence");
    }
    tdm_buf_clear(&clean);
    return st;
}

/* log p of each sentence, as the first thing that is written, behind the person's prompt or nobody's. */
static tdm_status score(double *sum, const writer *x, const candidate *c, size_t n, const tdm_reason *r, bool person,
                        tdm_err *err)
{
    const tdm_words *w = x->w;
    tdm_prompt nobody = {0};
    const tdm_prompt *prompt = person ? &x->prompt : &nobody;
    uint32_t *token = tdm_new(n * (ANSWER_TOKENS + 1), sizeof *token), start[TRIES + 1] = {0};
    float *logp = tdm_new(n * (ANSWER_TOKENS + 1), sizeof *logp);
    size_t at = 0;
    tdm_status st = token && logp ? TDM_OK : tdm_nomem(err, "a sentence");
    if (!st && !person) st = tdm_words_ask(&nobody, w, r, false, err);
    for (size_t i = 0; !st && i < n; i++) {
        const try *t = c[i].t;
        token[at++] = w->reviews ? w->mark.review : w->mark.summary;
        for (size_t k = t->n_said - t->tokens; k < t->n_said; k++) token[at++] = t->said[k];
        start[i + 1] = (uint32_t)at;
    }
    if (!st) st = tdm_gpt2_score(w->packed, NULL, logp, prompt->token.at, prompt->token.n, token, start, n, NULL, err);
    for (size_t i = 0; !st && i < n; i++) {
        sum[i] = 0;
        for (size_t k = start[i] + 1; k < start[i + 1]; k++) sum[i] += (double)logp[k]; /* the mark is given */
    }
    tdm_prompt_clear(&nobody);
    tdm_free(token);
    tdm_free(logp);
    return st;
}

/* Adds to the worth of each how much likelier a token of it is for this history than for none:
 *
 *     PERSONAL (log p(sentence | prompt) - log p(sentence | prompt without history and because)) / tokens
 *
 * which is what tells people apart (maximum mutual information; Li et al., "A Diversity-Promoting Objective Function
 * for Neural Conversation Models", NAACL 2016). */
static tdm_status weigh_personal(const writer *x, candidate *c, size_t n, const tdm_reason *r, tdm_err *err)
{
    double own[TRIES], nobody[TRIES];
    tdm_status st = score(own, x, c, n, r, true, err);
    if (!st) st = score(nobody, x, c, n, r, false, err);
    for (size_t i = 0; !st && i < n; i++) c[i].worth += PERSONAL * (own[i] - nobody[i]) / (double)c[i].t->tokens;
    return st;
}

static tdm_status best_of(const writer *x, char *out, size_t cap, double *logp, const tdm_reason *r, tdm_err *err)
{
    candidate c[TRIES] = {{0}};
    size_t n = 0;
    tdm_status st = candidates(x, c, &n, r, cap, err);
    if (!st && n > 1) st = weigh_personal(x, c, n, r, err);
    const candidate *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (!best || c[i].worth > best->worth) best = &c[i];
    if (!st && best) {
        memcpy(out, best->text.p, best->text.n);
        out[best->text.n] = 0;
        *logp = best->t->logp / (double)best->t->tokens;
    }
    for (size_t i = 0; i < n; i++) tdm_buf_clear(&c[i].text);
    return st;
}

tdm_status tdm_words_ask(tdm_prompt *out, const tdm_words *w, const tdm_reason *r, bool person, tdm_err *err)
{
    const tdm_dataset *d = w->train;
    size_t window = (size_t)tdm_param_get(&w->p, "window");
    tdm_history nothing = {.now = TDM_NO_TIME, .self = r->history->self};
    tdm_question q = {.history = person ? r->history : &nothing,
                      .item = r->item,
                      .person = r->history->self,
                      .rating = d->rating_high > d->rating_low ? d->rating_high : NAN,
                      .others = true,
                      .good = true,
                      .most_history = (size_t)tdm_param_get(&w->p, "history"),
                      .room = (window < w->g->s.T ? window : w->g->s.T) - ANSWER_TOKENS};
    for (size_t i = 0; person && r->evidence && i < r->evidence->n_because && q.n_because < BECAUSE; i++)
        if (r->evidence->because[i].item < w->names.I && r->evidence->because[i].share > 0)
            q.because[q.n_because++] = r->evidence->because[i].item;
    tdm_rng rng = tdm_rng_make(r->seed, 0x07e5, r->item);
    return tdm_words_prompt(out, w, &q, &rng, err);
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
                .block = r->block,
                .draft = r->draft,
                .draft_ctx = r->draft_ctx,
                .told = TRIES,
                .how = {.temperature = (float)tdm_param_get(&w->p, "temperature"),
                        .top_k = (size_t)tdm_param_get(&w->p, "top_k"),
                        .top_p = (float)tdm_param_get(&w->p, "top_p"),
                        .min_p = (float)tdm_param_get(&w->p, "min_p"),
                        .penalty = (float)tdm_param_get(&w->p, "penalty")},
                .allowed = tdm_new(w->n_plain + 1, sizeof *x.allowed),
                .left = tdm_new(w->n_plain + 1, sizeof *x.left),
                .said = tdm_new(TRIES * ANSWER_TOKENS, sizeof *x.said),
                .logits = tdm_new(TRIES * w->g->s.V, sizeof *x.logits)};
    tdm_status st = x.allowed && x.said && x.logits && x.left ? TDM_OK : tdm_nomem(err, "a sentence");
    if (!st) st = tdm_sampler_open(&x.sampler, w->g->s.V, err);
    if (!st) memcpy(x.allowed, w->plain, w->n_plain * sizeof *x.allowed);
    if (!st) st = tdm_words_ask(&x.prompt, w, r, true, err);
    if (!st) st = tdm_decoder_open(&x.d, w->packed, TRIES, x.prompt.token.n + ANSWER_TOKENS, NULL, err);
    if (!st) st = write_all(&x, r, err);
    if (!st) st = best_of(&x, out, cap, logp, r, err);
    if (st) out[0] = 0;
    tdm_decoder_close(x.d);
    tdm_sampler_close(x.sampler);
    tdm_prompt_clear(&x.prompt);
    for (size_t i = 0; i < TRIES; i++) tdm_buf_clear(&x.try[i].text);
    tdm_buf_clear(&x.one);
    tdm_buf_clear(&x.so_far);
    tdm_free(x.allowed);
    tdm_free(x.left);
    tdm_free(x.folded.at);
    tdm_free(x.said);
    tdm_free(x.logits);
    return st;
}
