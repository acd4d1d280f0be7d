/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline.c - from raw files to a judged model folder, in the three steps that are verbs of their own.
 *
 * `fit` prepares into the model folder itself, each time anew: preparing is quick beside training, equal sources give
 * equal bytes, and so what was trained before an interruption still fits, while a source that changed is noticed. */
#include "api/answer.h"
#include "api/settings.h"
#include "api/train.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Whether both names are one folder. */
static bool same_folder(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static tdm_status copy_file(const char *from, const char *to, const char *name, tdm_err *err)
{
    char *source = tdm_path_join(from, name), *target = tdm_path_join(to, name);
    tdm_map map = {0};
    tdm_status st = source && target ? tdm_map_open(&map, source, err) : tdm_nomem(err, name);
    if (!st) st = tdm_file_write(target, map.p, map.n, err);
    tdm_map_close(&map);
    tdm_free(source);
    tdm_free(target);
    return st;
}

/* A model folder carries its own data, so that it can be moved and asked alone. */
static tdm_status dataset_copy(const char *from, const char *to, tdm_err *err)
{
    static const char *const names[] = {"dataset.safetensors", "text.safetensors", "dataset.json"};
    char *index = tdm_path_join(from, "dataset.json");
    if (!index) return tdm_nomem(err, from);
    tdm_status st = TDM_OK;
    if (!tdm_file_exists(index))
        st = tdm_fail(err, TDM_E_IO,
                      "%s: is no dataset folder: there is no dataset.json in it; run tandem prepare first", from);
    tdm_free(index);
    if (!st) st = tdm_folder_make(to, err);
    if (st || same_folder(from, to)) return st;
    for (size_t i = 0; !st && i < sizeof names / sizeof *names; i++) st = copy_file(from, to, names[i], err);
    return st;
}

/* What training.json has, as the answer. */
static tdm_status summary_make(char **summary, const char *folder, tdm_err *err)
{
    cJSON *o = cJSON_CreateObject(), *measured = NULL;
    char *path = tdm_path_join(folder, "training.json");
    tdm_status st = path ? tdm_json_read(&measured, path, err) : tdm_nomem(err, folder);
    tdm_free(path);
    tdm_json_add_text(o, "model", tdm_str_of(folder));
    if (measured) cJSON_AddItemToObject(o, "training", measured);
    if (!st) return tdm_answer(summary, o, err);
    cJSON_Delete(o);
    return st;
}

tdm_status tdm_pipeline_train(char **summary, const char *dataset, const char *folder, const tdm_options *o,
                              tdm_run *run, tdm_err *err)
{
    *summary = NULL;
    tdm_status st = tdm_settings_check(o, err);
    if (!st) st = dataset_copy(dataset, folder, err);
    if (!st) st = tdm_train_folder(folder, o, NULL, run, err);
    return st ? st : summary_make(summary, folder, err);
}

tdm_status tdm_pipeline_tune(char **evaluation, const char *dataset, const char *folder, const tdm_options *o,
                             tdm_run *run, tdm_err *err)
{
    *evaluation = NULL;
    tdm_status st = tdm_settings_check(o, err);
    if (!st) st = dataset_copy(dataset, folder, err);
    if (!st) st = tdm_tune_folder(folder, o, run, err);
    return st ? st : tdm_pipeline_evaluate(evaluation, folder, o, run, err);
}

/* A line where rows could not be used: who only sees the end of a fit should know what it stands on. */
static void say_left_out(const char *folder, const char *health, tdm_run *run)
{
    cJSON *table = NULL;
    const cJSON *reason;
    tdm_buf reasons = {0};
    double n = 0;
    if (tdm_json_parse(&table, health, strlen(health), "the health table", NULL)) return;
    cJSON_ArrayForEach(reason, cJSON_GetObjectItemCaseSensitive(table, "rejected"))
    {
        if (!cJSON_IsNumber(reason)) continue;
        n += reason->valuedouble;
        tdm_buf_fmt(&reasons, "%s%s", reasons.n ? ", " : "", reason->string);
    }
    if (n > 0 && !reasons.failed)
        tdm_log(run, TDM_LOG_WARN, "prepare",
                "%.0f of %.0f rows could not be used (%s); `tandem inspect %s` shows the data's health", n,
                tdm_json_num(table, "rows_read", 0), reasons.p, folder);
    tdm_buf_clear(&reasons);
    cJSON_Delete(table);
}

tdm_status tdm_pipeline_fit(char **evaluation, const char *folder, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    char *health = NULL;
    *evaluation = NULL;
    tdm_status st = tdm_settings_check(o, err);
    if (!st) st = tdm_pipeline_prepare(&health, folder, o, run, err);
    if (!st) say_left_out(folder, health, run);
    tdm_text_free(health);
    if (!st) st = tdm_train_folder(folder, o, NULL, run, err);
    return st ? st : tdm_pipeline_evaluate(evaluation, folder, o, run, err);
}
