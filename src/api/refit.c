/* SPDX-License-Identifier: Apache-2.0 */
/* refit.c - the folder that is trained: alone, or twice.
 *
 *     FOLDER/before   fitted on training rows, everything chosen by validation: settings, lengths, the fusion
 *     FOLDER          the same settings and lengths on training and validation rows; the fusion as it was learned
 *
 * Both are whole model folders that are gone on with after an interruption; FOLDER's manifest is written last. */
#include "api/train.h"
#include "base/file.h"
#include "base/mem.h"

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

tdm_status tdm_dataset_copy(const char *from, const char *to, tdm_err *err)
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

tdm_status tdm_train_folder(const char *folder, const tdm_options *o, const tdm_chooser *chooser, tdm_run *run,
                            tdm_err *err)
{
    bool files = o->split && !strcmp(o->split, "files"); /* its validation is a drawn part of the training file */
    if (!o->refit && !files) return tdm_train_once(folder, o, chooser, NULL, run, err);
    tdm_options choosing = *o, again = *o;
    char *before = tdm_path_join(folder, "before");
    choosing.refit = 0;
    again.refit = 1;
    tdm_status st = before ? tdm_dataset_copy(folder, before, err) : tdm_nomem(err, folder);
    if (!st) st = tdm_train_once(before, &choosing, chooser, NULL, run, err);
    if (!st) tdm_log(run, TDM_LOG_INFO, "refit", "what validation chose is fitted again, with its rows");
    if (!st) st = tdm_train_once(folder, &again, NULL, before, run, err);
    tdm_free(before);
    return st;
}
