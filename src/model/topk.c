/* SPDX-License-Identifier: Apache-2.0 */
/* topk.c - a heap of k with the worst on top; what beats the worst takes its place.
 *
 * Items come in the order of their index, so one that only equals the worst has the higher index and stays out: the
 * common case is one comparison of floats. `items` itself is the heap, `scores` holds the keys. */
#include "model/topk.h"

#include "base/mem.h"
#include "base/status.h"

#include <math.h>

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

/* ---- item by item ---- */

/* Does an entry rank behind the one at `at`? */
static bool worse(const tdm_best *b, uint32_t item, float score, size_t at)
{
    return score < b->scores[at] || (score == b->scores[at] && item > b->items[at]);
}

/* Puts an entry in at the top of the first n, whose place is free. */
static void settle(tdm_best *b, size_t n, size_t at, uint32_t item, float score)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && worse(b, b->items[child + 1], b->scores[child + 1], child)) child++;
        if (worse(b, item, score, child)) break;
        b->items[at] = b->items[child];
        b->scores[at] = b->scores[child];
    }
    b->items[at] = item;
    b->scores[at] = score;
}

void tdm_best_offer(tdm_best *b, uint32_t item, float score)
{
    if (!(score > -INFINITY) || !b->k) return;
    if (b->n == b->k) {
        if (!worse(b, item, score, 0)) settle(b, b->n, 0, item, score);
        return;
    }
    size_t at = b->n++;
    for (size_t up; at && (up = (at - 1) / 2, worse(b, item, score, up)); at = up) {
        b->items[at] = b->items[up];
        b->scores[at] = b->scores[up];
    }
    b->items[at] = item;
    b->scores[at] = score;
}

float tdm_best_bar(const tdm_best *b) { return b->n < b->k ? -INFINITY : b->k ? b->scores[0] : INFINITY; }

void tdm_best_sort(tdm_best *b)
{
    for (size_t left = b->n; left > 1;) {
        uint32_t item = b->items[0];
        float score = b->scores[0];
        left--;
        settle(b, left, 0, b->items[left], b->scores[left]);
        b->items[left] = item;
        b->scores[left] = score;
    }
}

/* ---- with any model ---- */

size_t tdm_topk_wanted(uint32_t *items, float *best, float *scores, size_t I, const tdm_history *h, const tdm_wanted *w)
{
    for (size_t j = 0; w->filter_seen && j < h->n; j++)
        if (h->items[j] < I) scores[h->items[j]] = -INFINITY;
    for (size_t i = 0; w->barred && i < I; i++)
        if (w->barred[i]) scores[i] = -INFINITY;
    return tdm_topk(items, best, scores, I, w->k);
}

enum { ROWS = 32 }; /* of scores at a time */

tdm_status tdm_model_topk(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B,
                          const tdm_wanted *w, size_t I, tdm_err *err)
{
    if (m->ops->topk) return m->ops->topk(m, out, h, B, w, err);
    return tdm_model_topk_of_scores(m, out, h, B, w, I, err);
}

tdm_status tdm_model_topk_of_scores(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B,
                                    const tdm_wanted *w, size_t I, tdm_err *err)
{
    float *scores = tdm_new((B < ROWS ? B : ROWS) * sizeof *scores, I);
    tdm_status st = scores ? TDM_OK : tdm_nomem(err, "a batch of scores");
    for (size_t from = 0; !st && from < B; from += ROWS) {
        size_t n = B - from < ROWS ? B - from : ROWS;
        st = m->ops->score(m, scores, h + from, n, err);
        for (size_t b = from; !st && b < from + n; b++)
            out->n[b] =
                tdm_topk_wanted(out->items + b * w->k, out->scores + b * w->k, scores + (b - from) * I, I, &h[b], w);
    }
    tdm_free(scores);
    return st;
}
