/* SPDX-License-Identifier: Apache-2.0 */
/* items_evidence.c - why GPT-2 foretells an item: what is lost when a history item is left out.
 *
 *     part_j = max(0, log p(item | history) - log p(item | history without j))
 *     other  = max(0, log p(item | history) - log p(item | nothing) - sum of part)
 *
 * `other` is what the history says as a whole and no item alone: two items that say the same can each be spared. An
 * item that speaks against the recommendation is no reason for it and has no share. */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/items_parts.h"
#include "model/evidence.h"

/* log p(item) behind each of the S sequences; `logp` and `target` have a place for every token. */
static tdm_status ask(const tdm_items *m, float *logp, uint32_t *target, const uint32_t *token, const uint32_t *start,
                      size_t S, uint32_t item, tdm_err *err)
{
    tdm_gpt2_batch b = {.token = token, .start = start, .S = S, .N = start[S], .target = target};
    for (size_t i = 0; i < b.N; i++) target[i] = TDM_GPT2_SILENT;
    for (size_t s = 0; s < S; s++) target[start[s + 1] - 1] = item;
    tdm_status st = tdm_gpt2_logp(m->g, logp, &b, err);
    for (size_t s = 0; s < S && !st; s++) logp[s] = logp[start[s + 1] - 1]; /* s is never beyond where it ends */
    return st;
}

tdm_status tdm_items_because(const tdm_model *model, tdm_evidence *out, const tdm_history *h, uint32_t item,
                             tdm_err *err)
{
    const tdm_items *m = (const tdm_items *)model;
    *out = (tdm_evidence){.rest = 1};
    if (item >= m->I || !m->known[item] || !h->n) return TDM_OK;
    size_t T = m->g->s.T, most = h->n < T ? h->n + 1 : T, S = 0;
    /* sequences: all of the history, nothing, then one for each place that is read, newest first */
    uint32_t *token = tdm_new((most + 1) * most + 1, sizeof *token),
             *target = tdm_new((most + 1) * most + 1, sizeof *target);
    uint32_t *start = tdm_new(most + 3, sizeof *start);
    float *logp = tdm_new((most + 1) * most + 1, sizeof *logp);
    double *part = tdm_new(h->n, sizeof *part), sum = 0;
    size_t *place = tdm_new(most + 2, sizeof *place);
    tdm_status st = token && target && start && logp && part && place ? TDM_OK : tdm_nomem(err, "a history's shares");
    if (st) goto done;
    size_t n = tdm_items_tokens(m, token, h, SIZE_MAX);
    start[++S] = (uint32_t)n;
    token[n] = (uint32_t)m->I;
    start[++S] = (uint32_t)(n + 1);
    for (size_t j = h->n; j-- > 0 && S < n + 1;) {
        if (h->items[j] >= m->I) continue;
        size_t at = start[S];
        place[S] = j;
        start[S + 1] = (uint32_t)(at + tdm_items_tokens(m, token + at, h, j));
        S++;
    }
    st = ask(m, logp, target, token, start, S, item, err);
    for (size_t s = 2; s < S && !st; s++) {
        double lost = (double)logp[0] - (double)logp[s];
        sum += part[place[s]] = lost > 0 ? lost : 0;
    }
    double gain = (double)logp[0] - (double)logp[1];
    if (!st) tdm_evidence_shares(out, h, part, gain > sum ? gain - sum : 0);

done:
    tdm_free(token);
    tdm_free(target);
    tdm_free(start);
    tdm_free(logp);
    tdm_free(part);
    tdm_free(place);
    return st;
}
