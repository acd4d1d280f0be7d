/* SPDX-License-Identifier: Apache-2.0 */
/* weights.c - one block of floats, laid out by the list of tensors. */
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "gpt2/gpt2.h"

#include <math.h>

static const size_t most_each = (size_t)1 << 32; /* of any one dimension: products of three then fit 128 bits */

tdm_status tdm_gpt2_shape_check(const tdm_gpt2_shape *s, const char *what, tdm_err *err)
{
    if (!s->V || !s->T || !s->C || !s->L || !s->H)
        return tdm_fail(err, TDM_E_ARG, "%s: a GPT-2 needs a vocabulary, positions, channels, layers and heads", what);
    if (s->C % s->H) return tdm_fail(err, TDM_E_ARG, "%s: %zu channels do not divide into %zu heads", what, s->C, s->H);
    double floats = 12.0 * (double)s->L * (double)s->C * (double)s->C + (double)(s->V + s->T) * (double)s->C;
    if (s->V >= UINT32_MAX || s->T > most_each || s->C > most_each || s->L > most_each || floats > 0x1p40)
        return tdm_fail(err, TDM_E_ARG, "%s: %zu tokens, %zu positions, %zu channels, %zu layers are too many", what,
                        s->V, s->T, s->C, s->L);
    return TDM_OK;
}

size_t tdm_gpt2_count(tdm_gpt2_shape s)
{
    size_t n = 0;
#define X(name, count, layered, decay) n += (count);
    TDM_GPT2_TENSORS(X)
#undef X
    return n;
}

void tdm_gpt2_place(tdm_gpt2_tensors *out, float *block, tdm_gpt2_shape s)
{
#define X(name, count, layered, decay)                                                                                 \
    out->name = block;                                                                                                 \
    block += (count);
    TDM_GPT2_TENSORS(X)
#undef X
}

tdm_status tdm_gpt2_open(tdm_gpt2 **out, tdm_gpt2_shape s, tdm_err *err)
{
    *out = NULL;
    tdm_status st = tdm_gpt2_shape_check(&s, "a new model", err);
    if (st) return st;
    tdm_gpt2 *g = tdm_new(1, sizeof *g);
    if (g) {
        g->s = s;
        g->n = tdm_gpt2_count(s);
        g->block = tdm_new(g->n, sizeof *g->block);
    }
    if (!g || !g->block) {
        tdm_gpt2_close(g);
        return tdm_nomem(err, "the weights of a GPT-2");
    }
    tdm_gpt2_place(&g->w, g->block, s);
    *out = g;
    return TDM_OK;
}

void tdm_gpt2_close(tdm_gpt2 *g)
{
    if (!g) return;
    tdm_free(g->block);
    cJSON_Delete(g->config);
    tdm_free(g->generation);
    tdm_free(g);
}

static void fill(float *w, size_t n, float x)
{
    for (size_t i = 0; i < n; i++) w[i] = x;
}

/* Each tensor draws from a stream of its own, so that a longer vocabulary does not change the layers. */
static void draw(float *w, size_t n, double deviation, uint64_t seed, uint64_t which)
{
    tdm_rng r = tdm_rng_make(seed, which, 0);
    for (size_t i = 0; i < n; i++) w[i] = (float)(deviation * tdm_rng_normal(&r));
}

void tdm_gpt2_init(tdm_gpt2 *g, uint64_t seed)
{
    const tdm_gpt2_shape s = g->s;
    const double deviation = 0.02, residual = deviation / sqrt(2 * (double)s.L);
    fill(g->block, g->n, 0);
    draw(g->w.wte, s.V * s.C, deviation, seed, 1);
    draw(g->w.wpe, s.T * s.C, deviation, seed, 2);
    draw(g->w.qkvw, s.L * s.C * 3 * s.C, deviation, seed, 3);
    draw(g->w.attw, s.L * s.C * s.C, residual, seed, 4);
    draw(g->w.fcw, s.L * s.C * 4 * s.C, deviation, seed, 5);
    draw(g->w.projw, s.L * 4 * s.C * s.C, residual, seed, 6);
    fill(g->w.ln1w, s.L * s.C, 1);
    fill(g->w.ln2w, s.L * s.C, 1);
    fill(g->w.lnfw, s.C, 1);
}
