/* SPDX-License-Identifier: Apache-2.0 */
/* block.c - entries are folded and sorted; a text is walked once, and from each border of a word the range of entries
 * that go on as the text does is narrowed character by character, as along a tree. */
#include "text/block.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
    const int32_t *p; /* into `text`, once all is read */
    size_t at, n;
} entry;

struct tdm_block {
    int32_t *text; /* of all entries, one behind another */
    size_t n_text, cap_text;
    entry *entry; /* sorted, each once */
    size_t n, cap;
};

tdm_status tdm_block_open(tdm_block **out, tdm_err *err)
{
    *out = tdm_new(1, sizeof **out);
    return *out ? TDM_OK : tdm_nomem(err, "a list of blocked words");
}

void tdm_block_close(tdm_block *b)
{
    if (!b) return;
    tdm_free(b->text);
    tdm_free(b->entry);
    tdm_free(b);
}

size_t tdm_block_size(const tdm_block *b) { return b->n; }

/* ---- reading ---- */

static tdm_status line_add(tdm_block *b, const char *where, size_t number, tdm_str line, tdm_folded *room, tdm_err *err)
{
    if (line.n > TDM_BLOCK_BYTES)
        return tdm_fail(err, TDM_E_FORMAT, "%s:%zu: %zu bytes are no word or phrase to block; write one a line", where,
                        number, line.n);
    if (!tdm_utf8_valid(line))
        return tdm_fail(err, TDM_E_FORMAT, "%s:%zu: this is not UTF-8; save the list of blocked words as UTF-8", where,
                        number);
    tdm_status st = tdm_fold(room, line, err);
    if (st) return st;
    if (!room->n)
        return tdm_fail(err, TDM_E_FORMAT, "%s:%zu: nothing of this shows in a text; write a word or leave it out",
                        where, number);
    if (tdm_grow(&b->text, &b->cap_text, b->n_text + room->n, sizeof *b->text) ||
        tdm_grow(&b->entry, &b->cap, b->n + 1, sizeof *b->entry))
        return tdm_nomem(err, where);
    memcpy(b->text + b->n_text, room->at, room->n * sizeof *b->text);
    b->entry[b->n++] = (entry){.at = b->n_text, .n = room->n};
    b->n_text += room->n;
    return TDM_OK;
}

static int order(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    for (size_t i = 0; i < x->n && i < y->n; i++)
        if (x->p[i] != y->p[i]) return x->p[i] < y->p[i] ? -1 : 1;
    return x->n < y->n ? -1 : x->n > y->n;
}

/* Entries in order, each once. */
static void settle(tdm_block *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) b->entry[i].p = b->text + b->entry[i].at;
    if (b->n) qsort(b->entry, b->n, sizeof *b->entry, order);
    for (size_t i = 0; i < b->n; i++)
        if (!n || order(&b->entry[n - 1], &b->entry[i])) b->entry[n++] = b->entry[i];
    b->n = n;
}

tdm_status tdm_block_read(tdm_block *b, const char *where, tdm_str list, tdm_err *err)
{
    size_t n = b->n, n_text = b->n_text, number = 0;
    tdm_folded room = {0};
    tdm_status st = TDM_OK;
    if (list.n >= 3 && !memcmp(list.p, "\xef\xbb\xbf", 3)) { /* a byte order mark */
        list.p += 3;
        list.n -= 3;
    }
    while (!st && list.n) {
        const char *end = memchr(list.p, '\n', list.n);
        size_t length = end ? (size_t)(end - list.p) : list.n;
        tdm_str line = tdm_str_trim((tdm_str){list.p, length});
        number++;
        if (line.n && line.p[0] != '#') st = line_add(b, where, number, line, &room, err);
        list.p += length + (end != NULL);
        list.n -= length + (end != NULL);
    }
    if (st) b->n = n, b->n_text = n_text;
    settle(b);
    tdm_free(room.at);
    return st;
}

/* ---- finding ---- */

/* The first of the entries [lo, hi), alike before place d, whose character there is not below c. */
static size_t lower_bound(const entry *e, size_t lo, size_t hi, size_t d, int32_t c)
{
    while (lo < hi) {
        size_t middle = lo + (hi - lo) / 2;
        if (e[middle].p[d] < c) lo = middle + 1;
        else hi = middle;
    }
    return lo;
}

static bool border(const tdm_folded *t, size_t at)
{
    return at == 0 || at == t->n || tdm_fold_parts(t->at[at - 1], t->at[at]);
}

static bool begins(const tdm_block *b, const tdm_folded *t, size_t at)
{
    size_t lo = 0, hi = b->n;
    for (size_t d = 0; lo < hi; d++) {
        if (b->entry[lo].n == d) { /* the shortest of the range comes first, and is all that the range has in common */
            if (border(t, at + d)) return true;
            lo++;
        }
        if (at + d == t->n) return false;
        int32_t c = t->at[at + d];
        lo = lower_bound(b->entry, lo, hi, d, c);
        hi = lower_bound(b->entry, lo, hi, d, c + 1);
    }
    return false;
}

tdm_status tdm_block_find(const tdm_block *b, bool *found, tdm_str text, tdm_folded *room, tdm_err *err)
{
    tdm_folded own = {0}, *t = room ? room : &own;
    *found = false;
    if (!b || !b->n) return TDM_OK;
    tdm_status st = tdm_fold(t, text, err);
    for (size_t at = 0; !st && at < t->n && !*found; at++) *found = border(t, at) && begins(b, t, at);
    tdm_free(own.at);
    return st;
}
