/* SPDX-License-Identifier: Apache-2.0 */
/* test_mf.c - what is predicted: on a public set where it is at hand, and what each rating adds. */
#include "check.h"

#include "base/mem.h"
#include "movielens.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void ratings_of_movielens_are_near_the_published(void **state)
{
    (void)state;
    movielens *x = movielens_open();
    CHECK(movielens_rmse(x, &tdm_mf_ops) < 0.907);
    tdm_free(x);
}

/* Ratings enter a score linearly, each by its distance from the mean: so an item's share is what the score would lose
 * were its rating the mean. */
static void a_share_is_what_an_average_rating_would_cost(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(200, 60, 31);
    double sum = 0, n = 0;
    for (size_t u = 0; u < t->d.U; u++) /* the mean of each person's newest row of an item, as the model counts */
        for (int64_t k = t->offset[u]; k < t->offset[u + 1]; k++) {
            bool newest = true;
            for (int64_t j = k + 1; j < t->offset[u + 1]; j++) newest = newest && t->item[j] != t->item[k];
            if (newest && isfinite(t->rating[k])) sum += (double)t->rating[k], n++;
        }
    tdm_model *m = toy_fit(&tdm_mf_ops, t, "warm_up=5 samples=6", 2);
    const uint32_t items[4] = {1, 4, 9, 16};
    float ratings[4] = {5, 1, 4, NAN}, whole[60], less[60];
    tdm_history h = {.items = items, .ratings = ratings, .n = 4, .now = TDM_NO_TIME, .self = TDM_NONE};
    CHECK_OK(m->ops->score(m, whole, &h, 1, &err), err);
    for (size_t j = 0; j < 3; j++) {
        float was = ratings[j];
        ratings[j] = (float)(sum / n);
        CHECK_OK(m->ops->score(m, less, &h, 1, &err), err);
        ratings[j] = was;
        for (uint32_t i = 0; i < 60; i++) {
            tdm_evidence e;
            float share = 0;
            if (whole[i] == -INFINITY) continue;
            CHECK_OK(m->ops->because(m, &e, &h, i, &err), err);
            for (size_t b = 0; b < e.n_because; b++)
                if (e.because[b].item == items[j]) share = e.because[b].share;
            CHECK(fabsf(share * whole[i] - (whole[i] - less[i])) < 1e-4f); /* scores are about 3 */
        }
    }
    float r;
    CHECK_OK(m->ops->rate(m, &r, &h, &items[0], 1, &err), err);
    CHECK(fabsf(r - whole[1]) < 1e-5f);
    tdm_model_close(m);
    tdm_free(t);
}

static void without_ratings_nothing_can_be_said(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_of("a b | a c", 3);
    tdm_history h = toy_history(t);
    tdm_model *m = toy_fit(&tdm_mf_ops, t, "", 1);
    tdm_evidence e;
    float r, s[3];
    CHECK_OK(m->ops->rate(m, &r, &h, &(uint32_t){1}, 1, &err), err);
    CHECK(isnan(r));
    CHECK_OK(m->ops->score(m, s, &h, 1, &err), err);
    for (int i = 0; i < 3; i++) CHECK(s[i] == -INFINITY);
    CHECK_OK(m->ops->because(m, &e, &h, 1, &err), err);
    CHECK(e.n_because == 0 && e.rest == 1);
    tdm_model_close(m);
    tdm_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_is_what_an_average_rating_would_cost),
        cmocka_unit_test(without_ratings_nothing_can_be_said),
        cmocka_unit_test(ratings_of_movielens_are_near_the_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
