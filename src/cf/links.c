/* SPDX-License-Identifier: Apache-2.0 */
/* links.c - rows are made in chunks, each chunk into its own growing arrays, which are then laid end to end. */
#include "cf/links.h"
#include "base/mem.h"
#include "base/status.h"
#include "model/stored.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNKS = 256, ROUND = 32 }; /* a chunk zeroes 24 bytes an item, so there are few; a round ends with progress */

typedef struct piece {
    uint32_t *item;
    float *weight;
    size_t n, item_cap, weight_cap;
    bool failed;
} piece;

typedef struct making {
    const tdm_links_maker *maker; /* one of the two */
    const tdm_links_matrix *matrix;
    size_t I, k, grain, first; /* first: where this round begins */
    piece *pieces;             /* one a chunk */
    int64_t *offset;           /* offset[a + 1]: length of row a, until all are added up */
} making;

/* |w| as a number that orders like it. */
static uint32_t strength(float w)
{
    uint32_t bits;
    memcpy(&bits, &w, sizeof bits);
    return bits & 0x7fffffff;
}

/* Lowers `*bin` to the bin that holds the want-th from above, and `*want` to what is wanted of it. */
static void bin_find(const uint32_t *count, uint32_t *bin, size_t *want)
{
    for (; count[*bin] < *want; --*bin) *want -= count[*bin];
}

/* Keeps the k strongest of n weights where they stand (equal ones: the first), and returns how many those are. The
 * k-th strength is found by counting its leading bits and then, among those that share them, the rest: a row costs two
 * passes and no sorting. Counts alternate, for one that was just written is slow to be read again. `same`: room for n.
 */
static size_t strongest(uint32_t *item, float *weight, size_t n, size_t k, uint32_t *same)
{
    if (n <= k) return n;
    uint32_t count[2][2048] = {0}, lead = 2047, mid = 2047, last = 511;
    size_t want = k, kept = 0, m = 0;
    for (size_t j = 0; j < n; j++) count[j & 1][strength(weight[j]) >> 20]++;
    for (size_t b = 0; b < 2048; b++) count[0][b] += count[1][b], count[1][b] = 0;
    bin_find(count[0], &lead, &want);
    for (size_t j = 0; j < n; j++) {
        same[m] = strength(weight[j]);
        m += same[m] >> 20 == lead;
    }
    for (size_t j = 0; j < m; j++) count[1][same[j] >> 9 & 2047]++;
    bin_find(count[1], &mid, &want);
    memset(count[0], 0, sizeof count[0]);
    for (size_t j = 0; j < m; j++) count[0][same[j] & 511] += (same[j] >> 9 & 2047) == mid;
    bin_find(count[0], &last, &want);
    uint32_t found = lead << 20 | mid << 9 | last;
    for (size_t j = 0; j < n; j++) { /* most are dropped or kept by chance: nothing to foresee, so nothing is jumped */
        uint32_t s = strength(weight[j]);
        bool equal = s == found && want;
        item[kept] = item[j];
        weight[kept] = weight[j];
        kept += s > found || equal;
        want -= equal;
    }
    return kept;
}

/* Adds a row of `n` links, rising by item, to what the chunk has. Both arrays are worked on. */
static bool row_keep(making *m, piece *p, uint32_t from, uint32_t *item, float *weight, size_t n, uint32_t *same)
{
    size_t kept = strongest(item, weight, n, m->k, same);
    if (!kept) return true;
    if (tdm_grow(&p->item, &p->item_cap, p->n + kept, sizeof *p->item)) return false;
    if (tdm_grow(&p->weight, &p->weight_cap, p->n + kept, sizeof *p->weight)) return false;
    memcpy(p->item + p->n, item, kept * sizeof *item);
    memcpy(p->weight + p->n, weight, kept * sizeof *weight);
    p->n += kept;
    m->offset[from + 1] = (int64_t)kept;
    return true;
}

/* Turns the tally into the row's links, and empties it. `item`, `weight` and `same`: room for I. */
static bool row_finish(making *m, piece *p, tdm_tally *t, uint32_t from, uint32_t *item, float *weight, uint32_t *same)
{
    size_t n = 0;
    for (size_t word = 0; word * 64 < m->I; word++) {
        uint64_t bits = t->touched[word];
        t->touched[word] = 0;
        for (; bits; bits &= bits - 1) {
            uint32_t to = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
            float w = m->maker->weight(m->maker->ctx, from, to, t->of[to].sum, t->of[to].count);
            t->of[to].sum = 0;
            t->of[to].count = 0;
            if (w == 0 || !isfinite(w)) continue;
            item[n] = to;
            weight[n++] = w;
        }
    }
    return row_keep(m, p, from, item, weight, n, same);
}

static void rows_make(void *ctx, size_t chunk, size_t begin, size_t end)
{
    making *m = ctx;
    piece *p = &m->pieces[m->first / m->grain + chunk];
    tdm_tally t = {.of = tdm_new(m->I, sizeof *t.of), .touched = tdm_new(m->I / 64 + 1, sizeof *t.touched)};
    uint32_t *item = tdm_new(m->I, sizeof *item), *same = tdm_new(m->I, sizeof *same);
    float *weight = tdm_new(m->I, sizeof *weight);
    p->failed = !t.of || !t.touched || !item || !weight || !same;
    for (size_t a = m->first + begin; a < m->first + end && !p->failed; a++) {
        m->maker->row(m->maker->ctx, &t, (uint32_t)a);
        p->failed = !row_finish(m, p, &t, (uint32_t)a, item, weight, same);
    }
    tdm_free(t.of);
    tdm_free(t.touched);
    tdm_free(item);
    tdm_free(weight);
    tdm_free(same);
}

static void rows_take(void *ctx, size_t chunk, size_t begin, size_t end)
{
    making *m = ctx;
    const tdm_links_matrix *x = m->matrix;
    piece *p = &m->pieces[m->first / m->grain + chunk];
    float *w = tdm_new(TDM_LINKS_ROWS, x->n * sizeof *w), *scratch = tdm_new(TDM_LINKS_ROWS, x->n * sizeof *w);
    uint32_t *item = tdm_new(x->n, sizeof *item), *same = tdm_new(x->n, sizeof *same);
    p->failed = !w || !scratch || !item || !same;
    for (size_t a = m->first + begin; a < m->first + end && !p->failed; a += TDM_LINKS_ROWS) {
        size_t rows = m->first + end - a < TDM_LINKS_ROWS ? m->first + end - a : TDM_LINKS_ROWS;
        x->rows(x->ctx, w, scratch, a, a + rows);
        for (size_t r = 0; r < rows && !p->failed; r++) {
            float *row = w + r * x->n;
            size_t n = 0;
            for (size_t j = 0; j < x->n; j++) {
                if (row[j] == 0 || !isfinite(row[j])) continue;
                item[n] = x->item[j];
                row[n++] = row[j];
            }
            p->failed = !row_keep(m, p, x->item[a + r], item, row, n, same);
        }
    }
    tdm_free(w);
    tdm_free(scratch);
    tdm_free(item);
    tdm_free(same);
}

static tdm_status join(tdm_links *out, making *m, size_t chunks, tdm_err *err)
{
    for (size_t a = 0; a < m->I; a++) m->offset[a + 1] += m->offset[a];
    size_t n = (size_t)m->offset[m->I], at = 0;
    uint32_t *item = tdm_new(n, sizeof *item);
    float *weight = tdm_new(n, sizeof *weight);
    if (!item || !weight) {
        tdm_free(item);
        tdm_free(weight);
        return tdm_nomem(err, "the links of items");
    }
    for (size_t c = 0; c < chunks; c++) {
        const piece *p = &m->pieces[c];
        if (!p->n) continue;
        memcpy(item + at, p->item, p->n * sizeof *item);
        memcpy(weight + at, p->weight, p->n * sizeof *weight);
        at += p->n;
    }
    *out = (tdm_links){.I = m->I, .offset = m->offset, .item = item, .weight = weight, .owned = true};
    m->offset = NULL;
    return TDM_OK;
}

/* All `n` rows, in rounds of chunks. */
static tdm_status make(tdm_links *out, making *m, size_t n, tdm_range_fn *fn, tdm_run *run, const char *stage,
                       tdm_err *err)
{
    tdm_status st = TDM_OK;
    *out = (tdm_links){0};
    m->grain = n / CHUNKS + 1;
    size_t chunks = tdm_chunks(n, m->grain);
    m->pieces = tdm_new(chunks, sizeof *m->pieces);
    m->offset = tdm_new(m->I + 1, sizeof *m->offset);
    if (!m->pieces || !m->offset) st = tdm_nomem(err, "the links of items");
    for (; !st && m->first < n; m->first += ROUND * m->grain) {
        size_t now = n - m->first < ROUND * m->grain ? n - m->first : ROUND * m->grain;
        tdm_pool_for(run->pool, now, m->grain, fn, m);
        for (size_t c = 0; c < chunks && !st; c++)
            if (m->pieces[c].failed) st = tdm_nomem(err, "the links of items");
        tdm_progress(run, stage, m->first + now, n, NULL);
        if (!st) st = tdm_run_check(run, stage, err);
    }
    if (!st) st = join(out, m, chunks, err);
    for (size_t c = 0; m->pieces && c < chunks; c++) {
        tdm_free(m->pieces[c].item);
        tdm_free(m->pieces[c].weight);
    }
    tdm_free(m->pieces);
    tdm_free(m->offset);
    return st;
}

tdm_status tdm_links_make(tdm_links *out, size_t I, size_t k, const tdm_links_maker *maker, tdm_run *run,
                          const char *stage, tdm_err *err)
{
    making m = {.maker = maker, .I = I, .k = k};
    return make(out, &m, I, rows_make, run, stage, err);
}

tdm_status tdm_links_take(tdm_links *out, size_t I, size_t k, const tdm_links_matrix *x, tdm_run *run,
                          const char *stage, tdm_err *err)
{
    making m = {.matrix = x, .I = I, .k = k};
    return make(out, &m, x->n, rows_take, run, stage, err);
}

tdm_status tdm_links_none(tdm_links *out, size_t I, tdm_err *err)
{
    int64_t *offset = tdm_new(I + 1, sizeof *offset);
    uint32_t *item = tdm_new(0, sizeof *item);
    float *weight = tdm_new(0, sizeof *weight);
    *out = (tdm_links){.I = I, .offset = offset, .item = item, .weight = weight, .owned = true};
    if (offset && item && weight) return TDM_OK;
    tdm_links_clear(out);
    return tdm_nomem(err, "the links of items");
}

void tdm_links_clear(tdm_links *l)
{
    if (l->owned) {
        tdm_free((void *)(uintptr_t)l->offset);
        tdm_free((void *)(uintptr_t)l->item);
        tdm_free((void *)(uintptr_t)l->weight);
    }
    *l = (tdm_links){0};
}

float tdm_links_at(const tdm_links *l, uint32_t from, uint32_t to)
{
    int64_t low = l->offset[from], high = l->offset[from + 1];
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if (l->item[mid] < to) low = mid + 1;
        else high = mid;
    }
    return low < l->offset[from + 1] && l->item[low] == to ? l->weight[low] : 0;
}

void tdm_links_tensors(tdm_tensor out[3], const tdm_links *l, const char *offset, const char *item, const char *weight)
{
    size_t n = (size_t)l->offset[l->I];
    out[0] = tdm_tensor_1d(offset, TDM_I64, l->offset, l->I + 1);
    out[1] = tdm_tensor_1d(item, TDM_U32, l->item, n);
    out[2] = tdm_tensor_1d(weight, TDM_F32, l->weight, n);
}

tdm_status tdm_links_read(tdm_links *out, const tdm_safetensors *s, const char *path, size_t I, const char *offset,
                          const char *item, const char *weight, tdm_err *err)
{
    const void *p;
    *out = (tdm_links){0};
    tdm_links l = {.I = I};
    tdm_status st = tdm_safetensors_need(s, &p, offset, TDM_I64, I + 1, err);
    if (st) return st;
    l.offset = p;
    bool rising = l.offset[0] == 0;
    for (size_t a = 0; rising && a < I; a++) rising = l.offset[a] <= l.offset[a + 1];
    if (!rising) return tdm_fail(err, TDM_E_FORMAT, "%s: %s does not rise from 0", path, offset);
    size_t n = (size_t)l.offset[I];
    st = tdm_safetensors_need(s, &p, item, TDM_U32, n, err);
    if (!st) {
        l.item = p;
        st = tdm_stored_floats(s, &l.weight, path, weight, n, err);
    }
    for (size_t a = 0; !st && a < I; a++)
        for (int64_t k = l.offset[a]; !st && k < l.offset[a + 1]; k++)
            if (l.item[k] >= I || (k > l.offset[a] && l.item[k] <= l.item[k - 1]))
                st = tdm_fail(err, TDM_E_FORMAT, "%s: %s[%lld] is %u: out of order or not below %zu", path, item,
                              (long long)k, l.item[k], I);
    if (!st) *out = l;
    return st;
}
