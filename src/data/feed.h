/* SPDX-License-Identifier: Apache-2.0 */
/* feed.h - a file's blocks read side by side and taken in order. Inside this floor only. */
#ifndef TDM_DATA_FEED_H
#define TDM_DATA_FEED_H

#include "base/run.h"
#include "data/reader.h"

enum { TDM_FEED_SLOTS = 16 };

/* While one thread unpacks the next blocks, the others read those at hand: read(ctx, slot, …) is called for a block in
 * any thread, then take(ctx, slots, …) in the caller's for slots 0 .. slots - 1, which are in the order of the file. */
typedef struct tdm_feed {
    void *ctx;
    tdm_status (*read)(void *ctx, size_t slot, tdm_records *records, const tdm_block *block, tdm_err *err);
    tdm_status (*take)(void *ctx, size_t slots, tdm_err *err);
} tdm_feed;

tdm_status tdm_feed_file(const tdm_feed *f, tdm_reader *r, tdm_run *run, tdm_err *err);

#endif
