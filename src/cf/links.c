/* SPDX-License-Identifier: Apache-2.0 */
/* links.c - rows are made in chunks, each chunk into its own growing arrays, which are then laid end to end. */
#include "cf/links.h"
#include "base/mem.h"
#include "base/status.h"
#include "model/stored.h"
#include "model/topk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNKS = 256, ROUND = 32 }; /* a chunk zeroes 12 bytes an item, so there are few; a round ends with progress */

typedef struct piece {
    uint32_t *item;
    float *weight;
    size_t n, item_cap, weight_cap;
    bool failed;
} piece;

typedef struct making {
    const tdm_links_maker *maker;
    size_t I, k, grain, first; /* first: where this round begins */
    piece *pieces;             /* one a chunk */
    int64_t *offset;           /* offset[a + 1]: length of row a, until all are added up */
} making;

static int by_item(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Turns the tally into the row's links and empties it. `strength` and `best`: room for the touched items. */
static bool row_finish(making *m, piece *p, tdm_tally *t, uint32_t from, float *strength, uint32_t *best)
{
    size_t n = 0;
    qsort(t->touched, t->n, sizeof *t->touched, by_item);
    for (size_t j = 0; j < t->n; j++) {
        uint32_t to = t->touched[j];
        float w = m->maker->weight(m->maker->ctx, from, to, t->sum[to], t->count[to]);
        t->sum[to] = 0;
        t->count[to] = 0;
        if (w == 0 || !isfinite(w)) continue;
        t->touched[n] = to;
        t->sum[to] = (double)w; /* until it is stored below */
        strength[n++] = fabsf(w);
    }
    t->n = 0;
    size_t kept = tdm_topk(best, NULL, strength, n, n < m->k ? n : m->k);
    qsort(best, kept, sizeof *best, by_item);
    bool ok = !tdm_grow(&p->item, &p->item_cap, p->n + kept, sizeof *p->item) &&
              !tdm_grow(&p->weight, &p->weight_cap, p->n + kept, sizeof *p->weight);
    for (size_t j = 0; ok && j < kept; j++) {
        p->item[p->n] = t->touched[best[j]];
        p->weight[p->n++] = (float)t->sum[t->touched[best[j]]];
    }
    for (size_t j = 0; j < n; j++) t->sum[t->touched[j]] = 0;
    m->offset[from + 1] = (int64_t)kept;
    return ok;
}

static void rows_make(void *ctx, size_t chunk, size_t begin, size_t end)
{
    making *m = ctx;
    piece *p = &m->pieces[m->first / m->grain + chunk];
    tdm_tally t = {.sum = tdm_new(m->I, sizeof *t.sum),
                   .count = tdm_new(m->I, sizeof *t.count),
                   .touched = tdm_new(m->I, sizeof *t.touched)};
    float *strength = tdm_new(m->I, sizeof *strength);
    uint32_t *best = tdm_new(m->I, sizeof *best);
    p->failed = !t.sum || !t.count || !t.touched || !strength || !best;
    for (size_t a = m->first + begin; a < m->first + end && !p->failed; a++) {
        m->maker->row(m->maker->ctx, &t, (uint32_t)a);
        p->failed = !row_finish(m, p, &t, (uint32_t)a, strength, best);
    }
    tdm_free(t.sum);
    tdm_free(t.count);
    tdm_free(t.touched);
    tdm_free(strength);
    tdm_free(best);
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

tdm_status tdm_links_make(tdm_links *out, size_t I, size_t k, const tdm_links_maker *maker, tdm_run *run,
                          const char *stage, tdm_err *err)
{
    tdm_status st = TDM_OK;
    *out = (tdm_links){0};
    size_t grain = I / CHUNKS + 1, chunks = tdm_chunks(I, grain);
    making m = {.maker = maker, .I = I, .k = k, .grain = grain};
    m.pieces = tdm_new(chunks, sizeof *m.pieces);
    m.offset = tdm_new(I + 1, sizeof *m.offset);
    if (!m.pieces || !m.offset) st = tdm_nomem(err, "the links of items");
    for (; !st && m.first < I; m.first += ROUND * grain) {
        size_t n = I - m.first < ROUND * grain ? I - m.first : ROUND * grain;
        tdm_pool_for(run->pool, n, grain, rows_make, &m);
        for (size_t c = 0; c < chunks && !st; c++)
            if (m.pieces[c].failed) st = tdm_nomem(err, "the links of items");
        tdm_progress(run, stage, m.first + n, I, NULL);
        if (!st) st = tdm_run_check(run, stage, err);
    }
    if (!st) st = join(out, &m, chunks, err);
    for (size_t c = 0; m.pieces && c < chunks; c++) {
        tdm_free(m.pieces[c].item);
        tdm_free(m.pieces[c].weight);
    }
    tdm_free(m.pieces);
    tdm_free(m.offset);
    return st;
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
