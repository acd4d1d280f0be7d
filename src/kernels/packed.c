/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/packed.h"
#include "base/mem.h"
#include "base/half.h"

#include <math.h>
#include <string.h>

static size_t grouped(size_t in) { return (in + TDM_GROUP - 1) / TDM_GROUP * TDM_GROUP; }

/* ---- packing ---- */

typedef struct packing {
    tdm_packed *p;
    const float *w;
    size_t row, column; /* how far apart numbers of W lie */
} packing;

static void pack_i8(const packing *a, size_t panel)
{
    tdm_packed *p = a->p;
    size_t in = grouped(p->in);
    uint8_t *out = (uint8_t *)p->panels + panel * in * TDM_PANEL;
    memset(out, 128, in * TDM_PANEL);
    for (size_t c = 0; c < TDM_PANEL && panel * TDM_PANEL + c < p->out; c++) {
        const float *w = a->w + (panel * TDM_PANEL + c) * a->column;
        float most = 0;
        for (size_t k = 0; k < p->in; k++) most = fmaxf(most, fabsf(w[k * a->row]));
        float up = most > 0 ? 127 / most : 0;
        p->scale[panel * TDM_PANEL + c] = most / 127;
        for (size_t k = 0; k < p->in; k++)
            out[(k / 4 * TDM_PANEL + c) * 4 + k % 4] = (uint8_t)(128 + (int)lrintf(w[k * a->row] * up));
    }
}

static void pack_panels(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const packing *a = ctx;
    tdm_packed *p = a->p;
    (void)chunk;
    for (size_t panel = begin; panel < end; panel++) {
        size_t at = panel * TDM_PANEL, columns = p->out - at < TDM_PANEL ? p->out - at : TDM_PANEL;
        if (p->kind == TDM_WEIGHTS_I8) pack_i8(a, panel);
        else
            for (size_t k = 0; k < p->in; k++)
                for (size_t c = 0; c < columns; c++)
                    ((uint16_t *)p->panels)[(panel * p->in + k) * TDM_PANEL + c] =
                        tdm_to_bf16(a->w[k * a->row + (at + c) * a->column]);
    }
}

tdm_status tdm_packed_make(tdm_packed *p, tdm_weights kind, const float *w, size_t in, size_t out, bool across,
                           tdm_pool *pool, tdm_err *err)
{
    *p = (tdm_packed){.kind = kind, .in = in, .out = out, .across = across};
    if (kind == TDM_WEIGHTS_F32) {
        p->w = w;
        return TDM_OK;
    }
    size_t wide = tdm_panels(out) * TDM_PANEL;
    if (kind == TDM_WEIGHTS_I8) {
        p->panels = tdm_new(wide, grouped(in));
        p->scale = tdm_new(wide, sizeof *p->scale);
    } else p->panels = tdm_new(wide, in * sizeof(uint16_t));
    if (!p->panels || (kind == TDM_WEIGHTS_I8 && !p->scale)) {
        tdm_packed_clear(p);
        return tdm_nomem(err, "weights for decoding");
    }
    packing a = {p, w, across ? 1 : out, across ? in : 1};
    tdm_pool_for(pool, tdm_panels(out), 1, pack_panels, &a);
    return TDM_OK;
}

void tdm_packed_clear(tdm_packed *p)
{
    tdm_free(p->panels);
    tdm_free(p->scale);
    *p = (tdm_packed){0};
}

size_t tdm_packed_bytes(const tdm_packed *p)
{
    if (p->kind == TDM_WEIGHTS_I8) return tdm_panels(p->out) * TDM_PANEL * (grouped(p->in) + sizeof(float));
    if (p->kind == TDM_WEIGHTS_BF16) return tdm_panels(p->out) * TDM_PANEL * p->in * sizeof(uint16_t);
    return p->out * p->in * sizeof(float);
}

/* ---- rows ---- */

tdm_status tdm_rows_i8_make(tdm_row_i8 *out, size_t n, size_t in, tdm_err *err)
{
    size_t groups = grouped(in) / TDM_GROUP;
    *out = (tdm_row_i8){.q = tdm_new(n * groups, TDM_GROUP + sizeof(float) + sizeof(int32_t))};
    if (!out->q) return tdm_nomem(err, "rows of whole numbers");
    out->scale = (float *)(void *)(out->q + n * groups * TDM_GROUP);
    out->shift = (int32_t *)(void *)(out->scale + n * groups);
    return TDM_OK;
}

void tdm_rows_i8_take(tdm_row_i8 *out, const float *x, size_t n, size_t in)
{
    size_t groups = grouped(in) / TDM_GROUP;
    out->in = groups * TDM_GROUP;
    for (size_t i = 0; i < n * groups; i++) {
        const float *from = x + i / groups * in + i % groups * TDM_GROUP;
        size_t left = in - i % groups * TDM_GROUP, m = left < TDM_GROUP ? left : TDM_GROUP;
        int8_t *q = out->q + i * TDM_GROUP;
        float most = 0;
        int32_t sum = 0;
        for (size_t k = 0; k < m; k++) most = fmaxf(most, fabsf(from[k]));
        float up = most > 0 ? 127 / most : 0;
        for (size_t k = 0; k < m; k++) sum += q[k] = (int8_t)lrintf(from[k] * up);
        memset(q + m, 0, TDM_GROUP - m);
        out->scale[i] = most / 127;
        out->shift[i] = -128 * sum;
    }
}

/* ---- the product ---- */

/* The last columns of weights that lie in the matrix, which are no whole panel. */
static void narrow(float *y, const float *x, size_t n, const tdm_packed *p, size_t at)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t columns = p->out - at;
    for (size_t r = 0; r < n; r++) {
        memset(y + r * p->out + at, 0, columns * sizeof *y);
        for (size_t i = 0; i < p->in; i++)
            k->axpy(y + r * p->out + at, x[r * p->in + i], p->w + i * p->out + at, columns);
    }
}

/* Columns that lie across: each is a row of w. */
static void across(float *y, const float *x, size_t n, const tdm_packed *p, size_t at, size_t columns)
{
    const tdm_kernels *k = tdm_kernels_best();
    const float *w = p->w + at * p->in;
    if (p->in % TDM_PAD == 0) {
        k->few_across(y + at, p->out, x, p->in, n, w, columns, p->in);
        return;
    }
    for (size_t r = 0; r < n; r++)
        for (size_t c = 0; c < columns; c++) y[r * p->out + at + c] = k->dot(w + c * p->in, x + r * p->in, p->in);
}

static void panel_product(float *y, size_t ldy, const float *x, const tdm_row_i8 *q, size_t n, const tdm_packed *p,
                          size_t panel)
{
    const tdm_kernels *k = tdm_kernels_best();
    if (p->w) k->few_f32(y, ldy, x, p->in, n, p->w + panel * TDM_PANEL, p->out, p->in);
    else if (p->kind == TDM_WEIGHTS_BF16)
        k->few_bf16(y, ldy, x, p->in, n, (const uint16_t *)p->panels + panel * p->in * TDM_PANEL, p->in);
    else {
        k->few_i8(y, ldy, q, n, (const uint8_t *)p->panels + panel * q->in * TDM_PANEL);
        for (size_t r = 0; r < n; r++)
            for (size_t c = 0; c < TDM_PANEL; c++) y[r * ldy + c] *= p->scale[panel * TDM_PANEL + c];
    }
}

enum { FEW = 16 }; /* rows of a narrow panel's room */

void tdm_packed_product(float *y, const float *x, const tdm_row_i8 *q, size_t n, const tdm_packed *p, const float *bias,
                        size_t begin, size_t end)
{
    for (size_t panel = begin; panel < end; panel++) {
        size_t at = panel * TDM_PANEL, columns = p->out - at < TDM_PANEL ? p->out - at : TDM_PANEL;
        if (p->w && p->across) across(y, x, n, p, at, columns);
        else if (columns == TDM_PANEL) panel_product(y + at, p->out, x, q, n, p, panel);
        else if (p->w) narrow(y, x, n, p, at);
        else
            for (size_t r = 0; r < n; r += FEW) { /* the panel is whole, the row of y is not */
                float room[FEW * TDM_PANEL];
                size_t m = n - r < FEW ? n - r : FEW;
                tdm_row_i8 part = q ? *q : (tdm_row_i8){0};
                if (q) {
                    part.q += r * q->in;
                    part.scale += r * (q->in / TDM_GROUP);
                    part.shift += r * (q->in / TDM_GROUP);
                }
                panel_product(room, TDM_PANEL, x + r * p->in, &part, m, p, panel);
                for (size_t i = 0; i < m; i++)
                    memcpy(y + (r + i) * p->out + at, room + i * TDM_PANEL, columns * sizeof *y);
            }
        for (size_t r = 0; bias && r < n; r++)
            for (size_t c = 0; c < columns; c++) y[r * p->out + at + c] += bias[at + c];
    }
}
