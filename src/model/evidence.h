/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.h - how a model fills a tdm_evidence: the largest few are kept, in order, whatever the order of adding. */
#ifndef TDM_MODEL_EVIDENCE_H
#define TDM_MODEL_EVIDENCE_H

#include "model/model.h"

/* Adds `share` to a history item: an item named again collects its shares only while it is listed, so a model whose
 * history repeats items adds them up first. The eight largest stay; equal shares order by item. Zero and NaN are not
 * evidence and are left out. */
void tdm_evidence_item(tdm_evidence *e, uint32_t item, float share);

/* The same for people, by similarity. */
void tdm_evidence_person(tdm_evidence *e, uint32_t user, float similarity);

/* From amounts part[j] that history item j adds to a score: shares amount / sum of all, repeated items added up, `rest`
 * what the eight listed leave of 1. `other` is an amount that belongs to no history item (a prior, say). A sum of zero
 * gives no evidence and a rest of 1. */
void tdm_evidence_shares(tdm_evidence *e, const tdm_history *h, const double *part, double other);

#endif
