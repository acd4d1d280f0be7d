/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/metrics.h"

#include <math.h>
#include <stdlib.h>

const char *tdm_metric_name(tdm_metric m)
{
    static const char *const names[] = {
#define X(id, name) name,
        TDM_METRIC_LIST(X)
#undef X
    };
    return names[m];
}

static int by_number(const void *x, const void *y)
{
    const uint32_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

size_t tdm_relevant(uint32_t *set, const tdm_questions *qs, size_t q)
{
    size_t n = 0, distinct = 0;
    for (int64_t t = qs->target_at[q]; t < qs->target_at[q + 1]; t++)
        if (qs->target_counts[t]) set[n++] = qs->target[t];
    if (n > 1) qsort(set, n, sizeof *set, by_number);
    for (size_t i = 0; i < n; i++)
        if (!distinct || set[distinct - 1] != set[i]) set[distinct++] = set[i];
    return distinct;
}

static bool is_in(const uint32_t *set, size_t n, uint32_t item)
{
    return n == 1 ? *set == item : n && bsearch(&item, set, n, sizeof item, by_number);
}

void tdm_metrics(double value[TDM_METRICS], const uint32_t *list, size_t n, const uint32_t *relevant, size_t R,
                 size_t k)
{
    double gain = 0, ideal = 0, precisions = 0;
    size_t hits = 0, first = 0, best = R < k ? R : k;
    for (size_t i = 0; i < n && i < k && hits < R; i++) {
        if (!is_in(relevant, R, list[i])) continue;
        double place = (double)(i + 1);
        if (!hits++) first = i + 1;
        gain += 1 / log2(place + 1);
        precisions += (double)hits / place;
    }
    for (size_t i = 0; i < best; i++) ideal += 1 / log2((double)(i + 2));
    double p = (double)hits / (double)k, r = R ? (double)hits / (double)R : 0;
    value[TDM_PRECISION] = p;
    value[TDM_RECALL] = r;
    value[TDM_F1] = hits ? 2 * p * r / (p + r) : 0;
    value[TDM_MAP] = hits ? precisions / (double)best : 0;
    value[TDM_NDCG] = hits ? gain / ideal : 0;
    value[TDM_MRR] = hits ? 1 / (double)first : 0;
    value[TDM_HIT] = hits ? 1 : 0;
}

double tdm_gini(uint32_t *counts, size_t n)
{
    double sum = 0, spread = 0;
    if (n) qsort(counts, n, sizeof *counts, by_number);
    for (size_t i = 0; i < n; i++) {
        sum += counts[i];
        spread += (2.0 * (double)i + 1 - (double)n) * counts[i];
    }
    return sum > 0 ? spread / ((double)n * sum) : 0;
}
