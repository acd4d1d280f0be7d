/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - which table, and the matrix product. The tables are built once, on first use, and never change. */
#include "kernels/tables.h"

#include <dnnl.h>
#include <pthread.h>

unsigned tdm_cpu_features(void)
{
    unsigned cpu = 0;
#if TDM_HAVE_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) cpu |= TDM_CPU_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        cpu |= TDM_CPU_AVX512;
#endif
    return cpu;
}

void tdm_kernels_init(tdm_kernels *k, unsigned cpu)
{
    tdm_kernels_init_c(k);
#if TDM_HAVE_X86
    if (cpu & TDM_CPU_AVX2) tdm_kernels_init_avx2(k);
    if (cpu & TDM_CPU_AVX512) tdm_kernels_init_avx512(k);
#else
    (void)cpu;
#endif
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static tdm_kernels best;

static void prepare(void) { tdm_kernels_init(&best, tdm_cpu_features()); }

const tdm_kernels *tdm_kernels_best(void)
{
    pthread_once(&once, prepare);
    return &best;
}

/* oneDNN asks OpenMP how many threads the caller may use; the number is the calling thread's own. More than one would
 * fight with the pool, and their number would be in the bits of a result. (Declared here: omp.h belongs to a compiler,
 * the function to the library that oneDNN is linked with.) */
extern void omp_set_num_threads(int n);

void tdm_gemm(int ta, int tb, size_t M, size_t N, size_t K, float alpha, const float *A, size_t lda, const float *B,
              size_t ldb, float beta, float *C, size_t ldc)
{
    if (!M || !N) return;
    omp_set_num_threads(1);
    dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', (dnnl_dim_t)M, (dnnl_dim_t)N, (dnnl_dim_t)K, alpha, A, (dnnl_dim_t)lda,
               B, (dnnl_dim_t)ldb, beta, C, (dnnl_dim_t)ldc);
}
