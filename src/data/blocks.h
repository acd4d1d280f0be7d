/* SPDX-License-Identifier: Apache-2.0 */
/* blocks.h - a raw file in pieces that end where a record ends, so that they can be read side by side. Inside this
 * floor only. */
#ifndef TDM_DATA_BLOCKS_H
#define TDM_DATA_BLOCKS_H

#include "data/shape.h"

enum {
    TDM_BLOCK = 1 << 19,   /* bytes of a block, about */
    TDM_BLOCK_PADDING = 64 /* bytes that may be read behind a block; zero */
};

/* All zero is empty; tdm_block_clear releases. */
typedef struct tdm_block {
    char *p;
    size_t n, cap;
    size_t line;     /* where it begins in the file, from 1 */
    uint64_t offset; /* the same in unpacked bytes */
} tdm_block;

void tdm_block_clear(tdm_block *b);

/* The next records of the file, `most` bytes of them or one; *more is false at the end. Whatever `most` is, the blocks
 * one after another hold the same records. */
tdm_status tdm_block_next(tdm_block *b, tdm_source *s, const tdm_shape *shape, size_t most, bool *more, tdm_err *err);

/* How much of what lies `ahead` is the next block; 0: more bytes are needed (never where `last`, unless nothing is
 * ahead). */
size_t tdm_block_cut(const tdm_shape *shape, tdm_str ahead, size_t most, bool last);

#endif
