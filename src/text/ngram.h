/* SPDX-License-Identifier: Apache-2.0 */
/* ngram.h - an n-gram language model: interpolated modified Kneser-Ney smoothing of Chen and Goodman ("An Empirical
 * Study of Smoothing Techniques for Language Modeling", 1998, section 3 and equations 26 to 29).
 *
 *     p(w | h) = max(c(h w) - D(c(h w)), 0) / c(h)  +  (D1 N1(h) + D2 N2(h) + D3 N3(h)) / c(h)  p(w | h without its
 * first)
 *
 * c is how often it was seen for the highest order; for a lower one it is how many different tokens stood before it,
 * and, since a text's beginning has nothing before it, how often it was seen there. c(h) is the sum over w, Nk(h) the
 * number of w with c(h w) = k (N3: 3 or more). Of each order, with nk its n-grams of count k and Y = n1 / (n1 + 2 n2):
 *
 *     D(1) = 1 - 2 Y n2/n1    D(2) = 2 - 3 Y n3/n2    D(3 or more) = 3 - 4 Y n4/n3
 *
 * Where counts are too few to say (an nk that it needs is 0, or D(k) is not within 0 .. k) D(k) is k/2. Below the
 * unigrams all V tokens are equally likely, so every token has a probability above 0 and those of all V sum to 1 behind
 * any history.
 */
#ifndef TDM_TEXT_NGRAM_H
#define TDM_TEXT_NGRAM_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct tdm_ngram tdm_ngram; /* const use is safe from many threads */

enum { TDM_NGRAM_ORDER = 8 }; /* at most */

/* Counts n texts: text q is token[start[q] .. start[q + 1]), each token < V. A text's first token is given, as the
 * history of the others: it is never foretold. order: 1 .. TDM_NGRAM_ORDER. Takes about 32 bytes for each different
 * n-gram of all orders, at a load of a half to a quarter. Fails with TDM_E_ARG, TDM_E_NOMEM. */
tdm_status tdm_ngram_open(tdm_ngram **out, size_t order, size_t V, const uint32_t *token, const uint32_t *start,
                          size_t n, tdm_err *err);
void tdm_ngram_close(tdm_ngram *m);

/* p(token | the n tokens before it, of which the last order - 1 count); above 0. */
double tdm_ngram_p(const tdm_ngram *m, const uint32_t *history, size_t n, uint32_t token);

/* D(1), D(2), D(3 or more) of the n-grams of `length` tokens, 1 .. order. */
void tdm_ngram_discounts(const tdm_ngram *m, size_t length, double out[3]);

/* *out = exp(mean of -log p) over all tokens of the texts but their first ones, of which there are *tokens; NaN where
 * there are none. */
void tdm_ngram_perplexity(const tdm_ngram *m, double *out, size_t *tokens, const uint32_t *token, const uint32_t *start,
                          size_t n);

#endif
