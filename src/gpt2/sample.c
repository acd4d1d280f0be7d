/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c - temperature, then the top_k likeliest, then the fewest of them that hold top_p, then those that min_p
 * leaves, then one draw. */
#include "gpt2/decode.h"
#include "kernels/kernels.h"

#include <math.h>

/* Whether token a ranks before b: the likelier, equal ones by number. */
static bool before(const float *logits, uint32_t a, uint32_t b)
{
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

/* A heap with the best token on top, or, turned, with the worst. */
static void sink(uint32_t *heap, size_t n, size_t at, const float *logits, bool turned)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(logits, heap[child + 1], heap[child]) != turned) child++;
        if (before(logits, heap[child], heap[at]) == turned) return;
        uint32_t x = heap[at];
        heap[at] = heap[child], heap[child] = x;
    }
}

double tdm_log_mass(const float *logits, size_t V)
{
    enum { PART = 1024 };
    const tdm_kernels *k = tdm_kernels_best();
    float work[PART], most = k->max(logits, V);
    double sum = 0;
    for (size_t v = 0; v < V; v += PART) sum += (double)k->exp_sum(work, logits + v, most, V - v < PART ? V - v : PART);
    return (double)most + log(sum);
}

void tdm_penalise(float *logits, const uint32_t *said, size_t n, float penalty, uint8_t *seen)
{
    for (size_t i = 0; i < n; i++) {
        if (!seen[said[i]]) logits[said[i]] *= logits[said[i]] > 0 ? 1 / penalty : penalty;
        seen[said[i]] = 1;
    }
    for (size_t i = 0; i < n; i++) seen[said[i]] = 0;
}

/* The `keep` best of n tokens, as a heap with the best on top; returns how many. Where few are kept a heap of them with
 * the worst on top lets the others pass by with one comparison each. */
static size_t candidates(uint32_t *at, const float *logits, const uint32_t *allowed, size_t n, size_t keep)
{
    for (size_t i = 0; i < keep; i++) at[i] = allowed ? allowed[i] : (uint32_t)i;
    for (size_t i = keep / 2; keep < n && i-- > 0;) sink(at, keep, i, logits, true);
    for (size_t i = keep; i < n; i++) {
        uint32_t token = allowed ? allowed[i] : (uint32_t)i;
        if (!before(logits, token, at[0])) continue;
        at[0] = token;
        sink(at, keep, 0, logits, true);
    }
    for (size_t i = keep / 2; i-- > 0;) sink(at, keep, i, logits, false);
    return keep;
}

uint32_t tdm_sample(const float *logits, size_t V, const uint32_t *allowed, size_t n, const tdm_sampling *how,
                    tdm_rng *rng, double *logp, float *work, uint32_t *work_at)
{
    double total = 0, most = 0, all = 0;
    if (!allowed) n = V;
    size_t keep = how->temperature > 0 ? how->top_k && how->top_k < n ? how->top_k : n : 1, kept = 0;
    double want = how->top_p > 0 && how->top_p < 1 ? (double)how->top_p : 1, least = (double)how->min_p;
    double heat = how->temperature > 0 ? (double)how->temperature : 1;
    size_t left = keep = candidates(work_at, logits, allowed, n, keep);
    for (size_t i = 0; want < 1 && i < keep; i++) /* what top_k left has this mass */
        all += exp(((double)logits[work_at[i]] - (double)logits[work_at[0]]) / heat);
    /* taken off the heap one by one and parked behind it: work_at[left .. keep) falls in rank from its end */
    while (kept < keep) {
        uint32_t token = work_at[0];
        if (!kept) most = (double)logits[token];
        double p = exp(((double)logits[token] - most) / heat);
        if (p < least) break;
        work_at[0] = work_at[--left];
        work_at[left] = token;
        sink(work_at, left, 0, logits, false);
        work[kept++] = (float)p;
        total += p;
        if (want < 1 && total >= want * all) break;
    }
    double draw = kept > 1 ? tdm_rng_unit(rng) * total : 0;
    size_t chosen = 0;
    while (chosen + 1 < kept && draw >= (double)work[chosen]) draw -= (double)work[chosen++];
    uint32_t token = work_at[keep - 1 - chosen];
    *logp = (double)logits[token] - tdm_log_mass(logits, V);
    return token;
}
