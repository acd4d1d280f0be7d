/* SPDX-License-Identifier: Apache-2.0 */
/* test_svdpp.c - gradient descent in cells, what choices imply, the fold-in, and what is predicted. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "cf/svdpp.h"
#include "movielens.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { U = 1500, I = 700, K = 32 };

typedef struct world {
    toy *t;
    tdm_rows r;
    float *P, *Q, *C, *pull_p, *pull_q;
} world;

static float *drawn(size_t n, double size, uint64_t stream)
{
    float *x = tdm_new(n, sizeof *x);
    tdm_rng r = tdm_rng_make(2, stream, 0);
    assert_non_null(x);
    for (size_t k = 0; k < n; k++) x[k] = (float)(size * tdm_rng_normal(&r));
    return x;
}

static world world_make(void)
{
    tdm_err err;
    world w = {.t = toy_drawn(U, I, 21)};
    CHECK_OK(tdm_rows_make(&w.r, &w.t->d, 1000, true, &err), err);
    w.P = drawn(U * K, 0.2, 0);
    w.Q = drawn(I * K, 0.2, 1);
    w.C = drawn(U * K, 0.1, 2);
    w.pull_p = drawn(U, 0, 3);
    w.pull_q = drawn(I, 0, 4);
    for (size_t u = 0; u < U; u++) w.pull_p[u] = 0.01f * (float)(1 + u % 7);
    for (size_t i = 0; i < I; i++) w.pull_q[i] = 0.02f * (float)(1 + i % 5);
    return w;
}

static void world_clear(world *w)
{
    tdm_free(w->P);
    tdm_free(w->Q);
    tdm_free(w->C);
    tdm_free(w->pull_p);
    tdm_free(w->pull_q);
    tdm_rows_clear(&w->r);
    tdm_free(w->t);
}

static void a_grid_holds_every_rating_once(void **state)
{
    (void)state;
    tdm_err err;
    world w = world_make();
    struct tdm_run run = {.seed = 1};
    tdm_grid g;
    CHECK_OK(tdm_grid_make(&g, &w.r, 3, K, &run, &err), err);
    float *found = drawn(U * I, 0, 0);
    size_t given = 0;
    for (size_t b = 0; b < g.bands; b++)
        for (size_t h = 0; h < g.side; h++)
            for (int64_t k = g.cell[b * g.side + h]; k < g.cell[b * g.side + h + 1]; k++) {
                size_t u = g.band[b] + g.rating[k].p, i = g.items[h] + g.rating[k].q;
                CHECK(u < g.band[b + 1] && i < g.items[h + 1]);
                CHECK(found[u * I + i] == 0);
                found[u * I + i] = g.rating[k].value + 3;
            }
    for (size_t u = 0; u < U; u++)
        for (int64_t k = w.r.offset[u]; k < w.r.offset[u + 1]; k++) {
            if (!isfinite(w.r.rating[k])) continue;
            CHECK(found[u * I + w.r.item[k]] == w.r.rating[k]);
            given++;
        }
    CHECK(given == g.n && given > 1000);
    for (size_t p = 0; p < g.side; p++) CHECK(g.people[p] <= g.people[p + 1] && g.items[p] <= g.items[p + 1]);
    CHECK(g.people[g.side] == g.bands && g.band[g.bands] == U && g.items[g.side] == I);
    tdm_free(found);
    tdm_grid_clear(&g);
    world_clear(&w);
}

/* The epoch in plain words and in double: strata in their drawn order, blocks, bands, ratings. */
static double epoch_reference(const tdm_grid *g, const tdm_sgd *s, double *p, double *q)
{
    double square = 0;
    for (size_t t = 0; t < g->side; t++)
        for (size_t block = 0; block < g->side; block++) {
            size_t h = (block + g->order[t]) % g->side;
            for (size_t b = g->people[block]; b < g->people[block + 1]; b++)
                for (int64_t k = g->cell[b * g->side + h]; k < g->cell[b * g->side + h + 1]; k++) {
                    size_t u = g->band[b] + g->rating[k].p, i = g->items[h] + g->rating[k].q;
                    double e = (double)g->rating[k].value, rate = (double)s->rate;
                    for (size_t f = 0; f < K; f++) e -= (p[u * K + f] + (double)s->C[u * K + f]) * q[i * K + f];
                    for (size_t f = 0; f < K; f++) {
                        double a = p[u * K + f], v = a + (double)s->C[u * K + f], y = q[i * K + f];
                        p[u * K + f] += rate * (e * y - (double)s->pull_p[u] * a);
                        q[i * K + f] += rate * (e * v - (double)s->pull_q[i] * y);
                    }
                    square += e * e;
                }
        }
    return square;
}

static void an_epoch_is_its_reference_at_any_number_of_threads(void **state)
{
    (void)state;
    tdm_err err;
    world w = world_make();
    struct tdm_run run = {.seed = 1};
    float open[2 * TDM_PAD], *P = drawn(U * K, 0, 0), *Q = drawn(I * K, 0, 0);
    double *p = tdm_new(U * K, sizeof *p), *q = tdm_new(I * K, sizeof *q), square[3];
    for (size_t k = 0; k < 2 * TDM_PAD; k++) open[k] = 1;
    for (size_t k = 0; k < U * K; k++) p[k] = (double)w.P[k];
    for (size_t k = 0; k < I * K; k++) q[k] = (double)w.Q[k];
    for (size_t threads = 1; threads <= 3; threads++) {
        tdm_grid g;
        float *x = drawn(U * K, 0, 0), *y = drawn(I * K, 0, 0);
        CHECK_OK(tdm_pool_open(&run.pool, threads, &err), err);
        CHECK_OK(tdm_grid_make(&g, &w.r, 3, K, &run, &err), err);
        memcpy(x, w.P, U * K * sizeof *x);
        memcpy(y, w.Q, I * K * sizeof *y);
        const tdm_sgd s = {x, y, w.C, w.pull_p, w.pull_q, open, K, 0.02f};
        square[threads - 1] = tdm_grid_epoch(&g, &s, 4, &run);
        if (threads == 1) {
            double is = epoch_reference(&g, &s, p, q);
            CHECK(fabs(square[0] - is) < 1e-5 * is);
            memcpy(P, x, U * K * sizeof *x);
            memcpy(Q, y, I * K * sizeof *y);
            /* numbers up to about 1; a popular item takes some hundred steps of one rounding each */
            for (size_t k = 0; k < U * K; k++) CHECK(fabs((double)P[k] - p[k]) < 1e-5);
            for (size_t k = 0; k < I * K; k++) CHECK(fabs((double)Q[k] - q[k]) < 1e-5);
        }
        CHECK(square[threads - 1] == square[0]);
        CHECK(!memcmp(P, x, U * K * sizeof *x) && !memcmp(Q, y, I * K * sizeof *y));
        tdm_grid_clear(&g);
        tdm_pool_close(run.pool);
        tdm_free(x);
        tdm_free(y);
    }
    tdm_free(P);
    tdm_free(Q);
    tdm_free(p);
    tdm_free(q);
    world_clear(&w);
}

/* Enough steps of conjugate gradient end where the gradient is 0, and leave everybody where they stood. */
static void what_choices_imply_is_a_regression(void **state)
{
    (void)state;
    tdm_err err;
    world w = world_make();
    struct tdm_run run = {.seed = 1};
    const double pull = 2, power = 0.3;
    float *Y = drawn(I * K, 0, 0), *C = drawn(U * K, 0, 0), *P = drawn(U * K, 0, 0);
    double *left = tdm_new(U, sizeof *left), *weight = tdm_new(U, sizeof *weight), *c = tdm_new(U * K, sizeof *c);
    for (size_t k = 0; k < U * K; k++) P[k] = k % K == K - 2 ? 1 : w.P[k];
    tdm_svdpp_implied *s;
    CHECK_OK(tdm_svdpp_implied_open(&s, &w.r, K, P, C, Y, power, pull, &run, &err), err);
    for (size_t round = 0; round < 4; round++) tdm_svdpp_implied_step(s, 40); /* begun anew: rounding is made good */
    tdm_svdpp_implied_close(s);
    for (size_t u = 0; u < U; u++) {
        size_t n = (size_t)(w.r.offset[u + 1] - w.r.offset[u]), given = 0;
        for (int64_t k = w.r.offset[u]; k < w.r.offset[u + 1]; k++) {
            given += isfinite(w.r.rating[k]);
            for (size_t f = 0; f < K; f++) c[u * K + f] += (double)Y[w.r.item[k] * K + f] / sqrt((double)n);
        }
        left[u] = 1 / sqrt((double)n);
        weight[u] = given ? pow((double)given, power) : 0;
        for (size_t f = 0; f < K; f++) {
            float stood = f == K - 2 ? 1 : w.P[u * K + f];
            CHECK(fabs(c[u * K + f] - (double)C[u * K + f]) < 1e-5);   /* sums of some dozen numbers below 1 */
            CHECK(fabsf(P[u * K + f] + C[u * K + f] - stood) < 1e-5f); /* moved 160 times */
        }
    }
    double largest = 0;
    for (size_t i = 0; i < I; i++)
        for (size_t f = 0; f < K; f++) {
            double g = -pull * (double)Y[i * K + f];
            for (int64_t k = w.r.from[i]; k < w.r.from[i + 1]; k++) {
                size_t u = w.r.user[k];
                g += weight[u] * left[u] * ((double)w.P[u * K + f] - c[u * K + f]);
            }
            if (f == K - 2) CHECK(Y[i * K + f] == 0);
            else CHECK(fabs(g) < 1e-4); /* terms of up to a hundred people, each below 1 */
            largest = fmax(largest, fabs((double)Y[i * K + f]));
        }
    CHECK(largest > 0.05);
    tdm_free(Y);
    tdm_free(C);
    tdm_free(P);
    tdm_free(left);
    tdm_free(weight);
    tdm_free(c);
    world_clear(&w);
}

static void a_fold_is_the_best_point(void **state)
{
    (void)state;
    tdm_err err;
    float *item = drawn(I * K, 0.3, 5), *implied = drawn(I * K, 0.1, 6), x[K];
    for (size_t i = 0; i < I; i++) {
        item[i * K + K - 1] = 1;
        implied[i * K + K - 2] = 0;
    }
    const tdm_svdpp_space s = {I, K, item, implied, 3.5, 1.5, 0.4};
    for (size_t n = 0; n <= 150; n += n < 5 ? 1 : 29) {
        uint32_t items[150];
        float ratings[150];
        tdm_svdpp_fold q;
        size_t given = 0;
        for (size_t j = 0; j < n; j++) {
            items[j] = (uint32_t)(j * 37 % I);
            ratings[j] = j % 4 == 3 ? NAN : (float)(1 + j % 5);
            given += j % 4 != 3;
        }
        CHECK_OK(tdm_svdpp_fold_open(&q, &s, &err), err);
        CHECK(tdm_svdpp_fold_factor(&q, &s, items, ratings, n));
        tdm_svdpp_fold_solve(&q, &s, x);
        CHECK(x[K - 2] == 1);
        double g[K] = {0}, pull = 1.5 * pow(given ? (double)given : 1, 0.4);
        for (size_t k = 0; k < K; k++) g[k] = pull * (double)x[k];
        for (size_t j = 0; j < n; j++) {
            const float *y = item + items[j] * K, *z = implied + items[j] * K;
            double e = (double)ratings[j] - 3.5;
            for (size_t k = 0; k < K; k++) e -= (double)x[k] * (double)y[k];
            for (size_t k = 0; k < K; k++) {
                if (isfinite(ratings[j])) g[k] -= e * (double)y[k];
                g[k] -= pull / sqrt((double)n) * (double)z[k];
            }
        }
        for (size_t k = 0; k < K; k++) /* sums of up to 150 products near 1, the matrix well conditioned */
            if (k != K - 2) CHECK(fabs(g[k]) < 2e-4);
        tdm_svdpp_fold_close(&q);
    }
    tdm_free(item);
    tdm_free(implied);
}

/* Without what choices imply, an item's share is what the prediction would lose were its rating just what the mean and
 * the item's own offset say. */
static void a_share_is_what_an_unsurprising_rating_would_cost(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(200, 60, 31);
    double sum = 0, n = 0;
    tdm_rows r;
    CHECK_OK(tdm_rows_make(&r, &t->d, 1000, true, &err), err);
    for (size_t k = 0; k < r.N; k++)
        if (isfinite(r.rating[k])) sum += (double)r.rating[k], n++;
    tdm_rows_clear(&r);
    tdm_model *m = toy_fit(&tdm_svdpp_ops, t, "implied=0 held=0 epochs=30 rate=0.05 factors=16", 2);
    const uint32_t items[4] = {1, 4, 9, 16};
    float ratings[4] = {5, 1, 4, NAN}, whole[60], less[60];
    const float *y;
    size_t width;
    tdm_history h = {.items = items, .ratings = ratings, .n = 4, .now = TDM_NO_TIME, .self = TDM_NONE};
    CHECK_OK(m->ops->score(m, whole, &h, 1, &err), err);
    CHECK_OK(m->ops->vectors(m, &y, &width, &err), err);
    CHECK(width == 16);
    for (size_t j = 0; j < 3; j++) {
        float was = ratings[j];
        ratings[j] = (float)(sum / n) + y[items[j] * 16 + 14];
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
    float rating;
    CHECK_OK(m->ops->rate(m, &rating, &h, &items[0], 1, &err), err);
    CHECK(fabsf(rating - whole[1]) < 1e-5f);
    tdm_model_close(m);
    tdm_free(t);
}

/* What items add is all that sets a prediction apart from that of an empty history: mean and offset of the item. */
static void shares_are_what_the_history_adds(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(200, 60, 34);
    tdm_model *m = toy_fit(&tdm_svdpp_ops, t, "held=0 epochs=30 rate=0.05 factors=16 pull_implied=1", 2);
    const uint32_t items[4] = {1, 4, 9, 16};
    const float ratings[4] = {NAN, 1, 4, 5};
    float empty[60], scores[60], most = 0;
    tdm_history h = {.items = items, .ratings = ratings, .now = TDM_NO_TIME, .self = TDM_NONE};
    CHECK_OK(m->ops->score(m, empty, &h, 1, &err), err);
    for (h.n = 1; h.n <= 4; h.n++) { /* the first alone has no rating: it was chosen, that is all */
        CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
        for (uint32_t i = 0; i < 60; i++) {
            tdm_evidence e;
            if (scores[i] == -INFINITY) continue;
            CHECK_OK(m->ops->because(m, &e, &h, i, &err), err);
            CHECK(fabsf((1 - e.rest) * scores[i] - (scores[i] - empty[i])) < 1e-5f); /* scores are about 3 */
            if (h.n == 1) most = fmaxf(most, fabsf(scores[i] - empty[i]));
        }
    }
    CHECK(most > 1e-3f);
    tdm_model_close(m);
    tdm_free(t);
}

typedef struct watch {
    struct tdm_run run;
    uint64_t epochs, stop_at;
} watch;

static void watched(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    watch *x = ctx;
    (void)stage, (void)total;
    CHECK(note && strstr(note, "rmse"));
    x->epochs++;
    if (done == x->stop_at) tdm_run_cancel(&x->run);
}

static void every_epoch_is_told_and_one_may_be_the_last(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(200, 60, 32);
    tdm_params p;
    watch x = {.run = {.seed = 1, .progress = watched}};
    tdm_model *m;
    x.run.ctx = &x;
    toy_set(&p, &tdm_svdpp_ops, "held=0 epochs=7 factors=16");
    tdm_fit_input in = {.train = &t->d, .params = &p, .run = &x.run};
    CHECK_OK(tdm_svdpp_ops.fit(&m, &in, &err), err);
    CHECK(x.epochs == 7);
    tdm_model_close(m);
    x.epochs = 0;
    x.stop_at = 3;
    CHECK(tdm_svdpp_ops.fit(&m, &in, &err) == TDM_E_CANCELLED);
    CHECK(m == NULL && x.epochs == 3);
    tdm_free(t);
}

static void too_high_a_rate_is_said(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(200, 60, 33);
    tdm_params p;
    struct tdm_run run = {.seed = 1};
    tdm_model *m;
    toy_set(&p, &tdm_svdpp_ops, "held=0 epochs=100 slowing=1 rate=1 factors=64");
    tdm_fit_input in = {.train = &t->d, .params = &p, .run = &run};
    CHECK(tdm_svdpp_ops.fit(&m, &in, &err) == TDM_E_ARG);
    CHECK(m == NULL && strstr(err.msg, "svdpp.rate"));
    tdm_free(t);
}

static void without_ratings_nothing_can_be_said(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_of("a b | a c", 3);
    tdm_history h = toy_history(t);
    tdm_model *m = toy_fit(&tdm_svdpp_ops, t, "", 1);
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

static void ratings_of_movielens_are_near_the_best(void **state)
{
    (void)state;
    movielens *x = movielens_open();
    CHECK(movielens_rmse(x, &tdm_svdpp_ops) < 0.909); /* .9057 to .9067 by seed; instruction sets differ as much */
    tdm_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_holds_every_rating_once),
        cmocka_unit_test(an_epoch_is_its_reference_at_any_number_of_threads),
        cmocka_unit_test(what_choices_imply_is_a_regression),
        cmocka_unit_test(a_fold_is_the_best_point),
        cmocka_unit_test(a_share_is_what_an_unsurprising_rating_would_cost),
        cmocka_unit_test(shares_are_what_the_history_adds),
        cmocka_unit_test(every_epoch_is_told_and_one_may_be_the_last),
        cmocka_unit_test(too_high_a_rate_is_said),
        cmocka_unit_test(without_ratings_nothing_can_be_said),
        cmocka_unit_test(ratings_of_movielens_are_near_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
