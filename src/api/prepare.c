/* SPDX-License-Identifier: Apache-2.0 */
/* prepare.c - raw files to a dataset folder. */
#include "base/mem.h"
#include "data/load.h"

tdm_status tdm_pipeline_prepare(char **health, const char *folder, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    tdm_builder *b = NULL;
    tdm_dataset *d = NULL;
    tdm_load l = {0};
    cJSON *table = NULL;
    *health = NULL;
    tdm_status st = tdm_builder_open(&b, run->seed, err);
    if (!st) st = tdm_load_files(&l, b, o, run, err);
    if (!st) st = tdm_builder_finish(&d, b, o->core, err);
    if (!st && !d->N)
        st = o->core > 1 ? tdm_fail(err, TDM_E_ARG, "--core %zu leaves no interaction; use a smaller one", o->core)
                         : tdm_fail(err, TDM_E_FORMAT, "%s: no interaction is left after cleaning", o->sources[0]);
    if (!st) st = tdm_health(&table, d, b, &l, err);
    if (!st) st = tdm_run_check(run, "prepare", err);
    if (!st) st = tdm_dataset_save(d, folder, table, err);
    char *text = st ? NULL : cJSON_PrintUnformatted(table);
    if (!st && !(*health = text ? tdm_strdup(text) : NULL)) st = tdm_nomem(err, "the health table");
    cJSON_free(text);
    cJSON_Delete(table);
    tdm_load_clear(&l);
    tdm_dataset_close(d);
    tdm_builder_close(b);
    return st;
}
