/* SPDX-License-Identifier: Apache-2.0 */
/* recency.h - how much each item of a history counts: decay^(steps from its end).
 *
 * An item that repeats counts once, at its newest place. What counts less than a millionth of the newest is left out,
 * so a long history costs no more than its end. */
#ifndef TDM_CF_RECENCY_H
#define TDM_CF_RECENCY_H

#include "data/dataset.h"

typedef struct tdm_recency {
    size_t n;
    uint32_t *item; /* n, newest first, each once */
    double *weight; /* n; the newest has 1 */
    size_t *at;     /* n; the place in the history */
} tdm_recency;

/* Items at or above I are left out: a stranger's history may name what the model has never seen. */
tdm_status tdm_recency_make(tdm_recency *out, const tdm_history *h, double decay, size_t I, tdm_err *err);
void tdm_recency_clear(tdm_recency *r); /* all-zero is fine */

#endif
