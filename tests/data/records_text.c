/* SPDX-License-Identifier: Apache-2.0 */
#include "records_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void number_add(tdm_buf *out, const char *name, uint64_t v)
{
    char digit[24];
    size_t n = sizeof digit;
    do digit[--n] = (char)('0' + v % 10);
    while (v /= 10);
    tdm_buf_str(out, name);
    tdm_buf_add(out, digit + n, sizeof digit - n);
}

static void text_add(tdm_buf *out, const char *name, tdm_str s)
{
    number_add(out, name, s.n); /* with its length, so that no text looks like two */
    tdm_buf_char(out, ' ');
    tdm_buf_add(out, s.p, s.n);
}

size_t records_of_block(tdm_buf *out, tdm_records *r, const tdm_block *b)
{
    tdm_record rec;
    bool more;
    tdm_records_begin(r, b);
    for (size_t n = 0;; n++) {
        if (tdm_records_next(r, &rec, &more, NULL)) abort();
        if (!more) return n;
        number_add(out, "line ", tdm_records_line(r));
        number_add(out, " offset ", tdm_records_offset(r));
        tdm_buf_str(out, rec.ordered ? " ordered " : " ");
        text_add(out, rec.bad ? rec.bad : "good", rec.raw);
        for (int k = 0; k < TDM_ROLES; k++)
            if (rec.value[k].n) {
                tdm_buf_char(out, '\n');
                text_add(out, tdm_role_name((tdm_role)k), rec.value[k]);
            }
        tdm_buf_char(out, '\n');
    }
}

static size_t block_of(tdm_str text, const tdm_shape *shape, size_t most)
{
    if (!most) return text.n;
    for (size_t need = most;; need *= 2) {
        bool last = need > text.n; /* that nothing lies behind is known once it was asked for */
        size_t n = tdm_block_cut(shape, (tdm_str){text.p, last ? text.n : need}, most, last);
        if (n || last) return n;
    }
}

size_t records_of_text(tdm_buf *out, tdm_records *r, const tdm_shape *shape, tdm_str text, size_t most, uint64_t offset)
{
    tdm_block b = {.line = 1, .offset = offset};
    size_t records = 0;
    while (text.n) {
        b.n = block_of(text, shape, most);
        if (!b.n || b.n > text.n || !(b.p = malloc(b.n + TDM_BLOCK_PADDING))) abort();
        memcpy(b.p, text.p, b.n);
        memset(b.p + b.n, 0, TDM_BLOCK_PADDING);
        records += records_of_block(out, r, &b);
        for (size_t i = 0; i < b.n; i++) b.line += b.p[i] == '\n';
        b.offset += b.n;
        text.p += b.n;
        text.n -= b.n;
        free(b.p);
    }
    return records;
}

static size_t escape(char *to, const tdm_buf *b, size_t from, size_t n)
{
    size_t at = 0;
    for (size_t i = from; i < b->n && i < from + n; i++) {
        unsigned char c = (unsigned char)b->p[i];
        at += (size_t)sprintf(to + at, c < ' ' || c > '~' ? "\\x%02x" : "%c", c);
    }
    return at;
}

const char *records_differ(const tdm_buf *a, const tdm_buf *b)
{
    enum { AROUND = 400 };
    static char said[2 * 4 * AROUND + 100];
    size_t i = 0, at = 0;
    while (i < a->n && i < b->n && a->p[i] == b->p[i]) i++;
    if (i == a->n && i == b->n) return NULL;
    size_t from = i < AROUND / 2 ? 0 : i - AROUND / 2;
    at += (size_t)sprintf(said, "at byte %zu:\n", i);
    at += escape(said + at, a, from, AROUND);
    at += (size_t)sprintf(said + at, "\nand\n");
    at += escape(said + at, b, from, AROUND);
    said[at] = 0;
    return said;
}
