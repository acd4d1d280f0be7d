/* SPDX-License-Identifier: Apache-2.0 */
/* blocks.h - a raw file in pieces that end where a record ends, so that they can be read side by side. Inside this
 * floor only. */
#ifndef TDM_DATA_BLOCKS_H
#define TDM_DATA_BLOCKS_H

#include "data/shape.h"

enum { TDM_BLOCK_PADDING = 64 }; /* bytes that may be read behind a block; zero */

/* All zero is empty; tdm_block_clear releases. */
typedef struct tdm_block {
    char *p;
    size_t n, cap;
    bool first;      /* of the file */
    size_t line;     /* where it begins in the file, from 1 */
    uint64_t offset; /* the same in unpacked bytes */
} tdm_block;

void tdm_block_clear(tdm_block *b);

/* The next records of the file, about half a megabyte of them; *more is false at the end. */
tdm_status tdm_block_next(tdm_block *b, tdm_source *s, const tdm_shape *shape, bool *more, tdm_err *err);

#endif
