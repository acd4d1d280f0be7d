/* SPDX-License-Identifier: Apache-2.0 */
/* folder.c - a GPT-2 in the Hugging Face layout: config.json and model.safetensors.
 *
 * Layer l's tensors are "transformer.h.<l>.attn.c_attn.weight" and so on; the bare model leaves "transformer." out.
 * Both are read, the first is written, as the language model of the common library has it. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/safetensors.h"
#include "gpt2/gpt2.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* our name, theirs ("%zu": the layer), rows and columns (columns 0: one dimension) */
#define NAMES(X)                                                                                                       \
    X(wte, "wte.weight", s.V, s.C)                                                                                     \
    X(wpe, "wpe.weight", s.T, s.C)                                                                                     \
    X(ln1w, "h.%zu.ln_1.weight", s.C, 0)                                                                               \
    X(ln1b, "h.%zu.ln_1.bias", s.C, 0)                                                                                 \
    X(qkvw, "h.%zu.attn.c_attn.weight", s.C, 3 * s.C)                                                                  \
    X(qkvb, "h.%zu.attn.c_attn.bias", 3 * s.C, 0)                                                                      \
    X(attw, "h.%zu.attn.c_proj.weight", s.C, s.C)                                                                      \
    X(attb, "h.%zu.attn.c_proj.bias", s.C, 0)                                                                          \
    X(ln2w, "h.%zu.ln_2.weight", s.C, 0)                                                                               \
    X(ln2b, "h.%zu.ln_2.bias", s.C, 0)                                                                                 \
    X(fcw, "h.%zu.mlp.c_fc.weight", s.C, 4 * s.C)                                                                      \
    X(fcb, "h.%zu.mlp.c_fc.bias", 4 * s.C, 0)                                                                          \
    X(projw, "h.%zu.mlp.c_proj.weight", 4 * s.C, s.C)                                                                  \
    X(projb, "h.%zu.mlp.c_proj.bias", s.C, 0)                                                                          \
    X(lnfw, "ln_f.weight", s.C, 0)                                                                                     \
    X(lnfb, "ln_f.bias", s.C, 0)

enum { NAME = 96, MOST_NAMES = 16 };

typedef struct entry {
    const char *form; /* of the name */
    float *at;        /* in the block */
    size_t rows, columns;
    size_t layers; /* 0: stands once */
} entry;

static size_t entries(entry *out, const tdm_gpt2 *g)
{
    const tdm_gpt2_shape s = g->s;
    size_t n = 0;
#define X(name, form, rows, columns) out[n++] = (entry){form, g->w.name, rows, columns, strchr(form, '%') ? s.L : 0};
    NAMES(X)
#undef X
    return n;
}

static size_t entry_size(const entry *e) { return e->rows * (e->columns ? e->columns : 1); }

/* "<prefix><name>", the layer's number filled in. */
static void name_make(char out[NAME], const char *prefix, const entry *e, size_t layer)
{
    const char *mark = strstr(e->form, "%zu");
    if (!mark) snprintf(out, NAME, "%s%s", prefix, e->form);
    else snprintf(out, NAME, "%s%.*s%zu%s", prefix, (int)(mark - e->form), e->form, layer, mark + 3);
}

static tdm_status path_make(char **out, const char *folder, const char *name, tdm_err *err)
{
    *out = tdm_path_join(folder, name);
    return *out ? TDM_OK : tdm_nomem(err, folder);
}

/* ---- reading ---- */

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

static tdm_status config_read(tdm_gpt2_shape *s, const char *folder, tdm_err *err)
{
    char *path;
    cJSON *c = NULL;
    tdm_status st = path_make(&path, folder, "config.json", err);
    if (!st) st = tdm_json_read(&c, path, err);
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
    cJSON_Delete(c);
    tdm_free(path);
    return st;
}

static float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 1023, bits;
    if (e == 31) bits = sign | 0x7f800000 | m << 13;
    else if (e) bits = sign | (e + 112) << 23 | m << 13;
    else {
        float f = (float)m * 0x1p-24f;
        return sign ? -f : f;
    }
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static float bfloat_to_float(uint16_t h)
{
    uint32_t bits = (uint32_t)h << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* A file's data need not be aligned: element by element through memcpy. */
static bool convert(float *out, const tdm_tensor *t, size_t n)
{
    const unsigned char *p = t->data;
    uint16_t h;
    bool finite = true;
    for (size_t i = 0; i < n; i++) {
        if (t->dtype == TDM_F32) {
            memcpy(&out[i], p + 4 * i, 4);
        } else {
            memcpy(&h, p + 2 * i, 2);
            out[i] = t->dtype == TDM_F16 ? half_to_float(h) : bfloat_to_float(h);
        }
        finite = finite && isfinite(out[i]);
    }
    return finite;
}

static tdm_status tensor_read(float *out, const tdm_safetensors *file, const char *path, const entry *e, size_t layer,
                              tdm_err *err)
{
    char name[NAME];
    size_t n = entry_size(e);
    name_make(name, "transformer.", e, layer);
    const tdm_tensor *t = tdm_safetensors_find(file, name);
    if (!t) {
        name_make(name, "", e, layer);
        t = tdm_safetensors_find(file, name);
    }
    if (!t) return tdm_fail(err, TDM_E_FORMAT, "%s: there is no tensor %s", path, name);
    bool fits =
        t->dims == (e->columns ? 2u : 1u) && t->shape[0] == e->rows && (!e->columns || t->shape[1] == e->columns);
    if (!fits || (t->dtype != TDM_F32 && t->dtype != TDM_F16 && t->dtype != TDM_BF16))
        return tdm_fail(err, TDM_E_FORMAT, "%s: tensor %s is not %zu x %zu floats, as config.json has it", path, name,
                        e->rows, e->columns ? e->columns : 1);
    if (!convert(out, t, n)) return tdm_fail(err, TDM_E_FORMAT, "%s: tensor %s holds what is no number", path, name);
    return TDM_OK;
}

static tdm_status weights_read(tdm_gpt2 *g, const char *path, tdm_err *err)
{
    entry e[MOST_NAMES];
    size_t n = entries(e, g);
    tdm_safetensors *file;
    tdm_status st = tdm_safetensors_open(&file, path, err);
    for (size_t k = 0; !st && k < n; k++)
        for (size_t l = 0; !st && l < (e[k].layers ? e[k].layers : 1); l++)
            st = tensor_read(e[k].at + l * entry_size(&e[k]), file, path, &e[k], l, err);
    tdm_safetensors_close(file);
    return st;
}

tdm_status tdm_gpt2_load(tdm_gpt2 **out, const char *folder, tdm_err *err)
{
    tdm_gpt2_shape s;
    char *path = NULL;
    tdm_map map = {0};
    *out = NULL;
    tdm_status st = config_read(&s, folder, err);
    if (!st) st = path_make(&path, folder, "model.safetensors", err);
    if (!st) st = tdm_map_open(&map, path, err);
    /* the file must hold what config.json promises before memory is asked for; two bytes a weight is the least */
    if (!st && tdm_gpt2_count(s) > map.n / 2)
        st = tdm_fail(err, TDM_E_FORMAT, "%s: %zu bytes cannot hold the %zu weights of config.json", path, map.n,
                      tdm_gpt2_count(s));
    tdm_map_close(&map);
    if (!st) st = tdm_gpt2_open(out, s, err);
    if (!st) st = weights_read(*out, path, err);
    if (st) {
        tdm_gpt2_close(*out);
        *out = NULL;
    }
    tdm_free(path);
    return st;
}

/* ---- writing ---- */

static tdm_status config_write(const tdm_gpt2 *g, const char *folder, tdm_err *err)
{
    const struct {
        const char *key;
        size_t value;
    } sizes[] = {{"vocab_size", g->s.V}, {"n_positions", g->s.T}, {"n_ctx", g->s.T},
                 {"n_embd", g->s.C},     {"n_layer", g->s.L},     {"n_head", g->s.H}};
    char *path;
    cJSON *c = cJSON_CreateObject(), *kinds;
    cJSON_AddStringToObject(c, "model_type", "gpt2");
    kinds = cJSON_AddArrayToObject(c, "architectures");
    cJSON_AddItemToArray(kinds, cJSON_CreateString("GPT2LMHeadModel"));
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        cJSON_AddNumberToObject(c, sizes[k].key, (double)sizes[k].value);
    cJSON_AddStringToObject(c, "activation_function", "gelu_new");
    cJSON_AddNumberToObject(c, "layer_norm_epsilon", 1e-5);
    cJSON_AddNumberToObject(c, "initializer_range", 0.02);
    cJSON_AddStringToObject(c, "torch_dtype", "float32");
    tdm_status st = path_make(&path, folder, "config.json", err);
    if (!st) st = tdm_json_write(c, path, err);
    cJSON_Delete(c);
    tdm_free(path);
    return st;
}

static tdm_status weights_write(const tdm_gpt2 *g, const char *path, tdm_err *err)
{
    static const char *const meta[] = {"format", "pt", NULL};
    entry e[MOST_NAMES];
    size_t n = entries(e, g), most = n * g->s.L, made = 0;
    tdm_tensor *t = tdm_new(most, sizeof *t);
    char(*name)[NAME] = tdm_new(most, sizeof *name);
    tdm_status st = t && name ? TDM_OK : tdm_nomem(err, path);
    for (size_t k = 0; !st && k < n; k++)
        for (size_t l = 0; l < (e[k].layers ? e[k].layers : 1); l++, made++) {
            const float *at = e[k].at + l * entry_size(&e[k]);
            name_make(name[made], "transformer.", &e[k], l);
            t[made] = e[k].columns ? tdm_tensor_2d(name[made], TDM_F32, at, e[k].rows, e[k].columns)
                                   : tdm_tensor_1d(name[made], TDM_F32, at, e[k].rows);
        }
    if (!st) st = tdm_safetensors_write(path, t, made, meta, err);
    tdm_free(t);
    tdm_free(name);
    return st;
}

tdm_status tdm_gpt2_save(const tdm_gpt2 *g, const char *folder, tdm_err *err)
{
    char *path;
    tdm_status st = config_write(g, folder, err);
    if (!st) st = path_make(&path, folder, "model.safetensors", err);
    if (st) return st;
    st = weights_write(g, path, err);
    tdm_free(path);
    return st;
}
