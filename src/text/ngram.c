/* SPDX-License-Identifier: Apache-2.0 */
/* ngram.c - all n-grams in one table by a 64-bit hash of their tokens (XXH3; that two of a log share one is as likely
 * as a broken disk), each with its count and, as a history, the sum and the counts of counts of what follows it.
 *
 * One pass makes all counts. The longest n-gram that ends at a token is counted; if it is new, the one without its
 * first token has one different token more before it, is counted in turn, and so on until one is not new. An n-gram
 * that begins a text is the longest that ends where it does, so it is counted each time, as the header wants it. A
 * second pass gives each different n-gram to its history. */
#include "text/ngram.h"

#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <xxhash.h>

typedef struct gram {
    uint64_t key; /* 0: nothing is here */
    uint32_t count;
    uint32_t sum, n[3]; /* as a history */
    uint16_t length;
    bool given; /* to its history */
} gram;

struct tdm_ngram {
    size_t order, V;
    gram *at;
    size_t cap, n; /* cap: a power of two */
    double D[TDM_NGRAM_ORDER + 1][3];
};

static const char what[] = "an n-gram model";

/* ---- the table ---- */

static uint64_t key_of(const uint32_t *token, size_t n)
{
    uint64_t key = XXH3_64bits_withSeed(token, n * sizeof *token, n);
    return key ? key : 1;
}

static gram *place(gram *at, size_t cap, uint64_t key)
{
    size_t i = (size_t)key & (cap - 1);
    while (at[i].key && at[i].key != key) i = (i + 1) & (cap - 1);
    return &at[i];
}

static const gram *find(const tdm_ngram *m, const uint32_t *token, size_t n)
{
    const gram *g = place(m->at, m->cap, key_of(token, n));
    return g->key ? g : NULL;
}

/* The place of an n-gram, a new one if need be; NULL where memory is short. Good until the next call. */
static gram *add(tdm_ngram *m, const uint32_t *token, size_t n)
{
    uint64_t key = key_of(token, n);
    gram *g = place(m->at, m->cap, key);
    if (g->key) return g;
    if (2 * (m->n + 1) > m->cap) {
        gram *wider = tdm_new(2 * m->cap, sizeof *wider);
        if (!wider) return NULL;
        for (size_t i = 0; i < m->cap; i++)
            if (m->at[i].key) *place(wider, 2 * m->cap, m->at[i].key) = m->at[i];
        tdm_free(m->at);
        m->at = wider;
        m->cap *= 2;
        g = place(m->at, m->cap, key);
    }
    m->n++;
    *g = (gram){.key = key, .length = (uint16_t)n};
    return g;
}

/* ---- counting ---- */

/* The n-grams that end at token i of a text that begins at token `from`. */
static bool count(tdm_ngram *m, const uint32_t *token, size_t from, size_t i)
{
    size_t n = i - from + 1 < m->order ? i - from + 1 : m->order;
    for (; n; n--) {
        gram *g = add(m, token + i + 1 - n, n);
        if (!g) return false;
        if (g->count < UINT32_MAX) g->count++;
        if (g->count > 1) break;
    }
    return true;
}

static bool give(tdm_ngram *m, const uint32_t *token, size_t from, size_t i)
{
    size_t n = i - from + 1 < m->order ? i - from + 1 : m->order;
    for (; n; n--) {
        const uint32_t *first = token + i + 1 - n;
        gram *g = add(m, first, n);
        if (!g) return false;
        if (g->given) break; /* and so were the shorter ones, with it */
        g->given = true;
        uint32_t c = g->count;
        gram *h = add(m, first, n - 1);
        if (!h) return false;
        h->sum += c;
        h->n[(c < 3 ? c : 3) - 1]++;
    }
    return true;
}

static void discounts_make(tdm_ngram *m)
{
    double n[TDM_NGRAM_ORDER + 1][5] = {{0}};
    for (size_t i = 0; i < m->cap; i++)
        if (m->at[i].key && m->at[i].count >= 1 && m->at[i].count <= 4) n[m->at[i].length][m->at[i].count]++;
    for (size_t k = 1; k <= m->order; k++) {
        double Y = n[k][1] / (n[k][1] + 2 * n[k][2]);
        for (int c = 1; c <= 3; c++) {
            double D = c - (c + 1) * Y * n[k][c + 1] / n[k][c];
            bool fine = n[k][c] > 0 && n[k][c + 1] > 0 && D >= 0 && D <= c; /* and not 0/0 */
            m->D[k][c - 1] = fine ? D : c / 2.0;
        }
    }
}

tdm_status tdm_ngram_open(tdm_ngram **out, size_t order, size_t V, const uint32_t *token, const uint32_t *start,
                          size_t n, tdm_err *err)
{
    *out = NULL;
    if (!order || order > TDM_NGRAM_ORDER || !V)
        return tdm_fail(err, TDM_E_ARG, "%s of order %zu over %zu tokens: orders are 1 to %d, tokens at least 1", what,
                        order, V, TDM_NGRAM_ORDER);
    tdm_ngram *m = tdm_new(1, sizeof *m);
    if (!m) return tdm_nomem(err, what);
    m->order = order;
    m->V = V;
    m->cap = 1024;
    m->at = tdm_new(m->cap, sizeof *m->at);
    bool fine = m->at != NULL;
    for (size_t q = 0; fine && q < n; q++)
        for (size_t i = start[q] + 1; fine && i < start[q + 1]; i++) fine = count(m, token, start[q], i);
    for (size_t q = 0; fine && q < n; q++)
        for (size_t i = start[q] + 1; fine && i < start[q + 1]; i++) fine = give(m, token, start[q], i);
    if (!fine) {
        tdm_ngram_close(m);
        return tdm_nomem(err, what);
    }
    discounts_make(m);
    *out = m;
    return TDM_OK;
}

void tdm_ngram_close(tdm_ngram *m)
{
    if (!m) return;
    tdm_free(m->at);
    tdm_free(m);
}

/* ---- asking ---- */

double tdm_ngram_p(const tdm_ngram *m, const uint32_t *history, size_t n, uint32_t token)
{
    uint32_t gram_of[TDM_NGRAM_ORDER]; /* the history's end, and the token behind it */
    double p = 1 / (double)m->V;
    size_t most = n < m->order - 1 ? n : m->order - 1;
    for (size_t k = 0; k < most; k++) gram_of[k] = history[n - most + k];
    gram_of[most] = token;
    for (size_t k = 1; k <= most + 1; k++) {
        const uint32_t *first = gram_of + most + 1 - k;
        const gram *h = find(m, first, k - 1), *g = find(m, first, k);
        if (!h || !h->sum) break; /* then nothing longer was seen either */
        const double *D = m->D[k];
        double sum = h->sum, left = (D[0] * h->n[0] + D[1] * h->n[1] + D[2] * h->n[2]) / sum;
        uint32_t c = g ? g->count : 0;
        p = left * p + (c ? ((double)c - D[(c < 3 ? c : 3) - 1]) / sum : 0);
    }
    return p;
}

void tdm_ngram_discounts(const tdm_ngram *m, size_t length, double out[3])
{
    for (size_t k = 0; k < 3; k++) out[k] = m->D[length][k];
}

void tdm_ngram_perplexity(const tdm_ngram *m, double *out, size_t *tokens, const uint32_t *token, const uint32_t *start,
                          size_t n)
{
    double sum = 0;
    *tokens = 0;
    for (size_t q = 0; q < n; q++)
        for (size_t i = start[q] + 1; i < start[q + 1]; i++, ++*tokens)
            sum -= log(tdm_ngram_p(m, token + start[q], i - start[q], token[i]));
    *out = *tokens ? exp(sum / (double)*tokens) : NAN;
}
