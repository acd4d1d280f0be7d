/* SPDX-License-Identifier: Apache-2.0 */
#include "data/profile.h"

#include "data/clean.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

static bool digits(tdm_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0;
}

static bool capital_code(tdm_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'A' && s.p[i] <= 'Z'))) return false;
    return s.n > 0;
}

/* Ten capitals and digits that begin with B0, or an ISBN. */
static bool is_asin(tdm_str s)
{
    if (s.n != 10 || !capital_code(s)) return false;
    return (s.p[0] == 'B' && s.p[1] >= '0' && s.p[1] <= '9') || digits((tdm_str){s.p, 9});
}

/* "N55689-1 N35729-0": what was shown, and whether it was clicked. */
static bool is_shown(tdm_str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t from = i;
        while (i < s.n && s.p[i] != ' ') i++;
        if (i - from < 3 || s.p[i - 2] != '-' || (s.p[i - 1] != '0' && s.p[i - 1] != '1')) return false;
        while (i < s.n && s.p[i] == ' ') i++;
    }
    return true;
}

void tdm_profile_add(tdm_profile *c, tdm_str s)
{
    double v;
    int64_t t;
    s = tdm_str_trim(s);
    if (!s.n) return;
    c->n++;
    c->bytes += s.n;
    bool number = tdm_clean_amount(&v, s) && !(s.n > 1 && s.p[0] == '0' && s.p[1] >= '0' && s.p[1] <= '9');
    if (number) {
        c->low = c->number && c->low < v ? c->low : v;
        c->high = c->number && c->high > v ? c->high : v;
        c->falls |= c->number && v < c->before;
        c->before = v;
        c->number++;
        c->whole += v == floor(v);
        c->half += 2 * v == floor(2 * v);
        c->instant += digits(s) && ((v >= 3e8 && v < 4.2e9) || (v >= 3e11 && v < 4.2e12));
    } else c->date += tdm_clean_time(&t, s);
    c->flag += s.n == 1 && (s.p[0] == '0' || s.p[0] == '1');
    c->words += memchr(s.p, ' ', s.n) != NULL;
    c->bars += memchr(s.p, '|', s.n) != NULL;
    c->bracket += s.p[0] == '[' || s.p[0] == '{';
    c->link += s.n > 7 && !memcmp(s.p, "http", 4);
    bool letter = false, digit = false;
    for (size_t i = 0; i < s.n; i++) {
        letter |= (s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z';
        digit |= s.p[i] >= '0' && s.p[i] <= '9';
    }
    c->letters += letter;
    c->coded += digit;
    c->shown += is_shown(s);
    c->keys += s.p[s.n - 1] == ':';
    c->asin += is_asin(s);
    c->reviewer += s.n >= 10 && s.n <= 32 && s.p[0] == 'A' && capital_code(s);
    uint64_t h = XXH3_64bits(s.p, s.n);
    uint8_t *mark = &c->mark[(h >> 32) % TDM_MARKS / 8], bit = (uint8_t)(1u << (h >> 32 & 7));
    c->fresh += !(*mark & bit);
    *mark |= bit;
    for (size_t i = 0; i < c->distinct; i++)
        if (c->seen[i] == h) return;
    if (c->distinct < TDM_DISTINCT) c->seen[c->distinct++] = h;
}

static bool most(size_t part, size_t n) { return n && part * 20 >= n * 19; }

bool tdm_profile_numbers(const tdm_profile *c) { return most(c->number, c->n); }

/* How much a column looks like ratings; 0: not at all. Hours played and coordinates are no halves; a column of nothing
 * but 0 says nothing. */
static int rating_like(const tdm_profile *c)
{
    if (!tdm_profile_numbers(c) || c->low < -10 || c->high > 100 || c->distinct > 21) return 0;
    if (!most(c->half, c->n) || (c->low == 0 && c->high == 0)) return 0;
    return 1 + (c->low >= 0.5) + (c->distinct >= 2 && c->distinct <= 11) + 2 * (c->high == 5 || c->high == 10);
}

/* A few words that come again and again: "view", "pv", "add to cart". Tags are many different ones. */
static bool event_like(const tdm_profile *c)
{
    return c->n >= 3 && most(c->letters, c->n) && c->distinct <= 12 && c->distinct < c->n && !c->coded && !c->date &&
           !c->bars;
}

static bool tag_like(const tdm_profile *c)
{
    return c->n && c->letters * 2 > c->n && c->bytes <= 40 * c->n && !c->date && c->words * 20 > c->n;
}

/* The column of items that go by names with blanks ("Fallout 4"), where no other is left: the first behind column 0
 * that repeats, and whose values are short. -1: none. */
static int item_named(const int *column, const tdm_profile *c, int n)
{
    for (int i = 1; i < n; i++)
        if (i != column[TDM_ROLE_TIME] && i != column[TDM_ROLE_TEXT] && i != column[TDM_ROLE_SUMMARY] && c[i].n &&
            most(c[i].letters, c[i].n) && c[i].words && c[i].bytes <= 64 * c[i].n && !c[i].bracket && !c[i].link &&
            c[i].fresh < c[i].n && !most(c[i].date, c[i].n))
            return i;
    return -1;
}

void tdm_profile_rows(int *column, const tdm_profile *c, int n)
{
    bool used[TDM_COLUMNS] = {false};
    int best = 0;
    for (int i = 0; i < n; i++) /* the rightmost instant, else the leftmost date */
        if (most(c[i].instant, c[i].n)) column[TDM_ROLE_TIME] = i;
    for (int i = 0; i < n && column[TDM_ROLE_TIME] < 0; i++)
        if (most(c[i].date, c[i].n)) column[TDM_ROLE_TIME] = i;
    for (int i = 0; i < n; i++)
        if (i != column[TDM_ROLE_TIME] && n > 2 && rating_like(&c[i]) > best && (i || c[i].falls))
            best = rating_like(&c[i]), column[TDM_ROLE_RATING] = i; /* people in order are in the first column */
    for (int i = 0; i < n; i++) {
        int t = column[TDM_ROLE_TEXT];
        if (c[i].n && c[i].words * 10 >= c[i].n * 8 && c[i].bytes > 40 * c[i].n && !c[i].bracket &&
            (t < 0 || c[i].bytes > c[t].bytes))
            column[TDM_ROLE_TEXT] = i;
    }
    for (int i = column[TDM_ROLE_TEXT] + 1; column[TDM_ROLE_TEXT] >= 0 && i < n; i++)
        if (column[TDM_ROLE_SUMMARY] < 0 && c[i].n && c[i].letters * 2 > c[i].n && c[i].words * 5 > c[i].n &&
            !most(c[i].date, c[i].n))
            column[TDM_ROLE_SUMMARY] = i;
    for (int r = 0; r < TDM_ROLES; r++)
        if (column[r] >= 0) used[column[r]] = true;
    for (int i = 0; i < n; i++)
        used[i] |= !c[i].n || c[i].words * 20 > c[i].n || c[i].bracket * 20 > c[i].n || c[i].bars * 5 > c[i].n ||
                   c[i].bytes > 64 * c[i].n || most(c[i].date, c[i].n) ||
                   (tdm_profile_numbers(&c[i]) && !most(c[i].whole, c[i].n)) ||
                   (i && c[i].n > 2 && c[i].distinct == 1 && c[i].flag == c[i].n); /* a flag */
    for (int i = 0; i < n; i++) /* Amazon's own ids say which is which */
        if (!used[i] && c[i].asin * 10 >= c[i].n * 8 && c[i].reviewer * 10 < c[i].n * 8) {
            column[TDM_ROLE_ITEM] = i;
            used[i] = true;
            break;
        }
    for (int i = 0; i < n; i++)
        if (!used[i] && c[i].reviewer * 10 >= c[i].n * 8) {
            column[TDM_ROLE_USER] = i;
            used[i] = true;
            break;
        }
    int last = -1; /* the last column of event types, if an item is left without it */
    size_t left = 0;
    for (int i = 0; i < n; i++) {
        left += !used[i];
        if (i && !used[i] && event_like(&c[i])) last = i;
    }
    left += (column[TDM_ROLE_USER] >= 0) + (column[TDM_ROLE_ITEM] >= 0);
    int named = item_named(column, c, n);
    if (last >= 0 && (left > 2 || (named >= 0 && named < last))) column[TDM_ROLE_EVENT] = last, used[last] = true;
    for (int i = 0; i < n; i++) {
        if (used[i]) continue;
        if (column[TDM_ROLE_USER] < 0) column[TDM_ROLE_USER] = i;
        else if (column[TDM_ROLE_ITEM] < 0) column[TDM_ROLE_ITEM] = i;
    }
    if (column[TDM_ROLE_ITEM] < 0) column[TDM_ROLE_ITEM] = named;
    bool tags = n == 4 && column[TDM_ROLE_TIME] == 3; /* "person, item, tag, time" */
    for (int i = 0; tags && i < n; i++)
        if (column[TDM_ROLE_RATING] < 0 && column[TDM_ROLE_TEXT] < 0 && column[TDM_ROLE_EVENT] < 0 &&
            i != column[TDM_ROLE_USER] && i != column[TDM_ROLE_ITEM] && tag_like(&c[i]))
            column[TDM_ROLE_TAG] = i;
}

/* No value comes twice. Of 1000 different ones 3% meet a bit that is set. */
static bool once(const tdm_profile *c)
{
    return c->n > 1 && (c->n < TDM_DISTINCT ? c->distinct == c->n : c->fresh * 100 >= c->n * 95);
}

bool tdm_profile_flagged(const tdm_profile *c, int n)
{
    bool all = n == 24;
    for (int i = n - 19; all && i < n; i++) all = c[i].n && c[i].flag == c[i].n;
    return all;
}

bool tdm_profile_pages(const tdm_profile *c, int n)
{
    for (int i = 0; i < n; i++)
        if ((c[i].words && most(c[i].shown, c[i].n)) || (!i && most(c[i].keys, c[i].n))) return true;
    return false;
}

void tdm_profile_items(int *column, const tdm_profile *c, int n)
{
    int plain = -1;
    column[TDM_ROLE_ITEM] = 0;
    for (int i = 1; i < n; i++) {
        bool letters = most(c[i].letters, c[i].n) && !c[i].link && !c[i].bracket;
        bool many = c[i].fresh * 2 > c[i].n; /* "M" and "F" are no titles */
        if (!letters || most(c[i].date, c[i].n)) continue;
        if (column[TDM_ROLE_CATEGORY] < 0 && c[i].bars * 5 > c[i].n) column[TDM_ROLE_CATEGORY] = i;
        else if (column[TDM_ROLE_TITLE] < 0 && many && c[i].words * 10 >= c[i].n * 3) column[TDM_ROLE_TITLE] = i;
        else if (column[TDM_ROLE_TITLE] < 0 && plain < 0) plain = i;
        else if (column[TDM_ROLE_TITLE] >= 0 && column[TDM_ROLE_DESCRIPTION] < 0 && c[i].words * 10 >= c[i].n * 8 &&
                 c[i].bytes > 24 * c[i].n)
            column[TDM_ROLE_DESCRIPTION] = i;
    }
    if (column[TDM_ROLE_TITLE] < 0) column[TDM_ROLE_TITLE] = plain >= 0 && c[plain].fresh * 2 > c[plain].n ? plain : -1;
    else if (column[TDM_ROLE_CATEGORY] < 0 && plain >= 0 && c[plain].fresh < c[plain].n)
        column[TDM_ROLE_CATEGORY] = plain;
}

bool tdm_profile_is_log(const int *column, const tdm_profile *c, int n)
{
    int u = column[TDM_ROLE_USER], i = column[TDM_ROLE_ITEM], r = column[TDM_ROLE_RATING];
    if (u < 0 || i < 0) return true;
    if (tdm_profile_flagged(c, n)) return false;
    bool judged = column[TDM_ROLE_TIME] >= 0 || (r >= 0 && c[r].high <= 10);
    if ((once(&c[0]) || once(&c[u])) && !judged) return false;
    if (c[u].n < 100) return true;
    size_t least = c[u].fresh < c[i].fresh ? c[u].fresh : c[i].fresh;
    return least * 100 < c[u].n * 95; /* of 1000 different values 3% meet a bit that is set */
}
