/* SPDX-License-Identifier: Apache-2.0 */
/* clean_plain.c - the cleaners of data/clean.h as they were first written, a character at a time: what the fast ones
 * have to give, byte for byte. */
#include "clean_plain.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* ---- encoding ---- */

/* Windows-1252 where it differs from Latin-1: what calls itself Latin-1 is nearly always this. */
static const uint16_t cp1252[32] = {0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
                                    0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};

/* A value is UTF-8, or UTF-8 with damage (some longer character is whole), or single bytes. */
typedef enum coding { WHOLE, DAMAGED, SINGLE } coding;

static coding coding_of(tdm_str s)
{
    bool bad = false, longer = false;
    while (s.n) {
        uint32_t c;
        size_t n = tdm_utf8_next(s, &c);
        bad |= c == TDM_UTF8_BAD;
        longer |= n > 1;
        s.p += n;
        s.n -= n;
    }
    return !bad ? WHOLE : longer ? DAMAGED : SINGLE;
}

static size_t next(tdm_str s, coding k, uint32_t *c)
{
    size_t n = tdm_utf8_next(s, c);
    if (*c != TDM_UTF8_BAD) return n;
    unsigned char b = (unsigned char)s.p[0];
    *c = k == DAMAGED ? 0xfffd : b < 0xa0 ? cp1252[b - 0x80] : b;
    return 1;
}

void plain_clean_id(tdm_buf *out, tdm_str s)
{
    s = tdm_str_trim(s);
    coding k = coding_of(s);
    if (k == WHOLE) {
        tdm_buf_add(out, s.p, s.n);
        return;
    }
    while (s.n) {
        uint32_t c;
        size_t n = next(s, k, &c);
        tdm_utf8_add(out, c);
        s.p += n;
        s.n -= n;
    }
}

/* ---- text ---- */

static const struct {
    const char *name;
    uint32_t c;
} entities[] = {{"amp", '&'},      {"lt", '<'},       {"gt", '>'},        {"quot", '"'},     {"apos", '\''},
                {"nbsp", ' '},     {"ndash", 0x2013}, {"mdash", 0x2014},  {"lsquo", 0x2018}, {"rsquo", 0x2019},
                {"ldquo", 0x201c}, {"rdquo", 0x201d}, {"hellip", 0x2026}, {"bull", 0x2022},  {"middot", 0xb7},
                {"trade", 0x2122}, {"reg", 0xae},     {"copy", 0xa9},     {"deg", 0xb0},     {"eacute", 0xe9},
                {"egrave", 0xe8},  {"agrave", 0xe0},  {"aacute", 0xe1},   {"iacute", 0xed},  {"oacute", 0xf3},
                {"uacute", 0xfa},  {"ntilde", 0xf1},  {"ccedil", 0xe7},   {"auml", 0xe4},    {"ouml", 0xf6},
                {"uuml", 0xfc},    {"szlig", 0xdf},   {"pound", 0xa3},    {"euro", 0x20ac},  {"cent", 0xa2},
                {"frac12", 0xbd},  {"frac14", 0xbc},  {"times", 0xd7},    {"iexcl", 0xa1},   {"iquest", 0xbf}};

/* Length of the entity at s.p (which is '&') and its character; 0: none. */
static size_t entity(tdm_str s, uint32_t *c)
{
    size_t end = 1;
    while (end < s.n && end < 12 && s.p[end] != ';') end++;
    if (end >= s.n || s.p[end] != ';' || end < 2) return 0;
    if (s.p[1] == '#') {
        uint32_t v = 0, base = s.n > 2 && (s.p[2] == 'x' || s.p[2] == 'X') ? 16 : 10;
        size_t i = base == 16 ? 3 : 2;
        if (i == end) return 0;
        for (; i < end; i++) {
            char d = s.p[i];
            uint32_t digit = d >= '0' && d <= '9'   ? (uint32_t)(d - '0')
                             : d >= 'a' && d <= 'f' ? (uint32_t)(d - 'a' + 10)
                             : d >= 'A' && d <= 'F' ? (uint32_t)(d - 'A' + 10)
                                                    : 99;
            if (digit >= base || v > 0x10ffff) return 0;
            v = v * base + digit;
        }
        if (v >= 0x80 && v < 0xa0) v = cp1252[v - 0x80];
        *c = v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? 0xfffd : v;
        return end + 1;
    }
    for (size_t k = 0; k < sizeof entities / sizeof *entities; k++)
        if (strlen(entities[k].name) == end - 1 && !memcmp(entities[k].name, s.p + 1, end - 1)) {
            *c = entities[k].c;
            return end + 1;
        }
    return 0;
}

/* Decodes entities in place behind `at`. A decoded text is never longer. */
static void decode(tdm_buf *b, size_t at)
{
    size_t to = at;
    for (size_t i = at; i < b->n;) {
        uint32_t c = 0;
        size_t n = b->p[i] == '&' ? entity((tdm_str){b->p + i, b->n - i}, &c) : 0;
        if (!n) {
            b->p[to++] = b->p[i++];
            continue;
        }
        char tmp[8];
        size_t k = 0; /* at most 4 bytes, and the shortest entity has 4 ("&lt;") */
        if (c < 0x80) tmp[k++] = (char)c;
        else if (c < 0x800) tmp[k++] = (char)(0xc0 | c >> 6), tmp[k++] = (char)(0x80 | (c & 0x3f));
        else if (c < 0x10000) {
            tmp[k++] = (char)(0xe0 | c >> 12);
            tmp[k++] = (char)(0x80 | (c >> 6 & 0x3f));
            tmp[k++] = (char)(0x80 | (c & 0x3f));
        } else {
            tmp[k++] = (char)(0xf0 | c >> 18);
            tmp[k++] = (char)(0x80 | (c >> 12 & 0x3f));
            tmp[k++] = (char)(0x80 | (c >> 6 & 0x3f));
            tmp[k++] = (char)(0x80 | (c & 0x3f));
        }
        memcpy(b->p + to, tmp, k);
        to += k;
        i += n;
    }
    b->n = to;
}

/* Length of the tag at p, 0: none. "a < b" and "<3" are no tags. */
static size_t tag(const char *p, const char *end)
{
    if (end - p < 3 || !(p[1] == '/' || p[1] == '!' || ((p[1] | 32) >= 'a' && (p[1] | 32) <= 'z'))) return 0;
    size_t room = (size_t)(end - p) < 1000 ? (size_t)(end - p) : 1000;
    const char *close = memchr(p, '>', room), *again = memchr(p + 1, '<', room - 1);
    return close && !(again && again < close) ? (size_t)(close - p) + 1 : 0;
}

void plain_clean_text(tdm_buf *out, tdm_str s, size_t longest)
{
    size_t at = out->n;
    if (s.n > 16 * longest + 4096) s.n = 16 * longest + 4096; /* what lies behind can only be cut */
    plain_clean_id(out, s);
    if (out->failed || out->n == at) return;
    if (memchr(out->p + at, '&', out->n - at)) {
        decode(out, at);
        decode(out, at); /* "&amp;quot;" is common */
    }
    size_t to = at;
    bool blank = false;
    for (size_t i = at; i < out->n;) {
        size_t n = out->p[i] == '<' ? tag(out->p + i, out->p + out->n) : 0;
        uint32_t c = ' ';
        if (!n) n = tdm_utf8_next((tdm_str){out->p + i, out->n - i}, &c);
        if (c <= ' ' || (c >= 0x7f && c <= 0xa0) || c == 0x200b || c == 0xfeff || c == 0x2028 || c == 0x2029) {
            blank = to > at;
            i += n;
            continue;
        }
        if (blank) out->p[to++] = ' ';
        blank = false;
        memmove(out->p + to, out->p + i, n);
        to += n;
        i += n;
    }
    out->n = at + tdm_str_trim(tdm_utf8_cut((tdm_str){out->p + at, to - at}, longest)).n;
    out->p[out->n] = 0;
}

/* ---- nothing ---- */

static bool same_word(tdm_str s, const char *word)
{
    size_t n = strlen(word);
    if (s.n != n) return false;
    for (size_t i = 0; i < n; i++)
        if ((s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]) != word[i]) return false;
    return true;
}

bool plain_clean_missing(tdm_str s)
{
    static const char *const words[] = {"nan", "null", "none", "n/a", "na", "unknown", "undefined", "\\n", NULL};
    s = tdm_str_trim(s);
    bool missing = s.n == 0;
    for (size_t k = 0; !missing && words[k]; k++) missing = same_word(s, words[k]);
    return missing;
}

bool plain_clean_number(double *out, tdm_str s)
{
    char word[64], *end;
    s = tdm_str_trim(s);
    if (!s.n || s.n >= sizeof word) return false;
    char first = s.p[0] == '-' || s.p[0] == '+' ? s.n > 1 ? s.p[1] : 0 : s.p[0];
    if (!((first >= '0' && first <= '9') || first == '.')) return false; /* strtod also takes "nan" and "inf" */
    memcpy(word, s.p, s.n);
    word[s.n] = 0;
    char *comma = strchr(word, ',');
    if (comma && !strchr(word, '.') && !strchr(comma + 1, ',')) *comma = '.';
    *out = strtod(word, &end);
    return *end == 0 || !strncmp(end, " out of ", 8);
}
