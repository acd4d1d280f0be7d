/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c - what is the same for all models is prepared once; then each model is judged, then the pairs. */
#include "eval/evaluate.h"

#include "base/clock.h"
#include "base/mem.h"
#include "eval/judge.h"
#include "eval/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t low, high;
} lengths[TDM_LENGTHS] = {
#define X(name, low, high) {name, low, high},
    TDM_LENGTH_LIST(X)
#undef X
};

const char *tdm_slice_name(int slice)
{
    static const char *const kinds[] = {"head", "tail", "new"};
    return slice < TDM_LENGTHS ? lengths[slice].name : kinds[slice - TDM_LENGTHS];
}

int tdm_length_class(size_t n)
{
    int class = 0;
    while (class + 1 < TDM_LENGTHS && n > lengths[class].high) class ++;
    return class;
}

const char *tdm_measure_name(int measure)
{
    static const char *const names[] = {"novelty", "diversity", "coverage", "gini"};
    return measure < TDM_METRICS ? tdm_metric_name((tdm_metric)measure) : names[measure - TDM_METRICS];
}

size_t tdm_main_cutoff(const tdm_evaluate_input *in)
{
    size_t k = in->n_k ? in->k[0] : 10;
    for (size_t c = 0; c < in->n_k; c++)
        if (in->k[c] == 10) k = 10;
    return k;
}

tdm_status tdm_cutoffs_parse(size_t *k, size_t *n, const char *words, tdm_err *err)
{
    *n = 0;
    for (const char *s = words ? words : "5,10,20"; *s;) {
        char *end;
        unsigned long v = *s >= '0' && *s <= '9' ? strtoul(s, &end, 10) : 0;
        if (v < 1 || v > 100000 || (*end && *end != ','))
            return tdm_fail(err, TDM_E_ARG, "-k takes whole numbers from 1 to 100000, as in 5,10,20; not \"%.80s\"",
                            words);
        s = *end ? end + 1 : end;
        size_t at = 0;
        while (at < *n && k[at] < v) at++;
        if (at < *n && k[at] == v) continue;
        if (*n == TDM_MAX_CUTOFFS)
            return tdm_fail(err, TDM_E_ARG, "-k takes at most %d cutoffs; \"%.80s\" has more", TDM_MAX_CUTOFFS, words);
        memmove(k + at + 1, k + at, (*n - at) * sizeof *k);
        k[at] = v;
        ++*n;
    }
    return *n ? TDM_OK : tdm_fail(err, TDM_E_ARG, "-k takes whole numbers, as in 5,10,20; none is given");
}

/* ---- what all models share ---- */

static tdm_status people_find(tdm_judge_room *r, tdm_err *err)
{
    const tdm_questions *qs = r->in->questions;
    tdm_evaluation *e = r->e;
    e->held_out = qs->n;
    e->newest = qs->newest;
    e->diversity = r->in->unlike.weight;
    for (size_t i = 0; i < r->I; i++) e->candidates += !(qs->barred && qs->barred[i]);
    if (e->candidates < r->I) e->chance = fmin(1, (double)e->k[e->main] / (double)e->candidates);
    e->targets = qs->n ? (size_t)qs->target_at[qs->n] : 0;
    for (size_t t = 0; t < e->targets; t++) e->ratings += isfinite(qs->target_rating[t]) != 0;
    r->asked = tdm_new(qs->n, sizeof *r->asked);
    r->relevant = tdm_new(e->targets, sizeof *r->relevant);
    r->relevant_at = tdm_new(qs->n + 1, sizeof *r->relevant_at);
    r->length = tdm_new(qs->n, 1);
    if (!r->asked || !r->relevant || !r->relevant_at || !r->length) return tdm_nomem(err, "an evaluation");
    e->people = tdm_questions_asked(r->asked, qs);
    for (size_t i = 0; i < e->people; i++) {
        size_t q = r->asked[i], n = (size_t)(qs->history_at[q + 1] - qs->history_at[q]), at = (size_t)r->relevant_at[i];
        r->length[i] = (uint8_t)tdm_length_class(n);
        r->relevant_at[i + 1] = (int64_t)(at + tdm_relevant(r->relevant + at, qs, q));
    }
    e->counted = (size_t)r->relevant_at[e->people];
    return TDM_OK;
}

typedef struct counted {
    uint32_t item, rows;
} counted;

static int more_rows(const void *x, const void *y)
{
    const counted *a = x, *b = y;
    if (a->rows != b->rows) return a->rows < b->rows ? 1 : -1;
    return (a->item > b->item) - (a->item < b->item);
}

/* chosen: people, for novelty. The head: the fifth of the catalogue with the most training interactions. */
static tdm_status items_count(tdm_judge_room *r, tdm_err *err)
{
    const tdm_dataset *d = r->in->train;
    counted *c = tdm_new(r->I, sizeof *c);
    uint32_t *last = tdm_new(r->I, sizeof *last); /* the newest person to choose it, plus one */
    r->chosen = tdm_new(r->I, sizeof *r->chosen);
    r->popular = tdm_new(r->I, 1);
    bool room = c && last && r->chosen && r->popular;
    for (size_t i = 0; room && i < r->I; i++) c[i].item = (uint32_t)i;
    for (size_t u = 0; room && u < d->U; u++) {
        r->choosers += d->offset[u + 1] > d->offset[u];
        for (int64_t t = d->offset[u]; t < d->offset[u + 1]; t++) {
            uint32_t i = d->item[t];
            c[i].rows++;
            if (last[i] != u + 1) r->chosen[i]++;
            last[i] = (uint32_t)u + 1;
        }
    }
    if (room) {
        qsort(c, r->I, sizeof *c, more_rows);
        for (size_t i = 0; i < (r->I + 4) / 5; i++) r->popular[c[i].item] = 1;
        memcpy(last, r->chosen, r->I * sizeof *last);
        (void)tdm_gini(last, r->I); /* sorts */
        tdm_tail(r->e->tail, last, r->I);
    }
    tdm_free(c);
    tdm_free(last);
    return room ? TDM_OK : tdm_nomem(err, "the popularity of items");
}

static tdm_status vectors_measure(tdm_judge_room *r, tdm_err *err)
{
    const tdm_evaluate_input *in = r->in;
    if (!in->vectors || !in->K) return TDM_OK;
    r->norm = tdm_new(r->I, sizeof *r->norm);
    if (!r->norm) return tdm_nomem(err, "the lengths of item vectors");
    for (size_t i = 0; i < r->I; i++) {
        double sum = 0;
        for (size_t k = 0; k < in->K; k++)
            sum += (double)in->vectors[i * in->K + k] * (double)in->vectors[i * in->K + k];
        r->norm[i] = sqrt(sum);
        r->e->has_diversity |= sum > 0;
    }
    if (!r->e->has_diversity) { /* items without a word: nothing to tell them apart by */
        tdm_free(r->norm);
        r->norm = NULL;
    }
    return TDM_OK;
}

static void cutoffs_take(tdm_evaluation *e, const tdm_evaluate_input *in)
{
    static const size_t standard[] = {5, 10, 20};
    e->n_k = in->n_k ? in->n_k : 3;
    memcpy(e->k, in->n_k ? in->k : standard, e->n_k * sizeof *e->k);
    for (size_t c = 0; c < e->n_k; c++)
        if (e->k[c] == 10) e->main = c;
}

/* ---- the models ---- */

static const tdm_estimate nothing = {NAN, NAN, NAN};

static tdm_status judge(tdm_judge_room *r, size_t i, tdm_err *err)
{
    tdm_judged *j = &r->e->models[i];
    const tdm_model *m = r->in->models[i];
    double began = tdm_seconds();
    j->name = tdm_strdup(r->in->names ? r->in->names[i] : m->ops->name);
    if (!j->name) return tdm_nomem(err, m->ops->name);
    j->ranks = m->ops->score != NULL;
    j->rates = m->ops->rate != NULL && r->in->rating_high > r->in->rating_low;
    for (size_t c = 0; c < TDM_MAX_CUTOFFS; c++)
        for (int k = 0; k < TDM_MEASURES; k++) j->at[c][k] = nothing;
    for (int s = 0; s < TDM_SLICES; s++) j->slice_ndcg[s] = j->slice_recall[s] = nothing;
    j->rmse = j->mae = nothing;
    tdm_status st = j->ranks && r->e->people ? tdm_judge_ranking(j, r, m, err) : TDM_OK;
    if (!st && j->rates && r->e->ratings) st = tdm_judge_ratings(j, r, m, err);
    j->seconds = tdm_seconds() - began;
    return st;
}

tdm_status tdm_evaluate(tdm_evaluation **out, const tdm_evaluate_input *in, tdm_run *run, tdm_err *err)
{
    *out = NULL;
    tdm_evaluation *e = tdm_new(1, sizeof *e);
    if (!e) return tdm_nomem(err, "an evaluation");
    tdm_judge_room r = {.in = in, .e = e, .run = run, .I = in->train->I};
    cutoffs_take(e, in);
    r.depth = e->k[e->n_k - 1] < r.I ? e->k[e->n_k - 1] : r.I;
    e->models = tdm_new(in->n_models, sizeof *e->models);
    tdm_status st = e->models ? people_find(&r, err) : tdm_nomem(err, "an evaluation");
    if (!st) st = items_count(&r, err);
    if (!st) st = vectors_measure(&r, err);
    for (size_t i = 0; !st && i < in->n_models; i++) {
        e->n_models = i + 1;
        st = judge(&r, i, err);
        if (!st) st = tdm_run_check(run, "evaluate", err);
    }
    bool ranks = in->subject < in->n_models && in->models[in->subject]->ops->score;
    if (!st && in->tradeoff && ranks && r.norm && e->people) st = tdm_judge_diversity(&r, err);
    if (!st) st = tdm_judge_pairs(&r, err);
    tdm_free(r.asked);
    tdm_free(r.relevant_at);
    tdm_free(r.relevant);
    tdm_free(r.length);
    tdm_free(r.chosen);
    tdm_free(r.popular);
    tdm_free(r.norm);
    if (st) tdm_evaluation_close(e);
    else *out = e;
    return st;
}

void tdm_evaluation_close(tdm_evaluation *e)
{
    if (!e) return;
    for (size_t i = 0; i < e->n_models; i++) {
        tdm_judged *j = &e->models[i];
        tdm_free(j->name);
        tdm_free(j->ndcg);
        tdm_free(j->recall);
        tdm_free(j->boot_ndcg);
        tdm_free(j->boot_recall);
        tdm_free(j->prediction);
    }
    tdm_free(e->models);
    tdm_free(e->comparisons);
    tdm_free(e);
}
