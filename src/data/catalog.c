/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.c - an item's texts are one record, six lengths and then the texts, since most items have few of them:
 *
 *     u32 title, brand, category, description, keywords, title that came with a row
 *
 * Adding to a record writes a new one behind the others. */
#include "data/catalog.h"

#include "base/mem.h"
#include "data/limits.h"

#include <stdlib.h>
#include <string.h>

enum { ROW_TITLE = TDM_FIELDS, ALL };

void tdm_catalog_clear(tdm_catalog *c)
{
    for (size_t p = 0; p < TDM_PARTS; p++) {
        tdm_intern_clear(&c->part[p]);
        tdm_buf_clear(&c->text[p].bytes);
        tdm_free(c->text[p].at);
    }
    tdm_free(c->renamed);
    tdm_buf_clear(&c->names);
    *c = (tdm_catalog){.seed = c->seed};
}

uint32_t tdm_catalog_find(const tdm_catalog *c, tdm_str id)
{
    uint64_t hash = tdm_id_hash(id, c->seed);
    size_t p = tdm_part_of(hash);
    uint32_t i = tdm_intern_find(&c->part[p], id, hash);
    return i == TDM_NONE ? TDM_NONE : tdm_item_code(p, i);
}

/* ---- texts ---- */

static void record_read(tdm_str *out, const tdm_catalog *c, uint32_t code)
{
    const tdm_item_texts *t = &c->text[code >> 24];
    uint32_t i = code & 0xffffff, n[ALL];
    for (int k = 0; k < ALL; k++) out[k] = (tdm_str){"", 0};
    if (i >= t->n || !t->at[i]) return;
    const char *p = t->bytes.p + t->at[i] - 1;
    memcpy(n, p, sizeof n);
    p += sizeof n;
    for (int k = 0; k < ALL; p += n[k++]) out[k] = (tdm_str){p, n[k]};
}

static bool record_write(tdm_catalog *c, uint32_t code, const tdm_str *texts)
{
    tdm_item_texts *t = &c->text[code >> 24];
    uint32_t i = code & 0xffffff, n[ALL];
    size_t bytes = sizeof n, at = t->bytes.n;
    if (tdm_grow(&t->at, &t->cap, c->part[code >> 24].n, sizeof *t->at)) return false;
    t->n = c->part[code >> 24].n;
    for (int k = 0; k < ALL; k++) n[k] = (uint32_t)texts[k].n, bytes += texts[k].n;
    char *record = tdm_new(bytes, 1), *p = record; /* apart, since the texts may lie in the buffer that grows */
    if (!record) return false;
    memcpy(p, n, sizeof n);
    p += sizeof n;
    for (int k = 0; k < ALL; p += n[k++])
        if (n[k]) memcpy(p, texts[k].p, n[k]);
    tdm_buf_add(&t->bytes, record, bytes);
    tdm_free(record);
    t->at[i] = at + 1;
    return !t->bytes.failed;
}

/* The lines of both, none twice, at most TDM_MOST_KEYWORDS bytes. */
static void keywords_add(tdm_buf *out, tdm_str was, tdm_str more)
{
    tdm_buf_add(out, was.p, was.n);
    while (more.n && !out->failed) {
        const char *end = memchr(more.p, '\n', more.n);
        tdm_str one = {more.p, end ? (size_t)(end - more.p) : more.n};
        more.p += one.n + (end != NULL);
        more.n -= one.n + (end != NULL);
        if (out->n + one.n + 1 > TDM_MOST_KEYWORDS || (out->n && tdm_str_has_line((tdm_str){out->p, out->n}, one)))
            continue;
        if (out->n) tdm_buf_char(out, '\n');
        tdm_buf_add(out, one.p, one.n);
    }
}

bool tdm_catalog_describe(tdm_catalog *c, uint32_t code, const tdm_str *texts)
{
    tdm_str all[ALL];
    tdm_buf keywords = {0};
    bool changed = false;
    record_read(all, c, code);
    for (int k = 0; k < TDM_FIELDS; k++) {
        if (!texts[k].n) continue;
        if (!all[k].n) all[k] = texts[k], changed = true;
        else if (k == TDM_FIELD_KEYWORDS) {
            keywords_add(&keywords, all[k], texts[k]);
            changed |= keywords.n > all[k].n;
            if (!keywords.failed) all[k] = (tdm_str){keywords.p, keywords.n};
        }
    }
    bool good = !keywords.failed && (!changed || record_write(c, code, all));
    tdm_buf_clear(&keywords);
    return good;
}

bool tdm_catalog_row_title(tdm_catalog *c, uint32_t code, tdm_str title)
{
    tdm_str all[ALL];
    if (!title.n) return true;
    record_read(all, c, code);
    if (all[ROW_TITLE].n) return true;
    all[ROW_TITLE] = title;
    return record_write(c, code, all);
}

tdm_str tdm_catalog_text(const tdm_catalog *c, uint32_t code, int field)
{
    tdm_str all[ALL];
    record_read(all, c, code);
    return field == TDM_FIELD_TITLE && !all[field].n ? all[ROW_TITLE] : all[field];
}

bool tdm_catalog_rename(tdm_catalog *c, uint32_t code, tdm_str id)
{
    if (tdm_grow(&c->renamed, &c->renamed_cap, c->n_renamed + 1, sizeof *c->renamed)) return false;
    c->renamed[c->n_renamed] = (tdm_renamed){code, c->names.n, id.n};
    tdm_buf_add(&c->names, id.p, id.n);
    if (c->names.failed) return false;
    c->n_renamed++;
    return true;
}

/* ---- numbers ---- */

typedef struct entry {
    uint64_t hash;
    tdm_str id;
    uint32_t code;
} entry;

static int by_hash_then_id(const void *x, const void *y)
{
    const entry *a = x, *b = y;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    int c = tdm_str_cmp(a->id, b->id);
    return c ? c : (a->code > b->code) - (a->code < b->code);
}

void tdm_numbering_clear(tdm_numbering *n)
{
    for (size_t p = 0; p < TDM_PARTS; p++) tdm_free(n->number[p]);
    tdm_free(n->code);
    tdm_free(n->id);
    *n = (tdm_numbering){0};
}

static bool known(const tdm_catalog *c, uint32_t code)
{
    const tdm_item_texts *t = &c->text[code >> 24];
    return (code & 0xffffff) < t->n && t->at[code & 0xffffff];
}

static void number(tdm_numbering *out, const tdm_catalog *c, uint8_t *const *used, entry *e)
{
    size_t n = 0;
    for (size_t p = 0; p < TDM_PARTS; p++)
        for (uint32_t i = 0; i < c->part[p].n; i++) {
            out->number[p][i] = TDM_NONE;
            if (used[p][i]) e[n++] = (entry){c->part[p].hash[i], tdm_intern_at(&c->part[p], i), tdm_item_code(p, i)};
        }
    for (size_t k = 0, at = 0; k < c->n_renamed; k++) {
        const tdm_renamed *r = &c->renamed[k]; /* in the order of codes, as they are in e */
        while (at < n && e[at].code < r->code) at++;
        if (at == n || e[at].code != r->code) continue;
        e[at].id = (tdm_str){c->names.p + r->at, r->n};
        e[at].hash = tdm_id_hash(e[at].id, c->seed);
    }
    if (n) qsort(e, n, sizeof *e, by_hash_then_id);
    for (size_t k = 0; k < n; k++) {
        bool same = k && e[k].hash == e[k - 1].hash && tdm_str_eq(e[k].id, e[k - 1].id);
        if (!same) {
            out->id[out->n] = e[k].id;
            out->code[out->n++] = e[k].code;
        } else if (!known(c, out->code[out->n - 1])) out->code[out->n - 1] = e[k].code;
        out->number[e[k].code >> 24][e[k].code & 0xffffff] = (uint32_t)out->n - 1;
    }
}

static int by_code(const void *x, const void *y)
{
    const tdm_renamed *a = x, *b = y;
    return (a->code > b->code) - (a->code < b->code);
}

tdm_status tdm_catalog_number(tdm_numbering *out, tdm_catalog *c, uint8_t *const *used, tdm_err *err)
{
    size_t n = 0;
    bool room = true;
    *out = (tdm_numbering){0};
    for (size_t p = 0; p < TDM_PARTS; p++) {
        room &= (out->number[p] = tdm_new(c->part[p].n, sizeof *out->number[p])) != NULL;
        for (size_t i = 0; i < c->part[p].n; i++) n += used[p][i];
    }
    entry *e = tdm_new(n, sizeof *e);
    out->code = tdm_new(n, sizeof *out->code);
    out->id = tdm_new(n, sizeof *out->id);
    tdm_status st = room && e && out->code && out->id ? TDM_OK : tdm_nomem(err, "the items");
    if (!st && c->n_renamed) qsort(c->renamed, c->n_renamed, sizeof *c->renamed, by_code);
    if (!st) number(out, c, used, e);
    tdm_free(e);
    if (st) tdm_numbering_clear(out);
    return st;
}
