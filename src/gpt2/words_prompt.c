/* SPDX-License-Identifier: Apache-2.0 */
/* words_prompt.c - a person's history, an item and the evidence, in the form of prompt.h.
 *
 * The part behind the history is put together first; the history gets what room is left, so a long one loses its oldest
 * items and never the question. */
#include "gpt2/words_parts.h"
#include "base/mem.h"
#include "base/status.h"

#include <math.h>

static void add_name(tdm_prompt *out, const tdm_words *w, uint32_t item, float weight)
{
    const tdm_names *n = &w->names;
    tdm_prompt_add(out, n->token + n->offset[item], (size_t)(n->offset[item + 1] - n->offset[item]), weight);
}

static void add_rating(tdm_prompt *out, const tdm_words *w, float rating, float weight)
{
    int word = tdm_rating_word(rating, w->train->rating_low, w->train->rating_high);
    if (word >= 0) tdm_prompt_add(out, w->word[word].at, w->word[word].n, weight);
}

static size_t history_tokens(const tdm_words *w, uint32_t item)
{
    return (size_t)(w->names.offset[item + 1] - w->names.offset[item]) + 2 +
           9; /* two marks and a rating word of nine bytes at most */
}

/* Two of what other people wrote about the item, drawn without order. */
static tdm_status add_others(tdm_prompt *out, const tdm_words *w, const tdm_question *q, tdm_rng *rng, tdm_err *err)
{
    const tdm_dataset *d = w->train;
    const tdm_readers *r = &w->readers;
    int64_t from = r->from[q->item], n = r->from[q->item + 1] - from;
    tdm_buf text = {0};
    tdm_tokens t = {0};
    tdm_status st = TDM_OK;
    int64_t begin = n ? (int64_t)tdm_rng_below(rng, (uint64_t)n) : 0;
    size_t added = 0;
    for (int64_t step = 0; !st && step < n && added < OTHERS; step++) {
        int64_t k = from + (begin + step) % n;
        uint32_t row = r->at[k];
        int word = tdm_rating_word(d->rating[row], d->rating_low, d->rating_high);
        if (r->user[k] == q->person || (q->good && word >= 0 && word < 3)) continue;
        tdm_prompt_clean(&text, tdm_strings_at(&d->summary, d->row[row]), SUMMARY_BYTES);
        if (text.failed) st = tdm_nomem(err, "a prompt");
        if (st || !text.n) continue;
        st = tdm_prompt_encode(&t, w->b, (tdm_str){text.p, text.n}, SUMMARY_TOKENS, err);
        if (st || !t.n) continue;
        tdm_prompt_mark(out, w->mark.others, q->weight);
        tdm_prompt_add(out, t.at, t.n, q->weight);
        added++;
    }
    tdm_buf_clear(&text);
    tdm_free(t.at);
    return st;
}

/* The item's own part: its name (another stand-in where this person's summary would stand for it), rating, evidence. */
static tdm_status add_item(tdm_prompt *out, const tdm_words *w, const tdm_question *q, tdm_rng *rng, tdm_err *err)
{
    tdm_status st = TDM_OK;
    if (q->person != TDM_NONE && w->names.author[q->item] == q->person) {
        tdm_buf text = {0};
        tdm_tokens t = {0};
        tdm_words_name(&text, w->train, &w->readers, q->item, q->person, NULL);
        st = text.failed ? tdm_nomem(err, "a prompt")
                         : tdm_prompt_encode(&t, w->b, (tdm_str){text.p, text.n}, NAME_TOKENS, err);
        if (!st) tdm_prompt_add(out, t.at, t.n, q->weight);
        tdm_buf_clear(&text);
        tdm_free(t.at);
    } else add_name(out, w, q->item, q->title_weight);
    tdm_prompt_mark(out, w->mark.end, q->title_weight);
    add_rating(out, w, q->rating, q->weight);
    for (size_t i = 0; i < q->n_because; i++) {
        tdm_prompt_mark(out, w->mark.because, q->weight);
        add_name(out, w, q->because[i], q->weight);
    }
    return !st && q->others ? add_others(out, w, q, rng, err) : st;
}

tdm_status tdm_words_prompt(tdm_prompt *out, const tdm_words *w, const tdm_question *q, tdm_rng *rng, tdm_err *err)
{
    const tdm_history *h = q->history;
    tdm_prompt tail = {0};
    tdm_prompt_mark(&tail, w->mark.item, q->weight);
    tdm_status st = q->item == TDM_NONE ? TDM_OK : add_item(&tail, w, q, rng, err);
    size_t used = tail.token.n + 1, first = h->n;
    for (size_t shown = 0; first > 0 && shown < q->most_history; first--) {
        if (h->items[first - 1] >= w->names.I) continue;
        size_t n = history_tokens(w, h->items[first - 1]);
        if (used + n > q->room) break;
        used += n;
        shown++;
    }
    tdm_prompt_mark(out, w->mark.text, 0);
    for (size_t j = first; j < h->n; j++) {
        if (h->items[j] >= w->names.I) continue;
        tdm_prompt_mark(out, w->mark.item, q->weight);
        add_name(out, w, h->items[j], q->weight);
        tdm_prompt_mark(out, w->mark.end, q->weight);
        if (h->ratings) add_rating(out, w, h->ratings[j], q->weight);
    }
    for (size_t i = 0; i < tail.token.n; i++) tdm_prompt_add(out, &tail.token.at[i], 1, tail.weight[i]);
    if (!st && (tail.failed || out->failed)) st = tdm_nomem(err, "a prompt");
    tdm_prompt_clear(&tail);
    return st;
}
