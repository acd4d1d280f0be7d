/* SPDX-License-Identifier: Apache-2.0 */
/* scale.h - the scale of a log's ratings, found while it is read, and the few ratings outside it.
 *
 * A scale is 0..5, 0..10, 0..100 or open, with or without negative numbers: the narrowest that at least nine of ten
 * ratings fit. Ratings that would need a wider one are remembered with their place, to be rejected at the end. Inside
 * this floor only. */
#ifndef TDM_DATA_SCALE_H
#define TDM_DATA_SCALE_H

#include "base/bytes.h"

typedef struct tdm_outside {
    double rating;
    size_t file, line;
    uint64_t offset;
    size_t at, n; /* raw record in the scale's `bytes`, which may have been left out */
} tdm_outside;

/* All zero is an empty one. */
typedef struct tdm_scale {
    size_t rated, level;
    tdm_outside *out;
    size_t n, cap;
    tdm_buf bytes;
} tdm_scale;

void tdm_scale_clear(tdm_scale *s);
/* Up to where ratings are surely inside the scale as far as it is known: 0 .. that. */
double tdm_scale_high(const tdm_scale *s);

/* Counts `rated` more ratings, of which those at `where`, whose records are pieces of `raw`, may be outside. False:
 * memory is short. */
bool tdm_scale_add(tdm_scale *s, size_t rated, const tdm_outside *where, size_t n, tdm_str raw);

/* Settles the scale: afterwards out[0 .. n) are what lies outside [*low, *high]. *none: -1 is the only negative number
 * beside a scale of 5, 10 or 100, so it stands for "seen, not rated" (as in logs of films and books). */
void tdm_scale_end(tdm_scale *s, double *low, double *high, bool *none);

#endif
