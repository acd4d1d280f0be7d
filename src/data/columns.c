/* SPDX-License-Identifier: Apache-2.0 */
/* columns.c - which column of a table holds what: from a header's names, else from what the values look like. */
#include "base/mem.h"
#include "data/clean.h"
#include "data/shape.h"

#include <float.h>
#include <string.h>
#include <xxhash.h>

enum { COLUMNS = 64, ROWS = 1000, DISTINCT = 32, MARKS = 1 << 14 };

typedef struct profile {
    size_t n, number, whole, instant, date, words, bracket, bytes, asin, reviewer, letters, bars, flag;
    double low, high;
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

static void profile_add(profile *c, tdm_str s)
{
    double v;
    int64_t t;
    s = tdm_str_trim(s);
    if (!s.n) return;
    c->n++;
    c->bytes += s.n;
    bool number = tdm_clean_number(&v, s) && !(s.n > 1 && s.p[0] == '0' && s.p[1] >= '0' && s.p[1] <= '9');
    if (number) {
        c->low = c->number && c->low < v ? c->low : v;
        c->high = c->number && c->high > v ? c->high : v;
        c->number++;
        c->whole += digits(s);
        c->instant += digits(s) && ((v >= 3e8 && v < 4.2e9) || (v >= 3e11 && v < 4.2e12));
    } else c->date += tdm_clean_time(&t, s);
    c->flag += s.n == 1 && (s.p[0] == '0' || s.p[0] == '1');
    c->words += memchr(s.p, ' ', s.n) != NULL;
    c->bars += memchr(s.p, '|', s.n) != NULL;
    c->bracket += s.p[0] == '[' || s.p[0] == '{';
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z') {
            c->letters++;
            break;
        }
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

/* How much a column looks like ratings; 0: not at all. */
static int rating_like(const profile *c)
{
    if (!most(c->number, c->n) || c->low < -10 || c->high > 100 || c->distinct > 21) return 0;
    return 1 + (c->low >= 0.5) + (c->distinct >= 2 && c->distinct <= 11) + 2 * (c->high == 5 || c->high == 10);
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
        if (i != column[TDM_ROLE_TIME] && n > 2 && rating_like(&c[i]) > best)
            best = rating_like(&c[i]), column[TDM_ROLE_RATING] = i;
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
        used[i] |= !c[i].n || c[i].words * 20 > c[i].n || c[i].bracket * 20 > c[i].n || c[i].bytes > 64 * c[i].n ||
                   most(c[i].date, c[i].n);
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
    for (int i = 0; i < n; i++) {
        if (used[i]) continue;
        if (column[TDM_ROLE_USER] < 0) column[TDM_ROLE_USER] = i;
        else if (column[TDM_ROLE_ITEM] < 0) column[TDM_ROLE_ITEM] = i;
    }
}

static void items_from_values(tdm_shape *s, const profile *c, int n)
{
    s->column[TDM_ROLE_ITEM] = 0;
    for (int i = 1; i < n; i++) {
        if (s->column[TDM_ROLE_TITLE] < 0 && most(c[i].letters, c[i].n)) s->column[TDM_ROLE_TITLE] = i;
        else if (s->column[TDM_ROLE_CATEGORY] < 0 && c[i].bars * 5 > c[i].n) s->column[TDM_ROLE_CATEGORY] = i;
    }
    s->flags = n == 24;
    for (int i = n - 19; s->flags && i < n; i++) s->flags = c[i].n && c[i].flag == c[i].n;
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
}

static bool enough(const tdm_shape *s)
{
    bool has[TDM_ROLES];
    for (int r = 0; r < TDM_ROLES; r++) has[r] = s->column[r] >= 0;
    return tdm_shape_enough(has, s->items);
}

/* Whether the people and items guessed from values come again, as they do in a log and not in a list of things. */
static bool log_like(const tdm_shape *s, const profile *c)
{
    int u = s->column[TDM_ROLE_USER], i = s->column[TDM_ROLE_ITEM];
    if (u < 0 || i < 0 || c[u].n < 100) return true;
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
        if (at < 0) return false;
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
            for (int i = 0; i < n; i++) profile_add(&c[i], tdm_cell(&s->names, (size_t)i));
        if (s->items) items_from_values(s, c, n);
        else rows_from_values(s->column, c, n);
    }
    bool guessed = !s->dialect.header && !s->items && !s->map.any;
    bool good = mapped(s, &s->names) && enough(s) && (!guessed || log_like(s, c));
    s->names.failed |= row.failed || row.bytes.failed;
    tdm_free(c);
    tdm_cells_clear(&row);
    return good;
}
