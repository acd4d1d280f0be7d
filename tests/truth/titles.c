/* SPDX-License-Identifier: Apache-2.0 */
/* titles.c - does GPT-2 make up items? Titles drawn behind people's histories, along the tree of the catalogue's titles
 * and freely.
 *
 *     truth_titles MODEL [titles]            10,000 of each kind; prints one JSON object
 *
 * People are asked in turn, 20 titles each. Behind their history and <|item|> a title is drawn token by token at
 * temperature 1: with the tree, of the tokens that go on a title; freely, of all tokens of plain text and the mark that
 * ends a title, 25 tokens at most, as many as the longest name and its end; and greedily so, once a person. What came
 * out is read as text and sought among the names of the catalogue as text: one that is cut where names are counts as
 * the item. Exit status 1: a title along the tree is not in the catalogue. */
#include "api/bundle.h"
#include "base/json.h"
#include "base/mem.h"
#include "gpt2/sample.h"
#include "gpt2/words_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 20, MOST = NAME_TOKENS + 1 };

typedef enum way { TREE, FREE, GREEDY } way;

typedef struct names {
    tdm_buf *at; /* by text */
    size_t n;
} names;

typedef struct drawing {
    const tdm_words *w;
    tdm_decoder *d;
    tdm_sampler *sampler;
    names names;
    float *logits;
    uint32_t *allowed;
    tdm_trie_node *child;
    size_t drawn[3], outside[3];
    tdm_buf example; /* the first that is in no catalogue */
} drawing;

static void stop(const char *why)
{
    fprintf(stderr, "truth_titles: %s\n", why);
    exit(2);
}

static void fine(tdm_status st, const tdm_err *err)
{
    if (st) stop(err->msg);
}

/* ---- the catalogue, as text ---- */

static int text_order(const void *a, const void *b)
{
    const tdm_buf *x = a, *y = b;
    return tdm_str_cmp((tdm_str){x->p, x->n}, (tdm_str){y->p, y->n});
}

/* Names as tdm_words_name has them, cut to as many tokens as a name may have. */
static void names_make(names *x, const tdm_words *w)
{
    tdm_tokens t = {0};
    tdm_buf name = {0};
    tdm_err err;
    x->n = w->names.I;
    x->at = tdm_new(x->n, sizeof *x->at);
    if (!x->at) stop("not enough memory");
    for (size_t i = 0; i < x->n; i++) {
        tdm_words_name(&name, w->train, &w->readers, (uint32_t)i, TDM_NONE, NULL);
        fine(tdm_prompt_encode(&t, w->b, (tdm_str){name.p, name.n}, NAME_TOKENS, &err), &err);
        tdm_bpe_decode(w->b, &x->at[i], t.at, t.n);
    }
    qsort(x->at, x->n, sizeof *x->at, text_order);
    tdm_buf_clear(&name);
    tdm_free(t.at);
}

/* ---- drawing ---- */

typedef struct title {
    tdm_trie_node node;
    uint32_t token[MOST];
    size_t n;
    bool done, ended; /* ended: the mark was said */
} title;

static void draw(drawing *x, title *t, const float *logits, way how, tdm_rng *rng)
{
    const tdm_words *w = x->w;
    tdm_choice from = {.allowed = x->allowed};
    const tdm_sampling temperature = {.temperature = how == GREEDY ? 0 : 1};
    if (how == TREE) {
        from.n = tdm_trie_children(&w->trie, t->node, x->allowed, x->child, w->trie.n);
    } else {
        memcpy(x->allowed, w->plain, w->n_plain * sizeof *x->allowed);
        x->allowed[w->n_plain] = w->mark.end;
        from.n = w->n_plain + 1;
    }
    uint32_t token = tdm_sample(x->sampler, logits, &from, &temperature, rng, NULL);
    if (how == TREE && !tdm_trie_step(&w->trie, t->node, token, &t->node)) stop("the tree refused its own token");
    if (token == w->mark.end) t->done = t->ended = true;
    else t->token[t->n++] = token;
    if (t->n == MOST) t->done = true;
}

static void judge(drawing *x, const title *t, way how)
{
    tdm_buf text = {0};
    tdm_bpe_decode(x->w->b, &text, t->token, t->n);
    bool known = t->ended && bsearch(&text, x->names.at, x->names.n, sizeof text, text_order);
    x->drawn[how]++;
    x->outside[how] += !known;
    if (!known && how == FREE && !x->example.n && text.n) tdm_buf_add(&x->example, text.p, text.n);
    tdm_buf_clear(&text);
}

/* `n` titles behind the prompt that text SIDE has read. */
static void draw_side(drawing *x, const float *first, way how, size_t n, tdm_rng *rng)
{
    title t[SIDE] = {{.n = 0}};
    tdm_err err;
    for (size_t i = 0; i < n; i++) {
        t[i].node = tdm_trie_root(&x->w->trie);
        tdm_decoder_fork(x->d, i, SIDE);
        draw(x, &t[i], first, how, rng);
    }
    for (;;) {
        size_t text[SIDE], rows = 0;
        uint32_t token[SIDE];
        for (size_t i = 0; i < n; i++)
            if (!t[i].done) text[rows] = i, token[rows++] = t[i].token[t[i].n - 1];
        if (!rows) break;
        fine(tdm_decoder_step(x->d, text, token, rows, &err), &err);
        tdm_decoder_logits(x->d, x->logits, rows);
        for (size_t r = 0; r < rows; r++) draw(x, &t[text[r]], x->logits + r * x->w->g->s.V, how, rng);
    }
    for (size_t i = 0; i < n; i++) judge(x, &t[i], how);
}

static void ask(drawing *x, const tdm_dataset *d, size_t person, size_t round, size_t n)
{
    const tdm_words *w = x->w;
    size_t V = w->g->s.V;
    tdm_history h = tdm_dataset_history(d, (uint32_t)person);
    tdm_prompt prompt = {0};
    tdm_err err;
    tdm_question q = {.history = &h,
                      .item = TDM_NONE,
                      .person = TDM_NONE,
                      .rating = NAN,
                      .most_history = (size_t)tdm_param_get(&w->p, "history"),
                      .room = (size_t)tdm_param_get(&w->p, "window") - MOST};
    fine(tdm_words_prompt(&prompt, w, &q, NULL, &err), &err);
    fine(tdm_decoder_open(&x->d, w->packed, SIDE + 1, prompt.token.n + MOST, NULL, &err), &err);
    fine(tdm_decoder_feed(x->d, SIDE, prompt.token.at, prompt.token.n, &err), &err);
    float *first = tdm_new(V, sizeof *first);
    if (!first) stop("not enough memory");
    tdm_decoder_logits(x->d, first, 1);
    for (way how = TREE; how <= GREEDY; how++) {
        tdm_rng rng = tdm_rng_make(1, person, round * 3 + how);
        if (how < GREEDY || !round) draw_side(x, first, how, how == GREEDY ? 1 : n, &rng);
    }
    tdm_free(first);
    tdm_decoder_close(x->d);
    tdm_prompt_clear(&prompt);
}

static void say(cJSON *o, const drawing *x, way how, const char *name)
{
    cJSON *one = cJSON_AddObjectToObject(o, name);
    cJSON_AddNumberToObject(one, "titles", (double)x->drawn[how]);
    cJSON_AddNumberToObject(one, "outside", (double)x->outside[how]);
    cJSON_AddNumberToObject(one, "share", x->drawn[how] ? (double)x->outside[how] / (double)x->drawn[how] : 0);
}

int main(int argc, char **argv)
{
    tdm_bundle *b;
    const tdm_model *m;
    tdm_err err;
    drawing x = {0};
    if (argc < 2) stop("usage: truth_titles MODEL [titles]");
    size_t wanted = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;
    fine(tdm_bundle_open(&b, argv[1], &err), &err);
    fine(tdm_bundle_model(b, &m, tdm_gpt2_words_ops.name, &err), &err);
    x.w = (const tdm_words *)m;
    names_make(&x.names, x.w);
    fine(tdm_sampler_open(&x.sampler, x.w->g->s.V, &err), &err);
    x.logits = tdm_new(SIDE * x.w->g->s.V, sizeof *x.logits);
    x.allowed = tdm_new(x.w->g->s.V + x.w->trie.n, sizeof *x.allowed);
    x.child = tdm_new(x.w->trie.n, sizeof *x.child);
    if (!x.logits || !x.allowed || !x.child) stop("not enough memory");
    const tdm_dataset *d = b->split->train;
    for (size_t k = 0; d->U && x.drawn[TREE] < wanted; k++) {
        size_t left = wanted - x.drawn[TREE];
        ask(&x, d, k % d->U, k / d->U, left < SIDE ? left : SIDE);
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "items", (double)d->I);
    say(o, &x, TREE, "tree");
    say(o, &x, FREE, "free");
    say(o, &x, GREEDY, "free_greedy");
    if (x.example.n) tdm_json_add_text(o, "made_up", (tdm_str){x.example.p, x.example.n});
    char *text = cJSON_Print(o);
    puts(text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(o);
    for (size_t i = 0; i < x.names.n; i++) tdm_buf_clear(&x.names.at[i]);
    tdm_free(x.names.at);
    tdm_buf_clear(&x.example);
    tdm_sampler_close(x.sampler);
    tdm_free(x.logits);
    tdm_free(x.allowed);
    tdm_free(x.child);
    tdm_bundle_close(b);
    return x.outside[TREE] ? 1 : 0;
}
