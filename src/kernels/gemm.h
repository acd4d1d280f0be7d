/* SPDX-License-Identifier: Apache-2.0 */
/* gemm.h - the ways to a matrix product; gemm.c chooses among them. All have the form of tdm_gemm. For this folder, its
 * tests and its benches. */
#ifndef TDM_KERNELS_GEMM_H
#define TDM_KERNELS_GEMM_H

#include "kernels/kernels.h"

/* Floats. */
tdm_gemm_fn tdm_gemm_onednn;
tdm_gemm_fn tdm_gemm_avx512;

/* Floats rounded to bf16, with sums in floats. */
tdm_gemm_fn tdm_gemm_onednn_rounded; /* block by block */
tdm_gemm_fn tdm_gemm_avx512_rounded; /* while they are copied */
tdm_gemm_fn tdm_gemm_avx512_pairs;   /* and multiplied two at a time: TDM_CPU_BF16 */

#endif
