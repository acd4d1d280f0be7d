/* SPDX-License-Identifier: Apache-2.0 */
#include "data/intake.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "data/clean.h"
#include "data/limits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void tdm_intake_clear(tdm_intake *x)
{
    tdm_batch_clear(&x->batch);
    tdm_buf_clear(&x->rejects);
    tdm_buf_clear(&x->raw);
    tdm_free(x->outside);
    *x = (tdm_intake){.batch.seed = x->batch.seed};
}

void tdm_event_count(tdm_event_counts *e, tdm_str name, size_t count)
{
    size_t n = tdm_utf8_cut(name, sizeof e->name[0] - 1).n, k = 0;
    while (k < e->n && (strlen(e->name[k]) != n || memcmp(e->name[k], name.p, n))) k++;
    if (k == TDM_EVENT_KINDS) return;
    if (k == e->n) {
        memcpy(e->name[k], name.p, n);
        e->name[k][n] = 0;
        e->count[e->n++] = 0;
    }
    e->count[k] += count;
}

/* ---- rejects ---- */

void tdm_reject_write(tdm_buf *out, const char *file, size_t line, uint64_t offset, tdm_reject why, const char *detail,
                      tdm_str raw)
{
    tdm_buf_str(out, "{\"file\": ");
    tdm_json_quote(out, tdm_str_of(file));
    tdm_buf_fmt(out, ", \"line\": %zu, \"offset\": %llu, \"reason\": \"%s\", \"detail\": ", line,
                (unsigned long long)offset, tdm_reject_reason(why));
    tdm_json_quote(out, tdm_str_of(detail));
    tdm_buf_str(out, ", \"row\": ");
    tdm_json_quote(out, tdm_utf8_cut(raw, TDM_MOST_RAW));
    tdm_buf_str(out, "}\n");
}

static void reject(tdm_intake *x, const tdm_records *r, const tdm_record *rec, const tdm_intake_rules *rules,
                   tdm_reject why, tdm_str detail)
{
    tdm_bad_row *bad = &x->bad[why];
    if (!x->rejected[why]++) {
        size_t n = tdm_utf8_cut(detail, sizeof bad->detail - 1).n;
        bad->why = why;
        bad->line = tdm_records_line(r);
        if (n) memcpy(bad->detail, detail.p, n);
        bad->detail[n] = 0;
        if (!x->first_bad || bad->line < x->first_bad) x->first_bad = bad->line;
    }
    if (!rules->keep_bad) return;
    char text[80];
    snprintf(text, sizeof text, "%.*s", (int)(detail.n < 79 ? detail.n : 79), detail.n ? detail.p : "");
    tdm_reject_write(&x->rejects, rules->name, tdm_records_line(r), tdm_records_offset(r), why, text, rec->raw);
}

/* ---- one row ---- */

/* A plain number, or one that somebody dressed up; most are like "5" or "4.5". */
static bool number(double *out, tdm_str s)
{
    if (s.n && s.n <= 3 && s.p[0] >= '0' && s.p[0] <= '9') {
        int whole = s.p[0] - '0', tenth = s.n == 3 && s.p[1] == '.' ? s.p[2] - '0' : 0;
        if (s.n == 1 || (s.n == 3 && s.p[1] == '.' && tenth >= 0 && tenth <= 9)) {
            *out = (10 * whole + tenth) / 10.0;
            return true;
        }
    }
    bool comma = s.n && memchr(s.p, ',', s.n);
    return (!comma && tdm_clean_number(out, s)) || tdm_clean_amount(out, s);
}

/* What cannot be read as it should; TDM_REJECTS: nothing. *detail: the value. */
static tdm_reject judge(tdm_str *detail, double *rating, int64_t *time, const tdm_record *rec, bool several,
                        const tdm_keep *keep)
{
    const tdm_str *v = rec->value;
    tdm_str user = tdm_str_trim(v[TDM_ROLE_USER]), item = tdm_str_trim(v[TDM_ROLE_ITEM]);
    *detail = rec->bad ? tdm_str_of(rec->bad) : user;
    if (rec->bad) return TDM_REJECT_BROKEN;
    if (tdm_clean_nothing(keep, user)) return TDM_REJECT_NO_USER;
    *detail = item;
    if (tdm_clean_nothing(keep, item)) return TDM_REJECT_NO_ITEM;
    if ((user.n > TDM_MOST_ID && !several) || item.n > TDM_MOST_ID) return TDM_REJECT_LONG_ID;
    *detail = v[TDM_ROLE_RATING];
    if (!number(rating, *detail) || !(fabs(*rating) < 1e9)) {
        if (!tdm_clean_missing(*detail)) return TDM_REJECT_RATING;
        *rating = NAN;
    }
    *detail = v[TDM_ROLE_TIME];
    if (!tdm_clean_time(time, *detail)) {
        if (!tdm_clean_missing(*detail)) return TDM_REJECT_TIME;
        *time = TDM_NO_TIME;
    }
    return TDM_REJECTS;
}

static bool several_people(tdm_str s)
{
    size_t commas = 0, run = 0;
    if (!s.n || !memchr(s.p, ',', s.n)) return false;
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

/* What an event of this type counts: 0 where it is to be left out, NaN where no weights were said. */
static double event_weight(const tdm_role_map *map, tdm_str name)
{
    for (size_t k = 0; k < map->events; k++)
        if (tdm_str_eq(map->event[k].name, name)) return map->event[k].weight;
    return map->events ? 1 : NAN;
}

static uint32_t text_add(tdm_intake *x, const tdm_keep *keep, tdm_str s, size_t longest)
{
    tdm_buf *to = &x->batch.bytes;
    size_t was = to->n;
    if (s.n && !tdm_clean_nothing(keep, s))
        tdm_cleaned_count(x->cleaned, tdm_clean_text(to, s, keep->length ? TDM_MOST_KEPT : longest, !keep->html));
    return (uint32_t)(to->n - was);
}

static uint32_t id_add(tdm_buf *to, tdm_str s)
{
    size_t was = to->n;
    tdm_clean_id(to, s);
    return (uint32_t)(to->n - was);
}

/* Remembers a row that a narrow scale would not hold. */
static bool outside_add(tdm_intake *x, const tdm_records *r, const tdm_record *rec, size_t file, double rating)
{
    if (tdm_grow(&x->outside, &x->outside_cap, x->n_outside + 1, sizeof *x->outside)) return false;
    tdm_str raw = tdm_utf8_cut(rec->raw, TDM_MOST_RAW);
    x->outside[x->n_outside++] = (tdm_outside){.rating = rating,
                                               .file = file,
                                               .line = tdm_records_line(r),
                                               .offset = tdm_records_offset(r),
                                               .at = x->raw.n,
                                               .n = raw.n};
    tdm_buf_add(&x->raw, raw.p, raw.n);
    return !x->raw.failed;
}

static bool row_add(tdm_intake *x, const tdm_records *r, const tdm_record *rec, const tdm_intake_rules *rules)
{
    const tdm_str *v = rec->value;
    tdm_batch *b = &x->batch;
    tdm_str people = tdm_str_trim(v[TDM_ROLE_USER]), event = tdm_str_trim(v[TDM_ROLE_EVENT]), detail;
    const tdm_keep *keep = &rules->keep;
    bool several = !keep->people && several_people(people);
    double rating;
    tdm_batch_row row = {.flags = (rules->test ? TDM_ROW_TEST : 0) |
                                  (rec->ordered || keep->duplicates ? TDM_ROW_ORDERED : 0)};
    tdm_reject why = judge(&detail, &rating, &row.time, rec, several, keep);
    x->rows++;
    if (why != TDM_REJECTS) {
        reject(x, r, rec, rules, why, detail);
        return !x->rejects.failed;
    }
    if (event.n) {
        double weight = event_weight(&rules->shape->map, event);
        tdm_event_count(&x->events, event, 1);
        if (weight == 0) {
            x->left_out_events++;
            return true;
        }
        if (!isnan(weight)) rating = weight;
    }
    row.rating = (float)rating;
    if (rules->min_rating > 0 && rating < rules->min_rating) { /* not where it is NaN */
        x->below_min_rating++;
        x->rated++; /* left out, but what the scale is does not depend on that */
        return true;
    }
    row.item_at = b->bytes.n;
    row.item_n = id_add(&b->bytes, v[TDM_ROLE_ITEM]);
    bool placeholder = !keep->placeholders && v[TDM_ROLE_TITLE].n && tdm_clean_no_title(v[TDM_ROLE_TITLE]);
    if (placeholder) x->cleaned[TDM_CLEANED_PLACEHOLDER]++;
    else row.title_n = text_add(x, keep, v[TDM_ROLE_TITLE], TDM_MOST_TITLE);
    for (size_t added = 0; people.n;) {
        tdm_str one = person_next(&people, several);
        if (!one.n) continue;
        row.at = b->bytes.n;
        row.user_n = id_add(&b->bytes, one);
        if (!several) { /* whose words they are is not known otherwise */
            row.summary_n = text_add(x, keep, v[TDM_ROLE_SUMMARY], TDM_MOST_SUMMARY);
            row.review_n = text_add(x, keep, v[TDM_ROLE_TEXT], TDM_MOST_REVIEW);
        }
        if (!tdm_batch_add(b, &row)) return false;
        x->several_people += added++ > 0;
        if (isnan(rating)) continue;
        x->rated++;
        if (!(row.rating >= 0 && row.rating <= rules->high) && !outside_add(x, r, rec, rules->file, row.rating))
            return false;
    }
    return true;
}

tdm_status tdm_intake_block(tdm_intake *x, tdm_records *records, const tdm_intake_rules *rules, tdm_err *err)
{
    tdm_record rec;
    bool more = true;
    tdm_status st = TDM_OK;
    tdm_batch_reset(&x->batch);
    tdm_buf_reset(&x->rejects);
    tdm_buf_reset(&x->raw);
    *x = (tdm_intake){
        .batch = x->batch, .rejects = x->rejects, .raw = x->raw, .outside = x->outside, .outside_cap = x->outside_cap};
    while (!st) {
        st = tdm_records_next(records, &rec, &more, err);
        if (st || !more) break;
        if (!row_add(x, records, &rec, rules)) st = tdm_nomem(err, "the rows");
    }
    if (!st && !tdm_batch_list(&x->batch)) st = tdm_nomem(err, "the rows");
    return st;
}
