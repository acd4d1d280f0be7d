/* SPDX-License-Identifier: Apache-2.0 */
/* diverse.c - one pass over the candidates for each place: what is taken last can only raise their likeness. */
#include "hybrid/diverse.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernels/kernels.h"
#include "model/topk.h"

#include <math.h>
#include <string.h>

enum { WIDER = 10, LEAST = 100 };

static float cosine(const tdm_diversity *d, uint32_t a, uint32_t b)
{
    const tdm_kernels *k = tdm_kernels_best();
    const float *x = d->vectors + a * d->K, *y = d->vectors + b * d->K;
    float lengths = k->dot(x, x, d->K) * k->dot(y, y, d->K);
    return lengths > 0 ? k->dot(x, y, d->K) / sqrtf(lengths) : 0;
}

size_t tdm_diverse(uint32_t *items, float *scores, size_t found, size_t n, const tdm_diversity *d, float *scratch)
{
    if (n > found) n = found;
    if (!found) return 0;
    float *alike = scratch;
    const double top = (double)scores[0], range = top - (double)scores[found - 1];
    for (size_t i = 0; i < found; i++) alike[i] = -1; /* to nothing yet */
    for (size_t place = 0; place < n; place++) {
        size_t best = place;
        double most = -INFINITY;
        for (size_t i = place; i < found; i++) {
            if (place) alike[i] = fmaxf(alike[i], cosine(d, items[i], items[place - 1]));
            double relevance = range > 0 ? 1 - (top - (double)scores[i]) / range : 1,
                   value = (1 - d->weight) * relevance - (place ? d->weight * (double)alike[i] : 0);
            if (value > most) most = value, best = i;
        }
        uint32_t item = items[best];
        float score = scores[best], its = alike[best];
        size_t behind = best - place; /* those it passes keep their order */
        memmove(items + place + 1, items + place, behind * sizeof *items);
        memmove(scores + place + 1, scores + place, behind * sizeof *scores);
        memmove(alike + place + 1, alike + place, behind * sizeof *alike);
        items[place] = item;
        scores[place] = score;
        alike[place] = its;
    }
    return n;
}

size_t tdm_diverse_depth(size_t k, size_t I)
{
    size_t depth = WIDER * k > LEAST ? WIDER * k : LEAST;
    return depth < I ? depth : I;
}

tdm_status tdm_diverse_topk(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B,
                            const tdm_wanted *w, size_t I, const tdm_diversity *d, tdm_err *err)
{
    if (!d || !(d->weight > 0)) return tdm_model_topk(m, out, h, B, w, I, err);
    tdm_wanted wider = *w;
    wider.k = tdm_diverse_depth(w->k, I);
    const tdm_ranked all = {tdm_new(B * wider.k, sizeof *all.items), tdm_new(B * wider.k, sizeof *all.scores), out->n};
    float *scratch = tdm_new(wider.k, sizeof *scratch);
    tdm_status st = all.items && all.scores && scratch ? TDM_OK : tdm_nomem(err, "a ranking");
    if (!st) st = tdm_model_topk(m, &all, h, B, &wider, I, err);
    for (size_t b = 0; !st && b < B; b++) {
        uint32_t *items = all.items + b * wider.k;
        float *scores = all.scores + b * wider.k;
        out->n[b] = tdm_diverse(items, scores, out->n[b], w->k, d, scratch);
        memcpy(out->items + b * w->k, items, out->n[b] * sizeof *items);
        memcpy(out->scores + b * w->k, scores, out->n[b] * sizeof *scores);
    }
    tdm_free(all.items);
    tdm_free(all.scores);
    tdm_free(scratch);
    return st;
}
