/* SPDX-License-Identifier: Apache-2.0 */
/* health_times.c - when it all happened: the span, ties, a time line, and the instant that most rows share. */
#include "data/health_parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>

enum { DAY = 86400, MOST_DAYS = 400 * 366 };

typedef enum unit { YEAR, MONTH, DAYS } unit;

typedef struct date {
    int64_t year;
    int month, day;
} date;

static int64_t day_of(int64_t t) { return t / DAY - (t % DAY < 0); }

/* Days since 1970 as a date of the Gregorian calendar, in eras of 400 years that begin in March (the arithmetic is
 * Howard Hinnant's, "chrono-compatible low-level date algorithms"). */
static date date_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    date d = {.year = year + era * 400, .day = (int)(of_year - (153 * month + 2) / 5) + 1};
    d.month = (int)(month < 10 ? month + 3 : month - 9);
    d.year += d.month <= 2;
    return d;
}

/* ---- the time line ---- */

static bool same_step(date a, date b, unit by)
{
    return a.year == b.year && (by == YEAR || (a.month == b.month && (by == MONTH || a.day == b.day)));
}

static bool line_count(cJSON *counts, const tdm_dataset *d, int64_t first, size_t days, unit by)
{
    size_t *rows = tdm_new(days, sizeof *rows), sum = 0;
    bool ok = rows;
    for (size_t j = 0; ok && j < d->N; j++)
        if (d->time[j] != TDM_NO_TIME) rows[day_of(d->time[j]) - first]++;
    for (size_t k = 0; ok && k < days; k++) {
        date at = date_of(first + (int64_t)k);
        sum += rows[k];
        if (k + 1 < days && same_step(at, date_of(first + (int64_t)k + 1), by)) continue;
        char name[48];
        int used = snprintf(name, sizeof name, "%04lld", (long long)at.year);
        if (by != YEAR) used += snprintf(name + used, sizeof name - (size_t)used, "-%02d", at.month);
        if (by == DAYS) snprintf(name + used, sizeof name - (size_t)used, "-%02d", at.day);
        ok = tdm_health_number(counts, name, (double)sum);
        sum = 0;
    }
    tdm_free(rows);
    return ok;
}

static tdm_status line_add(cJSON *h, const tdm_dataset *d, const tdm_health_people *p, tdm_err *err)
{
    static const char *const names[] = {"year", "month", "day"};
    int64_t first = day_of(p->first), days = day_of(p->last) - first + 1;
    unit by = days < 92 ? DAYS : days < 3 * 365 ? MONTH : YEAR;
    cJSON *o = p->timed && days <= MOST_DAYS ? cJSON_CreateObject() : cJSON_CreateNull();
    bool ok = o;
    if (cJSON_IsObject(o)) {
        cJSON *counts;
        ok = cJSON_AddStringToObject(o, "unit", names[by]) && (counts = cJSON_AddObjectToObject(o, "counts")) &&
             line_count(counts, d, first, (size_t)days, by);
    }
    if (ok && tdm_health_put(h, "time_line", o)) return TDM_OK;
    if (!ok) cJSON_Delete(o);
    return tdm_nomem(err, "the health table");
}

/* ---- the instant that most rows share ---- */

/* Counts by a hash of the time into BUCKETS; only buckets with more than one row in SHARE can hold an instant with that
 * many, and there are fewer than SHARE of them. The times that fall into those are counted exactly. So: exact for an
 * instant that more than 1 row in 1,024 has, and silent on others, which say nothing. */
enum { BUCKETS = 1 << 20, SHARE = 1024 };

typedef struct instant {
    int64_t time;
    uint32_t rows;
} instant;

static size_t bucket_of(int64_t t, size_t room) { return ((uint64_t)t * 0x9e3779b97f4a7c15u >> 32) & (room - 1); }

static bool busiest_find(instant *best, const tdm_dataset *d)
{
    size_t room = 4096;
    while (room < d->N / 256) room *= 2;
    uint32_t *bucket = tdm_new(BUCKETS, sizeof *bucket);
    instant *slot = tdm_new(room, sizeof *slot);
    bool ok = bucket && slot;
    *best = (instant){0};
    for (size_t j = 0; ok && j < d->N; j++)
        if (d->time[j] != TDM_NO_TIME) bucket[bucket_of(d->time[j], BUCKETS)]++;
    size_t used = 0;
    for (size_t j = 0; ok && j < d->N; j++) {
        int64_t t = d->time[j];
        if (t == TDM_NO_TIME || (uint64_t)bucket[bucket_of(t, BUCKETS)] * SHARE <= d->N) continue;
        size_t at = bucket_of((int64_t)((uint64_t)t * 31), room);
        while (slot[at].rows && slot[at].time != t) at = (at + 1) & (room - 1);
        if (!slot[at].rows && 2 * ++used > room) break; /* only times made to collide come here */
        slot[at].time = t;
        slot[at].rows++;
    }
    for (size_t k = 0; ok && k < room; k++) {
        bool more = slot[k].rows > best->rows || (slot[k].rows == best->rows && slot[k].time < best->time);
        if (slot[k].rows && more) *best = slot[k];
    }
    tdm_free(bucket);
    tdm_free(slot);
    return ok;
}

static tdm_status busiest_add(cJSON *h, const tdm_dataset *d, const tdm_health_people *p, tdm_err *err)
{
    instant best = {0};
    bool ok = !p->timed || busiest_find(&best, d), many = (uint64_t)best.rows * SHARE > d->N;
    cJSON *o = !ok ? NULL : many ? cJSON_CreateObject() : cJSON_CreateNull();
    ok = o && (!many ||
               (tdm_health_number(o, "time", (double)best.time) && tdm_health_number(o, "interactions", best.rows) &&
                tdm_health_number(o, "share", (double)best.rows / (double)d->N)));
    if (ok && tdm_health_put(h, "busiest_instant", o)) return TDM_OK;
    if (!ok) cJSON_Delete(o);
    return tdm_nomem(err, "the health table");
}

/* ---- all ---- */

tdm_status tdm_health_times(cJSON *h, const tdm_dataset *d, const tdm_health_people *p, tdm_err *err)
{
    cJSON *span = p->timed ? cJSON_CreateArray() : cJSON_CreateNull();
    bool ok = span;
    if (ok && p->timed)
        ok = cJSON_AddItemToArray(span, cJSON_CreateNumber((double)p->first)) &&
             cJSON_AddItemToArray(span, cJSON_CreateNumber((double)p->last));
    if (!ok) cJSON_Delete(span);
    ok = ok && tdm_health_put(h, "time_span", span) &&
         tdm_health_number(h, "interactions_with_time", (double)p->timed) &&
         tdm_health_number(h, "users_with_time_ties", (double)p->tied) &&
         tdm_health_put(h, "times_in_days", cJSON_CreateBool(p->timed && p->midnight * 100 >= p->timed * 99));
    tdm_status st = ok ? line_add(h, d, p, err) : tdm_nomem(err, "the health table");
    return st ? st : busiest_add(h, d, p, err);
}
