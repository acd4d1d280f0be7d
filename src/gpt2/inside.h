/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what the engine's files share: the buffers of a forward pass, attention, dropout, the output softmax.
 *
 * Everything but attention works on rows (one for each token of the batch) and is cut into tiles of TILE rows; attention
 * is one task for each sequence and head. Neither depends on the number of threads. */
#ifndef TDM_GPT2_INSIDE_H
#define TDM_GPT2_INSIDE_H

#include "gpt2/gpt2.h"
#include "kernels/kernels.h"

#include <stdatomic.h>

enum {
    TDM_GPT2_TILE = 128,  /* rows of a task: enough for sgemm to be fast, few enough to stay in a core's cache */
    TDM_GPT2_QUERIES = 64 /* rows of attention weights that are held at a time */
};

/* ---- dropout ---- */

/* A row's mask is drawn from a stream of its own, 16 bits an element; backward draws it again. `keep` in 65536ths: the
 * rate is rounded to that, and what is kept is scaled by exactly its inverse. keep = 65536: none. */
typedef struct tdm_dropout {
    uint64_t seed, step;
    uint32_t keep;
} tdm_dropout;

tdm_dropout tdm_dropout_make(float rate, uint64_t seed, uint64_t step);

/* x_i = 0 or x_i / keep. `site` tells the places of the model apart, `row` the rows of one place. */
void tdm_dropout_apply(const tdm_dropout *d, float *x, size_t n, uint64_t site, uint64_t row);

/* Sites: the embedding; then in each layer the two residual branches and each head's attention weights. */
enum { TDM_SITE_EMBEDDING = 0 };
static inline uint64_t tdm_site(const tdm_gpt2_shape *s, size_t layer, size_t which) { return 1 + layer * (s->H + 2) + which; }
enum { TDM_SITE_ATTENTION = 0, TDM_SITE_MLP = 1, TDM_SITE_HEADS = 2 };

/* ---- scratch for the threads ---- */

/* As many slots as threads; a task takes a free one and gives it back. Which one it gets changes nothing, as every
 * task writes what it reads. */
typedef struct tdm_slots {
    float *block;
    size_t n, size; /* slots, floats in each (a multiple of 16) */
    atomic_int *taken;
} tdm_slots;

int tdm_slots_init(tdm_slots *s, size_t n, size_t size); /* -1 where memory is short */
void tdm_slots_clear(tdm_slots *s);
float *tdm_slots_take(tdm_slots *s);
void tdm_slots_give(tdm_slots *s, float *slot);

/* ---- attention of one head ---- */

/* Queries 0 .. n - 1 stand at positions first .. first + n - 1 of a text and see the keys up to their own position.
 * All rows are `row` floats apart; D channels. `drop` may be NULL; its rows are numbered from `drop_row`. */
typedef struct tdm_head {
    const float *q, *k, *v;
    size_t q_row, k_row, v_row; /* how far apart rows are */
    size_t n, first, D;
    const tdm_dropout *drop;
    uint64_t site, drop_row;
} tdm_head;

size_t tdm_head_scratch(size_t keys); /* floats that both need, for texts of at most `keys` tokens */

/* out_i = sum_j p_ij v_j,  p_i = softmax_j<=i (q_i k_j / sqrt(D)) */
void tdm_head_forward(const tdm_kernels *k, const tdm_head *h, float *out, size_t out_row, float *scratch);

/* dq, dk, dv (rows as far apart as q, k and v) are overwritten; first = 0. */
void tdm_head_backward(const tdm_kernels *k, const tdm_head *h, float *dq, float *dk, float *dv, const float *dout,
                       size_t dout_row, float *scratch);

/* ---- forward ---- */

/* What a forward pass leaves behind, rows of N tokens. `layers` is L where backward will read it, else 1 and layers
 * write over each other. Index: layer l at [(l % layers) * N * width]. */
typedef struct tdm_acts {
    size_t most, layers;
    float *x;    /* (layers + 1) x N x C: what enters layer l; after the last, what enters the final LayerNorm */
    float *ln1;  /* layers x N x C */
    float *stat1; /* layers x N x 2: mean and 1 / deviation */
    float *qkv;  /* layers x N x 3C */
    float *att;  /* layers x N x C: attention before its projection */
    float *mid;  /* layers x N x C: after the attention branch */
    float *ln2;  /* layers x N x C */
    float *stat2;
    float *fc;   /* layers x N x 4C: before GELU */
    float *gelu; /* layers x N x 4C */
    float *out;  /* N x C: the final LayerNorm's output */
    float *stat; /* N x 2 */
    float *block;
    tdm_slots slots;
    uint32_t *position; /* N: place of each token in its sequence */
} tdm_acts;

tdm_status tdm_acts_init(tdm_acts *a, const tdm_gpt2_shape *s, size_t most, bool keep, size_t threads, tdm_err *err);
void tdm_acts_clear(tdm_acts *a);

/* Checks a batch against the model and the room: nothing in it is trusted afterwards only because it is ours. */
tdm_status tdm_batch_check(const tdm_gpt2 *g, const tdm_gpt2_batch *b, size_t most, bool targets, tdm_err *err);

/* Fills `a` for a checked batch. `drop` NULL or keep = 65536: none. */
void tdm_forward(const tdm_gpt2 *g, tdm_acts *a, const tdm_gpt2_batch *b, const tdm_dropout *drop, tdm_pool *pool);

/* One layer's rows: everything but attention, for rows [begin, end); the decoder uses them too. `fresh`: only the first
 * LayerNorm and qkv. */
void tdm_layer_enter(const tdm_gpt2 *g, tdm_acts *a, size_t layer, size_t begin, size_t end);
void tdm_layer_leave(const tdm_gpt2 *g, tdm_acts *a, size_t layer, const tdm_dropout *drop, size_t begin, size_t end);
void tdm_final_norm(const tdm_gpt2 *g, tdm_acts *a, size_t begin, size_t end);

/* y[begin..end) += bias in each row. */
void tdm_rows_bias(const tdm_kernels *k, float *y, size_t width, const float *bias, size_t begin, size_t end);

#endif
