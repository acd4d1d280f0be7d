/* SPDX-License-Identifier: Apache-2.0 */
/* items_table.c - the table of items: a row of its own plus what its words say.
 *
 *     E = W + S P          dW = dE          dP = S^T dE
 *
 * S (I x K) holds the content vectors and does not learn. E is both the input and, tied, the output of GPT-2, so a
 * rarely chosen item begins where items with like words already are. An item that nobody chose has no row of its own
 * (W stays 0 there): all that such a row could learn is to be pushed away. */
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "gpt2/items_parts.h"
#include "kernels/kernels.h"

#include <string.h>

enum { ROWS = 512, COLUMNS = 16 }; /* of a tile */

tdm_status tdm_items_table_open(tdm_items_table *t, const tdm_items *m, const float *S, size_t C, tdm_err *err)
{
    *t = (tdm_items_table){.I = m->I, .C = C, .K = m->K, .S = S, .known = m->known};
    t->W = tdm_new(t->I + 1, C * sizeof *t->W);
    t->P = tdm_new(t->K, C * sizeof *t->P);
    t->dP = tdm_new(t->K, C * sizeof *t->dP);
    if (t->W && t->P && t->dP) return TDM_OK;
    tdm_items_table_clear(t);
    return tdm_nomem(err, "the table of items");
}

void tdm_items_table_clear(tdm_items_table *t)
{
    tdm_free(t->W);
    tdm_free(t->P);
    tdm_free(t->dP);
    *t = (tdm_items_table){0};
}

/* P so that a unit vector of words gives a row of twice the usual length, 0.02 sqrt(C). */
void tdm_items_table_begin(const tdm_items_table *t, const float *begin, uint64_t seed)
{
    memcpy(t->W, begin, (t->I + 1) * t->C * sizeof *t->W);
    for (size_t i = 0; i < t->I; i++)
        for (size_t c = 0; c < t->C && t->known[i] != TDM_ITEMS_CHOSEN; c++) t->W[i * t->C + c] = 0;
    tdm_rng rng = tdm_rng_make(seed, 0x9a17, 0);
    for (size_t k = 0; k < t->K * t->C; k++) t->P[k] = (float)(0.04 * tdm_rng_normal(&rng));
}

typedef struct joining {
    const tdm_items_table *t;
    float *E;
    const float *dE;
} joining;

static void join_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    (void)chunk;
    const joining *j = ctx;
    const tdm_items_table *t = j->t;
    memcpy(j->E + begin * t->C, t->W + begin * t->C, (end - begin) * t->C * sizeof(float));
    if (end > t->I) end = t->I; /* the beginning has no words */
    if (t->K && begin < end)
        tdm_gemm(0, 0, end - begin, t->C, t->K, 1, t->S + begin * t->K, t->K, t->P, t->C, 1, j->E + begin * t->C, t->C);
}

void tdm_items_table_join(const tdm_items_table *t, float *E, tdm_pool *pool)
{
    joining j = {.t = t, .E = E};
    tdm_pool_for(pool, t->I + 1, ROWS, join_rows, &j);
}

static void backward_columns(void *ctx, size_t chunk, size_t begin, size_t end)
{
    (void)chunk;
    const joining *j = ctx;
    const tdm_items_table *t = j->t;
    tdm_gemm(1, 0, end - begin, t->C, t->I, 1, t->S + begin, t->K, j->dE, t->C, 0, t->dP + begin * t->C, t->C);
}

void tdm_items_table_backward(const tdm_items_table *t, float *dE, tdm_pool *pool)
{
    joining j = {.t = t, .dE = dE};
    tdm_pool_for(pool, t->K, COLUMNS, backward_columns, &j);
    for (size_t i = 0; i < t->I; i++)
        for (size_t c = 0; c < t->C && t->known[i] != TDM_ITEMS_CHOSEN; c++) dE[i * t->C + c] = 0;
}
