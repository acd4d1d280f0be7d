/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/train.h"
#include "kernels/kernels.h"

#include <math.h>

enum { GRAIN = 16384 }; /* weights of a chunk: 256 KiB of the four arrays, within a core's cache */

struct tdm_adamw {
    tdm_adamw_group *group;
    size_t n, all; /* groups; weights of all */
    float *m, *v;  /* all each */
    double *part;  /* squares of the gradients by chunk */
    tdm_adamw_options o;
};

tdm_status tdm_adamw_open(tdm_adamw **out, const tdm_adamw_group *groups, size_t n, tdm_adamw_options o, tdm_err *err)
{
    *out = NULL;
    tdm_adamw *a = tdm_new(1, sizeof *a);
    if (!a) return tdm_nomem(err, "AdamW");
    a->n = n;
    a->o = o;
    size_t longest = 0;
    a->group = tdm_new(n, sizeof *a->group);
    for (size_t k = 0; a->group && k < n; k++) {
        a->group[k] = groups[k];
        a->all += groups[k].n;
        if (groups[k].n > longest) longest = groups[k].n;
    }
    a->m = tdm_new(a->all, sizeof *a->m);
    a->v = tdm_new(a->all, sizeof *a->v);
    a->part = tdm_new(tdm_chunks(longest, GRAIN), sizeof *a->part);
    if (!a->group || !a->m || !a->v || !a->part) {
        tdm_adamw_close(a);
        return tdm_nomem(err, "the moments of AdamW");
    }
    *out = a;
    return TDM_OK;
}

void tdm_adamw_close(tdm_adamw *a)
{
    if (!a) return;
    tdm_free(a->group);
    tdm_free(a->m);
    tdm_free(a->v);
    tdm_free(a->part);
    tdm_free(a);
}

void tdm_adamw_state(tdm_adamw *a, float **m, float **v, size_t *n)
{
    *m = a->m;
    *v = a->v;
    *n = a->all;
}

typedef struct updating {
    const tdm_kernels *k;
    const tdm_adamw_group *group;
    float *m, *v; /* of this group */
    double *part;
    tdm_adamw_rates rates;
} updating;

static void squares(void *ctx, size_t chunk, size_t begin, size_t end)
{
    updating *u = ctx;
    const float *g = u->group->g;
    double sum = 0;
    for (size_t at = begin; at < end; at += 1024) { /* short floats sums, added in double */
        size_t n = end - at < 1024 ? end - at : 1024;
        sum += (double)u->k->dot(g + at, g + at, n);
    }
    u->part[chunk] = sum;
}

static void update(void *ctx, size_t chunk, size_t begin, size_t end)
{
    updating *u = ctx;
    (void)chunk;
    u->k->adamw(u->group->w + begin, u->m + begin, u->v + begin, u->group->g + begin, end - begin, &u->rates);
}

double tdm_adamw_norm(const tdm_adamw *a, tdm_pool *pool)
{
    updating u = {.k = tdm_kernels_best(), .part = a->part};
    double sum = 0;
    for (size_t k = 0; k < a->n; k++) {
        u.group = &a->group[k];
        tdm_pool_for(pool, u.group->n, GRAIN, squares, &u);
        for (size_t c = 0; c < tdm_chunks(u.group->n, GRAIN); c++) sum += a->part[c];
    }
    return sqrt(sum);
}

void tdm_adamw_update(tdm_adamw *a, float rate, double norm, uint64_t step, tdm_pool *pool)
{
    double clip = (double)a->o.clip;
    updating u = {.k = tdm_kernels_best()};
    u.rates = (tdm_adamw_rates){.beta1 = a->o.beta1,
                                .beta2 = a->o.beta2,
                                .eps = a->o.eps,
                                .rate = rate,
                                .fix1 = (float)(1 / (1 - pow((double)a->o.beta1, (double)step))),
                                .fix2 = (float)(1 / (1 - pow((double)a->o.beta2, (double)step))),
                                .scale = clip > 0 && norm > clip ? (float)(clip / norm) : 1};
    size_t at = 0;
    for (size_t k = 0; k < a->n; k++) {
        u.group = &a->group[k];
        u.m = a->m + at;
        u.v = a->v + at;
        u.rates.keep = 1 - rate * u.group->decay;
        tdm_pool_for(pool, u.group->n, GRAIN, update, &u);
        at += u.group->n;
    }
}

double tdm_adamw_step(tdm_adamw *a, float rate, uint64_t step, tdm_pool *pool)
{
    double norm = tdm_adamw_norm(a, pool);
    tdm_adamw_update(a, rate, norm, step, pool);
    return norm;
}

size_t tdm_gpt2_groups(tdm_adamw_group *groups, tdm_gpt2 *g, const tdm_gpt2_tensors *grad, float decay)
{
    const tdm_gpt2_shape s = g->s;
    size_t n = 0;
#define X(name, count, layered, decays)                                                                                \
    groups[n++] = (tdm_adamw_group){.w = g->w.name, .g = grad->name, .n = (count), .decay = (decays) ? decay : 0};
    TDM_GPT2_TENSORS(X)
#undef X
    return n;
}

double tdm_cosine_rate(uint64_t step, uint64_t warmup, uint64_t total, double floor)
{
    if (step < warmup) return (double)step / (double)warmup;
    if (step >= total) return floor;
    double done = (double)(step - warmup) / (double)(total - warmup);
    return floor + (1 - floor) * (1 + cos(3.14159265358979323846 * done)) / 2;
}
