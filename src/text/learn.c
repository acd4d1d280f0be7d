/* SPDX-License-Identifier: Apache-2.0 */
/* learn.c - a vocabulary from text: the pair of tokens seen most often becomes a token, again and again.
 *
 * The text is cut into pieces as for encoding; equal pieces are kept once with their count. Each pair knows the pieces
 * it was seen in, so that a merge touches only those, and a heap that is corrected when read gives the next pair. More
 * often wins; equal counts go to the lower left, then the lower right number, so the text alone decides. Everything
 * runs on the calling thread. Pieces longer than LONGEST say nothing about words and are not learned from. */
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "text/inside.h"

#include <string.h>
#include <xxhash.h>

enum { LONGEST = 128, SEEN_AT_LEAST = 2 };

typedef struct word {
    uint32_t at, n; /* its tokens in learner.token */
    uint32_t bytes_at, bytes;
    int64_t count;
} word;

typedef struct pair {
    uint32_t left, right;
    int64_t count;
    uint32_t *in; /* words it was seen in; some may have lost it since, none is missing */
    size_t n, cap;
} pair;

typedef struct offer {
    int64_t count;
    uint32_t pair;
} offer;

typedef struct learner {
    word *word;
    size_t words, word_cap;
    tdm_buf bytes;
    uint32_t *slot; /* word + 1 by hash of its bytes */
    size_t room;
    uint32_t *token;
    pair *pair;
    size_t pairs, pair_cap;
    uint32_t *pair_slot; /* pair + 1 */
    size_t pair_room;
    offer *heap;
    size_t n, heap_cap;
    bool failed;
} learner;

/* ---- words ---- */

static size_t word_slot(const learner *l, tdm_str s)
{
    size_t at = (size_t)XXH3_64bits(s.p, s.n) & (l->room - 1);
    for (; l->slot[at]; at = (at + 1) & (l->room - 1)) {
        const word *w = &l->word[l->slot[at] - 1];
        if (tdm_str_eq((tdm_str){l->bytes.p + w->bytes_at, w->bytes}, s)) break;
    }
    return at;
}

static bool word_room(learner *l)
{
    if (2 * (l->words + 1) <= l->room) return true;
    size_t room = l->room ? 2 * l->room : 4096;
    uint32_t *slot = tdm_new(room, sizeof *slot);
    if (!slot) return false;
    tdm_free(l->slot);
    l->slot = slot;
    l->room = room;
    for (size_t i = 0; i < l->words; i++)
        slot[word_slot(l, (tdm_str){l->bytes.p + l->word[i].bytes_at, l->word[i].bytes})] = (uint32_t)i + 1;
    return true;
}

static tdm_status count_word(void *ctx, tdm_str s, tdm_err *err)
{
    learner *l = ctx;
    if (s.n > LONGEST) return TDM_OK;
    if (l->bytes.n + s.n > UINT32_MAX / 2) return tdm_fail(err, TDM_E_ARG, "too many different words to learn from");
    if (!word_room(l)) return tdm_nomem(err, "the words of a text");
    size_t at = word_slot(l, s);
    if (!l->slot[at]) {
        if (tdm_grow(&l->word, &l->word_cap, l->words + 1, sizeof *l->word))
            return tdm_nomem(err, "the words of a text");
        l->word[l->words] = (word){.bytes_at = (uint32_t)l->bytes.n, .bytes = (uint32_t)s.n};
        tdm_buf_add(&l->bytes, s.p, s.n);
        if (l->bytes.failed) return tdm_nomem(err, "the words of a text");
        l->slot[at] = (uint32_t)++l->words;
    }
    l->word[l->slot[at] - 1].count++;
    return TDM_OK;
}

/* ---- pairs ---- */

static size_t pair_at(const learner *l, uint32_t left, uint32_t right)
{
    size_t at = (size_t)tdm_mix64((uint64_t)left << 32 | right) & (l->pair_room - 1);
    for (; l->pair_slot[at]; at = (at + 1) & (l->pair_room - 1)) {
        const pair *p = &l->pair[l->pair_slot[at] - 1];
        if (p->left == left && p->right == right) break;
    }
    return at;
}

/* The pair, made where it is new; NULL where memory is short. */
static pair *pair_get(learner *l, uint32_t left, uint32_t right)
{
    if (2 * (l->pairs + 1) > l->pair_room) {
        size_t room = l->pair_room ? 2 * l->pair_room : 4096;
        uint32_t *slot = tdm_new(room, sizeof *slot);
        if (!slot) return NULL;
        tdm_free(l->pair_slot);
        l->pair_slot = slot;
        l->pair_room = room;
        for (size_t i = 0; i < l->pairs; i++) slot[pair_at(l, l->pair[i].left, l->pair[i].right)] = (uint32_t)i + 1;
    }
    size_t at = pair_at(l, left, right);
    if (!l->pair_slot[at]) {
        if (tdm_grow(&l->pair, &l->pair_cap, l->pairs + 1, sizeof *l->pair)) return NULL;
        l->pair[l->pairs] = (pair){.left = left, .right = right};
        l->pair_slot[at] = (uint32_t)++l->pairs;
    }
    return &l->pair[l->pair_slot[at] - 1];
}

static bool better(const learner *l, offer a, offer b)
{
    const pair *p = &l->pair[a.pair], *q = &l->pair[b.pair];
    if (a.count != b.count) return a.count > b.count;
    return p->left != q->left ? p->left < q->left : p->right < q->right;
}

static void heap_push(learner *l, offer o)
{
    if (tdm_grow(&l->heap, &l->heap_cap, l->n + 1, sizeof *l->heap)) {
        l->failed = true;
        return;
    }
    size_t i = l->n++;
    for (; i && better(l, o, l->heap[(i - 1) / 2]); i = (i - 1) / 2) l->heap[i] = l->heap[(i - 1) / 2];
    l->heap[i] = o;
}

static offer heap_pop(learner *l)
{
    offer top = l->heap[0], last = l->heap[--l->n];
    size_t i = 0;
    for (size_t c; (c = 2 * i + 1) < l->n; i = c) {
        if (c + 1 < l->n && better(l, l->heap[c + 1], l->heap[c])) c++;
        if (!better(l, l->heap[c], last)) break;
        l->heap[i] = l->heap[c];
    }
    l->heap[i] = last;
    return top;
}

/* Adds `by` to every pair of the word. A pair with the token `fresh` is noted and offered; UINT32_MAX: all are. */
static void word_tally(learner *l, uint32_t w, int64_t by, uint32_t fresh)
{
    const uint32_t *t = l->token + l->word[w].at;
    for (uint32_t i = 0; i + 1 < l->word[w].n; i++) {
        pair *p = pair_get(l, t[i], t[i + 1]);
        if (!p) {
            l->failed = true;
            return;
        }
        p->count += by;
        if (by < 0 || (fresh != UINT32_MAX && t[i] != fresh && t[i + 1] != fresh)) continue;
        if (p->n && p->in[p->n - 1] == w) continue;
        if (tdm_grow(&p->in, &p->cap, p->n + 1, sizeof *p->in)) l->failed = true;
        else p->in[p->n++] = w;
    }
}

/* Offers the pairs of the word that hold `fresh`. */
static void word_offer(learner *l, uint32_t w, uint32_t fresh)
{
    const uint32_t *t = l->token + l->word[w].at;
    for (uint32_t i = 0; i + 1 < l->word[w].n; i++)
        if (t[i] == fresh || t[i + 1] == fresh) {
            uint32_t p = l->pair_slot[pair_at(l, t[i], t[i + 1])] - 1;
            heap_push(l, (offer){l->pair[p].count, p});
        }
}

static bool word_holds(const learner *l, uint32_t w, uint32_t left, uint32_t right)
{
    const uint32_t *t = l->token + l->word[w].at;
    for (uint32_t i = 0; i + 1 < l->word[w].n; i++)
        if (t[i] == left && t[i + 1] == right) return true;
    return false;
}

static void word_merge(learner *l, uint32_t w, uint32_t left, uint32_t right, uint32_t fresh)
{
    uint32_t *t = l->token + l->word[w].at, n = 0;
    for (uint32_t i = 0; i < l->word[w].n; i++) {
        bool both = i + 1 < l->word[w].n && t[i] == left && t[i + 1] == right;
        t[n++] = both ? fresh : t[i];
        i += both;
    }
    l->word[w].n = n;
}

/* Merges pair `p` into token `fresh` in every word that holds it. */
static void merge_pair(learner *l, uint32_t p, uint32_t fresh)
{
    uint32_t left = l->pair[p].left, right = l->pair[p].right, *in = l->pair[p].in;
    size_t n = l->pair[p].n;
    l->pair[p].in = NULL; /* taken: while words change, pairs move */
    l->pair[p].n = l->pair[p].cap = 0;
    for (size_t i = 0; i < n && !l->failed; i++) {
        if (!word_holds(l, in[i], left, right)) continue;
        word_tally(l, in[i], -l->word[in[i]].count, UINT32_MAX);
        word_merge(l, in[i], left, right, fresh);
        word_tally(l, in[i], l->word[in[i]].count, fresh);
        if (!l->failed) word_offer(l, in[i], fresh);
    }
    tdm_free(in);
}

/* ---- the whole ---- */

static tdm_status bytes_put(tdm_bpe *b, tdm_err *err)
{
    tdm_status st = TDM_OK;
    uint32_t t = 0;
    for (uint32_t c = 0; !st && c < 256 + 68; c++) { /* in the alphabet's order, as GPT-2 numbers them */
        char byte = (char)alphabet_byte(c);
        if (alphabet_byte(c) >= 0) st = bpe_put(b, t++, TOKEN_PLAIN, (tdm_str){&byte, 1}, err);
    }
    return st;
}

static tdm_status read_words(learner *l, const tdm_bpe *b, const tdm_strings *texts, tdm_run *run, tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (size_t i = 0; !st && i < texts->n; i++) {
        st = cutter_run(&b->cut, tdm_strings_at(texts, i), count_word, l, err);
        if (!st && run && i % 256 == 0) st = tdm_run_check(run, "tokens", err);
    }
    if (st) return st;
    l->token = tdm_new(l->bytes.n, sizeof *l->token);
    if (!l->token) return tdm_nomem(err, "the words of a text");
    for (size_t w = 0; w < l->words; w++) {
        l->word[w].at = l->word[w].bytes_at;
        l->word[w].n = l->word[w].bytes;
        for (uint32_t i = 0; i < l->word[w].n; i++)
            l->token[l->word[w].at + i] = b->byte[(uint8_t)l->bytes.p[l->word[w].bytes_at + i]];
        word_tally(l, (uint32_t)w, l->word[w].count, UINT32_MAX);
    }
    for (size_t p = 0; p < l->pairs; p++) heap_push(l, (offer){l->pair[p].count, (uint32_t)p});
    return l->failed ? tdm_nomem(err, "the pairs of a text") : TDM_OK;
}

/* The token that two make: a new one, unless another pair has made the same bytes. */
static tdm_status joint(uint32_t *fresh, tdm_bpe *b, uint32_t left, uint32_t right, tdm_buf *bytes, tdm_err *err)
{
    tdm_str x = bpe_text(b, left), y = bpe_text(b, right);
    tdm_buf_reset(bytes);
    tdm_buf_add(bytes, x.p, x.n);
    tdm_buf_add(bytes, y.p, y.n);
    if (bytes->failed) return tdm_nomem(err, "a vocabulary");
    *fresh = bpe_find(b, (tdm_str){bytes->p, bytes->n});
    if (*fresh != UINT32_MAX) return TDM_OK;
    *fresh = (uint32_t)b->n;
    return bpe_put(b, *fresh, TOKEN_PLAIN, (tdm_str){bytes->p, bytes->n}, err);
}

static tdm_status learn(learner *l, tdm_bpe *b, size_t vocabulary, tdm_run *run, tdm_err *err)
{
    tdm_buf bytes = {0};
    tdm_status st = TDM_OK;
    while (!st && b->n < vocabulary && l->n) {
        offer o = heap_pop(l);
        pair *p = &l->pair[o.pair];
        if (p->count != o.count) { /* counts only fall behind an offer, or a later offer is there */
            if (p->count >= SEEN_AT_LEAST && p->count < o.count) heap_push(l, (offer){p->count, o.pair});
            continue;
        }
        if (o.count < SEEN_AT_LEAST) break;
        uint32_t left = p->left, right = p->right, fresh = UINT32_MAX;
        st = joint(&fresh, b, left, right, &bytes, err);
        /* A pair may come back when another pair makes one of its tokens: its first rank merges that one too. */
        if (!st && bpe_rank(b, left, right) == UINT32_MAX) st = bpe_merge(b, (merge){left, right, fresh}, err);
        if (!st) merge_pair(l, o.pair, fresh);
        if (!st && l->failed) st = tdm_nomem(err, "the pairs of a text");
        if (!st && run && b->n % 64 == 0) {
            tdm_progress(run, "tokens", b->n, vocabulary, NULL);
            st = tdm_run_check(run, "tokens", err);
        }
    }
    tdm_buf_clear(&bytes);
    return st;
}

tdm_status tdm_bpe_learn(tdm_bpe **out, const tdm_strings *texts, size_t vocabulary, const char *const *special,
                         tdm_run *run, tdm_err *err)
{
    *out = NULL;
    if (vocabulary < 256 || vocabulary > TOKEN_LIMIT)
        return tdm_fail(err, TDM_E_ARG, "a vocabulary of %zu tokens cannot be learned: 256 to %d", vocabulary,
                        TOKEN_LIMIT);
    tdm_bpe *b = bpe_new(err);
    if (!b) return TDM_E_NOMEM;
    learner l = {0};
    tdm_status st = bytes_put(b, err);
    if (!st) st = read_words(&l, b, texts, run, err);
    if (!st) st = learn(&l, b, vocabulary, run, err);
    b->base = b->n;
    if (!st) st = tdm_bpe_add_special(b, special, err);
    for (size_t p = 0; p < l.pairs; p++) tdm_free(l.pair[p].in);
    tdm_free(l.word);
    tdm_buf_clear(&l.bytes);
    tdm_free(l.slot);
    tdm_free(l.token);
    tdm_free(l.pair);
    tdm_free(l.pair_slot);
    tdm_free(l.heap);
    if (st) tdm_bpe_close(b);
    else *out = b;
    return st;
}
