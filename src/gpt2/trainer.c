/* SPDX-License-Identifier: Apache-2.0 */
/* trainer.c - one step: tiles forward, the softmax, tiles backward layer by layer, and the gradients of the weights.
 *
 * A weight's gradient is x' dy over all tokens of the batch; its output columns are made side by side, each a sum over
 * tokens in one order. LayerNorm's weights are summed by tile and added in the order of tiles. */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/head.h"
#include "gpt2/layer.h"
#include "gpt2/train.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 128, TASKS_MOST = 4 };

struct tdm_gpt2_trainer {
    tdm_gpt2 *g;
    tdm_run *run;
    size_t most;
    float p;
    tdm_gemm_fn *gemm;
    float *grad_block;
    tdm_gpt2_tensors grad;
    float *acts;           /* what forward keeps */
    tdm_layer_acts *layer; /* L */
    float *x;              /* (L + 1) x N x C: inputs of the layers, output of the last */
    float *out, *stat;     /* N x C, N x 2: the final LayerNorm */
    float *backs;
    tdm_layer_back back;
    float *norms;   /* tiles x 4C */
    float *scratch; /* of attention, for each tile */
    size_t scratch_cap;
    tdm_tile *tile;
    tdm_head *head;
    /* the step in the works */
    const tdm_gpt2_batch *b;
    size_t tiles, longest, l;
    tdm_dropout drop;
    tdm_pass pass;
};

tdm_status tdm_gpt2_trainer_open(tdm_gpt2_trainer **out, tdm_gpt2 *g, const tdm_gpt2_trainer_options *o, tdm_run *run,
                                 tdm_err *err)
{
    const size_t most = o->most;
    const tdm_gpt2_shape s = g->s;
    *out = NULL;
    tdm_gpt2_trainer *t = tdm_new(1, sizeof *t);
    if (!t) return tdm_nomem(err, "training a GPT-2");
    *t = (tdm_gpt2_trainer){.g = g, .run = run, .most = most, .p = o->dropout, .gemm = o->gemm ? o->gemm : tdm_gemm};
    size_t each = tdm_layer_floats(s, most);
    t->grad_block = tdm_new(g->n, sizeof(float));
    t->acts = tdm_new(s.L, each * sizeof(float));
    t->layer = tdm_new(s.L, sizeof *t->layer);
    t->x = tdm_new((s.L + 1) * most, s.C * sizeof(float));
    t->out = tdm_new(most, s.C * sizeof(float));
    t->stat = tdm_new(most, 2 * sizeof(float));
    t->backs = tdm_new(most, 11 * s.C * sizeof(float));
    t->norms = tdm_new(tdm_tiles_most(most), 4 * s.C * sizeof(float));
    t->tile = tdm_new(tdm_tiles_most(most), sizeof *t->tile);
    tdm_status st = tdm_head_open(&t->head, g, most, t->gemm, err);
    if (!st &&
        (!t->grad_block || !t->acts || !t->layer || !t->x || !t->out || !t->stat || !t->backs || !t->norms || !t->tile))
        st = tdm_nomem(err, "training a GPT-2");
    if (st) {
        tdm_gpt2_trainer_close(t);
        return st;
    }
    tdm_gpt2_place(&t->grad, t->grad_block, s);
    for (size_t l = 0; l < s.L; l++) {
        tdm_layer_place(&t->layer[l], t->acts + l * each, s, most);
        t->layer[l].x = t->x + l * most * s.C;
    }
    size_t row = most * s.C;
    t->back = (tdm_layer_back){.dx = t->backs,
                               .dmlp = t->backs + row,
                               .dmix = t->backs + 2 * row,
                               .tmp = t->backs + 3 * row,
                               .dqkv = t->backs + 4 * row,
                               .dfc = t->backs + 7 * row};
    *out = t;
    return TDM_OK;
}

void tdm_gpt2_trainer_close(tdm_gpt2_trainer *t)
{
    if (!t) return;
    tdm_free(t->grad_block);
    tdm_free(t->acts);
    tdm_free(t->layer);
    tdm_free(t->x);
    tdm_free(t->out);
    tdm_free(t->stat);
    tdm_free(t->backs);
    tdm_free(t->norms);
    tdm_free(t->scratch);
    tdm_free(t->tile);
    tdm_head_close(t->head);
    tdm_free(t);
}

tdm_gpt2_tensors tdm_gpt2_trainer_grad(const tdm_gpt2_trainer *t) { return t->grad; }

/* ---- tiles ---- */

static float *scratch_of(const tdm_gpt2_trainer *t, size_t tile)
{
    return t->scratch + tile * tdm_attention_floats(t->longest);
}

static void forward(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_gpt2_trainer *t = ctx;
    const tdm_kernels *k = tdm_kernels_best();
    const tdm_gpt2_shape s = t->g->s;
    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const tdm_tile *tile = &t->tile[i];
        tdm_embed(t->x, t->g, &t->pass, tile);
        for (size_t l = 0; l < s.L; l++) {
            tdm_layer_w w = tdm_layer_of(&t->g->w, s, l);
            tdm_layer_forward(t->x + (l + 1) * t->most * s.C, &t->layer[l], &w, l, &t->pass, tile, scratch_of(t, i));
        }
        const float *x = t->x + s.L * t->most * s.C;
        for (size_t n = tile->n; n < tile->n_end; n++)
            k->norm(t->out + n * s.C, t->stat + 2 * n, x + n * s.C, t->g->w.lnfw, t->g->w.lnfb, s.C);
    }
}

/* Through the final LayerNorm: dx comes as the gradient of its output and leaves as that of its input. */
static void last_norm(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_gpt2_trainer *t = ctx;
    const tdm_kernels *k = tdm_kernels_best();
    const tdm_gpt2_shape s = t->g->s;
    const float *x = t->x + s.L * t->most * s.C;
    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        float *norms = t->norms + i * 4 * s.C;
        memset(norms, 0, 4 * s.C * sizeof *norms);
        for (size_t n = t->tile[i].n; n < t->tile[i].n_end; n++) {
            float *d = t->back.dx + n * s.C, *tmp = t->back.tmp + n * s.C;
            memcpy(tmp, d, s.C * sizeof *d);
            memset(d, 0, s.C * sizeof *d);
            k->norm_back(d, norms, norms + s.C, tmp, x + n * s.C, t->stat + 2 * n, t->g->w.lnfw, s.C);
        }
    }
}

static void backward(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_gpt2_trainer *t = ctx;
    (void)chunk;
    tdm_layer_w w = tdm_layer_of(&t->g->w, t->g->s, t->l);
    for (size_t i = begin; i < end; i++)
        tdm_layer_backward(&t->back, t->norms + i * 4 * t->g->s.C, &t->layer[t->l], &w, t->l, &t->pass, &t->tile[i],
                           scratch_of(t, i));
}

/* out[k] = the sum over tiles of the k-th C floats of norms. */
static void norms_sum(const tdm_gpt2_trainer *t, float *const *out, size_t n)
{
    size_t C = t->g->s.C;
    for (size_t k = 0; k < n; k++) {
        memset(out[k], 0, C * sizeof **out);
        for (size_t i = 0; i < t->tiles; i++) tdm_kernels_best()->axpy(out[k], 1, t->norms + (i * 4 + k) * C, C);
    }
}

/* ---- gradients of weights ---- */

typedef struct product {
    const float *x, *dy;
    tdm_linear d;
} product;

typedef struct products {
    product p[TASKS_MOST];
    size_t first[TASKS_MOST + 1]; /* column tiles of each, counted through */
    size_t N;
    tdm_gemm_fn *gemm;
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
        tdm_linear_gradient(&p->d, p->x, p->dy, a->N, at, to, a->gemm);
    }
}

static void weights(tdm_gpt2_trainer *t)
{
    const tdm_layer_acts *a = &t->layer[t->l];
    const tdm_layer_back *k = &t->back;
    tdm_layer_w d = tdm_layer_of(&t->grad, t->g->s, t->l);
    products all = {
        .N = t->b->N,
        .gemm = t->pass.gemm,
        .p = {{a->gelu, k->dmlp, d.proj}, {a->ln2, k->dfc, d.fc}, {a->att, k->dmix, d.att}, {a->ln1, k->dqkv, d.qkv}}};
    for (size_t i = 0; i < TASKS_MOST; i++) all.first[i + 1] = all.first[i] + tdm_chunks(all.p[i].d.out, COLUMNS);
    tdm_pool_for(t->run->pool, all.first[TASKS_MOST], 1, columns, &all);
    norms_sum(t, (float *const[]){d.ln1w, d.ln1b, d.ln2w, d.ln2b}, 4);
}

/* dwte has the output's part already: tokens add theirs, in the order of the batch. */
static void embeddings(tdm_gpt2_trainer *t)
{
    const tdm_kernels *k = tdm_kernels_best();
    const tdm_gpt2_shape s = t->g->s;
    memset(t->grad.wpe, 0, s.T * s.C * sizeof(float));
    for (size_t q = 0; q < t->b->S; q++)
        for (size_t i = t->b->start[q]; i < t->b->start[q + 1]; i++) {
            float *d = t->back.dx + i * s.C;
            tdm_dropout_apply(&t->drop, d, s.C, TDM_SITE_EMBEDDING, i);
            k->axpy(t->grad.wte + t->b->token[i] * s.C, 1, d, s.C);
            k->axpy(t->grad.wpe + (i - t->b->start[q]) * s.C, 1, d, s.C);
        }
}

/* ---- a step ---- */

static tdm_status begin(tdm_gpt2_trainer *t, const tdm_gpt2_batch *b, tdm_err *err)
{
    if (b->N > t->most || !b->target || b->N != (b->S ? b->start[b->S] : 0))
        return tdm_fail(err, TDM_E_ARG, "a batch of %zu tokens, where %zu with targets fit", b->N, t->most);
    tdm_status st = tdm_gpt2_batch_check(t->g, b, err);
    for (size_t i = 0; !st && i < b->N; i++)
        if (b->target[i] != TDM_GPT2_SILENT && b->target[i] >= t->g->s.V)
            st = tdm_fail(err, TDM_E_ARG, "target %u of a batch is not below %zu", b->target[i], t->g->s.V);
    if (st) return st;
    t->tiles = tdm_tiles_cut(t->tile, &t->longest, b);
    if (tdm_grow(&t->scratch, &t->scratch_cap, t->tiles * tdm_attention_floats(t->longest), sizeof *t->scratch))
        return tdm_nomem(err, "attention");
    t->b = b;
    return TDM_OK;
}

tdm_status tdm_gpt2_trainer_step(tdm_gpt2_trainer *t, double *loss, const tdm_gpt2_batch *b, uint64_t step,
                                 tdm_err *err)
{
    tdm_pool *pool = t->run->pool;
    *loss = 0;
    tdm_status st = begin(t, b, err);
    if (st) return st;
    t->drop = tdm_dropout_make(t->p, t->run->seed, step);
    t->pass = (tdm_pass){.s = t->g->s, .b = b, .drop = &t->drop, .gemm = t->gemm};
    tdm_pool_for(pool, t->tiles, 1, forward, t);
    *loss = tdm_head_step(t->head, t->back.dx, t->grad.wte, t->out, b, pool);
    if (!isfinite(*loss))
        return tdm_fail(err, TDM_E_FORMAT, "step %llu: the loss is no longer a number; train with a lower rate",
                        (unsigned long long)step);
    tdm_pool_for(pool, t->tiles, 1, last_norm, t);
    norms_sum(t, (float *const[]){t->grad.lnfw, t->grad.lnfb}, 2);
    for (t->l = t->g->s.L; t->l-- > 0;) {
        tdm_pool_for(pool, t->tiles, 1, backward, t);
        weights(t);
    }
    embeddings(t);
    return TDM_OK;
}
