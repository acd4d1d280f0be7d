/* SPDX-License-Identifier: Apache-2.0 */
/* packed.h - weight matrices as inference reads them: once through memory for a few rows, so the fewer bytes the
 * better.
 *
 * A matrix of in x out is cut into panels of TDM_PANEL columns, the last filled up with zeros; a panel lies in one
 * piece:
 *
 *     f32     W itself where it lies: nothing is packed
 *     bf16    in x TDM_PANEL numbers, rounded to the nearest (ties to even)
 *     i8      (in / 4) x TDM_PANEL x 4 bytes, in filled up to a multiple of TDM_GROUP: what four steps of k need of a
 *             column stands together, as the processors' products of bytes want it. Stored is 128 + round(w / scale),
 *             scale = max |w| / 127 of its column.
 *
 * With i8 the rows become int8 too, a scale for each TDM_GROUP of their numbers (as the q8_0 of llama.cpp has it for
 * 32): sums of a group are exact whole numbers, and the groups are added in order. */
#ifndef TDM_KERNELS_PACKED_H
#define TDM_KERNELS_PACKED_H

#include "base/pool.h"
#include "kernels/kernels.h"

typedef enum tdm_weights { TDM_WEIGHTS_F32, TDM_WEIGHTS_BF16, TDM_WEIGHTS_I8 } tdm_weights;

typedef struct tdm_packed {
    tdm_weights kind;
    size_t in, out;
    bool across;
    const float *w; /* f32: borrowed; else NULL */
    void *panels;   /* bf16, i8 */
    float *scale; /* i8: of each column, up to a multiple of TDM_PANEL */
} tdm_packed;

/* w: in x out, or out x in where `across`; f32 borrows it. */
tdm_status tdm_packed_make(tdm_packed *p, tdm_weights kind, const float *w, size_t in, size_t out, bool across,
                           tdm_pool *pool, tdm_err *err);
void tdm_packed_clear(tdm_packed *p);         /* all zero is an empty one */
size_t tdm_packed_bytes(const tdm_packed *p); /* that one product reads */

static inline size_t tdm_panels(size_t out) { return (out + TDM_PANEL - 1) / TDM_PANEL; }

/* Rows for i8, room for n of up to `in` numbers; one block, tdm_free(q) frees it. */
tdm_status tdm_rows_i8_make(tdm_row_i8 *out, size_t n, size_t in, tdm_err *err);
/* Takes n rows of `in` numbers, of which it sets `in` (rounded up). */
void tdm_rows_i8_take(tdm_row_i8 *out, const float *x, size_t n, size_t in);

/* Columns of panels begin .. end of y[n x out] = x[n x in] W + bias (NULL: 0). q: x as int8, for i8 only. */
void tdm_packed_product(float *y, const float *x, const tdm_row_i8 *q, size_t n, const tdm_packed *p, const float *bias,
                        size_t begin, size_t end);

#endif
