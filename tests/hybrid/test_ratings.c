/* SPDX-License-Identifier: Apache-2.0 */
/* test_ratings.c - the fusion of ratings, over models whose ratings are tables. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "fixture.h"

#include <math.h>

enum { I = 64 };

static double rmse(const tdm_model *m, const quiz *z)
{
    tdm_err err;
    double sum = 0;
    for (size_t q = 0; q < z->qs.n; q++) {
        tdm_history h = tdm_questions_history(&z->qs, q);
        float r;
        CHECK_OK(m->ops->rate(m, &r, &h, &z->target[q], 1, &err), err);
        sum += pow((double)(r - z->target_rating[q]), 2);
    }
    return sqrt(sum / (double)z->qs.n);
}

static void ratings_are_joined_by_what_each_model_is_worth(void **state)
{
    (void)state;
    table *one = table_new("one", I, true), *two = table_new("two", I, true), *gap = table_new("gap", I, true);
    quiz *teach = quiz_new(), *ask = quiz_new();
    uint32_t item[] = {0, 1};
    float rating[] = {2, 4};
    int64_t offset[] = {0, 2}, time[] = {TDM_NO_TIME, TDM_NO_TIME};
    tdm_dataset log = {.U = 1,
                       .I = I,
                       .N = 2,
                       .offset = offset,
                       .item = item,
                       .rating = rating,
                       .time = time,
                       .has_ratings = true,
                       .rating_low = 1,
                       .rating_high = 5};
    for (uint32_t x = 0; x < 600; x++) {
        tdm_rng r = tdm_rng_make(3, x, 0);
        uint32_t from = x % I, to = (x * 11 + 5) % I;
        double truth = 3 + tdm_rng_normal(&r) * 0.8;
        quiz *z = x < 400 ? teach : ask;
        quiz_add(z, &from, 1, to);
        one->rating[from * I + to] = one->rating[from * I + to] != 0 ? one->rating[from * I + to] : (float)truth;
        z->target_rating[z->qs.n - 1] = one->rating[from * I + to];
    }
    for (size_t k = 0; k < (size_t)I * I; k++) { /* what they say is the truth less a lot, and with noise */
        tdm_rng r = tdm_rng_make(4, k, 0);
        float truth = one->rating[k];
        one->rating[k] = truth - 1 + 0.5f * (float)tdm_rng_normal(&r);
        two->rating[k] = 3 + 0.5f * (truth - 3) + 0.3f * (float)tdm_rng_normal(&r);
        gap->rating[k] = k % 2 ? NAN : 3 + (float)tdm_rng_normal(&r);
    }
    const tdm_model *models[] = {&one->base, &two->base, &gap->base, NULL};
    tdm_model *m = fuse(models, &log, &teach->qs, 1);
    CHECK(rmse(m, ask) < 0.45);
    CHECK(rmse(m, ask) < rmse(&two->base, ask) && rmse(m, ask) < rmse(&one->base, ask));
    tdm_model_close(m);
    m = fuse(models, &log, NULL, 1); /* nothing to learn from: the mean of what is said */
    uint32_t x = 0, to = 1;
    tdm_history h = {.items = &x, .n = 1};
    tdm_err err;
    float r;
    CHECK_OK(m->ops->rate(m, &r, &h, &to, 1, &err), err);
    CHECK(fabsf(r - (3 + (one->rating[1] - 3 + two->rating[1] - 3) / 3)) < 1e-5f); /* "gap" cannot say: the mean, 3 */
    tdm_model_close(m);
    tdm_model_close(&one->base);
    tdm_model_close(&two->base);
    tdm_model_close(&gap->base);
    tdm_free(teach);
    tdm_free(ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ratings_are_joined_by_what_each_model_is_worth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
