/* SPDX-License-Identifier: Apache-2.0 */
/* learn.c - the weights of the fusion: each question's candidates, the answer among them, softmax regression.
 *
 *     forms      a model that gave a negative score to somebody is read through softmax, every other as shares
 *     scales     each opinion is divided by its spread over all candidates, so that one pull suits all weights
 *     strength   of the pull to equal weights: from a short list, the strongest that foretells left-out people well
 *     weights    of all lists, with that strength; stored for opinions as they are
 *     network    in their place, where it does better on people left out (network.h)
 *
 * The people whose answers teach are validation people whom no model has used to stop early. */
#include "hybrid/learn.h"

#include "base/mem.h"
#include "hybrid/sample.h"
#include "hybrid/solve.h"

#include <math.h>
#include <string.h>

const tdm_param tdm_learn_params[] = {
    {"top", 50, 1, 1000, TDM_LOG, "items that each model proposes as candidates"},
    {"network", 1, 0, 1, TDM_INTEGER, "1: weights from a small network, where that foretells people left out better"},
    {"people", 50000, 0, 1000000, TDM_INTEGER, "validation people to learn from, at most"},
    {0},
};

static const double strengths[] = {1000, 300, 100, 30, 10, 3, 1};

enum {
    STRENGTHS = sizeof strengths / sizeof *strengths,
    FOLDS = 5,
    TRIED = 3000, /* lists that choose the strength: with more of them it matters little */
    FEWEST = 10,  /* fewer lists choose nothing: the strongest pull */
    PROBED = 64,  /* histories that tell a model's form, and its spread where there are no labels */
    WEIGHTS = TDM_GATES * TDM_FUSION_MODELS,
    COLUMNS = 3 * TDM_FUSION_MODELS + 2
};

/* Below these an opinion fades: about a hundredth of the share of the better candidates, and a softmax probability that
 * no order of the best depends on. Measured in docs/fusion.md. */
static const double floors[] = {[TDM_FORM_SHARE] = 1e-3, [TDM_FORM_SOFTMAX] = 1e-6};

/* Training histories as questions without answers: for what must be known of scores when nobody was kept for learning.
 * `zero`: room for n + 1 and n numbers. */
static tdm_questions questions_of(const tdm_dataset *train, uint32_t *user, int64_t *zero, size_t n)
{
    for (size_t u = 0; u < n; u++) {
        user[u] = (uint32_t)u;
        zero[u] = TDM_NO_TIME;
    }
    return (tdm_questions){.n = n,
                           .user = user,
                           .now = zero,
                           .history_at = train->offset,
                           .item = train->item,
                           .rating = train->rating,
                           .time = train->time,
                           .target_at = zero + n};
}

static tdm_status forms_find(tdm_fusion *f, const tdm_questions *qs, tdm_err *err)
{
    tdm_status st = TDM_OK;
    float *score = tdm_new(f->I, sizeof *score);
    if (!score) return tdm_nomem(err, "the hybrid");
    for (size_t p = 0; p < f->P && !st; p++) {
        f->part[p].form = TDM_FORM_SHARE;
        for (size_t q = 0; q < qs->n && q < PROBED && !st; q++) {
            tdm_history h = tdm_questions_history(qs, q);
            st = f->model[p]->ops->score(f->model[p], score, &h, 1, err);
            for (size_t i = 0; i < f->I && !st; i++)
                if (score[i] < 0 && isfinite(score[i])) f->part[p].form = TDM_FORM_SOFTMAX;
            if (f->part[p].form == TDM_FORM_SOFTMAX) break;
        }
        f->part[p].floor = floors[f->part[p].form];
    }
    tdm_free(score);
    return st;
}

/* Gates and scales from the candidates; the lists' lengths become gate values in units of their spread. */
static void spreads(tdm_fusion *f, tdm_sample *s, double *scale, double *length_scale)
{
    size_t width = tdm_row_width(f->P), columns = tdm_row_target(f->P), at = tdm_row_people(f->P);
    double sum[COLUMNS] = {0}, square[COLUMNS] = {0}, length = 0, length2 = 0;
    tdm_gate people = {.low = INFINITY}, by_length = {.low = INFINITY};
    for (size_t q = 0; q < s->n; q++) {
        const tdm_list *l = &s->list[q];
        length += l->length, length2 += l->length * l->length;
        by_length.low = fmin(by_length.low, l->length), by_length.high = fmax(by_length.high, l->length);
        for (size_t j = 0; j < l->n; j++) {
            const float *row = l->row + j * width;
            for (size_t c = 0; c < columns; c++) {
                sum[c] += (double)row[c];
                square[c] += (double)row[c] * (double)row[c];
            }
            people.low = fmin(people.low, (double)row[at]), people.high = fmax(people.high, (double)row[at]);
        }
    }
    double rows = (double)s->rows, lists = (double)s->n;
    for (size_t c = 0; c < columns; c++) {
        double spread = rows > 0 ? sqrt(fmax(square[c] / rows - pow(sum[c] / rows, 2), 0)) : 0;
        scale[c] = spread > 1e-9 ? 1 / spread : 0;
    }
    for (size_t p = 0; p < f->P; p++) scale[2 * f->P + p] = 1; /* ranks are from 0 to 1 as they are */
    scale[tdm_row_seen(f->P)] = 1;
    people.centre = rows > 0 ? sum[at] / rows : 0;
    by_length.centre = lists > 0 ? length / lists : 0;
    double spread = lists > 0 ? sqrt(fmax(length2 / lists - pow(by_length.centre, 2), 0)) : 0;
    *length_scale = spread > 1e-9 ? 1 / spread : 0;
    f->by_people = rows > 0 ? people : (tdm_gate){0};
    f->by_length = lists > 0 ? by_length : (tdm_gate){0};
    for (size_t q = 0; q < s->n; q++) {
        s->list[q].length = (s->list[q].length - by_length.centre) * *length_scale;
        for (size_t j = 0; j < s->list[q].n; j++) /* the rows are the sample's own */
            ((float *)(uintptr_t)s->list[q].row)[j * width + at] -= (float)people.centre;
    }
}

static void equal_weights(double *w, size_t P)
{
    for (size_t k = 0; k < TDM_GATES * P; k++) w[k] = k % TDM_GATES == 0;
}

/* The strength whose weights, learned without a fold, do well on that fold. */
static tdm_status strength_choose(double *chosen, const tdm_listwise *all, tdm_run *run, tdm_err *err)
{
    tdm_listwise s = *all;
    double loss[FOLDS * STRENGTHS] = {0}, w[WEIGHTS];
    tdm_status st = TDM_OK;
    *chosen = strengths[0];
    if (s.n > TRIED) s.n = TRIED;
    if (s.n < FEWEST) return TDM_OK;
    for (size_t fold = 0; fold < FOLDS; fold++) {
        equal_weights(w, s.P);
        for (size_t k = 0; k < STRENGTHS; k++) { /* each goes on from the stronger one's weights */
            st = tdm_listwise_fit(w, &s, strengths[k], FOLDS, fold, run->pool, err);
            if (!st) st = tdm_listwise_loss(&loss[fold * STRENGTHS + k], w, &s, FOLDS, fold, run->pool, err);
            if (!st) st = tdm_run_check(run, "hybrid", err);
            if (st) return st;
        }
        tdm_progress(run, "hybrid", fold + 1, FOLDS, "choosing how far to trust the labels");
    }
    *chosen = strengths[tdm_pull_choose(loss, FOLDS, STRENGTHS)];
    return TDM_OK;
}

static tdm_status weights_learn(tdm_fusion *f, tdm_sample *s, bool answered, bool network, tdm_run *run, tdm_err *err)
{
    double scale[COLUMNS], w[WEIGHTS], length_scale;
    size_t P = f->P;
    spreads(f, s, scale, &length_scale);
    tdm_listwise lists = {.P = P, .n = answered ? s->n : 0, .list = s->list, .scale = scale};
    lists.gates = f->seen ? TDM_GATES : TDM_GATES - 1;
    equal_weights(w, P);
    f->labels = lists.n;
    tdm_status st = strength_choose(&f->strength, &lists, run, err);
    if (!st && lists.n) st = tdm_listwise_fit(w, &lists, f->strength, 0, 0, run->pool, err);
    const tdm_network_plan plan = {.linear = w, .length_scale = length_scale, .seed = run->seed};
    if (!st && network) st = tdm_network_learn(&f->net, &lists, &plan, run, err);
    const double gate_scale[TDM_GATES] = {1, scale[tdm_row_people(P)], length_scale, 1};
    for (size_t p = 0; !st && p < P; p++) {
        const double *v = w + TDM_GATES * p;
        for (size_t g = 0; g < TDM_GATES; g++) f->part[p].weight[g] = v[g] * scale[p] * gate_scale[g];
        tdm_log(run, TDM_LOG_INFO, "hybrid",
                "%s: weight %.3f, with the item's people %+.3f, with the history's length %+.3f, in the history %+.3f",
                f->model[p]->ops->name, v[0], v[1], v[2], v[3]);
    }
    return st;
}

tdm_status tdm_fusion_learn(tdm_fusion *f, const tdm_fit_input *in, tdm_err *err)
{
    size_t top = (size_t)tdm_param_get(in->params, "top"), most = (size_t)tdm_param_get(in->params, "people");
    size_t probed = in->train->U < PROBED ? in->train->U : PROBED;
    uint32_t *user = tdm_new(probed, sizeof *user);
    int64_t *zero = tdm_new(2 * probed + 1, sizeof *zero);
    tdm_sample s = {0};
    tdm_status st = user && zero ? TDM_OK : tdm_nomem(err, "the hybrid");
    tdm_questions unanswered = {0};
    if (!st) unanswered = questions_of(in->train, user, zero, probed);
    bool labels = in->labels && in->labels->n && most;
    if (!st) st = forms_find(f, labels ? in->labels : &unanswered, err);
    f->seen = in->seen && labels;
    if (!st && labels) st = tdm_sample_make(&s, f, in->labels, top, most, true, in->run, err);
    if (!st && labels)
        tdm_log(in->run, TDM_LOG_INFO, "hybrid", "%zu of %zu validation people have their answer among %.0f candidates",
                s.n, s.asked, s.n ? (double)s.rows / (double)s.n : 0.0);
    labels = s.n > 0;
    if (!st && !labels) {
        tdm_log(in->run, TDM_LOG_WARN, "hybrid", "no validation people to learn from: all models weigh the same");
        tdm_sample_clear(&s);
        st = tdm_sample_make(&s, f, &unanswered, top, probed, false, in->run, err);
    }
    if (!st) st = weights_learn(f, &s, labels, tdm_param_get(in->params, "network") > 0, in->run, err);
    tdm_sample_clear(&s);
    tdm_free(user);
    tdm_free(zero);
    return st;
}
