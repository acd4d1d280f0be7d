/* SPDX-License-Identifier: Apache-2.0 */
/* terms.c - every occurrence of a term becomes (64-bit hash, item); sorted, equal hashes are a term. Two terms of equal
 * hash would be taken for one: at ten million terms the chance of one such pair is 3 in a million. */
#include "content/terms.h"
#include "base/mem.h"
#include "base/status.h"
#include "content/words.h"

#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

enum { WORD = 64, SUMMARY_WORDS = 200 }; /* bytes of a word; words that stand in for a title */
typedef enum kind { KIND_WORD = 1, KIND_PAIR, KIND_BRAND, KIND_CATEGORY } kind;

typedef struct occurrence {
    uint64_t hash;
    uint32_t item, seen; /* seen: times */
} occurrence;

typedef struct pile {
    occurrence *o;
    size_t n, cap;
    bool failed;
} pile;

static void pile_add(pile *p, uint64_t hash, uint32_t item)
{
    if (p->failed || tdm_grow(&p->o, &p->cap, p->n + 1, sizeof *p->o)) {
        p->failed = true;
        return;
    }
    p->o[p->n++] = (occurrence){hash, item, 1};
}

/* Adds up to `limit` words of `text`, with `pairs` also each two neighbours; returns how many words there were. */
static size_t add_words(pile *p, uint32_t item, tdm_str text, size_t limit, bool pairs)
{
    char word[WORD];
    size_t n = 0, length;
    uint64_t before = 0;
    while (n < limit && (length = tdm_words_next(word, sizeof word, &text))) {
        uint64_t hash = XXH3_64bits_withSeed(word, length, KIND_WORD);
        pile_add(p, hash, item);
        if (pairs && n) {
            uint64_t two[2] = {before, hash};
            pile_add(p, XXH3_64bits_withSeed(two, sizeof two, KIND_PAIR), item);
        }
        before = hash;
        n++;
    }
    return n;
}

/* Adds `text` as one term of this kind, letter case and punctuation aside. */
static void add_whole(pile *p, uint32_t item, tdm_str text, kind k)
{
    char word[WORD];
    size_t length;
    uint64_t hash = (uint64_t)k;
    while ((length = tdm_words_next(word, sizeof word, &text))) hash = XXH3_64bits_withSeed(word, length, hash);
    if (hash != (uint64_t)k) pile_add(p, hash, item);
}

static tdm_str text_of(const tdm_strings *s, size_t i) { return i < s->n ? tdm_strings_at(s, i) : (tdm_str){"", 0}; }

static void add_item(pile *p, const tdm_dataset *d, uint32_t i, size_t description_words, uint8_t *named)
{
    tdm_str brand = text_of(&d->brand, i), path = text_of(&d->category, i);
    size_t words = add_words(p, i, text_of(&d->title, i), SIZE_MAX, true);
    words += add_words(p, i, text_of(&d->keywords, i), SIZE_MAX, false);
    named[i] = words > 0;
    add_words(p, i, text_of(&d->description, i), description_words, false);
    add_whole(p, i, brand, KIND_BRAND);
    add_words(p, i, brand, SIZE_MAX, false);
    while (path.n) {
        size_t n = 0;
        while (n < path.n && path.p[n] != '\n') n++;
        add_whole(p, i, (tdm_str){path.p, n}, KIND_CATEGORY);
        add_words(p, i, (tdm_str){path.p, n}, SIZE_MAX, false);
        n += n < path.n;
        path.p += n;
        path.n -= n;
    }
}

/* The words of review summaries for items that nothing else names. left[i]: words that item i may still take. */
static tdm_status add_summaries(pile *p, const tdm_dataset *d, const uint8_t *named, tdm_err *err)
{
    uint32_t *left = tdm_new(d->I, sizeof *left);
    if (!left) return tdm_nomem(err, "review summaries");
    for (size_t i = 0; i < d->I; i++) left[i] = named[i] ? 0 : SUMMARY_WORDS;
    for (size_t k = 0; d->row && k < d->N; k++) {
        uint32_t i = d->item[k];
        if (i < d->I && left[i]) left[i] -= (uint32_t)add_words(p, i, text_of(&d->summary, d->row[k]), left[i], false);
    }
    tdm_free(left);
    return TDM_OK;
}

static int by_hash_then_item(const void *a, const void *b)
{
    const occurrence *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static size_t run_length(const pile *p, size_t at)
{
    size_t end = at;
    while (end < p->n && p->o[end].hash == p->o[at].hash) end++;
    return end - at;
}

/* Sorts and adds up equal occurrences. */
static void pile_settle(pile *p)
{
    size_t n = 0;
    if (p->n) qsort(p->o, p->n, sizeof *p->o, by_hash_then_item);
    for (size_t k = 0; k < p->n; k++)
        if (n && p->o[n - 1].hash == p->o[k].hash && p->o[n - 1].item == p->o[k].item) p->o[n - 1].seen++;
        else p->o[n++] = p->o[k];
    p->n = n;
}

static bool kept(size_t df, size_t I, size_t min_df) { return df >= min_df && 2 * df <= I; }

/* Lays the kept terms out row by row: terms are numbered by their hash, so each row comes out rising. */
static tdm_status rows_fill(tdm_terms *t, const pile *p, size_t min_df, tdm_err *err)
{
    size_t n = 0;
    t->offset = tdm_new(t->I + 1, sizeof *t->offset);
    if (!t->offset) return tdm_nomem(err, "the terms of items");
    for (size_t at = 0, df; at < p->n; at += df) {
        df = run_length(p, at);
        if (!kept(df, t->I, min_df)) continue;
        for (size_t k = at; k < at + df; k++) t->offset[p->o[k].item + 1]++;
        n += df;
    }
    for (size_t i = 0; i < t->I; i++) t->offset[i + 1] += t->offset[i];
    t->term = tdm_new(n, sizeof *t->term);
    t->weight = tdm_new(n, sizeof *t->weight);
    int64_t *next = tdm_new(t->I, sizeof *next);
    if (!t->term || !t->weight || !next) {
        tdm_free(next);
        return tdm_nomem(err, "the terms of items");
    }
    for (size_t i = 0; i < t->I; i++) next[i] = t->offset[i];
    for (size_t at = 0, df; at < p->n; at += df) {
        df = run_length(p, at);
        if (!kept(df, t->I, min_df)) continue;
        double idf = log((double)t->I / (double)df);
        for (size_t k = at; k < at + df; k++) {
            int64_t to = next[p->o[k].item]++;
            t->term[to] = (uint32_t)t->V;
            t->weight[to] = (float)((1 + log((double)p->o[k].seen)) * idf);
        }
        t->V++;
    }
    tdm_free(next);
    for (size_t i = 0; i < t->I; i++) {
        double length = 0;
        for (int64_t k = t->offset[i]; k < t->offset[i + 1]; k++) length += (double)t->weight[k] * (double)t->weight[k];
        length = sqrt(length);
        for (int64_t k = t->offset[i]; k < t->offset[i + 1]; k++) t->weight[k] = (float)((double)t->weight[k] / length);
    }
    return TDM_OK;
}

tdm_status tdm_terms_make(tdm_terms *out, const tdm_dataset *train, size_t min_df, size_t description_words,
                          tdm_err *err)
{
    tdm_terms t = {.I = train->I};
    pile p = {0};
    *out = (tdm_terms){0};
    uint8_t *named = tdm_new(t.I, 1);
    if (!named) return tdm_nomem(err, "the terms of items");
    for (size_t i = 0; i < t.I; i++) add_item(&p, train, (uint32_t)i, description_words, named);
    tdm_status st = add_summaries(&p, train, named, err);
    if (!st && p.failed) st = tdm_nomem(err, "the terms of items");
    tdm_free(named);
    if (!st) {
        pile_settle(&p);
        st = rows_fill(&t, &p, min_df, err);
    }
    tdm_free(p.o);
    if (!st) st = tdm_terms_invert(&t, err);
    if (st) tdm_terms_clear(&t);
    else *out = t;
    return st;
}

tdm_status tdm_terms_invert(tdm_terms *t, tdm_err *err)
{
    size_t n = (size_t)t->offset[t->I];
    t->from = tdm_new(t->V + 2, sizeof *t->from);
    t->item = tdm_new(n, sizeof *t->item);
    t->weight_of = tdm_new(n, sizeof *t->weight_of);
    if (!t->from || !t->item || !t->weight_of) return tdm_nomem(err, "the terms of items");
    int64_t *end =
        t->from + 1; /* end[v]: where the next item of term v goes; at last where v ends, which is from[v+1] */
    for (size_t k = 0; k < n; k++) end[t->term[k] + 1]++;
    for (size_t v = 0; v < t->V; v++) end[v + 1] += end[v];
    for (size_t i = 0; i < t->I; i++)
        for (int64_t k = t->offset[i]; k < t->offset[i + 1]; k++) {
            int64_t to = end[t->term[k]]++;
            t->item[to] = (uint32_t)i;
            t->weight_of[to] = t->weight[k];
        }
    return TDM_OK;
}

double tdm_terms_dot(const tdm_terms *t, uint32_t a, uint32_t b)
{
    double sum = 0;
    int64_t x = t->offset[a], y = t->offset[b];
    while (x < t->offset[a + 1] && y < t->offset[b + 1]) {
        if (t->term[x] == t->term[y]) sum += (double)t->weight[x++] * (double)t->weight[y++];
        else if (t->term[x] < t->term[y]) x++;
        else y++;
    }
    return sum;
}

void tdm_terms_clear(tdm_terms *t)
{
    tdm_free(t->offset);
    tdm_free(t->term);
    tdm_free(t->weight);
    tdm_free(t->from);
    tdm_free(t->item);
    tdm_free(t->weight_of);
    *t = (tdm_terms){0};
}
