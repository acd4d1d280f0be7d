/* SPDX-License-Identifier: Apache-2.0 */
/* item_rows.c - item-knn's links of some items, row by row, by the definition in item_knn.c.
 *
 * A fit counts every pair once (item_pairs.h), which pays where all rows are made. An update makes few, and this is
 * what it asks: the cosine, in double precision, with sizes that need not be those of the rows it reads. */
#include "base/mem.h"
#include "base/status.h"
#include "cf/update.h"

#include <math.h>

typedef struct counting {
    const tdm_rows *rows;
    const unsigned char *only;      /* I: the rows to make */
    double *person;                 /* U: 1 / n_u^(2 activity) */
    double *size, *source, *target; /* I: |a|^2, and its powers */
    double shrink;
} counting;

static void row(void *ctx, tdm_tally *t, uint32_t from)
{
    const counting *c = ctx;
    const tdm_rows *r = c->rows;
    if (c->only && !c->only[from]) return;
    for (int64_t k = r->from[from]; k < r->from[from + 1]; k++) {
        uint32_t u = r->user[k];
        for (int64_t j = r->offset[u]; j < r->offset[u + 1]; j++)
            if (r->item[j] != from) tdm_tally_add(t, r->item[j], c->person[u]);
    }
}

static float weight(void *ctx, uint32_t from, uint32_t to, double sum, uint32_t count)
{
    const counting *c = ctx;
    return (float)(sum * count / (count + c->shrink) / (c->source[from] * c->target[to]));
}

tdm_status tdm_item_knn_links(tdm_links *out, const tdm_rows *rows, const double *size, const unsigned char *only,
                              const tdm_params *p, tdm_run *run, tdm_err *err)
{
    double activity = tdm_param_get(p, "activity");
    double *x = tdm_new(3 * rows->I + rows->U, sizeof *x);
    if (!x) return tdm_nomem(err, "item-knn");
    counting c = {.rows = rows, .only = only, .size = x, .source = x + rows->I, .target = x + 2 * rows->I};
    c.person = x + 3 * rows->I;
    c.shrink = tdm_param_get(p, "shrink");
    for (size_t u = 0; u < rows->U; u++) {
        double n = (double)(rows->offset[u + 1] - rows->offset[u]);
        c.person[u] = n > 0 ? pow(n, -2 * activity) : 0;
    }
    for (size_t i = 0; i < rows->I; i++) {
        for (int64_t k = rows->from[i]; k < rows->from[i + 1]; k++) c.size[i] += c.person[rows->user[k]];
        if (size) c.size[i] = size[i];
        c.source[i] = pow(c.size[i], tdm_param_get(p, "source_power"));
        c.target[i] = pow(c.size[i], tdm_param_get(p, "target_power"));
    }
    const tdm_links_maker maker = {row, weight, &c};
    tdm_status st = tdm_links_make(out, rows->I, (size_t)tdm_param_get(p, "k"), &maker, run, "item-knn", err);
    tdm_free(x);
    return st;
}
