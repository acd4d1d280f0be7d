/* SPDX-License-Identifier: Apache-2.0 */
#include "gpt2/trie.h"
#include "base/mem.h"

#include <string.h>

static size_t length(const tdm_trie *t, uint32_t item) { return (size_t)(t->offset[item + 1] - t->offset[item]); }

static int order(const tdm_trie *t, uint32_t a, uint32_t b)
{
    size_t n = length(t, a), m = length(t, b);
    const uint32_t *x = t->token + t->offset[a], *y = t->token + t->offset[b];
    for (size_t i = 0; i < n && i < m; i++)
        if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
    if (n != m) return n < m ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Merge sort from `from` into `to`, both of n items and equal at the start. */
static void sort(const tdm_trie *t, uint32_t *to, uint32_t *from, size_t n)
{
    if (n < 2) return;
    size_t half = n / 2, i = 0, j = half;
    sort(t, from, to, half);
    sort(t, from + half, to + half, n - half);
    for (size_t k = 0; k < n; k++)
        to[k] = j == n || (i < half && order(t, from[i], from[j]) < 0) ? from[i++] : from[j++];
}

tdm_status tdm_trie_make(tdm_trie *out, const uint32_t *token, const int64_t *offset, size_t I, uint32_t end,
                         tdm_err *err)
{
    *out = (tdm_trie){.token = token, .offset = offset, .end = end};
    uint32_t *other = tdm_new(I, sizeof *other);
    out->item = tdm_new(I, sizeof *out->item);
    if (!other || !out->item) {
        tdm_free(other);
        tdm_trie_clear(out);
        return tdm_nomem(err, "the tree of titles");
    }
    for (size_t i = 0; i < I; i++)
        if (offset[i] < offset[i + 1]) out->item[out->n++] = (uint32_t)i;
    if (out->n) memcpy(other, out->item, out->n * sizeof *other);
    sort(out, out->item, other, out->n);
    tdm_free(other);
    return TDM_OK;
}

void tdm_trie_clear(tdm_trie *t)
{
    tdm_free(t->item);
    *t = (tdm_trie){0};
}

tdm_trie_node tdm_trie_root(const tdm_trie *t) { return (tdm_trie_node){.high = (uint32_t)t->n}; }

/* The token of a title at this depth, or `end` behind its last one. */
static uint32_t token_at(const tdm_trie *t, uint32_t place, uint32_t depth)
{
    uint32_t i = t->item[place];
    return depth < length(t, i) ? t->token[t->offset[i] + depth] : t->end;
}

/* The first place from `low` on, below `high`, where the token at this depth is another one: steps double, then halve,
 * so that many children and few cost little both. */
static uint32_t run_end(const tdm_trie *t, uint32_t low, uint32_t high, uint32_t depth)
{
    uint32_t token = token_at(t, low, depth), same = low, step = 1;
    while (step < high - same && token_at(t, same + step, depth) == token) {
        same += step;
        step *= 2;
    }
    uint32_t other = step < high - same ? same + step : high;
    while (other - same > 1) {
        uint32_t middle = same + (other - same) / 2;
        if (token_at(t, middle, depth) == token) same = middle;
        else other = middle;
    }
    return other;
}

size_t tdm_trie_children(const tdm_trie *t, tdm_trie_node at, uint32_t *token, tdm_trie_node *child, size_t cap)
{
    size_t n = 0;
    for (uint32_t low = at.low; !at.whole && low < at.high && n < cap; n++) {
        uint32_t high = run_end(t, low, at.high, at.depth);
        token[n] = token_at(t, low, at.depth);
        bool whole = at.depth >= length(t, t->item[low]);
        if (child) child[n] = (tdm_trie_node){low, high, at.depth + 1, whole};
        low = high;
    }
    return n;
}

/* The first place of a node whose token at its depth is `token` or behind it (`over`: behind it). */
static uint32_t bound(const tdm_trie *t, tdm_trie_node at, uint32_t token, bool over)
{
    uint32_t low = at.low, high = at.high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2, has = token_at(t, middle, at.depth);
        bool first = has == t->end, is = has == token; /* the end stands before all others */
        bool less = is ? over : token == t->end ? false : first || has < token;
        if (less) low = middle + 1;
        else high = middle;
    }
    return low;
}

bool tdm_trie_step(const tdm_trie *t, tdm_trie_node at, uint32_t token, tdm_trie_node *child)
{
    if (at.whole) return false;
    *child = (tdm_trie_node){bound(t, at, token, false), bound(t, at, token, true), at.depth + 1, token == t->end};
    return child->low < child->high;
}
