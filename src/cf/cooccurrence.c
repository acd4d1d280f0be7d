/* SPDX-License-Identifier: Apache-2.0 */
/* cooccurrence.c - what follows what in people's histories, near steps counting more.
 *
 *     G[a, b] = sum over histories, over places p of a and q of b:  decay^(q - p - 1)            where b comes after a
 *                                                        reverse * decay^(p - q - 1)            where b came before
 *     link(a, b) = G[a, b] * c / (c + shrink) / (n_a^source * n_b^target)     c: pairs counted, n: people of an item
 *
 * Direction is most of what order tells a model without parameters to train: a refill follows its bottle. The reverse
 * counts less but not nothing, for many logs have one-day time stamps. Dividing by n_b^target keeps best-sellers from
 * following everything. Pairs further apart than where decay falls under a hundredth are not walked, so a history
 * costs its length and not its square. */
#include "base/mem.h"
#include "base/status.h"
#include "cf/cf.h"
#include "cf/linear.h"
#include "cf/update.h"

#include <math.h>
#include <string.h>

static const tdm_param params[] = {
    {"gap_decay", 0.85, 0, 1, TDM_LINEAR, "how much a pair one step further apart still counts", {0.3, 1}},
    {"reverse", 0.3, 0, 1, TDM_LINEAR, "how much what came before counts beside what came after", {0, 1}},
    {"shrink", 3, 0, 1000, TDM_LOG, "pairs seen so rarely count by c / (c + shrink)", {0.1, 30}},
    {"source_power", 0.5, 0, 1, TDM_LINEAR, "popularity of the history's item that is divided out", {0, 1}},
    {"target_power", 0.25, 0, 1, TDM_LINEAR, "popularity of the recommended item that is divided out", {0, 1}},
    {"history_decay", 0.6, 0, 1, TDM_LINEAR, "how much an item one step older in the history still counts", {0.2, 1}},
    {"k", 1000, 1, 100000, TDM_INTEGER, "links kept for an item"},
    {"longest", 1000, 2, 1000000, TDM_INTEGER, "newest rows of a person that are read"},
    {0},
};

enum { WINDOW = TDM_COOCCURRENCE_WINDOW };

typedef struct counting {
    const tdm_rows *rows;
    double after[WINDOW + 1];  /* after[gap] = decay^(gap - 1) */
    double before[WINDOW + 1]; /* reverse times that */
    size_t window;
    double shrink;
    double *source, *target;   /* I: n_a^source and n_b^target */
    const unsigned char *only; /* I: the rows to make; NULL: all */
} counting;

/* What stands around one place of a history: near[0 .. back) before it, near[back .. n) after it. */
typedef struct around {
    size_t back, n;
    uint32_t near[2 * WINDOW];
} around;

/* Histories lie far apart in memory. Their windows are fetched a few at a time, so that the waits overlap each other
 * and not the adding, in which each step may depend on the last. */
static void row(void *ctx, tdm_tally *t, uint32_t from)
{
    enum { AHEAD = 8 };
    const counting *c = ctx;
    const tdm_rows *r = c->rows;
    around w[AHEAD];
    if (c->only && !c->only[from]) return;
    for (int64_t k = r->from[from], m; k < r->from[from + 1]; k += m) {
        for (m = 0; m < AHEAD && k + m < r->from[from + 1]; m++) {
            const uint32_t *history = r->item + r->offset[r->user[k + m]];
            size_t n = (size_t)(r->offset[r->user[k + m] + 1] - r->offset[r->user[k + m]]), p = r->place[k + m];
            size_t back = p < c->window ? p : c->window, on = n - p - 1 < c->window ? n - p - 1 : c->window;
            memcpy(w[m].near, history + p - back, back * sizeof *history);
            memcpy(w[m].near + back, history + p + 1, on * sizeof *history);
            w[m].back = back;
            w[m].n = back + on;
        }
        for (int64_t j = 0; j < m; j++) {
            const around *x = &w[j];
            for (size_t q = c->before[1] > 0 ? 0 : x->back; q < x->back; q++)
                tdm_tally_add(t, x->near[q], c->before[x->back - q]);
            for (size_t q = x->back; q < x->n; q++) tdm_tally_add(t, x->near[q], c->after[q - x->back + 1]);
        }
    }
}

static float weight(void *ctx, uint32_t from, uint32_t to, double sum, uint32_t count)
{
    const counting *c = ctx;
    if (from == to) return 0; /* a history may repeat it */
    return (float)(sum * count / (count + c->shrink) / (c->source[from] * c->target[to]));
}

/* size: n of each item; NULL: as many as `rows` has. */
static bool counting_prepare(counting *c, const double *size, const tdm_params *p)
{
    double reverse = tdm_param_get(p, "reverse"), decay = tdm_param_get(p, "gap_decay"), x = 1;
    for (; c->window < WINDOW && x > 1e-2; x *= decay) {
        c->after[++c->window] = x;
        c->before[c->window] = reverse * x;
    }
    c->shrink = tdm_param_get(p, "shrink");
    c->source = tdm_new(c->rows->I, sizeof *c->source);
    c->target = tdm_new(c->rows->I, sizeof *c->target);
    if (!c->source || !c->target) return false;
    for (size_t i = 0; i < c->rows->I; i++) { /* here, for a pair of powers for each link is most of a fit */
        double n = size ? size[i] : (double)tdm_rows_count(c->rows, i);
        c->source[i] = pow(n, tdm_param_get(p, "source_power"));
        c->target[i] = pow(n, tdm_param_get(p, "target_power"));
    }
    return true;
}

tdm_status tdm_cooccurrence_links(tdm_links *out, const tdm_rows *rows, const double *size, const unsigned char *only,
                                  const tdm_params *p, tdm_run *run, tdm_err *err)
{
    counting c = {.rows = rows, .only = only};
    tdm_status st = counting_prepare(&c, size, p) ? TDM_OK : tdm_nomem(err, "co-occurrence");
    const tdm_links_maker maker = {row, weight, &c};
    if (!st) st = tdm_links_make(out, rows->I, (size_t)tdm_param_get(p, "k"), &maker, run, "cooccurrence", err);
    tdm_free(c.source);
    tdm_free(c.target);
    return st;
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    tdm_rows rows;
    tdm_status st = tdm_rows_make(&rows, in->train, (size_t)tdm_param_get(in->params, "longest"), false, err);
    if (st) return st;
    tdm_linear *l = tdm_linear_new(sizeof *l, &tdm_cooccurrence_ops, in->params);
    if (!l) st = tdm_nomem(err, "co-occurrence");
    if (!st) st = tdm_cooccurrence_links(&l->links, &rows, NULL, NULL, in->params, in->run, err);
    tdm_rows_clear(&rows);
    if (st) tdm_linear_close((tdm_model *)l);
    else *out = &l->base;
    return st;
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    return tdm_linear_load(out, sizeof(tdm_linear), &tdm_cooccurrence_ops, path, train->I, err);
}

const tdm_model_ops tdm_cooccurrence_ops = {
    .name = "cooccurrence",
    .summary = "what follows what in people's histories, near steps counting more",
    .path = "cf/cooccurrence.safetensors",
    .params = params,
    .fit = fit,
    .update = tdm_cooccurrence_update,
    .score = tdm_linear_score,
    .topk = tdm_linear_topk,
    .because = tdm_linear_because,
    .save = tdm_linear_save,
    .load = load,
    .close = tdm_linear_close,
};
