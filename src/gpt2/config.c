/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - a GPT-2's config.json. What we do not know of it is kept as it was read. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "gpt2/folder.h"

#include <math.h>
#include <string.h>

static size_t size_of(const cJSON *config, const char *key, double otherwise)
{
    double x = tdm_json_num(config, key, otherwise);
    return x >= 1 && x <= 0x1p40 && x == floor(x) ? (size_t)x : 0;
}

/* What the published model fixes must not say otherwise. */
static tdm_status config_check(const cJSON *c, const char *path, tdm_err *err)
{
    const char *type = tdm_json_str(c, "model_type", "gpt2"),
               *gelu = tdm_json_str(c, "activation_function", "gelu_new");
    if (strcmp(type, "gpt2")) return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: is a \"%.40s\", not a gpt2", path, type);
    if (strcmp(gelu, "gelu_new") && strcmp(gelu, "gelu_pytorch_tanh"))
        return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: activation \"%.40s\" is not GPT-2's gelu_new", path, gelu);
    if (tdm_json_num(c, "layer_norm_epsilon", 1e-5) != 1e-5)
        return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: layer_norm_epsilon is not GPT-2's 1e-5", path);
    if (tdm_json_bool(c, "scale_attn_by_inverse_layer_idx", false) || !tdm_json_bool(c, "scale_attn_weights", true) ||
        !tdm_json_bool(c, "tie_word_embeddings", true))
        return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: its attention scaling or untied output is not GPT-2's", path);
    return TDM_OK;
}

tdm_status tdm_gpt2_config_read(tdm_gpt2_shape *s, cJSON **config, const char *folder, tdm_err *err)
{
    char *path = tdm_path_join(folder, "config.json");
    cJSON *c = NULL;
    *config = NULL;
    tdm_status st = path ? tdm_json_read(&c, path, err) : tdm_nomem(err, folder);
    if (!st) st = config_check(c, path, err);
    if (!st) {
        *s = (tdm_gpt2_shape){.V = size_of(c, "vocab_size", 0),
                              .T = size_of(c, "n_positions", tdm_json_num(c, "n_ctx", 0)),
                              .C = size_of(c, "n_embd", 0),
                              .L = size_of(c, "n_layer", 0),
                              .H = size_of(c, "n_head", 0)};
        st = tdm_gpt2_shape_check(s, path, err) ? TDM_E_FORMAT : TDM_OK;
    }
    if (!st && size_of(c, "n_inner", (double)(4 * s->C)) != 4 * s->C)
        st = tdm_fail(err, TDM_E_UNSUPPORTED, "%s: n_inner is not four times n_embd", path);
    if (st) cJSON_Delete(c);
    else *config = c;
    tdm_free(path);
    return st;
}

/* Sets a member, in its place where it is there; what says the same already stays. False: memory is short. */
static bool set(cJSON *o, const char *key, cJSON *value)
{
    const cJSON *is = cJSON_GetObjectItemCaseSensitive(o, key);
    bool same = is && value && cJSON_Compare(is, value, true), done = same;
    if (value && !same)
        done = is ? cJSON_ReplaceItemInObjectCaseSensitive(o, key, value) : cJSON_AddItemToObject(o, key, value);
    if (same || !done) cJSON_Delete(value);
    return done;
}

static bool config_new(cJSON *c)
{
    cJSON *kinds = cJSON_CreateArray(), *kind = cJSON_CreateString("GPT2LMHeadModel");
    if (!cJSON_AddItemToArray(kinds, kind)) cJSON_Delete(kind);
    return set(c, "model_type", cJSON_CreateString("gpt2")) && set(c, "architectures", kinds) &&
           cJSON_GetArraySize(kinds) && set(c, "activation_function", cJSON_CreateString("gelu_new")) &&
           set(c, "layer_norm_epsilon", cJSON_CreateNumber(1e-5)) &&
           set(c, "initializer_range", cJSON_CreateNumber(0.02)) &&
           set(c, "n_ctx", cJSON_CreateNumber(0)); /* older readers, and converters, ask for it */
}

static bool config_fill(cJSON *c, const tdm_gpt2 *g)
{
    const struct {
        const char *key;
        size_t value;
    } sizes[] = {{"vocab_size", g->s.V}, {"n_positions", g->s.T}, {"n_embd", g->s.C},
                 {"n_layer", g->s.L},    {"n_head", g->s.H},      {"n_ctx", g->s.T}};
    size_t n = sizeof sizes / sizeof *sizes;
    if (!c || (!g->config && !config_new(c))) return false;
    if (!cJSON_GetObjectItemCaseSensitive(c, "n_ctx")) n--;
    for (size_t k = 0; k < n; k++)
        if (!set(c, sizes[k].key, cJSON_CreateNumber((double)sizes[k].value))) return false;
    return set(c, "torch_dtype", cJSON_CreateString("float32"));
}

tdm_status tdm_gpt2_config_write(const tdm_gpt2 *g, const char *folder, tdm_err *err)
{
    cJSON *c = g->config ? cJSON_Duplicate(g->config, true) : cJSON_CreateObject();
    char *path = config_fill(c, g) ? tdm_path_join(folder, "config.json") : NULL;
    tdm_status st = path ? tdm_json_write(c, path, err) : tdm_nomem(err, folder);
    cJSON_Delete(c);
    tdm_free(path);
    return st;
}
