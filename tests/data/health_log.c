/* SPDX-License-Identifier: Apache-2.0 */
#include "data/health_log.h"

#include "check.h"
#include "data/small_log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void add(tdm_builder *b, row r)
{
    tdm_err err;
    CHECK_OK(tdm_builder_add(b,
                             &(tdm_row){.user = tdm_str_of(r.user),
                                        .item = tdm_str_of(r.item),
                                        .rating = r.rating,
                                        .time = r.time,
                                        .summary = tdm_str_of(r.summary ? r.summary : ""),
                                        .review = tdm_str_of(r.review ? r.review : "")},
                             &err),
             err);
}

tdm_builder *builder(void)
{
    tdm_builder *b;
    tdm_err err;
    CHECK_OK(tdm_builder_open(&b, 1, &err), err);
    return b;
}

void title(tdm_builder *b, const char *id, const char *text)
{
    tdm_err err;
    CHECK_OK(tdm_builder_item(b, &(tdm_item){.id = tdm_str_of(id), .title = tdm_str_of(text)}, NULL, &err), err);
}

tdm_dataset *finish(tdm_builder *b)
{
    tdm_dataset *d;
    tdm_err err;
    CHECK_OK(small_log_finish(&d, b, 0, NULL, &err), err);
    tdm_builder_close(b);
    return d;
}

cJSON *health_of(const tdm_dataset *d, tdm_run *run)
{
    tdm_err err;
    cJSON *h = cJSON_CreateObject();
    CHECK_OK(tdm_health_add(h, d, run, &err), err);
    return h;
}

cJSON *health_close(tdm_dataset *d)
{
    cJSON *h = health_of(d, NULL);
    tdm_dataset_close(d);
    return h;
}

const cJSON *at(const cJSON *h, const char *path)
{
    char key[64];
    while (h && *path) {
        size_t n = strcspn(path, "/");
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        h = cJSON_IsArray(h) ? cJSON_GetArrayItem(h, key[0] - '0') : cJSON_GetObjectItemCaseSensitive(h, key);
        path += n + (path[n] == '/');
    }
    return h;
}

void is(const cJSON *h, const char *path, double want)
{
    const cJSON *v = at(h, path);
    /* shares are one division of whole numbers, means too; 1e-12 allows another order of it */
    if (!cJSON_IsNumber(v) || fabs(v->valuedouble - want) > 1e-12 * fmax(1, fabs(want)))
        fail_msg("%s is %s, not %.17g", path, v ? cJSON_Print(v) : "absent", want);
}

void is_text(const cJSON *h, const char *path, const char *want)
{
    char *text = cJSON_PrintUnformatted(at(h, path));
    if (!text || strcmp(text, want)) fail_msg("%s is %s, not %s", path, text ? text : "absent", want);
    cJSON_free(text);
}

bool warns(const cJSON *h, const char *of)
{
    const cJSON *w;
    cJSON_ArrayForEach(w, at(h, "warnings")) if (strstr(w->valuestring, of)) return true;
    return false;
}
