/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/curves.h"

#include <stdlib.h>

const double tdm_tail_items[TDM_TAIL_POINTS] = {.001, .002, .005, .01, .02, .05, .1, .15,
                                                .2,   .3,   .4,   .5,  .6,  .7,  .8, 1};

void tdm_tail(double share[TDM_TAIL_POINTS], const uint32_t *counts, size_t n)
{
    double all = 0, sum = 0;
    size_t taken = 0;
    for (size_t i = 0; i < n; i++) all += counts[i];
    for (int p = 0; p < TDM_TAIL_POINTS; p++) {
        double items = tdm_tail_items[p] * (double)n;
        for (; taken + 1 <= (size_t)items; taken++) sum += counts[n - 1 - taken];
        double part = taken < n ? (items - (double)taken) * counts[n - 1 - taken] : 0;
        share[p] = all > 0 ? (sum + part) / all : 0;
    }
}

static int by_prediction(const void *x, const void *y)
{
    const tdm_rated *a = x, *b = y;
    if (a->predicted != b->predicted) return a->predicted < b->predicted ? -1 : 1;
    return (a->given > b->given) - (a->given < b->given);
}

size_t tdm_calibration(tdm_bin bin[TDM_BINS], tdm_rated *r, size_t n)
{
    size_t most = n / TDM_BIN_LEAST, bins = 0, at = 0;
    if (most > TDM_BINS) most = TDM_BINS;
    if (n && !most) most = 1;
    if (n) qsort(r, n, sizeof *r, by_prediction);
    for (size_t b = 0; b < most; b++) {
        size_t end = n * (b + 1) / most;
        double predicted = 0, given = 0;
        while (end < n && end > at && r[end].predicted <= r[end - 1].predicted) end++;
        if (end <= at) continue; /* the group before took all of this one */
        for (size_t i = at; i < end; i++) {
            predicted += (double)r[i].predicted;
            given += (double)r[i].given;
        }
        double size = (double)(end - at);
        bin[bins++] = (tdm_bin){end - at, predicted / size, given / size};
        at = end;
    }
    return bins;
}
