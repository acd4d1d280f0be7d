/* SPDX-License-Identifier: Apache-2.0 */
/* export.c - the data of a folder for other tools, each file whole or not there (GGUF: export_gguf.c).
 *
 *     csv        interactions.csv (user,item,rating,time,summary,review), items.csv (item,title,brand,categories)
 *     recbole    NAME.inter (user_id:token item_id:token [rating:float] [timestamp:float]), NAME.item; tabs between
 *     sequences  one person a line: "user item item ...", oldest first */
#include "api/export.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/dataset.h"

#include <math.h>
#include <string.h>

/* A field of a CSV, quoted where it must be (RFC 4180). */
static void csv_text(tdm_buf *b, tdm_str s)
{
    bool plain = true;
    for (size_t k = 0; plain && k < s.n; k++) plain = !strchr(",\"\r\n", s.p[k]) || !s.p[k];
    if (plain) {
        tdm_buf_add(b, s.p, s.n);
        return;
    }
    tdm_buf_char(b, '"');
    for (size_t k = 0; k < s.n; k++) {
        if (s.p[k] == '"') tdm_buf_char(b, '"');
        tdm_buf_char(b, s.p[k]);
    }
    tdm_buf_char(b, '"');
}

/* A field between tabs: its own tabs and line ends become spaces. */
static void tab_text(tdm_buf *b, tdm_str s)
{
    for (size_t k = 0; k < s.n; k++) tdm_buf_char(b, (unsigned char)s.p[k] < 0x20 ? ' ' : s.p[k]);
}

static void number(tdm_buf *b, const tdm_dataset *d, size_t k)
{
    if (isfinite(d->rating[k])) tdm_buf_fmt(b, "%g", (double)d->rating[k]);
}

static void moment(tdm_buf *b, const tdm_dataset *d, size_t k)
{
    if (d->time[k] != TDM_NO_TIME) tdm_buf_fmt(b, "%lld", (long long)d->time[k]);
}

static tdm_str text_of(const tdm_strings *s, size_t i) { return i < s->n ? tdm_strings_at(s, i) : (tdm_str){"", 0}; }

/* ---- csv ---- */

static void csv_interactions(tdm_buf *b, const tdm_dataset *d)
{
    tdm_buf_str(b, "user,item,rating,time,summary,review\n");
    for (uint32_t u = 0; u < d->U; u++)
        for (size_t k = (size_t)d->offset[u]; k < (size_t)d->offset[u + 1]; k++) {
            csv_text(b, tdm_strings_at(&d->user_id, u));
            tdm_buf_char(b, ',');
            csv_text(b, tdm_strings_at(&d->item_id, d->item[k]));
            tdm_buf_char(b, ',');
            number(b, d, k);
            tdm_buf_char(b, ',');
            moment(b, d, k);
            tdm_buf_char(b, ',');
            csv_text(b, text_of(&d->summary, d->row[k]));
            tdm_buf_char(b, ',');
            csv_text(b, text_of(&d->review, d->row[k]));
            tdm_buf_char(b, '\n');
        }
}

static void csv_items(tdm_buf *b, const tdm_dataset *d)
{
    tdm_buf_str(b, "item,title,brand,categories\n");
    for (uint32_t i = 0; i < d->I; i++) {
        const tdm_str field[] = {tdm_strings_at(&d->item_id, i), text_of(&d->title, i), text_of(&d->brand, i),
                                 text_of(&d->category, i)};
        for (int f = 0; f < 4; f++) {
            csv_text(b, field[f]);
            tdm_buf_char(b, f < 3 ? ',' : '\n');
        }
    }
}

/* ---- RecBole's atomic files (recbole.io/docs/user_guide/data/atomic_files.html) ---- */

static void recbole_inter(tdm_buf *b, const tdm_dataset *d)
{
    tdm_buf_fmt(b, "user_id:token\titem_id:token%s%s\n", d->has_ratings ? "\trating:float" : "",
                d->has_times ? "\ttimestamp:float" : "");
    for (uint32_t u = 0; u < d->U; u++)
        for (size_t k = (size_t)d->offset[u]; k < (size_t)d->offset[u + 1]; k++) {
            tab_text(b, tdm_strings_at(&d->user_id, u));
            tdm_buf_char(b, '\t');
            tab_text(b, tdm_strings_at(&d->item_id, d->item[k]));
            if (d->has_ratings) tdm_buf_char(b, '\t'), number(b, d, k);
            if (d->has_times) tdm_buf_char(b, '\t'), moment(b, d, k);
            tdm_buf_char(b, '\n');
        }
}

static void recbole_item(tdm_buf *b, const tdm_dataset *d)
{
    tdm_buf_str(b, "item_id:token\ttitle:token_seq\tbrand:token\tcategories:token_seq\n");
    for (uint32_t i = 0; i < d->I; i++) {
        const tdm_str field[] = {tdm_strings_at(&d->item_id, i), text_of(&d->title, i), text_of(&d->brand, i),
                                 text_of(&d->category, i)};
        for (int f = 0; f < 4; f++) {
            tab_text(b, field[f]);
            tdm_buf_char(b, f < 3 ? '\t' : '\n');
        }
    }
}

/* ---- sequences ---- */

static tdm_status one_word(const tdm_strings *ids, tdm_err *err)
{
    for (size_t i = 0; i < ids->n; i++) {
        tdm_str s = tdm_strings_at(ids, i);
        for (size_t k = 0; k < s.n; k++)
            if ((unsigned char)s.p[k] <= ' ')
                return tdm_fail(err, TDM_E_ARG, "id \"%.*s\" holds white space, which sequences cannot carry; use csv",
                                TDM_STR_ARG(s));
    }
    return TDM_OK;
}

static void sequences(tdm_buf *b, const tdm_dataset *d)
{
    for (uint32_t u = 0; u < d->U; u++) {
        tdm_str id = tdm_strings_at(&d->user_id, u);
        tdm_buf_add(b, id.p, id.n);
        for (size_t k = (size_t)d->offset[u]; k < (size_t)d->offset[u + 1]; k++) {
            tdm_str item = tdm_strings_at(&d->item_id, d->item[k]);
            tdm_buf_char(b, ' ');
            tdm_buf_add(b, item.p, item.n);
        }
        tdm_buf_char(b, '\n');
    }
}

/* ---- all ---- */

static tdm_status file_write(const char *path, const tdm_dataset *d, void (*fill)(tdm_buf *, const tdm_dataset *),
                             tdm_err *err)
{
    tdm_buf b = {0};
    fill(&b, d);
    tdm_status st = b.failed ? tdm_nomem(err, path) : tdm_file_write(path, b.p ? b.p : "", b.n, err);
    tdm_buf_clear(&b);
    return st;
}

static tdm_status in_folder(const char *folder, const char *name, const char *ending, const tdm_dataset *d,
                            void (*fill)(tdm_buf *, const tdm_dataset *), tdm_err *err)
{
    tdm_buf path = {0};
    tdm_buf_fmt(&path, "%s/%s%s", folder, name, ending);
    tdm_status st = path.failed ? tdm_nomem(err, folder) : file_write(path.p, d, fill, err);
    tdm_buf_clear(&path);
    return st;
}

tdm_status tdm_export(const char *folder, const char *format, const char *to, tdm_err *err)
{
    tdm_dataset *d;
    if (!strcmp(format, "gguf")) return tdm_export_gguf(folder, to, err);
    tdm_status st = tdm_dataset_open(&d, folder, err);
    if (st) return st;
    const char *name = strrchr(to, '/') && strrchr(to, '/')[1] ? strrchr(to, '/') + 1 : to; /* RecBole: as its folder */
    if (!strcmp(format, "sequences")) {
        st = one_word(&d->user_id, err);
        if (!st) st = one_word(&d->item_id, err);
        if (!st) st = file_write(to, d, sequences, err);
    } else if (!strcmp(format, "csv")) {
        st = tdm_folder_make(to, err);
        if (!st) st = in_folder(to, "interactions", ".csv", d, csv_interactions, err);
        if (!st) st = in_folder(to, "items", ".csv", d, csv_items, err);
    } else if (!strcmp(format, "recbole")) {
        st = tdm_folder_make(to, err);
        if (!st) st = in_folder(to, name, ".inter", d, recbole_inter, err);
        if (!st) st = in_folder(to, name, ".item", d, recbole_item, err);
    } else {
        st = tdm_fail(err, TDM_E_ARG, "export knows csv, recbole, sequences and gguf, not \"%s\"", format);
    }
    tdm_dataset_close(d);
    return st;
}
