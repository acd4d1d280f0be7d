/* SPDX-License-Identifier: Apache-2.0 */
/* bpe.c - text to tokens and back.
 *
 * A piece begins as one token for each byte. Then, again and again, the pair of neighbours with the lowest rank is
 * merged wherever it stands, left to right, until no pair has a rank (Sennrich et al. 2016; openai/gpt-2 encoder.py).
 * Most words of a text are tokens themselves: one look finds them, once merging has shown that it gives just that.
 * Other short pieces are merged as it says above. For long ones a heap of (rank, place) over a linked list makes a
 * piece of n bytes cost O(n log n): a megabyte without a space is no attack. Pairs born while a rank is being merged
 * wait until it is done, as in the original's rounds; files whose merges are out of order would otherwise encode
 * differently. */
#include "base/mem.h"
#include "base/status.h"
#include "text/inside.h"

#include <string.h>

enum { SHORT = 64 }; /* bytes of a piece that is merged without a heap */

typedef struct candidate {
    uint32_t rank, at;
} candidate;

/* Room for one piece at a time, kept over a text. */
typedef struct encoder {
    const tdm_bpe *b;
    tdm_tokens *out;
    uint32_t *id, *next, *back; /* of each byte of the piece; a token lives at its first byte */
    size_t id_cap, next_cap, back_cap;
    candidate *heap, *later;
    size_t n, heap_cap, waiting, later_cap;
} encoder;

#define GONE UINT32_MAX /* next, back: no more; id: merged into what stands before it */

static bool before(candidate a, candidate b) { return a.rank < b.rank || (a.rank == b.rank && a.at < b.at); }

static void heap_push(encoder *e, candidate c)
{
    size_t i = e->n++;
    for (; i && before(c, e->heap[(i - 1) / 2]); i = (i - 1) / 2) e->heap[i] = e->heap[(i - 1) / 2];
    e->heap[i] = c;
}

static candidate heap_pop(encoder *e)
{
    candidate top = e->heap[0], last = e->heap[--e->n];
    size_t i = 0;
    for (size_t c; (c = 2 * i + 1) < e->n; i = c) {
        if (c + 1 < e->n && before(e->heap[c + 1], e->heap[c])) c++;
        if (!before(e->heap[c], last)) break;
        e->heap[i] = e->heap[c];
    }
    e->heap[i] = last;
    return top;
}

static uint32_t rank_at(const encoder *e, uint32_t at)
{
    if (e->id[at] == GONE || e->next[at] == GONE) return UINT32_MAX;
    return bpe_rank(e->b, e->id[at], e->id[e->next[at]]);
}

static void wait_for(encoder *e, uint32_t at)
{
    uint32_t rank = rank_at(e, at);
    if (rank != UINT32_MAX) e->later[e->waiting++] = (candidate){rank, at};
}

/* Every merge removes one token and gives at most two new pairs: n + 2n candidates are room enough. */
static tdm_status room(encoder *e, size_t n, tdm_err *err)
{
    if (n > UINT32_MAX / 4) return tdm_fail(err, TDM_E_ARG, "a text to encode has a word of %zu bytes", n);
    if (tdm_grow(&e->id, &e->id_cap, n, sizeof *e->id) || tdm_grow(&e->next, &e->next_cap, n, sizeof *e->next) ||
        tdm_grow(&e->back, &e->back_cap, n, sizeof *e->back) ||
        tdm_grow(&e->heap, &e->heap_cap, 3 * n, sizeof *e->heap) ||
        tdm_grow(&e->later, &e->later_cap, 2 * n, sizeof *e->later) ||
        tdm_grow(&e->out->at, &e->out->cap, e->out->n + n, sizeof *e->out->at))
        return tdm_nomem(err, "the tokens of a text");
    return TDM_OK;
}

static void merge_all(encoder *e)
{
    for (uint32_t rank = UINT32_MAX; e->n || e->waiting;) {
        if (e->waiting && (!e->n || e->heap[0].rank != rank)) {
            while (e->waiting) heap_push(e, e->later[--e->waiting]);
            continue;
        }
        candidate c = heap_pop(e);
        rank = c.rank;
        if (rank_at(e, c.at) != rank) continue; /* a neighbour has been merged away since */
        uint32_t right = e->next[c.at], after = e->next[right];
        e->id[c.at] = e->b->merge[rank].result;
        e->id[right] = GONE;
        e->next[c.at] = after;
        if (after != GONE) e->back[after] = c.at;
        wait_for(e, c.at);
        if (e->back[c.at] != GONE) wait_for(e, e->back[c.at]);
    }
}

/* A short piece: round after round over all of it, as the original does. Returns the tokens that are left of n. */
static size_t merge_short(const tdm_bpe *b, uint32_t *id, size_t n)
{
    enum { NONE = -1, STALE = -2 };
    uint32_t rank[SHORT];
    for (size_t i = 0; i + 1 < n; i++) rank[i] = bpe_rank(b, id[i], id[i + 1]);
    for (;;) {
        uint32_t best = (uint32_t)NONE;
        for (size_t i = 0; i + 1 < n; i++) best = rank[i] < best ? rank[i] : best;
        if (best == (uint32_t)NONE) return n;
        size_t w = 0;
        rank[n - 1] = (uint32_t)NONE;
        for (size_t i = 0; i < n; i++, w++) {
            bool merged = rank[i] == best;
            id[w] = merged ? b->merge[best].result : id[i];
            if (merged && w) rank[w - 1] = (uint32_t)STALE;
            rank[w] = merged ? (uint32_t)STALE : rank[i];
            i += merged;
        }
        n = w;
        for (size_t i = 0; i + 1 < n; i++)
            if (rank[i] == (uint32_t)STALE) rank[i] = bpe_rank(b, id[i], id[i + 1]);
    }
}

static tdm_status encode_short(encoder *e, tdm_str piece, tdm_err *err)
{
    uint32_t id[SHORT];
    size_t n = 0;
    if (tdm_grow(&e->out->at, &e->out->cap, e->out->n + piece.n, sizeof *e->out->at))
        return tdm_nomem(err, "the tokens of a text");
    uint32_t whole = bpe_find(e->b, piece);
    token *t = whole == UINT32_MAX ? NULL : e->b->token + whole;
    if (t && t->whole == WHOLE_YES) {
        e->out->at[e->out->n++] = whole;
        return TDM_OK;
    }
    for (size_t i = 0; i < piece.n; i++) {
        id[n] = e->b->byte[(uint8_t)piece.p[i]];
        n += id[n] != UINT32_MAX; /* a vocabulary without this byte cannot say it */
    }
    if (n) n = merge_short(e->b, id, n);
    if (t) t->whole = n == 1 && id[0] == whole ? WHOLE_YES : WHOLE_NO; /* any thread would write the same */
    memcpy(e->out->at + e->out->n, id, n * sizeof *id);
    e->out->n += n;
    return TDM_OK;
}

static tdm_status encode_piece(void *ctx, tdm_str piece, tdm_err *err)
{
    encoder *e = ctx;
    if (piece.n <= SHORT) return encode_short(e, piece, err);
    tdm_status st = room(e, piece.n, err);
    if (st) return st;
    uint32_t n = 0;
    for (size_t i = 0; i < piece.n; i++) {
        uint32_t t = e->b->byte[(uint8_t)piece.p[i]];
        if (t == UINT32_MAX) continue; /* a vocabulary without this byte cannot say it */
        e->id[n] = t;
        e->back[n] = n ? n - 1 : GONE;
        e->next[n] = n + 1;
        n++;
    }
    if (!n) return TDM_OK;
    e->next[n - 1] = GONE;
    e->n = e->waiting = 0;
    for (uint32_t i = 0; i + 1 < n; i++) {
        uint32_t rank = rank_at(e, i);
        if (rank != UINT32_MAX) heap_push(e, (candidate){rank, i});
    }
    merge_all(e);
    for (uint32_t i = 0; i != GONE; i = e->next[i]) e->out->at[e->out->n++] = e->id[i];
    return TDM_OK;
}

tdm_status tdm_bpe_encode(const tdm_bpe *b, tdm_tokens *out, tdm_str text, tdm_err *err)
{
    encoder e = {.b = b, .out = out};
    size_t had = out->n;
    tdm_status st = cutter_run(&b->cut, text, encode_piece, &e, err);
    if (st) out->n = had;
    tdm_free(e.id);
    tdm_free(e.next);
    tdm_free(e.back);
    tdm_free(e.heap);
    tdm_free(e.later);
    return st;
}

void tdm_bpe_decode(const tdm_bpe *b, tdm_buf *out, const uint32_t *tokens, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (tokens[i] < b->n && b->token[tokens[i]].kind == TOKEN_PLAIN) {
            tdm_str s = bpe_text(b, tokens[i]);
            tdm_buf_add(out, s.p, s.n);
        }
}
