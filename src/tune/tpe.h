/* SPDX-License-Identifier: Apache-2.0 */
/* tpe.h - where to look next: the tree-structured Parzen estimator.
 *
 *     l(x) = density of the best trials, g(x) = density of the others;   next: the x with the largest l(x) / g(x)
 *
 * (Bergstra, Bardenet, Bengio, Kegl 2011, "Algorithms for Hyper-Parameter Optimization".) A density is the mean of one
 * even density over the cube and of a Gaussian at each trial, cut off at the cube's sides and as wide in every
 * direction as Scott's rule says, so that parameters which matter together are sought together. Before that, points of
 * Roberts' additive recurrence ("The unreasonable effectiveness of quasirandom sequences", 2018) spread over the cube.
 */
#ifndef TDM_TUNE_TPE_H
#define TDM_TUNE_TPE_H

#include "tune/space.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TDM_TPE_SPREAD = 10, /* trials before the densities say where */
    TDM_TPE_DRAWN = 64   /* points drawn from l, of which the best is taken */
};

/* A trial as it is looked back on. */
typedef struct tdm_tried {
    double x[TDM_MAX_PARAMS];
    double value; /* higher is better; -INFINITY: it failed */
    size_t steps; /* a trial that went further tells more than one that was stopped; SIZE_MAX: it came to its end */
} tdm_tried;

/* Whether a did better than b: further, then higher. */
bool tdm_tried_better(const tdm_tried *a, const tdm_tried *b);

/* x[D] of the next trial, at settings that were not tried before where such are left. The same for the same `tried` in
 * the same order, `n` of them. TDM_E_NOMEM. */
tdm_status tdm_tpe_propose(double *x, const tdm_space *s, const tdm_tried *tried, size_t n, uint64_t seed,
                           tdm_err *err);

#endif
