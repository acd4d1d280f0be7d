/* SPDX-License-Identifier: Apache-2.0 */
/* claims.c - names as sorted hashes of their words. A text is looked up from each of its words on, in as many words as
 * the longest name has; what is found there is then sought in what is known, which is seldom and may take long. */
#include "hybrid/claims.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "base/utf8.h"
#include "hybrid/tidy.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 64, SHORTEST = 4, RUN = 3, RUN_TITLES = 8, SENTENCE_WORDS = 256 };

/* TITLE: also its parts and runs. */
typedef enum kind { ID, TITLE, SINGLE, BRAND, CATEGORY, KINDS } kind;

typedef struct word {
    uint64_t key, one, exact; /* in any case; as one of many, too; as it is written */
    tdm_str at;
    bool first; /* a sentence begins here */
} word;

typedef struct keys {
    uint64_t *at;
    size_t n, cap, longest; /* of words */
} keys;

struct tdm_claims {
    keys of[KINDS];
};

/* ---- words ---- */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c; }

static uint64_t hash(const char *p, size_t n, bool any_case)
{
    uint64_t k = n;
    for (size_t i = 0; i < n; i++) k = tdm_mix64(k ^ (uint8_t)(any_case ? lower(p[i]) : p[i]));
    return k;
}

/* The next word of *rest. *first goes in as whether a sentence begins, and comes out so. */
static bool word_next(word *w, tdm_str *rest, bool *first)
{
    const char *from = NULL;
    uint32_t c;
    while (rest->n) {
        size_t n = tdm_utf8_next(*rest, &c);
        bool letter = tdm_tidy_letter(c);
        if (!letter && from) break;
        if (letter && !from) from = rest->p;
        if (c == '.' || c == '!' || c == '?') *first = true;
        rest->p += n;
        rest->n -= n;
    }
    if (!from) return false;
    size_t n = (size_t)(rest->p - from);
    w->at = (tdm_str){from, n};
    w->key = hash(from, n, true);
    w->exact = hash(from, n, false);
    bool many = n > 3 && lower(from[n - 1]) == 's' && lower(from[n - 2]) != 's';
    w->one = many ? hash(from, n - 1, true) : w->key;
    w->first = *first;
    *first = false;
    return true;
}

static size_t words_of(word *w, size_t most, tdm_str text)
{
    bool first = true;
    size_t n = 0;
    while (n < most && word_next(&w[n], &text, &first)) n++;
    return n;
}

static uint64_t key_of(const word *w, kind k) { return k == CATEGORY ? w->one : k == SINGLE ? w->exact : w->key; }

static uint64_t phrase(uint64_t before, uint64_t key) { return tdm_mix64(before * 3 + key); }

static bool function_word(tdm_str w)
{
    static const char *const all[] = {"the",  "and",  "for",  "you", "not",  "all",  "with", "this", "that", "from",
                                      "your", "have", "was",  "are", "one",  "its",  "our",  "they", "new",  "now",
                                      "she",  "her",  "his",  "has", "but",  "can",  "get",  "very", "when", "will",
                                      "than", "them", "then", "too", "good", "best", "great"};
    char low[8];
    if (w.n < 3) return true;
    if (w.n >= sizeof low) return false;
    for (size_t i = 0; i < w.n; i++) low[i] = lower(w.p[i]);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strlen(all[i]) == w.n && !memcmp(all[i], low, w.n)) return true;
    return false;
}

/* ---- the names of a catalogue ---- */

static int order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool add(keys *k, uint64_t key, size_t words)
{
    if (tdm_grow(&k->at, &k->cap, k->n + 1, sizeof *k->at)) return false;
    k->at[k->n++] = key;
    if (words > k->longest) k->longest = words;
    return true;
}

static bool add_phrase(keys *k, const word *w, size_t n, kind as)
{
    uint64_t key = 0;
    for (size_t i = 0; i < n; i++) key = phrase(key, key_of(&w[i], as));
    return add(k, key, n);
}

/* How often `key` stands in sorted keys, counted as far as `most`. */
static size_t times(const keys *k, uint64_t key, size_t most)
{
    size_t low = 0, high = k->n, n = 0;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (k->at[mid] < key) low = mid + 1;
        else high = mid;
    }
    while (low + n < k->n && n < most && k->at[low + n] == key) n++;
    return n;
}

/* Words of titles, and three in a row, each once for every title that has it. */
static bool count_title(keys *single, keys *run, const word *w, size_t n)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        bool again = false;
        for (size_t j = 0; j < i; j++) again |= w[j].key == w[i].key;
        if (!again) ok = add(single, w[i].key, 1);
        if (ok && i + RUN <= n) ok = add_phrase(run, w + i, RUN, TITLE);
    }
    return ok;
}

typedef struct rarity {
    keys word, run;
    size_t few, few_runs;
} rarity;

static bool rare(const rarity *r, const word *w)
{
    return !function_word(w->at) && times(&r->word, w->key, r->few + 1) <= r->few;
}

/* Whether a title is parted between two of its words. */
static bool parted(const word *a, const word *b)
{
    const char *from = a->at.p + a->at.n;
    size_t n = (size_t)(b->at.p - from);
    for (size_t i = 0; i < n; i++)
        if (strchr("()[]{},:;|/\"", from[i])) return true;
    return n >= 3 && from[0] == ' ' && from[n - 1] == ' '; /* " - ", " & " */
}

static bool add_title(tdm_claims *c, const rarity *r, const word *w, size_t n, tdm_str title)
{
    bool ok = true;
    if (!n || title.n < SHORTEST) return true;
    if (n == 1) return lower(*w->at.p) == *w->at.p || add_phrase(&c->of[SINGLE], w, 1, SINGLE);
    ok = add_phrase(&c->of[TITLE], w, n, TITLE);
    for (size_t i = 0, from = 0; ok && i < n; i++) {
        if (i + 1 < n && !parted(&w[i], &w[i + 1])) continue;
        size_t have = 0, part = i + 1 - from;
        for (size_t k = from; k <= i; k++) have += rare(r, &w[k]);
        if (part > 1 && part < n && have) ok = add_phrase(&c->of[TITLE], w + from, part, TITLE);
        from = i + 1;
    }
    for (size_t i = 0; ok && i + RUN <= n; i++) {
        size_t have = 0;
        uint64_t key = 0;
        for (size_t k = 0; k < RUN; k++) have += rare(r, &w[i + k]), key = phrase(key, w[i + k].key);
        if (have > 1 && times(&r->run, key, r->few_runs + 1) <= r->few_runs) ok = add(&c->of[TITLE], key, RUN);
    }
    return ok;
}

static bool add_name(keys *k, tdm_str name, kind as)
{
    word w[MOST_WORDS];
    size_t n = words_of(w, MOST_WORDS, name);
    return !n || (n == 1 && function_word(w->at)) || add_phrase(k, w, n, as);
}

static bool has_digit(tdm_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= '0' && s.p[i] <= '9') return true;
    return false;
}

static bool read_catalogue(tdm_claims *c, rarity *r, const tdm_dataset *d)
{
    word w[MOST_WORDS];
    bool ok = true;
    for (size_t i = 0; ok && i < d->title.n; i++)
        ok = count_title(&r->word, &r->run, w, words_of(w, MOST_WORDS, tdm_strings_at(&d->title, i)));
    if (ok && r->word.n) qsort(r->word.at, r->word.n, sizeof *r->word.at, order);
    if (ok && r->run.n) qsort(r->run.at, r->run.n, sizeof *r->run.at, order);
    r->few = d->I / 8 + 1;
    r->few_runs = d->I / 1000 + RUN_TITLES;
    for (size_t i = 0; ok && i < d->I; i++) {
        tdm_str id = tdm_strings_at(&d->item_id, i), title = d->title.n ? tdm_strings_at(&d->title, i) : (tdm_str){0};
        tdm_str rest = d->category.n ? tdm_strings_at(&d->category, i) : (tdm_str){0};
        if (has_digit(id)) ok = add_name(&c->of[ID], id, ID);
        if (ok) ok = add_title(c, r, w, words_of(w, MOST_WORDS, title), title);
        if (ok && d->brand.n) ok = add_name(&c->of[BRAND], tdm_strings_at(&d->brand, i), BRAND);
        while (ok && rest.n) {
            const char *end = memchr(rest.p, '\n', rest.n);
            size_t n = end ? (size_t)(end - rest.p) : rest.n;
            ok = add_name(&c->of[CATEGORY], (tdm_str){rest.p, n}, CATEGORY);
            n += end != NULL;
            rest.p += n;
            rest.n -= n;
        }
    }
    return ok;
}

tdm_status tdm_claims_open(tdm_claims **out, const tdm_dataset *d, tdm_err *err)
{
    rarity r = {0};
    tdm_claims *c = *out = tdm_new(1, sizeof *c);
    bool ok = c && read_catalogue(c, &r, d);
    for (kind k = 0; ok && k < KINDS; k++) {
        keys *of = &c->of[k];
        size_t n = 0;
        if (of->n) qsort(of->at, of->n, sizeof *of->at, order);
        for (size_t i = 0; i < of->n; i++)
            if (!n || of->at[i] != of->at[n - 1]) of->at[n++] = of->at[i];
        of->n = n;
    }
    tdm_free(r.word.at);
    tdm_free(r.run.at);
    if (ok) return TDM_OK;
    tdm_claims_close(c);
    *out = NULL;
    return tdm_nomem(err, "the names of a catalogue");
}

void tdm_claims_close(tdm_claims *c)
{
    if (!c) return;
    for (kind k = 0; k < KINDS; k++) tdm_free(c->of[k].at);
    tdm_free(c);
}

/* ---- a text ---- */

/* Whether the n words stand side by side in one line of `known`. */
static bool stands(tdm_str known, const word *w, size_t n, kind as)
{
    if (as == SINGLE) as = TITLE; /* there it may be written in any way */
    while (known.n) {
        const char *end = memchr(known.p, '\n', known.n);
        tdm_str line = {known.p, end ? (size_t)(end - known.p) : known.n};
        uint64_t ring[MOST_WORDS];
        bool first = true;
        word next;
        known.p += line.n + (end != NULL);
        known.n -= line.n + (end != NULL);
        for (size_t at = 0; word_next(&next, &line, &first); at++) {
            ring[at % n] = key_of(&next, as);
            size_t same = 0;
            while (at + 1 >= n && same < n && ring[(at + 1 + same) % n] == key_of(&w[same], as)) same++;
            if (same == n) return true;
        }
    }
    return false;
}

const char *tdm_claims_unbacked(const tdm_claims *c, tdm_str text, tdm_str known)
{
    static const char *const said[KINDS] = {"an item", "an item", "an item", "a brand", "a category"};
    word w[SENTENCE_WORDS];
    size_t n = words_of(w, SENTENCE_WORDS, text);
    for (size_t i = 0; i < n; i++)
        for (kind k = 0; k < KINDS; k++) {
            const keys *of = &c->of[k];
            uint64_t key = 0;
            for (size_t m = 1; m <= of->longest && i + m <= n; m++) {
                key = phrase(key, key_of(&w[i + m - 1], k));
                if (!times(of, key, 1) || (k == SINGLE && w[i].first)) continue;
                if (!stands(known, w + i, m, k)) return said[k];
            }
        }
    return NULL;
}
