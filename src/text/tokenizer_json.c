/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer_json.c - a vocabulary in one file, as the common library's fast tokenizers write it:
 *
 *     {"added_tokens": [{"id": 50256, "content": "<|endoftext|>", "special": true, ...}, ...],
 *      "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, ...},
 *      "model": {"type": "BPE", "vocab": {"!": 0, ...}, "merges": ["\u0120 t", ...] or [["\u0120", "t"], ...]}}
 *
 * What it says otherwise would cut or name text in another way than GPT-2 does, and is refused. */
#include "base/mem.h"
#include "base/status.h"
#include "text/inside.h"

#include <string.h>

static const cJSON *member(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

static bool is_null(const cJSON *v) { return !v || cJSON_IsNull(v); }

/* What GPT-2 does, and nothing beside it. */
static tdm_status check(const cJSON *o, const char *path, tdm_err *err)
{
    const cJSON *model = member(o, "model"), *cut = member(o, "pre_tokenizer");
    if (strcmp(tdm_json_str(model, "type", "BPE"), "BPE") || !cJSON_IsObject(member(model, "vocab")) ||
        !cJSON_IsArray(member(model, "merges")))
        return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: its model is not a BPE with a vocab and merges", path);
    if (!is_null(member(o, "normalizer")))
        return tdm_fail(err, TDM_E_UNSUPPORTED,
                        "%s: it changes text before it is cut (normalizer), which GPT-2 does not", path);
    if (strcmp(tdm_json_str(cut, "type", ""), "ByteLevel") || tdm_json_bool(cut, "add_prefix_space", false) ||
        !tdm_json_bool(cut, "use_regex", true))
        return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: its pre_tokenizer is not GPT-2's ByteLevel without a prefix space",
                        path);
    if (tdm_json_bool(model, "byte_fallback", false) || tdm_json_bool(model, "ignore_merges", false) ||
        tdm_json_str(model, "continuing_subword_prefix", "")[0] || tdm_json_str(model, "end_of_word_suffix", "")[0])
        return tdm_fail(err, TDM_E_UNSUPPORTED, "%s: its BPE marks the parts of words, which GPT-2's does not", path);
    return TDM_OK;
}

/* Tokens behind the vocabulary get their number; those of it become special where the file says so. */
static tdm_status added(tdm_bpe *b, const cJSON *list, const char *path, tdm_err *err)
{
    cJSON *behind = cJSON_CreateObject();
    tdm_status st = behind ? TDM_OK : tdm_nomem(err, path);
    for (const cJSON *v = list ? list->child : NULL; !st && v; v = v->next) {
        const char *name = tdm_json_str(v, "content", "");
        if (!*name) st = tdm_fail(err, TDM_E_FORMAT, "%s: an added token has no content", path);
        else if (bpe_find(b, tdm_str_of(name)) == UINT32_MAX) {
            if (!cJSON_AddNumberToObject(behind, name, tdm_json_num(v, "id", -1))) st = tdm_nomem(err, path);
        } else if (tdm_json_bool(v, "special", false)) st = bpe_mark_special(b, v, path, err);
    }
    if (!st && behind->child) st = bpe_put_object(b, behind, path, TOKEN_SPECIAL, err);
    cJSON_Delete(behind);
    return st;
}

static tdm_status merges(tdm_bpe *b, const cJSON *list, const char *path, tdm_err *err)
{
    tdm_buf bytes = {0}, both = {0};
    tdm_status st = TDM_OK;
    size_t number = 1;
    for (const cJSON *v = list->child; !st && v; v = v->next, number++) {
        tdm_str left = {"", 0}, right = {"", 0};
        if (cJSON_IsString(v)) bpe_merge_halves(tdm_str_of(v->valuestring), &left, &right);
        else if (cJSON_IsArray(v) && cJSON_IsString(v->child) && cJSON_IsString(v->child->next)) {
            left = tdm_str_of(v->child->valuestring);
            right = tdm_str_of(v->child->next->valuestring);
        }
        st = bpe_merge_words(b, left, right, &bytes, &both, path, number, err);
    }
    tdm_buf_clear(&bytes);
    tdm_buf_clear(&both);
    return st;
}

tdm_status bpe_read_json(tdm_bpe *b, const char *path, tdm_err *err)
{
    cJSON *o = NULL;
    tdm_status st = tdm_json_read(&o, path, err);
    if (!st) st = check(o, path, err);
    const cJSON *model = member(o, "model");
    if (!st) st = bpe_put_object(b, member(model, "vocab"), path, TOKEN_PLAIN, err);
    b->base = b->n;
    if (!st && !b->n) st = tdm_fail(err, TDM_E_FORMAT, "%s: holds no tokens", path);
    if (!st) st = added(b, member(o, "added_tokens"), path, err);
    if (!st) st = merges(b, member(model, "merges"), path, err); /* last: a merge may not give a special token */
    cJSON_Delete(o);
    return st;
}
