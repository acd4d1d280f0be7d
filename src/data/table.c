/* SPDX-License-Identifier: Apache-2.0 */
#include "data/table.h"

#include "base/mem.h"

#include <string.h>

enum { LONGEST_QUOTED = 1 << 20 }; /* a quote open for longer than this was no quote */

void tdm_cells_clear(tdm_cells *c)
{
    tdm_buf_clear(&c->bytes);
    tdm_free(c->end);
    *c = (tdm_cells){0};
}

tdm_str tdm_cell(const tdm_cells *c, size_t i)
{
    if (i >= c->n || !c->bytes.p) return (tdm_str){"", 0};
    size_t at = i ? c->end[i - 1] : 0;
    return (tdm_str){c->bytes.p + at, c->end[i] - at};
}

static void cell_end(tdm_cells *c)
{
    if (tdm_grow(&c->end, &c->cap, c->n + 1, sizeof *c->end)) c->failed = true;
    else c->end[c->n++] = c->bytes.n;
}

static void begin(tdm_cells *c)
{
    tdm_buf_reset(&c->bytes);
    c->n = 0;
    c->unclosed = false;
}

/* The cells of one line between runs of blanks. */
static void split_blanks(tdm_cells *c, tdm_str line)
{
    begin(c);
    for (size_t i = 0; i < line.n;) {
        while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t')) i++;
        size_t from = i;
        while (i < line.n && line.p[i] != ' ' && line.p[i] != '\t') i++;
        if (i > from) {
            tdm_buf_add(&c->bytes, line.p + from, i - from);
            cell_end(c);
        }
    }
}

static bool sep_at(const tdm_dialect *d, size_t width, const char *p, const char *end)
{
    return (size_t)(end - p) >= width && p[0] == d->sep[0] && (width == 1 || p[1] == d->sep[1]);
}

/* Length of the quoted cell at p with both quotes, its content in c->bytes; 0: no quoted cell is there; SIZE_MAX: it
 * may go on behind `end`. A quote counts as the closing one where a separator or the line's end follows. */
static size_t quoted(tdm_cells *c, const tdm_dialect *d, size_t width, const char *p, const char *end, bool last)
{
    size_t was = c->bytes.n;
    bool lines = d->sep[0] != '\t';
    const char *q = p + 1;
    for (;;) {
        const char *to = memchr(q, '"', (size_t)(end - q));
        const char *line_end = lines ? NULL : memchr(q, '\n', (size_t)((to ? to : end) - q));
        if (line_end || (size_t)((to ? to : end) - p) > LONGEST_QUOTED || (!to && last)) break;
        if (!to) return SIZE_MAX;
        tdm_buf_add(&c->bytes, q, (size_t)(to - q));
        if (to + 1 == end && !last) return SIZE_MAX;
        if (to + 1 == end || to[1] == '\n' || sep_at(d, width, to + 1, end)) return (size_t)(to + 1 - p);
        if (to[1] == '\r') {
            if (to + 2 == end && !last) return SIZE_MAX;
            if (to + 2 == end || to[2] == '\n') return (size_t)(to + 1 - p);
        }
        tdm_buf_char(&c->bytes, '"'); /* doubled, or a stray one inside */
        q = to + 1 + (to[1] == '"');
    }
    c->bytes.n = was;
    c->unclosed = true;
    return 0;
}

size_t tdm_table_next(tdm_cells *c, const tdm_dialect *d, tdm_str ahead, bool last)
{
    const char *p = ahead.p, *end = p + ahead.n, *line_end = ahead.n ? memchr(p, '\n', ahead.n) : NULL;
    size_t width = d->sep[1] ? 2 : 1;
    if (!ahead.n || (!line_end && !last)) return 0;
    if (!line_end) line_end = end;
    size_t length = (size_t)(line_end - p);
    tdm_str line = {p, length && p[length - 1] == '\r' ? length - 1 : length};
    if (d->sep[0] == ' ') {
        split_blanks(c, line);
        return length + (line_end < end);
    }
    begin(c);
    for (;;) {
        size_t n = p < end && *p == '"' ? quoted(c, d, width, p, end, last) : 0;
        if (n == SIZE_MAX) return 0;
        p += n;
        if (n && p > line_end) {
            line_end = memchr(p, '\n', (size_t)(end - p));
            if (!line_end && !last) return 0;
            if (!line_end) line_end = end;
        }
        const char *from = p;
        while (p < line_end && !sep_at(d, width, p, line_end)) p++;
        size_t plain = (size_t)(p - from);
        if (p == line_end && plain && p[-1] == '\r') plain--;
        tdm_buf_add(&c->bytes, from, plain);
        cell_end(c);
        if (p >= line_end) break;
        p += width;
    }
    /* some tab-separated files have a few lines with blanks instead */
    if (c->n == 1 && d->sep[0] == '\t' && d->columns > 1) {
        tdm_buf_reset(&c->bytes);
        split_blanks(c, line);
        if (c->n != d->columns) {
            begin(c);
            tdm_buf_add(&c->bytes, line.p, line.n);
            cell_end(c);
        }
    }
    return (size_t)(line_end - ahead.p) + (line_end < end);
}
