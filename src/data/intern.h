/* SPDX-License-Identifier: Apache-2.0 */
/* intern.h - each distinct id once, numbered by first appearance: an open hash table over one blob of bytes. Inside
 * this floor only.
 *
 * A log's people, and its items, are kept in TDM_PARTS such tables, by the first byte of the hash of their id: parts
 * are filled by different threads, and one behind another they are in the order of the hash. */
#ifndef TDM_DATA_INTERN_H
#define TDM_DATA_INTERN_H

#include "data/dataset.h"

enum { TDM_PARTS = 256, TDM_PART_MOST = (1 << 24) - 1 };

static inline size_t tdm_part_of(uint64_t hash) { return (size_t)(hash >> 56); }

uint64_t tdm_id_hash(tdm_str id, uint64_t seed); /* XXH3 */

/* All zero is an empty table. */
typedef struct tdm_intern {
    tdm_buf bytes;
    int64_t *offset; /* n + 1 */
    uint64_t *hash;  /* n */
    uint32_t *slot;  /* number + 1, or 0; room is a power of two */
    size_t n, offset_cap, hash_cap, room;
} tdm_intern;

/* The number of the id with this hash, added where it is new; TDM_NONE where memory is short or TDM_PART_MOST ids are
 * there. */
uint32_t tdm_intern_add(tdm_intern *t, tdm_str id, uint64_t hash);

/* The id's number, or TDM_NONE. */
uint32_t tdm_intern_find(const tdm_intern *t, tdm_str id, uint64_t hash);

/* The numbers of all ids in the order of (hash, id). `order` holds t->n. False where memory is short. */
bool tdm_intern_order(uint32_t *order, const tdm_intern *t);

tdm_str tdm_intern_at(const tdm_intern *t, size_t i);
void tdm_intern_clear(tdm_intern *t);

#endif
