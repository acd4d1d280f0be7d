/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c - keys and values of every layer are kept; a new token costs one row of every product.
 *
 *     layer l:  kv[most x 2C], a row a token: C of the key, C of the value */
#include "gpt2/decode.h"
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/layer.h"
#include "kernels/kernels.h"

#include <string.h>

enum { ROWS = 64 }; /* tokens fed at a time */

struct tdm_decoder {
    const tdm_gpt2 *g;
    size_t most, n;
    float *kv;                             /* L x most x 2C */
    float *x, *ln, *qkv, *att, *fc, *gelu; /* ROWS rows */
    float *scratch;                        /* ROWS x most */
    float *logits;                         /* V */
};

tdm_status tdm_decoder_open(tdm_decoder **out, const tdm_gpt2 *g, size_t most, tdm_err *err)
{
    size_t C = g->s.C;
    *out = NULL;
    if (!most || most > g->s.T)
        return tdm_fail(err, TDM_E_ARG, "a text of %zu tokens, where the model reads 1 to %zu", most, g->s.T);
    tdm_decoder *d = tdm_new(1, sizeof *d);
    if (!d) return tdm_nomem(err, "decoding");
    d->g = g;
    d->most = most;
    d->kv = tdm_new(g->s.L * most, 2 * C * sizeof *d->kv);
    d->x = tdm_new(ROWS, C * sizeof(float));
    d->ln = tdm_new(ROWS, C * sizeof(float));
    d->qkv = tdm_new(ROWS, 3 * C * sizeof(float));
    d->att = tdm_new(ROWS, C * sizeof(float));
    d->fc = tdm_new(ROWS, 4 * C * sizeof(float));
    d->gelu = tdm_new(ROWS, 4 * C * sizeof(float));
    d->scratch = tdm_new(ROWS, most * sizeof(float));
    d->logits = tdm_new(g->s.V, sizeof(float));
    if (d->kv && d->x && d->ln && d->qkv && d->att && d->fc && d->gelu && d->scratch && d->logits) {
        *out = d;
        return TDM_OK;
    }
    tdm_decoder_close(d);
    return tdm_nomem(err, "decoding");
}

void tdm_decoder_close(tdm_decoder *d)
{
    if (!d) return;
    tdm_free(d->kv);
    tdm_free(d->x);
    tdm_free(d->ln);
    tdm_free(d->qkv);
    tdm_free(d->att);
    tdm_free(d->fc);
    tdm_free(d->gelu);
    tdm_free(d->scratch);
    tdm_free(d->logits);
    tdm_free(d);
}

/* x += what layer l adds for n rows that follow the d->n of the cache. */
static void layer(tdm_decoder *d, size_t l, size_t n)
{
    const tdm_kernels *k = tdm_kernels_best();
    const tdm_gpt2_shape s = d->g->s;
    const tdm_layer_w w = tdm_layer_of(&d->g->w, s, l);
    size_t C = s.C;
    float stat[2], *kv = d->kv + l * d->most * 2 * C;
    for (size_t i = 0; i < n; i++) k->norm(d->ln + i * C, stat, d->x + i * C, w.ln1w, w.ln1b, C);
    tdm_linear_forward(d->qkv, d->ln, n, &w.qkv, tdm_gemm);
    for (size_t i = 0; i < n; i++) memcpy(kv + (d->n + i) * 2 * C, d->qkv + i * 3 * C + C, 2 * C * sizeof *kv);
    tdm_attention_cached(d->att, d->qkv, 3 * C, kv, kv + C, 2 * C, s, n, d->n + n, d->scratch);
    tdm_linear_forward(d->ln, d->att, n, &w.att, tdm_gemm);
    k->axpy(d->x, 1, d->ln, n * C);
    for (size_t i = 0; i < n; i++) k->norm(d->ln + i * C, stat, d->x + i * C, w.ln2w, w.ln2b, C);
    tdm_linear_product(d->fc, d->ln, n, &w.fc, tdm_gemm);
    for (size_t i = 0; i < n; i++) k->gelu(d->gelu + i * 4 * C, d->fc + i * 4 * C, w.fc.b, 4 * C);
    tdm_linear_forward(d->ln, d->gelu, n, &w.proj, tdm_gemm);
    k->axpy(d->x, 1, d->ln, n * C);
}

tdm_status tdm_decoder_feed(tdm_decoder *d, const uint32_t *tokens, size_t n, tdm_err *err)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t C = d->g->s.C, V = d->g->s.V;
    if (n > d->most - d->n) return tdm_fail(err, TDM_E_ARG, "a text outgrows its %zu tokens", d->most);
    for (size_t i = 0; i < n; i++)
        if (tokens[i] >= V) return tdm_fail(err, TDM_E_ARG, "token %u is not below %zu", tokens[i], V);
    size_t rows = 0;
    for (size_t at = 0; at < n; at += rows) {
        rows = n - at < ROWS ? n - at : ROWS;
        for (size_t i = 0; i < rows; i++) {
            memcpy(d->x + i * C, d->g->w.wte + tokens[at + i] * C, C * sizeof *d->x);
            k->axpy(d->x + i * C, 1, d->g->w.wpe + (d->n + i) * C, C);
        }
        for (size_t l = 0; l < d->g->s.L; l++) layer(d, l, rows);
        d->n += rows;
    }
    if (!rows) return TDM_OK;
    float stat[2];
    k->norm(d->ln, stat, d->x + (rows - 1) * C, d->g->w.lnfw, d->g->w.lnfb, C);
    tdm_gemm(0, 1, 1, V, C, 1, d->ln, C, d->g->w.wte, C, 0, d->logits, V);
    return TDM_OK;
}

const float *tdm_decoder_logits(const tdm_decoder *d) { return d->logits; }
size_t tdm_decoder_length(const tdm_decoder *d) { return d->n; }

void tdm_decoder_rewind(tdm_decoder *d, size_t n)
{
    if (n < d->n) d->n = n;
}
