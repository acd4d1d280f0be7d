/* SPDX-License-Identifier: Apache-2.0 */
/* local.c - count the pairs, choose each item's candidates, solve, and turn columns into rows of links. */
#include "cf/local.h"
#include "base/mem.h"
#include "base/status.h"
#include "cf/pairs.h"
#include "cf/square.h"
#include "kernels/kernels.h"

#include <math.h>

enum { GRAIN = 64, ROUND = 64 }; /* items of a chunk; chunks between two reports of progress */

typedef struct solving {
    const tdm_local *l;
    size_t I, candidates;
    double *d;      /* I */
    tdm_pairs R;    /* off the diagonal */
    tdm_links near; /* row b: its candidates and t */
    float *weight;  /* near's weights, which become the links: an item's are read, and then written, once */
    size_t first;   /* of this round */
    bool *failed;   /* a chunk */
    int64_t *from;  /* I + 1: the same links by where they begin, */
    uint32_t *to;   /* rising, */
    int64_t *at;    /* and where in `weight` they stand */
} solving;

static void row_of(void *ctx, tdm_tally *t, uint32_t a)
{
    const tdm_local *l = ((const solving *)ctx)->l;
    l->row(l->ctx, t, a);
}

static void column_of(void *ctx, tdm_tally *t, uint32_t b)
{
    const tdm_local *l = ((const solving *)ctx)->l;
    (l->column ? l->column : l->row)(l->ctx, t, b);
}

static float scaled(void *ctx, uint32_t a, uint32_t b, double sum, uint32_t count)
{
    const solving *s = ctx;
    (void)count;
    return a == b && !s->l->column ? 0 : (float)(sum / (s->d[a] * s->d[b]));
}

/* ---- one item's system ---- */

typedef struct scratch {
    float *R, *t, *z; /* m x m, m, m */
    uint32_t *slot;   /* I */
} scratch;

/* R's upper triangle over n candidates with off-diagonals times `less`, factored. */
static bool factor(const solving *s, scratch *x, const uint32_t *item, size_t n, size_t ld, float less)
{
    tdm_pairs_among(&s->R, x->R, ld, item, n, x->slot);
    for (size_t i = 0; i < n; i++) {
        float *row = x->R + i * ld;
        row[i] = 1;
        for (size_t j = i + 1; j < n && less < 1; j++) row[j] *= less;
    }
    return tdm_kernels_best()->spd_factor(x->R, ld, n);
}

/* Item b's links, in the place of what they are solved from. */
static void solve_one(const solving *s, scratch *x, uint32_t b)
{
    const uint32_t *item = s->near.item + s->near.offset[b];
    float *w = s->weight + s->near.offset[b];
    size_t n = (size_t)(s->near.offset[b + 1] - s->near.offset[b]), ld = tdm_padded(n);
    if (!n) return;
    /* R has no eigenvalue below lambda / (lambda + the largest count). Where floats do not see that it is above 0, less
     * of the off-diagonals is as good as a little more lambda; with none of them nothing can fail. */
    for (float damp = 0; !factor(s, x, item, n, ld, 1 - damp);) damp = damp > 0 ? fminf(4 * damp, 1) : 0x1p-10f;
    for (size_t i = 0; i < n; i++) x->t[i] = w[i];
    tdm_kernels_best()->spd_solve(x->z, x->t, x->R, ld, n);
    for (size_t i = 0; i < n; i++) w[i] = item[i] == b ? 0 : (float)((double)x->z[i] * s->d[b] / s->d[item[i]]);
}

static void solve_some(void *ctx, size_t chunk, size_t begin, size_t end)
{
    solving *s = ctx;
    size_t m = tdm_padded(s->candidates);
    chunk += s->first / GRAIN;
    scratch x = {.R = tdm_new(m, m * sizeof *x.R),
                 .t = tdm_new(m, sizeof *x.t),
                 .z = tdm_new(m, sizeof *x.z),
                 .slot = tdm_new(s->I, sizeof *x.slot)};
    s->failed[chunk] = !x.R || !x.t || !x.z || !x.slot;
    for (size_t b = s->first + begin; b < s->first + end && !s->failed[chunk]; b++) solve_one(s, &x, (uint32_t)b);
    tdm_free(x.R);
    tdm_free(x.t);
    tdm_free(x.z);
    tdm_free(x.slot);
}

static tdm_status solve_all(solving *s, tdm_run *run, const char *stage, tdm_err *err)
{
    size_t I = s->I, chunks = tdm_chunks(I, GRAIN);
    tdm_status st = TDM_OK;
    s->failed = tdm_new(chunks, sizeof *s->failed);
    if (!s->failed) return tdm_nomem(err, stage);
    for (; !st && s->first < I; s->first += GRAIN * ROUND) {
        size_t now = I - s->first < GRAIN * ROUND ? I - s->first : GRAIN * ROUND;
        tdm_pool_for(run->pool, now, GRAIN, solve_some, s);
        for (size_t c = 0; c < chunks && !st; c++)
            if (s->failed[c]) st = tdm_nomem(err, stage);
        tdm_progress(run, stage, s->first + now, I, NULL);
        if (!st) st = tdm_run_check(run, stage, err);
    }
    return st;
}

/* ---- columns to rows ---- */

/* A counting sort by the item that a link leads from. */
static tdm_status turn(solving *s, tdm_err *err)
{
    size_t I = s->I, n = (size_t)s->near.offset[I];
    s->from = tdm_new(I + 1, sizeof *s->from);
    s->to = tdm_new(n, sizeof *s->to);
    s->at = tdm_new(n, sizeof *s->at);
    if (!s->from || !s->to || !s->at) return tdm_nomem(err, "the links of items");
    for (size_t k = 0; k < n; k++) s->from[s->near.item[k] + 1]++;
    for (size_t a = 0; a < I; a++) s->from[a + 1] += s->from[a];
    for (size_t b = 0; b < I; b++)
        for (int64_t k = s->near.offset[b]; k < s->near.offset[b + 1]; k++) {
            int64_t at = s->from[s->near.item[k]]++;
            s->to[at] = (uint32_t)b;
            s->at[at] = k;
        }
    for (size_t a = I; a > 0; a--) s->from[a] = s->from[a - 1]; /* the sort moved each start to its end */
    s->from[0] = 0;
    return TDM_OK;
}

static void turned_row(void *ctx, tdm_tally *t, uint32_t a)
{
    const solving *s = ctx;
    for (int64_t k = s->from[a]; k < s->from[a + 1]; k++) tdm_tally_add(t, s->to[k], (double)s->weight[s->at[k]]);
}

static float as_it_is(void *ctx, uint32_t a, uint32_t b, double sum, uint32_t count)
{
    (void)ctx, (void)a, (void)b, (void)count;
    return (float)sum;
}

/* Bytes while the pairs are there: they, growing; the candidates, as links that grow and are kept. */
static double bytes_of(double pairs, double I, double candidates)
{
    return pairs * 1.5 * (sizeof(uint32_t) + sizeof(float)) + I * candidates * 3 * (sizeof(uint32_t) + sizeof(float));
}

static size_t candidates_of(const tdm_params *p, size_t I)
{
    size_t m = (size_t)tdm_param_get(p, "candidates");
    return m < I ? m : I;
}

/* How many of each person's newest rows may be read. */
static size_t longest_of(const tdm_rows *r, const tdm_params *p)
{
    double I = (double)r->I, room = tdm_square_room(), other = bytes_of(0, I, (double)candidates_of(p, r->I));
    double most = fmin(tdm_param_get(p, "pairs") * 1e6, fmax(room - other, room / 2) / bytes_of(1, 0, 0));
    size_t low = 2, high = (size_t)tdm_param_get(p, "longest");
    while (low < high) { /* low fits, as well as anything does */
        size_t mid = low + (high - low + 1) / 2;
        if (fmin(tdm_pairs_most(r, mid), I * I / 2) <= most) low = mid;
        else high = mid - 1;
    }
    return low;
}

tdm_status tdm_local_rows(tdm_rows *out, bool *dense, const tdm_dataset *train, const tdm_params *p, bool pairs_dense,
                          tdm_run *run, const char *stage, tdm_err *err)
{
    size_t longest = (size_t)tdm_param_get(p, "longest"), less;
    tdm_status st = tdm_rows_make(out, train, longest, true, err);
    if (st) return st;
    double pairs = tdm_pairs_most(out, SIZE_MAX);
    *dense = tdm_square_chosen(out->I, p, pairs_dense ? tdm_pairs_cells(out) : 0);
    if (*dense || (less = longest_of(out, p)) == longest) return TDM_OK;
    tdm_log(run, TDM_LOG_WARN, stage,
            "%.3g million pairs of items are too many; reading the newest %zu rows of a person", pairs / 1e6, less);
    tdm_rows_clear(out);
    return tdm_rows_make(out, train, less, true, err);
}

tdm_status tdm_local_solve(tdm_links *out, const tdm_local *l, const tdm_rows *r, const tdm_params *p, tdm_run *run,
                           const char *stage, tdm_err *err)
{
    solving s = {.l = l, .I = r->I, .candidates = candidates_of(p, r->I), .d = tdm_new(r->I, sizeof *s.d)};
    double I = (double)s.I, m = (double)s.candidates, pairs = tdm_pairs_most(r, SIZE_MAX);
    *out = (tdm_links){0};
    if (!s.d) return tdm_nomem(err, stage);
    for (size_t a = 0; a < s.I; a++) s.d[a] = sqrt(l->diagonal[a]);
    tdm_log(run, TDM_LOG_INFO, stage,
            "a regression of each of %zu items on %zu others at most: %.2g GB of memory and %.2g operations", s.I,
            s.candidates, bytes_of(fmin(pairs, I * I / 2), I, m) / 1e9, I * m * m * m / 3 + 4 * pairs);
    const tdm_links_maker all = {row_of, scaled, &s}, near = {column_of, scaled, &s}, rows = {turned_row, as_it_is, &s};
    tdm_status st = tdm_pairs_make(&s.R, r, &all, run, stage, err);
    if (!st) st = tdm_links_make(&s.near, s.I, s.candidates, &near, run, stage, err);
    s.weight = st ? NULL : (float *)(uintptr_t)s.near.weight;
    if (!st) st = solve_all(&s, run, stage, err);
    tdm_pairs_clear(&s.R);
    if (!st) st = turn(&s, err);
    if (!st) st = tdm_links_make(out, s.I, (size_t)tdm_param_get(p, "k"), &rows, run, stage, err);
    tdm_links_clear(&s.near);
    tdm_free(s.from);
    tdm_free(s.to);
    tdm_free(s.at);
    tdm_free(s.failed);
    tdm_free(s.d);
    return st;
}
