/* SPDX-License-Identifier: Apache-2.0 */
#include "hybrid/check.h"

#include "base/utf8.h"
#include "hybrid/tidy.h"

#include <string.h>

enum { LEAST = 8, SHORTEST_TITLE = 4, WORDS = TDM_SENTENCE_BYTES };

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c; }

static bool equal(const char *a, const char *b, size_t n, bool any_case)
{
    for (size_t i = 0; i < n; i++)
        if (any_case ? lower(a[i]) != lower(b[i]) : a[i] != b[i]) return false;
    return true;
}

/* Whether a word can end before byte `at`. */
static bool border(tdm_str s, size_t at)
{
    if (at == 0 || at >= s.n) return true;
    uint32_t c;
    tdm_utf8_next((tdm_str){s.p + at, s.n - at}, &c);
    if (!tdm_tidy_letter(c)) return true;
    size_t before = at - 1;
    while (before && ((unsigned char)s.p[before] & 0xc0) == 0x80) before--;
    tdm_utf8_next((tdm_str){s.p + before, at - before}, &c);
    return !tdm_tidy_letter(c);
}

static bool contains(tdm_str s, tdm_str word, bool any_case)
{
    for (size_t at = 0; word.n && at + word.n <= s.n; at++)
        if (equal(s.p + at, word.p, word.n, any_case) && border(s, at) && border(s, at + word.n)) return true;
    return false;
}

/* ---- numbers and money ---- */

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* The length of the number at `at`, with its points and commas. */
static size_t number_length(tdm_str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && (digit(s.p[at + n]) || (n && (s.p[at + n] == '.' || s.p[at + n] == ',') &&
                                                   at + n + 1 < s.n && digit(s.p[at + n + 1]))))
        n++;
    return n;
}

static bool numbers_known(tdm_str s, tdm_str known)
{
    for (size_t at = 0, n; at < s.n; at += n ? n : 1) {
        n = number_length(s, at);
        bool found = n == 0;
        for (size_t k = 0, m; k < known.n && !found; k += m ? m : 1) {
            m = number_length(known, k);
            found = m == n && !memcmp(known.p + k, s.p + at, n);
        }
        if (!found) return false;
    }
    return true;
}

/* Signs of currencies, and digits and numbers beyond ASCII, which numbers_known does not read. */
static bool signs_known(tdm_str s, tdm_str known)
{
    while (s.n) {
        uint32_t c;
        size_t n = tdm_utf8_next(s, &c);
        bool money = c == '$' || (c >= 0xa2 && c <= 0xa5) || (c >= 0x20a0 && c <= 0x20cf);
        bool number = c == 0xb2 || c == 0xb3 || c == 0xb9 || (c >= 0xbc && c <= 0xbe) || (c >= 0x660 && c <= 0x669) ||
                      (c >= 0x966 && c <= 0x96f) || (c >= 0x2070 && c <= 0x2189) || (c >= 0xff10 && c <= 0xff19);
        if (money || number) {
            bool found = false;
            for (size_t k = 0; k + n <= known.n && !found; k++) found = !memcmp(known.p + k, s.p, n);
            if (!found) return false;
        }
        s.p += n;
        s.n -= n;
    }
    return true;
}

/* ---- titles ---- */

typedef struct words {
    size_t at[WORDS], n;
    bool first[WORDS]; /* a sentence begins here */
} words;

static void words_find(words *w, tdm_str s)
{
    bool inside = false, first = true;
    w->n = 0;
    for (size_t at = 0; at < s.n && w->n < WORDS;) {
        uint32_t c;
        size_t n = tdm_utf8_next((tdm_str){s.p + at, s.n - at}, &c);
        bool letter = tdm_tidy_letter(c);
        if (letter && !inside) {
            w->first[w->n] = first;
            w->at[w->n++] = at;
            first = false;
        }
        if (c == '.' || c == '!' || c == '?') first = true;
        inside = letter;
        at += n;
    }
}

/* The title without what stands before its first letter, and without white space behind. */
static tdm_str title_core(tdm_str t)
{
    t = tdm_str_trim(t);
    while (t.n) {
        uint32_t c;
        size_t n = tdm_utf8_next(t, &c);
        if (tdm_tidy_letter(c)) break;
        t.p += n;
        t.n -= n;
    }
    return t;
}

static bool names(const words *w, tdm_str s, tdm_str title)
{
    bool several = memchr(title.p, ' ', title.n) != NULL;
    char first = lower(title.p[0]);
    for (size_t k = 0; k < w->n; k++) {
        size_t at = w->at[k];
        if (lower(s.p[at]) != first || at + title.n > s.n) continue;
        if (!several && (w->first[k] || lower(title.p[0]) == title.p[0])) continue;
        if (equal(s.p + at, title.p, title.n, several) && border(s, at + title.n)) return true;
    }
    return false;
}

static bool titles_known(tdm_str s, tdm_str known, const tdm_dataset *d)
{
    words w;
    words_find(&w, s);
    for (size_t i = 0; i < d->title.n; i++) {
        tdm_str t = tdm_strings_at(&d->title, i);
        if (t.n < SHORTEST_TITLE) continue;
        t = title_core(t);
        if (t.n < SHORTEST_TITLE || t.n > s.n || !names(&w, s, t)) continue;
        if (!contains(known, t, true)) return false;
    }
    return true;
}

/* What is wrong with the form, or NULL. */
static const char *form_fault(tdm_str s)
{
    const char *reason = NULL;
    if (s.n < LEAST) reason = "too short";
    else if (s.n > TDM_SENTENCE_BYTES) reason = "too long";
    else if (!tdm_utf8_valid(s)) reason = "not UTF-8";
    for (size_t at = 0; !reason && at < s.n;) {
        uint32_t c;
        at += tdm_utf8_next((tdm_str){s.p + at, s.n - at}, &c);
        if (c != ' ' && c != 0xa0 && tdm_tidy_blank(c)) reason = "not one line of plain text";
    }
    if (!reason && tdm_str_trim(s).n != s.n) reason = "blanks at its ends";
    return reason;
}

bool tdm_sentence_form(tdm_str s) { return !form_fault(s); }

bool tdm_sentence_check(const char **why, tdm_str s, tdm_str known, const tdm_dataset *d)
{
    const char *reason = form_fault(s);
    if (!reason && !numbers_known(s, known)) reason = "a number that is no evidence";
    if (!reason && !signs_known(s, known)) reason = "a price that is no evidence";
    if (!reason && !titles_known(s, known, d)) reason = "a title that is no evidence";
    if (why) *why = reason;
    return !reason;
}
