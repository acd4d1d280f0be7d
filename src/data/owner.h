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
} tdm_owner;

#define TDM_DATASET_MAIN "dataset.safetensors"
#define TDM_DATASET_TEXT "text.safetensors"
#define TDM_DATASET_DRAFT ".new" /* behind the names of files that dataset.json does not vouch for yet */

/* A dataset of nothing, with its owner; NULL where memory is short. */
tdm_dataset *tdm_owner_dataset(void);

/* A block that goes with the dataset. */
void *tdm_owner_new(tdm_owner *o, size_t n, size_t size);

/* Hands a block of tdm_new over. */
void *tdm_owner_take(tdm_owner *o, void *block);

/* Maps the two files of arrays of people, items and interactions as many as `counts` says: the drafts where `draft`,
 * else those of a dataset, which are gone through for what cannot be. */
tdm_status tdm_dataset_map(tdm_dataset **out, const char *folder, const size_t counts[3], uint64_t id_seed, bool draft,
                           tdm_err *err);

/* Fills has_ratings, has_times, the scale of the ratings (unless one is there) and the fingerprint. */
void tdm_dataset_derive(tdm_dataset *d);

#endif
