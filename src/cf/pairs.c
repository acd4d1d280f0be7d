/* SPDX-License-Identifier: Apache-2.0 */
/* pairs.c - rows are tallied in parallel, each chunk of items into arrays of its own, which stay where they are: laying
 * them end to end would need the memory twice. */
#include "cf/pairs.h"
#include "base/mem.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

enum { PIECES = 256, ROUND = 32 }; /* as in links.c */

typedef struct making {
    tdm_pairs *p;
    const tdm_rows *rows;
    const tdm_links_maker *maker;
    size_t first; /* of this round */
} making;

static bool rarer(const tdm_rows *r, uint32_t a, uint32_t b)
{
    size_t x = tdm_rows_count(r, a), y = tdm_rows_count(r, b);
    return x < y || (x == y && a > b);
}

/* Turns the tally into the row of item a, and empties it. */
static bool row_finish(const making *m, tdm_pairs_piece *p, tdm_tally *t, uint32_t a)
{
    tdm_pairs_row *row = &m->p->row[a];
    size_t words = m->p->I / 64 + 1, found = 0;
    for (size_t w = 0; w < words; w++) found += (size_t)__builtin_popcountll(t->touched[w]);
    if (tdm_grow(&p->item, &p->item_cap, p->n + found, sizeof *p->item)) return false;
    if (tdm_grow(&p->weight, &p->weight_cap, p->n + found, sizeof *p->weight)) return false;
    row->from = p->n;
    for (size_t w = 0; w < words; w++) {
        uint64_t bits = t->touched[w];
        t->touched[w] = 0;
        for (; bits; bits &= bits - 1) {
            uint32_t b = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(bits);
            if (b != a && rarer(m->rows, a, b)) {
                float x = m->maker->weight(m->maker->ctx, a, b, t->of[b].sum, t->of[b].count);
                p->item[p->n] = b;
                p->weight[p->n] = x;
                p->n += x != 0 && isfinite(x);
            }
            t->of[b].sum = 0;
            t->of[b].count = 0;
        }
    }
    row->n = (uint32_t)(p->n - row->from);
    row->many = (uint32_t)tdm_rows_count(m->rows, a);
    return true;
}

static void rows_make(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const making *m = ctx;
    size_t I = m->p->I;
    tdm_pairs_piece *p = &m->p->piece[m->first / m->p->grain + chunk];
    tdm_tally t = {.of = tdm_new(I, sizeof *t.of), .touched = tdm_new(I / 64 + 1, sizeof *t.touched)};
    p->failed = !t.of || !t.touched;
    for (size_t a = m->first + begin; a < m->first + end && !p->failed; a++) {
        m->maker->row(m->maker->ctx, &t, (uint32_t)a);
        p->failed = !row_finish(m, p, &t, (uint32_t)a);
    }
    tdm_free(t.of);
    tdm_free(t.touched);
}

tdm_status tdm_pairs_make(tdm_pairs *out, const tdm_rows *r, const tdm_links_maker *maker, tdm_run *run,
                          const char *stage, tdm_err *err)
{
    tdm_pairs p = {.I = r->I, .grain = r->I / PIECES + 1};
    p.pieces = tdm_chunks(r->I, p.grain);
    p.piece = tdm_new(p.pieces, sizeof *p.piece);
    p.row = tdm_new(p.I, sizeof *p.row);
    *out = (tdm_pairs){0};
    tdm_status st = p.piece && p.row ? TDM_OK : tdm_nomem(err, "the pairs of items");
    making m = {.p = &p, .rows = r, .maker = maker};
    for (; !st && m.first < p.I; m.first += ROUND * p.grain) {
        size_t now = p.I - m.first < ROUND * p.grain ? p.I - m.first : ROUND * p.grain;
        tdm_pool_for(run->pool, now, p.grain, rows_make, &m);
        for (size_t c = 0; c < p.pieces && !st; c++)
            if (p.piece[c].failed) st = tdm_nomem(err, "the pairs of items");
        tdm_progress(run, stage, m.first + now, p.I, NULL);
        if (!st) st = tdm_run_check(run, stage, err);
    }
    if (st) tdm_pairs_clear(&p);
    else *out = p;
    return st;
}

void tdm_pairs_clear(tdm_pairs *p)
{
    for (size_t c = 0; p->piece && c < p->pieces; c++) {
        tdm_free(p->piece[c].item);
        tdm_free(p->piece[c].weight);
    }
    tdm_free(p->piece);
    tdm_free(p->row);
    *p = (tdm_pairs){0};
}

/* Where x stands in `sorted`, from `low` on and below n, if it is there; if not, nothing larger stands before. */
static size_t place_of(const uint32_t *sorted, size_t low, size_t n, uint32_t x)
{
    const uint32_t *at = sorted + low;
    for (size_t left = n - low, half; left > 1; left -= half) {
        half = left / 2;
        at += at[half - 1] < x ? half : 0; /* no branch: which way it goes cannot be foreseen */
    }
    return (size_t)(at - sorted);
}

void tdm_pairs_among(const tdm_pairs *p, float *M, size_t ld, const uint32_t *item, size_t n, uint32_t *slot)
{
    enum { LONG = 16 }; /* a row so many times longer than the list is searched instead of read */
    for (size_t i = 0; i < n; i++) {
        memset(M + i * ld, 0, n * sizeof *M);
        slot[item[i]] = (uint32_t)i + 1;
    }
    for (size_t i = 0; i < n; i++) {
        const tdm_pairs_row *row = &p->row[item[i]];
        const tdm_pairs_piece *piece = &p->piece[item[i] / p->grain];
        if (!row->n) continue; /* its piece may be empty */
        const uint32_t *to = piece->item + row->from;
        const float *weight = piece->weight + row->from;
        if (row->n > LONG * n)
            for (size_t j = 0, k = 0; j < n; j++) {
                if (p->row[item[j]].many < row->many) continue; /* the pair is in the other's row */
                k = place_of(to, k, row->n, item[j]);
                if (to[k] == item[j]) M[i < j ? i * ld + j : j * ld + i] = weight[k];
            }
        else
            for (size_t k = 0; k < row->n; k++) {
                size_t j = slot[to[k]];
                if (j--) M[i < j ? i * ld + j : j * ld + i] = weight[k];
            }
    }
    for (size_t i = 0; i < n; i++) slot[item[i]] = 0;
}

double tdm_pairs_most(const tdm_rows *r, size_t longest)
{
    double sum = 0;
    for (size_t u = 0; u < r->U; u++) {
        size_t n = (size_t)(r->offset[u + 1] - r->offset[u]);
        if (n > longest) n = longest;
        sum += (double)n * (double)(n - (n > 0)) / 2;
    }
    return sum;
}
