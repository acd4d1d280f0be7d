/* SPDX-License-Identifier: Apache-2.0 */
/* test_mf.c - what is predicted: on a public set where it is at hand, and what each rating adds. */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "toy.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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
    CHECK(rmse_of(&tdm_mf_ops, x, &d, n_test) < 0.907);
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
