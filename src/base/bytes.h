/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.h - a growing byte buffer, and a borrowed piece of text. */
#ifndef TDM_BASE_BYTES_H
#define TDM_BASE_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed text: any bytes, no NUL behind them, owned by somebody else. */
typedef struct tdm_str {
    const char *p;
    size_t n;
} tdm_str;

tdm_str tdm_str_of(const char *s); /* strlen's worth */
bool tdm_str_eq(tdm_str a, tdm_str b);
int tdm_str_cmp(tdm_str a, tdm_str b); /* byte order, as memcmp */
bool tdm_str_is(tdm_str a, const char *s);
tdm_str tdm_str_strip(tdm_str a);                   /* what tdm_str_trim does where there is something to do */
bool tdm_str_has_line(tdm_str lines, tdm_str line); /* whether one of the lines, apart by '\n', is this */

/* Without ASCII white space at both ends. */
static inline tdm_str tdm_str_trim(tdm_str a)
{
    return !a.n || ((unsigned char)a.p[0] > ' ' && (unsigned char)a.p[a.n - 1] > ' ') ? a : tdm_str_strip(a);
}

#define TDM_STR_ARG(s) (int)((s).n > 4096 ? 4096 : (s).n), (s).p /* for "%.*s" */

/* A growing buffer. All zero is an empty one. After a failed append `failed` stays set and appends do nothing, so a
 * writer writes straight through and checks once. `p` always has a NUL behind its `n` bytes once anything was added. */
typedef struct tdm_buf {
    char *p;
    size_t n, cap;
    bool failed;
} tdm_buf;

void tdm_buf_clear(tdm_buf *b); /* releases */
void tdm_buf_reset(tdm_buf *b); /* empties, keeps the room */
void tdm_buf_add(tdm_buf *b, const void *bytes, size_t n);
void tdm_buf_str(tdm_buf *b, const char *s);
void tdm_buf_char(tdm_buf *b, char c);
void tdm_buf_fmt(tdm_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* n strings in one blob: string i is bytes[offset[i] .. offset[i + 1]). */
typedef struct tdm_strings {
    const char *bytes;
    const int64_t *offset; /* n + 1 */
    size_t n;
} tdm_strings;

static inline tdm_str tdm_strings_at(const tdm_strings *s, size_t i)
{
    return (tdm_str){s->bytes + s->offset[i], (size_t)(s->offset[i + 1] - s->offset[i])};
}

#endif
