/* SPDX-License-Identifier: Apache-2.0 */
/* square.h - a dense items x items matrix, for the models that invert one.
 *
 * It is made where it fits: no more than `most_items`, and no more than half of the machine's memory holds. Elsewhere
 * each item has a regression of its own (local.h). Who asks for the matrix all the same gets one of the most chosen
 * items that fit, and the others stay without links. The log says what was done and what it takes, before it is done.
 */
#ifndef TDM_CF_SQUARE_H
#define TDM_CF_SQUARE_H

#include "base/run.h"
#include "cf/rows.h"
#include "model/params.h"

typedef struct tdm_square {
    size_t n;
    uint32_t *item; /* n, rising: whose row and column each is */
    uint32_t *slot; /* I: the row of an item, or TDM_NONE */
    float *at;      /* n x n, all zero */
} tdm_square;

/* Bytes that a fit may take: half of the machine's memory. */
double tdm_square_room(void);

/* Whether one matrix is what the parameter "form" asks for (1: yes; 2: no), or, with 0, what "most_items" and the
 * memory allow for all I items. */
bool tdm_square_chosen(size_t I, const tdm_params *p, double pairs);

/* For the foreseen memory: `links` an item keeps of its row, and `pairs` of items of a second, sparse matrix (at most).
 */
tdm_status tdm_square_make(tdm_square *out, const tdm_rows *r, size_t most_items, size_t links, double pairs,
                           tdm_run *run, const char *stage, tdm_err *err);
void tdm_square_clear(tdm_square *s); /* all-zero is fine */

#endif
