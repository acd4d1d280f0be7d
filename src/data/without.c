/* SPDX-License-Identifier: Apache-2.0 */
/* without.c - a person's rows lie together and so do their texts, so each array loses one stretch.
 * The people that are left keep the order of their hashes. */
#include "data/without.h"

#include "base/mem.h"
#include "data/owner.h"

#include <assert.h>
#include <string.h>

/* A copy of `n` elements without [begin, end). */
static void *cut(tdm_owner *o, const void *from, size_t size, size_t n, size_t begin, size_t end)
{
    char *to = tdm_owner_new(o, n - (end - begin), size);
    const char *p = from;
    if (!to) return NULL;
    if (begin) memcpy(to, p, begin * size);
    if (n > end) memcpy(to + begin * size, p + end * size, (n - end) * size);
    return to;
}

static bool cut_strings(tdm_owner *o, tdm_strings *out, const tdm_strings *s, size_t begin, size_t end)
{
    *out = *s;
    if (!s->n) return true;
    int64_t *offset = cut(o, s->offset, sizeof *offset, s->n + 1, begin, end), first = s->offset[0];
    out->bytes = cut(o, s->bytes + first, 1, (size_t)(s->offset[s->n] - first), (size_t)(s->offset[begin] - first),
                     (size_t)(s->offset[end] - first));
    out->offset = offset;
    out->n = s->n - (end - begin);
    if (!offset || !out->bytes) return false;
    int64_t gone = s->offset[end] - s->offset[begin];
    for (size_t i = 0; i <= out->n; i++) offset[i] -= first + (i < begin ? 0 : gone);
    return true;
}

static bool cut_people(tdm_dataset *to, const tdm_dataset *d, uint32_t u)
{
    tdm_owner *o = to->owner;
    int64_t gone = d->offset[u + 1] - d->offset[u];
    int64_t *offset = cut(o, d->offset, sizeof *offset, d->U + 1, u, u + 1);
    if (!offset || !cut_strings(o, &to->user_id, &d->user_id, u, u + 1)) return false;
    for (size_t k = u; k <= to->U; k++) offset[k] -= gone;
    to->offset = offset;
    return true;
}

static bool cut_rows(tdm_dataset *to, const tdm_dataset *d, size_t begin, size_t end)
{
    tdm_owner *o = to->owner;
    uint32_t *row = tdm_owner_new(o, to->N, sizeof *row);
    bool tested = false;
    for (size_t j = 0; d->part && j < d->N; j++) tested |= (j < begin || j >= end) && d->part[j];
    to->item = cut(o, d->item, sizeof *d->item, d->N, begin, end);
    to->rating = cut(o, d->rating, sizeof *d->rating, d->N, begin, end);
    to->time = cut(o, d->time, sizeof *d->time, d->N, begin, end);
    to->part = tested ? cut(o, d->part, 1, d->N, begin, end) : NULL;
    if (!row || !to->item || !to->rating || !to->time || (tested && !to->part)) return false;
    for (size_t j = 0; j < to->N; j++) row[j] = (uint32_t)j;
    to->row = row;
    return cut_strings(o, &to->summary, &d->summary, begin, end) && cut_strings(o, &to->review, &d->review, begin, end);
}

tdm_status tdm_dataset_without(tdm_dataset **out, const tdm_dataset *d, uint32_t u, tdm_err *err)
{
    size_t begin = (size_t)d->offset[u], end = (size_t)d->offset[u + 1];
    *out = tdm_owner_dataset();
    if (!*out) return tdm_nomem(err, "the dataset");
    tdm_dataset *to = *out;
    void *owner = to->owner;
    *to = *d; /* the items' texts */
    to->owner = owner;
    to->U = d->U - 1;
    to->N = d->N - (end - begin);
    to->rating_low = to->rating_high = 0;
    assert(d->N == 0 || d->row[d->N - 1] == d->N - 1); /* texts in the order of the interactions */
    if (cut_people(to, d, u) && cut_rows(to, d, begin, end)) {
        tdm_dataset_derive(to);
        return TDM_OK;
    }
    tdm_dataset_close(to);
    *out = NULL;
    return tdm_nomem(err, "the dataset");
}
