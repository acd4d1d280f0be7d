/* SPDX-License-Identifier: Apache-2.0 */
/* significance.h - how sure a number is: resampling of people, and the paired test between two models.
 *
 * Streams are keyed by (seed, resample or permutation block), so that one seed gives one answer at any number of
 * threads, and two calls with one seed and one P draw the same people: their results may be subtracted pairwise. */
#ifndef TDM_EVAL_SIGNIFICANCE_H
#define TDM_EVAL_SIGNIFICANCE_H

#include "base/pool.h"

/* sums[r * M + m] = sum of column m of x (P x M) over the P people that resample r draws with replacement. R x M. */
tdm_status tdm_bootstrap(double *sums, const double *x, size_t P, size_t M, size_t R, uint64_t seed, tdm_pool *pool,
                         tdm_err *err);

/* The 2.5% and 97.5% points of n > 0 values, which get sorted; between two values linearly, NaN where one is NaN. */
void tdm_interval(double *low, double *high, double *values, size_t n);

/* Two-sided paired randomisation test: under the null each person's difference d may as well have the other sign.
 * p = (1 + draws with |sum| at least the observed) / (1 + draws); 1 where all differences are zero. */
tdm_status tdm_paired_test(double *p, const double *d, size_t P, size_t draws, uint64_t seed, tdm_pool *pool,
                           tdm_err *err);

/* Holm's step-down correction of m p-values, in place. */
void tdm_holm(double *p, size_t m);

#endif
