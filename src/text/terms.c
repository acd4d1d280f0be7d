/* SPDX-License-Identifier: Apache-2.0 */
#include "text/terms.h"

#include <stdlib.h>
#include <xxhash.h>

static bool of_word(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool tdm_text_word(tdm_str *word, tdm_str *rest)
{
    size_t from = 0, to;
    while (from < rest->n && !of_word((unsigned char)rest->p[from])) from++;
    for (to = from; to < rest->n && of_word((unsigned char)rest->p[to]);) to++;
    *word = (tdm_str){rest->p + from, to - from};
    rest->p += to;
    rest->n -= to;
    return word->n > 0;
}

static uint64_t hash_of(tdm_str word)
{
    char lower[64];
    size_t n = word.n < sizeof lower ? word.n : sizeof lower;
    for (size_t i = 0; i < n; i++) {
        char c = word.p[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return XXH3_64bits(lower, n);
}

size_t tdm_text_words(uint64_t word[TDM_TEXT_WORDS], tdm_str text)
{
    tdm_str w;
    size_t n = 0;
    while (n < TDM_TEXT_WORDS && tdm_text_word(&w, &text)) word[n++] = hash_of(w);
    return n;
}

static int rising(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

void tdm_terms_sort(uint64_t *term, size_t n) { qsort(term, n, sizeof *term, rising); }

size_t tdm_terms_shared(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
    size_t i = 0, j = 0, both = 0;
    while (i < n && j < m) {
        if (a[i] == b[j]) both++, i++, j++;
        else if (a[i] < b[j]) i++;
        else j++;
    }
    return both;
}
