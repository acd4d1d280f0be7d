/* SPDX-License-Identifier: Apache-2.0 */
/* gemm.c - the matrix product: oneDNN, on the calling thread. The one file of this folder that needs more than a C
 * library. */
#include "kernels/kernels.h"

#include <dnnl.h>

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
