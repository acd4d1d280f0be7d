/* SPDX-License-Identifier: Apache-2.0 */
/* forget.c - a person taken out of a dataset folder, and what trained models still know of them.
 *
 * The folder is written anew beside the old one, as "<folder>.forgetting", and the two change names in one step; so
 * after a crash at any moment the folder is the old one or the new one, whole. What else lay in it moves over. A
 * "<folder>.forgetting" that a crash left is tidied away by the next call.
 *
 * A model cannot unlearn: what is trained on a person is said, file by file, and training again is what removes it. */
#define _GNU_SOURCE /* renameat2 */
#include "api/answer.h"
#include "api/registry.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/spell.h"
#include "data/build.h"
#include "data/health.h"
#include "data/without.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const data_files[] = {"dataset.safetensors", "text.safetensors", "dataset.json"};

static tdm_status holds_file(bool *yes, const char *folder, const char *name, tdm_err *err)
{
    char *path = tdm_path_join(folder, name);
    if (!path) return tdm_nomem(err, name);
    *yes = tdm_file_exists(path);
    tdm_free(path);
    return TDM_OK;
}

static tdm_status is_model(bool *yes, const char *folder, tdm_err *err)
{
    bool trained = false, training = false;
    tdm_status st = holds_file(&trained, folder, "tandem.json", err);
    if (!st) st = holds_file(&training, folder, "progress.json", err);
    *yes = trained || training;
    return st;
}

static tdm_status json_of(cJSON **out, const char *folder, const char *name, tdm_err *err)
{
    char *path = tdm_path_join(folder, name);
    tdm_status st = path ? tdm_json_read(out, path, err) : tdm_nomem(err, name);
    tdm_free(path);
    return st;
}

/* ---- the folder ---- */

/* Whether a file is one of ours, or one that a crash left half written. */
static bool is_data(const char *name)
{
    for (size_t k = 0; k < sizeof data_files / sizeof *data_files; k++) {
        size_t n = strlen(data_files[k]);
        if (!strncmp(name, data_files[k], n) && (!name[n] || !strcmp(name + n, ".tmp"))) return true;
    }
    return false;
}

/* Empties and removes the folder `side`: the data goes, anything else moves into `folder`. */
static tdm_status settle(const char *side, const char *folder, tdm_err *err)
{
    DIR *dir = opendir(side);
    if (!dir)
        return errno == ENOENT ? TDM_OK : tdm_fail(err, TDM_E_IO, "%s: cannot be listed: %s", side, strerror(errno));
    tdm_status st = TDM_OK;
    for (struct dirent *e; !st && (e = readdir(dir));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        char *from = tdm_path_join(side, e->d_name), *to = tdm_path_join(folder, e->d_name);
        if (!from || !to) st = tdm_nomem(err, side);
        else if (is_data(e->d_name) ? unlink(from) : rename(from, to))
            st = tdm_fail(err, TDM_E_IO, "%s: could not be %s: %s", from, is_data(e->d_name) ? "removed" : "moved",
                          strerror(errno));
        tdm_free(from);
        tdm_free(to);
    }
    closedir(dir);
    if (!st && rmdir(side)) st = tdm_fail(err, TDM_E_IO, "%s: could not be removed: %s", side, strerror(errno));
    return st;
}

/* Gives the folder `side` the name of `folder` and the other way round. */
static tdm_status exchange(const char *side, const char *folder, tdm_err *err)
{
    if (renameat2(AT_FDCWD, side, AT_FDCWD, folder, RENAME_EXCHANGE))
        return tdm_fail(err, TDM_E_IO, "%s: could not change places with %s: %s; nothing was changed", side, folder,
                        strerror(errno));
    char *slash = strrchr(folder, '/'), *parent = slash ? tdm_strndup(folder, (size_t)(slash - folder) + 1) : NULL;
    int fd = parent ? open(parent, O_RDONLY | O_DIRECTORY) : -1; /* the change itself must be on the disk */
    if (fd >= 0) fsync(fd), close(fd);
    tdm_free(parent);
    return TDM_OK;
}

/* An empty folder that lets in whom `folder` lets in. */
static tdm_status side_make(const char *side, const char *folder, tdm_err *err)
{
    struct stat info;
    tdm_status st = tdm_folder_make(side, err);
    if (!st && (stat(folder, &info) || chmod(side, info.st_mode & 07777)))
        st = tdm_fail(err, TDM_E_IO, "%s: could not be given the rights of %s: %s", side, folder, strerror(errno));
    return st;
}

static tdm_status health_renew(cJSON **out, const char *folder, const tdm_dataset *d, tdm_run *run, tdm_err *err)
{
    cJSON *index;
    *out = NULL;
    tdm_status st = json_of(&index, folder, "dataset.json", err);
    if (st) return st;
    *out = cJSON_DetachItemFromObjectCaseSensitive(index, "health");
    cJSON_Delete(index);
    if (!cJSON_IsObject(*out)) return TDM_OK; /* a dataset written without one stays without */
    return tdm_health_add(*out, d, run, err);
}

static tdm_status rewrite(const char *folder, const tdm_dataset *d, tdm_run *run, tdm_err *err)
{
    cJSON *health = NULL;
    tdm_buf side = {0};
    tdm_buf_fmt(&side, "%s.forgetting", folder);
    tdm_status st = side.failed ? tdm_nomem(err, folder) : settle(side.p, folder, err);
    if (!st) st = health_renew(&health, folder, d, run, err);
    if (!st) st = tdm_run_check(run, "forget", err);
    if (!st) {
        st = side_make(side.p, folder, err);
        if (!st) st = tdm_dataset_save(d, side.p, health, err);
        if (!st) st = exchange(side.p, folder, err);
        tdm_status tidy = settle(side.p, folder, st ? NULL : err);
        if (!st) st = tidy;
    }
    cJSON_Delete(health);
    tdm_buf_clear(&side);
    return st;
}

/* ---- what models hold ---- */

/* What the saved files of a model say of one of many people it was trained on. */
static const char *what_is_held(const char *model)
{
    static const char *const table[][2] = {
        {"popularity", "counts of each item; theirs are among them"},
        {"recent", "when each item was chosen; their times are among them, without a name"},
        {"category-popularity", "counts of each item; theirs are among them"},
        {"transitions", "which item comes right after which, by how many people; theirs are among them"},
        {"user-knn",
         "nothing of its own: it asks the rows in the folder's dataset, and theirs are a neighbour's to others"},
        {"item-knn", "which items go together, by how many people have both; theirs are among them"},
        {"cooccurrence", "which item comes after which, by how many people; theirs are among them"},
        {"ease", "which items go together, fitted to many people; their choices are among them"},
        {"slist", "which items follow which, fitted to many people; their choices are among them"},
        {"ials", "points of items, fitted to many people's choices; no point of a person is kept"},
        {"mf", "points of items, fitted to many people's ratings; no point of a person is kept"},
        {"svdpp", "points of items, fitted to many people's ratings and choices; no point of a person is kept"},
        {"content", "words of items; of their summaries where an item has no other words"},
        {"gpt2-items", "weights trained on the sequence of their items"},
        {"gpt2-words", "weights trained on their texts and items, and pieces of words counted in their texts"},
        {"hybrid", "weights learned from many people's held-out choices; theirs may be among them"},
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
        if (!strcmp(table[k][0], model)) return table[k][1];
    return "what it learned from all rows; theirs are among them";
}

static bool held_add(cJSON *list, const char *name, const char *path, const char *text)
{
    cJSON *o = cJSON_CreateObject();
    if (!o || !cJSON_AddItemToArray(list, o)) {
        cJSON_Delete(o);
        return false;
    }
    return cJSON_AddStringToObject(o, "name", name) && tdm_json_add_text(o, "path", tdm_str_of(path)) &&
           cJSON_AddStringToObject(o, "holds", text);
}

static tdm_status held_models(cJSON *list, const char *folder, tdm_err *err)
{
    char checkpoint[80];
    bool there = false;
    tdm_status st = TDM_OK;
    for (int i = 0; !st && tdm_models[i]; i++) {
        const char *name = tdm_models[i]->name;
        char *path = tdm_path_join(folder, tdm_models[i]->path);
        if (!path) return tdm_nomem(err, folder);
        there = tdm_file_exists(path) || tdm_folder_exists(path);
        tdm_free(path);
        if (there && !held_add(list, name, tdm_models[i]->path, what_is_held(name))) st = tdm_nomem(err, folder);
        snprintf(checkpoint, sizeof checkpoint, "%.60s.checkpoint", name);
        if (!st) st = holds_file(&there, folder, checkpoint, err);
        if (!st && there && !held_add(list, name, checkpoint, "weights of a training that was interrupted"))
            st = tdm_nomem(err, folder);
    }
    if (!st) st = holds_file(&there, folder, "report.json", err);
    if (!st && there &&
        !held_add(list, "report", "report.json, report.html", "figures over many people, and the data's health"))
        st = tdm_nomem(err, folder);
    return st;
}

static tdm_status model_add(cJSON *list, double *rows, const char *folder, tdm_str user, tdm_err *err)
{
    bool model = false;
    tdm_dataset *d = NULL;
    tdm_status st = is_model(&model, folder, err);
    if (!st && !model)
        st = tdm_fail(err, TDM_E_ARG, "%s: is no model folder; forget takes one dataset folder and then model folders",
                      folder);
    if (!st) st = tdm_dataset_open(&d, folder, err);
    if (st) return st;
    uint32_t u = tdm_dataset_user(d, user);
    double held = u == TDM_NONE ? 0 : (double)(d->offset[u + 1] - d->offset[u]);
    tdm_dataset_close(d);
    *rows += held;
    cJSON *o = cJSON_CreateObject(), *holds;
    if (!o || !cJSON_AddItemToArray(list, o)) {
        cJSON_Delete(o);
        return tdm_nomem(err, folder);
    }
    if (!tdm_json_add_text(o, "folder", tdm_str_of(folder)) || !cJSON_AddNumberToObject(o, "interactions", held) ||
        !(holds = cJSON_AddArrayToObject(o, "holds")))
        return tdm_nomem(err, folder);
    if (held > 0 &&
        !held_add(holds, "dataset", "dataset.json, dataset.safetensors, text.safetensors", "their id, rows and texts"))
        return tdm_nomem(err, folder);
    return held > 0 ? held_models(holds, folder, err) : TDM_OK;
}

/* ---- the whole ---- */

static tdm_status not_found(const tdm_dataset *d, const char *folder, tdm_str id, tdm_err *err)
{
    size_t near[3], n = tdm_spell_nearest(near, 3, id, &d->user_id);
    tdm_buf names = {0};
    for (size_t i = 0; i < n; i++)
        tdm_buf_fmt(&names, "%s%.*s", i ? ", " : "", TDM_STR_ARG(tdm_strings_at(&d->user_id, near[i])));
    if (n)
        tdm_fail(err, TDM_E_ARG, "there is no person \"%.*s\" in %s; the nearest by spelling: %s", TDM_STR_ARG(id),
                 folder, names.p ? names.p : "");
    else
        tdm_fail(err, TDM_E_ARG, "there is no person \"%.*s\" among the %zu of %s, nor one spelled like it",
                 TDM_STR_ARG(id), d->U, folder);
    tdm_buf_clear(&names);
    return TDM_E_ARG;
}

static tdm_status forget(cJSON *o, const char *folder, tdm_str id, double held, tdm_run *run, tdm_err *err)
{
    tdm_dataset *d, *left = NULL;
    tdm_status st = tdm_dataset_open(&d, folder, err);
    if (st) return st;
    uint32_t u = tdm_dataset_user(d, id);
    size_t gone = 0;
    if (u != TDM_NONE) {
        gone = (size_t)(d->offset[u + 1] - d->offset[u]);
        if (d->U == 1) st = tdm_fail(err, TDM_E_ARG, "%s: holds no other person; delete the folder instead", folder);
        if (!st) st = tdm_dataset_without(&left, d, u, err);
        if (!st) st = rewrite(folder, left, run, err);
    } else if (held == 0) { /* where a model has them, they may have been forgotten here before */
        st = not_found(d, folder, id, err);
    }
    const tdm_dataset *now = left ? left : d;
    if (!st &&
        !(cJSON_AddNumberToObject(o, "removed", (double)gone) && cJSON_AddNumberToObject(o, "users", (double)now->U) &&
          cJSON_AddNumberToObject(o, "items", (double)now->I) &&
          cJSON_AddNumberToObject(o, "interactions", (double)now->N)))
        st = tdm_nomem(err, folder);
    tdm_dataset_close(left);
    tdm_dataset_close(d);
    return st;
}

/* Names of what lies in the folder beside the dataset and was not looked into. */
static tdm_status others_add(cJSON *list, const char *folder, tdm_err *err)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);
    if (n < 0) return tdm_fail(err, TDM_E_IO, "%s: cannot be listed: %s", folder, strerror(errno));
    tdm_status st = TDM_OK;
    cJSON *holder = cJSON_CreateObject();
    for (int i = 0; i < n; i++) {
        const char *name = names[i]->d_name;
        bool ours = is_data(name) || !strcmp(name, ".") || !strcmp(name, "..");
        if (!st && !ours) {
            cJSON *s = tdm_json_add_text(holder, "s", tdm_str_of(name));
            if (!s || !cJSON_AddItemToArray(list, cJSON_DetachItemViaPointer(holder, s))) st = tdm_nomem(err, folder);
        }
        free(names[i]);
    }
    free(names);
    cJSON_Delete(holder);
    return st;
}

tdm_status tdm_forget(char **answer, const char *dataset, const char *user, const char *const *models, size_t n,
                      tdm_run *run, tdm_err *err)
{
    bool model = false;
    double held = 0;
    *answer = NULL;
    char *folder = realpath(dataset, NULL); /* "." and links have no name of their own to change */
    if (!folder) return tdm_fail(err, TDM_E_IO, "%s: %s", dataset, strerror(errno));
    cJSON *o = cJSON_CreateObject(), *list = cJSON_CreateArray(), *others = cJSON_CreateArray();
    bool ok = o && list && others && tdm_json_add_text(o, "user", tdm_str_of(user)) &&
              tdm_json_add_text(o, "dataset", tdm_str_of(dataset));
    tdm_status st = ok ? is_model(&model, dataset, err) : tdm_nomem(err, dataset);
    if (!st && model)
        st = tdm_fail(err, TDM_E_ARG,
                      "%s: is a model folder, and a model cannot unlearn; forget the person in the dataset it was "
                      "trained on (after fit: copy its dataset.json, dataset.safetensors and text.safetensors to a "
                      "folder of their own) and train again on that",
                      dataset);
    for (size_t k = 0; !st && k < n; k++) st = model_add(list, &held, models[k], tdm_str_of(user), err);
    if (!st) st = forget(o, folder, tdm_str_of(user), held, run, err);
    if (!st) st = others_add(others, folder, err);
    if (others) cJSON_AddItemToObject(o, "other_files", others);
    if (list) cJSON_AddItemToObject(o, "models", list);
    free(folder);
    if (!st) return tdm_answer(answer, o, err);
    cJSON_Delete(o);
    return st;
}
