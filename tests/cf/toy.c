/* SPDX-License-Identifier: Apache-2.0 */
#include "toy.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static toy *toy_new(size_t I)
{
    toy *t = tdm_new(1, sizeof *t);
    assert_non_null(t);
    t->d.I = I;
    t->d.offset = t->offset;
    t->d.item = t->item;
    t->d.rating = t->rating;
    t->d.time = t->time;
    return t;
}

static void add(toy *t, uint32_t item, float rating)
{
    assert_true(t->d.N < TOY_ROWS);
    t->item[t->d.N] = item;
    t->time[t->d.N] = TDM_NO_TIME;
    t->rating[t->d.N++] = rating;
    if (!isfinite(rating)) return;
    if (!t->d.has_ratings || rating < t->d.rating_low) t->d.rating_low = rating;
    if (!t->d.has_ratings || rating > t->d.rating_high) t->d.rating_high = rating;
    t->d.has_ratings = true;
}

void toy_times(toy *t, const int64_t *time)
{
    memcpy(t->time, time, t->d.N * sizeof *time);
    t->d.has_times = true;
}

void toy_categories(toy *t, const char *text)
{
    size_t i = 0, n = 0;
    assert_true(t->d.I <= 2000 && strlen(text) <= sizeof t->category);
    for (; *text; text++) {
        if (*text == '|') t->category_at[++i] = (int64_t)n;
        else t->category[n++] = *text == ' ' ? '\n' : *text;
    }
    assert_true(i < t->d.I);
    while (i < t->d.I) t->category_at[++i] = (int64_t)n;
    t->d.category = (tdm_strings){t->category, t->category_at, t->d.I};
}

static void end_person(toy *t) { t->offset[++t->d.U] = (int64_t)t->d.N; }

toy *toy_of(const char *log, size_t I)
{
    toy *t = toy_new(I);
    for (; *log; log++) {
        bool rated = log[1] >= '0' && log[1] <= '9';
        if (*log >= 'a' && *log <= 'z') add(t, (uint32_t)(*log - 'a'), rated ? (float)(log[1] - '0') : NAN);
        if (*log == '|') end_person(t);
    }
    end_person(t);
    return t;
}

toy *toy_drawn(size_t U, size_t I, uint64_t seed)
{
    toy *t = toy_new(I);
    for (size_t u = 0; u < U; u++) {
        tdm_rng r = tdm_rng_make(seed, u, 0), clock = tdm_rng_make(seed, u, 1);
        size_t n = 2 + (size_t)tdm_rng_below(&r, 10);
        int64_t now = (int64_t)tdm_rng_below(&clock, 90) * 86400;
        for (size_t k = 0; k < n; k++) {
            double x = tdm_rng_unit(&r);
            bool rated = tdm_rng_below(&r, 5) > 0;
            add(t, (uint32_t)(x * x * (double)I), rated ? (float)(1 + tdm_rng_below(&r, 5)) : NAN);
            t->time[t->d.N - 1] = now += (int64_t)tdm_rng_below(&clock, 86400);
        }
        end_person(t);
    }
    t->d.has_times = t->d.N > 0;
    char text[sizeof t->category];
    size_t at = 0;
    for (size_t i = 0; i < I; i++) {
        if (i % 11) at += (size_t)snprintf(text + at, sizeof text - at, "all of%zu", i % 7);
        if (i + 1 < I) text[at++] = '|';
    }
    text[at] = 0;
    toy_categories(t, text);
    return t;
}

tdm_history toy_history(const toy *t)
{
    return (tdm_history){.items = t->item, .ratings = t->rating, .n = t->d.N, .now = TDM_NO_TIME, .self = TDM_NONE};
}

void toy_set(tdm_params *p, const tdm_model_ops *ops, const char *settings)
{
    tdm_err err;
    char name[64];
    double value;
    int used;
    *p = tdm_params_standard(ops->params);
    for (; sscanf(settings, " %63[^=]=%lf%n", name, &value, &used) == 2; settings += used)
        CHECK_OK(tdm_params_set(p, ops->name, name, value, &err), err);
}

tdm_model *toy_fit(const tdm_model_ops *ops, const toy *t, const char *settings, size_t threads)
{
    tdm_err err;
    tdm_params p;
    struct tdm_run run = {.seed = 1};
    toy_set(&p, ops, settings);
    CHECK_OK(tdm_pool_open(&run.pool, threads, &err), err);
    tdm_fit_input in = {.train = &t->d, .params = &p, .run = &run};
    tdm_model *m;
    CHECK_OK(ops->fit(&m, &in, &err), err);
    tdm_pool_close(run.pool);
    return m;
}
