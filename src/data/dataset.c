/* SPDX-License-Identifier: Apache-2.0 */
/* dataset.c - a dataset folder, written and mapped.
 *
 *     dataset.json         format, counts, health, "files": {name: SHA-256}     written last: it vouches for the others
 *     dataset.safetensors  offset, item, rating, time, [part], user_id, item_id, user_order, item_order
 *     text.safetensors     title, brand, category, description, keywords (by item), summary, review (by interaction)
 *
 * What a reader must be able to trust is checked once, here: checksums, every offset, every item number, both orders of
 * ids. Then the arrays are used where they lie. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/build.h"
#include "data/owner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FORMAT = 1 };
static const char kind[] = "tandem dataset", main_name[] = "dataset.safetensors", text_name[] = "text.safetensors";

/* name, how many there are */
#define TEXTS(X) X(title, I) X(brand, I) X(category, I) X(description, I) X(keywords, I) X(summary, N) X(review, N)

/* ---- look up ---- */

static uint32_t find(const tdm_strings *ids, const uint32_t *order, tdm_str id)
{
    if (!order) { /* a dataset put together by hand */
        for (size_t i = 0; i < ids->n; i++)
            if (tdm_str_eq(tdm_strings_at(ids, i), id)) return (uint32_t)i;
        return TDM_NONE;
    }
    size_t low = 0, high = ids->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = tdm_str_cmp(tdm_strings_at(ids, order[mid]), id);
        if (!c) return order[mid];
        if (c < 0) low = mid + 1;
        else high = mid;
    }
    return TDM_NONE;
}

uint32_t tdm_dataset_user(const tdm_dataset *d, tdm_str id)
{
    const tdm_owner *o = d->owner;
    return find(&d->user_id, o ? o->user_order : NULL, id);
}

uint32_t tdm_dataset_item(const tdm_dataset *d, tdm_str id)
{
    const tdm_owner *o = d->owner;
    return find(&d->item_id, o ? o->item_order : NULL, id);
}

tdm_str tdm_dataset_name(const tdm_dataset *d, uint32_t item)
{
    tdm_str s = d->title.n ? tdm_strings_at(&d->title, item) : (tdm_str){0};
    if (!s.n && d->keywords.n) { /* their first line */
        s = tdm_strings_at(&d->keywords, item);
        const char *end = s.n ? memchr(s.p, '\n', s.n) : NULL;
        if (end) s.n = (size_t)(end - s.p);
    }
    return s.n ? s : tdm_strings_at(&d->item_id, item);
}

tdm_history tdm_dataset_history(const tdm_dataset *d, uint32_t u)
{
    size_t at = (size_t)d->offset[u], n = (size_t)(d->offset[u + 1] - d->offset[u]);
    return (tdm_history){d->item + at, d->rating + at, d->time + at, n, n ? d->time[at + n - 1] : TDM_NO_TIME, u};
}

/* ---- write ---- */

static tdm_status sum_add(cJSON *files, const char *folder, const char *name, tdm_err *err)
{
    char sum[65];
    char *path = tdm_path_join(folder, name);
    tdm_status st = path ? tdm_file_sha256(sum, path, err) : tdm_nomem(err, "a file name");
    if (!st && !cJSON_AddStringToObject(files, name, sum)) st = tdm_nomem(err, name);
    tdm_free(path);
    return st;
}

static tdm_status json_save(const tdm_dataset *d, const char *folder, const cJSON *health, tdm_err *err)
{
    cJSON *j = cJSON_CreateObject(), *files = NULL;
    char *path = tdm_path_join(folder, "dataset.json"), print[17];
    tdm_status st = j && path ? TDM_OK : tdm_nomem(err, "dataset.json");
    if (!st) {
        snprintf(print, sizeof print, "%016llx", (unsigned long long)d->fingerprint);
        cJSON_AddStringToObject(j, "kind", kind);
        cJSON_AddNumberToObject(j, "format", FORMAT);
        cJSON_AddNumberToObject(j, "users", (double)d->U);
        cJSON_AddNumberToObject(j, "items", (double)d->I);
        cJSON_AddNumberToObject(j, "interactions", (double)d->N);
        cJSON_AddBoolToObject(j, "has_ratings", d->has_ratings);
        cJSON_AddBoolToObject(j, "has_times", d->has_times);
        cJSON_AddStringToObject(j, "fingerprint", print);
        if (health) cJSON_AddItemToObject(j, "health", cJSON_Duplicate(health, true));
        files = cJSON_AddObjectToObject(j, "files");
        if (!files) st = tdm_nomem(err, "dataset.json");
    }
    if (!st) st = sum_add(files, folder, main_name, err);
    if (!st) st = sum_add(files, folder, text_name, err);
    if (!st) st = tdm_json_write(j, path, err);
    cJSON_Delete(j);
    tdm_free(path);
    return st;
}

tdm_status tdm_dataset_save(const tdm_dataset *d, const char *folder, const cJSON *health, tdm_err *err)
{
    const tdm_owner *o = d->owner;
    tdm_tensor t[16];
    size_t n = 0;
    tdm_status st = tdm_folder_make(folder, err);
    if (st) return st;
    t[n++] = tdm_tensor_1d("offset", TDM_I64, d->offset, d->U + 1);
    t[n++] = tdm_tensor_1d("time", TDM_I64, d->time, d->N);
    t[n++] = tdm_tensor_1d("item", TDM_U32, d->item, d->N);
    t[n++] = tdm_tensor_1d("rating", TDM_F32, d->rating, d->N);
    t[n++] = tdm_tensor_1d("user_order", TDM_U32, o->user_order, d->U);
    t[n++] = tdm_tensor_1d("item_order", TDM_U32, o->item_order, d->I);
    if (d->part) t[n++] = tdm_tensor_1d("part", TDM_U8, d->part, d->N);
    tdm_tensor_strings(t + n, "user_id.offset", "user_id.bytes", &d->user_id);
    tdm_tensor_strings(t + n + 2, "item_id.offset", "item_id.bytes", &d->item_id);
    char *path = tdm_path_join(folder, main_name);
    st = path ? tdm_safetensors_write(path, t, n + 4, NULL, err) : tdm_nomem(err, "a file name");
    tdm_free(path);
    n = 0;
#define X(name, count) tdm_tensor_strings(t + n, #name ".offset", #name ".bytes", &d->name), n += 2;
    TEXTS(X)
#undef X
    if (!st && !(path = tdm_path_join(folder, text_name))) st = tdm_nomem(err, "a file name");
    if (!st) {
        st = tdm_safetensors_write(path, t, n, NULL, err);
        tdm_free(path);
    }
    return st ? st : json_save(d, folder, health, err);
}

/* ---- read ---- */

static tdm_status sum_check(const cJSON *files, const char *folder, const char *name, tdm_err *err)
{
    char sum[65];
    char *path = tdm_path_join(folder, name);
    tdm_status st = path ? tdm_file_sha256(sum, path, err) : tdm_nomem(err, "a file name");
    if (!st && strcmp(sum, tdm_json_str(files, name, "")))
        st = tdm_fail(err, TDM_E_FORMAT,
                      "%s: not the file that dataset.json vouches for (its SHA-256 differs); prepare the data again",
                      path);
    tdm_free(path);
    return st;
}

static bool ascending(const uint32_t *order, const tdm_strings *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        if (order[i] >= ids->n || !tdm_strings_at(ids, order[i]).n) return false;
        if (i && tdm_str_cmp(tdm_strings_at(ids, order[i - 1]), tdm_strings_at(ids, order[i])) >= 0) return false;
    }
    return true; /* strictly ascending: so it is a permutation and no id is there twice */
}

static tdm_status check(const tdm_dataset *d, const char *path, tdm_err *err)
{
    const tdm_owner *o = d->owner;
    bool rising = d->offset[0] == 0 && d->offset[d->U] == (int64_t)d->N;
    for (size_t u = 0; rising && u < d->U; u++) rising = d->offset[u] <= d->offset[u + 1];
    if (!rising) return tdm_fail(err, TDM_E_FORMAT, "%s: offsets do not rise from 0 to %zu", path, d->N);
    for (size_t j = 0; j < d->N; j++) {
        if (d->item[j] >= d->I)
            return tdm_fail(err, TDM_E_FORMAT, "%s: interaction %zu has item %u of %zu", path, j, d->item[j], d->I);
        if (isinf(d->rating[j]))
            return tdm_fail(err, TDM_E_FORMAT, "%s: interaction %zu has an infinite rating", path, j);
        if (d->part && d->part[j] > 1)
            return tdm_fail(err, TDM_E_FORMAT, "%s: interaction %zu has part %d", path, j, d->part[j]);
    }
    for (size_t u = 0; u < d->U; u++)
        for (int64_t j = d->offset[u] + 1; j < d->offset[u + 1]; j++)
            if (d->time[j - 1] > d->time[j])
                return tdm_fail(err, TDM_E_FORMAT, "%s: person %zu is not in order of time", path, u);
    if (!ascending(o->user_order, &d->user_id) || !ascending(o->item_order, &d->item_id))
        return tdm_fail(err, TDM_E_FORMAT, "%s: the order of the ids is wrong", path);
    return TDM_OK;
}

static tdm_status map_main(tdm_dataset *d, const char *path, tdm_err *err)
{
    tdm_owner *o = d->owner;
    const void *p;
    tdm_status st = tdm_safetensors_open(&o->file[0], path, err);
    if (st) return st;
    const tdm_safetensors *s = o->file[0];
#define NEED(field, name, type, count)                                                                                 \
    if (!st && !(st = tdm_safetensors_need(s, &p, name, type, count, err))) field = p
    NEED(d->offset, "offset", TDM_I64, d->U + 1);
    NEED(d->time, "time", TDM_I64, d->N);
    NEED(d->item, "item", TDM_U32, d->N);
    NEED(d->rating, "rating", TDM_F32, d->N);
    NEED(o->user_order, "user_order", TDM_U32, d->U);
    NEED(o->item_order, "item_order", TDM_U32, d->I);
    if (tdm_safetensors_find(s, "part")) { NEED(d->part, "part", TDM_U8, d->N); }
#undef NEED
    if (!st) st = tdm_safetensors_strings(s, &d->user_id, "user_id", d->U, err);
    if (!st) st = tdm_safetensors_strings(s, &d->item_id, "item_id", d->I, err);
    uint32_t *row = st ? NULL : tdm_owner_new(o, d->N, sizeof *row);
    if (!st && !row) st = tdm_nomem(err, "the rows");
    for (size_t j = 0; !st && j < d->N; j++) row[j] = (uint32_t)j;
    d->row = row;
    return st ? st : check(d, path, err);
}

static tdm_status map_text(tdm_dataset *d, const char *path, tdm_err *err)
{
    tdm_owner *o = d->owner;
    tdm_status st = tdm_safetensors_open(&o->file[1], path, err);
#define X(name, count)                                                                                                 \
    if (!st) st = tdm_safetensors_strings(o->file[1], &d->name, #name, d->count, err);
    TEXTS(X)
#undef X
    return st;
}

/* The counts that dataset.json claims, as far as they can be true. */
static tdm_status counts(tdm_dataset *d, const cJSON *j, const char *path, tdm_err *err)
{
    double n[3] = {tdm_json_num(j, "users", -1), tdm_json_num(j, "items", -1), tdm_json_num(j, "interactions", -1)};
    if (strcmp(tdm_json_str(j, "kind", ""), kind)) return tdm_fail(err, TDM_E_FORMAT, "%s: not a tandem dataset", path);
    if (tdm_json_num(j, "format", 0) != FORMAT)
        return tdm_fail(err, TDM_E_UNSUPPORTED,
                        "%s: format %g is not format %d of this version; prepare the data again", path,
                        tdm_json_num(j, "format", 0), FORMAT);
    for (int k = 0; k < 3; k++)
        if (!(n[k] >= 1 && n[k] < TDM_NONE && n[k] == floor(n[k])))
            return tdm_fail(err, TDM_E_FORMAT, "%s: its counts of people, items and interactions make no sense", path);
    d->U = (size_t)n[0];
    d->I = (size_t)n[1];
    d->N = (size_t)n[2];
    return TDM_OK;
}

tdm_status tdm_dataset_open(tdm_dataset **out, const char *folder, tdm_err *err)
{
    *out = NULL;
    if (!tdm_folder_exists(folder)) return tdm_fail(err, TDM_E_IO, "%s: no such folder", folder);
    tdm_dataset *d = tdm_owner_dataset();
    char *path = tdm_path_join(folder, "dataset.json"), *main_path = tdm_path_join(folder, main_name);
    char *text_path = tdm_path_join(folder, text_name);
    cJSON *j = NULL;
    tdm_status st = d && path && main_path && text_path ? TDM_OK : tdm_nomem(err, "the dataset");
    if (!st && !tdm_file_exists(path))
        st = tdm_fail(err, TDM_E_IO, "%s: holds no dataset.json, so it is not a dataset", folder);
    if (!st) st = tdm_json_read(&j, path, err);
    if (!st) st = counts(d, j, path, err);
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(j, "files");
    if (!st) st = sum_check(files, folder, main_name, err);
    if (!st) st = sum_check(files, folder, text_name, err);
    if (!st) st = map_main(d, main_path, err);
    if (!st) st = map_text(d, text_path, err);
    if (!st) tdm_dataset_derive(d);
    cJSON_Delete(j);
    tdm_free(path);
    tdm_free(main_path);
    tdm_free(text_path);
    if (st) tdm_dataset_close(d);
    else *out = d;
    return st;
}
