/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - the shop as two files of JSON lines, with the keys of Amazon's files of 2018 and a little of their dirt:
 * rows that stand twice, people who review a thing again, rows without text, HTML in texts, missing ratings and ids. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "sample/shop.h"

#include <stdlib.h>

enum { FIRST_DAY = 16617, DAY = 86400 }; /* 1 July 2015, in days since 1970 */
enum { TWICE = 12, AGAIN = 15, BROKEN = 3 };

typedef struct row {
    uint32_t day, person, visit;
    int rating; /* 0: missing */
    bool no_person, again;
} row;

static int row_order(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    if (x->person != y->person) return x->person < y->person ? -1 : 1;
    return (x->visit > y->visit) - (x->visit < y->visit);
}

void tdm_shop_person(char out[15], const tdm_shop *s, uint32_t person)
{
    static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    tdm_rng r = tdm_rng_make(s->seed, TDM_STREAM_PERSON, (uint64_t)person + (1u << 20));
    out[0] = 'A';
    for (size_t k = 1; k < 14; k++) out[k] = digit[tdm_rng_below(&r, 36)];
    out[14] = 0;
}

static void quoted(tdm_buf *out, const char *key, const char *value)
{
    tdm_buf_fmt(out, "\"%s\": ", key);
    tdm_json_quote(out, tdm_str_of(value));
}

/* ---- items ---- */

/* The description, a sentence a piece. */
static void sentences(tdm_buf *out, const char *s)
{
    tdm_buf_str(out, "\"description\": [");
    for (const char *end = s; *s; s = end) {
        while (*end && !(end[0] == '.' && (end[1] == ' ' || !end[1]))) end++;
        if (*end) end++;
        tdm_json_quote(out, (tdm_str){s, (size_t)(end - s)});
        while (*end == ' ') end++;
        if (*end) tdm_buf_str(out, ", ");
    }
    tdm_buf_char(out, ']');
}

static void item_add(tdm_buf *out, const tdm_shop_item *t)
{
    tdm_buf_fmt(out, "{\"category\": [");
    tdm_json_quote(out, tdm_str_of(t->shelf->category));
    tdm_buf_str(out, ", ");
    tdm_json_quote(out, tdm_str_of(t->shelf->sub));
    if (t->domain == TDM_PRODUCTS && t->before >= 0) tdm_buf_str(out, ", \"Refills & Parts\"");
    tdm_buf_str(out, "], ");
    sentences(out, t->description);
    tdm_buf_str(out, ", ");
    quoted(out, "title", t->title);
    tdm_buf_str(out, ", ");
    quoted(out, "brand", t->unbranded ? "" : t->brand);
    if (t->cents) tdm_buf_fmt(out, ", \"price\": \"$%u.%02u\", ", t->cents / 100, t->cents % 100);
    else tdm_buf_str(out, ", \"price\": \"\", ");
    quoted(out, "asin", t->id);
    tdm_buf_str(out, "}\n");
}

/* ---- reviews ---- */

/* The civil date of a day since 1970 (Hinnant, "chrono-compatible low-level date algorithms"). */
static void date_add(tdm_buf *out, uint32_t day)
{
    uint32_t z = day + 719468, era = z / 146097, of_era = z % 146097;
    uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100), shifted = (5 * of_year + 2) / 153;
    uint32_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    tdm_buf_fmt(out, "\"%02u %u, %u\"", month, of_year - (153 * shifted + 2) / 5 + 1, year + era * 400 + (month <= 2));
}

/* Sometimes the text is what a web form once sent: entities, a line break, quotation marks. */
static void as_html(tdm_buf *text, tdm_rng *r)
{
    static const char *const ends[] = {"<br />Would &quot;buy&quot; again.", " Good &amp; simple.",
                                       " It&#39;s that easy.", "<br /><br />Edit: still true a month later.", NULL};
    tdm_buf_str(text, tdm_list_pick(ends, r));
}

static void review_add(tdm_buf *out, const tdm_shop *s, const row *w, tdm_buf *summary, tdm_buf *text)
{
    const tdm_visit *v = &s->visit[w->visit];
    tdm_rng r = tdm_rng_make(s->seed, TDM_STREAM_DIRT, (uint64_t)w->visit + (1u << 20));
    char person[15];
    tdm_shop_person(person, s, v->person);
    tdm_shop_review(summary, text, s, w->visit);
    uint64_t draw = tdm_rng_below(&r, 200);
    if (draw < 4) tdm_buf_reset(text);
    else if (draw < 8) as_html(text, &r);
    if (w->again) tdm_buf_str(text, " A month later I still think so.");
    tdm_buf_char(out, '{');
    if (w->rating) tdm_buf_fmt(out, "\"overall\": %d.0, ", w->rating);
    tdm_buf_fmt(out, "\"verified\": %s, \"reviewTime\": ", tdm_rng_below(&r, 10) ? "true" : "false");
    date_add(out, FIRST_DAY + w->day);
    if (!w->no_person) {
        tdm_buf_str(out, ", ");
        quoted(out, "reviewerID", person);
    }
    tdm_buf_str(out, ", ");
    quoted(out, "asin", s->item[v->item].id);
    if (draw >= 4) {
        tdm_buf_str(out, ", ");
        quoted(out, "reviewText", text->p ? text->p : "");
    }
    tdm_buf_str(out, ", ");
    quoted(out, "summary", summary->p ? summary->p : "");
    tdm_buf_fmt(out, ", \"unixReviewTime\": %llu}\n", (unsigned long long)(FIRST_DAY + w->day) * DAY);
}

/* The visits as rows in the order of the log, and after them `AGAIN` second reviews. */
static void rows_make(row *rows, const tdm_shop *s)
{
    tdm_rng r = tdm_rng_make(s->seed, TDM_STREAM_DIRT, 0);
    for (size_t n = 0; n < s->N; n++)
        rows[n] = (row){s->visit[n].day, s->visit[n].person, (uint32_t)n, s->visit[n].rating, false, false};
    for (size_t k = 0; k < AGAIN; k++) {
        row *w = &rows[s->N + k];
        *w = rows[tdm_rng_below(&r, s->N)];
        w->again = true;
        w->rating = w->rating < 5 ? w->rating + 1 : 4;
    }
    for (size_t k = 0; k < BROKEN; k++) {
        row *w = &rows[tdm_rng_below(&r, s->N)];
        if (k) w->rating = 0;
        else w->no_person = true;
    }
    qsort(rows, s->N + AGAIN, sizeof *rows, row_order);
}

static tdm_status reviews_write(const char *folder, const tdm_shop *s, tdm_err *err)
{
    size_t n = s->N + AGAIN, gap = n / TWICE;
    row *rows = tdm_new(n, sizeof *rows);
    tdm_buf out = {0}, summary = {0}, text = {0};
    char *path = tdm_path_join(folder, "reviews.jsonl");
    tdm_status st = TDM_OK;
    if (!rows || !path) st = tdm_nomem(err, "the rows of the sample");
    else rows_make(rows, s);
    for (size_t k = 0; !st && k < n; k++) {
        review_add(&out, s, &rows[k], &summary, &text);
        if (k % gap == gap / 2) review_add(&out, s, &rows[k], &summary, &text);
    }
    if (!st && (out.failed || summary.failed || text.failed)) st = tdm_nomem(err, "the reviews of the sample");
    if (!st) st = tdm_file_write(path, out.p, out.n, err);
    tdm_buf_clear(&out);
    tdm_buf_clear(&summary);
    tdm_buf_clear(&text);
    tdm_free(path);
    tdm_free(rows);
    return st;
}

static tdm_status items_write(const char *folder, const tdm_shop *s, tdm_err *err)
{
    tdm_buf out = {0};
    char *path = tdm_path_join(folder, "items.jsonl");
    for (size_t i = 0; i < s->I; i++) item_add(&out, &s->item[i]);
    tdm_status st = !path || out.failed ? tdm_nomem(err, "the items of the sample") : TDM_OK;
    if (!st) st = tdm_file_write(path, out.p, out.n, err);
    tdm_buf_clear(&out);
    tdm_free(path);
    return st;
}

tdm_status tdm_sample_write(const char *folder, uint64_t seed, tdm_err *err)
{
    if (!folder || !*folder) return tdm_fail(err, TDM_E_ARG, "the sample needs the name of a folder to be written to");
    tdm_shop s;
    tdm_status st = tdm_shop_make(&s, seed, err);
    if (!st) st = tdm_folder_make(folder, err);
    if (!st) st = items_write(folder, &s, err);
    if (!st) st = reviews_write(folder, &s, err);
    tdm_shop_clear(&s);
    return st;
}
