/* SPDX-License-Identifier: Apache-2.0 */
/* grid.h - ratings cut into cells, so that gradient descent runs in parallel and comes out the same. Inside this folder
 * only.
 *
 *                  items 0  items 1  items 2          People and items are cut into `side` groups each. Blocks of one
 *     people 0        a        b        c             letter share no row, so they run at once and in any order: the
 *     people 1        c        a        b             letters, one after the other, are an epoch (Gemulla, Nijkamp,
 *     people 2        b        c        a             Haas and Sismanis, "Large-Scale Matrix Factorization with
 *                                                     Distributed Stochastic Gradient Descent", KDD 2011).
 *
 * A block runs in bands of a few hundred people, so that what it works on stays near the processor: a cell is where a
 * band meets a group of items, its ratings lie together in a drawn order, 8 bytes each. How many groups and bands there
 * are depends on the data alone. */
#ifndef TDM_CF_GRID_H
#define TDM_CF_GRID_H

#include "cf/rows.h"
#include "kernels/kernels.h"

typedef struct tdm_grid {
    size_t side, bands, n;  /* n: ratings in it */
    uint32_t *band;         /* bands + 1; its first person */
    size_t *people;         /* side + 1; a group's first band */
    uint32_t *items;        /* side + 1; a group's first item */
    int64_t *cell;          /* bands x side + 1; its first rating */
    tdm_sgd_rating *rating; /* n; numbers of rows count from the band and from the group of items */
    double *square;         /* side */
    uint32_t *order;        /* side */
} tdm_grid;

/* Of rows that have a rating. Values are ratings less `mean`; K numbers will be kept for a row. */
tdm_status tdm_grid_make(tdm_grid *out, const tdm_rows *r, double mean, size_t K, tdm_run *run, tdm_err *err);
void tdm_grid_clear(tdm_grid *g); /* all-zero is fine */

/* Every rating once. `s` has the rows of all people and items; returns the sum of squared errors as they were met. */
double tdm_grid_epoch(tdm_grid *g, const tdm_sgd *s, uint64_t epoch, tdm_run *run);

/* Bytes for N ratings of U people and I items. */
double tdm_grid_bytes(double N, double U, double I);

#endif
