/* SPDX-License-Identifier: Apache-2.0 */
/* links.h - a sparse item-to-item matrix: row `from` lists what it leads to.
 *
 *     row a:  item[offset[a] .. offset[a + 1]) rising, weight[]
 *
 * Built row by row: the caller adds to an accumulator, then turns each sum into a weight; the largest k weights of a
 * row stay. Rows are made in parallel, each by one thread in one order, so the bytes do not depend on the threads. */
#ifndef TDM_CF_LINKS_H
#define TDM_CF_LINKS_H

#include "base/run.h"
#include "base/safetensors.h"

#include <stdint.h>

typedef struct tdm_links {
    size_t I;
    const int64_t *offset; /* I + 1 */
    const uint32_t *item;
    const float *weight;
    bool owned; /* else the arrays lie in a mapped file */
} tdm_links;

/* One row in the making. */
typedef struct tdm_tally {
    struct {
        double sum;
        uint32_t count; /* how often the item was added to */
    } * of;             /* I */
    uint64_t *touched;  /* a bit an item: count > 0. Read from its start it is in order, without sorting */
} tdm_tally;

static inline void tdm_tally_add(tdm_tally *t, uint32_t item, double x)
{
    t->touched[item / 64] |= (uint64_t)1 << item % 64; /* each time: whether it is the first cannot be foreseen */
    t->of[item].count++;
    t->of[item].sum += x;
}

typedef struct tdm_links_maker {
    void (*row)(void *ctx, tdm_tally *t, uint32_t from);                                /* fills the tally */
    float (*weight)(void *ctx, uint32_t from, uint32_t to, double sum, uint32_t count); /* 0: no link */
    void *ctx; /* both are called from many threads at once and must not write to it */
} tdm_links_maker;

/* Keeps of each row the k weights largest in absolute value (equal ones by item). `stage` names the work in progress
 * and in the sentence of a cancelled call. */
tdm_status tdm_links_make(tdm_links *out, size_t I, size_t k, const tdm_links_maker *maker, tdm_run *run,
                          const char *stage, tdm_err *err);
tdm_status tdm_links_none(tdm_links *out, size_t I, tdm_err *err); /* rows without a link */
void tdm_links_clear(tdm_links *l);                                /* all-zero is fine */

/* The same from a matrix that is reckoned a few rows at a time, for some of the items. */
typedef struct tdm_links_matrix {
    /* w: (end - begin) x n, every cell; 0: no link. scratch: TDM_LINKS_ROWS x n */
    void (*rows)(void *ctx, float *w, float *scratch, size_t begin, size_t end);
    void *ctx;            /* as above */
    const uint32_t *item; /* n, rising: whose row and column each is */
    size_t n;
} tdm_links_matrix;

enum { TDM_LINKS_ROWS = 16 }; /* as many are asked for at once, at most */
tdm_status tdm_links_take(tdm_links *out, size_t I, size_t k, const tdm_links_matrix *x, tdm_run *run,
                          const char *stage, tdm_err *err);

/* The weight of `to` in row `from`, 0 where there is none. */
float tdm_links_at(const tdm_links *l, uint32_t from, uint32_t to);

/* Three tensors "<prefix>.offset", ".item" and ".weight" to write; the names are literals the caller gives. Reading
 * checks that offsets rise, items rise within a row and are below I, and weights are finite. */
void tdm_links_tensors(tdm_tensor out[3], const tdm_links *l, const char *offset, const char *item, const char *weight);
tdm_status tdm_links_read(tdm_links *out, const tdm_safetensors *s, const char *path, size_t I, const char *offset,
                          const char *item, const char *weight, tdm_err *err);

#endif
