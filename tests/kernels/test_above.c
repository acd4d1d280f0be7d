/* SPDX-License-Identifier: Apache-2.0 */
/* test_above.c - products of which few are wanted, on every table this machine can run, against plain C in double. */
#include "check.h"

#include "base/rng.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { MOST = 70, WIDEST = 144 };
static float Y[MOST * WIDEST], Z[WIDEST * TDM_WIDE], x[WIDEST], P[TDM_BLOCK * TDM_WIDE], p[MOST];
static uint64_t hit[TDM_BLOCK];

typedef void table_fn(const tdm_kernels *k, size_t n, size_t K);

static void with_every_table(table_fn *fn)
{
    const size_t rows[] = {0, 1, 3, 4, 7, 8, 9, 16, 31, MOST}, width[] = {16, 32, 48, 64, WIDEST};
    unsigned has = tdm_cpu_features();
    const unsigned ask[] = {0, TDM_CPU_AVX2, TDM_CPU_AVX2 | TDM_CPU_AVX512};
    for (size_t t = 0; t < 3; t++) {
        if ((ask[t] & has) != ask[t]) continue;
        tdm_kernels k;
        tdm_kernels_init(&k, ask[t]);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            for (size_t j = 0; j < sizeof width / sizeof *width; j++) {
                tdm_rng r = tdm_rng_make(4, rows[i], width[j]);
                for (size_t a = 0; a < MOST * WIDEST; a++) Y[a] = (float)tdm_rng_normal(&r);
                for (size_t a = 0; a < WIDEST * TDM_WIDE; a++) Z[a] = (float)tdm_rng_normal(&r);
                fn(&k, rows[i], width[j]);
            }
    }
}

static double product(size_t i, size_t c, size_t K, double *mass)
{
    double s = *mass = 0;
    for (size_t k = 0; k < K; k++) {
        s += (double)Y[i * K + k] * (double)Z[k * TDM_WIDE + c];
        *mass += fabs((double)Y[i * K + k] * (double)Z[k * TDM_WIDE + c]);
    }
    return s;
}

/* K additions and products of any order: their rounding, and no more. */
static bool near(double got, double want, double mass, size_t K)
{
    double nu = (double)K * 0x1p-24;
    return fabs(got - want) <= nu / (1 - nu) * mass;
}

/* Walks over all blocks; every product that is found is right, above its bar, and none above is missed. */
static void finds_all_that_pass(const tdm_kernels *k, size_t n, size_t K)
{
    float least[TDM_WIDE];
    const float bars[] = {-INFINITY, 0, 5, INFINITY, NAN};
    for (size_t c = 0; c < TDM_WIDE; c++) least[c] = bars[c % 5];
    size_t rows, at = 0;
    uint64_t found[MOST] = {0};
    memset(P, 0xff, sizeof P);
    while (at < n) {
        size_t more = k->above(P, hit, &rows, Y + at * K, n - at, K, Z, least);
        CHECK(more <= n - at);
        at += more;
        if (at == n) break;
        CHECK(rows >= 1 && rows <= TDM_BLOCK && at + rows <= n);
        uint64_t any = 0;
        for (size_t r = 0; r < rows; r++) {
            any |= found[at + r] = hit[r];
            for (size_t c = 0; c < TDM_WIDE; c++) {
                double mass, want = product(at + r, c, K, &mass);
                if (!(hit[r] >> c & 1)) continue;
                CHECK(P[r * TDM_WIDE + c] > least[c] && near((double)P[r * TDM_WIDE + c], want, mass, K));
            }
        }
        CHECK(any); /* it stops only where something passes */
        at += rows;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < TDM_WIDE; c++) {
            double mass, want = product(i, c, K, &mass);
            bool passes = want > (double)least[c];
            if (c % 5 < 3 && near((double)least[c], want, mass, K)) continue; /* rounding decides */
            CHECK((found[i] >> c & 1) == passes);
            CHECK(found[i] >> TDM_WIDE == 0);
        }
}

static void above_finds_all_that_pass(void **state)
{
    (void)state;
    with_every_table(finds_all_that_pass);
}

/* The same bits whether one person is asked about or TDM_WIDE, and whatever n is. */
static void alone_and_together(const tdm_kernels *k, size_t n, size_t K)
{
    float least[TDM_WIDE];
    size_t rows, at = 0;
    for (size_t c = 0; c < TDM_WIDE; c++) least[c] = -INFINITY;
    for (size_t c = 0; c < TDM_WIDE; c += 13, at = 0) {
        for (size_t i = 0; i < K; i++) x[i] = Z[i * TDM_WIDE + c];
        k->products(p, Y, n, K, x);
        for (size_t i = 0; i < n; i++) {
            double mass, want = product(i, c, K, &mass);
            CHECK(near((double)p[i], want, mass, K));
        }
        for (; at < n; at += rows) {
            CHECK(k->above(P, hit, &rows, Y + at * K, n - at, K, Z, least) == 0);
            for (size_t r = 0; r < rows; r++) CHECK(!memcmp(&P[r * TDM_WIDE + c], &p[at + r], sizeof *p));
        }
    }
}

static void a_product_is_the_same_alone(void **state)
{
    (void)state;
    with_every_table(alone_and_together);
}

static void not_a_number_passes_no_bar(const tdm_kernels *k, size_t n, size_t K)
{
    float least[TDM_WIDE];
    size_t rows;
    for (size_t c = 0; c < TDM_WIDE; c++) least[c] = -INFINITY;
    for (size_t i = 0; i < n; i++) Y[i * K + K - 1] = NAN;
    CHECK(k->above(P, hit, &rows, Y, n, K, Z, least) == n);
}

static void nan_is_above_nothing(void **state)
{
    (void)state;
    with_every_table(not_a_number_passes_no_bar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(above_finds_all_that_pass),
        cmocka_unit_test(a_product_is_the_same_alone),
        cmocka_unit_test(nan_is_above_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
