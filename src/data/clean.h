/* SPDX-License-Identifier: Apache-2.0 */
/* clean.h - single values of raw files made good or found bad. docs/data.md has the rules. Inside this floor only. */
#ifndef TDM_DATA_CLEAN_H
#define TDM_DATA_CLEAN_H

#include "base/bytes.h"

/* Appends running text to `out`: UTF-8 whatever came, HTML entities decoded, tags and control characters out, runs of
 * white space one blank, at most `longest` bytes. */
void tdm_clean_text(tdm_buf *out, tdm_str s, size_t longest);

/* Appends any bytes as UTF-8: as they are where they are that; else each bad byte as Windows-1252, or as U+FFFD where
 * some longer character is whole. */
void tdm_clean_utf8(tdm_buf *out, tdm_str s);

/* Appends an id: trimmed, UTF-8, and nothing else changed. */
void tdm_clean_id(tdm_buf *out, tdm_str s);

/* Whether a value stands for "nothing here": empty, nan, null, none, n/a, unknown. */
bool tdm_clean_missing(tdm_str s);

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
