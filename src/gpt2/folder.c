/* SPDX-License-Identifier: Apache-2.0 */
/* folder.c - a GPT-2 in the Hugging Face layout: its weights, in one file or in several that an index names. */
#include "gpt2/folder.h"
#include "base/file.h"
#include "base/half.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/safetensors.h"

#include <math.h>
#include <string.h>

/* ---- the files of the weights ---- */

enum { SHARDS = 256 };

typedef struct shards {
    tdm_safetensors *file[SHARDS];
    char *name[SHARDS];
    size_t n;
    char *path; /* what errors name */
} shards;

static void shards_close(shards *s)
{
    for (size_t i = 0; i < s->n; i++) {
        tdm_safetensors_close(s->file[i]);
        tdm_free(s->name[i]);
    }
    tdm_free(s->path);
}

/* Opens "<folder>/<name>" once. */
static tdm_status shard_open(shards *s, const char *folder, const char *name, tdm_err *err)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->name[i], name)) return TDM_OK;
    if (s->n == SHARDS) return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: more than %d files of weights", s->path, SHARDS);
    char *path = tdm_path_join(folder, name);
    s->name[s->n] = tdm_strdup(name);
    tdm_status st = path && s->name[s->n] ? tdm_safetensors_open(&s->file[s->n], path, err) : tdm_nomem(err, folder);
    tdm_free(path);
    if (st) tdm_free(s->name[s->n]);
    else s->n++;
    return st;
}

/* {"weight_map": {"<tensor>": "<file>", ...}}: a file is a plain name beside the index. */
static tdm_status index_read(shards *s, const char *folder, tdm_err *err)
{
    cJSON *o = NULL;
    tdm_status st = tdm_json_read(&o, s->path, err);
    if (st) return st;
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(o, "weight_map");
    if (!cJSON_IsObject(map)) st = tdm_fail(err, TDM_E_FORMAT, "%s: there is no weight_map", s->path);
    for (const cJSON *v = st ? NULL : map->child; !st && v; v = v->next) {
        const char *name = cJSON_IsString(v) ? v->valuestring : "";
        if (!*name || *name == '.' || strpbrk(name, "/\\"))
            st = tdm_fail(err, TDM_E_FORMAT, "%s: \"%.40s\" is not the name of a file beside it", s->path, name);
        else st = shard_open(s, folder, name, err);
    }
    cJSON_Delete(o);
    return st;
}

static tdm_status path_make(char **out, const char *folder, const char *name, tdm_err *err)
{
    *out = tdm_path_join(folder, name);
    return *out ? TDM_OK : tdm_nomem(err, folder);
}

static bool is_there(const char *folder, const char *name)
{
    char *path = tdm_path_join(folder, name);
    bool is = path && tdm_file_exists(path);
    tdm_free(path);
    return is;
}

static tdm_status shards_open(shards *s, const char *folder, tdm_err *err)
{
    static const char one[] = "model.safetensors", many[] = "model.safetensors.index.json", old[] = "pytorch_model.bin";
    if (!is_there(folder, one) && is_there(folder, many)) {
        tdm_status st = path_make(&s->path, folder, many, err);
        return st ? st : index_read(s, folder, err);
    }
    if (!is_there(folder, one) && (is_there(folder, old) || is_there(folder, "pytorch_model.bin.index.json")))
        return tdm_fail(
            err, TDM_E_UNSUPPORTED,
            "%s: holds %s, which is a program in pickle's form and is not run; convert it once where it comes "
            "from: GPT2LMHeadModel.from_pretrained(\"...\").save_pretrained(\"...\", "
            "safe_serialization=True)",
            folder, old);
    tdm_status st = path_make(&s->path, folder, one, err);
    return st ? st : shard_open(s, folder, one, err);
}

static const tdm_tensor *find(const shards *s, const char *name)
{
    const tdm_tensor *t = NULL;
    for (size_t i = 0; i < s->n && !t; i++) t = tdm_safetensors_find(s->file[i], name);
    return t;
}

/* ---- reading ---- */

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
            out[i] = t->dtype == TDM_F16 ? tdm_from_f16(h) : tdm_from_bf16(h);
        }
        finite = finite && isfinite(out[i]);
    }
    return finite;
}

static bool is_float(const tdm_tensor *t) { return t->dtype == TDM_F32 || t->dtype == TDM_F16 || t->dtype == TDM_BF16; }

static tdm_status tensor_read(float *out, const shards *s, bool *bare, const tdm_gpt2_entry *e, size_t layer,
                              tdm_err *err)
{
    char name[TDM_NAME];
    size_t n = tdm_gpt2_entry_size(e);
    tdm_gpt2_name(name, "transformer.", e->form, layer);
    const tdm_tensor *t = find(s, name);
    *bare = !t;
    if (!t) {
        tdm_gpt2_name(name, "", e->form, layer);
        t = find(s, name);
    }
    if (!t) return tdm_fail(err, TDM_E_FORMAT, "%s: there is no tensor %s", s->path, name);
    bool fits =
        t->dims == (e->columns ? 2u : 1u) && t->shape[0] == e->rows && (!e->columns || t->shape[1] == e->columns);
    if (!fits && t->dims == 2 && e->layers && t->shape[0] == e->columns && t->shape[1] == e->rows)
        return tdm_fail(
            err, TDM_E_UNSUPPORTED,
            "%s: tensor %s is [outputs x inputs], where a published GPT-2 has [inputs x outputs]: transpose "
            "the matrices of its layers",
            s->path, name);
    if (!fits || !is_float(t))
        return tdm_fail(err, TDM_E_FORMAT, "%s: tensor %s is not %zu x %zu floats, as config.json has it", s->path,
                        name, e->rows, e->columns ? e->columns : 1);
    if (!convert(out, t, n)) return tdm_fail(err, TDM_E_FORMAT, "%s: tensor %s holds what is no number", s->path, name);
    return TDM_OK;
}

/* An output of its own is not GPT-2's; one that repeats the table is how some programs save it. */
static tdm_status head_check(const tdm_gpt2 *g, const shards *s, tdm_err *err)
{
    const tdm_tensor *t = find(s, "lm_head.weight");
    size_t n = g->s.V * g->s.C;
    if (!t) return TDM_OK;
    float *head = is_float(t) && tdm_tensor_count(t) == n ? tdm_new(n, sizeof *head) : NULL;
    bool same = head && convert(head, t, n) && !memcmp(head, g->w.wte, n * sizeof *head);
    tdm_free(head);
    return same ? TDM_OK
                : tdm_fail(err, TDM_E_UNSUPPORTED,
                           "%s: lm_head.weight is not wte.weight: a GPT-2's output is its table", s->path);
}

static tdm_status weights_read(tdm_gpt2 *g, const shards *s, tdm_err *err)
{
    tdm_gpt2_entry e[TDM_NAMES];
    size_t n = tdm_gpt2_entries(e, g);
    tdm_status st = TDM_OK;
    for (size_t k = 0; !st && k < n; k++)
        for (size_t l = 0; !st && l < (e[k].layers ? e[k].layers : 1); l++)
            st = tensor_read(e[k].at + l * tdm_gpt2_entry_size(&e[k]), s, &g->bare, &e[k], l, err);
    return st ? st : head_check(g, s, err);
}

/* The files must hold what config.json promises before memory is asked for; two bytes a weight is the least. */
static tdm_status size_check(tdm_gpt2_shape want, const shards *s, tdm_err *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < tdm_safetensors_n(s->file[i]); k++) {
            const tdm_tensor *t = tdm_safetensors_at(s->file[i], k);
            bytes += tdm_tensor_count(t) * tdm_dtype_size(t->dtype);
        }
    return tdm_gpt2_count(want) <= bytes / 2
               ? TDM_OK
               : tdm_fail(err, TDM_E_FORMAT, "%s: %zu bytes cannot hold the %zu weights of config.json", s->path, bytes,
                          tdm_gpt2_count(want));
}

/* A file that is kept as it is; absent is fine. */
static tdm_status text_read(char **out, const char *folder, const char *name, tdm_err *err)
{
    char *path;
    tdm_map map = {0};
    tdm_status st = path_make(&path, folder, name, err);
    if (!st && tdm_file_exists(path)) {
        st = tdm_map_open(&map, path, err);
        if (!st && !(*out = tdm_strndup((const char *)map.p, map.n))) st = tdm_nomem(err, path);
        tdm_map_close(&map);
    }
    tdm_free(path);
    return st;
}

tdm_status tdm_gpt2_load(tdm_gpt2 **out, const char *folder, tdm_err *err)
{
    tdm_gpt2_shape s;
    cJSON *config;
    shards files = {0};
    *out = NULL;
    tdm_status st = tdm_gpt2_config_read(&s, &config, folder, err);
    if (!st) st = shards_open(&files, folder, err);
    if (!st) st = size_check(s, &files, err);
    if (!st) st = tdm_gpt2_open(out, s, err);
    if (st) cJSON_Delete(config);
    else (*out)->config = config;
    if (!st) st = weights_read(*out, &files, err);
    if (!st) st = text_read(&(*out)->generation, folder, "generation_config.json", err);
    if (st) {
        tdm_gpt2_close(*out);
        *out = NULL;
    }
    shards_close(&files);
    return st;
}

/* ---- writing ---- */

static tdm_status weights_write(const tdm_gpt2 *g, const char *path, tdm_err *err)
{
    static const char *const meta[] = {"format", "pt", NULL};
    tdm_gpt2_entry e[TDM_NAMES];
    size_t n = tdm_gpt2_entries(e, g), most = n * g->s.L, made = 0;
    tdm_tensor *t = tdm_new(most, sizeof *t);
    char(*name)[TDM_NAME] = tdm_new(most, sizeof *name);
    tdm_status st = t && name ? TDM_OK : tdm_nomem(err, path);
    for (size_t k = 0; !st && k < n; k++)
        for (size_t l = 0; l < (e[k].layers ? e[k].layers : 1); l++, made++) {
            const float *at = e[k].at + l * tdm_gpt2_entry_size(&e[k]);
            tdm_gpt2_name(name[made], g->bare ? "" : "transformer.", e[k].form, l);
            t[made] = e[k].columns ? tdm_tensor_2d(name[made], TDM_F32, at, e[k].rows, e[k].columns)
                                   : tdm_tensor_1d(name[made], TDM_F32, at, e[k].rows);
        }
    if (!st) st = tdm_safetensors_write_common(path, t, made, meta, err);
    tdm_free(t);
    tdm_free(name);
    return st;
}

tdm_status tdm_gpt2_save(const tdm_gpt2 *g, const char *folder, tdm_err *err)
{
    char *weights = tdm_path_join(folder, "model.safetensors"),
         *generation = tdm_path_join(folder, "generation_config.json");
    tdm_status st = weights && generation ? tdm_gpt2_config_write(g, folder, err) : tdm_nomem(err, folder);
    if (!st && g->generation) st = tdm_file_write(generation, g->generation, strlen(g->generation), err);
    if (!st) st = weights_write(g, weights, err);
    tdm_free(weights);
    tdm_free(generation);
    return st;
}
