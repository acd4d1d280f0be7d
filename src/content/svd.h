/* SPDX-License-Identifier: Apache-2.0 */
/* svd.h - the K strongest directions of a sparse matrix of unit rows, by subspace iteration.
 *
 *     X (I x V) ~ U S W'          out = U S, each row scaled to length 1; a row of zeros stays zero
 *
 * (Halko, Martinsson and Tropp, "Finding Structure with Randomness", SIAM Review 2011, algorithm 4.4.) A seeded random
 * start of K + 16 columns is multiplied by X X' and made orthonormal a few times; then X X' restricted to it, a small
 * dense matrix, is diagonalised by Jacobi rotations. Columns beyond the rank of X are zero. */
#ifndef TDM_CONTENT_SVD_H
#define TDM_CONTENT_SVD_H

#include "base/run.h"
#include "content/terms.h"

enum { TDM_SVD_LIMIT = 1024 }; /* largest K */

/* out: I x K, the caller's memory. */
tdm_status tdm_svd_items(float *out, const tdm_terms *X, size_t K, tdm_run *run, const char *stage, tdm_err *err);

/* Eigenvalues (falling) and eigenvectors (columns of `vectors`) of the symmetric n x n `a`, which is destroyed: cyclic
 * Jacobi rotations (Golub and Van Loan, Matrix Computations, 8.5). */
tdm_status tdm_eigen(double *values, double *vectors, double *a, size_t n, tdm_err *err);

#endif
