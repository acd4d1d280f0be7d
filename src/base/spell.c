/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spell.h"

#include "tandem.h"

#include <string.h>

enum { LONGEST = 64 };

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

size_t tdm_spell_distance(tdm_str a, tdm_str b)
{
    size_t rows[3][LONGEST + 1], *before = rows[0], *last = rows[1], *row = rows[2];
    a.n = least(a.n, LONGEST);
    b.n = least(b.n, LONGEST);
    for (size_t j = 0; j <= b.n; j++) before[j] = last[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t replace = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            row[j] = least(replace, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b.n];
}

size_t tdm_spelling_distance(const char *a, const char *b) { return tdm_spell_distance(tdm_str_of(a), tdm_str_of(b)); }

size_t tdm_spell_nearest(size_t *at, size_t n, tdm_str word, const tdm_strings *all)
{
    size_t distance[16], found = 0, limit = word.n / 3 + 1;
    if (n > 16) n = 16;
    for (size_t i = 0; i < all->n; i++) {
        tdm_str s = tdm_strings_at(all, i);
        if (s.n > word.n + limit || word.n > s.n + limit) continue;
        size_t d = tdm_spell_distance(word, s), k = found < n ? found : n;
        if (d > limit) continue;
        while (k && distance[k - 1] > d) k--;
        if (k >= n) continue;
        size_t moved = (found < n ? found : n - 1) - k;
        memmove(distance + k + 1, distance + k, moved * sizeof *distance);
        memmove(at + k + 1, at + k, moved * sizeof *at);
        distance[k] = d;
        at[k] = i;
        if (found < n) found++;
    }
    return found;
}
