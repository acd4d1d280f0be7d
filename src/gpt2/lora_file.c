/* SPDX-License-Identifier: Apache-2.0 */
/* lora_file.c - adapters in the layout of the common library (PEFT): adapter_config.json says rank, alpha and which
 * layers, adapter_model.safetensors has for each of them
 *
 *     base_model.model.transformer.h.<layer>.attn.c_attn.lora_A.weight     rank x in
 *     base_model.model.transformer.h.<layer>.attn.c_attn.lora_B.weight     out x rank
 *
 * "fan_in_fan_out" is said to be true, since GPT-2's own matrices are in x out. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/safetensors.h"
#include "gpt2/lora.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME = 96 };

static const char *const sites[TDM_LORA_SITES] = {"attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"};

static void name_make(char out[NAME], size_t layer, int site, char matrix)
{
    snprintf(out, NAME, "base_model.model.transformer.h.%zu.%s.lora_%c.weight", layer, sites[site], matrix);
}

static tdm_status paths_make(char *path[2], const char *folder, tdm_err *err)
{
    path[0] = tdm_path_join(folder, "adapter_config.json");
    path[1] = tdm_path_join(folder, "adapter_model.safetensors");
    return path[0] && path[1] ? TDM_OK : tdm_nomem(err, folder);
}

/* ---- writing ---- */

static tdm_status config_write(const tdm_lora *l, const char *path, const char *base, tdm_err *err)
{
    cJSON *c = cJSON_CreateObject(), *names;
    cJSON_AddStringToObject(c, "peft_type", "LORA");
    cJSON_AddStringToObject(c, "task_type", "CAUSAL_LM");
    cJSON *called = base ? tdm_json_add_text(c, "base_model_name_or_path", (tdm_str){base, strlen(base)})
                         : cJSON_AddNullToObject(c, "base_model_name_or_path");
    cJSON_AddNumberToObject(c, "r", (double)l->o.rank);
    cJSON_AddNumberToObject(c, "lora_alpha", (double)l->o.alpha);
    cJSON_AddNumberToObject(c, "lora_dropout", (double)l->o.dropout);
    names = cJSON_AddArrayToObject(c, "target_modules");
    for (int k = 0; k < TDM_LORA_SITES; k++)
        if (l->o.sites >> k & 1) cJSON_AddItemToArray(names, cJSON_CreateString(sites[k]));
    cJSON_AddBoolToObject(c, "fan_in_fan_out", true);
    cJSON_AddStringToObject(c, "bias", "none");
    cJSON_AddBoolToObject(c, "inference_mode", true);
    tdm_status st = called ? tdm_json_write(c, path, err) : tdm_nomem(err, path);
    cJSON_Delete(c);
    return st;
}

static tdm_status weights_write(const tdm_lora *l, const char *path, tdm_err *err)
{
    static const char *const meta[] = {"format", "pt", NULL};
    size_t most = l->s.L * TDM_LORA_SITES * 2, n = 0;
    tdm_tensor *t = tdm_new(most, sizeof *t);
    char(*name)[NAME] = tdm_new(most, sizeof *name);
    tdm_status st = t && name ? TDM_OK : tdm_nomem(err, path);
    for (size_t layer = 0; !st && layer < l->s.L; layer++)
        for (int site = 0; site < TDM_LORA_SITES; site++) {
            const tdm_adapter a = tdm_lora_at(l, l->block, layer, site);
            if (!a.a) continue;
            name_make(name[n], layer, site, 'A');
            t[n] = tdm_tensor_2d(name[n], TDM_F32, a.a, l->o.rank, a.in);
            name_make(name[n + 1], layer, site, 'B');
            t[n + 1] = tdm_tensor_2d(name[n + 1], TDM_F32, a.b, a.out, l->o.rank);
            n += 2;
        }
    if (!st) st = tdm_safetensors_write(path, t, n, meta, err);
    tdm_free(t);
    tdm_free(name);
    return st;
}

tdm_status tdm_lora_save(const tdm_lora *l, const char *folder, const char *base, tdm_err *err)
{
    char *path[2];
    tdm_status st = paths_make(path, folder, err);
    if (!st) st = config_write(l, path[0], base, err);
    if (!st) st = weights_write(l, path[1], err);
    tdm_free(path[0]);
    tdm_free(path[1]);
    return st;
}

/* ---- reading ---- */

/* A name stands for the layers whose own name ends in it: "c_proj" is two of them. */
static bool names_site(const char *text, int site)
{
    size_t n = strlen(text), all = strlen(sites[site]);
    return n && n <= all && !strcmp(sites[site] + all - n, text) && (n == all || sites[site][all - n - 1] == '.');
}

static tdm_status sites_read(unsigned *out, const cJSON *c, const char *path, tdm_err *err)
{
    const cJSON *names = cJSON_GetObjectItemCaseSensitive(c, "target_modules"), *one;
    *out = 0;
    cJSON_ArrayForEach(one, names)
    {
        unsigned found = 0;
        for (int k = 0; cJSON_IsString(one) && k < TDM_LORA_SITES; k++)
            if (names_site(one->valuestring, k)) found |= 1u << k;
        if (!found)
            return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: target_modules has %.40s, which is no linear layer of a block",
                            path, cJSON_IsString(one) ? one->valuestring : "what is no name");
        *out |= found;
    }
    return *out ? TDM_OK : tdm_fail(err, TDM_E_FORMAT, "%s: target_modules names no layers", path);
}

/* Kinds of adapters that would say something else with the same tensors. */
static tdm_status kind_check(const cJSON *c, const char *path, tdm_err *err)
{
    static const char *const others[] = {"use_dora", "use_rslora", "lora_bias"};
    static const char *const patterns[] = {"rank_pattern", "alpha_pattern", "modules_to_save", "layers_to_transform"};
    if (strcmp(tdm_json_str(c, "peft_type", ""), "LORA"))
        return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: peft_type is not LORA", path);
    if (strcmp(tdm_json_str(c, "bias", "none"), "none"))
        return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: bias is not \"none\"", path);
    for (size_t k = 0; k < sizeof others / sizeof *others; k++)
        if (tdm_json_bool(c, others[k], false))
            return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: %s is not read", path, others[k]);
    for (size_t k = 0; k < sizeof patterns / sizeof *patterns; k++) {
        const cJSON *p = cJSON_GetObjectItemCaseSensitive(c, patterns[k]);
        if (p && !cJSON_IsNull(p) && cJSON_GetArraySize(p))
            return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: %s is not read", path, patterns[k]);
    }
    return TDM_OK;
}

static tdm_status config_read(tdm_lora_options *o, const char *path, tdm_err *err)
{
    cJSON *c;
    *o = (tdm_lora_options){0};
    tdm_status st = tdm_json_read(&c, path, err);
    if (st) return st;
    double rank = tdm_json_num(c, "r", 0), alpha = tdm_json_num(c, "lora_alpha", 8),
           dropout = tdm_json_num(c, "lora_dropout", 0);
    st = kind_check(c, path, err);
    if (!st &&
        !(rank >= 1 && rank <= 65536 && rank == floor(rank) && alpha > 0 && alpha < 1e6 && dropout >= 0 && dropout < 1))
        st = tdm_fail(err, TDM_E_FORMAT, "%s: r, lora_alpha or lora_dropout is not what it may be", path);
    if (!st) {
        *o = (tdm_lora_options){.rank = (size_t)rank, .alpha = (float)alpha, .dropout = (float)dropout};
        st = sites_read(&o->sites, c, path, err);
    }
    cJSON_Delete(c);
    return st;
}

static tdm_status matrix_read(float *out, const tdm_safetensors *file, const char *path, size_t layer, int site,
                              char matrix, size_t rows, size_t columns, tdm_err *err)
{
    char name[NAME];
    name_make(name, layer, site, matrix);
    const tdm_tensor *t = tdm_safetensors_find(file, name);
    if (!t || t->dtype != TDM_F32 || t->dims != 2 || t->shape[0] != rows || t->shape[1] != columns)
        return tdm_fail(err, TDM_E_FORMAT, "%s: there is no tensor %s of %zu x %zu F32", path, name, rows, columns);
    memcpy(out, t->data, rows * columns * sizeof *out);
    for (size_t i = 0; i < rows * columns; i++)
        if (!isfinite(out[i])) return tdm_fail(err, TDM_E_FORMAT, "%s: tensor %s holds what is no number", path, name);
    return TDM_OK;
}

static tdm_status weights_read(tdm_lora *l, const char *path, tdm_err *err)
{
    tdm_safetensors *file;
    size_t read = 0;
    tdm_status st = tdm_safetensors_open(&file, path, err);
    for (size_t layer = 0; !st && layer < l->s.L; layer++)
        for (int site = 0; !st && site < TDM_LORA_SITES; site++) {
            const tdm_adapter a = tdm_lora_at(l, l->block, layer, site);
            if (!a.a) continue;
            st = matrix_read(a.a, file, path, layer, site, 'A', l->o.rank, a.in, err);
            if (!st) st = matrix_read(a.b, file, path, layer, site, 'B', a.out, l->o.rank, err);
            read += 2;
        }
    if (!st && read != tdm_safetensors_n(file))
        st = tdm_fail(err, TDM_E_FORMAT, "%s: has %zu tensors, where the configuration and the model need %zu", path,
                      tdm_safetensors_n(file), read);
    tdm_safetensors_close(file);
    return st;
}

tdm_status tdm_lora_load(tdm_lora **out, tdm_gpt2_shape s, const char *folder, tdm_err *err)
{
    char *path[2];
    tdm_lora_options o;
    *out = NULL;
    tdm_status st = paths_make(path, folder, err);
    if (!st) st = config_read(&o, path[0], err);
    if (!st) st = tdm_lora_open(out, s, &o, err);
    if (!st) st = weights_read(*out, path[1], err);
    if (st) {
        tdm_lora_close(*out);
        *out = NULL;
    }
    tdm_free(path[0]);
    tdm_free(path[1]);
    return st;
}
