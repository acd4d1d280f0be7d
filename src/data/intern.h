/* SPDX-License-Identifier: Apache-2.0 */
/* intern.h - each distinct id once, numbered by first appearance: an open hash table over one blob of bytes. */
#ifndef TDM_DATA_INTERN_H
#define TDM_DATA_INTERN_H

#include "data/dataset.h"

/* All zero is an empty table, once `seed` is set. */
typedef struct tdm_intern {
    uint64_t seed;
    tdm_buf bytes;
    int64_t *offset; /* n + 1 */
    uint64_t *hash;  /* n; XXH3 of the id with the seed */
    uint32_t *slot;  /* number + 1, or 0; room is a power of two */
    size_t n, offset_cap, hash_cap, room;
} tdm_intern;

/* The id's number, added where it is new; TDM_NONE where memory is short. */
uint32_t tdm_intern_add(tdm_intern *t, tdm_str id);

/* The id's number, or TDM_NONE. */
uint32_t tdm_intern_find(const tdm_intern *t, tdm_str id);

tdm_str tdm_intern_at(const tdm_intern *t, size_t i);
void tdm_intern_clear(tdm_intern *t);

#endif
