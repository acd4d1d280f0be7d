/* SPDX-License-Identifier: Apache-2.0 */
/* test_gpt2_folder.c - folders of other people's GPT-2s: read in every form they come in, and written back as they
 * were. */
#include "check.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/safetensors.h"
#include "gpt2/gpt2.h"
#include "text/bpe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char tiny[] = TDM_SOURCE_DIR "/../shared/data/gpt2/tiny-random";
static const char one[] = "model.safetensors", many[] = "model.safetensors.index.json";
static char folder[32];

static int folder_new(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/tandem-folder-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_gone(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static char *in(const char *where, const char *name)
{
    static char path[4][512];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", where, name);
    return p;
}

static void put(const char *name, const char *text)
{
    tdm_err err;
    CHECK_OK(tdm_file_write(in(folder, name), text, strlen(text), &err), err);
}

static tdm_buf bytes_of(const char *path)
{
    tdm_err err;
    tdm_map map;
    tdm_buf out = {0};
    CHECK_OK(tdm_map_open(&map, path, &err), err);
    tdm_buf_add(&out, map.p, map.n);
    tdm_map_close(&map);
    return out;
}

static void same_json(const char *a, const char *b)
{
    tdm_err err;
    cJSON *x, *y;
    CHECK_OK(tdm_json_read(&x, a, &err), err);
    CHECK_OK(tdm_json_read(&y, b, &err), err);
    if (!cJSON_Compare(x, y, true)) fail_msg("%s and %s differ", a, b);
    cJSON_Delete(x);
    cJSON_Delete(y);
}

static void same_bytes(const char *a, const char *b)
{
    tdm_buf x = bytes_of(a), y = bytes_of(b);
    assert_int_equal(x.n, y.n);
    assert_memory_equal(x.p, y.p, x.n);
    tdm_buf_clear(&x);
    tdm_buf_clear(&y);
}

/* ---- a folder that the common library saved ---- */

static void what_was_read_is_written_as_it_was(void **state)
{
    (void)state;
    if (!tdm_folder_exists(tiny)) skip();
    static const char *const json[] = {"config.json", "vocab.json", "special_tokens_map.json", "tokenizer_config.json"};
    tdm_err err;
    tdm_gpt2 *g;
    tdm_bpe *b;
    CHECK_OK(tdm_gpt2_load(&g, tiny, &err), err);
    CHECK_OK(tdm_bpe_open(&b, tiny, &err), err);
    const float was = g->w.fcw[3];
    g->w.fcw[3] = 7;
    CHECK_OK(tdm_gpt2_save(g, folder, &err), err);
    g->w.fcw[3] = was;
    CHECK_OK(tdm_gpt2_save(g, folder, &err), err);
    CHECK_OK(tdm_bpe_save(b, folder, &err), err);
    same_bytes(in(tiny, one), in(folder, one));
    same_bytes(in(tiny, "merges.txt"), in(folder, "merges.txt"));
    for (size_t i = 0; i < sizeof json / sizeof *json; i++) same_json(in(tiny, json[i]), in(folder, json[i]));
    CHECK(!tdm_file_exists(in(folder, "added_tokens.json"))); /* there was none */
    tdm_bpe_close(b);
    tdm_gpt2_close(g);
}

/* ---- made folders ---- */

static tdm_gpt2 *made(void)
{
    tdm_err err;
    tdm_gpt2 *g;
    CHECK_OK(tdm_gpt2_open(&g, (tdm_gpt2_shape){.V = 11, .T = 8, .C = 6, .L = 2, .H = 3}, &err), err);
    tdm_gpt2_init(g, 5);
    CHECK_OK(tdm_gpt2_save(g, folder, &err), err);
    return g;
}

static void settings_we_do_not_know_are_kept(void **state)
{
    (void)state;
    tdm_err err;
    tdm_gpt2 *g = made(), *again;
    put("config.json", "{\"n_embd\": 6, \"summary_type\": \"cls_index\", \"model_type\": \"gpt2\", \"n_head\": 3,"
                       "\"n_inner\": null, \"n_layer\": 2, \"n_positions\": 8, \"torch_dtype\": \"float16\","
                       "\"vocab_size\": 11, \"eos_token_id\": 9}");
    put("generation_config.json", "{ \"eos_token_id\": 9, \"top_k\": 50 }\n");
    CHECK_OK(tdm_gpt2_load(&again, folder, &err), err);
    assert_memory_equal(again->block, g->block, g->n * sizeof *g->block);
    CHECK(unlink(in(folder, "generation_config.json")) == 0);
    CHECK_OK(tdm_gpt2_save(again, folder, &err), err);
    cJSON *c;
    CHECK_OK(tdm_json_read(&c, in(folder, "config.json"), &err), err);
    assert_string_equal(tdm_json_str(c, "summary_type", ""), "cls_index");
    assert_string_equal(tdm_json_str(c, "torch_dtype", ""), "float32"); /* what the file holds now */
    CHECK(tdm_json_num(c, "eos_token_id", 0) == 9 && cJSON_IsNull(cJSON_GetObjectItem(c, "n_inner")));
    CHECK(!cJSON_HasObjectItem(c, "n_ctx"));
    cJSON_Delete(c);
    tdm_buf kept = bytes_of(in(folder, "generation_config.json"));
    assert_string_equal(kept.p, "{ \"eos_token_id\": 9, \"top_k\": 50 }\n");
    tdm_buf_clear(&kept);
    tdm_gpt2_close(again);
    tdm_gpt2_close(g);
}

/* Writes the tensors of model.safetensors whose number has this remainder, or all of them with `more`. */
static void part_write(const char *name, const tdm_safetensors *all, size_t remainder, const tdm_tensor *more)
{
    tdm_err err;
    tdm_tensor t[64];
    size_t n = 0;
    for (size_t i = 0; i < tdm_safetensors_n(all); i++)
        if (more || i % 2 == remainder) t[n++] = *tdm_safetensors_at(all, i);
    if (more) t[n++] = *more;
    CHECK_OK(tdm_safetensors_write(in(folder, name), t, n, NULL, &err), err);
}

static void weights_may_lie_in_several_files(void **state)
{
    (void)state;
    tdm_err err;
    tdm_gpt2 *g = made(), *again;
    tdm_safetensors *all;
    CHECK_OK(tdm_safetensors_open(&all, in(folder, one), &err), err);
    part_write("a.safetensors", all, 0, NULL);
    part_write("b.safetensors", all, 1, NULL);
    tdm_safetensors_close(all);
    CHECK(unlink(in(folder, one)) == 0);
    put(many, "{\"metadata\": {}, \"weight_map\": {\"x\": \"a.safetensors\", \"y\": \"b.safetensors\", \"z\": "
              "\"a.safetensors\"}}");
    CHECK_OK(tdm_gpt2_load(&again, folder, &err), err);
    assert_memory_equal(again->block, g->block, g->n * sizeof *g->block);
    tdm_gpt2_close(again);

    static const struct {
        const char *index, *says;
    } wrong[] = {
        {"{\"weight_map\": {\"x\": \"a.safetensors\"}}", "cannot hold"}, /* half of the weights */
        {"{\"weight_map\": {\"x\": \"../a.safetensors\"}}", "not the name of a file beside it"},
        {"{\"weight_map\": {\"x\": \"/etc/passwd\"}}", "not the name of a file beside it"},
        {"{\"weight_map\": {\"x\": 3}}", "not the name of a file beside it"},
        {"{\"weight_map\": {\"x\": \"c.safetensors\"}}", "c.safetensors"},
        {"{\"weight_map\": {}}", "cannot hold"},
        {"{}", "no weight_map"},
        {"[", "index.json"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put(many, wrong[i].index);
        if (!tdm_gpt2_load(&again, folder, &err) || again || !strstr(err.msg, wrong[i].says))
            fail_msg("%s: %s", wrong[i].index, err.msg);
    }
    tdm_gpt2_close(g);
}

static void an_output_must_be_the_table(void **state)
{
    (void)state;
    tdm_err err;
    tdm_gpt2 *g = made(), *again;
    tdm_safetensors *all;
    float *head = tdm_new(g->s.V, g->s.C * sizeof *head);
    memcpy(head, g->w.wte, g->s.V * g->s.C * sizeof *head);
    const tdm_tensor more = tdm_tensor_2d("lm_head.weight", TDM_F32, head, g->s.V, g->s.C);
    for (int other = 0; other < 2; other++) {
        CHECK_OK(tdm_gpt2_save(g, folder, &err), err);
        CHECK_OK(tdm_safetensors_open(&all, in(folder, one), &err), err);
        head[7] += (float)other;
        part_write("new.safetensors", all, 0, &more);
        tdm_safetensors_close(all);
        CHECK(rename(in(folder, "new.safetensors"), in(folder, one)) == 0);
        tdm_status st = tdm_gpt2_load(&again, folder, &err);
        if (other) CHECK(st == TDM_E_UNSUPPORTED && strstr(err.msg, "lm_head.weight is not wte.weight"));
        else CHECK_OK(st, err);
        tdm_gpt2_close(again);
    }
    tdm_free(head);
    tdm_gpt2_close(g);
}

static void what_cannot_be_read_is_said(void **state)
{
    (void)state;
    tdm_err err;
    tdm_gpt2 *g = made(), *again;
    float *turned = tdm_new(18, 6 * sizeof *turned);
    const tdm_tensor wrong = tdm_tensor_2d("transformer.h.0.attn.c_attn.weight", TDM_F32, turned, 18, 6);
    tdm_safetensors *all;
    CHECK_OK(tdm_safetensors_open(&all, in(folder, one), &err), err);
    tdm_tensor t[64];
    size_t n = tdm_safetensors_n(all);
    for (size_t i = 0; i < n; i++) {
        t[i] = *tdm_safetensors_at(all, i);
        if (!strcmp(t[i].name, wrong.name)) t[i] = wrong;
    }
    CHECK_OK(tdm_safetensors_write(in(folder, "new.safetensors"), t, n, NULL, &err), err);
    tdm_safetensors_close(all);
    CHECK(rename(in(folder, "new.safetensors"), in(folder, one)) == 0);
    CHECK(tdm_gpt2_load(&again, folder, &err) == TDM_E_UNSUPPORTED && strstr(err.msg, "transpose"));
    CHECK(rename(in(folder, one), in(folder, "pytorch_model.bin")) == 0);
    CHECK(tdm_gpt2_load(&again, folder, &err) == TDM_E_UNSUPPORTED && strstr(err.msg, "save_pretrained"));
    CHECK(unlink(in(folder, "pytorch_model.bin")) == 0);
    CHECK(tdm_gpt2_load(&again, folder, &err) == TDM_E_IO);
    tdm_free(turned);
    tdm_gpt2_close(g);
}

/* ---- a vocabulary in one file ---- */

#define MERGES_AS_TEXT "[\"\\u0120 a\", \"a b\", \"\\u0120a b\"]"
#define MERGES_AS_PAIRS "[[\"\\u0120\", \"a\"], [\"a\", \"b\"], [\"\\u0120a\", \"b\"]]"
#define VOCAB "{\"a\": 0, \"b\": 1, \"\\u0120\": 2, \"\\u0120a\": 3, \"ab\": 4, \"\\u0120ab\": 5}"
#define CUT "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": true}"
#define ADDED "[{\"id\": 6, \"content\": \"<|endoftext|>\", \"special\": true}]"
#define TOKENIZER(added, normal, cut, merges)                                                                          \
    "{\"version\": \"1.0\", \"added_tokens\": " added ", \"normalizer\": " normal ", \"pre_tokenizer\": " cut          \
    ", \"model\": {\"type\": \"BPE\", \"vocab\": " VOCAB ", \"merges\": " merges "}}"

static void is_the_vocabulary(const tdm_bpe *b)
{
    tdm_err err;
    tdm_tokens t = {0};
    const uint32_t want[] = {4, 5, 3};
    assert_int_equal(tdm_bpe_size(b), 7);
    assert_int_equal(tdm_bpe_special(b, "<|endoftext|>"), 6);
    CHECK_OK(tdm_bpe_encode(b, &t, tdm_str_of("ab ab a"), &err), err);
    assert_int_equal(t.n, 3);
    assert_memory_equal(t.at, want, sizeof want);
    tdm_free(t.at);
}

static void a_tokenizer_in_one_file_is_the_same(void **state)
{
    (void)state;
    tdm_err err;
    tdm_bpe *b;
    const char *const form[] = {TOKENIZER(ADDED, "null", CUT, MERGES_AS_TEXT),
                                TOKENIZER(ADDED, "null", CUT, MERGES_AS_PAIRS)};
    for (size_t i = 0; i < 2; i++) {
        put("tokenizer.json", form[i]);
        CHECK_OK(tdm_bpe_open(&b, folder, &err), err);
        is_the_vocabulary(b);
        CHECK_OK(tdm_bpe_save(b, folder, &err), err);
        tdm_bpe_close(b);
        tdm_buf kept = bytes_of(in(folder, "tokenizer.json"));
        assert_string_equal(kept.p, form[i]);
        tdm_buf_clear(&kept);
        CHECK_OK(tdm_bpe_open(&b, folder, &err), err); /* now from vocab.json and merges.txt */
        is_the_vocabulary(b);
        tdm_bpe_close(b);
        CHECK(unlink(in(folder, "vocab.json")) == 0);
    }
}

static void a_tokenizer_that_is_not_gpt2s_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {TOKENIZER(ADDED, "{\"type\": \"NFC\"}", CUT, MERGES_AS_TEXT), "normalizer"},
        {TOKENIZER(ADDED, "null", "{\"type\": \"Whitespace\"}", MERGES_AS_TEXT), "pre_tokenizer"},
        {TOKENIZER(ADDED, "null", "{\"type\": \"ByteLevel\", \"add_prefix_space\": true}", MERGES_AS_TEXT), "prefix"},
        {TOKENIZER(ADDED, "null", CUT, "[\"a z\"]"), "not two tokens"},
        {TOKENIZER(ADDED, "null", CUT, "[3]"), "not two tokens"},
        {TOKENIZER(ADDED, "null", CUT, "[\"a b\", \"a b\"]"), "has a merge already"},
        {TOKENIZER("[{\"id\": 6}]", "null", CUT, MERGES_AS_TEXT), "no content"},
        {TOKENIZER("[{\"id\": 2, \"content\": \"<x>\"}]", "null", CUT, MERGES_AS_TEXT), "there twice"},
        {"{\"model\": {\"type\": \"Unigram\"}}", "not a BPE"},
        {"[]", "not a BPE"},
        {"{", "tokenizer.json"},
    };
    tdm_err err;
    tdm_bpe *b;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put("tokenizer.json", wrong[i].text);
        if (!tdm_bpe_open(&b, folder, &err) || b || !strstr(err.msg, wrong[i].says))
            fail_msg("%s: %s", wrong[i].text, err.msg);
    }
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_gone)
    const struct CMUnitTest tests[] = {IN_A_FOLDER(what_was_read_is_written_as_it_was),
                                       IN_A_FOLDER(settings_we_do_not_know_are_kept),
                                       IN_A_FOLDER(weights_may_lie_in_several_files),
                                       IN_A_FOLDER(an_output_must_be_the_table),
                                       IN_A_FOLDER(what_cannot_be_read_is_said),
                                       IN_A_FOLDER(a_tokenizer_in_one_file_is_the_same),
                                       IN_A_FOLDER(a_tokenizer_that_is_not_gpt2s_is_refused)};
    return cmocka_run_group_tests_name("gpt2 folder", tests, NULL, NULL);
}
