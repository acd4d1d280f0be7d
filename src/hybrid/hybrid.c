/* SPDX-License-Identifier: Apache-2.0 */
/* hybrid.c - the models' opinions, summed with learned weights (fusion.h says how, learn.c from what).
 *
 * All items are scored, not only candidates: an item that no model puts among its best cannot pass one that some model
 * does, save where several half-hearted opinions add up, and then that is what the weights say. One model's scores are
 * held at a time, so a batch needs one row of the catalogue beside its result. */
#include "hybrid/hybrid.h"

#include "base/mem.h"
#include "base/status.h"
#include "hybrid/fusion.h"
#include "hybrid/learn.h"
#include "model/evidence.h"

#include <math.h>
#include <string.h>

typedef struct hybrid {
    tdm_model base;
    tdm_fusion f;
    const tdm_model *model[TDM_FUSION_MODELS + 2]; /* one too many is still told apart; NULL at the end */
    const char *name[TDM_FUSION_MODELS + 1];
} hybrid;

static void hybrid_close(tdm_model *m)
{
    hybrid *s = (hybrid *)m;
    if (!s) return;
    tdm_fusion_clear(&s->f);
    tdm_free(s);
}

static tdm_status hybrid_new(hybrid **out, const tdm_model *const *needs, const tdm_dataset *train, tdm_err *err)
{
    *out = NULL;
    size_t P = 0;
    hybrid *s = tdm_new(1, sizeof *s);
    if (!s) return tdm_nomem(err, "the hybrid");
    s->base.ops = &tdm_hybrid_ops;
    for (; needs && needs[P] && P <= TDM_FUSION_MODELS; P++) {
        s->model[P] = needs[P];
        s->name[P] = needs[P]->ops->name;
    }
    tdm_status st = tdm_fusion_init(&s->f, s->model, train, err);
    if (st) hybrid_close(&s->base);
    else *out = s;
    return st;
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    hybrid *s;
    tdm_status st = hybrid_new(&s, in->needs, in->train, err);
    if (!st) st = tdm_fusion_learn(&s->f, in, err);
    if (!st) st = tdm_fusion_learn_ratings(&s->f, in, err);
    if (st && s) hybrid_close(&s->base);
    if (!st) *out = &s->base;
    return st;
}

/* ---- ranking ---- */

/* A model's weight for one history, as far as no item enters: constant, slope by people and step for the history's own
 * items. */
typedef struct slope {
    double constant, by_people, by_seen;
} slope;

static slope slope_of(const tdm_fusion *f, size_t p, size_t n)
{
    const double *w = f->part[p].weight;
    return (slope){w[0] + w[2] * tdm_gate_at(&f->by_length, log1p((double)n)), w[1], w[3]};
}

static float part_at(const tdm_fusion *f, size_t p, slope w, double norm, float score, uint32_t item, bool seen)
{
    double x = tdm_opinion_at(score, f->part[p].form, norm, f->part[p].floor);
    if (x == 0) return 0;
    double by_people = w.by_people * tdm_gate_at(&f->by_people, (double)f->people[item]);
    return (float)(x * (w.constant + by_people + (seen ? w.by_seen : 0)));
}

/* Whether an item is in the history, where that matters: all zero where such items do not come again. I numbers. */
static void seen_mark(const tdm_fusion *f, uint8_t *seen, const tdm_history *h, bool in)
{
    for (size_t j = 0; f->seen && j < h->n; j++)
        if (h->items[j] < f->I) seen[h->items[j]] = in;
}

/* What a network's fusion needs of one history: what all models say, and a tile's weights. */
typedef struct hearing {
    float *said;    /* 3 P x I: opinions of both kinds, and ranks */
    float *open;    /* I */
    uint32_t *best; /* TDM_FUSION_RANKED */
    uint8_t *seen;  /* I */
    float *people;  /* TILE */
    float *weight;  /* TILE x 2 P */
    float *room;
} hearing;

enum { TILE = 256 };

static void hearing_clear(hearing *a)
{
    tdm_free(a->said);
    tdm_free(a->open);
    tdm_free(a->best);
    tdm_free(a->seen);
    tdm_free(a->people);
    tdm_free(a->weight);
    tdm_free(a->room);
}

static tdm_status hearing_make(hearing *a, const tdm_fusion *f, tdm_err *err)
{
    *a = (hearing){.said = tdm_new(3 * f->P, f->I * sizeof *a->said),
                   .open = tdm_new(f->I, sizeof *a->open),
                   .best = tdm_new(TDM_FUSION_RANKED, sizeof *a->best),
                   .seen = tdm_new(f->I, 1),
                   .people = tdm_new(TILE, sizeof *a->people),
                   .weight = tdm_new(TILE, 2 * f->P * sizeof *a->weight),
                   .room = tdm_new(tdm_network_room(&f->net, TILE), sizeof *a->room)};
    if (a->said && a->open && a->best && a->seen && a->people && a->weight && a->room) return TDM_OK;
    hearing_clear(a);
    return tdm_nomem(err, "the hybrid's scores");
}

static tdm_status hear(hearing *a, const tdm_fusion *f, const tdm_history *h, tdm_err *err)
{
    double norm[2 * TDM_FUSION_MODELS];
    size_t P = f->P, I = f->I;
    tdm_status st = tdm_fusion_voices(f, a->said, norm, h, err);
    for (size_t p = 0; p < P && !st; p++) {
        const float *score = a->said + p * I;
        size_t n = tdm_fusion_best(f, a->best, a->open, score, h, TDM_FUSION_RANKED);
        tdm_fusion_ranks(f, a->said + (2 * P + p) * I, p, a->best, n, score);
    }
    for (size_t v = 0; v < 2 * P && !st; v++) {
        size_t p = v % P;
        float *o = a->said + v * I;
        for (size_t i = 0; i < I; i++) o[i] = (float)tdm_opinion_at(o[i], f->part[p].form, norm[v], f->part[p].floor);
    }
    return st;
}

/* Weights of the n items from `first`, into a->weight. */
static void weigh(hearing *a, const tdm_fusion *f, size_t length, size_t first, size_t n)
{
    for (size_t j = 0; j < n; j++) a->people[j] = (float)tdm_gate_at(&f->by_people, (double)f->people[first + j]);
    float by_length = (float)tdm_gate_at(&f->by_length, log1p((double)length));
    tdm_network_weigh(&f->net, a->weight, a->said + first, f->I, a->people, a->seen + first, by_length, n, a->room);
}

static tdm_status score_network(const tdm_fusion *f, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    hearing a;
    size_t V = 2 * f->P;
    tdm_status st = hearing_make(&a, f, err);
    if (st) return st;
    for (size_t b = 0; b < B && !st; b++) {
        float *sum = scores + b * f->I;
        st = hear(&a, f, &h[b], err);
        seen_mark(f, a.seen, &h[b], true);
        for (size_t first = 0; first < f->I && !st; first += TILE) {
            size_t n = f->I - first < TILE ? f->I - first : TILE;
            weigh(&a, f, h[b].n, first, n);
            for (size_t j = 0; j < n; j++) {
                sum[first + j] = 0;
                for (size_t v = 0; v < V; v++) sum[first + j] += a.said[v * f->I + first + j] * a.weight[j * V + v];
            }
        }
        seen_mark(f, a.seen, &h[b], false);
    }
    hearing_clear(&a);
    return st;
}

static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const hybrid *s = (const hybrid *)m;
    const tdm_fusion *f = &s->f;
    if (f->net.H) return score_network(f, scores, h, B, err);
    tdm_status st = TDM_OK;
    float *one = tdm_new(f->I, sizeof *one);
    uint8_t *seen = tdm_new(f->I, 1);
    if (!one || !seen) st = tdm_nomem(err, "the hybrid's scores");
    for (size_t b = 0; b < B && !st; b++) {
        float *sum = scores + b * f->I;
        memset(sum, 0, f->I * sizeof *sum);
        seen_mark(f, seen, &h[b], true);
        for (size_t p = 0; p < f->P && !st; p++) {
            st = f->model[p]->ops->score(f->model[p], one, &h[b], 1, err);
            if (st) break;
            double norm = tdm_opinion_norm(one, f->I, f->part[p].form);
            slope w = slope_of(f, p, h[b].n);
            for (uint32_t i = 0; i < f->I; i++) sum[i] += part_at(f, p, w, norm, one[i], i, seen[i]);
        }
        seen_mark(f, seen, &h[b], false);
    }
    tdm_free(one);
    tdm_free(seen);
    return st;
}

static tdm_status parts_network(const tdm_fusion *f, float *parts, const tdm_history *h, const uint32_t *items,
                                size_t n, tdm_err *err)
{
    hearing a;
    tdm_status st = hearing_make(&a, f, err);
    if (st) return st;
    st = hear(&a, f, h, err);
    seen_mark(f, a.seen, h, true);
    for (size_t k = 0; k < n && !st; k++) {
        weigh(&a, f, h->n, items[k], 1);
        for (size_t p = 0; p < f->P; p++)
            parts[k * f->P + p] =
                a.said[p * f->I + items[k]] * a.weight[p] + a.said[(f->P + p) * f->I + items[k]] * a.weight[f->P + p];
    }
    hearing_clear(&a);
    return st;
}

tdm_status tdm_hybrid_parts_of(const tdm_model *m, float *parts, const tdm_history *h, const uint32_t *items, size_t n,
                               tdm_err *err)
{
    const tdm_fusion *f = &((const hybrid *)m)->f;
    for (size_t k = 0; k < n; k++)
        if (items[k] >= f->I) return tdm_fail(err, TDM_E_ARG, "hybrid: there is no item %u among %zu", items[k], f->I);
    if (f->net.H) return parts_network(f, parts, h, items, n, err);
    float *one = tdm_new(f->I, sizeof *one);
    uint8_t *seen = tdm_new(f->I, 1);
    tdm_status st = one && seen ? TDM_OK : tdm_nomem(err, "the hybrid's parts");
    if (!st) seen_mark(f, seen, h, true);
    for (size_t p = 0; p < f->P && !st; p++) {
        st = f->model[p]->ops->score(f->model[p], one, h, 1, err);
        if (st) break;
        double norm = tdm_opinion_norm(one, f->I, f->part[p].form);
        slope w = slope_of(f, p, h->n);
        for (size_t k = 0; k < n; k++)
            parts[k * f->P + p] = part_at(f, p, w, norm, one[items[k]], items[k], seen[items[k]]);
    }
    tdm_free(one);
    tdm_free(seen);
    return st;
}

tdm_status tdm_hybrid_parts(const tdm_model *m, float *parts, const char *const **names, size_t *P,
                            const tdm_history *h, uint32_t item, tdm_err *err)
{
    const hybrid *s = (const hybrid *)m;
    *P = s->f.P;
    *names = s->name;
    return tdm_hybrid_parts_of(m, parts, h, &item, 1, err);
}

size_t tdm_hybrid_models(const tdm_model *m, const tdm_model *const **models)
{
    const hybrid *s = (const hybrid *)m;
    *models = s->model;
    return s->f.P;
}

/* ---- reasons ---- */

/* Every model's shares, weighted by how much its part moved the score. What a model cannot explain goes to the rest. */
static tdm_status because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err)
{
    const tdm_fusion *f = &((const hybrid *)m)->f;
    float part[TDM_FUSION_MODELS];
    const char *const *names;
    size_t P;
    double mass = 0, listed = 0;
    *out = (tdm_evidence){.rest = 1};
    tdm_status st = tdm_hybrid_parts(m, part, &names, &P, h, item, err);
    double *amount = st ? NULL : tdm_new(f->I, sizeof *amount);
    if (!st && !amount) st = tdm_nomem(err, "a recommendation's reasons");
    for (size_t p = 0; !st && p < P; p++) mass += fabs((double)part[p]);
    for (size_t p = 0; !st && p < P && mass > 0; p++) {
        tdm_evidence e;
        if (!f->model[p]->ops->because || part[p] == 0) continue;
        st = f->model[p]->ops->because(f->model[p], &e, h, item, err);
        for (size_t k = 0; !st && k < e.n_because; k++)
            if (e.because[k].item < f->I)
                amount[e.because[k].item] += (double)e.because[k].share * fabs((double)part[p]) / mass;
        for (size_t k = 0; !st && k < e.n_people && !out->n_people; k++) /* people of the first model that names some */
            out->people[k].user = e.people[k].user, out->people[k].similarity = e.people[k].similarity;
        if (!st && !out->n_people) out->n_people = e.n_people;
    }
    for (size_t j = 0; !st && j < h->n; j++) {
        if (h->items[j] >= f->I) continue;
        tdm_evidence_item(out, h->items[j], (float)amount[h->items[j]]);
        amount[h->items[j]] = 0; /* an item that repeats is listed once */
    }
    for (size_t k = 0; k < out->n_because; k++) listed += (double)out->because[k].share;
    out->rest = (float)(1 - listed);
    tdm_free(amount);
    return st;
}

/* ---- ratings ---- */

static tdm_status rate(const tdm_model *m, float *ratings, const tdm_history *h, const uint32_t *items, size_t n,
                       tdm_err *err)
{
    const tdm_fusion *f = &((const hybrid *)m)->f;
    tdm_status st = TDM_OK;
    float *one = tdm_new(n, sizeof *one);
    double *sum = tdm_new(n, sizeof *sum);
    if (!one || !sum) st = tdm_nomem(err, "the hybrid's ratings");
    for (size_t p = 0; !st && p < f->P; p++) {
        if (!f->model[p]->ops->rate) continue;
        st = f->model[p]->ops->rate(f->model[p], one, h, items, n, err);
        for (size_t k = 0; !st && k < n; k++)
            if (isfinite(one[k])) sum[k] += f->rate[p] * ((double)one[k] - f->mean);
    }
    for (size_t k = 0; !st && k < n; k++) ratings[k] = (float)(f->mean + f->shift + sum[k]);
    tdm_free(one);
    tdm_free(sum);
    return st;
}

/* ---- disk ---- */

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    return tdm_fusion_write(&((const hybrid *)m)->f, path, err);
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    hybrid *s;
    *out = NULL;
    tdm_status st = hybrid_new(&s, needs, train, err);
    if (!st) st = tdm_fusion_read(&s->f, path, err);
    if (st && s) hybrid_close(&s->base);
    if (!st) *out = &s->base;
    return st;
}

const tdm_model_ops tdm_hybrid_ops = {
    .name = "hybrid",
    .summary = "all models' opinions, joined by weights learned on validation people",
    .path = "fusion.json",
    .params = tdm_learn_params,
    .fit = fit,
    .score = score,
    .rate = rate,
    .because = because,
    .save = save,
    .load = load,
    .close = hybrid_close,
};
