/* SPDX-License-Identifier: Apache-2.0 */
/* influence.h - whose opinion puts items on the hybrid's lists, by how much is known of the person.
 *
 * The parts of a recommendation sum to its score. A part's share of an item is its size beside that of all parts, sign
 * left out; a person's is the mean over the list; that of a class of history lengths the mean over its people. */
#ifndef TDM_EVAL_INFLUENCE_H
#define TDM_EVAL_INFLUENCE_H

#include "eval/evaluate.h"

/* So many are asked at most: the first, and people are numbered by a hash of their ids. */
enum { TDM_INFLUENCE_PEOPLE = 1000, TDM_INFLUENCE_PARTS = 32 };

typedef struct tdm_influence {
    size_t P, list, people; /* parts; length of the lists; people in all. P 0: the subject is no hybrid */
    const char *name[TDM_INFLUENCE_PARTS]; /* the models' own */
    size_t of[TDM_LENGTHS];                /* people of a class */
    double share[TDM_LENGTHS][TDM_INFLUENCE_PARTS];
} tdm_influence;

tdm_status tdm_evaluate_influence(tdm_influence *out, const tdm_evaluate_input *in, tdm_run *run, tdm_err *err);

#endif
