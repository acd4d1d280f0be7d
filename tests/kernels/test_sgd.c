/* SPDX-License-Identifier: Apache-2.0 */
/* test_sgd.c - gradient descent on ratings, on every table this machine can run, against the formula in double. */
#include "check.h"

#include "base/rng.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { ROWS = 12, WIDEST = 144, MOST = 60 };
typedef struct world {
    float P[ROWS * WIDEST], Q[ROWS * WIDEST], C[ROWS * WIDEST], pull_p[ROWS], pull_q[ROWS], open[2 * TDM_PAD];
    double p[ROWS * WIDEST], q[ROWS * WIDEST];
    tdm_sgd_rating rating[MOST];
} world;
static world w;
static const float rate = 0.05f;

static void draw(size_t K, uint64_t seed)
{
    tdm_rng r = tdm_rng_make(5, K, seed);
    for (size_t k = 0; k < ROWS * K; k++) {
        w.p[k] = (double)(w.P[k] = (float)(0.3 * tdm_rng_normal(&r)));
        w.q[k] = (double)(w.Q[k] = (float)(0.3 * tdm_rng_normal(&r)));
        w.C[k] = (float)(0.1 * tdm_rng_normal(&r));
    }
    for (size_t k = 0; k < ROWS; k++) {
        w.pull_p[k] = 0.01f + 0.1f * (float)tdm_rng_unit(&r);
        w.pull_q[k] = 0.01f + 0.1f * (float)tdm_rng_unit(&r);
    }
    for (size_t k = 0; k < 2 * TDM_PAD; k++) w.open[k] = 1;
    w.open[TDM_PAD - 2] = w.open[2 * TDM_PAD - 1] = 0;
    for (size_t j = 0; j < MOST; j++) /* rows 0 come again and again, also at once */
        w.rating[j] = (tdm_sgd_rating){(uint16_t)(j % 3 ? tdm_rng_below(&r, ROWS) : 0),
                                       (uint16_t)(j % 5 ? tdm_rng_below(&r, ROWS) : 0), (float)tdm_rng_normal(&r)};
}

/* As kernels.h says it. */
static double expected(size_t K, size_t n, bool with)
{
    double square = 0;
    for (size_t j = 0; j < n; j++) {
        size_t a = w.rating[j].p, b = w.rating[j].q;
        double *p = w.p + a * K, *q = w.q + b * K, e = (double)w.rating[j].value;
        const float *c = w.C + a * K;
        for (size_t k = 0; k < K; k++) e -= (p[k] + (with ? (double)c[k] : 0)) * q[k];
        for (size_t k = 0; k < K; k++) {
            double v = p[k] + (with ? (double)c[k] : 0), was = p[k];
            if (k != K - 2) p[k] += (double)rate * (e * q[k] - (double)w.pull_p[a] * was);
            if (k != K - 1) q[k] += (double)rate * (e * v - (double)w.pull_q[b] * q[k]);
        }
        square += e * e;
    }
    return square;
}

static void steps_are_their_formula(void **state)
{
    (void)state;
    unsigned has = tdm_cpu_features();
    const unsigned ask[] = {0, TDM_CPU_AVX2, TDM_CPU_AVX2 | TDM_CPU_AVX512, TDM_CPU_NEON};
    const size_t width[] = {16, 32, 48, 64, 128, WIDEST}, counts[] = {0, 1, 2, 5, 17, MOST};
    for (size_t t = 0; t < sizeof ask / sizeof *ask; t++) {
        if ((ask[t] & has) != ask[t]) continue;
        tdm_kernels k;
        tdm_kernels_init(&k, ask[t]);
        for (size_t i = 0; i < 6 * 6 * 2; i++) {
            size_t K = width[i / 12], n = counts[i / 2 % 6];
            bool with = i % 2;
            draw(K, i);
            const tdm_sgd s = {w.P, w.Q, with ? w.C : NULL, w.pull_p, w.pull_q, w.open, K, rate};
            double square = k.sgd(&s, w.rating, n), is = expected(K, n, with);
            /* Numbers near 1 rounded some times a step, and steps that bring two runs nearer, not apart. */
            const double tolerance = 1e-6 * (1 + sqrt((double)n));
            CHECK(fabs(square - is) <= 20 * tolerance * (1 + is));
            for (size_t x = 0; x < ROWS * K; x++) {
                CHECK(fabs((double)w.P[x] - w.p[x]) <= tolerance);
                CHECK(fabs((double)w.Q[x] - w.q[x]) <= tolerance);
            }
            for (size_t x = 0; x < ROWS; x++) { /* what is held is not even rounded */
                CHECK((double)w.P[x * K + K - 2] == w.p[x * K + K - 2]);
                CHECK((double)w.Q[x * K + K - 1] == w.q[x * K + K - 1]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps_are_their_formula)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
