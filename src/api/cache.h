/* SPDX-License-Identifier: Apache-2.0 */
/* cache.h - texts by key, as many as fit into so many bytes; the one that was not asked for the longest goes first.
 * Every call but _open and _close may come from many threads at once. Inside this folder. */
#ifndef TDM_API_CACHE_H
#define TDM_API_CACHE_H

#include "base/bytes.h"
#include "base/status.h"

typedef struct tdm_cache tdm_cache;

typedef struct tdm_cache_counts {
    uint64_t found, missed; /* of what was asked for */
    size_t kept, bytes;     /* texts, and what they and their keys take */
    size_t most;            /* bytes */
} tdm_cache_counts;

tdm_status tdm_cache_open(tdm_cache **out, size_t most, tdm_err *err); /* most 0: keeps nothing */
void tdm_cache_close(tdm_cache *c);

/* *text: a copy of the text of `key`, the caller's to tdm_free; NULL: it is not here. */
tdm_status tdm_cache_find(tdm_cache *c, char **text, tdm_str key, tdm_err *err);

/* Keeps a text that was made. Where the key has one already that one stays; where memory is short none is kept, which
 * is no failure of the caller's. */
void tdm_cache_add(tdm_cache *c, tdm_str key, tdm_str text);

/* Forgets what is kept, and keeps up to `most` bytes from here on. Counts go on. */
void tdm_cache_resize(tdm_cache *c, size_t most);

tdm_cache_counts tdm_cache_counted(tdm_cache *c);

#endif
