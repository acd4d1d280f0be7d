/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "gpt2/words_parts.h"
#include "words_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const files[] = {"config.json",
                                    "model.safetensors",
                                    "vocab.json",
                                    "merges.txt",
                                    "added_tokens.json",
                                    "special_tokens_map.json",
                                    "tokenizer_config.json",
                                    "words.json",
                                    "review.txt",
                                    "history.txt",
                                    "generation_config.json"};
enum { FILES = 10 };

static void folder_make(char folder[64])
{
    strcpy(folder, "/tmp/tdm-words-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

static void folder_remove(const char *folder)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    CHECK(rmdir(folder) == 0);
}

static void same_weights(const tdm_model *a, const tdm_model *b)
{
    const tdm_gpt2 *x = ((const tdm_words *)a)->g, *y = ((const tdm_words *)b)->g;
    CHECK(x->n == y->n && memcmp(x->block, y->block, x->n * sizeof(float)) == 0);
}

static void same_bytes_at_1_2_and_7_threads(void **state)
{
    (void)state;
    tdm_dataset *d = words_world(true);
    tdm_model *m[3];
    static const size_t threads[] = {1, 2, 7};
    for (size_t i = 0; i < 3; i++) {
        tdm_run *run = words_run(threads[i]);
        m[i] = words_fitted(d, run, 8);
        tdm_run_close(run);
        same_weights(m[0], m[i]);
    }
    for (size_t i = 0; i < 3; i++) tdm_model_close(m[i]);
    tdm_dataset_close(d);
}

static void a_saved_model_opens_and_answers_the_same(void **state)
{
    (void)state;
    tdm_dataset *d = words_world(true);
    tdm_run *run = words_run(2);
    tdm_model *a = words_fitted(d, run, 40), *b;
    char one[64], two[64];
    tdm_err e;
    folder_make(one);
    folder_make(two);
    CHECK_OK(a->ops->save(a, one, &e), e);
    CHECK_OK(tdm_gpt2_words_ops.load(&b, one, d, NULL, &e), e);
    CHECK_OK(b->ops->save(b, two, &e), e);
    same_weights(a, b);
    for (size_t i = 0; i < FILES; i++) {
        char p[256], q[256], x[65], y[65];
        snprintf(p, sizeof p, "%s/%s", one, files[i]);
        snprintf(q, sizeof q, "%s/%s", two, files[i]);
        CHECK_OK(tdm_file_sha256(x, p, &e), e);
        CHECK_OK(tdm_file_sha256(y, q, &e), e);
        assert_string_equal(x, y);
    }
    tdm_history h = tdm_dataset_history(d, 0);
    char said[200], again[200];
    double logp;
    uint32_t items[2][5];
    float scores[2][5];
    size_t n;
    tdm_reason r = {.history = &h, .item = 2, .seed = 9};
    CHECK_OK(a->ops->write(a, said, sizeof said, &logp, &r, &e), e);
    CHECK_OK(b->ops->write(b, again, sizeof again, &logp, &r, &e), e);
    assert_string_equal(said, again);
    CHECK_OK(words_topk(a, items[0], scores[0], &n, &h, 5, &e), e);
    CHECK_OK(words_topk(b, items[1], scores[1], &n, &h, 5, &e), e);
    CHECK(memcmp(items[0], items[1], sizeof items[0]) == 0 && memcmp(scores[0], scores[1], sizeof scores[0]) == 0);
    tdm_model_close(a);
    tdm_model_close(b);
    folder_remove(one);
    folder_remove(two);
    tdm_run_close(run);
    tdm_dataset_close(d);
}

typedef struct heard {
    char said[200];
    double logp;
    uint32_t items[5];
    float scores[5];
    size_t bytes; /* of weights that were read for a token */
} heard;

static heard hear(const tdm_model *m, const tdm_dataset *d)
{
    heard out = {0};
    tdm_err e;
    size_t n;
    tdm_history h = tdm_dataset_history(d, 0);
    const tdm_reason r = {.history = &h, .item = 2, .seed = 9};
    CHECK_OK(m->ops->write(m, out.said, sizeof out.said, &out.logp, &r, &e), e);
    CHECK_OK(words_topk(m, out.items, out.scores, &n, &h, 5, &e), e);
    CHECK(*out.said && n == 5);
    out.bytes = tdm_gpt2_packed_bytes(((const tdm_words *)m)->packed);
    return out;
}

/* What is packed are the weights as training left them, in the kind that the folder says. */
static void packed_weights_say_the_same_before_and_after_they_are_saved(void **state)
{
    (void)state;
    tdm_dataset *d = words_world(true);
    tdm_run *run = words_run(2);
    tdm_model *m;
    tdm_err e;
    heard of[3];
    char folder[64], path[128];
    tdm_params p = words_small(500);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "packed", 2, &e), e);
    const tdm_fit_input in = {.train = d, .params = &p, .run = run};
    CHECK_OK(tdm_gpt2_words_ops.fit(&m, &in, &e), e);
    const heard fresh = hear(m, d);
    folder_make(folder);
    CHECK_OK(m->ops->save(m, folder, &e), e);
    tdm_model_close(m);
    snprintf(path, sizeof path, "%s/words.json", folder);
    for (size_t k = 3; k-- > 0;) { /* as it was saved, then in the other kinds */
        cJSON *o;
        CHECK_OK(tdm_json_read(&o, path, &e), e);
        cJSON *packed = cJSON_GetObjectItem(cJSON_GetObjectItem(o, "parameters"), "packed");
        CHECK(packed && cJSON_GetNumberValue(packed) == (k == 2 ? 2 : (double)k + 1));
        cJSON_SetNumberValue(packed, (double)k);
        CHECK_OK(tdm_json_write(o, path, &e), e);
        cJSON_Delete(o);
        CHECK_OK(tdm_gpt2_words_ops.load(&m, folder, d, NULL, &e), e);
        of[k] = hear(m, d);
        tdm_model_close(m);
    }
    assert_string_equal(of[2].said, fresh.said);
    CHECK(of[2].logp == fresh.logp && of[2].bytes == fresh.bytes);
    CHECK(!memcmp(of[2].items, fresh.items, sizeof fresh.items));
    CHECK(!memcmp(of[2].scores, fresh.scores, sizeof fresh.scores));
    CHECK(of[2].bytes < of[1].bytes && of[1].bytes < of[0].bytes);
    for (size_t k = 1; k < 3; k++) /* rounded weights rank otherwise, by little */
        CHECK(of[k].scores[0] != of[0].scores[0] && fabsf(of[k].scores[0] - of[0].scores[0]) < 0.1f);
    folder_remove(folder);
    tdm_run_close(run);
    tdm_dataset_close(d);
}

/* ---- whose sentence stands ---- */

static void note_and_open(tdm_model **out, const tdm_model *m, const char *folder, const tdm_dataset *d)
{
    tdm_err e;
    CHECK_OK(tdm_gpt2_words_note(m, folder, &e), e);
    CHECK_OK(tdm_gpt2_words_ops.load(out, folder, d, NULL, &e), e);
}

static void the_choice_of_sentences_is_kept_and_can_be_overridden(void **state)
{
    (void)state;
    tdm_dataset *d = words_world(true);
    tdm_run *run = words_run(2);
    tdm_err e;
    tdm_model *m = words_fitted(d, run, 5), *again;
    char folder[64], path[128];
    folder_make(folder);
    CHECK_OK(m->ops->save(m, folder, &e), e);
    CHECK(!tdm_gpt2_words_cedes(m) && !tdm_gpt2_words_is_told(m) && !tdm_gpt2_words_cedes(NULL));
    note_and_open(&again, m, folder, d); /* nothing was judged: GPT-2's stands */
    CHECK(!tdm_gpt2_words_cedes(again) && !tdm_gpt2_words_choice(again)->of);
    tdm_model_close(again);
    const tdm_words_choice c = {.review = true, .people = 7, .gpt2 = 0.25, .reviewer = 0.5, .of = 0xfedcba9876543210},
                           *kept;
    tdm_gpt2_words_choose(m, &c);
    note_and_open(&again, m, folder, d);
    kept = tdm_gpt2_words_choice(again);
    CHECK(kept->review && kept->people == 7 && kept->gpt2 == 0.25 && kept->reviewer == 0.5 && kept->of == c.of);
    CHECK(tdm_gpt2_words_cedes(again));
    tdm_model_close(again);
    tdm_words_choice read;
    CHECK_OK(tdm_gpt2_words_choice_read(&read, folder, &e), e);
    CHECK(read.review && read.of == c.of);
    cJSON *o; /* a person reads it, and may write it */
    snprintf(path, sizeof path, "%s/words.json", folder);
    CHECK_OK(tdm_json_read(&o, path, &e), e);
    assert_string_equal(tdm_json_str(cJSON_GetObjectItem(o, "sentence"), "stands", ""), "review");
    cJSON_Delete(o);
    tdm_words *w = (tdm_words *)m;
    CHECK_OK(tdm_params_set(&w->p, "gpt2-words", "sentence", 1, &e), e);
    note_and_open(&again, m, folder, d);
    CHECK(!tdm_gpt2_words_cedes(again) && tdm_gpt2_words_is_told(again));
    tdm_model_close(again);
    CHECK_OK(tdm_params_set(&w->p, "gpt2-words", "sentence", 2, &e), e);
    const tdm_words_choice none = {.of = 1};
    tdm_gpt2_words_choose(m, &none);
    CHECK(tdm_gpt2_words_cedes(m));
    folder_remove(folder);
    tdm_model_close(m);
    tdm_run_close(run);
    tdm_dataset_close(d);
}

/* ---- interruption ---- */

typedef struct stopper {
    tdm_run *run;
    uint64_t at;
} stopper;

static void stop_at(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    (void)total, (void)note;
    stopper *s = ctx;
    if (strcmp(stage, "gpt2-words") == 0 && done == s->at) tdm_run_cancel(s->run);
}

static tdm_status fit_with(tdm_model **m, const tdm_dataset *d, const tdm_params *p, uint64_t at,
                           const char *checkpoint, uint64_t seed, tdm_err *e)
{
    stopper s = {.at = at};
    const tdm_run_options o = {.threads = 2, .seed = seed, .progress = stop_at, .ctx = &s};
    CHECK_OK(tdm_run_open(&s.run, &o, e), *e);
    const tdm_fit_input in = {.train = d, .params = p, .run = s.run, .checkpoint = checkpoint};
    tdm_status st = tdm_gpt2_words_ops.fit(m, &in, e);
    tdm_run_close(s.run);
    return st;
}

static void an_interrupted_training_ends_with_the_same_bytes(void **state)
{
    (void)state;
    char folder[64], path[128];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    tdm_dataset *d = words_world(true);
    tdm_model *whole, *m;
    tdm_err e;
    const tdm_params p = words_small(130);
    CHECK_OK(fit_with(&whole, d, &p, 0, NULL, 11, &e), e);
    static const uint64_t stops[] = {1, 30, 99, 100, 101, 129}; /* goes on, and is stopped again */
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        CHECK(fit_with(&m, d, &p, stops[i], path, 11, &e) == TDM_E_CANCELLED && !m && tdm_file_exists(path));
    CHECK_OK(fit_with(&m, d, &p, 0, path, 11, &e), e);
    same_weights(whole, m);
    tdm_model_close(m);
    /* another seed's checkpoint is not taken up, nor is a damaged one */
    tdm_model *other, *fresh;
    CHECK(fit_with(&m, d, &p, 30, path, 12, &e) == TDM_E_CANCELLED);
    CHECK_OK(fit_with(&other, d, &p, 0, path, 11, &e), e);
    same_weights(whole, other);
    CHECK_OK(tdm_file_write(path, "damaged", 7, &e), e);
    CHECK_OK(fit_with(&fresh, d, &p, 0, path, 11, &e), e);
    same_weights(whole, fresh);
    tdm_model_close(whole);
    tdm_model_close(other);
    tdm_model_close(fresh);
    unlink(path);
    folder_remove(folder);
    tdm_dataset_close(d);
}

/* What is kept is the average, and it too goes on where it stopped. */
static void an_average_of_the_weights_can_be_the_model(void **state)
{
    (void)state;
    char folder[64], path[128];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    tdm_dataset *d = words_world(true);
    tdm_model *plain, *whole, *m;
    tdm_err e;
    tdm_params p = words_small(30);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "average", 0, &e), e);
    CHECK_OK(fit_with(&plain, d, &p, 0, NULL, 11, &e), e);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "average", 4, &e), e);
    CHECK_OK(fit_with(&whole, d, &p, 0, NULL, 11, &e), e);
    CHECK(fit_with(&m, d, &p, 17, path, 11, &e) == TDM_E_CANCELLED);
    CHECK_OK(fit_with(&m, d, &p, 0, path, 11, &e), e);
    same_weights(whole, m);
    /* near the end of a cosine weights hardly move, so their average is near them */
    const tdm_gpt2 *a = ((tdm_words *)plain)->g, *b = ((tdm_words *)whole)->g;
    double apart = 0, size = 0;
    for (size_t i = 0; i < a->n; i++) {
        apart += pow((double)a->block[i] - (double)b->block[i], 2);
        size += pow((double)a->block[i], 2);
    }
    CHECK(apart > 0 && apart < 0.01 * size);
    tdm_model_close(plain);
    tdm_model_close(whole);
    tdm_model_close(m);
    unlink(path);
    folder_remove(folder);
    tdm_dataset_close(d);
}

/* ---- pretrained ---- */

/* A GPT-2 folder of somebody else's: its own vocabulary, weights of its own. */
static void pretrained_make(const char *folder, const tdm_dataset *d, tdm_bpe **b, tdm_gpt2 **g, size_t T)
{
    tdm_err e;
    static const char *const special[] = {"<|endoftext|>", NULL};
    CHECK_OK(tdm_bpe_learn(b, &d->title, 300, special, NULL, &e), e);
    CHECK_OK(tdm_gpt2_open(g, (tdm_gpt2_shape){.V = tdm_bpe_size(*b), .T = T, .C = 16, .L = 1, .H = 2}, &e), e);
    tdm_gpt2_init(*g, 77);
    CHECK_OK(tdm_bpe_save(*b, folder, &e), e);
    CHECK_OK(tdm_gpt2_save(*g, folder, &e), e);
}

static void a_pretrained_gpt2_keeps_its_rows_and_gains_the_marks(void **state)
{
    (void)state;
    char folder[64];
    folder_make(folder);
    tdm_dataset *d = words_world(true);
    tdm_run *run = words_run(1);
    tdm_bpe *b;
    tdm_gpt2 *g;
    tdm_model *m;
    tdm_err e;
    pretrained_make(folder, d, &b, &g, 300);
    tdm_params p = words_small(1);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "tuning_rate", 1e-7, &e), e);
    const tdm_fit_input in = {.train = d, .params = &p, .run = run, .pretrained = folder};
    CHECK_OK(tdm_gpt2_words_ops.fit(&m, &in, &e), e);
    const tdm_words *w = (const tdm_words *)m;
    CHECK(w->g->s.V == g->s.V + 6 && w->g->s.T == 300 && tdm_bpe_size(w->b) == w->g->s.V);
    CHECK(w->mark.text == tdm_bpe_special(b, "<|endoftext|>"));
    /* one update at rate 1e-7 moves a weight by about 1e-7: what is further off was not carried over */
    for (size_t i = 0; i < g->s.V * g->s.C; i++) CHECK(fabs((double)w->g->w.wte[i] - (double)g->w.wte[i]) < 1e-6);
    for (size_t i = 0; i < g->s.C; i++) {
        CHECK(fabs((double)w->g->w.lnfw[i] - 1) < 1e-6);
        CHECK(fabs((double)w->g->w.wpe[i] - (double)g->w.wpe[i]) < 1e-6);
    }
    tdm_model_close(m);
    tdm_gpt2_close(g);
    tdm_bpe_close(b);
    folder_remove(folder);

    folder_make(folder);
    pretrained_make(folder, d, &b, &g, 100);
    CHECK(tdm_gpt2_words_ops.fit(&m, &in, &e) == TDM_E_UNSUPPORTED && !m && strstr(e.msg, "100 positions"));
    tdm_gpt2_close(g);
    tdm_bpe_close(b);
    folder_remove(folder);
    tdm_run_close(run);
    tdm_dataset_close(d);
}

/* Weights that are numbers, but whose products are not. */
static void a_pretrained_gpt2_that_cannot_be_trained_is_said_so(void **state)
{
    (void)state;
    char folder[64];
    folder_make(folder);
    tdm_dataset *d = words_world(true);
    tdm_run *run = words_run(1);
    tdm_bpe *b;
    tdm_gpt2 *g;
    tdm_model *m;
    tdm_err e;
    pretrained_make(folder, d, &b, &g, 300);
    for (size_t i = 0; i < g->s.C; i++) g->w.lnfw[i] = 1e38f;
    CHECK_OK(tdm_gpt2_save(g, folder, &e), e);
    tdm_params p = words_small(60);
    const tdm_fit_input in = {.train = d, .params = &p, .run = run, .pretrained = folder};
    CHECK(tdm_gpt2_words_ops.fit(&m, &in, &e) == TDM_E_FORMAT && !m);
    if (!strstr(e.msg, "no longer a number") || !strstr(e.msg, "train with a lower rate")) fail_msg("%s", e.msg);
    tdm_gpt2_close(g);
    tdm_bpe_close(b);
    folder_remove(folder);
    tdm_run_close(run);
    tdm_dataset_close(d);
}

static void a_published_checkpoint_is_a_beginning(void **state)
{
    (void)state;
    char folder[512];
    const char *data = getenv("TDM_SHARED");
    if (data) snprintf(folder, sizeof folder, "%s/gpt2/tiny-random", data);
    else snprintf(folder, sizeof folder, "%s/../shared/data/gpt2/tiny-random", TDM_SOURCE_DIR);
    if (!tdm_folder_exists(folder)) {
        print_message("%s is absent\n", folder);
        skip();
    }
    tdm_dataset *d = words_world(true);
    tdm_run *run = words_run(1);
    tdm_model *m;
    tdm_err e;
    tdm_params p = words_small(2);
    const tdm_fit_input in = {.train = d, .params = &p, .run = run, .pretrained = folder};
    CHECK_OK(tdm_gpt2_words_ops.fit(&m, &in, &e), e);
    uint32_t items[3];
    float scores[3];
    size_t n;
    tdm_history h = tdm_dataset_history(d, 1);
    CHECK_OK(words_topk(m, items, scores, &n, &h, 3, &e), e);
    CHECK(n <= 3);
    tdm_model_close(m);
    tdm_run_close(run);
    tdm_dataset_close(d);
}

/* ---- damage ---- */

static void a_damaged_folder_is_refused(void **state)
{
    (void)state;
    char folder[64], path[128];
    folder_make(folder);
    tdm_dataset *d = words_world(true);
    tdm_run *run = words_run(1);
    tdm_model *m = words_fitted(d, run, 1), *bad;
    tdm_err e;
    size_t live = tdm_mem_live();
    for (size_t i = 0; i < FILES; i++) {
        CHECK_OK(m->ops->save(m, folder, &e), e);
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        CHECK_OK(tdm_file_write(path, "[1", 2, &e), e);
        tdm_status st = tdm_gpt2_words_ops.load(&bad, folder, d, NULL, &e);
        if (strcmp(files[i], "tokenizer_config.json") == 0) { /* for other tools; not read */
            CHECK(st == TDM_OK);
            tdm_model_close(bad);
        } else CHECK(st != TDM_OK && !bad);
        CHECK(tdm_mem_live() == live);
    }
    /* parameters out of range, and marks that are not there */
    CHECK_OK(m->ops->save(m, folder, &e), e);
    snprintf(path, sizeof path, "%s/words.json", folder);
    const char *odd = "{\"model\":\"gpt2-words\",\"form\":1,\"parameters\":{\"C\":1e9}}";
    CHECK_OK(tdm_file_write(path, odd, strlen(odd), &e), e);
    CHECK(tdm_gpt2_words_ops.load(&bad, folder, d, NULL, &e) == TDM_E_FORMAT);
    odd = "{\"model\":\"gpt2-words\",\"form\":1,\"parameters\":{\"penalty\":\"much\"}}";
    CHECK_OK(tdm_file_write(path, odd, strlen(odd), &e), e);
    CHECK(tdm_gpt2_words_ops.load(&bad, folder, d, NULL, &e) == TDM_E_FORMAT);
    odd = "{\"model\":\"gpt2-words\",\"form\":1,\"parameters\":{\"top_k\":7}}"; /* older than some parameters */
    CHECK_OK(tdm_file_write(path, odd, strlen(odd), &e), e);
    CHECK_OK(tdm_gpt2_words_ops.load(&bad, folder, d, NULL, &e), e);
    CHECK(tdm_param_get(&((const tdm_words *)bad)->p, "top_k") == 7 &&
          tdm_param_get(&((const tdm_words *)bad)->p, "penalty") == 1);
    tdm_model_close(bad);
    CHECK_OK(m->ops->save(m, folder, &e), e);
    snprintf(path, sizeof path, "%s/added_tokens.json", folder);
    CHECK_OK(tdm_file_write(path, "{}", 2, &e), e);
    CHECK(tdm_gpt2_words_ops.load(&bad, folder, d, NULL, &e) == TDM_E_FORMAT && strstr(e.msg, "special token"));
    CHECK(tdm_mem_live() == live);
    tdm_model_close(m);
    folder_remove(folder);
    tdm_run_close(run);
    tdm_dataset_close(d);
}

static void short_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    char folder[64];
    folder_make(folder);
    tdm_dataset *d = words_world(true);
    tdm_run *run = words_run(1);
    tdm_model *m = words_fitted(d, run, 1);
    tdm_err e;
    CHECK_OK(m->ops->save(m, folder, &e), e);
    tdm_model_close(m);
    const tdm_params p = words_small(1);
    const tdm_fit_input in = {.train = d, .params = &p, .run = run};
    size_t live = tdm_mem_live();
    long k = 0, well = 0, step = 1;
    /* The early allocations one by one, later ones by samples: there are thousands of the same kinds. Cutting text does
     * without its compiler where memory is short, so the first successes are not the end. */
    for (; (well < 3 || k < 400) && k < 4000000; k += step, step = 1 + k / 40) {
        tdm_model *fresh = NULL;
        tdm_mem_fail_after(k);
        tdm_status st = tdm_gpt2_words_ops.fit(&fresh, &in, &e);
        tdm_mem_fail_after(-1);
        tdm_model_close(fresh);
        CHECK(tdm_mem_live() == live);
        CHECK(st == TDM_OK || st == TDM_E_NOMEM);
        well = st == TDM_OK ? well + 1 : 0;
    }
    CHECK(well >= 3);
    step = 1;
    for (k = 0, well = 0; (well < 3 || k < 400) && k < 4000000; k += step, step = 1 + k / 40) {
        tdm_model *fresh = NULL;
        char out[200];
        double logp;
        uint32_t items[3];
        float scores[3];
        size_t n;
        tdm_history h = tdm_dataset_history(d, 0);
        tdm_reason r = {.history = &h, .item = 2, .seed = 9};
        tdm_mem_fail_after(k);
        tdm_status st = tdm_gpt2_words_ops.load(&fresh, folder, d, NULL, &e);
        if (!st) st = words_topk(fresh, items, scores, &n, &h, 3, &e);
        if (!st) st = fresh->ops->write(fresh, out, sizeof out, &logp, &r, &e);
        tdm_mem_fail_after(-1);
        tdm_model_close(fresh);
        CHECK(tdm_mem_live() == live);
        CHECK(st == TDM_OK || st == TDM_E_NOMEM);
        well = st == TDM_OK ? well + 1 : 0;
    }
    CHECK(well >= 3);
    folder_remove(folder);
    tdm_run_close(run);
    tdm_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes_at_1_2_and_7_threads),
        cmocka_unit_test(a_saved_model_opens_and_answers_the_same),
        cmocka_unit_test(the_choice_of_sentences_is_kept_and_can_be_overridden),
        cmocka_unit_test(packed_weights_say_the_same_before_and_after_they_are_saved),
        cmocka_unit_test(an_interrupted_training_ends_with_the_same_bytes),
        cmocka_unit_test(an_average_of_the_weights_can_be_the_model),
        cmocka_unit_test(a_pretrained_gpt2_that_cannot_be_trained_is_said_so),
        cmocka_unit_test(a_pretrained_gpt2_keeps_its_rows_and_gains_the_marks),
        cmocka_unit_test(a_published_checkpoint_is_a_beginning),
        cmocka_unit_test(a_damaged_folder_is_refused),
        cmocka_unit_test(short_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
