/* SPDX-License-Identifier: Apache-2.0 */
#include "cf/recency.h"
#include "base/mem.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static const double negligible = 1e-6;

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

tdm_status tdm_recency_make(tdm_recency *out, const tdm_history *h, double decay, size_t I, tdm_err *err)
{
    *out = (tdm_recency){0};
    size_t n = h->n;
    if (decay < 1) {
        double reach = decay > 0 ? 1 + floor(log(negligible) / log(decay)) : 1;
        if (reach < (double)n) n = (size_t)reach;
    }
    tdm_recency r = {
        .item = tdm_new(n, sizeof *r.item), .weight = tdm_new(n, sizeof *r.weight), .at = tdm_new(n, sizeof *r.at)};
    uint64_t *key = tdm_new(n, sizeof *key); /* item, then steps from the end: the newest of an item comes first */
    if (!r.item || !r.weight || !r.at || !key) {
        tdm_free(key);
        tdm_recency_clear(&r);
        return tdm_nomem(err, "a history's weights");
    }
    for (size_t j = 0; j < n; j++) key[j] = (uint64_t)h->items[h->n - 1 - j] << 32 | (uint32_t)j;
    qsort(key, n, sizeof *key, by_key);
    for (size_t j = 0; j < n; j++) /* at[step] = 1: counts */
        r.at[(uint32_t)key[j]] = key[j] >> 32 < I && (j == 0 || key[j] >> 32 != key[j - 1] >> 32);
    double weight = 1;
    for (size_t j = 0; j < n; j++, weight *= decay)
        if (r.at[j]) {
            r.item[r.n] = h->items[h->n - 1 - j];
            r.weight[r.n] = weight;
            r.at[r.n++] = h->n - 1 - j;
        }
    tdm_free(key);
    *out = r;
    return TDM_OK;
}

void tdm_recency_clear(tdm_recency *r)
{
    tdm_free(r->item);
    tdm_free(r->weight);
    tdm_free(r->at);
    *r = (tdm_recency){0};
}
