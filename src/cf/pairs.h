/* SPDX-License-Identifier: Apache-2.0 */
/* pairs.h - a symmetric items x items matrix as the pairs that are not zero, each kept once.
 *
 * A pair lies in the row of its rarer item (equally rare: the higher number). So the rows of best-sellers are short,
 * though they meet everything, and every row is at most as long as what a rare item meets, or what is more popular than
 * a popular one. */
#ifndef TDM_CF_PAIRS_H
#define TDM_CF_PAIRS_H

#include "cf/links.h"
#include "cf/rows.h"

/* Rows one behind the other, each rising. */
typedef struct tdm_pairs_piece {
    uint32_t *item;
    float *weight;
    size_t n, item_cap, weight_cap;
    bool failed;
} tdm_pairs_piece;

typedef struct tdm_pairs_row {
    size_t from;      /* in its piece */
    uint32_t n, many; /* pairs; people who chose the item */
} tdm_pairs_row;

typedef struct tdm_pairs {
    size_t I, grain, pieces;
    tdm_pairs_piece *piece; /* of `grain` items each */
    tdm_pairs_row *row;     /* I */
} tdm_pairs;

/* Every pair of two items that maker->row tallies, with maker->weight where that is not 0. `r` says how rare items are.
 */
tdm_status tdm_pairs_make(tdm_pairs *out, const tdm_rows *r, const tdm_links_maker *maker, tdm_run *run,
                          const char *stage, tdm_err *err);
void tdm_pairs_clear(tdm_pairs *p); /* all-zero is fine */

/* Writes the upper triangle of the matrix over n items, rising, to M, n x n in rows of ld; the diagonal is 0. slot: a
 * number for each item of the catalogue, all 0, and 0 again afterwards. */
void tdm_pairs_among(const tdm_pairs *p, float *M, size_t ld, const uint32_t *item, size_t n, uint32_t *slot);

/* No more pairs of places meet in histories than this, if a history's newest `longest` rows count. */
double tdm_pairs_most(const tdm_rows *r, size_t longest);

/* Both orders of a pair and every item with itself: no more cells than this are not 0. */
static inline double tdm_pairs_cells(const tdm_rows *r) { return 2 * tdm_pairs_most(r, SIZE_MAX) + (double)r->N; }

#endif
