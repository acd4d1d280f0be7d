/* SPDX-License-Identifier: Apache-2.0 */
/* prepare.c - raw files to a dataset folder. */
#include "base/mem.h"
#include "data/load.h"

#include <unistd.h>

/* Of the memory to use, half is for rows: what is read, cleaned and sorted at a time, and the ids, need the rest. */
static size_t rows_budget(size_t memory)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (!memory && pages > 0 && page > 0) memory = (size_t)pages * (size_t)page / 2;
    return memory / 2;
}

tdm_status tdm_pipeline_prepare(char **health, const char *folder, const tdm_options *o, tdm_run *run, tdm_err *err)
{
    tdm_builder *b = NULL;
    tdm_dataset *d = NULL;
    tdm_load l = {0};
    tdm_left_out left;
    cJSON *table = NULL;
    *health = NULL;
    tdm_status st = tdm_builder_open(&b, run->seed, err);
    if (!st) {
        tdm_builder_use(b, run, folder, rows_budget(o->memory));
        st = tdm_load_files(&l, b, o, run, err);
    }
    if (!st) st = tdm_builder_write(&d, b, folder, o->core, &left, err);
    tdm_builder_close(b);
    if (!st && !d)
        st = o->core > 1 ? tdm_fail(err, TDM_E_ARG, "--core %zu leaves no interaction; use a smaller one", o->core)
                         : tdm_fail(err, TDM_E_FORMAT, "%s: no interaction is left after cleaning", o->sources[0]);
    if (!st) st = tdm_health(&table, d, &left, &l, run, err);
    tdm_log(run, TDM_LOG_DEBUG, "prepare", "counted");
    if (!st) st = tdm_run_check(run, "prepare", err);
    if (!st) st = tdm_dataset_seal(d, folder, table, err);
    else tdm_dataset_drop(folder);
    char *text = st ? NULL : cJSON_PrintUnformatted(table);
    if (!st && !(*health = text ? tdm_strdup(text) : NULL)) st = tdm_nomem(err, "the health table");
    cJSON_free(text);
    cJSON_Delete(table);
    tdm_load_clear(&l);
    tdm_dataset_close(d);
    return st;
}
