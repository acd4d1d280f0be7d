/* SPDX-License-Identifier: Apache-2.0 */
/* curves.h - the points of two of the report's figures: whom recommendations go to, and what predicted ratings were
 * worth. */
#ifndef TDM_EVAL_CURVES_H
#define TDM_EVAL_CURVES_H

#include <stddef.h>
#include <stdint.h>

/* ---- long tail ---- */

/* Shares of the catalogue, the items with the most before all others, at which the curve is known; upwards to 1. */
enum { TDM_TAIL_POINTS = 16 };
extern const double tdm_tail_items[TDM_TAIL_POINTS];

/* share[p]: what the first tdm_tail_items[p] of n items have of all counts; an item cut in two counts in part. `counts`
 * stand upwards, as tdm_gini leaves them. Zeros where nothing was counted. */
void tdm_tail(double share[TDM_TAIL_POINTS], const uint32_t *counts, size_t n);

/* ---- calibration ---- */

enum { TDM_BINS = 10, TDM_BIN_LEAST = 10 };

/* A rating as it was foretold and as it was given. */
typedef struct tdm_rated {
    float predicted, given;
} tdm_rated;

/* Means of n ratings with near predictions. */
typedef struct tdm_bin {
    size_t n;
    double predicted, given;
} tdm_bin;

/* Sorts r by prediction and cuts it into as many as TDM_BINS groups of one size, of at least TDM_BIN_LEAST ratings
 * where there are so many; equal predictions stay together. Returns how many groups. */
size_t tdm_calibration(tdm_bin bin[TDM_BINS], tdm_rated *r, size_t n);

#endif
