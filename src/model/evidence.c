/* SPDX-License-Identifier: Apache-2.0 */
#include "model/evidence.h"

void tdm_evidence_item(tdm_evidence *e, uint32_t item, float share)
{
    if (!(share < 0 || share > 0)) return;
    size_t at = 0;
    while (at < e->n_because && e->because[at].item != item) at++;
    if (at < e->n_because) { /* take it out and put the sum in its new place */
        share += e->because[at].share;
        for (; at + 1 < e->n_because; at++) e->because[at] = e->because[at + 1];
        e->n_because--;
    }
    for (at = e->n_because; at > 0; at--) {
        bool before =
            share > e->because[at - 1].share || (share == e->because[at - 1].share && item < e->because[at - 1].item);
        if (!before) break;
        if (at < TDM_EVIDENCE_ITEMS) e->because[at] = e->because[at - 1];
    }
    if (at == TDM_EVIDENCE_ITEMS) return;
    e->because[at].item = item;
    e->because[at].share = share;
    if (e->n_because < TDM_EVIDENCE_ITEMS) e->n_because++;
}

void tdm_evidence_person(tdm_evidence *e, uint32_t user, float similarity)
{
    if (!(similarity < 0 || similarity > 0)) return;
    size_t at = e->n_people;
    for (; at > 0; at--) {
        bool before = similarity > e->people[at - 1].similarity ||
                      (similarity == e->people[at - 1].similarity && user < e->people[at - 1].user);
        if (!before) break;
        if (at < TDM_EVIDENCE_PEOPLE) e->people[at] = e->people[at - 1];
    }
    if (at == TDM_EVIDENCE_PEOPLE) return;
    e->people[at].user = user;
    e->people[at].similarity = similarity;
    if (e->n_people < TDM_EVIDENCE_PEOPLE) e->n_people++;
}

void tdm_evidence_shares(tdm_evidence *e, const tdm_history *h, const double *part, double other)
{
    double sum = other, listed = 0;
    for (size_t j = 0; j < h->n; j++) sum += part[j];
    e->n_because = 0;
    e->rest = 1;
    if (!(sum > 0)) return;
    for (size_t j = 0; j < h->n; j++) {
        bool first = true; /* an item that repeats is dealt with where it stands first */
        double amount = 0;
        for (size_t i = 0; i < h->n && first; i++)
            if (h->items[i] == h->items[j]) {
                if (i < j) first = false;
                amount += part[i];
            }
        if (first) tdm_evidence_item(e, h->items[j], (float)(amount / sum));
    }
    for (size_t i = 0; i < e->n_because; i++) listed += (double)e->because[i].share;
    e->rest = (float)(1 - listed);
}
