/* SPDX-License-Identifier: Apache-2.0 */
/* rmse.c - the predictions of held-out ratings, over the pool, and the one number that a search asks of them. */
#include "base/mem.h"
#include "eval/evaluate.h"

#include <math.h>

enum { GRAIN = 64 };

typedef struct rater {
    const tdm_model *m;
    const tdm_questions *qs;
    float *prediction, low, high;
    tdm_status *st; /* a chunk each */
    tdm_err *err;
} rater;

static void rate_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    rater *r = ctx;
    for (size_t q = begin; q < end && !r->st[chunk]; q++) {
        size_t at = (size_t)r->qs->target_at[q], n = (size_t)r->qs->target_at[q + 1] - at;
        tdm_history h = tdm_questions_history(r->qs, q);
        if (!n) continue;
        r->st[chunk] = r->m->ops->rate(r->m, r->prediction + at, &h, r->qs->target + at, n, &r->err[chunk]);
        for (size_t t = at; t < at + n; t++) {
            float *p = &r->prediction[t];
            if (!isfinite(*p)) *p = NAN;
            else if (*p < r->low) *p = r->low;
            else if (*p > r->high) *p = r->high;
        }
    }
}

tdm_status tdm_predict(float *prediction, const tdm_model *m, const tdm_questions *qs, float low, float high,
                       tdm_pool *pool, tdm_err *err)
{
    size_t chunks = tdm_chunks(qs->n, GRAIN);
    rater r = {m, qs, prediction, low, high, tdm_new(chunks, sizeof(tdm_status)), tdm_new(chunks, sizeof(tdm_err))};
    tdm_status st = r.st && r.err ? TDM_OK : tdm_nomem(err, "the predicted ratings");
    if (!st) tdm_pool_for(pool, qs->n, GRAIN, rate_chunk, &r);
    for (size_t c = 0; !st && c < chunks; c++)
        if ((st = r.st[c]) && err) *err = r.err[c];
    tdm_free(r.st);
    tdm_free(r.err);
    return st;
}

tdm_status tdm_rmse(double *value, const tdm_model *m, const tdm_questions *qs, float low, float high, tdm_pool *pool,
                    tdm_err *err)
{
    *value = NAN;
    if (!m->ops->rate) return tdm_fail(err, TDM_E_UNSUPPORTED, "%s does not predict ratings", m->ops->name);
    size_t targets = qs->n ? (size_t)qs->target_at[qs->n] : 0, n = 0;
    float *prediction = tdm_new(targets, sizeof *prediction);
    double sum = 0;
    tdm_status st = prediction ? tdm_predict(prediction, m, qs, low, high, pool, err) : tdm_nomem(err, "rmse");
    for (size_t t = 0; !st && t < targets; t++) {
        double e = (double)prediction[t] - (double)qs->target_rating[t];
        if (!isfinite(e)) continue; /* there is no rating, or no prediction */
        sum += e * e;
        n++;
    }
    if (n) *value = sqrt(sum / (double)n);
    tdm_free(prediction);
    return st;
}
