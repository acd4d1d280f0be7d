/* SPDX-License-Identifier: Apache-2.0 */
/* course_guard.c - whether an update may be made.
 *
 * In a training that goes well the loss of a batch differs from those before it by what the batch's own words or items
 * make it differ, and the norm of the gradients by a small factor: in the default trainings on the sample, Gift Cards,
 * ml-100k and Beauty by 5.5 deviations and by a factor of 3.6 at most. The bounds are far outside of that, since an
 * update left out for nothing is a batch not learned from, while one that is made is clipped all the same. */
#include "gpt2/course.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double deviations = 10, times = 32;

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *x)
{
    double s[TDM_GUARD_WINDOW];
    memcpy(s, x, sizeof s);
    qsort(s, TDM_GUARD_WINDOW, sizeof *s, rising);
    return (s[TDM_GUARD_WINDOW / 2 - 1] + s[TDM_GUARD_WINDOW / 2]) / 2;
}

tdm_verdict tdm_guard_ask(const tdm_guard *g, double loss, double norm, double *usual)
{
    double mean = 0, square = 0;
    if (usual) *usual = NAN;
    if (!isfinite(loss) || !isfinite(norm)) return TDM_UPDATE_NO_NUMBER;
    if (g->n < TDM_GUARD_WINDOW) return TDM_UPDATE_FINE;
    for (size_t i = 0; i < TDM_GUARD_WINDOW; i++) mean += g->loss[i] / TDM_GUARD_WINDOW;
    for (size_t i = 0; i < TDM_GUARD_WINDOW; i++)
        square += (g->loss[i] - mean) * (g->loss[i] - mean) / TDM_GUARD_WINDOW;
    if (usual) *usual = mean;
    if (loss - mean > deviations * sqrt(square) && loss - mean > fmax(mean, 1)) return TDM_UPDATE_LOSS_LEAPS;
    double middle = median(g->norm);
    if (usual) *usual = middle;
    return middle > 0 && norm > times * middle ? TDM_UPDATE_NORM_LEAPS : TDM_UPDATE_FINE;
}

void tdm_guard_add(tdm_guard *g, double loss, double norm)
{
    g->loss[g->n % TDM_GUARD_WINDOW] = loss;
    g->norm[g->n % TDM_GUARD_WINDOW] = norm;
    g->n++;
}
