/* SPDX-License-Identifier: Apache-2.0 */
#include "gpt2/words_judge.h"
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/words_parts.h"
#include "text/ngram.h"

#include <math.h>

enum { NGRAM_TOKENS = 2000000 }; /* more than the standard training of gpt2-words reads, and a quarter of a gigabyte */

static const char stage[] = "evaluate";

typedef struct judging {
    const tdm_words *w;
    const tdm_held_review *review;
    size_t n;
    uint64_t seed;
    tdm_run *run;
    tdm_docs_maker maker;
    tdm_docs own, other;       /* the same answers behind both kinds of prompts */
    tdm_docs answers, learned; /* those answers alone, and training's */
} judging;

static bool docs_open(tdm_docs *d)
{
    *d = (tdm_docs){0};
    return !tdm_grow(&d->start, &d->cap, 1, sizeof *d->start);
}

/* ---- documents ---- */

/* The next review behind k, around the end, of another person and of another item; k where there is none. */
static size_t another(const judging *j, size_t k)
{
    const tdm_held_review *r = &j->review[k];
    for (size_t step = 1; step < j->n; step++) {
        size_t x = (k + step) % j->n;
        if (j->review[x].user != r->user && j->review[x].item != r->item) return x;
    }
    return k;
}

static tdm_status add(tdm_docs *to, judging *j, size_t prompt, size_t answer, tdm_err *err)
{
    const tdm_held_review *p = &j->review[prompt];
    const tdm_review r = {
        .history = &p->history, .person = p->user, .item = p->item, .rating = p->rating, .draw = p->row};
    return tdm_docs_add_review(to, &j->maker, &r, j->review[answer].row, err);
}

static tdm_status held_make(judging *j, tdm_err *err)
{
    tdm_status st = TDM_OK;
    bool alone = false;
    for (size_t k = 0; !st && k < j->n; k++) {
        size_t other = another(j, k);
        alone |= other == k;
        st = tdm_docs_add_answer(&j->answers, &j->maker, j->review[k].row, err);
        if (!st) st = add(&j->own, j, k, k, err);
        if (!st) st = add(&j->other, j, other, k, err);
    }
    if (alone) j->other.n = 0; /* nobody else's prompt for each: a figure of some would not compare */
    return st;
}

static tdm_status learned_make(judging *j, tdm_err *err)
{
    const tdm_dataset *d = j->w->train;
    tdm_status st = TDM_OK;
    for (size_t u = 0; !st && u < d->U; u++) {
        if (tdm_docs_held(d, u, j->seed)) continue;
        for (int64_t k = d->offset[u]; !st && k < d->offset[u + 1] && j->learned.all.token.n < NGRAM_TOKENS; k++)
            if (tdm_docs_has_text(d, k)) st = tdm_docs_add_answer(&j->learned, &j->maker, d->row[k], err);
        if (!st && u % 64 == 0) st = tdm_run_check(j->run, stage, err);
    }
    return st;
}

/* ---- figures ---- */

static tdm_status ngram_judge(tdm_words_perplexity *out, const judging *j, tdm_err *err)
{
    tdm_ngram *m;
    const tdm_docs *l = &j->learned, *a = &j->answers;
    tdm_status st = tdm_ngram_open(&m, TDM_JUDGE_ORDER, tdm_bpe_size(j->w->b), l->all.token.at, l->start, l->n, err);
    if (st) return st;
    tdm_ngram_perplexity(m, &out->ngram, &out->tokens, a->all.token.at, a->start, a->n);
    out->ngram_tokens = l->all.token.n - l->n; /* foretold ones: but the first of each */
    tdm_ngram_close(m);
    return TDM_OK;
}

tdm_status tdm_gpt2_words_judge(tdm_words_perplexity *out, const tdm_model *m, const tdm_held_review *review, size_t n,
                                uint64_t seed, tdm_run *run, tdm_err *err)
{
    *out = (tdm_words_perplexity){.own = NAN, .other = NAN, .ngram = NAN};
    if (m->ops != &tdm_gpt2_words_ops)
        return tdm_fail(err, TDM_E_ARG, "%s: only gpt2-words can be asked how likely a review is", m->ops->name);
    judging j = {.w = (const tdm_words *)m, .review = review, .n = n, .seed = seed, .run = run};
    if (!j.w->writes) return TDM_OK;
    j.maker = tdm_docs_maker_of(j.w, seed);
    bool ok = docs_open(&j.own) && docs_open(&j.other) && docs_open(&j.answers) && docs_open(&j.learned);
    tdm_status st = ok ? held_make(&j, err) : tdm_nomem(err, "reviews that were held out");
    if (!st && j.own.n) {
        out->reviews = j.own.n;
        st = learned_make(&j, err);
        if (!st) st = ngram_judge(out, &j, err);
        if (!st) st = tdm_docs_perplexity(&out->own, j.w->g, &j.own, run, err);
        if (!st) st = tdm_docs_perplexity(&out->other, j.w->g, &j.other, run, err);
    }
    tdm_docs_clear(&j.own);
    tdm_docs_clear(&j.other);
    tdm_docs_clear(&j.answers);
    tdm_docs_clear(&j.learned);
    tdm_docs_maker_clear(&j.maker);
    return st;
}
