/* SPDX-License-Identifier: Apache-2.0 */
/* items_evidence.c - why GPT-2 foretells an item: what is lost when a history item is left out.
 *
 *     part_j = max(0, log p(item | history) - log p(item | history without j))
 * other = max(0, log p(item | history) - log(share of all choices) - sum of part)
 *
 * `other` is what lifts the item above its popularity and no history item does alone: two items that say the same can
 * each be spared. (What GPT-2 foretells for an empty history is no measure: that is who comes first, not who is
 * popular.) An item that speaks against the recommendation is no reason for it and has no share. */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/items_parts.h"
#include "model/evidence.h"

#include <math.h>

enum { TOKENS = 4096 }; /* of a batch, or one sequence more */

/* Variants of one history that wait to be asked, and the places that they leave out. */
typedef struct asking {
    const tdm_items *m;
    uint32_t item;
    size_t S;
    uint32_t *token, *target, *start;
    size_t *place;
    float *logp;
    double *without; /* by place in the history: log p without it; NAN where it is not read */
    double with;
} asking;

static tdm_status flush(asking *a, tdm_err *err)
{
    const tdm_gpt2_batch b = {
        .token = a->token, .start = a->start, .S = a->S, .N = a->start[a->S], .target = a->target};
    for (size_t i = 0; i < b.N; i++) a->target[i] = TDM_GPT2_SILENT;
    for (size_t s = 0; s < b.S; s++) a->target[b.start[s + 1] - 1] = a->item;
    tdm_status st = b.S ? tdm_gpt2_logp(a->m->g, a->logp, &b, err) : TDM_OK;
    for (size_t s = 0; s < b.S && !st; s++) {
        double x = (double)a->logp[b.start[s + 1] - 1];
        if (a->place[s] == SIZE_MAX) a->with = x;
        else a->without[a->place[s]] = x;
    }
    a->S = 0;
    return st;
}

static tdm_status add(asking *a, const tdm_history *h, size_t skip, tdm_err *err)
{
    uint32_t at = a->start[a->S];
    a->place[a->S++] = skip;
    a->start[a->S] = at + (uint32_t)tdm_items_tokens(a->m, a->token + at, h, skip);
    return a->start[a->S] >= TOKENS ? flush(a, err) : TDM_OK;
}

tdm_status tdm_items_because(const tdm_model *model, tdm_evidence *out, const tdm_history *h, uint32_t item,
                             tdm_err *err)
{
    const tdm_items *m = (const tdm_items *)model;
    *out = (tdm_evidence){.rest = 1};
    if (item >= m->I || !m->known[item] || !h->n) return TDM_OK;
    size_t T = m->g->s.T, room = TOKENS + T;
    asking a = {.m = m,
                .item = item,
                .token = tdm_new(room, sizeof *a.token),
                .target = tdm_new(room, sizeof *a.target),
                .start = tdm_new(TOKENS + 1, sizeof *a.start),
                .place = tdm_new(TOKENS, sizeof *a.place),
                .logp = tdm_new(room, sizeof *a.logp),
                .without = tdm_new(h->n, sizeof *a.without)};
    tdm_status st = TDM_OK;
    if (!a.token || !a.target || !a.start || !a.place || !a.logp || !a.without)
        st = tdm_nomem(err, "a history's shares");
    for (size_t j = 0; j < h->n && !st; j++) a.without[j] = NAN;
    if (!st) st = add(&a, h, SIZE_MAX, err);
    size_t read = 1;
    for (size_t j = h->n; j-- > 0 && read < T && !st;)
        if (h->items[j] < m->I) {
            st = add(&a, h, j, err);
            read++;
        }
    if (!st) st = flush(&a, err);
    double sum = 0, *part = a.without;
    for (size_t j = 0; j < h->n && !st; j++) {
        part[j] = a.with > a.without[j] ? a.with - a.without[j] : 0;
        sum += part[j];
    }
    double gain = a.with - (double)m->prior[item];
    if (!st) tdm_evidence_shares(out, h, part, gain > sum ? gain - sum : 0);
    tdm_free(a.token);
    tdm_free(a.target);
    tdm_free(a.start);
    tdm_free(a.place);
    tdm_free(a.logp);
    tdm_free(a.without);
    return st;
}
