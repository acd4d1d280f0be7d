/* SPDX-License-Identifier: Apache-2.0 */
#include "hybrid/central.h"

#include "base/mem.h"
#include "hybrid/check.h"
#include "hybrid/facts.h"
#include "hybrid/tidy.h"
#include "text/terms.h"

#include <string.h>

enum { SENTENCES = 64, SHORT = 4, LONG = 40, REVIEW_BYTES = 4000 };

typedef struct sentence {
    size_t at, n; /* in the text of all */
    size_t words;
    uint64_t word[LONG]; /* rising */
    double central;
    bool blocked;
} sentence;

typedef struct sentences {
    const tdm_explain_input *in;
    tdm_buf text, review;
    sentence *s; /* SENTENCES */
    size_t n;
} sentences;

/* To a mark of a sentence's end, or to the end of a line. */
static tdm_str sentence_next(tdm_str *rest)
{
    size_t n = 0;
    while (n < rest->n && !strchr(".!?\n", rest->p[n])) n++;
    while (n < rest->n && strchr(".!?\n", rest->p[n])) n++;
    tdm_str s = {rest->p, n};
    rest->p += n;
    rest->n -= n;
    return s;
}

static void sentence_add(sentences *a, tdm_str text)
{
    uint64_t word[TDM_TEXT_WORDS];
    tdm_buf_reset(&a->review);
    tdm_tidy(&a->review, text, SIZE_MAX);
    tdm_str s = {a->review.p, a->review.n};
    size_t words = tdm_text_words(word, s);
    if (words < SHORT || words > LONG || s.n > TDM_CENTRAL_BYTES || memchr(s.p, '"', s.n)) return;
    if (!tdm_sentence_form(s)) return;
    sentence *to = &a->s[a->n++];
    *to = (sentence){.at = a->text.n, .n = s.n, .words = words};
    tdm_buf_add(&a->text, s.p, s.n);
    memcpy(to->word, word, words * sizeof *word);
    tdm_terms_sort(to->word, words);
}

static void sentences_read(sentences *a, uint32_t asker)
{
    const tdm_dataset *t = a->in->train;
    for (uint32_t u = 0; u < t->U; u++)
        for (int64_t k = t->offset[u]; u != asker && k < t->offset[u + 1]; k++) {
            if (t->item[k] != a->in->item || (t->rating && t->rating[k] < tdm_facts_liked_from(a->in))) continue;
            tdm_str rest = tdm_strings_at(&t->review, t->row[k]);
            if (rest.n > REVIEW_BYTES) rest.n = REVIEW_BYTES;
            while (rest.n && a->n < SENTENCES) sentence_add(a, sentence_next(&rest));
            if (a->n == SENTENCES) return;
        }
}

static void compare(sentences *a)
{
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < i; j++) {
            sentence *x = &a->s[i], *y = &a->s[j];
            double both = (double)tdm_terms_shared(x->word, x->words, y->word, y->words);
            x->central += 2 * both / (double)(x->words + y->words);
            y->central += 2 * both / (double)(x->words + y->words);
        }
}

/* The most central sentence that is not blocked. */
static tdm_status best_add(tdm_buf *out, sentences *a, tdm_err *err)
{
    for (size_t left = a->n; left; left--) {
        sentence *best = NULL;
        for (size_t i = 0; i < a->n; i++)
            if (!a->s[i].blocked && (!best || a->s[i].central > best->central)) best = &a->s[i];
        tdm_str s = {a->text.p + best->at, best->n};
        tdm_status st = tdm_block_find(a->in->block, &best->blocked, s, NULL, err);
        if (st) return st;
        if (best->blocked) continue;
        tdm_buf_add(out, s.p, s.n);
        return out->failed ? tdm_nomem(err, "a reviewer's sentence") : TDM_OK;
    }
    return TDM_OK;
}

tdm_status tdm_central_find(tdm_buf *out, const tdm_explain_input *in, uint32_t asker, tdm_err *err)
{
    if (!in->train->row || !in->train->review.n) return TDM_OK;
    sentences a = {.in = in, .s = tdm_new(SENTENCES, sizeof *a.s)};
    if (a.s) sentences_read(&a, asker);
    tdm_status st = a.s && !a.text.failed && !a.review.failed ? TDM_OK : tdm_nomem(err, "a reviewer's sentence");
    if (!st) compare(&a);
    if (!st) st = best_add(out, &a, err);
    tdm_buf_clear(&a.text);
    tdm_buf_clear(&a.review);
    tdm_free(a.s);
    return st;
}
