/* SPDX-License-Identifier: Apache-2.0 */
/* test_pretrained.c - a training begins from somebody's GPT-2, in whichever files it lies, or says why it cannot;
 * and within the memory that it is given. */
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

/* ---- what a training may take ---- */

/* Models of whose training the plan was said. */
typedef struct plans {
    bool items, words, adapters;
} plans;

static void note(void *ctx, tdm_log_level level, const char *stage, const char *message)
{
    plans *p = ctx;
    if (level != TDM_LOG_INFO || strncmp(message, "memory: weights ", 16) || !strstr(message, "in all ")) return;
    if (!strcmp(stage, "gpt2-items")) p->items = true;
    if (!strcmp(stage, "gpt2-words")) p->words = true;
    if (strstr(message, "adapters ")) p->adapters = true;
}

static tdm_status short_train(const char *models, const char *pretrained, const char *more, size_t memory, plans *p,
                              tdm_err *err)
{
    const char *set[] = {"gpt2-words.steps=2", "gpt2-items.epochs=1", "gpt2-items.updates=1", more};
    char folder[96], *summary = NULL;
    tdm_run *run;
    *p = (plans){0};
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2, .seed = 1, .log = note, .ctx = p}, err), *err);
    snprintf(folder, sizeof folder, "%s/short", top);
    tdm_status st = tdm_pipeline_train(
        &summary, dataset, folder,
        &(tdm_options){.models = models, .gpt2 = pretrained, .set = set, .n_set = 4, .memory = memory}, run, err);
    tdm_text_free(summary);
    tdm_run_close(run);
    return st;
}

static void a_training_says_what_it_takes_and_takes_no_more(void **state)
{
    (void)state;
    tdm_err err;
    plans p;
    static const char none[] = "gpt2-words.lora=0";
    CHECK_OK(short_train("content,gpt2-items", NULL, none, 0, &p, &err), err);
    CHECK(p.items && !p.words && !p.adapters);
    CHECK_OK(short_train("gpt2-words", NULL, none, 0, &p, &err), err);
    CHECK(p.words && !p.items && !p.adapters);
    static const char *const each[] = {"content,gpt2-items", "gpt2-words"};
    for (size_t i = 0; i < 2; i++) { /* another rate: not what is trained already */
        CHECK(short_train(each[i], NULL, i ? "gpt2-words.rate=.003" : "gpt2-items.rate=.003", 1 << 20, &p, &err) ==
              TDM_E_NOMEM);
        assert_non_null(strstr(err.msg, "training a GPT-2 takes"));
        CHECK(!p.items && !p.words);
    }
    CHECK_OK(short_train("gpt2-words", NULL, "gpt2-words.rate=.003", 100 << 20, &p, &err), err);
}

static void adapters_need_something_pretrained(void **state)
{
    (void)state;
    tdm_err err;
    plans p;
    pretrained_make();
    CHECK(short_train("popularity,gpt2-words", NULL, "gpt2-words.lora=4", 0, &p, &err) == TDM_E_ARG);
    assert_non_null(strstr(err.msg, "--gpt2"));
    CHECK_OK(short_train("popularity", NULL, "gpt2-words.lora=4", 0, &p, &err), err); /* it is not trained */
    CHECK_OK(short_train("gpt2-words", gpt2, "gpt2-words.lora=4", 0, &p, &err), err);
    CHECK(p.adapters);
    tdm_gpt2 *was, *now;
    char folder[96];
    snprintf(folder, sizeof folder, "%s/short/gpt2-words", top);
    CHECK_OK(tdm_gpt2_load(&was, gpt2, &err), err);
    CHECK_OK(tdm_gpt2_load(&now, folder, &err), err);
    size_t C = was->s.C;
    assert_memory_equal(now->w.wte, was->w.wte, was->s.V * C * sizeof(float));
    assert_memory_equal(now->w.fcb, was->w.fcb, 4 * C * sizeof(float));
    assert_true(memcmp(now->w.fcw, was->w.fcw, 4 * C * C * sizeof(float)) != 0);
    tdm_gpt2_close(was);
    tdm_gpt2_close(now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_form_of_a_folder_does_not_matter),
                                       cmocka_unit_test(a_training_says_what_it_takes_and_takes_no_more),
                                       cmocka_unit_test(adapters_need_something_pretrained)};
    return cmocka_run_group_tests_name("pretrained", tests, open_all, close_all);
}
