/* SPDX-License-Identifier: Apache-2.0 */
#include "data/load.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_item(const void *x, const void *y)
{
    const uint32_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

/* Rows of a person for an item that an earlier row of theirs had. */
static tdm_status repeated(size_t *out, const tdm_dataset *d, tdm_err *err)
{
    uint32_t *item = tdm_new(d->N, sizeof *item);
    if (!item) return tdm_nomem(err, "the health table");
    *out = 0;
    memcpy(item, d->item, d->N * sizeof *item);
    for (size_t u = 0; u < d->U; u++) {
        size_t at = (size_t)d->offset[u], n = (size_t)d->offset[u + 1] - at;
        if (n > 1) qsort(item + at, n, sizeof *item, by_item);
        for (size_t k = 1; k < n; k++) *out += item[at + k] == item[at + k - 1];
    }
    tdm_free(item);
    return TDM_OK;
}

static void ratings_add(cJSON *health, const tdm_dataset *d)
{
    enum { MOST = 101 };
    float value[MOST];
    size_t count[MOST], n = 0;
    cJSON *h = cJSON_AddObjectToObject(health, "ratings");
    for (size_t j = 0; j < d->N; j++) {
        float r = d->rating[j];
        if (isnan(r)) continue;
        size_t k = 0;
        while (k < n && value[k] < r) k++;
        if (k < n && value[k] == r) {
            count[k]++;
            continue;
        }
        if (n == MOST) return; /* a continuum: no histogram */
        memmove(value + k + 1, value + k, (n - k) * sizeof *value);
        memmove(count + k + 1, count + k, (n - k) * sizeof *count);
        value[k] = r;
        count[k] = 1;
        n++;
    }
    for (size_t k = 0; k < n; k++) {
        char name[32];
        snprintf(name, sizeof name, "%g", (double)value[k]);
        cJSON_AddNumberToObject(h, name, (double)count[k]);
    }
}

static void times_add(cJSON *health, const tdm_dataset *d)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    size_t tied = 0;
    for (size_t u = 0; u < d->U; u++) {
        bool tie = false;
        for (int64_t j = d->offset[u]; j < d->offset[u + 1]; j++) {
            int64_t t = d->time[j];
            if (t == TDM_NO_TIME) continue;
            first = t < first ? t : first;
            last = t > last ? t : last;
            tie |= j > d->offset[u] && d->time[j - 1] == t;
        }
        tied += tie;
    }
    cJSON *span = d->has_times ? cJSON_AddArrayToObject(health, "time_span") : NULL;
    if (span) {
        cJSON_AddItemToArray(span, cJSON_CreateNumber((double)first));
        cJSON_AddItemToArray(span, cJSON_CreateNumber((double)last));
    } else cJSON_AddNullToObject(health, "time_span");
    cJSON_AddNumberToObject(health, "users_with_time_ties", (double)tied);
}

tdm_status tdm_health(cJSON **out, const tdm_dataset *d, const tdm_left_out *left, const tdm_load *l, tdm_err *err)
{
    size_t pairs = 0, text = 0, titled = 0;
    *out = NULL;
    tdm_status st = repeated(&pairs, d, err);
    if (st) return st;
    for (size_t j = 0; j < d->N; j++)
        text += tdm_strings_at(&d->review, d->row[j]).n || tdm_strings_at(&d->summary, d->row[j]).n;
    for (size_t i = 0; i < d->I; i++) titled += tdm_strings_at(&d->title, i).n > 0;
    cJSON *h = cJSON_CreateObject(), *rejected;
    cJSON_AddNumberToObject(h, "rows_read", (double)l->rows_read);
    cJSON_AddNumberToObject(h, "duplicates", (double)left->duplicates);
    cJSON_AddNumberToObject(h, "repeated_pairs", (double)pairs);
    rejected = cJSON_AddObjectToObject(h, "rejected");
    for (size_t k = 0; k < TDM_REJECTS; k++)
        if (l->rejected[k]) cJSON_AddNumberToObject(rejected, tdm_reject_reason((tdm_reject)k), (double)l->rejected[k]);
    cJSON_AddNumberToObject(h, "below_min_rating", (double)l->below_min_rating);
    cJSON_AddNumberToObject(h, "left_out_core", (double)left->core);
    cJSON_AddNumberToObject(h, "left_out_events", (double)l->left_out_events);
    cJSON_AddNumberToObject(h, "several_people", (double)l->several_people);
    cJSON_AddNumberToObject(h, "items_read", (double)l->items_read);
    cJSON_AddNumberToObject(h, "items_damaged", (double)l->items_damaged);
    if (l->events) cJSON_AddItemToObject(h, "events", cJSON_Duplicate(l->events, true));
    cJSON_AddNumberToObject(h, "users", (double)d->U);
    cJSON_AddNumberToObject(h, "items", (double)d->I);
    cJSON_AddNumberToObject(h, "interactions", (double)d->N);
    cJSON_AddNumberToObject(h, "items_with_title", (double)titled);
    cJSON_AddNumberToObject(h, "text_coverage", d->N ? (double)text / (double)d->N : 0);
    times_add(h, d);
    ratings_add(h, d);
    if (l->sources) cJSON_AddItemToObject(h, "sources", cJSON_Duplicate(l->sources, true));
    if (!cJSON_GetObjectItemCaseSensitive(h, "users_with_time_ties")) {
        cJSON_Delete(h);
        return tdm_nomem(err, "the health table");
    }
    *out = h;
    return TDM_OK;
}
