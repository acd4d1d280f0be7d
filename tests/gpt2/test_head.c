/* SPDX-License-Identifier: Apache-2.0 */
/* test_head.c - the fused softmax and cross-entropy against sums in double: a vocabulary of several parts, silent and
 * weighted positions, logits that grow far beyond the first part's. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/run.h"
#include "gpt2/head.h"

#include <math.h>
#include <string.h>

enum { V = 700, C = 16, N = 300 };

typedef struct world {
    tdm_gpt2 *g;
    float x[N * C], weight[N];
    uint32_t token[N], target[N], start[2];
    tdm_gpt2_batch b;
} world;

/* `steep`: how much larger rows of the table become from the first to the last, so that late logits tower. */
static world *world_make(float steep)
{
    tdm_err err;
    world *w = tdm_new(1, sizeof *w);
    CHECK(w);
    CHECK_OK(tdm_gpt2_open(&w->g, (tdm_gpt2_shape){.V = V, .T = N, .C = C, .L = 1, .H = 2}, &err), err);
    tdm_gpt2_init(w->g, 5);
    tdm_rng r = tdm_rng_make(11, 0, 0);
    for (size_t v = 0; v < V; v++)
        for (size_t c = 0; c < C; c++) w->g->w.wte[v * C + c] = (float)tdm_rng_normal(&r) * (1 + steep * (float)v / V);
    for (size_t i = 0; i < N * C; i++) w->x[i] = (float)tdm_rng_normal(&r);
    for (size_t i = 0; i < N; i++) {
        w->target[i] = i % 7 == 3 ? TDM_GPT2_SILENT : (uint32_t)(i * 37 % V);
        w->weight[i] = i % 11 == 5 ? 0 : 0.5f + (float)(i % 3);
    }
    w->start[1] = N;
    w->b = (tdm_gpt2_batch){
        .token = w->token, .target = w->target, .weight = w->weight, .start = w->start, .S = 1, .N = N};
    return w;
}

static void world_free(world *w)
{
    tdm_gpt2_close(w->g);
    tdm_free(w);
}

/* loss, dx (N x C) and dE (V x C) by the definition. */
static double defined(const world *w, double *dx, double *dE)
{
    double loss = 0, mass = tdm_head_mass(&w->b), p[V];
    memset(dx, 0, N * C * sizeof *dx);
    memset(dE, 0, V * C * sizeof *dE);
    for (size_t i = 0; i < N; i++) {
        if (w->target[i] == TDM_GPT2_SILENT || w->weight[i] <= 0) continue;
        double most = -INFINITY, sum = 0, part = (double)w->weight[i] / mass;
        for (size_t v = 0; v < V; v++) {
            p[v] = 0;
            for (size_t c = 0; c < C; c++) p[v] += (double)w->x[i * C + c] * (double)w->g->w.wte[v * C + c];
            most = fmax(most, p[v]);
        }
        for (size_t v = 0; v < V; v++) sum += exp(p[v] - most);
        loss += part * (log(sum) + most - p[w->target[i]]);
        for (size_t v = 0; v < V; v++) {
            double d = part * (exp(p[v] - most) / sum - (v == w->target[i]));
            for (size_t c = 0; c < C; c++) {
                dx[i * C + c] += d * (double)w->g->w.wte[v * C + c];
                dE[v * C + c] += d * (double)w->x[i * C + c];
            }
        }
    }
    return loss;
}

static void near(const float *got, const double *want, size_t n, double bound)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(want[i]));
    for (size_t i = 0; i < n; i++) CHECK(fabs((double)got[i] - want[i]) <= bound * most);
}

static void made(const world *w, float *dx, tdm_head_table into, double *loss, size_t threads, tdm_gemm_fn *gemm)
{
    tdm_err err;
    struct tdm_run run = {0};
    tdm_head *h;
    CHECK_OK(tdm_pool_open(&run.pool, threads, &err), err);
    CHECK_OK(tdm_head_open(&h, w->g, N, gemm, &err), err);
    *loss = tdm_head_step(h, dx, into, tdm_head_mass(&w->b), w->x, &w->b, run.pool);
    tdm_head_close(h);
    tdm_pool_close(run.pool);
}

static void it_is_what_the_definition_says(void **state)
{
    (void)state;
    static float dx[N * C], dE[V * C], again[N * C], twice[V * C];
    static double want_dx[N * C], want_dE[V * C];
    const float steep[] = {0, 3, 40}; /* the last: logits some hundreds above those of the first part */
    for (size_t k = 0; k < 3; k++) {
        world *w = world_make(steep[k]);
        double loss, same, want = defined(w, want_dx, want_dE);
        made(w, dx, (tdm_head_table){.d = dE}, &loss, 1, tdm_gemm);
        CHECK(fabs(loss - want) <= 1e-5 * want);
        near(dx, want_dx, N * C, 1e-4);
        near(dE, want_dE, V * C, 1e-4);
        made(w, again, (tdm_head_table){.d = twice}, &same, 2, tdm_gemm);
        CHECK(loss == same && !memcmp(dx, again, sizeof dx) && !memcmp(dE, twice, sizeof dE));
        made(w, again, (tdm_head_table){.d = twice, .add = true}, &same, 2, tdm_gemm);
        for (size_t i = 0; i < V * C; i++) want_dE[i] *= 2;
        near(twice, want_dE, V * C, 1e-4);
        world_free(w);
    }
}

/* Only the rows from somewhere on, as adapters' training wants it. */
static void last_rows_alone_are_the_same_rows(void **state)
{
    (void)state;
    static float dx[N * C], all[V * C], some[V * C];
    world *w = world_make(3);
    double loss;
    made(w, dx, (tdm_head_table){.d = all}, &loss, 1, tdm_gemm);
    const size_t from[] = {1, 255, 256, 600, V - 1};
    for (size_t k = 0; k < sizeof from / sizeof *from; k++) {
        made(w, dx, (tdm_head_table){.d = some, .from = from[k]}, &loss, 1, tdm_gemm);
        for (size_t i = 0; i < (V - from[k]) * C; i++) CHECK(fabsf(some[i] - all[from[k] * C + i]) <= 1e-6f);
    }
    world_free(w);
}

/* Rounding to 8 bits is seen, and stays small. */
static void mixed_precision_is_near(void **state)
{
    (void)state;
    static float dx[N * C], dE[V * C], again[N * C], twice[V * C];
    static double want_dx[N * C], want_dE[V * C];
    world *w = world_make(0);
    double loss, same, want = defined(w, want_dx, want_dE);
    made(w, dx, (tdm_head_table){.d = dE}, &loss, 1, tdm_gemm_bf16);
    CHECK(fabs(loss - want) <= 1e-2 * want);
    near(dx, want_dx, N * C, 3e-2);
    near(dE, want_dE, V * C, 3e-2);
    made(w, again, (tdm_head_table){.d = twice}, &same, 2, tdm_gemm_bf16);
    CHECK(loss == same && !memcmp(dx, again, sizeof dx) && !memcmp(dE, twice, sizeof dE));
    world_free(w);
}

static void a_logit_that_is_no_number_is_no_loss(void **state)
{
    (void)state;
    static float dx[N * C], dE[V * C];
    world *w = world_make(0);
    double loss;
    w->g->w.wte[600 * C] = NAN;
    made(w, dx, (tdm_head_table){.d = dE}, &loss, 1, tdm_gemm);
    CHECK(isnan(loss));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_what_the_definition_says),
        cmocka_unit_test(last_rows_alone_are_the_same_rows),
        cmocka_unit_test(mixed_precision_is_near),
        cmocka_unit_test(a_logit_that_is_no_number_is_no_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
