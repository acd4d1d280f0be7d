/* SPDX-License-Identifier: Apache-2.0 */
/* clean.h - single values of raw files made good or found bad. docs/data.md has the rules. Inside this floor only. */
#ifndef TDM_DATA_CLEAN_H
#define TDM_DATA_CLEAN_H

#include "base/bytes.h"
#include "base/status.h"

/* What was changed in a value beyond white space and control characters. */
enum { TDM_CLEANED_HTML, TDM_CLEANED_CUT, TDM_CLEANED_ENCODING, TDM_CLEANED_PLACEHOLDER, TDM_CLEANED };

/* Rules that --keep leaves out. */
typedef struct tdm_keep {
    bool duplicates;   /* equal rows stay */
    bool scale;        /* ratings outside the scale stay */
    bool placeholders; /* only what is empty is missing */
    bool people;       /* a cell is one person, whatever is in it */
    bool html;         /* entities and tags stay */
    bool length;       /* texts are not cut */
} tdm_keep;

/* "duplicates,html"; NULL: none. */
tdm_status tdm_keep_parse(tdm_keep *out, const char *words, tdm_err *err);

/* Appends running text to `out`: UTF-8 whatever came, HTML entities decoded and tags out where `html`, control
 * characters out, runs of white space one blank, at most `longest` bytes. Returns what was changed, a bit for each (1
 * << TDM_CLEANED_HTML and so on). */
unsigned tdm_clean_text(tdm_buf *out, tdm_str s, size_t longest, bool html);

static inline void tdm_cleaned_count(size_t *counts, unsigned marks)
{
    for (int k = 0; marks; k++, marks >>= 1) counts[k] += marks & 1;
}

/* Appends any bytes as UTF-8: as they are where they are that; else each bad byte as Windows-1252, or as U+FFFD where
 * some longer character is whole. */
void tdm_clean_utf8(tdm_buf *out, tdm_str s);

/* Appends an id: trimmed, UTF-8, and nothing else changed. */
void tdm_clean_id(tdm_buf *out, tdm_str s);

/* Whether a value stands for "nothing here": empty, nan, null, none, n/a, unknown. */
bool tdm_clean_missing(tdm_str s);

static inline bool tdm_clean_nothing(const tdm_keep *keep, tdm_str s) /* as the rules say */
{
    return keep->placeholders ? !tdm_str_trim(s).n : tdm_clean_missing(s);
}

/* The same for titles: also "title_495", a lone dash, and script that a crawler took for a title. */
bool tdm_clean_no_title(tdm_str s);

/* A number in full, with a decimal point or comma, or "4.0 out of 5 stars". */
bool tdm_clean_number(double *out, tdm_str s);

/* The same with a currency and with what parts thousands: "₹1,099", "$1,234.50", "1.234,50 €", "1,024". */
bool tdm_clean_amount(double *out, tdm_str s);

/* Seconds since 1970: a number of seconds, milliseconds or microseconds, or a date in one of the forms of docs/data.md.
 */
bool tdm_clean_time(int64_t *out, tdm_str s);

#endif
