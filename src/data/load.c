/* SPDX-License-Identifier: Apache-2.0 */
#include "data/load.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "data/clean.h"
#include "data/reader.h"
#include "data/scale.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Longest texts kept, in bytes; docs/data.md. */
enum {
    ID = 256,
    TITLE = 500,
    BRAND = 200,
    CATEGORY = 100,
    CATEGORIES = 1000,
    DESCRIPTION = 2000,
    KEYWORDS = 1000,
    SUMMARY = 500,
    REVIEW = 10000,
    RAW = 65536
};

static const char *const reasons[] = {
#define X(name, key) key,
    TDM_REJECT_LIST(X)
#undef X
};

typedef struct loader {
    tdm_load *l;
    tdm_builder *b;
    const tdm_options *o;
    tdm_run *run;
    FILE *rejects;
    tdm_scale scale;
    tdm_buf text, piece;      /* a row's cleaned values; one of them */
    uint64_t done, total;     /* bytes of files behind us and of all */
    const char *const *files; /* sources, then the test file */
    size_t n_files;
} loader;

void tdm_load_clear(tdm_load *l)
{
    cJSON_Delete(l->sources);
    *l = (tdm_load){0};
}

/* ---- rejects ---- */

static tdm_status reject(loader *w, tdm_reject why, const char *detail, const char *file, size_t line, uint64_t offset,
                         tdm_str raw, tdm_err *err)
{
    w->l->rejected[why]++;
    if (w->o->strict)
        return tdm_fail(err, TDM_E_FORMAT, "%s:%zu: %s%s%.*s", file, line, reasons[why], *detail ? ": " : "", 200,
                        detail);
    if (!w->rejects) return TDM_OK;
    tdm_buf *p = &w->piece;
    tdm_buf_reset(p);
    tdm_buf_str(p, "{\"file\": ");
    tdm_json_quote(p, tdm_str_of(file));
    tdm_buf_fmt(p, ", \"line\": %zu, \"offset\": %llu, \"reason\": \"%s\", \"detail\": ", line,
                (unsigned long long)offset, reasons[why]);
    tdm_json_quote(p, tdm_str_of(detail));
    tdm_buf_str(p, ", \"row\": ");
    tdm_json_quote(p, tdm_utf8_cut(raw, RAW));
    tdm_buf_str(p, "}\n");
    if (p->failed) return tdm_nomem(err, "a rejected row");
    if (fwrite(p->p, 1, p->n, w->rejects) != p->n)
        return tdm_fail(err, TDM_E_IO, "%s: could not be written: %s", w->o->rejects, strerror(errno));
    return TDM_OK;
}

/* ---- one row ---- */

typedef struct part {
    size_t at, n;
} part;

static part text_add(loader *w, tdm_str s, size_t longest)
{
    part p = {w->text.n, 0};
    if (s.n && !tdm_clean_missing(s)) tdm_clean_text(&w->text, s, longest);
    p.n = w->text.n - p.at;
    return p;
}

static tdm_str at(const loader *w, part p) { return (tdm_str){p.n ? w->text.p + p.at : "", p.n}; }

/* Some shops' exports have all who reviewed an item in one cell: "AG3D6O4STAQ…,AHMY5CWJMMK…". The first such id of
 * *s, or all of it; *s is left with what follows. */
static tdm_str person_next(tdm_str *s, bool several)
{
    const char *comma = several && s->n ? memchr(s->p, ',', s->n) : NULL;
    tdm_str first = {s->p, comma ? (size_t)(comma - s->p) : s->n};
    size_t gone = first.n + (comma != NULL);
    s->p += gone;
    s->n -= gone;
    return first;
}

static bool several_people(tdm_str s)
{
    size_t commas = 0, run = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ',') {
            if (run < 10) return false;
            commas++;
            run = 0;
        } else if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) run++;
        else return false;
    }
    return commas && run >= 10;
}

static tdm_status row_add(loader *w, const tdm_record *rec, size_t file, const char *name, tdm_err *err)
{
    const tdm_str *v = rec->value;
    const char *detail = "";
    char word[80];
    double rating = NAN;
    int64_t time = TDM_NO_TIME;
    tdm_reject why = TDM_REJECTS;
    bool several = several_people(v[TDM_ROLE_USER]);
    tdm_str user = tdm_str_trim(v[TDM_ROLE_USER]), item = tdm_str_trim(v[TDM_ROLE_ITEM]);
    tdm_str bad = {"", 0};
    if (rec->bad) why = TDM_REJECT_BROKEN, detail = rec->bad;
    else if (tdm_clean_missing(user)) why = TDM_REJECT_NO_USER, bad = user;
    else if (tdm_clean_missing(item)) why = TDM_REJECT_NO_ITEM, bad = item;
    else if ((user.n > ID && !several) || item.n > ID) why = TDM_REJECT_LONG_ID;
    else if (!tdm_clean_missing(v[TDM_ROLE_RATING]) &&
             (!tdm_clean_number(&rating, v[TDM_ROLE_RATING]) || !(fabs(rating) < 1e9)))
        why = TDM_REJECT_RATING, bad = v[TDM_ROLE_RATING];
    else if (!tdm_clean_missing(v[TDM_ROLE_TIME]) && !tdm_clean_time(&time, v[TDM_ROLE_TIME]))
        why = TDM_REJECT_TIME, bad = v[TDM_ROLE_TIME];
    if (why != TDM_REJECTS) {
        if (bad.n) {
            snprintf(word, sizeof word, "%.*s", (int)(bad.n < 60 ? bad.n : 60), bad.p);
            detail = word;
        }
        return reject(w, why, detail, name, rec->line, rec->offset, rec->raw, err);
    }
    if (rating < w->o->min_rating) { /* not where it is NaN */
        w->l->below_min_rating++;
        w->scale.rated++; /* left out, but what the scale is does not depend on that */
        return TDM_OK;
    }
    tdm_buf_reset(&w->text);
    part i = {0, 0}, summary, review, title;
    tdm_clean_id(&w->text, item);
    i.n = w->text.n;
    summary = several ? (part){0, 0} : text_add(w, v[TDM_ROLE_SUMMARY], SUMMARY);
    review = several ? (part){0, 0} : text_add(w, v[TDM_ROLE_TEXT], REVIEW);
    title = tdm_clean_no_title(v[TDM_ROLE_TITLE]) ? (part){0, 0} : text_add(w, v[TDM_ROLE_TITLE], TITLE);
    tdm_status st = TDM_OK;
    while (!st && user.n) {
        tdm_str one = person_next(&user, several);
        if (!one.n) continue;
        part u = {w->text.n, 0};
        tdm_clean_id(&w->text, one);
        u.n = w->text.n - u.at;
        if (w->text.failed) return tdm_nomem(err, "a row");
        tdm_row row = {.user = at(w, u),
                       .item = at(w, i),
                       .rating = (float)rating,
                       .time = time,
                       .summary = at(w, summary),
                       .review = at(w, review),
                       .test = file >= w->o->n_sources,
                       .ordered = rec->ordered};
        size_t before = tdm_builder_rows(w->b);
        st = tdm_builder_add(w->b, &row, err);
        if (st || isnan(rating) || tdm_builder_rows(w->b) == before) continue;
        tdm_outside where = {before, rating, file, rec->line, rec->offset, 0, 0};
        if (!tdm_scale_add(&w->scale, &where, tdm_utf8_cut(rec->raw, RAW))) st = tdm_nomem(err, "the ratings");
    }
    if (!st && title.n) st = tdm_builder_item(w->b, &(tdm_item){.id = at(w, i), .title = at(w, title)}, NULL, err);
    return st;
}

/* ---- one item ---- */

/* Categories: one a line or between bars; each cleaned, none twice, none that is a sentence or a scrap of a page. */
static part categories_add(loader *w, tdm_str s)
{
    part all = {w->text.n, 0};
    while (s.n) {
        size_t n = 0;
        while (n < s.n && s.p[n] != '\n' && s.p[n] != '|') n++;
        tdm_str one = {s.p, n};
        s.p += n + (n < s.n);
        s.n -= n + (n < s.n);
        tdm_buf_reset(&w->piece);
        if (tdm_clean_missing(one) || tdm_str_is(one, "(no genres listed)")) continue;
        tdm_clean_text(&w->piece, one, CATEGORY + 1);
        size_t have = w->text.n - all.at;
        if (!w->piece.n || w->piece.n > CATEGORY || have + w->piece.n + 1 > CATEGORIES) continue;
        bool twice = false;
        for (size_t k = 0; k < have && !twice;) {
            const char *p = w->text.p + all.at + k, *end = memchr(p, '\n', have - k);
            size_t length = end ? (size_t)(end - p) : have - k;
            twice = tdm_str_eq((tdm_str){p, length}, (tdm_str){w->piece.p, w->piece.n});
            k += length + 1;
        }
        if (twice) continue;
        if (have) tdm_buf_char(&w->text, '\n');
        tdm_buf_add(&w->text, w->piece.p, w->piece.n);
    }
    all.n = w->text.n - all.at;
    return all;
}

/* Keywords keep their lines. */
static part keywords_add(loader *w, tdm_str s)
{
    part all = {w->text.n, 0};
    while (s.n && w->text.n - all.at < KEYWORDS) {
        const char *end = memchr(s.p, '\n', s.n);
        tdm_str one = {s.p, end ? (size_t)(end - s.p) : s.n};
        s.p += one.n + (end != NULL);
        s.n -= one.n + (end != NULL);
        if (tdm_clean_missing(one)) continue;
        size_t was = w->text.n;
        if (was > all.at) tdm_buf_char(&w->text, '\n');
        size_t from = w->text.n;
        tdm_clean_text(&w->text, one, KEYWORDS - (from - all.at < KEYWORDS ? from - all.at : KEYWORDS));
        if (w->text.n == from && !w->text.failed) w->text.n = was;
    }
    all.n = w->text.n - all.at;
    return all;
}

static tdm_status item_add(loader *w, const tdm_record *rec, tdm_err *err)
{
    const tdm_str *v = rec->value;
    tdm_str id = tdm_str_trim(v[TDM_ROLE_ITEM]), other = tdm_str_trim(v[TDM_ROLE_OTHER]);
    w->l->items_read++;
    if (rec->bad || tdm_clean_missing(id) || id.n > ID || other.n > ID) {
        w->l->items_broken++;
        return TDM_OK;
    }
    tdm_buf_reset(&w->text);
    part p = {0, 0}, o = {0, 0}, title = {0, 0};
    tdm_clean_id(&w->text, id);
    p.n = o.at = w->text.n;
    tdm_clean_id(&w->text, other);
    o.n = w->text.n - o.at;
    title = text_add(w, v[TDM_ROLE_TITLE], TITLE);
    if (tdm_clean_no_title(at(w, title))) title.n = 0;
    part brand = text_add(w, v[TDM_ROLE_BRAND], BRAND), category = categories_add(w, v[TDM_ROLE_CATEGORY]);
    part description = text_add(w, v[TDM_ROLE_DESCRIPTION], DESCRIPTION);
    part keywords = keywords_add(w, v[TDM_ROLE_KEYWORDS]);
    if (w->text.failed || w->piece.failed) return tdm_nomem(err, "an item");
    tdm_item item = {.id = at(w, p),
                     .other_id = at(w, o),
                     .title = at(w, title),
                     .brand = at(w, brand),
                     .category = at(w, category),
                     .description = at(w, description),
                     .keywords = at(w, keywords)};
    bool known;
    tdm_status st = tdm_builder_item(w->b, &item, &known, err);
    if (!st) w->l->items_matched += known;
    return st;
}

/* ---- files ---- */

static tdm_status file_read(loader *w, const char *path, size_t file, bool items, tdm_err *err)
{
    tdm_reader *r;
    tdm_record rec;
    bool more = true;
    const tdm_options *o = w->o;
    size_t rows = 0;
    tdm_status st = tdm_reader_open(&r, path, items, items ? NULL : o->format, items ? NULL : o->map, err);
    if (st) return st;
    const tdm_source *s = tdm_reader_source(r);
    tdm_log(w->run, TDM_LOG_INFO, "prepare", "%s: %s", tdm_source_name(s), tdm_reader_shape(r)->text);
    while (!st) {
        st = tdm_reader_next(r, &rec, &more, err);
        if (st || !more) break;
        rows++;
        if (!items) w->l->rows_read++;
        st = items ? item_add(w, &rec, err) : row_add(w, &rec, file, tdm_source_name(s), err);
        if (rows % 4096) continue;
        tdm_progress(w->run, "prepare", w->done + tdm_source_read(s), w->total, NULL);
        if (!st) st = tdm_run_check(w->run, "prepare", err);
    }
    w->done += tdm_source_size(s);
    cJSON *j = st ? NULL : cJSON_CreateObject();
    if (j && cJSON_AddItemToArray(w->l->sources, j)) {
        cJSON_AddStringToObject(j, "file", tdm_source_name(s));
        cJSON_AddStringToObject(j, "format", tdm_reader_shape(r)->text);
        cJSON_AddNumberToObject(j, "rows", (double)rows);
    }
    tdm_reader_close(r);
    return st;
}

/* Rejects what lies outside the scale, now that it is known. */
static tdm_status scale_apply(loader *w, tdm_err *err)
{
    double low, high;
    char detail[96];
    tdm_status st = TDM_OK;
    tdm_scale_end(&w->scale, &low, &high);
    for (size_t k = 0; !st && k < w->scale.n; k++) {
        const tdm_outside *x = &w->scale.out[k];
        snprintf(detail, sizeof detail, "rating %g is outside %g..%g", x->rating, low, high);
        tdm_builder_drop(w->b, x->row);
        st = reject(w, TDM_REJECT_SCALE, detail, w->files[x->file], x->line, x->offset,
                    (tdm_str){w->scale.bytes.p + x->at, x->n}, err);
    }
    if (w->scale.n && !st)
        tdm_log(w->run, TDM_LOG_WARN, "prepare", "%zu of %zu ratings are outside the scale 0..%g and were left out",
                w->scale.n, w->scale.rated, high);
    return st;
}

static tdm_status load_all(loader *w, tdm_err *err)
{
    const tdm_options *o = w->o;
    struct stat info;
    tdm_status st = TDM_OK;
    for (size_t k = 0; k < w->n_files; k++)
        if (!stat(w->files[k], &info) && S_ISREG(info.st_mode)) w->total += (uint64_t)info.st_size;
    if (o->items && !stat(o->items, &info) && S_ISREG(info.st_mode)) w->total += (uint64_t)info.st_size;
    for (size_t k = 0; !st && k < w->n_files; k++) st = file_read(w, w->files[k], k, false, err);
    if (!st) st = scale_apply(w, err);
    if (!st && o->items) st = file_read(w, o->items, 0, true, err);
    if (st) return st;
    tdm_progress(w->run, "prepare", w->total, w->total, NULL);
    size_t rejected = 0, worst = 0;
    for (size_t k = 0; k < TDM_REJECTS; k++) {
        rejected += w->l->rejected[k];
        if (w->l->rejected[k] > w->l->rejected[worst]) worst = k;
    }
    if (rejected == w->l->rows_read || !tdm_builder_rows(w->b))
        return tdm_fail(err, TDM_E_FORMAT, "%s: no row of %zu can be used: %s%s", w->files[0], w->l->rows_read,
                        rejected ? reasons[worst] : "all are rated below --min-rating",
                        rejected ? " (--rejects FILE shows them)" : "");
    if (rejected * 10 > w->l->rows_read)
        tdm_log(w->run, TDM_LOG_WARN, "prepare", "%zu of %zu rows were rejected, most for: %s", rejected,
                w->l->rows_read, reasons[worst]);
    if (o->items && !w->l->items_matched)
        tdm_log(w->run, TDM_LOG_WARN, "prepare", "%s: none of its %zu items is in the interactions", o->items,
                w->l->items_read);
    return TDM_OK;
}

tdm_status tdm_load_files(tdm_load *out, tdm_builder *b, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    *out = (tdm_load){.sources = cJSON_CreateArray()};
    loader w = {.l = out, .b = b, .o = o, .run = run, .n_files = o->n_sources + (o->test != NULL)};
    const char **files = tdm_new(w.n_files, sizeof *files);
    tdm_status st = files && out->sources ? TDM_OK : tdm_nomem(err, "the files' names");
    if (!st && !o->n_sources) st = tdm_fail(err, TDM_E_ARG, "no file of interactions was named");
    for (size_t k = 0; !st && k < w.n_files; k++) files[k] = k < o->n_sources ? o->sources[k] : o->test;
    w.files = files;
    if (!st && o->rejects && !(w.rejects = fopen(o->rejects, "w")))
        st = tdm_fail(err, TDM_E_IO, "%s: could not be created: %s", o->rejects, strerror(errno));
    if (!st) st = load_all(&w, err);
    if (w.rejects && fclose(w.rejects) && !st)
        st = tdm_fail(err, TDM_E_IO, "%s: could not be written: %s", o->rejects, strerror(errno));
    tdm_scale_clear(&w.scale);
    tdm_buf_clear(&w.text);
    tdm_buf_clear(&w.piece);
    tdm_free(files);
    if (st) tdm_load_clear(out);
    return st;
}
