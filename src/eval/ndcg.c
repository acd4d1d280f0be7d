/* SPDX-License-Identifier: Apache-2.0 */
/* ndcg.c - the one number that training asks for again and again. */
#include "base/mem.h"
#include "eval/evaluate.h"
#include "eval/metrics.h"
#include "eval/rank.h"

static size_t most_targets(const tdm_questions *qs)
{
    size_t most = 0;
    for (size_t q = 0; q < qs->n; q++)
        if ((size_t)(qs->target_at[q + 1] - qs->target_at[q]) > most)
            most = (size_t)(qs->target_at[q + 1] - qs->target_at[q]);
    return most;
}

tdm_status tdm_ndcg(double *value, const tdm_model *m, const tdm_questions *qs, size_t I, size_t k, tdm_seen seen,
                    tdm_pool *pool, tdm_err *err)
{
    *value = 0;
    if (!m->ops->score) return tdm_fail(err, TDM_E_UNSUPPORTED, "%s does not rank the catalogue", m->ops->name);
    if (!k) return tdm_fail(err, TDM_E_ARG, "ndcg@k needs a k of at least 1");
    size_t depth = k < I ? k : I;
    uint32_t *asked = tdm_new(qs->n, sizeof *asked), *set = tdm_new(most_targets(qs), sizeof *set);
    size_t n = asked ? tdm_questions_asked(asked, qs) : 0;
    uint32_t *list = tdm_new(n * sizeof *list, depth), *found = tdm_new(n, sizeof *found);
    tdm_status st = asked && set && list && found ? TDM_OK : tdm_nomem(err, "ndcg");
    const tdm_rank_job job = {m, qs, asked, n, I, depth, seen, NULL, NULL};
    if (!st) st = tdm_rank(list, found, &job, pool, NULL, err);
    double sum = 0, v[TDM_METRICS];
    for (size_t i = 0; !st && i < n; i++) {
        size_t R = tdm_relevant(set, qs, asked[i]);
        tdm_metrics(v, list + i * depth, found[i], set, R, k);
        sum += v[TDM_NDCG];
    }
    if (!st && n) *value = sum / (double)n;
    tdm_free(asked);
    tdm_free(set);
    tdm_free(list);
    tdm_free(found);
    return st;
}
