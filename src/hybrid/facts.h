/* SPDX-License-Identifier: Apache-2.0 */
/* facts.h - what the training rows say about one recommendation, in numbers; and the sentences made from them. Inside
 * this folder only.
 *
 * Nothing but training rows of other people is counted or quoted: not what was held out, and not the asker's own. */
#ifndef TDM_HYBRID_FACTS_H
#define TDM_HYBRID_FACTS_H

#include "hybrid/explain.h"

enum { TDM_FACTS_NAMED = 3, TDM_FACTS_LINES = 8, TDM_NAME_BYTES = 80, TDM_LEAD_NAME_BYTES = 60, TDM_QUOTE_BYTES = 160 };

/* A history item that led to the recommendation. */
typedef struct tdm_fact {
    uint32_t item;
    bool liked;                 /* rated well; else it was chosen, which is all we know */
    size_t people, both, after; /* other people who chose it; of them who chose the recommended too; and after it */
} tdm_fact;

typedef struct tdm_facts {
    const tdm_explain_input *in;
    const tdm_evidence *evidence;
    tdm_fact named[TDM_FACTS_NAMED];
    size_t n_named;
    size_t people, ratings; /* who chose the recommended item, and who rated it */
    double rating_sum;
    tdm_str quote;  /* as it was written; empty: none */
    tdm_buf quoted; /* holds it, tidy */
} tdm_facts;

/* The rating of the newest place of `item` in the history; NaN where there is none. */
float tdm_facts_rating(const tdm_history *h, uint32_t item);

/* From where on a rating says "liked": the line that was given, else the upper two fifths of the scale. NaN: nothing is
 * known to. */
float tdm_facts_liked_from(const tdm_explain_input *in);

/* `e` holds what may be named: no dislikes. One pass over the training rows. */
tdm_status tdm_facts_find(tdm_facts *out, const tdm_explain_input *in, const tdm_evidence *e, tdm_err *err);
void tdm_facts_clear(tdm_facts *f);

/* Sentences, most telling first, into lines[0 .. *n), each a buffer of its own to clear. None holds a blocked word. */
tdm_status tdm_facts_lines(tdm_buf lines[TDM_FACTS_LINES], size_t *n, const tdm_facts *f, tdm_err *err);

/* Appends what somebody who chose the item wrote, in quotation marks and said to be that. */
void tdm_quote_add(tdm_buf *out, tdm_str sentence);

/* One sentence to the asker that says the most telling of it. Where that would hold a blocked word, as the title of a
 * history item may, what another history item says, else how many chose it; empty where each of them would. */
tdm_status tdm_facts_say(tdm_buf *out, const tdm_facts *f, tdm_err *err);

/* What led to it, as a sentence begins that somebody else ends: 'Because you liked "Green tea" and "Cup": '. Two
 * history items where there are two, else one, else how many people with a similar history chose it, else how many
 * chose it; empty where nobody did, or where each of these would hold a blocked word. */
tdm_status tdm_facts_lead(tdm_buf *out, const tdm_facts *f, tdm_err *err);

#endif
