/* SPDX-License-Identifier: Apache-2.0 */
/* train.h - forward and backward over a packed batch, and AdamW.
 *
 * Work is cut into tiles by shape, never by the number of threads, and sums over tiles are made in tile order: the same
 * bits at any number of threads. Logits are made for a bounded number of positions at a time. */
#ifndef TDM_GPT2_TRAIN_H
#define TDM_GPT2_TRAIN_H

#include "gpt2/gpt2.h"
#include "gpt2/lora.h"

/* ---- what a trainer is to do ---- */

typedef struct tdm_gpt2_trainer_options {
    size_t most;       /* tokens of a batch at most */
    float dropout;     /* of embeddings, attention weights and both residual branches, as GPT-2 has them */
    tdm_gemm_fn *gemm; /* in which arithmetic products are made; NULL: tdm_gemm */
    size_t memory;     /* bytes that the whole of a training may take; 0: what the machine has left */
    tdm_lora *lora;    /* adapters, which are trained in place of the weights; NULL: the weights */
    size_t rows;       /* with adapters: so many last rows of the token table are trained too, for new tokens */
} tdm_gpt2_trainer_options;

/* ---- memory, known before anything is allocated ---- */

/* Bytes of each kind. Where not all activations fit, blocks 0 .. remade keep their inputs alone, and backward makes the
 * rest again: the same bits, for up to a third more time. */
typedef struct tdm_gpt2_plan {
    size_t weights, adapters, gradients, moments; /* moments: AdamW's two */
    size_t activations, logits, scratch;          /* scratch: of attention and of what flows back */
    size_t all;
    size_t layers, remade;
} tdm_gpt2_plan;

/* Fewest blocks are made again that fit; TDM_E_NOMEM where o->memory does not suffice even for the least. */
tdm_status tdm_gpt2_plan_make(tdm_gpt2_plan *out, tdm_gpt2_shape s, const tdm_gpt2_trainer_options *o, tdm_err *err);

/* "weights 498 MB, gradients 498 MB, ..., in all 2124 MB" */
enum { TDM_PLAN_TEXT = 256 };
void tdm_gpt2_plan_say(const tdm_gpt2_plan *p, char out[TDM_PLAN_TEXT]);
void tdm_gpt2_plan_log(const tdm_gpt2_plan *p, tdm_run *run, const char *stage); /* the same behind "memory: " */

/* ---- gradients ---- */

typedef struct tdm_gpt2_trainer tdm_gpt2_trainer; /* activations and gradients for batches up to a size */

/* `g` and o->lora outlive the trainer. */
tdm_status tdm_gpt2_trainer_open(tdm_gpt2_trainer **out, tdm_gpt2 *g, const tdm_gpt2_trainer_options *o, tdm_run *run,
                                 tdm_err *err);
void tdm_gpt2_trainer_close(tdm_gpt2_trainer *t);

const tdm_gpt2_plan *tdm_gpt2_trainer_plan(const tdm_gpt2_trainer *t);

/* *loss: the weighted mean of -log p over the targets; gradients of it into tdm_gpt2_trainer_grad (overwritten).
 * Dropout masks are keyed by (run->seed, step, layer, row). A loss that is not finite is TDM_E_FORMAT,
 * and *loss is it. */
tdm_status tdm_gpt2_trainer_step(tdm_gpt2_trainer *t, double *loss, const tdm_gpt2_batch *b, uint64_t step, tdm_err *err);

/* The same for n batches, one after another, as if they were one: the mean is over the targets of all, and gradients
 * are added in fp32 in the order of the batches. Each batch has masks of its own. */
tdm_status tdm_gpt2_trainer_steps(tdm_gpt2_trainer *t, double *loss, const tdm_gpt2_batch *b, size_t n, uint64_t step,
                                  tdm_err *err);

/* The same list as the weights, one block at .wte. All NULL where adapters are trained. */
tdm_gpt2_tensors tdm_gpt2_trainer_grad(const tdm_gpt2_trainer *t);

/* Gradients of the adapters, laid out as o->lora->block; NULL without. */
float *tdm_gpt2_trainer_grad_lora(const tdm_gpt2_trainer *t);

/* ---- AdamW (Loshchilov and Hutter 2019), with clipping by the norm of all gradients ---- */

typedef struct tdm_adamw_group { float *w; const float *g; size_t n; float decay; } tdm_adamw_group;
typedef struct tdm_adamw_options { float beta1, beta2, eps, clip; } tdm_adamw_options; /* clip 0: none */

typedef struct tdm_adamw tdm_adamw;

/* Groups are copied; their arrays outlive the optimiser. */
tdm_status tdm_adamw_open(tdm_adamw **out, const tdm_adamw_group *groups, size_t n, tdm_adamw_options o, tdm_err *err);
void tdm_adamw_close(tdm_adamw *a);

/* The norm of all gradients, before clipping; not finite where one of them is not, or their squares are beyond floats. */
double tdm_adamw_norm(const tdm_adamw *a, tdm_pool *pool);

/* One update with this rate, clipped by that norm; `step` counts from 1. */
void tdm_adamw_update(tdm_adamw *a, float rate, double norm, uint64_t step, tdm_pool *pool);

/* Both. Returns the norm. */
double tdm_adamw_step(tdm_adamw *a, float rate, uint64_t step, tdm_pool *pool);

/* The moments m and v of all groups, one block each of *n floats: for a checkpoint. */
void tdm_adamw_state(tdm_adamw *a, float **m, float **v, size_t *n);

/* The groups of all that a trainer trains, weights or adapters, appended to groups[TDM_GPT2_GROUPS]; returns how many. */
size_t tdm_gpt2_trainer_groups(const tdm_gpt2_trainer *t, tdm_adamw_group *groups, float decay);

/* The groups of a whole GPT-2 (one for each tensor of the list; `decay` where the list says so) appended to groups[];
 * returns how many. */
size_t tdm_gpt2_groups(tdm_adamw_group *groups, tdm_gpt2 *g, const tdm_gpt2_tensors *grad, float decay);
enum { TDM_GPT2_GROUPS = 16 };

/* Linear warm-up over `warmup` steps, then a cosine from 1 down to `floor` at `total`: the factor at `step` (from 1). */
double tdm_cosine_rate(uint64_t step, uint64_t warmup, uint64_t total, double floor);

#endif
