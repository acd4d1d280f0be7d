/* SPDX-License-Identifier: Apache-2.0 */
/* infer.c - forward without gradients: one layer's room serves all, tile after tile, on the calling thread. */
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/layer.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { ROWS = 64 };

/* out: N x C, what the final LayerNorm gives at each position. */
static tdm_status hidden(const tdm_gpt2 *g, float *out, const tdm_gpt2_batch *b, size_t N, tdm_err *err)
{
    const tdm_gpt2_shape s = g->s;
    tdm_status st = tdm_gpt2_batch_check(g, b, err);
    if (st || !b->S) return st;
    size_t longest;
    tdm_tile *tile = tdm_new(tdm_tiles_most(N), sizeof *tile);
    if (!tile) return tdm_nomem(err, "a forward pass");
    size_t tiles = tdm_tiles_cut(tile, &longest, b);
    float *room = tdm_new(tdm_layer_floats(s, N), sizeof *room),
          *scratch = tdm_new(tdm_attention_floats(longest), sizeof *scratch);
    if (room && scratch) {
        const tdm_pass pass = {.s = s, .b = b, .gemm = tdm_gemm};
        tdm_layer_acts a = {.x = out};
        tdm_layer_place(&a, room, s, N);
        for (size_t i = 0; i < tiles; i++) {
            tdm_embed(out, g, &pass, &tile[i]);
            for (size_t l = 0; l < s.L; l++) {
                tdm_layer_w w = tdm_layer_of(&g->w, s, l);
                tdm_layer_forward(out, &a, &w, l, &pass, &tile[i], scratch);
            }
            for (size_t n = tile[i].n; n < tile[i].n_end; n++) {
                memcpy(a.ln1 + n * s.C, out + n * s.C, s.C * sizeof *out);
                tdm_kernels_best()->norm(out + n * s.C, a.stat1 + 2 * n, a.ln1 + n * s.C, g->w.lnfw, g->w.lnfb, s.C);
            }
        }
    } else st = tdm_nomem(err, "a forward pass");
    tdm_free(tile);
    tdm_free(room);
    tdm_free(scratch);
    return st;
}

static size_t tokens_of(const tdm_gpt2_batch *b) { return b->S ? b->start[b->S] : 0; }

tdm_status tdm_gpt2_last(const tdm_gpt2 *g, float *out, const tdm_gpt2_batch *b, tdm_err *err)
{
    size_t C = g->s.C, N = tokens_of(b);
    float *all = tdm_new(N, C * sizeof *all);
    tdm_status st = all ? hidden(g, all, b, N, err) : tdm_nomem(err, "a forward pass");
    for (size_t q = 0; !st && q < b->S; q++) memcpy(out + q * C, all + (b->start[q + 1] - 1) * C, C * sizeof *out);
    tdm_free(all);
    return st;
}

tdm_status tdm_gpt2_logits(const tdm_gpt2 *g, float *logits, const tdm_gpt2_batch *b, tdm_err *err)
{
    size_t C = g->s.C, N = tokens_of(b);
    float *all = tdm_new(N, C * sizeof *all);
    tdm_status st = all ? hidden(g, all, b, N, err) : tdm_nomem(err, "a forward pass");
    if (!st) tdm_gemm(0, 1, N, g->s.V, C, 1, all, C, g->w.wte, C, 0, logits, g->s.V);
    tdm_free(all);
    return st;
}

tdm_status tdm_gpt2_logp(const tdm_gpt2 *g, float *logp, const tdm_gpt2_batch *b, tdm_err *err)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t C = g->s.C, V = g->s.V, N = tokens_of(b);
    float *all = tdm_new(N, C * sizeof *all), *logits = tdm_new(ROWS, V * sizeof *logits);
    tdm_status st = all && logits ? hidden(g, all, b, N, err) : tdm_nomem(err, "a forward pass");
    for (size_t i = 0; !st && i < N; i++) {
        logp[i] = 0;
        if (b->target[i] != TDM_GPT2_SILENT && b->target[i] >= V)
            st = tdm_fail(err, TDM_E_ARG, "target %u of a batch is not below %zu", b->target[i], V);
    }
    for (size_t i = 0; !st && i < N;) { /* the next positions that have a target, close behind one another */
        if (b->target[i] == TDM_GPT2_SILENT) {
            i++;
            continue;
        }
        size_t n = 1;
        while (n < ROWS && i + n < N && b->target[i + n] != TDM_GPT2_SILENT) n++;
        tdm_gemm(0, 1, n, V, C, 1, all + i * C, C, g->w.wte, C, 0, logits, V);
        for (size_t r = 0; r < n; r++, i++) {
            float *row = logits + r * V, target = row[b->target[i]], most = k->max(row, V);
            double sum = (double)k->exp_sum(row, row, most, V);
            logp[i] = (float)((double)target - (double)most - log(sum));
        }
    }
    tdm_free(all);
    tdm_free(logits);
    return st;
}
