/* SPDX-License-Identifier: Apache-2.0 */
#include "records_text.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `n` more bytes behind what is there. */
static char *more_room(tdm_buf *out, size_t n)
{
    if (tdm_grow(&out->p, &out->cap, out->n + n, 1)) abort();
    return out->p + out->n;
}

static char *word_put(char *to, const char *word)
{
    size_t n = strlen(word);
    memcpy(to, word, n);
    return to + n;
}

static char *number_put(char *to, const char *name, uint64_t v)
{
    char digit[24];
    size_t n = sizeof digit;
    to = word_put(to, name);
    do digit[--n] = (char)('0' + v % 10);
    while (v /= 10);
    memcpy(to, digit + n, sizeof digit - n);
    return to + (sizeof digit - n);
}

static void record_add(tdm_buf *out, const tdm_records *r, const tdm_record *rec, const tdm_block *b)
{
    enum { LONGEST_WORDS = 1000 }; /* names, numbers and what is wrong */
    size_t n = LONGEST_WORDS;
    if (rec->raw.p < b->p || rec->raw.p + rec->raw.n > b->p + b->n) abort();
    for (int k = 0; k < TDM_ROLES; k++) n += rec->value[k].n;
    char *from = more_room(out, n), *to = number_put(from, "line ", tdm_records_line(r));
    to = number_put(to, " offset ", tdm_records_offset(r));
    to = word_put(to, rec->ordered ? " ordered, " : ", ");
    to = word_put(to, rec->bad ? rec->bad : "good");
    to = number_put(to, ", record ", b->offset + (uint64_t)(rec->raw.p - b->p)); /* which bytes says what they are */
    to = number_put(to, "+", rec->raw.n);
    for (int k = 0; k < TDM_ROLES; k++) {
        tdm_str v = rec->value[k];
        if (!v.n) continue;
        to = word_put(to, "\n");
        to = word_put(to, tdm_role_name((tdm_role)k));
        to = number_put(to, " ", v.n); /* so that no value looks like two */
        to = word_put(to, " ");
        memcpy(to, v.p, v.n);
        to += v.n;
    }
    *to++ = '\n';
    out->n += (size_t)(to - from);
}

size_t records_of_block(tdm_buf *out, tdm_records *r, const tdm_block *b)
{
    tdm_record rec;
    bool more;
    tdm_records_begin(r, b);
    for (size_t n = 0;; n++) {
        if (tdm_records_next(r, &rec, &more, NULL)) abort();
        if (!more) return n;
        record_add(out, r, &rec, b);
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
    if (a->n == b->n && (!a->n || !memcmp(a->p, b->p, a->n))) return NULL;
    while (i < a->n && i < b->n && a->p[i] == b->p[i]) i++;
    size_t from = i < AROUND / 2 ? 0 : i - AROUND / 2;
    at += (size_t)sprintf(said, "at byte %zu:\n", i);
    at += escape(said + at, a, from, AROUND);
    at += (size_t)sprintf(said + at, "\nand\n");
    at += escape(said + at, b, from, AROUND);
    said[at] = 0;
    return said;
}
