/* SPDX-License-Identifier: Apache-2.0 */
/* baseline.h - what a rating would be if taste did not matter: mean + item offset + the asker's own offset.
 *
 *     b(h, i) = mean + item[i] + user(h)          user(h) = sum over rated j of (r_j - mean - item_j) / (n + damp)
 *
 * Offsets are damped towards 0 by imagined ratings at the mean (Koren, "Factor in the Neighbors", TKDD 2010, sec. 2.2)
 * and fitted by alternating over items and people until they settle. The asker's offset comes from the history alone,
 * so strangers are rated like everybody. */
#ifndef TDM_CF_BASELINE_H
#define TDM_CF_BASELINE_H

#include "base/safetensors.h"
#include "cf/rows.h"

typedef struct tdm_baseline {
    size_t I;
    double mean;           /* NaN: there were no ratings, and nothing can be said */
    float low, high;       /* the data's scale */
    const float *item;     /* I */
    double mean_stored[3]; /* mean, low, high as they are written; zeros without ratings */
    bool owned;
} tdm_baseline;

tdm_status tdm_baseline_make(tdm_baseline *out, const tdm_rows *r, const tdm_dataset *train, tdm_err *err);
void tdm_baseline_clear(tdm_baseline *b); /* all-zero is fine */

/* The offset of who has this history: 0 where nothing in it was rated. */
double tdm_baseline_user(const tdm_baseline *b, const tdm_history *h);

/* b for an item and an asker's offset, and the same clipped to the scale. */
static inline double tdm_baseline_at(const tdm_baseline *b, double user, uint32_t item)
{
    return b->mean + (double)b->item[item] + user;
}
float tdm_baseline_clip(const tdm_baseline *b, double rating);

/* Two tensors "baseline.scale" (mean, low, high) and "baseline.item". */
void tdm_baseline_tensors(tdm_tensor out[2], const tdm_baseline *b);
tdm_status tdm_baseline_read(tdm_baseline *out, const tdm_safetensors *s, const char *path, size_t I, tdm_err *err);

#endif
