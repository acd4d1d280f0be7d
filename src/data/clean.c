/* SPDX-License-Identifier: Apache-2.0 */
#include "data/clean.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* ---- encoding ---- */

/* Windows-1252 where it differs from Latin-1: what calls itself Latin-1 is nearly always this. */
static const uint16_t cp1252[32] = {0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
                                    0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};

/* A value that is not UTF-8 is UTF-8 with damage (some longer character is whole), or single bytes. */
typedef enum coding { DAMAGED, SINGLE } coding;

static coding coding_of(tdm_str s)
{
    while (s.n) {
        uint32_t c;
        size_t n = tdm_utf8_next(s, &c);
        if (n > 1) return DAMAGED;
        s.p += n;
        s.n -= n;
    }
    return SINGLE;
}

static size_t next(tdm_str s, coding k, uint32_t *c)
{
    size_t n = tdm_utf8_next(s, c);
    if (*c != TDM_UTF8_BAD) return n;
    unsigned char b = (unsigned char)s.p[0];
    *c = k == DAMAGED ? 0xfffd : b < 0xa0 ? cp1252[b - 0x80] : b;
    return 1;
}

static uint64_t word_at(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

void tdm_clean_utf8(tdm_buf *out, tdm_str s)
{
    if (tdm_utf8_valid(s)) {
        tdm_buf_add(out, s.p, s.n);
        return;
    }
    coding k = coding_of(s);
    while (s.n) {
        uint32_t c;
        size_t n = next(s, k, &c);
        tdm_utf8_add(out, c);
        s.p += n;
        s.n -= n;
    }
}

void tdm_clean_id(tdm_buf *out, tdm_str s)
{
    uint64_t high = 0;
    s = tdm_str_trim(s);
    if (s.n >= 8 && s.n <= 32) { /* most ids are short and plain: their bytes eight at a time, the last again */
        for (size_t i = 0; i + 8 <= s.n; i += 8) high |= word_at(s.p + i);
        high |= word_at(s.p + s.n - 8);
        if (!(high & 0x8080808080808080u)) {
            tdm_buf_add(out, s.p, s.n);
            return;
        }
    }
    tdm_clean_utf8(out, s);
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
        if (entities[k].name[0] == s.p[1] && strlen(entities[k].name) == end - 1 &&
            !memcmp(entities[k].name, s.p + 1, end - 1)) {
            *c = entities[k].c;
            return end + 1;
        }
    return 0;
}

static size_t utf8_put(char *to, uint32_t c)
{
    size_t k = 0;
    if (c < 0x80) to[k++] = (char)c;
    else if (c < 0x800) to[k++] = (char)(0xc0 | c >> 6), to[k++] = (char)(0x80 | (c & 0x3f));
    else if (c < 0x10000) {
        to[k++] = (char)(0xe0 | c >> 12);
        to[k++] = (char)(0x80 | (c >> 6 & 0x3f));
        to[k++] = (char)(0x80 | (c & 0x3f));
    } else {
        to[k++] = (char)(0xf0 | c >> 18);
        to[k++] = (char)(0x80 | (c >> 12 & 0x3f));
        to[k++] = (char)(0x80 | (c >> 6 & 0x3f));
        to[k++] = (char)(0x80 | (c & 0x3f));
    }
    return k;
}

/* Decodes entities in place behind `at`. A decoded text is never longer: a character has at most 4 bytes, and so has
 * the shortest entity ("&lt;"). */
static void decode(tdm_buf *b, size_t at)
{
    char *end = b->p + b->n, *from = memchr(b->p + at, '&', b->n - at), *to = from;
    while (from) {
        uint32_t c = 0;
        size_t n = entity((tdm_str){from, (size_t)(end - from)}, &c);
        if (n) to += utf8_put(to, c);
        else *to++ = '&', n = 1;
        from += n;
        char *next_one = memchr(from, '&', (size_t)(end - from));
        size_t run = (size_t)((next_one ? next_one : end) - from);
        memmove(to, from, run);
        to += run;
        from = next_one;
    }
    if (to) b->n = (size_t)(to - b->p);
}

/* Length of the tag at p, 0: none. "a < b" and "<3" are no tags. */
static size_t tag(const char *p, const char *end)
{
    if (end - p < 3 || !(p[1] == '/' || p[1] == '!' || ((p[1] | 32) >= 'a' && (p[1] | 32) <= 'z'))) return 0;
    size_t room = (size_t)(end - p) < 1000 ? (size_t)(end - p) : 1000;
    const char *close = memchr(p, '>', room), *again = memchr(p + 1, '<', room - 1);
    return close && !(again && again < close) ? (size_t)(close - p) + 1 : 0;
}

static inline bool ordinary(unsigned char b) { return b > ' ' && b < 0x7f && b != '<'; }

/* Whether the 8 bytes at p stay as they are: plain ASCII without control characters and '<', no blank before anything
 * but an ordinary byte. p[8] is there. */
static inline bool stays(const char *p)
{
    const uint64_t one = 0x0101010101010101, high = 0x80 * one;
    uint64_t w;
    memcpy(&w, p, 8);
    /* each byte's highest bit is looked at: a subtraction borrows only where a byte is too small */
    uint64_t del = w ^ 0x7f * one, less = w ^ '<' * one;
    uint64_t odd = (w | (w - ' ' * one) | (del - one) | (less - one)) & high;
    uint64_t blank = ~((w ^ ' ' * one) + 0x7f * one) & high; /* exact where no byte is 0x80 or more */
    bool apart = (p[7] != ' ') | ordinary((unsigned char)p[8]);
    return (odd | (blank & blank << 8)) == 0 && apart;
}

unsigned tdm_clean_text(tdm_buf *out, tdm_str s, size_t longest, bool html)
{
    size_t at = out->n, given = tdm_str_trim(s).n;
    unsigned marks = 0;
    if (s.n > 16 * longest + 4096) { /* what lies behind can only be cut */
        s.n = 16 * longest + 4096;
        given = tdm_str_trim(s).n;
    }
    tdm_clean_id(out, s);
    if (out->failed || out->n == at) return 0;
    size_t whole = out->n;
    if (whole - at != given) marks |= 1u << TDM_CLEANED_ENCODING; /* mended bytes are longer */
    if (html) decode(out, at);
    if (html) decode(out, at); /* "&amp;quot;" is common */
    if (out->n != whole) marks |= 1u << TDM_CLEANED_HTML;
    char *const begin = out->p + at, *const end = out->p + out->n, *to = begin;
    bool blank = false;
    for (const char *p = begin; p < end;) {
        if (!blank && (to > begin || *p != ' ')) {
            const char *from = p;
            while (end - p > 8 && stays(p)) p += 8;
            if (to != from) memmove(to, from, (size_t)(p - from));
            to += p - from;
        }
        for (const char *stop = end - p > 8 ? p + 8 : end; p < stop;) {
            unsigned char b = (unsigned char)*p;
            if (b == ' ') {
                blank = to > begin;
                p++;
                continue;
            }
            size_t n = 1;
            if (!ordinary(b)) {
                uint32_t c = b;
                if (b == '<') {
                    n = html ? tag(p, end) : 0;
                    if (n) marks |= 1u << TDM_CLEANED_HTML;
                    c = n ? ' ' : '<';
                    n += !n;
                } else if (b >= 0x80) n = tdm_utf8_next((tdm_str){p, (size_t)(end - p)}, &c);
                if (c <= ' ' || (c >= 0x7f && c <= 0xa0) || c == 0x200b || c == 0xfeff || c == 0x2028 || c == 0x2029) {
                    blank = to > begin;
                    p += n;
                    continue;
                }
            }
            if (blank) *to++ = ' ';
            blank = false;
            while (n--) *to++ = *p++;
        }
    }
    if ((size_t)(to - begin) > longest) marks |= 1u << TDM_CLEANED_CUT;
    out->n = at + tdm_str_trim(tdm_utf8_cut((tdm_str){begin, (size_t)(to - begin)}, longest)).n;
    out->p[out->n] = 0;
    return marks;
}

/* ---- rules ---- */

tdm_status tdm_keep_parse(tdm_keep *out, const char *words, tdm_err *err)
{
    *out = (tdm_keep){0};
    const struct {
        const char *name;
        bool *rule;
    } known[] = {{"duplicates", &out->duplicates}, {"scale", &out->scale}, {"placeholders", &out->placeholders},
                 {"people", &out->people},         {"html", &out->html},   {"length", &out->length}};
    while (words && *words) {
        size_t n = strcspn(words, ","), k = 0;
        tdm_str word = tdm_str_trim((tdm_str){words, n});
        words += n + (words[n] == ',');
        while (k < sizeof known / sizeof *known && !tdm_str_is(word, known[k].name)) k++;
        if (k == sizeof known / sizeof *known)
            return tdm_fail(err, TDM_E_ARG,
                            "--keep %.*s: expected duplicates, scale, placeholders, people, html or length",
                            TDM_STR_ARG(word));
        *known[k].rule = true;
    }
    return TDM_OK;
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

bool tdm_clean_missing(tdm_str s)
{
    static const char *const words[] = {"nan", "null", "none", "n/a", "na", "unknown", "undefined", "\\n", NULL};
    s = tdm_str_trim(s);
    if (s.n == 0) return true;
    char first = s.p[0];
    if (s.n > 9 || !(first == '\\' || (first | 32) == 'n' || (first | 32) == 'u')) return false;
    for (size_t k = 0; words[k]; k++)
        if (same_word(s, words[k])) return true;
    return false;
}

bool tdm_clean_no_title(tdm_str s)
{
    s = tdm_str_trim(s);
    if (tdm_clean_missing(s) || tdm_str_is(s, "-") || same_word(s, "no title") || same_word(s, "untitled")) return true;
    if (s.n > 13 && !memcmp(s.p, "var aPageStar", 13)) return true;
    if (s.n > 6 && same_word((tdm_str){s.p, 5}, "title") && (s.p[5] == '_' || s.p[5] == ' ')) {
        size_t i = 6;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') i++;
        return i == s.n;
    }
    return false;
}

/* Plain decimals whose digits fit a double and whose power of ten is exact too: one division, correctly rounded. False:
 * something else, which may still be a number. (W. D. Clinger, "How to read floating point numbers accurately") */
static bool short_number(double *out, tdm_str s)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                   1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    const char *p = s.p, *end = s.p + s.n, *point = NULL;
    bool minus = *p == '-';
    uint64_t v = 0;
    size_t digits = 0;
    p += minus || *p == '+';
    if (p < end && *p == ',') return false;
    for (; p < end; p++) {
        unsigned d = (unsigned)(unsigned char)*p - '0';
        if (d < 10) v = v * 10 + d, digits++;
        else if (!point && (*p == '.' || *p == ',')) point = p;
        else break;
        if (digits > 18) return false;
    }
    if (!digits || v > (uint64_t)1 << 53) return false;
    bool stars = end - p >= 8 && s.n < 64 && !memcmp(p, " out of ", 8) && !(point && *point == ',');
    if (p < end && !stars) return false;
    double d = (double)v / power[point ? p - point - 1 : 0];
    *out = minus ? -d : d;
    return true;
}

bool tdm_clean_number(double *out, tdm_str s)
{
    char word[64], *end;
    s = tdm_str_trim(s);
    if (!s.n || s.n >= sizeof word) return false;
    if (short_number(out, s)) return true;
    char first = s.p[0] == '-' || s.p[0] == '+' ? s.n > 1 ? s.p[1] : 0 : s.p[0];
    if (!((first >= '0' && first <= '9') || first == '.')) return false; /* strtod also takes "nan" and "inf" */
    memcpy(word, s.p, s.n);
    word[s.n] = 0;
    char *comma = strchr(word, ',');
    if (comma && !strchr(word, '.') && !strchr(comma + 1, ',')) *comma = '.';
    *out = strtod(word, &end);
    return *end == 0 || !strncmp(end, " out of ", 8);
}
