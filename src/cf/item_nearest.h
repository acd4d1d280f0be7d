/* SPDX-License-Identifier: Apache-2.0 */
/* item_nearest.h - of all weights that stream by for each of I rows, in any order, the k strongest stay.
 *
 * Stronger is larger in absolute value, and of equal ones the lower item: a total order, so what stays depends on what
 * was added and not on when. A weight is one number that sorts that way,
 *
 *     key = bits of |w| (31) | ~item (32) | sign (1)
 *
 * and a row holds up to k + k/2 keys (k + 128 where that is more). When it is full, the k largest stay, and the
 * smallest of these is what a later one must beat. Most later ones do not and cost one comparison with least[row]. */
#ifndef TDM_CF_ITEM_NEAREST_H
#define TDM_CF_ITEM_NEAREST_H

#include "cf/links.h"

typedef struct tdm_nearest {
    size_t I, k;
    size_t *at;      /* I + 1: where a row's keys begin */
    uint32_t *n;     /* I: keys of a row now */
    uint64_t *floor; /* I: what a key must exceed */
    float *least;    /* I + 4: the |w| of that; 2^-100 at first, so that what is no link passes nowhere */
    uint64_t *key;
} tdm_nearest;

/* most[a]: a row never gets more than these. */
tdm_status tdm_nearest_make(tdm_nearest *out, size_t I, size_t k, const size_t *most, tdm_err *err);
void tdm_nearest_clear(tdm_nearest *s); /* all-zero is fine */

/* How many bytes tdm_nearest_make will take. */
size_t tdm_nearest_bytes(size_t I, size_t k, const size_t *most);

/* Each item at most once a row. Two threads may add at once to different rows. */
void tdm_nearest_add(tdm_nearest *s, uint32_t row, uint32_t item, float w);

/* What stayed, as links: row[i] is the row of item i. Takes what `s` holds apart: add no more. */
tdm_status tdm_nearest_links(tdm_links *out, tdm_nearest *s, const uint32_t *row, tdm_run *run, tdm_err *err);

#endif
