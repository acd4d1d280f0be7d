/* SPDX-License-Identifier: Apache-2.0 */
/* agree.h - what fuzzers of readers share: the same records must come of a file wherever it is cut into blocks. */
#ifndef TDM_FUZZ_AGREE_H
#define TDM_FUZZ_AGREE_H

#include "data/records_text.h"

/* Stops the program with both readings where blocks of some size give other records than the file in one piece. Returns
 * how many records there are. */
size_t blocks_agree(const tdm_shape *shape, tdm_str text);

/* Takes the last byte off an input to steer by; 0: none was there. A line's end is 0 too, so that a plain file is an
 * input without more. */
uint8_t steering(const uint8_t *p, size_t *n);

#endif
