/* SPDX-License-Identifier: Apache-2.0 */
/* spd.h - the inverse of one large dense symmetric positive definite matrix, in place. */
#ifndef TDM_KERNELS_SPD_H
#define TDM_KERNELS_SPD_H

#include "base/run.h"

/* A, n x n row-major, becomes its inverse. Only the lower triangle (columns <= row) is read; the whole, symmetric, is
 * written. Needs TDM_SPD_PANEL rows of n floats beside A. The work is n^3 operations, nearly all of them in matrix
 * products, and the bits do not depend on the threads of the pool.
 *
 * `stage` names the work in progress and in the sentences. A matrix that is not positive definite (as floats see it) is
 * TDM_E_ARG with the row where that showed; a cancelled call is TDM_E_CANCELLED. A then holds nothing of use. */
enum { TDM_SPD_PANEL = 256 };
tdm_status tdm_spd_invert(float *A, size_t n, tdm_run *run, const char *stage, tdm_err *err);

#endif
