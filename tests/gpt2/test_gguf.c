/* SPDX-License-Identifier: Apache-2.0 */
/* test_gguf.c - an export, read again by a reader of its own: every key, every token, every number of every tensor. */
#include "check.h"

#include "base/file.h"
#include "base/half.h"
#include "base/mem.h"
#include "base/run.h"
#include "gpt2/gguf.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SHARED TDM_SOURCE_DIR "/../shared/data/gpt2/tiny-random"

/* ---- a reader ---- */

typedef struct reader {
    tdm_map map;
    const uint8_t *p;
    uint64_t tensors, keys;
} reader;

static uint64_t take(reader *r, size_t bytes)
{
    uint64_t x = 0;
    CHECK(r->p + bytes <= r->map.p + r->map.n);
    for (size_t i = 0; i < bytes; i++) x |= (uint64_t)r->p[i] << 8 * i;
    r->p += bytes;
    return x;
}

static tdm_str take_string(reader *r)
{
    size_t n = take(r, 8);
    CHECK(n <= (size_t)(r->map.p + r->map.n - r->p));
    tdm_str s = {(const char *)r->p, n};
    r->p += n;
    return s;
}

static bool is(tdm_str s, const char *text) { return s.n == strlen(text) && !memcmp(s.p, text, s.n); }

static const size_t size_of[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
enum { U32 = 4, I32 = 5, REAL = 6, BOOL = 7, STRING = 8, ARRAY = 9 };

static void pass_over(reader *r, uint64_t type)
{
    CHECK(type < sizeof size_of / sizeof *size_of);
    if (type == STRING) take_string(r);
    else if (type == ARRAY)
        for (uint64_t of = take(r, 4), n = take(r, 8); n; n--) pass_over(r, of);
    else take(r, size_of[type]);
}

static reader reader_open(const char *path)
{
    reader r = {0};
    tdm_err err;
    CHECK_OK(tdm_map_open(&r.map, path, &err), err);
    r.p = r.map.p;
    CHECK(r.map.n > 24 && !memcmp(r.p, "GGUF", 4));
    r.p += 4;
    CHECK(take(&r, 4) == 3);
    r.tensors = take(&r, 8);
    r.keys = take(&r, 8);
    return r;
}

/* A reader at the value of a key, which has this type. */
static reader at_key(const reader *all, const char *name, uint64_t type)
{
    reader r = *all;
    for (uint64_t k = 0; k < r.keys; k++) {
        bool found = is(take_string(&r), name);
        uint64_t has = take(&r, 4);
        if (found) {
            CHECK(has == type);
            return r;
        }
        pass_over(&r, has);
    }
    fail_msg("no key %s", name);
    return r;
}

static uint64_t number(const reader *r, const char *name)
{
    reader at = at_key(r, name, U32);
    return take(&at, 4);
}

static bool says(const reader *r, const char *name, const char *text)
{
    reader at = at_key(r, name, STRING);
    return is(take_string(&at), text);
}

/* At the first element. */
static reader at_array(const reader *r, const char *name, uint64_t type, size_t n)
{
    reader at = at_key(r, name, ARRAY);
    CHECK(take(&at, 4) == type);
    CHECK(take(&at, 8) == n);
    return at;
}

/* ---- what must be there ---- */

static void keys_are(const reader *r, const tdm_gpt2 *g, const tdm_bpe *b)
{
    const struct {
        const char *name;
        size_t value;
    } sizes[] = {{"gpt2.block_count", g->s.L},          {"gpt2.context_length", g->s.T},
                 {"gpt2.embedding_length", g->s.C},     {"gpt2.feed_forward_length", 4 * g->s.C},
                 {"gpt2.attention.head_count", g->s.H}, {"general.file_type", 1}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        assert_int_equal(number(r, sizes[k].name), sizes[k].value);
    CHECK(says(r, "general.architecture", "gpt2") && says(r, "general.name", "toy"));
    CHECK(says(r, "tokenizer.ggml.model", "gpt2") && says(r, "tokenizer.ggml.pre", "gpt-2"));
    reader at = at_key(r, "gpt2.attention.layer_norm_epsilon", REAL);
    uint32_t bits = (uint32_t)take(&at, 4);
    float eps;
    memcpy(&eps, &bits, sizeof eps);
    CHECK(eps == 1e-5f);
    CHECK(number(r, "tokenizer.ggml.eos_token_id") == tdm_bpe_main_special(b));
    CHECK(number(r, "tokenizer.ggml.bos_token_id") == tdm_bpe_main_special(b));
}

static void vocabulary_is(const reader *r, const tdm_bpe *b, size_t V)
{
    reader text = at_array(r, "tokenizer.ggml.tokens", STRING, V),
           kind = at_array(r, "tokenizer.ggml.token_type", I32, V),
           merges = at_array(r, "tokenizer.ggml.merges", STRING, tdm_bpe_merges(b));
    for (uint32_t t = 0; t < V; t++) {
        tdm_buf want = {0};
        uint64_t type = 1;
        if (t >= tdm_bpe_size(b) || !tdm_bpe_written(b, t, &want)) {
            tdm_buf_fmt(&want, "[PAD%u]", t);
            type = 5;
        } else if (tdm_bpe_is_special(b, t)) type = 3;
        CHECK(take(&kind, 4) == type);
        CHECK(is(take_string(&text), want.p));
        tdm_buf_clear(&want);
    }
    for (size_t m = 0; m < tdm_bpe_merges(b); m++) {
        tdm_buf want = {0};
        tdm_bpe_merge_written(b, m, &want);
        CHECK(is(take_string(&merges), want.p));
        tdm_buf_clear(&want);
    }
}

/* A tensor whose element (row, column) as GPT-2s are published is w[row * columns + column]; columns 0: one dimension.
 */
static void tensor_is(const reader *all, const char *form, size_t layer, const float *w, size_t rows, size_t columns,
                      bool turned, bool half)
{
    char name[64];
    reader r = *all;
    uint64_t at = UINT64_MAX;
    if (strstr(form, "%zu")) snprintf(name, sizeof name, "blk.%zu.%s", layer, strstr(form, "%zu.") + 4);
    else snprintf(name, sizeof name, "%s", form);
    for (uint64_t k = 0; k < r.keys; k++) {
        take_string(&r);
        pass_over(&r, take(&r, 4));
    }
    for (uint64_t t = 0; t < r.tensors; t++) {
        bool found = is(take_string(&r), name);
        uint64_t dims = take(&r, 4), ne[4] = {0};
        CHECK(dims == 1 || dims == 2);
        for (uint64_t d = 0; d < dims; d++) ne[d] = take(&r, 8);
        uint64_t type = take(&r, 4), offset = take(&r, 8);
        CHECK(offset % 32 == 0);
        if (!found) continue;
        at = offset;
        CHECK(type == half && dims == (columns ? 2 : 1));
        CHECK(ne[0] == (columns && !turned ? columns : rows) && ne[1] == (!columns ? 0 : turned ? columns : rows));
    }
    CHECK(at != UINT64_MAX);
    size_t data = ((size_t)(r.p - r.map.p) + 31) / 32 * 32, fast = columns && !turned ? columns : rows;
    r.p = r.map.p + data + at;
    for (size_t i = 0; i < rows * (columns ? columns : 1); i++) {
        float want = !turned ? w[i] : w[i % fast * columns + i / fast];
        if (half) CHECK(take(&r, 2) == tdm_to_f16(want));
        else {
            uint32_t bits;
            memcpy(&bits, &want, sizeof bits);
            CHECK(take(&r, 4) == bits);
        }
    }
}

static void file_is(const char *path, const tdm_gpt2 *g, const tdm_bpe *b)
{
    reader r = reader_open(path);
    const size_t C = g->s.C;
    keys_are(&r, g, b);
    vocabulary_is(&r, b, g->s.V);
    CHECK(r.tensors == 4 + 12 * g->s.L);
    tensor_is(&r, "token_embd.weight", 0, g->w.wte, g->s.V, C, false, true);
    tensor_is(&r, "position_embd.weight", 0, g->w.wpe, g->s.T, C, false, false);
    tensor_is(&r, "output_norm.weight", 0, g->w.lnfw, C, 0, false, false);
    tensor_is(&r, "output_norm.bias", 0, g->w.lnfb, C, 0, false, false);
    for (size_t l = 0; l < g->s.L; l++) {
        tensor_is(&r, "blk.%zu.attn_norm.weight", l, g->w.ln1w + l * C, C, 0, false, false);
        tensor_is(&r, "blk.%zu.attn_norm.bias", l, g->w.ln1b + l * C, C, 0, false, false);
        tensor_is(&r, "blk.%zu.attn_qkv.weight", l, g->w.qkvw + l * 3 * C * C, C, 3 * C, true, true);
        tensor_is(&r, "blk.%zu.attn_qkv.bias", l, g->w.qkvb + l * 3 * C, 3 * C, 0, false, false);
        tensor_is(&r, "blk.%zu.attn_output.weight", l, g->w.attw + l * C * C, C, C, true, true);
        tensor_is(&r, "blk.%zu.attn_output.bias", l, g->w.attb + l * C, C, 0, false, false);
        tensor_is(&r, "blk.%zu.ffn_norm.weight", l, g->w.ln2w + l * C, C, 0, false, false);
        tensor_is(&r, "blk.%zu.ffn_norm.bias", l, g->w.ln2b + l * C, C, 0, false, false);
        tensor_is(&r, "blk.%zu.ffn_up.weight", l, g->w.fcw + l * 4 * C * C, C, 4 * C, true, true);
        tensor_is(&r, "blk.%zu.ffn_up.bias", l, g->w.fcb + l * 4 * C, 4 * C, 0, false, false);
        tensor_is(&r, "blk.%zu.ffn_down.weight", l, g->w.projw + l * 4 * C * C, 4 * C, C, true, true);
        tensor_is(&r, "blk.%zu.ffn_down.bias", l, g->w.projb + l * C, C, 0, false, false);
    }
    tdm_map_close(&r.map);
}

/* ---- models ---- */

static void exported(const tdm_gpt2 *g, const tdm_bpe *b)
{
    tdm_err err;
    const char *path = "toy.gguf";
    CHECK_OK(tdm_gguf_write(path, g, b, "toy", &err), err);
    file_is(path, g, b);
    remove(path);
}

static tdm_gpt2 *toy(size_t V)
{
    tdm_err err;
    tdm_gpt2 *g;
    CHECK_OK(tdm_gpt2_open(&g, (tdm_gpt2_shape){.V = V, .T = 20, .C = 72, .L = 3, .H = 4}, &err), err);
    tdm_gpt2_init(g, 3);
    for (size_t i = 0; i < g->n; i += 5) g->block[i] += (float)(i % 97) * 0.01f; /* biases are not all zero */
    return g;
}

static tdm_bpe *learned(void)
{
    tdm_err err;
    tdm_bpe *b;
    struct tdm_run run = {0};
    char text[] = "a good film, a good tale; the film is good, \"the tale\" is \xc3\xa9t\xc3\xa9.\na good film";
    int64_t offset[] = {0, (int64_t)strlen(text)};
    const tdm_strings all = {text, offset, 1};
    CHECK_OK(tdm_pool_open(&run.pool, 1, &err), err);
    CHECK_OK(tdm_bpe_learn(&b, &all, 270, (const char *const[]){"<|item|>", "<|endoftext|>", NULL}, &run, &err), err);
    tdm_pool_close(run.pool);
    return b;
}

static void a_model_of_our_own(void **state)
{
    (void)state;
    tdm_bpe *b = learned();
    tdm_gpt2 *g = toy(tdm_bpe_size(b) + 5); /* rows that no token has */
    CHECK(tdm_bpe_merges(b) > 0);
    exported(g, b);
    tdm_gpt2_close(g);
    tdm_bpe_close(b);
}

static void a_published_folder(void **state)
{
    (void)state;
    tdm_err err;
    tdm_gpt2 *g;
    tdm_bpe *b;
    if (!tdm_folder_exists(SHARED)) skip();
    CHECK_OK(tdm_gpt2_load(&g, SHARED, &err), err);
    CHECK_OK(tdm_bpe_open(&b, SHARED, &err), err);
    exported(g, b);
    tdm_gpt2_close(g);
    tdm_bpe_close(b);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    tdm_err err;
    tdm_bpe *b = learned();
    tdm_gpt2 *g = toy(tdm_bpe_size(b) - 1);
    assert_int_equal(tdm_gguf_write("toy.gguf", g, b, "toy", &err), TDM_E_ARG);
    CHECK(!tdm_file_exists("toy.gguf") && strstr(err.msg, "tokens"));
    assert_int_equal(tdm_gguf_write("nowhere/toy.gguf", g, b, "toy", &err), TDM_E_ARG);
    tdm_gpt2_close(g);
    g = toy(tdm_bpe_size(b));
    assert_int_equal(tdm_gguf_write("nowhere/toy.gguf", g, b, "toy", &err), TDM_E_IO);
    CHECK(strstr(err.msg, "nowhere/toy.gguf"));
    tdm_gpt2_close(g);
    tdm_bpe_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_of_our_own),
        cmocka_unit_test(a_published_folder),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
