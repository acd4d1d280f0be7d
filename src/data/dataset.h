/* SPDX-License-Identifier: Apache-2.0 */
/* dataset.h - a clean, indexed log of interactions with its texts, mapped from a dataset folder.
 *
 * People and items are numbered by a seeded hash of their ids, so that an index carries no meaning. A person's
 * interactions lie together in time order; equal times keep the order of the file:
 *
 *     person u:  item[offset[u] .. offset[u + 1]), rating[], time[], row[]          (CSR)
 *
 * On disk: dataset.json (counts, flags, health, checksums), dataset.safetensors (the CSR and the ids) and
 * text.safetensors (what items are called, what people wrote). */
#ifndef TDM_DATA_DATASET_H
#define TDM_DATA_DATASET_H

#include "base/bytes.h"
#include "base/run.h"

#include <stdbool.h>

#define TDM_NONE UINT32_MAX   /* no such person or item */
#define TDM_NO_TIME INT64_MIN /* an interaction without a time */

typedef struct tdm_dataset {
    size_t U, I, N;        /* people, items, interactions */
    const int64_t *offset; /* U + 1 */
    const uint32_t *item;  /* N */
    const float *rating;   /* N; NaN: none was given */
    const int64_t *time;   /* N; seconds since 1970, or TDM_NO_TIME */
    const uint32_t *row;   /* N; the interaction's row in summary and review */
    const uint8_t *part;   /* N, or NULL: 1 where the row came from the test file of a `files` split */
    tdm_strings user_id;   /* U */
    tdm_strings item_id;   /* I */
    tdm_strings title, brand, category, description; /* I each; "" where unknown. Categories are joined by '\n' */
    tdm_strings keywords;        /* I; other words about the item (a textual id, attributes), joined by '\n' */
    tdm_strings summary, review; /* a row of the whole log each; "" where none was written */
    bool has_ratings, has_times;
    float rating_low, rating_high; /* the scale of the ratings seen; 0 and 0 where there are none */
    bool hashed;                   /* people and items are in the order of XXH3(id, id_seed), ties by id */
    uint64_t id_seed;
    uint64_t fingerprint; /* of all of the above as read from disk: equal data, equal number */
    void *owner;          /* what the arrays belong to; see tdm_dataset_close */
} tdm_dataset;

/* Maps a dataset folder (or a model folder, which holds the same files) and checks every index and checksum. */
tdm_status tdm_dataset_open(tdm_dataset **out, const char *folder, tdm_err *err);
void tdm_dataset_close(tdm_dataset *d);

/* The person or item with this id, or TDM_NONE. A binary search, since their numbers are in the order of the hash. */
uint32_t tdm_dataset_user(const tdm_dataset *d, tdm_str id);
uint32_t tdm_dataset_item(const tdm_dataset *d, tdm_str id);

/* What to call an item: its title, else the first line of its keywords, else its id. Never empty. */
tdm_str tdm_dataset_name(const tdm_dataset *d, uint32_t item);

/* What we know of one person: the input of every model. Borrowed arrays in time order. */
typedef struct tdm_history {
    const uint32_t *items; /* n */
    const float *ratings;  /* n, NaN: none; or NULL: none at all */
    const int64_t *times;  /* n, TDM_NO_TIME: none; or NULL: none at all */
    size_t n;
    int64_t now;   /* when the question is asked; TDM_NO_TIME: unknown */
    uint32_t self; /* the asker's own row in the training set, only to leave it out; TDM_NONE for a stranger */
} tdm_history;

/* Person u's history in `d`, as one asks today: `now` is unknown, and not when the person was last here. */
tdm_history tdm_dataset_history(const tdm_dataset *d, uint32_t u);

#endif
