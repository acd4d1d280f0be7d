/* SPDX-License-Identifier: Apache-2.0 */
/* svdpp_fold.c - where somebody stands who has this history: one least-squares problem, as training left it. */
#include "base/mem.h"
#include "base/status.h"
#include "cf/svdpp.h"

#include <math.h>
#include <string.h>

tdm_status tdm_svdpp_fold_open(tdm_svdpp_fold *q, const tdm_svdpp_space *s, tdm_err *err)
{
    size_t K = s->K;
    *q = (tdm_svdpp_fold){.A = tdm_new(K * K + K + TDM_SVDPP_TILE * (K + 1), sizeof *q->A)};
    if (!q->A) return tdm_nomem(err, "folding in a history");
    q->b = q->A + K * K;
    q->X = q->b + K;
    q->v = q->X + TDM_SVDPP_TILE * K;
    return TDM_OK;
}

void tdm_svdpp_fold_close(tdm_svdpp_fold *q)
{
    tdm_free(q->A);
    *q = (tdm_svdpp_fold){0};
}

bool tdm_svdpp_fold_factor(tdm_svdpp_fold *q, const tdm_svdpp_space *s, const uint32_t *items, const float *ratings,
                           size_t n)
{
    const tdm_kernels *k = tdm_kernels_best();
    const float nothing[TDM_SVDPP_MOST] = {0};
    size_t K = s->K, held = K - 2, rated = 0, tile = 0;
    for (size_t j = 0; j < n && ratings; j++) rated += isfinite(ratings[j]);
    q->pull = s->pull * pow((double)(rated ? rated : 1), s->power);
    q->each = n ? 1 / sqrt((double)n) : 0;
    memset(q->A, 0, K * K * sizeof *q->A);
    memset(q->b, 0, K * sizeof *q->b);
    for (size_t j = 0; j < n && s->implied; j++)
        k->axpy(q->b, (float)(q->pull * q->each), s->implied + items[j] * K, K);
    for (size_t j = 0; j < n && rated; j++) {
        if (isfinite(ratings[j])) {
            float *x = q->X + tile * K;
            memcpy(x, s->item + items[j] * K, K * sizeof *x);
            q->v[tile++] = (float)((double)ratings[j] - s->mean - (double)x[held]);
            x[held] = 0;
        }
        if (tile == TDM_SVDPP_TILE || (tile && j + 1 == n)) {
            k->gram(q->A, K, q->X, K, tile, K, 1);
            k->pull(q->b, q->X, K, q->v, q->v, nothing, tile);
            tile = 0;
        }
    }
    for (size_t i = 0; i < K; i++) q->A[i * K + i] += (float)q->pull;
    return k->spd_factor(q->A, K, K);
}

void tdm_svdpp_fold_solve(tdm_svdpp_fold *q, const tdm_svdpp_space *s, float *x)
{
    tdm_kernels_best()->spd_solve(x, q->b, q->A, s->K, s->K);
    x[s->K - 2] = 1;
}
