/* SPDX-License-Identifier: Apache-2.0 */
/* ials.h - the alternating part of ials, on arrays: ials.c makes a model of it. Inside this folder and its tests.
 *
 * X are people, Y items, both in rows of K (a multiple of TDM_PAD), and after every step the basis is turned so that
 * the sum of y y' is diagonal. That turn changes no score, and it is what makes a short list cheap (small_spd.h). */
#ifndef TDM_CF_IALS_H
#define TDM_CF_IALS_H

#include "base/run.h"

#include <stdint.h>

/* What was chosen, from one side: row r lists at[from[r] .. from[r + 1]) with weights a > 0. */
typedef struct tdm_ials_lists {
    size_t n;
    const int64_t *from;
    const uint32_t *at;
    const float *a;
} tdm_ials_lists;

typedef struct tdm_ials_rules {
    size_t K;
    double unobserved;     /* weight of a pair that was not chosen; one that was has unobserved + a */
    double regularization; /* of a row that lists n of m: regularization (n + unobserved m)^power */
    double power;
    int steps; /* of conjugate gradient; 0: exact */
} tdm_ials_rules;

typedef struct tdm_ials tdm_ials;

/* X and Y hold the start and stay the caller's; all outlive the work. The arrays of `people` and `items` list the same
 * pairs. */
tdm_status tdm_ials_open(tdm_ials **out, const tdm_ials_rules *rules, const tdm_ials_lists *people,
                         const tdm_ials_lists *items, float *X, float *Y, tdm_run *run, tdm_err *err);
void tdm_ials_close(tdm_ials *w); /* NULL is fine */

/* One iteration: people, then items, then the turn. *objective is what it reached:
 *
 *     sum over chosen: (unobserved + a) (1 - x.y)^2 + unobserved * sum over the others: (x.y)^2 + regularization */
tdm_status tdm_ials_step(tdm_ials *w, double *objective, tdm_err *err);

/* The diagonal of sum y y', K numbers. */
const float *tdm_ials_spread(const tdm_ials *w);

/* The sum of x x' over people, K x K, in the basis of today. */
void tdm_ials_people(const tdm_ials *w, float *out);

/* The weight of the regularization for a row that lists n of m. */
double tdm_ials_pull(const tdm_ials_rules *r, double n, double m);

#endif
