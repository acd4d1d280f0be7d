/* SPDX-License-Identifier: Apache-2.0 */
/* svdpp_held.c - ratings kept back from training and predicted through the fold-in, as those of strangers are. */
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "cf/svdpp.h"

#include <math.h>
#include <stdatomic.h>

enum { GRAIN = 16, SUMS = 6 };

static const double never = 2; /* above every draw */

/* A person's draws: of the first number that of being asked at all, then one a row. */
static double of_person(tdm_rng *r, uint64_t seed, size_t u, double chance, double share)
{
    *r = tdm_rng_make(seed, UINT64_MAX - 6, u);
    return tdm_rng_unit(r) < chance ? share : 0;
}

static bool is_held(tdm_rng *r, double share, float rating) { return tdm_rng_unit(r) < share && isfinite(rating); }

tdm_status tdm_svdpp_held_take(tdm_svdpp_held *out, tdm_rows *r, double share, size_t most, tdm_run *run, tdm_err *err)
{
    tdm_svdpp_held h = {0};
    double chance = r->U > most ? (double)most / (double)r->U : never;
    tdm_rng g;
    *out = h;
    for (size_t u = 0; u < r->U; u++) {
        double part = of_person(&g, run->seed, u, chance, share);
        size_t before = h.n;
        for (size_t k = (size_t)r->offset[u]; part > 0 && k < (size_t)r->offset[u + 1]; k++)
            h.n += is_held(&g, part, r->rating[k]);
        h.people += h.n > before;
    }
    tdm_dataset d = {.U = r->U, .I = r->I, .N = r->N - h.n};
    int64_t *offset = tdm_new(r->U + 1, sizeof *offset);
    uint32_t *item = tdm_new(d.N, sizeof *item);
    float *rating = tdm_new(d.N, sizeof *rating);
    h.who = tdm_new(h.people, sizeof *h.who);
    h.from = tdm_new(h.people + 1, sizeof *h.from);
    h.item = tdm_new(h.n, sizeof *h.item);
    h.rating = tdm_new(h.n, sizeof *h.rating);
    tdm_status st = TDM_OK;
    if (!offset || !item || !rating || !h.who || !h.from || !h.item || !h.rating)
        st = tdm_nomem(err, "ratings kept back; svdpp.held=0 keeps none");
    size_t left = 0, kept = 0, people = 0;
    for (size_t u = 0; u < r->U && !st; u++) {
        double part = of_person(&g, run->seed, u, chance, share);
        size_t before = kept;
        for (size_t k = (size_t)r->offset[u]; k < (size_t)r->offset[u + 1]; k++) {
            bool held = part > 0 && is_held(&g, part, r->rating[k]);
            if (held) {
                h.item[kept] = r->item[k];
                h.rating[kept++] = r->rating[k];
            } else {
                item[left] = r->item[k];
                rating[left++] = r->rating[k];
            }
        }
        offset[u + 1] = (int64_t)left;
        if (kept == before) continue;
        h.who[people] = (uint32_t)u;
        h.from[++people] = kept;
    }
    tdm_rows_clear(r);
    d.offset = offset;
    d.item = item;
    d.rating = rating;
    if (!st) st = tdm_rows_make(r, &d, SIZE_MAX, false, err);
    tdm_free(offset);
    tdm_free(item);
    tdm_free(rating);
    if (st) tdm_svdpp_held_clear(&h);
    *out = h;
    return st;
}

void tdm_svdpp_held_clear(tdm_svdpp_held *h)
{
    tdm_free(h->who);
    tdm_free(h->from);
    tdm_free(h->item);
    tdm_free(h->rating);
    *h = (tdm_svdpp_held){0};
}

typedef struct asking {
    const tdm_svdpp_held *h;
    const tdm_svdpp_space *s;
    const tdm_rows *r;
    double low, high;
    double *part; /* chunks x SUMS */
    atomic_bool short_of;
    tdm_run *run;
} asking;

static void people_ask(void *ctx, size_t chunk, size_t begin, size_t end)
{
    asking *a = ctx;
    const tdm_svdpp_space *s = a->s;
    double *sum = a->part + chunk * SUMS;
    float x[TDM_SVDPP_MOST];
    tdm_svdpp_fold q;
    if (atomic_load_explicit(&a->run->cancel, memory_order_relaxed)) return;
    if (tdm_svdpp_fold_open(&q, s, NULL)) {
        a->short_of = true;
        return;
    }
    for (size_t w = begin; w < end; w++) {
        size_t u = a->h->who[w], at = (size_t)a->r->offset[u], n = (size_t)a->r->offset[u + 1] - at;
        if (!tdm_svdpp_fold_factor(&q, s, a->r->item + at, a->r->rating + at, n)) continue;
        tdm_svdpp_fold_solve(&q, s, x);
        for (size_t k = a->h->from[w]; k < a->h->from[w + 1]; k++) {
            double is = (double)a->h->rating[k],
                   said = s->mean + (double)tdm_kernels_best()->dot(x, s->item + a->h->item[k] * s->K, s->K),
                   e = fmin(fmax(said, a->low), a->high) - is;
            const double add[SUMS] = {1, e * e, said, is, said * said, said * is};
            for (size_t i = 0; i < SUMS; i++) sum[i] += add[i];
        }
    }
    tdm_svdpp_fold_close(&q);
}

tdm_status tdm_svdpp_held_ask(const tdm_svdpp_held *h, double *rmse, double *shift, double *slope,
                              const tdm_svdpp_space *s, const tdm_rows *r, double low, double high, tdm_run *run,
                              tdm_err *err)
{
    size_t chunks = tdm_chunks(h->people, GRAIN);
    asking a = {.h = h, .s = s, .r = r, .low = low, .high = high, .run = run};
    a.part = tdm_new(chunks + 1, SUMS * sizeof *a.part);
    if (!a.part) return tdm_nomem(err, "ratings kept back");
    tdm_pool_for(run->pool, h->people, GRAIN, people_ask, &a);
    double *sum = a.part, n, is, said, spread;
    for (size_t c = 1; c < chunks; c++)
        for (size_t i = 0; i < SUMS; i++) sum[i] += a.part[c * SUMS + i];
    n = sum[0] > 0 ? sum[0] : 1;
    said = sum[2] / n;
    is = sum[3] / n;
    spread = sum[4] / n - said * said;
    *rmse = sqrt(sum[1] / n);
    *slope = spread > 1e-9 ? (sum[5] / n - said * is) / spread : 1;
    *shift = is - *slope * said;
    tdm_free(a.part);
    if (a.short_of) return tdm_nomem(err, "folding in ratings kept back");
    return tdm_run_check(run, "svdpp", err);
}
