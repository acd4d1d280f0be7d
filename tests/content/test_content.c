/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "content/content.h"
#include "content/svd.h"
#include "content/words.h"
#include "data/small_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/tandem-content-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* ---- words ---- */

static void expect_words(const char *text, const char *joined)
{
    char word[16], got[256] = "";
    size_t n;
    tdm_str rest = tdm_str_of(text);
    while ((n = tdm_words_next(word, sizeof word, &rest))) {
        strncat(got, word, n);
        strcat(got, "|");
    }
    assert_string_equal(got, joined);
}

static void words_are_runs_of_letters_and_digits(void **state)
{
    (void)state;
    expect_words("The Women's SPF-30 Cream!", "the|womens|spf|30|cream|");
    expect_words("Crème BRÛLÉE — Ελλάδα Москва", "crème|brûlée|ελλάδα|москва|");
    expect_words("a\xff"
                 "b \xc3",
                 "a|b|");
    expect_words("'' -- ...", "");
    expect_words("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnop|"); /* cut at the room there is */
    expect_words("abcdefghijklmnoéx", "abcdefghijklmnox|");          /* never in the middle of a character */
}

/* ---- a shop of six items ---- */

typedef struct thing {
    const char *id, *title, *brand, *category, *summary;
} thing;

static const thing shop[] = {
    {"1", "Green tea", "Leaf", "Drinks\nTea", ""}, {"2", "Black tea", "Leaf", "Drinks\nTea", ""},
    {"3", "Tea pot", "Clay", "Kitchen", ""},       {"4", "Green paint", "Dove", "Paint", ""},
    {"5", "", "", "", "smells of roses"},          {"6", "Roses in oil", "", "Paint", ""},
};

enum { SHOP = sizeof shop / sizeof *shop };

static tdm_dataset *dataset_of(const thing *things, size_t n)
{
    tdm_err err;
    tdm_builder *b;
    tdm_dataset *d;
    CHECK_OK(tdm_builder_open(&b, 1, &err), err);
    for (size_t i = 0; i < n; i++) {
        tdm_row row = {.user = tdm_str_of("ann"),
                       .item = tdm_str_of(things[i].id),
                       .rating = NAN,
                       .time = (int64_t)i,
                       .summary = tdm_str_of(things[i].summary)};
        CHECK_OK(tdm_builder_add(b, &row, &err), err);
    }
    for (size_t i = 0; i < n; i++) {
        tdm_item item = {.id = tdm_str_of(things[i].id),
                         .title = tdm_str_of(things[i].title),
                         .brand = tdm_str_of(things[i].brand),
                         .category = tdm_str_of(things[i].category)};
        CHECK_OK(tdm_builder_item(b, &item, NULL, &err), err);
    }
    CHECK_OK(small_log_finish(&d, b, 0, NULL, &err), err);
    tdm_builder_close(b);
    return d;
}

static uint32_t item_of(const tdm_dataset *d, const char *id)
{
    uint32_t i = tdm_dataset_item(d, tdm_str_of(id));
    assert_true(i != TDM_NONE);
    return i;
}

static tdm_status fit_with(tdm_model **m, const tdm_dataset *d, size_t K, size_t threads, tdm_err *err)
{
    tdm_params p = tdm_params_standard(tdm_content_ops.params);
    struct tdm_run run = {.seed = 3};
    *m = NULL;
    tdm_status st = tdm_params_set(&p, "content", "K", (double)K, err);
    if (!st) st = tdm_pool_open(&run.pool, threads, err);
    if (st) return st;
    tdm_fit_input in = {.train = d, .params = &p, .run = &run};
    st = tdm_content_ops.fit(m, &in, err);
    tdm_pool_close(run.pool);
    return st;
}

static tdm_model *fit(const tdm_dataset *d, size_t K, size_t threads)
{
    tdm_err err;
    tdm_model *m;
    CHECK_OK(fit_with(&m, d, K, threads, &err), err);
    return m;
}

static void score_of(float *scores, const tdm_model *m, const uint32_t *items, size_t n)
{
    tdm_err err;
    tdm_history h = {.items = items, .n = n, .now = TDM_NO_TIME, .self = TDM_NONE};
    CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
}

/* Terms in two to three of the six items: tea (1 2 3), green (1 4), leaf as a word and as a brand (1 2), drinks as a
 * word and as a part of the path (1 2), tea as a part of the path (1 2; as a word it comes twice in 1 and 2), paint as
 * a part (4 6) and as a word (4 twice, 6), roses (5 by its summary, 6). */
static void weights_are_tf_idf_by_hand(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = dataset_of(shop, SHOP);
    tdm_terms t;
    CHECK_OK(tdm_terms_make(&t, d, 2, 40, &err), err);
    const double two = log(3), three = log(2), twice = 1 + log(2);
    double one = pow(twice * three, 2) + 6 * pow(two, 2); /* 1: tea tea, green, leaf x2, drinks x2, Tea */
    double other = one - two * two;                       /* 2: the same without green */
    double want = (pow(twice * three, 2) + 5 * two * two) / sqrt(one * other);
    assert_float_equal(tdm_terms_dot(&t, item_of(d, "1"), item_of(d, "2")), want, 1e-6);
    double paint = two * two * (1 + twice * twice) + two * two; /* 4: Paint, paint twice, green */
    double roses = two * two * 3;                               /* 6: Paint, paint, roses */
    want = two * two * (1 + twice) / sqrt(paint * roses);
    assert_float_equal(tdm_terms_dot(&t, item_of(d, "4"), item_of(d, "6")), want, 1e-6);
    assert_float_equal(tdm_terms_dot(&t, item_of(d, "1"), item_of(d, "6")), 0, 0);
    for (uint32_t i = 0; i < d->I; i++) /* rows have length 1 */
        assert_float_equal(tdm_terms_dot(&t, i, i), 1, 1e-6);
    tdm_terms_clear(&t);
    tdm_dataset_close(d);
}

static void an_item_without_a_name_is_called_by_its_reviews(void **state)
{
    (void)state;
    tdm_dataset *d = dataset_of(shop, SHOP);
    tdm_model *m = fit(d, 4, 1);
    float scores[SHOP];
    uint32_t five = item_of(d, "5");
    score_of(scores, m, &five, 1);
    CHECK(scores[item_of(d, "6")] > 0);
    CHECK(scores[item_of(d, "1")] == -INFINITY);
    tdm_model_close(m);
    tdm_dataset_close(d);
}

static void newer_items_count_more_and_shares_say_so(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = dataset_of(shop, SHOP);
    tdm_model *m = fit(d, 4, 1);
    const uint32_t one = item_of(d, "1"), four = item_of(d, "4"), two = item_of(d, "2"), six = item_of(d, "6");
    uint32_t h[] = {one, four};
    float scores[SHOP], alone[SHOP];
    score_of(scores, m, h, 2);
    score_of(alone, m, &one, 1);
    assert_float_equal(scores[two], 0.7f * alone[two], 1e-6); /* 4 and 2 share nothing */
    h[0] = four, h[1] = one;
    score_of(scores, m, h, 2);
    assert_float_equal(scores[two], alone[two], 1e-6);
    tdm_evidence e;
    tdm_history history = {.items = h, .n = 2, .self = TDM_NONE};
    CHECK_OK(m->ops->because(m, &e, &history, six, &err), err);
    CHECK(e.n_because == 1 && e.because[0].item == four);
    assert_float_equal(e.because[0].share, 1, 1e-6);
    CHECK_OK(m->ops->because(m, &e, &history, item_of(d, "5"), &err), err);
    CHECK(e.n_because == 0 && e.rest == 1);
    tdm_model_close(m);
    tdm_dataset_close(d);
}

/* With as many columns as the rank the vectors' products are the cosines: rows were of length 1 already. */
static void full_vectors_keep_the_cosines(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = dataset_of(shop, SHOP);
    tdm_model *m = fit(d, 8, 1);
    tdm_terms t;
    CHECK_OK(tdm_terms_make(&t, d, 2, 40, &err), err);
    const float *v;
    size_t K;
    CHECK_OK(m->ops->vectors(m, &v, &K, &err), err);
    assert_int_equal(K, 8);
    for (uint32_t a = 0; a < d->I; a++)
        for (uint32_t b = 0; b < d->I; b++) {
            double dot = 0;
            for (size_t k = 0; k < K; k++) dot += (double)v[a * K + k] * (double)v[b * K + k];
            assert_float_equal(dot, tdm_terms_dot(&t, a, b), 1e-4); /* floats, five rounds of products */
        }
    tdm_terms_clear(&t);
    tdm_model_close(m);
    tdm_dataset_close(d);
}

/* ---- eigenvectors ---- */

static void eigenvectors_of_a_drawn_matrix(void **state)
{
    (void)state;
    enum { n = 12 };
    double a[n * n], kept[n * n], values[n], vectors[n * n];
    tdm_err err;
    tdm_rng r = tdm_rng_make(5, 0, 0);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k <= i; k++) a[i * n + k] = a[k * n + i] = tdm_rng_normal(&r);
    memcpy(kept, a, sizeof a);
    CHECK_OK(tdm_eigen(values, vectors, a, n, &err), err);
    for (size_t c = 0; c < n; c++) {
        CHECK(!c || values[c] <= values[c - 1]);
        for (size_t i = 0; i < n; i++) {
            double x = 0;
            for (size_t k = 0; k < n; k++) x += kept[i * n + k] * vectors[k * n + c];
            assert_float_equal(x, values[c] * vectors[i * n + c], 1e-10); /* off-diagonal rest 1e-11 of the size */
        }
    }
}

/* ---- what must hold of any shop ---- */

enum { MANY = 300 };

static tdm_dataset *drawn(void)
{
    static const char *const words[] = {"red", "blue", "tea", "pot", "oak", "desk", "lamp", "rug", "bed", "pan"};
    static char id[MANY][8], title[MANY][64];
    thing things[MANY];
    tdm_rng r = tdm_rng_make(9, 0, 0);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(id[i], sizeof id[i], "i%zu", i);
        snprintf(title[i], sizeof title[i], "%s %s model %u", words[tdm_rng_below(&r, 10)],
                 words[tdm_rng_below(&r, 10)], (unsigned)tdm_rng_below(&r, 60));
        things[i] = (thing){id[i], title[i], words[tdm_rng_below(&r, 10)], "", ""};
    }
    return dataset_of(things, MANY);
}

static void same_bytes_at_any_number_of_threads(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = drawn();
    const size_t threads[] = {1, 2, 7};
    const float *first = NULL;
    tdm_model *m[3];
    for (size_t k = 0; k < 3; k++) {
        const float *v;
        size_t K;
        m[k] = fit(d, 40, threads[k]);
        CHECK_OK(m[k]->ops->vectors(m[k], &v, &K, &err), err);
        if (!first) first = v;
        assert_memory_equal(first, v, MANY * K * sizeof *v);
    }
    for (size_t k = 0; k < 3; k++) tdm_model_close(m[k]);
    tdm_dataset_close(d);
}

static void a_saved_model_says_the_same(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = drawn();
    tdm_model *m = fit(d, 20, 1), *again;
    CHECK_OK(m->ops->save(m, path_of("content"), &err), err);
    CHECK_OK(tdm_content_ops.load(&again, path_of("content"), d, NULL, &err), err);
    float a[MANY], b[MANY];
    const uint32_t h[] = {3, 200, 7};
    score_of(a, m, h, 3);
    score_of(b, again, h, 3);
    assert_memory_equal(a, b, sizeof a);
    tdm_model_close(again);
    tdm_model_close(m);
    tdm_dataset_close(d);
}

/* Any byte of the file turned over is refused, or read without harm: never past the end, never a crash. */
static void damaged_files_are_refused_or_harmless(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = dataset_of(shop, SHOP);
    tdm_model *m = fit(d, 4, 1);
    CHECK_OK(m->ops->save(m, path_of("content"), &err), err);
    tdm_model_close(m);
    FILE *f = fopen(path_of("content"), "rb");
    static unsigned char bytes[1 << 16];
    size_t n = fread(bytes, 1, sizeof bytes, f), refused = 0;
    fclose(f);
    for (size_t at = 0; at < n; at++) {
        bytes[at] ^= 0xff;
        f = fopen(path_of("damaged"), "wb");
        assert_int_equal(fwrite(bytes, 1, n, f), n);
        fclose(f);
        bytes[at] ^= 0xff;
        if (tdm_content_ops.load(&m, path_of("damaged"), d, NULL, &err)) {
            CHECK(m == NULL && err.msg[0]);
            refused++;
            continue;
        }
        float scores[SHOP];
        score_of(scores, m, (const uint32_t[]){0, 3}, 2);
        tdm_model_close(m);
    }
    CHECK(refused > n / 2);
    tdm_dataset_close(d);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = dataset_of(shop, SHOP);
    size_t live = tdm_mem_live();
    long k = 0;
    for (; k < 1000; k++) {
        tdm_model *m;
        tdm_mem_fail_after(k);
        tdm_status st = fit_with(&m, d, 4, 1, &err);
        tdm_mem_fail_after(-1);
        tdm_model_close(m);
        CHECK(tdm_mem_live() == live);
        if (st == TDM_OK) break;
        CHECK(st == TDM_E_NOMEM);
    }
    CHECK(k > 5 && k < 1000);
    tdm_dataset_close(d);
}

static int folder_make(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
    (void)state;
    unlink(path_of("content"));
    unlink(path_of("damaged"));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_runs_of_letters_and_digits),
        cmocka_unit_test(weights_are_tf_idf_by_hand),
        cmocka_unit_test(an_item_without_a_name_is_called_by_its_reviews),
        cmocka_unit_test(newer_items_count_more_and_shares_say_so),
        cmocka_unit_test(full_vectors_keep_the_cosines),
        cmocka_unit_test(eigenvectors_of_a_drawn_matrix),
        cmocka_unit_test(same_bytes_at_any_number_of_threads),
        cmocka_unit_test(a_saved_model_says_the_same),
        cmocka_unit_test(damaged_files_are_refused_or_harmless),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
