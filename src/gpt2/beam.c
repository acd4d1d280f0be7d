/* SPDX-License-Identifier: Apache-2.0 */
/* beam.c - texts of a beam go on side by side, in one pass over the weights; where one goes on in several ways, the
 * others fork from it. */
#include "gpt2/beam.h"
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/decode_parts.h"
#include "gpt2/sample.h"
#include "model/topk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A continuation that goes on. */
typedef struct live {
    double logp;
    uint32_t *said;
    size_t text;
} live;

typedef struct candidate {
    double logp;
    uint32_t from, token; /* a live one's number */
} candidate;

typedef struct search {
    const tdm_beam_options *o;
    tdm_decoder *d;
    size_t V, n, next_n, length; /* live ones, their tokens */
    live *now, *next;            /* width each */
    uint32_t *said;              /* 2 x width x most */
    candidate *candidate;        /* width x (width + n_end) */
    size_t candidates;
    float *logits;   /* V; all rows' where all tokens count */
    uint32_t *token; /* V */
    tdm_best best;   /* width + n_end */
    uint8_t *taken;  /* width */
    tdm_beam *out;
} search;

static int by_rank(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->logp != y->logp) return x->logp > y->logp ? -1 : 1;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return x->token < y->token ? -1 : x->token > y->token;
}

static double score_of(const search *s, double logp, size_t n)
{
    return s->o->alpha > 0 ? logp / pow((5 + (double)n) / 6, (double)s->o->alpha) : logp;
}

static bool is_end(const search *s, uint32_t token)
{
    for (size_t i = 0; i < s->o->n_end; i++)
        if (s->o->end[i] == token) return true;
    return false;
}

/* ---- what is done ---- */

/* n tokens of `said`, and an end token where `counts` is n + 1. */
static void finish(search *s, const uint32_t *said, size_t n, size_t counts, double logp, bool ended)
{
    tdm_beam *b = s->out;
    double score = score_of(s, logp, counts);
    if (!(score > -INFINITY) || (b->n == s->o->width && !(score > b->found[b->n - 1].score))) return;
    if (b->n < s->o->width) b->n++;
    size_t at = b->n - 1;
    uint32_t *room = b->found[at].token; /* of the one that goes, or of nobody yet */
    for (; at && b->found[at - 1].score < score; at--) b->found[at] = b->found[at - 1];
    b->found[at] = (tdm_beam_found){room, n, logp, score, ended};
    if (n) memcpy(room, said, n * sizeof *room);
}

/* Whether nothing that goes on can come before the last of those that are done: a longer text has no higher log p, and
 * the length that divides it most is `most`. */
static bool enough(const search *s)
{
    const tdm_beam *b = s->out;
    return b->n == s->o->width && score_of(s, s->now[0].logp, s->o->most) <= b->found[b->n - 1].score;
}

/* ---- a token ---- */

/* The best ways on of live one i, whose logits are row i of the decoder's. */
static void offer(search *s, size_t i)
{
    const tdm_beam_options *o = s->o;
    const live *x = &s->now[i];
    const float *row = o->among && o->allow ? s->logits : s->logits + i * s->V;
    size_t n = o->allow ? o->allow(o->ctx, s->token, x->said, s->length) : s->V;
    if (!n) {
        if (s->length) finish(s, x->said, s->length, s->length, x->logp, true);
        return;
    }
    s->best.n = 0;
    if (o->among && o->allow) {
        tdm_decoder_logits_of(s->d, i, s->logits, s->token, n);
        for (size_t k = 0; k < n; k++) tdm_best_offer(&s->best, s->token[k], row[k]);
    } else if (o->allow)
        for (size_t k = 0; k < n; k++) tdm_best_offer(&s->best, s->token[k], row[s->token[k]]);
    else
        for (size_t v = 0; v < n; v++)
            if (row[v] > tdm_best_bar(&s->best)) tdm_best_offer(&s->best, (uint32_t)v, row[v]);
    double mass = tdm_log_mass(row, o->among && o->allow ? n : s->V);
    tdm_best_sort(&s->best);
    for (size_t k = 0; k < s->best.n; k++)
        s->candidate[s->candidates++] =
            (candidate){x->logp + (double)s->best.scores[k] - mass, (uint32_t)i, s->best.items[k]};
}

/* Who goes on, and who is done. */
static void choose(search *s)
{
    const tdm_beam_options *o = s->o;
    s->next_n = 0;
    qsort(s->candidate, s->candidates, sizeof *s->candidate, by_rank);
    for (size_t rank = 0; rank < s->candidates && s->next_n < o->width; rank++) {
        const candidate *c = &s->candidate[rank];
        const live *from = &s->now[c->from];
        if (is_end(s, c->token)) {
            if (rank < o->width) finish(s, from->said, s->length, s->length + 1, c->logp, true);
            continue;
        }
        live *to = &s->next[s->next_n++];
        to->logp = c->logp;
        to->text = from->text;
        if (s->length) memcpy(to->said, from->said, s->length * sizeof *to->said);
        to->said[s->length] = c->token;
    }
}

/* The first way on of a text keeps it; the others fork from it into texts that nobody goes on with. */
static void settle(search *s)
{
    memset(s->taken, 0, s->o->width);
    for (size_t i = 0; i < s->next_n; i++) s->taken[s->next[i].text] = 1;
    size_t empty = 0;
    for (size_t i = 0; i < s->next_n; i++) {
        live *x = &s->next[i];
        if (s->taken[x->text] == 1) {
            s->taken[x->text] = 2;
            continue;
        }
        while (s->taken[empty]) empty++;
        s->taken[empty] = 2;
        tdm_decoder_fork(s->d, empty, x->text);
        x->text = empty;
    }
}

static tdm_status run(search *s, size_t *text, tdm_err *err)
{
    const tdm_beam_options *o = s->o;
    s->now[0].logp = 0;
    s->now[0].text = 0;
    s->n = 1;
    for (;;) {
        if (!o->among || !o->allow) tdm_decoder_logits(s->d, s->logits, s->n);
        s->candidates = 0;
        for (size_t i = 0; i < s->n; i++) offer(s, i);
        choose(s);
        settle(s);
        live *old = s->now;
        s->now = s->next;
        s->next = old;
        s->n = s->next_n;
        if (++s->length == o->most || !s->n || enough(s)) break;
        for (size_t i = 0; i < s->n; i++) {
            text[i] = s->now[i].text;
            s->token[i] = s->now[i].said[s->length - 1];
        }
        tdm_status st = tdm_decoder_step(s->d, text, s->token, s->n, err);
        if (st) return st;
    }
    for (size_t i = 0; s->length == o->most && i < s->n; i++)
        finish(s, s->now[i].said, s->length, s->length, s->now[i].logp, false);
    return TDM_OK;
}

tdm_status tdm_beam_search(tdm_beam *out, const tdm_gpt2_packed *packed, const uint32_t *prefix, size_t n_prefix,
                           const tdm_beam_options *o, tdm_pool *pool, tdm_err *err)
{
    size_t T = packed->g->s.T, V = packed->g->s.V, W = o->width, most = o->most, best = W + o->n_end;
    *out = (tdm_beam){0};
    if (!W || W > UINT32_MAX || !most || !(o->alpha >= 0))
        return tdm_fail(err, TDM_E_ARG, "a beam of %zu texts of %zu tokens, alpha %g: give at least 1, 1 and 0", W,
                        most, (double)o->alpha);
    if (!n_prefix || n_prefix > T || most > T + 1 - n_prefix)
        return tdm_fail(err, TDM_E_ARG, "%zu tokens with %zu behind them, where the model reads 1 to %zu", n_prefix,
                        most, T);
    search s = {.o = o, .V = V, .out = out};
    s.now = tdm_new(W, sizeof *s.now);
    s.next = tdm_new(W, sizeof *s.next);
    s.said = tdm_new(2 * W, most * sizeof *s.said);
    s.candidate = tdm_new(W, best * sizeof *s.candidate);
    s.logits = tdm_new(o->among && o->allow ? 1 : W, V * sizeof *s.logits);
    s.token = tdm_new(V > W ? V : W, sizeof *s.token);
    s.best = (tdm_best){tdm_new(best, sizeof *s.best.items), tdm_new(best, sizeof *s.best.scores), 0, best};
    s.taken = tdm_new(W, 1);
    size_t *text = tdm_new(W, sizeof *text);
    out->found = tdm_new(W, sizeof *out->found);
    out->room = tdm_new(W, most * sizeof *out->room);
    tdm_status st = TDM_OK;
    if (!s.now || !s.next || !s.said || !s.candidate || !s.logits || !s.token || !s.best.items || !s.best.scores ||
        !s.taken || !text || !out->found || !out->room)
        st = tdm_nomem(err, "a beam");
    for (size_t i = 0; !st && i < W; i++) {
        s.now[i].said = s.said + i * most;
        s.next[i].said = s.said + (W + i) * most;
        out->found[i].token = out->room + i * most;
    }
    if (!st) st = tdm_decoder_open(&s.d, packed, W, n_prefix + most - 1, pool, err);
    if (!st) st = tdm_decoder_feed(s.d, 0, prefix, n_prefix, err);
    if (!st) st = run(&s, text, err);
    if (st) tdm_beam_clear(out);
    tdm_decoder_close(s.d);
    tdm_free(s.now);
    tdm_free(s.next);
    tdm_free(s.said);
    tdm_free(s.candidate);
    tdm_free(s.logits);
    tdm_free(s.token);
    tdm_free(s.best.items);
    tdm_free(s.best.scores);
    tdm_free(s.taken);
    tdm_free(text);
    return st;
}

void tdm_beam_clear(tdm_beam *b)
{
    tdm_free(b->found);
    tdm_free(b->room);
    *b = (tdm_beam){0};
}

size_t tdm_beam_along(void *ctx, uint32_t *token, const uint32_t *said, size_t n)
{
    const tdm_trie *t = ctx;
    tdm_trie_node at = tdm_trie_root(t);
    for (size_t i = 0; i < n; i++)
        if (!tdm_trie_step(t, at, said[i], &at)) return 0;
    return tdm_trie_children(t, at, token, NULL, SIZE_MAX);
}
