/* SPDX-License-Identifier: Apache-2.0 */
/* health_parts.h - the pieces that the health table is put together from. Inside this floor only.
 *
 * All sums are of whole numbers, so the order in which chunks are added cannot show. */
#ifndef TDM_DATA_HEALTH_PARTS_H
#define TDM_DATA_HEALTH_PARTS_H

#include "data/health.h"

enum { TDM_HEALTH_EXAMPLES = 5, TDM_HEALTH_BINS = 33, TDM_HEALTH_RATINGS = 101 };

/* How many of each rating; n = -1: more than TDM_HEALTH_RATINGS different ones. */
typedef struct tdm_tally {
    float value[TDM_HEALTH_RATINGS]; /* rising */
    size_t count[TDM_HEALTH_RATINGS];
    int n;
} tdm_tally;

/* One pass over everybody. */
typedef struct tdm_health_people {
    uint32_t *minute, *day; /* U each: most rows within 60 and within 86,400 seconds; 0 without times */
    size_t repeated, tied;  /* rows for a pair again; people with two rows at one instant */
    size_t timed, midnight; /* rows with a time; of them, at midnight UTC */
    int64_t first, last;
    size_t summaries, reviews, texts;  /* rows with one */
    uint64_t bytes, most;              /* of the texts, in all and of the longest */
    size_t text_bins[TDM_HEALTH_BINS]; /* rows by the length of their text: [2^k, 2^(k+1)) bytes */
    tdm_tally ratings;
} tdm_health_people;

tdm_status tdm_health_people_init(tdm_health_people *out, const tdm_dataset *d, tdm_run *run, tdm_err *err);
void tdm_health_people_clear(tdm_health_people *p);

/* Each adds its keys. */
tdm_status tdm_health_lengths(cJSON *h, const tdm_dataset *d, tdm_err *err); /* history, popularity */
tdm_status tdm_health_times(cJSON *h, const tdm_dataset *d, const tdm_health_people *p, tdm_err *err);
tdm_status tdm_health_bots(cJSON *h, const tdm_dataset *d, const tdm_health_people *p, tdm_err *err);
tdm_status tdm_health_core(cJSON *h, const tdm_dataset *d, tdm_err *err);
tdm_status tdm_health_titles(cJSON *h, const tdm_dataset *d, tdm_err *err);
tdm_status tdm_health_languages(cJSON *h, const tdm_dataset *d, size_t texts, size_t titles, tdm_err *err);
tdm_status tdm_health_warnings(cJSON *h, tdm_err *err);

/* ---- helpers ---- */

/* Puts `value` under `key` in place of what is there; takes it. False where memory is short or value is NULL. */
bool tdm_health_put(cJSON *o, const char *key, cJSON *value);
bool tdm_health_number(cJSON *o, const char *key, double value);
bool tdm_health_text(cJSON *o, const char *key, tdm_str s); /* at most 200 bytes of it */

/* {"1": n, "2-3": n, "4-7": n, ...} up to the last bin with something in it; NULL where memory is short. bin k:
 * [2^k, 2^(k+1)). */
cJSON *tdm_health_bins(const size_t *count);
int tdm_health_bin(uint64_t v); /* of v > 0 */

/* Sorts rising, digit by digit: linear. `spare` has room for n. */
void tdm_sort_u32(uint32_t *v, uint32_t *spare, size_t n);

/* Text number i, "" where a dataset put together by hand has none. */
static inline tdm_str tdm_health_at(const tdm_strings *s, size_t i)
{
    return s->n ? tdm_strings_at(s, i) : (tdm_str){"", 0};
}

#endif
