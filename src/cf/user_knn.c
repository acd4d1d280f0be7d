/* SPDX-License-Identifier: Apache-2.0 */
/* user_knn.c - what people with similar histories chose: the k nearest people vote with their similarity.
 *
 *     score(t) = sum over the k most similar people v who chose t: s_v^amplify * d(v, t) / n_t^target
 *
 * (Resnick et al., "GroupLens", CSCW 1994; Herlocker et al., SIGIR 1999; amplification: Breese et al., UAI 1998.) The
 * s_v are those of similar.h. d(v, t) = gap_decay^(steps - 1) for an item that v chose `steps` after the newest item
 * the two share, and `before` times that for one chosen earlier: what a neighbour went on to says more than where that
 * neighbour came from. gap_decay = before = 1 is the classic vote. The neighbours are found by neighbours.h.
 *
 * Ratings: over the rated_k most similar raters of t, around the baseline b,
 *
 *     r(t) = b(h, t) + sum s_v (r_vt - b(v, t)) / (sum s_v + 0.01)
 *
 * The model is its training rows and a baseline: the rest is made again when it is opened. A person is never a
 * neighbour of the same person (history.self). */
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "cf/cf.h"
#include "cf/neighbours.h"
#include "model/evidence.h"
#include "model/stored.h"
#include "model/topk.h"

#include <math.h>

static const tdm_param params[] = {
    {"k", 500, 1, 100000, TDM_INTEGER, "neighbours that vote", {50, 2000}},
    {"similarity", 0, 0, 1, TDM_INTEGER, "0: cosine; 1: Pearson, where the history has ratings"},
    {"shrink", 0.5, 0, 1000, TDM_LOG, "people who share so few items count by c / (c + shrink)", {0.05, 50}},
    {"iuf_power", 1, 0, 4, TDM_LINEAR, "how much rare items say more than common ones", {0, 2}},
    {"amplify", 0.75, 0.1, 10, TDM_LINEAR, "power of the similarity in the vote", {0.3, 3}},
    {"target_power", 0.15, 0, 1, TDM_LINEAR, "popularity of the recommended item that is divided out", {0, 0.6}},
    {"gap_decay",
     0.85,
     0,
     1,
     TDM_LINEAR,
     "what a neighbour chose a step further from the shared item still counts",
     {0.3, 1}},
    {"before",
     0.3,
     0,
     1,
     TDM_LINEAR,
     "what a neighbour chose before the shared item counts beside what came after",
     {0, 1}},
    {"history_decay", 0.7, 0, 1, TDM_LINEAR, "how much an item one step older in the history still counts", {0.2, 1}},
    {"rated_similarity", 1, 1, 2, TDM_INTEGER, "of ratings, 1: Pearson; 2: cosine of centred ratings"},
    {"rated_k", 60, 1, 10000, TDM_INTEGER, "raters of an item that predict a rating"},
    {"rated_shrink", 20, 0, 10000, TDM_LOG, "people who rated so few common items count by c / (c + rated_shrink)"},
    {"longest", 1000, 2, 1000000, TDM_INTEGER, "newest rows of a person that are read"},
    {"search", 0, 0, 2, TDM_INTEGER, "0: approximate from 1,000,000 people on; 1: exact; 2: approximate"},
    {"unread", 0.05, 0, 0.9, TDM_LINEAR,
     "approximate: part of the history's weight whose lists of people are not read"},
    {0},
};

enum {
    REACH = 256,
    MANY = 1000000
}; /* steps after which gap_decay falls no further; people who are searched roughly */

typedef struct user_knn {
    tdm_model base;
    tdm_params p;
    tdm_baseline baseline;
    tdm_people people;
    tdm_crowd crowd;
    float *damp;            /* I: 1 / n_t^target_power */
    double near[REACH + 1]; /* near[steps] = gap_decay^(steps - 1) */
    size_t k;
    double before, amplify, unread;
    uint64_t mark; /* of the training rows */
    tdm_safetensors *file;
} user_knn;

static void user_knn_close(tdm_model *m)
{
    user_knn *s = (user_knn *)m;
    if (!s) return;
    tdm_crowd_clear(&s->crowd);
    tdm_people_clear(&s->people);
    tdm_baseline_clear(&s->baseline);
    tdm_free(s->damp);
    tdm_safetensors_close(s->file);
    tdm_free(s);
}

static uint64_t rows_mark(const tdm_rows *r)
{
    uint64_t x = tdm_mix64(r->U ^ tdm_mix64(r->I));
    for (size_t u = 0; u < r->U; u++) x = tdm_mix64(x ^ (uint64_t)r->offset[u + 1]);
    for (size_t k = 0; k < r->N; k++) x = tdm_mix64(x ^ r->item[k]);
    return x;
}

/* All that follows from the rows (taken), the baseline and the parameters. */
static tdm_status prepare(user_knn *s, tdm_rows *rows, tdm_err *err)
{
    s->mark = rows_mark(rows);
    s->k = (size_t)tdm_param_get(&s->p, "k");
    s->before = tdm_param_get(&s->p, "before");
    s->amplify = tdm_param_get(&s->p, "amplify");
    double gap_decay = tdm_param_get(&s->p, "gap_decay"), target = tdm_param_get(&s->p, "target_power");
    s->near[1] = 1;
    for (size_t g = 2; g <= REACH; g++) s->near[g] = s->near[g - 1] * gap_decay;
    tdm_status st = tdm_people_make(&s->people, rows, &s->baseline, tdm_param_get(&s->p, "iuf_power"), err);
    if (!st) st = tdm_crowd_make(&s->crowd, &s->people, err);
    if (st) return st;
    double search = tdm_param_get(&s->p, "search");
    bool near = search > 0 ? search > 1 : s->people.rows.U >= MANY;
    s->unread = near ? tdm_param_get(&s->p, "unread") : 0;
    s->damp = tdm_new(s->people.rows.I, sizeof *s->damp);
    if (!s->damp) return tdm_nomem(err, "user-knn");
    for (size_t i = 0; i < s->people.rows.I; i++) {
        size_t n = tdm_rows_count(&s->people.rows, i);
        s->damp[i] = n ? (float)pow((double)n, -target) : 0;
    }
    return TDM_OK;
}

static tdm_status fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err)
{
    *out = NULL;
    tdm_rows rows;
    tdm_status st = tdm_rows_make(&rows, in->train, (size_t)tdm_param_get(in->params, "longest"), true, err);
    if (st) return st;
    user_knn *s = tdm_new(1, sizeof *s);
    if (!s) {
        tdm_rows_clear(&rows);
        return tdm_nomem(err, "user-knn");
    }
    s->base.ops = &tdm_user_knn_ops;
    s->p = *in->params;
    st = tdm_baseline_make(&s->baseline, &rows, in->train, err);
    if (!st) st = prepare(s, &rows, err);
    tdm_rows_clear(&rows);
    if (st) user_knn_close(&s->base);
    else *out = &s->base;
    return st;
}

/* ---- ranking ---- */

/* One search: whose places are reused from history to history. */
typedef struct vote {
    tdm_probe probe;
    tdm_neighbours near;
    tdm_similar similar; /* by Pearson; made where it is asked for */
} vote;

static void vote_clear(vote *v)
{
    tdm_probe_clear(&v->probe);
    tdm_neighbours_clear(&v->near);
    tdm_similar_clear(&v->similar);
}

static tdm_status vote_make(vote *v, const user_knn *s, tdm_err *err)
{
    *v = (vote){0};
    return tdm_neighbours_make(&v->near, &s->people, s->k, err);
}

/* The k most similar by Pearson: those of everybody who shares an item. */
static tdm_status by_ratings(vote *v, const user_knn *s, double shrink, tdm_err *err)
{
    tdm_neighbours *near = &v->near;
    tdm_similar *all = &v->similar;
    tdm_status st = all->user ? TDM_OK : tdm_similar_make(all, &s->people, err);
    if (st) return st;
    tdm_similar_find(all, &s->people, &v->probe, shrink);
    near->n = tdm_topk(near->user, near->s, all->s, all->n, near->k);
    for (size_t b = 0; b < near->n; b++) {
        near->user[b] = all->user[near->user[b]];
        near->anchor[b] = all->anchor[near->user[b]];
    }
    return TDM_OK;
}

/* Finds the neighbours of `h`. */
static tdm_status vote_call(vote *v, const user_knn *s, const tdm_history *h, tdm_err *err)
{
    tdm_similarity kind = tdm_param_get(&s->p, "similarity") > 0 && h->ratings ? TDM_PEARSON : TDM_COSINE;
    double decay = tdm_param_get(&s->p, "history_decay"), shrink = tdm_param_get(&s->p, "shrink");
    tdm_probe_clear(&v->probe);
    tdm_status st = tdm_probe_make(&v->probe, &s->people, &s->baseline, h, kind, decay, err);
    if (!st && kind == TDM_PEARSON && !v->probe.n) { /* a rating array in which nothing is rated */
        kind = TDM_COSINE;
        tdm_probe_clear(&v->probe);
        st = tdm_probe_make(&v->probe, &s->people, &s->baseline, h, kind, decay, err);
    }
    if (st) return st;
    return kind == TDM_PEARSON
               ? by_ratings(v, s, shrink, err)
               : tdm_neighbours_find(&v->near, &s->people, &s->crowd, &v->probe, shrink, s->unread, err);
}

/* d(v, t) for the item at `place` of v's row, whose newest shared item is at `anchor`. The anchor itself, which the
 * asker has, counts in full. */
static double distance_weight(const user_knn *s, size_t anchor, size_t place)
{
    size_t steps = place > anchor ? place - anchor : anchor - place;
    double x = s->near[steps > REACH ? REACH : steps ? steps : 1];
    return place < anchor ? s->before * x : x;
}

static void score_one(const user_knn *s, float *scores, const vote *v)
{
    const tdm_rows *r = &s->people.rows;
    for (size_t i = 0; i < r->I; i++) scores[i] = 0;
    for (size_t b = 0; b < v->near.n; b++) {
        uint32_t person = v->near.user[b];
        double power = pow((double)v->near.s[b], s->amplify), back = power * s->before;
        size_t anchor = v->near.anchor[b], n = (size_t)(r->offset[person + 1] - r->offset[person]);
        const uint32_t *item = r->item + r->offset[person];
        for (size_t q = 0; q < anchor; q++)
            scores[item[q]] += (float)(back * s->near[anchor - q < REACH ? anchor - q : REACH]);
        scores[item[anchor]] += (float)power;
        for (size_t q = anchor + 1; q < n; q++)
            scores[item[q]] += (float)(power * s->near[q - anchor < REACH ? q - anchor : REACH]);
    }
    for (size_t i = 0; i < r->I; i++) scores[i] = scores[i] > 0 ? scores[i] * s->damp[i] : -INFINITY;
}

static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const user_knn *s = (const user_knn *)m;
    vote v;
    tdm_status st = vote_make(&v, s, err);
    for (size_t b = 0; b < B && !st; b++) {
        st = vote_call(&v, s, &h[b], err);
        if (!st) score_one(s, scores + b * s->people.rows.I, &v);
    }
    vote_clear(&v);
    return st;
}

tdm_status tdm_user_knn_people(const tdm_model *m, uint32_t *users, float *similarity, size_t *n, const tdm_history *h,
                               tdm_err *err)
{
    const user_knn *s = (const user_knn *)m;
    vote v;
    size_t most = *n;
    *n = 0;
    tdm_status st = vote_make(&v, s, err);
    if (!st) st = vote_call(&v, s, h, err);
    for (size_t b = 0; !st && b < v.near.n && b < most; b++) {
        users[b] = v.near.user[b];
        similarity[b] = v.near.s[b];
        *n = b + 1;
    }
    vote_clear(&v);
    return st;
}

/* Where in v's row `item` stands; SIZE_MAX: nowhere. */
static size_t place_of(const tdm_rows *r, uint32_t v, uint32_t item)
{
    size_t at = (size_t)r->offset[v], n = (size_t)r->offset[v + 1] - at;
    for (size_t q = 0; q < n; q++)
        if (r->item[at + q] == item) return q;
    return SIZE_MAX;
}

/* A neighbour's vote is split over the shared items as their similarity is: the numerator of s_v is a sum over them. */
static tdm_status because(const tdm_model *m, tdm_evidence *out, const tdm_history *h, uint32_t item, tdm_err *err)
{
    const user_knn *s = (const user_knn *)m;
    *out = (tdm_evidence){.rest = 1};
    double *part = tdm_new(h->n, sizeof *part);
    if (!part) return tdm_nomem(err, "a history's shares");
    vote v;
    tdm_status st = vote_make(&v, s, err);
    if (!st) st = vote_call(&v, s, h, err);
    for (size_t b = 0; !st && item < s->people.rows.I && b < v.near.n; b++) {
        uint32_t person = v.near.user[b];
        size_t place = place_of(&s->people.rows, person, item);
        if (place == SIZE_MAX) continue;
        double x = (double)v.near.s[b], sum = 0;
        tdm_evidence_person(out, person, (float)x);
        x = pow(x, s->amplify) * distance_weight(s, v.near.anchor[b], place);
        for (size_t j = 0; j < v.probe.n; j++) sum += tdm_similar_term(&s->people, &v.probe, j, person);
        for (size_t j = 0; j < v.probe.n; j++)
            part[v.probe.at[j]] += x * tdm_similar_term(&s->people, &v.probe, j, person) / sum;
    }
    if (!st) tdm_evidence_shares(out, h, part, 0);
    vote_clear(&v);
    tdm_free(part);
    return st;
}

/* ---- ratings ---- */

/* strength and residual: room for the raters of `item`. */
static double rate_one(const user_knn *s, const tdm_similar *similar, double user, uint32_t item, float *strength,
                       float *residual, uint32_t *best, size_t k)
{
    const tdm_rows *r = &s->people.rows;
    double sum = 0, mass = 0.01;
    size_t n = 0;
    for (int64_t at = r->from[item]; at < r->from[item + 1]; at++) {
        uint32_t v = r->user[at];
        float e = s->people.residual[r->offset[v] + r->place[at]];
        if (!(similar->of[v] > 0) || !isfinite(e)) continue;
        strength[n] = similar->of[v];
        residual[n++] = e;
    }
    size_t kept = tdm_topk(best, NULL, strength, n, k);
    for (size_t b = 0; b < kept; b++) {
        sum += (double)strength[best[b]] * (double)residual[best[b]];
        mass += (double)strength[best[b]];
    }
    return tdm_baseline_at(&s->baseline, user, item) + sum / mass;
}

static tdm_status rate(const tdm_model *m, float *ratings, const tdm_history *h, const uint32_t *items, size_t n,
                       tdm_err *err)
{
    const user_knn *s = (const user_knn *)m;
    tdm_similarity kind = tdm_param_get(&s->p, "rated_similarity") > 1 ? TDM_CENTRED : TDM_PEARSON;
    size_t U = s->people.rows.U, k = (size_t)tdm_param_get(&s->p, "rated_k");
    tdm_probe probe;
    tdm_similar similar = {0};
    tdm_status st = tdm_probe_make(&probe, &s->people, &s->baseline, h, kind, 1, err);
    float *strength = tdm_new(U, sizeof *strength), *residual = tdm_new(U, sizeof *residual);
    uint32_t *best = tdm_new(k, sizeof *best);
    if (!st && (!strength || !residual || !best)) st = tdm_nomem(err, "user-knn's ratings");
    if (!st) st = tdm_similar_make(&similar, &s->people, err);
    if (!st) {
        double user = tdm_baseline_user(&s->baseline, h);
        tdm_similar_find(&similar, &s->people, &probe, tdm_param_get(&s->p, "rated_shrink"));
        for (size_t i = 0; i < n; i++)
            ratings[i] =
                tdm_baseline_clip(&s->baseline, rate_one(s, &similar, user, items[i], strength, residual, best, k));
    }
    tdm_probe_clear(&probe);
    tdm_similar_clear(&similar);
    tdm_free(strength);
    tdm_free(residual);
    tdm_free(best);
    return st;
}

/* ---- disk ---- */

static tdm_status save(const tdm_model *m, const char *path, tdm_err *err)
{
    const user_knn *s = (const user_knn *)m;
    tdm_tensor t[3] = {tdm_tensor_1d("rows", TDM_U64, &s->mark, 1)};
    tdm_baseline_tensors(t + 1, &s->baseline);
    return tdm_stored_write(path, s->base.ops->name, &s->p, t, 3, err);
}

static tdm_status load(tdm_model **out, const char *path, const tdm_dataset *train, const tdm_model *const *needs,
                       tdm_err *err)
{
    (void)needs;
    const void *mark;
    tdm_rows rows = {0};
    *out = NULL;
    user_knn *s = tdm_new(1, sizeof *s);
    if (!s) return tdm_nomem(err, path);
    s->base.ops = &tdm_user_knn_ops;
    tdm_status st = tdm_stored_open(&s->file, &s->p, path, s->base.ops->name, params, err);
    if (!st) st = tdm_safetensors_need(s->file, &mark, "rows", TDM_U64, 1, err);
    if (!st) st = tdm_baseline_read(&s->baseline, s->file, path, train->I, err);
    if (!st) st = tdm_rows_make(&rows, train, (size_t)tdm_param_get(&s->p, "longest"), true, err);
    if (!st) st = prepare(s, &rows, err);
    tdm_rows_clear(&rows);
    if (!st && s->mark != *(const uint64_t *)mark)
        st = tdm_fail(err, TDM_E_FORMAT, "%s: was made from other training rows", path);
    if (st) user_knn_close(&s->base);
    else *out = &s->base;
    return st;
}

const tdm_model_ops tdm_user_knn_ops = {
    .name = "user-knn",
    .summary = "what people with similar histories chose",
    .path = "cf/user-knn.safetensors",
    .params = params,
    .fit = fit,
    .score = score,
    .rate = rate,
    .because = because,
    .save = save,
    .load = load,
    .close = user_knn_close,
};
