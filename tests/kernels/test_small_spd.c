/* SPDX-License-Identifier: Apache-2.0 */
/* test_small_spd.c - gathered rows and small systems on every table this machine can run, against plain C in double. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "kernels/small_spd.h"

#include <math.h>
#include <string.h>

#define U 0x1p-24
enum { MOST = 400, WIDEST = 160, ROWS_OF_Y = 50 };

static double gamma_of(size_t n) { return (double)n * U / (1 - (double)n * U); }

static float Y[ROWS_OF_Y * WIDEST], X[MOST * WIDEST], A[WIDEST * WIDEST], B[WIDEST * WIDEST], w[MOST + 16],
    c[MOST + 16];
static uint32_t at[MOST];

static void draw(float *x, size_t n, tdm_rng *r)
{
    for (size_t i = 0; i < n; i++) x[i] = (float)tdm_rng_normal(r);
}

typedef void table_fn(const tdm_kernels *k, size_t K, size_t n);

static void with_every_table(table_fn *fn)
{
    const size_t width[] = {16, 32, 48, 64, 96, 112, 128, 160}, rows[] = {0, 1, 3, 8, 15, 16, 17, 40, 65, 130, 399};
    unsigned has = tdm_cpu_features();
    const unsigned ask[] = {0, TDM_CPU_AVX2, TDM_CPU_AVX2 | TDM_CPU_AVX512, TDM_CPU_NEON};
    for (size_t t = 0; t < sizeof ask / sizeof *ask; t++) {
        if ((ask[t] & has) != ask[t]) continue;
        tdm_kernels k;
        tdm_kernels_init(&k, ask[t]);
        for (size_t i = 0; i < sizeof width / sizeof *width; i++)
            for (size_t j = 0; j < sizeof rows / sizeof *rows; j++) {
                tdm_rng r = tdm_rng_make(1, width[i], rows[j]);
                draw(Y, ROWS_OF_Y * WIDEST, &r);
                for (size_t m = 0; m < MOST; m++) {
                    at[m] = (uint32_t)tdm_rng_below(&r, ROWS_OF_Y);
                    w[m] = 0.5f + (float)tdm_rng_unit(&r);
                    c[m] = 0.5f + (float)tdm_rng_unit(&r);
                }
                fn(&k, width[i], rows[j]);
            }
    }
}

static void gathers(const tdm_kernels *k, size_t K, size_t n)
{
    static float Z[WIDEST * (MOST + 16)];
    float d[WIDEST];
    tdm_rng r = tdm_rng_make(2, K, n);
    draw(d, K, &r);
    k->gather(X, Y, K, at, w, n);
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < K; i++) CHECK(X[j * K + i] == w[j] * Y[at[j] * K + i]);
    k->gather(X, Y, K, at, NULL, n);
    for (size_t j = 0; j < n; j++) CHECK(!memcmp(X + j * K, Y + at[j] * K, K * sizeof *X));
    size_t wide = tdm_padded(n);
    for (size_t i = 0; i < K * wide; i++) Z[i] = NAN;
    k->gather_across(Z, wide, Y, K, at, w, d, n);
    for (size_t i = 0; i < K; i++)
        for (size_t j = 0; j < wide; j++) CHECK(Z[i * wide + j] == (j < n ? w[j] * (d[i] * Y[at[j] * K + i]) : 0));
}

static void rows_are_gathered_both_ways(void **state)
{
    (void)state;
    with_every_table(gathers);
}

/* A sum of n products, and the addition to A: each rounded once more at most. */
static void grams(const tdm_kernels *k, size_t K, size_t n)
{
    k->gather(X, Y, K, at, w, n);
    for (int sign = -1; sign <= 1; sign += 2) {
        for (size_t i = 0; i < K * K; i++) A[i] = 3;
        k->gram(A, K, X, K, n, K, (float)sign);
        for (size_t i = 0; i < K; i++)
            for (size_t j = i; j < K; j++) {
                double s = 0, mass = 3;
                for (size_t m = 0; m < n; m++) {
                    double p = (double)X[m * K + i] * (double)X[m * K + j];
                    s += p;
                    mass += fabs(p);
                }
                CHECK(fabs((double)A[i * K + j] - (3 + sign * s)) <= gamma_of(n + 2) * mass);
            }
    }
}

static void gram_is_a_sum_of_products(void **state)
{
    (void)state;
    with_every_table(grams);
}

/* r has K numbers; each dot is within gamma(K) of its mass, and n of them are added up. */
static void pulls(const tdm_kernels *k, size_t K, size_t n)
{
    float p[WIDEST], r[WIDEST], again[WIDEST];
    double exact[WIDEST], mass[WIDEST];
    tdm_rng g = tdm_rng_make(3, K, n);
    draw(p, K, &g);
    k->gather(X, Y, K, at, NULL, n);
    for (int without = 0; without < 2; without++) {
        double told = 0, told_mass = 0;
        for (size_t i = 0; i < K; i++) r[i] = again[i] = 1, exact[i] = mass[i] = 1;
        for (size_t j = 0; j < n; j++) {
            double s = 0, m = 0;
            for (size_t i = 0; i < K; i++) {
                s += (double)X[j * K + i] * (double)p[i];
                m += fabs((double)X[j * K + i] * (double)p[i]);
            }
            double e = without ? 0 : (double)c[j];
            told += e * s, told_mass += e * m;
            for (size_t i = 0; i < K; i++) {
                exact[i] += (e - (double)w[j] * s) * (double)X[j * K + i];
                mass[i] += (e + (double)w[j] * m) * fabs((double)X[j * K + i]);
            }
        }
        double said = k->pull(r, X, K, w, without ? NULL : c, p, n);
        CHECK(fabs(said - told) <= gamma_of(K + 2) * told_mass);
        memset(X, 0, n * K * sizeof *X);
        said =
            k->gather_pull(X, again, Y, K, at, w, without ? NULL : c, p, n); /* the same, added up in another order */
        CHECK(fabs(said - told) <= gamma_of(K + 2) * told_mass);
        for (size_t j = 0; j < n; j++) CHECK(!memcmp(X + j * K, Y + at[j] * K, K * sizeof *X));
        for (size_t i = 0; i < K; i++) {
            CHECK(fabs((double)r[i] - exact[i]) <= gamma_of(K + n + 4) * mass[i]);
            CHECK(fabs((double)again[i] - exact[i]) <= gamma_of(K + n + 4) * mass[i]);
        }
    }
}

static void pull_is_a_residual(void **state)
{
    (void)state;
    with_every_table(pulls);
}

/* |U'U - A| <= gamma(n + 1) |U'| |U| and the solution's residual within gamma(3 n + 1) of the same (Higham 2002,
 * theorems 10.3 and 10.4); n is a number of rows here, not padded. */
static void factors(const tdm_kernels *k, size_t K, size_t n)
{
    if (n == 0 || n > K) return;
    float b[WIDEST], was[WIDEST], x[WIDEST];
    static double full[WIDEST * WIDEST];
    memset(full, 0, sizeof full);
    for (size_t i = 0; i < K * K; i++) A[i] = NAN; /* what lies outside must not matter */
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++) {
            double s = i == j ? 0.1 : 0;
            for (size_t m = 0; m < ROWS_OF_Y; m++) s += (double)Y[m * WIDEST + i] * (double)Y[m * WIDEST + j];
            A[i * K + j] = (float)s;
            full[i * WIDEST + j] = full[j * WIDEST + i] = (double)A[i * K + j];
        }
    memcpy(B, A, sizeof B);
    CHECK(k->spd_factor(A, K, n));
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++) {
            double s = 0, mass = 0;
            for (size_t m = 0; m <= i; m++) {
                double p = m == i ? 1 / (double)A[m * K + m] : (double)A[m * K + i];
                double q = m == j ? 1 / (double)A[m * K + m] : (double)A[m * K + j];
                s += p * q, mass += fabs(p * q);
            }
            CHECK(fabs(s - full[i * WIDEST + j]) <= gamma_of(n + 6) * mass);
        }
    tdm_rng r = tdm_rng_make(4, K, n);
    draw(b, n, &r);
    memcpy(was, b, sizeof b);
    k->spd_solve(x, b, A, K, n);
    for (size_t i = 0; i < n; i++) {
        double s = 0, mass = 0;
        for (size_t j = 0; j < n; j++) {
            double m = 0;
            for (size_t t = 0; t <= i && t <= j; t++) {
                double p = t == i ? 1 / (double)A[t * K + t] : (double)A[t * K + i];
                double q = t == j ? 1 / (double)A[t * K + t] : (double)A[t * K + j];
                m += fabs(p * q);
            }
            s += full[i * WIDEST + j] * (double)x[j];
            mass += m * fabs((double)x[j]);
        }
        CHECK(fabs(s - (double)was[i]) <= gamma_of(3 * n + 10) * mass);
    }
    memcpy(A, B, sizeof A);
    A[(n - 1) * K + n - 1] = -1;
    CHECK(!k->spd_factor(A, K, n));
    A[0] = NAN;
    CHECK(!k->spd_factor(A, K, n));
}

static void cholesky_holds_its_bound_and_refuses_the_rest(void **state)
{
    (void)state;
    with_every_table(factors);
}

/* Both ways of solving, and descent carried to its end, give the minimum: the gradient there is nothing beside what it
 * is made of. Condition numbers here are some hundreds, so 1e-3 of 2^-24 n is far above rounding and far below any
 * mistake. */
static void solves(const tdm_kernels *k, size_t K, size_t n)
{
    float d[WIDEST], x[WIDEST], y[WIDEST] = {0};
    tdm_rng r = tdm_rng_make(5, K, n);
    for (size_t i = 0; i < K; i++) d[i] = 1 + (float)tdm_rng_unit(&r);
    float *scratch = tdm_new(tdm_small_spd_scratch(K), sizeof *scratch);
    static float packed[ROWS_OF_Y * WIDEST];
    memcpy(packed, Y, ROWS_OF_Y * K * sizeof *packed);
    assert_non_null(scratch);
    const tdm_small_spd s = {k, packed, K, d, 0, scratch};
    double fit, again, bx = 0, size = 0;
    CHECK(tdm_small_spd_solve(&s, x, &fit, at, w, c, n));
    for (size_t i = 0; i < K; i++) {
        double g = (double)d[i] * (double)x[i], mass = fabs(g);
        for (size_t j = 0; j < n; j++) {
            double dot = 0;
            for (size_t m = 0; m < K; m++) dot += (double)packed[at[j] * K + m] * (double)x[m];
            double e = ((double)w[j] * dot - (double)c[j]) * (double)packed[at[j] * K + i];
            g += e;
            mass += fabs((double)c[j] * (double)packed[at[j] * K + i]);
            if (!i) bx += (double)c[j] * dot, size += fabs((double)c[j] * dot);
        }
        CHECK(fabs(g) <= 1e-4 * mass);
    }
    CHECK(fabs(fit - bx) <= 1e-4 * size);
    tdm_small_spd_descend(&s, y, &again, at, w, c, n, 200);
    double largest = 1e-6;
    for (size_t i = 0; i < K; i++)
        if (fabs((double)x[i]) > largest)
            largest = fabs((double)x[i]); /* gcc 12.2 for ARM breaks down over fmax() here */
    for (size_t i = 0; i < K; i++) CHECK(fabs((double)x[i] - (double)y[i]) <= 2e-3 * largest);
    CHECK(fabs(again - bx) <= 1e-4 * size);
    if (n) { /* factored and asked again: the same x from the same right side */
        float b[WIDEST] = {0};
        for (size_t j = 0; j < n; j++)
            for (size_t i = 0; i < K; i++) b[i] += c[j] * packed[at[j] * K + i];
        CHECK(tdm_small_spd_factor(&s, at, w, n));
        tdm_small_spd_again(&s, y, b);
        for (size_t i = 0; i < K; i++) CHECK(fabs((double)x[i] - (double)y[i]) <= 2e-3 * largest);
    }
    tdm_free(scratch);
}

static void both_ways_of_solving_reach_the_minimum(void **state)
{
    (void)state;
    with_every_table(solves);
}

static void eigenvectors_make_the_matrix_again(void **state)
{
    (void)state;
    static double V[90 * 90], M[90 * 90];
    double value[90], off[90];
    for (size_t n = 1; n <= 90; n += n < 8 ? 1 : 27) {
        tdm_rng r = tdm_rng_make(6, n, 0);
        double size = 0;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++) {
                M[i * n + j] = M[j * n + i] = i % 3 == 2 && j != i ? 0 : tdm_rng_normal(&r);
                size += fabs(M[i * n + j]);
            }
        memcpy(V, M, n * n * sizeof *V);
        CHECK(tdm_small_eigen(value, V, off, n));
        for (size_t i = 0; i < n; i++) {
            CHECK(i == 0 || value[i] >= value[i - 1]);
            for (size_t j = 0; j < n; j++) {
                double s = 0, one = 0;
                for (size_t e = 0; e < n; e++) {
                    s += V[e * n + i] * value[e] * V[e * n + j];
                    one += V[i * n + e] * V[j * n + e];
                }
                CHECK(fabs(s - M[i * n + j]) <= 1e-13 * size); /* some hundred roundings of doubles */
                CHECK(fabs(one - (i == j)) <= 1e-13 * (double)n);
            }
        }
    }
    V[0] = NAN;
    V[1] = V[2] = V[3] = 1;
    (void)tdm_small_eigen(value, V, off, 2); /* whatever it says, it ends */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_gathered_both_ways),
        cmocka_unit_test(gram_is_a_sum_of_products),
        cmocka_unit_test(pull_is_a_residual),
        cmocka_unit_test(cholesky_holds_its_bound_and_refuses_the_rest),
        cmocka_unit_test(both_ways_of_solving_reach_the_minimum),
        cmocka_unit_test(eigenvectors_make_the_matrix_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
