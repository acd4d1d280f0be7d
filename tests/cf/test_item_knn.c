/* SPDX-License-Identifier: Apache-2.0 */
/* test_item_knn.c - item-knn against numpy, its pairs against sums written out, and what stays against a sort. */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/safetensors.h"
#include "cf/item_nearest.h"
#include "cf/item_pairs.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numpy's ---- */

enum { GU = 80, GI = 40 };

typedef struct golden {
    tdm_safetensors *file;
    tdm_dataset d;
    const float *links, *ratings; /* 3 x GI x GI, GU x GI */
} golden;

static const void *array(const golden *g, const char *name, tdm_dtype type, size_t n)
{
    tdm_err err;
    const void *p;
    CHECK_OK(tdm_safetensors_need(g->file, &p, name, type, n, &err), err);
    return p;
}

static golden golden_open(void)
{
    tdm_err err;
    golden g = {0};
    CHECK_OK(tdm_safetensors_open(&g.file, TDM_SOURCE_DIR "/tests/cf/golden/item_knn.safetensors", &err), err);
    const int64_t *offset = array(&g, "offset", TDM_I64, GU + 1);
    size_t N = (size_t)offset[GU];
    g.d = (tdm_dataset){.U = GU, .I = GI, .N = N, .offset = offset, .has_ratings = true};
    g.d.item = array(&g, "item", TDM_U32, N);
    g.d.rating = array(&g, "rating", TDM_F32, N);
    g.d.rating_low = 1;
    g.d.rating_high = 5;
    g.links = array(&g, "links", TDM_F32, 3 * GI * GI);
    g.ratings = array(&g, "ratings", TDM_F32, GU * GI);
    return g;
}

static tdm_model *fit_with(const tdm_dataset *d, const char *settings, size_t threads)
{
    toy holder = {.d = *d}; /* toy_fit reads no more of it */
    return toy_fit(&tdm_item_knn_ops, &holder, settings, threads);
}

static const char settings_of_golden[] =
    "k=15 shrink=3 source_power=0.4 target_power=0.3 activity=0.25 history_decay=1 "
    "rated_k=6 rated_shrink=10 ";

/* The score after one item is its row of links. Sums of at most 80 terms in single precision are off by less than
 * 80 * 2^-24 of themselves, 5e-6, and what they are multiplied with by less. */
static void links_are_those_of_numpy(void **state)
{
    (void)state;
    tdm_err err;
    golden g = golden_open();
    for (int kind = 0; kind < 3; kind++) {
        char settings[300];
        snprintf(settings, sizeof settings, "%ssimilarity=%d", settings_of_golden, kind);
        tdm_model *m = fit_with(&g.d, settings, 2);
        double largest = 0, off = 0;
        for (uint32_t a = 0; a < GI; a++) {
            float got[GI];
            const float *want = g.links + ((size_t)kind * GI + a) * GI;
            const tdm_history h = {.items = &a, .n = 1, .now = TDM_NO_TIME, .self = TDM_NONE};
            CHECK_OK(m->ops->score(m, got, &h, 1, &err), err);
            for (size_t b = 0; b < GI; b++) {
                largest = fmax(largest, (double)want[b]);
                off = fmax(off, fabs((isfinite(got[b]) ? (double)got[b] : 0) - (double)want[b]));
            }
        }
        print_message("similarity %d: off by %.2g of the largest\n", kind, off / largest);
        CHECK(largest > 0.01 && off <= 1e-5 * largest);
        tdm_model_close(m);
    }
    tdm_safetensors_close(g.file);
}

static void ratings_are_those_of_numpy(void **state)
{
    (void)state;
    tdm_err err;
    golden g = golden_open();
    tdm_model *m = fit_with(&g.d, settings_of_golden, 2);
    double off = 0;
    for (uint32_t u = 0; u < GU; u++) {
        size_t at = (size_t)g.d.offset[u];
        uint32_t all[GI];
        float got[GI];
        for (uint32_t i = 0; i < GI; i++) all[i] = i;
        tdm_history h = {
            .items = g.d.item + at, .ratings = g.d.rating + at, .n = (size_t)g.d.offset[u + 1] - at, .self = u};
        CHECK_OK(m->ops->rate(m, got, &h, all, GI, &err), err);
        for (size_t i = 0; i < GI; i++) off = fmax(off, fabs((double)got[i] - (double)g.ratings[u * GI + i]));
    }
    print_message("ratings: off by %.2g\n", off);
    CHECK(off < 1e-4); /* single precision of numbers near 4, some divided by sums near 1 */
    tdm_model_close(m);
    tdm_safetensors_close(g.file);
}

/* ---- pairs ---- */

typedef struct setting {
    tdm_rows rows;
    float *person, *residual, *source, *target, *length, *scale;
    tdm_item_pairs pairs;
} setting;

static void setting_make(setting *s, const toy *t, uint64_t seed, int rated, bool length)
{
    tdm_err err;
    tdm_rng r = tdm_rng_make(seed, 0, 0);
    CHECK_OK(tdm_rows_make(&s->rows, &t->d, 1000, true, &err), err);
    size_t U = s->rows.U, I = s->rows.I, N = s->rows.N;
    s->person = tdm_new(U, sizeof(float)), s->residual = tdm_new(N, sizeof(float));
    s->source = tdm_new(I, sizeof(float)), s->target = tdm_new(I, sizeof(float));
    s->length = tdm_new(I, sizeof(float)), s->scale = tdm_new(I, sizeof(float));
    for (size_t u = 0; u < U; u++) s->person[u] = (float)(0.2 + tdm_rng_unit(&r));
    for (size_t k = 0; k < N; k++)
        s->residual[k] = rated == 1 && tdm_rng_below(&r, 4) == 0 ? NAN : (float)tdm_rng_normal(&r);
    for (size_t i = 0; i < I; i++) {
        s->source[i] = (float)exp(1.5 * tdm_rng_normal(&r)); /* far apart, so that rare items have strong links too */
        s->target[i] = (float)exp(1.5 * tdm_rng_normal(&r));
        s->scale[i] = (float)exp(1.5 * tdm_rng_normal(&r));
        for (int64_t k = s->rows.from[i]; k < s->rows.from[i + 1]; k++) s->length[i] += s->person[s->rows.user[k]];
    }
    s->pairs = (tdm_item_pairs){.rows = &s->rows,
                                .person = s->person,
                                .residual = rated ? s->residual : NULL,
                                .k = 9,
                                .shrink = 2,
                                .rated_shrink = 5,
                                .source = s->source,
                                .target = s->target,
                                .length = length ? s->length : NULL,
                                .scale = s->scale};
}

static void setting_clear(setting *s)
{
    tdm_rows_clear(&s->rows);
    tdm_free(s->person), tdm_free(s->residual), tdm_free(s->source);
    tdm_free(s->target), tdm_free(s->length), tdm_free(s->scale);
}

static void links_make(const setting *s, tdm_links *ranking, tdm_links *rated, size_t threads)
{
    tdm_err err;
    struct tdm_run run = {.seed = 1};
    CHECK_OK(tdm_pool_open(&run.pool, threads, &err), err);
    CHECK_OK(tdm_item_pairs_links(ranking, rated, &s->pairs, &run, "test", &err), err);
    tdm_pool_close(run.pool);
}

static int by_strength(const void *a, const void *b)
{
    double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return (x < y) - (x > y);
}

/* Every link of the row is its sum, and as strong as the k-th of all sums. */
static void expect_row(const tdm_links *l, uint32_t a, const double *want, size_t I, size_t k)
{
    double *sorted = tdm_new(I, sizeof *sorted);
    size_t n = 0, stay = (size_t)(l->offset[a + 1] - l->offset[a]);
    for (size_t b = 0; b < I; b++)
        if (want[b] != 0) sorted[n++] = want[b];
    qsort(sorted, n, sizeof *sorted, by_strength);
    if (stay != (n < k ? n : k)) fail_msg("item %u keeps %zu of %zu", a, stay, n);
    for (int64_t j = l->offset[a]; j < l->offset[a + 1]; j++) {
        double x = want[l->item[j]];
        CHECK(fabs((double)l->weight[j] - x) <= 1e-5 * fmax(fabs(x), 0.1)); /* some 10 terms, which may cancel */
        CHECK(fabs(x) >= fabs(sorted[stay - 1]) * (1 - 1e-5) - 1e-6);
        CHECK(j == l->offset[a] || l->item[j] > l->item[j - 1]);
    }
    tdm_free(sorted);
}

static void expect_links(const toy *t, int rated, bool length, size_t round)
{
    setting s;
    tdm_links ranking, by_rating;
    setting_make(&s, t, 5, rated, length);
    s.pairs.round = round;
    size_t I = s.rows.I;
    double *sum = tdm_new(I * I, sizeof *sum), *count = tdm_new(I * I, sizeof *count);
    double *product = tdm_new(I * I, sizeof *product), *both = tdm_new(I * I, sizeof *both);
    for (size_t u = 0; u < s.rows.U; u++)
        for (int64_t p = s.rows.offset[u]; p < s.rows.offset[u + 1]; p++)
            for (int64_t q = s.rows.offset[u]; q < s.rows.offset[u + 1]; q++) {
                size_t at = s.rows.item[p] * I + s.rows.item[q];
                double x = (double)s.residual[p] * (double)s.residual[q];
                if (p == q) continue;
                sum[at] += (double)s.person[u], count[at]++;
                if (isfinite(x)) product[at] += x, both[at]++;
            }
    links_make(&s, &ranking, &by_rating, 2);
    for (uint32_t a = 0; a < I; a++) {
        for (size_t b = 0; b < I; b++) {
            size_t at = a * I + b;
            double under = length ? (double)s.length[a] + (double)s.length[b] - sum[at] : 1;
            if (count[at] > 0)
                sum[at] *= count[at] / (count[at] + 2) * (double)s.source[a] * (double)s.target[b] / under;
            product[at] *= both[at] / (both[at] + 5) * (double)s.scale[a] * (double)s.scale[b];
        }
        expect_row(&ranking, a, sum + a * I, I, s.pairs.k);
        if (rated) expect_row(&by_rating, a, product + a * I, I, s.pairs.k);
    }
    CHECK(rated || !by_rating.offset);
    tdm_links_clear(&ranking);
    tdm_links_clear(&by_rating);
    tdm_free(sum), tdm_free(count), tdm_free(product), tdm_free(both);
    setting_clear(&s);
}

/* 300 people with 60 of 300 items each: nearly every pair, so that rows fill and later links meet a bar. */
static toy *full_log(void)
{
    toy *t = tdm_new(1, sizeof *t);
    assert_non_null(t);
    t->d = (tdm_dataset){.U = 300, .I = 300, .N = 18000, .offset = t->offset, .item = t->item, .rating = t->rating};
    for (size_t u = 0; u < 300; u++) {
        tdm_rng r = tdm_rng_make(8, u, 0);
        uint32_t first = (uint32_t)tdm_rng_below(&r, 300), step = 1 + (uint32_t)tdm_rng_below(&r, 4);
        for (uint32_t k = 0; k < 60; k++) t->item[u * 60 + k] = (first + k * step) % 300;
        t->offset[u + 1] = (int64_t)(u + 1) * 60;
    }
    return t;
}

static void pairs_are_sums_over_people(void **state)
{
    (void)state;
    toy *large = full_log();
    toy *dense = toy_drawn(300, 60, 3),
        *sparse = toy_drawn(60, 700, 4);    /* rows read from end to end, and by their lists */
    for (int rated = 0; rated < 3; rated++) /* nothing, some, all of it */
        for (int length = 0; length < 2; length++) {
            expect_links(dense, rated, length, 0);
            expect_links(sparse, rated, length, 0);
            expect_links(large, rated, length, 1000);
        }
    tdm_free(large);
    tdm_free(dense);
    tdm_free(sparse);
}

static void any_number_of_threads_makes_the_same_links(void **state)
{
    (void)state;
    toy *t = toy_drawn(1500, 700, 6);
    setting s;
    setting_make(&s, t, 7, 1, false);
    tdm_links one, rated_one;
    links_make(&s, &one, &rated_one, 1);
    for (size_t threads = 2; threads <= 7; threads += 5) {
        tdm_links l, rated;
        links_make(&s, &l, &rated, threads);
        size_t n = (size_t)one.offset[700], m = (size_t)rated_one.offset[700];
        CHECK(!memcmp(l.offset, one.offset, 701 * sizeof *l.offset) && !memcmp(l.item, one.item, n * sizeof *l.item));
        CHECK(!memcmp(l.weight, one.weight, n * sizeof *l.weight));
        CHECK(!memcmp(rated.offset, rated_one.offset, 701 * sizeof *l.offset));
        CHECK(!memcmp(rated.item, rated_one.item, m * sizeof *l.item));
        CHECK(!memcmp(rated.weight, rated_one.weight, m * sizeof *l.weight));
        tdm_links_clear(&l);
        tdm_links_clear(&rated);
    }
    tdm_links_clear(&one);
    tdm_links_clear(&rated_one);
    setting_clear(&s);
    tdm_free(t);
}

/* ---- what stays ---- */

typedef struct drawn {
    uint32_t item;
    float w;
} drawn;

static int by_rank(const void *a, const void *b)
{
    const drawn *x = a, *y = b;
    if (fabsf(x->w) != fabsf(y->w)) return fabsf(x->w) < fabsf(y->w) ? 1 : -1;
    return (x->item > y->item) - (x->item < y->item);
}

/* Weights of few values, so that most have equals, added in three orders. */
static void what_stays_does_not_depend_on_the_order(void **state)
{
    (void)state;
    enum { I = 2000, KEPT = 37 };
    tdm_err err;
    struct tdm_run run = {.seed = 1};
    CHECK_OK(tdm_pool_open(&run.pool, 2, &err), err);
    static drawn x[I], sorted[I];
    size_t *most = tdm_new(I, sizeof *most);
    uint32_t *row = tdm_new(I, sizeof *row);
    tdm_rng r = tdm_rng_make(9, 0, 0);
    for (uint32_t i = 0; i < I; i++) {
        x[i] = (drawn){i, (float)((double)tdm_rng_below(&r, 41) - 20) / 8};
        row[i] = (i + 5) % I;
    }
    most[8] = I;
    memcpy(sorted, x, sizeof x);
    qsort(sorted, I, sizeof *sorted, by_rank);
    for (int order = 0; order < 3; order++) {
        tdm_nearest s;
        tdm_links l;
        CHECK_OK(tdm_nearest_make(&s, I, KEPT, most, &err), err);
        for (uint32_t i = 0; i < I; i++) {
            const drawn *y = order == 0 ? &x[i] : order == 1 ? &x[I - 1 - i] : &x[i * 777 % I];
            tdm_nearest_add(&s, 8, y->item, y->w);
        }
        tdm_nearest_add(&s, 8, 3, NAN);
        tdm_nearest_add(&s, 8, 3, INFINITY);
        CHECK_OK(tdm_nearest_links(&l, &s, row, &run, &err), err);
        CHECK(l.offset[3] == 0 && l.offset[4] == KEPT && l.offset[I] == KEPT); /* item 3 has row 8 */
        for (size_t k = 0; k < KEPT; k++) {
            bool same = tdm_links_at(&l, 3, sorted[k].item) == sorted[k].w; /* exactly: it was only moved */
            if (!same) fail_msg("order %d: item %u should stay", order, sorted[k].item);
        }
        tdm_links_clear(&l);
        tdm_nearest_clear(&s);
    }
    tdm_free(most);
    tdm_free(row);
    tdm_pool_close(run.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_those_of_numpy),
        cmocka_unit_test(ratings_are_those_of_numpy),
        cmocka_unit_test(pairs_are_sums_over_people),
        cmocka_unit_test(any_number_of_threads_makes_the_same_links),
        cmocka_unit_test(what_stays_does_not_depend_on_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
