/* SPDX-License-Identifier: Apache-2.0 */
/* words_topk.c - what title would GPT-2 say next? The catalogue's likeliest titles after a history.
 *
 * Best first over the tree of titles: the likeliest beginning known is carried on by one token, until k whole titles
 * have come up; since every further token can only cost, these are the likeliest ones. At most `beam` beginnings of one
 * length are carried on, which bounds the work. Where a beginning leaves one way to go on, it is followed at once. All
 * items of a title have its score; equal scores come in the order of the tree, items of a title by index.
 *
 * What a model says of a beginning is asked for before the search needs it: with the beginning at hand go the likeliest
 * others, side by side in one pass over the weights for each token, all behind one reading of the history. What was
 * read is kept for a while in texts that later beginnings fork from. A token's numbers are the same in any company, so
 * the list does not depend on what was asked together. */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/decode.h"
#include "gpt2/sample.h"
#include "gpt2/words_parts.h"

#include <math.h>
#include <string.h>

/* Asked side by side are up to SIDE beginnings, but only FIRST before as many titles are known as are wanted: until
 * then nothing says which of them are in vain. */
enum { DEPTHS = NAME_TOKENS + 2, SIDE = 24, TEXTS = 2 * SIDE, PROMPT = TEXTS, FIRST = 8 };

/* A beginning, how likely it is, and what is known of it: note[`note`], 0: it was not asked about. */
typedef struct start {
    double logp;
    tdm_trie_node node;
    uint32_t note;
} start;

/* The ways on: way[from .. from + n), once they are known. */
typedef struct note {
    uint32_t from, n;
    bool known;
} note;

/* A text of the decoder: the prompt and the first n tokens of a title. */
typedef struct read {
    const uint32_t *title;
    size_t n;
    uint64_t used; /* the round that needed it last */
} read;

/* A beginning that is being asked about. Its title is read up to the last token that leaves only one way on. */
typedef struct question {
    uint32_t note; /* 0: this place is free */
    size_t text;
    const uint32_t *title;
    size_t depth; /* of its tokens to be read before the next answer */
    start end;    /* where its one way has led so far */
} question;

typedef struct search {
    const tdm_words *w;
    tdm_decoder *d;
    tdm_prompt prompt;
    read text[TEXTS];
    uint64_t round;
    float *logits; /* SIDE x V */
    start *heap;   /* the likeliest on top */
    start *way;    /* what is known of beginnings in the heap */
    note *note;
    size_t n, cap, ways, ways_cap, notes, notes_cap;
    question asked[SIDE];
    uint32_t *token; /* children of a node */
    tdm_trie_node *child;
    size_t expanded[DEPTHS], begun[DEPTHS], beam;
    const uint8_t *skip;
    double *whole; /* the best scores of items in the heap, the least on top */
    size_t k, n_whole;
} search;

static bool before(const start *a, const start *b)
{
    if (a->logp != b->logp) return a->logp > b->logp;
    return a->node.low != b->node.low ? a->node.low < b->node.low : a->node.depth < b->node.depth;
}

/* ---- what is enough ---- */

/* As many items as are wanted have this or more: what is below cannot come up any more. */
static double bar(const search *s) { return s->n_whole == s->k ? s->whole[0] : -INFINITY; }

/* One more item with this score. */
static void count(search *s, double score)
{
    size_t at = 0;
    if (s->n_whole < s->k) {
        for (at = s->n_whole++; at && s->whole[(at - 1) / 2] > score; at = (at - 1) / 2)
            s->whole[at] = s->whole[(at - 1) / 2];
    } else if (score > s->whole[0]) {
        for (size_t c; (c = 2 * at + 1) < s->k; at = c) {
            if (c + 1 < s->k && s->whole[c + 1] < s->whole[c]) c++;
            if (s->whole[c] >= score) break;
            s->whole[at] = s->whole[c];
        }
    } else return;
    s->whole[at] = score;
}

/* ---- the heap ---- */

static tdm_status push(search *s, start x, tdm_err *err)
{
    if (x.logp < bar(s)) return TDM_OK;
    for (uint32_t p = x.node.low; x.node.whole && p < x.node.high; p++)
        if (!s->skip[s->w->trie.item[p]]) count(s, x.logp);
    if (tdm_grow(&s->heap, &s->cap, s->n + 1, sizeof *s->heap)) return tdm_nomem(err, "a search along titles");
    size_t i = s->n++;
    for (; i && before(&x, &s->heap[(i - 1) / 2]); i = (i - 1) / 2) s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = x;
    return TDM_OK;
}

static start pop(search *s)
{
    start top = s->heap[0], last = s->heap[--s->n];
    size_t i = 0;
    for (size_t c; (c = 2 * i + 1) < s->n; i = c) {
        if (c + 1 < s->n && before(&s->heap[c + 1], &s->heap[c])) c++;
        if (!before(&s->heap[c], &last)) break;
        s->heap[i] = s->heap[c];
    }
    s->heap[i] = last;
    return top;
}

/* ---- asking ---- */

static const uint32_t *title_of(const search *s, tdm_trie_node node)
{
    const tdm_trie *t = &s->w->trie;
    return t->token + t->offset[t->item[node.low]];
}

/* The most worthwhile beginning that nobody asked about: the top of the heap, else the likeliest of those that may be
 * carried on; s->n: there is none. */
static size_t choose(const search *s)
{
    size_t best = s->n;
    if (!s->heap[0].note) return 0;
    for (size_t i = 1; i < s->n; i++) {
        const start *x = &s->heap[i];
        if (x->note || x->node.whole || s->begun[x->node.depth] >= s->beam || x->logp < bar(s)) continue;
        if (best == s->n || before(x, &s->heap[best])) best = i;
    }
    return best;
}

/* Begins a question, in a text that has read as much of the title as any has. */
static tdm_status begin(search *s, question *q, size_t at, tdm_err *err)
{
    start *x = &s->heap[at];
    size_t source = PROMPT, same = 0, to = TEXTS;
    if (tdm_grow(&s->note, &s->notes_cap, s->notes + 2, sizeof *s->note))
        return tdm_nomem(err, "a search along titles");
    x->note = (uint32_t)++s->notes;
    s->begun[x->node.depth]++;
    *q = (question){.note = x->note, .title = title_of(s, x->node), .depth = x->node.depth, .end = *x};
    for (size_t t = 0; t < TEXTS; t++) {
        size_t m = 0, most = s->text[t].n < q->depth ? s->text[t].n : q->depth;
        while (m < most && s->text[t].title[m] == q->title[m]) m++;
        if (m == q->depth) m--; /* its last token is read again: that is what gives the answer */
        if (m > same) same = m, source = t;
    }
    s->round++;
    if (source != PROMPT) s->text[source].used = s->round;
    for (size_t i = 0; i < SIDE; i++)
        if (s->asked[i].note && &s->asked[i] != q) s->text[s->asked[i].text].used = s->round;
    for (size_t t = 0; t < TEXTS; t++) /* the one that is longest out of use makes room */
        if (s->text[t].used < s->round && (to == TEXTS || s->text[t].used < s->text[to].used)) to = t;
    tdm_decoder_fork(s->d, to, source);
    tdm_decoder_rewind(s->d, to, s->prompt.token.n + same);
    s->text[to] = (read){q->title, same, s->round};
    q->text = to;
    return TDM_OK;
}

/* Takes what the model says behind the tokens read: on along a single way, or the ways that there are. */
static tdm_status answer(search *s, question *q, const float *say, tdm_err *err)
{
    const tdm_trie *t = &s->w->trie;
    double mass = tdm_log_mass(say, s->w->g->s.V);
    size_t n = tdm_trie_children(t, q->end.node, s->token, s->child, t->n);
    if (n == 1 && !s->child[0].whole && q->depth) {
        q->end = (start){.logp = q->end.logp + (double)say[s->token[0]] - mass, .node = s->child[0]};
        q->depth++;
        if (q->end.logp >= bar(s)) return TDM_OK;
        n = 0; /* it cannot come up any more */
    }
    if (tdm_grow(&s->way, &s->ways_cap, s->ways + n, sizeof *s->way)) return tdm_nomem(err, "a search along titles");
    note *x = &s->note[q->note];
    *x = (note){.from = (uint32_t)s->ways, .known = true};
    for (size_t i = 0; i < n; i++) {
        start to = {.logp = q->end.logp + (double)say[s->token[i]] - mass, .node = s->child[i]};
        if (to.logp >= bar(s)) s->way[s->ways++] = to;
    }
    x->n = (uint32_t)(s->ways - x->from);
    q->note = 0;
    return TDM_OK;
}

/* One more token of each question. */
static tdm_status step(search *s, tdm_err *err)
{
    size_t text[SIDE], who[SIDE], n = 0, asking = 0;
    uint32_t token[SIDE];
    for (int answers = 1; answers >= 0; answers--) { /* rows that give an answer come first */
        for (size_t i = 0; i < SIDE; i++) {
            const question *q = &s->asked[i];
            if (!q->note || (s->text[q->text].n + 1 == q->depth) != answers) continue;
            text[n] = q->text;
            token[n] = q->title[s->text[q->text].n];
            who[n++] = i;
        }
        if (answers) asking = n;
    }
    tdm_status st = tdm_decoder_step(s->d, text, token, n, err);
    if (st) return st;
    for (size_t r = 0; r < n; r++) s->text[text[r]].n++;
    tdm_decoder_logits(s->d, s->logits, asking);
    for (size_t r = 0; !st && r < asking; r++) st = answer(s, &s->asked[who[r]], s->logits + r * s->w->g->s.V, err);
    return st;
}

/* Makes the ways on from the top of the heap known, and on the way there those of others. */
static tdm_status ask(search *s, tdm_err *err)
{
    tdm_status st = TDM_OK;
    while (!st && !s->note[s->heap[0].note].known) {
        size_t side = s->n_whole < s->k ? FIRST : SIDE, at = 0;
        for (size_t i = 0; !st && i < side && at < s->n; i++)
            if (!s->asked[i].note && (at = choose(s)) < s->n) st = begin(s, &s->asked[i], at, err);
        if (!st) st = step(s, err);
    }
    return st;
}

/* The empty beginning: what follows the prompt, whose last token is read for it. */
static tdm_status ask_first(search *s, tdm_err *err)
{
    const size_t text = PROMPT;
    question q = {.note = 1};
    if (tdm_grow(&s->note, &s->notes_cap, 2, sizeof *s->note)) return tdm_nomem(err, "a search along titles");
    s->notes = 1;
    q.end = s->heap[0];
    s->heap[0].note = 1;
    tdm_status st = tdm_decoder_step(s->d, &text, &s->prompt.token.at[s->prompt.token.n - 1], 1, err);
    if (st) return st;
    tdm_decoder_logits(s->d, s->logits, 1);
    return answer(s, &q, s->logits, err);
}

/* ---- the search ---- */

static tdm_status run(search *s, const tdm_ranked *out, size_t at, tdm_err *err)
{
    const tdm_trie *t = &s->w->trie;
    size_t *n = &out->n[at], k = s->k;
    tdm_status st = push(s, (start){.node = tdm_trie_root(t)}, err);
    if (!st) st = ask_first(s, err);
    while (!st && s->n && *n < k) {
        if (!s->heap[0].node.whole && s->expanded[s->heap[0].node.depth] < s->beam) st = ask(s, err);
        start x = pop(s);
        if (x.node.whole)
            for (uint32_t i = x.node.low; i < x.node.high && *n < k; i++) {
                if (s->skip[t->item[i]]) continue;
                out->items[at * k + *n] = t->item[i];
                out->scores[at * k + (*n)++] = (float)x.logp;
            }
        else if (s->expanded[x.node.depth]++ < s->beam)
            for (uint32_t i = 0, from = s->note[x.note].from; !st && i < s->note[x.note].n; i++)
                st = push(s, s->way[from + i], err);
    }
    return st;
}

static tdm_status list_one(const tdm_words *w, const tdm_ranked *out, size_t at, const tdm_history *h,
                           const uint8_t *skip, size_t k, tdm_err *err)
{
    search s = {.w = w,
                .logits = tdm_new(SIDE * w->g->s.V, sizeof *s.logits),
                .token = tdm_new(w->trie.n, sizeof *s.token),
                .child = tdm_new(w->trie.n, sizeof *s.child),
                .whole = tdm_new(k, sizeof *s.whole),
                .beam = (size_t)tdm_param_get(&w->p, "beam"),
                .skip = skip,
                .k = k};
    size_t window = (size_t)tdm_param_get(&w->p, "window");
    tdm_question q = {.history = h,
                      .item = TDM_NONE,
                      .person = TDM_NONE,
                      .rating = NAN,
                      .most_history = w->writes ? (size_t)tdm_param_get(&w->p, "history") : SIZE_MAX,
                      .room = (window < w->g->s.T ? window : w->g->s.T) - DEPTHS};
    tdm_status st = s.logits && s.token && s.child && s.whole ? TDM_OK : tdm_nomem(err, "a search along titles");
    if (!st) st = tdm_words_prompt(&s.prompt, w, &q, NULL, err);
    if (!st) st = tdm_decoder_open(&s.d, w->packed, TEXTS + 1, s.prompt.token.n + DEPTHS, NULL, err);
    if (!st) st = tdm_decoder_feed(s.d, PROMPT, s.prompt.token.at, s.prompt.token.n - 1, err);
    if (!st) st = run(&s, out, at, err);
    tdm_decoder_close(s.d);
    tdm_prompt_clear(&s.prompt);
    tdm_free(s.heap);
    tdm_free(s.way);
    tdm_free(s.note);
    tdm_free(s.logits);
    tdm_free(s.token);
    tdm_free(s.child);
    tdm_free(s.whole);
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
