/* SPDX-License-Identifier: Apache-2.0 */
/* layer_back.c - backward through one block, for the rows of a tile. */
#include "gpt2/layer.h"
#include "kernels/kernels.h"

#include <string.h>

void tdm_layer_backward(const tdm_layer_back *g, float *norms, const tdm_layer_acts *a, const tdm_layer_w *w,
                        size_t layer, const tdm_pass *p, const tdm_tile *t, float *scratch)
{
    const tdm_kernels *k = tdm_kernels_best();
    const uint32_t *start = p->b->start;
    size_t C = p->s.C, at = t->n, n = t->n_end - t->n;
    memset(norms, 0, 4 * C * sizeof *norms);

    memcpy(g->dmlp + at * C, g->dx + at * C, n * C * sizeof *g->dx);
    for (size_t i = at; i < t->n_end; i++)
        tdm_dropout_apply(p->drop, g->dmlp + i * C, C, tdm_site(layer, TDM_SITE_MLP), i);
    tdm_linear_backward(g->dfc + at * 4 * C, g->dmlp + at * C, n, &w->proj, p->gemm);
    tdm_lora_backward(p->lora, g->dfc, g->dmlp, a->gelu, layer, TDM_LORA_PROJ, at, t->n_end);
    for (size_t i = at; i < t->n_end; i++)
        k->gelu_back(g->dfc + i * 4 * C, g->dfc + i * 4 * C, a->fc + i * 4 * C, 4 * C);
    tdm_linear_backward(g->tmp + at * C, g->dfc + at * 4 * C, n, &w->fc, p->gemm);
    tdm_lora_backward(p->lora, g->tmp, g->dfc, a->ln2, layer, TDM_LORA_FC, at, t->n_end);
    for (size_t i = at; i < t->n_end; i++)
        k->norm_back(g->dx + i * C, norms + 2 * C, norms + 3 * C, g->tmp + i * C, a->mid + i * C, a->stat2 + i * 2,
                     w->ln2w, C);

    memcpy(g->dmix + at * C, g->dx + at * C, n * C * sizeof *g->dx);
    for (size_t i = at; i < t->n_end; i++)
        tdm_dropout_apply(p->drop, g->dmix + i * C, C, tdm_site(layer, TDM_SITE_MIX), i);
    tdm_linear_backward(g->tmp + at * C, g->dmix + at * C, n, &w->att, p->gemm);
    tdm_lora_backward(p->lora, g->tmp, g->dmix, a->att, layer, TDM_LORA_ATT, at, t->n_end);
    for (size_t q = t->s; q < t->s_end; q++)
        tdm_attention_backward(g->dqkv, g->tmp, a->att, a->mass, a->qkv, p->s, layer,
                               (tdm_span){start[q], start[q + 1] - start[q]}, p->drop, scratch);
    tdm_linear_backward(g->tmp + at * C, g->dqkv + at * 3 * C, n, &w->qkv, p->gemm);
    tdm_lora_backward(p->lora, g->tmp, g->dqkv, a->ln1, layer, TDM_LORA_QKV, at, t->n_end);
    for (size_t i = at; i < t->n_end; i++)
        k->norm_back(g->dx + i * C, norms, norms + C, g->tmp + i * C, a->x + i * C, a->stat1 + i * 2, w->ln1w, C);
}
