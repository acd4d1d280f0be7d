/* SPDX-License-Identifier: Apache-2.0 */
#include "movielens.h"

#include "base/file.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

double movielens_rmse(const movielens *x, const tdm_model_ops *ops)
{
    const tdm_dataset *d = &x->d;
    tdm_err err;
    tdm_params p = tdm_params_standard(ops->params);
    struct tdm_run run = {.seed = 1};
    tdm_fit_input in = {.train = d, .params = &p, .run = &run};
    tdm_model *m;
    double sum = 0;
    CHECK_OK(tdm_pool_open(&run.pool, 2, &err), err);
    CHECK_OK(ops->fit(&m, &in, &err), err);
    for (size_t k = 0; k < TEST; k++) {
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
    print_message("%s: rmse %.4f on ml-100k u1\n", ops->name, sqrt(sum / (double)TEST));
    return sqrt(sum / (double)TEST);
}

movielens *movielens_open(void)
{
    static const char base[] = TDM_SOURCE_DIR "/../shared/data/movielens/ml-100k/u1.base";
    static const char test[] = TDM_SOURCE_DIR "/../shared/data/movielens/ml-100k/u1.test";
    if (!tdm_file_exists(base)) {
        print_message("skipped: %s is not there\n", base);
        skip();
    }
    movielens *x = tdm_new(1, sizeof *x);
    assert_non_null(x);
    assert_int_equal(read_rated(x->train, TRAIN, base), TRAIN);
    assert_int_equal(read_rated(x->test, TEST, test), TEST);
    qsort(x->train, TRAIN, sizeof *x->train, by_user_and_time);
    for (size_t k = 0; k < TRAIN; k++) {
        x->item[k] = x->train[k].item;
        x->rating[k] = x->train[k].rating;
        x->offset[x->train[k].user + 1]++;
    }
    for (size_t u = 0; u < 943; u++) x->offset[u + 1] += x->offset[u];
    x->d = (tdm_dataset){.U = 943,
                         .I = 1682,
                         .N = TRAIN,
                         .offset = x->offset,
                         .item = x->item,
                         .rating = x->rating,
                         .has_ratings = true,
                         .rating_low = 1,
                         .rating_high = 5};
    return x;
}
