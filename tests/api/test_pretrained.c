/* SPDX-License-Identifier: Apache-2.0 */
/* test_pretrained.c - a training begins from somebody's GPT-2, in whichever files it lies, or says why it cannot. */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "gpt2/gpt2.h"
#include "text/bpe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char top[] = "/tmp/tandem-pretrained-XXXXXX", dataset[64], gpt2[64];
static tdm_run *shared;

static int open_all(void **state)
{
    (void)state;
    tdm_err err;
    if (!mkdtemp(top)) return -1;
    char reviews[64], *health;
    snprintf(dataset, sizeof dataset, "%s/dataset", top);
    snprintf(gpt2, sizeof gpt2, "%s/gpt2", top);
    snprintf(reviews, sizeof reviews, "%s/reviews.jsonl", top);
    CHECK_OK(tdm_run_open(&shared, &(tdm_run_options){.threads = 2, .seed = 1}, &err), err);
    CHECK_OK(tdm_sample_write(top, 1, &err), err);
    const char *sources[] = {reviews};
    CHECK_OK(tdm_pipeline_prepare(&health, dataset, &(tdm_options){.sources = sources, .n_sources = 1}, shared, &err),
             err);
    tdm_text_free(health);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    char command[64];
    tdm_run_close(shared);
    snprintf(command, sizeof command, "rm -r %s", top);
    return system(command);
}

/* A small GPT-2 with a vocabulary of its own. */
static void pretrained_make(void)
{
    static const char text[] = "a good pot of good tea";
    static const int64_t offset[] = {0, sizeof text - 1};
    static const char *const special[] = {"<|endoftext|>", NULL};
    tdm_err err;
    tdm_bpe *b;
    tdm_gpt2 *g;
    CHECK_OK(tdm_folder_make(gpt2, &err), err);
    CHECK_OK(tdm_bpe_learn(&b, &(tdm_strings){text, offset, 1}, 270, special, NULL, &err), err);
    CHECK_OK(tdm_gpt2_open(&g, (tdm_gpt2_shape){.V = tdm_bpe_size(b), .T = 256, .C = 8, .L = 1, .H = 2}, &err), err);
    tdm_gpt2_init(g, 3);
    CHECK_OK(tdm_bpe_save(b, gpt2, &err), err);
    CHECK_OK(tdm_gpt2_save(g, gpt2, &err), err);
    tdm_gpt2_close(g);
    tdm_bpe_close(b);
}

static void move(const char *from, const char *to)
{
    char *a = tdm_path_join(gpt2, from), *b = tdm_path_join(gpt2, to);
    CHECK(a && b && rename(a, b) == 0);
    tdm_free(a);
    tdm_free(b);
}

static tdm_status train(const char *name, tdm_err *err)
{
    char folder[96], *summary = NULL;
    const char *set[] = {"gpt2-words.steps=2"};
    snprintf(folder, sizeof folder, "%s/%s", top, name);
    tdm_status st =
        tdm_pipeline_train(&summary, dataset, folder,
                           &(tdm_options){.models = "gpt2-words", .gpt2 = gpt2, .set = set, .n_set = 1}, shared, err);
    tdm_text_free(summary);
    return st;
}

static tdm_map weights_of(const char *name)
{
    tdm_err err;
    tdm_map map;
    char path[128];
    snprintf(path, sizeof path, "%s/%s/gpt2-words/model.safetensors", top, name);
    CHECK_OK(tdm_map_open(&map, path, &err), err);
    return map;
}

static void the_form_of_a_folder_does_not_matter(void **state)
{
    (void)state;
    tdm_err err;
    pretrained_make();
    CHECK_OK(train("one", &err), err);
    move("model.safetensors", "part.safetensors");
    char *index = tdm_path_join(gpt2, "model.safetensors.index.json");
    static const char map[] = "{\"weight_map\": {\"transformer.wte.weight\": \"part.safetensors\"}}";
    CHECK_OK(tdm_file_write(index, map, sizeof map - 1, &err), err);
    CHECK_OK(train("many", &err), err);
    tdm_map a = weights_of("one"), b = weights_of("many");
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
    tdm_map_close(&a);
    tdm_map_close(&b);
    CHECK(unlink(index) == 0);
    tdm_free(index);
    move("part.safetensors", "pytorch_model.bin");
    CHECK(train("old", &err) == TDM_E_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "save_pretrained"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_form_of_a_folder_does_not_matter)};
    return cmocka_run_group_tests_name("pretrained", tests, open_all, close_all);
}
