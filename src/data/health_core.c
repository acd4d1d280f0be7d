/* SPDX-License-Identifier: Apache-2.0 */
/* health_core.c - how much each k-core would leave: the funnel that --core N opens.
 *
 * The k-core is what is left when people and items with fewer than k rows are taken away until there are none. The next
 * core lies inside the last one, so peeling goes on from where it stopped and every row is taken away at most once from
 * each of its ends: all five cores together are linear. Needs the people of each item, 4 bytes a row. */
#include "data/health_parts.h"

#include "base/mem.h"

#include <stdio.h>

typedef struct side {
    uint32_t *rows;  /* what is left of each one's rows; 0: gone */
    uint32_t *stack; /* gone, their rows not yet taken from the other side */
    size_t n, waiting, left;
} side;

typedef struct peel {
    side user, item;
    uint32_t *at;      /* I + 1 */
    uint32_t *by_item; /* the people of each item, of those with two rows or more */
} peel;

static bool side_init(side *s, size_t n)
{
    *s = (side){.rows = tdm_new(n, sizeof *s->rows), .stack = tdm_new(n, sizeof *s->stack), .n = n};
    return s->rows && s->stack;
}

static void side_clear(side *s)
{
    tdm_free(s->rows);
    tdm_free(s->stack);
}

static void leave(side *s, uint32_t x)
{
    s->rows[x] = 0;
    s->stack[s->waiting++] = x;
    s->left--;
}

static void lose_row(side *s, uint32_t x, uint32_t k)
{
    if (s->rows[x] && --s->rows[x] < k) leave(s, x);
}

static bool peel_init(peel *p, const tdm_dataset *d)
{
    bool users = side_init(&p->user, d->U), items = side_init(&p->item, d->I);
    p->at = tdm_new(d->I + 1, sizeof *p->at);
    if (!users || !items || !p->at) return false;
    size_t n = 0;
    for (size_t u = 0; u < d->U; u++) {
        uint32_t rows = (uint32_t)(d->offset[u + 1] - d->offset[u]);
        if (rows < 2) continue; /* in no core, and in many logs most of all people */
        p->user.rows[u] = rows;
        p->user.left++;
        n += rows;
        for (int64_t j = d->offset[u]; j < d->offset[u + 1]; j++) p->item.rows[d->item[j]]++;
    }
    if (!(p->by_item = tdm_new(n, sizeof *p->by_item))) return false;
    for (size_t i = 0; i < d->I; i++) {
        p->at[i + 1] = p->at[i] + p->item.rows[i];
        p->item.left += p->item.rows[i] > 0;
    }
    for (size_t u = 0; u < d->U; u++) /* at[i] walks from the item's begin to its end, which is the next one's begin */
        for (int64_t j = d->offset[u]; p->user.rows[u] && j < d->offset[u + 1]; j++)
            p->by_item[p->at[d->item[j]]++] = (uint32_t)u;
    for (size_t i = d->I; i > 0; i--) p->at[i] = p->at[i - 1];
    p->at[0] = 0;
    return true;
}

static void peel_to(peel *p, const tdm_dataset *d, uint32_t k)
{
    side *sides[] = {&p->user, &p->item};
    for (int s = 0; s < 2; s++)
        for (size_t x = 0; x < sides[s]->n; x++)
            if (sides[s]->rows[x] && sides[s]->rows[x] < k) leave(sides[s], (uint32_t)x);
    while (p->user.waiting || p->item.waiting) {
        while (p->user.waiting) {
            uint32_t u = p->user.stack[--p->user.waiting];
            for (int64_t j = d->offset[u]; j < d->offset[u + 1]; j++) lose_row(&p->item, d->item[j], k);
        }
        while (p->item.waiting) {
            uint32_t i = p->item.stack[--p->item.waiting];
            for (uint32_t j = p->at[i]; j < p->at[i + 1]; j++) lose_row(&p->user, p->by_item[j], k);
        }
    }
}

static bool core_add(cJSON *funnel, const peel *p, uint32_t k)
{
    char name[16];
    uint64_t rows = 0;
    for (size_t u = 0; u < p->user.n; u++) rows += p->user.rows[u];
    snprintf(name, sizeof name, "%u", k);
    cJSON *o = cJSON_AddObjectToObject(funnel, name);
    return o && tdm_health_number(o, "users", (double)p->user.left) &&
           tdm_health_number(o, "items", (double)p->item.left) && tdm_health_number(o, "interactions", (double)rows);
}

tdm_status tdm_health_core(cJSON *h, const tdm_dataset *d, tdm_err *err)
{
    static const uint32_t cores[] = {2, 3, 5, 10, 20};
    peel p = {0};
    cJSON *funnel = cJSON_CreateObject();
    bool ok = peel_init(&p, d) && funnel;
    for (size_t k = 0; ok && k < sizeof cores / sizeof *cores; k++) {
        peel_to(&p, d, cores[k]);
        ok = core_add(funnel, &p, cores[k]);
    }
    side_clear(&p.user);
    side_clear(&p.item);
    tdm_free(p.at);
    tdm_free(p.by_item);
    if (ok) ok = tdm_health_put(h, "core", funnel);
    else cJSON_Delete(funnel);
    return ok ? TDM_OK : tdm_nomem(err, "the health table");
}
