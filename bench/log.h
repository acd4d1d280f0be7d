/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - a made log for the benchmarks: 27,000 items, and people by the million of interactions, if nothing else is
 * asked for.
 *
 * Popularity falls by Zipf's law, history lengths are log-normal, an item comes once in a history, and people have one
 * of some tastes that prefer some of the items: without, every pair would be as likely as chance makes it. Ratings, 1
 * to 5, lean on a hidden trait. Ten million interactions of 138,000 people are half of MovieLens 20M's size. */
#ifndef TDM_BENCH_LOG_H
#define TDM_BENCH_LOG_H

#include "data/dataset.h"

enum { BENCH_ITEMS = 27000, BENCH_PEOPLE = 13800 /* to a million interactions */ };

typedef struct bench_log {
    tdm_dataset d; /* its arrays are the ones below */
    int64_t *offset, *time;
    uint32_t *item;
    float *rating;
} bench_log;

/* The same log for the same millions. Ends the program where memory is short. */
void bench_log_make(bench_log *out, double millions);

/* One of other shape: so many people, among whom the interactions are dealt, and items. */
void bench_log_make_of(bench_log *out, double millions, size_t people, size_t items);
void bench_log_clear(bench_log *l);

/* Prints "name: what" and ends the program. */
_Noreturn void bench_fail(const char *name, const char *what);

#endif
