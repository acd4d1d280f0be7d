/* SPDX-License-Identifier: Apache-2.0 */
/* recommend.h - what one question and everybody's have in common. Inside this folder. */
#ifndef TDM_API_RECOMMEND_H
#define TDM_API_RECOMMEND_H

#include "api/bundle.h"
#include "hybrid/diverse.h"

/* The items that the recommender, q->exclude and q->category leave out: 1 in (*barred)[I], the caller's to tdm_free;
 * NULL: none. Unknown ids and categories are errors that name the nearest ones. */
tdm_status tdm_barred_make(uint8_t **barred, const tdm_recommender *r, const tdm_query *q, tdm_err *err);

/* What q->diversity asks for, with the vectors of the bundle's items; weight 0 where it asks for nothing. One outside 0
 * .. 1, or items without vectors, are an error. */
tdm_status tdm_diversity_make(tdm_diversity *d, double weight, const tdm_bundle *b, tdm_err *err);

/* What a question with a history of n items is put to: `m`, or popularity where there is no history and nobody chose a
 * model. */
const tdm_model *tdm_asked_model(const tdm_bundle *b, const tdm_query *q, const tdm_model *m, size_t n);

/* What to note beside a list of `found` of the `asked` items from `m`, where `chosen` would have been asked by somebody
 * with a history; filtered: some items were barred. false: nothing is unusual. */
enum { TDM_NOTE = 160 };
bool tdm_list_note(char note[TDM_NOTE], bool filtered, const tdm_model *chosen, const tdm_model *m, size_t found,
                   size_t asked);

#endif
