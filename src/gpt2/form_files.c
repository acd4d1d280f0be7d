/* SPDX-License-Identifier: Apache-2.0 */
/* form_files.c - both forms of a model, from what is compiled in, from files named by somebody, from a model's folder.
 */
#include "base/file.h"
#include "base/mem.h"
#include "gpt2/form.h"

#include <stdio.h>

static const char *const names[TDM_FORM_KINDS] = {"review", "history"};

static tdm_status builtin(tdm_forms *out, tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (size_t k = 0; !st && k < TDM_FORM_KINDS; k++)
        st = tdm_form_parse(&out->of[k], names[k], tdm_form_builtin[k], err);
    return st;
}

static tdm_status file_read(tdm_form *out, const char *path, tdm_err *err)
{
    tdm_map map = {0};
    tdm_status st = tdm_map_open(&map, path, err);
    if (!st) st = tdm_form_parse(out, path, (tdm_str){(const char *)map.p, map.n}, err);
    tdm_map_close(&map);
    return st;
}

tdm_status tdm_forms_read(tdm_forms *out, const char *const *paths, size_t n, tdm_err *err)
{
    const char *by[TDM_FORM_KINDS] = {NULL};
    tdm_form *f = n ? tdm_new(1, sizeof *f) : NULL;
    tdm_status st = n && !f ? tdm_nomem(err, "a form") : builtin(out, err);
    for (size_t i = 0; !st && i < n; i++) {
        st = file_read(f, paths[i], err);
        if (!st && by[f->kind])
            st = tdm_fail(err, TDM_E_ARG, "%s and %s: both are forms of a %s; a model has one of each kind",
                          by[f->kind], paths[i], names[f->kind]);
        if (st) break;
        by[f->kind] = paths[i];
        out->of[f->kind] = *f;
    }
    tdm_free(f);
    return st;
}

/* "<folder>/review.txt" */
static tdm_status path_of(char **out, const char *folder, size_t kind, tdm_err *err)
{
    char name[16];
    snprintf(name, sizeof name, "%s.txt", names[kind]);
    *out = tdm_path_join(folder, name);
    return *out ? TDM_OK : tdm_nomem(err, folder);
}

tdm_status tdm_forms_load(tdm_forms *out, const char *folder, tdm_err *err)
{
    tdm_status st = builtin(out, err);
    for (size_t k = 0; !st && k < TDM_FORM_KINDS; k++) {
        char *path;
        st = path_of(&path, folder, k, err);
        if (!st && tdm_file_exists(path)) st = file_read(&out->of[k], path, err);
        if (!st && out->of[k].kind != k)
            st = tdm_fail(err, TDM_E_FORMAT, "%s: is the form of a %s", path, names[out->of[k].kind]);
        tdm_free(path);
    }
    return st;
}

tdm_status tdm_forms_save(const tdm_forms *f, const char *folder, tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (size_t k = 0; !st && k < TDM_FORM_KINDS; k++) {
        char *path;
        st = path_of(&path, folder, k, err);
        if (!st) st = tdm_file_write(path, f->of[k].source, f->of[k].source_n, err);
        tdm_free(path);
    }
    return st;
}
