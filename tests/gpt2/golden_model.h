/* SPDX-License-Identifier: Apache-2.0 */
/* golden_model.h - the small random GPT-2 and the batch of tests/gpt2/golden/gpt2.safetensors. */
#ifndef TDM_TESTS_GPT2_GOLDEN_MODEL_H
#define TDM_TESTS_GPT2_GOLDEN_MODEL_H

#include "check.h"

#include "base/safetensors.h"
#include "gpt2/train.h"

enum { MOST = 64 };

typedef struct golden {
    tdm_safetensors *file;
    tdm_gpt2 *g;
    tdm_gpt2_batch b;
    uint32_t token[MOST], start[MOST], target[MOST];
} golden;

golden *golden_open(void);
void golden_close(golden *x);

/* A tensor of n floats of the file; `_in`: of another one. */
const float *golden_floats(const golden *x, const char *name, size_t n);
const float *golden_floats_in(const tdm_safetensors *file, const char *name, size_t n);

/* Fails where the largest difference is above 1e-4 of the largest value: float sums in another order differ by about
 * 1e-6. */
void golden_near(const char *name, const float *got, const float *want, size_t n);

struct tdm_run golden_run(size_t threads);

/* The batch in two, of 22 and 11 tokens. `start` is room for the second. */
void golden_parts(const golden *x, tdm_gpt2_batch part[2], uint32_t start[8]);

/* Steps of AdamW over the batch: betas 0.9 and 0.95, decay 0.1, clipped to 1, 3e-3 after 5 steps and down a cosine. */
typedef struct golden_course {
    tdm_gpt2_trainer_options o; /* most is filled in */
    size_t threads, parts;      /* 0: 2, and 1 */
    size_t steps, total;        /* made, and of the cosine; 0: the same */
    double *losses, *norms;     /* steps each, or NULL */
} golden_course;
void golden_train(tdm_gpt2 *g, const golden *x, golden_course c);

#endif
