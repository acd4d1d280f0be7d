/* SPDX-License-Identifier: Apache-2.0 */
/* when.c - times as logs write them: numbers of seconds, milliseconds or microseconds, and dates.
 *
 * A date is read as its numbers and words in a row. A word that begins like a month is the month; else the first of
 * three numbers tells: a year before month and day (ISO), or month, day, year as in "06 17, 2018" and "6/17/2018",
 * unless the first is over 12; between points the day is first ("17.6.2018"). A year of two digits is one of 1970..2069
 * and stands last, behind a word for the month, slashes or points ("31-Jul-18"). Eight digits are year, month and day.
 * h:m:s may stand anywhere, an offset "+02:00" or "-0700" behind it. Dates without an offset count as UTC. */
#include "data/clean.h"

#include <string.h>

/* Days since 1970 of a day of the Gregorian calendar. (H. Hinnant, "chrono-compatible low-level date algorithms") */
static int64_t days(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1, doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

static int month_of(const char *p, size_t n)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    char word[3];
    if (n < 3 || n > 9) return 0;
    for (int i = 0; i < 3; i++) word[i] = (char)(p[i] | 32);
    for (int m = 0; m < 12; m++)
        if (!memcmp(word, names + 3 * m, 3)) return m + 1;
    return 0;
}

/* h:mm, h:mm:ss, h:mm:ss.fff at p; returns its length, 0: none. */
static size_t clock_at(const char *p, size_t n, int64_t *seconds)
{
    int64_t part[3] = {0};
    size_t i = 0;
    for (int k = 0; k < 3; k++) {
        size_t from = i;
        while (i < n && digit(p[i]) && i - from < 2) part[k] = part[k] * 10 + (p[i++] - '0');
        if (i == from) return 0;
        if (i < n && p[i] == ':' && k < 2) i++;
        else if (k == 0) return 0;
        else break;
    }
    if (i + 1 < n && p[i] == '.' && digit(p[i + 1]))
        for (i++; i < n && digit(p[i]);) i++;
    if (part[0] > 24 || part[1] > 59 || part[2] > 60) return 0;
    *seconds = part[0] * 3600 + part[1] * 60 + part[2];
    return i;
}

/* T123000 at p; returns its length, 0: none. */
static size_t packed_clock_at(const char *p, size_t n, int64_t *seconds)
{
    int64_t part[3];
    if (n < 7 || (n > 7 && digit(p[7]))) return 0;
    for (size_t k = 0; k < 3; k++) {
        if (!digit(p[1 + 2 * k]) || !digit(p[2 + 2 * k])) return 0;
        part[k] = (p[1 + 2 * k] - '0') * 10 + p[2 + 2 * k] - '0';
    }
    if (part[0] > 24 || part[1] > 59 || part[2] > 60) return 0;
    *seconds = part[0] * 3600 + part[1] * 60 + part[2];
    return 7;
}

/* +hh:mm, +hhmm, +hh; returns its length, 0: none. */
static size_t offset_at(const char *p, size_t n, int64_t *seconds)
{
    if (n < 3 || (p[0] != '+' && p[0] != '-') || !digit(p[1]) || !digit(p[2])) return 0;
    int64_t h = (p[1] - '0') * 10 + p[2] - '0', m = 0;
    size_t i = 3;
    if (i < n && p[i] == ':') i++;
    if (i + 1 < n && digit(p[i]) && digit(p[i + 1])) m = (p[i] - '0') * 10 + p[i + 1] - '0', i += 2;
    *seconds = (p[0] == '-' ? -1 : 1) * (h * 3600 + m * 60);
    return i;
}

static bool date(int64_t *out, tdm_str s)
{
    int64_t number[3] = {0}, clock = 0, offset = 0;
    size_t width[3] = {0}, n = 0;
    int month = 0;
    bool clocked = false, shifted = false, slashes = false, points = false;
    for (size_t i = 0; i < s.n;) {
        const char *p = s.p + i;
        size_t rest = s.n - i, k;
        if (!clocked && digit(*p) && (k = clock_at(p, rest, &clock))) {
            clocked = true;
            i += k;
        } else if (clocked && !shifted && (*p == '+' || *p == '-') && (k = offset_at(p, rest, &offset))) {
            shifted = true;
            i += k;
        } else if (digit(*p)) {
            if (n == 3) return false;
            for (k = 0; k < rest && digit(p[k]) && k < 9; k++) number[n] = number[n] * 10 + (p[k] - '0');
            width[n++] = k;
            i += k;
            if (n > 1 || k != 8) continue;
            width[0] = 4, n = 3; /* 20140228, and perhaps T123000 */
            number[2] = number[0] % 100, number[1] = number[0] / 100 % 100, number[0] /= 10000;
            if (i == s.n || s.p[i] != 'T') continue;
            if (!(k = packed_clock_at(s.p + i, s.n - i, &clock))) return false;
            clocked = true;
            i += k;
        } else if (letter(*p)) {
            for (k = 0; k < rest && letter(p[k]);) k++;
            int m = month_of(p, k);
            bool pm = k == 2 && (p[0] | 32) == 'p' && (p[1] | 32) == 'm', am = k == 2 && (p[0] | 32) == 'a';
            if (pm && clocked && clock < 12 * 3600) clock += 12 * 3600;
            if (am && clocked && clock >= 12 * 3600) clock -= 12 * 3600;
            if (m && month) return false;
            if (m) month = m;
            i += k;
        } else if (*p && strchr(" ,/.-:\tTZ()", *p)) {
            slashes |= *p == '/';
            points |= *p == '.' && n == 1 && i + 1 < s.n && digit(s.p[i + 1]);
            i++;
        } else return false;
    }
    if (n == (month ? 2 : 3) && width[n - 1] == 2 && width[0] <= 2 && (month || slashes || points))
        number[n - 1] += number[n - 1] < 70 ? 2000 : 1900, width[n - 1] = 4;
    int64_t y, m, d;
    if (month && n == 2) {
        bool year_first = width[0] == 4;
        y = number[year_first ? 0 : 1];
        d = number[year_first ? 1 : 0];
        m = month;
        if (width[year_first ? 0 : 1] != 4) return false;
    } else if (n == 3 && !month && width[0] == 4) y = number[0], m = number[1], d = number[2];
    else if (n == 3 && !month && width[2] == 4) {
        y = number[2];
        m = number[0];
        d = number[1];
        if (m > 12 || points) m = number[1], d = number[0];
    } else return false;
    static const int64_t length[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (y < 1900 || y > 2199 || m < 1 || m > 12 || d < 1 || d > length[m - 1]) return false;
    if (m == 2 && d == 29 && (y % 4 || (y % 100 == 0 && y % 400))) return false;
    *out = days(y, m, d) * 86400 + clock - offset;
    return true;
}

bool tdm_clean_time(int64_t *out, tdm_str s)
{
    double v;
    s = tdm_str_trim(s);
    if (s.n == 10) { /* seconds of our years, as in most logs */
        int64_t n = 0;
        size_t i = 0;
        for (; i < 10 && digit(s.p[i]); i++) n = n * 10 + (s.p[i] - '0');
        if (i == 10 && n < 7258118400) {
            *out = n;
            return true;
        }
    }
    if (s.n > 64) return false;
    if (!tdm_clean_number(&v, s)) return date(out, s);
    if (s.n == 8 && v >= 19000101 && v < 21000000 && date(out, s)) return true; /* no log is of 1970 */
    if (v >= 1e14) v /= 1e6;
    else if (v >= 1e11) v /= 1e3;
    if (!(v >= 0 && v < 7258118400.0)) return false; /* the year 2200 */
    *out = (int64_t)v;
    return true;
}
