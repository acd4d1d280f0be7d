/* SPDX-License-Identifier: Apache-2.0 */
/* test_words_lora.c - gpt2-words tuned by adapters: what changes and what does not, the same bytes however often it is
 * stopped and on however many threads, and a checkpoint that holds what is trained alone. */
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

enum { RANK = 4, UPDATES = 60, MARKS = 6 };

/* Somebody's GPT-2 and the world it is tuned to. */
static struct {
    char top[40], folder[64], checkpoint[64];
    tdm_dataset *d;
    tdm_gpt2 *g;
} shared;

/* Its weights are drawn, with rows of a trained table's length: what it says of a token can then be changed by changing
 * its last state. `more` rows stand behind those of the vocabulary, as in tables padded to a round size. */
static void pretrained_make(size_t more)
{
    static const char *const special[] = {"<|endoftext|>", NULL};
    tdm_err e;
    tdm_bpe *b;
    CHECK_OK(tdm_folder_make(shared.folder, &e), e);
    CHECK_OK(tdm_bpe_learn(&b, &shared.d->review, 400, special, NULL, &e), e);
    tdm_gpt2_close(shared.g);
    const tdm_gpt2_shape s = {.V = tdm_bpe_size(b) + more, .T = 256, .C = 32, .L = 2, .H = 2};
    CHECK_OK(tdm_gpt2_open(&shared.g, s, &e), e);
    tdm_gpt2_init(shared.g, 77);
    for (size_t i = 0; i < s.V * s.C; i++) shared.g->w.wte[i] *= 10;
    CHECK_OK(tdm_bpe_save(b, shared.folder, &e), e);
    CHECK_OK(tdm_gpt2_save(shared.g, shared.folder, &e), e);
    tdm_bpe_close(b);
}

static int setup(void **state)
{
    (void)state;
    strcpy(shared.top, "/tmp/tdm-words-lora-XXXXXX");
    CHECK(mkdtemp(shared.top) != NULL);
    snprintf(shared.folder, sizeof shared.folder, "%s/gpt2", shared.top);
    snprintf(shared.checkpoint, sizeof shared.checkpoint, "%s/checkpoint", shared.top);
    shared.d = words_world(true);
    pretrained_make(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[64];
    tdm_gpt2_close(shared.g);
    tdm_dataset_close(shared.d);
    snprintf(command, sizeof command, "rm -r %s", shared.top);
    return system(command);
}

static tdm_params small(double rank, double average)
{
    tdm_params p = words_small(UPDATES);
    tdm_err e;
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "lora", rank, &e), e);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "lora_rate", 0.01, &e), e);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "average", average, &e), e);
    return p;
}

typedef struct watch {
    struct cJSON *curves; /* or NULL */
    tdm_run *run;
    uint64_t stop;      /* after this update; 0: never */
    double first, last; /* losses of the progress line */
    double perplexity;
} watch;

static void progress(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    watch *w = ctx;
    (void)total;
    if (strcmp(stage, "gpt2-words") != 0 || !note || sscanf(note, "loss %lf", &w->last) != 1) return;
    if (done == 1) w->first = w->last;
    if (done == w->stop) tdm_run_cancel(w->run);
}

static void said(void *ctx, tdm_log_level level, const char *stage, const char *message)
{
    watch *w = ctx;
    (void)level, (void)stage;
    (void)sscanf(message, "perplexity %lf", &w->perplexity);
}

static tdm_status tune(tdm_model **m, const tdm_params *p, size_t threads, watch *w, const char *checkpoint, tdm_err *e)
{
    const tdm_run_options o = {.threads = threads, .seed = 11, .progress = progress, .log = said, .ctx = w};
    CHECK_OK(tdm_run_open(&w->run, &o, e), *e);
    const tdm_fit_input in = {.train = shared.d,
                              .params = p,
                              .run = w->run,
                              .checkpoint = checkpoint,
                              .curves = w->curves,
                              .pretrained = shared.folder};
    tdm_status st = tdm_gpt2_words_ops.fit(m, &in, e);
    tdm_run_close(w->run);
    return st;
}

static tdm_model *tuned(const tdm_params *p, size_t threads, watch *w)
{
    tdm_model *m;
    tdm_err e;
    CHECK_OK(tune(&m, p, threads, w, NULL, &e), e);
    return m;
}

static const tdm_gpt2 *weights(const tdm_model *m) { return ((const tdm_words *)m)->g; }

static void same_weights(const tdm_model *a, const tdm_model *b)
{
    const tdm_gpt2 *x = weights(a), *y = weights(b);
    CHECK(x->n == y->n && memcmp(x->block, y->block, x->n * sizeof(float)) == 0);
}

/* ---- what is learned ---- */

static void it_learns_and_changes_the_linear_layers_and_new_rows_alone(void **state)
{
    (void)state;
    watch w = {.curves = cJSON_CreateObject()};
    const tdm_params p = small(RANK, 0);
    tdm_model *m = tuned(&p, 2, &w);
    const cJSON *loss = cJSON_GetObjectItem(cJSON_GetObjectItem(w.curves, "loss"), "value"),
                *judged = cJSON_GetObjectItem(cJSON_GetObjectItem(w.curves, "perplexity"), "value");
    CHECK(cJSON_GetArraySize(loss) == UPDATES && cJSON_GetArraySize(judged) == 1);
    assert_float_equal(cJSON_GetArrayItem(loss, 0)->valuedouble, w.first, 0.001); /* as the line rounds it */
    assert_float_equal(cJSON_GetArrayItem(judged, 0)->valuedouble, w.perplexity, 0.01);
    cJSON_Delete(w.curves);
    print_message("  loss %.3f to %.3f, perplexity %.2f\n", w.first, w.last, w.perplexity);
    CHECK(w.first > 0 && w.last < 0.8 * w.first);
    CHECK(w.perplexity > 1 && log(w.perplexity) < 0.8 * w.first); /* the merged weights say it, not the adapters */
    const tdm_gpt2 *g = weights(m), *was = shared.g;
    const size_t C = g->s.C, old = was->s.V * C;
    CHECK(g->s.V == was->s.V + MARKS && tdm_bpe_size(((const tdm_words *)m)->b) == g->s.V);
    CHECK(memcmp(g->w.wte, was->w.wte, old * sizeof(float)) == 0);
    for (size_t k = 0; k < MARKS; k++) { /* they began as one row, and each has gone its own way */
        const float *row = g->w.wte + old + k * C, *next = g->w.wte + old + (k + 1) % MARKS * C;
        CHECK(memcmp(row, next, C * sizeof *row) != 0);
    }
    const tdm_gpt2_shape s = g->s;
#define X(name, count, layered, decay)                                                                                 \
    {                                                                                                                  \
        static const char called[] = #name;                                                                            \
        bool linear =                                                                                                  \
            !strcmp(called, "qkvw") || !strcmp(called, "attw") || !strcmp(called, "fcw") || !strcmp(called, "projw");  \
        if (g->w.name != g->w.wte) CHECK((memcmp(g->w.name, was->w.name, (count) * sizeof(float)) != 0) == linear);    \
    }
    TDM_GPT2_TENSORS(X)
#undef X
    tdm_model_close(m);
}

/* Rows that the table had to spare become those of the marks; none that a token had changes. */
static void spare_rows_of_a_padded_table_are_the_new_tokens(void **state)
{
    (void)state;
    enum { SPARE = 10 };
    watch w = {0};
    const tdm_params p = small(RANK, 0);
    pretrained_make(SPARE);
    tdm_model *m = tuned(&p, 2, &w);
    const tdm_gpt2 *g = weights(m), *was = shared.g;
    size_t C = g->s.C, tokens = tdm_bpe_size(((const tdm_words *)m)->b), old = tokens - MARKS;
    CHECK(g->s.V == was->s.V && tokens < g->s.V && old == g->s.V - SPARE);
    CHECK(memcmp(g->w.wte, was->w.wte, old * C * sizeof(float)) == 0);
    for (size_t v = old; v < tokens; v++) CHECK(memcmp(g->w.wte + v * C, was->w.wte + v * C, C * sizeof(float)) != 0);
    tdm_model_close(m);
    pretrained_make(0);
}

/* What was tuned is a beginning too: its vocabulary has the marks, so that no row is trained. */
static void a_tuned_model_can_be_tuned_again(void **state)
{
    (void)state;
    watch w = {0};
    tdm_err e;
    char first[64];
    const tdm_params p = small(RANK, 0);
    tdm_model *m = tuned(&p, 2, &w);
    strcpy(first, shared.folder);
    snprintf(shared.folder, sizeof shared.folder, "%s/again", shared.top);
    CHECK_OK(m->ops->save(m, shared.folder, &e), e);
    tdm_model *again = tuned(&p, 2, &w);
    const tdm_gpt2 *a = weights(m), *b = weights(again);
    CHECK(a->s.V == b->s.V && memcmp(a->w.wte, b->w.wte, a->s.V * a->s.C * sizeof(float)) == 0);
    CHECK(memcmp(a->w.fcw, b->w.fcw, a->s.C * sizeof(float)) != 0);
    strcpy(shared.folder, first);
    tdm_model_close(m);
    tdm_model_close(again);
}

/* ---- the same bytes ---- */

static void same_bytes_at_1_and_2_threads_and_after_interruptions(void **state)
{
    (void)state;
    static const uint64_t stops[] = {1, 17, 59};
    for (int average = 0; average < 2; average++) {
        const tdm_params p = small(RANK, average ? 4 : 0);
        tdm_err e;
        watch w = {0};
        w.curves = cJSON_CreateObject();
        tdm_model *one = tuned(&p, 1, &w), *m;
        cJSON *curves = w.curves;
        w.curves = cJSON_CreateObject();
        tdm_model *two = tuned(&p, 2, &w);
        same_weights(one, two);
        CHECK(cJSON_Compare(curves, w.curves, true));
        cJSON_Delete(w.curves);
        for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
            watch stopped = {.stop = stops[i]};
            CHECK(tune(&m, &p, 1 + i % 2, &stopped, shared.checkpoint, &e) == TDM_E_CANCELLED && !m);
        }
        tdm_map map; /* the moments and all else: as now, and as last kept */
        CHECK_OK(tdm_map_open(&map, shared.checkpoint, &e), e);
        size_t learned = 2 * RANK * 32 * (4 + 2 + 5 + 5) + MARKS * 32;      /* 2 layers of 32 channels */
        CHECK(map.n < learned * sizeof(float) * (average ? 8 : 6) + 16384); /* and the curves */
        CHECK(map.n < shared.g->n * sizeof(float));                         /* the whole would be six times that */
        tdm_map_close(&map);
        w.curves = cJSON_CreateObject();
        CHECK_OK(tune(&m, &p, 2, &w, shared.checkpoint, &e), e);
        same_weights(one, m);
        CHECK(cJSON_Compare(curves, w.curves, true));
        cJSON_Delete(w.curves);
        cJSON_Delete(curves);
        unlink(shared.checkpoint);
        tdm_model_close(one);
        tdm_model_close(two);
        tdm_model_close(m);
    }
}

/* Adapters' checkpoint is of no use to a training of all weights, nor to another rank's. */
static void another_rank_begins_anew(void **state)
{
    (void)state;
    const tdm_params four = small(RANK, 0), two = small(2, 0);
    tdm_err e;
    watch w = {0}, stopped = {.stop = 30};
    tdm_model *m, *whole = tuned(&two, 1, &w);
    CHECK(tune(&m, &four, 1, &stopped, shared.checkpoint, &e) == TDM_E_CANCELLED);
    CHECK_OK(tune(&m, &two, 1, &w, shared.checkpoint, &e), e);
    same_weights(whole, m);
    unlink(shared.checkpoint);
    tdm_model_close(whole);
    tdm_model_close(m);
}

/* ---- refusals ---- */

static void from_scratch_there_is_nothing_to_stand_beside(void **state)
{
    (void)state;
    const tdm_params p = small(RANK, 0);
    tdm_run *run = words_run(1);
    tdm_model *m;
    tdm_err e;
    const tdm_fit_input in = {.train = shared.d, .params = &p, .run = run};
    CHECK(tdm_gpt2_words_ops.fit(&m, &in, &e) == TDM_E_ARG && !m);
    assert_non_null(strstr(e.msg, "gpt2-words.lora=4"));
    assert_non_null(strstr(e.msg, "--gpt2"));
    tdm_run_close(run);
    const tdm_params wide = small(33, 0); /* more than the 32 channels */
    watch w = {0};
    CHECK(tune(&m, &wide, 1, &w, NULL, &e) == TDM_E_ARG && !m);
    assert_non_null(strstr(e.msg, "rank"));
}

static void short_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    tdm_params p = small(RANK, 4);
    tdm_err e;
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "steps", 1, &e), e);
    tdm_run *run = words_run(1);
    const tdm_fit_input in = {.train = shared.d, .params = &p, .run = run, .pretrained = shared.folder};
    size_t live = tdm_mem_live(), well = 0, short_of = 0;
    /* one by one at first, then by samples: reading documents makes thousands of one kind */
    for (long k = 0, step = 1; (well < 3 || k < 400) && k < 4000000; k += step, step = 1 + k / 40) {
        tdm_model *m = NULL;
        tdm_mem_fail_after(k);
        tdm_status st = tdm_gpt2_words_ops.fit(&m, &in, &e);
        tdm_mem_fail_after(-1);
        tdm_model_close(m);
        CHECK(tdm_mem_live() == live);
        CHECK(st == TDM_OK || st == TDM_E_NOMEM);
        well = st == TDM_OK ? well + 1 : 0;
        short_of += st == TDM_E_NOMEM;
    }
    CHECK(well >= 3 && short_of > 100);
    tdm_run_close(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns_and_changes_the_linear_layers_and_new_rows_alone),
        cmocka_unit_test(spare_rows_of_a_padded_table_are_the_new_tokens),
        cmocka_unit_test(a_tuned_model_can_be_tuned_again),
        cmocka_unit_test(same_bytes_at_1_and_2_threads_and_after_interruptions),
        cmocka_unit_test(another_rank_begins_anew),
        cmocka_unit_test(from_scratch_there_is_nothing_to_stand_beside),
        cmocka_unit_test(short_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("words_lora", tests, setup, teardown);
}
