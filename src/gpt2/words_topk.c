/* SPDX-License-Identifier: Apache-2.0 */
/* words_topk.c - what title would GPT-2 say next? The catalogue's likeliest titles after a history.
 *
 * Best first over the tree of titles: the likeliest beginning known is carried on by one token, until k whole titles
 * have come up; since every further token can only cost, these are the likeliest ones. At most `beam` beginnings of one
 * length are carried on, which bounds the work. Where a beginning leaves one way to go on, it is followed at once. All
 * items of a title have its score; equal scores come in the order of the tree, items of a title by index. */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/decode.h"
#include "gpt2/sample.h"
#include "gpt2/words_parts.h"

#include <math.h>
#include <string.h>

enum { DEPTHS = NAME_TOKENS + 2 };

typedef struct start {
    double logp;
    tdm_trie_node node;
} start;

typedef struct search {
    const tdm_words *w;
    tdm_decoder *d;
    tdm_prompt prompt;
    uint32_t have[DEPTHS]; /* what the decoder has read behind the prompt */
    size_t n_have;
    bool asked;    /* logits and lse are those of what was read */
    float *logits; /* V, and their log of the sum of exp */
    double lse;
    start *heap;
    size_t n, cap;
    uint32_t *token; /* children of a node */
    tdm_trie_node *child;
    size_t expanded[DEPTHS];
} search;

static bool before(start a, start b)
{
    if (a.logp != b.logp) return a.logp > b.logp;
    return a.node.low != b.node.low ? a.node.low < b.node.low : a.node.depth < b.node.depth;
}

static tdm_status push(search *s, start x, tdm_err *err)
{
    if (tdm_grow(&s->heap, &s->cap, s->n + 1, sizeof *s->heap)) return tdm_nomem(err, "a search along titles");
    size_t i = s->n++;
    for (; i && before(x, s->heap[(i - 1) / 2]); i = (i - 1) / 2) s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = x;
    return TDM_OK;
}

static start pop(search *s)
{
    start top = s->heap[0], last = s->heap[--s->n];
    size_t i = 0;
    for (size_t c; (c = 2 * i + 1) < s->n; i = c) {
        if (c + 1 < s->n && before(s->heap[c + 1], s->heap[c])) c++;
        if (!before(s->heap[c], last)) break;
        s->heap[i] = s->heap[c];
    }
    s->heap[i] = last;
    return top;
}

/* The decoder reads the prompt and the beginning that `node` stands for; what it has read of them already stays. */
static tdm_status read_to(search *s, tdm_trie_node node, tdm_err *err)
{
    const tdm_trie *t = &s->w->trie;
    const uint32_t *title = t->token + t->offset[t->item[node.low]];
    size_t same = 0, prompt = s->prompt.token.n;
    while (same < s->n_have && same < node.depth && s->have[same] == title[same]) same++;
    bool there = tdm_decoder_length(s->d, 0) == prompt + same && same == node.depth && same == s->n_have;
    tdm_status st = TDM_OK;
    if (!there && node.depth) {
        if (same == node.depth) same--; /* logits come with the last token */
        tdm_decoder_rewind(s->d, 0, prompt + same);
        st = tdm_decoder_feed(s->d, 0, title + same, node.depth - same, err);
    } else if (!there) {
        tdm_decoder_rewind(s->d, 0, prompt - 1);
        st = tdm_decoder_feed(s->d, 0, s->prompt.token.at + prompt - 1, 1, err);
    }
    for (size_t i = 0; i < node.depth; i++) s->have[i] = title[i];
    s->n_have = node.depth;
    if (st) return st;
    if (there && s->asked) return TDM_OK;
    s->asked = true;
    tdm_decoder_logits(s->d, s->logits, 1);
    s->lse = tdm_log_mass(s->logits, s->w->g->s.V);
    return TDM_OK;
}

/* Offers every way to go on from x. */
static tdm_status expand(search *s, start x, tdm_err *err)
{
    const tdm_trie *t = &s->w->trie;
    for (;;) {
        tdm_status st = read_to(s, x.node, err);
        if (st) return st;
        size_t n = tdm_trie_children(t, x.node, s->token, s->child, t->n);
        if (n == 1) {
            x = (start){x.logp + (double)s->logits[s->token[0]] - s->lse, s->child[0]};
            if (x.node.whole) return push(s, x, err);
            continue;
        }
        for (size_t i = 0; !st && i < n; i++)
            st = push(s, (start){x.logp + (double)s->logits[s->token[i]] - s->lse, s->child[i]}, err);
        return st;
    }
}

static tdm_status run(search *s, const tdm_ranked *out, size_t at, const uint8_t *skip, size_t k, tdm_err *err)
{
    const tdm_trie *t = &s->w->trie;
    size_t beam = (size_t)tdm_param_get(&s->w->p, "beam"), *n = &out->n[at];
    tdm_status st = push(s, (start){0, tdm_trie_root(t)}, err);
    while (!st && s->n && *n < k) {
        start x = pop(s);
        if (x.node.whole)
            for (uint32_t i = x.node.low; i < x.node.high && *n < k; i++) {
                if (skip[t->item[i]]) continue;
                out->items[at * k + *n] = t->item[i];
                out->scores[at * k + (*n)++] = (float)x.logp;
            }
        else if (s->expanded[x.node.depth]++ < beam) st = expand(s, x, err);
    }
    return st;
}

static tdm_status list_one(const tdm_words *w, const tdm_ranked *out, size_t at, const tdm_history *h,
                           const uint8_t *skip, size_t k, tdm_err *err)
{
    search s = {.w = w,
                .logits = tdm_new(w->g->s.V, sizeof *s.logits),
                .token = tdm_new(w->trie.n, sizeof *s.token),
                .child = tdm_new(w->trie.n, sizeof *s.child)};
    size_t window = (size_t)tdm_param_get(&w->p, "window");
    tdm_question q = {.history = h,
                      .item = TDM_NONE,
                      .person = TDM_NONE,
                      .rating = NAN,
                      .most_history = w->writes ? (size_t)tdm_param_get(&w->p, "history") : SIZE_MAX,
                      .room = (window < w->g->s.T ? window : w->g->s.T) - DEPTHS};
    tdm_status st = s.logits && s.token && s.child ? TDM_OK : tdm_nomem(err, "a search along titles");
    if (!st) st = tdm_words_prompt(&s.prompt, w, &q, NULL, err);
    if (!st) st = tdm_decoder_open(&s.d, w->packed, 1, s.prompt.token.n + DEPTHS, NULL, err);
    if (!st) st = tdm_decoder_feed(s.d, 0, s.prompt.token.at, s.prompt.token.n, err);
    if (!st) st = run(&s, out, at, skip, k, err);
    tdm_decoder_close(s.d);
    tdm_prompt_clear(&s.prompt);
    tdm_free(s.heap);
    tdm_free(s.logits);
    tdm_free(s.token);
    tdm_free(s.child);
    return st;
}

tdm_status tdm_words_topk(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B,
                          const tdm_wanted *wanted, tdm_err *err)
{
    const tdm_words *w = (const tdm_words *)m;
    size_t I = w->train->I;
    uint8_t *skip = tdm_new(I, 1);
    tdm_status st = skip ? TDM_OK : tdm_nomem(err, "a search along titles");
    for (size_t b = 0; b < B; b++) out->n[b] = 0;
    for (size_t b = 0; !st && b < B && w->trie.n && wanted->k; b++) {
        if (wanted->barred) memcpy(skip, wanted->barred, I);
        else memset(skip, 0, I);
        for (size_t j = 0; wanted->filter_seen && j < h[b].n; j++)
            if (h[b].items[j] < I) skip[h[b].items[j]] = 1;
        st = list_one(w, out, b, &h[b], skip, wanted->k, err);
        if (st) out->n[b] = 0;
    }
    tdm_free(skip);
    return st;
}
