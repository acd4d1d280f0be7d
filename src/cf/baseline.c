/* SPDX-License-Identifier: Apache-2.0 */
#include "cf/baseline.h"
#include "base/mem.h"
#include "base/status.h"
#include "model/stored.h"

#include <math.h>

enum { SWEEPS = 10 };
static const double damp_item = 5, damp_user = 10; /* imagined ratings at the mean */

static double user_fit(double mean, const float *item, size_t I, const uint32_t *items, const float *ratings, size_t n)
{
    double sum = 0, count = 0;
    for (size_t k = 0; k < n; k++) {
        if (!isfinite(ratings[k]) || items[k] >= I) continue;
        sum += (double)ratings[k] - mean - (double)item[items[k]];
        count++;
    }
    return sum / (count + damp_user);
}

tdm_status tdm_baseline_make(tdm_baseline *out, const tdm_rows *r, const tdm_dataset *train, tdm_err *err)
{
    *out = (tdm_baseline){0};
    float *item = tdm_new(r->I, sizeof *item);
    double *left = tdm_new(r->I, sizeof *left), *count = tdm_new(r->I, sizeof *count);
    if (!item || !left || !count) {
        tdm_free(item);
        tdm_free(left);
        tdm_free(count);
        return tdm_nomem(err, "the offsets of items");
    }
    double sum = 0, n = 0;
    for (size_t k = 0; k < r->N; k++)
        if (isfinite(r->rating[k])) sum += (double)r->rating[k], n++;
    tdm_baseline b = {.I = r->I, .item = item, .mean = n > 0 ? sum / n : (double)NAN, .owned = true};
    b.low = train->rating_low;
    b.high = train->rating_high;
    if (n > 0) {
        b.mean_stored[0] = b.mean;
        b.mean_stored[1] = (double)b.low;
        b.mean_stored[2] = (double)b.high;
    }
    for (size_t k = 0; k < r->N; k++) count[r->item[k]] += isfinite(r->rating[k]);
    for (int s = 0; n > 0 && s < SWEEPS; s++) {
        for (size_t i = 0; i < r->I; i++) left[i] = 0;
        for (size_t u = 0; u < r->U; u++) { /* all are read in the order they lie in: an item's people rise */
            size_t at = (size_t)r->offset[u], end = (size_t)r->offset[u + 1];
            double user = s ? user_fit(b.mean, item, r->I, r->item + at, r->rating + at, end - at) : 0;
            for (size_t k = at; k < end; k++)
                if (isfinite(r->rating[k])) left[r->item[k]] += (double)r->rating[k] - b.mean - user;
        }
        for (size_t i = 0; i < r->I; i++) item[i] = (float)(left[i] / (count[i] + damp_item));
    }
    tdm_free(left);
    tdm_free(count);
    *out = b;
    return TDM_OK;
}

void tdm_baseline_clear(tdm_baseline *b)
{
    if (b->owned) tdm_free((void *)(uintptr_t)b->item);
    *b = (tdm_baseline){0};
}

double tdm_baseline_user(const tdm_baseline *b, const tdm_history *h)
{
    if (!h->ratings || isnan(b->mean)) return 0;
    return user_fit(b->mean, b->item, b->I, h->items, h->ratings, h->n);
}

float tdm_baseline_clip(const tdm_baseline *b, double rating)
{
    if (rating < (double)b->low) return b->low;
    return rating > (double)b->high ? b->high : (float)rating; /* NaN stays NaN */
}

void tdm_baseline_tensors(tdm_tensor out[2], const tdm_baseline *b)
{
    out[0] = tdm_tensor_1d("baseline.scale", TDM_F64, b->mean_stored, 3);
    out[1] = tdm_tensor_1d("baseline.item", TDM_F32, b->item, b->I);
}

tdm_status tdm_baseline_read(tdm_baseline *out, const tdm_safetensors *s, const char *path, size_t I, tdm_err *err)
{
    const double *scale;
    *out = (tdm_baseline){0};
    tdm_baseline b = {.I = I};
    tdm_status st = tdm_stored_doubles(s, &scale, path, "baseline.scale", 3, err);
    if (!st) st = tdm_stored_floats(s, &b.item, path, "baseline.item", I, err);
    if (st) return st;
    if (scale[1] > scale[2])
        return tdm_fail(err, TDM_E_FORMAT, "%s: ratings from %g down to %g", path, scale[1], scale[2]);
    for (int i = 0; i < 3; i++) b.mean_stored[i] = scale[i];
    b.low = (float)scale[1];
    b.high = (float)scale[2];
    b.mean = scale[0] == 0 && scale[1] == 0 && scale[2] == 0 ? (double)NAN : scale[0];
    *out = b;
    return TDM_OK;
}
