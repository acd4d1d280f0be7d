/* SPDX-License-Identifier: Apache-2.0 */
/* gguf.c - numbers are little-endian, a string is its length (u64) and its bytes:
 *
 *     "GGUF", u32 version, u64 tensors, u64 keys
 *     a key:     string, u32 type, value; an array's value is u32 type, u64 length, elements
 *     a tensor:  string, u32 dimensions, u64 each (the one that runs fastest first), u32 type, u64 offset into the data
 *     the data, every tensor at a multiple of 32
 *
 * (github.com/ggml-org/ggml/blob/master/docs/gguf.md). Keys and names are those of the gpt2 architecture in llama.cpp.
 * Published GPT-2s keep matrices as in x out; there they are out x in. */
#include "gpt2/gguf.h"
#include "base/draft.h"
#include "base/half.h"
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/folder.h"

#include <string.h>

enum { VERSION = 3, ALIGNMENT = 32, COLUMNS = 64 };
enum { F32 = 0, F16 = 1 };                                            /* types of tensors */
enum { U32 = 4, I32 = 5, REAL = 6, BOOL = 7, STRING = 8, ARRAY = 9 }; /* types of values */
enum { NORMAL = 1, CONTROL = 3, UNUSED = 5 };                         /* kinds of tokens */
enum { MOSTLY_F16 = 1, LAYOUT = 2 }; /* general.file_type, general.quantization_version */

/* ---- numbers and strings ---- */

static void u32(tdm_buf *h, uint32_t x)
{
    for (int i = 0; i < 4; i++) tdm_buf_char(h, (char)(x >> 8 * i));
}

static void u64(tdm_buf *h, uint64_t x)
{
    u32(h, (uint32_t)x);
    u32(h, (uint32_t)(x >> 32));
}

static void string(tdm_buf *h, tdm_str s)
{
    u64(h, s.n);
    tdm_buf_add(h, s.p, s.n);
}

/* ---- keys ---- */

typedef struct keys {
    tdm_buf *h;
    uint64_t n;
} keys;

static void key(keys *k, const char *name, uint32_t type)
{
    string(k->h, tdm_str_of(name));
    u32(k->h, type);
    k->n++;
}

static void key_u32(keys *k, const char *name, size_t x)
{
    key(k, name, U32);
    u32(k->h, (uint32_t)x);
}

static void key_string(keys *k, const char *name, const char *s)
{
    key(k, name, STRING);
    string(k->h, tdm_str_of(s));
}

static void key_array(keys *k, const char *name, uint32_t type, size_t n)
{
    key(k, name, ARRAY);
    u32(k->h, type);
    u64(k->h, n);
}

static void model_keys(keys *k, const tdm_gpt2 *g, const char *name)
{
    const float eps = 1e-5f;
    uint32_t bits;
    memcpy(&bits, &eps, sizeof bits);
    key_string(k, "general.architecture", "gpt2");
    key_string(k, "general.type", "model");
    key_string(k, "general.name", name);
    key_u32(k, "gpt2.block_count", g->s.L);
    key_u32(k, "gpt2.context_length", g->s.T);
    key_u32(k, "gpt2.embedding_length", g->s.C);
    key_u32(k, "gpt2.feed_forward_length", 4 * g->s.C);
    key_u32(k, "gpt2.attention.head_count", g->s.H);
    key(k, "gpt2.attention.layer_norm_epsilon", REAL);
    u32(k->h, bits);
    key_u32(k, "general.file_type", MOSTLY_F16);
    key_u32(k, "general.quantization_version", LAYOUT);
}

static void token_keys(keys *k, const tdm_bpe *b, size_t V)
{
    const size_t n = tdm_bpe_size(b);
    tdm_buf text = {0};
    key_string(k, "tokenizer.ggml.model", "gpt2");
    key_string(k, "tokenizer.ggml.pre", "gpt-2");
    key_array(k, "tokenizer.ggml.tokens", STRING, V);
    for (size_t t = 0; t < V; t++) {
        tdm_buf_reset(&text);
        if (t >= n || !tdm_bpe_written(b, (uint32_t)t, &text)) tdm_buf_fmt(&text, "[PAD%zu]", t);
        string(k->h, (tdm_str){text.p, text.n});
    }
    key_array(k, "tokenizer.ggml.token_type", I32, V);
    for (size_t t = 0; t < V; t++) {
        tdm_buf_reset(&text);
        bool there = t < n && tdm_bpe_written(b, (uint32_t)t, &text);
        u32(k->h, !there ? UNUSED : tdm_bpe_is_special(b, (uint32_t)t) ? CONTROL : NORMAL);
    }
    key_array(k, "tokenizer.ggml.merges", STRING, tdm_bpe_merges(b));
    for (size_t r = 0; r < tdm_bpe_merges(b); r++) {
        tdm_buf_reset(&text);
        tdm_bpe_merge_written(b, r, &text);
        string(k->h, (tdm_str){text.p, text.n});
    }
    uint32_t end = tdm_bpe_main_special(b);
    if (end != UINT32_MAX) {
        key_u32(k, "tokenizer.ggml.bos_token_id", end);
        key_u32(k, "tokenizer.ggml.eos_token_id", end);
    }
    key(k, "tokenizer.ggml.add_bos_token", BOOL);
    tdm_buf_char(k->h, 0);
    if (text.failed) k->h->failed = true;
    tdm_buf_clear(&text);
}

/* ---- tensors ---- */

/* In the order of tdm_gpt2_entries. */
static const char *const name_form[TDM_NAMES] = {
    "token_embd.weight",       "position_embd.weight",  "blk.%zu.attn_norm.weight",   "blk.%zu.attn_norm.bias",
    "blk.%zu.attn_qkv.weight", "blk.%zu.attn_qkv.bias", "blk.%zu.attn_output.weight", "blk.%zu.attn_output.bias",
    "blk.%zu.ffn_norm.weight", "blk.%zu.ffn_norm.bias", "blk.%zu.ffn_up.weight",      "blk.%zu.ffn_up.bias",
    "blk.%zu.ffn_down.weight", "blk.%zu.ffn_down.bias", "output_norm.weight",         "output_norm.bias"};
enum { TOKENS = 0, POSITIONS = 1 }; /* of the list; all other matrices are turned */

typedef struct tensor {
    const float *w;
    size_t rows, columns; /* as they lie in w */
    bool turned, half;
    uint64_t at; /* in the data */
} tensor;

static size_t tensor_bytes(const tensor *t) { return t->rows * t->columns * (t->half ? 2 : 4); }

static void tensor_told(tdm_buf *h, const tensor *t, const char *name, bool matrix)
{
    string(h, tdm_str_of(name));
    u32(h, matrix ? 2 : 1);
    if (matrix) u64(h, t->turned ? t->rows : t->columns);
    u64(h, matrix && !t->turned ? t->rows : matrix ? t->columns : t->rows);
    u32(h, t->half ? F16 : F32);
    u64(h, t->at);
}

/* All tensors, told in `h`; returns how many. *end: where the data end. */
static size_t tensors_make(tensor *all, tdm_buf *h, const tdm_gpt2 *g, uint64_t *end)
{
    tdm_gpt2_entry entry[TDM_NAMES];
    size_t n = 0, entries = tdm_gpt2_entries(entry, g);
    *end = 0;
    for (size_t e = 0; e < entries; e++)
        for (size_t l = 0; l < (entry[e].layers ? entry[e].layers : 1); l++) {
            char name[TDM_NAME];
            bool matrix = entry[e].columns > 0;
            tensor *t = &all[n++];
            *t = (tensor){entry[e].at + l * tdm_gpt2_entry_size(&entry[e]),
                          entry[e].rows,
                          matrix ? entry[e].columns : 1,
                          matrix && e > POSITIONS,
                          matrix && e != POSITIONS,
                          *end};
            tdm_gpt2_name(name, "", name_form[e], l);
            tensor_told(h, t, name, matrix);
            *end += (tensor_bytes(t) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        }
    return n;
}

/* Some rows of what is written, out of t->w. */
static void rows_of(unsigned char *out, const tensor *t, size_t from, size_t n)
{
    size_t length = t->turned ? t->rows : t->columns;
    for (size_t k = 0; k < length; k++)
        for (size_t r = 0; r < n; r++) {
            float x = t->turned ? t->w[k * t->columns + from + r] : t->w[(from + r) * t->columns + k];
            uint32_t bits = 0;
            if (t->half) bits = tdm_to_f16(x);
            else memcpy(&bits, &x, sizeof bits);
            for (size_t i = 0, size = t->half ? 2 : 4; i < size; i++)
                out[(r * length + k) * size + i] = (unsigned char)(bits >> 8 * i);
        }
}

static tdm_status tensor_write(tdm_draft *d, const tensor *t, uint64_t data, tdm_err *err)
{
    size_t rows = t->turned ? t->columns : t->rows, row = tensor_bytes(t) / rows;
    unsigned char *room = tdm_new(COLUMNS, row);
    tdm_status st = room ? TDM_OK : tdm_nomem(err, "a file of weights");
    for (size_t r = 0; !st && r < rows; r += COLUMNS) {
        size_t n = rows - r < COLUMNS ? rows - r : COLUMNS;
        rows_of(room, t, r, n);
        st = tdm_draft_put(d, data + t->at + r * row, room, n * row, err);
    }
    tdm_free(room);
    return st;
}

/* ---- the file ---- */

tdm_status tdm_gguf_write(const char *path, const tdm_gpt2 *g, const tdm_bpe *b, const char *name, tdm_err *err)
{
    tdm_buf h = {0}, told = {0}, body = {0};
    keys k = {&told, 0};
    uint64_t end = 0;
    size_t n = 0;
    tensor *all = tdm_new(4 + 12 * g->s.L, sizeof *all);
    tdm_draft *d = NULL;
    tdm_status st = TDM_OK;
    if (tdm_bpe_size(b) > g->s.V)
        st = tdm_fail(err, TDM_E_ARG, "%s: %zu tokens, and the model has rows for %zu", path, tdm_bpe_size(b), g->s.V);
    else if (all) {
        model_keys(&k, g, name);
        token_keys(&k, b, g->s.V);
        n = tensors_make(all, &body, g, &end);
        tdm_buf_str(&h, "GGUF");
        u32(&h, VERSION);
        u64(&h, n);
        u64(&h, k.n);
        tdm_buf_add(&h, told.p, told.n);
        tdm_buf_add(&h, body.p, body.n);
        while (!h.failed && h.n % ALIGNMENT) tdm_buf_char(&h, 0);
    }
    if (!st && (!all || h.failed || told.failed || body.failed)) st = tdm_nomem(err, path);
    if (!st) st = tdm_draft_open(&d, path, h.n + end, err);
    if (!st) st = tdm_draft_put(d, 0, h.p, h.n, err);
    for (size_t i = 0; !st && i < n; i++) st = tensor_write(d, &all[i], h.n, err);
    if (st) tdm_draft_drop(d);
    else st = tdm_draft_end(d, true, err);
    tdm_buf_clear(&h);
    tdm_buf_clear(&told);
    tdm_buf_clear(&body);
    tdm_free(all);
    return st;
}
