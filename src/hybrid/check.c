/* SPDX-License-Identifier: Apache-2.0 */
#include "hybrid/check.h"

#include "base/utf8.h"
#include "hybrid/tidy.h"

#include <string.h>

enum { LEAST = 8 };

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

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c; }

static bool part_of_word(char c)
{
    return digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || (unsigned char)c >= 0x80;
}

/* The word behind byte `at`, on the same line; empty where there is none. */
static tdm_str word_after(tdm_str s, size_t at)
{
    while (at < s.n && s.p[at] != '\n' && !part_of_word(s.p[at])) at++;
    size_t n = 0;
    while (at + n < s.n && part_of_word(s.p[at + n])) n++;
    return (tdm_str){s.p + at, n};
}

static tdm_str word_before(tdm_str s, size_t at)
{
    while (at && s.p[at - 1] != '\n' && !part_of_word(s.p[at - 1])) at--;
    size_t n = 0;
    while (n < at && part_of_word(s.p[at - 1 - n])) n++;
    return (tdm_str){s.p + at - n, n};
}

static bool same_word(tdm_str a, tdm_str b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i])) return false;
    return true;
}

/* A number, in digits or as a word. */
typedef struct figure {
    tdm_str as, before, after;
} figure;

static bool number_word(tdm_str w)
{
    static const char *const all[] = {
        "two",      "three",    "four",    "five",     "six",      "seven",     "eight",   "nine",
        "ten",      "eleven",   "twelve",  "thirteen", "fourteen", "fifteen",   "sixteen", "seventeen",
        "eighteen", "nineteen", "twenty",  "thirty",   "forty",    "fifty",     "sixty",   "seventy",
        "eighty",   "ninety",   "hundred", "hundreds", "thousand", "thousands", "million", "millions",
        "dozen",    "dozens",   "twice",   "thrice",   "percent"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (same_word(w, tdm_str_of(all[i]))) return true;
    return false;
}

/* The first number at *at or behind it; *at goes behind it. */
static bool number_next(figure *x, tdm_str s, size_t *at)
{
    while (*at < s.n) {
        size_t n = number_length(s, *at), from = *at;
        if (!n && part_of_word(s.p[from]) && (!from || !part_of_word(s.p[from - 1]))) {
            tdm_str w = word_after(s, from);
            if (number_word(w)) n = w.n;
        }
        *at += n ? n : 1;
        if (!n) continue;
        *x = (figure){{s.p + from, n}, word_before(s, from), word_after(s, from + n)};
        return true;
    }
    return false;
}

/* Each number must stand in `known` beside one of the words that it stands beside here: four stars are not the four of
 * "4 of the 9 people". */
static bool numbers_known(tdm_str s, tdm_str known)
{
    figure a, b;
    for (size_t at = 0; number_next(&a, s, &at);) {
        bool found = false;
        for (size_t k = 0; !found && number_next(&b, known, &k);)
            found = same_word(a.as, b.as) &&
                    ((a.after.n && same_word(a.after, b.after)) || (a.before.n && same_word(a.before, b.before)));
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
        bool money = c == '$' || c == '%' || (c >= 0xa2 && c <= 0xa5) || (c >= 0x20a0 && c <= 0x20cf);
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

/* What is wrong with the form, or NULL. */
static const char *form_fault(tdm_str s)
{
    const char *reason = NULL;
    if (s.n < LEAST) reason = "too short";
    else if (s.n > TDM_SENTENCE_BYTES) reason = "too long";
    else if (!tdm_utf8_valid(s)) reason = "not UTF-8";
    for (size_t at = 0; !reason && at < s.n;) {
        uint32_t x;
        at += tdm_utf8_next((tdm_str){s.p + at, s.n - at}, &x);
        if (x != ' ' && x != 0xa0 && tdm_tidy_blank(x)) reason = "not one line of plain text";
    }
    if (!reason && tdm_str_trim(s).n != s.n) reason = "blanks at its ends";
    return reason;
}

bool tdm_sentence_form(tdm_str s) { return !form_fault(s); }

bool tdm_sentence_check(const char **why, tdm_str s, tdm_str known, const tdm_claims *c)
{
    const char *reason = form_fault(s);
    if (!reason && !numbers_known(s, known)) reason = "a number that is no evidence";
    if (!reason && !signs_known(s, known)) reason = "a price that is no evidence";
    if (!reason && tdm_claims_unbacked(c, s, known)) reason = "a name that is no evidence";
    if (why) *why = reason;
    return !reason;
}
