/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.h - dense CPU kernels on floats, one table per instruction set, chosen once by what the processor has.
 *
 * The plain C table is the definition of correct. Matrix products go to OpenBLAS, called single-threaded: the pool
 * hands out tiles whose borders depend on shapes only. */
#ifndef TDM_KERNELS_KERNELS_H
#define TDM_KERNELS_KERNELS_H

#include <stddef.h>

enum { TDM_CPU_AVX2 = 1, TDM_CPU_AVX512 = 2 }; /* AVX2 means AVX2 and FMA; AVX512 means F, BW, DQ and VL */

typedef struct tdm_kernels {
    const char *isa;                                            /* "c", "avx2", "avx512" */
    float (*dot)(const float *a, const float *b, size_t n);     /* sum a_i b_i */
    void (*axpy)(float *y, float a, const float *x, size_t n);  /* y += a x */
    float (*max)(const float *x, size_t n);                     /* largest; -INFINITY for n = 0 */
    float (*exp_sum)(float *y, const float *x, float shift, size_t n); /* y_i = exp(x_i - shift); returns their sum */
} tdm_kernels;

/* What this processor has, as TDM_CPU_ bits. */
unsigned tdm_cpu_features(void);

/* The best table for `cpu`; a test asks for every table this machine can run. */
void tdm_kernels_init(tdm_kernels *k, unsigned cpu);

/* The table for this machine. */
const tdm_kernels *tdm_kernels_best(void);

/* Row-major C[M x N] = alpha op(A) op(B) + beta C on the calling thread; op is the transpose where t is not 0. lda is
 * the length of a row of A as stored. */
void tdm_gemm(int ta, int tb, size_t M, size_t N, size_t K, float alpha, const float *A, size_t lda, const float *B,
              size_t ldb, float beta, float *C, size_t ldc);

#endif
