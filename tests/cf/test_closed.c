/* SPDX-License-Identifier: Apache-2.0 */
/* test_closed.c - the closed forms against what their papers define: matrices written out in full, in double. */
#include "check.h"

#include "base/mem.h"
#include "cf/linear.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { U = 300, I = 40, CUTS = 4000 };
#define EVERYTHING "k=100 "

typedef double square[I][I];

/* Gauss-Jordan without pivots, which a positive definite matrix does not need. */
static void invert(square a)
{
    for (size_t k = 0; k < I; k++) {
        double pivot = 1 / a[k][k];
        a[k][k] = 1;
        for (size_t j = 0; j < I; j++) a[k][j] *= pivot;
        for (size_t i = 0; i < I; i++) {
            if (i == k) continue;
            double x = a[i][k];
            a[i][k] = 0;
            for (size_t j = 0; j < I; j++) a[i][j] -= x * a[k][j];
        }
    }
}

/* out += x' y scaled, of `rows` rows. */
static void add_product(square out, double (*x)[I], double (*y)[I], size_t rows, double scale)
{
    for (size_t k = 0; k < rows; k++)
        for (size_t i = 0; i < I; i++)
            for (size_t j = 0; j < I; j++) out[i][j] += scale * x[k][i] * y[k][j];
}

/* A person's items, each once at its newest place. */
static size_t history_of(uint32_t *out, const toy *t, size_t u)
{
    size_t n = 0;
    for (int64_t k = t->offset[u]; k < t->offset[u + 1]; k++) {
        bool again = false;
        for (int64_t j = k + 1; j < t->offset[u + 1]; j++) again |= t->item[j] == t->item[k];
        if (!again) out[n++] = t->item[k];
    }
    return n;
}

static void ease_by_hand(square B, const toy *t, double lambda)
{
    static double X[U][I];
    static square P;
    uint32_t h[16];
    memset(X, 0, sizeof X);
    memset(P, 0, sizeof P);
    for (size_t u = 0; u < U; u++)
        for (size_t n = history_of(h, t, u); n-- > 0;) X[u][h[n]] = 1;
    add_product(P, X, X, U, 1);
    for (size_t i = 0; i < I; i++) P[i][i] += lambda;
    invert(P);
    for (size_t i = 0; i < I; i++)
        for (size_t j = 0; j < I; j++) B[i][j] = i == j ? 0 : -P[i][j] / P[j][j];
}

static void slist_by_hand(square B, const toy *t, double lambda, double whole, double past, double future)
{
    static double X[U][I], S[CUTS][I], T[CUTS][I];
    static square P, C;
    size_t cuts = 0;
    uint32_t h[16];
    memset(X, 0, sizeof X);
    memset(S, 0, sizeof S);
    memset(T, 0, sizeof T);
    memset(P, 0, sizeof P);
    memset(C, 0, sizeof C);
    for (size_t u = 0; u < U; u++) {
        size_t n = history_of(h, t, u);
        for (size_t p = 0; p < n; p++) X[u][h[p]] = 1;
        for (size_t cut = 1; cut < n; cut++, cuts++)
            for (size_t p = 0; p < n; p++)
                if (p < cut) S[cuts][h[p]] = pow(past, (double)(cut - 1 - p));
                else T[cuts][h[p]] = pow(future, (double)(p - cut));
    }
    add_product(C, X, X, U, whole);
    add_product(C, S, T, cuts, 1 - whole);
    add_product(P, X, X, U, whole);
    add_product(P, S, S, cuts, 1 - whole);
    for (size_t i = 0; i < I; i++) P[i][i] += lambda;
    invert(P);
    for (size_t i = 0; i < I; i++)
        for (size_t j = 0; j < I; j++) {
            double sum = 0;
            for (size_t k = 0; k < I; k++) sum += P[i][k] * C[k][j];
            B[i][j] = i == j ? 0 : sum;
        }
}

static double link(const tdm_model *m, uint32_t from, uint32_t to)
{
    return (double)tdm_links_at(&((const tdm_linear *)m)->links, from, to);
}

static void expect_links(const tdm_model_ops *ops, const toy *t, const char *settings, square want)
{
    tdm_model *m = toy_fit(ops, t, settings, 2);
    double most = 0, off = 0;
    for (uint32_t i = 0; i < I; i++)
        for (uint32_t j = 0; j < I; j++) {
            most = fmax(most, fabs(want[i][j]));
            off = fmax(off, fabs(link(m, i, j) - want[i][j]));
        }
    CHECK(most > 0.01);
    /* floats, and a matrix whose eigenvalues lie within a factor of a thousand: 1000 * 2^-24 is 6e-5 */
    if (!(off <= 1e-4 * most)) fail_msg("%s %s: off by %g, and the largest is %g", ops->name, settings, off, most);
    tdm_model_close(m);
}

static void ease_is_its_closed_form(void **state)
{
    (void)state;
    toy *t = toy_drawn(U, I, 21);
    static square B;
    ease_by_hand(B, t, 50);
    expect_links(&tdm_ease_ops, t, EVERYTHING "lambda=50", B);
    ease_by_hand(B, t, 3);
    expect_links(&tdm_ease_ops, t, EVERYTHING "lambda=3", B);
    tdm_free(t);
}

static void slist_is_its_closed_form(void **state)
{
    (void)state;
    const double set[][4] = {{10, 0.2, 0.7, 0.5}, {10, 0, 0.7, 0}, {3, 0.5, 1, 1}, {5, 1, 0.5, 0.5}, {5, 0, 0, 0.6}};
    toy *t = toy_drawn(U, I, 22);
    for (size_t k = 0; k < sizeof set / sizeof *set; k++) {
        static square B;
        char settings[200];
        snprintf(settings, sizeof settings, EVERYTHING "lambda=%g whole=%g past_decay=%g future_decay=%g", set[k][0],
                 set[k][1], set[k][2], set[k][3]);
        slist_by_hand(B, t, set[k][0], set[k][1], set[k][2], set[k][3]);
        expect_links(&tdm_slist_ops, t, settings, B);
    }
    tdm_free(t);
}

/* a is bought with b, and b with c: counting pairs, nothing links a and c; but nor do they repel each other only
 * because they never met. What EASE says beyond counting is that b explains: a and c are linked below zero. */
static void what_a_third_item_explains_is_taken_away(void **state)
{
    (void)state;
    tdm_err err;
    enum { A, B, C };
    toy *t = toy_of("a b | a b | a b | b c | b c | b c", 3);
    tdm_model *m = toy_fit(&tdm_ease_ops, t, "lambda=1", 1);
    float got[3];
    tdm_history h = {.items = &(uint32_t){A}, .n = 1, .self = TDM_NONE};
    CHECK_OK(m->ops->score(m, got, &h, 1, &err), err);
    CHECK(link(m, A, A) == 0 && link(m, A, B) > 0.5 && link(m, A, C) < 0);
    CHECK(got[B] > 0.5f && got[C] == -INFINITY); /* nothing speaks for c: no opinion */
    tdm_model_close(m);
    tdm_free(t);
}

/* ---- catalogues that are too large ---- */

static char said[4][300];
static size_t lines;
static void hear(void *ctx, tdm_log_level level, const char *stage, const char *message)
{
    (void)ctx, (void)level, (void)stage;
    if (lines < 4) snprintf(said[lines++], sizeof said[0], "%s", message);
}

/* Without the two rarest items the model is the one of a log that never had them. */
static void the_most_chosen_items_stay_and_it_is_said(void **state)
{
    (void)state;
    const tdm_model_ops *const both[] = {&tdm_ease_ops, &tdm_slist_ops};
    toy *full = toy_of("a b c | a b d | b c a e | e b c", 5), *less = toy_of("a b c | a b | b c a e | e b c", 5);
    for (size_t k = 0; k < 2; k++) {
        tdm_err err;
        float got[5], want[5];
        tdm_params p = tdm_params_standard(both[k]->params);
        CHECK_OK(tdm_params_set(&p, "test", "most_items", 4, &err), err);
        CHECK_OK(tdm_params_set(&p, "test", "form", 1, &err), err);
        struct tdm_run run = {.seed = 1, .log = hear};
        tdm_fit_input in = {.train = &full->d, .params = &p, .run = &run};
        tdm_model *m, *n = toy_fit(both[k], less, "", 1);
        tdm_history h = toy_history(less);
        lines = 0;
        CHECK_OK(both[k]->fit(&m, &in, &err), err);
        CHECK(lines == 2 && strstr(said[0], "taking the 4 most chosen") && strstr(said[1], "4 x 4"));
        CHECK_OK(m->ops->score(m, got, &h, 1, &err), err);
        CHECK_OK(n->ops->score(n, want, &h, 1, &err), err);
        CHECK(got[3] == -INFINITY);
        for (size_t i = 0; k == 0 && i < 5; i++) /* slist counts steps, which an item without a row takes too */
            CHECK(got[i] == want[i] || fabsf(got[i] - want[i]) < 1e-6f);
        tdm_model_close(m);
        tdm_model_close(n);
    }
    tdm_free(full);
    tdm_free(less);
}

static void the_strongest_links_stay_whatever_their_sign(void **state)
{
    (void)state;
    toy *t = toy_drawn(U, I, 23);
    static square B;
    ease_by_hand(B, t, 5);
    tdm_model *m = toy_fit(&tdm_ease_ops, t, "lambda=5 k=7", 1);
    size_t below = 0;
    for (uint32_t i = 0; i < I; i++) {
        double weakest = INFINITY, left = 0;
        size_t n = 0;
        for (uint32_t j = 0; j < I; j++) {
            double x = link(m, i, j), exact = fabs(B[i][j]);
            if (x < 0 || x > 0) n++, below += x < 0, weakest = fmin(weakest, exact);
            else left = fmax(left, exact);
        }
        CHECK(n == 7 && weakest > left - 1e-5); /* floats that are this near may change places */
    }
    CHECK(below > 0);
    tdm_model_close(m);
    tdm_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ease_is_its_closed_form),
        cmocka_unit_test(slist_is_its_closed_form),
        cmocka_unit_test(what_a_third_item_explains_is_taken_away),
        cmocka_unit_test(the_most_chosen_items_stay_and_it_is_said),
        cmocka_unit_test(the_strongest_links_stay_whatever_their_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
