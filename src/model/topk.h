/* SPDX-License-Identifier: Apache-2.0 */
/* topk.h - the one order of a ranking: higher score first, equal scores by item index. */
#ifndef TDM_MODEL_TOPK_H
#define TDM_MODEL_TOPK_H

#include <stddef.h>
#include <stdint.h>

/* The best k of n scores into items[k] and best[k] (best may be NULL); returns how many there are, fewer than k where
 * fewer than k are above -INFINITY. A heap of k: O(n + k log k) for the usual n >> k. NaN never ranks. */
size_t tdm_topk(uint32_t *items, float *best, const float *scores, size_t n, size_t k);

#endif
