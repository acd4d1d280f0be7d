/* SPDX-License-Identifier: Apache-2.0 */
#include "data/table.h"

#include "base/mem.h"

#include <stddef.h>
#include <string.h>

enum { LONGEST_QUOTED = 1 << 20 }; /* a quote open for longer than this was no quote */

void tdm_cells_clear(tdm_cells *c)
{
    tdm_buf_clear(&c->bytes);
    tdm_free(c->cell);
    *c = (tdm_cells){0};
}

static void cell_end(tdm_cells *c, const char *p, size_t at, size_t n)
{
    if (!c) return;
    if (c->n == c->cap && tdm_grow(&c->cell, &c->cap, c->n + 1, sizeof *c->cell)) c->failed = true;
    else c->cell[c->n++] = (tdm_cell_at){p, at, n};
}

void tdm_cells_add(tdm_cells *c, tdm_str copied)
{
    size_t at = c->bytes.n;
    tdm_buf_add(&c->bytes, copied.p, copied.n);
    c->failed |= c->bytes.failed;
    if (!c->failed) cell_end(c, NULL, at, copied.n);
}

void tdm_cells_own(tdm_cells *c)
{
    for (size_t i = 0; i < c->n; i++) {
        tdm_cell_at *x = &c->cell[i];
        if (!x->p) continue;
        size_t at = c->bytes.n;
        tdm_buf_add(&c->bytes, x->p, x->n);
        *x = (tdm_cell_at){NULL, at, c->bytes.failed ? 0 : x->n};
    }
    c->failed |= c->bytes.failed;
}

static void begin(tdm_cells *c)
{
    if (!c) return;
    tdm_buf_reset(&c->bytes);
    c->n = 0;
    c->unclosed = false;
}

/* The cells of one line between runs of blanks. */
static void split_blanks(tdm_cells *c, tdm_str line)
{
    begin(c);
    for (size_t i = 0; c && i < line.n;) {
        while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t')) i++;
        size_t from = i;
        while (i < line.n && line.p[i] != ' ' && line.p[i] != '\t') i++;
        if (i > from) cell_end(c, line.p + from, 0, i - from);
    }
}

bool tdm_table_spans_lines(const tdm_dialect *d) { return d->sep[0] != '\t' && d->sep[0] != ' '; }

static bool sep_at(const tdm_dialect *d, size_t width, const char *p, const char *end)
{
    return (size_t)(end - p) >= width && p[0] == d->sep[0] && (width == 1 || p[1] == d->sep[1]);
}

bool tdm_table_escapes(const tdm_dialect *d, tdm_str text)
{
    const char *p = text.p, *end = p + text.n;
    size_t width = d->sep[1] ? 2 : 1;
    while (p + 2 < end && (p = memchr(p, '\\', (size_t)(end - p - 2)))) {
        if (p[1] == '"' && p[2] != '"' && p[2] != '\n' && p[2] != '\r' && !sep_at(d, width, p + 2, end)) return true;
        p++;
    }
    return false;
}

/* Whether the quote at `to` has an odd number of backslashes before it, back to `from`. */
static bool escaped(const char *from, const char *to)
{
    size_t n = 0;
    while (to - n > from && to[-1 - (ptrdiff_t)n] == '\\') n++;
    return n % 2;
}

/* The first separator from p on, or `end`. */
static const char *sep_find(const tdm_dialect *d, size_t width, const char *p, const char *end)
{
    while (p < end && (p = memchr(p, d->sep[0], (size_t)(end - p)))) {
        if (sep_at(d, width, p, end)) return p;
        p++;
    }
    return end;
}

typedef struct quoted {
    const char *p; /* the content, where it is a piece of the text; else it is in the cells' bytes */
    size_t at, n;
} quoted;

/* Length of the quoted cell at p with both quotes; 0: no quoted cell is there; SIZE_MAX: it may go on behind `end`. A
 * quote counts as the closing one where a separator or the line's end follows. */
static size_t quoted_read(quoted *out, tdm_cells *c, const tdm_dialect *d, size_t width, const char *p, const char *end,
                          bool last)
{
    size_t was = c ? c->bytes.n : 0;
    bool lines = tdm_table_spans_lines(d), copied = false;
    const char *q = p + 1;
    for (;;) {
        const char *to = memchr(q, '"', (size_t)(end - q));
        const char *line_end = lines ? NULL : memchr(q, '\n', (size_t)((to ? to : end) - q));
        if (line_end || (size_t)((to ? to : end) - p) > LONGEST_QUOTED || (!to && last)) break;
        if (!to) return SIZE_MAX;
        if (to + 1 == end && !last) return SIZE_MAX;
        bool literal = d->escapes && escaped(q, to);
        bool closes = !literal && (to + 1 == end || to[1] == '\n' || sep_at(d, width, to + 1, end));
        if (!closes && !literal && to[1] == '\r') {
            if (to + 2 == end && !last) return SIZE_MAX;
            closes = to + 2 == end || to[2] == '\n';
        }
        if (closes && !copied) *out = (quoted){p + 1, 0, (size_t)(to - p - 1)};
        else if (c) tdm_buf_add(&c->bytes, q, (size_t)(to - q) - literal);
        if (closes && copied) *out = (quoted){NULL, was, c ? c->bytes.n - was : 0};
        if (closes) return (size_t)(to + 1 - p);
        if (c) tdm_buf_char(&c->bytes, '"'); /* doubled, or a stray one inside */
        copied = true;
        q = to + 1 + (!literal && to[1] == '"');
    }
    if (c) c->bytes.n = was, c->unclosed = true;
    return 0;
}

/* Some tab-separated files have a few lines with blanks instead. */
static void blanks_instead(tdm_cells *c, const tdm_dialect *d, tdm_str line)
{
    split_blanks(c, line);
    if (c->n == d->columns) return;
    begin(c);
    cell_end(c, line.p, 0, line.n);
}

typedef struct found {
    size_t cells;
    bool beyond; /* bytes behind the record were looked at */
} found;

/* The record that begins `ahead`, whose first line ends at line_end (the end of it all where it has no end). `lines`:
 * whether a quoted cell may go over the line's end. */
static size_t record(found *f, tdm_cells *c, const tdm_dialect *d, tdm_str ahead, const char *line_end, bool lines,
                     bool last)
{
    const char *p = ahead.p, *all = p + ahead.n, *end = lines ? all : line_end;
    size_t width = d->sep[1] ? 2 : 1;
    begin(c);
    *f = (found){1, false};
    for (;; f->cells++) {
        quoted q = {p, 0, 0};
        bool quote = p < end && *p == '"';
        size_t n = quote ? quoted_read(&q, c, d, width, p, end, last || !lines) : 0;
        if (n == SIZE_MAX) return 0;
        f->beyond |= lines && quote && !n;
        p += n;
        if (n && p > line_end) {
            line_end = memchr(p, '\n', (size_t)(end - p));
            if (!line_end && !last) return 0;
            if (!line_end) line_end = end;
        }
        const char *from = p;
        p = sep_find(d, width, p, line_end);
        size_t plain = (size_t)(p - from);
        if (p == line_end && plain && p[-1] == '\r') plain--;
        if (n == 0) q = (quoted){from, 0, plain}; /* behind a quoted cell nothing but \r is left of the line */
        cell_end(c, q.p, q.at, q.n);
        if (p >= line_end) break;
        p += width;
    }
    return (size_t)(line_end - ahead.p) + (line_end < all);
}

/* The same of a line without quotes, which is most of them. */
static void plain_record(tdm_cells *c, const tdm_dialect *d, tdm_str line)
{
    const char *p = line.p, *end = p + line.n;
    size_t width = d->sep[1] ? 2 : 1;
    begin(c);
    for (;;) {
        const char *q = width > 1 ? sep_find(d, width, p, end) : memchr(p, d->sep[0], (size_t)(end - p));
        if (!q) q = end;
        cell_end(c, p, 0, (size_t)(q - p));
        if (q == end) return;
        p = q + width;
    }
}

/* Whether every line of the record is one by itself, with as many cells as a record has. */
static bool lines_are_records(const tdm_dialect *d, tdm_str text)
{
    const char *p = text.p, *end = p + text.n;
    while (p < end) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        found f;
        if (!line_end) line_end = end;
        record(&f, NULL, d, (tdm_str){p, (size_t)(end - p)}, line_end, false, true);
        if (f.cells != d->columns) return false;
        p = line_end + 1;
    }
    return true;
}

/* A stray quote swallows lines until another one happens to look like its end. What came of it is no record: it has
 * another number of cells, or each of its lines is a record by itself. */
static bool swallowed(const tdm_dialect *d, tdm_str text, size_t cells)
{
    return d->columns > 1 && (cells != d->columns || lines_are_records(d, text));
}

static size_t next(bool *beyond, tdm_cells *c, const tdm_dialect *d, tdm_str ahead, bool last)
{
    const char *p = ahead.p, *end = p + ahead.n, *line_end = ahead.n ? memchr(p, '\n', ahead.n) : NULL;
    if (!ahead.n || (!line_end && !last)) return 0;
    if (!line_end) line_end = end;
    size_t length = (size_t)(line_end - p);
    found f;
    tdm_str line = {p, length && p[length - 1] == '\r' ? length - 1 : length};
    length += line_end < end;
    if (d->sep[0] == ' ') {
        split_blanks(c, line);
        return length;
    }
    size_t n = length;
    if (memchr(p, '"', line.n)) {
        n = record(&f, c, d, ahead, line_end, tdm_table_spans_lines(d), last);
        if (!n) return 0;
        *beyond = f.beyond;
        if (n > length && swallowed(d, (tdm_str){p, n}, f.cells)) {
            n = record(&f, c, d, ahead, line_end, false, last);
            *beyond = true;
        }
    } else if (c) plain_record(c, d, line);
    if (c && c->n == 1 && d->sep[0] == '\t' && d->columns > 1) blanks_instead(c, d, line);
    return n;
}

size_t tdm_table_next(tdm_cells *c, const tdm_dialect *d, tdm_str ahead, bool last)
{
    bool beyond;
    return next(&beyond, c, d, ahead, last);
}

size_t tdm_table_cut(bool *beyond, const tdm_dialect *d, tdm_str ahead, bool last)
{
    *beyond = false;
    return next(beyond, NULL, d, ahead, last);
}
