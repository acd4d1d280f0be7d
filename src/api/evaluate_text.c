/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate_text.c - the written sentences beside what people wrote about the same items themselves.
 *
 * For held-out people whose held-out item they reviewed, in the order of the data (which is drawn), each is asked to be
 * told why that item, and the answer stands beside the first words of their own summary and review. So do two texts
 * that need no GPT-2: the sentence made from the evidence, and the sentence of the item's training reviews that is most
 * like the others. All three are judged on the same people.
 *
 * How likely the reviews themselves are to GPT-2 is told too (gpt2/words_judge.h). */
#include "api/evaluate.h"

#include "api/held.h"
#include "api/speaker.h"
#include "base/mem.h"
#include "eval/texts.h"
#include "hybrid/central.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAIRS = 300,   /* people asked, at most */
    REVIEWS = 1000 /* read for their perplexity, at most */
};
enum { GENERATED, CENTRAL, EVIDENCE, KINDS };
static const char *const kinds[KINDS] = {"generated", "central", "evidence"};

typedef struct asking {
    const tdm_bundle *b;
    const tdm_model *model, *writer;
    tdm_claims *claims;
    uint64_t seed;
    tdm_text_pair *pair[KINDS]; /* n of each; written texts are owned, references too and shared by the kinds */
    size_t n;
    size_t without; /* pairs whose item has no sentence in training */
    tdm_explain_counts counts;
    uint64_t *feature;
    size_t n_features;
} asking;

/* ---- features: words of the catalogue that reviews use ---- */

typedef struct word_in {
    uint64_t word;
    uint32_t item;
} word_in;

static int by_word(const void *a, const void *b)
{
    const word_in *x = a, *y = b;
    if (x->word != y->word) return x->word < y->word ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static int rising(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool words_add(word_in **w, size_t *n, size_t *cap, const tdm_strings *s, uint32_t item)
{
    uint64_t word[TDM_TEXT_WORDS];
    if (!s->n) return true;
    size_t m = tdm_text_words(word, tdm_strings_at(s, item));
    if (tdm_grow(w, cap, *n + m, sizeof **w)) return false;
    for (size_t k = 0; k < m; k++) (*w)[(*n)++] = (word_in){word[k], item};
    return true;
}

/* Words of 2 items at least and a tenth of them at most (or 5, of a small catalogue). */
static size_t middling(uint64_t *out, const word_in *w, size_t n, size_t I)
{
    size_t found = 0, most = I / 10 > 5 ? I / 10 : 5;
    for (size_t i = 0, j; i < n; i = j) {
        size_t items = 0;
        for (j = i; j < n && w[j].word == w[i].word; j++) items += j == i || w[j].item != w[j - 1].item;
        if (items >= 2 && items <= most) out[found++] = w[i].word;
    }
    return found;
}

/* Keeps those that 3 training reviews or more use. */
static size_t used(uint64_t *feature, size_t n, const tdm_dataset *t, tdm_err *err, tdm_status *st)
{
    uint32_t *reviews = tdm_new(n, sizeof *reviews);
    uint64_t word[TDM_TEXT_WORDS];
    size_t kept = 0;
    if (!reviews) *st = tdm_nomem(err, "the features");
    for (size_t k = 0; reviews && k < t->N; k++) {
        size_t m = tdm_text_words(word, tdm_strings_at(&t->review, t->row[k]));
        qsort(word, m, sizeof *word, rising);
        for (size_t i = 0; i < m; i++) {
            const uint64_t *f =
                i && word[i] == word[i - 1] ? NULL : bsearch(&word[i], feature, n, sizeof *word, rising);
            if (f) reviews[f - feature]++;
        }
    }
    for (size_t i = 0; reviews && i < n; i++)
        if (reviews[i] >= 3) feature[kept++] = feature[i];
    tdm_free(reviews);
    return kept;
}

static tdm_status features_find(asking *a, tdm_err *err)
{
    const tdm_dataset *d = a->b->split->train;
    word_in *w = NULL;
    size_t n = 0, cap = 0;
    bool ok = true;
    tdm_status st = TDM_OK;
    for (uint32_t i = 0; ok && i < d->I; i++)
        ok = words_add(&w, &n, &cap, &d->title, i) && words_add(&w, &n, &cap, &d->brand, i) &&
             words_add(&w, &n, &cap, &d->category, i);
    a->feature = tdm_new(n, sizeof *a->feature);
    if (!ok || !a->feature) st = tdm_nomem(err, "the features");
    if (!st && n) {
        qsort(w, n, sizeof *w, by_word);
        a->n_features = middling(a->feature, w, n, d->I);
        a->n_features = used(a->feature, a->n_features, d, err, &st);
    }
    tdm_free(w);
    return st;
}

/* ---- texts ---- */

static tdm_status central_take(tdm_str *out, asking *a, const tdm_explain_input *in, uint32_t asker, tdm_err *err)
{
    tdm_buf whole = {0};
    tdm_status st = tdm_central_find(&whole, in, asker, err);
    char *text = st ? NULL : tdm_strndup(whole.n ? whole.p : "", whole.n);
    a->without += !st && !whole.n;
    tdm_buf_clear(&whole);
    if (st) return st;
    if (!text) return tdm_nomem(err, "a sentence");
    *out = tdm_str_of(text);
    return TDM_OK;
}

static tdm_status sentence_take(tdm_str *out, const tdm_explain_input *in, tdm_err *err)
{
    char *text;
    tdm_status st = tdm_speaker_say(&text, in, err);
    if (!st) *out = tdm_str_of(text);
    return st;
}

static tdm_status review_ask(asking *a, const tdm_held_review *r, tdm_err *err)
{
    tdm_explain_input in = {.data = a->b->data,
                            .train = a->b->split->train,
                            .model = a->model,
                            .writer = a->writer,
                            .history = &r->history,
                            .item = r->item,
                            .positive_from = a->b->protocol.positive_from,
                            .seed = a->seed,
                            .claims = a->claims,
                            .counts = &a->counts};
    char *reference = tdm_held_reference(a->b->data, r);
    if (!reference) return tdm_nomem(err, "a review");
    size_t at = a->n++; /* from here on it is freed with the others */
    for (int kind = 0; kind < KINDS; kind++) a->pair[kind][at].reference = tdm_str_of(reference);
    tdm_status st = sentence_take(&a->pair[GENERATED][at].written, &in, err);
    if (!st) st = central_take(&a->pair[CENTRAL][at].written, a, &in, r->user, err);
    in.speaker = TDM_SPEAKER_EVIDENCE;
    in.counts = NULL;
    return st ? st : sentence_take(&a->pair[EVIDENCE][at].written, &in, err);
}

/* ---- the answer ---- */

static cJSON *scores_json(const tdm_text_scores *s)
{
    cJSON *o = cJSON_CreateObject();
#define X(field, name) cJSON_AddNumberToObject(o, name, s->field);
    TDM_TEXT_MEASURES(X)
#undef X
    return o;
}

static void perplexity_add(cJSON *o, const tdm_words_perplexity *p)
{
    cJSON *to = p->reviews ? cJSON_AddObjectToObject(o, "perplexity") : NULL;
    if (!to) return;
    cJSON_AddNumberToObject(to, "reviews", (double)p->reviews);
    cJSON_AddNumberToObject(to, "tokens", (double)p->tokens);
    cJSON_AddNumberToObject(to, "gpt2", p->own);
    cJSON_AddNumberToObject(to, "gpt2_other_prompt", p->other); /* null where there is none */
    cJSON_AddNumberToObject(to, "kneser_ney", p->ngram);
    cJSON_AddNumberToObject(to, "kneser_ney_order", TDM_JUDGE_ORDER);
    cJSON_AddNumberToObject(to, "kneser_ney_tokens", (double)p->ngram_tokens);
}

static tdm_status answer_add(cJSON *document, const asking *a, const tdm_words_perplexity *p, tdm_err *err)
{
    cJSON *o = cJSON_AddObjectToObject(document, "text"), *all, *counts;
    int best = GENERATED;
    double most = -1;
    tdm_speaker speaker;
    tdm_status st = tdm_speaker_of(&speaker, a->b, NULL, err);
    cJSON_AddNumberToObject(o, "people", (double)a->n);
    cJSON_AddNumberToObject(o, "features", (double)a->n_features);
    cJSON_AddNumberToObject(o, "no_central", (double)a->without);
    all = cJSON_AddObjectToObject(o, "texts");
    for (int kind = 0; kind < KINDS; kind++) {
        tdm_text_scores s;
        if (!st) st = tdm_texts_score(&s, a->pair[kind], a->n, a->feature, a->n_features, err);
        if (st) return st;
        cJSON_AddItemToObject(all, kinds[kind], scores_json(&s));
        if (s.rougel > most) most = s.rougel, best = kind;
    }
    cJSON_AddStringToObject(o, "best", kinds[best]);
    cJSON_AddStringToObject(o, "shown", kinds[speaker == TDM_SPEAKER_REVIEW ? CENTRAL : GENERATED]);
    perplexity_add(o, p);
    counts = cJSON_AddObjectToObject(o, "counts");
#define X(name) cJSON_AddNumberToObject(counts, #name, (double)a->counts.name);
    TDM_EXPLAIN_COUNTS(X)
#undef X
    return TDM_OK;
}

/* What is judged by: reviews of all targets for the perplexity, of these one a person for the sentences. */
static tdm_status reviews_judge(asking *a, tdm_words_perplexity *p, const tdm_questions *qs, bool validation,
                                tdm_run *run, tdm_err *err)
{
    tdm_held all, each = {0};
    uint64_t seed =
        (uint64_t)tdm_json_num(a->b->manifest, "seed", 0); /* of training, so that its documents are known */
    tdm_status st = tdm_held_find(&all, a->b, qs, validation, REVIEWS, SIZE_MAX, err);
    if (!st) st = tdm_held_find(&each, a->b, qs, validation, PAIRS, 1, err);
    if (!st) st = features_find(a, err);
    if (!st) st = tdm_gpt2_words_judge(p, a->writer, all.at, all.n, seed, run, err);
    for (size_t k = 0; !st && k < each.n; k++) {
        st = tdm_run_check(run, "evaluate", err);
        if (!st) st = review_ask(a, &each.at[k], err);
        tdm_progress(run, "text", a->n, each.n, "sentences");
    }
    tdm_held_clear(&all);
    tdm_held_clear(&each);
    return st;
}

tdm_status tdm_evaluate_text(cJSON *document, const tdm_bundle *b, const tdm_questions *qs, tdm_run *run, tdm_err *err)
{
    asking a = {.b = b, .seed = run->seed, .writer = tdm_bundle_writer(b)};
    tdm_words_perplexity p = {0};
    if (!a.writer)
        return tdm_fail(err, TDM_E_ARG,
                        "%s: nothing in it writes sentences, so --text has nothing to judge; train gpt2-words",
                        b->folder);
    tdm_status st = tdm_bundle_model(b, &a.model, NULL, err);
    if (!st) st = tdm_claims_open(&a.claims, b->data, err);
    for (int kind = 0; kind < KINDS; kind++)
        if (!(a.pair[kind] = tdm_new(PAIRS, sizeof **a.pair)) && !st) st = tdm_nomem(err, "the texts");
    if (!st) st = reviews_judge(&a, &p, qs, !strcmp(tdm_json_str(document, "on", "test"), "validation"), run, err);
    if (!st && !a.n)
        st = tdm_fail(err, TDM_E_ARG,
                      "%s: nobody who is held out wrote about what is held out, so --text has nothing to "
                      "judge sentences by",
                      b->folder);
    if (!st) st = answer_add(document, &a, &p, err);
    for (size_t i = 0; i < a.n; i++) {
        for (int kind = 0; kind < KINDS; kind++) tdm_free((char *)(uintptr_t)a.pair[kind][i].written.p);
        tdm_free((char *)(uintptr_t)a.pair[0][i].reference.p);
    }
    for (int kind = 0; kind < KINDS; kind++) tdm_free(a.pair[kind]);
    tdm_free(a.feature);
    tdm_claims_close(a.claims);
    return st;
}
