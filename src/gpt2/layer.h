/* SPDX-License-Identifier: Apache-2.0 */
/* layer.h - one block of GPT-2 over a tile: a run of whole sequences, some hundred tokens, that no other tile needs.
 *
 * A tile's borders depend on the batch only. What a block makes for a tile stays in the rows of that tile, so tiles go
 * through all layers side by side. Backward gives gradients of inputs tile by tile; gradients of weights are sums over
 * all tokens and are made by trainer.c, output columns side by side. Inside this floor only. */
#ifndef TDM_GPT2_LAYER_H
#define TDM_GPT2_LAYER_H

#include "gpt2/attention.h"
#include "gpt2/dropout.h"
#include "gpt2/linear.h"
#include "gpt2/lora.h"

/* ---- tiles ---- */

typedef struct tdm_tile {
    size_t s, s_end; /* sequences */
    size_t n, n_end; /* tokens */
} tdm_tile;

enum { TDM_TILE = 128 }; /* a tile ends with the sequence that fills it to as many tokens */

static inline size_t tdm_tiles_most(size_t tokens) { return tokens / TDM_TILE + 1; }

/* Cuts a batch into tiles[tdm_tiles_most(N)]; returns how many. *longest: of the sequences. */
size_t tdm_tiles_cut(tdm_tile *tiles, size_t *longest, const tdm_gpt2_batch *b);

/* Whether the batch fits the model: tokens below V, sequences of 1 to T. */
tdm_status tdm_gpt2_batch_check(const tdm_gpt2 *g, const tdm_gpt2_batch *b, tdm_err *err);

/* ---- a block ---- */

/* One layer's weights, or their gradients. */
typedef struct tdm_layer_w {
    float *ln1w, *ln1b, *ln2w, *ln2b;
    tdm_linear qkv, att, fc, proj;
} tdm_layer_w;

tdm_layer_w tdm_layer_of(const tdm_gpt2_tensors *t, tdm_gpt2_shape s, size_t layer);

/* What forward keeps of one layer, a row a token. stat: mean and 1 / deviation of each row. */
typedef struct tdm_layer_acts {
    float *x;           /* N x C: in */
    float *ln1, *stat1; /* N x C, N x 2 */
    float *qkv;         /* N x 3C */
    float *att;         /* N x C: what attention gathers */
    float *mass;        /* N x H: of attention's softmax, see attention.h */
    float *mid;         /* N x C: x after attention */
    float *ln2, *stat2; /* N x C, N x 2 */
    float *fc, *gelu;   /* N x 4C */
} tdm_layer_acts;

/* Floats that tdm_layer_place lays out for N tokens. */
size_t tdm_layer_floats(tdm_gpt2_shape s, size_t N);
void tdm_layer_place(tdm_layer_acts *a, float *block, tdm_gpt2_shape s, size_t N); /* all but x */

/* What the operations of one pass over a batch share. */
typedef struct tdm_pass {
    tdm_gpt2_shape s;
    const tdm_gpt2_batch *b;
    const tdm_dropout *drop; /* NULL: none */
    tdm_gemm_fn *gemm;       /* in which arithmetic the products of linear layers are made */
    const tdm_lora_pass *lora; /* NULL: no adapters */
} tdm_pass;

/* x = embeddings of the tile's tokens. */
void tdm_embed(float *x, const tdm_gpt2 *g, const tdm_pass *p, const tdm_tile *t);

/* out (N x C; may be a->x) = the block of a->x, for the tile's rows; NULL: only what backward needs is made. scratch:
 * tdm_attention_floats(longest) of this tile's own. */
void tdm_layer_forward(float *out, const tdm_layer_acts *a, const tdm_layer_w *w, size_t layer, const tdm_pass *p,
                       const tdm_tile *t, float *scratch);

/* What flows back through one layer, a row a token: with the kept activations, what the gradients of the weights are
 * made of. */
typedef struct tdm_layer_back {
    float *dx;   /* N x C: in: gradient of the block's output; out: of its input */
    float *dmlp; /* N x C: of the projection's output */
    float *dfc;  /* N x 4C: of the wide layer's output, before GELU */
    float *dmix; /* N x C: of the attention projection's output */
    float *dqkv; /* N x 3C */
    float *tmp;  /* N x C */
} tdm_layer_back;

/* norms: 4C floats of this tile's own, which take the tile's part of d ln1w, ln1b, ln2w, ln2b (overwritten). scratch
 * as above. */
void tdm_layer_backward(const tdm_layer_back *k, float *norms, const tdm_layer_acts *a, const tdm_layer_w *w,
                        size_t layer, const tdm_pass *p, const tdm_tile *t, float *scratch);

#endif
