/* SPDX-License-Identifier: Apache-2.0 */
/* words_docs.c - training documents from training rows.
 *
 * A review's document is the prompt that tdm_words_write would make, with the answer behind it: the history ends before
 * the item, the evidence comes from other people alone. A history item is evidence for the item by how many other
 * people have both, over the square root of how many have it:
 *
 *     share(j) = |{v != u : v has j and t}| / sqrt(|{v : v has j}|)
 *
 * the kind of evidence that item-knn gives at the end, from counts without the person. What others wrote is drawn from
 * their summaries. So neither a person's own words nor their own row is ever in front of what they are to foretell. */
#include "gpt2/words_line.h"
#include "base/mem.h"
#include "base/status.h"

#include <math.h>

enum { PEOPLE = 200, ROWS = 200, REACH = 10 }; /* limits of the search for evidence, so that it stays linear */

bool tdm_docs_has_text(const tdm_dataset *d, int64_t k)
{
    return tdm_strings_at(&d->summary, d->row[k]).n || tdm_strings_at(&d->review, d->row[k]).n;
}

/* The strongest of the newest few of the history items before person `u` came to `target`. */
static void because(tdm_question *q, const tdm_words *w, uint32_t u, const tdm_history *h, uint32_t target)
{
    const tdm_dataset *d = w->train;
    const tdm_readers *r = &w->readers;
    const uint32_t *newest = h->items + (h->n > REACH ? h->n - REACH : 0);
    size_t n = h->n < REACH ? h->n : REACH;
    double share[REACH] = {0};
    int64_t seen = 0;
    for (int64_t p = r->from[target]; p < r->from[target + 1] && seen < PEOPLE; p++) {
        uint32_t v = r->user[p];
        if (v == u) continue;
        seen++;
        int64_t stop = d->offset[v + 1] < d->offset[v] + ROWS ? d->offset[v + 1] : d->offset[v] + ROWS;
        for (size_t j = 0; j < n; j++)
            for (int64_t m = d->offset[v]; m < stop; m++)
                if (d->item[m] == newest[j]) {
                    share[j]++;
                    break;
                }
    }
    for (size_t j = 0; j < n; j++) {
        int64_t have = r->from[newest[j] + 1] - r->from[newest[j]]; /* 0: of a history that goes beyond training */
        if (have) share[j] /= sqrt((double)have);
    }
    while (q->n_because < BECAUSE) {
        size_t best = n;
        for (size_t j = n; j-- > 0;) { /* of equals the newest */
            bool taken = newest[j] == target;
            for (size_t b = 0; b < q->n_because; b++) taken |= q->because[b] == newest[j];
            if (!taken && share[j] > 0 && (best == n || share[j] > share[best])) best = j;
        }
        if (best == n) break;
        q->because[q->n_because++] = newest[best];
    }
}

/* ---- documents ---- */

static tdm_status docs_end(tdm_docs *d, tdm_err *err)
{
    if (d->all.failed || tdm_grow(&d->start, &d->cap, d->n + 2, sizeof *d->start) || d->all.token.n > UINT32_MAX / 2)
        return tdm_nomem(err, "the documents to learn from");
    size_t n = d->all.token.n - d->start[d->n];
    if (n > d->longest) d->longest = n;
    d->start[++d->n] = (uint32_t)d->all.token.n;
    return TDM_OK;
}

tdm_docs_maker tdm_docs_maker_of(const tdm_words *w, uint64_t seed)
{
    size_t window = (size_t)tdm_param_get(&w->p, "window");
    return (tdm_docs_maker){.w = w, .seed = seed, .T = window < w->g->s.T ? window : w->g->s.T};
}

void tdm_docs_maker_clear(tdm_docs_maker *m)
{
    tdm_buf_clear(&m->text);
    tdm_free(m->scratch.at);
    tdm_prompt_clear(&m->answer);
    tdm_line_room_clear(&m->room);
}

tdm_status tdm_docs_answer(tdm_docs_maker *m, uint32_t row, tdm_err *err)
{
    const tdm_dataset *d = m->w->train;
    const tdm_marks *mark = &m->w->mark;
    const tdm_form *f = &m->w->forms.of[TDM_FORM_REVIEW];
    const tdm_str none = {0};
    tdm_prompt *a = &m->answer;
    a->token.n = 0;
    tdm_prompt_clean(&m->text, f->summary ? tdm_strings_at(&d->summary, row) : none, SUMMARY_BYTES);
    tdm_status st = m->text.failed
                        ? tdm_nomem(err, "a document")
                        : tdm_prompt_encode(&m->scratch, m->w->b, (tdm_str){m->text.p, m->text.n}, SUMMARY_TOKENS, err);
    if (st) return st;
    if (m->scratch.n) tdm_prompt_mark(a, mark->summary, 0);
    tdm_prompt_add(a, m->scratch.at, m->scratch.n, 1);
    tdm_prompt_clean(&m->text, f->review ? tdm_strings_at(&d->review, row) : none, 4 * REVIEW_BYTES);
    if (m->text.failed) return tdm_nomem(err, "a document");
    tdm_str s = tdm_prompt_sentences((tdm_str){m->text.p, m->text.n}, REVIEW_BYTES);
    st = tdm_prompt_encode(&m->scratch, m->w->b, s, REVIEW_TOKENS + 1, err);
    if (st) return st;
    bool whole = m->scratch.n && m->scratch.n <= REVIEW_TOKENS; /* a sentence that does not fit teaches no ending */
    if (whole) {
        tdm_prompt_mark(a, mark->review, a->token.n ? 1 : 0);
        tdm_prompt_add(a, m->scratch.at, m->scratch.n, 1);
    }
    if (a->token.n) tdm_prompt_mark(a, mark->text, 1);
    return a->failed ? tdm_nomem(err, "a document") : TDM_OK;
}

/* m->answer goes to the end of the document. */
static tdm_status answer_end(tdm_docs_maker *m, tdm_docs *to, tdm_err *err)
{
    tdm_prompt_join(&to->all, &m->answer);
    return docs_end(to, err);
}

tdm_status tdm_docs_add_answer(tdm_docs *to, tdm_docs_maker *m, uint32_t row, tdm_err *err)
{
    tdm_status st = tdm_docs_answer(m, row, err);
    return st || !m->answer.token.n ? st : answer_end(m, to, err);
}

tdm_status tdm_docs_add_review(tdm_docs *to, tdm_docs_maker *m, const tdm_review *r, uint32_t row, tdm_err *err)
{
    tdm_status st = tdm_docs_answer(m, row, err);
    if (st || !m->answer.token.n) return st;
    tdm_question q = {.history = r->history,
                      .item = r->item,
                      .person = r->person,
                      .rating = r->rating,
                      .others = true,
                      .most_history = (size_t)tdm_param_get(&m->w->p, "history"),
                      .room = m->T - m->answer.token.n,
                      .weight = m->context,
                      .title_weight = m->title};
    because(&q, m->w, r->person, r->history, r->item);
    tdm_rng rng = tdm_rng_make(m->seed, 0x07e5, r->draw);
    st = tdm_words_prompt(&to->all, m->w, &q, &rng, err);
    return st ? st : answer_end(m, to, err);
}

static tdm_status make_review(tdm_docs_maker *m, tdm_docs *to, uint32_t u, int64_t k, tdm_err *err)
{
    const tdm_dataset *d = m->w->train;
    tdm_history h = tdm_dataset_history(d, u);
    h.n = (size_t)(k - d->offset[u]);
    const tdm_review r = {.history = &h, .person = u, .item = d->item[k], .rating = d->rating[k], .draw = (uint64_t)k};
    return tdm_docs_add_review(to, m, &r, d->row[k], err);
}

/* What stands before a history. */
static tdm_status begin_titles(tdm_docs_maker *m, tdm_prompt *p, tdm_err *err)
{
    static const tdm_line_values none;
    const tdm_form *f = tdm_words_form(m->w);
    tdm_status st = TDM_OK;
    for (size_t k = 0; !st && k < f->history; k++)
        st = tdm_line_add(p, m->w, &m->room, &none, k, f->part[k].to, (tdm_line_weights){0}, err);
    return st;
}

/* A history without reviews: titles one behind another, each foretold by those before it; cut where it outgrows T. */
static tdm_status make_titles(tdm_docs_maker *m, tdm_docs *to, uint32_t u, tdm_err *err)
{
    const tdm_words *w = m->w;
    const tdm_form *f = tdm_words_form(w);
    const tdm_line_weights k = {.value = m->context, .title = 1, .end = 1};
    const tdm_history h = tdm_dataset_history(w->train, u);
    tdm_prompt *p = &to->all;
    tdm_status st = TDM_OK;
    size_t begin = p->token.n;
    for (size_t j = 0; !st && j < h.n; j++) {
        uint32_t i = h.items[j];
        size_t n = tdm_line_most(w, f->history, (size_t)(w->names.offset[i + 1] - w->names.offset[i]));
        if (p->token.n > begin && p->token.n - begin + n > m->T) {
            st = docs_end(to, err);
            begin = p->token.n;
        }
        if (!st && p->token.n == begin) st = begin_titles(m, p, err);
        tdm_line_values v;
        tdm_line_history(&v, w, &h, j);
        if (!st) st = tdm_line_add(p, w, &m->room, &v, f->history, f->part[f->history].to, k, err);
    }
    return st || p->token.n == begin ? st : docs_end(to, err);
}

bool tdm_docs_held(const tdm_dataset *d, size_t u, uint64_t seed)
{
    tdm_str id = tdm_strings_at(&d->user_id, u);
    uint64_t key = tdm_mix64(seed ^ 0x4e1d);
    for (size_t i = 0; i < id.n; i++) key = tdm_mix64(key ^ (uint8_t)id.p[i]);
    return key % 20 == 0;
}

tdm_status tdm_docs_make(tdm_docs *out, tdm_docs *held, const tdm_words *w, tdm_run *run, tdm_err *err)
{
    const tdm_dataset *d = w->train;
    tdm_docs_maker m = tdm_docs_maker_of(w, run->seed);
    m.context = (float)tdm_param_get(&w->p, "context");
    m.title = (float)tdm_param_get(&w->p, "title");
    *out = *held = (tdm_docs){0};
    tdm_status st = TDM_OK;
    if (tdm_grow(&out->start, &out->cap, 1, sizeof *out->start) ||
        tdm_grow(&held->start, &held->cap, 1, sizeof *held->start))
        st = tdm_nomem(err, "the documents to learn from");
    for (size_t u = 0; !st && u < d->U; u++) {
        tdm_docs *to = tdm_docs_held(d, u, run->seed) ? held : out;
        if (!w->writes) st = make_titles(&m, to, (uint32_t)u, err);
        for (int64_t k = d->offset[u]; !st && w->writes && k < d->offset[u + 1]; k++)
            if (tdm_docs_has_text(d, k)) st = make_review(&m, to, (uint32_t)u, k, err);
        if (!st && u % 64 == 0) st = tdm_run_check(run, "gpt2-words", err);
    }
    tdm_docs_maker_clear(&m);
    if (st) {
        tdm_docs_clear(out);
        tdm_docs_clear(held);
    }
    return st;
}

void tdm_docs_clear(tdm_docs *d)
{
    tdm_prompt_clear(&d->all);
    tdm_free(d->start);
    *d = (tdm_docs){0};
}
