/* SPDX-License-Identifier: Apache-2.0 */
/* solve.h - one small symmetric system, by Cholesky's factors, always in the same order of additions. */
#ifndef TDM_HYBRID_SOLVE_H
#define TDM_HYBRID_SOLVE_H

#include <stdbool.h>
#include <stddef.h>

/* Solves A x = b in place: A (n x n, row by row; only i >= j is read) becomes its factor, b the solution. False where A
 * is not positive definite; then both are spoilt. */
bool tdm_solve(double *A, double *b, size_t n);

#endif
