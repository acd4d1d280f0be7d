/* SPDX-License-Identifier: Apache-2.0 */
/* transitions.c - what comes right after the last item: a Markov chain of the first order.
 *
 *     score(t) = P(t | a) = (c_at + shrink * P(t)) / (c_a + shrink)        a: the history's last item
 *
 * c_at counts where t stands right behind a in training, c_a is their sum over t, and P(t) the share of all training
 * rows that chose t: the fewer times a was left, the more the guess leans to what is popular (the Dirichlet prior of
 * MacKay and Peto, "A Hierarchical Dirichlet Language Model", 1995). It is the chain that FPMC factorises (Rendle,
 * Freudenthaler and Schmidt-Thieme, WWW 2010), written out. Older items say nothing here; cooccurrence asks them too.
 *
 * The scores of all items are a distribution, and a history of nothing gets P itself. The last item's share of a score
 * is c_at over the numerator; the prior's goes to `rest`. */
#include "base/mem.h"
#include "base/status.h"
#include "cf/cf.h"
#include "cf/links.h"
#include "cf/rows.h"
#include "model/evidence.h"
#include "model/stored.h"

#include <math.h>

static const tdm_param params[] = {
    {"shrink", 1, 0, 1000, TDM_LOG, "imagined steps from each item to what is popular", {0.05, 50}},
    {"k", 1000, 1, 100000, TDM_INTEGER, "next items kept for an item"},
    {0},
};

typedef struct transitions {
    tdm_model base;
    tdm_params p;
    tdm_links next;        /* weight: c_at / (c_a + shrink) */
    const float *prior;    /* I: shrink / (c_a + shrink); 1 where nothing followed */
    const float *chosen;   /* I: P */
    tdm_safetensors *file; /* what mapped arrays lie in; NULL for a fitted model, which owns them */
} transitions;

static void transitions_close(tdm_model *m)
{
    transitions *s = (transitions *)m;
    if (!s) return;
    tdm_links_clear(&s->next);
    if (!s->file) {
        tdm_free((void *)(uintptr_t)s->prior);
        tdm_free((void *)(uintptr_t)s->chosen);
    }
    tdm_safetensors_close(s->file);
    tdm_free(s);
}

typedef struct counting {
    const tdm_rows *rows;
    const double *all; /* I: c_a + shrink */
} counting;

static bool is_last(const tdm_rows *r, int64_t k)
{
    return r->offset[r->user[k]] + r->place[k] + 1 == r->offset[r->user[k] + 1];
}

static void row(void *ctx, tdm_tally *t, uint32_t from)
{
    const tdm_rows *r = ((const counting *)ctx)->rows;
    for (int64_t k = r->from[from]; k < r->from[from + 1]; k++)
        if (!is_last(r, k)) tdm_tally_add(t, r->item[r->offset[r->user[k]] + r->place[k] + 1], 1);
}

static float weight(void *ctx, uint32_t from, uint32_t to, double sum, uint32_t count)
{
    (void)to, (void)count;
    return (float)(sum / ((const counting *)ctx)->all[from]);
}

static tdm_status make(transitions *s, const tdm_rows *r, const tdm_fit_input *in, tdm_err *err)
{
    double shrink = tdm_param_get(&s->p, "shrink");
    double *all = tdm_new(r->I, sizeof *all);
    float *prior = tdm_new(r->I, sizeof *prior), *chosen = tdm_new(r->I, sizeof *chosen);
    s->prior = prior;
    s->chosen = chosen;
    if (!all || !prior || !chosen) {
        tdm_free(all);
        return tdm_nomem(err, "transitions");
    }
    for (size_t a = 0; a < r->I; a++) {
        double left = 0;
        for (int64_t k = r->from[a]; k < r->from[a + 1]; k++) left += !is_last(r, k);
        all[a] = left + shrink;
        prior[a] = left > 0 ? (float)(shrink / all[a]) : 1;
        chosen[a] = r->N ? (float)((double)tdm_rows_count(r, a) / (double)r->N) : 0;
    }
    counting c = {r, all};
    const tdm_links_maker maker = {row, weight, &c};
    tdm_status st =
        tdm_links_make(&s->next, r->I, (size_t)tdm_param_get(&s->p, "k"), &maker, in->run, "transitions", err);
    tdm_free(all);
    return st;
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    tdm_rows rows;
    tdm_status st = tdm_rows_make(&rows, in->train, SIZE_MAX, false, err);
    if (st) return st;
    transitions *s = tdm_new(1, sizeof *s);
    if (!s) {
        tdm_rows_clear(&rows);
        return tdm_nomem(err, "transitions");
    }
    *s = (transitions){.base.ops = &tdm_transitions_ops, .p = *in->params};
    st = make(s, &rows, in, err);
    tdm_rows_clear(&rows);
    if (st) transitions_close(&s->base);
    else *out = &s->base;
    return st;
}

/* The place of the last item that the model knows; h->n where there is none. */
static size_t last_of(const transitions *s, const tdm_history *h)
{
    size_t n = h->n;
    while (n > 0 && h->items[n - 1] >= s->next.I) n--;
    return n ? n - 1 : h->n;
}

static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const transitions *s = (const transitions *)m;
    size_t I = s->next.I;
    (void)err;
    for (size_t b = 0; b < B; b++, scores += I) {
        size_t last = last_of(s, &h[b]);
        float prior = last < h[b].n ? s->prior[h[b].items[last]] : 1;
        for (size_t i = 0; i < I; i++) scores[i] = prior * s->chosen[i];
        if (last < h[b].n) {
            uint32_t a = h[b].items[last];
            for (int64_t k = s->next.offset[a]; k < s->next.offset[a + 1]; k++)
                scores[s->next.item[k]] += s->next.weight[k];
        }
        for (size_t i = 0; i < I; i++)
            if (!(scores[i] > 0)) scores[i] = -INFINITY;
    }
    return TDM_OK;
}

static tdm_status because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err)
{
    const transitions *s = (const transitions *)m;
    *out = (tdm_evidence){.rest = 1};
    double *part = tdm_new(h->n, sizeof *part);
    if (!part) return tdm_nomem(err, "a history's shares");
    size_t last = last_of(s, h);
    if (last < h->n) {
        uint32_t a = h->items[last];
        part[last] = (double)tdm_links_at(&s->next, a, item);
        tdm_evidence_shares(out, h, part, (double)s->prior[a] * (double)s->chosen[item]);
    }
    tdm_free(part);
    return TDM_OK;
}

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    const transitions *s = (const transitions *)m;
    tdm_tensor t[5];
    tdm_links_tensors(t, &s->next, "next.offset", "next.item", "next.weight");
    t[3] = tdm_tensor_1d("prior", TDM_F32, s->prior, s->next.I);
    t[4] = tdm_tensor_1d("chosen", TDM_F32, s->chosen, s->next.I);
    return tdm_stored_write(path, s->base.ops->name, &s->p, t, 5, err);
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    *out = NULL;
    transitions *s = tdm_new(1, sizeof *s);
    if (!s) return tdm_nomem(err, path);
    *s = (transitions){.base.ops = &tdm_transitions_ops};
    tdm_status st = tdm_stored_open(&s->file, &s->p, path, s->base.ops->name, s->base.ops->params, err);
    if (!st) st = tdm_links_read(&s->next, s->file, path, train->I, "next.offset", "next.item", "next.weight", err);
    if (!st) st = tdm_stored_floats(s->file, &s->prior, path, "prior", train->I, err);
    if (!st) st = tdm_stored_floats(s->file, &s->chosen, path, "chosen", train->I, err);
    if (!s->file) s->prior = s->chosen = NULL;
    if (st) transitions_close(&s->base);
    else *out = &s->base;
    return st;
}

const tdm_model_ops tdm_transitions_ops = {
    .name = "transitions",
    .summary = "what comes right after the last item",
    .path = "cf/transitions.safetensors",
    .params = params,
    .optional = true,
    .fit = fit,
    .score = score,
    .because = because,
    .save = save,
    .load = load,
    .close = transitions_close,
};
