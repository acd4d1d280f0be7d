/* SPDX-License-Identifier: Apache-2.0 */
/* health_bots.c - people at rates that no hand keeps up, flagged and left in.
 *
 * What is implausible depends on the log: a page of MovieLens takes thirty ratings a minute, and a shop that knows only
 * the day has all of a day's reviews at one instant. So the bound is ten times what nine of ten people stay within, and
 * never under one a second for a minute or 100 in a day. Where times are whole days there are no minutes. */
#include "data/health_parts.h"

#include "base/mem.h"

#include <string.h>

enum { LEAST_MINUTE = 60, LEAST_DAY = 100, TIMES = 10 };

/* Ten times the 90th percentile of the people with times, at least `least`. v is sorted on the way. */
static uint64_t bound(uint32_t *v, uint32_t *spare, size_t n, uint64_t least)
{
    size_t timed = 0;
    tdm_sort_u32(v, spare, n);
    while (timed < n && !v[timed]) timed++;
    uint64_t b = timed < n ? (uint64_t)v[timed + (n - timed - 1) * 9 / 10] * TIMES : 0;
    return b > least ? b : least;
}

typedef struct bounds {
    uint64_t minute, day; /* minute UINT64_MAX: none */
} bounds;

static bool bounds_find(bounds *out, const tdm_dataset *d, const tdm_health_people *p, bool minutes)
{
    uint32_t *v = tdm_new(d->U, sizeof *v), *spare = tdm_new(d->U, sizeof *spare);
    bool ok = v && spare;
    *out = (bounds){UINT64_MAX, 0};
    if (ok && d->U) {
        memcpy(v, p->day, d->U * sizeof *v);
        out->day = bound(v, spare, d->U, LEAST_DAY);
        memcpy(v, p->minute, d->U * sizeof *v);
        if (minutes) out->minute = bound(v, spare, d->U, LEAST_MINUTE);
    }
    tdm_free(v);
    tdm_free(spare);
    return ok;
}

static bool examples_add(cJSON *list, const tdm_dataset *d, const tdm_health_people *p, const uint32_t *who, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        cJSON *o = cJSON_CreateObject();
        if (!o || !cJSON_AddItemToArray(list, o)) {
            cJSON_Delete(o);
            return false;
        }
        if (!tdm_health_text(o, "user", tdm_strings_at(&d->user_id, who[k])) ||
            !tdm_health_number(o, "most_in_a_minute", p->minute[who[k]]) ||
            !tdm_health_number(o, "most_in_a_day", p->day[who[k]]))
            return false;
    }
    return true;
}

static bool bots_fill(cJSON *o, const tdm_dataset *d, const tdm_health_people *p, bounds b)
{
    uint32_t who[TDM_HEALTH_EXAMPLES]; /* those with the busiest days, by their place where equal */
    size_t people = 0, rows = 0, n = 0;
    for (size_t u = 0; u < d->U; u++) {
        if (p->minute[u] <= b.minute && p->day[u] <= b.day) continue;
        people++;
        rows += (size_t)(d->offset[u + 1] - d->offset[u]);
        size_t at = n;
        while (at && p->day[who[at - 1]] < p->day[u]) at--;
        if (at == TDM_HEALTH_EXAMPLES) continue;
        if (n < TDM_HEALTH_EXAMPLES) n++;
        memmove(who + at + 1, who + at, (n - at - 1) * sizeof *who);
        who[at] = (uint32_t)u;
    }
    cJSON *list;
    return tdm_health_number(o, "users", (double)people) && tdm_health_number(o, "interactions", (double)rows) &&
           tdm_health_number(o, "share", (double)rows / (double)d->N) &&
           tdm_health_put(o, "over_in_a_minute",
                          b.minute == UINT64_MAX ? cJSON_CreateNull() : cJSON_CreateNumber((double)b.minute)) &&
           tdm_health_number(o, "over_in_a_day", (double)b.day) && (list = cJSON_AddArrayToObject(o, "examples")) &&
           examples_add(list, d, p, who, n);
}

tdm_status tdm_health_bots(cJSON *h, const tdm_dataset *d, const tdm_health_people *p, tdm_err *err)
{
    bounds b;
    bool days = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(h, "times_in_days"));
    cJSON *o = p->timed ? cJSON_CreateObject() : cJSON_CreateNull();
    bool ok = o && (!p->timed || (bounds_find(&b, d, p, !days) && bots_fill(o, d, p, b)));
    if (ok && tdm_health_put(h, "bots", o)) return TDM_OK;
    if (!ok) cJSON_Delete(o);
    return tdm_nomem(err, "the health table");
}
