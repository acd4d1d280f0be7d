/* SPDX-License-Identifier: Apache-2.0 */
/* trainer_grad.c - gradients of weights: sums over all tokens of a batch.
 *
 * A weight's gradient is x' dy; its output columns are made side by side, each a sum over tokens in one order.
 * LayerNorm's weights are summed by tile and added in the order of tiles. Adapters' matrices are narrow: each is one
 * product. */
#include "gpt2/trainer_parts.h"
#include "kernels/kernels.h"

#include <string.h>

enum { COLUMNS = 128 };

typedef struct product {
    const float *x, *dy;
    tdm_linear d;
} product;

typedef struct products {
    tdm_gpt2_trainer *t;
    product p[TDM_LORA_SITES];
    size_t first[TDM_LORA_SITES + 1]; /* column tiles of each, counted through */
} products;

static void columns(void *ctx, size_t chunk, size_t begin, size_t end)
{
    products *a = ctx;
    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        size_t k = 0;
        while (i >= a->first[k + 1]) k++;
        const product *p = &a->p[k];
        size_t at = (i - a->first[k]) * COLUMNS, to = p->d.out - at < COLUMNS ? p->d.out : at + COLUMNS;
        tdm_linear_gradient(&p->d, p->x, p->dy, a->t->b->N, at, to, a->t->add, a->t->pass.gemm);
    }
}

static void adapters(void *ctx, size_t chunk, size_t begin, size_t end)
{
    products *a = ctx;
    const tdm_gpt2_trainer *t = a->t;
    (void)chunk;
    for (size_t i = begin; i < end; i++)
        tdm_lora_gradient(&t->a.lora, t->grad_lora, a->p[i / 2].dy, a->p[i / 2].x, t->l, (int)(i / 2), (int)(i % 2),
                          t->b->N, t->add);
}

void tdm_trainer_weights(tdm_gpt2_trainer *t)
{
    const tdm_layer_acts *a = &t->layer[t->l];
    const tdm_layer_back *k = &t->a.back;
    products all = {.t = t,
                    .p = {[TDM_LORA_QKV] = {.x = a->ln1, .dy = k->dqkv},
                          [TDM_LORA_ATT] = {.x = a->att, .dy = k->dmix},
                          [TDM_LORA_FC] = {.x = a->ln2, .dy = k->dfc},
                          [TDM_LORA_PROJ] = {.x = a->gelu, .dy = k->dmlp}}};
    if (t->o.lora) {
        tdm_pool_for(t->run->pool, 2 * TDM_LORA_SITES, 1, adapters, &all);
        return;
    }
    tdm_layer_w d = tdm_layer_of(&t->grad, t->g->s, t->l);
    all.p[TDM_LORA_QKV].d = d.qkv;
    all.p[TDM_LORA_ATT].d = d.att;
    all.p[TDM_LORA_FC].d = d.fc;
    all.p[TDM_LORA_PROJ].d = d.proj;
    for (size_t i = 0; i < TDM_LORA_SITES; i++) all.first[i + 1] = all.first[i] + tdm_chunks(all.p[i].d.out, COLUMNS);
    tdm_pool_for(t->run->pool, all.first[TDM_LORA_SITES], 1, columns, &all);
    tdm_trainer_norms(t, (float *const[]){d.ln1w, d.ln1b, d.ln2w, d.ln2b}, 4);
}

void tdm_trainer_norms(const tdm_gpt2_trainer *t, float *const *out, size_t n)
{
    size_t C = t->g->s.C;
    for (size_t k = 0; k < n; k++) {
        if (!t->add) memset(out[k], 0, C * sizeof **out);
        for (size_t i = 0; i < t->tiles; i++) tdm_kernels_best()->axpy(out[k], 1, t->a.norms + (i * 4 + k) * C, C);
    }
}

/* Tokens add theirs in the order of the batch. */
void tdm_trainer_embeddings(tdm_gpt2_trainer *t)
{
    const tdm_kernels *k = tdm_kernels_best();
    const tdm_gpt2_shape s = t->g->s;
    const size_t from = t->o.lora ? s.V - t->o.rows : 0;
    float *rows = t->o.lora ? t->grad_rows : t->grad.wte;
    if (!t->o.lora && !t->add) memset(t->grad.wpe, 0, s.T * s.C * sizeof(float));
    if (from == s.V) return;
    for (size_t q = 0; q < t->b->S; q++)
        for (size_t i = t->b->start[q]; i < t->b->start[q + 1]; i++) {
            float *d = t->a.back.dx + i * s.C;
            tdm_dropout_apply(&t->drop, d, s.C, TDM_SITE_EMBEDDING, i);
            if (t->b->token[i] >= from) k->axpy(rows + (t->b->token[i] - from) * s.C, 1, d, s.C);
            if (!t->o.lora) k->axpy(t->grad.wpe + (i - t->b->start[q]) * s.C, 1, d, s.C);
        }
}
