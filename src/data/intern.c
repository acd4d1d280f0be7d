/* SPDX-License-Identifier: Apache-2.0 */
#include "data/intern.h"

#include "base/mem.h"

#include <string.h>
#include <xxhash.h>

uint64_t tdm_id_hash(tdm_str id, uint64_t seed) { return XXH3_64bits_withSeed(id.p, id.n, seed); }

tdm_str tdm_intern_at(const tdm_intern *t, size_t i)
{
    return (tdm_str){t->bytes.p + t->offset[i], (size_t)(t->offset[i + 1] - t->offset[i])};
}

/* The slot that holds `id`, or the empty one where it would go. */
static size_t probe(const tdm_intern *t, tdm_str id, uint64_t h)
{
    size_t at = h & (t->room - 1);
    for (; t->slot[at]; at = (at + 1) & (t->room - 1)) {
        uint32_t i = t->slot[at] - 1;
        if (t->hash[i] == h && tdm_str_eq(tdm_intern_at(t, i), id)) break;
    }
    return at;
}

/* Keeps the table at most half full. */
static bool widen(tdm_intern *t)
{
    if (t->n * 2 < t->room) return true;
    size_t room = t->room ? t->room * 2 : 64;
    uint32_t *slot = tdm_new(room, sizeof *slot);
    if (!slot) return false;
    for (size_t i = 0; i < t->n; i++) {
        size_t at = t->hash[i] & (room - 1);
        while (slot[at]) at = (at + 1) & (room - 1);
        slot[at] = (uint32_t)i + 1;
    }
    tdm_free(t->slot);
    t->slot = slot;
    t->room = room;
    return true;
}

uint32_t tdm_intern_find(const tdm_intern *t, tdm_str id, uint64_t hash)
{
    return t->room ? t->slot[probe(t, id, hash)] - 1 : TDM_NONE; /* 0 - 1 is TDM_NONE */
}

uint32_t tdm_intern_add(tdm_intern *t, tdm_str id, uint64_t hash)
{
    if (!widen(t)) return TDM_NONE;
    size_t at = probe(t, id, hash);
    if (t->slot[at]) return t->slot[at] - 1;
    if (t->n == TDM_PART_MOST || tdm_grow(&t->offset, &t->offset_cap, t->n + 2, sizeof *t->offset) ||
        tdm_grow(&t->hash, &t->hash_cap, t->n + 1, sizeof *t->hash))
        return TDM_NONE;
    tdm_buf_add(&t->bytes, id.p, id.n);
    if (t->bytes.failed) return TDM_NONE;
    t->hash[t->n] = hash;
    t->offset[t->n + 1] = (int64_t)t->bytes.n;
    t->slot[at] = (uint32_t)t->n + 1;
    return (uint32_t)t->n++;
}

/* Whether id a comes behind id b in the order of (hash, id). */
static bool follows(const tdm_intern *t, uint32_t a, uint32_t b)
{
    if (t->hash[a] != t->hash[b]) return t->hash[a] > t->hash[b];
    return tdm_str_cmp(tdm_intern_at(t, a), tdm_intern_at(t, b)) > 0;
}

/* Hashes are spread evenly, so a counting sort by their first bits (behind those of the part) leaves little to do. */
bool tdm_intern_order(uint32_t *order, const tdm_intern *t)
{
    unsigned bits = 0;
    while (bits < 24 && t->n >> bits > 2) bits++;
    size_t places = (size_t)1 << bits;
    uint32_t *at = tdm_new(places + 1, sizeof *at);
    if (!at) return false;
#define PLACE(i) (bits ? (size_t)(t->hash[i] << 8 >> (64 - bits)) : 0)
    for (size_t i = 0; i < t->n; i++) at[PLACE(i) + 1]++;
    for (size_t k = 0; k < places; k++) at[k + 1] += at[k];
    for (size_t i = 0; i < t->n; i++) order[at[PLACE(i)]++] = (uint32_t)i;
#undef PLACE
    tdm_free(at);
    for (size_t i = 1; i < t->n; i++) {
        uint32_t x = order[i];
        size_t k = i;
        for (; k && follows(t, order[k - 1], x); k--) order[k] = order[k - 1];
        order[k] = x;
    }
    return true;
}

void tdm_intern_clear(tdm_intern *t)
{
    tdm_buf_clear(&t->bytes);
    tdm_free(t->offset);
    tdm_free(t->hash);
    tdm_free(t->slot);
    *t = (tdm_intern){0};
}
