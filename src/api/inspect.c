/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c - what a path is: a model folder, a dataset folder, a safetensors file, or a raw file. */
#include "api/answer.h"
#include "api/bundle.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/safetensors.h"
#include "data/describe.h"

#include <string.h>

static tdm_status has(bool *yes, const char *folder, const char *name, tdm_err *err)
{
    char *path = tdm_path_join(folder, name);
    if (!path) return tdm_nomem(err, name);
    *yes = tdm_file_exists(path);
    tdm_free(path);
    return TDM_OK;
}

static tdm_status read_json(cJSON **out, const char *folder, const char *name, tdm_err *err)
{
    char *path = tdm_path_join(folder, name);
    tdm_status st = path ? tdm_json_read(out, path, err) : tdm_nomem(err, name);
    tdm_free(path);
    return st;
}

static void move(cJSON *to, cJSON *from, const char *key)
{
    cJSON *v = cJSON_DetachItemFromObjectCaseSensitive(from, key);
    if (v) cJSON_AddItemToObject(to, key, v);
}

static tdm_status dataset_describe(cJSON *o, const char *folder, tdm_err *err)
{
    cJSON *j = NULL;
    tdm_dataset *d;
    tdm_status st = tdm_dataset_open(&d, folder, err);
    if (!st) st = read_json(&j, folder, "dataset.json", err);
    if (!st) {
        cJSON_AddNumberToObject(o, "users", (double)d->U);
        cJSON_AddNumberToObject(o, "items", (double)d->I);
        cJSON_AddNumberToObject(o, "interactions", (double)d->N);
        cJSON_AddBoolToObject(o, "ratings", d->has_ratings);
        cJSON_AddBoolToObject(o, "times", d->has_times);
        move(o, j, "health");
    }
    cJSON_Delete(j);
    tdm_dataset_close(d);
    return st;
}

static tdm_status model_describe(cJSON *o, const char *folder, tdm_err *err)
{
    tdm_bundle *b;
    cJSON *j = NULL;
    tdm_status st = tdm_bundle_open(&b, folder, err); /* whole, and every file the one that training wrote */
    if (st) return st;
    if ((st = read_json(&j, folder, "dataset.json", err))) {
        tdm_bundle_close(b);
        return st;
    }
    cJSON_AddNumberToObject(o, "users", (double)b->data->U);
    cJSON_AddNumberToObject(o, "items", (double)b->data->I);
    cJSON_AddNumberToObject(o, "interactions", (double)b->data->N);
    static const char *const keys[] = {"tandem", "dataset", "seed", "preset", "protocol"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) move(o, b->manifest, keys[k]);
    move(o, j, "health");
    cJSON_Delete(j);
    cJSON *models = cJSON_AddObjectToObject(o, "models");
    cJSON *m;
    cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(b->manifest, "models"))
    {
        cJSON *p = cJSON_DetachItemFromObjectCaseSensitive(m, "parameters");
        if (p) cJSON_AddItemToObject(models, tdm_json_str(m, "name", "?"), p);
    }
    tdm_bundle_close(b);
    return TDM_OK;
}

static tdm_status tensors_describe(cJSON *o, const char *path, tdm_err *err)
{
    tdm_safetensors *s;
    tdm_status st = tdm_safetensors_open(&s, path, err);
    if (st) return st;
    cJSON *list = cJSON_AddObjectToObject(o, "tensors");
    double bytes = 0;
    for (size_t i = 0; i < tdm_safetensors_n(s); i++) {
        const tdm_tensor *t = tdm_safetensors_at(s, i);
        tdm_buf b = {0};
        tdm_buf_fmt(&b, "%s", tdm_dtype_name(t->dtype));
        for (size_t k = 0; k < t->dims; k++) tdm_buf_fmt(&b, "%s%zu", k ? " x " : " ", t->shape[k]);
        if (!b.failed) cJSON_AddStringToObject(list, t->name, b.p);
        tdm_buf_clear(&b);
        bytes += (double)tdm_tensor_count(t) * (double)tdm_dtype_size(t->dtype);
    }
    cJSON_AddNumberToObject(o, "bytes", bytes);
    tdm_safetensors_close(s);
    return TDM_OK;
}

/* A safetensors file begins with the length of a header that begins with a brace. */
static bool looks_like_tensors(const char *path)
{
    tdm_map m;
    if (tdm_map_open(&m, path, NULL)) return false;
    bool yes = m.n > 9 && m.p[8] == '{' && m.p[6] == 0 && m.p[7] == 0;
    tdm_map_close(&m);
    return yes;
}

static tdm_status folder_describe(cJSON *o, const char *path, tdm_err *err)
{
    bool model = false, dataset = false;
    tdm_status st = has(&model, path, "tandem.json", err);
    if (!st) st = has(&dataset, path, "dataset.json", err);
    if (st) return st;
    if (!model && !dataset)
        return tdm_fail(err, TDM_E_FORMAT, "%s: is a folder, but neither a model nor a dataset of tandem's", path);
    cJSON_AddStringToObject(o, "kind", model ? "model folder" : "dataset folder");
    return model ? model_describe(o, path, err) : dataset_describe(o, path, err);
}

tdm_status tdm_inspect(char **answer, const char *path, tdm_err *err)
{
    *answer = NULL;
    cJSON *o = cJSON_CreateObject(), *raw = NULL;
    tdm_status st;
    tdm_json_add_text(o, "path", tdm_str_of(path));
    if (tdm_folder_exists(path)) {
        st = folder_describe(o, path, err);
    } else if (tdm_file_exists(path) && looks_like_tensors(path)) {
        cJSON_AddStringToObject(o, "kind", "safetensors file");
        st = tensors_describe(o, path, err);
    } else {
        st = tdm_raw_describe(&raw, path, err);
        cJSON_AddStringToObject(o, "kind", "raw file");
        cJSON_DeleteItemFromObjectCaseSensitive(raw, "kind");
        if (raw) cJSON_AddItemToObject(o, "found", raw);
    }
    if (!st) return tdm_answer(answer, o, err);
    cJSON_Delete(o);
    return st;
}
