/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

tdm_str tdm_str_of(const char *s) { return (tdm_str){s, s ? strlen(s) : 0}; }

bool tdm_str_eq(tdm_str a, tdm_str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }

int tdm_str_cmp(tdm_str a, tdm_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool tdm_str_is(tdm_str a, const char *s) { return tdm_str_eq(a, tdm_str_of(s)); }

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

tdm_str tdm_str_strip(tdm_str a)
{
    while (a.n && is_space(a.p[0])) a.p++, a.n--;
    while (a.n && is_space(a.p[a.n - 1])) a.n--;
    return a;
}

bool tdm_str_has_line(tdm_str lines, tdm_str line)
{
    while (lines.n) {
        const char *end = memchr(lines.p, '\n', lines.n);
        tdm_str one = {lines.p, end ? (size_t)(end - lines.p) : lines.n};
        if (tdm_str_eq(one, line)) return true;
        lines.p += one.n + (end != NULL);
        lines.n -= one.n + (end != NULL);
    }
    return false;
}

void tdm_buf_clear(tdm_buf *b)
{
    tdm_free(b->p);
    *b = (tdm_buf){0};
}

void tdm_buf_reset(tdm_buf *b)
{
    b->n = 0;
    if (b->p) b->p[0] = 0;
}

static bool room(tdm_buf *b, size_t more)
{
    if (b->failed || more > SIZE_MAX / 4 - b->n || tdm_grow(&b->p, &b->cap, b->n + more + 1, 1)) b->failed = true;
    return !b->failed;
}

void tdm_buf_add(tdm_buf *b, const void *bytes, size_t n)
{
    if (!room(b, n)) return;
    if (n) memcpy(b->p + b->n, bytes, n);
    b->n += n;
    b->p[b->n] = 0;
}

void tdm_buf_str(tdm_buf *b, const char *s) { tdm_buf_add(b, s, strlen(s)); }
void tdm_buf_char(tdm_buf *b, char c) { tdm_buf_add(b, &c, 1); }

void tdm_buf_fmt(tdm_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) b->failed = true;
    else if (room(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}
