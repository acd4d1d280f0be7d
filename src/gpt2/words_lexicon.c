/* SPDX-License-Identifier: Apache-2.0 */
/* words_lexicon.c - which words, and which two words side by side, the training rows know.
 *
 * A small model that writes byte pairs makes up words ("girlman") and joins that nobody has written. A sentence is held
 * against this list: sorted hashes of words and of neighbours, letter case and marks at their ends aside. */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/words_parts.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 4000000 }; /* entries read at most, so that a log of millions stays cheap */

tdm_str tdm_lexicon_word(tdm_str *s)
{
    while (s->n && *s->p == ' ') s->p++, s->n--;
    tdm_str word = {s->p, 0};
    while (s->n && *s->p != ' ') s->p++, s->n--, word.n++;
    while (word.n > 1 && strchr(".,!?;:\"')(", word.p[word.n - 1])) word.n--;
    while (word.n > 1 && strchr("\"'(", word.p[0])) word.p++, word.n--;
    return word;
}

static uint64_t key(tdm_str word)
{
    uint64_t k = word.n;
    for (size_t i = 0; i < word.n; i++) {
        uint8_t c = (uint8_t)word.p[i];
        k = tdm_mix64(k ^ (c >= 'A' && c <= 'Z' ? c | 32u : c));
    }
    return k;
}

static uint64_t pair_key(uint64_t a, uint64_t b) { return tdm_mix64(a * 3 + tdm_mix64(b)); }

static bool read_text(tdm_lexicon *l, size_t *cap, tdm_str text)
{
    uint64_t before = 0;
    for (tdm_str word; l->n < MOST && (word = tdm_lexicon_word(&text)).n;) {
        if (tdm_grow(&l->key, cap, l->n + 2, sizeof *l->key)) return false;
        uint64_t k = key(word);
        l->key[l->n++] = k;
        if (before) l->key[l->n++] = pair_key(before, k);
        before = k;
    }
    return true;
}

static int order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

tdm_status tdm_lexicon_make(tdm_lexicon *l, const tdm_dataset *d, tdm_err *err)
{
    tdm_buf text = {0};
    size_t cap = 0, n = 0;
    bool fine = true;
    *l = (tdm_lexicon){0};
    for (size_t i = 0; fine && i < d->I; i++) {
        tdm_prompt_clean(&text, tdm_strings_at(&d->title, i), NAME_BYTES);
        fine = !text.failed && read_text(l, &cap, (tdm_str){text.p, text.n});
    }
    for (size_t k = 0; fine && k < d->N && l->n < MOST; k++) {
        tdm_prompt_clean(&text, tdm_strings_at(&d->summary, d->row[k]), SUMMARY_BYTES);
        fine = !text.failed && read_text(l, &cap, (tdm_str){text.p, text.n});
        if (!fine) break;
        tdm_prompt_clean(&text, tdm_strings_at(&d->review, d->row[k]), 4 * REVIEW_BYTES);
        fine = !text.failed && read_text(l, &cap, (tdm_str){text.p, text.n});
    }
    tdm_buf_clear(&text);
    if (!fine) {
        tdm_lexicon_clear(l);
        return tdm_nomem(err, "the words of the reviews");
    }
    if (l->n) qsort(l->key, l->n, sizeof *l->key, order);
    for (size_t i = 0; i < l->n; i++)
        if (!n || l->key[i] != l->key[n - 1]) l->key[n++] = l->key[i];
    l->n = n;
    return TDM_OK;
}

void tdm_lexicon_clear(tdm_lexicon *l)
{
    tdm_free(l->key);
    *l = (tdm_lexicon){0};
}

static bool has(const tdm_lexicon *l, uint64_t k)
{
    return l->n && bsearch(&k, l->key, l->n, sizeof *l->key, order) != NULL;
}

bool tdm_lexicon_knows(const tdm_lexicon *l, tdm_str word) { return has(l, key(word)); }

bool tdm_lexicon_joins(const tdm_lexicon *l, tdm_str left, tdm_str right)
{
    return has(l, pair_key(key(left), key(right)));
}
