/* SPDX-License-Identifier: Apache-2.0 */
/* decode_pages.h - keys and values of texts, in pages that texts may share. Inside this floor only.
 *
 * A page holds TDM_PAGE tokens of all layers: layer l's rows are at l x TDM_PAGE x 2C, a row a token, C of the key, C
 * of the value. A page that several texts hold is copied when one of them writes to it. */
#ifndef TDM_GPT2_DECODE_PAGES_H
#define TDM_GPT2_DECODE_PAGES_H

#include "gpt2/gpt2.h"

enum { TDM_PAGE = 16 };

typedef struct tdm_text {
    float **page; /* `pages` of them, for the first n tokens and what is reserved behind them */
    size_t n, pages;
} tdm_text;

typedef struct tdm_pages {
    size_t floats; /* of a page, its count of holders aside */
    size_t texts, most;
    tdm_text *text;
    float **spare; /* pages that nobody holds */
    size_t n_spare, spare_cap;
} tdm_pages;

tdm_status tdm_pages_open(tdm_pages *p, tdm_gpt2_shape s, size_t texts, size_t most, tdm_err *err);
void tdm_pages_clear(tdm_pages *p);

/* Room for token number n .. n + more - 1 of a text, in pages that are its own. */
tdm_status tdm_pages_reserve(tdm_pages *p, size_t text, size_t more, tdm_err *err);
void tdm_pages_rewind(tdm_pages *p, size_t text, size_t n);
void tdm_pages_fork(tdm_pages *p, size_t to, size_t from);

/* The row of a token in layer l: 2C floats. */
static inline float *tdm_pages_row(const tdm_pages *p, size_t text, size_t layer, size_t at, size_t C)
{
    return p->text[text].page[at / TDM_PAGE] + (layer * TDM_PAGE + at % TDM_PAGE) * 2 * C;
}

#endif
