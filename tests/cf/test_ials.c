/* SPDX-License-Identifier: Apache-2.0 */
/* test_ials.c - ials against references: numpy's, and its own definition solved in double. */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/safetensors.h"
#include "cf/ials.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numpy's ---- */

enum { GU = 80, GI = 50, GK = 16 };

typedef struct golden {
    tdm_safetensors *file;
    const double *objective; /* conjugate gradient, exact */
    const float *X, *Y, *scores;
    tdm_ials_lists people, items;
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
    golden g;
    CHECK_OK(tdm_safetensors_open(&g.file, TDM_SOURCE_DIR "/tests/cf/golden/ials.safetensors", &err), err);
    g.objective = array(&g, "objective", TDM_F64, 2);
    g.people = (tdm_ials_lists){.n = GU, .from = array(&g, "offset", TDM_I64, GU + 1)};
    g.items = (tdm_ials_lists){.n = GI, .from = array(&g, "from", TDM_I64, GI + 1)};
    size_t N = (size_t)g.people.from[GU];
    g.people.at = array(&g, "item", TDM_U32, N);
    g.people.a = array(&g, "a", TDM_F32, N);
    g.items.at = array(&g, "user", TDM_U32, N);
    g.items.a = array(&g, "a_by_item", TDM_F32, N);
    g.X = array(&g, "X", TDM_F32, GU * GK);
    g.Y = array(&g, "Y", TDM_F32, GI * GK);
    g.scores = array(&g, "scores", TDM_F32, GU * GI);
    return g;
}

static double objective_of(const golden *g, const float *X, const float *Y, double l)
{
    double sum = 0;
    for (size_t u = 0; u < GU; u++) {
        for (size_t i = 0; i < GI; i++) {
            double s = 0;
            for (size_t k = 0; k < GK; k++) s += (double)X[u * GK + k] * (double)Y[i * GK + k];
            sum += s * s;
            for (int64_t j = g->people.from[u]; j < g->people.from[u + 1]; j++)
                if (g->people.at[j] == i) sum += (1 + (double)g->people.a[j]) * (1 - s) * (1 - s) - s * s;
        }
        for (size_t k = 0; k < GK; k++) sum += l * (double)X[u * GK + k] * (double)X[u * GK + k];
    }
    for (size_t k = 0; k < GI * GK; k++) sum += l * (double)Y[k] * (double)Y[k];
    return sum;
}

/* Ten iterations from the file's start; X and Y are where they end. */
static double run_golden(const golden *g, float *X, float *Y, int steps)
{
    tdm_err err;
    struct tdm_run run = {.seed = 1};
    tdm_ials *w;
    double objective = 0;
    const tdm_ials_rules rules = {.K = GK, .unobserved = 1, .regularization = 0.01, .steps = steps};
    memcpy(X, g->X, GU * GK * sizeof *X);
    memcpy(Y, g->Y, GI * GK * sizeof *Y);
    CHECK_OK(tdm_ials_open(&w, &rules, &g->people, &g->items, X, Y, &run, &err), err);
    for (int t = 0; t < 10; t++) CHECK_OK(tdm_ials_step(w, &objective, &err), err);
    tdm_ials_close(w);
    return objective;
}

static void conjugate_gradient_gets_as_low_as_implicit(void **state)
{
    (void)state;
    golden g = golden_open();
    float X[GU * GK], Y[GI * GK];
    double said = run_golden(&g, X, Y, 3), is = objective_of(&g, X, Y, 0.01);
    print_message("objective %.5f where numpy's has %.5f\n", is, g.objective[0]);
    CHECK(is <= g.objective[0] * (1 + 1e-6)); /* 1e-6: both round in single precision for ten iterations */
    CHECK(fabs(said - is) <= 1e-6 * is);
    tdm_safetensors_close(g.file);
}

static void exact_solves_equal_numpys(void **state)
{
    (void)state;
    golden g = golden_open();
    float X[GU * GK], Y[GI * GK], largest = 0, apart = 0;
    double said = run_golden(&g, X, Y, 0), is = objective_of(&g, X, Y, 0.01);
    CHECK(fabs(is - g.objective[1]) <= 1e-6 * is && fabs(said - is) <= 1e-6 * is);
    for (size_t u = 0; u < GU; u++)
        for (size_t i = 0; i < GI; i++) {
            float s = 0, want = g.scores[u * GI + i];
            for (size_t k = 0; k < GK; k++) s += X[u * GK + k] * Y[i * GK + k];
            largest = fmaxf(largest, fabsf(want));
            apart = fmaxf(apart, fabsf(s - want));
        }
    print_message("largest difference %.1e of %.3f\n", (double)apart, (double)largest);
    CHECK(apart <= 1e-4f * largest);
    tdm_safetensors_close(g.file);
}

/* ---- its own definition ---- */

enum { MOST = 160 };

/* x = A^-1 b in double, by elimination with the largest pivot. */
static void solve_plainly(double *A, double *b, size_t K)
{
    for (size_t c = 0; c < K; c++) {
        size_t p = c;
        for (size_t r = c + 1; r < K; r++)
            if (fabs(A[r * K + c]) > fabs(A[p * K + c])) p = r;
        for (size_t k = 0; k < K; k++) {
            double t = A[c * K + k];
            A[c * K + k] = A[p * K + k], A[p * K + k] = t;
        }
        double t = b[c];
        b[c] = b[p], b[p] = t;
        for (size_t r = c + 1; r < K; r++) {
            double f = A[r * K + c] / A[c * K + c];
            for (size_t k = c; k < K; k++) A[r * K + k] -= f * A[c * K + k];
            b[r] -= f * b[c];
        }
    }
    for (size_t c = K; c-- > 0;) {
        for (size_t k = c + 1; k < K; k++) b[c] -= A[c * K + k] * b[k];
        b[c] /= A[c * K + c];
    }
}

/* What the last item of a history adds to a score: c y_i' A^-1 y_j, here with A in double. The newest
 * counts whole whatever the decay, so `a` is its weight. */
static void shares_are(const tdm_model *m, const tdm_history *h, const float *Y, size_t K, const double *B, double a,
                       double w0, const float *scores)
{
    static double A[MOST * MOST], v[MOST];
    tdm_err err;
    for (uint32_t i = 0; i < 120; i += 17) {
        tdm_evidence e;
        uint32_t j = h->items[h->n - 1];
        double part = 0, share = 0;
        if (!(scores[i] > 0.02f)) continue; /* shares of next to nothing are next to anything */
        memcpy(A, B, sizeof A);
        for (size_t k = 0; k < K; k++) v[k] = (double)Y[i * K + k];
        solve_plainly(A, v, K);
        for (size_t k = 0; k < K; k++) part += (a + w0) * v[k] * (double)Y[j * K + k];
        CHECK_OK(m->ops->because(m, &e, h, i, &err), err);
        bool listed = false;
        for (size_t b = 0; b < e.n_because; b++)
            if (e.because[b].item == j) share = (double)e.because[b].share, listed = true;
        if (listed) CHECK(fabs(share * (double)scores[i] - part) <= 1e-4 * fmax(fabs(part), (double)scores[i]));
        else CHECK(e.n_because == TDM_EVIDENCE_ITEMS && part <= (double)(e.because[7].share * scores[i]) + 1e-5);
    }
}

/* The scores of a history from nothing but the model's item vectors: w0 Y'Y is made from them, not from what is saved.
 */
static void a_fold_in_is_the_least_squares_solution(void **state)
{
    (void)state;
    tdm_err err;
    const char *settings[] = {
        "factors=16 unobserved=0.1 history_decay=1 iterations=4 regularization=0.01 by_rating=1 power=0.5",
        "factors=48 unobserved=1 history_decay=0.9 iterations=4 regularization=0.01 alpha=3 power=0",
        "factors=160 unobserved=0.01 history_decay=1 iterations=4 regularization=0.01 conjugate=1 power=1"};
    const double w0[] = {0.1, 1, 0.01}, decay[] = {1, 0.9, 1}, alpha[] = {1, 3, 1}, power[] = {0.5, 0, 1};
    toy *t = toy_drawn(300, 120, 21);
    static double A[MOST * MOST], B[MOST * MOST], b[MOST];
    float scores[120];
    for (size_t c = 0; c < 3; c++) {
        tdm_model *m = toy_fit(&tdm_ials_ops, t, settings[c], 2);
        const float *Y;
        size_t K;
        CHECK_OK(m->ops->vectors(m, &Y, &K, &err), err);
        for (size_t n = 1; n <= 100; n += 33) { /* shorter and longer than K */
            uint32_t items[100];
            float ratings[100];
            tdm_rng r = tdm_rng_make(9, c, n);
            for (size_t j = 0; j < n; j++) {
                items[j] = (uint32_t)(j * 7 % 120);
                ratings[j] = (float)(1 + tdm_rng_below(&r, 5));
            }
            tdm_history h = {.items = items, .ratings = ratings, .n = n, .now = TDM_NO_TIME, .self = TDM_NONE};
            CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
            memset(A, 0, sizeof A);
            memset(b, 0, sizeof b);
            for (size_t i = 0; i < 120; i++)
                for (size_t p = 0; p < K; p++)
                    for (size_t q = 0; q < K; q++) A[p * K + q] += w0[c] * (double)Y[i * K + p] * (double)Y[i * K + q];
            for (size_t k = 0; k < K; k++) A[k * K + k] += 0.01 * pow((double)n + w0[c] * 120, power[c]);
            for (size_t j = 0; j < n; j++) {
                const float *y = Y + items[j] * K;
                double a = alpha[c] * (c == 0 ? (double)ratings[j] : 1) * pow(decay[c], (double)(n - 1 - j));
                for (size_t p = 0; p < K; p++) {
                    b[p] += (a + w0[c]) * (double)y[p];
                    for (size_t q = 0; q < K; q++) A[p * K + q] += a * (double)y[p] * (double)y[q];
                }
            }
            memcpy(B, A, sizeof B);
            solve_plainly(A, b, K);
            double largest = 0, apart = 0;
            for (size_t i = 0; i < 120; i++) {
                double s = 0;
                for (size_t k = 0; k < K; k++) s += b[k] * (double)Y[i * K + k];
                largest = fmax(largest, fabs(s));
                apart = fmax(apart, fabs(s - (scores[i] == -INFINITY ? 0 : (double)scores[i])));
            }
            if (!(apart <= 1e-4 * largest)) fail_msg("%s, n %zu: %g of %g", settings[c], n, apart, largest);
            shares_are(m, &h, Y, K, B, alpha[c] * (c == 0 ? (double)ratings[n - 1] : 1), w0[c], scores);
        }
        tdm_model_close(m);
    }
    tdm_free(t);
}

/* Each half of an iteration minimises, so nothing may rise; descent from the last iteration's rows may not either. */
typedef struct falling {
    double last;
    size_t n;
} falling;

static void note_fall(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    falling *f = ctx;
    double is;
    (void)stage, (void)done, (void)total;
    assert_int_equal(sscanf(note, "objective %lf", &is), 1);
    if (f->n++) CHECK(is <= f->last * (1 + 1e-5));
    f->last = is;
}

static void the_objective_falls(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(300, 120, 22);
    for (int conjugate = 0; conjugate < 2; conjugate++) {
        tdm_params p = tdm_params_standard(tdm_ials_ops.params);
        falling f = {0};
        struct tdm_run run = {.seed = 1, .progress = note_fall, .ctx = &f};
        CHECK_OK(tdm_params_set(&p, "ials", "conjugate", conjugate, &err), err);
        CHECK_OK(tdm_params_set(&p, "ials", "iterations", 12, &err), err);
        tdm_fit_input in = {.train = &t->d, .params = &p, .run = &run};
        tdm_model *m;
        CHECK_OK(tdm_ials_ops.fit(&m, &in, &err), err);
        assert_int_equal(f.n, 12);
        tdm_model_close(m);
    }
    tdm_free(t);
}

/* ---- stopping early ---- */

static tdm_status rises_then_falls(void *ctx, double *value, const tdm_model *m, tdm_err *err)
{
    static const double said[] = {0.1, 0.2, 0.4, 0.3, 0.4, 0.2, 0.9};
    (void)m, (void)err;
    *value = said[(*(size_t *)ctx)++];
    return TDM_OK;
}

static void the_best_iteration_is_kept(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(100, 60, 23);
    size_t asked = 0;
    tdm_judge judge = {rises_then_falls, &asked};
    tdm_params p = tdm_params_standard(tdm_ials_ops.params);
    struct tdm_run run = {.seed = 1};
    tdm_fit_input in = {.train = &t->d, .params = &p, .judge = &judge, .run = &run};
    tdm_model *m, *three = toy_fit(&tdm_ials_ops, t, "iterations=3", 1);
    CHECK_OK(tdm_ials_ops.fit(&m, &in, &err), err);
    assert_int_equal(asked, 6); /* the third is best, patience is 3, the seventh is never asked */
    const float *a, *b;
    size_t K;
    CHECK_OK(m->ops->vectors(m, &a, &K, &err), err);
    CHECK_OK(m->ops->vectors(three, &b, &K, &err), err);
    CHECK(!memcmp(a, b, 60 * K * sizeof *a));
    tdm_model_close(m);
    tdm_model_close(three);
    tdm_free(t);
}

static void what_nobody_chose_has_no_place(void **state)
{
    (void)state;
    tdm_err err;
    for (int conjugate = 0; conjugate < 2; conjugate++) {
        toy *t = toy_of("a b | a b | c a", 5);
        tdm_model *m = toy_fit(&tdm_ials_ops, t, conjugate ? "conjugate=1" : "", 1);
        tdm_history h = {.items = (const uint32_t[]){0, 9}, .n = 2, .self = TDM_NONE}; /* 9: never heard of */
        float s[5];
        CHECK_OK(m->ops->score(m, s, &h, 1, &err), err);
        CHECK(s[1] > s[2] && s[2] > 0 && s[3] == -INFINITY && s[4] == -INFINITY);
        h.n = 0;
        CHECK_OK(m->ops->score(m, s, &h, 1, &err), err);
        for (int i = 0; i < 5; i++) CHECK(s[i] == -INFINITY);
        tdm_model_close(m);
        tdm_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conjugate_gradient_gets_as_low_as_implicit),
        cmocka_unit_test(exact_solves_equal_numpys),
        cmocka_unit_test(a_fold_in_is_the_least_squares_solution),
        cmocka_unit_test(the_objective_falls),
        cmocka_unit_test(the_best_iteration_is_kept),
        cmocka_unit_test(what_nobody_chose_has_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
