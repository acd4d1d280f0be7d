/* SPDX-License-Identifier: Apache-2.0 */
/* test_packed.c - few rows against packed weights: every table against plain C, and that against the product itself. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "kernels/packed.h"

#include <math.h>
#include <string.h>

enum { MOST = 200, ROWS = 13 };
static float x[ROWS * MOST], w[MOST * MOST], y[ROWS * TDM_PANEL], want[ROWS * TDM_PANEL];

static void draw(float *out, size_t n, uint64_t seed)
{
    tdm_rng r = tdm_rng_make(seed, 1, 2);
    for (size_t i = 0; i < n; i++) out[i] = (float)tdm_rng_normal(&r);
}

/* Sums run in one order in every table, so they agree to the last bit. */
static void tables_agree(void **state)
{
    (void)state;
    const unsigned ask[] = {TDM_CPU_AVX2, TDM_CPU_AVX2 | TDM_CPU_AVX512, TDM_CPU_AVX2 | TDM_CPU_AVX512 | TDM_CPU_VNNI,
                            TDM_CPU_NEON};
    tdm_kernels plain, k;
    tdm_kernels_init(&plain, 0);
    draw(x, ROWS * MOST, 3);
    draw(w, MOST * MOST, 4);
    tdm_err err;
    for (size_t t = 0; t < 4; t++) {
        if ((ask[t] & tdm_cpu_features()) != ask[t]) continue;
        tdm_kernels_init(&k, ask[t]);
        for (size_t n = 0; n <= ROWS; n++) {
            const size_t in[] = {1, 7, 64, MOST - 8};
            for (size_t i = 0; i < 4; i++) {
                tdm_packed p;
                tdm_row_i8 q;
                plain.few_f32(want, TDM_PANEL, x, MOST, n, w, MOST, in[i]);
                k.few_f32(y, TDM_PANEL, x, MOST, n, w, MOST, in[i]);
                assert_memory_equal(y, want, n * TDM_PANEL * sizeof *y);
                for (size_t columns = 1; in[i] % TDM_PAD == 0 && columns <= TDM_PANEL; columns += 7) {
                    plain.few_across(want, TDM_PANEL, x, MOST, n, w, columns, in[i]);
                    memcpy(y, want, sizeof y); /* what lies beyond the columns stays */
                    for (size_t r = 0; r < n; r++) memset(y + r * TDM_PANEL, 0, columns * sizeof *y);
                    k.few_across(y, TDM_PANEL, x, MOST, n, w, columns, in[i]);
                    assert_memory_equal(y, want, sizeof y);
                }
                CHECK_OK(tdm_packed_make(&p, TDM_WEIGHTS_BF16, w, in[i], TDM_PANEL, false, NULL, &err), err);
                plain.few_bf16(want, TDM_PANEL, x, MOST, n, p.panels, in[i]);
                k.few_bf16(y, TDM_PANEL, x, MOST, n, p.panels, in[i]);
                assert_memory_equal(y, want, n * TDM_PANEL * sizeof *y);
                tdm_packed_clear(&p);
                CHECK_OK(tdm_packed_make(&p, TDM_WEIGHTS_I8, w, in[i], TDM_PANEL, false, NULL, &err), err);
                CHECK_OK(tdm_rows_i8_make(&q, ROWS, in[i], &err), err);
                tdm_rows_i8_take(&q, x, n, in[i]);
                plain.few_i8(want, TDM_PANEL, &q, n, p.panels);
                k.few_i8(y, TDM_PANEL, &q, n, p.panels);
                assert_memory_equal(y, want, n * TDM_PANEL * sizeof *y);
                tdm_packed_clear(&p);
                tdm_free(q.q);
            }
        }
    }
}

static void product_is(tdm_weights kind, size_t in, size_t out, size_t n, bool across, double share)
{
    tdm_err err;
    tdm_packed p;
    tdm_row_i8 q = {0};
    float *bias = x + ROWS * MOST - out, *got = tdm_new(n, out * sizeof *got), *alone = tdm_new(out, sizeof *alone);
    CHECK_OK(tdm_packed_make(&p, kind, w, in, out, across, NULL, &err), err);
    CHECK_OK(tdm_rows_i8_make(&q, n, in, &err), err);
    tdm_rows_i8_take(&q, x, n, in);
    tdm_packed_product(got, x, &q, n, &p, bias, 0, tdm_panels(out));
    for (size_t r = 0; r < n; r++) {
        for (size_t c = 0; c < out; c++) {
            double sum = (double)bias[c], mass = 0;
            for (size_t k = 0; k < in; k++) {
                double term = (double)x[r * in + k] * (double)(across ? w[c * in + k] : w[k * out + c]);
                sum += term;
                mass += term * term;
            }
            if (!(fabs((double)got[r * out + c] - sum) <= share * sqrt(mass) + 1e-5))
                fail_msg("kind %d, %zu x %zu: %g for %g", (int)kind, in, out, (double)got[r * out + c], sum);
        }
        tdm_rows_i8_take(&q, x + r * in, 1, in); /* a row alone has the same bits as in a batch */
        tdm_packed_product(alone, x + r * in, &q, 1, &p, bias, 0, tdm_panels(out));
        assert_memory_equal(alone, got + r * out, out * sizeof *alone);
    }
    tdm_packed_clear(&p);
    tdm_free(q.q);
    tdm_free(got);
    tdm_free(alone);
}

/* Rounding a number moves it by 2^-9 of itself at most (bf16), or 1/254 of the largest of its column or group (int8),
 * each an independent error of a term: five deviations of their sum are asked for, with normal numbers of which the
 * largest of 64 is about 2.5 and of 200 about 3. */
static void products_are_those_of_the_weights(void **state)
{
    (void)state;
    const size_t out[] = {1, 63, 64, 65, 130}, in[] = {1, 5, 64, 70, 128};
    draw(x, ROWS * MOST, 5);
    draw(w, MOST * MOST, 6);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++)
            for (size_t n = 1; n <= ROWS; n += 4)
                for (int across = 0; across < 2; across++) {
                    product_is(TDM_WEIGHTS_F32, in[i], out[j], n, across, 1e-5);
                    product_is(TDM_WEIGHTS_BF16, in[i], out[j], n, across, 5 * 0x1p-9);
                    product_is(TDM_WEIGHTS_I8, in[i], out[j], n, across, 5 * 4.0 / 254);
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tables_agree),
                                       cmocka_unit_test(products_are_those_of_the_weights)};
    return cmocka_run_group_tests_name("packed", tests, NULL, NULL);
}
