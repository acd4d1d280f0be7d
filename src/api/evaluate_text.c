/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate_text.c - the written sentences beside what people wrote about the same items themselves.
 *
 * For held-out people whose held-out item they reviewed, in the order of the data (which is drawn), each is asked to be
 * told why that item, and the answer stands beside the first words of their own summary and review. So do two texts
 * that need no GPT-2: the sentence made from the evidence, and the sentence of the item's training reviews that is most
 * like the others. All three are judged on the same people. */
#include "api/evaluate.h"

#include "base/mem.h"
#include "eval/texts.h"
#include "hybrid/explain.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAIRS = 300,    /* people asked, at most */
    REFERENCE = 40, /* words of what they wrote */
    SENTENCES = 64, /* of an item's reviews, for the central one */
    SHORT = 4,      /* words that such a sentence has at least */
    LONG = 40       /* and at most */
};
enum { GENERATED, CENTRAL, EVIDENCE, KINDS };
static const char *const kinds[KINDS] = {"generated", "central", "evidence"};

typedef struct asking {
    const tdm_bundle *b;
    const tdm_model *model, *writer;
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

/* The first `most` words of `text`, to the end of the last. */
static tdm_str beginning(tdm_str text, size_t most)
{
    tdm_str w = {0}, rest = text;
    size_t n = 0, end = 0;
    while (n < most && tdm_text_word(&w, &rest)) {
        end = (size_t)(w.p + w.n - text.p);
        n++;
    }
    return (tdm_str){text.p, end};
}

static size_t word_count(tdm_str text)
{
    tdm_str w;
    size_t n = 0;
    while (tdm_text_word(&w, &text)) n++;
    return n;
}

/* The next sentence of *rest: to a mark of its end, or to the end of a line. */
static bool sentence_next(tdm_str *sentence, tdm_str *rest)
{
    size_t n = 0;
    if (!rest->n) return false;
    while (n < rest->n && !strchr(".!?\n", rest->p[n])) n++;
    while (n < rest->n && strchr(".!?\n", rest->p[n])) n++;
    *sentence = tdm_str_trim((tdm_str){rest->p, n});
    rest->p += n;
    rest->n -= n;
    return true;
}

/* Sentences of what others wrote about the item in training; returns how many. */
static size_t sentences_of(tdm_str out[SENTENCES], const tdm_dataset *t, uint32_t item, uint32_t asker)
{
    size_t n = 0;
    for (uint32_t u = 0; u < t->U && n < SENTENCES; u++)
        for (int64_t k = t->offset[u]; u != asker && k < t->offset[u + 1] && n < SENTENCES; k++) {
            if (t->item[k] != item) continue;
            tdm_str rest = tdm_strings_at(&t->review, t->row[k]), s;
            while (n < SENTENCES && sentence_next(&s, &rest)) {
                size_t words = word_count(s);
                if (words >= SHORT && words <= LONG) out[n++] = s;
            }
        }
    return n;
}

static tdm_str central(const tdm_dataset *t, uint32_t item, uint32_t asker)
{
    tdm_str all[SENTENCES], best = {"", 0};
    double most = -1;
    size_t n = sentences_of(all, t, item, asker);
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++) sum += j == i ? 0 : tdm_texts_overlap(all[i], all[j]);
        if (sum > most) most = sum, best = all[i];
    }
    return best;
}

/* What the person wrote about the item: the words of the summary, then of the review; empty where they wrote none. */
static void own_words(tdm_buf *out, const tdm_dataset *d, uint32_t user, uint32_t item)
{
    for (int64_t k = d->offset[user]; k < d->offset[user + 1]; k++) {
        if (d->item[k] != item || !word_count(tdm_strings_at(&d->review, d->row[k]))) continue;
        tdm_str summary = tdm_strings_at(&d->summary, d->row[k]), review = tdm_strings_at(&d->review, d->row[k]);
        tdm_buf_reset(out);
        tdm_buf_add(out, summary.p, summary.n);
        tdm_buf_char(out, '\n');
        tdm_buf_add(out, review.p, review.n);
    }
}

static tdm_status sentence_take(tdm_str *out, asking *a, const tdm_history *h, uint32_t item, bool written,
                                tdm_err *err)
{
    cJSON *o = cJSON_CreateObject();
    const tdm_explain_input in = {.data = a->b->data,
                                  .train = a->b->split->train,
                                  .model = a->model,
                                  .writer = written ? a->writer : NULL,
                                  .history = h,
                                  .item = item,
                                  .positive_from = a->b->protocol.positive_from,
                                  .seed = a->seed,
                                  .counts = written ? &a->counts : NULL};
    tdm_status st = o ? tdm_explain(o, &in, err) : tdm_nomem(err, "a sentence");
    char *text = st ? NULL : tdm_strdup(tdm_json_str(o, "text", ""));
    cJSON_Delete(o);
    if (st) return st;
    if (!text) return tdm_nomem(err, "a sentence");
    *out = tdm_str_of(text);
    return TDM_OK;
}

static tdm_status question_ask(asking *a, const tdm_questions *qs, size_t q, tdm_err *err)
{
    tdm_buf own = {0};
    tdm_history h = tdm_questions_history(qs, q);
    uint32_t item = qs->target[qs->target_at[q]];
    own_words(&own, a->b->data, qs->user[q], item);
    if (!own.n) return own.failed ? tdm_nomem(err, "a review") : TDM_OK;
    tdm_str reference = beginning((tdm_str){own.p, own.n}, REFERENCE),
            whole = central(a->b->split->train, item, qs->user[q]);
    char *kept = tdm_strndup(reference.p, reference.n), *sentence = tdm_strndup(whole.p, whole.n);
    tdm_buf_clear(&own);
    for (int kind = 0; kind < KINDS; kind++) a->pair[kind][a->n].reference = kept ? tdm_str_of(kept) : (tdm_str){0};
    a->pair[CENTRAL][a->n].written = sentence ? tdm_str_of(sentence) : (tdm_str){0};
    a->without += !whole.n;
    tdm_status st = kept && sentence ? TDM_OK : tdm_nomem(err, "a review");
    size_t at = a->n++; /* from here on it is freed with the others */
    if (!st) st = sentence_take(&a->pair[GENERATED][at].written, a, &h, item, true, err);
    return st ? st : sentence_take(&a->pair[EVIDENCE][at].written, a, &h, item, false, err);
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

static tdm_status answer_add(cJSON *document, const asking *a, tdm_err *err)
{
    cJSON *o = cJSON_AddObjectToObject(document, "text"), *all, *counts;
    int best = GENERATED;
    double most = -1;
    cJSON_AddNumberToObject(o, "people", (double)a->n);
    cJSON_AddNumberToObject(o, "features", (double)a->n_features);
    cJSON_AddNumberToObject(o, "no_central", (double)a->without);
    all = cJSON_AddObjectToObject(o, "texts");
    for (int kind = 0; kind < KINDS; kind++) {
        tdm_text_scores s;
        tdm_status st = tdm_texts_score(&s, a->pair[kind], a->n, a->feature, a->n_features, err);
        if (st) return st;
        cJSON_AddItemToObject(all, kinds[kind], scores_json(&s));
        if (s.rougel > most) most = s.rougel, best = kind;
    }
    cJSON_AddStringToObject(o, "best", kinds[best]);
    counts = cJSON_AddObjectToObject(o, "counts");
#define X(name) cJSON_AddNumberToObject(counts, #name, (double)a->counts.name);
    TDM_EXPLAIN_COUNTS(X)
#undef X
    return TDM_OK;
}

tdm_status tdm_evaluate_text(cJSON *document, const tdm_bundle *b, const tdm_questions *qs, tdm_run *run, tdm_err *err)
{
    asking a = {.b = b, .seed = run->seed};
    for (int i = 0; tdm_models[i]; i++)
        if (b->model[i] && b->model[i]->ops->write) a.writer = b->model[i];
    if (!a.writer)
        return tdm_fail(err, TDM_E_ARG,
                        "%s: nothing in it writes sentences, so --text has nothing to judge; train gpt2-words",
                        b->folder);
    tdm_status st = tdm_bundle_model(b, &a.model, NULL, err);
    for (int kind = 0; kind < KINDS; kind++)
        if (!(a.pair[kind] = tdm_new(PAIRS, sizeof **a.pair)) && !st) st = tdm_nomem(err, "the texts");
    const tdm_dataset *d = b->data;
    if (!st && d->row && d->review.n && d->summary.n) {
        st = features_find(&a, err);
        for (size_t q = 0; !st && q < qs->n && a.n < PAIRS; q++) {
            st = tdm_run_check(run, "evaluate", err);
            if (!st && qs->target_at[q] < qs->target_at[q + 1]) st = question_ask(&a, qs, q, err);
            tdm_progress(run, "text", a.n, PAIRS, "sentences");
        }
    }
    if (!st && !a.n)
        st = tdm_fail(err, TDM_E_ARG,
                      "%s: nobody who is held out wrote about what is held out, so --text has nothing to "
                      "judge sentences by",
                      b->folder);
    if (!st) st = answer_add(document, &a, err);
    for (size_t i = 0; i < a.n; i++) {
        for (int kind = 0; kind < KINDS; kind++) tdm_free((char *)(uintptr_t)a.pair[kind][i].written.p);
        tdm_free((char *)(uintptr_t)a.pair[0][i].reference.p);
    }
    for (int kind = 0; kind < KINDS; kind++) tdm_free(a.pair[kind]);
    tdm_free(a.feature);
    return st;
}
