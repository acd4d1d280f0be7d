/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - the training rows as these models read them: person by person and item by item.
 *
 *     person u:  item[offset[u] .. offset[u + 1]), rating[]                 in time order
 *     item i:    user[from[i] .. from[i + 1]), place[]                      people rising
 *
 * user[] and place[] say where the item stands: item[offset[user] + place] == i. */
#ifndef TDM_CF_ROWS_H
#define TDM_CF_ROWS_H

#include "data/dataset.h"

typedef struct tdm_rows {
    size_t U, I, N;
    int64_t *offset; /* U + 1 */
    uint32_t *item;  /* N */
    float *rating;   /* N; NaN: none */
    int64_t *from;   /* I + 1 */
    uint32_t *user;  /* N */
    uint32_t *place; /* N */
} tdm_rows;

/* Keeps of each person the newest `longest` rows; with `once` an item counts once for a person, at its newest row. An
 * item number that is not below I is TDM_E_FORMAT. */
tdm_status tdm_rows_make(tdm_rows *out, const tdm_dataset *train, size_t longest, bool once, tdm_err *err);
void tdm_rows_clear(tdm_rows *r); /* all-zero is fine */

/* How many people chose item i (rows, where `once` was not asked for). */
static inline size_t tdm_rows_count(const tdm_rows *r, size_t i) { return (size_t)(r->from[i + 1] - r->from[i]); }

#endif
