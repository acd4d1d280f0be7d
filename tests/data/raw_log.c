/* SPDX-License-Identifier: Apache-2.0 */
#include "data/raw_log.h"

#include "data/small_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/tandem-read-XXXXXX";
char raw_rows_path[64], raw_items_path[64], raw_rejects_path[64];

int raw_folder_make(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(raw_rows_path, sizeof raw_rows_path, "%s/rows", folder);
    snprintf(raw_items_path, sizeof raw_items_path, "%s/items", folder);
    snprintf(raw_rejects_path, sizeof raw_rejects_path, "%s/rejects", folder);
    return 0;
}

int raw_folder_remove(void **state)
{
    (void)state;
    unlink(raw_rows_path);
    unlink(raw_items_path);
    unlink(raw_rejects_path);
    return rmdir(folder);
}

void raw_put(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(bytes, 1, n, f) == n && !fclose(f));
}

tdm_status load_try(loaded *out, const char *rows, const char *items, tdm_options o, tdm_err *err)
{
    const char *sources[] = {raw_rows_path};
    tdm_builder *b = NULL;
    tdm_load l = {0};
    *out = (loaded){0};
    if (rows) raw_put(raw_rows_path, rows, strlen(rows));
    if (items) raw_put(raw_items_path, items, strlen(items));
    o.sources = sources;
    o.n_sources = 1;
    if (items) o.items = raw_items_path;
    tdm_status st = tdm_builder_open(&b, 1, err);
    if (!st) st = tdm_load_files(&l, b, &o, NULL, err);
    tdm_left_out left;
    if (!st) st = small_log_finish(&out->d, b, 0, &left, err);
    if (!st) st = tdm_health(&out->health, out->d, &left, &l, NULL, err);
    tdm_load_clear(&l);
    tdm_builder_close(b);
    return st;
}

loaded load(const char *rows, const char *items, tdm_options o)
{
    tdm_err err = {{0}};
    loaded x;
    CHECK_OK(load_try(&x, rows, items, o, &err), err);
    return x;
}

void done(loaded *x)
{
    tdm_dataset_close(x->d);
    cJSON_Delete(x->health);
}

const char *told(const tdm_dataset *d)
{
    static char text[4096];
    char *p = text;
    *p = 0;
    tdm_str before = {"", 0};
    for (size_t n = 0; n < d->U; n++) {
        size_t next = d->U;
        for (size_t u = 0; u < d->U; u++) {
            tdm_str id = tdm_strings_at(&d->user_id, u);
            if (tdm_str_cmp(id, before) > 0 && (next == d->U || tdm_str_cmp(id, tdm_strings_at(&d->user_id, next)) < 0))
                next = u;
        }
        before = tdm_strings_at(&d->user_id, next);
        for (int64_t j = d->offset[next]; j < d->offset[next + 1]; j++) {
            tdm_str item = tdm_strings_at(&d->item_id, d->item[j]), s = tdm_strings_at(&d->summary, d->row[j]);
            tdm_str r = tdm_strings_at(&d->review, d->row[j]);
            p += sprintf(p, "%.*s %.*s", TDM_STR_ARG(before), TDM_STR_ARG(item));
            if (!isnan(d->rating[j])) p += sprintf(p, " %g", (double)d->rating[j]);
            if (d->time[j] != TDM_NO_TIME) p += sprintf(p, " @%lld", (long long)d->time[j]);
            if (s.n || r.n) p += sprintf(p, " %.*s/%.*s", TDM_STR_ARG(s), TDM_STR_ARG(r));
            p += sprintf(p, "\n");
        }
    }
    return text;
}

void reads(const char *rows, const char *want)
{
    loaded x = load(rows, NULL, (tdm_options){0});
    assert_string_equal(told(x.d), want);
    done(&x);
}
