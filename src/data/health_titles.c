/* SPDX-License-Identifier: Apache-2.0 */
/* health_titles.c - one thing under several ids: titles that are equal but for letter case, blanks and punctuation.
 *
 * Titles are told apart by a 64-bit hash of what is left of them: of ten million titles, two that differ fall together
 * with a chance of 3 in a million. */
#include "data/health_parts.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>
#include <xxhash.h>

/* Lower case of what has one letter for one: ASCII, Latin-1, Latin Extended-A, Greek, Cyrillic. 0: no letter or digit.
 */
static uint32_t fold(uint32_t c)
{
    if (c < 0x80) {
        if (c >= 'A' && c <= 'Z') return c + 32;
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : 0;
    }
    if (c < 0xc0) return c == 0xaa || c == 0xb5 || c == 0xba ? c : 0;
    if (c == 0xd7 || c == 0xf7) return 0;
    if (c <= 0xde) return c + 32;
    if (c >= 0x100 && c < 0x178 && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149) {
        bool upper_is_odd = (c >= 0x139 && c <= 0x148);
        return (c % 2 == 1) == upper_is_odd ? c + 1 : c;
    }
    if (c >= 0x391 && c <= 0x3a9) return c + 32;
    if (c >= 0x410 && c <= 0x42f) return c + 32;
    if (c >= 0x400 && c <= 0x40f) return c + 80;
    bool mark = (c >= 0x2000 && c <= 0x206f) || (c >= 0x3000 && c <= 0x3004) || (c >= 0x3008 && c <= 0x3020) ||
                (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || c >= TDM_UTF8_BAD;
    return mark ? 0 : c;
}

/* 0: no title, or none with a letter or a digit. */
static uint64_t title_hash(tdm_str s)
{
    uint32_t text[512];
    size_t n = 0;
    uint64_t hash = 0;
    while (s.n) {
        uint32_t c;
        size_t used = tdm_utf8_next(s, &c);
        s.p += used;
        s.n -= used;
        if ((c = fold(c))) text[n++] = c;
        if (n < sizeof text / sizeof *text && (s.n || !n)) continue;
        hash = XXH3_64bits_withSeed(text, n * sizeof *text, hash);
        n = 0;
    }
    if (n) hash = XXH3_64bits_withSeed(text, n * sizeof *text, hash);
    return hash;
}

/* ---- groups ---- */

typedef struct group {
    uint32_t first, items; /* item number, size; size 0: a free slot */
} group;

static bool group_add(cJSON *list, const tdm_dataset *d, const uint64_t *hash, group g)
{
    cJSON *o = cJSON_CreateObject(), *ids = NULL;
    if (!o || !cJSON_AddItemToArray(list, o)) {
        cJSON_Delete(o);
        return false;
    }
    bool ok = tdm_health_text(o, "title", tdm_strings_at(&d->title, g.first)) &&
              tdm_health_number(o, "items", g.items) && (ids = cJSON_CreateArray());
    int shown = 0;
    cJSON *word = ok ? cJSON_CreateObject() : NULL; /* a string is made as a member and then moved */
    for (size_t i = g.first; ok && i < d->I && shown < TDM_HEALTH_EXAMPLES; i++) {
        if (hash[i] != hash[g.first]) continue;
        ok = word && tdm_health_text(word, "id", tdm_strings_at(&d->item_id, i)) &&
             cJSON_AddItemToArray(ids, cJSON_DetachItemFromObjectCaseSensitive(word, "id"));
        shown++;
    }
    cJSON_Delete(word);
    if (ok) return tdm_health_put(o, "ids", ids);
    cJSON_Delete(ids);
    return false;
}

static bool groups_fill(cJSON *o, const tdm_dataset *d, const uint64_t *hash, const group *slot, size_t room)
{
    group best[TDM_HEALTH_EXAMPLES];
    size_t groups = 0, items = 0, n = 0;
    for (size_t k = 0; k < room; k++) {
        group g = slot[k];
        if (g.items < 2) continue;
        groups++;
        items += g.items;
        size_t at = n;
        while (at && (best[at - 1].items < g.items || (best[at - 1].items == g.items && best[at - 1].first > g.first)))
            at--;
        if (at == TDM_HEALTH_EXAMPLES) continue;
        if (n < TDM_HEALTH_EXAMPLES) n++;
        memmove(best + at + 1, best + at, (n - at - 1) * sizeof *best);
        best[at] = g;
    }
    cJSON *list = NULL;
    bool ok = tdm_health_number(o, "titles", (double)groups) && tdm_health_number(o, "items", (double)items) &&
              (list = cJSON_AddArrayToObject(o, "examples"));
    for (size_t k = 0; ok && k < n; k++) ok = group_add(list, d, hash, best[k]);
    return ok;
}

tdm_status tdm_health_titles(cJSON *h, const tdm_dataset *d, tdm_err *err)
{
    size_t I = d->title.n ? d->I : 0, room = 16;
    while (room < 2 * I) room *= 2;
    uint64_t *hash = tdm_new(I, sizeof *hash);
    group *slot = tdm_new(room, sizeof *slot);
    cJSON *o = cJSON_CreateObject();
    bool ok = hash && slot && o;
    for (size_t i = 0; ok && i < I; i++) {
        if (!(hash[i] = title_hash(tdm_strings_at(&d->title, i)))) continue;
        size_t at = hash[i] & (room - 1);
        while (slot[at].items && hash[slot[at].first] != hash[i]) at = (at + 1) & (room - 1);
        if (!slot[at].items++) slot[at].first = (uint32_t)i;
    }
    ok = ok && groups_fill(o, d, hash, slot, room);
    tdm_free(hash);
    tdm_free(slot);
    if (ok && tdm_health_put(h, "same_titles", o)) return TDM_OK;
    if (!ok) cJSON_Delete(o);
    return tdm_nomem(err, "the health table");
}
