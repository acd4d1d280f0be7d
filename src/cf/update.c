/* SPDX-License-Identifier: Apache-2.0 */
#include "cf/update.h"
#include "base/mem.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

/* ---- who changed ---- */

static bool same_rows(const tdm_dataset *now, size_t v, const tdm_dataset *was, size_t u, const uint32_t *item_now)
{
    size_t a = (size_t)now->offset[v], b = (size_t)was->offset[u], n = (size_t)now->offset[v + 1] - a;
    if (n != (size_t)was->offset[u + 1] - b) return false;
    for (size_t k = 0; k < n; k++)
        if (now->item[a + k] != item_now[was->item[b + k]]) return false;
    if (!now->rating || !was->rating) return true;
    for (size_t k = 0; k < n; k++) {
        float x = now->rating[a + k], y = was->rating[b + k];
        if (!(x >= y && x <= y) && !(isnan(x) && isnan(y))) return false;
    }
    return true;
}

tdm_status tdm_changes_find(tdm_change **out, size_t *n, const tdm_dataset *now, const tdm_dataset *was,
                            const uint32_t *item_now, const uint32_t *user_now, tdm_err *err)
{
    tdm_change *c = NULL;
    size_t cap = 0, v = 0;
    tdm_status st = TDM_OK;
    *out = NULL;
    *n = 0;
#define ADD(a, b)                                                                                                      \
    do {                                                                                                               \
        if ((st = tdm_grow(&c, &cap, *n + 1, sizeof *c) ? tdm_nomem(err, "who changed") : TDM_OK)) goto end;           \
        c[(*n)++] = (tdm_change){(uint32_t)(a), (uint32_t)(b)};                                                        \
    } while (0)
    for (size_t u = 0; u < was->U; u++) {
        if (user_now[u] == TDM_NONE) continue;
        for (; v < user_now[u]; v++) ADD(v, TDM_NONE);
        if (!same_rows(now, v, was, u, item_now)) ADD(v, u);
        v++;
    }
    for (; v < now->U; v++) ADD(v, TDM_NONE);
    for (size_t u = 0; u < was->U; u++)
        if (user_now[u] == TDM_NONE) ADD(TDM_NONE, u);
#undef ADD
end:
    if (st) tdm_free(c), *n = 0;
    else *out = c;
    return st;
}

/* ---- histories ---- */

tdm_status tdm_reading_open(tdm_reading *r, const tdm_dataset *d, const uint32_t *item_now, size_t I, size_t longest,
                            bool once, tdm_err *err)
{
    size_t most = 0;
    for (size_t u = 0; u < d->U; u++) {
        size_t n = (size_t)(d->offset[u + 1] - d->offset[u]);
        if (n > most) most = n;
    }
    *r = (tdm_reading){d,
                       item_now,
                       longest,
                       once,
                       tdm_new(I, sizeof *r->last),
                       tdm_new(most < longest ? most : longest, sizeof *r->item)};
    return r->last && r->item ? TDM_OK : tdm_nomem(err, "histories");
}

void tdm_reading_close(tdm_reading *r)
{
    tdm_free(r->last);
    tdm_free(r->item);
    *r = (tdm_reading){0};
}

size_t tdm_reading_of(tdm_reading *r, size_t u)
{
    if (u == TDM_NONE) return 0;
    size_t begin = (size_t)r->d->offset[u], at = (size_t)r->d->offset[u + 1], n = 0;
    while (at-- > begin && n < r->longest) { /* newest first, then turned round */
        uint32_t i = r->d->item[at];
        if (r->item_now) i = r->item_now[i];
        if (i == TDM_NONE || (r->once && r->last[i] == u + 1)) continue;
        r->last[i] = (uint32_t)u + 1;
        r->item[n++] = i;
    }
    for (size_t a = 0, b = n; a + 1 < b--; a++) {
        uint32_t i = r->item[a];
        r->item[a] = r->item[b];
        r->item[b] = i;
    }
    return n;
}

/* ---- the rows of some people ---- */

tdm_status tdm_rows_of(tdm_rows *out, const tdm_dataset *d, const uint32_t *people, size_t n, const uint32_t *item_now,
                       size_t I, size_t longest, bool once, tdm_err *err)
{
    size_t N = 0;
    *out = (tdm_rows){0};
    for (size_t p = 0; p < n; p++)
        if (people[p] != TDM_NONE) N += (size_t)(d->offset[people[p] + 1] - d->offset[people[p]]);
    int64_t *offset = tdm_new(n + 1, sizeof *offset);
    uint32_t *item = tdm_new(N, sizeof *item);
    float *rating = tdm_new(N, sizeof *rating);
    tdm_status st = offset && item && rating ? TDM_OK : tdm_nomem(err, "the rows of who changed");
    size_t at = 0;
    for (size_t p = 0; !st && p < n; p++) {
        for (int64_t k = people[p] == TDM_NONE ? 0 : d->offset[people[p]];
             people[p] != TDM_NONE && k < d->offset[people[p] + 1]; k++) {
            uint32_t i = item_now ? item_now[d->item[k]] : d->item[k];
            if (i == TDM_NONE) continue;
            item[at] = i;
            rating[at++] = d->rating ? d->rating[k] : NAN;
        }
        offset[p + 1] = (int64_t)at;
    }
    const tdm_dataset some = {.U = n, .I = I, .N = at, .offset = offset, .item = item, .rating = rating};
    if (!st) st = tdm_rows_make(out, &some, longest, once, err);
    tdm_free(offset);
    tdm_free(item);
    tdm_free(rating);
    return st;
}

tdm_status tdm_people_with(uint32_t **out, size_t *n, const tdm_dataset *d, const unsigned char *only, tdm_err *err)
{
    uint32_t *people = *out = tdm_new(d->U, sizeof *people);
    *n = 0;
    if (!people) return tdm_nomem(err, "who has an item");
    for (size_t u = 0; u < d->U; u++) {
        unsigned char any = 0;
        for (int64_t k = d->offset[u]; k < d->offset[u + 1]; k++) any |= only[d->item[k]];
        people[*n] = (uint32_t)u;
        *n += any;
    }
    return TDM_OK;
}

void tdm_rows_mark(unsigned char *only, float *missing, const double *mass, size_t I, double share, tdm_updated *what)
{
    double all = 0, lack = 0;
    *what = (tdm_updated){0};
    for (size_t i = 0; i < I; i++) {
        all += mass[i];
        only[i] = (double)missing[i] > share * mass[i];
        what->remade += only[i];
        if (only[i]) missing[i] = 0;
        lack += (double)missing[i];
        if (missing[i] > 0 && (double)missing[i] / mass[i] > what->most) what->most = (double)missing[i] / mass[i];
    }
    what->missing = all > 0 ? lack / all : 0;
}
