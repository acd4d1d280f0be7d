/* SPDX-License-Identifier: Apache-2.0 */
/* small_spd.h - many small systems (D + sum_j a_j y_j y_j') x = sum_j c_j y_j, D diagonal: a person's, or an item's,
 * half of a factorisation.
 *
 * With n rows y_j of K numbers there are two ways, and the smaller one is taken. In the space of factors, gather the
 * rows, gram them, factor K x K. In the space of rows, with Z = diag(sqrt a) Y D^-1/2 and s_j = c_j / sqrt(a_j),
 *
 *     x = D^-1/2 Z' (1 + Z Z')^-1 s
 *
 * factors n x n, whose eigenvalues are never below 1. Short lists are most lists, and there n^2 K replaces K^2 n. The
 * price is that D must be diagonal: one turn of the basis sees to that (tdm_small_eigen). */
#ifndef TDM_KERNELS_SMALL_SPD_H
#define TDM_KERNELS_SMALL_SPD_H

#include "kernels/kernels.h"

/* Floats of scratch that a solve with rows of K needs, whatever n is. K is a multiple of TDM_PAD. */
size_t tdm_small_spd_scratch(size_t K);

typedef struct tdm_small_spd {
    const tdm_kernels *k;
    const float *Y; /* rows of K */
    size_t K;
    const float *d; /* K; the diagonal, all > 0 */
    float plus;     /* c_j = a_j + plus where a call gives no c */
    float *scratch; /* tdm_small_spd_scratch(K) */
} tdm_small_spd;

/* x[K] from n rows at[] with weights a_j > 0 and c_j. *fit becomes x . sum_j c_j y_j, by which the square error fell.
 * False: lost to rounding. */
bool tdm_small_spd_solve(const tdm_small_spd *s, float *x, double *fit, const uint32_t *at, const float *a,
                         const float *c, size_t n);

/* The same with the factored K x K matrix left in the scratch, for more right sides with tdm_small_spd_again. */
bool tdm_small_spd_factor(const tdm_small_spd *s, const uint32_t *at, const float *a, size_t n);
void tdm_small_spd_again(const tdm_small_spd *s, float *x, const float *b);

/* `steps` of conjugate gradient from what x holds. *fit: by how much what x becomes is better than 0, as above. */
void tdm_small_spd_descend(const tdm_small_spd *s, float *x, double *fit, const uint32_t *at, const float *a,
                           const float *c, size_t n, int steps);
size_t tdm_small_spd_descend_limit(size_t K); /* n at most that; longer lists are solved as cheaply */

/* Eigenvalues (rising) and eigenvectors (row e of `vectors` is the e-th) of the symmetric n x n matrix that `vectors`
 * holds, of which the lower triangle is read: Householder's reduction and implicit QL (Bowdler, Martin, Reinsch and
 * Wilkinson, Numerische Mathematik 11, 1968). `off` is scratch of n. False: it did not settle, as with NaN. */
bool tdm_small_eigen(double *values, double *vectors, double *off, size_t n);

#endif
