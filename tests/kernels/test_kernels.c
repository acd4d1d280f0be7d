/* SPDX-License-Identifier: Apache-2.0 */
/* Each table that this machine can run, against the same formula in double. U is the unit roundoff of a float; a sum of
 * n terms in any order is within gamma(n) of the sum of their sizes (Higham 2002, section 4.2). */
#include "check.h"

#include "base/rng.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define U 0x1p-24

enum { MOST = 300, GUARD = 16 };
static const float guard = 12345; /* stands behind every output, and is still there afterwards */

static double gamma_of(size_t n) { return (double)n * U / (1 - (double)n * U); }

typedef void table_fn(const tdm_kernels *k, size_t n, tdm_rng *r);

/* Around every vector width and its multiples, so that each kind of rest is met. */
static void with_every_table(table_fn *fn)
{
    const size_t sizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 128, 129, 255, 299};
    unsigned has = tdm_cpu_features();
    const unsigned ask[] = {0, TDM_CPU_AVX2, TDM_CPU_AVX2 | TDM_CPU_AVX512, TDM_CPU_NEON};
    for (size_t t = 0; t < sizeof ask / sizeof *ask; t++) {
        if ((ask[t] & has) != ask[t]) continue;
        tdm_kernels k;
        tdm_kernels_init(&k, ask[t]);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (uint64_t again = 0; again < 20; again++) {
                tdm_rng r = tdm_rng_make(1, sizes[i], again);
                fn(&k, sizes[i], &r);
            }
    }
}

static void draw(float *x, size_t n, double deviation, tdm_rng *r)
{
    for (size_t i = 0; i < n; i++) x[i] = (float)(deviation * tdm_rng_normal(r));
}

static void fence(float *x, size_t n)
{
    for (size_t i = n; i < n + GUARD; i++) x[i] = guard;
}

static bool fenced(const float *x, size_t n)
{
    for (size_t i = n; i < n + GUARD; i++)
        if (x[i] != guard) return false;
    return true;
}

static bool near(float got, double exact, double bound) { return fabs((double)got - exact) <= bound; }

static void sums(const tdm_kernels *k, size_t n, tdm_rng *r)
{
    float a[MOST], b[MOST];
    double dot = 0, dot_mass = 0, sum = 0, mass = 0;
    draw(a, n, 1, r);
    draw(b, n, 1, r);
    for (size_t i = 0; i < n; i++) {
        dot += (double)a[i] * (double)b[i];
        dot_mass += fabs((double)a[i] * (double)b[i]);
        sum += (double)a[i];
        mass += fabs((double)a[i]);
    }
    CHECK(near(k->dot(a, b, n), dot, gamma_of(n) * dot_mass));
    CHECK(near(k->sum(a, n), sum, gamma_of(n) * mass));
    CHECK(k->dot(a, b, 0) == 0 && k->sum(a, 0) == 0);
}

static void dot_and_sum_hold_their_bound(void **state)
{
    (void)state;
    with_every_table(sums);
}

static void updates(const tdm_kernels *k, size_t n, tdm_rng *r)
{
    float x[MOST], y[MOST + GUARD], z[MOST + GUARD], a = (float)tdm_rng_normal(r);
    draw(x, n, 1, r);
    draw(y, n, 1, r);
    fence(y, n);
    memcpy(z, y, sizeof z);
    k->axpy(z, a, x, n);
    for (size_t i = 0; i < n; i++) { /* at most a product and a sum are rounded */
        double p = (double)a * (double)x[i];
        CHECK(near(z[i], (double)y[i] + p, 2 * U * (fabs(p) + fabs((double)y[i] + p))));
    }
    CHECK(fenced(z, n));
    k->scale(y, a, y, n);
    k->scale(z, a, y, n);
    CHECK(fenced(y, n) && fenced(z, n));
    for (size_t i = 0; i < n; i++) CHECK(z[i] == a * y[i]);
}

static void axpy_and_scale_round_once_or_twice(void **state)
{
    (void)state;
    with_every_table(updates);
}

static void largest(const tdm_kernels *k, size_t n, tdm_rng *r)
{
    float x[MOST];
    draw(x, n, 1, r);
    size_t at = (size_t)tdm_rng_below(r, n);
    x[at] = 9;
    CHECK(k->max(x, n) == 9);
    for (size_t i = 0; i < n; i++) x[i] = i == at ? -3 : NAN;
    CHECK(k->max(x, n) == -3);
    for (size_t i = 0; i < n; i++) x[i] = -INFINITY;
    CHECK(k->max(x, n) == -INFINITY && k->max(x, 0) == -INFINITY);
    x[at] = INFINITY;
    CHECK(k->max(x, n) == INFINITY);
}

static void max_finds_the_largest_and_passes_over_nan(void **state)
{
    (void)state;
    with_every_table(largest);
}

/* The polynomial is Horner's, its steps weigh ever less: below 2 units in the last place, 2^-22. Where the exact value
 * is below exp(-87) the result may be 0. */
static void exponentials(const tdm_kernels *k, size_t n, tdm_rng *r)
{
    float x[MOST], y[MOST + GUARD], shift = (float)tdm_rng_normal(r);
    double sum = 0;
    draw(x, n, n % 2 ? 2 : 40, r);
    for (size_t i = 0; i < n; i++)
        if (x[i] - shift > 80) x[i] = 1;
    fence(y, n);
    float got = k->exp_sum(y, x, shift, n);
    for (size_t i = 0; i < n; i++) {
        double e = exp((double)(x[i] - shift));
        CHECK(near(y[i], e, e < 2e-38 ? 2e-38 : e * 0x1p-22));
        sum += (double)y[i];
    }
    CHECK(fenced(y, n) && near(got, sum, gamma_of(n) * sum + U * sum));
    size_t at = (size_t)tdm_rng_below(r, n);
    memcpy(y, x, n * sizeof *y);
    y[at] = -INFINITY;
    k->exp_sum(y, y, shift, n);
    CHECK(y[at] == 0);
    x[at] = NAN;
    CHECK(isnan(k->exp_sum(y, x, shift, n)) && isnan(y[at]));
    for (size_t i = 0; i < n; i++) CHECK(i == at || !isnan(y[i]));
}

static void exp_is_good_to_two_units_and_keeps_nan(void **state)
{
    (void)state;
    with_every_table(exponentials);
}

/* Nothing but the product is rounded, so every table gives the same bits. */
static void masks(const tdm_kernels *k, size_t n, tdm_rng *r)
{
    float x[MOST + GUARD], was[MOST];
    uint64_t bits[MOST / 4 + 1];
    const uint16_t cuts[] = {0, 1, 6554, 32768, 65000, 65535};
    for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
        draw(x, n, 1, r);
        fence(x, n);
        memcpy(was, x, n * sizeof *x);
        for (size_t i = 0; i < n / 4 + 1; i++) bits[i] = tdm_rng_u64(r);
        if (cuts[c]) bits[0] = (bits[0] & ~(uint64_t)0xffff) | (cuts[c] - 1u); /* just below */
        if (n > 1) bits[0] = (bits[0] & ~((uint64_t)0xffff << 16)) | (uint64_t)cuts[c] << 16;
        k->drop(x, bits, cuts[c], 1.25f, n);
        CHECK(fenced(x, n));
        CHECK(!cuts[c] || x[0] == 0);
        CHECK(n < 2 || x[1] == was[1] * 1.25f);
        for (size_t i = 0; i < n; i++) {
            bool out = (bits[i / 4] >> 16 * (i % 4) & 0xffff) < cuts[c];
            CHECK(x[i] == (out ? 0 : was[i] * 1.25f));
        }
    }
}

static void drop_leaves_out_what_is_below_the_cut(void **state)
{
    (void)state;
    with_every_table(masks);
}

static double gelu_of(double x, double *slope)
{
    double c = sqrt(2 / 3.14159265358979323846), t = tanh(c * (x + 0.044715 * x * x * x));
    *slope = 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x);
    return 0.5 * x * (1 + t);
}

/* An error in the exponent grows with the exponent z, but what it changes, z s (1 - s), stays below 1/4 on its way to a
 * value of size |x|; the slope has x du / dx <= 10 where s (1 - s) is not yet small. */
static void gelus(const tdm_kernels *k, size_t n, tdm_rng *r)
{
    float x[MOST + GUARD], at[MOST], y[MOST + GUARD], d[MOST + GUARD], bias[MOST], dy[MOST];
    draw(x, n, n % 2 ? 2 : 30, r);
    draw(bias, n, 1, r);
    draw(dy, n, 1, r);
    fence(x, n);
    fence(y, n);
    for (size_t i = 0; i < n; i++) at[i] = x[i] + bias[i];
    k->gelu(y, x, bias, n);
    CHECK(fenced(x, n) && fenced(y, n));
    memcpy(d, dy, n * sizeof *d);
    fence(d, n);
    k->gelu_back(d, d, x, n);
    CHECK(fenced(d, n));
    for (size_t i = 0; i < n; i++) {
        double slope, exact = gelu_of((double)at[i], &slope);
        CHECK(x[i] == at[i]);
        CHECK(near(y[i], exact, 16 * U * fabs((double)at[i])));
        CHECK(near(d[i], (double)dy[i] * slope, 64 * U * fabs((double)dy[i])));
    }
}

static void gelu_and_its_slope_are_gpt2s(void **state)
{
    (void)state;
    with_every_table(gelus);
}

static void norms(const tdm_kernels *k, size_t n, tdm_rng *r)
{
    float x[MOST], w[MOST], b[MOST], dy[MOST], y[MOST + GUARD], dx[MOST + GUARD], dw[MOST + GUARD], db[MOST + GUARD];
    float stat[2], before = 0.5f;
    draw(x, n, 2, r);
    draw(w, n, 1, r);
    draw(b, n, 1, r);
    draw(dy, n, 1, r);
    fence(y, n);
    for (size_t i = 0; i < n; i++) {
        x[i] += 3;
        dx[i] = dw[i] = db[i] = before;
    }
    fence(dx, n);
    fence(dw, n);
    fence(db, n);
    double N = (double)n, mean = 0, size = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        mean += (double)x[i] / N;
        size += fabs((double)x[i]) / N;
    }
    for (size_t i = 0; i < n; i++) square += ((double)x[i] - mean) * ((double)x[i] - mean) / N;
    double rstd = 1 / sqrt(square + 1e-5), g = gamma_of(n + 8), off = g * size * rstd; /* error of the mean, scaled */
    k->norm(y, stat, x, w, b, n);
    CHECK(near(stat[0], mean, g * size) && near(stat[1], rstd, 2 * rstd * (g + off)));
    CHECK(fenced(y, n));
    double d_mean = 0, d_size = 0, dh_mean = 0, dh_size = 0;
    for (size_t i = 0; i < n; i++) {
        double h = ((double)x[i] - mean) * rstd, d = (double)dy[i] * (double)w[i];
        double bound = 2 * fabs((double)w[i]) * (off + fabs(h) * (g + off)) + 4 * U * fabs((double)b[i]);
        CHECK(near(y[i], h * (double)w[i] + (double)b[i], bound));
        d_mean += d / N;
        d_size += fabs(d) / N;
        dh_mean += d * h / N;
        dh_size += fabs(d) * (fabs(h) + 1) / N;
    }
    k->norm_back(dx, dw, db, dy, x, stat, w, n);
    CHECK(fenced(dx, n) && fenced(dw, n) && fenced(db, n));
    for (size_t i = 0; i < n; i++) {
        double h = ((double)x[i] - mean) * rstd, d = (double)dy[i] * (double)w[i], e = 4 * (g + off);
        double exact = (double)before + rstd * (d - d_mean - h * dh_mean);
        CHECK(near(dx[i], exact, 2 * U + e * rstd * (fabs(d) + d_size + (fabs(h) + 1) * dh_size)));
        CHECK(near(dw[i], (double)before + (double)dy[i] * h, 2 * U + e * fabs((double)dy[i]) * (fabs(h) + 1)));
        CHECK(near(db[i], (double)before + (double)dy[i], 2 * U * (0.5 + fabs((double)dy[i]))));
    }
}

static void layernorm_and_what_flows_back_hold_their_bound(void **state)
{
    (void)state;
    with_every_table(norms);
}

static void steps(const tdm_kernels *k, size_t n, tdm_rng *r)
{
    float w[MOST + GUARD], m[MOST + GUARD], v[MOST + GUARD], g[MOST], w0[MOST], m0[MOST], v0[MOST];
    const tdm_adamw_rates o = {.beta1 = 0.9f,
                               .beta2 = 0.999f,
                               .eps = 1e-8f,
                               .rate = 0.01f,
                               .fix1 = 1 / 0.19f,
                               .fix2 = 1 / 0.002f,
                               .keep = 0.9999f,
                               .scale = 0.25f};
    draw(w, n, 1, r);
    draw(m, n, 1, r);
    draw(v, n, 1, r);
    draw(g, n, 1, r);
    for (size_t i = 0; i < n; i++) v[i] *= v[i];
    memcpy(w0, w, n * sizeof *w);
    memcpy(m0, m, n * sizeof *m);
    memcpy(v0, v, n * sizeof *v);
    fence(w, n);
    fence(m, n);
    fence(v, n);
    k->adamw(w, m, v, g, n, &o);
    CHECK(fenced(w, n) && fenced(m, n) && fenced(v, n));
    for (size_t i = 0; i < n; i++) {
        double x = (double)g[i] * (double)o.scale, a = (double)o.beta1 * (double)m0[i], b = (1 - (double)o.beta1) * x;
        double c = (double)o.beta2 * (double)v0[i], d = (1 - (double)o.beta2) * x * x;
        /* 1 - beta is exact in float for beta in [1/2, 1]; products and sums are rounded, at most 4 on one way */
        CHECK(near(m[i], a + b, 4 * U * (fabs(a) + fabs(b))));
        CHECK(near(v[i], c + d, 4 * U * (c + d)));
        double step = (double)(o.rate * o.fix1) / (sqrt((double)o.fix2 * (c + d)) + (double)o.eps);
        double kept = (double)o.keep * (double)w0[i];
        CHECK(near(w[i], kept - step * (a + b), 3 * U * fabs(kept) + 12 * U * step * (fabs(a) + fabs(b))));
    }
}

static void adamw_is_its_formula(void **state)
{
    (void)state;
    with_every_table(steps);
}

static void the_best_table_is_one_that_the_machine_has(void **state)
{
    (void)state;
    tdm_kernels k;
    tdm_kernels_init(&k, 0);
    assert_string_equal(k.isa, "c");
    tdm_kernels_init(&k, tdm_cpu_features());
    assert_string_equal(k.isa, tdm_kernels_best()->isa);
    CHECK(k.dot == tdm_kernels_best()->dot);
#ifdef __aarch64__
    assert_string_equal(k.isa, "neon"); /* so that a test which runs there has met it */
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dot_and_sum_hold_their_bound),
        cmocka_unit_test(axpy_and_scale_round_once_or_twice),
        cmocka_unit_test(max_finds_the_largest_and_passes_over_nan),
        cmocka_unit_test(exp_is_good_to_two_units_and_keeps_nan),
        cmocka_unit_test(drop_leaves_out_what_is_below_the_cut),
        cmocka_unit_test(gelu_and_its_slope_are_gpt2s),
        cmocka_unit_test(layernorm_and_what_flows_back_hold_their_bound),
        cmocka_unit_test(adamw_is_its_formula),
        cmocka_unit_test(the_best_table_is_one_that_the_machine_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
