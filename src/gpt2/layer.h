/* SPDX-License-Identifier: Apache-2.0 */
/* layer.h - one block of GPT-2 over a tile: a run of whole sequences, some hundred tokens, that no other tile needs.
 *
 * A tile's borders depend on the batch only. What a block makes for a tile stays in the rows of that tile, so tiles go
 * through all layers side by side. Backward gives gradients of inputs tile by tile; gradients of weights are sums over
 * all tokens and are made by trainer.c, output columns side by side. Inside this floor only. */
#ifndef TDM_GPT2_LAYER_H
#define TDM_GPT2_LAYER_H

#include "gpt2/gpt2.h"

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

/* ---- dropout ---- */

/* Zeroes x[i] with probability cut / 65536 and scales the rest; the mask is keyed by (seed, step, site, row), so that
 * backward draws it again. cut 0: nothing happens. */
typedef struct tdm_dropout {
    uint64_t seed, step;
    uint32_t cut;
    float scale;
} tdm_dropout;

tdm_dropout tdm_dropout_make(float p, uint64_t seed, uint64_t step);
void tdm_dropout_apply(const tdm_dropout *d, float *x, size_t n, uint64_t site, uint64_t row);

/* Sites: of the embedding, and three for each layer. */
enum { TDM_SITE_EMBEDDING = 0, TDM_SITE_ATTENTION = 1, TDM_SITE_MIX = 2, TDM_SITE_MLP = 3 };
static inline uint64_t tdm_site(size_t layer, int which) { return 3 * (uint64_t)layer + (uint64_t)which; }

/* ---- a block ---- */

/* One layer's weights, or their gradients. */
typedef struct tdm_layer_w {
    float *ln1w, *ln1b, *qkvw, *qkvb, *attw, *attb, *ln2w, *ln2b, *fcw, *fcb, *projw, *projb;
} tdm_layer_w;

tdm_layer_w tdm_layer_of(const tdm_gpt2_tensors *t, tdm_gpt2_shape s, size_t layer);

/* What forward keeps of one layer, a row a token. stat: mean and 1 / deviation of each row. */
typedef struct tdm_layer_acts {
    float *x;           /* N x C: in */
    float *ln1, *stat1; /* N x C, N x 2 */
    float *qkv;         /* N x 3C */
    float *att;         /* N x C: what attention gathers */
    float *mid;         /* N x C: x after attention */
    float *ln2, *stat2; /* N x C, N x 2 */
    float *fc, *gelu;   /* N x 4C */
} tdm_layer_acts;

/* Floats that tdm_layer_place lays out for N tokens. */
size_t tdm_layer_floats(tdm_gpt2_shape s, size_t N);
void tdm_layer_place(tdm_layer_acts *a, float *block, tdm_gpt2_shape s, size_t N); /* all but x */

/* x = embeddings of the tile's tokens. */
void tdm_embed(float *x, const tdm_gpt2 *g, const tdm_gpt2_batch *b, const tdm_tile *t, const tdm_dropout *d);

/* out (N x C; may be a->x) = the block of a->x, for the tile's rows. scratch: longest^2 floats of this tile's own. */
void tdm_layer_forward(float *out, const tdm_layer_acts *a, const tdm_layer_w *w, tdm_gpt2_shape s, size_t layer,
                       const tdm_gpt2_batch *b, const tdm_tile *t, const tdm_dropout *d, float *scratch);

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

/* norms: 4C floats of this tile's own, which take the tile's part of d ln1w, ln1b, ln2w, ln2b (overwritten). scratch:
 * 2 longest^2 floats of its own. */
void tdm_layer_backward(const tdm_layer_back *k, float *norms, const tdm_layer_acts *a, const tdm_layer_w *w,
                        tdm_gpt2_shape s, size_t layer, const tdm_gpt2_batch *b, const tdm_tile *t,
                        const tdm_dropout *d, float *scratch);

/* Attention of n new rows of one head's worth of C channels over `all` rows of a cache, the new ones last; no dropout:
 * for decoding. q: n x qld; k, v: all x kld; out: n x C. scratch: n x all. */
void tdm_attend(float *out, const float *q, size_t qld, const float *k, const float *v, size_t kld, tdm_gpt2_shape s,
                size_t n, size_t all, float *scratch);

/* y = x w + bias for n rows. */
void tdm_linear_rows(float *y, const float *x, const float *w, const float *bias, size_t n, size_t in, size_t out);

#endif
