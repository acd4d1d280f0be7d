/* SPDX-License-Identifier: Apache-2.0 */
/* linear_topk.c - the best of an item-to-item model, without a pass over the catalogue.
 *
 * Only what some item of the history links to has a score. The sums are those of tdm_linear_score, in its order; a bit
 * is set for each item that is added to, so the items with a score are found, in the order of their index, by reading I
 * / 64 words, and the sums are cleared on the way for the next history. */
#include "cf/linear.h"

#include "base/mem.h"
#include "base/status.h"
#include "cf/recency.h"
#include "model/topk.h"

typedef struct room {
    float *sum;        /* I; 0 between histories */
    uint64_t *touched; /* a bit an item, likewise */
} room;

static void list_one(tdm_best *best, const room *r, const tdm_linear *l, const tdm_recency *from, const tdm_history *h,
                     const tdm_wanted *w)
{
    size_t I = l->links.I;
    for (size_t j = 0; j < from->n; j++) {
        float weight = (float)from->weight[j];
        for (int64_t k = l->links.offset[from->item[j]]; k < l->links.offset[from->item[j] + 1]; k++) {
            uint32_t t = l->links.item[k];
            r->touched[t / 64] |= (uint64_t)1 << t % 64;
            r->sum[t] += weight * l->links.weight[k];
        }
    }
    for (size_t j = 0; w->filter_seen && j < h->n; j++)
        if (h->items[j] < I) r->sum[h->items[j]] = 0; /* what is not above 0 has no score */
    float bar = 0;
    for (size_t k = 0; k < (I + 63) / 64; k++) {
        for (uint64_t bits = r->touched[k]; bits; bits &= bits - 1) {
            uint32_t t = (uint32_t)(64 * k) + (uint32_t)__builtin_ctzll(bits);
            float s = r->sum[t];
            r->sum[t] = 0;
            if (!(s > bar) || (w->barred && w->barred[t])) continue;
            tdm_best_offer(best, t, s);
            if (best->n == best->k) bar = tdm_best_bar(best);
        }
        r->touched[k] = 0;
    }
    tdm_best_sort(best);
}

tdm_status tdm_linear_topk(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B,
                           const tdm_wanted *w, tdm_err *err)
{
    const tdm_linear *l = (const tdm_linear *)m;
    size_t I = l->links.I;
    const room r = {tdm_new(I, sizeof *r.sum), tdm_new((I + 63) / 64, sizeof *r.touched)};
    tdm_status st = r.sum && r.touched ? TDM_OK : tdm_nomem(err, "a batch of rankings");
    for (size_t b = 0; !st && b < B; b++) {
        tdm_best best = {.items = out->items + b * w->k, .scores = out->scores + b * w->k, .k = w->k};
        tdm_recency from;
        st = tdm_recency_make(&from, &h[b], l->decay, I, err);
        if (!st) list_one(&best, &r, l, &from, &h[b], w);
        tdm_recency_clear(&from);
        out->n[b] = best.n;
    }
    tdm_free(r.sum);
    tdm_free(r.touched);
    return st;
}
