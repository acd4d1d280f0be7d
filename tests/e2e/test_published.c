/* SPDX-License-Identifier: Apache-2.0 */
/* A published GPT-2 tuned by adapters, from its folder to the merged one.
 *
 * The folder is made here: the published layout, drawn weights, a vocabulary of its own. With TANDEM_DEEP=1 it is GPT-2
 * small's shape, 124 million weights, and the whole of the program stays within 1.5 GB; else a small one, the same way.
 */
#include "run.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "gpt2/words_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LORA " --gpt2 published --set gpt2-words.lora=8 --set gpt2-words.steps=20"
enum { LETTERS = 6, N = 48 };

static bool deep(void)
{
    const char *s = getenv("TANDEM_DEEP");
    return s && *s && strcmp(s, "0");
}

static tdm_gpt2_shape shape(void)
{
    return deep() ? (tdm_gpt2_shape){.V = 50257, .T = 1024, .C = 768, .L = 12, .H = 12}
                  : (tdm_gpt2_shape){.V = 2000, .T = 256, .C = 48, .L = 2, .H = 4};
}

/* A vocabulary of exactly V tokens, from words of drawn letters, each of which stands twice. */
static tdm_bpe *vocabulary(size_t V)
{
    static const char *const special[] = {"<|endoftext|>", NULL};
    const size_t words = 2 * V, each = LETTERS + 1;
    tdm_rng rng = tdm_rng_make(5, 0, 0);
    char *bytes = malloc(2 * words * each);
    int64_t *offset = malloc((2 * words + 1) * sizeof *offset);
    tdm_bpe *b;
    tdm_err e;
    assert_non_null(bytes);
    assert_non_null(offset);
    for (size_t w = 0; w < words; w++) {
        char *at = bytes + 2 * w * each;
        at[0] = ' ';
        for (size_t i = 1; i < each; i++) at[i] = (char)('a' + tdm_rng_below(&rng, 26));
        memcpy(at + each, at, each);
    }
    for (size_t k = 0; k <= 2 * words; k++) offset[k] = (int64_t)(k * each);
    const tdm_strings texts = {bytes, offset, 2 * words};
    CHECK_OK(tdm_bpe_learn(&b, &texts, V - 1, special, NULL, &e), e);
    assert_int_equal(tdm_bpe_size(b), V);
    free(bytes);
    free(offset);
    return b;
}

/* LayerNorms and biases are drawn too, so that one which is lost shows. */
static void make_published(void **state)
{
    (void)state;
    tdm_gpt2 *g;
    tdm_err e;
    const tdm_gpt2_shape s = shape();
    CHECK_OK(tdm_folder_make("published", &e), e);
    CHECK_OK(tdm_gpt2_open(&g, s, &e), e);
    tdm_gpt2_init(g, 77);
    tdm_rng rng = tdm_rng_make(6, 0, 0);
    float *const some[] = {g->w.ln1w, g->w.ln1b, g->w.qkvb, g->w.attb, g->w.ln2w, g->w.ln2b, g->w.fcb, g->w.projb};
    for (size_t k = 0; k < sizeof some / sizeof *some; k++)
        for (size_t i = 0; i < s.L * s.C; i++) some[k][i] += (float)tdm_rng_below(&rng, 100) / 2000;
    tdm_bpe *b = vocabulary(s.V);
    CHECK_OK(tdm_bpe_save(b, "published", &e), e);
    CHECK_OK(tdm_gpt2_save(g, "published", &e), e);
    tdm_bpe_close(b);
    tdm_gpt2_close(g);
}

/* The largest of all programs run so far; it comes before what this program itself trains. */
static void tuned_within_a_gigabyte_and_a_half(void **state)
{
    (void)state;
    struct rusage r;
    ran *done = tandem("prepare reviews.jsonl --items items.jsonl -o data");
    if (done->status) fail_msg("prepare: %s", done->err);
    done = tandem("train data -o shop --models gpt2-words -j 2 -v" LORA);
    if (done->status) fail_msg("train: %s", done->err);
    const char *plan = strstr(done->err, "memory: ");
    assert_non_null(plan);
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &r), 0);
    double bytes = (double)r.ru_maxrss * 1024;
    print_message("  %.*s\n  peak %.0f MB\n", (int)strcspn(plan, "\n"), plan, bytes / 1e6);
    CHECK(bytes < 1.5e9);
}

static void same(const float *a, const float *b, size_t n) { CHECK(memcmp(a, b, n * sizeof *a) == 0); }

/* What was saved is the published model with its products changed, by no more than adapters of rank 8 can. */
static void merged_is_the_published_model_and_what_was_learned(void **state)
{
    (void)state;
    tdm_gpt2 *old, *new;
    tdm_err e;
    CHECK_OK(tdm_gpt2_load(&old, "published", &e), e);
    CHECK_OK(tdm_gpt2_load(&new, "shop/gpt2-words", &e), e);
    const tdm_gpt2_shape s = old->s;
    CHECK(new->s.V == s.V + 6 && new->s.T == s.T &&new->s.C == s.C &&new->s.L == s.L &&new->s.H == s.H);
    same(old->w.wte, new->w.wte, s.V * s.C);
    same(old->w.wpe, new->w.wpe, s.T * s.C);
    same(old->w.ln1w, new->w.ln1w, 2 * s.L * s.C); /* and ln1b behind it */
    same(old->w.qkvb, new->w.qkvb, s.L * 3 * s.C);
    same(old->w.attb, new->w.attb, 3 * s.L * s.C); /* ... ln2w, ln2b */
    same(old->w.fcb, new->w.fcb, s.L * 4 * s.C);
    same(old->w.projb, new->w.projb, s.L * s.C + 2 * s.C); /* ... lnfw, lnfb */
    const float *const was[] = {old->w.qkvw, old->w.attw, old->w.fcw, old->w.projw}, *const is[] = {
                                                                                         new->w.qkvw, new->w.attw,
                                                                                         new->w.fcw, new->w.projw};
    for (size_t k = 0; k < 4; k++) {
        size_t n = s.L * s.C * s.C, moved = 0;
        for (size_t i = 0; i < n; i++) {
            CHECK(isfinite(is[k][i]) && fabsf(is[k][i] - was[k][i]) < 0.1f); /* 20 updates of 0.0005 at most each */
            moved += is[k][i] != was[k][i];
        }
        CHECK(moved * 10 > n * 9);
    }
    tdm_gpt2_close(old);
    tdm_gpt2_close(new);
}

static float *logits(const tdm_gpt2 *g)
{
    uint32_t token[N];
    const uint32_t start[] = {0, N};
    tdm_err e;
    for (size_t i = 0; i < N; i++) token[i] = (uint32_t)(tdm_mix64(i) % g->s.V);
    token[1] = (uint32_t)g->s.V - 1; /* one of the new tokens */
    const tdm_gpt2_batch b = {.token = token, .start = start, .S = 1, .N = N};
    float *out = malloc(N * g->s.V * sizeof *out);
    assert_non_null(out);
    CHECK_OK(tdm_gpt2_logits(g, out, &b, &e), e);
    return out;
}

/* The model that training leaves, and the folder it was saved to: the same logits to the bit. */
static void what_is_saved_says_what_was_trained(void **state)
{
    (void)state;
    tdm_dataset *d;
    tdm_run *run;
    tdm_model *m;
    tdm_gpt2 *g;
    tdm_err e;
    const tdm_run_options o = {.threads = 2, .seed = 1};
    tdm_params p = tdm_params_standard(tdm_gpt2_words_ops.params);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "lora", 8, &e), e);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "steps", 2, &e), e);
    CHECK_OK(tdm_run_open(&run, &o, &e), e);
    CHECK_OK(tdm_dataset_open(&d, "data", &e), e);
    const tdm_fit_input in = {.train = d, .params = &p, .pretrained = "published", .run = run};
    CHECK_OK(tdm_gpt2_words_ops.fit(&m, &in, &e), e);
    CHECK_OK(m->ops->save(m, "merged", &e), e);
    float *trained = logits(((const tdm_words *)m)->g);
    tdm_model_close(m);
    CHECK_OK(tdm_gpt2_load(&g, "merged", &e), e);
    float *loaded = logits(g);
    same(trained, loaded, N * g->s.V);
    tdm_gpt2_close(g);
    CHECK_OK(tdm_gpt2_load(&g, "published", &e), e);
    float *before = logits(g);
    CHECK(memcmp(trained, before, g->s.V * sizeof *before)); /* it has learned */
    tdm_gpt2_close(g);
    free(trained);
    free(loaded);
    free(before);
    tdm_dataset_close(d);
    tdm_run_close(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(make_published),
        cmocka_unit_test(tuned_within_a_gigabyte_and_a_half),
        cmocka_unit_test(merged_is_the_published_model_and_what_was_learned),
        cmocka_unit_test(what_is_saved_says_what_was_trained),
    };
    return cmocka_run_group_tests(tests, e2e_begin, e2e_end);
}
