/* SPDX-License-Identifier: Apache-2.0 */
/* recommend_all.c - recommendations for everybody of a dataset, streamed to a file.
 *
 * People are taken in the order of the data, in chunks whose size depends on the model alone; a round of chunks is
 * ranked and put into words by the pool, then written in order. So memory is a round's text whatever the number of
 * people, and the bytes are the same at any number of threads. */
#include "api/answer.h"
#include "api/ask.h"
#include "api/recommend.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/status.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- a line ---- */

typedef enum form { JSON_LINES, CSV, TSV } form;

static tdm_status form_of(form *out, const char *path, tdm_err *err)
{
    static const char *const ending[] = {".jsonl", ".csv", ".tsv"};
    size_t n = strlen(path);
    for (int f = 0; f < 3; f++) {
        size_t m = strlen(ending[f]);
        *out = (form)f;
        if (n > m && !strcmp(path + n - m, ending[f])) return TDM_OK;
    }
    return tdm_fail(err, TDM_E_ARG, "%s: the ending says the form; end it in .jsonl, .csv or .tsv", path);
}

/* A field of a table, quoted where it must be (RFC 4180, tabs in the place of commas for .tsv). */
static void field(tdm_buf *b, tdm_str s, char between)
{
    bool plain = true;
    for (size_t k = 0; plain && k < s.n; k++)
        plain = s.p[k] != between && s.p[k] != '"' && s.p[k] != '\r' && s.p[k] != '\n';
    if (!plain) tdm_buf_char(b, '"');
    for (size_t k = 0; !plain && k < s.n; k++) {
        if (s.p[k] == '"') tdm_buf_char(b, '"');
        tdm_buf_char(b, s.p[k]);
    }
    if (plain) tdm_buf_add(b, s.p, s.n);
    else tdm_buf_char(b, '"');
}

/* Nine digits: reading them back gives the same float. JSON has no word for what a sum of absurd weights may come to.
 */
static void number(tdm_buf *b, float x)
{
    char text[32] = "null";
    if (isfinite(x)) snprintf(text, sizeof text, "%.9g", (double)x);
    tdm_buf_str(b, text);
}

static void json_line(tdm_buf *b, const tdm_dataset *d, uint32_t u, const uint32_t *items, const float *scores,
                      size_t n, const char *note)
{
    tdm_buf_str(b, "{\"user\": ");
    tdm_json_quote(b, tdm_strings_at(&d->user_id, u));
    if (note) {
        tdm_buf_str(b, ", \"note\": ");
        tdm_json_quote(b, tdm_str_of(note));
    }
    tdm_buf_str(b, ", \"recommendations\": [");
    for (size_t k = 0; k < n; k++) {
        tdm_buf_str(b, k ? ", {\"item\": " : "{\"item\": ");
        tdm_json_quote(b, tdm_strings_at(&d->item_id, items[k]));
        tdm_buf_str(b, ", \"score\": ");
        number(b, scores[k]);
        tdm_buf_char(b, '}');
    }
    tdm_buf_str(b, "]}\n");
}

static void table_lines(tdm_buf *b, const tdm_dataset *d, uint32_t u, const uint32_t *items, const float *scores,
                        size_t n, char between)
{
    for (size_t k = 0; k < n; k++) {
        char rank[32];
        field(b, tdm_strings_at(&d->user_id, u), between);
        tdm_buf_add(b, rank, (size_t)snprintf(rank, sizeof rank, "%c%zu%c", between, k + 1, between));
        field(b, tdm_strings_at(&d->item_id, items[k]), between);
        tdm_buf_char(b, between);
        number(b, scores[k]);
        tdm_buf_char(b, '\n');
    }
}

/* ---- a chunk of people ---- */

typedef struct part {
    tdm_buf text;
    size_t rows, fewer, popular;
    tdm_status st;
    tdm_err err;
} part;

typedef struct everybody {
    const tdm_bundle *b;
    const tdm_query *q;
    const tdm_model *m;
    form form;
    tdm_wanted wanted;
    tdm_diversity unlike;
    size_t asked; /* wanted.k is no more than there are items */
    tdm_run *run;
    size_t first; /* person of this round */
    part *part;
} everybody;

static tdm_history history_of(const tdm_dataset *d, uint32_t u)
{
    tdm_history h = tdm_dataset_history(d, u); /* as tdm_asked_init has it for one */
    if (h.n && h.times) h.now = h.times[h.n - 1];
    return h;
}

/* The lists of n people from `from`. Those without a history are put to another model, each alone: they are few. */
static tdm_status lists_of(const everybody *e, const tdm_ranked *out, size_t from, size_t n, tdm_history *h,
                           tdm_err *err)
{
    size_t I = e->b->data->I, k = e->wanted.k;
    for (size_t u = 0; u < n; u++) h[u] = history_of(e->b->data, (uint32_t)(from + u));
    tdm_status st = tdm_diverse_topk(e->m, out, h, n, &e->wanted, I, &e->unlike, err);
    for (size_t u = 0; !st && u < n; u++) {
        const tdm_model *m = tdm_asked_model(e->b, e->q, e->m, h[u].n);
        const tdm_ranked one = {out->items + u * k, out->scores + u * k, out->n + u};
        if (m != e->m) st = tdm_diverse_topk(m, &one, &h[u], 1, &e->wanted, I, &e->unlike, err);
    }
    return st;
}

static tdm_status words_of(const everybody *e, part *p, const tdm_ranked *lists, const tdm_history *h, size_t from,
                           size_t n, tdm_err *err)
{
    const tdm_dataset *d = e->b->data;
    size_t k = e->wanted.k;
    for (size_t u = 0; u < n; u++) {
        const tdm_model *m = tdm_asked_model(e->b, e->q, e->m, h[u].n);
        const uint32_t *items = lists->items + u * k;
        const float *scores = lists->scores + u * k;
        char note[TDM_NOTE];
        bool noted = tdm_list_note(note, e->wanted.barred != NULL, e->m, m, lists->n[u], e->asked);
        p->rows += lists->n[u];
        p->fewer += lists->n[u] < e->asked;
        p->popular += m != e->m;
        if (e->form == JSON_LINES)
            json_line(&p->text, d, (uint32_t)(from + u), items, scores, lists->n[u], noted ? note : NULL);
        else table_lines(&p->text, d, (uint32_t)(from + u), items, scores, lists->n[u], e->form == CSV ? ',' : '\t');
    }
    return p->text.failed ? tdm_nomem(err, "a page of recommendations") : TDM_OK;
}

static void chunk_make(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const everybody *e = ctx;
    part *p = &e->part[chunk];
    size_t n = end - begin, k = e->wanted.k;
    tdm_buf_reset(&p->text);
    p->rows = p->fewer = p->popular = 0;
    if ((p->st = tdm_run_check(e->run, "recommend", &p->err))) return;
    tdm_ranked lists = {tdm_new(n * sizeof *lists.items, k), tdm_new(n * sizeof *lists.scores, k),
                        tdm_new(n, sizeof *lists.n)};
    tdm_history *h = tdm_new(n, sizeof *h);
    if (!lists.items || !lists.scores || !lists.n || !h) p->st = tdm_nomem(&p->err, "a page of recommendations");
    if (!p->st) p->st = lists_of(e, &lists, e->first + begin, n, h, &p->err);
    if (!p->st) p->st = words_of(e, p, &lists, h, e->first + begin, n, &p->err);
    tdm_free(lists.items);
    tdm_free(lists.scores);
    tdm_free(lists.n);
    tdm_free(h);
}

/* ---- the file ---- */

typedef struct output {
    const char *path; /* NULL: `write` takes it all */
    char *beside;
    FILE *f;
    tdm_write_fn *write;
    void *ctx;
} output;

static tdm_status could_not(const output *o, const char *what, tdm_err *err)
{
    return tdm_fail(err, TDM_E_IO, "%s: could not %s: %s", o->beside, what, strerror(errno));
}

static tdm_status output_open(output *o, tdm_err *err)
{
    if (!o->path) return TDM_OK;
    tdm_buf name = {0};
    tdm_buf_fmt(&name, "%s.tmp", o->path);
    if (name.failed) return tdm_nomem(err, "a file name");
    o->beside = name.p;
    if (tdm_folder_exists(o->path)) return tdm_fail(err, TDM_E_ARG, "%s: is a folder; name a file", o->path);
    o->f = fopen(o->beside, "wb");
    return o->f ? TDM_OK : could_not(o, "create", err);
}

static tdm_status output_add(output *o, const tdm_buf *text, tdm_err *err)
{
    if (!text->n) return TDM_OK;
    if (o->path) return fwrite(text->p, 1, text->n, o->f) == text->n ? TDM_OK : could_not(o, "write", err);
    if (!o->write(o->ctx, text->p, text->n)) return TDM_OK;
    return tdm_fail(err, TDM_E_IO, "recommend: the recommendations could not be written");
}

/* The file takes its place, or, with a status, nothing stays. */
static tdm_status output_close(output *o, tdm_status st, tdm_err *err)
{
    if (o->f) {
        if (!st && fflush(o->f)) st = could_not(o, "write", err);
        if (fclose(o->f) && !st) st = could_not(o, "close", err);
        if (!st) st = tdm_file_sync(o->beside, err);
        if (!st && rename(o->beside, o->path)) st = could_not(o, "rename it into place", err);
        if (st) unlink(o->beside);
        else tdm_file_settle(o->path);
    }
    tdm_free(o->beside);
    return st;
}

/* ---- everybody ---- */

/* A list that costs one pass over the factors is asked for by hundreds; one that costs a pass of a network, or a
 * search, by few, so that progress is seen and a cancel heeded. */
static size_t chunk_size(const tdm_model *m, size_t *chunks, size_t threads)
{
    const tdm_model_ops *ops = m->ops;
    *chunks = threads * (ops->topk && ops->score ? 32 : 2);
    return ops->topk && ops->score ? 192 : ops->score ? 32 : 4;
}

typedef struct totals {
    size_t rows, fewer, popular;
} totals;

static tdm_status rounds(everybody *e, totals *t, output *o, size_t chunks, size_t size, tdm_err *err)
{
    size_t U = e->b->data->U;
    tdm_status st = TDM_OK;
    for (; !st && e->first < U; e->first += chunks * size) {
        size_t n = U - e->first < chunks * size ? U - e->first : chunks * size;
        tdm_progress(e->run, "recommend", e->first, U, e->m->ops->name);
        tdm_pool_for(e->run->pool, n, size, chunk_make, e);
        for (size_t c = 0; !st && c < tdm_chunks(n, size); c++) {
            const part *p = &e->part[c];
            if ((st = p->st) && err) *err = p->err;
            if (!st) st = output_add(o, &p->text, err);
            t->rows += p->rows;
            t->fewer += p->fewer;
            t->popular += p->popular;
        }
        if (!st) st = tdm_run_check(e->run, "recommend", err);
    }
    if (st == TDM_E_CANCELLED)
        return tdm_fail(err, st, "recommend: interrupted before all %zu people were done; %s%s", U,
                        o->path ? "nothing was written to " : "the output is not whole", o->path ? o->path : "");
    if (!st) tdm_progress(e->run, "recommend", U, U, e->m->ops->name);
    return st;
}

static tdm_status summary_make(char **summary, const everybody *e, const totals *t, const char *path, tdm_err *err)
{
    cJSON *o = cJSON_CreateObject();
    if (path) tdm_json_add_text(o, "file", tdm_str_of(path));
    else cJSON_AddNullToObject(o, "file");
    cJSON_AddStringToObject(o, "model", e->m->ops->name);
    cJSON_AddNumberToObject(o, "people", (double)e->b->data->U);
    cJSON_AddNumberToObject(o, "rows", (double)t->rows);
    cJSON_AddNumberToObject(o, "fewer", (double)t->fewer);
    cJSON_AddNumberToObject(o, "popular", (double)t->popular);
    return tdm_answer(summary, o, err);
}

tdm_status tdm_recommender_recommend_all(tdm_recommender *r, char **summary, const tdm_query *q, const char *path,
                                         tdm_write_fn *write, void *ctx, tdm_run *run, tdm_err *err)
{
    const tdm_bundle *b = r->b;
    size_t asked = q->n ? q->n : 10, chunks = 0, size = 0;
    everybody e = {.b = b, .q = q, .asked = asked, .run = run};
    output o = {.path = path, .write = write, .ctx = ctx};
    totals t = {0};
    uint8_t *barred = NULL;
    *summary = NULL;
    tdm_status st = path ? form_of(&e.form, path, err) : TDM_OK;
    if (!st) st = tdm_bundle_model(b, &e.m, q->model, err);
    if (!st) st = tdm_barred_make(&barred, r, q, err);
    if (!st) st = tdm_diversity_make(&e.unlike, q->diversity, b, err);
    e.wanted = (tdm_wanted){.k = asked < b->data->I ? asked : b->data->I,
                            .filter_seen = b->protocol.seen == TDM_SEEN_FILTER,
                            .barred = barred};
    if (!st) size = chunk_size(e.m, &chunks, tdm_pool_threads(run->pool));
    e.part = st ? NULL : tdm_new(chunks, sizeof *e.part);
    if (!st && !e.part) st = tdm_nomem(err, "a page of recommendations");
    if (!st) st = output_open(&o, err);
    if (!st && e.form != JSON_LINES) {
        tdm_buf head = {0};
        tdm_buf_str(&head, e.form == CSV ? "user,rank,item,score\n" : "user\trank\titem\tscore\n");
        st = head.failed ? tdm_nomem(err, "a page of recommendations") : output_add(&o, &head, err);
        tdm_buf_clear(&head);
    }
    if (!st) st = rounds(&e, &t, &o, chunks, size, err);
    st = output_close(&o, st, err);
    if (!st) st = summary_make(summary, &e, &t, path, err);
    for (size_t c = 0; e.part && c < chunks; c++) tdm_buf_clear(&e.part[c].text);
    tdm_free(e.part);
    tdm_free(barred);
    return st;
}
