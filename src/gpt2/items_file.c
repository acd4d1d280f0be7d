/* SPDX-License-Identifier: Apache-2.0 */
/* items_file.c - the folder of gpt2-items.
 *
 *     config.json, model.safetensors   a plain GPT-2; wte is E, so that others get the same logits from it
 *     items.json                       the id of each row, in order, then how a history begins
 *     tandem.safetensors               what it was set to, and the projection P that is part of E
 *
 * items.json is written from the data, so a reader makes it again from its own data and wants the same bytes. */
#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/items_parts.h"
#include "model/stored.h"

#include <math.h>
#include <string.h>

/* ---- names of the rows ---- */

static void rows_json(tdm_buf *b, const tdm_strings *id)
{
    tdm_buf_fmt(b, "{\n  \"begin\": %zu,\n  \"items\": [", id->n);
    for (size_t i = 0; i < id->n; i++) {
        tdm_buf_str(b, i ? ",\n    " : "\n    ");
        tdm_json_quote(b, tdm_strings_at(id, i));
    }
    tdm_buf_str(b, "\n  ]\n}\n");
}

static tdm_status rows_write(const tdm_items *m, const char *path, tdm_err *err)
{
    tdm_buf b = {0};
    rows_json(&b, m->id);
    tdm_status st = b.failed ? tdm_nomem(err, path) : tdm_file_write(path, b.p, b.n, err);
    tdm_buf_clear(&b);
    return st;
}

static tdm_status rows_check(const tdm_items *m, const char *path, tdm_err *err)
{
    tdm_buf b = {0};
    tdm_map map;
    tdm_status st = tdm_map_open(&map, path, err);
    if (st) return st;
    rows_json(&b, m->id);
    if (b.failed) st = tdm_nomem(err, path);
    else if (map.n != b.n || memcmp(map.p, b.p, b.n))
        st = tdm_fail(err, TDM_E_FORMAT, "%s: lists other items than the data's %zu; train gpt2-items again", path,
                      m->I);
    tdm_buf_clear(&b);
    tdm_map_close(&map);
    return st;
}

/* ---- what it was set to ---- */

static tdm_status own_write(const tdm_items *m, const char *path, tdm_err *err)
{
    const tdm_tensor P = tdm_tensor_2d("projection", TDM_F32, m->P, m->K, m->g->s.C);
    return tdm_stored_write(path, m->base.ops->name, &m->p, &P, m->K ? 1 : 0, err);
}

/* The parameters come first: the shape of all else is checked against them. */
static tdm_status own_read(tdm_items *m, const char *path, tdm_err *err)
{
    tdm_safetensors *f;
    const float *P;
    tdm_status st = tdm_stored_open(&f, &m->p, path, m->base.ops->name, tdm_items_params, err);
    if (st) return st;
    size_t C = (size_t)tdm_param_get(&m->p, "channels");
    if (m->K) {
        st = tdm_stored_floats(f, &P, path, "projection", m->K * C, err);
        if (!st && !(m->P = tdm_new(m->K, C * sizeof *m->P))) st = tdm_nomem(err, path);
        if (!st) memcpy(m->P, P, m->K * C * sizeof *P);
    }
    tdm_safetensors_close(f);
    return st;
}

/* ---- the folder ---- */

static tdm_status gpt2_read(tdm_items *m, const char *folder, tdm_err *err)
{
    tdm_status st = tdm_gpt2_load(&m->g, folder, err);
    if (st) return st;
    tdm_gpt2_shape is = m->g->s, want = tdm_items_shape(&m->p, m->I);
    if (is.V != want.V || is.T != want.T || is.C != want.C || is.L != want.L || is.H != want.H)
        return tdm_fail(err, TDM_E_FORMAT,
                        "%s: its GPT-2 has %zu rows, %zu positions, %zu channels, %zu layers and %zu heads where %zu, "
                        "%zu, %zu, %zu and %zu are expected",
                        folder, is.V, is.T, is.C, is.L, is.H, want.V, want.T, want.C, want.L, want.H);
    for (size_t i = 0; i < m->g->n; i++)
        if (!isfinite(m->g->block[i]))
            return tdm_fail(err, TDM_E_FORMAT, "%s: its GPT-2 holds what is not a number", folder);
    return TDM_OK;
}

tdm_status tdm_items_save(const tdm_model *model, const char *path, tdm_err *err)
{
    const tdm_items *m = (const tdm_items *)model;
    char *rows = tdm_path_join(path, "items.json"), *own = tdm_path_join(path, "tandem.safetensors");
    tdm_status st = rows && own ? tdm_folder_make(path, err) : tdm_nomem(err, path);
    if (!st) st = tdm_gpt2_save(m->g, path, err);
    if (!st) st = rows_write(m, rows, err);
    if (!st) st = own_write(m, own, err);
    tdm_free(rows);
    tdm_free(own);
    return st;
}

tdm_status tdm_items_load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                          tdm_err *err)
{
    tdm_items *m = NULL;
    *out = NULL;
    char *rows = tdm_path_join(path, "items.json"), *own = tdm_path_join(path, "tandem.safetensors");
    const tdm_params standard = tdm_params_standard(tdm_items_params);
    tdm_status st = rows && own ? TDM_OK : tdm_nomem(err, path);
    if (!st) st = tdm_items_open(&m, NULL, train, needs ? needs[0] : NULL, &standard, err);
    if (!st) st = own_read(m, own, err);
    if (!st) st = rows_check(m, rows, err);
    if (!st) st = gpt2_read(m, path, err);
    tdm_free(rows);
    tdm_free(own);
    if (!st) *out = &m->base;
    else if (m) tdm_items_close(&m->base);
    return st;
}
