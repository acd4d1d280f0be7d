/* SPDX-License-Identifier: Apache-2.0 */
/* lora.h - adapters of low rank beside linear layers whose weights stay as they are (Hu et al. 2021):
 *
 *     y = x W + b + alpha / rank (drop(x) A') B'          A: rank x in, B: out x rank
 *
 * A begins uniform within 1 / sqrt(in) and B at zero, so that a begun adapter changes nothing. A trainer that is given
 * adapters trains them alone. Files have the layout of the common library for adapters: adapter_config.json and
 * adapter_model.safetensors, the matrices in the orientation above. */
#ifndef TDM_GPT2_LORA_H
#define TDM_GPT2_LORA_H

#include "gpt2/dropout.h"
#include "gpt2/gpt2.h"
#include "gpt2/linear.h"

/* The linear layers of a block. */
enum { TDM_LORA_QKV, TDM_LORA_ATT, TDM_LORA_FC, TDM_LORA_PROJ, TDM_LORA_SITES };
enum { TDM_LORA_ALL = (1 << TDM_LORA_SITES) - 1 };

typedef struct tdm_lora_options {
    size_t rank;
    float alpha, dropout; /* alpha 0: as the rank */
    unsigned sites;       /* bits 1 << TDM_LORA_QKV ...: which layers have one; 0: all */
} tdm_lora_options;

typedef struct tdm_lora {
    tdm_gpt2_shape s;
    tdm_lora_options o; /* filled in */
    float *block;       /* layer by layer, site by site: A, then B */
    size_t n;           /* floats in block */
} tdm_lora;

/* All zero. Refuses a rank of 0 or beyond C. */
tdm_status tdm_lora_open(tdm_lora **out, tdm_gpt2_shape s, const tdm_lora_options *o, tdm_err *err);
void tdm_lora_close(tdm_lora *l);
void tdm_lora_init(tdm_lora *l, uint64_t seed);

/* One adapter, in l->block or in gradients of the same layout; a is NULL where the site has none. */
typedef struct tdm_adapter {
    float *a, *b; /* rank x in, out x rank */
    size_t in, out;
} tdm_adapter;
tdm_adapter tdm_lora_at(const tdm_lora *l, float *block, size_t layer, int site);

/* W += alpha / rank A' B' everywhere: the model alone then says what it says with the adapters, without dropout. */
void tdm_lora_merge(tdm_gpt2 *g, const tdm_lora *l);

/* Writes and reads both files; the folder exists. `base` (may be NULL): what the configuration calls the model below.
 * Reading refuses what does not fit a GPT-2 of shape s, and kinds of adapters that are not these. */
tdm_status tdm_lora_save(const tdm_lora *l, const char *folder, const char *base, tdm_err *err);
tdm_status tdm_lora_load(tdm_lora **out, tdm_gpt2_shape s, const char *folder, tdm_err *err);

/* ---- inside this floor: adapters in a pass over a batch ---- */

typedef struct tdm_lora_pass {
    const tdm_lora *lora;
    tdm_gemm_fn *gemm;
    tdm_dropout drop;
    size_t most;    /* rows that the arrays have */
    float *low;     /* L x sites x most x rank: drop(x) A', for backward */
    float *dlow;    /* sites x most x rank: its gradient, of the layer in the works */
    float *dropped; /* most x 7C: drop(x) of the four sites, of the layer in the works; only with dropout */
    float *masked;  /* most x 4C: only with dropout */
} tdm_lora_pass;

tdm_dropout tdm_lora_dropout(const tdm_lora *l, uint64_t seed, uint64_t step);

/* Rows begin .. end of y += the adapter's part; of dx += what flows back through it. `p` may be NULL: nothing. */
void tdm_lora_forward(const tdm_lora_pass *p, float *y, const float *x, size_t layer, int site, size_t begin,
                      size_t end);
void tdm_lora_backward(const tdm_lora_pass *p, float *dx, const float *dy, const float *x, size_t layer, int site,
                       size_t begin, size_t end);

/* The gradient of one site's A (which 0) or B (1) over n rows, after backward has been through all of them. */
void tdm_lora_gradient(const tdm_lora_pass *p, float *grad, const float *dy, const float *x, size_t layer, int site,
                       int which, size_t n, bool add);

#endif
