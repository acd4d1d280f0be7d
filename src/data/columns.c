/* SPDX-License-Identifier: Apache-2.0 */
/* columns.c - which column of a table holds what: from a header's names, else from what the values look like. */
#include "base/mem.h"
#include "data/clean.h"
#include "data/shape.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

enum { COLUMNS = 64, ROWS = 1000, DISTINCT = 32, MARKS = 1 << 14 };

typedef struct profile {
    size_t n, number, whole, half, instant, date, words, bracket, bytes, asin, reviewer, letters, bars, link, flag,
        coded, shown, keys;
    double low, high, before;
    bool falls;              /* a number less than the one above it */
    uint64_t seen[DISTINCT]; /* hashes of the first distinct values */
    size_t distinct;         /* DISTINCT: that many or more */
    uint8_t mark[MARKS / 8]; /* a bit for each value met, by hash */
    size_t fresh;            /* how often the bit was not set yet: about the number of values */
} profile;

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

static void profile_add(profile *c, tdm_str s)
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
    uint8_t *mark = &c->mark[(h >> 32) % MARKS / 8], bit = (uint8_t)(1u << (h >> 32 & 7));
    c->fresh += !(*mark & bit);
    *mark |= bit;
    for (size_t i = 0; i < c->distinct; i++)
        if (c->seen[i] == h) return;
    if (c->distinct < DISTINCT) c->seen[c->distinct++] = h;
}

static bool most(size_t part, size_t n) { return n && part * 20 >= n * 19; }

/* How much a column looks like ratings; 0: not at all. Hours played and coordinates are no halves; a column of nothing
 * but 0 says nothing. */
static int rating_like(const profile *c)
{
    if (!most(c->number, c->n) || c->low < -10 || c->high > 100 || c->distinct > 21) return 0;
    if (!most(c->half, c->n) || (c->low == 0 && c->high == 0)) return 0;
    return 1 + (c->low >= 0.5) + (c->distinct >= 2 && c->distinct <= 11) + 2 * (c->high == 5 || c->high == 10);
}

/* A few words that come again and again: "view", "pv", "add to cart". Tags are many different ones. */
static bool event_like(const profile *c)
{
    return c->n >= 3 && most(c->letters, c->n) && c->distinct <= 12 && c->distinct < c->n && !c->coded && !c->date &&
           !c->bars;
}

static bool tag_like(const profile *c)
{
    return c->n && c->letters * 2 > c->n && c->bytes <= 40 * c->n && !c->date && c->words * 20 > c->n;
}

/* The column of items that go by names with blanks ("Fallout 4"), where no other is left: the first behind column 0
 * that repeats, and whose values are short. -1: none. */
static int item_named(const int *column, const profile *c, int n)
{
    for (int i = 1; i < n; i++)
        if (i != column[TDM_ROLE_TIME] && i != column[TDM_ROLE_TEXT] && i != column[TDM_ROLE_SUMMARY] && c[i].n &&
            most(c[i].letters, c[i].n) && c[i].words && c[i].bytes <= 64 * c[i].n && !c[i].bracket && !c[i].link &&
            c[i].fresh < c[i].n && !most(c[i].date, c[i].n))
            return i;
    return -1;
}

static void rows_from_values(int *column, const profile *c, int n)
{
    bool used[COLUMNS] = {false};
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
                   (most(c[i].number, c[i].n) && !most(c[i].whole, c[i].n)) ||
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
static bool once(const profile *c)
{
    return c->n > 1 && (c->n < DISTINCT ? c->distinct == c->n : c->fresh * 100 >= c->n * 95);
}

/* MovieLens' 19 columns of 0 and 1 behind a film. */
static bool flagged(const profile *c, int n)
{
    bool all = n == 24;
    for (int i = n - 19; all && i < n; i++) all = c[i].n && c[i].flag == c[i].n;
    return all;
}

/* Pages that were shown, one a row; or "key: value" lines, one row over several. */
static bool pages(const profile *c, int n)
{
    for (int i = 0; i < n; i++)
        if ((c[i].words && most(c[i].shown, c[i].n)) || (!i && most(c[i].keys, c[i].n))) return true;
    return false;
}

/* The title is the first column of letters with blanks among them, else the first of letters; one word before it that
 * comes again is a category ("sports"), a long text behind it a description. */
static void items_from_values(tdm_shape *s, const profile *c, int n)
{
    int *column = s->column, plain = -1;
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
    s->flags = flagged(c, n);
}

/* The column of a name, letters and digits alone compared; -1: none. */
static int named_column(const tdm_cells *row, const char *const *names)
{
    for (; *names; names++)
        for (size_t i = 0; i < row->n && i < COLUMNS; i++) {
            tdm_str cell = tdm_cell(row, i);
            size_t k = 0, at = 0;
            for (; at < cell.n && cell.p[at] != ':'; at++) {
                char ch = cell.p[at] >= 'A' && cell.p[at] <= 'Z' ? (char)(cell.p[at] + 32) : cell.p[at];
                if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9'))) continue;
                if (ch != (*names)[k]) break;
                k++;
            }
            if ((at == cell.n || cell.p[at] == ':') && k && !(*names)[k]) return (int)i;
        }
    return -1;
}

/* What plain names stand for where the other columns make it sure: in a log that also says who makes the item, "name"
 * is the item's and not a buyer's; with a price "description" is; in a list with titles "text" is the article and no
 * review. */
static void from_shop(tdm_shape *s, const tdm_cells *row)
{
    static const char *const makers[] = {"brand", "manufacturer", NULL};
    static const char *const prices[] = {"unitprice", "price", NULL};
    static const char *const name[] = {"name", NULL};
    static const char *const description[] = {"description", NULL};
    static const char *const texts[] = {"text", "body", "content", NULL};
    static const char *const judged[] = {"rating", "overall", "score", "stars", "reviewerid", "userid", NULL};
    int *column = s->column;
    if (!s->items && column[TDM_ROLE_TITLE] < 0 && named_column(row, makers) >= 0)
        column[TDM_ROLE_TITLE] = named_column(row, name);
    if (!s->items && column[TDM_ROLE_TITLE] < 0 && named_column(row, prices) >= 0)
        column[TDM_ROLE_TITLE] = named_column(row, description);
    if (s->items && column[TDM_ROLE_TITLE] >= 0 && column[TDM_ROLE_DESCRIPTION] < 0 && named_column(row, judged) < 0)
        column[TDM_ROLE_DESCRIPTION] = named_column(row, texts);
}

/* Roles from names, of several names for one role the best. */
static void from_names(tdm_shape *s, const tdm_cells *row, bool guess)
{
    unsigned best[TDM_ROLES];
    int title = -1;
    for (int i = 0; i < TDM_ROLES; i++) s->column[i] = -1, best[i] = ~0u;
    for (size_t i = 0; i < row->n && i < COLUMNS; i++) {
        unsigned rank;
        tdm_role r = tdm_role_of(tdm_cell(row, i), s->items, guess, &rank);
        if (r == TDM_ROLE_SUMMARY && rank == TDM_RANK_TITLE) title = (int)i;
        if (r == TDM_ROLE_NONE || rank >= best[r]) continue;
        if (r == TDM_ROLE_ITEM && s->items) {
            s->column[TDM_ROLE_OTHER] = s->column[r];
            if (s->column[r] >= 0) best[TDM_ROLE_OTHER] = best[r];
        }
        s->column[r] = (int)i;
        best[r] = rank;
    }
    if (s->items) /* the second best name for an id */
        for (size_t i = 0; i < row->n && i < COLUMNS; i++) {
            unsigned rank;
            tdm_role r = tdm_role_of(tdm_cell(row, i), true, guess, &rank);
            if (r == TDM_ROLE_ITEM && (int)i != s->column[r] && rank < best[TDM_ROLE_OTHER])
                s->column[TDM_ROLE_OTHER] = (int)i, best[TDM_ROLE_OTHER] = rank;
        }
    if (!s->items && title >= 0 && (s->column[TDM_ROLE_SUMMARY] != title || s->column[TDM_ROLE_TEXT] < 0)) {
        if (s->column[TDM_ROLE_SUMMARY] == title) s->column[TDM_ROLE_SUMMARY] = -1;
        if (s->column[TDM_ROLE_TITLE] < 0) s->column[TDM_ROLE_TITLE] = title;
    }
    from_shop(s, row);
}

static bool enough(const tdm_shape *s)
{
    bool has[TDM_ROLES];
    for (int r = 0; r < TDM_ROLES; r++) has[r] = s->column[r] >= 0;
    return tdm_shape_enough(has, s->items);
}

/* Whether what was guessed from values alone is a log. In one, people or items come again; a list of people or things
 * names each once, and what it says of them is no rating of 10 or less and no time. */
static bool log_like(const tdm_shape *s, const profile *c)
{
    int u = s->column[TDM_ROLE_USER], i = s->column[TDM_ROLE_ITEM], r = s->column[TDM_ROLE_RATING];
    if (u < 0 || i < 0) return true;
    if (flagged(c, (int)s->dialect.columns)) return false;
    bool judged = s->column[TDM_ROLE_TIME] >= 0 || (r >= 0 && c[r].high <= 10);
    if ((once(&c[0]) || once(&c[u])) && !judged) return false;
    if (c[u].n < 100) return true;
    size_t least = c[u].fresh < c[i].fresh ? c[u].fresh : c[i].fresh;
    return least * 100 < c[u].n * 95; /* of 1000 different values 3% meet a bit that is set */
}

/* Applies --map; false where it names a column that is not there. */
static bool mapped(tdm_shape *s, const tdm_cells *row)
{
    for (int r = 0; r < TDM_ROLES; r++) {
        tdm_str c = s->map.column[r];
        double v;
        int at = -1;
        if (!c.n) continue;
        for (size_t i = 0; i < row->n && s->dialect.header; i++)
            if (tdm_str_eq(tdm_str_trim(tdm_cell(row, i)), c)) at = (int)i;
        if (at < 0 && digits(c) && tdm_clean_number(&v, c) && v >= 1 && v <= (double)s->dialect.columns)
            at = (int)v - 1;
        if (at < 0) {
            s->column[r] = -1; /* which says whose column is not there */
            return false;
        }
        for (int k = 0; k < TDM_ROLES; k++)
            if (s->column[k] == at) s->column[k] = -1;
        s->column[r] = at;
    }
    return true;
}

bool tdm_shape_columns(tdm_shape *s, tdm_str sample, bool last)
{
    profile *c = tdm_new(COLUMNS, sizeof *c);
    if (!c) {
        s->names.failed = true;
        return false;
    }
    tdm_cells row = {0};
    int n = s->dialect.columns < COLUMNS ? (int)s->dialect.columns : COLUMNS;
    size_t first = tdm_table_next(&s->names, &s->dialect, sample, last), at = first, rows = 0;
    bool number_in_first = false;
    double v;
    for (size_t i = 0; i < s->names.n; i++) number_in_first |= tdm_clean_number(&v, tdm_cell(&s->names, i));
    for (size_t k;
         rows < ROWS && (k = tdm_table_next(&row, &s->dialect, (tdm_str){sample.p + at, sample.n - at}, last));
         at += k) {
        if (row.n != s->dialect.columns) continue;
        rows++;
        for (int i = 0; i < n; i++) profile_add(&c[i], tdm_cell(&row, (size_t)i));
    }
    from_names(s, &s->names, false);
    s->dialect.header = enough(s);
    if (!s->dialect.header && !number_in_first)
        for (int i = 0; i < n; i++) s->dialect.header |= most(c[i].number, c[i].n);
    bool said = false; /* --map names a column of the first row */
    for (int r = 0; r < TDM_ROLES; r++)
        for (size_t i = 0; s->map.column[r].n && i < s->names.n; i++)
            said |= !digits(s->map.column[r]) && tdm_str_eq(tdm_str_trim(tdm_cell(&s->names, i)), s->map.column[r]);
    s->dialect.header |= said;
    if (s->dialect.header) from_names(s, &s->names, true);
    else {
        for (int r = 0; r < TDM_ROLES; r++) s->column[r] = -1;
        if (s->names.n == s->dialect.columns)
            for (int i = 0; i < n; i++) {
                bool falls = c[i].falls; /* the first row comes last here */
                profile_add(&c[i], tdm_cell(&s->names, (size_t)i));
                c[i].falls = falls;
            }
        if (s->items) items_from_values(s, c, n);
        else rows_from_values(s->column, c, n);
    }
    bool guessed = !s->dialect.header && !s->items && !s->map.any;
    bool good = mapped(s, &s->names) && enough(s) && (!guessed || log_like(s, c));
    if (!s->dialect.header && pages(c, n)) good = false;
    s->names.failed |= row.failed || row.bytes.failed;
    tdm_free(c);
    tdm_cells_clear(&row);
    return good;
}
