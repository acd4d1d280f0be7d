/* SPDX-License-Identifier: Apache-2.0 */
/* judge_pairs.c - one model against every other, on the same people.
 *
 * Rankings: the mean difference of ndcg and of recall at the main cutoff; its interval comes from the resamples that
 * both models share. Ratings: the difference of rmse on the ratings that both could predict; what is permuted is each
 * person's difference of summed squared errors. Holm's correction is over the whole table of tests. */
#include "base/mem.h"
#include "eval/judge.h"
#include "eval/significance.h"

#include <math.h>

static double mean(const double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += v[i];
    return sum / (double)n;
}

static tdm_status pair_ranking(tdm_comparison *c, const tdm_judge_room *room, double *d, double *some, tdm_err *err)
{
    const tdm_judged *a = &room->e->models[c->a], *b = &room->e->models[c->b];
    bool ndcg = c->of == TDM_OF_NDCG;
    const double *x = ndcg ? a->ndcg : a->recall, *y = ndcg ? b->ndcg : b->recall;
    const double *bx = ndcg ? a->boot_ndcg : a->boot_recall, *by = ndcg ? b->boot_ndcg : b->boot_recall;
    c->people = room->e->people;
    for (size_t i = 0; i < c->people; i++) d[i] = x[i] - y[i];
    for (size_t r = 0; r < TDM_RESAMPLES; r++) some[r] = bx[r] - by[r];
    c->difference.value = mean(d, c->people);
    tdm_interval(&c->difference.low, &c->difference.high, some, TDM_RESAMPLES);
    return tdm_paired_test(&c->p, d, c->people, TDM_PERMUTATIONS, room->in->seed, room->run->pool, err);
}

/* d: questions; x: questions x 3 (squared errors of a, of b, how many). */
static tdm_status pair_ratings(tdm_comparison *c, const tdm_judge_room *room, double *d, double *x, double *boot,
                               double *some, tdm_err *err)
{
    const tdm_questions *qs = room->in->questions;
    const float *a = room->e->models[c->a].prediction, *b = room->e->models[c->b].prediction;
    double all[3] = {0};
    size_t P = 0;
    for (size_t q = 0; q < qs->n; q++) {
        double row[3] = {0};
        for (int64_t t = qs->target_at[q]; t < qs->target_at[q + 1]; t++) {
            if (!isfinite(qs->target_rating[t]) || isnan(a[t]) || isnan(b[t])) continue;
            double given = (double)qs->target_rating[t], ea = (double)a[t] - given, eb = (double)b[t] - given;
            row[0] += ea * ea;
            row[1] += eb * eb;
            row[2]++;
        }
        if (!(row[2] > 0)) continue;
        d[P] = row[0] - row[1];
        for (int k = 0; k < 3; k++) all[k] += x[P * 3 + (size_t)k] = row[k];
        P++;
    }
    c->people = P;
    c->p = 1;
    c->difference = (tdm_estimate){NAN, NAN, NAN};
    if (!P) return TDM_OK;
    tdm_status st = tdm_bootstrap(boot, x, P, 3, TDM_RESAMPLES, room->in->seed, room->run->pool, err);
    if (st) return st;
    for (size_t r = 0; r < TDM_RESAMPLES; r++)
        some[r] = sqrt(boot[r * 3] / boot[r * 3 + 2]) - sqrt(boot[r * 3 + 1] / boot[r * 3 + 2]);
    c->difference.value = sqrt(all[0] / all[2]) - sqrt(all[1] / all[2]);
    tdm_interval(&c->difference.low, &c->difference.high, some, TDM_RESAMPLES);
    return tdm_paired_test(&c->p, d, P, TDM_PERMUTATIONS, room->in->seed, room->run->pool, err);
}

static void list_pairs(tdm_evaluation *e, size_t subject)
{
    const tdm_judged *a = &e->models[subject];
    for (int of = TDM_OF_NDCG; of <= TDM_OF_RMSE; of++)
        for (size_t b = 0; b < e->n_models; b++) {
            const tdm_judged *other = &e->models[b];
            bool both = of == TDM_OF_RMSE ? a->prediction && other->prediction : a->ranks && other->ranks && e->people;
            if (b == subject || !both) continue;
            e->comparisons[e->n_comparisons++] = (tdm_comparison){.a = subject, .b = b, .of = of};
        }
}

tdm_status tdm_judge_pairs(const tdm_judge_room *room, tdm_err *err)
{
    tdm_evaluation *e = room->e;
    if (room->in->subject >= e->n_models) return TDM_OK;
    size_t n = room->in->questions->n;
    double *d = tdm_new(n, sizeof *d), *x = tdm_new(n, 3 * sizeof *x), *some = tdm_new(TDM_RESAMPLES, sizeof *some);
    double *boot = tdm_new(TDM_RESAMPLES, 3 * sizeof *boot), *p = tdm_new(e->n_models, 3 * sizeof *p);
    e->comparisons = tdm_new(e->n_models, 3 * sizeof *e->comparisons);
    tdm_status st = d && x && some && boot && p && e->comparisons ? TDM_OK : tdm_nomem(err, "the paired tests");
    if (!st) list_pairs(e, room->in->subject);
    for (size_t i = 0; !st && i < e->n_comparisons; i++) {
        tdm_comparison *c = &e->comparisons[i];
        tdm_progress(room->run, "evaluate", i, e->n_comparisons, "paired tests");
        st = c->of == TDM_OF_RMSE ? pair_ratings(c, room, d, x, boot, some, err) : pair_ranking(c, room, d, some, err);
        if (!st) st = tdm_run_check(room->run, "evaluate", err);
        p[i] = c->p;
    }
    if (!st) tdm_holm(p, e->n_comparisons);
    for (size_t i = 0; !st && i < e->n_comparisons; i++) e->comparisons[i].corrected = p[i];
    tdm_free(d);
    tdm_free(x);
    tdm_free(some);
    tdm_free(boot);
    tdm_free(p);
    return st;
}
