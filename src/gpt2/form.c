/* SPDX-License-Identifier: Apache-2.0 */
/* form.c - reads a form line by line into pieces, then checks what the rest of gpt2-words relies on:
 *
 *   - a document begins with <|endoftext|>, and the mark stands nowhere else but at the end of an answer;
 *   - the title that is asked for stands between two marks, the second of which is <|end|>: rankings walk along titles
 *     from the first, and a title ends with the second;
 *   - an answer is the last part, its texts have their own marks, and something ends it. */
#include "gpt2/form.h"
#include "base/utf8.h"
#include "gpt2/prompt.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MARK, ITEM_MARK, END_MARK, BECAUSE_MARK, OTHERS_MARK, SUMMARY_MARK, REVIEW_MARK }; /* as in prompt.h */

static const char *const part_name[] = {
#define X(name) #name,
    TDM_FORM_PARTS(X)
#undef X
};
static const char *const field_name[] = {
#define X(name, parts) #name,
    TDM_FORM_FIELDS(X)
#undef X
};
static const unsigned field_parts[] = {
#define X(name, parts) (unsigned)(parts),
    TDM_FORM_FIELDS(X)
#undef X
};

typedef struct reader {
    tdm_form *f;
    const char *where;
    size_t line;
    size_t literal; /* where in f->plain the text that is not yet a piece begins */
    size_t open;    /* the piece that opened a bracket; SIZE_MAX: none is open */
    bool fields;    /* ... and whether a placeholder stands in it */
    tdm_err *err;
} reader;

static tdm_status fail(const reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static tdm_status fail(const reader *r, const char *fmt, ...)
{
    char what[700];
    va_list list;
    va_start(list, fmt);
    vsnprintf(what, sizeof what, fmt, list);
    va_end(list);
    return tdm_fail(r->err, TDM_E_FORMAT, "%s:%zu: %s", r->where, r->line, what);
}

/* ---- pieces ---- */

static tdm_status piece_add(reader *r, tdm_form_piece p)
{
    if (r->f->pieces == TDM_FORM_PIECES)
        return fail(r, "the form has more than %d marks, texts and placeholders; make it shorter", TDM_FORM_PIECES);
    r->f->piece[r->f->pieces++] = p;
    return TDM_OK;
}

/* What was written since the last piece becomes one. A blank before a placeholder is left to it. */
static tdm_status text_end(reader *r, bool *blank)
{
    tdm_form *f = r->f;
    size_t n = f->plain_n - r->literal, at = r->literal;
    *blank = n && f->plain[f->plain_n - 1] == ' ';
    r->literal = f->plain_n;
    if (!n) return TDM_OK;
    return piece_add(r, (tdm_form_piece){.kind = TDM_PIECE_TEXT, .at = at, .n = n});
}

static tdm_status other_add(reader *r, tdm_form_piece p)
{
    bool blank;
    tdm_status st = text_end(r, &blank);
    return st ? st : piece_add(r, p);
}

static tdm_status field_add(reader *r, size_t which)
{
    tdm_form *f = r->f;
    tdm_form_piece p = {.kind = TDM_PIECE_FIELD, .which = (unsigned char)which};
    tdm_status st = text_end(r, &p.blank);
    if (!st && p.blank && !--f->piece[f->pieces - 1].n) f->pieces--;
    r->fields = true;
    return st ? st : piece_add(r, p);
}

static tdm_status mark_read(reader *r, tdm_str *s)
{
    for (size_t k = 0; tdm_prompt_special[k]; k++) {
        size_t n = strlen(tdm_prompt_special[k]);
        if (s->n < n || memcmp(s->p, tdm_prompt_special[k], n)) continue;
        s->p += n;
        s->n -= n;
        return other_add(r, (tdm_form_piece){.kind = TDM_PIECE_MARK, .which = (unsigned char)k});
    }
    return fail(r,
                "there is no mark \"%.*s\"; marks are <|endoftext|>, <|item|>, <|end|>, <|because|>, <|others|>, "
                "<|summary|> and <|review|>",
                TDM_STR_ARG(tdm_utf8_cut(*s, 20)));
}

/* "{title}, {rating}": what this kind of part may say. */
static void fields_list(char out[200], tdm_form_part_kind part)
{
    size_t at = 0;
    out[0] = 0;
    for (size_t k = 0; k < TDM_FIELDS; k++)
        if (field_parts[k] >> part & 1) at += (size_t)snprintf(out + at, 200 - at, "{%s}, ", field_name[k]);
    snprintf(out + at, 200 - at, "{space} and {newline}");
}

static tdm_status placeholder_read(reader *r, tdm_str *s, tdm_form_part_kind part)
{
    char list[200];
    const char *end = memchr(s->p, '}', s->n);
    if (!end) return fail(r, "a { has no } behind it; write a placeholder such as {title}");
    tdm_str name = {s->p + 1, (size_t)(end - s->p) - 1};
    s->n -= name.n + 2;
    s->p += name.n + 2;
    if (tdm_str_is(name, "space") || tdm_str_is(name, "newline")) {
        r->f->plain[r->f->plain_n++] = tdm_str_is(name, "space") ? ' ' : '\n';
        return TDM_OK;
    }
    for (size_t k = 0; k < TDM_FIELDS; k++)
        if (tdm_str_is(name, field_name[k]) && field_parts[k] >> part & 1) return field_add(r, k);
    fields_list(list, part);
    return fail(r, "a line of %s has no placeholder {%.*s}; it may have %s", part_name[part],
                TDM_STR_ARG(tdm_utf8_cut(name, 40)), list);
}

static tdm_status bracket_read(reader *r, bool opens)
{
    tdm_form *f = r->f;
    if (opens && r->open != SIZE_MAX) return fail(r, "a [ stands inside of [ ]; close the first one before it");
    if (!opens && r->open == SIZE_MAX) return fail(r, "a ] has no [ before it; leave it out or open it");
    if (!opens && !r->fields)
        return fail(r, "[ ] has no placeholder in it, so it could never be left out; write it without the brackets");
    tdm_status st = other_add(r, (tdm_form_piece){.kind = opens ? TDM_PIECE_OPEN : TDM_PIECE_CLOSE});
    if (st) return st;
    if (!opens) f->piece[r->open].n = f->pieces - r->open - 2;
    r->open = opens ? f->pieces - 1 : SIZE_MAX;
    r->fields = false;
    return TDM_OK;
}

static tdm_status pieces_read(reader *r, tdm_str s, tdm_form_part_kind part)
{
    tdm_form *f = r->f;
    tdm_status st = TDM_OK;
    bool blank;
    r->literal = f->plain_n;
    r->open = SIZE_MAX;
    while (!st && s.n) {
        char c = *s.p;
        if (c == '<' && s.n > 1 && s.p[1] == '|') st = mark_read(r, &s);
        else if (c == '{') st = placeholder_read(r, &s, part);
        else if (c == '}') st = fail(r, "a } has no { before it; write a placeholder such as {title}");
        else {
            if (c == '[' || c == ']') st = bracket_read(r, c == '[');
            else f->plain[f->plain_n++] = c;
            s.p++;
            s.n--;
        }
    }
    if (!st && r->open != SIZE_MAX) st = fail(r, "a [ is not closed; put a ] behind what may be left out");
    return st ? st : text_end(r, &blank);
}

/* ---- lines ---- */

static tdm_status kind_read(reader *r, tdm_str name, tdm_str value)
{
    tdm_form_kind k = tdm_str_is(value, "history") ? TDM_FORM_HISTORY : TDM_FORM_REVIEW;
    if (!tdm_str_is(name, "form") || (k == TDM_FORM_REVIEW && !tdm_str_is(value, "review")))
        return fail(r, "a form begins with the line \"form: review\" or \"form: history\"");
    r->f->kind = k;
    return TDM_OK;
}

static tdm_status line_read(reader *r, tdm_str line, bool *begun)
{
    tdm_form *f = r->f;
    const char *colon = memchr(line.p, ':', line.n);
    size_t n = colon ? (size_t)(colon - line.p) : 0, k = 0;
    tdm_str name = tdm_str_trim((tdm_str){line.p, n});
    tdm_str value = colon ? tdm_str_trim((tdm_str){colon + 1, line.n - n - 1}) : line;
    for (size_t i = 0; i < line.n; i++)
        if ((unsigned char)line.p[i] < ' ')
            return fail(r, "a control character stands here; {newline} is how a form says one");
    if (!tdm_utf8_valid(line)) return fail(r, "this is not UTF-8; save the form as UTF-8");
    if (!*begun) {
        *begun = true;
        return kind_read(r, name, value);
    }
    while (k < TDM_PARTS && !tdm_str_is(name, part_name[k])) k++;
    if (k == TDM_PARTS)
        return fail(r, "a line begins with words:, history:, item:, because:, others: or answer:, not \"%.*s\"",
                    TDM_STR_ARG(tdm_utf8_cut(line, 40)));
    tdm_form_part_kind part = (tdm_form_part_kind)k;
    if (f->kind == TDM_FORM_HISTORY && part > TDM_PART_history)
        return fail(r, "a form of histories has words: and history: lines, and no %s:", part_name[part]);
    for (size_t i = 0; i < f->parts; i++) {
        if (f->part[i].kind == TDM_PART_answer) return fail(r, "the answer is the last line; put this one before it");
        if (f->part[i].kind == part && part != TDM_PART_words)
            return fail(r, "there is a line of %s already; one is enough, and is repeated where there is more to say",
                        part_name[part]);
    }
    if (f->parts == TDM_FORM_LINES) return fail(r, "the form has more than %d lines", TDM_FORM_LINES);
    if (!value.n) return fail(r, "nothing stands behind %s:; say something or leave the line out", part_name[part]);
    size_t from = f->pieces;
    tdm_status st = pieces_read(r, value, part);
    if (!st) f->part[f->parts++] = (tdm_form_part){part, from, f->pieces, r->line};
    return st;
}

/* ---- the whole ---- */

static bool is_mark(const tdm_form *f, size_t p, size_t which)
{
    return p < f->pieces && f->piece[p].kind == TDM_PIECE_MARK && f->piece[p].which == which;
}

static bool is_field(const tdm_form *f, size_t p, size_t which)
{
    return p < f->pieces && f->piece[p].kind == TDM_PIECE_FIELD && f->piece[p].which == which;
}

static tdm_status part_find(reader *r, size_t *at, tdm_form_part_kind kind)
{
    const tdm_form *f = r->f;
    while (*at < f->parts && f->part[*at].kind != kind) ++*at;
    if (*at < f->parts) return TDM_OK;
    return fail(r, "there is no line of %s; add \"%s: <|item|>{title}<|end|>\"", part_name[kind], part_name[kind]);
}

/* The place of the history, and of the title that is asked for. */
static tdm_status asked_find(reader *r)
{
    tdm_form *f = r->f;
    tdm_form_part_kind kind = f->kind == TDM_FORM_REVIEW ? TDM_PART_item : TDM_PART_history;
    size_t titles = 0;
    tdm_status st = part_find(r, &f->history, TDM_PART_history);
    if (!st) st = part_find(r, &f->asked, kind);
    if (st) return st;
    const tdm_form_part *part = &f->part[f->asked];
    bool inside = false; /* brackets, where it might be left out */
    r->line = part->line;
    for (size_t p = part->from; p < part->to; p++) {
        if (f->piece[p].kind == TDM_PIECE_OPEN || f->piece[p].kind == TDM_PIECE_CLOSE) inside = !inside;
        if (is_field(f, p, TDM_FIELD_title)) f->title = p, titles += inside ? 2 : 1;
    }
    if (titles != 1 || f->title == part->from || f->piece[f->title].blank ||
        f->piece[f->title - 1].kind != TDM_PIECE_MARK || f->title + 1 == part->to ||
        !is_mark(f, f->title + 1, END_MARK))
        return fail(r,
                    "the line of %s must hold {title} once, outside of [ ], right behind a mark and right before "
                    "<|end|>, as in "
                    "\"<|item|>{title}<|end|>\": rankings go along titles from there",
                    part_name[kind]);
    r->line = f->part[f->history].line;
    if (f->history > f->asked)
        return fail(
            r, "the history stands behind the item; put it before, so that it is there where a title is asked for");
    return TDM_OK;
}

static tdm_status answer_check(reader *r)
{
    tdm_form *f = r->f;
    static const char how[] = "<|summary|>{summary}<|review|>{review}<|endoftext|>";
    r->line = f->part[f->parts - 1].line;
    if (f->part[f->parts - 1].kind != TDM_PART_answer)
        return fail(r, "a form of reviews has no answer; end it with \"answer: %s\"", how);
    size_t p = f->part[f->parts - 1].from;
    if (is_mark(f, p, SUMMARY_MARK) && is_field(f, p + 1, TDM_FIELD_summary)) f->summary = true, p += 2;
    if (is_mark(f, p, REVIEW_MARK) && is_field(f, p + 1, TDM_FIELD_review)) f->review = true, p += 2;
    if ((f->summary || f->review) && is_mark(f, p, TEXT_MARK) && p + 1 == f->pieces) return TDM_OK;
    return fail(r, "an answer is %s, or that without its summary or its review, and nothing else", how);
}

static tdm_status whole_check(reader *r)
{
    tdm_form *f = r->f;
    size_t last = f->kind == TDM_FORM_REVIEW && f->pieces ? f->pieces - 1 : 0, past = f->pieces;
    if (!f->parts || f->part[0].kind != TDM_PART_words || !is_mark(f, 0, TEXT_MARK))
        return fail(r, "a document begins with the line \"words: <|endoftext|>\"");
    tdm_status st = asked_find(r);
    if (!st && f->kind == TDM_FORM_REVIEW) st = answer_check(r);
    if (st) return st;
    if (f->kind == TDM_FORM_HISTORY && f->asked + 1 != f->parts)
        return fail(r, "the history is the last line of its form; put words: before it");
    if (f->kind == TDM_FORM_REVIEW) past = f->part[f->parts - 1].from;
    for (size_t p = 1, part = 0; p < f->pieces; p++) {
        while (p >= f->part[part].to) part++;
        r->line = f->part[part].line;
        if (is_mark(f, p, TEXT_MARK) && p != last)
            return fail(r, "<|endoftext|> begins a document and ends an answer; take it out elsewhere");
        if (p < past && (is_mark(f, p, SUMMARY_MARK) || is_mark(f, p, REVIEW_MARK)))
            return fail(r,
                        "<|summary|> and <|review|> are the answer's marks; <|others|> is one for what others wrote");
    }
    return TDM_OK;
}

tdm_status tdm_form_parse(tdm_form *out, const char *where, tdm_str text, tdm_err *err)
{
    reader r = {.f = out, .where = where, .open = SIZE_MAX, .err = err};
    tdm_status st = TDM_OK;
    bool begun = false;
    *out = (tdm_form){0};
    if (text.n > TDM_FORM_BYTES)
        return tdm_fail(err, TDM_E_FORMAT, "%s: %zu bytes are no form; one has at most %d", where, text.n,
                        TDM_FORM_BYTES);
    if (text.n) memcpy(out->source, text.p, text.n);
    out->source_n = text.n;
    if (text.n >= 3 && !memcmp(text.p, "\xef\xbb\xbf", 3)) { /* a byte order mark */
        text.p += 3;
        text.n -= 3;
    }
    while (!st && text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;
        tdm_str line = tdm_str_trim((tdm_str){text.p, n});
        r.line++;
        if (line.n && *line.p != '#') st = line_read(&r, line, &begun);
        text.p += n + (end != NULL);
        text.n -= n + (end != NULL);
    }
    if (!st && !begun) st = tdm_fail(err, TDM_E_FORMAT, "%s: there is no form in it; docs/prompts.md has one", where);
    return st ? st : whole_check(&r);
}
