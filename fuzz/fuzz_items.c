/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_items.c - any bytes as a list of items, or a log of tags, met by rows that have a few of the items. The last two
 * bytes pick how it is written and which rules are left out. Texts are UTF-8 and no longer than what is kept, what is
 * found is an item of the rows, and blocks of any size give the same. */
#include "agree.h"

#include "base/utf8.h"
#include "data/item_intake.h"
#include "data/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char *const known[] = {"a", "1", "12", "0000000012", "123X", "000000456x", "i\xc3\xa9"};
enum { KNOWN = sizeof known / sizeof *known };

/* Rows with the known items, put together once. */
static const tdm_builder *rows(void)
{
    static tdm_builder *b;
    if (b) return b;
    if (tdm_builder_open(&b, 1, NULL)) abort();
    for (size_t i = 0; i < KNOWN; i++)
        if (tdm_builder_add(b, &(tdm_row){.user = tdm_str_of("u"), .item = tdm_str_of(known[i]), .rating = 1}, NULL))
            abort();
    if (tdm_builder_flush(b, NULL)) abort();
    return b;
}

static void items_of(tdm_buf *out, const tdm_item_intake *x, const tdm_item_rules *rules)
{
    static const size_t longest[TDM_FIELDS] = {[TDM_FIELD_TITLE] = TDM_MOST_TITLE,
                                               [TDM_FIELD_BRAND] = TDM_MOST_BRAND,
                                               [TDM_FIELD_CATEGORY] = TDM_MOST_CATEGORIES,
                                               [TDM_FIELD_DESCRIPTION] = TDM_MOST_DESCRIPTION,
                                               [TDM_FIELD_KEYWORDS] = TDM_MOST_KEYWORDS};
    if (x->n + x->broken > x->rows) abort();
    for (size_t i = 0; i < x->n; i++) {
        const tdm_found_item *f = &x->item[i];
        bool damaged = f->match != TDM_MATCH_WHOLE;
        size_t like = 0;
        while (like < KNOWN && tdm_builder_find(rows(), tdm_str_of(known[like])) != f->code) like++;
        if (f->match == TDM_MATCH_NONE || like == KNOWN) abort();
        tdm_buf_fmt(out, "%u %d ", f->code, (int)f->match);
        if (damaged && !rules->mend) continue;
        size_t n = f->id_n;
        for (int k = 0; k < TDM_FIELDS; k++) {
            bool listed = k == TDM_FIELD_CATEGORY || k == TDM_FIELD_KEYWORDS;
            size_t most = rules->keep.length && !listed ? TDM_MOST_KEPT : longest[k];
            if (f->n[k] > most || !tdm_utf8_valid((tdm_str){x->bytes.p + f->at + n, f->n[k]})) abort();
            n += f->n[k];
            tdm_buf_fmt(out, "%u ", f->n[k]);
        }
        if (f->at + n > x->bytes.n || !tdm_utf8_valid((tdm_str){x->bytes.p + f->at, f->id_n})) abort();
        tdm_buf_add(out, x->bytes.p + f->at, n);
    }
}

static void take(tdm_buf *out, const tdm_item_rules *rules, tdm_str text, size_t most)
{
    static tdm_item_intake x;
    tdm_records *r;
    if (tdm_records_open(&r, rules->shape, NULL)) abort();
    tdm_block b = {.line = 1};
    size_t count = 0, broken = 0, cleaned[TDM_CLEANED] = {0};
    tdm_buf_reset(out);
    while (text.n) {
        b.n = most ? tdm_block_cut(rules->shape, text, most, true) : text.n;
        if (!(b.p = malloc(b.n + TDM_BLOCK_PADDING))) abort();
        memcpy(b.p, text.p, b.n);
        memset(b.p + b.n, 0, TDM_BLOCK_PADDING);
        tdm_records_begin(r, &b);
        if (tdm_item_intake_block(&x, r, rules, NULL)) abort();
        items_of(out, &x, rules);
        for (int k = 0; k < TDM_CLEANED; k++) cleaned[k] += x.cleaned[k];
        count += x.rows;
        broken += x.broken;
        text.p += b.n;
        text.n -= b.n;
        free(b.p);
    }
    tdm_buf_fmt(out, "%zu %zu", count, broken);
    for (int k = 0; k < TDM_CLEANED; k++) tdm_buf_fmt(out, " %zu", cleaned[k]);
    tdm_records_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const tdm_role roles[] = {TDM_ROLE_ITEM,        TDM_ROLE_TITLE,    TDM_ROLE_CATEGORY, TDM_ROLE_BRAND,
                                     TDM_ROLE_DESCRIPTION, TDM_ROLE_KEYWORDS, TDM_ROLE_OTHER};
    enum { ROLES = sizeof roles / sizeof *roles };
    static tdm_buf whole, pieces;
    uint8_t a = steering(p, &n), keep = steering(p, &n);
    tdm_str text = {(const char *)p, n};
    bool tags = a & 16;
    tdm_shape s = {.form = a & 1   ? TDM_FORM_TABLE
                           : a & 2 ? TDM_FORM_VALUES
                                   : TDM_FORM_LINES,
                   .items = !tags,
                   .tags = tags,
                   .dialect = {.sep = {a & 2 ? ',' : '|'}, .columns = 2 + (a >> 6)},
                   .flags = (a & 36) == 36};
    for (int k = 0; k < TDM_ROLES; k++) s.column[k] = -1;
    for (size_t k = 0; k < ROLES && k < s.dialect.columns; k++) {
        tdm_role role = tags && k == 1 ? TDM_ROLE_TAG : roles[a & 32 && k > 1 ? k + 2 : k];
        s.used[s.n_used++] = role;
        s.column[role] = (int)k;
    }
    if (s.flags) s.dialect.columns += 19;
    const tdm_item_rules rules = {.shape = &s,
                                  .builder = rows(),
                                  .mend = a & 8,
                                  .keep = {.placeholders = keep & 1, .html = keep & 2, .length = keep & 4}};
    take(&whole, &rules, text, 0);
    take(&pieces, &rules, text, n > 100 ? 64 : 1);
    if (whole.n == pieces.n && !memcmp(whole.p, pieces.p, whole.n)) return 0;
    fprintf(stderr, "%s\n", records_differ(&whole, &pieces));
    abort();
}
