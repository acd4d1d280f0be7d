/* SPDX-License-Identifier: Apache-2.0 */
/* item_pairs.h - all pairs of items that one person chose, counted once, and what becomes of them: links.
 *
 * For items a and b, over the people u of both:
 *
 *     s = sum f_u^2        c = how many        t = sum x_ua x_ub        d = how many of them rated both
 *
 *     link(a, b)  = s c / (c + shrink) * source_a * target_b   [ / (length_a + length_b - s) ]
 *     rated(a, b) = t d / (d + rated_shrink) * scale_a * scale_b
 *
 * What else a similarity needs is in the vectors: see item_knn.c. Sums are of single precision in the order of people:
 * after n additions off by at most n 2^-24 of the sum of the sizes of what was added, and about sqrt(n) 2^-24 as a
 * rule; counts are exact up to 2^24. */
#ifndef TDM_CF_ITEM_PAIRS_H
#define TDM_CF_ITEM_PAIRS_H

#include "cf/links.h"
#include "cf/rows.h"

typedef struct tdm_item_pairs {
    tdm_rows *rows;        /* an item once a person; place[] is worked on */
    const float *person;   /* U: f_u^2 */
    const float *residual; /* N, beside rows->item: x, NaN where nothing was rated; or NULL: nobody rated */
    size_t k;              /* links kept for an item */
    size_t round;          /* cells of a round; 0: as many as are good */
    float shrink, rated_shrink;
    float *source, *target; /* I */
    float *length;          /* I, or NULL */
    float *scale;           /* I; not read without `residual` */
} tdm_item_pairs;

/* `rated` is left all-zero where nobody rated. */
tdm_status tdm_item_pairs_links(tdm_links *ranking, tdm_links *rated, const tdm_item_pairs *p, tdm_run *run,
                                const char *stage, tdm_err *err);

#endif
