/* SPDX-License-Identifier: Apache-2.0 */
/* gemm.c - which way to a matrix product. The one file of this folder that needs more than a C library.
 *
 * Measured per shape (bench/products.c prints all ways): of floats, oneDNN's is the fastest but for small products,
 * where its preparations weigh more than the arithmetic. In bf16, multiplying in pairs is twice as fast as in floats on
 * AMD's processors and half as fast on Intel's, which have other instructions for matrices; there, rounding and
 * multiplying floats costs least. Which way is taken depends on the processor and the shape alone, so results repeat.
 */
#include "base/half.h"
#include "kernels/gemm.h"

#include <dnnl.h>
#include <pthread.h>

/* oneDNN asks OpenMP how many threads the caller may use; the number is the calling thread's own. More than one would
 * fight with the pool, and their number would be in the bits of a result. (Declared here: omp.h belongs to a compiler,
 * the function to the library that oneDNN is linked with.) */
extern void omp_set_num_threads(int n);

void tdm_gemm_onednn(int ta, int tb, size_t M, size_t N, size_t K, float alpha, const float *A, size_t lda,
                     const float *B, size_t ldb, float beta, float *C, size_t ldc)
{
    omp_set_num_threads(1);
    dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', (dnnl_dim_t)M, (dnnl_dim_t)N, (dnnl_dim_t)K, alpha, A, (dnnl_dim_t)lda,
               B, (dnnl_dim_t)ldb, beta, C, (dnnl_dim_t)ldc);
}

/* ---- rounded, block by block ---- */

enum { ROWS = 64, COLUMNS = 128, DEPTH = 256 };

/* rows x columns of x. */
static void rounded(float *to, const float *x, size_t ld, size_t rows, size_t columns)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) to[i * columns + j] = tdm_from_bf16(tdm_to_bf16(x[i * ld + j]));
}

void tdm_gemm_onednn_rounded(int ta, int tb, size_t M, size_t N, size_t K, float alpha, const float *A, size_t lda,
                             const float *B, size_t ldb, float beta, float *C, size_t ldc)
{
    float a[ROWS * DEPTH], b[DEPTH * COLUMNS];
    for (size_t k = 0, kn; k < K; k += kn) {
        kn = K - k < DEPTH ? K - k : DEPTH;
        for (size_t j = 0; j < N; j += COLUMNS) {
            size_t n = N - j < COLUMNS ? N - j : COLUMNS;
            if (tb) rounded(b, B + j * ldb + k, ldb, n, kn);
            else rounded(b, B + k * ldb + j, ldb, kn, n);
            for (size_t i = 0; i < M; i += ROWS) {
                size_t m = M - i < ROWS ? M - i : ROWS;
                if (ta) rounded(a, A + k * lda + i, lda, kn, m);
                else rounded(a, A + i * lda + k, lda, m, kn);
                tdm_gemm_onednn(ta, tb, m, n, kn, alpha, a, ta ? m : kn, b, tb ? kn : n, k ? 1 : beta, C + i * ldc + j,
                                ldc);
            }
        }
    }
}

/* ---- the choice ---- */

static struct {
    tdm_gemm_fn *small, *bf16; /* small: of small products of floats, or NULL */
    const char *name;
} way = {NULL, tdm_gemm_onednn_rounded, "rounded, oneDNN"};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void)
{
#if TDM_HAVE_X86
    unsigned cpu = tdm_cpu_features();
    if (!(cpu & TDM_CPU_AVX512)) return;
    way.small = tdm_gemm_avx512;
    way.bf16 = tdm_gemm_avx512_rounded;
    way.name = "rounded, avx512";
    if (cpu & TDM_CPU_BF16 && __builtin_cpu_is("amd")) {
        way.bf16 = tdm_gemm_avx512_pairs;
        way.name = "avx512_bf16";
    }
#endif
}

void tdm_gemm(int ta, int tb, size_t M, size_t N, size_t K, float alpha, const float *A, size_t lda, const float *B,
              size_t ldb, float beta, float *C, size_t ldc)
{
    if (!M || !N) return;
    pthread_once(&once, choose);
    tdm_gemm_fn *fn = way.small && !ta && M * N <= 8192 && K <= 512 ? way.small : tdm_gemm_onednn;
    fn(ta, tb, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
}

void tdm_gemm_bf16(int ta, int tb, size_t M, size_t N, size_t K, float alpha, const float *A, size_t lda,
                   const float *B, size_t ldb, float beta, float *C, size_t ldc)
{
    if (!M || !N) return;
    pthread_once(&once, choose);
    way.bf16(ta, tb, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
}

const char *tdm_gemm_bf16_name(void)
{
    pthread_once(&once, choose);
    return way.name;
}
