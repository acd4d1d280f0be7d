/* SPDX-License-Identifier: Apache-2.0 */
/* test_attention.c - attention and its gradient against the definition in double, for sequences shorter and longer than
 * a block of queries, with dropout and without. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "gpt2/attention.h"

#include <math.h>
#include <string.h>

enum { C = 24, H = 3, D = C / H, BEFORE = 5, MOST = 200, LAYER = 1 };

static float *drawn(size_t n, uint64_t key)
{
    float *x = tdm_new(n, sizeof *x);
    tdm_rng r = tdm_rng_make(3, key, n);
    CHECK(x);
    for (size_t i = 0; i < n; i++) x[i] = (float)tdm_rng_normal(&r);
    return x;
}

static double term(const float *a, const float *b)
{
    double sum = 0;
    for (size_t c = 0; c < D; c++) sum += (double)a[c] * (double)b[c];
    return sum;
}

typedef struct wanted {
    double att[MOST * C], mass[MOST * H], dqkv[MOST * 3 * C];
} wanted;

/* Rows of one sequence; qkv and datt are its own. */
static void defined(wanted *w, const float *qkv, const float *datt, size_t n, const tdm_dropout *drop)
{
    const double scale = 1 / sqrt(D);
    memset(w, 0, sizeof *w);
    for (size_t h = 0; h < H; h++)
        for (size_t i = 0; i < n; i++) {
            const float *q = qkv + i * 3 * C + h * D, *dout = datt + i * C + h * D;
            double p[MOST], dp[MOST], most = -INFINITY, sum = 0, mean = 0;
            float mask[MOST];
            for (size_t j = 0; j <= i; j++) {
                mask[j] = 1;
                p[j] = scale * term(q, qkv + j * 3 * C + C + h * D);
                most = fmax(most, p[j]);
            }
            tdm_dropout_apply(drop, mask, i + 1, tdm_site(LAYER, TDM_SITE_ATTENTION), (BEFORE + i) * H + h);
            for (size_t j = 0; j <= i; j++) sum += p[j] = exp(p[j] - most);
            w->mass[i * H + h] = most + log(sum);
            for (size_t j = 0; j <= i; j++) {
                const float *v = qkv + j * 3 * C + 2 * C + h * D;
                double *dv = w->dqkv + j * 3 * C + 2 * C + h * D;
                p[j] /= sum;
                dp[j] = (double)mask[j] * term(dout, v);
                mean += p[j] * dp[j];
                for (size_t c = 0; c < D; c++) {
                    w->att[i * C + h * D + c] += p[j] * (double)mask[j] * (double)v[c];
                    dv[c] += p[j] * (double)mask[j] * (double)dout[c];
                }
            }
            for (size_t j = 0; j <= i; j++)
                for (size_t c = 0; c < D; c++) {
                    double ds = scale * p[j] * (dp[j] - mean);
                    w->dqkv[i * 3 * C + h * D + c] += ds * (double)qkv[j * 3 * C + C + h * D + c];
                    w->dqkv[j * 3 * C + C + h * D + c] += ds * (double)q[c];
                }
        }
}

static void near(const float *got, const double *want, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(want[i]));
    for (size_t i = 0; i < n; i++) CHECK(fabs((double)got[i] - want[i]) <= 1e-5 * most);
}

/* A sequence that begins at row BEFORE of the arrays; what stands before it stays. */
static void sequence(size_t n, float dropped)
{
    const size_t rows = BEFORE + n;
    const tdm_gpt2_shape s = {.V = 8, .T = MOST, .C = C, .L = 2, .H = H};
    const tdm_span span = {BEFORE, n};
    const tdm_dropout drop = tdm_dropout_make(dropped, 7, 9);
    float *qkv = drawn(rows * 3 * C, 1), *datt = drawn(rows * C, 2), *att = drawn(rows * C, 3),
          *mass = drawn(rows * H, 4), *dqkv = drawn(rows * 3 * C, 5), *before = drawn(rows * 3 * C, 5),
          *scratch = drawn(tdm_attention_floats(n), 6);
    wanted *w = tdm_new(1, sizeof *w);
    CHECK(w);
    tdm_attention_forward(att, mass, qkv, s, LAYER, span, &drop, scratch);
    tdm_attention_backward(dqkv, datt, att, mass, qkv, s, LAYER, span, &drop, scratch);
    defined(w, qkv + BEFORE * 3 * C, datt + BEFORE * C, n, &drop);
    near(att + BEFORE * C, w->att, n * C);
    near(mass + BEFORE * H, w->mass, n * H);
    near(dqkv + BEFORE * 3 * C, w->dqkv, n * 3 * C);
    CHECK(!memcmp(dqkv, before, BEFORE * 3 * C * sizeof *dqkv));
    float *all[] = {qkv, datt, att, mass, dqkv, before, scratch};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) tdm_free(all[k]);
    tdm_free(w);
}

static void sequences_of_all_lengths(void **state)
{
    (void)state;
    const size_t length[] = {1, 2, 63, 64, 65, 128, 150, MOST};
    for (size_t k = 0; k < sizeof length / sizeof *length; k++) {
        sequence(length[k], 0);
        sequence(length[k], 0.3f);
    }
}

/* A long text takes scratch in proportion to its length. */
static void scratch_is_no_square(void **state)
{
    (void)state;
    CHECK(tdm_attention_floats(1024) < 1024 * 1024 / 4);
    CHECK(tdm_attention_floats(2048) == 2 * tdm_attention_floats(1024));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_of_all_lengths),
        cmocka_unit_test(scratch_is_no_square),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
