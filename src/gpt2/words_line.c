/* SPDX-License-Identifier: Apache-2.0 */
/* words_line.c - one line of a form, with what its placeholders stand for, as tokens.
 *
 * A blank before a placeholder is encoded with the value, as texts have it that a vocabulary was learned from. A value
 * is made one line and cut at its most tokens, so that what a line can take is known before there is any. */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/words_line.h"

#include <stdio.h>
#include <string.h>

enum { RATING_BYTES = 9, LATER_BYTES = 16, FACT_BYTES = 40 };
enum { RATING_TOKENS = 9, LATER_TOKENS = 10, FACT_TOKENS = 10 };

/* Of a value: its most bytes, and its most tokens, a blank before it included. */
static const struct {
    size_t bytes, tokens;
} limit[TDM_FIELDS] = {
    [TDM_FIELD_title] = {NAME_BYTES, NAME_TOKENS},          [TDM_FIELD_rating] = {RATING_BYTES, RATING_TOKENS},
    [TDM_FIELD_later] = {LATER_BYTES, LATER_TOKENS},        [TDM_FIELD_brand] = {FACT_BYTES, FACT_TOKENS},
    [TDM_FIELD_category] = {FACT_BYTES, FACT_TOKENS},       [TDM_FIELD_summary] = {SUMMARY_BYTES, SUMMARY_TOKENS},
    [TDM_FIELD_review] = {4 * REVIEW_BYTES, REVIEW_TOKENS},
};

const tdm_form *tdm_words_form(const tdm_words *w)
{
    return &w->forms.of[w->writes ? TDM_FORM_REVIEW : TDM_FORM_HISTORY];
}

void tdm_line_room_clear(tdm_line_room *r)
{
    tdm_buf_clear(&r->value);
    tdm_buf_clear(&r->text);
    tdm_free(r->token.at);
    *r = (tdm_line_room){0};
}

/* ---- values ---- */

static tdm_str rating_text(const tdm_words *w, float rating)
{
    int word = tdm_rating_word(rating, w->train->rating_low, w->train->rating_high);
    return word < 0 ? (tdm_str){0} : tdm_str_of(tdm_rating_words[word] + 1); /* without its blank */
}

/* The last category named, which is the narrowest. */
static tdm_str narrowest(tdm_str all)
{
    size_t at = all.n;
    while (at && all.p[at - 1] != '\n') at--;
    return (tdm_str){all.p + at, all.n - at};
}

/* "same day", "3 days later", "2 weeks later", "5 months later", "1 year later". */
static void later_text(char out[LATER_ROOM], int64_t before, int64_t now)
{
    static const struct {
        const char *name;
        double days, least;
    } unit[] = {{"year", 365.25, 365}, {"month", 30.44, 61}, {"week", 7, 14}, {"day", 1, 1}};
    double days = ((double)now - (double)before) / 86400;
    out[0] = 0;
    if (before == TDM_NO_TIME || now == TDM_NO_TIME || days < 0 || days > 36525) return;
    for (size_t k = 0; k < sizeof unit / sizeof *unit; k++) {
        if (days < unit[k].least) continue;
        unsigned n = (unsigned)(days / unit[k].days);
        n = n ? n : 1;
        snprintf(out, LATER_ROOM, "%u %s%s later", n, unit[k].name, n > 1 ? "s" : "");
        return;
    }
    snprintf(out, LATER_ROOM, "same day");
}

void tdm_line_item(tdm_line_values *v, const tdm_words *w, uint32_t item, float rating)
{
    const tdm_names *n = &w->names;
    *v = (tdm_line_values){.title = n->token + n->offset[item],
                           .n_title = (size_t)(n->offset[item + 1] - n->offset[item])};
    v->text[TDM_FIELD_rating] = rating_text(w, rating);
    v->text[TDM_FIELD_brand] = tdm_strings_at(&w->train->brand, item);
    v->text[TDM_FIELD_category] = narrowest(tdm_strings_at(&w->train->category, item));
}

void tdm_line_history(tdm_line_values *v, const tdm_words *w, const tdm_history *h, size_t j)
{
    tdm_line_item(v, w, h->items[j], h->ratings ? h->ratings[j] : NAN);
    if (!h->times || !j) return;
    later_text(v->later, h->times[j - 1], h->times[j]);
    v->text[TDM_FIELD_later] = tdm_str_of(v->later);
}

void tdm_line_other(tdm_line_values *v, const tdm_words *w, tdm_str summary, float rating)
{
    *v = (tdm_line_values){.title = NULL};
    v->text[TDM_FIELD_summary] = summary;
    v->text[TDM_FIELD_rating] = rating_text(w, rating);
}

/* ---- pieces ---- */

/* r->value: the value in one line; empty: there is none. */
static tdm_status value_of(tdm_line_room *r, const tdm_words *w, const tdm_line_values *v, size_t field, tdm_err *err)
{
    if (field != TDM_FIELD_title) tdm_prompt_clean(&r->value, v->text[field], limit[field].bytes);
    else {
        tdm_buf_reset(&r->value);
        tdm_bpe_decode(w->b, &r->value, v->title, v->n_title);
    }
    return r->value.failed ? tdm_nomem(err, "a prompt") : TDM_OK;
}

static tdm_status text_add(tdm_prompt *out, const tdm_words *w, tdm_line_room *r, tdm_str text, size_t most,
                           float weight, tdm_err *err)
{
    tdm_status st = tdm_prompt_encode(&r->token, w->b, text, most, err);
    if (!st) tdm_prompt_add(out, r->token.at, r->token.n, weight);
    return st;
}

static tdm_status field_add(tdm_prompt *out, const tdm_words *w, tdm_line_room *r, const tdm_line_values *v,
                            const tdm_form_piece *p, float weight, tdm_err *err)
{
    if (p->which == TDM_FIELD_title && !p->blank) {
        tdm_prompt_add(out, v->title, v->n_title, weight);
        return TDM_OK;
    }
    tdm_status st = value_of(r, w, v, p->which, err);
    if (st || !r->value.n) return st;
    tdm_buf_reset(&r->text);
    if (p->blank) tdm_buf_char(&r->text, ' ');
    tdm_buf_add(&r->text, r->value.p, r->value.n);
    if (r->text.failed) return tdm_nomem(err, "a prompt");
    return text_add(out, w, r, (tdm_str){r->text.p, r->text.n}, limit[p->which].tokens, weight, err);
}

/* Whether each placeholder of the n pieces has a value. */
static tdm_status all_there(bool *out, const tdm_words *w, tdm_line_room *r, const tdm_line_values *v,
                            const tdm_form_piece *p, size_t n, tdm_err *err)
{
    tdm_status st = TDM_OK;
    *out = true;
    for (size_t i = 0; !st && i < n; i++) {
        if (p[i].kind != TDM_PIECE_FIELD) continue;
        st = value_of(r, w, v, p[i].which, err);
        *out = *out && r->value.n;
    }
    return st;
}

tdm_status tdm_line_add(tdm_prompt *out, const tdm_words *w, tdm_line_room *r, const tdm_line_values *v, size_t part,
                        size_t to, tdm_line_weights k, tdm_err *err)
{
    const tdm_form *f = tdm_words_form(w);
    tdm_status st = TDM_OK;
    bool there;
    for (size_t i = f->part[part].from; !st && i < to; i++) {
        const tdm_form_piece *p = &f->piece[i];
        switch (p->kind) {
        case TDM_PIECE_MARK:
            tdm_prompt_mark(out, tdm_marks_at(&w->mark, p->which), i == f->title + 1 ? k.end : i ? k.words : 0);
            break;
        case TDM_PIECE_TEXT:
            st = text_add(out, w, r, (tdm_str){f->plain + p->at, p->n}, SIZE_MAX, k.words, err);
            break;
        case TDM_PIECE_FIELD:
            st = field_add(out, w, r, v, p, i == f->title ? k.title : k.value, err);
            break;
        case TDM_PIECE_OPEN:
            st = all_there(&there, w, r, v, p + 1, p->n, err);
            if (!there) i += p->n + 1;
            break;
        case TDM_PIECE_CLOSE:
            break;
        }
    }
    return st;
}

/* ---- how long lines can be ---- */

size_t tdm_line_most(const tdm_words *w, size_t part, size_t title)
{
    return w->line[part].fixed + w->line[part].titles * title;
}

static tdm_status line_measure(tdm_words *w, const tdm_form *f, size_t part, tdm_line_room *r, tdm_err *err)
{
    tdm_status st = TDM_OK;
    struct tdm_line_size *size = &w->line[part];
    *size = (struct tdm_line_size){0};
    for (size_t i = f->part[part].from; !st && i < f->part[part].to; i++) {
        const tdm_form_piece *p = &f->piece[i];
        bool name = p->kind == TDM_PIECE_FIELD && p->which == TDM_FIELD_title && !p->blank;
        r->token.n = 0;
        if (p->kind == TDM_PIECE_TEXT)
            st = tdm_prompt_encode(&r->token, w->b, (tdm_str){f->plain + p->at, p->n}, SIZE_MAX, err);
        if (name) size->titles++;
        else if (p->kind == TDM_PIECE_FIELD) size->fixed += limit[p->which].tokens;
        else size->fixed += p->kind == TDM_PIECE_MARK ? 1 : r->token.n;
    }
    return st;
}

tdm_status tdm_lines_measure(tdm_words *w, tdm_err *err)
{
    static const char *const names[] = {"review", "history"};
    const tdm_form *f = tdm_words_form(w);
    tdm_line_room room = {0};
    tdm_status st = TDM_OK;
    size_t window = (size_t)tdm_param_get(&w->p, "window"), most = 0;
    if (window > w->g->s.T) window = w->g->s.T;
    for (size_t k = 0; !st && k < f->parts; k++) {
        static const size_t times[TDM_PARTS] = {[TDM_PART_words] = 1,
                                                [TDM_PART_item] = 1,
                                                [TDM_PART_because] = BECAUSE,
                                                [TDM_PART_others] = OTHERS,
                                                [TDM_PART_answer] = 1};
        st = line_measure(w, f, k, &room, err);
        most += (k == f->asked ? 1 : times[f->part[k].kind]) * tdm_line_most(w, k, NAME_TOKENS);
    }
    tdm_line_room_clear(&room);
    if (st || most <= window) return st;
    return tdm_fail(
        err, TDM_E_FORMAT,
        "gpt2-words: in the form of a %s that it has, a document may take %zu tokens without any history, and "
        "the window has %zu: make the form shorter, or gpt2-words.window longer",
        names[f->kind], most, window);
}
