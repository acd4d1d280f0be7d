/* SPDX-License-Identifier: Apache-2.0 */
/* words_docs.c - training documents from training rows, and batches of them.
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
#include <string.h>

enum { PEOPLE = 200, ROWS = 200, REACH = 10 }; /* limits of the search for evidence, so that it stays linear */

static bool has_text(const tdm_dataset *d, int64_t k)
{
    return tdm_strings_at(&d->summary, d->row[k]).n || tdm_strings_at(&d->review, d->row[k]).n;
}

/* The strongest of the newest few history items before row `k` of person `u`. */
static void because(tdm_question *q, const tdm_words *w, uint32_t u, int64_t k)
{
    const tdm_dataset *d = w->train;
    const tdm_readers *r = &w->readers;
    uint32_t target = d->item[k];
    int64_t first = k - REACH > d->offset[u] ? k - REACH : d->offset[u];
    double share[REACH] = {0};
    int64_t seen = 0;
    for (int64_t p = r->from[target]; p < r->from[target + 1] && seen < PEOPLE; p++) {
        uint32_t v = r->user[p];
        if (v == u) continue;
        seen++;
        int64_t stop = d->offset[v + 1] < d->offset[v] + ROWS ? d->offset[v + 1] : d->offset[v] + ROWS;
        for (int64_t j = first; j < k; j++)
            for (int64_t m = d->offset[v]; m < stop; m++)
                if (d->item[m] == d->item[j]) {
                    share[j - first]++;
                    break;
                }
    }
    for (int64_t j = first; j < k; j++)
        share[j - first] /= sqrt((double)(r->from[d->item[j] + 1] - r->from[d->item[j]]));
    while (q->n_because < BECAUSE) {
        int64_t best = -1;
        for (int64_t j = k - 1; j >= first; j--) { /* of equals the newest */
            bool taken = d->item[j] == target;
            for (size_t b = 0; b < q->n_because; b++) taken |= q->because[b] == d->item[j];
            if (!taken && share[j - first] > 0 && (best < 0 || share[j - first] > share[best - first])) best = j;
        }
        if (best < 0) break;
        q->because[q->n_because++] = d->item[best];
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

typedef struct maker {
    const tdm_words *w;
    tdm_run *run;
    size_t T;
    float context;
    tdm_buf text;
    tdm_tokens summary, review, scratch;
    tdm_prompt answer;
    tdm_line_room room;
} maker;

/* m->answer: the summary and the first sentences of row k; empty where neither says anything. */
static tdm_status make_answer(maker *m, int64_t k, tdm_err *err)
{
    const tdm_dataset *d = m->w->train;
    const tdm_marks *mark = &m->w->mark;
    const tdm_form *f = &m->w->forms.of[TDM_FORM_REVIEW];
    const tdm_str none = {0};
    tdm_prompt *a = &m->answer;
    a->token.n = 0;
    tdm_prompt_clean(&m->text, f->summary ? tdm_strings_at(&d->summary, d->row[k]) : none, SUMMARY_BYTES);
    tdm_status st = m->text.failed
                        ? tdm_nomem(err, "a document")
                        : tdm_prompt_encode(&m->scratch, m->w->b, (tdm_str){m->text.p, m->text.n}, SUMMARY_TOKENS, err);
    if (st) return st;
    if (m->scratch.n) tdm_prompt_mark(a, mark->summary, 0);
    tdm_prompt_add(a, m->scratch.at, m->scratch.n, 1);
    tdm_prompt_clean(&m->text, f->review ? tdm_strings_at(&d->review, d->row[k]) : none, 4 * REVIEW_BYTES);
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

static tdm_status make_review(maker *m, tdm_docs *to, uint32_t u, int64_t k, tdm_err *err)
{
    const tdm_dataset *d = m->w->train;
    tdm_status st = make_answer(m, k, err);
    if (st || !m->answer.token.n) return st;
    tdm_history h = tdm_dataset_history(d, u);
    h.n = (size_t)(k - d->offset[u]);
    tdm_question q = {.history = &h,
                      .item = d->item[k],
                      .person = u,
                      .rating = d->rating[k],
                      .others = true,
                      .most_history = (size_t)tdm_param_get(&m->w->p, "history"),
                      .room = m->T - m->answer.token.n,
                      .weight = m->context,
                      .title_weight = 1};
    because(&q, m->w, u, k);
    tdm_rng rng = tdm_rng_make(m->run->seed, 0x07e5, (uint64_t)k);
    st = tdm_words_prompt(&to->all, m->w, &q, &rng, err);
    if (st) return st;
    tdm_prompt_join(&to->all, &m->answer);
    return docs_end(to, err);
}

/* What stands before a history. */
static tdm_status begin_titles(maker *m, tdm_prompt *p, tdm_err *err)
{
    static const tdm_line_values none;
    const tdm_form *f = tdm_words_form(m->w);
    tdm_status st = TDM_OK;
    for (size_t k = 0; !st && k < f->history; k++)
        st = tdm_line_add(p, m->w, &m->room, &none, k, f->part[k].to, (tdm_line_weights){0}, err);
    return st;
}

/* A history without reviews: titles one behind another, each foretold by those before it; cut where it outgrows T. */
static tdm_status make_titles(maker *m, tdm_docs *to, uint32_t u, tdm_err *err)
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

/* One person in twenty, whatever their number. */
static bool held_out(const tdm_dataset *d, size_t u, uint64_t seed)
{
    tdm_str id = tdm_strings_at(&d->user_id, u);
    uint64_t key = tdm_mix64(seed ^ 0x4e1d);
    for (size_t i = 0; i < id.n; i++) key = tdm_mix64(key ^ (uint8_t)id.p[i]);
    return key % 20 == 0;
}

tdm_status tdm_docs_make(tdm_docs *out, tdm_docs *held, const tdm_words *w, tdm_run *run, tdm_err *err)
{
    const tdm_dataset *d = w->train;
    maker m = {.w = w, .run = run, .context = (float)tdm_param_get(&w->p, "context")};
    m.T = (size_t)tdm_param_get(&w->p, "window");
    if (m.T > w->g->s.T) m.T = w->g->s.T;
    *out = *held = (tdm_docs){0};
    tdm_status st = TDM_OK;
    if (tdm_grow(&out->start, &out->cap, 1, sizeof *out->start) ||
        tdm_grow(&held->start, &held->cap, 1, sizeof *held->start))
        st = tdm_nomem(err, "the documents to learn from");
    for (size_t u = 0; !st && u < d->U; u++) {
        tdm_docs *to = held_out(d, u, run->seed) ? held : out;
        if (!w->writes) st = make_titles(&m, to, (uint32_t)u, err);
        for (int64_t k = d->offset[u]; !st && w->writes && k < d->offset[u + 1]; k++)
            if (has_text(d, k)) st = make_review(&m, to, (uint32_t)u, k, err);
        if (!st && u % 64 == 0) st = tdm_run_check(run, "gpt2-words", err);
    }
    tdm_buf_clear(&m.text);
    tdm_free(m.scratch.at);
    tdm_prompt_clear(&m.answer);
    tdm_line_room_clear(&m.room);
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

/* ---- batches ---- */

tdm_status tdm_docs_room_make(tdm_docs_room *r, size_t most, tdm_err *err)
{
    *r = (tdm_docs_room){tdm_new(most, sizeof *r->token), tdm_new(most, sizeof *r->target),
                         tdm_new(most + 1, sizeof *r->start), tdm_new(most, sizeof *r->weight)};
    if (r->token && r->target && r->start && r->weight) return TDM_OK;
    tdm_docs_room_clear(r);
    return tdm_nomem(err, "a batch of documents");
}

void tdm_docs_room_clear(tdm_docs_room *r)
{
    tdm_free(r->token);
    tdm_free(r->target);
    tdm_free(r->start);
    tdm_free(r->weight);
    *r = (tdm_docs_room){0};
}

size_t tdm_docs_batch(tdm_gpt2_batch *out, const tdm_docs_room *room, const tdm_docs *d, const uint32_t *order,
                      size_t n, size_t most)
{
    *out = (tdm_gpt2_batch){.token = room->token, .start = room->start, .target = room->target, .weight = room->weight};
    room->start[0] = 0;
    for (; out->S < n; out->S++) {
        uint32_t q = order[out->S], from = d->start[q], to = d->start[q + 1];
        if (out->N + (to - from) > most) break;
        for (uint32_t i = from; i < to; i++, out->N++) {
            bool last = i + 1 == to || !(d->all.weight[i + 1] > 0);
            room->token[out->N] = d->all.token.at[i];
            room->target[out->N] = last ? TDM_GPT2_SILENT : d->all.token.at[i + 1];
            room->weight[out->N] = last ? 0 : d->all.weight[i + 1];
        }
        room->start[out->S + 1] = (uint32_t)out->N;
    }
    return out->S;
}

tdm_status tdm_docs_perplexity(double *out, const tdm_gpt2 *g, const tdm_docs *d, tdm_err *err)
{
    enum { MOST = 4096 };
    size_t most = d->longest > MOST ? d->longest : MOST;
    double sum = 0, mass = 0;
    tdm_docs_room room;
    tdm_status st = tdm_docs_room_make(&room, most, err);
    if (st) return st;
    float *logp = tdm_new(most, sizeof *logp);
    uint32_t *order = tdm_new(d->n, sizeof *order);
    if (!logp || !order) st = tdm_nomem(err, "a measure of perplexity");
    for (size_t i = 0; !st && i < d->n; i++) order[i] = (uint32_t)i;
    for (size_t at = 0; !st && at < d->n;) {
        tdm_gpt2_batch b;
        at += tdm_docs_batch(&b, &room, d, order + at, d->n - at, most);
        st = tdm_gpt2_logp(g, logp, &b, err);
        for (size_t i = 0; !st && i < b.N; i++) {
            sum -= (double)b.weight[i] * (double)logp[i];
            mass += (double)b.weight[i];
        }
    }
    *out = mass > 0 ? exp(sum / mass) : NAN;
    tdm_free(logp);
    tdm_free(order);
    tdm_docs_room_clear(&room);
    return st;
}
