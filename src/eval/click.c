/* SPDX-License-Identifier: Apache-2.0 */
/* click.c - what a first click is worth: an evaluation of people whose history is cut to its newest item. */
#include "base/mem.h"
#include "eval/evaluate.h"

#include <math.h>
#include <string.h>

/* Questions from the first on until enough people can be asked; what does not count for those without a click stays
 * out of the means. */
static void choose(tdm_questions *qs, uint8_t *counts)
{
    const tdm_questions all = *qs;
    size_t people = 0;
    for (qs->n = 0; qs->n < all.n && people < TDM_CLICK_PEOPLE; qs->n++) {
        if (all.history_at[qs->n + 1] == all.history_at[qs->n]) continue;
        bool any = false;
        for (int64_t t = all.target_at[qs->n]; t < all.target_at[qs->n + 1]; t++)
            any |= counts[t] = all.target_counts[t];
        people += any;
    }
    qs->target_counts = counts;
    qs->newest = 1;
}

tdm_status tdm_evaluate_click(tdm_evaluation **out, const tdm_evaluate_input *in, tdm_run *run, tdm_err *err)
{
    tdm_questions qs = *in->questions;
    uint8_t *counts = tdm_new(qs.n ? (size_t)qs.target_at[qs.n] : 0, 1);
    *out = NULL;
    if (!counts) return tdm_nomem(err, "an evaluation");
    choose(&qs, counts);
    tdm_evaluate_input click = *in;
    click.questions = &qs;
    click.subject = in->n_models;
    click.rating_low = click.rating_high = 0;
    click.vectors = NULL;
    click.lists = NULL;
    click.k[0] = tdm_main_cutoff(in);
    click.n_k = 1;
    tdm_status st = tdm_evaluate(out, &click, run, err);
    tdm_free(counts);
    return st;
}
