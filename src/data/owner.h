/* SPDX-License-Identifier: Apache-2.0 */
/* owner.h - what the arrays of a dataset belong to. Inside this floor only. */
#ifndef TDM_DATA_OWNER_H
#define TDM_DATA_OWNER_H

#include "base/safetensors.h"
#include "data/dataset.h"

enum { TDM_OWNER_BLOCKS = 40 };

typedef struct tdm_owner {
    tdm_safetensors *file[2];      /* mapped files, or NULL */
    void *block[TDM_OWNER_BLOCKS]; /* of tdm_new */
    size_t n;
    const uint32_t *user_order; /* U; people by id in byte order */
    const uint32_t *item_order; /* I */
} tdm_owner;

/* A dataset of nothing, with its owner; NULL where memory is short. */
tdm_dataset *tdm_owner_dataset(void);

/* A block that goes with the dataset. */
void *tdm_owner_new(tdm_owner *o, size_t n, size_t size);

/* Hands a block of tdm_new over. */
void *tdm_owner_take(tdm_owner *o, void *block);

/* The strings' numbers in byte order of the strings; equal ones by number. */
tdm_status tdm_strings_order(uint32_t *order, const tdm_strings *s, tdm_err *err);

/* Fills has_ratings, has_times, the scale of the ratings (unless one is there) and the fingerprint. */
void tdm_dataset_derive(tdm_dataset *d);

#endif
