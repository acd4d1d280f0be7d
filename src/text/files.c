/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - a vocabulary's files, as the common libraries write and read them.
 *
 *     vocab.json (or encoder.json)        {"token in the byte alphabet": number, ...}
 *     merges.txt (or vocab.bpe)           "#version: 0.2", then a pair a line, lowest rank first
 *     added_tokens.json                   {"name": number, ...}: special tokens behind the vocabulary; may be absent
 *     special_tokens_map.json             which names begin, end and stand for the unknown; may be absent
 *     tokenizer_config.json               for other tools: kept, not read
 *     tokenizer.json                      all of it in one file (tokenizer_json.c), read where vocab.json is missing
 *
 * Special are all of added_tokens.json, all that special_tokens_map.json names, and "<|endoftext|>". */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/utf8.h"
#include "text/inside.h"

#include <string.h>

static const char end_of_text[] = "<|endoftext|>";
const char *const bpe_kept_name[KEPT] = {"special_tokens_map.json", "tokenizer_config.json", "tokenizer.json"};

/* "<folder>/<a>", or "<folder>/<b>" where only that is there. */
static tdm_status find_file(char **path, const char *folder, const char *a, const char *b, tdm_err *err)
{
    const char *names[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        *path = tdm_path_join(folder, names[i]);
        if (!*path) return tdm_nomem(err, "a file name");
        if (tdm_file_exists(*path)) return TDM_OK;
        tdm_free(*path);
    }
    *path = NULL;
    return tdm_fail(err, TDM_E_IO, "%s: holds neither %s nor %s, so it is no GPT-2 vocabulary", folder, a, b);
}

/* ---- reading ---- */

static bool number_of(uint32_t *t, const cJSON *v, size_t limit)
{
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble < (double)limit)) return false;
    *t = (uint32_t)v->valuedouble;
    return (double)*t == v->valuedouble;
}

tdm_status bpe_put_object(tdm_bpe *b, const cJSON *o, const char *path, int kind, tdm_err *err)
{
    tdm_status st = TDM_OK;
    tdm_buf bytes = {0};
    if (!cJSON_IsObject(o)) st = tdm_fail(err, TDM_E_FORMAT, "%s: not an object of token numbers", path);
    /* Numbers may have a few holes, but a file cannot make us allocate for millions that it does not list. */
    size_t limit = b->n + 4 * (size_t)(st ? 0 : cJSON_GetArraySize(o)) + 1024, count = 0;
    if (limit > TOKEN_LIMIT) limit = TOKEN_LIMIT;
    for (const cJSON *v = st ? NULL : o->child; !st && v; v = v->next, count++) {
        uint32_t t;
        tdm_str name = tdm_str_of(v->string), text = name;
        if (!number_of(&t, v, limit)) {
            st = tdm_fail(err, TDM_E_FORMAT, "%s: entry %zu has no number below %zu", path, count + 1, limit);
            break;
        }
        int as = kind;
        if (kind == TOKEN_PLAIN && strcmp(v->string, end_of_text) == 0) as = TOKEN_SPECIAL;
        if (as == TOKEN_PLAIN && alphabet_read(&bytes, name)) text = (tdm_str){bytes.p, bytes.n};
        if (bytes.failed) st = tdm_nomem(err, path);
        else if (!text.n) st = tdm_fail(err, TDM_E_FORMAT, "%s: token %u is empty", path, t);
        else if (bpe_find(b, text) != UINT32_MAX) {
            uint32_t same = bpe_find(b, text);
            if (same != t || kind == TOKEN_PLAIN)
                st = tdm_fail(err, TDM_E_FORMAT, "%s: tokens %u and %u are the same", path, same, t);
            else if (b->token[t].n == 1)
                st = tdm_fail(err, TDM_E_FORMAT, "%s: token %u is a byte and cannot be special", path, t);
            else b->token[t].kind = TOKEN_SPECIAL;
        } else if (t < b->n && b->token[t].kind != TOKEN_HOLE)
            st = tdm_fail(err, TDM_E_FORMAT, "%s: token %u is there twice", path, t);
        else st = bpe_put(b, t, as, text, err);
    }
    tdm_buf_clear(&bytes);
    return st;
}

static tdm_status put_tokens(tdm_bpe *b, const char *path, int kind, tdm_err *err)
{
    cJSON *o;
    tdm_status st = tdm_json_read(&o, path, err);
    if (!st) st = bpe_put_object(b, o, path, kind, err);
    cJSON_Delete(o);
    return st;
}

/* A word of a merge line, which must be a plain token. */
static uint32_t merge_word(const tdm_bpe *b, tdm_buf *bytes, tdm_str word)
{
    if (!alphabet_read(bytes, word)) return UINT32_MAX;
    uint32_t t = bpe_find(b, (tdm_str){bytes->p, bytes->n});
    return t != UINT32_MAX && b->token[t].kind == TOKEN_PLAIN ? t : UINT32_MAX;
}

tdm_status bpe_merge_words(tdm_bpe *b, tdm_str left, tdm_str right, tdm_buf *bytes, tdm_buf *both, const char *path,
                           size_t number, tdm_err *err)
{
    merge m = {.result = UINT32_MAX};
    tdm_buf_reset(both);
    if (left.n && right.n) {
        m.left = merge_word(b, bytes, left);
        tdm_buf_add(both, bytes->p, bytes->n);
        m.right = merge_word(b, bytes, right);
        tdm_buf_add(both, bytes->p, bytes->n);
        if (bytes->failed || both->failed) return tdm_nomem(err, path);
        if (m.left != UINT32_MAX && m.right != UINT32_MAX) m.result = bpe_find(b, (tdm_str){both->p, both->n});
    }
    if (m.result == UINT32_MAX || b->token[m.result].kind != TOKEN_PLAIN)
        return tdm_fail(err, TDM_E_FORMAT, "%s:%zu: not two tokens of the vocabulary whose joint is one", path, number);
    if (bpe_rank(b, m.left, m.right) != UINT32_MAX)
        return tdm_fail(err, TDM_E_FORMAT, "%s:%zu: this pair has a merge already", path, number);
    return bpe_merge(b, m, err);
}

void bpe_merge_halves(tdm_str line, tdm_str *left, tdm_str *right)
{
    const char *space = memchr(line.p, ' ', line.n);
    size_t n = space ? (size_t)(space - line.p) : line.n;
    *left = (tdm_str){line.p, n};
    *right = space ? (tdm_str){space + 1, line.n - n - 1} : (tdm_str){"", 0};
}

static tdm_status read_merges(tdm_bpe *b, const char *path, tdm_err *err)
{
    tdm_map map;
    tdm_status st = tdm_map_open(&map, path, err);
    if (st) return st;
    tdm_buf bytes = {0}, both = {0};
    const char *p = (const char *)map.p, *end = p + map.n;
    for (size_t number = 1; !st && p < end; number++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        tdm_str line = {p, (size_t)((stop ? stop : end) - p)};
        p = stop ? stop + 1 : end;
        if (line.n && line.p[line.n - 1] == '\r') line.n--;
        bool heading = number == 1 && line.n >= 8 && memcmp(line.p, "#version", 8) == 0;
        tdm_str left, right;
        bpe_merge_halves(line, &left, &right);
        if (line.n && !heading) st = bpe_merge_words(b, left, right, &bytes, &both, path, number, err);
    }
    tdm_buf_clear(&bytes);
    tdm_buf_clear(&both);
    tdm_map_close(&map);
    return st;
}

/* Marks a name of special_tokens_map.json: a string, or an object with its "content". Names that no file numbers are
 * passed over: they have no token. */
tdm_status bpe_mark_special(tdm_bpe *b, const cJSON *v, const char *path, tdm_err *err)
{
    const char *name = cJSON_IsString(v) ? v->valuestring : tdm_json_str(v, "content", NULL);
    uint32_t t = name && *name ? bpe_find(b, tdm_str_of(name)) : UINT32_MAX;
    if (t == UINT32_MAX) return TDM_OK;
    if (b->token[t].n == 1)
        return tdm_fail(err, TDM_E_FORMAT, "%s: \"%s\" is a byte and cannot be special", path, name);
    b->token[t].kind = TOKEN_SPECIAL;
    return TDM_OK;
}

static tdm_status read_special_map(tdm_bpe *b, const char *path, tdm_err *err)
{
    cJSON *o;
    tdm_status st = tdm_json_read(&o, path, err);
    if (st) return st;
    for (const cJSON *v = o->child; !st && v; v = v->next) {
        if (!cJSON_IsArray(v)) st = bpe_mark_special(b, v, path, err);
        else
            for (const cJSON *w = v->child; !st && w; w = w->next) st = bpe_mark_special(b, w, path, err);
    }
    cJSON_Delete(o);
    return st;
}

/* Reads a file that may be absent. */
static tdm_status read_optional(tdm_bpe *b, const char *folder, const char *name, tdm_err *err)
{
    char *path = tdm_path_join(folder, name);
    if (!path) return tdm_nomem(err, "a file name");
    tdm_status st = TDM_OK;
    if (tdm_file_exists(path))
        st = strcmp(name, "added_tokens.json") == 0 ? put_tokens(b, path, TOKEN_SPECIAL, err)
                                                    : read_special_map(b, path, err);
    tdm_free(path);
    return st;
}

/* Files of roles and settings are kept as they are, to be written back with a vocabulary that did not grow. */
static tdm_status keep_texts(tdm_bpe *b, const char *folder, tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (size_t i = 0; !st && i < KEPT; i++) {
        char *path = tdm_path_join(folder, bpe_kept_name[i]);
        tdm_map map = {0};
        if (!path) return tdm_nomem(err, "a file name");
        if (tdm_file_exists(path)) {
            st = tdm_map_open(&map, path, err);
            if (!st && !(b->kept[i] = tdm_strndup((const char *)map.p, map.n))) st = tdm_nomem(err, path);
            tdm_map_close(&map);
        }
        tdm_free(path);
    }
    b->opened = b->n;
    return st;
}

static tdm_status read_pair(tdm_bpe *b, const char *folder, tdm_err *err)
{
    char *vocab = NULL, *merges = NULL;
    tdm_status st = find_file(&vocab, folder, "vocab.json", "encoder.json", err);
    if (!st) st = find_file(&merges, folder, "merges.txt", "vocab.bpe", err);
    if (!st) st = put_tokens(b, vocab, TOKEN_PLAIN, err);
    b->base = b->n;
    if (!st && !b->n) st = tdm_fail(err, TDM_E_FORMAT, "%s: holds no tokens", vocab);
    if (!st) st = read_optional(b, folder, "added_tokens.json", err);
    if (!st) st = read_optional(b, folder, "special_tokens_map.json", err);
    if (!st) st = read_merges(b, merges, err); /* last: a merge may not give a special token */
    tdm_free(vocab);
    tdm_free(merges);
    return st;
}

tdm_status tdm_bpe_open(tdm_bpe **out, const char *folder, tdm_err *err)
{
    *out = NULL;
    tdm_bpe *b = bpe_new(err);
    if (!b) return TDM_E_NOMEM;
    char *pair = tdm_path_join(folder, "vocab.json"), *one = tdm_path_join(folder, "tokenizer.json");
    tdm_status st = pair && one ? TDM_OK : tdm_nomem(err, folder);
    bool alone = !st && !tdm_file_exists(pair) && tdm_file_exists(one);
    if (!st) st = alone ? bpe_read_json(b, one, err) : read_pair(b, folder, err);
    if (!st) st = keep_texts(b, folder, err);
    tdm_free(pair);
    tdm_free(one);
    if (st) tdm_bpe_close(b);
    else *out = b;
    return st;
}

/* ---- writing ---- */

static tdm_status write_text(const char *folder, const char *name, tdm_buf *text, tdm_err *err)
{
    char *path = text->failed ? NULL : tdm_path_join(folder, name);
    tdm_status st = path ? tdm_file_write(path, text->p, text->n, err) : tdm_nomem(err, name);
    tdm_free(path);
    tdm_buf_reset(text);
    return st;
}

bool tdm_bpe_is_special(const tdm_bpe *b, uint32_t t) { return b->token[t].kind == TOKEN_SPECIAL; }

bool tdm_bpe_written(const tdm_bpe *b, uint32_t t, tdm_buf *out)
{
    tdm_str text = bpe_text(b, t);
    if (b->token[t].kind == TOKEN_PLAIN) alphabet_write(out, text);
    else if (b->token[t].kind == TOKEN_SPECIAL) tdm_buf_add(out, text.p, text.n);
    return b->token[t].kind != TOKEN_HOLE;
}

size_t tdm_bpe_merges(const tdm_bpe *b) { return b->merges; }

void tdm_bpe_merge_written(const tdm_bpe *b, size_t rank, tdm_buf *out)
{
    alphabet_write(out, bpe_text(b, b->merge[rank].left));
    tdm_buf_char(out, ' ');
    alphabet_write(out, bpe_text(b, b->merge[rank].right));
}

/* Tokens [from, to) as a JSON object. */
static void write_tokens(tdm_buf *out, const tdm_bpe *b, size_t from, size_t to)
{
    tdm_buf name = {0};
    const char *between = "";
    tdm_buf_char(out, '{');
    for (size_t t = from; t < to; t++) {
        tdm_buf_reset(&name);
        if (!tdm_bpe_written(b, (uint32_t)t, &name)) continue;
        if (name.failed) out->failed = true;
        tdm_buf_str(out, between);
        tdm_json_quote(out, (tdm_str){name.p, name.n});
        tdm_buf_fmt(out, ": %zu", t);
        between = ", ";
    }
    tdm_buf_str(out, "}\n");
    tdm_buf_clear(&name);
}

static void write_merges(tdm_buf *out, const tdm_bpe *b)
{
    tdm_buf_str(out, "#version: 0.2\n");
    for (size_t r = 0; r < b->merges; r++) {
        tdm_bpe_merge_written(b, r, out);
        tdm_buf_char(out, '\n');
    }
}

uint32_t tdm_bpe_main_special(const tdm_bpe *b)
{
    uint32_t t = tdm_bpe_special(b, end_of_text);
    for (size_t i = 0; t == UINT32_MAX && i < b->n; i++)
        if (b->token[i].kind == TOKEN_SPECIAL) t = (uint32_t)i;
    return t;
}

static void write_roles(tdm_buf *out, const tdm_bpe *b)
{
    uint32_t t = tdm_bpe_main_special(b);
    const char *roles[] = {"bos_token", "eos_token", "unk_token"};
    for (size_t i = 0; t != UINT32_MAX && i < 3; i++) {
        tdm_buf_fmt(out, "  \"%s\": ", roles[i]);
        tdm_json_quote(out, bpe_text(b, t));
        tdm_buf_str(out, ",\n");
    }
    const char *between = "";
    tdm_buf_str(out, "  \"additional_special_tokens\": [");
    for (size_t i = 0; i < b->n; i++)
        if (b->token[i].kind == TOKEN_SPECIAL && i != t) {
            tdm_buf_str(out, between);
            tdm_json_quote(out, bpe_text(b, (uint32_t)i));
            between = ", ";
        }
    tdm_buf_str(out, "]");
}

static void write_config(tdm_buf *out, const tdm_bpe *b)
{
    const char *between = "";
    tdm_buf_str(out, "{\n  \"tokenizer_class\": \"GPT2Tokenizer\",\n  \"add_prefix_space\": false,\n"
                     "  \"clean_up_tokenization_spaces\": false,\n  \"errors\": \"replace\",\n");
    write_roles(out, b);
    tdm_buf_str(out, ",\n  \"added_tokens_decoder\": {");
    for (size_t i = 0; i < b->n; i++)
        if (b->token[i].kind == TOKEN_SPECIAL) {
            tdm_buf_fmt(out, "%s\n    \"%zu\": {\"content\": ", between, i);
            tdm_json_quote(out, bpe_text(b, (uint32_t)i));
            tdm_buf_str(out, ", \"lstrip\": false, \"normalized\": false, \"rstrip\": false, \"single_word\": false, "
                             "\"special\": true}");
            between = ",";
        }
    tdm_buf_str(out, "\n  }\n}\n");
}

/* Roles and settings as they were read. */
static tdm_status write_kept(const tdm_bpe *b, const char *folder, tdm_err *err)
{
    tdm_buf text = {0};
    tdm_status st = TDM_OK;
    for (size_t i = 0; !st && i < KEPT; i++) {
        if (!b->kept[i]) continue;
        tdm_buf_str(&text, b->kept[i]);
        st = write_text(folder, bpe_kept_name[i], &text, err);
    }
    tdm_buf_clear(&text);
    return st;
}

static tdm_status write_made(const tdm_bpe *b, const char *folder, tdm_err *err)
{
    tdm_buf text = {0};
    tdm_buf_str(&text, "{\n");
    write_roles(&text, b);
    tdm_buf_str(&text, "\n}\n");
    tdm_status st = write_text(folder, "special_tokens_map.json", &text, err);
    if (!st) {
        write_config(&text, b);
        st = write_text(folder, "tokenizer_config.json", &text, err);
    }
    tdm_buf_clear(&text);
    return st;
}

tdm_status tdm_bpe_save(const tdm_bpe *b, const char *folder, tdm_err *err)
{
    tdm_buf text = {0};
    bool grew = !b->opened || b->n > b->opened;
    write_tokens(&text, b, 0, b->base);
    tdm_status st = write_text(folder, "vocab.json", &text, err);
    if (!st) {
        write_merges(&text, b);
        st = write_text(folder, "merges.txt", &text, err);
    }
    if (!st && (grew || b->n > b->base)) {
        write_tokens(&text, b, b->base, b->n);
        st = write_text(folder, "added_tokens.json", &text, err);
    }
    tdm_buf_clear(&text);
    if (st) return st;
    return grew ? write_made(b, folder, err) : write_kept(b, folder, err);
}
