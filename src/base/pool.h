/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - one pool of threads with one primitive.
 *
 * Chunk borders depend on n and grain, never on the number of threads. Results that must be added land in part[chunk]
 * and are added in chunk order, so that 1 and 7 threads give the same bits. */
#ifndef TDM_BASE_POOL_H
#define TDM_BASE_POOL_H

#include "base/status.h"

#include <stddef.h>

typedef struct tdm_pool tdm_pool;
typedef void tdm_range_fn(void *ctx, size_t chunk, size_t begin, size_t end);

/* `threads` counts the caller; 0 means one for each processor. */
tdm_status tdm_pool_open(tdm_pool **out, size_t threads, tdm_err *err);
void tdm_pool_close(tdm_pool *p);
size_t tdm_pool_threads(const tdm_pool *p);

/* Runs fn over [0, n) in chunks of `grain` (the last may be short) and returns when all are done. One caller at a
 * time, never from inside fn. `p` NULL: the caller does it all, in order. */
void tdm_pool_for(tdm_pool *p, size_t n, size_t grain, tdm_range_fn *fn, void *ctx);

/* How many chunks tdm_pool_for makes: the length of part[]. */
static inline size_t tdm_chunks(size_t n, size_t grain) { return (n + grain - 1) / grain; }

#endif
