/* SPDX-License-Identifier: Apache-2.0 */
/* python.c - one pass over the text, straight into room that is reserved once: nothing comes out at more than twice its
 * length. The longest are one byte to two (a double quote inside of single ones) and 3 to 4 (nan to null).
 *
 * Python 2 prints the UTF-8 bytes of a plain string one by one ('caf\xc3\xa9') and the characters of a u'' string
 * (u'caf\xe9'); Python 3 escapes single characters only. So escapes in a row that are one UTF-8 character are taken for
 * it, unless a u stands before the quote. */
#include "data/python.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of the n hex digits at p, -1: they are none or not there. */
static int64_t hex_at(const char *p, const char *end, int n)
{
    int64_t v = 0;
    if (end - p < n) return -1;
    for (int i = 0; i < n; i++) {
        if (hex(p[i]) < 0) return -1;
        v = v << 4 | hex(p[i]);
    }
    return v;
}

/* How many of the escapes \xNN at p are one longer character in UTF-8 together; its bytes into c. 0: none. */
static size_t character(char *c, const char *p, const char *end)
{
    size_t n = 0;
    for (; n < 4 && end - p >= 4 && p[0] == '\\' && p[1] == 'x' && hex_at(p + 2, end, 2) >= 0x80; p += 4)
        c[n++] = (char)hex_at(p + 2, end, 2);
    uint32_t code;
    size_t used = n ? tdm_utf8_next((tdm_str){c, n}, &code) : 0;
    return used > 1 ? used : 0;
}

static char *add(char *to, const char *s, size_t n)
{
    memcpy(to, s, n);
    return to + n;
}

/* The escape at *p (a backslash with something behind it) as JSON. */
static char *escape(char *to, const char **p, const char *end, bool characters)
{
    static const char digits[] = "0123456789abcdef";
    const char *s = *p;
    char bytes[4], c = s[1];
    size_t n = characters ? 0 : character(bytes, s, end);
    int64_t v;
    *p = s + 2;
    if (n) {
        *p = s + 4 * n;
        return add(to, bytes, n);
    }
    if (c == '\'') return add(to, "'", 1);
    if (strchr("\"\\/bfnrtu", c) && c) return add(to, s, 2);
    if (c == 'x' && (v = hex_at(s + 2, end, 2)) >= 0) {
        *p = s + 4;
        to = add(to, "\\u00", 4);
        *to++ = digits[v >> 4];
        *to++ = digits[v & 15];
        return to;
    }
    if (c == 'U' && (v = hex_at(s + 2, end, 8)) >= 0x10000 && v <= 0x10ffff) {
        *p = s + 10;
        *to++ = (char)(0xf0 | v >> 18);
        *to++ = (char)(0x80 | (v >> 12 & 0x3f));
        *to++ = (char)(0x80 | (v >> 6 & 0x3f));
        *to++ = (char)(0x80 | (v & 0x3f));
        return to;
    }
    *p = s + 1; /* Python leaves a backslash with nothing to escape as it is */
    return add(to, "\\\\", 2);
}

/* Whether one of 8 bytes is a quote, a backslash or a control character. */
static inline bool odd(uint64_t w, char quote)
{
    const uint64_t one = 0x0101010101010101, high = 0x80 * one;
    uint64_t a = w ^ (unsigned char)quote * one, b = w ^ '"' * one, c = w ^ '\\' * one;
    return (((a - one) & ~a) | ((b - one) & ~b) | ((c - one) & ~c) | ((w - ' ' * one) & ~w)) & high;
}

/* The string at *p, whose quote that is. */
static char *string(char *to, const char **p, const char *end, bool characters)
{
    const char *s = *p;
    char quote = *s++;
    *to++ = '"';
    for (bool open = true; open;) {
        for (uint64_t w; end - s >= 8; to += 8, s += 8) {
            memcpy(&w, s, 8);
            if (odd(w, quote)) break;
            memcpy(to, &w, 8);
        }
        const char *stop = end - s > 8 ? s + 8 : end;
        while (s < stop && *s != quote) {
            unsigned char c = (unsigned char)*s;
            if (c == '\\' && end - s > 1) {
                to = escape(to, &s, end, characters);
                continue;
            }
            if (c == '"') to = add(to, "\\\"", 2);
            else if (c == '\n') to = add(to, "\\n", 2);
            else if (c == '\t') to = add(to, "\\t", 2);
            else *to++ = c < ' ' ? ' ' : (char)c;
            s++;
        }
        open = s < end && *s != quote;
    }
    if (s < end) *to++ = '"'; /* one that never ends stays so */
    *p = s < end ? s + 1 : s;
    return to;
}

static bool letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

/* The word at *p. `begin` is where the text that comes out begins. */
static char *word(char *to, const char *begin, const char **p, const char *end)
{
    static const struct {
        const char *word, *json;
    } words[] = {{"True", "true"}, {"False", "false"}, {"None", "null"},    {"nan", "null"},
                 {"NaN", "null"},  {"inf", "null"},    {"Infinity", "null"}};
    const char *s = *p;
    size_t n = 1;
    while (s + n < end && letter(s[n])) n++;
    *p = s + n;
    tdm_str w = {s, n};
    bool quoted = s + n < end && (s[n] == '\'' || s[n] == '"');
    if (quoted && (tdm_str_is(w, "u") || tdm_str_is(w, "b"))) return to;
    if (tdm_str_is(w, "L") && to > begin && to[-1] >= '0' && to[-1] <= '9') return to;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (tdm_str_is(w, words[k].word)) {
            if (k > 2 && to > begin && to[-1] == '-') to--; /* -inf */
            return add(to, words[k].json, strlen(words[k].json));
        }
    return add(to, s, n);
}

void tdm_python_json(tdm_buf *out, tdm_str dict)
{
    size_t room = dict.n < SIZE_MAX / 8 ? out->n + 2 * dict.n + 16 : SIZE_MAX;
    if (out->failed || tdm_grow(&out->p, &out->cap, room, 1)) {
        out->failed = true;
        return;
    }
    const char *p = dict.p, *end = dict.p + dict.n;
    char *begin = out->p + out->n, *to = begin;
    while (p < end) {
        char c = *p;
        if (c == '\'' || c == '"') to = string(to, &p, end, p > dict.p && p[-1] == 'u');
        else if (letter(c)) to = word(to, begin, &p, end);
        else if (c == ')') {
            while (to > begin && to[-1] == ' ') to--;
            if (to > begin && to[-1] == ',') to--; /* (1,) */
            *to++ = ']';
            p++;
        } else {
            *to++ = c == '(' ? '[' : c;
            p++;
        }
    }
    *to = 0;
    out->n = (size_t)(to - out->p);
}
