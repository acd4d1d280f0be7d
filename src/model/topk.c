/* SPDX-License-Identifier: Apache-2.0 */
/* topk.c - a heap of k with the worst on top; what beats the worst takes its place.
 *
 * Items come in the order of their index, so one that only equals the worst has the higher index and stays out: the
 * common case is one comparison of floats. `items` itself is the heap, `scores` holds the keys. */
#include "model/topk.h"

#include <math.h>
#include <stdbool.h>

/* Does `a` rank behind `b`? */
static bool behind(const float *scores, uint32_t a, uint32_t b)
{
    return scores[a] < scores[b] || (scores[a] == scores[b] && a > b);
}

static void sink(uint32_t *heap, size_t n, size_t at, const float *scores)
{
    uint32_t x = heap[at];
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && behind(scores, heap[child + 1], heap[child])) child++;
        if (!behind(scores, heap[child], x)) break;
        heap[at] = heap[child];
    }
    heap[at] = x;
}

size_t tdm_topk(uint32_t *items, float *best, const float *scores, size_t n, size_t k)
{
    size_t m = 0;
    if (!k) return 0;
    for (size_t i = 0; i < n; i++) {
        if (m == k) {
            if (!(scores[i] > scores[items[0]])) continue; /* NaN stays out */
            items[0] = (uint32_t)i;
            sink(items, m, 0, scores);
        } else if (scores[i] > -INFINITY) {
            items[m++] = (uint32_t)i;
            if (m == k)
                for (size_t at = k / 2; at-- > 0;) sink(items, m, at, scores);
        }
    }
    if (m < k)
        for (size_t at = m / 2; at-- > 0;) sink(items, m, at, scores);
    for (size_t left = m; left > 1;) { /* the worst goes to the end, again and again */
        uint32_t worst = items[0];
        items[0] = items[--left];
        sink(items, left, 0, scores);
        items[left] = worst;
    }
    if (best)
        for (size_t i = 0; i < m; i++) best[i] = scores[items[i]];
    return m;
}
