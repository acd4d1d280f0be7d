/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c - temperature, then the top_k likeliest, then the fewest of them that hold top_p (Holtzman et al., "The
 * Curious Case of Neural Text Degeneration", ICLR 2020), then one draw. */
#include "gpt2/decode.h"
#include "kernels/kernels.h"

#include <math.h>

/* Whether token a ranks before b: the likelier, equal ones by number. */
static bool before(const float *logits, uint32_t a, uint32_t b)
{
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

/* Candidates are a heap, the best on top. */
static void sink(uint32_t *heap, size_t n, size_t at, const float *logits)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(logits, heap[child + 1], heap[child])) child++;
        if (!before(logits, heap[child], heap[at])) return;
        uint32_t x = heap[at];
        heap[at] = heap[child], heap[child] = x;
    }
}

/* The log of the sum of exp over all V. */
static double log_mass(const float *logits, size_t V, float *work)
{
    const tdm_kernels *k = tdm_kernels_best();
    float most = k->max(logits, V);
    return (double)most + log((double)k->exp_sum(work, logits, most, V));
}

uint32_t tdm_sample(const float *logits, size_t V, const uint32_t *allowed, size_t n, const tdm_sampling *how,
                    tdm_rng *rng, double *logp, float *work, uint32_t *work_at)
{
    double mass = log_mass(logits, V, work), total = 0, most = 0;
    if (!allowed) n = V;
    for (size_t i = 0; i < n; i++) work_at[i] = allowed ? allowed[i] : (uint32_t)i;
    for (size_t i = n / 2; i-- > 0;) sink(work_at, n, i, logits);
    size_t keep = how->temperature > 0 ? how->top_k && how->top_k < n ? how->top_k : n : 1, kept = 0;
    double want = how->top_p > 0 && how->top_p < 1 ? (double)how->top_p : 1, all = 0;
    double heat = how->temperature > 0 ? (double)how->temperature : 1;
    if (want < 1 && keep == n) /* without top_k the mass of all is known before any is taken */
        for (size_t i = 0; i < n; i++) all += exp(((double)logits[work_at[i]] - (double)logits[work_at[0]]) / heat);
    /* taken off the heap one by one and parked behind it: work_at[left .. n) falls in rank from its end */
    size_t left = n;
    while (kept < keep) {
        uint32_t token = work_at[0];
        if (!kept) most = (double)logits[token];
        work_at[0] = work_at[--left];
        work_at[left] = token;
        sink(work_at, left, 0, logits);
        work[kept] = (float)exp(((double)logits[token] - most) / heat);
        total += (double)work[kept++];
        if (all > 0 && total >= want * all) break;
    }
    if (want < 1 && keep < n) { /* the share is one of what top_k left */
        double sum = 0;
        size_t m = 0;
        while (m < kept && sum < want * total) sum += (double)work[m++];
        kept = m;
        total = sum;
    }
    double draw = kept > 1 ? tdm_rng_unit(rng) * total : 0;
    size_t chosen = 0;
    while (chosen + 1 < kept && draw >= (double)work[chosen]) draw -= (double)work[chosen++];
    uint32_t token = work_at[n - 1 - chosen];
    *logp = (double)logits[token] - mass;
    return token;
}
