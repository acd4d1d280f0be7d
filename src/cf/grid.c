/* SPDX-License-Identifier: Apache-2.0 */
#include "cf/grid.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"

#include <math.h>

enum { BAND = 512, LEAST_SIDE = 16, NEAR = 1 << 20, MOST_ROWS = 16384 };

static size_t side_of(size_t I, size_t K)
{
    size_t near = NEAR / (K * sizeof(float)), rows = near < MOST_ROWS ? near : MOST_ROWS, side = I / rows + 1;
    return side < LEAST_SIDE ? LEAST_SIDE : side;
}

/* Borders of `side` groups of like weight, a row weighing its ratings and the mean number of them. The mean keeps a
 * group below 2 n / side + 1 rows, so that a number in it fits 16 bits. */
static void borders(uint32_t *border, size_t side, const int64_t *offset, size_t n)
{
    double each = n ? (double)offset[n] / (double)n + 1 : 1, all = 2 * each * (double)n;
    size_t row = 0;
    for (size_t g = 0; g < side; g++) {
        border[g] = (uint32_t)row;
        double upto = all * (double)(g + 1) / (double)side;
        while (row < n && (double)offset[row + 1] + (double)row + 1 + each * ((double)row + 1) <= upto) row++;
    }
    border[side] = (uint32_t)n;
}

static size_t bands_make(tdm_grid *g, const uint32_t *border)
{
    size_t n = 0;
    for (size_t p = 0; p < g->side; p++) {
        g->people[p] = n;
        for (size_t u = border[p]; u < border[p + 1]; u += BAND) g->band[n++] = (uint32_t)u;
    }
    g->people[g->side] = n;
    g->band[n] = border[g->side];
    return n;
}

typedef struct sorting {
    tdm_grid *g;
    const tdm_rows *r;
    const uint32_t *group; /* I */
    double mean;
    tdm_run *run;
} sorting;

/* A band's ratings into its cells, of which `cell` holds the ends; each moves to the start as the cell fills. */
static void band_sort(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const sorting *s = ctx;
    tdm_grid *g = s->g;
    (void)chunk;
    for (size_t b = begin; b < end; b++) {
        int64_t *at = g->cell + b * g->side;
        for (size_t u = g->band[b]; u < g->band[b + 1]; u++)
            for (size_t k = (size_t)s->r->offset[u]; k < (size_t)s->r->offset[u + 1]; k++) {
                if (!isfinite(s->r->rating[k])) continue;
                uint32_t i = s->r->item[k], to = s->group[i];
                g->rating[--at[to]] = (tdm_sgd_rating){(uint16_t)(u - g->band[b]), (uint16_t)(i - g->items[to]),
                                                       (float)((double)s->r->rating[k] - s->mean)};
            }
    }
}

static void band_count(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const sorting *s = ctx;
    (void)chunk;
    for (size_t b = begin; b < end; b++)
        for (size_t k = (size_t)s->r->offset[s->g->band[b]]; k < (size_t)s->r->offset[s->g->band[b + 1]]; k++)
            if (isfinite(s->r->rating[k])) s->g->cell[b * s->g->side + s->group[s->r->item[k]]]++;
}

static void band_mix(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const sorting *s = ctx;
    (void)chunk;
    for (size_t c = begin * s->g->side; c < end * s->g->side; c++) {
        tdm_sgd_rating *x = s->g->rating + s->g->cell[c];
        tdm_rng r = tdm_rng_make(s->run->seed, UINT64_MAX - 2, c);
        for (size_t n = (size_t)(s->g->cell[c + 1] - s->g->cell[c]); n > 1; n--) {
            size_t k = (size_t)tdm_rng_below(&r, n);
            tdm_sgd_rating was = x[n - 1];
            x[n - 1] = x[k];
            x[k] = was;
        }
    }
}

tdm_status tdm_grid_make(tdm_grid *out, const tdm_rows *r, double mean, size_t K, tdm_run *run, tdm_err *err)
{
    tdm_grid g = {.side = side_of(r->I, K)};
    size_t most = r->U / BAND + g.side + 1;
    *out = (tdm_grid){0};
    g.band = tdm_new(most + 1, sizeof *g.band);
    g.people = tdm_new(g.side + 1, sizeof *g.people);
    g.items = tdm_new(g.side + 1, sizeof *g.items);
    g.square = tdm_new(g.side, sizeof *g.square);
    g.order = tdm_new(g.side, sizeof *g.order);
    g.cell = tdm_new(most + 1, g.side * sizeof *g.cell);
    g.rating = tdm_new(r->N, sizeof *g.rating);
    uint32_t *group = tdm_new(r->I, sizeof *group), *border = tdm_new(g.side + 1, sizeof *border);
    bool there = g.band && g.people && g.items && g.square && g.order && g.cell && g.rating && group && border;
    if (there) {
        borders(border, g.side, r->offset, r->U);
        borders(g.items, g.side, r->from, r->I);
        g.bands = bands_make(&g, border);
        for (size_t h = 0; h < g.side; h++)
            for (uint32_t i = g.items[h]; i < g.items[h + 1]; i++) group[i] = (uint32_t)h;
        sorting s = {&g, r, group, mean, run};
        tdm_pool_for(run->pool, g.bands, 1, band_count, &s);
        int64_t at = 0;
        for (size_t c = 0; c < g.bands * g.side; c++) {
            at += g.cell[c];
            g.cell[c] = at;
        }
        g.cell[g.bands * g.side] = at;
        g.n = (size_t)at;
        tdm_pool_for(run->pool, g.bands, 1, band_sort, &s);
        tdm_pool_for(run->pool, g.bands, 1, band_mix, &s);
    }
    tdm_free(group);
    tdm_free(border);
    if (!there) {
        tdm_grid_clear(&g);
        return tdm_nomem(err, "the ratings in cells");
    }
    *out = g;
    return TDM_OK;
}

void tdm_grid_clear(tdm_grid *g)
{
    tdm_free(g->band);
    tdm_free(g->people);
    tdm_free(g->items);
    tdm_free(g->square);
    tdm_free(g->order);
    tdm_free(g->cell);
    tdm_free(g->rating);
    *g = (tdm_grid){0};
}

double tdm_grid_bytes(double N, double U, double I)
{
    return N * sizeof(tdm_sgd_rating) + (U / BAND + LEAST_SIDE) * LEAST_SIDE * 8 + 4 * I;
}

/* ---- an epoch ---- */

typedef struct epoch {
    const tdm_grid *g;
    const tdm_sgd *s;
    const tdm_kernels *k;
    size_t turn;
} epoch;

static void block_run(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const epoch *e = ctx;
    const tdm_grid *g = e->g;
    (void)chunk;
    for (size_t p = begin; p < end; p++) {
        size_t h = (p + e->turn) % g->side, K = e->s->K;
        for (size_t b = g->people[p]; b < g->people[p + 1]; b++) {
            size_t u = g->band[b], i = g->items[h], from = (size_t)g->cell[b * g->side + h];
            tdm_sgd s = *e->s;
            s.P += u * K;
            s.Q += i * K;
            if (s.C) s.C += u * K;
            s.pull_p += u;
            s.pull_q += i;
            g->square[p] += e->k->sgd(&s, g->rating + from, (size_t)g->cell[b * g->side + h + 1] - from);
        }
    }
}

double tdm_grid_epoch(tdm_grid *g, const tdm_sgd *s, uint64_t number, tdm_run *run)
{
    epoch e = {g, s, tdm_kernels_best(), 0};
    tdm_rng r = tdm_rng_make(run->seed, UINT64_MAX - 3, number);
    double sum = 0;
    for (size_t h = 0; h < g->side; h++) {
        g->order[h] = (uint32_t)h;
        g->square[h] = 0;
    }
    tdm_rng_shuffle_u32(&r, g->order, g->side);
    for (size_t t = 0; t < g->side; t++) {
        if (atomic_load_explicit(&run->cancel, memory_order_relaxed)) break;
        e.turn = g->order[t];
        tdm_pool_for(run->pool, g->side, 1, block_run, &e);
    }
    for (size_t h = 0; h < g->side; h++) sum += g->square[h];
    return sum;
}
