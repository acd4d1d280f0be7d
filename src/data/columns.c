/* SPDX-License-Identifier: Apache-2.0 */
/* columns.c - which column of a table holds what: from a header's names, else from what the values look like. */
#include "base/mem.h"
#include "data/clean.h"
#include "data/profile.h"
#include "data/shape.h"

enum { ROWS = 1000 };

static bool digits(tdm_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0;
}

/* The column with one of these names; -1: none. */
static int named_column(const tdm_cells *row, const char *const *names)
{
    for (; *names; names++)
        for (size_t i = 0; i < row->n && i < TDM_COLUMNS; i++)
            if (tdm_role_named(tdm_cell(row, i), *names)) return (int)i;
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
    for (size_t i = 0; i < row->n && i < TDM_COLUMNS; i++) {
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
        for (size_t i = 0; i < row->n && i < TDM_COLUMNS; i++) {
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

bool tdm_shape_columns(tdm_shape *s, tdm_str sample, uint64_t offset, bool last)
{
    int n = s->dialect.columns < TDM_COLUMNS ? (int)s->dialect.columns : TDM_COLUMNS;
    tdm_profile *c = tdm_new((size_t)n, sizeof *c);
    if (!c) {
        s->names.failed = true;
        return false;
    }
    tdm_cells row = {0};
    size_t at = 0, rows = 0;
    for (size_t k; (k = tdm_table_next(&s->names, &s->dialect, (tdm_str){sample.p + at, sample.n - at}, last));) {
        at += k;
        if (s->names.n > 1 || tdm_str_trim(tdm_cell(&s->names, 0)).n) break; /* blank lines stand before it, at times */
    }
    size_t names_end = at;
    bool number_in_first = false;
    double v;
    for (size_t i = 0; i < s->names.n; i++) number_in_first |= tdm_clean_number(&v, tdm_cell(&s->names, i));
    for (size_t k;
         rows < ROWS && (k = tdm_table_next(&row, &s->dialect, (tdm_str){sample.p + at, sample.n - at}, last));
         at += k) {
        if (row.n != s->dialect.columns) continue;
        rows++;
        for (int i = 0; i < n; i++) tdm_profile_add(&c[i], tdm_cell(&row, (size_t)i));
    }
    from_names(s, &s->names, false);
    s->dialect.header = enough(s);
    if (!s->dialect.header && !number_in_first)
        for (int i = 0; i < n; i++) s->dialect.header |= tdm_profile_numbers(&c[i]);
    bool said = false; /* --map names a column of the first row */
    for (int r = 0; r < TDM_ROLES; r++)
        for (size_t i = 0; s->map.column[r].n && i < s->names.n; i++)
            said |= !digits(s->map.column[r]) && tdm_str_eq(tdm_str_trim(tdm_cell(&s->names, i)), s->map.column[r]);
    s->dialect.header |= said;
    s->names_end = s->dialect.header ? offset + names_end : 0;
    if (s->dialect.header) from_names(s, &s->names, true);
    else {
        for (int r = 0; r < TDM_ROLES; r++) s->column[r] = -1;
        if (s->names.n == s->dialect.columns)
            for (int i = 0; i < n; i++) {
                bool falls = c[i].falls; /* the first row comes last here */
                tdm_profile_add(&c[i], tdm_cell(&s->names, (size_t)i));
                c[i].falls = falls;
            }
        if (s->items) tdm_profile_items(s->column, c, n);
        else tdm_profile_rows(s->column, c, n);
    }
    s->flags = s->items && !s->dialect.header && tdm_profile_flagged(c, n);
    bool guessed = !s->dialect.header && !s->items && !s->map.any;
    bool good = mapped(s, &s->names) && enough(s) && (!guessed || tdm_profile_is_log(s->column, c, n));
    if (!s->dialect.header && tdm_profile_pages(c, n)) good = false;
    s->names.failed |= row.failed || row.bytes.failed;
    tdm_free(c);
    tdm_cells_clear(&row);
    return good;
}
