/* SPDX-License-Identifier: Apache-2.0 */
#include "data/reader.h"

#include "base/mem.h"
#include "data/values.h"

#include <string.h>

enum { KEYS = 64 };

typedef struct known_key {
    char *name;
    tdm_role role;
    unsigned rank;
} known_key;

struct tdm_reader {
    tdm_source *s;
    tdm_shape shape;
    tdm_cells cells;
    tdm_buf text, spare, held; /* values of a record; room for the parser; the line of a sequence */
    known_key key[KEYS];
    size_t keys, take; /* take: bytes of the last record, taken when the next is asked for */
    size_t at;         /* next word of `held` */
    bool began;
    tdm_record record; /* of a sequence: what its items share */
};

const tdm_shape *tdm_reader_shape(const tdm_reader *r) { return &r->shape; }
const tdm_source *tdm_reader_source(const tdm_reader *r) { return r->s; }

tdm_status tdm_reader_open_source(tdm_reader **out, tdm_source *s, bool items, const char *format, const char *map,
                                  tdm_err *err)
{
    tdm_reader *r = *out = tdm_new(1, sizeof *r);
    if (!r) {
        tdm_source_close(s);
        return tdm_nomem(err, "a reader");
    }
    r->s = s;
    tdm_status st = tdm_shape_find(&r->shape, s, items, format, map, err);
    if (st) {
        tdm_reader_close(r);
        *out = NULL;
    }
    return st;
}

tdm_status tdm_reader_open(tdm_reader **out, const char *path, bool items, const char *format, const char *map,
                           tdm_err *err)
{
    tdm_source *s;
    *out = NULL;
    tdm_status st = tdm_source_open(&s, path, err);
    return st ? st : tdm_reader_open_source(out, s, items, format, map, err);
}

void tdm_reader_close(tdm_reader *r)
{
    if (!r) return;
    tdm_source_close(r->s);
    tdm_shape_clear(&r->shape);
    tdm_cells_clear(&r->cells);
    tdm_buf_clear(&r->text);
    tdm_buf_clear(&r->spare);
    tdm_buf_clear(&r->held);
    for (size_t i = 0; i < r->keys; i++) tdm_free(r->key[i].name);
    tdm_free(r);
}

/* Lets go of the last record and marks where the next one begins. */
static void step(tdm_reader *r, tdm_record *out)
{
    tdm_source_take(r->s, r->take);
    r->take = 0;
    *out = (tdm_record){.line = tdm_source_line_number(r->s), .offset = tdm_source_offset(r->s)};
    for (int k = 0; k < TDM_ROLES; k++) out->value[k].p = "";
}

/* ---- JSON ---- */

static known_key *key_find(tdm_reader *r, const char *name)
{
    for (size_t i = 0; i < r->keys; i++)
        if (!strcmp(r->key[i].name, name)) return &r->key[i];
    if (r->keys == KEYS) return NULL;
    known_key *k = &r->key[r->keys];
    tdm_str s = tdm_str_of(name);
    k->role = tdm_role_of(s, r->shape.items, false, &k->rank);
    const tdm_role_map *map = &r->shape.map;
    if (k->role < TDM_ROLES && map->column[k->role].n) k->role = TDM_ROLE_NONE; /* said otherwise */
    for (int i = 0; i < TDM_ROLES; i++)
        if (map->column[i].n && tdm_str_eq(map->column[i], s)) k->role = (tdm_role)i, k->rank = 0;
    k->name = tdm_strdup(name);
    if (!k->name) {
        r->text.failed = true; /* what the record is made of: object_read looks there at its end */
        return NULL;
    }
    r->keys++;
    return k;
}

/* A whole number past 2^53 as it stands in the text, since a double has lost its end. */
static tdm_str long_number(tdm_str raw, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; i + n + 3 < raw.n; i++) {
        if (raw.p[i] != '"' || memcmp(raw.p + i + 1, key, n) || raw.p[i + n + 1] != '"') continue;
        size_t at = i + n + 2, from;
        while (at < raw.n && (raw.p[at] == ' ' || raw.p[at] == ':')) at++;
        for (from = at; at < raw.n && raw.p[at] >= '0' && raw.p[at] <= '9';) at++;
        if (at > from) return (tdm_str){raw.p + from, at - from};
    }
    return (tdm_str){"", 0};
}

static tdm_status object_read(tdm_reader *r, tdm_record *out, const cJSON *j, tdm_err *err)
{
    struct {
        size_t at, n;
    } span[TDM_ROLES] = {{0}};
    unsigned best[TDM_ROLES];
    size_t title_at = 0, title_n = 0;
    for (int k = 0; k < TDM_ROLES; k++) best[k] = ~0u;
    tdm_buf_reset(&r->text);
    const cJSON *m;
    cJSON_ArrayForEach(m, j)
    {
        if (!m->string || cJSON_IsObject(m) || cJSON_IsNull(m)) continue;
        const known_key *k = key_find(r, m->string);
        if (!k || k->role == TDM_ROLE_NONE) continue;
        tdm_role role = k->role;
        unsigned rank = k->rank;
        size_t at = r->text.n;
        bool id = role == TDM_ROLE_USER || role == TDM_ROLE_ITEM;
        tdm_str number =
            id && cJSON_IsNumber(m) && m->valuedouble > 0x1p53 ? long_number(out->raw, m->string) : (tdm_str){"", 0};
        if (number.n) tdm_buf_add(&r->text, number.p, number.n);
        else tdm_value_text(&r->text, m);
        size_t n = r->text.n - at;
        if (!n) continue;
        if (role == TDM_ROLE_SUMMARY && rank == TDM_RANK_TITLE) {
            title_at = at;
            title_n = n;
            continue;
        }
        if (role == TDM_ROLE_KEYWORDS && span[role].n) { /* all of them */
            size_t from = r->text.n;
            tdm_buf both = {0};
            tdm_buf_add(&both, r->text.p + span[role].at, span[role].n);
            tdm_buf_char(&both, '\n');
            tdm_buf_add(&both, r->text.p + at, n);
            tdm_buf_add(&r->text, both.p, both.failed ? 0 : both.n);
            span[role].at = from;
            span[role].n = both.failed ? 0 : both.n;
            r->text.failed |= both.failed;
            tdm_buf_clear(&both);
            continue;
        }
        if (rank >= best[role]) {
            if (role != TDM_ROLE_ITEM || !r->shape.items || rank >= best[TDM_ROLE_OTHER]) continue;
            role = TDM_ROLE_OTHER;
        } else if (role == TDM_ROLE_ITEM && r->shape.items && span[role].n) {
            span[TDM_ROLE_OTHER] = span[role];
            best[TDM_ROLE_OTHER] = best[role];
        }
        span[role].at = at;
        span[role].n = n;
        best[role] = rank;
    }
    if (title_n) { /* of the review, unless that has another */
        tdm_role role = span[TDM_ROLE_SUMMARY].n ? TDM_ROLE_TITLE : TDM_ROLE_SUMMARY;
        if (!span[role].n) span[role].at = title_at, span[role].n = title_n;
    }
    if (r->text.failed) return tdm_nomem(err, "a record");
    for (int k = 0; k < TDM_ROLES; k++)
        if (span[k].n) out->value[k] = (tdm_str){r->text.p + span[k].at, span[k].n};
    return TDM_OK;
}

static tdm_status json_next(tdm_reader *r, tdm_record *out, bool *more, tdm_err *err)
{
    tdm_str value = {"", 0};
    bool broken = false;
    tdm_status st;
    for (size_t need = 1; !value.n;) {
        step(r, out);
        if (r->shape.form == TDM_FORM_LINES) {
            tdm_str line;
            st = tdm_source_line(r->s, &line, &r->take, more, err);
            if (st || !*more) return st;
            value = tdm_value_strip(line);
            continue;
        }
        if ((st = tdm_source_fill(r->s, need, err))) return st;
        tdm_str a = tdm_source_ahead(r->s);
        *more = a.n > 0;
        if (!*more) return TDM_OK;
        r->take = tdm_value_next(&value, &broken, a, tdm_source_ended(r->s));
        need = r->take ? 1 : 2 * a.n;
        if (value.n && value.p > a.p) { /* filler first, so that the line number is the object's own */
            r->take = (size_t)(value.p - a.p);
            value.n = 0;
        }
    }
    out->raw = value;
    cJSON *j = broken ? NULL : tdm_value_parse(value, &r->shape.python, &r->spare);
    if (r->spare.failed) return tdm_nomem(err, "a record");
    if (!j) {
        out->bad = "not a whole JSON object";
        return TDM_OK;
    }
    st = object_read(r, out, j, err);
    cJSON_Delete(j);
    return st;
}

/* ---- tables ---- */

static const char *const genres[19] = {"",          "Action",   "Adventure",   "Animation", "Children's",
                                       "Comedy",    "Crime",    "Documentary", "Drama",     "Fantasy",
                                       "Film-Noir", "Horror",   "Musical",     "Mystery",   "Romance",
                                       "Sci-Fi",    "Thriller", "War",         "Western"};

static tdm_status flags_read(tdm_reader *r, tdm_record *out, tdm_err *err)
{
    tdm_buf_reset(&r->text);
    for (size_t k = 1; k < 19; k++)
        if (tdm_str_is(tdm_cell(&r->cells, r->cells.n - 19 + k), "1"))
            tdm_buf_fmt(&r->text, "%s%s", r->text.n ? "\n" : "", genres[k]);
    if (r->text.failed) return tdm_nomem(err, "a record");
    if (r->text.n) out->value[TDM_ROLE_CATEGORY] = (tdm_str){r->text.p, r->text.n};
    return TDM_OK;
}

static tdm_status table_next(tdm_reader *r, tdm_record *out, bool *more, tdm_err *err)
{
    tdm_cells *c = &r->cells;
    for (;;) {
        step(r, out);
        size_t need = 1;
        for (;;) {
            tdm_status st = tdm_source_fill(r->s, need, err);
            if (st) return st;
            tdm_str a = tdm_source_ahead(r->s);
            *more = a.n > 0;
            if (!*more) return TDM_OK;
            r->take = tdm_table_next(c, &r->shape.dialect, a, tdm_source_ended(r->s));
            if (c->failed || c->bytes.failed) return tdm_nomem(err, "a record");
            out->raw = (tdm_str){a.p, r->take};
            if (r->take) break;
            need = 2 * a.n;
        }
        bool header = !r->began && r->shape.dialect.header;
        r->began = true;
        if (header || c->n == 0 || (c->n == 1 && !tdm_str_trim(tdm_cell(c, 0)).n)) continue;
        break;
    }
    while (out->raw.n && (out->raw.p[out->raw.n - 1] == '\n' || out->raw.p[out->raw.n - 1] == '\r')) out->raw.n--;
    size_t columns = r->shape.dialect.columns;
    if (c->unclosed && c->n != columns) out->bad = "a quote that never closes";
    else if (c->n != columns && !(c->n == columns + 1 && !tdm_cell(c, columns).n)) out->bad = "wrong number of columns";
    if (out->bad) return TDM_OK;
    for (int k = 0; k < TDM_ROLES; k++)
        if (r->shape.column[k] >= 0) out->value[k] = tdm_cell(c, (size_t)r->shape.column[k]);
    return r->shape.flags ? flags_read(r, out, err) : TDM_OK;
}

/* ---- sequences ---- */

static tdm_str word_next(tdm_reader *r)
{
    const char *p = r->held.p;
    while (r->at < r->held.n && (p[r->at] == ' ' || p[r->at] == '\t')) r->at++;
    size_t from = r->at;
    while (r->at < r->held.n && p[r->at] != ' ' && p[r->at] != '\t') r->at++;
    return (tdm_str){p + from, r->at - from};
}

static tdm_status sequence_next(tdm_reader *r, tdm_record *out, bool *more, tdm_err *err)
{
    tdm_str item = r->held.n ? word_next(r) : (tdm_str){0};
    while (!item.n) {
        tdm_str line;
        step(r, &r->record);
        tdm_status st = tdm_source_line(r->s, &line, &r->take, more, err);
        if (st || !*more) return st;
        tdm_buf_reset(&r->held);
        tdm_buf_add(&r->held, line.p, line.n);
        if (r->held.failed) return tdm_nomem(err, "a sequence");
        r->at = 0;
        if (!tdm_str_trim(line).n) continue;
        r->record.raw = (tdm_str){r->held.p, r->held.n};
        r->record.value[TDM_ROLE_USER] = word_next(r);
        r->record.ordered = true;
        item = word_next(r);
        r->record.bad = item.n ? NULL : "a person without items";
        if (!item.n) break;
    }
    *more = true;
    *out = r->record;
    if (item.n) out->value[TDM_ROLE_ITEM] = item;
    else r->held.n = 0;
    return TDM_OK;
}

tdm_status tdm_reader_next(tdm_reader *r, tdm_record *out, bool *more, tdm_err *err)
{
    *more = false;
    switch (r->shape.form) {
    case TDM_FORM_TABLE:
        return table_next(r, out, more, err);
    case TDM_FORM_SEQUENCES:
        return sequence_next(r, out, more, err);
    case TDM_FORM_LINES:
    case TDM_FORM_VALUES:
        break;
    }
    return json_next(r, out, more, err);
}
