/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c - the files of a model folder and their sums. */
#include "api/bundle.h"

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tdm_status add_file(cJSON *files, const char *folder, const char *path, tdm_err *err)
{
    char sum[65], *full = tdm_path_join(folder, path);
    if (!full) return tdm_nomem(err, path);
    tdm_status st = tdm_file_sha256(sum, full, err);
    if (!st && !cJSON_AddStringToObject(files, path, sum)) st = tdm_nomem(err, path);
    tdm_free(full);
    return st;
}

static int not_hidden(const struct dirent *d) { return d->d_name[0] != '.' && !strstr(d->d_name, ".tmp"); }

tdm_status tdm_manifest_add_files(cJSON *files, const char *folder, const char *path, tdm_err *err)
{
    char *full = tdm_path_join(folder, path);
    if (!full) return tdm_nomem(err, path);
    tdm_status st = TDM_OK;
    if (!tdm_folder_exists(full)) {
        st = add_file(files, folder, path, err);
    } else {
        struct dirent **names;
        int n = scandir(full, &names, not_hidden, alphasort);
        if (n < 0) st = tdm_fail(err, TDM_E_IO, "%s: could not be listed: %s", full, strerror(errno));
        for (int i = 0; i < n; i++) {
            char *inner = tdm_path_join(path, names[i]->d_name);
            if (!st) st = inner ? add_file(files, folder, inner, err) : tdm_nomem(err, path);
            tdm_free(inner);
            free(names[i]);
        }
        if (n >= 0) free(names);
    }
    tdm_free(full);
    return st;
}

tdm_status tdm_manifest_check(const cJSON *manifest, const char *folder, tdm_err *err)
{
    const cJSON *f;
    cJSON_ArrayForEach(f, cJSON_GetObjectItemCaseSensitive(manifest, "files"))
    {
        char sum[65], *full = NULL;
        if (strstr(f->string, "..") || f->string[0] == '/')
            return tdm_fail(err, TDM_E_FORMAT, "%s/tandem.json: names a file outside its folder: %.80s", folder,
                            f->string);
        if (!(full = tdm_path_join(folder, f->string))) return tdm_nomem(err, folder);
        tdm_status st = tdm_file_sha256(sum, full, err);
        if (!st && (!cJSON_IsString(f) || strcmp(sum, f->valuestring)))
            st = tdm_fail(err, TDM_E_FORMAT,
                          "%s: is not the file that training wrote (its SHA-256 differs); train again", full);
        tdm_free(full);
        if (st) return st;
    }
    return TDM_OK;
}
