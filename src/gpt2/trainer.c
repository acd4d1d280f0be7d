/* SPDX-License-Identifier: Apache-2.0 */
/* trainer.c - one step: tiles forward, the softmax, tiles backward layer by layer, and the gradients of the weights
 * (trainer_grad.c).
 *
 * All layers up to layer[remade] share the first room of activations, so that forward leaves it with what that layer
 * kept; for the layers before it backward goes through the block again, from its input, tile by tile. */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/trainer_parts.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

static tdm_status room_make(tdm_gpt2_trainer *t, tdm_err *err)
{
    const tdm_gpt2_shape s = t->g->s;
    size_t flow, rooms = s.L - t->plan.remade, most = t->o.most;
    t->grad_block = tdm_new(tdm_trainer_learned(s, &t->o), sizeof *t->grad_block);
    t->block = tdm_new(tdm_trainer_place(&t->a, NULL, s, &t->o, rooms, &flow), sizeof *t->block);
    t->layer = tdm_new(s.L, sizeof *t->layer);
    t->tile = tdm_new(tdm_tiles_most(most), sizeof *t->tile);
    if (!t->grad_block || !t->block || !t->layer || !t->tile) return tdm_nomem(err, "training a GPT-2");
    if (t->o.lora) {
        t->grad_lora = t->grad_block;
        t->grad_rows = t->grad_block + t->o.lora->n;
    } else tdm_gpt2_place(&t->grad, t->grad_block, s);
    tdm_trainer_place(&t->a, t->block, s, &t->o, rooms, &flow);
    t->a.lora.lora = t->o.lora;
    t->a.lora.gemm = t->o.gemm;
    t->a.lora.most = most;
    for (size_t l = 0; l < s.L; l++) {
        size_t room = l < t->plan.remade ? 0 : l - t->plan.remade;
        tdm_layer_place(&t->layer[l], t->a.rooms + room * tdm_layer_floats(s, most), s, most);
        t->layer[l].x = t->a.x + l * most * s.C;
    }
    return TDM_OK;
}

tdm_status tdm_gpt2_trainer_open(tdm_gpt2_trainer **out, tdm_gpt2 *g, const tdm_gpt2_trainer_options *o, tdm_run *run,
                                 tdm_err *err)
{
    tdm_gpt2_plan plan;
    *out = NULL;
    if (o->rows > g->s.V)
        return tdm_fail(err, TDM_E_ARG, "%zu rows of a table of %zu cannot be trained", o->rows, g->s.V);
    if (o->lora && memcmp(&o->lora->s, &g->s, sizeof g->s))
        return tdm_fail(err, TDM_E_ARG, "the adapters were made for a GPT-2 of another shape");
    tdm_status st = tdm_gpt2_plan_make(&plan, g->s, o, err);
    if (st) return st;
    tdm_gpt2_trainer *t = tdm_new(1, sizeof *t);
    if (!t) return tdm_nomem(err, "training a GPT-2");
    *t = (tdm_gpt2_trainer){.g = g, .run = run, .o = *o, .plan = plan};
    if (!t->o.gemm) t->o.gemm = tdm_gemm;
    st = room_make(t, err);
    if (!st) st = tdm_head_open(&t->head, g, o->most, t->o.gemm, err);
    if (st) {
        tdm_gpt2_trainer_close(t);
        return st;
    }
    *out = t;
    return TDM_OK;
}

void tdm_gpt2_trainer_close(tdm_gpt2_trainer *t)
{
    if (!t) return;
    tdm_free(t->grad_block);
    tdm_free(t->block);
    tdm_free(t->layer);
    tdm_free(t->tile);
    tdm_head_close(t->head);
    tdm_free(t);
}

const tdm_gpt2_plan *tdm_gpt2_trainer_plan(const tdm_gpt2_trainer *t) { return &t->plan; }
tdm_gpt2_tensors tdm_gpt2_trainer_grad(const tdm_gpt2_trainer *t) { return t->grad; }
float *tdm_gpt2_trainer_grad_lora(const tdm_gpt2_trainer *t) { return t->grad_lora; }

size_t tdm_gpt2_trainer_groups(const tdm_gpt2_trainer *t, tdm_adamw_group *groups, float decay)
{
    const tdm_lora *l = t->o.lora;
    const tdm_gpt2_shape s = t->g->s;
    size_t n = 0;
    if (!l) return tdm_gpt2_groups(groups, t->g, &t->grad, decay);
    groups[n++] = (tdm_adamw_group){.w = l->block, .g = t->grad_lora, .n = l->n, .decay = decay};
    if (t->o.rows)
        groups[n++] = (tdm_adamw_group){
            .w = t->g->w.wte + (s.V - t->o.rows) * s.C, .g = t->grad_rows, .n = t->o.rows * s.C, .decay = decay};
    return n;
}

/* ---- tiles ---- */

static float *scratch_of(const tdm_gpt2_trainer *t, size_t tile)
{
    return t->a.scratch + tile * tdm_attention_floats(t->longest);
}

static void forward(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_gpt2_trainer *t = ctx;
    const tdm_kernels *k = tdm_kernels_best();
    const tdm_gpt2_shape s = t->g->s;
    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const tdm_tile *tile = &t->tile[i];
        tdm_embed(t->a.x, t->g, &t->pass, tile);
        for (size_t l = 0; l < s.L; l++) {
            tdm_layer_w w = tdm_layer_of(&t->g->w, s, l);
            tdm_layer_forward(t->a.x + (l + 1) * t->o.most * s.C, &t->layer[l], &w, l, &t->pass, tile,
                              scratch_of(t, i));
        }
        const float *x = t->a.x + s.L * t->o.most * s.C;
        for (size_t n = tile->n; n < tile->n_end; n++)
            k->norm(t->a.out + n * s.C, t->a.stat + 2 * n, x + n * s.C, t->g->w.lnfw, t->g->w.lnfb, s.C);
    }
}

/* Through the final LayerNorm: dx comes as the gradient of its output and leaves as that of its input. */
static void last_norm(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_gpt2_trainer *t = ctx;
    const tdm_kernels *k = tdm_kernels_best();
    const tdm_gpt2_shape s = t->g->s;
    const float *x = t->a.x + s.L * t->o.most * s.C;
    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        float *norms = t->a.norms + i * 4 * s.C;
        memset(norms, 0, 4 * s.C * sizeof *norms);
        for (size_t n = t->tile[i].n; n < t->tile[i].n_end; n++) {
            float *d = t->a.back.dx + n * s.C, *tmp = t->a.back.tmp + n * s.C;
            memcpy(tmp, d, s.C * sizeof *d);
            memset(d, 0, s.C * sizeof *d);
            k->norm_back(d, norms, norms + s.C, tmp, x + n * s.C, t->a.stat + 2 * n, t->g->w.lnfw, s.C);
        }
    }
}

static void backward(void *ctx, size_t chunk, size_t begin, size_t end)
{
    tdm_gpt2_trainer *t = ctx;
    (void)chunk;
    tdm_layer_w w = tdm_layer_of(&t->g->w, t->g->s, t->l);
    const tdm_layer_acts *a = &t->layer[t->l];
    for (size_t i = begin; i < end; i++) {
        if (t->l < t->plan.remade) tdm_layer_forward(NULL, a, &w, t->l, &t->pass, &t->tile[i], scratch_of(t, i));
        tdm_layer_backward(&t->a.back, t->a.norms + i * 4 * t->g->s.C, a, &w, t->l, &t->pass, &t->tile[i],
                           scratch_of(t, i));
    }
}

/* ---- a step ---- */

static tdm_status check(const tdm_gpt2_trainer *t, const tdm_gpt2_batch *b, tdm_err *err)
{
    if (b->N > t->o.most || !b->target || b->N != (b->S ? b->start[b->S] : 0))
        return tdm_fail(err, TDM_E_ARG, "a batch of %zu tokens, where %zu with targets fit", b->N, t->o.most);
    tdm_status st = tdm_gpt2_batch_check(t->g, b, err);
    for (size_t i = 0; !st && i < b->N; i++)
        if (b->target[i] != TDM_GPT2_SILENT && b->target[i] >= t->g->s.V)
            st = tdm_fail(err, TDM_E_ARG, "target %u of a batch is not below %zu", b->target[i], t->g->s.V);
    return st;
}

/* Forward and backward through one batch; its share of the loss. False where that is no number. */
static bool pass(tdm_gpt2_trainer *t, double *loss, double mass)
{
    tdm_pool *pool = t->run->pool;
    const tdm_gpt2_shape s = t->g->s;
    t->tiles = tdm_tiles_cut(t->tile, &t->longest, t->b);
    t->pass = (tdm_pass){.s = s, .b = t->b, .drop = &t->drop, .gemm = t->o.gemm, .lora = t->o.lora ? &t->a.lora : NULL};
    tdm_pool_for(pool, t->tiles, 1, forward, t);
    tdm_head_table table = {.d = t->grad.wte, .add = t->add};
    if (t->o.lora) table = (tdm_head_table){t->o.rows ? t->grad_rows : NULL, s.V - t->o.rows, t->add};
    *loss = tdm_head_step(t->head, t->a.back.dx, table, mass, t->a.out, t->b, pool);
    if (!isfinite(*loss)) return false;
    tdm_pool_for(pool, t->tiles, 1, last_norm, t);
    if (!t->o.lora) tdm_trainer_norms(t, (float *const[]){t->grad.lnfw, t->grad.lnfb}, 2);
    for (t->l = s.L; t->l-- > 0;) {
        tdm_pool_for(pool, t->tiles, 1, backward, t);
        tdm_trainer_weights(t);
    }
    tdm_trainer_embeddings(t);
    return true;
}

tdm_status tdm_gpt2_trainer_steps(tdm_gpt2_trainer *t, double *loss, const tdm_gpt2_batch *b, size_t n, uint64_t step,
                                  tdm_err *err)
{
    double mass = 0;
    *loss = 0;
    for (size_t k = 0; k < n; k++) {
        tdm_status st = check(t, &b[k], err);
        if (st) return st;
        mass += tdm_head_mass(&b[k]);
    }
    for (size_t k = 0; k < n; k++) {
        double share;
        uint64_t key = step + ((uint64_t)k << 48); /* of masks */
        t->b = &b[k];
        t->add = k > 0;
        t->drop = tdm_dropout_make(t->o.dropout, t->run->seed, key);
        if (t->o.lora) t->a.lora.drop = tdm_lora_dropout(t->o.lora, t->run->seed, key);
        if (!pass(t, &share, mass)) {
            *loss = share;
            return tdm_fail(err, TDM_E_FORMAT, "step %llu: the loss is no longer a number; train with a lower rate",
                            (unsigned long long)step);
        }
        *loss += share;
    }
    return TDM_OK;
}

tdm_status tdm_gpt2_trainer_step(tdm_gpt2_trainer *t, double *loss, const tdm_gpt2_batch *b, uint64_t step,
                                 tdm_err *err)
{
    return tdm_gpt2_trainer_steps(t, loss, b, 1, step, err);
}
