/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c - a filtered copy of the training rows, and a counting sort of it by item. */
#include "cf/rows.h"
#include "base/mem.h"
#include "base/status.h"

/* `last[i]` is u + 1 once the newest row of item i for person u was seen. */
static void copy_person(tdm_rows *r, const tdm_dataset *d, size_t u, size_t longest, uint32_t *last)
{
    size_t begin = (size_t)d->offset[u], at = (size_t)d->offset[u + 1], kept = 0;
    size_t low = r->N;
    while (at-- > begin && kept < longest) { /* newest first, then turned round */
        uint32_t i = d->item[at];
        if (last && last[i] == u + 1) continue;
        if (last) last[i] = (uint32_t)u + 1;
        r->item[low + kept] = i;
        r->rating[low + kept] = d->rating ? d->rating[at] : __builtin_nanf("");
        kept++;
    }
    for (size_t a = low, b = low + kept; a + 1 < b--; a++) {
        uint32_t i = r->item[a];
        float x = r->rating[a];
        r->item[a] = r->item[b], r->rating[a] = r->rating[b];
        r->item[b] = i, r->rating[b] = x;
    }
    r->N += kept;
    r->offset[u + 1] = (int64_t)r->N;
}

static void sort_by_item(tdm_rows *r)
{
    for (size_t k = 0; k < r->N; k++) r->from[r->item[k] + 1]++;
    for (size_t i = 0; i < r->I; i++) r->from[i + 1] += r->from[i];
    for (size_t u = 0; u < r->U; u++)
        for (int64_t k = r->offset[u]; k < r->offset[u + 1]; k++) {
            int64_t at = r->from[r->item[k]]++;
            r->user[at] = (uint32_t)u;
            r->place[at] = (uint32_t)(k - r->offset[u]);
        }
    for (size_t i = r->I; i > 0; i--) r->from[i] = r->from[i - 1]; /* the sort moved each start to its end */
    r->from[0] = 0;
}

tdm_status tdm_rows_make(tdm_rows *out, const tdm_dataset *train, size_t longest, bool once, tdm_err *err)
{
    tdm_rows r = {.U = train->U, .I = train->I};
    *out = (tdm_rows){0};
    for (size_t k = 0; k < train->N; k++)
        if (train->item[k] >= train->I)
            return tdm_fail(err, TDM_E_FORMAT, "training row %zu names item %u of %zu", k, train->item[k], train->I);
    uint32_t *last = once ? tdm_new(r.I, sizeof *last) : NULL;
    r.offset = tdm_new(r.U + 1, sizeof *r.offset);
    r.item = tdm_new(train->N, sizeof *r.item);
    r.rating = tdm_new(train->N, sizeof *r.rating);
    r.from = tdm_new(r.I + 1, sizeof *r.from);
    r.user = tdm_new(train->N, sizeof *r.user);
    r.place = tdm_new(train->N, sizeof *r.place);
    if ((once && !last) || !r.offset || !r.item || !r.rating || !r.from || !r.user || !r.place) {
        tdm_free(last);
        tdm_rows_clear(&r);
        return tdm_nomem(err, "the training rows");
    }
    for (size_t u = 0; u < r.U; u++) copy_person(&r, train, u, longest, last);
    sort_by_item(&r);
    tdm_free(last);
    *out = r;
    return TDM_OK;
}

void tdm_rows_clear(tdm_rows *r)
{
    tdm_free(r->offset);
    tdm_free(r->item);
    tdm_free(r->rating);
    tdm_free(r->from);
    tdm_free(r->user);
    tdm_free(r->place);
    *r = (tdm_rows){0};
}
