/* SPDX-License-Identifier: Apache-2.0 */
/* gpt2.h - GPT-2 as published: weights, their names, their folder.
 *
 *     x = wte[token] + wpe[position]
 *     L blocks:  x += proj(attention(qkv(LN1(x))));  x += proj(gelu_tanh(fc(LN2(x))))
 *     logits = LNf(x) wte^T
 *
 * (Radford et al. 2019; layout of the weights: Hugging Face "Conv1D", so a matrix is [inputs x outputs].)
 * Shapes: V vocabulary, T positions, C channels, L layers, H heads; C is a multiple of H. */
#ifndef TDM_GPT2_GPT2_H
#define TDM_GPT2_GPT2_H

#include "base/run.h"

typedef struct tdm_gpt2_shape { size_t V, T, C, L, H; } tdm_gpt2_shape;

/* name, elements, of which each layer has an equal share (1) or which stand once (0), weight decay (1) or none (0) */
#define TDM_GPT2_TENSORS(X)                                                                                            \
    X(wte, s.V * s.C, 0, 1)                                                                                            \
    X(wpe, s.T * s.C, 0, 1)                                                                                            \
    X(ln1w, s.L * s.C, 1, 0)                                                                                           \
    X(ln1b, s.L * s.C, 1, 0)                                                                                           \
    X(qkvw, s.L * s.C * 3 * s.C, 1, 1)                                                                                 \
    X(qkvb, s.L * 3 * s.C, 1, 0)                                                                                       \
    X(attw, s.L * s.C * s.C, 1, 1)                                                                                     \
    X(attb, s.L * s.C, 1, 0)                                                                                           \
    X(ln2w, s.L * s.C, 1, 0)                                                                                           \
    X(ln2b, s.L * s.C, 1, 0)                                                                                           \
    X(fcw, s.L * s.C * 4 * s.C, 1, 1)                                                                                  \
    X(fcb, s.L * 4 * s.C, 1, 0)                                                                                        \
    X(projw, s.L * 4 * s.C * s.C, 1, 1)                                                                                \
    X(projb, s.L * s.C, 1, 0)                                                                                          \
    X(lnfw, s.C, 0, 0)                                                                                                 \
    X(lnfb, s.C, 0, 0)

/* Where each tensor begins; weights and gradients have the same form. */
typedef struct tdm_gpt2_tensors {
#define X(name, count, layered, decay) float *name;
    TDM_GPT2_TENSORS(X)
#undef X
} tdm_gpt2_tensors;

typedef struct tdm_gpt2 {
    tdm_gpt2_shape s;
    tdm_gpt2_tensors w;
    float *block; /* all of w, in the order of the list */
    size_t n;     /* floats in block */
    /* of the folder it was read from, to be written back as it was; NULL and false: none */
    struct cJSON *config; /* config.json */
    char *generation;     /* generation_config.json */
    bool bare;            /* names are without "transformer." */
} tdm_gpt2;

/* Checks that the shape makes sense and its products fit; `what` begins the sentence where it does not. */
tdm_status tdm_gpt2_shape_check(const tdm_gpt2_shape *s, const char *what, tdm_err *err);
size_t tdm_gpt2_count(tdm_gpt2_shape s);                                   /* floats of all tensors */
void tdm_gpt2_place(tdm_gpt2_tensors *out, float *block, tdm_gpt2_shape s); /* the list laid over a block */

tdm_status tdm_gpt2_open(tdm_gpt2 **out, tdm_gpt2_shape s, tdm_err *err); /* all zero */
void tdm_gpt2_close(tdm_gpt2 *g);

/* N(0, 0.02), residual projections / sqrt(2 L), LayerNorm weights 1, biases 0: as GPT-2 was begun. */
void tdm_gpt2_init(tdm_gpt2 *g, uint64_t seed);

/* Reads config.json and model.safetensors of a Hugging Face folder, or the files that model.safetensors.index.json names
 * (F32, F16, BF16; names with or without "transformer."; an lm_head that says what wte says and attention masks are passed
 * over). Nothing that a file claims is trusted. */
tdm_status tdm_gpt2_load(tdm_gpt2 **out, const char *folder, tdm_err *err);

/* Writes config.json and model.safetensors (F32) as the common library does: what was read from a folder and not changed
 * is written as it was, byte for byte where it was F32 in one file. The folder exists. Equal weights, equal bytes. */
tdm_status tdm_gpt2_save(const tdm_gpt2 *g, const char *folder, tdm_err *err);

/* ---- sequences ---- */

/* S sequences one behind another, no padding: sequence q is token[start[q] .. start[q + 1]), at positions 0, 1, ... */
typedef struct tdm_gpt2_batch {
    const uint32_t *token;  /* N; each < V */
    const uint32_t *start;  /* S + 1; no sequence longer than T */
    size_t S, N;
    const uint32_t *target; /* N: what position i should say, or TDM_GPT2_SILENT: no loss there. NULL where not needed */
    const float *weight;    /* N: how much position i's loss counts; NULL: 1 each */
} tdm_gpt2_batch;

#define TDM_GPT2_SILENT UINT32_MAX

/* ---- without gradients, on the calling thread, safe from many threads at once ---- */

/* out: S x C, the final LayerNorm's output at the last position of each sequence. */
tdm_status tdm_gpt2_last(const tdm_gpt2 *g, float *out, const tdm_gpt2_batch *b, tdm_err *err);

/* logits: N x V. For tests and small models. */
tdm_status tdm_gpt2_logits(const tdm_gpt2 *g, float *logits, const tdm_gpt2_batch *b, tdm_err *err);

/* logp[i] = log p(target[i] | what stands before), 0 where silent; N of them. Never holds N x V. */
tdm_status tdm_gpt2_logp(const tdm_gpt2 *g, float *logp, const tdm_gpt2_batch *b, tdm_err *err);

#endif
