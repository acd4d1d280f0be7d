/* SPDX-License-Identifier: Apache-2.0 */
/* layer.c - forward through one block, and what is cut and drawn around it. */
#include "gpt2/layer.h"
#include "base/rng.h"
#include "base/status.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

/* ---- tiles ---- */

size_t tdm_tiles_cut(tdm_tile *tiles, size_t *longest, const tdm_gpt2_batch *b)
{
    size_t made = 0, from = 0;
    *longest = 0;
    for (size_t q = 0; q < b->S; q++) {
        size_t n = b->start[q + 1] - b->start[q];
        if (n > *longest) *longest = n;
        if (b->start[q + 1] - b->start[from] < TDM_TILE && q + 1 < b->S) continue;
        tiles[made++] = (tdm_tile){from, q + 1, b->start[from], b->start[q + 1]};
        from = q + 1;
    }
    return made;
}

tdm_status tdm_gpt2_batch_check(const tdm_gpt2 *g, const tdm_gpt2_batch *b, tdm_err *err)
{
    if (b->S && b->start[0]) return tdm_fail(err, TDM_E_ARG, "a batch begins at %u and not at 0", b->start[0]);
    for (size_t q = 0; q < b->S; q++) {
        if (b->start[q + 1] <= b->start[q] || b->start[q + 1] - b->start[q] > g->s.T)
            return tdm_fail(err, TDM_E_ARG, "sequence %zu of a batch does not have 1 to %zu tokens", q, g->s.T);
        for (size_t i = b->start[q]; i < b->start[q + 1]; i++)
            if (b->token[i] >= g->s.V)
                return tdm_fail(err, TDM_E_ARG, "token %u of a batch is not below %zu", b->token[i], g->s.V);
    }
    return TDM_OK;
}

/* ---- dropout ---- */

enum { DRAWS = 64 }; /* numbers drawn ahead, four elements each */

tdm_dropout tdm_dropout_make(float p, uint64_t seed, uint64_t step)
{
    uint32_t cut = p > 0 ? (uint32_t)lrintf(p * 65536) : 0;
    if (cut > 65000) cut = 65000;
    return (tdm_dropout){seed, step, cut, 65536.0f / (float)(65536 - cut)};
}

void tdm_dropout_apply(const tdm_dropout *d, float *x, size_t n, uint64_t site, uint64_t row)
{
    if (!d || !d->cut) return;
    tdm_rng r = tdm_rng_make(tdm_mix64(d->seed) ^ d->step, site, row);
    const tdm_kernels *k = tdm_kernels_best();
    for (size_t i = 0; i < n; i += 4 * DRAWS) {
        size_t part = n - i < 4 * DRAWS ? n - i : 4 * DRAWS;
        uint64_t draw[DRAWS];
        for (size_t j = 0; j < (part + 3) / 4; j++) draw[j] = tdm_rng_u64(&r);
        k->drop(x + i, draw, (uint16_t)d->cut, d->scale, part); /* cut is at most 65000 */
    }
}

/* ---- layout ---- */

tdm_layer_w tdm_layer_of(const tdm_gpt2_tensors *t, tdm_gpt2_shape s, size_t l)
{
    size_t C = s.C;
    return (tdm_layer_w){.ln1w = t->ln1w + l * C,
                         .ln1b = t->ln1b + l * C,
                         .qkvw = t->qkvw + l * C * 3 * C,
                         .qkvb = t->qkvb + l * 3 * C,
                         .attw = t->attw + l * C * C,
                         .attb = t->attb + l * C,
                         .ln2w = t->ln2w + l * C,
                         .ln2b = t->ln2b + l * C,
                         .fcw = t->fcw + l * C * 4 * C,
                         .fcb = t->fcb + l * 4 * C,
                         .projw = t->projw + l * 4 * C * C,
                         .projb = t->projb + l * C};
}

size_t tdm_layer_floats(tdm_gpt2_shape s, size_t N) { return N * (15 * s.C + 4); }

void tdm_layer_place(tdm_layer_acts *a, float *block, tdm_gpt2_shape s, size_t N)
{
    size_t C = s.C;
    struct {
        float **at;
        size_t n;
    } list[] = {{&a->ln1, C},    {&a->qkv, 3 * C},  {&a->att, C},   {&a->mid, C},  {&a->ln2, C},
                {&a->fc, 4 * C}, {&a->gelu, 4 * C}, {&a->stat1, 2}, {&a->stat2, 2}};
    for (size_t k = 0; k < sizeof list / sizeof *list; k++) {
        *list[k].at = block;
        block += N * list[k].n;
    }
}

/* ---- forward ---- */

void tdm_linear_rows(float *y, const float *x, const float *w, const float *bias, size_t n, size_t in, size_t out)
{
    for (size_t i = 0; i < n; i++) memcpy(y + i * out, bias, out * sizeof *y);
    tdm_gemm(0, 0, n, out, in, 1, x, in, w, out, 1, y, out);
}

void tdm_embed(float *x, const tdm_gpt2 *g, const tdm_gpt2_batch *b, const tdm_tile *t, const tdm_dropout *d)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t C = g->s.C;
    for (size_t q = t->s; q < t->s_end; q++)
        for (size_t i = b->start[q]; i < b->start[q + 1]; i++) {
            memcpy(x + i * C, g->w.wte + b->token[i] * C, C * sizeof *x);
            k->axpy(x + i * C, 1, g->w.wpe + (i - b->start[q]) * C, C);
            tdm_dropout_apply(d, x + i * C, C, TDM_SITE_EMBEDDING, i);
        }
}

/* Rows of P: softmax over what stands at or before, zero after. `before`: rows of the cache that stand before row 0. */
static void causal_softmax(float *p, size_t n, size_t all, size_t before)
{
    const tdm_kernels *k = tdm_kernels_best();
    for (size_t i = 0; i < n; i++) {
        float *row = p + i * all;
        size_t seen = before + i + 1;
        float sum = k->exp_sum(row, row, k->max(row, seen), seen);
        k->scale(row, 1 / sum, row, seen);
        memset(row + seen, 0, (all - seen) * sizeof *row);
    }
}

void tdm_attend(float *out, const float *q, size_t qld, const float *k, const float *v, size_t kld, tdm_gpt2_shape s,
                size_t n, size_t all, float *scratch)
{
    size_t d = s.C / s.H;
    float scale = 1 / sqrtf((float)d);
    for (size_t h = 0; h < s.H; h++) {
        tdm_gemm(0, 1, n, all, d, scale, q + h * d, qld, k + h * d, kld, 0, scratch, all);
        causal_softmax(scratch, n, all, all - n);
        tdm_gemm(0, 0, n, d, all, 1, scratch, all, v + h * d, kld, 0, out + h * d, s.C);
    }
}

/* Attention of the n tokens from `at` on, one sequence, with dropout of the weights. */
static void attend_sequence(float *att, const float *qkv, tdm_gpt2_shape s, size_t layer, size_t at, size_t n,
                            const tdm_dropout *drop, float *scratch)
{
    size_t C = s.C, d = C / s.H;
    const float *q = qkv + at * 3 * C;
    if (!drop || !drop->cut) {
        tdm_attend(att + at * C, q, 3 * C, q + C, q + 2 * C, 3 * C, s, n, n, scratch);
        return;
    }
    float scale = 1 / sqrtf((float)d);
    for (size_t h = 0; h < s.H; h++) {
        const float *qh = q + h * d;
        tdm_gemm(0, 1, n, n, d, scale, qh, 3 * C, qh + C, 3 * C, 0, scratch, n);
        causal_softmax(scratch, n, n, 0);
        for (size_t i = 0; i < n; i++)
            tdm_dropout_apply(drop, scratch + i * n, i + 1, tdm_site(layer, TDM_SITE_ATTENTION), (at + i) * s.H + h);
        tdm_gemm(0, 0, n, d, n, 1, scratch, n, qh + 2 * C, 3 * C, 0, att + at * C + h * d, C);
    }
}

void tdm_layer_forward(float *out, const tdm_layer_acts *a, const tdm_layer_w *w, tdm_gpt2_shape s, size_t layer,
                       const tdm_gpt2_batch *b, const tdm_tile *t, const tdm_dropout *drop, float *scratch)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t C = s.C, at = t->n, n = t->n_end - t->n;
    for (size_t i = at; i < t->n_end; i++) k->norm(a->ln1 + i * C, a->stat1 + i * 2, a->x + i * C, w->ln1w, w->ln1b, C);
    tdm_linear_rows(a->qkv + at * 3 * C, a->ln1 + at * C, w->qkvw, w->qkvb, n, C, 3 * C);
    for (size_t q = t->s; q < t->s_end; q++)
        attend_sequence(a->att, a->qkv, s, layer, b->start[q], b->start[q + 1] - b->start[q], drop, scratch);
    tdm_linear_rows(a->mid + at * C, a->att + at * C, w->attw, w->attb, n, C, C);
    for (size_t i = at; i < t->n_end; i++) {
        tdm_dropout_apply(drop, a->mid + i * C, C, tdm_site(layer, TDM_SITE_MIX), i);
        k->axpy(a->mid + i * C, 1, a->x + i * C, C);
        k->norm(a->ln2 + i * C, a->stat2 + i * 2, a->mid + i * C, w->ln2w, w->ln2b, C);
    }
    tdm_gemm(0, 0, n, 4 * C, C, 1, a->ln2 + at * C, C, w->fcw, 4 * C, 0, a->fc + at * 4 * C, 4 * C);
    for (size_t i = at; i < t->n_end; i++) k->gelu(a->gelu + i * 4 * C, a->fc + i * 4 * C, w->fcb, 4 * C);
    tdm_linear_rows(out + at * C, a->gelu + at * 4 * C, w->projw, w->projb, n, 4 * C, C);
    for (size_t i = at; i < t->n_end; i++) {
        tdm_dropout_apply(drop, out + i * C, C, tdm_site(layer, TDM_SITE_MLP), i);
        k->axpy(out + i * C, 1, a->mid + i * C, C);
    }
}
