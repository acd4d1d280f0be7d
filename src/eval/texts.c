/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/texts.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { MOST = TDM_TEXT_WORDS, ORDERS = 4 };

/* ---- n-grams ---- */

static int rising(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The n-grams of order k, sorted; returns how many. */
static size_t grams(uint64_t *out, const uint64_t *word, size_t n, size_t k)
{
    size_t m = n >= k ? n - k + 1 : 0;
    for (size_t i = 0; i < m; i++) out[i] = k == 1 ? word[i] : XXH3_64bits(word + i, k * sizeof *word);
    qsort(out, m, sizeof *out, rising);
    return m;
}

static size_t different(uint64_t *a, size_t n)
{
    size_t d = 0;
    qsort(a, n, sizeof *a, rising);
    for (size_t i = 0; i < n; i++) d += !i || a[i] != a[i - 1];
    return d;
}

static size_t common_subsequence(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
    uint16_t row[MOST + 1] = {0};
    for (size_t i = 0; i < n; i++) {
        uint16_t corner = 0;
        for (size_t j = 0; j < m; j++) {
            uint16_t above = row[j + 1];
            if (a[i] == b[j]) row[j + 1] = (uint16_t)(corner + 1);
            else if (row[j] > above) row[j + 1] = row[j];
            corner = above;
        }
    }
    return row[m];
}

static double f1(size_t hits, size_t n, size_t m) { return hits ? 2 * (double)hits / (double)(n + m) : 0; }

/* ---- features ---- */

static bool is_feature(const uint64_t *feature, size_t n, uint64_t word)
{
    return n && bsearch(&word, feature, n, sizeof *feature, rising);
}

static bool holds(const uint64_t *word, size_t n, uint64_t one)
{
    for (size_t i = 0; i < n; i++)
        if (word[i] == one) return true;
    return false;
}

/* ---- all pairs ---- */

typedef struct counting {
    const uint64_t *feature;
    size_t n_features;
    size_t match[ORDERS], total[ORDERS], words, reference_words;
    double rouge1, rouge2, rougel;
    size_t named, matched;
    uint64_t *one, *two, *text, *mentioned; /* all words and pairs of words, a hash of each text, features by text */
    size_t n_one, n_two, n_mentioned;
} counting;

static void pair_add(counting *c, const tdm_text_pair *p, size_t at)
{
    uint64_t a[MOST], b[MOST], x[MOST], y[MOST];
    size_t n = tdm_text_words(a, p->written), m = tdm_text_words(b, p->reference);
    c->text[at] = XXH3_64bits(a, n * sizeof *a);
    c->words += n;
    c->reference_words += m;
    c->rougel += f1(common_subsequence(a, n, b, m), n, m);
    for (size_t k = 1; k <= ORDERS; k++) {
        size_t of_a = grams(x, a, n, k), of_b = grams(y, b, m, k), both = tdm_terms_shared(x, of_a, y, of_b);
        c->match[k - 1] += both;
        c->total[k - 1] += of_a;
        if (k == 1) c->rouge1 += f1(both, of_a, of_b);
        if (k == 2) c->rouge2 += f1(both, of_a, of_b);
        if (k > 2) continue;
        memcpy(k == 1 ? c->one + c->n_one : c->two + c->n_two, x, of_a * sizeof *x);
        *(k == 1 ? &c->n_one : &c->n_two) += of_a;
        for (size_t i = 0; k == 1 && i < of_a; i++) /* x is sorted: each once */
            if ((!i || x[i] != x[i - 1]) && is_feature(c->feature, c->n_features, x[i]))
                c->mentioned[c->n_mentioned++] = x[i];
    }
    for (size_t j = 0; j < m; j++) {
        if (!is_feature(c->feature, c->n_features, b[j])) continue;
        c->named++;
        c->matched += holds(a, n, b[j]);
        break;
    }
}

static double bleu(const counting *c, size_t orders)
{
    double sum = 0;
    for (size_t k = 0; k < orders; k++) {
        if (!c->match[k]) return 0;
        sum += log((double)c->match[k] / (double)c->total[k]) / (double)orders;
    }
    double brevity = 1 - (double)c->reference_words / (double)c->words;
    return exp(sum + (brevity < 0 ? brevity : 0));
}

/* A feature that t texts name is in t (t - 1) / 2 of their pairs. */
static void features_tell(tdm_text_scores *out, counting *c, size_t n)
{
    size_t covered = 0;
    double pairs = 0;
    qsort(c->mentioned, c->n_mentioned, sizeof *c->mentioned, rising);
    for (size_t i = 0, j; i < c->n_mentioned; i = j) {
        for (j = i; j < c->n_mentioned && c->mentioned[j] == c->mentioned[i];) j++;
        pairs += (double)(j - i) * (double)(j - i - 1) / 2;
        covered++;
    }
    if (c->named) out->fmr = (double)c->matched / (double)c->named;
    if (c->n_features) out->fcr = (double)covered / (double)c->n_features;
    if (n > 1) out->diversity = pairs / ((double)n * (double)(n - 1) / 2);
}

tdm_status tdm_texts_score(tdm_text_scores *out, const tdm_text_pair *pair, size_t n, const uint64_t *feature,
                           size_t n_features, tdm_err *err)
{
    counting c = {.feature = feature, .n_features = n_features};
    *out = (tdm_text_scores){0};
    c.one = tdm_new(n, MOST * sizeof *c.one);
    c.two = tdm_new(n, MOST * sizeof *c.two);
    c.mentioned = tdm_new(n, MOST * sizeof *c.mentioned);
    c.text = tdm_new(n, sizeof *c.text);
    tdm_status st = c.one && c.two && c.mentioned && c.text ? TDM_OK : tdm_nomem(err, "the texts");
    for (size_t i = 0; !st && i < n; i++) pair_add(&c, &pair[i], i);
    if (!st && n) {
        out->bleu1 = bleu(&c, 1);
        out->bleu4 = bleu(&c, ORDERS);
        out->rouge1 = c.rouge1 / (double)n;
        out->rouge2 = c.rouge2 / (double)n;
        out->rougel = c.rougel / (double)n;
        if (c.n_one) out->distinct1 = (double)different(c.one, c.n_one) / (double)c.n_one;
        if (c.n_two) out->distinct2 = (double)different(c.two, c.n_two) / (double)c.n_two;
        out->usr = (double)different(c.text, n) / (double)n;
        features_tell(out, &c, n);
    }
    tdm_free(c.one);
    tdm_free(c.two);
    tdm_free(c.mentioned);
    tdm_free(c.text);
    return st;
}
