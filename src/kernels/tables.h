/* SPDX-License-Identifier: Apache-2.0 */
/* tables.h - what each instruction set's file adds to the table. */
#ifndef TDM_KERNELS_TABLES_H
#define TDM_KERNELS_TABLES_H

#include "kernels/kernels.h"

#define TDM_NORM_EPS 1e-5f     /* layer_norm_epsilon of every published GPT-2 */
#define TDM_GELU_K 0.79788456f /* sqrt(2 / pi) */
#define TDM_GELU_CUBE 0.044715f

void tdm_kernels_init_c(tdm_kernels *k);
void tdm_small_spd_init_c(tdm_kernels *k); /* the part of it that lies in small_spd.c */
void tdm_above_init_c(tdm_kernels *k);     /* the part that lies in above.c */
void tdm_sgd_init_c(tdm_kernels *k);       /* in sgd.c */
void tdm_few_init_c(tdm_kernels *k);       /* and in few.c */
void tdm_kernels_init_avx2(tdm_kernels *k);
void tdm_kernels_init_avx512(tdm_kernels *k);
void tdm_kernels_init_vnni(tdm_kernels *k); /* adds to the table of avx512 */
void tdm_kernels_init_neon(tdm_kernels *k);

#endif
