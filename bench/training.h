/* SPDX-License-Identifier: Apache-2.0 */
/* training.h - a GPT-2 of some shape and a made batch for it, to time whole training steps. */
#ifndef TDM_BENCH_TRAINING_H
#define TDM_BENCH_TRAINING_H

#include "base/run.h"
#include "gpt2/train.h"

enum { BENCH_PARTS = 64 };

typedef struct bench_training {
    tdm_gpt2 *g;
    tdm_gpt2_trainer *trainer;
    tdm_adamw *adam;
    tdm_gpt2_batch batch, part[BENCH_PARTS]; /* each part is the batch */
    uint32_t *token, *start, *target;
    tdm_lora *lora; /* or NULL */
    size_t parts;   /* of a step */
    tdm_run *run;
    uint64_t step;
    double loss, update; /* of the last step: the loss, and the seconds of AdamW */
} bench_training;

/* Beyond the shape: zeros are the plain way. */
typedef struct bench_training_how {
    float dropout;
    size_t rank, memory, parts; /* of adapters; bytes allowed; batches of a step */
    tdm_gemm_fn *gemm;          /* NULL: tdm_gemm */
} bench_training_how;

/* Sequences of `least` to `most` tokens, skewed to the short ones as histories are, `tokens` in all. */
void bench_training_open(bench_training *t, tdm_gpt2_shape s, size_t tokens, size_t least, size_t most,
                         bench_training_how how, tdm_run *run);
void bench_training_close(bench_training *t);

void bench_training_step(void *training); /* forward, backward, AdamW: a bench_fn */

/* Operations of a step's products, forward once and backward twice; those of attention are left out. */
double bench_training_flops(const bench_training *t);

#endif
