/* SPDX-License-Identifier: Apache-2.0 */
/* item_intake.c - texts are cleaned only where some row has the item: lists name whole shops. */
#include "data/item_intake.h"

#include "base/mem.h"
#include "data/clean.h"
#include "data/limits.h"

#include <string.h>

void tdm_item_intake_clear(tdm_item_intake *x)
{
    tdm_free(x->item);
    tdm_buf_clear(&x->bytes);
    tdm_buf_clear(&x->piece);
    *x = (tdm_item_intake){0};
}

/* ---- texts ---- */

static void text_add(tdm_item_intake *x, const tdm_keep *keep, tdm_str s, size_t longest)
{
    if (s.n && !tdm_clean_nothing(keep, s))
        tdm_cleaned_count(x->cleaned,
                          tdm_clean_text(&x->bytes, s, keep->length ? TDM_MOST_KEPT : longest, !keep->html));
}

static void title_add(tdm_item_intake *x, const tdm_keep *keep, tdm_str s)
{
    tdm_buf *to = &x->bytes;
    size_t was = to->n;
    text_add(x, keep, s, TDM_MOST_TITLE);
    if (to->failed || to->n == was || keep->placeholders) return;
    if (!tdm_clean_no_title((tdm_str){to->p + was, to->n - was})) return;
    x->cleaned[TDM_CLEANED_PLACEHOLDER]++;
    to->n = was;
}

/* Whether it is one list in quotes, as some tools write a column of lists: 'Beauty', 'Skin Care'. */
static bool quoted_list(tdm_str s)
{
    return s.n > 2 && s.p[0] == '\'' && s.p[s.n - 1] == '\'' && !memchr(s.p, '\n', s.n);
}

/* Takes the next piece before a line's end, or a bar where `bars`, off *s. */
static tdm_str piece_next(tdm_str *s, bool bars)
{
    size_t n = 0;
    if (bars && quoted_list(*s)) {
        for (n = 1; n + 4 < s->n && memcmp(s->p + n, "', '", 4);) n++;
        bool last = n + 4 >= s->n;
        tdm_str one = {s->p + 1, last ? s->n - 2 : n - 1};
        n = last ? s->n : n + 3; /* the next one keeps its quote */
        s->p += n;
        s->n -= n;
        return one;
    }
    while (n < s->n && s->p[n] != '\n' && !(bars && s->p[n] == '|')) n++;
    tdm_str one = {s->p, n};
    size_t gap = n < s->n;
    s->p += n + gap;
    s->n -= n + gap;
    return one;
}

/* Pieces on a line each, each cleaned, none twice, none longer than `longest`, at most `most` bytes. */
static void lines_add(tdm_item_intake *x, const tdm_keep *keep, tdm_str s, bool bars, size_t longest, size_t most)
{
    tdm_buf *to = &x->bytes, *piece = &x->piece;
    size_t was = to->n;
    while (s.n) {
        tdm_str one = piece_next(&s, bars);
        tdm_buf_reset(piece);
        if (tdm_clean_nothing(keep, one) || tdm_str_is(one, "(no genres listed)")) continue;
        unsigned marks = tdm_clean_text(piece, one, longest + 1, !keep->html);
        tdm_cleaned_count(x->cleaned, marks & ~(1u << TDM_CLEANED_CUT)); /* what is too long goes whole */
        size_t have = to->n - was;
        if (!piece->n || piece->n > longest || have + piece->n + 1 > most) continue;
        if (have && tdm_str_has_line((tdm_str){to->p + was, have}, (tdm_str){piece->p, piece->n})) continue;
        if (have) tdm_buf_char(to, '\n');
        tdm_buf_add(to, piece->p, piece->n);
    }
    to->failed |= piece->failed;
}

/* ---- ids ---- */

enum { ASIN = 10 }; /* letters of the ids that spreadsheets take for numbers */

static bool digits_but_last(tdm_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(i + 1 == s.n && (s.p[i] == 'X' || s.p[i] == 'x'))) return false;
    return s.n > 0;
}

/* The item that has this id but for its leading zeros, which rows or list have lost. */
static uint32_t find_damaged(tdm_match *match, const tdm_builder *b, tdm_str id)
{
    char padded[ASIN];
    uint32_t code = TDM_NONE;
    if (!digits_but_last(id)) return code;
    if (id.p[0] == '0') {
        size_t zeros = 0;
        while (zeros < id.n && id.p[zeros] == '0') zeros++;
        code = tdm_builder_find(b, (tdm_str){id.p + zeros, id.n - zeros});
        *match = TDM_MATCH_ROWS_DAMAGED;
    } else if (id.n < ASIN) {
        memset(padded, '0', ASIN - id.n);
        memcpy(padded + ASIN - id.n, id.p, id.n);
        code = tdm_builder_find(b, (tdm_str){padded, ASIN});
        *match = TDM_MATCH_LIST_DAMAGED;
    }
    return code;
}

static uint32_t find(tdm_match *match, const tdm_builder *b, tdm_str id, tdm_str other)
{
    uint32_t code = tdm_builder_find(b, id);
    *match = TDM_MATCH_WHOLE;
    if (code == TDM_NONE) code = tdm_builder_find(b, other);
    if (code == TDM_NONE) code = find_damaged(match, b, id);
    if (code == TDM_NONE) *match = TDM_MATCH_NONE;
    return code;
}

/* ---- records ---- */

static void texts_add(tdm_item_intake *x, tdm_found_item *item, const tdm_str *v, const tdm_item_rules *rules)
{
    const tdm_keep *keep = &rules->keep;
    for (int f = 0; f < TDM_FIELDS; f++) {
        size_t was = x->bytes.n;
        if (rules->shape->tags && f != TDM_FIELD_KEYWORDS) continue;
        if (f == TDM_FIELD_TITLE) title_add(x, keep, v[TDM_ROLE_TITLE]);
        else if (f == TDM_FIELD_BRAND) text_add(x, keep, v[TDM_ROLE_BRAND], TDM_MOST_BRAND);
        else if (f == TDM_FIELD_DESCRIPTION) text_add(x, keep, v[TDM_ROLE_DESCRIPTION], TDM_MOST_DESCRIPTION);
        else if (f == TDM_FIELD_CATEGORY)
            lines_add(x, keep, v[TDM_ROLE_CATEGORY], true, TDM_MOST_CATEGORY, TDM_MOST_CATEGORIES);
        else
            lines_add(x, keep, v[rules->shape->tags ? TDM_ROLE_TAG : TDM_ROLE_KEYWORDS], false, TDM_MOST_KEYWORDS,
                      TDM_MOST_KEYWORDS);
        item->n[f] = (uint32_t)(x->bytes.n - was);
    }
}

static bool item_add(tdm_item_intake *x, const tdm_record *rec, const tdm_item_rules *rules)
{
    const tdm_str *v = rec->value;
    tdm_str id = tdm_str_trim(v[TDM_ROLE_ITEM]), other = tdm_str_trim(v[TDM_ROLE_OTHER]);
    tdm_found_item item = {.at = x->bytes.n};
    tdm_buf *to = &x->bytes;
    x->rows++;
    if (rec->bad || tdm_clean_nothing(&rules->keep, id) || id.n > TDM_MOST_ID || other.n > TDM_MOST_ID) {
        x->broken++;
        return true;
    }
    tdm_clean_id(to, id);
    item.id_n = (uint32_t)(to->n - item.at);
    tdm_buf_reset(&x->piece);
    tdm_clean_id(&x->piece, other);
    if (to->failed || x->piece.failed) return false;
    item.code = find(&item.match, rules->builder, (tdm_str){to->p + item.at, item.id_n},
                     (tdm_str){x->piece.n ? x->piece.p : "", x->piece.n});
    bool damaged = item.match == TDM_MATCH_ROWS_DAMAGED || item.match == TDM_MATCH_LIST_DAMAGED;
    if (item.match == TDM_MATCH_NONE) {
        to->n = item.at;
        return true;
    }
    if (!damaged || rules->mend) texts_add(x, &item, v, rules);
    if (to->failed || tdm_grow(&x->item, &x->cap, x->n + 1, sizeof *x->item)) return false;
    x->item[x->n++] = item;
    return true;
}

tdm_status tdm_item_intake_block(tdm_item_intake *x, tdm_records *records, const tdm_item_rules *rules, tdm_err *err)
{
    tdm_record rec;
    bool more = true;
    x->rows = x->broken = x->n = 0;
    memset(x->cleaned, 0, sizeof x->cleaned);
    tdm_buf_reset(&x->bytes);
    for (;;) {
        tdm_status st = tdm_records_next(records, &rec, &more, err);
        if (st || !more) return st;
        if (!item_add(x, &rec, rules)) return tdm_nomem(err, "the items");
    }
}
