/* SPDX-License-Identifier: Apache-2.0 */
/* solve.h - one small symmetric system, by Cholesky's factors, always in the same order of additions; and how strongly
 * its solution is pulled. */
#ifndef TDM_HYBRID_SOLVE_H
#define TDM_HYBRID_SOLVE_H

#include <stdbool.h>
#include <stddef.h>

/* Solves A x = b in place: A (n x n, row by row; only i >= j is read) becomes its factor, b the solution. False where A
 * is not positive definite; then both are spoilt. */
bool tdm_solve(double *A, double *b, size_t n);

/* Which of n pulls to take, from loss[fold * n + k] on left-out folds, strongest pull first: the strongest that is no
 * worse than the best one by more than a standard error (Breiman et al., "Classification and Regression Trees", 1984).
 * With few labels, where the best is often best by luck, this stays with the strong pull. */
size_t tdm_pull_choose(const double *loss, size_t folds, size_t n);

#endif
