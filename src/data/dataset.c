/* SPDX-License-Identifier: Apache-2.0 */
/* dataset.c - a dataset folder, written and mapped.
 *
 *     dataset.json         format, counts, health, "files": {name: SHA-256}     written last: it vouches for the others
 *     dataset.safetensors  offset, item, rating, time, [part], user_id, item_id
 *     text.safetensors     title, brand, category, description, keywords (by item), summary, review (by interaction);
 *                          what is empty everywhere is not there
 *
 * What a reader must be able to trust is checked once, here: checksums, every offset, every item number, the order of
 * the ids. Then the arrays are used where they lie. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/build.h"
#include "data/intern.h"
#include "data/owner.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT = 2 };
static const char kind[] = "tandem dataset";

/* name, how many there are */
#define TEXTS(X) X(title, I) X(brand, I) X(category, I) X(description, I) X(keywords, I) X(summary, N) X(review, N)

/* ---- look up ---- */

static uint32_t find(const tdm_dataset *d, const tdm_strings *ids, tdm_str id)
{
    if (!d->hashed) { /* a dataset put together by hand */
        for (size_t i = 0; i < ids->n; i++)
            if (tdm_str_eq(tdm_strings_at(ids, i), id)) return (uint32_t)i;
        return TDM_NONE;
    }
    uint64_t h = tdm_id_hash(id, d->id_seed);
    size_t low = 0, high = ids->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (tdm_id_hash(tdm_strings_at(ids, mid), d->id_seed) < h) low = mid + 1;
        else high = mid;
    }
    for (; low < ids->n && tdm_id_hash(tdm_strings_at(ids, low), d->id_seed) == h; low++)
        if (tdm_str_eq(tdm_strings_at(ids, low), id)) return (uint32_t)low;
    return TDM_NONE;
}

uint32_t tdm_dataset_user(const tdm_dataset *d, tdm_str id) { return find(d, &d->user_id, id); }
uint32_t tdm_dataset_item(const tdm_dataset *d, tdm_str id) { return find(d, &d->item_id, id); }

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
    return (tdm_history){d->item + at, d->rating + at, d->time + at, n, TDM_NO_TIME, u};
}

/* ---- write ---- */

static const char *const names[] = {TDM_DATASET_MAIN, TDM_DATASET_TEXT,
                                    "dataset.json"}; /* in the order of their birth */

/* "<folder>/<name>", or its draft; the caller's to tdm_free. */
static char *path_of(const char *folder, const char *name, bool draft)
{
    tdm_buf path = {0};
    tdm_buf_fmt(&path, "%s/%s%s", folder, name, draft ? TDM_DATASET_DRAFT : "");
    if (path.failed) tdm_buf_clear(&path);
    return path.p;
}

void tdm_dataset_drop(const char *folder)
{
    for (int k = 0; k < 3; k++) {
        char *path = path_of(folder, names[k], true);
        if (path) unlink(path);
        tdm_free(path);
    }
}

static tdm_status sum_add(cJSON *files, const char *folder, const char *name, tdm_err *err)
{
    char sum[65], *path = path_of(folder, name, true);
    tdm_status st = path ? tdm_file_sha256(sum, path, err) : tdm_nomem(err, "a file name");
    if (!st && !cJSON_AddStringToObject(files, name, sum)) st = tdm_nomem(err, name);
    tdm_free(path);
    return st;
}

static tdm_status index_make(cJSON **out, const tdm_dataset *d, const char *folder, const cJSON *health, tdm_err *err)
{
    cJSON *j = *out = cJSON_CreateObject(), *files = NULL;
    char print[17], seed[21];
    if (!j) return tdm_nomem(err, "dataset.json");
    snprintf(print, sizeof print, "%016llx", (unsigned long long)d->fingerprint);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)d->id_seed);
    cJSON_AddStringToObject(j, "kind", kind);
    cJSON_AddNumberToObject(j, "format", FORMAT);
    cJSON_AddNumberToObject(j, "users", (double)d->U);
    cJSON_AddNumberToObject(j, "items", (double)d->I);
    cJSON_AddNumberToObject(j, "interactions", (double)d->N);
    cJSON_AddBoolToObject(j, "has_ratings", d->has_ratings);
    cJSON_AddBoolToObject(j, "has_times", d->has_times);
    cJSON_AddStringToObject(j, "fingerprint", print);
    cJSON_AddStringToObject(j, "id_seed", seed); /* a string: a JSON number may not hold 64 bits */
    if (health) cJSON_AddItemToObject(j, "health", cJSON_Duplicate(health, true));
    files = cJSON_AddObjectToObject(j, "files");
    if (!files) return tdm_nomem(err, "dataset.json");
    tdm_status st = sum_add(files, folder, TDM_DATASET_MAIN, err);
    return st ? st : sum_add(files, folder, TDM_DATASET_TEXT, err);
}

/* All three files are written and synced before the first gets its name. */
static tdm_status publish(const char *folder, tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (int k = 0; !st && k < 2; k++) { /* dataset.json is synced already */
        char *draft = path_of(folder, names[k], true);
        st = draft ? tdm_file_sync(draft, err) : tdm_nomem(err, "a file name");
        tdm_free(draft);
    }
    for (int k = 0; !st && k < 3; k++) {
        char *draft = path_of(folder, names[k], true), *path = path_of(folder, names[k], false);
        if (!draft || !path) st = tdm_nomem(err, "a file name");
        else if (rename(draft, path))
            st = tdm_fail(err, TDM_E_IO, "%s: could not rename into place: %s", path, strerror(errno));
        if (!st && k == 2) tdm_file_settle(path);
        tdm_free(draft);
        tdm_free(path);
    }
    return st;
}

tdm_status tdm_dataset_seal(const tdm_dataset *d, const char *folder, const cJSON *health, tdm_err *err)
{
    cJSON *j = NULL;
    char *path = path_of(folder, "dataset.json", true);
    tdm_status st = path ? index_make(&j, d, folder, health, err) : tdm_nomem(err, "a file name");
    if (!st) st = tdm_json_write(j, path, err);
    if (!st) st = publish(folder, err);
    if (st) tdm_dataset_drop(folder);
    cJSON_Delete(j);
    tdm_free(path);
    return st;
}

tdm_status tdm_dataset_save(const tdm_dataset *d, const char *folder, const cJSON *health, tdm_err *err)
{
    tdm_tensor t[16];
    size_t n = 0;
    tdm_status st = tdm_folder_make(folder, err);
    if (st) return st;
    t[n++] = tdm_tensor_1d("offset", TDM_I64, d->offset, d->U + 1);
    t[n++] = tdm_tensor_1d("time", TDM_I64, d->time, d->N);
    t[n++] = tdm_tensor_1d("item", TDM_U32, d->item, d->N);
    t[n++] = tdm_tensor_1d("rating", TDM_F32, d->rating, d->N);
    if (d->part) t[n++] = tdm_tensor_1d("part", TDM_U8, d->part, d->N);
    tdm_tensor_strings(t + n, "user_id.offset", "user_id.bytes", &d->user_id);
    tdm_tensor_strings(t + n + 2, "item_id.offset", "item_id.bytes", &d->item_id);
    char *path = path_of(folder, TDM_DATASET_MAIN, true);
    st = path ? tdm_safetensors_write(path, t, n + 4, NULL, err) : tdm_nomem(err, "a file name");
    tdm_free(path);
    n = 0;
#define X(name, count)                                                                                                 \
    if (d->name.offset[d->count]) tdm_tensor_strings(t + n, #name ".offset", #name ".bytes", &d->name), n += 2;
    TEXTS(X)
#undef X
    if (!st && !(path = path_of(folder, TDM_DATASET_TEXT, true))) st = tdm_nomem(err, "a file name");
    if (!st) {
        st = tdm_safetensors_write(path, t, n, NULL, err);
        tdm_free(path);
    }
    if (st) tdm_dataset_drop(folder);
    return st ? st : tdm_dataset_seal(d, folder, health, err);
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

/* Strictly ascending by (hash, id): so no id is there twice. */
static bool ascending(const tdm_strings *ids, uint64_t seed)
{
    uint64_t before = 0;
    for (size_t i = 0; i < ids->n; i++) {
        tdm_str id = tdm_strings_at(ids, i);
        uint64_t h = tdm_id_hash(id, seed);
        if (!id.n || (i && (h < before || (h == before && tdm_str_cmp(tdm_strings_at(ids, i - 1), id) >= 0))))
            return false;
        before = h;
    }
    return true;
}

static tdm_status check(const tdm_dataset *d, const char *path, tdm_err *err)
{
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
    if (!ascending(&d->user_id, d->id_seed) || !ascending(&d->item_id, d->id_seed))
        return tdm_fail(err, TDM_E_FORMAT, "%s: the order of the ids is wrong", path);
    return TDM_OK;
}

static tdm_status map_main(tdm_dataset *d, const char *path, bool checked, tdm_err *err)
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
    if (tdm_safetensors_find(s, "part")) { NEED(d->part, "part", TDM_U8, d->N); }
#undef NEED
    if (!st) st = tdm_safetensors_strings(s, &d->user_id, "user_id", d->U, err);
    if (!st) st = tdm_safetensors_strings(s, &d->item_id, "item_id", d->I, err);
    uint32_t *row = st ? NULL : tdm_owner_new(o, d->N, sizeof *row);
    if (!st && !row) st = tdm_nomem(err, "the rows");
    for (size_t j = 0; !st && j < d->N; j++) row[j] = (uint32_t)j;
    d->row = row;
    return st || !checked ? st : check(d, path, err);
}

/* Texts that nobody wrote have no tensor: as many empty ones, whose offsets are one page of zeros. */
static tdm_status map_strings(tdm_dataset *d, tdm_strings *out, const char *name, size_t n, tdm_err *err)
{
    tdm_owner *o = d->owner;
    char key[64];
    snprintf(key, sizeof key, "%s.offset", name);
    if (tdm_safetensors_find(o->file[1], key)) return tdm_safetensors_strings(o->file[1], out, name, n, err);
    *out = (tdm_strings){"", tdm_owner_new(o, n + 1, sizeof(int64_t)), n};
    return out->offset ? TDM_OK : tdm_nomem(err, "the texts");
}

static tdm_status map_text(tdm_dataset *d, const char *path, tdm_err *err)
{
    tdm_owner *o = d->owner;
    tdm_status st = tdm_safetensors_open(&o->file[1], path, err);
#define X(name, count)                                                                                                 \
    if (!st) st = map_strings(d, &d->name, #name, d->count, err);
    TEXTS(X)
#undef X
    return st;
}

tdm_status tdm_dataset_map(tdm_dataset **out, const char *folder, const size_t counts[3], uint64_t id_seed, bool draft,
                           tdm_err *err)
{
    tdm_dataset *d = tdm_owner_dataset();
    char *path = path_of(folder, TDM_DATASET_MAIN, draft), *text_path = path_of(folder, TDM_DATASET_TEXT, draft);
    tdm_status st = d && path && text_path ? TDM_OK : tdm_nomem(err, "the dataset");
    if (!st) {
        d->U = counts[0];
        d->I = counts[1];
        d->N = counts[2];
        d->hashed = true;
        d->id_seed = id_seed;
        st = map_main(d, path, !draft, err);
    }
    if (!st) st = map_text(d, text_path, err);
    if (!st) tdm_dataset_derive(d);
    tdm_free(path);
    tdm_free(text_path);
    if (st) tdm_dataset_close(d);
    else *out = d;
    return st;
}

/* The counts that dataset.json claims, as far as they can be true. */
static tdm_status counts(size_t out[3], const cJSON *j, const char *path, tdm_err *err)
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
    for (int k = 0; k < 3; k++) out[k] = (size_t)n[k];
    return TDM_OK;
}

tdm_status tdm_dataset_open(tdm_dataset **out, const char *folder, tdm_err *err)
{
    *out = NULL;
    if (!tdm_folder_exists(folder)) return tdm_fail(err, TDM_E_IO, "%s: no such folder", folder);
    char *path = tdm_path_join(folder, "dataset.json");
    cJSON *j = NULL;
    size_t n[3];
    tdm_status st = path ? TDM_OK : tdm_nomem(err, "the dataset");
    if (!st && !tdm_file_exists(path))
        st = tdm_fail(err, TDM_E_IO, "%s: holds no dataset.json, so it is not a dataset", folder);
    if (!st) st = tdm_json_read(&j, path, err);
    if (!st) st = counts(n, j, path, err);
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(j, "files");
    if (!st) st = sum_check(files, folder, TDM_DATASET_MAIN, err);
    if (!st) st = sum_check(files, folder, TDM_DATASET_TEXT, err);
    if (!st) st = tdm_dataset_map(out, folder, n, strtoull(tdm_json_str(j, "id_seed", ""), NULL, 10), false, err);
    cJSON_Delete(j);
    tdm_free(path);
    return st;
}
