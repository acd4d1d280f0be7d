/* SPDX-License-Identifier: Apache-2.0 */
/* blocks.c - where to cut. Lines are cut behind a line's end; a record that may hold line ends (a quoted cell, an
 * object over several lines) is gone through by the very function that reads it later, so that both agree on what a
 * record is, however damaged the file.
 *
 * The reader sees no further than its block. A table's record that was told by what lies behind it (a quote that closes
 * nowhere, or in another record) is therefore the last of its block: cut off there, it is told the same. An object that
 * never closes needs no such care: it ends where the next one begins, or the block does. */
#include "data/blocks.h"

#include "base/mem.h"
#include "data/values.h"

#include <string.h>

void tdm_block_clear(tdm_block *b)
{
    tdm_free(b->p);
    *b = (tdm_block){0};
}

/* The last line end of the `n` bytes at p, or NULL. */
static const char *line_end_before(const char *p, size_t n)
{
    while (n && p[n - 1] != '\n') n--;
    return n ? p + n - 1 : NULL;
}

/* Bytes up to and with the last line end of the first `most` bytes, or of the first line where that is longer; 0: more
 * are needed. */
static size_t cut_lines(tdm_str a, size_t most, bool last)
{
    if (a.n <= most) {
        const char *end = last ? NULL : line_end_before(a.p, a.n);
        return last ? a.n : end ? (size_t)(end - a.p) + 1 : 0;
    }
    const char *end = line_end_before(a.p, most);
    if (!end) end = memchr(a.p + most, '\n', a.n - most);
    return end ? (size_t)(end - a.p) + 1 : last ? a.n : 0;
}

/* As many whole records as fit, at least one; 0: more bytes are needed. */
static size_t cut_records(const tdm_shape *s, tdm_str a, size_t most, bool last)
{
    size_t at = 0;
    if (s->form == TDM_FORM_TABLE) { /* as far as there is no quote, records are lines */
        const char *quote = memchr(a.p, '"', a.n < most ? a.n : most);
        size_t plain = quote ? (size_t)(quote - a.p) : a.n < most ? a.n : most;
        const char *end = plain ? line_end_before(a.p, plain) : NULL;
        at = end ? (size_t)(end - a.p) + 1 : 0;
        if (!quote && at) return at;
    }
    for (bool beyond = false; at < a.n && at < most && !beyond;) {
        tdm_str rest = {a.p + at, a.n - at}, value;
        bool broken;
        size_t n = s->form == TDM_FORM_TABLE ? tdm_table_cut(&beyond, &s->dialect, rest, last)
                                             : tdm_value_next(&value, &broken, rest, last);
        if (!n) break;
        at += n;
    }
    return at;
}

static size_t lines_in(const char *p, size_t n)
{
    size_t lines = 0;
    for (size_t i = 0; i < n;) { /* bytes add up in bytes for as long as they cannot run over */
        size_t end = n - i < 255 ? n : i + 255;
        uint8_t sum = 0;
        for (; i < end; i++) sum = (uint8_t)(sum + (p[i] == '\n'));
        lines += sum;
    }
    return lines;
}

size_t tdm_block_cut(const tdm_shape *shape, tdm_str ahead, size_t most, bool last)
{
    bool lines = shape->form == TDM_FORM_LINES || shape->form == TDM_FORM_SEQUENCES ||
                 (shape->form == TDM_FORM_TABLE && !tdm_table_spans_lines(&shape->dialect));
    return lines ? cut_lines(ahead, most, last) : cut_records(shape, ahead, most, last);
}

tdm_status tdm_block_next(tdm_block *b, tdm_source *s, const tdm_shape *shape, size_t most, bool *more, tdm_err *err)
{
    size_t cut = 0;
    for (size_t need = most; !cut;) {
        tdm_status st = tdm_source_fill(s, need, err);
        if (st) return st;
        tdm_str a = tdm_source_ahead(s);
        bool last = tdm_source_ended(s);
        *more = a.n > 0;
        if (!*more) return TDM_OK;
        cut = tdm_block_cut(shape, a, most, last);
        if (!cut && a.n > TDM_LONGEST_RECORD)
            return tdm_fail(err, TDM_E_FORMAT, "%s:%zu: a record of more than %d million bytes", tdm_source_name(s),
                            tdm_source_line_number(s), TDM_LONGEST_RECORD >> 20);
        need = 2 * a.n;
    }
    if (tdm_grow(&b->p, &b->cap, cut + TDM_BLOCK_PADDING, 1)) return tdm_nomem(err, tdm_source_name(s));
    memcpy(b->p, tdm_source_ahead(s).p, cut);
    memset(b->p + cut, 0, TDM_BLOCK_PADDING);
    b->n = cut;
    b->line = tdm_source_line_number(s);
    b->offset = tdm_source_offset(s);
    tdm_source_take(s, cut, lines_in(b->p, cut));
    return TDM_OK;
}
