/* SPDX-License-Identifier: Apache-2.0 */
/* test_ratings.c - predicted ratings, reckoned by hand, and measured on a public set where it is at hand. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "movielens.h"
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

static void ratings_of_movielens_are_near_the_published(void **state)
{
    (void)state;
    movielens *x = movielens_open();
    double floor = movielens_rmse(x, &tdm_popularity_ops);
    CHECK(floor < 0.970);
    CHECK(movielens_rmse(x, &tdm_item_knn_ops) < floor - 0.02);
    CHECK(movielens_rmse(x, &tdm_user_knn_ops) < floor - 0.015);
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
