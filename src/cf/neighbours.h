/* SPDX-License-Identifier: Apache-2.0 */
/* neighbours.h - the k people nearest to a history by the cosine of similar.h, without looking at everybody.
 *
 * With w_j = a_j b_j for item j of the history and c shared items,
 *
 *     s_v = (sum of w_j over the shared j) * c / (c + shrink) / (|a| |b_v|)
 *
 * People are numbered by |b_v|, shortest first, and met in blocks of that order, each small enough that its sums stay
 * in the first cache. Once k people are found, the worst of them has s_k. Nobody of a block can be better whose sum is
 * below s_k (c + shrink) / c |a| |b| with |b| the shortest of the block and c the history's length: one comparison of
 * integers. And the search ends where the sum of all w_j is below that. (Ordering by length, and bounds from it:
 * Bayardo, Ma and Srikant, "Scaling Up All Pairs Similarity Search", WWW 2007.) Both are exact.
 *
 * With `unread` above 0 the search is approximate: the lists of people that say least for their length (old and common
 * items: long lists of small w_j) are not read, as long as their w_j make no more than that part of the sum of all.
 * Nobody's sum is missed by more than that part of it, and those who are found get their whole sum from their own rows
 * in the end. (Cutting inverted lists: Carmel et al., "Static Index Pruning", SIGIR 2001.) */
#ifndef TDM_CF_NEIGHBOURS_H
#define TDM_CF_NEIGHBOURS_H

#include "cf/similar.h"

/* People by length. */
typedef struct tdm_crowd {
    uint32_t *id;   /* U: the training row of each rank */
    uint32_t *who;  /* N: ranks, rising within an item; item i has who[rows.from[i] .. rows.from[i + 1]) */
    double *length; /* U: |b_v| of each rank, rising */
} tdm_crowd;

tdm_status tdm_crowd_make(tdm_crowd *out, const tdm_people *p, tdm_err *err);
void tdm_crowd_clear(tdm_crowd *c); /* all-zero is fine */

/* Room for a search and what it found. One thread uses one of these for one history after another. */
typedef struct tdm_neighbours {
    size_t k, n;      /* asked for; found */
    uint32_t *user;   /* n training rows, most similar first, equal ones by row */
    float *s;         /* n */
    uint32_t *anchor; /* n: where in the row of user[] the newest shared item of the history stands */
    uint32_t *slot;   /* I; scratch: 1 + the item's place in the probe */
    uint64_t *sums;   /* of a block; scratch */
    size_t cap;
    struct tdm_list *list; /* cap; scratch */
    uint64_t *weight;      /* cap; scratch */
    double *share;         /* cap; scratch */
} tdm_neighbours;

tdm_status tdm_neighbours_make(tdm_neighbours *out, const tdm_people *p, size_t k, tdm_err *err);
void tdm_neighbours_clear(tdm_neighbours *s); /* all-zero is fine */

/* The probe is of TDM_COSINE. */
tdm_status tdm_neighbours_find(tdm_neighbours *s, const tdm_people *p, const tdm_crowd *c, const tdm_probe *q,
                               double shrink, double unread, tdm_err *err);

#endif
