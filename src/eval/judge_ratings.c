/* SPDX-License-Identifier: Apache-2.0 */
/* judge_ratings.c - predicted against given ratings: errors pooled over all held-out ratings, people resampled.
 *
 * Every held-out rating is judged, whether or not its item counts in the ranking. A prediction that is missing is
 * counted and left out of both errors. */
#include "base/mem.h"
#include "eval/judge.h"
#include "eval/significance.h"

#include <math.h>

enum { SQUARED, ABSOLUTE, COUNT, COLUMNS };

/* A row for each person with a predicted rating: sums of squared and absolute errors, and how many. */
static size_t rows_fill(double *x, tdm_judged *j, const tdm_questions *qs)
{
    size_t P = 0;
    for (size_t q = 0; q < qs->n; q++) {
        double *row = x + P * COLUMNS;
        for (int64_t t = qs->target_at[q]; t < qs->target_at[q + 1]; t++) {
            if (!isfinite(qs->target_rating[t])) continue;
            if (isnan(j->prediction[t])) {
                j->unrated++;
                continue;
            }
            double e = (double)j->prediction[t] - (double)qs->target_rating[t];
            row[SQUARED] += e * e;
            row[ABSOLUTE] += fabs(e);
            row[COUNT]++;
        }
        j->rated += (size_t)row[COUNT];
        P += row[COUNT] > 0;
    }
    return P;
}

static size_t pairs_list(tdm_rated *r, const tdm_judged *j, const tdm_questions *qs)
{
    size_t n = 0;
    for (int64_t t = 0; t < qs->target_at[qs->n]; t++)
        if (isfinite(qs->target_rating[t]) && !isnan(j->prediction[t]))
            r[n++] = (tdm_rated){j->prediction[t], qs->target_rating[t]};
    return n;
}

static void errors(tdm_judged *j, const double *x, size_t P, const double *boot, double *some)
{
    double sum[COLUMNS] = {0};
    for (size_t i = 0; i < P * COLUMNS; i++) sum[i % COLUMNS] += x[i];
    j->rmse.value = sqrt(sum[SQUARED] / sum[COUNT]);
    j->mae.value = sum[ABSOLUTE] / sum[COUNT];
    for (size_t r = 0; r < TDM_RESAMPLES; r++) some[r] = sqrt(boot[r * COLUMNS] / boot[r * COLUMNS + COUNT]);
    tdm_interval(&j->rmse.low, &j->rmse.high, some, TDM_RESAMPLES);
    for (size_t r = 0; r < TDM_RESAMPLES; r++) some[r] = boot[r * COLUMNS + ABSOLUTE] / boot[r * COLUMNS + COUNT];
    tdm_interval(&j->mae.low, &j->mae.high, some, TDM_RESAMPLES);
}

tdm_status tdm_judge_ratings(tdm_judged *j, const tdm_judge_room *room, const tdm_model *m, tdm_err *err)
{
    const tdm_questions *qs = room->in->questions;
    j->prediction = tdm_new(room->e->targets, sizeof *j->prediction);
    tdm_rated *pair = tdm_new(room->e->targets, sizeof *pair);
    double *x = tdm_new(qs->n * sizeof *x, COLUMNS);
    double *boot = tdm_new(TDM_RESAMPLES, COLUMNS * sizeof *boot), *some = tdm_new(TDM_RESAMPLES, sizeof *some);
    tdm_status st = j->prediction && pair && x && boot && some ? TDM_OK : tdm_nomem(err, "the judging of ratings");
    const tdm_evaluate_input *in = room->in;
    if (!st) st = tdm_predict(j->prediction, m, qs, in->rating_low, in->rating_high, room->run->pool, err);
    size_t P = st ? 0 : rows_fill(x, j, qs);
    if (!st) st = tdm_bootstrap(boot, x, P, COLUMNS, TDM_RESAMPLES, room->in->seed, room->run->pool, err);
    if (!st && P) errors(j, x, P, boot, some);
    if (!st) j->bins = tdm_calibration(j->bin, pair, pairs_list(pair, j, qs));
    tdm_free(pair);
    tdm_free(x);
    tdm_free(boot);
    tdm_free(some);
    return st;
}
