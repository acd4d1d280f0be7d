/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - which files there are and what each is for: logs first, then what says something of their items. */
#include "data/load.h"

#include "base/mem.h"
#include "data/feed.h"
#include "data/inputs.h"
#include "data/intake.h"
#include "data/item_intake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SOON = 1000 }; /* rows after which a file that is read wrongly shows */
static const double most_bad = 0.5;

static const char *const reasons[] = {
#define X(name, key) key,
    TDM_REJECT_LIST(X)
#undef X
};

const char *tdm_reject_reason(tdm_reject why) { return reasons[why]; }

void tdm_load_clear(tdm_load *l)
{
    cJSON_Delete(l->sources);
    cJSON_Delete(l->events);
    *l = (tdm_load){0};
}

typedef struct loader {
    tdm_load *l;
    tdm_builder *b;
    const tdm_options *o;
    tdm_run *run;
    FILE *rejects;
    tdm_scale scale;
    tdm_event_counts events;
    uint64_t done, total; /* bytes of files behind us and of all */
    tdm_inputs all;
    tdm_input *now;                     /* the one that is read */
    size_t rows, rejected[TDM_REJECTS]; /* of `now` */
    tdm_bad_row bad[TDM_REJECTS];
    tdm_intake_rules rules;
    tdm_item_rules item_rules;
    tdm_keep keep;
    tdm_intake *intake;           /* TDM_FEED_SLOTS */
    tdm_item_intake *item_intake; /* TDM_FEED_SLOTS */
} loader;

/* ---- bad rows ---- */

static tdm_status rejects_put(loader *w, const tdm_buf *lines, tdm_err *err)
{
    if (lines->failed) return tdm_nomem(err, "the rejected rows");
    if (!w->rejects || !lines->n || fwrite(lines->p, 1, lines->n, w->rejects) == lines->n) return TDM_OK;
    return tdm_fail(err, TDM_E_IO, "%s: could not be written: %s", w->o->rejects, strerror(errno));
}

static tdm_status strict_fail(const loader *w, const tdm_bad_row *bad, tdm_err *err)
{
    return tdm_fail(err, TDM_E_FORMAT, "%s:%zu: %s%s%s", w->now->name, bad->line, reasons[bad->why],
                    *bad->detail ? ": " : "", bad->detail);
}

/* " (column 4, stars, such as "abc")" */
static void column_name(char *out, size_t room, const loader *w, tdm_reject why)
{
    static const tdm_role roles[TDM_REJECTS] = {
        [TDM_REJECT_BROKEN] = TDM_ROLE_NONE,   [TDM_REJECT_NO_USER] = TDM_ROLE_USER,
        [TDM_REJECT_NO_ITEM] = TDM_ROLE_ITEM,  [TDM_REJECT_LONG_ID] = TDM_ROLE_NONE,
        [TDM_REJECT_RATING] = TDM_ROLE_RATING, [TDM_REJECT_SCALE] = TDM_ROLE_RATING,
        [TDM_REJECT_TIME] = TDM_ROLE_TIME};
    const tdm_shape *s = &w->now->reader.shape;
    tdm_role role = roles[why];
    const char *value = w->bad[why].detail;
    *out = 0;
    if (role == TDM_ROLE_NONE) return;
    if (s->form == TDM_FORM_TABLE && s->column[role] >= 0) {
        tdm_str name = s->dialect.header ? tdm_cell(&s->names, (size_t)s->column[role]) : (tdm_str){"", 0};
        snprintf(out, room, " (column %d%s%.*s%s%s%s)", s->column[role] + 1, name.n ? ", " : "",
                 (int)(name.n < 40 ? name.n : 40), name.p, *value ? ", such as \"" : "", value, *value ? "\"" : "");
    } else if (*value) snprintf(out, room, " (such as \"%s\")", value);
}

/* A file of which most rows are bad was read as what it is not. */
static tdm_status most_bad_check(const loader *w, tdm_err *err)
{
    char column[200];
    size_t rejected = 0, worst = 0;
    for (size_t k = 0; k < TDM_REJECTS; k++) {
        rejected += w->rejected[k];
        if (w->rejected[k] > w->rejected[worst]) worst = k;
    }
    double limit = w->o->max_bad > 0 ? w->o->max_bad : most_bad;
    if ((double)rejected <= limit * (double)w->rows) return TDM_OK;
    column_name(column, sizeof column, w, (tdm_reject)worst);
    return tdm_fail(
        err, TDM_E_FORMAT,
        "%s: %zu of the first %zu rows cannot be used, most for: %s%s; say what the columns are with --map%s, "
        "or go on with --max-bad 1",
        w->now->name, rejected, w->rows, reasons[worst], column,
        w->rejects ? "" : ", see the rows with --rejects FILE");
}

/* ---- logs ---- */

static tdm_status log_read(void *ctx, size_t slot, tdm_records *records, const tdm_block *block, tdm_err *err)
{
    loader *w = ctx;
    (void)block;
    return tdm_intake_block(&w->intake[slot], records, &w->rules, err);
}

static tdm_status intake_count(loader *w, const tdm_intake *x, tdm_err *err)
{
    tdm_load *l = w->l;
    l->rows_read += x->rows;
    w->rows += x->rows;
    l->below_min_rating += x->below_min_rating;
    l->left_out_events += x->left_out_events;
    l->several_people += x->several_people;
    for (int k = 0; k < TDM_CLEANED; k++) l->cleaned[k] += x->cleaned[k];
    for (size_t k = 0; k < TDM_REJECTS; k++) {
        if (x->rejected[k] && !w->rejected[k]) w->bad[k] = x->bad[k];
        l->rejected[k] += x->rejected[k];
        w->rejected[k] += x->rejected[k];
        if (w->o->strict && x->rejected[k] && x->bad[k].line == x->first_bad) return strict_fail(w, &x->bad[k], err);
    }
    for (size_t k = 0; k < x->events.n; k++)
        tdm_event_count(&w->events, tdm_str_of(x->events.name[k]), x->events.count[k]);
    if (!tdm_scale_add(&w->scale, x->rated, x->outside, x->n_outside, (tdm_str){x->raw.p, x->raw.n}))
        return tdm_nomem(err, "the ratings");
    return rejects_put(w, &x->rejects, err);
}

static tdm_status between(loader *w, tdm_err *err)
{
    tdm_progress(w->run, "prepare", w->done + tdm_source_read(w->now->reader.s), w->total, NULL);
    return tdm_run_check(w->run, "prepare", err);
}

static tdm_status log_take(void *ctx, size_t slots, tdm_err *err)
{
    loader *w = ctx;
    tdm_batch *batch[TDM_FEED_SLOTS];
    tdm_status st = TDM_OK;
    for (size_t k = 0; !st && k < slots; k++) {
        batch[k] = &w->intake[k].batch;
        st = intake_count(w, &w->intake[k], err);
    }
    if (!st && w->rows >= SOON) st = most_bad_check(w, err);
    if (!st) st = tdm_builder_take(w->b, batch, slots, err);
    w->rules.high = tdm_scale_high(&w->scale);
    return st ? st : between(w, err);
}

/* ---- lists of items ---- */

static tdm_status items_read(void *ctx, size_t slot, tdm_records *records, const tdm_block *block, tdm_err *err)
{
    loader *w = ctx;
    (void)block;
    return tdm_item_intake_block(&w->item_intake[slot], records, &w->item_rules, err);
}

static tdm_status items_take(void *ctx, size_t slots, tdm_err *err)
{
    loader *w = ctx;
    tdm_load *l = w->l;
    for (size_t k = 0; k < slots; k++) {
        const tdm_item_intake *x = &w->item_intake[k];
        l->items_read += x->rows;
        w->rows += x->rows;
        l->items_broken += x->broken;
        for (int c = 0; c < TDM_CLEANED; c++) l->cleaned[c] += x->cleaned[c];
        for (size_t i = 0; i < x->n; i++) {
            const tdm_found_item *f = &x->item[i];
            bool damaged = f->match != TDM_MATCH_WHOLE;
            tdm_str texts[TDM_FIELDS], id = {x->bytes.p + f->at, f->id_n};
            const char *p = id.p + id.n;
            l->items_damaged += damaged;
            if (damaged && !w->o->mend_ids) continue;
            l->items_matched++;
            for (int t = 0; t < TDM_FIELDS; p += f->n[t++]) texts[t] = (tdm_str){p, f->n[t]};
            tdm_status st = tdm_builder_describe(w->b, f->code, texts, err);
            if (!st && f->match == TDM_MATCH_ROWS_DAMAGED) st = tdm_builder_rename(w->b, f->code, id, err);
            if (st) return st;
        }
    }
    return between(w, err);
}

/* ---- files ---- */

static tdm_status input_read(loader *w, tdm_input *in, tdm_err *err)
{
    const tdm_shape *s = &in->reader.shape;
    bool items = tdm_input_of_items(in);
    tdm_feed feed = {.ctx = w, .read = items ? items_read : log_read, .take = items ? items_take : log_take};
    w->now = in;
    w->rows = 0;
    memset(w->rejected, 0, sizeof w->rejected);
    w->rules = (tdm_intake_rules){.shape = s,
                                  .name = in->name,
                                  .min_rating = w->o->min_rating,
                                  .test = in->test,
                                  .keep_bad = w->rejects != NULL,
                                  .keep = w->keep,
                                  .file = (size_t)(in - w->all.in),
                                  .high = tdm_scale_high(&w->scale)};
    w->item_rules = (tdm_item_rules){.shape = s, .builder = w->b, .mend = w->o->mend_ids, .keep = w->keep};
    const char *holds = s->tags ? "tags" : items ? "items" : "interactions";
    tdm_log(w->run, TDM_LOG_INFO, "prepare", "%s: %s, %s", in->name, holds, s->text);
    tdm_status st = tdm_feed_file(&feed, &in->reader, w->run, err);
    if (!st && !items) st = most_bad_check(w, err);
    w->done += in->size;
    cJSON *j = st ? NULL : cJSON_CreateObject();
    if (j && cJSON_AddItemToArray(w->l->sources, j)) {
        tdm_json_add_text(j, "file", tdm_str_of(in->name));
        cJSON_AddStringToObject(j, "format", s->text);
        cJSON_AddStringToObject(j, "holds", holds);
        cJSON_AddNumberToObject(j, "rows", (double)w->rows);
    }
    if (!st && items && w->l->items_damaged && !w->o->mend_ids)
        tdm_log(w->run, TDM_LOG_WARN, "prepare",
                "%s: %zu ids match only after leading zeros that a spreadsheet took are put back; --mend-ids does that",
                in->name, w->l->items_damaged);
    return st;
}

/* Rejects what lies outside the scale, now that it is known. */
static tdm_status scale_apply(loader *w, tdm_err *err)
{
    double low, high;
    bool none;
    tdm_buf lines = {0};
    tdm_status st = TDM_OK;
    if (w->keep.scale) return TDM_OK;
    tdm_scale_end(&w->scale, &low, &high, &none);
    tdm_builder_scale(w->b, low, high, none);
    if (none) tdm_log(w->run, TDM_LOG_INFO, "prepare", "ratings of -1 stand for none");
    for (size_t k = 0; !st && k < w->scale.n; k++) {
        const tdm_outside *x = &w->scale.out[k];
        tdm_bad_row bad = {.why = TDM_REJECT_SCALE, .line = x->line};
        snprintf(bad.detail, sizeof bad.detail, "rating %g is outside %g..%g", x->rating, low, high);
        w->now = &w->all.in[x->file];
        w->l->rejected[TDM_REJECT_SCALE]++;
        if (w->o->strict) st = strict_fail(w, &bad, err);
        tdm_buf_reset(&lines);
        tdm_reject_write(&lines, w->now->name, x->line, x->offset, TDM_REJECT_SCALE, bad.detail,
                         (tdm_str){w->scale.bytes.p + x->at, x->n});
        if (!st) st = rejects_put(w, &lines, err);
    }
    tdm_buf_clear(&lines);
    if (w->scale.n && !st)
        tdm_log(w->run, TDM_LOG_WARN, "prepare", "%zu of %zu ratings are outside the scale 0..%g and were left out",
                w->scale.n, w->scale.rated, high);
    return st;
}

/* What is to be said once all rows are in. */
static tdm_status judge(loader *w, tdm_err *err)
{
    const tdm_load *l = w->l;
    size_t rejected = 0, worst = 0;
    for (size_t k = 0; k < TDM_REJECTS; k++) {
        rejected += l->rejected[k];
        if (l->rejected[k] > l->rejected[worst]) worst = k;
    }
    if (rejected >= tdm_builder_rows(w->b) + rejected - l->rejected[TDM_REJECT_SCALE])
        return tdm_fail(err, TDM_E_FORMAT, "%s: no row of %zu can be used: %s%s", w->all.in[0].name, l->rows_read,
                        rejected              ? reasons[worst]
                        : l->left_out_events  ? "--map gives the events no weight"
                        : l->below_min_rating ? "all are rated below --min-rating"
                                              : "there is none",
                        rejected ? " (--rejects FILE shows them)" : "");
    if (rejected * 10 > l->rows_read)
        tdm_log(w->run, TDM_LOG_WARN, "prepare", "%zu of %zu rows were rejected, most for: %s", rejected, l->rows_read,
                reasons[worst]);
    return TDM_OK;
}

static tdm_status load_all(loader *w, tdm_err *err)
{
    const tdm_options *o = w->o;
    tdm_status st = tdm_inputs_open(&w->all, o, w->run, err);
    for (size_t k = 0; k < w->all.n; k++) w->total += w->all.in[k].passed_over ? 0 : w->all.in[k].size;
    for (int items = 0; items < 2; items++) {
        for (size_t k = 0; !st && k < w->all.n; k++) {
            tdm_input *in = &w->all.in[k];
            if (!in->passed_over && tdm_input_of_items(in) == items) st = input_read(w, in, err);
        }
        if (!st && !items) st = scale_apply(w, err);
        if (!st && !items) st = judge(w, err);
    }
    if (st) return st;
    tdm_progress(w->run, "prepare", w->total, w->total, NULL);
    tdm_log(w->run, TDM_LOG_DEBUG, "prepare", "read: %zu rows", w->l->rows_read);
    if (w->l->items_read && !w->l->items_matched)
        tdm_log(w->run, TDM_LOG_WARN, "prepare", "%s: none of its %zu items is in the interactions",
                o->items ? o->items : "the lists of items", w->l->items_read);
    if (w->events.n) w->l->events = cJSON_CreateObject();
    for (size_t k = 0; k < w->events.n; k++)
        cJSON_AddNumberToObject(w->l->events, w->events.name[k], (double)w->events.count[k]);
    return TDM_OK;
}

static void loader_clear(loader *w)
{
    tdm_inputs_clear(&w->all);
    for (size_t k = 0; k < TDM_FEED_SLOTS; k++) {
        if (w->intake) tdm_intake_clear(&w->intake[k]);
        if (w->item_intake) tdm_item_intake_clear(&w->item_intake[k]);
    }
    tdm_scale_clear(&w->scale);
    tdm_free(w->intake);
    tdm_free(w->item_intake);
}

tdm_status tdm_load_files(tdm_load *out, tdm_builder *b, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    *out = (tdm_load){.sources = cJSON_CreateArray()};
    loader w = {.l = out, .b = b, .o = o, .run = run};
    w.intake = tdm_new(TDM_FEED_SLOTS, sizeof *w.intake);
    w.item_intake = tdm_new(TDM_FEED_SLOTS, sizeof *w.item_intake);
    tdm_status st = w.intake && w.item_intake && out->sources ? TDM_OK : tdm_nomem(err, "the files' names");
    if (!st) st = tdm_keep_parse(&w.keep, o->keep, err);
    for (size_t s = 0; !st && s < TDM_FEED_SLOTS; s++) w.intake[s].batch.seed = tdm_builder_seed(b);
    if (!st && o->rejects && !(w.rejects = fopen(o->rejects, "w")))
        st = tdm_fail(err, TDM_E_IO, "%s: could not be created: %s", o->rejects, strerror(errno));
    if (!st) st = load_all(&w, err);
    if (w.rejects && fclose(w.rejects) && !st)
        st = tdm_fail(err, TDM_E_IO, "%s: could not be written: %s", o->rejects, strerror(errno));
    loader_clear(&w);
    if (st) tdm_load_clear(out);
    return st;
}
