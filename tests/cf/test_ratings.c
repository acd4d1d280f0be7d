/* SPDX-License-Identifier: Apache-2.0 */
/* test_ratings.c - predicted ratings, reckoned by hand, and measured on a public set where it is at hand. */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { A, B, C, D };

/* Every item's and every person's mean is 3, so that all offsets are 0 and what is left of a rating is rating - 3. */
static const char balanced[] = "a5 b1 c5 d1 | a1 b5 c1 d5";

static float rating_of(const tdm_model_ops *ops, const char *log, const char *settings, const char *history,
                       uint32_t item)
{
    tdm_err err;
    toy *t = toy_of(log, 5), *ht = toy_of(history, 5);
    tdm_history h = toy_history(ht);
    tdm_model *m = toy_fit(ops, t, settings, 1);
    float r;
    CHECK_OK(ops->rate(m, &r, &h, &item, 1, &err), err);
    tdm_model_close(m);
    tdm_free(t);
    tdm_free(ht);
    return r;
}

static void near(float got, double want)
{
    if (!(fabs((double)got - want) < 1e-4)) fail_msg("%g where %g is expected", (double)got, want);
}

static void a_harsh_person_is_predicted_harsh(void **state)
{
    (void)state;
    /* everything is a 4; three ratings of 1: offset -9 / (3 + 10) */
    near(rating_of(&tdm_popularity_ops, "a4 b4 c1 | a4 b4 c7", "", "", A), 4);
    near(rating_of(&tdm_popularity_ops, "a4 b4 c4 | a4 b4 c4 | d1 | d7", "", "a1 b1 c1", D), 4 - 9.0 / 13);
}

static void item_knn_leans_on_correlated_items(void **state)
{
    (void)state;
    /* rho(a, c) = 1, halved by shrinkage; rho(b, c) = -1 is left out: 3 + .5 * 2 / (.5 + .01) */
    near(rating_of(&tdm_item_knn_ops, balanced, "rated_shrink=2", "a5 b1", C), 3 + 1 / 0.51);
    near(rating_of(&tdm_item_knn_ops, balanced, "rated_shrink=2", "a1 b5", C), 3 - 1 / 0.51);
}

static void user_knn_leans_on_correlated_people(void **state)
{
    (void)state;
    /* Pearson 1 with the first person over two shared items, halved by shrinkage; -1 with the second */
    near(rating_of(&tdm_user_knn_ops, balanced, "rated_shrink=2", "a5 b1", C), 3 + 1 / 0.51);
    near(rating_of(&tdm_user_knn_ops, balanced, "rated_shrink=2", "a1 b5", C), 3 - 1 / 0.51);
    /* centred cosine: 8 / (sqrt 8 * 4) */
    double s = 8 / (sqrt(8) * 4) / 2;
    near(rating_of(&tdm_user_knn_ops, balanced, "rated_shrink=2 rated_similarity=2", "a5 b1", C),
         3 + 2 * s / (s + 0.01));
}

static void pearson_ranks_by_agreement(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_of("a5 b1 c5 | a1 b5 d5", 4), *ht = toy_of("a5 b1", 4);
    tdm_history h = toy_history(ht);
    tdm_model *m = toy_fit(&tdm_user_knn_ops, t, "similarity=1", 1);
    float scores[4];
    CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
    CHECK(scores[C] > 0 && scores[D] == -INFINITY); /* the second person shares both items and agrees on neither */
    h.ratings = NULL;
    CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
    CHECK(scores[C] > 0 && scores[D] > 0); /* without ratings, the cosine of who chose what */
    tdm_model_close(m);
    tdm_free(t);
    tdm_free(ht);
}

static void predictions_stay_on_the_scale(void **state)
{
    (void)state;
    CHECK(rating_of(&tdm_popularity_ops, "a5 b5 c5 | a5 b1", "", "a5 b5 c5", A) <= 5);
    CHECK(rating_of(&tdm_item_knn_ops, balanced, "rated_shrink=0 longest=4", "a9 b0", C) == 5);
}

static void without_ratings_nothing_can_be_said(void **state)
{
    (void)state;
    CHECK(isnan(rating_of(&tdm_popularity_ops, "a b | a c", "", "a", B)));
    CHECK(isnan(rating_of(&tdm_item_knn_ops, "a b | a c", "", "a", B)));
    CHECK(isnan(rating_of(&tdm_user_knn_ops, "a b | a c", "", "a", B)));
}

/* ---- ml-100k, the u1 split: root mean squared error ---- */

typedef struct rated {
    uint32_t user, item;
    float rating;
    int64_t time;
} rated;

static int by_user_and_time(const void *a, const void *b)
{
    const rated *x = a, *y = b;
    if (x->user != y->user) return x->user < y->user ? -1 : 1;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static size_t read_rated(rated *out, size_t limit, const char *path)
{
    size_t n = 0;
    unsigned u, i;
    long long time;
    FILE *f = fopen(path, "r");
    while (f && n < limit && fscanf(f, "%u %u %f %lld", &u, &i, &out[n].rating, &time) == 4) {
        out[n].user = u - 1;
        out[n].item = i - 1;
        out[n++].time = time;
    }
    if (f) fclose(f);
    return n;
}

typedef struct movielens {
    rated train[80000], test[20000];
    uint32_t item[80000];
    float rating[80000];
    int64_t offset[944];
} movielens;

static double rmse_of(const tdm_model_ops *ops, const movielens *x, const tdm_dataset *d, size_t n_test)
{
    tdm_err err;
    tdm_params p = tdm_params_standard(ops->params);
    struct tdm_run run = {.seed = 1};
    tdm_fit_input in = {.train = d, .params = &p, .run = &run};
    tdm_model *m;
    double sum = 0;
    CHECK_OK(tdm_pool_open(&run.pool, 2, &err), err);
    CHECK_OK(ops->fit(&m, &in, &err), err);
    for (size_t k = 0; k < n_test; k++) {
        uint32_t u = x->test[k].user;
        size_t at = (size_t)d->offset[u];
        tdm_history h = {
            .items = d->item + at, .ratings = d->rating + at, .n = (size_t)d->offset[u + 1] - at, .self = u};
        float r;
        CHECK_OK(ops->rate(m, &r, &h, &x->test[k].item, 1, &err), err);
        sum += ((double)r - (double)x->test[k].rating) * ((double)r - (double)x->test[k].rating);
    }
    tdm_model_close(m);
    tdm_pool_close(run.pool);
    print_message("%s: rmse %.4f on ml-100k u1\n", ops->name, sqrt(sum / (double)n_test));
    return sqrt(sum / (double)n_test);
}

static void ratings_of_movielens_are_near_the_published(void **state)
{
    (void)state;
    static const char base[] = TDM_SOURCE_DIR "/../shared/data/movielens/ml-100k/u1.base";
    static const char test[] = TDM_SOURCE_DIR "/../shared/data/movielens/ml-100k/u1.test";
    if (!tdm_file_exists(base)) {
        print_message("skipped: %s is not there\n", base);
        skip();
    }
    movielens *x = tdm_new(1, sizeof *x);
    assert_non_null(x);
    size_t n = read_rated(x->train, 80000, base), n_test = read_rated(x->test, 20000, test);
    assert_int_equal(n, 80000);
    assert_int_equal(n_test, 20000);
    qsort(x->train, n, sizeof *x->train, by_user_and_time);
    for (size_t k = 0; k < n; k++) {
        x->item[k] = x->train[k].item;
        x->rating[k] = x->train[k].rating;
        x->offset[x->train[k].user + 1]++;
    }
    for (size_t u = 0; u < 943; u++) x->offset[u + 1] += x->offset[u];
    tdm_dataset d = {.U = 943,
                     .I = 1682,
                     .N = n,
                     .offset = x->offset,
                     .item = x->item,
                     .rating = x->rating,
                     .has_ratings = true,
                     .rating_low = 1,
                     .rating_high = 5};
    double floor = rmse_of(&tdm_popularity_ops, x, &d, n_test);
    CHECK(floor < 0.970);
    CHECK(rmse_of(&tdm_item_knn_ops, x, &d, n_test) < floor - 0.02);
    CHECK(rmse_of(&tdm_user_knn_ops, x, &d, n_test) < floor - 0.015);
    tdm_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_harsh_person_is_predicted_harsh),
        cmocka_unit_test(item_knn_leans_on_correlated_items),
        cmocka_unit_test(user_knn_leans_on_correlated_people),
        cmocka_unit_test(pearson_ranks_by_agreement),
        cmocka_unit_test(predictions_stay_on_the_scale),
        cmocka_unit_test(without_ratings_nothing_can_be_said),
        cmocka_unit_test(ratings_of_movielens_are_near_the_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
