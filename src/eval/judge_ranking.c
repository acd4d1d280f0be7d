/* SPDX-License-Identifier: Apache-2.0 */
/* judge_ranking.c - one model's lists as a table of people x columns; every figure is one column's sum over another's.
 *
 *     columns:  1 | for each cutoff: metrics, novelty, has it, diversity, has it | for each slice: ndcg, recall, in it
 *
 * Novelty of a list: mean of -log2((n_i + 1) / (N + 1)) over its items, n_i of the N training people having chosen i;
 * the 1 keeps an item that nobody chose finite. Diversity: mean of 1 - cosine over the pairs of its items, where an
 * item without a vector is unlike all others. An item's cosines with all items above it are one product with the sum of
 * their unit vectors, so a list costs its length and not the square of it. */
#include "base/clock.h"
#include "base/mem.h"
#include "eval/judge.h"
#include "eval/rank.h"
#include "eval/significance.h"

#include <math.h>
#include <string.h>

enum { NOVELTY = TDM_METRICS, HAS_NOVELTY, DIVERSITY, HAS_DIVERSITY, AT_K, GRAIN = 256 };
enum { S_NDCG, S_RECALL, S_IN, PER_SLICE };

typedef struct sheet {
    const tdm_judge_room *room;
    const uint32_t *list, *found;
    double *x; /* people x W */
    size_t W;
    double *sum;       /* chunks x K: the sum of unit vectors */
    uint32_t *targets; /* laid out as room->relevant: the targets of one slice */
} sheet;

static size_t at_column(size_t cutoff) { return 1 + cutoff * AT_K; }
static size_t slice_column(const tdm_judge_room *r, int s) { return 1 + r->e->n_k * AT_K + (size_t)s * PER_SLICE; }

double tdm_judge_cosines(const tdm_judge_room *r, double *sum, uint32_t item)
{
    size_t K = r->in->K;
    const float *v = r->in->vectors + item * K;
    if (!(r->norm[item] > 0)) return 0;
    double inverse = 1 / r->norm[item], dot = 0;
    for (size_t d = 0; d < K; d++) {
        double unit = inverse * (double)v[d];
        dot += sum[d] * unit;
        sum[d] += unit;
    }
    return dot;
}

/* Novelty and diversity at every cutoff in one walk down the list. */
static void beyond_accuracy(const sheet *s, double *row, const uint32_t *list, size_t n, double *sum)
{
    const tdm_judge_room *r = s->room;
    const tdm_evaluate_input *in = r->in;
    double bits = 0, cosines = 0;
    for (size_t d = 0; r->norm && d < in->K; d++) sum[d] = 0;
    for (size_t c = 0, i = 0; c < r->e->n_k; c++) {
        for (; i < n && i < r->e->k[c]; i++) {
            bits -= log2((r->chosen[list[i]] + 1.0) / ((double)r->choosers + 1));
            if (r->norm) cosines += tdm_judge_cosines(r, sum, list[i]);
        }
        double *out = row + at_column(c), m = (double)i;
        if (i > 0) {
            out[NOVELTY] = bits / m;
            out[HAS_NOVELTY] = 1;
        }
        if (i > 1 && r->norm) {
            out[DIVERSITY] = 1 - cosines / (m * (m - 1) / 2);
            out[HAS_DIVERSITY] = 1;
        }
    }
}

/* ndcg and recall where only the targets of one kind count. */
static void slice_targets(const sheet *s, double *row, size_t person, const uint32_t *list, size_t n)
{
    const tdm_judge_room *r = s->room;
    const uint32_t *all = r->relevant + r->relevant_at[person];
    size_t R = (size_t)(r->relevant_at[person + 1] - r->relevant_at[person]), k = r->e->k[r->e->main];
    for (int kind = TDM_SLICE_HEAD; kind <= TDM_SLICE_NEW; kind++) {
        double *out = row + slice_column(r, kind), v[TDM_METRICS];
        uint32_t *set = s->targets + r->relevant_at[person];
        size_t m = 0;
        for (size_t i = 0; i < R; i++) {
            bool head = r->popular[all[i]], none = !r->chosen[all[i]];
            if (kind == TDM_SLICE_HEAD ? head : kind == TDM_SLICE_TAIL ? !head : none) set[m++] = all[i];
        }
        if (m) {
            tdm_metrics(v, list, n, set, m, k);
            out[S_NDCG] = v[TDM_NDCG];
            out[S_RECALL] = v[TDM_RECALL];
            out[S_IN] = 1;
        }
    }
}

static void judge_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const sheet *s = ctx;
    const tdm_judge_room *r = s->room;
    for (size_t i = begin; i < end; i++) {
        const uint32_t *list = s->list + i * r->depth, *relevant = r->relevant + r->relevant_at[i];
        size_t n = s->found[i], R = (size_t)(r->relevant_at[i + 1] - r->relevant_at[i]);
        double *row = s->x + i * s->W;
        row[0] = 1;
        for (size_t c = 0; c < r->e->n_k; c++) tdm_metrics(row + at_column(c), list, n, relevant, R, r->e->k[c]);
        beyond_accuracy(s, row, list, n, s->sum ? s->sum + chunk * r->in->K : NULL);
        double *mine = row + slice_column(r, r->length[i]), *main = row + at_column(r->e->main);
        mine[S_NDCG] = main[TDM_NDCG];
        mine[S_RECALL] = main[TDM_RECALL];
        mine[S_IN] = 1;
        slice_targets(s, row, i, list, n);
    }
}

/* ---- from columns to estimates ---- */

typedef struct sums {
    double *all;  /* W */
    double *boot; /* TDM_RESAMPLES x W */
    double *some; /* TDM_RESAMPLES */
    size_t W;
} sums;

static tdm_estimate ratio(const sums *s, size_t column, size_t over)
{
    tdm_estimate e = {NAN, NAN, NAN};
    if (!(s->all[over] > 0)) return e;
    e.value = s->all[column] / s->all[over];
    for (size_t r = 0; r < TDM_RESAMPLES; r++) s->some[r] = s->boot[r * s->W + column] / s->boot[r * s->W + over];
    tdm_interval(&e.low, &e.high, s->some, TDM_RESAMPLES);
    return e;
}

static void estimates(tdm_judged *j, const tdm_judge_room *r, const sums *s)
{
    for (size_t c = 0; c < r->e->n_k; c++) {
        size_t at = at_column(c);
        for (int m = 0; m < TDM_METRICS; m++) j->at[c][m] = ratio(s, at + (size_t)m, 0);
        j->at[c][TDM_NOVELTY] = ratio(s, at + NOVELTY, at + HAS_NOVELTY);
        j->at[c][TDM_DIVERSITY] = ratio(s, at + DIVERSITY, at + HAS_DIVERSITY);
    }
    for (int k = 0; k < TDM_SLICES; k++) {
        size_t at = slice_column(r, k);
        j->slice_ndcg[k] = ratio(s, at + S_NDCG, at + S_IN);
        j->slice_recall[k] = ratio(s, at + S_RECALL, at + S_IN);
        r->e->slice_people[k] = (size_t)s->all[at + S_IN];
    }
    size_t main = at_column(r->e->main);
    for (size_t b = 0; b < TDM_RESAMPLES; b++) {
        const double *boot = s->boot + b * s->W;
        j->boot_ndcg[b] = boot[main + TDM_NDCG] / boot[0];
        j->boot_recall[b] = boot[main + TDM_RECALL] / boot[0];
    }
}

/* Coverage and Gini belong to all lists together: there is no person to resample. */
static void catalogue(tdm_judged *j, const tdm_judge_room *r, const uint32_t *list, const uint32_t *found,
                      uint32_t *counts)
{
    for (size_t c = 0; c < r->e->n_k; c++) {
        size_t reached = 0;
        memset(counts, 0, r->I * sizeof *counts);
        for (size_t i = 0; i < r->e->people; i++)
            for (size_t p = 0; p < found[i] && p < r->e->k[c]; p++) counts[list[i * r->depth + p]]++;
        for (size_t i = 0; i < r->I; i++) reached += counts[i] > 0;
        j->at[c][TDM_COVERAGE] = (tdm_estimate){r->I ? (double)reached / (double)r->I : NAN, NAN, NAN};
        if (!reached) continue;
        j->at[c][TDM_GINI] = (tdm_estimate){tdm_gini(counts, r->I), NAN, NAN};
        if (c == r->e->main) tdm_tail(j->tail, counts, r->I);
    }
}

/* ---- the lists, handed to whoever writes files ---- */

static tdm_status hand_out(const tdm_judged *j, const sheet *s, tdm_err *err)
{
    const tdm_judge_room *r = s->room;
    size_t P = r->e->people, width = r->e->n_k * TDM_METRICS;
    if (!r->in->lists) return TDM_OK;
    double *metrics = tdm_new(P * width, sizeof *metrics);
    if (!metrics) return tdm_nomem(err, "the values of each person");
    for (size_t i = 0; i < P; i++)
        for (size_t c = 0; c < r->e->n_k; c++)
            memcpy(metrics + i * width + c * TDM_METRICS, s->x + i * s->W + at_column(c),
                   TDM_METRICS * sizeof *metrics);
    const tdm_lists l = {j->name, r->in->questions, r->asked, P, r->depth, s->list, s->found, r->e, metrics};
    tdm_status st = r->in->lists(r->in->ctx, &l, err);
    tdm_free(metrics);
    return st;
}

static tdm_status judge_lists(tdm_judged *j, sheet *s, tdm_err *err)
{
    const tdm_judge_room *r = s->room;
    size_t P = r->e->people, W = s->W, main = at_column(r->e->main);
    tdm_pool_for(r->run->pool, P, GRAIN, judge_chunk, s);
    sums t = {tdm_new(W, sizeof(double)), tdm_new(W * TDM_RESAMPLES, sizeof(double)),
              tdm_new(TDM_RESAMPLES, sizeof(double)), W};
    uint32_t *counts = tdm_new(r->I, sizeof *counts);
    tdm_status st = t.all && t.boot && t.some && counts ? TDM_OK : tdm_nomem(err, "an evaluation's sums");
    if (!st) st = tdm_bootstrap(t.boot, s->x, P, W, TDM_RESAMPLES, r->in->seed, r->run->pool, err);
    for (size_t i = 0; !st && i < P; i++) {
        const double *row = s->x + i * W;
        for (size_t c = 0; c < W; c++) t.all[c] += row[c];
        j->ndcg[i] = row[main + TDM_NDCG];
        j->recall[i] = row[main + TDM_RECALL];
    }
    if (!st) {
        estimates(j, r, &t);
        catalogue(j, r, s->list, s->found, counts);
        st = hand_out(j, s, err);
    }
    tdm_free(t.all);
    tdm_free(t.boot);
    tdm_free(t.some);
    tdm_free(counts);
    return st;
}

tdm_status tdm_judge_ranking(tdm_judged *j, const tdm_judge_room *r, const tdm_model *m, tdm_err *err)
{
    size_t P = r->e->people, W = slice_column(r, TDM_SLICES), chunks = tdm_chunks(P, GRAIN);
    uint32_t *list = tdm_new(P * sizeof *list, r->depth), *found = tdm_new(P, sizeof *found);
    uint32_t *targets = tdm_new((size_t)r->relevant_at[P], sizeof *targets);
    double *x = tdm_new(P * sizeof *x, W), *sum = r->norm ? tdm_new(chunks * sizeof *sum, r->in->K) : NULL;
    j->ndcg = tdm_new(P, sizeof *j->ndcg);
    j->recall = tdm_new(P, sizeof *j->recall);
    j->boot_ndcg = tdm_new(TDM_RESAMPLES, sizeof *j->boot_ndcg);
    j->boot_recall = tdm_new(TDM_RESAMPLES, sizeof *j->boot_recall);
    bool room =
        list && found && targets && x && (sum || !r->norm) && j->ndcg && j->recall && j->boot_ndcg && j->boot_recall;
    tdm_status st = room ? TDM_OK : tdm_nomem(err, "an evaluation");
    const tdm_rank_job job = {m, r->in->questions, r->asked, P, r->I, r->depth, r->in->seen, &r->in->unlike, NULL};
    if (!st) st = tdm_rank(list, found, &job, r->run->pool, r->run, err);
    sheet s = {r, list, found, x, W, sum, targets};
    if (!st) st = judge_lists(j, &s, err);
    tdm_free(list);
    tdm_free(found);
    tdm_free(targets);
    tdm_free(x);
    tdm_free(sum);
    return st;
}
