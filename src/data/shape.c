/* SPDX-License-Identifier: Apache-2.0 */
#include "data/shape.h"

#include "base/mem.h"
#include "data/object.h"
#include "data/values.h"

#include <stdio.h>
#include <string.h>

enum { SAMPLE = 1 << 18, RECORDS = 200 };

const char *tdm_shape_expected(bool items)
{
    return items ? "expected a list of items with an id and a title, brand, category or description each"
                 : "expected interactions with a person and an item each (say which columns with --map user=…,item=…)";
}

bool tdm_shape_enough(const bool *has, bool items)
{
    if (!items) return has[TDM_ROLE_USER] && has[TDM_ROLE_ITEM];
    return has[TDM_ROLE_ITEM] && (has[TDM_ROLE_TITLE] || has[TDM_ROLE_BRAND] || has[TDM_ROLE_CATEGORY] ||
                                  has[TDM_ROLE_DESCRIPTION] || has[TDM_ROLE_KEYWORDS]);
}

void tdm_shape_clear(tdm_shape *s) { tdm_cells_clear(&s->names); }

/* ---- what it is not ---- */

static bool begins(tdm_str s, const char *with)
{
    size_t n = strlen(with);
    return s.n >= n && !memcmp(s.p, with, n);
}

/* What a file is that can hold no log, from its first bytes; NULL: text. */
static const char *no_text(tdm_str s)
{
    static const struct {
        const char *begin, *what;
    } known[] = {{"%PDF", "a PDF document"},
                 {"\x89PNG", "a PNG image"},
                 {"\xff\xd8\xff", "a JPEG image"},
                 {"GIF8", "a GIF image"},
                 {"RIFF", "a sound, film or image"},
                 {"PAR1", "a Parquet file, which is not read yet (write it as CSV)"},
                 {"\x89HDF", "an HDF5 file"},
                 {"SQLite format 3", "an SQLite database"},
                 {"\x7f"
                  "ELF",
                  "a program"},
                 {"\x80\x02", "a Python pickle"},
                 {"\x80\x03", "a Python pickle"},
                 {"\x80\x04", "a Python pickle"},
                 {"\xff\xfe", "text in UTF-16 (write it as UTF-8)"},
                 {"\xfe\xff", "text in UTF-16 (write it as UTF-8)"},
                 {"{\\rtf", "a word processor's document"},
                 {"7z\xbc\xaf", "a 7-Zip archive (unpack it)"},
                 {"Rar!", "a RAR archive (unpack it)"}};
    if (!s.n) return "an empty file";
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (begins(s, known[k].begin)) return known[k].what;
    if (memchr(s.p, 0, s.n < 4096 ? s.n : 4096)) return "binary data";
    tdm_str t = tdm_str_trim(s);
    if (!t.n) return "a file of nothing but white space";
    if (begins(t, "<?xml")) return "an XML document";
    if (t.p[0] == '<') return "an HTML page (perhaps the error page of a download)";
    if (begins(t, "__label__")) return "texts with labels (\"__label__…\"), which name no person and no item";
    return NULL;
}

static tdm_status refuse(const tdm_source *s, bool items, const char *found, tdm_err *err)
{
    return tdm_fail(err, TDM_E_FORMAT, "%s: found %s; %s", tdm_source_name(s), found, tdm_shape_expected(items));
}

/* "a, b, c and 4 more" */
static void list(char *out, size_t room, const tdm_cells *names)
{
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; i < names->n && at + 40 < room; i++) {
        tdm_str s = tdm_cell(names, i);
        int n = i == 12 ? snprintf(out + at, room - at, " and %zu more", names->n - i)
                        : snprintf(out + at, room - at, "%s%.*s", i ? ", " : "", (int)(s.n < 24 ? s.n : 24), s.p);
        at += n > 0 ? (size_t)n : 0;
        if (i == 12) break;
    }
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ') *c = ' ';
}

/* ---- JSON ---- */

typedef struct keys {
    tdm_shape *shape;
    bool has[TDM_ROLES];
    tdm_status st;
} keys;

/* Asked for every key of the first objects. */
static int key_meet(void *ctx, tdm_str key)
{
    keys *k = ctx;
    tdm_shape *s = k->shape;
    unsigned rank;
    tdm_role r = tdm_role_of(key, s->items, false, &rank);
    for (int i = 0; i < TDM_ROLES; i++)
        if (s->map.column[i].n && tdm_str_eq(s->map.column[i], key)) r = (tdm_role)i;
    bool known = s->names.n >= 64;
    for (size_t i = 0; i < s->names.n && !known; i++) known = tdm_str_eq(tdm_cell(&s->names, i), key);
    if (!known) tdm_cells_add(&s->names, key);
    return r < TDM_ROLES ? (int)r : -1;
}

/* Whether the piece is one object; what it has goes to `k`. */
static bool object_meet(keys *k, tdm_objects *o, tdm_str piece, tdm_err *err)
{
    const tdm_object_value *v;
    size_t n;
    bool whole;
    if (k->st || (k->st = tdm_object_read(o, piece, key_meet, k, &k->shape->python, &v, &n, &whole, err))) return false;
    for (size_t i = 0; i < n; i++) k->has[v[i].slot] = true;
    return whole;
}

/* Looks through the first objects for the keys there are. */
static tdm_status look_json(tdm_shape *out, const tdm_source *s, tdm_str sample, bool last, tdm_err *err)
{
    keys k = {.shape = out};
    tdm_objects *o;
    size_t lines = 0, good = 0, objects = 0;
    tdm_status st = tdm_objects_open(&o, err);
    if (st) return st;
    for (size_t at = 0; at < sample.n && lines < 10;) { /* one object a line? */
        const char *end = memchr(sample.p + at, '\n', sample.n - at);
        if (!end && !last) break;
        tdm_str line = {sample.p + at, (end ? (size_t)(end - sample.p) : sample.n) - at};
        at += line.n + 1;
        line = tdm_value_strip(line);
        if (!line.n) continue;
        lines++;
        good += object_meet(&k, o, line, err);
    }
    out->form = lines && good * 2 >= lines ? TDM_FORM_LINES : TDM_FORM_VALUES;
    for (size_t at = 0; at < sample.n && objects < 50;) {
        tdm_str value;
        bool broken;
        size_t n = tdm_value_next(&value, &broken, (tdm_str){sample.p + at, sample.n - at}, last);
        if (!n) break;
        at += n;
        objects += !broken && value.n && object_meet(&k, o, value, err);
    }
    tdm_objects_close(o);
    if (k.st) return k.st;
    if (out->names.failed) return tdm_nomem(err, tdm_source_name(s));
    out->tags = k.has[TDM_ROLE_TAG] && !k.has[TDM_ROLE_RATING] && !k.has[TDM_ROLE_TEXT];
    snprintf(out->text, sizeof out->text, "%s",
             out->python                   ? "Python dicts, one a line"
             : out->form == TDM_FORM_LINES ? "JSON lines"
                                           : "JSON values");
    if (tdm_shape_enough(k.has, out->items)) return TDM_OK;
    char known[400], found[500];
    list(known, sizeof known, &out->names);
    if (objects) snprintf(found, sizeof found, "JSON objects with the keys %s", known);
    else snprintf(found, sizeof found, "what begins like JSON and holds no object");
    return refuse(s, out->items, found, err);
}

/* ---- tables and sequences ---- */

typedef struct fit {
    size_t columns, n, equal; /* the commonest number of cells; records looked at; records with that number */
} fit;

static fit dialect_fit(const tdm_dialect *d, tdm_str sample, bool last, tdm_cells *row)
{
    enum { MOST = 257 };
    size_t counts[MOST] = {0};
    fit f = {0};
    for (size_t at = 0, k; f.n < RECORDS && (k = tdm_table_next(row, d, (tdm_str){sample.p + at, sample.n - at}, last));
         at += k) {
        if (row->n == 0 || (row->n == 1 && !tdm_str_trim(tdm_cell(row, 0)).n)) continue;
        counts[row->n < MOST ? row->n : MOST - 1]++;
        f.n++;
    }
    for (size_t i = 1; i < MOST - 1; i++)
        if (counts[i] > f.equal) f.columns = i, f.equal = counts[i];
    return f;
}

/* Lines of "person item item …": ids with digits in them, every person once, lines of different lengths. */
static bool is_sequences(tdm_str sample, bool last, tdm_cells *row)
{
    tdm_dialect blanks = {.sep = " "};
    size_t lines = 0, words = 0, with_digit = 0, same = 0;
    tdm_buf first = {0};
    for (size_t at = 0, k;
         lines < RECORDS && (k = tdm_table_next(row, &blanks, (tdm_str){sample.p + at, sample.n - at}, last));
         at += k) {
        if (!row->n) continue;
        lines++;
        tdm_str id = tdm_cell(row, 0);
        same += first.p && tdm_str_is(id, first.p);
        tdm_buf_reset(&first);
        tdm_buf_add(&first, id.p, id.n);
        for (size_t i = 0; i < row->n; i++) {
            tdm_str w = tdm_cell(row, i);
            bool has = false;
            for (size_t c = 0; c < w.n && !has; c++) has = w.p[c] >= '0' && w.p[c] <= '9';
            words++;
            with_digit += has && w.n <= 64;
        }
    }
    row->failed |= first.failed; /* the caller looks there */
    tdm_buf_clear(&first);
    return lines > 0 && words >= 2 * lines && with_digit * 10 >= words * 9 && same * 50 <= lines;
}

static tdm_status look_table(tdm_shape *out, const tdm_source *s, tdm_str sample, bool last, const char *format,
                             tdm_err *err)
{
    static const struct {
        const char *sep, *word;
    } known[] = {{"::", "double-colon"}, {"\t", "tab"}, {",", "comma"},
                 {";", "semicolon"},     {"|", "bar"},  {" ", "blank"}};
    tdm_cells row = {0};
    const char *word = NULL;
    size_t best = 0;
    bool any = !format, table = any || strcmp(format, "sequences");
    for (size_t k = 0; table && k < sizeof known / sizeof *known; k++) {
        tdm_dialect d = {0};
        memcpy(d.sep, known[k].sep, strlen(known[k].sep));
        if (d.sep[0] == ' ' && best) break; /* blanks only where nothing else fits */
        d.escapes = tdm_table_escapes(&d, sample);
        if (!any && !strcmp(format, "tsv") && d.sep[0] != '\t') continue;
        fit f = dialect_fit(&d, sample, last, &row);
        if (f.columns < 2 || f.equal * 5 < f.n * 4 || f.columns <= best) continue;
        best = f.columns;
        out->dialect = d;
        out->dialect.columns = f.columns;
        word = known[k].word;
    }
    bool sequences = !table || (any && !out->items && !out->map.any && (!best || out->dialect.sep[0] == ' ') &&
                                is_sequences(sample, last, &row));
    bool short_of = row.failed || row.bytes.failed;
    tdm_cells_clear(&row);
    if (short_of) return tdm_nomem(err, tdm_source_name(s));
    if (best && sequences && any) { /* blanks and lines of one length: a table where it has ratings or times */
        sequences = best > 2 && tdm_shape_columns(out, sample, tdm_source_offset(s), last) &&
                    out->column[TDM_ROLE_RATING] < 0 && out->column[TDM_ROLE_TIME] < 0;
        if (out->names.failed || out->names.bytes.failed) return tdm_nomem(err, tdm_source_name(s));
        tdm_cells_own(&out->names);
    }
    if (sequences) {
        out->form = TDM_FORM_SEQUENCES;
        snprintf(out->text, sizeof out->text, "sequences, a person and their items a line");
        return TDM_OK;
    }
    out->form = TDM_FORM_TABLE;
    char columns[400], found[600];
    if (!best) return refuse(s, out->items, "text that is neither JSON nor a table of two columns or more", err);
    bool good = tdm_shape_columns(out, sample, tdm_source_offset(s), last);
    tdm_cells_own(&out->names);
    if (out->names.failed) return tdm_nomem(err, tdm_source_name(s));
    if (good) {
        for (int r = 0; r < TDM_ROLES; r++)
            if (out->column[r] >= 0) out->used[out->n_used++] = (tdm_role)r;
        out->tags =
            out->column[TDM_ROLE_TAG] >= 0 && out->column[TDM_ROLE_RATING] < 0 && out->column[TDM_ROLE_TEXT] < 0;
        snprintf(out->text, sizeof out->text, "%s-separated table with%s a header", word,
                 out->dialect.header ? "" : "out");
        return TDM_OK;
    }
    list(columns, sizeof columns, &out->names);
    for (int r = 0; r < TDM_ROLES; r++) {
        tdm_str c = out->map.column[r];
        if (c.n && out->column[r] < 0)
            return tdm_fail(err, TDM_E_ARG, "%s: has no column %.*s as --map says for %s; its %zu columns begin: %s",
                            tdm_source_name(s), TDM_STR_ARG(c), tdm_role_name((tdm_role)r), best, columns);
    }
    snprintf(found, sizeof found, "a %s-separated table %s %s", word,
             out->dialect.header ? "with the columns" : "without a header that begins", columns);
    return refuse(s, out->items, found, err);
}

tdm_status tdm_shape_find(tdm_shape *out, tdm_source *s, bool items, const char *format, const char *map, tdm_err *err)
{
    static const char *const formats[] = {"auto", "json", "csv", "tsv", "table", "sequences"};
    *out = (tdm_shape){.items = items};
    for (int r = 0; r < TDM_ROLES; r++) out->column[r] = -1;
    bool known = !format;
    for (size_t k = 0; k < 6; k++) known |= format && !strcmp(format, formats[k]);
    if (!known)
        return tdm_fail(err, TDM_E_ARG, "--format %s: expected auto, json, csv, tsv, table or sequences", format);
    if (format && !strcmp(format, "auto")) format = NULL;
    tdm_status st = tdm_role_map_parse(&out->map, map, err);
    if (!st) st = tdm_source_fill(s, SAMPLE, err);
    if (st) return st;
    tdm_str a = tdm_source_ahead(s);
    bool last = tdm_source_ended(s);
    const char *what = no_text(a);
    if (what) return refuse(s, items, what, err);
    tdm_str t = tdm_str_trim(a);
    bool json = t.p[0] == '{' || (t.p[0] == '[' && tdm_value_strip(t).n && tdm_value_strip(t).p[0] == '{');
    if (format) json = !strcmp(format, "json");
    return json ? look_json(out, s, a, last, err) : look_table(out, s, a, last, format, err);
}
