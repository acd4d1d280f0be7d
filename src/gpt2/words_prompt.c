/* SPDX-License-Identifier: Apache-2.0 */
/* words_prompt.c - a person's history, an item and the evidence, in the form of the model (form.h).
 *
 * All parts but the history are put together first; the history gets what room is left, so a long one loses its oldest
 * items and never the question. */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/words_line.h"

typedef struct asker {
    const tdm_words *w;
    const tdm_form *form;
    const tdm_question *q;
    tdm_rng *rng;
    tdm_line_room room;
} asker;

static tdm_status part_add(asker *a, tdm_prompt *out, size_t part, const tdm_line_values *v, tdm_err *err)
{
    const float k = a->q->weight;
    return tdm_line_add(out, a->w, &a->room, v, part, a->form->part[part].to, (tdm_line_weights){k, k, k, k}, err);
}

/* The item in question: its name (another stand-in where this person's summary would stand for it), its facts. */
static tdm_status add_item(asker *a, tdm_prompt *out, size_t part, tdm_err *err)
{
    const tdm_words *w = a->w;
    const tdm_question *q = a->q;
    bool own = q->person != TDM_NONE && w->names.author[q->item] == q->person;
    tdm_line_weights k = {q->weight, q->weight, own ? q->weight : q->title_weight, q->title_weight};
    tdm_status st = TDM_OK;
    tdm_line_values v;
    tdm_buf text = {0};
    tdm_tokens name = {0};
    tdm_line_item(&v, w, q->item, q->rating);
    if (own) {
        tdm_words_name(&text, w->train, &w->readers, q->item, q->person, NULL);
        st = text.failed ? tdm_nomem(err, "a prompt")
                         : tdm_prompt_encode(&name, w->b, (tdm_str){text.p, text.n}, NAME_TOKENS, err);
        v.title = name.at;
        v.n_title = name.n;
    }
    if (!st) st = tdm_line_add(out, w, &a->room, &v, part, a->form->part[part].to, k, err);
    tdm_buf_clear(&text);
    tdm_free(name.at);
    return st;
}

/* Two of what other people wrote about the item, drawn without order. */
static tdm_status add_others(asker *a, tdm_prompt *out, size_t part, tdm_err *err)
{
    const tdm_dataset *d = a->w->train;
    const tdm_readers *r = &a->w->readers;
    const tdm_question *q = a->q;
    int64_t from = r->from[q->item], n = r->from[q->item + 1] - from;
    int64_t begin = n ? (int64_t)tdm_rng_below(a->rng, (uint64_t)n) : 0;
    tdm_status st = TDM_OK;
    tdm_buf text = {0};
    size_t added = 0;
    for (int64_t step = 0; !st && step < n && added < OTHERS; step++) {
        int64_t k = from + (begin + step) % n;
        uint32_t row = r->at[k];
        int word = tdm_rating_word(d->rating[row], d->rating_low, d->rating_high);
        if (r->user[k] == q->person || (q->good && word >= 0 && word < 3)) continue;
        tdm_prompt_clean(&text, tdm_strings_at(&d->summary, d->row[row]), SUMMARY_BYTES);
        if (text.failed) st = tdm_nomem(err, "a prompt");
        if (st || !text.n) continue;
        tdm_line_values v;
        tdm_line_other(&v, a->w, (tdm_str){text.p, text.n}, d->rating[row]);
        st = part_add(a, out, part, &v, err);
        added++;
    }
    tdm_buf_clear(&text);
    return st;
}

/* A part that is no history's. Without an item there is nothing to say of one. */
static tdm_status add_part(asker *a, tdm_prompt *out, size_t part, tdm_err *err)
{
    static const tdm_line_values none;
    const tdm_question *q = a->q;
    tdm_status st = TDM_OK;
    switch (a->form->part[part].kind) {
    case TDM_PART_words:
        return part_add(a, out, part, &none, err);
    case TDM_PART_item:
        return q->item == TDM_NONE ? TDM_OK : add_item(a, out, part, err);
    case TDM_PART_because:
        for (size_t i = 0; !st && i < q->n_because; i++) {
            tdm_line_values v;
            tdm_line_item(&v, a->w, q->because[i], NAN);
            st = part_add(a, out, part, &v, err);
        }
        return st;
    case TDM_PART_others:
        return q->others ? add_others(a, out, part, err) : TDM_OK;
    default:
        return TDM_OK; /* the answer is somebody else's */
    }
}

/* The newest items that fit into `room` tokens. */
static tdm_status add_history(asker *a, tdm_prompt *out, size_t part, size_t room, tdm_err *err)
{
    const tdm_words *w = a->w;
    const tdm_history *h = a->q->history;
    tdm_status st = TDM_OK;
    size_t used = 0, first = h->n;
    for (size_t shown = 0; first > 0 && shown < a->q->most_history; first--) {
        uint32_t i = h->items[first - 1];
        if (i >= w->names.I) continue;
        size_t n = tdm_line_most(w, part, (size_t)(w->names.offset[i + 1] - w->names.offset[i]));
        if (used + n > room) break;
        used += n;
        shown++;
    }
    for (size_t j = first; !st && j < h->n; j++) {
        tdm_line_values v;
        if (h->items[j] >= w->names.I) continue;
        tdm_line_history(&v, w, h, j);
        st = part_add(a, out, part, &v, err);
    }
    return st;
}

tdm_status tdm_words_prompt(tdm_prompt *out, const tdm_words *w, const tdm_question *q, tdm_rng *rng, tdm_err *err)
{
    static const tdm_line_values none;
    asker a = {.w = w, .form = tdm_words_form(w), .q = q, .rng = rng};
    const tdm_form *f = a.form;
    tdm_prompt tail = {0};
    tdm_status st = TDM_OK;
    const float k = q->weight;
    size_t begin = out->token.n, history = f->history, stop = q->item == TDM_NONE ? f->asked : f->parts;
    for (size_t p = 0; !st && p < stop; p++)
        if (p != history) st = add_part(&a, p < history ? out : &tail, p, err);
    if (!st && q->item == TDM_NONE) /* ends where a title begins */
        st = tdm_line_add(&tail, w, &a.room, &none, f->asked, f->title, (tdm_line_weights){k, k, k, k}, err);
    size_t used = tail.token.n + out->token.n - begin;
    if (!st) st = add_history(&a, out, history, q->room > used ? q->room - used : 0, err);
    tdm_prompt_join(out, &tail);
    if (!st && out->failed) st = tdm_nomem(err, "a prompt");
    tdm_prompt_clear(&tail);
    tdm_line_room_clear(&a.room);
    return st;
}
