/* SPDX-License-Identifier: Apache-2.0 */
/* lora.c - adapters: their weights, and what they do in a pass. */
#include "gpt2/lora.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

/* ---- weights ---- */

static bool has(const tdm_lora *l, int site) { return l->o.sites >> site & 1; }

static void sizes_of(tdm_adapter *out, size_t C, int site)
{
    out->in = site == TDM_LORA_PROJ ? 4 * C : C;
    out->out = site == TDM_LORA_QKV ? 3 * C : site == TDM_LORA_FC ? 4 * C : C;
}

static size_t floats_of(const tdm_lora *l, int site)
{
    tdm_adapter a;
    sizes_of(&a, l->s.C, site);
    return has(l, site) ? l->o.rank * (a.in + a.out) : 0;
}

tdm_status tdm_lora_open(tdm_lora **out, tdm_gpt2_shape s, const tdm_lora_options *o, tdm_err *err)
{
    *out = NULL;
    if (!o->rank || o->rank > s.C)
        return tdm_fail(err, TDM_E_ARG, "an adapter's rank is 1 to the model's %zu channels, and not %zu", s.C,
                        o->rank);
    if (o->sites & ~(unsigned)TDM_LORA_ALL)
        return tdm_fail(err, TDM_E_ARG, "adapters have %d sites, and 0x%x names more", TDM_LORA_SITES, o->sites);
    tdm_lora *l = tdm_new(1, sizeof *l);
    if (!l) return tdm_nomem(err, "adapters");
    l->s = s;
    l->o = *o;
    if (!l->o.sites) l->o.sites = TDM_LORA_ALL;
    if (!(l->o.alpha > 0)) l->o.alpha = (float)l->o.rank;
    for (int k = 0; k < TDM_LORA_SITES; k++) l->n += s.L * floats_of(l, k);
    l->block = tdm_new(l->n, sizeof *l->block);
    if (!l->block) {
        tdm_lora_close(l);
        return tdm_nomem(err, "adapters");
    }
    *out = l;
    return TDM_OK;
}

void tdm_lora_close(tdm_lora *l)
{
    if (!l) return;
    tdm_free(l->block);
    tdm_free(l);
}

tdm_adapter tdm_lora_at(const tdm_lora *l, float *block, size_t layer, int site)
{
    tdm_adapter a = {0};
    sizes_of(&a, l->s.C, site);
    if (!has(l, site)) return a;
    size_t of_layer = 0, before = 0;
    for (int k = 0; k < TDM_LORA_SITES; k++) {
        of_layer += floats_of(l, k);
        if (k < site) before += floats_of(l, k);
    }
    a.a = block + layer * of_layer + before;
    a.b = a.a + l->o.rank * a.in;
    return a;
}

void tdm_lora_init(tdm_lora *l, uint64_t seed)
{
    memset(l->block, 0, l->n * sizeof *l->block);
    for (size_t layer = 0; layer < l->s.L; layer++)
        for (int site = 0; site < TDM_LORA_SITES; site++) {
            const tdm_adapter a = tdm_lora_at(l, l->block, layer, site);
            if (!a.a) continue;
            tdm_rng r = tdm_rng_make(seed, layer, (uint64_t)site);
            double bound = 1 / sqrt((double)a.in);
            for (size_t i = 0; i < l->o.rank * a.in; i++) a.a[i] = (float)(bound * (2 * tdm_rng_unit(&r) - 1));
        }
}

static float scale_of(const tdm_lora *l) { return l->o.alpha / (float)l->o.rank; }

void tdm_lora_merge(tdm_gpt2 *g, const tdm_lora *l)
{
    const size_t r = l->o.rank;
    float *const w[] = {g->w.qkvw, g->w.attw, g->w.fcw, g->w.projw};
    for (size_t layer = 0; layer < l->s.L; layer++)
        for (int site = 0; site < TDM_LORA_SITES; site++) {
            const tdm_adapter a = tdm_lora_at(l, l->block, layer, site);
            if (a.a)
                tdm_gemm(1, 1, a.in, a.out, r, scale_of(l), a.a, a.in, a.b, r, 1, w[site] + layer * a.in * a.out,
                         a.out);
        }
}

/* ---- a pass ---- */

/* Another key than that of the blocks' own masks. */
tdm_dropout tdm_lora_dropout(const tdm_lora *l, uint64_t seed, uint64_t step)
{
    return tdm_dropout_make(l->o.dropout, tdm_mix64(seed + 1), step);
}

static float *low_of(const tdm_lora_pass *p, size_t layer, int site)
{
    return p->low + (layer * TDM_LORA_SITES + (size_t)site) * p->most * p->lora->o.rank;
}

static float *dlow_of(const tdm_lora_pass *p, int site) { return p->dlow + (size_t)site * p->most * p->lora->o.rank; }

static void mask(const tdm_lora_pass *p, float *x, size_t in, size_t layer, int site, size_t row)
{
    tdm_dropout_apply(&p->drop, x, in, layer * TDM_LORA_SITES + (size_t)site, row);
}

/* The sites' inputs stand behind one another; the widest comes last. */
static float *dropped_of(const tdm_lora_pass *p, int site)
{
    return p->dropped + (size_t)site * p->most * p->lora->s.C;
}

/* Rows begin .. end of drop(x); what is returned is row `begin`. */
static const float *dropped(const tdm_lora_pass *p, const float *x, size_t in, size_t layer, int site, size_t begin,
                            size_t end)
{
    if (!p->drop.cut) return x + begin * in;
    float *to = dropped_of(p, site) + begin * in;
    memcpy(to, x + begin * in, (end - begin) * in * sizeof *to);
    for (size_t i = begin; i < end; i++) mask(p, to + (i - begin) * in, in, layer, site, i);
    return to;
}

void tdm_lora_forward(const tdm_lora_pass *p, float *y, const float *x, size_t layer, int site, size_t begin,
                      size_t end)
{
    if (!p || !has(p->lora, site)) return;
    const tdm_adapter a = tdm_lora_at(p->lora, p->lora->block, layer, site);
    size_t r = p->lora->o.rank, n = end - begin;
    float *low = low_of(p, layer, site) + begin * r;
    p->gemm(0, 1, n, r, a.in, 1, dropped(p, x, a.in, layer, site, begin, end), a.in, a.a, a.in, 0, low, r);
    p->gemm(0, 1, n, a.out, r, scale_of(p->lora), low, r, a.b, r, 1, y + begin * a.out, a.out);
}

void tdm_lora_backward(const tdm_lora_pass *p, float *dx, const float *dy, const float *x, size_t layer, int site,
                       size_t begin, size_t end)
{
    if (!p || !has(p->lora, site)) return;
    const tdm_adapter a = tdm_lora_at(p->lora, p->lora->block, layer, site);
    size_t r = p->lora->o.rank, n = end - begin;
    float *dlow = dlow_of(p, site) + begin * r;
    p->gemm(0, 0, n, r, a.out, scale_of(p->lora), dy + begin * a.out, a.out, a.b, r, 0, dlow, r);
    dx += begin * a.in;
    if (!p->drop.cut) {
        p->gemm(0, 0, n, a.in, r, 1, dlow, r, a.a, a.in, 1, dx, a.in);
        return;
    }
    dropped(p, x, a.in, layer, site, begin, end); /* for the gradient of A: forward's are another layer's by now */
    float *back = p->masked + begin * 4 * p->lora->s.C;
    p->gemm(0, 0, n, a.in, r, 1, dlow, r, a.a, a.in, 0, back, a.in);
    for (size_t i = 0; i < n; i++) {
        mask(p, back + i * a.in, a.in, layer, site, begin + i);
        tdm_kernels_best()->axpy(dx + i * a.in, 1, back + i * a.in, a.in);
    }
}

void tdm_lora_gradient(const tdm_lora_pass *p, float *grad, const float *dy, const float *x, size_t layer, int site,
                       int which, size_t n, bool add)
{
    if (!has(p->lora, site)) return;
    const tdm_adapter d = tdm_lora_at(p->lora, grad, layer, site);
    size_t r = p->lora->o.rank;
    if (p->drop.cut) x = dropped_of(p, site);
    if (which) p->gemm(1, 0, d.out, r, n, scale_of(p->lora), dy, d.out, low_of(p, layer, site), r, add ? 1 : 0, d.b, r);
    else p->gemm(1, 0, r, d.in, n, 1, dlow_of(p, site), r, x, d.in, add ? 1 : 0, d.a, d.in);
}
