/* SPDX-License-Identifier: Apache-2.0 */
/* Every way to a matrix product against three loops in double, and its bits at 1, 2 and 7 threads. */
#include "check.h"

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/half.h"
#include "kernels/gemm.h"

#include <math.h>
#include <string.h>

static float *drawn(size_t n, uint64_t key)
{
    float *x = tdm_new(n, sizeof *x);
    tdm_rng r = tdm_rng_make(2, key, n);
    CHECK(x);
    for (size_t i = 0; i < n; i++) x[i] = (float)tdm_rng_normal(&r);
    return x;
}

typedef struct way {
    const char *name;
    tdm_gemm_fn *gemm;
    bool rounds; /* its operands */
    unsigned cpu;
} way;

static const way ways[] = {
    {"as chosen", tdm_gemm, false, 0},
    {"oneDNN", tdm_gemm_onednn, false, 0},
    {"bf16 as chosen", tdm_gemm_bf16, true, 0},
    {"oneDNN, rounded", tdm_gemm_onednn_rounded, true, 0},
#if defined __x86_64__
    {"avx512", tdm_gemm_avx512, false, TDM_CPU_AVX512},
    {"avx512, rounded", tdm_gemm_avx512_rounded, true, TDM_CPU_AVX512},
    {"avx512, in pairs", tdm_gemm_avx512_pairs, true, TDM_CPU_BF16},
#endif
};
enum { WAYS = sizeof ways / sizeof *ways };

static bool runs(const way *w) { return (w->cpu & tdm_cpu_features()) == w->cpu; }

static double number(const way *w, float x) { return (double)(w->rounds ? tdm_from_bf16(tdm_to_bf16(x)) : x); }

/* Rows are longer than what is used of them, and what lies between stays as it was. */
static void product_once(const way *w, int ta, int tb, size_t M, size_t N, size_t K, float alpha, float beta)
{
    size_t lda = (ta ? M : K) + 3, ldb = (tb ? K : N) + 1, ldc = N + 2;
    float *a = drawn((ta ? K : M) * lda, 1), *b = drawn((tb ? N : K) * ldb, 2), *c = drawn(M * ldc, 3);
    float *was = tdm_new(M * ldc, sizeof *was);
    CHECK(was);
    for (size_t i = 0; beta == 0 && i < M; i++)
        for (size_t j = 0; j < N; j++) c[i * ldc + j] = NAN; /* beta = 0 does not read it */
    memcpy(was, c, M * ldc * sizeof *c);
    w->gemm(ta, tb, M, N, K, alpha, a, lda, b, ldb, beta, c, ldc);
    for (size_t i = 0; i < M; i++) {
        for (size_t j = 0; j < N; j++) {
            double sum = 0, mass = 0, old = beta == 0 ? 0 : (double)beta * (double)was[i * ldc + j];
            for (size_t k = 0; k < K; k++) {
                double p =
                    number(w, ta ? a[k * lda + i] : a[i * lda + k]) * number(w, tb ? b[j * ldb + k] : b[k * ldb + j]);
                sum += p;
                mass += fabs(p);
            }
            double n = (double)(K + 4) * 0x1p-24; /* K terms, alpha, beta, their sum; any order */
            CHECK(fabs((double)c[i * ldc + j] - ((double)alpha * sum + old)) <=
                  n / (1 - n) * (fabs((double)alpha) * mass + fabs(old)));
        }
        CHECK(memcmp(c + i * ldc + N, was + i * ldc + N, 2 * sizeof *c) == 0);
    }
    tdm_free(a);
    tdm_free(b);
    tdm_free(c);
    tdm_free(was);
}

static void products_hold_their_bound(void **state)
{
    (void)state;
    const size_t size[][3] = {{1, 1, 1},    {1, 70, 33}, {5, 3, 7},      {64, 48, 96}, {130, 65, 129},
                              {33, 128, 1}, {2, 2, 600}, {150, 20, 770}, {8, 96, 50},  {7, 64, 16}};
    const float scale[][2] = {{1, 0}, {1, 1}, {0.5f, 0}, {-2, 0.25f}};
    for (size_t w = 0; w < WAYS; w++) {
        if (!runs(&ways[w])) continue;
        for (size_t s = 0; s < sizeof size / sizeof *size; s++)
            for (int t = 0; t < 4; t++)
                for (size_t f = 0; f < sizeof scale / sizeof *scale; f++)
                    product_once(&ways[w], t & 1, t >> 1, size[s][0], size[s][1], size[s][2], scale[f][0], scale[f][1]);
    }
}

/* What is no number stays none, in its row and column alone. */
static void numbers_that_are_none_stay_so(void **state)
{
    (void)state;
    for (size_t w = 0; w < WAYS; w++) {
        if (!runs(&ways[w])) continue;
        float a[2 * 3] = {1, NAN, 2, 3, 4, 5}, b[3 * 2] = {1, 2, 3, 4, 5, INFINITY}, c[4];
        ways[w].gemm(0, 0, 2, 2, 3, 1, a, 3, b, 2, 0, c, 2);
        CHECK(isnan(c[0]) && isnan(c[1]) && c[2] == 40 && c[3] == INFINITY);
    }
}

static void nothing_to_do_does_nothing(void **state)
{
    (void)state;
    float c[2] = {1, 2}, x = 3;
    for (size_t w = 0; w < WAYS; w++) {
        if (!runs(&ways[w])) continue;
        ways[w].gemm(0, 0, 0, 2, 1, 1, &x, 1, c, 2, 0, c, 2);
        ways[w].gemm(0, 0, 1, 0, 1, 1, &x, 1, c, 2, 0, c, 2);
        ways[w].gemm(0, 0, 1, 2, 0, 1, &x, 1, c, 2, 0, c, 2);
        CHECK(c[0] == 1 && c[1] == 2);
    }
}

enum { ROWS = 300, COLUMNS = 257, DEPTH = 128, TILE = 32 };

typedef struct job {
    const way *w;
    const float *a, *b;
    float *c;
} job;

static void tile(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const job *j = ctx;
    (void)chunk;
    j->w->gemm(0, 1, end - begin, COLUMNS, DEPTH, 1, j->a + begin * DEPTH, DEPTH, j->b, DEPTH, 0,
               j->c + begin * COLUMNS, COLUMNS);
}

static void same_bits(const way *w)
{
    float *a = drawn(ROWS * DEPTH, 4), *b = drawn(COLUMNS * DEPTH, 5), *c[3];
    const size_t threads[3] = {1, 2, 7};
    for (int t = 0; t < 3; t++) {
        tdm_pool *pool;
        tdm_err err;
        c[t] = tdm_new(ROWS * COLUMNS, sizeof **c);
        CHECK(c[t]);
        CHECK_OK(tdm_pool_open(&pool, threads[t], &err), err);
        for (int again = 0; again < 10; again++) {
            job j = {w, a, b, c[t]};
            memset(c[t], 0, ROWS * COLUMNS * sizeof **c);
            tdm_pool_for(pool, ROWS, TILE, tile, &j);
            CHECK(memcmp(c[t], c[0], ROWS * COLUMNS * sizeof **c) == 0);
        }
        tdm_pool_close(pool);
    }
    for (int t = 0; t < 3; t++) tdm_free(c[t]);
    tdm_free(a);
    tdm_free(b);
}

static void tiles_have_the_same_bits_at_1_2_and_7_threads(void **state)
{
    (void)state;
    for (size_t w = 0; w < WAYS; w++)
        if (runs(&ways[w])) same_bits(&ways[w]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_hold_their_bound),
        cmocka_unit_test(numbers_that_are_none_stay_so),
        cmocka_unit_test(nothing_to_do_does_nothing),
        cmocka_unit_test(tiles_have_the_same_bits_at_1_2_and_7_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
