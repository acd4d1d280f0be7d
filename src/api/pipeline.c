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
    if (!st) st = tdm_dataset_copy(dataset, folder, err);
    if (!st) st = tdm_train_folder(folder, o, NULL, run, err);
    return st ? st : summary_make(summary, folder, err);
}

tdm_status tdm_pipeline_tune(char **evaluation, const char *dataset, const char *folder, const tdm_options *o,
                             tdm_run *run, tdm_err *err)
{
    *evaluation = NULL;
    tdm_status st = tdm_settings_check(o, err);
    if (!st) st = tdm_dataset_copy(dataset, folder, err);
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
