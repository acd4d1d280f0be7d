/* SPDX-License-Identifier: Apache-2.0 */
/* trainer_parts.h - what a trainer holds: trainer.c makes and drives it, trainer_grad.c makes the gradients of weights,
 * plan.c counts its memory. Inside this floor only. */
#ifndef TDM_GPT2_TRAINER_PARTS_H
#define TDM_GPT2_TRAINER_PARTS_H

#include "gpt2/head.h"
#include "gpt2/layer.h"
#include "gpt2/train.h"

/* Arrays of a pass. Floats, all in one block. */
typedef struct tdm_trainer_arrays {
    float *x;               /* (L + 1) x N x C: inputs of the layers, output of the last */
    float *out, *stat;      /* N x C, N x 2: the final LayerNorm */
    float *rooms;           /* what forward keeps: a room each for the last layers, room 0 for all before as well */
    tdm_layer_back back;
    float *norms;           /* tiles x 4C */
    float *scratch;         /* of attention, for each tile */
    tdm_lora_pass lora;
} tdm_trainer_arrays;

/* Lays the arrays for `rooms` layers over `block`, or only counts them where it is NULL. Returns the floats; *flow of
 * them are what flows back and scratch. */
size_t tdm_trainer_place(tdm_trainer_arrays *a, float *block, tdm_gpt2_shape s, const tdm_gpt2_trainer_options *o,
                         size_t rooms, size_t *flow);

/* Floats of what is trained: gradients have as many. */
size_t tdm_trainer_learned(tdm_gpt2_shape s, const tdm_gpt2_trainer_options *o);

struct tdm_gpt2_trainer {
    tdm_gpt2 *g;
    tdm_run *run;
    tdm_gpt2_trainer_options o; /* gemm filled in */
    tdm_gpt2_plan plan;
    float *grad_block;
    tdm_gpt2_tensors grad;   /* over grad_block, or: */
    float *grad_lora, *grad_rows; /* adapters, then the last o.rows of the token table */
    float *block;
    tdm_trainer_arrays a;
    tdm_layer_acts *layer; /* L */
    tdm_tile *tile;
    tdm_head *head;
    /* the batch in the works */
    const tdm_gpt2_batch *b;
    size_t tiles, longest, l;
    bool add; /* to the gradients of the batches before */
    tdm_dropout drop;
    tdm_pass pass;
};

/* out[k] (+)= the sum over tiles of the k-th C floats of norms. */
void tdm_trainer_norms(const tdm_gpt2_trainer *t, float *const *out, size_t n);

/* Gradients of layer t->l's weights or adapters, once backward has been through it. */
void tdm_trainer_weights(tdm_gpt2_trainer *t);

/* Of the embeddings. The token table has the output's part already. */
void tdm_trainer_embeddings(tdm_gpt2_trainer *t);

#endif
