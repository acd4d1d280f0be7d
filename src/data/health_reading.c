/* SPDX-License-Identifier: Apache-2.0 */
/* health_reading.c - what only the reading knows, and then the rest of the table. */
#include "data/health_parts.h"
#include "data/load.h"

static bool cleaned_add(cJSON *h, const size_t *count)
{
    static const char *const names[TDM_CLEANED] = {"html", "cut", "encoding", "placeholders"};
    cJSON *o = cJSON_CreateObject();
    bool ok = o;
    for (int k = 0; ok && k < TDM_CLEANED; k++)
        if (count[k]) ok = tdm_health_number(o, names[k], (double)count[k]);
    if (!ok) cJSON_Delete(o);
    return ok && tdm_health_put(h, "cleaned", o);
}

static bool reading_add(cJSON *h, const tdm_left_out *left, const tdm_load *l)
{
    cJSON *rejected = cJSON_CreateObject();
    bool ok = rejected;
    for (size_t k = 0; ok && k < TDM_REJECTS; k++)
        if (l->rejected[k]) ok = tdm_health_number(rejected, tdm_reject_reason((tdm_reject)k), (double)l->rejected[k]);
    if (!ok) cJSON_Delete(rejected);
    return ok && tdm_health_put(h, "rejected", rejected) && tdm_health_number(h, "rows_read", (double)l->rows_read) &&
           tdm_health_number(h, "duplicates", (double)left->duplicates) &&
           tdm_health_number(h, "below_min_rating", (double)l->below_min_rating) &&
           tdm_health_number(h, "left_out_core", (double)left->core) &&
           tdm_health_number(h, "left_out_events", (double)l->left_out_events) &&
           tdm_health_number(h, "several_people", (double)l->several_people) && cleaned_add(h, l->cleaned) &&
           tdm_health_number(h, "items_read", (double)l->items_read) &&
           tdm_health_number(h, "items_damaged", (double)l->items_damaged) &&
           (!l->events || tdm_health_put(h, "events", cJSON_Duplicate(l->events, true))) &&
           (!l->sources || tdm_health_put(h, "sources", cJSON_Duplicate(l->sources, true)));
}

tdm_status tdm_health(cJSON **out, const tdm_dataset *d, const tdm_left_out *left, const tdm_load *l, tdm_run *run,
                      tdm_err *err)
{
    *out = NULL;
    cJSON *h = cJSON_CreateObject();
    tdm_status st = h && reading_add(h, left, l) ? tdm_health_add(h, d, run, err) : tdm_nomem(err, "the health table");
    if (st) cJSON_Delete(h);
    else *out = h;
    return st;
}
