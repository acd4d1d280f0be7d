/* SPDX-License-Identifier: Apache-2.0 */
/* update.c - a model folder brought up to date with a dataset that holds the old events and new ones.
 *
 * The dataset is split by the folder's own protocol; what joined (or left) the training rows is what happened. Models
 * that can take it in do (ops->update), those that are only counts and rows are fitted again, the others stay as they
 * are. A model that stays knows the old catalogue: where items came or went it is left out, with all that need it.
 *
 *     drift = 1 - now / then        ndcg@10 of one and the same model on validation questions of the people whose rows
 *                                   changed: then by the old folder, now by the new one
 *
 * No model has seen the answers of either, so more of the same leaves drift near 0 and a change of taste raises it. The
 * new folder is made as "<folder>.updating" and takes its name when it is whole.
 */
#include "api/answer.h"
#include "api/bundle.h"
#include "api/settings.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cf/cf.h"
#include "cf/update.h"
#include "eval/evaluate.h"
#include "hybrid/hybrid.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

/* A row may lack this share of itself before it is made anew. A fit is advised where drift is beyond `far` by more than
 * its margin, and where ials has taken in more than `much` of all events since it was fitted: docs/models.md has the
 * measurements. */
static const double share = 0.05, far = 0.1, much = 0.1;
enum { JUDGES = 2000, FEWEST = 30 }; /* people that drift is measured on, at most; below the fewest it is noise */

static const char *const counted[] = {"popularity", "category-popularity", "transitions", "user-knn",
                                      NULL}; /* fitted again */

typedef enum fate { ABSENT, STAYED, UPDATED, FITTED, LEFT_OUT } fate;

static const char *const fates[] = {"", "stayed", "updated", "fitted", "left out"};

typedef struct updater {
    const char *folder;
    char *side;
    tdm_run *run;
    tdm_bundle *old;
    tdm_dataset *data;
    tdm_split *split;
    uint32_t *item_now, *user_now;
    bool same_items;
    tdm_change *changed;
    size_t n_changed;
    tdm_model *model[TDM_MAX_MODELS];
    fate fate[TDM_MAX_MODELS];
    tdm_updated what[TDM_MAX_MODELS];
    double seconds[TDM_MAX_MODELS], then[TDM_MAX_MODELS], now[TDM_MAX_MODELS];
    size_t judges_then, judges_now;
    double fitted; /* training events when the folder was trained */
} updater;

/* ---- who is who ---- */

static tdm_status maps_make(updater *w, const char *dataset, tdm_err *err)
{
    const tdm_dataset *was = w->old->data, *now = w->data;
    size_t kept = 0;
    if (was->id_seed != now->id_seed)
        return tdm_fail(err, TDM_E_ARG,
                        "%s: was prepared with another --seed than the data of %s, which numbers people "
                        "and items otherwise; prepare it with the same",
                        dataset, w->old->folder);
    w->item_now = tdm_new(was->I, sizeof *w->item_now);
    w->user_now = tdm_new(was->U, sizeof *w->user_now);
    if (!w->item_now || !w->user_now) return tdm_nomem(err, dataset);
    w->same_items = was->I == now->I;
    for (size_t i = 0; i < was->I; i++) {
        w->item_now[i] = tdm_dataset_item(now, tdm_strings_at(&was->item_id, i));
        w->same_items = w->same_items && w->item_now[i] == i;
    }
    for (size_t u = 0; u < was->U; u++) {
        w->user_now[u] = tdm_dataset_user(now, tdm_strings_at(&was->user_id, u));
        kept += w->user_now[u] != TDM_NONE;
    }
    if (kept < was->U / 2 + 1)
        return tdm_fail(err, TDM_E_ARG,
                        "%s: has %zu of the %zu people of %s; an update takes the old events and the new "
                        "ones in one dataset",
                        dataset, kept, was->U, w->old->folder);
    return tdm_changes_find(&w->changed, &w->n_changed, w->split->train, w->old->split->train, w->item_now, w->user_now,
                            err);
}

/* ---- one model ---- */

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    char *folder = tdm_strndup(path, (size_t)(strrchr(path, '/') - path));
    if (!folder) return tdm_nomem(err, path);
    tdm_status st = tdm_folder_make(folder, err);
    if (!st) st = m->ops->save(m, path, err);
    tdm_free(folder);
    return st;
}

static tdm_status fit_again(updater *w, int i, tdm_err *err)
{
    tdm_params p;
    tdm_status st = tdm_settings_stored(&p, w->old->manifest, tdm_models[i], err);
    const tdm_fit_input in = {.train = w->split->train, .params = &p, .run = w->run};
    return st ? st : tdm_models[i]->fit(&w->model[i], &in, err);
}

/* Whether all that a model is handed is in the new folder. */
static bool has_needs(const updater *w, int i)
{
    for (const char *const *need = tdm_models[i]->needs; need && *need; need++)
        if (!w->model[tdm_models_index(tdm_str_of(*need))]) return false;
    for (int k = 0; tdm_models[i] == &tdm_hybrid_ops && k < i; k++)
        if (w->old->model[k] && w->old->model[k]->ops->score && !w->model[k]) return false;
    return true;
}

/* A model of items alone lies in the new folder as it does in the old one. */
static tdm_status stay(updater *w, int i, const char *path, tdm_err *err)
{
    const tdm_model *needs[TDM_MAX_MODELS + 1];
    tdm_status st = save(w->old->model[i], path, err);
    tdm_models_needed(needs, w->model, i);
    return st ? st : tdm_models[i]->load(&w->model[i], path, w->split->train, needs, err);
}

static tdm_status model_make(updater *w, int i, tdm_err *err)
{
    const tdm_model_ops *ops = tdm_models[i];
    bool counts = false;
    for (const char *const *name = counted; *name; name++) counts |= !strcmp(*name, ops->name);
    w->fate[i] = ops->update ? UPDATED : counts ? FITTED : w->same_items && has_needs(w, i) ? STAYED : LEFT_OUT;
    tdm_progress(w->run, ops->name, 0, 0, NULL);
    tdm_status st = tdm_run_check(w->run, ops->name, err);
    char *path = st ? NULL : tdm_path_join(w->side, ops->path);
    if (!st && !path) st = tdm_nomem(err, ops->path);
    const tdm_update u = {w->split->train, w->old->split->train, w->item_now, w->changed, w->n_changed, share, w->run};
    double began = tdm_seconds();
    if (!st && w->fate[i] == UPDATED) st = ops->update(&w->model[i], w->old->model[i], &u, &w->what[i], err);
    if (!st && w->fate[i] == FITTED) st = fit_again(w, i, err);
    w->seconds[i] = tdm_seconds() - began;
    if (!st && w->fate[i] == STAYED) st = stay(w, i, path, err);
    else if (!st && w->model[i]) st = save(w->model[i], path, err);
    tdm_free(path);
    return st;
}

/* ---- drift ---- */

/* Validation questions whose person changed: the others' targets do not count. */
static tdm_status changed_only(tdm_questions *out, uint8_t **counts, size_t *n, const tdm_questions *qs, size_t U,
                               const tdm_change *c, size_t n_changed, bool now, tdm_err *err)
{
    size_t targets = qs->n ? (size_t)qs->target_at[qs->n] : 0;
    unsigned char *is = tdm_new(U, 1);
    *out = *qs;
    out->target_counts = *counts = tdm_new(targets, 1);
    *n = 0;
    if (!is || !*counts) {
        tdm_free(is);
        return tdm_nomem(err, "drift");
    }
    for (size_t k = 0; k < n_changed; k++) {
        uint32_t u = now ? c[k].now : c[k].was;
        if (u != TDM_NONE) is[u] = 1;
    }
    for (size_t q = 0; q < qs->n && *n < JUDGES; q++) { /* people are in the order of a hash: the first are a sample */
        bool any = false;
        if (!is[qs->user[q]]) continue;
        for (int64_t t = qs->target_at[q]; t < qs->target_at[q + 1]; t++)
            any |= ((*counts)[t] = qs->target_counts[t]) > 0;
        *n += any;
    }
    tdm_free(is);
    return TDM_OK;
}

static tdm_status drift_measure(updater *w, tdm_err *err)
{
    tdm_questions then, now;
    uint8_t *a = NULL, *b = NULL;
    const tdm_split *s = w->old->split;
    tdm_status st =
        changed_only(&then, &a, &w->judges_then, &s->validation, w->old->data->U, w->changed, w->n_changed, false, err);
    if (!st)
        st = changed_only(&now, &b, &w->judges_now, &w->split->validation, w->data->U, w->changed, w->n_changed, true,
                          err);
    for (int i = 0; !st && tdm_models[i]; i++) {
        if (!w->model[i] || !w->model[i]->ops->score) continue;
        tdm_progress(w->run, "drift", 0, 0, tdm_models[i]->name);
        st = tdm_ndcg(&w->then[i], w->old->model[i], &then, w->old->data->I, 10, w->old->protocol.seen, w->run->pool,
                      err);
        if (!st) st = tdm_ndcg(&w->now[i], w->model[i], &now, w->data->I, 10, w->old->protocol.seen, w->run->pool, err);
        if (!st) st = tdm_run_check(w->run, "drift", err);
    }
    tdm_free(a);
    tdm_free(b);
    return st;
}

/* NaN: too few people to say. */
static double drift_of(const updater *w, int i)
{
    if (w->judges_then < FEWEST || w->judges_now < FEWEST || !(w->then[i] > 0)) return NAN;
    return 1 - w->now[i] / w->then[i];
}

/* One standard error of drift, or more: an ndcg lies in [0, 1], so its variance is at most mean (1 - mean). */
static double margin_of(const updater *w, int i)
{
    double a = w->then[i], b = w->now[i];
    return b / a * sqrt((1 - a) / (a * (double)w->judges_then) + (b > 0 ? (1 - b) / (b * (double)w->judges_now) : 0));
}

/* The share of events that came in after the training. */
static double taken_in(const updater *w) { return fmax(0, 1 - w->fitted / (double)w->split->train->N); }

static bool wants_fit(const updater *w, int i)
{
    if (w->fate[i] == LEFT_OUT || drift_of(w, i) > far + margin_of(w, i)) return true;
    return tdm_models[i] == &tdm_ials_ops && w->fate[i] == UPDATED && taken_in(w) > much;
}

/* ---- the folder ---- */

static tdm_status data_copy(const updater *w, const char *dataset, tdm_err *err)
{
    static const char *const names[] = {"dataset.safetensors", "text.safetensors", "dataset.json"};
    tdm_status st = TDM_OK;
    for (size_t k = 0; !st && k < sizeof names / sizeof *names; k++) {
        char *from = tdm_path_join(dataset, names[k]), *to = tdm_path_join(w->side, names[k]);
        tdm_map map = {0};
        st = from && to ? tdm_map_open(&map, from, err) : tdm_nomem(err, names[k]);
        if (!st) st = tdm_file_write(to, map.p, map.n, err);
        tdm_map_close(&map);
        tdm_free(from);
        tdm_free(to);
    }
    return st;
}

/* A model that took events in has a key that no training gives: `train` would fit it. */
static bool key_renew(cJSON *m, const updater *w)
{
    char hex[17];
    const char *old = tdm_json_str(m, "key", "");
    uint64_t key = XXH3_64bits_withSeed(old, strlen(old), w->data->fingerprint);
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)key);
    cJSON_DeleteItemFromObjectCaseSensitive(m, "key");
    return cJSON_AddStringToObject(m, "key", hex);
}

/* What happened to a model: into the manifest, and into the answer. */
static bool fate_add(cJSON *m, const updater *w, int i)
{
    bool ok = cJSON_AddStringToObject(m, "update", fates[w->fate[i]]);
    if (w->fate[i] == UPDATED)
        ok = ok && cJSON_AddNumberToObject(m, "rows_remade", (double)w->what[i].remade) &&
             cJSON_AddNumberToObject(m, "missing", w->what[i].missing) &&
             cJSON_AddNumberToObject(m, "missing_most", w->what[i].most);
    double d = drift_of(w, i);
    if (ok && w->fate[i] != LEFT_OUT && w->model[i]->ops->score)
        ok = cJSON_AddNumberToObject(m, "ndcg_then", w->then[i]) && cJSON_AddNumberToObject(m, "ndcg_now", w->now[i]) &&
             (isnan(d) ? cJSON_AddNullToObject(m, "drift") != NULL
                       : cJSON_AddNumberToObject(m, "drift", d) &&
                             cJSON_AddNumberToObject(m, "drift_margin", margin_of(w, i)));
    return ok;
}

static tdm_status manifest_write(const updater *w, tdm_err *err)
{
    static const char *const data_files[] = {"dataset.json", "dataset.safetensors", "text.safetensors"};
    char hex[17];
    cJSON *m = cJSON_Duplicate(w->old->manifest, true), *list = cJSON_GetObjectItemCaseSensitive(m, "models"), *files;
    if (!m) return tdm_nomem(err, "the manifest");
    bool ok = true;
    cJSON_DeleteItemFromObjectCaseSensitive(m, "updated_from");
    cJSON_AddStringToObject(m, "updated_from", tdm_json_str(m, "dataset", ""));
    cJSON_DeleteItemFromObjectCaseSensitive(m, "dataset");
    cJSON_DeleteItemFromObjectCaseSensitive(m, "files");
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)w->data->fingerprint);
    cJSON_AddStringToObject(m, "dataset", hex);
    cJSON_DeleteItemFromObjectCaseSensitive(m, "fitted_events");
    cJSON_AddNumberToObject(m, "fitted_events", w->fitted);
    for (int k = cJSON_GetArraySize(list) - 1; k >= 0; k--) {
        static const char *const fields[] = {"update",    "rows_remade", "missing", "missing_most",
                                             "ndcg_then", "ndcg_now",    "drift",   "drift_margin"};
        cJSON *one = cJSON_GetArrayItem(list, k);
        int i = tdm_models_index(tdm_str_of(tdm_json_str(one, "name", "")));
        for (size_t f = 0; f < sizeof fields / sizeof *fields; f++)
            cJSON_DeleteItemFromObjectCaseSensitive(one, fields[f]);
        if (w->fate[i] == LEFT_OUT) cJSON_DeleteItemFromArray(list, k);
        else ok = ok && (w->fate[i] == STAYED || key_renew(one, w)) && fate_add(one, w, i);
    }
    files = cJSON_AddObjectToObject(m, "files");
    tdm_status st = ok && files ? TDM_OK : tdm_nomem(err, "the manifest");
    for (int i = 0; !st && i < 3; i++) st = tdm_manifest_add_files(files, w->side, data_files[i], err);
    for (int i = 0; !st && tdm_models[i]; i++)
        if (w->model[i]) st = tdm_manifest_add_files(files, w->side, tdm_models[i]->path, err);
    char *path = st ? NULL : tdm_path_join(w->side, "tandem.json");
    if (!st) st = path ? tdm_json_write(m, path, err) : tdm_nomem(err, "the manifest");
    tdm_free(path);
    cJSON_Delete(m);
    return st;
}

/* Removes what a crash left of an earlier update: files, and folders of files. */
static tdm_status sweep(const char *folder, int depth, tdm_err *err)
{
    DIR *dir = opendir(folder);
    if (!dir) return errno == ENOENT ? TDM_OK : tdm_fail(err, TDM_E_IO, "%s: %s", folder, strerror(errno));
    tdm_status st = TDM_OK;
    for (struct dirent *e; !st && (e = readdir(dir));) {
        struct stat info;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        char *path = tdm_path_join(folder, e->d_name);
        if (!path) st = tdm_nomem(err, folder);
        else if (!lstat(path, &info) && S_ISDIR(info.st_mode) && depth < 2) st = sweep(path, depth + 1, err);
        else if (unlink(path)) st = tdm_fail(err, TDM_E_IO, "%s: could not be removed: %s", path, strerror(errno));
        tdm_free(path);
    }
    closedir(dir);
    if (!st && rmdir(folder)) st = tdm_fail(err, TDM_E_IO, "%s: could not be removed: %s", folder, strerror(errno));
    return st;
}

/* Gives the folder its name: from then on it is there, whole. */
static tdm_status publish(const updater *w, tdm_err *err)
{
    if (rename(w->side, w->folder))
        return tdm_fail(err, TDM_E_IO, "%s: could not take its name: %s; name a folder that is not there yet",
                        w->folder, strerror(errno));
    tdm_file_settle(w->folder);
    return TDM_OK;
}

/* ---- the answer ---- */

static tdm_status answer_make(char **answer, const updater *w, const char *model, tdm_err *err)
{
    bool refit = false;
    cJSON *o = cJSON_CreateObject(), *list, *one;
    const tdm_dataset *was = w->old->split->train, *now = w->split->train;
    bool ok =
        o && tdm_json_add_text(o, "model", tdm_str_of(w->folder)) && tdm_json_add_text(o, "from", tdm_str_of(model)) &&
        cJSON_AddNumberToObject(o, "events_then", (double)was->N) &&
        cJSON_AddNumberToObject(o, "events_now", (double)now->N) &&
        cJSON_AddNumberToObject(o, "people_changed", (double)w->n_changed) &&
        cJSON_AddNumberToObject(o, "people_new", (double)now->U - (double)was->U) &&
        cJSON_AddNumberToObject(o, "items_new", (double)now->I - (double)was->I) &&
        cJSON_AddNumberToObject(o, "taken_in", taken_in(w)) &&
        cJSON_AddNumberToObject(o, "judged_then", (double)w->judges_then) &&
        cJSON_AddNumberToObject(o, "judged_now", (double)w->judges_now) && (list = cJSON_AddArrayToObject(o, "models"));
    for (int i = 0; ok && tdm_models[i]; i++) {
        if (w->fate[i] == ABSENT) continue;
        ok = (one = cJSON_CreateObject()) && cJSON_AddItemToArray(list, one) &&
             cJSON_AddStringToObject(one, "name", tdm_models[i]->name) && fate_add(one, w, i) &&
             cJSON_AddNumberToObject(one, "seconds", w->seconds[i]);
        refit = refit || wants_fit(w, i);
    }
    ok = ok && cJSON_AddBoolToObject(o, "refit", refit);
    if (ok) return tdm_answer(answer, o, err);
    cJSON_Delete(o);
    return tdm_nomem(err, "the answer");
}

/* ---- the whole ---- */

static tdm_status work(updater *w, char **answer, const char *model, const char *dataset, tdm_err *err)
{
    tdm_status st = tdm_bundle_open(&w->old, model, err);
    if (!st) st = tdm_dataset_open(&w->data, dataset, err);
    if (!st) st = tdm_split_make(&w->split, w->data, &w->old->protocol, err);
    if (!st) st = maps_make(w, dataset, err);
    if (!st) w->fitted = tdm_json_num(w->old->manifest, "fitted_events", (double)w->old->split->train->N);
    if (!st) st = sweep(w->side, 0, err);
    if (!st) st = tdm_folder_make(w->side, err);
    if (!st) st = data_copy(w, dataset, err);
    for (int i = 0; !st && tdm_models[i]; i++)
        if (w->old->model[i]) st = model_make(w, i, err);
    if (!st) st = drift_measure(w, err);
    if (!st) st = manifest_write(w, err);
    if (!st) st = answer_make(answer, w, model, err);
    if (!st && (st = publish(w, err))) {
        tdm_text_free(*answer);
        *answer = NULL;
    }
    return st;
}

tdm_status tdm_pipeline_update(char **answer, const char *model, const char *dataset, const char *folder, tdm_run *run,
                               tdm_err *err)
{
    *answer = NULL;
    if (tdm_folder_exists(folder) || tdm_file_exists(folder))
        return tdm_fail(err, TDM_E_ARG, "%s: is there already; an update makes a new folder", folder);
    updater *w = tdm_new(1, sizeof *w);
    tdm_buf side = {0};
    int length = (int)strlen(folder);
    while (length > 1 && folder[length - 1] == '/') length--; /* the folder beside it, not one inside it */
    tdm_buf_fmt(&side, "%.*s.updating", length, folder);
    tdm_status st = w && !side.failed ? TDM_OK : tdm_nomem(err, folder);
    if (!st) {
        w->folder = folder;
        w->side = side.p;
        w->run = run;
        st = work(w, answer, model, dataset, err);
        if (st) sweep(w->side, 0, NULL);
        for (int i = TDM_MAX_MODELS - 1; i >= 0; i--) tdm_model_close(w->model[i]); /* needs go last */
        tdm_free(w->item_now);
        tdm_free(w->user_now);
        tdm_free(w->changed);
        tdm_split_close(w->split);
        tdm_dataset_close(w->data);
        tdm_bundle_close(w->old);
    }
    tdm_buf_clear(&side);
    tdm_free(w);
    return st;
}
