/* SPDX-License-Identifier: Apache-2.0 */
/* health_lengths.c - how long histories are and how popular items: two lists of counts, sorted, and what follows. */
#include "data/health_parts.h"

#include "base/mem.h"

static cJSON *spread(uint32_t *v, uint32_t *spare, size_t n)
{
    size_t bins[TDM_HEALTH_BINS] = {0};
    double sum = 0;
    tdm_sort_u32(v, spare, n);
    for (size_t i = 0; i < n; i++) {
        sum += v[i];
        if (v[i]) bins[tdm_health_bin(v[i])]++;
    }
    cJSON *o = cJSON_CreateObject();
    if (o && tdm_health_number(o, "mean", n ? sum / (double)n : 0) &&
        tdm_health_number(o, "median", n ? ((double)v[(n - 1) / 2] + v[n / 2]) / 2 : 0) &&
        tdm_health_number(o, "most", n ? v[n - 1] : 0) && tdm_health_put(o, "histogram", tdm_health_bins(bins)))
        return o;
    cJSON_Delete(o);
    return NULL;
}

/* The share of the sum that the largest `top` of n rising counts have. */
static double share(const uint32_t *v, size_t n, size_t top, double sum)
{
    double part = 0;
    for (size_t i = n - top; i < n; i++) part += v[i];
    return sum > 0 ? part / sum : 0;
}

/* 0: all equally popular; towards 1: one has everything. Over rising counts x_1..x_n:
 * sum (2i - n - 1) x_i / (n sum x_i). */
static double gini(const uint32_t *v, size_t n, double sum)
{
    double weighted = 0;
    for (size_t i = 0; i < n; i++) weighted += (2 * (double)i + 1 - (double)n) * v[i];
    return sum > 0 ? weighted / ((double)n * sum) : 0;
}

static bool tail_add(cJSON *o, const uint32_t *v, size_t n, double sum)
{
    size_t single = 0, unseen = 0;
    while (unseen < n && !v[unseen]) unseen++;
    while (unseen + single < n && v[unseen + single] == 1) single++;
    return tdm_health_number(o, "single", (double)single) && tdm_health_number(o, "unseen", (double)unseen) &&
           tdm_health_number(o, "top_1_percent", share(v, n, (n + 99) / 100, sum)) &&
           tdm_health_number(o, "top_10_percent", share(v, n, (n + 9) / 10, sum)) &&
           tdm_health_number(o, "gini", gini(v, n, sum));
}

tdm_status tdm_health_lengths(cJSON *h, const tdm_dataset *d, tdm_err *err)
{
    size_t n = d->U > d->I ? d->U : d->I;
    uint32_t *v = tdm_new(n, sizeof *v), *spare = tdm_new(n, sizeof *spare);
    bool ok = v && spare;
    for (size_t u = 0; ok && u < d->U; u++) v[u] = (uint32_t)(d->offset[u + 1] - d->offset[u]);
    ok = ok && tdm_health_put(h, "history", spread(v, spare, d->U));
    for (size_t i = 0; ok && i < d->I; i++) v[i] = 0;
    for (size_t j = 0; ok && j < d->N; j++) v[d->item[j]]++;
    cJSON *popular = ok ? spread(v, spare, d->I) : NULL;
    ok = popular && tail_add(popular, v, d->I, (double)d->N);
    if (!ok) cJSON_Delete(popular);
    ok = ok && tdm_health_put(h, "popularity", popular);
    tdm_free(v);
    tdm_free(spare);
    return ok ? TDM_OK : tdm_nomem(err, "the health table");
}
