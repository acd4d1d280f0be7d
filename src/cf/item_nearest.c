/* SPDX-License-Identifier: Apache-2.0 */
#include "cf/item_nearest.h"
#include "base/mem.h"
#include "base/status.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static size_t room_of(size_t k, size_t most)
{
    size_t room = k + (k / 2 > 128 ? k / 2 : 128);
    return most < room ? most : room;
}

size_t tdm_nearest_bytes(size_t I, size_t k, const size_t *most)
{
    size_t keys = 0;
    for (size_t a = 0; a < I; a++) keys += room_of(k, most[a]);
    return keys * sizeof(uint64_t) + I * (sizeof(size_t) + sizeof(uint32_t) + sizeof(uint64_t) + sizeof(float));
}

tdm_status tdm_nearest_make(tdm_nearest *out, size_t I, size_t k, const size_t *most, tdm_err *err)
{
    tdm_nearest s = {.I = I,
                     .k = k,
                     .at = tdm_new(I + 1, sizeof *s.at),
                     .n = tdm_new(I, sizeof *s.n),
                     .floor = tdm_new(I, sizeof *s.floor),
                     .least = tdm_new(I + 4, sizeof *s.least)};
    *out = (tdm_nearest){0};
    if (s.at && s.n && s.floor && s.least) {
        for (size_t a = 0; a < I; a++) s.at[a + 1] = s.at[a] + room_of(k, most[a]);
        for (size_t a = 0; a < I + 4; a++) s.least[a] = 0x1p-100F;
        s.key = tdm_new(s.at[I], sizeof *s.key);
    }
    if (!s.key) {
        tdm_nearest_clear(&s);
        return tdm_nomem(err, "the links of items");
    }
    *out = s;
    return TDM_OK;
}

void tdm_nearest_clear(tdm_nearest *s)
{
    tdm_free(s->at);
    tdm_free(s->n);
    tdm_free(s->floor);
    tdm_free(s->least);
    tdm_free(s->key);
    *s = (tdm_nearest){0};
}

static uint64_t key_of(uint32_t item, float w)
{
    uint32_t bits;
    memcpy(&bits, &w, sizeof bits);
    return (uint64_t)(bits & 0x7fffffff) << 33 | (uint64_t)~item << 1 | bits >> 31;
}

static float weight_of(uint64_t key)
{
    uint32_t bits = (uint32_t)(key >> 33) | (uint32_t)key << 31;
    float w;
    memcpy(&w, &bits, sizeof w);
    return w;
}

static uint32_t item_of(uint64_t key) { return ~(uint32_t)(key >> 1); }

static uint64_t middle(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* Brings the k largest of n >= k different keys to the front, the smallest of them last (Hoare's FIND, CACM 1961). */
static void largest(uint64_t *key, size_t n, size_t k)
{
    int64_t left = 0, right = (int64_t)n - 1, want = (int64_t)k - 1;
    while (left < right) {
        uint64_t border = middle(key[left], key[left + (right - left) / 2], key[right]);
        int64_t i = left, j = right;
        do {
            while (key[i] > border) i++;
            while (key[j] < border) j--;
            if (i > j) break;
            uint64_t x = key[i];
            key[i++] = key[j];
            key[j--] = x;
        } while (i <= j);
        if (j < want) left = i;
        if (want < i) right = j;
    }
}

static void cut(tdm_nearest *s, uint32_t row)
{
    uint64_t *key = s->key + s->at[row];
    if (s->n[row] <= s->k) return;
    largest(key, s->n[row], s->k);
    s->n[row] = (uint32_t)s->k;
    s->floor[row] = key[s->k - 1];
    s->least[row] = fabsf(weight_of(key[s->k - 1]));
}

void tdm_nearest_add(tdm_nearest *s, uint32_t row, uint32_t item, float w)
{
    uint64_t key = key_of(item, w);
    if (w == 0 || !isfinite(w) || key <= s->floor[row]) return;
    s->key[s->at[row] + s->n[row]++] = key;
    if (s->n[row] == s->at[row + 1] - s->at[row]) cut(s, row);
}

/* ---- into links ---- */

typedef struct laying {
    tdm_nearest *s;
    const uint32_t *row;
    int64_t *offset;
    uint32_t *item;
    float *weight;
    bool *failed; /* one a chunk */
} laying;

enum { GRAIN = 512 };

static void rows_cut(void *ctx, size_t chunk, size_t begin, size_t end)
{
    laying *l = ctx;
    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        cut(l->s, l->row[i]);
        l->offset[i + 1] = l->s->n[l->row[i]];
    }
}

/* Puts each row in the order of its items: a bit an item is set, and read from the start. */
static void rows_lay(void *ctx, size_t chunk, size_t begin, size_t end)
{
    laying *l = ctx;
    size_t words = l->s->I / 64 + 1;
    uint64_t *bit = tdm_new(words, sizeof *bit);
    float *weight = tdm_new(l->s->I, sizeof *weight);
    l->failed[chunk] = !bit || !weight;
    for (size_t i = begin; i < end && !l->failed[chunk]; i++) {
        const uint64_t *key = l->s->key + l->s->at[l->row[i]];
        size_t n = l->s->n[l->row[i]], at = (size_t)l->offset[i];
        for (size_t k = 0; k < n; k++) {
            uint32_t item = item_of(key[k]);
            bit[item / 64] |= (uint64_t)1 << item % 64;
            weight[item] = weight_of(key[k]);
        }
        for (size_t w = 0; n && w < words; w++) {
            for (uint64_t b = bit[w]; b; b &= b - 1) {
                l->item[at] = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(b);
                l->weight[at] = weight[l->item[at]];
                at++;
            }
            bit[w] = 0;
        }
    }
    tdm_free(bit);
    tdm_free(weight);
}

tdm_status tdm_nearest_links(tdm_links *out, tdm_nearest *s, const uint32_t *row, tdm_run *run, tdm_err *err)
{
    size_t chunks = tdm_chunks(s->I, GRAIN);
    laying l = {
        .s = s, .row = row, .offset = tdm_new(s->I + 1, sizeof *l.offset), .failed = tdm_new(chunks, sizeof *l.failed)};
    bool failed = !l.offset || !l.failed;
    *out = (tdm_links){0};
    if (!failed) {
        tdm_pool_for(run->pool, s->I, GRAIN, rows_cut, &l);
        for (size_t i = 0; i < s->I; i++) l.offset[i + 1] += l.offset[i];
        l.item = tdm_new((size_t)l.offset[s->I], sizeof *l.item);
        l.weight = tdm_new((size_t)l.offset[s->I], sizeof *l.weight);
        failed = !l.item || !l.weight;
    }
    if (!failed) tdm_pool_for(run->pool, s->I, GRAIN, rows_lay, &l);
    for (size_t c = 0; !failed && c < chunks; c++) failed = l.failed[c];
    tdm_free(l.failed);
    if (failed) {
        tdm_free(l.offset);
        tdm_free(l.item);
        tdm_free(l.weight);
        return tdm_nomem(err, "the links of items");
    }
    *out = (tdm_links){.I = s->I, .offset = l.offset, .item = l.item, .weight = l.weight, .owned = true};
    return TDM_OK;
}
