/* SPDX-License-Identifier: Apache-2.0 */
/* number.c - numbers as people and shops write them: "₹1,099", "$1,234.50", "1.234,50 €", "4,5", "4.0 out of 5 stars".
 *
 * A currency before or behind goes. Of two kinds of separators the last is the decimal one. Where there is one kind, a
 * point is decimal unless it comes twice; a comma is decimal unless it comes twice or has three digits behind it and
 * one to three before it ("1,024"). What parts thousands must part threes, or twos before the last three, as in India.
 */
#include "data/clean.h"

#include <stdlib.h>
#include <string.h>

static bool digit(char c) { return c >= '0' && c <= '9'; }

static bool begins(tdm_str s, const char *with)
{
    size_t n = strlen(with);
    return s.n >= n && !memcmp(s.p, with, n);
}

static bool ends(tdm_str s, const char *with)
{
    size_t n = strlen(with);
    return s.n >= n && !memcmp(s.p + s.n - n, with, n);
}

/* A currency off either end. The longer names come first. */
static tdm_str uncoined(tdm_str s)
{
    static const char *const coins[] = {"US$", "CA$", "A$",  "R$",  "$",   "€",   "£",   "₹",   "¥",
                                        "₩",   "₽", "USD", "EUR", "GBP", "INR", "JPY", "CNY", "Rs.",
                                        "Rs",  "CHF", "kr",  "zł",  "元",  "円",  NULL};
    for (size_t k = 0; coins[k]; k++) {
        size_t n = strlen(coins[k]);
        if (begins(s, coins[k])) return tdm_str_trim((tdm_str){s.p + n, s.n - n});
        if (ends(s, coins[k])) return tdm_str_trim((tdm_str){s.p, s.n - n});
    }
    return s;
}

/* Copies `s` in one form: no-break blanks and apostrophes that part thousands become a blank. 0: not a number's form.
 */
static size_t spelled(char *word, size_t room, tdm_str s)
{
    static const char *const gaps[] = {"\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89", "\xe2\x80\x99", "'", " "};
    size_t n = 0;
    while (s.n) {
        size_t k = 0, gap = 0;
        while (k < sizeof gaps / sizeof *gaps && !begins(s, gaps[k])) k++;
        if (k < sizeof gaps / sizeof *gaps) gap = strlen(gaps[k]);
        else if (!digit(s.p[0]) && s.p[0] != '.' && s.p[0] != ',') return 0;
        if (n + 1 == room) return 0;
        if (!gap || n) word[n++] = gap ? ' ' : s.p[0];
        s.p += gap ? gap : 1;
        s.n -= gap ? gap : 1;
    }
    while (n && word[n - 1] == ' ') n--;
    word[n] = 0;
    return n;
}

/* Whether the digits of p[0..n) are parted into thousands by `mark`; they are then closed up. */
static bool close_up(char *p, size_t *n, char mark)
{
    size_t run = 0, to = 0, parts = 0;
    bool good = true;
    for (size_t i = *n; i-- > 0;) { /* from the right, where the lengths are known */
        if (p[i] != mark) {
            run++;
            continue;
        }
        good &= parts ? run == 3 || run == 2 : run == 3;
        parts++;
        run = 0;
    }
    if (!good || !run || run > 3) return false;
    for (size_t i = 0; i < *n; i++)
        if (p[i] != mark) p[to++] = p[i];
    p[to] = 0;
    *n = to;
    return true;
}

static bool grouped(double *out, tdm_str s)
{
    char word[64], *end, thousands = 0, decimal = 0;
    size_t n = spelled(word, sizeof word, s), marks[3] = {0};
    if (!n) return false;
    static const char kinds[] = ".,";
    for (size_t i = 0; i < n; i++) {
        if (word[i] == ' ') marks[2]++;
        for (size_t k = 0; k < 2; k++)
            if (word[i] == kinds[k]) marks[k]++, decimal = word[i];
    }
    if (marks[2]) { /* blanks part thousands, and one other mark is decimal */
        thousands = ' ';
        if (marks[0] + marks[1] > 1) return false;
    } else if (marks[0] && marks[1]) {
        thousands = decimal == '.' ? ',' : '.';
        if (marks[decimal == '.' ? 0 : 1] > 1) return false;
    } else if (marks[0] + marks[1] > 1) thousands = decimal, decimal = 0;
    else if (decimal == ',') {
        size_t at = (size_t)(strchr(word, ',') - word);
        if (at && at <= 3 && n - at == 4 && word[0] != '0') thousands = ',', decimal = 0;
    }
    char *point = decimal ? strchr(word, decimal) : NULL;
    size_t whole = point ? (size_t)(point - word) : n, rest = n - whole;
    if (thousands) {
        char tail[64];
        memcpy(tail, word + whole, rest + 1);
        if (!close_up(word, &whole, thousands)) return false;
        memcpy(word + whole, tail, rest + 1);
        point = decimal ? word + whole : NULL;
    }
    if (point) *point = '.';
    *out = strtod(word, &end);
    return end > word && *end == 0;
}

bool tdm_clean_amount(double *out, tdm_str s)
{
    char word[64], *end;
    s = tdm_str_trim(s);
    if (!s.n || s.n >= sizeof word) return false;
    bool less = s.p[0] == '-' || begins(s, "\xe2\x88\x92"); /* a minus sign as it is printed */
    tdm_str t = s;
    if (less || s.p[0] == '+') t.p += s.p[0] == '\xe2' ? 3 : 1, t.n -= s.p[0] == '\xe2' ? 3 : 1;
    if (t.n &&
        (digit(t.p[0]) || t.p[0] == '.')) { /* plain, as nearly all are; strtod alone would take "nan" and "0x1" */
        memcpy(word, t.p, t.n);
        word[t.n] = 0;
        *out = strtod(word, &end);
        bool hex = t.n > 1 && (t.p[1] | 32) == 'x';
        if (!hex && end > word && (*end == 0 || !strncmp(end, " out of ", 8))) {
            if (less) *out = -*out;
            return true;
        }
    }
    if (!grouped(out, uncoined(t))) return false;
    if (less) *out = -*out;
    return true;
}
