/* SPDX-License-Identifier: Apache-2.0 */
/* items.c - GPT-2 whose words are the items: what it is set to, and how it scores.
 *
 *     score(i | history) = E_i . LNf(x_last)          a logit over the whole catalogue in one product
 *
 * The state after the newest item foretells the next one. An item that no training row and no word says anything
 * about has no score. */
#include "gpt2/items.h"
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/items_parts.h"
#include "kernels/kernels.h"
#include "model/factors_topk.h"
#include "model/topk.h"

#include <math.h>
#include <stdlib.h>

const tdm_param tdm_items_params[] = {
    {"epochs", 14, 1, 1000, TDM_INTEGER, "passes over the training histories, at least (see updates)"},
    {"updates", 600, 0, 1000000, TDM_INTEGER, "a small log is passed over until there were this many updates"},
    {"patience", 3, 1, 1000, TDM_INTEGER,
     "epochs without a better judgement until training stops (more for a small log, see updates)"},
    {"layers", 1, 1, 48, TDM_INTEGER, "blocks", {1, 2}},
    {"channels", 128, 8, 4096, TDM_INTEGER, "length of an item's vector", {64, 256, 32}},
    {"heads", 2, 1, 64, TDM_INTEGER, "attention heads; channels is a multiple of it"},
    {"window", 50, 1, 2000, TDM_INTEGER, "newest items of a history that are read"},
    {"dropout", 0.4, 0, 0.9, TDM_LINEAR, "share of values left out while training", {0.1, 0.7}},
    {"rate", 0.002, 1e-6, 0.1, TDM_LOG, "AdamW's highest learning rate", {0.0003, 0.01}},
    {"floor", 0.01, 0, 1, TDM_LINEAR, "share of the rate at the end of its cosine; 1: the rate stays"},
    {"decay", 0.01, 0, 10, TDM_LOG, "AdamW's weight decay", {0.001, 1}},
    {"batch",
     2048,
     16,
     1000000,
     TDM_INTEGER,
     "tokens of a batch; a small log takes fewer, for 16 batches an epoch",
     {512, 4096, 512}},
    {"bf16", 0, 0, 1, TDM_INTEGER,
     "1: products in bf16, sums in floats (mixed precision); tandem doctor names the way"},
    {"average", 1.5, 0, 100, TDM_LINEAR, "epochs that the running average of the weights reaches back", {0.5, 4}},
    {0},
};

tdm_gpt2_shape tdm_items_shape(const tdm_params *p, size_t I)
{
    return (tdm_gpt2_shape){.V = I + 1,
                            .T = 1 + (size_t)tdm_param_get(p, "window"),
                            .C = (size_t)tdm_param_get(p, "channels"),
                            .L = (size_t)tdm_param_get(p, "layers"),
                            .H = (size_t)tdm_param_get(p, "heads")};
}

/* The vectors of `content`, or none where all of them are zero. */
static tdm_status content_vectors(const float **S, size_t *K, const tdm_model *content, size_t I, tdm_err *err)
{
    *S = NULL;
    *K = 0;
    if (!content || !content->ops->vectors) return TDM_OK;
    const float *v;
    size_t k;
    tdm_status st = content->ops->vectors(content, &v, &k, err);
    for (size_t i = 0; !st && i < I * k && !*S; i++)
        if (v[i] != 0) *S = v;
    if (*S) *K = k;
    return st;
}

tdm_status tdm_items_open(tdm_items **out, const float **S, const tdm_dataset *train, const tdm_model *content,
                          const tdm_params *p, tdm_err *err)
{
    *out = NULL;
    tdm_items *m = tdm_new(1, sizeof *m);
    if (!m) return tdm_nomem(err, "gpt2-items");
    *m = (tdm_items){.base.ops = &tdm_gpt2_items_ops, .p = *p, .I = train->I, .id = &train->item_id};
    const float *vectors;
    tdm_status st = content_vectors(&vectors, &m->K, content, m->I, err);
    m->known = tdm_new(m->I, 1);
    m->prior = tdm_new(m->I, sizeof *m->prior);
    if (!st && (!m->known || !m->prior)) st = tdm_nomem(err, "gpt2-items");
    if (st) {
        tdm_items_close(&m->base);
        return st;
    }
    for (size_t j = 0; j < train->N; j++) {
        m->known[train->item[j]] = TDM_ITEMS_CHOSEN;
        m->prior[train->item[j]]++;
    }
    for (size_t i = 0; i < m->I; i++) m->prior[i] = logf((m->prior[i] + 1) / (float)(train->N + m->I));
    for (size_t i = 0; i < m->I; i++)
        for (size_t k = 0; k < m->K && !m->known[i]; k++) m->known[i] = vectors[i * m->K + k] != 0; /* by words */
    if (S) *S = vectors;
    *out = m;
    return TDM_OK;
}

void tdm_items_close(tdm_model *m)
{
    tdm_items *s = (tdm_items *)m;
    if (!s) return;
    tdm_gpt2_close(s->g);
    tdm_free(s->known);
    tdm_free(s->prior);
    tdm_free(s->P);
    tdm_free(s);
}

size_t tdm_items_tokens(const tdm_items *m, uint32_t *token, const tdm_history *h, size_t skip)
{
    size_t n = 0, from = h->n, room = m->g->s.T - 1;
    while (from > 0 && room > 0) room -= h->items[--from] < m->I;
    token[n++] = (uint32_t)m->I;
    for (; from < h->n; from++)
        if (h->items[from] < m->I && from != skip) token[n++] = h->items[from];
    return n;
}

/* last: B x C, what stands behind the newest item of each history. */
static tdm_status states(const tdm_items *s, float *last, const tdm_history *h, size_t B, tdm_err *err)
{
    size_t T = s->g->s.T, room = 0;
    for (size_t b = 0; b < B; b++) room += h[b].n < T ? h[b].n + 1 : T;
    uint32_t *token = tdm_new(room, sizeof *token), *start = tdm_new(B + 1, sizeof *start);
    tdm_status st = token && start ? TDM_OK : tdm_nomem(err, "the histories of gpt2-items");
    tdm_gpt2_batch batch = {.token = token, .start = start, .S = B};
    for (size_t b = 0; b < B && !st; b++) {
        batch.N += tdm_items_tokens(s, token + batch.N, &h[b], SIZE_MAX);
        start[b + 1] = (uint32_t)batch.N;
    }
    if (!st) st = tdm_gpt2_last(s->g, last, &batch, err);
    tdm_free(token);
    tdm_free(start);
    return st;
}

static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const tdm_items *s = (const tdm_items *)m;
    size_t C = s->g->s.C;
    float *last = tdm_new(B, C * sizeof *last);
    tdm_status st = last ? states(s, last, h, B, err) : tdm_nomem(err, "the histories of gpt2-items");
    if (!st) {
        tdm_gemm(0, 1, B, s->I, C, 1, last, C, s->g->w.wte, C, 0, scores, s->I);
        for (size_t i = 0; i < s->I; i++)
            for (size_t b = 0; b < B && !s->known[i]; b++) scores[b * s->I + i] = -INFINITY;
    }
    tdm_free(last);
    return st;
}

enum { HISTORIES = 48 }; /* read at once */

/* The best without a row of scores: one pass over the catalogue for many histories. Its sums are those of score() up to
 * their rounding, as scores of another batch are. */
static tdm_status topk(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B, const tdm_wanted *w,
                       tdm_err *err)
{
    const tdm_items *s = (const tdm_items *)m;
    size_t C = s->g->s.C;
    if (C % TDM_PAD) return tdm_model_topk_of_scores(m, out, h, B, w, s->I, err); /* the pass reads whole vectors */
    float *last = tdm_new(B, C * sizeof *last);
    uint8_t *barred = tdm_new(s->I, 1);
    tdm_status st = last && barred ? TDM_OK : tdm_nomem(err, "the histories of gpt2-items");
    for (size_t b = 0; b < B && !st; b += HISTORIES)
        st = states(s, last + b * C, h + b, B - b < HISTORIES ? B - b : HISTORIES, err);
    if (!st) {
        for (size_t i = 0; i < s->I; i++) barred[i] = !s->known[i] || (w->barred && w->barred[i]);
        tdm_wanted of_known = *w;
        of_known.barred = barred;
        const tdm_factors f = {s->g->w.wte, s->I, C};
        st = tdm_factors_topk(out, &f, last, h, B, &of_known, err);
    }
    tdm_free(last);
    tdm_free(barred);
    return st;
}

static tdm_status vectors(const tdm_model *m, const float **out, size_t *K, tdm_err *err)
{
    const tdm_items *s = (const tdm_items *)m;
    (void)err;
    *out = s->g->w.wte;
    *K = s->g->s.C;
    return TDM_OK;
}

static const char *const needs[] = {"content", NULL};

const tdm_model_ops tdm_gpt2_items_ops = {
    .name = "gpt2-items",
    .summary = "a GPT-2 that reads histories in order and foretells the next item",
    .path = "gpt2-items",
    .needs = needs,
    .params = tdm_items_params,
    .fit = tdm_items_fit,
    .score = score,
    .topk = topk,
    .because = tdm_items_because,
    .vectors = vectors,
    .save = tdm_items_save,
    .load = tdm_items_load,
    .close = tdm_items_close,
};
