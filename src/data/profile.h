/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h - what the values of a table's columns look like, and what columns without names then hold. Inside this
 * floor only. */
#ifndef TDM_DATA_PROFILE_H
#define TDM_DATA_PROFILE_H

#include "data/roles.h"

enum { TDM_COLUMNS = 64, TDM_DISTINCT = 32, TDM_MARKS = 1 << 14 };

/* How many of a column's values are numbers, dates, texts of words and so on. All zero is empty. */
typedef struct tdm_profile {
    size_t n, number, whole, half, instant, date, words, bracket, bytes, asin, reviewer, letters, bars, link, flag,
        coded, shown, keys;
    double low, high, before;
    bool falls;                  /* a number less than the one above it */
    uint64_t seen[TDM_DISTINCT]; /* hashes of the first distinct values */
    size_t distinct;             /* TDM_DISTINCT: that many or more */
    uint8_t mark[TDM_MARKS / 8]; /* a bit for each value met, by hash */
    size_t fresh;                /* how often the bit was not set yet: about the number of values */
} tdm_profile;

void tdm_profile_add(tdm_profile *c, tdm_str value);

bool tdm_profile_numbers(const tdm_profile *c); /* nearly all are */

/* The columns of a log from the profiles of all `n` columns. `column` is -1 for every role before. */
void tdm_profile_rows(int *column, const tdm_profile *c, int n);

/* The columns of a list of items: the title is the first column of many different texts with blanks among them, else
 * the first of letters; a text before it that comes again is a category ("sports"), a long one behind it a description.
 */
void tdm_profile_items(int *column, const tdm_profile *c, int n);

/* Whether what tdm_profile_rows found is a log. In one, people or items come again; a list of people or things names
 * each once, and what it says of them is no rating of 10 or less and no time. */
bool tdm_profile_is_log(const int *column, const tdm_profile *c, int n);

/* MovieLens' 19 columns of 0 and 1 behind a film. */
bool tdm_profile_flagged(const tdm_profile *c, int n);

/* Pages that were shown, one a row; or "key: value" lines, one row over several. */
bool tdm_profile_pages(const tdm_profile *c, int n);

#endif
