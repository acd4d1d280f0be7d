/* SPDX-License-Identifier: Apache-2.0 */
#include "data/reader.h"

#include "base/mem.h"
#include "data/object.h"
#include "data/values.h"

#include <string.h>

enum { KEYS = 64 };

/* What a key of the objects stands for; found once. */
typedef struct known_key {
    char *name;
    size_t n;
    int slot; /* -1: nothing; else rank << 8 | role */
} known_key;

struct tdm_records {
    const tdm_shape *shape;
    const tdm_block *b;
    size_t at, next; /* the last record and what follows it */
    tdm_cells cells;
    tdm_objects *objects;
    tdm_buf text;
    known_key key[KEYS];
    size_t keys, turn; /* turn: objects have their keys in one order, so the next is tried first */
    bool failed;
    size_t word; /* where the next item of a sequence begins; 0: none is open */
};

/* ---- files ---- */

tdm_status tdm_reader_open_source(tdm_reader *out, tdm_source *s, bool items, const char *format, const char *map,
                                  tdm_err *err)
{
    *out = (tdm_reader){.s = s};
    tdm_status st = tdm_shape_find(&out->shape, s, items, format, map, err);
    if (st) tdm_reader_close(out);
    return st;
}

tdm_status tdm_reader_open(tdm_reader *out, const char *path, bool items, const char *format, const char *map,
                           tdm_err *err)
{
    tdm_source *s;
    *out = (tdm_reader){0};
    tdm_status st = tdm_source_open(&s, path, err);
    return st ? st : tdm_reader_open_source(out, s, items, format, map, err);
}

void tdm_reader_close(tdm_reader *r)
{
    tdm_source_close(r->s);
    tdm_shape_clear(&r->shape);
    *r = (tdm_reader){0};
}

/* ---- records ---- */

tdm_status tdm_records_open(tdm_records **out, const tdm_shape *shape, tdm_err *err)
{
    tdm_records *r = *out = tdm_new(1, sizeof *r);
    if (!r) return tdm_nomem(err, "a reader");
    r->shape = shape;
    tdm_status st = tdm_objects_open(&r->objects, err);
    if (st) {
        tdm_records_close(r);
        *out = NULL;
    }
    return st;
}

void tdm_records_close(tdm_records *r)
{
    if (!r) return;
    tdm_objects_close(r->objects);
    tdm_cells_clear(&r->cells);
    tdm_buf_clear(&r->text);
    for (size_t i = 0; i < r->keys; i++) tdm_free(r->key[i].name);
    tdm_free(r);
}

void tdm_records_begin(tdm_records *r, const tdm_block *b)
{
    r->b = b;
    r->at = r->next = r->word = 0;
}

size_t tdm_records_line(const tdm_records *r)
{
    size_t line = r->b->line;
    const char *p = r->b->p, *end = p + r->at;
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) line++, p++;
    return line;
}

uint64_t tdm_records_offset(const tdm_records *r) { return r->b->offset + r->at; }

/* What is left of the block. */
static tdm_str rest(const tdm_records *r) { return (tdm_str){r->b->p + r->next, r->b->n - r->next}; }

static void fresh(tdm_record *out)
{
    *out = (tdm_record){0};
    for (int k = 0; k < TDM_ROLES; k++) out->value[k].p = "";
}

/* ---- JSON ---- */

static int key_slot(const tdm_shape *shape, tdm_str name)
{
    unsigned rank;
    tdm_role role = tdm_role_of(name, shape->items, false, &rank);
    const tdm_role_map *map = &shape->map;
    if (role < TDM_ROLES && map->column[role].n) role = TDM_ROLE_NONE; /* said otherwise */
    for (int i = 0; i < TDM_ROLES; i++)
        if (map->column[i].n && tdm_str_eq(map->column[i], name)) role = (tdm_role)i, rank = 0;
    return role == TDM_ROLE_NONE ? -1 : (int)(rank << 8 | (unsigned)role);
}

static int want(void *ctx, tdm_str name)
{
    tdm_records *r = ctx;
    for (size_t i = 0; i < r->keys; i++) {
        size_t k = r->turn + i < r->keys ? r->turn + i : r->turn + i - r->keys;
        if (r->key[k].n != name.n || memcmp(r->key[k].name, name.p, name.n)) continue;
        r->turn = k + 1 < r->keys ? k + 1 : 0;
        return r->key[k].slot;
    }
    int slot = key_slot(r->shape, name);
    if (r->keys == KEYS) return slot;
    char *copy = tdm_strndup(name.p, name.n);
    if (!copy) {
        r->failed = true; /* object_read looks there */
        return -1;
    }
    r->key[r->keys++] = (known_key){copy, name.n, slot};
    r->turn = 0;
    return slot;
}

/* Of several members for one role the best name wins; of a list's ids the second best is kept too, and all keywords.
 * Clears out->bad where out->raw is an object. */
static tdm_status object_read(tdm_records *r, tdm_record *out, tdm_err *err)
{
    const tdm_object_value *v;
    size_t n;
    unsigned best[TDM_ROLES];
    bool whole, python = r->shape->python;
    tdm_str title = {"", 0};
    tdm_status st = tdm_object_read(r->objects, out->raw, want, r, &python, &v, &n, &whole, err);
    if (st) return st;
    if (r->failed) return tdm_nomem(err, "a record");
    if (!whole) return TDM_OK;
    out->bad = NULL;
    for (int k = 0; k < TDM_ROLES; k++) best[k] = ~0u;
    tdm_buf_reset(&r->text);
    for (size_t i = 0; i < n; i++) {
        tdm_role role = (tdm_role)(v[i].slot & 255);
        unsigned rank = (unsigned)v[i].slot >> 8;
        tdm_str *value = out->value;
        if (!v[i].text.n) continue;
        if (role == TDM_ROLE_SUMMARY && rank == TDM_RANK_TITLE) title = v[i].text;
        else if (role == TDM_ROLE_KEYWORDS) { /* all of them */
            if (r->text.n) tdm_buf_char(&r->text, '\n');
            tdm_buf_add(&r->text, v[i].text.p, v[i].text.n);
        } else if (rank < best[role]) {
            if (role == TDM_ROLE_ITEM && r->shape->items)
                value[TDM_ROLE_OTHER] = value[role], best[TDM_ROLE_OTHER] = best[role];
            value[role] = v[i].text;
            best[role] = rank;
        } else if (role == TDM_ROLE_ITEM && r->shape->items && rank < best[TDM_ROLE_OTHER])
            value[TDM_ROLE_OTHER] = v[i].text, best[TDM_ROLE_OTHER] = rank;
    }
    if (r->text.failed) return tdm_nomem(err, "a record");
    if (r->text.n) out->value[TDM_ROLE_KEYWORDS] = (tdm_str){r->text.p, r->text.n};
    if (title.n) { /* of the review, unless that has another */
        tdm_role role = out->value[TDM_ROLE_SUMMARY].n ? TDM_ROLE_TITLE : TDM_ROLE_SUMMARY;
        if (!out->value[role].n) out->value[role] = title;
    }
    return TDM_OK;
}

/* A line that is no object may be several: the first of them, and what follows is read next. */
static tdm_status first_of_line(tdm_records *r, tdm_record *out, tdm_err *err)
{
    tdm_str line = out->raw, value;
    bool broken;
    size_t n = tdm_value_next(&value, &broken, line, true);
    tdm_str more = tdm_value_strip((tdm_str){line.p + n, line.n - n});
    if (broken || !value.n || !more.n || more.p[0] != '{') return TDM_OK;
    out->raw = value;
    tdm_status st = object_read(r, out, err);
    if (out->bad) out->raw = line;
    else r->next = (size_t)(line.p + n - r->b->p);
    return st;
}

static tdm_status json_next(tdm_records *r, tdm_record *out, bool *more, tdm_err *err)
{
    bool broken = false;
    for (out->raw.n = 0; !out->raw.n;) {
        tdm_str a = rest(r);
        *more = a.n > 0;
        if (!*more) return TDM_OK;
        size_t n;
        if (r->shape->form == TDM_FORM_LINES) {
            const char *end = memchr(a.p, '\n', a.n);
            n = end ? (size_t)(end - a.p) + 1 : a.n;
            out->raw = tdm_value_strip((tdm_str){a.p, n});
        } else n = tdm_value_next(&out->raw, &broken, a, true);
        r->next += n ? n : a.n;
    }
    r->at = (size_t)(out->raw.p - r->b->p);
    out->bad = "not a whole JSON object";
    if (broken) return TDM_OK;
    tdm_status st = object_read(r, out, err);
    return st || !out->bad || r->shape->form != TDM_FORM_LINES ? st : first_of_line(r, out, err);
}

/* ---- tables ---- */

static const char *const genres[19] = {"",          "Action",   "Adventure",   "Animation", "Children's",
                                       "Comedy",    "Crime",    "Documentary", "Drama",     "Fantasy",
                                       "Film-Noir", "Horror",   "Musical",     "Mystery",   "Romance",
                                       "Sci-Fi",    "Thriller", "War",         "Western"};

static tdm_status flags_read(tdm_records *r, tdm_record *out, tdm_err *err)
{
    tdm_buf_reset(&r->text);
    for (size_t k = 1; k < 19; k++)
        if (tdm_str_is(tdm_cell(&r->cells, r->cells.n - 19 + k), "1"))
            tdm_buf_fmt(&r->text, "%s%s", r->text.n ? "\n" : "", genres[k]);
    if (r->text.failed) return tdm_nomem(err, "a record");
    if (r->text.n) out->value[TDM_ROLE_CATEGORY] = (tdm_str){r->text.p, r->text.n};
    return TDM_OK;
}

static tdm_status table_next(tdm_records *r, tdm_record *out, bool *more, tdm_err *err)
{
    const tdm_shape *s = r->shape;
    tdm_cells *c = &r->cells;
    for (bool skip = true; skip;) {
        tdm_str a = rest(r);
        *more = a.n > 0;
        if (!*more) return TDM_OK;
        r->at = r->next;
        size_t n = tdm_table_next(c, &s->dialect, a, true);
        if (c->failed || c->bytes.failed) return tdm_nomem(err, "a record");
        r->next += n;
        out->raw = (tdm_str){a.p, n};
        bool blank = c->n == 0 || (c->n == 1 && !tdm_str_trim(tdm_cell(c, 0)).n);
        skip = blank || tdm_records_offset(r) < s->names_end;
    }
    while (out->raw.n && (out->raw.p[out->raw.n - 1] == '\n' || out->raw.p[out->raw.n - 1] == '\r')) out->raw.n--;
    size_t columns = s->dialect.columns;
    if (c->unclosed && c->n != columns) out->bad = "a quote that never closes";
    else if (c->n != columns && !(c->n == columns + 1 && !tdm_cell(c, columns).n)) out->bad = "wrong number of columns";
    if (out->bad) return TDM_OK;
    for (size_t k = 0; k < s->n_used; k++) out->value[s->used[k]] = tdm_cell(c, (size_t)s->column[s->used[k]]);
    return s->flags ? flags_read(r, out, err) : TDM_OK;
}

/* ---- sequences ---- */

/* The word that begins at or behind `*at`, before the line's end. */
static tdm_str word_next(size_t *at, tdm_str line)
{
    while (*at < line.n && (line.p[*at] == ' ' || line.p[*at] == '\t' || line.p[*at] == '\r')) ++*at;
    size_t from = *at;
    while (*at < line.n && line.p[*at] != ' ' && line.p[*at] != '\t' && line.p[*at] != '\r') ++*at;
    return (tdm_str){line.p + from, *at - from};
}

static tdm_status sequence_next(tdm_records *r, tdm_record *out, bool *more)
{
    for (;;) {
        if (r->word) { /* a line is open: it begins at `at` */
            tdm_str line = {r->b->p + r->at, r->next - r->at};
            size_t at = 0;
            if (line.n && line.p[line.n - 1] == '\n') line.n--;
            tdm_str user = word_next(&at, line);
            bool first = r->word == 1;
            if (!first) at = r->word;
            tdm_str item = word_next(&at, line);
            r->word = item.n ? at : 0;
            if (item.n || (first && user.n)) {
                out->raw = line;
                out->ordered = true;
                out->value[TDM_ROLE_USER] = user;
                out->value[TDM_ROLE_ITEM] = item;
                out->bad = item.n ? NULL : "a person without items";
                *more = true;
                return TDM_OK;
            }
        }
        tdm_str a = rest(r);
        *more = a.n > 0;
        if (!*more) return TDM_OK;
        const char *end = memchr(a.p, '\n', a.n);
        r->at = r->next;
        r->next += end ? (size_t)(end - a.p) + 1 : a.n;
        r->word = 1;
    }
}

tdm_status tdm_records_next(tdm_records *r, tdm_record *out, bool *more, tdm_err *err)
{
    fresh(out);
    switch (r->shape->form) {
    case TDM_FORM_TABLE:
        return table_next(r, out, more, err);
    case TDM_FORM_SEQUENCES:
        return sequence_next(r, out, more);
    case TDM_FORM_LINES:
    case TDM_FORM_VALUES:
        break;
    }
    return json_next(r, out, more, err);
}
