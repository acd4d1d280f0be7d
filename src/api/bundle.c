/* SPDX-License-Identifier: Apache-2.0 */
#include "api/bundle.h"

#include "api/settings.h"
#include "base/file.h"
#include "base/mem.h"
#include "hybrid/hybrid.h"

#include <string.h>

void tdm_models_needed(const tdm_model **needs, tdm_model *const *models, int i)
{
    size_t n = 0;
    if (tdm_models[i] == &tdm_hybrid_ops) {
        for (int k = 0; k < i; k++)
            if (models[k] && models[k]->ops->score) needs[n++] = models[k];
    } else {
        for (const char *const *need = tdm_models[i]->needs; need && *need; need++)
            needs[n++] = models[tdm_models_index(tdm_str_of(*need))];
    }
    needs[n] = NULL;
}

/* ---- open ---- */

static tdm_status manifest_read(tdm_bundle *b, tdm_err *err)
{
    char *path = tdm_path_join(b->folder, "tandem.json");
    if (!path) return tdm_nomem(err, b->folder);
    tdm_status st = TDM_OK;
    if (!tdm_file_exists(path)) {
        char *dataset = tdm_path_join(b->folder, "dataset.json"), *part = tdm_path_join(b->folder, "progress.json");
        if (part && tdm_file_exists(part))
            st =
                tdm_fail(err, TDM_E_FORMAT,
                         "%s: its training was interrupted; run the same fit or train again and it goes on", b->folder);
        else if (dataset && tdm_file_exists(dataset))
            st = tdm_fail(err, TDM_E_FORMAT, "%s: is a dataset, not a model; run tandem train %s -o MODEL first",
                          b->folder, b->folder);
        else st = tdm_fail(err, TDM_E_IO, "%s: is no model folder: there is no tandem.json in it", b->folder);
        tdm_free(dataset);
        tdm_free(part);
    }
    if (!st) st = tdm_json_read(&b->manifest, path, err);
    if (!st && (int)tdm_json_num(b->manifest, "format", 0) != TDM_FORMAT)
        st = tdm_fail(err, TDM_E_UNSUPPORTED, "%s: written by another version of tandem; train it again", path);
    if (!st) st = tdm_protocol_read(&b->protocol, cJSON_GetObjectItemCaseSensitive(b->manifest, "protocol"), path, err);
    if (!st) st = tdm_manifest_check(b->manifest, b->folder, err);
    tdm_free(path);
    return st;
}

static tdm_status model_load(tdm_bundle *b, int i, tdm_err *err)
{
    const tdm_model *needs[TDM_MAX_MODELS + 1];
    for (const char *const *need = tdm_models[i]->needs; need && *need; need++)
        if (!b->model[tdm_models_index(tdm_str_of(*need))])
            return tdm_fail(err, TDM_E_FORMAT, "%s: %s needs %s, which is not in the folder", b->folder,
                            tdm_models[i]->name, *need);
    char *path = tdm_path_join(b->folder, tdm_models[i]->path);
    if (!path) return tdm_nomem(err, b->folder);
    tdm_models_needed(needs, b->model, i);
    tdm_status st = tdm_models[i]->load(&b->model[i], path, b->split->train, needs, err);
    tdm_free(path);
    return st;
}

static tdm_status models_load(tdm_bundle *b, tdm_err *err)
{
    bool listed[TDM_MAX_MODELS] = {false};
    const cJSON *m;
    cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(b->manifest, "models"))
    {
        const char *name = tdm_json_str(m, "name", "");
        int i = tdm_models_index(tdm_str_of(name));
        if (i < 0)
            return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: holds a model \"%.60s\" unknown to this version", b->folder,
                            name);
        listed[i] = true;
    }
    tdm_status st = TDM_OK;
    for (int i = 0; !st && tdm_models[i]; i++) /* in the registry's order: needs first */
        if (listed[i]) st = model_load(b, i, err);
    return st;
}

tdm_status tdm_bundle_open(tdm_bundle **out, const char *folder, tdm_err *err)
{
    *out = NULL;
    tdm_bundle *b = tdm_new(1, sizeof *b);
    if (!b || !(b->folder = tdm_strdup(folder))) {
        tdm_free(b);
        return tdm_nomem(err, folder);
    }
    tdm_status st = TDM_OK;
    if (tdm_folder_exists(folder)) st = manifest_read(b, err);
    else if (tdm_file_exists(folder))
        st = tdm_fail(err, TDM_E_ARG, "%s: is a file; a model is the folder that tandem fit -o made", folder);
    else st = tdm_fail(err, TDM_E_IO, "%s: there is no such folder", folder);
    if (!st) st = tdm_dataset_open(&b->data, folder, err);
    if (!st) st = tdm_split_make(&b->split, b->data, &b->protocol, err);
    if (!st) st = models_load(b, err);
    if (st) tdm_bundle_close(b);
    else *out = b;
    return st;
}

void tdm_bundle_close(tdm_bundle *b)
{
    if (!b) return;
    for (int i = TDM_MAX_MODELS - 1; i >= 0; i--) tdm_model_close(b->model[i]); /* needs go last */
    tdm_split_close(b->split);
    tdm_dataset_close(b->data);
    cJSON_Delete(b->manifest);
    tdm_free(b->folder);
    tdm_free(b);
}

tdm_status tdm_bundle_model(const tdm_bundle *b, const tdm_model **out, const char *name, tdm_err *err)
{
    tdm_buf there = {0};
    *out = NULL;
    for (int i = 0; tdm_models[i]; i++) {
        const tdm_model *m = b->model[i];
        if (!m || !(m->ops->score || m->ops->topk)) continue;
        tdm_buf_fmt(&there, "%s%s", there.n ? ", " : "", m->ops->name);
        if (name ? !strcmp(name, m->ops->name) : m->ops->score != NULL) *out = m;
    }
    tdm_status st = TDM_OK;
    if (!*out)
        st = tdm_fail(err, TDM_E_ARG, "%s: there is no model \"%s\" that ranks; there is %s", b->folder,
                      name ? name : "hybrid", there.n ? there.p : "none");
    tdm_buf_clear(&there);
    return st;
}

tdm_status tdm_bundle_vectors(const tdm_bundle *b, const float **vectors, size_t *K, const char **whose, tdm_err *err)
{
    const tdm_model *best = NULL;
    for (int i = 0; tdm_models[i]; i++) {
        if (!b->model[i] || !b->model[i]->ops->vectors) continue;
        if (!best || !strcmp(b->model[i]->ops->name, "content")) best = b->model[i];
    }
    *vectors = NULL;
    *K = 0;
    *whose = best ? best->ops->name : NULL;
    return best ? best->ops->vectors(best, vectors, K, err) : TDM_OK;
}
