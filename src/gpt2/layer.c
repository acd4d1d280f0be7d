/* SPDX-License-Identifier: Apache-2.0 */
/* layer.c - forward through one block, and what is cut and drawn around it. */
#include "gpt2/layer.h"
#include "base/rng.h"
#include "base/status.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

/* ---- tiles ---- */

size_t tdm_tiles_cut(tdm_tile *tiles, size_t *longest, const tdm_gpt2_batch *b)
{
    size_t made = 0, from = 0;
    *longest = 0;
    for (size_t q = 0; q < b->S; q++) {
        size_t n = b->start[q + 1] - b->start[q];
        if (n > *longest) *longest = n;
        if (b->start[q + 1] - b->start[from] < TDM_TILE && q + 1 < b->S) continue;
        tiles[made++] = (tdm_tile){from, q + 1, b->start[from], b->start[q + 1]};
        from = q + 1;
    }
    return made;
}

tdm_status tdm_gpt2_batch_check(const tdm_gpt2 *g, const tdm_gpt2_batch *b, tdm_err *err)
{
    if (b->S && b->start[0]) return tdm_fail(err, TDM_E_ARG, "a batch begins at %u and not at 0", b->start[0]);
    for (size_t q = 0; q < b->S; q++) {
        if (b->start[q + 1] <= b->start[q] || b->start[q + 1] - b->start[q] > g->s.T)
            return tdm_fail(err, TDM_E_ARG, "sequence %zu of a batch does not have 1 to %zu tokens", q, g->s.T);
        for (size_t i = b->start[q]; i < b->start[q + 1]; i++)
            if (b->token[i] >= g->s.V)
                return tdm_fail(err, TDM_E_ARG, "token %u of a batch is not below %zu", b->token[i], g->s.V);
    }
    return TDM_OK;
}

/* ---- layout ---- */

tdm_layer_w tdm_layer_of(const tdm_gpt2_tensors *t, tdm_gpt2_shape s, size_t l)
{
    size_t C = s.C;
    return (tdm_layer_w){.ln1w = t->ln1w + l * C,
                         .ln1b = t->ln1b + l * C,
                         .ln2w = t->ln2w + l * C,
                         .ln2b = t->ln2b + l * C,
                         .qkv = {t->qkvw + l * C * 3 * C, t->qkvb + l * 3 * C, C, 3 * C},
                         .att = {t->attw + l * C * C, t->attb + l * C, C, C},
                         .fc = {t->fcw + l * C * 4 * C, t->fcb + l * 4 * C, C, 4 * C},
                         .proj = {t->projw + l * 4 * C * C, t->projb + l * C, 4 * C, C}};
}

size_t tdm_layer_floats(tdm_gpt2_shape s, size_t N) { return N * (15 * s.C + s.H + 4); }

void tdm_layer_place(tdm_layer_acts *a, float *block, tdm_gpt2_shape s, size_t N)
{
    size_t C = s.C;
    struct {
        float **at;
        size_t n;
    } list[] = {{&a->ln1, C},    {&a->qkv, 3 * C},  {&a->att, C},    {&a->mid, C},   {&a->ln2, C},
                {&a->fc, 4 * C}, {&a->gelu, 4 * C}, {&a->mass, s.H}, {&a->stat1, 2}, {&a->stat2, 2}};
    for (size_t k = 0; k < sizeof list / sizeof *list; k++) {
        *list[k].at = block;
        block += N * list[k].n;
    }
}

/* ---- forward ---- */

void tdm_embed(float *x, const tdm_gpt2 *g, const tdm_pass *p, const tdm_tile *t)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t C = g->s.C;
    for (size_t q = t->s; q < t->s_end; q++)
        for (size_t i = p->b->start[q]; i < p->b->start[q + 1]; i++) {
            memcpy(x + i * C, g->w.wte + p->b->token[i] * C, C * sizeof *x);
            k->axpy(x + i * C, 1, g->w.wpe + (i - p->b->start[q]) * C, C);
            tdm_dropout_apply(p->drop, x + i * C, C, TDM_SITE_EMBEDDING, i);
        }
}

void tdm_layer_forward(float *out, const tdm_layer_acts *a, const tdm_layer_w *w, size_t layer, const tdm_pass *p,
                       const tdm_tile *t, float *scratch)
{
    const tdm_kernels *k = tdm_kernels_best();
    const uint32_t *start = p->b->start;
    size_t C = p->s.C, at = t->n, n = t->n_end - t->n;
    for (size_t i = at; i < t->n_end; i++) k->norm(a->ln1 + i * C, a->stat1 + i * 2, a->x + i * C, w->ln1w, w->ln1b, C);
    tdm_linear_forward(a->qkv + at * 3 * C, a->ln1 + at * C, n, &w->qkv, p->gemm);
    tdm_lora_forward(p->lora, a->qkv, a->ln1, layer, TDM_LORA_QKV, at, t->n_end);
    for (size_t q = t->s; q < t->s_end; q++)
        tdm_attention_forward(a->att, a->mass, a->qkv, p->s, layer, (tdm_span){start[q], start[q + 1] - start[q]},
                              p->drop, scratch);
    tdm_linear_forward(a->mid + at * C, a->att + at * C, n, &w->att, p->gemm);
    tdm_lora_forward(p->lora, a->mid, a->att, layer, TDM_LORA_ATT, at, t->n_end);
    for (size_t i = at; i < t->n_end; i++) {
        tdm_dropout_apply(p->drop, a->mid + i * C, C, tdm_site(layer, TDM_SITE_MIX), i);
        k->axpy(a->mid + i * C, 1, a->x + i * C, C);
        k->norm(a->ln2 + i * C, a->stat2 + i * 2, a->mid + i * C, w->ln2w, w->ln2b, C);
    }
    tdm_linear_product(a->fc + at * 4 * C, a->ln2 + at * C, n, &w->fc, p->gemm);
    tdm_lora_forward(p->lora, a->fc, a->ln2, layer, TDM_LORA_FC, at, t->n_end);
    for (size_t i = at; i < t->n_end; i++) k->gelu(a->gelu + i * 4 * C, a->fc + i * 4 * C, w->fc.b, 4 * C);
    if (!out) return;
    tdm_linear_forward(out + at * C, a->gelu + at * 4 * C, n, &w->proj, p->gemm);
    tdm_lora_forward(p->lora, out, a->gelu, layer, TDM_LORA_PROJ, at, t->n_end);
    for (size_t i = at; i < t->n_end; i++) {
        tdm_dropout_apply(p->drop, out + i * C, C, tdm_site(layer, TDM_SITE_MLP), i);
        k->axpy(out + i * C, 1, a->mid + i * C, C);
    }
}
