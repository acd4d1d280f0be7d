/* SPDX-License-Identifier: Apache-2.0 */
#include "cf/square.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernels/spd.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* The matrix, the solver's panel, and what is sparse: as it grows (doubling), and as it is kept. */
static double bytes_of(size_t n, size_t links, double pairs)
{
    double all = (double)n * (double)n, kept = (double)n * (double)(links < n ? links : n);
    double sparse = 3 * (sizeof(uint32_t) + sizeof(float));
    return (all + (double)n * TDM_SPD_PANEL) * sizeof(float) + (kept + (pairs < all ? pairs : all)) * sparse;
}

double tdm_square_room(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (double)pages * (double)page / 2 : INFINITY;
}

/* The largest n whose matrix the memory holds. */
static size_t largest(size_t n, size_t links, double pairs)
{
    double room = tdm_square_room();
    size_t low = 0; /* fits */
    while (low < n) {
        size_t mid = low + (n - low + 1) / 2;
        if (bytes_of(mid, links, pairs) <= room) low = mid;
        else n = mid - 1;
    }
    return low;
}

bool tdm_square_chosen(size_t I, const tdm_params *p, double pairs)
{
    double form = tdm_param_get(p, "form");
    size_t most = (size_t)tdm_param_get(p, "most_items"), links = (size_t)tdm_param_get(p, "k");
    if (form > 0) return form < 2;
    return I <= most && largest(I, links, pairs) == I;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Gives the n most chosen items a row; equally chosen ones by item. */
static tdm_status choose(tdm_square *s, const tdm_rows *r, tdm_err *err)
{
    uint64_t *key = tdm_new(r->I, sizeof *key); /* how many did not choose it, then the item */
    if (!key) return tdm_nomem(err, "the items by popularity");
    for (size_t i = 0; i < r->I; i++) key[i] = (uint64_t)(UINT32_MAX - (uint32_t)tdm_rows_count(r, i)) << 32 | i;
    if (s->n < r->I) qsort(key, r->I, sizeof *key, by_key);
    for (size_t i = 0; i < r->I; i++) s->slot[i] = TDM_NONE;
    for (size_t j = 0; j < s->n; j++) s->slot[(uint32_t)key[j]] = 0;
    tdm_free(key);
    for (size_t i = 0, n = 0; i < r->I; i++)
        if (s->slot[i] != TDM_NONE) {
            s->item[n] = (uint32_t)i;
            s->slot[i] = (uint32_t)n++;
        }
    return TDM_OK;
}

tdm_status tdm_square_make(tdm_square *out, const tdm_rows *r, size_t most_items, size_t links, double pairs,
                           tdm_run *run, const char *stage, tdm_err *err)
{
    tdm_square s = {.n = r->I < most_items ? r->I : most_items};
    *out = (tdm_square){0};
    s.n = largest(s.n, links, pairs);
    double gigabytes = bytes_of(s.n, links, pairs) / 1e9, work = (double)s.n * (double)s.n * (double)s.n;
    if (s.n < r->I)
        tdm_log(run, TDM_LOG_WARN, stage,
                "%zu items x items are too many; taking the %zu most chosen, and leaving the others to other models",
                r->I, s.n);
    tdm_log(run, TDM_LOG_INFO, stage, "a matrix of %zu x %zu: %.2g GB of memory and %.2g operations", s.n, s.n,
            gigabytes, work);
    s.item = tdm_new(s.n, sizeof *s.item);
    s.slot = tdm_new(r->I, sizeof *s.slot);
    s.at = tdm_new(s.n, s.n * sizeof *s.at);
    tdm_status st = TDM_OK;
    if (!s.item || !s.slot || !s.at)
        st = tdm_fail(err, TDM_E_NOMEM, "not enough memory for %zu x %zu items (%.2g GB); set %s.most_items lower", s.n,
                      s.n, gigabytes, stage);
    if (!st) st = choose(&s, r, err);
    if (st) tdm_square_clear(&s);
    else *out = s;
    return st;
}

void tdm_square_clear(tdm_square *s)
{
    tdm_free(s->item);
    tdm_free(s->slot);
    tdm_free(s->at);
    *s = (tdm_square){0};
}
