/* SPDX-License-Identifier: Apache-2.0 */
/* fusion.c - the hybrid's fusion beside other ways to join the same models.
 *
 *     bench_fusion MODEL      a trained folder that holds a hybrid
 *
 * The validation people that no model used to stop early are cut in two by a hash of their ids: four fifths teach, one
 * is left out. Every way learns from the first and is judged on the second, where a way would be chosen, and on the
 * test people. tandem's two rank the whole catalogue; the others rank the candidates, the best 50 of each model, which
 * is a little easier. All hear the same: opinions on the history and on its last item, ranks, and the gates.
 *
 *     reciprocal ranks   sum over models of 1 / (60 + place)    (Cormack, Clarke and Buettcher, SIGIR 2009)
 *     greedy ensemble    opinions added one at a time, with repetition, whichever helps ndcg@10 the most
 *                        (Caruana, Niculescu-Mizil, Crew and Ksikes, ICML 2004)
 *     boosted trees      XGBoost's LambdaMART, 100 and 300 trees of depth 6, learned at a rate of .1 */
#include "measure.h"

#include "api/bundle.h"
#include "api/train.h"
#include "base/file.h"
#include "base/mem.h"
#include "eval/evaluate.h"
#include "hybrid/hybrid.h"
#include "hybrid/sample.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <xgboost/c_api.h>

enum { TOP = 50, K = 10, PICKS = 30, PARTS = 3 };
enum { TEACH, LEFT_OUT, TEST };

typedef struct bench {
    tdm_bundle *b;
    tdm_run *run;
    const tdm_model *needs[TDM_MAX_MODELS + 1];
    tdm_fusion f;
    tdm_questions own[2]; /* those who teach, those left out */
    const tdm_questions *qs[PARTS];
    tdm_sample s[PARTS];
    float *score[PARTS]; /* one a candidate */
} bench;

static void fine(tdm_status st, const tdm_err *err)
{
    if (st) bench_stop(err->msg);
}

static void trees_fine(int failed)
{
    if (failed) bench_stop(XGBGetLastError());
}

/* Recall and ndcg of the people of a part, from the scores of their candidates. */
static void judge(double *recall, double *ndcg, const bench *a, int part)
{
    const tdm_sample *s = &a->s[part];
    size_t P = a->f.P, width = tdm_row_width(P);
    const float *score = a->score[part];
    *recall = *ndcg = 0;
    for (size_t q = 0; q < s->n; q++) {
        const tdm_list *l = &s->list[q];
        double hits = 0, gain = 0, ideal = 0, answers = 0;
        for (size_t j = 0; j < l->n; j++) {
            if (!(l->row[j * width + tdm_row_target(P)] > 0)) continue;
            size_t above = 0;
            for (size_t i = 0; i < l->n; i++) above += score[i] > score[j] || (score[i] == score[j] && i < j);
            if (answers < K) ideal += 1 / log2(2 + answers);
            answers++;
            if (above < K) hits++, gain += 1 / log2(2 + (double)above);
        }
        *recall += hits / answers;
        *ndcg += gain / ideal;
        score += l->n;
    }
    *recall /= (double)s->asked;
    *ndcg /= (double)s->asked;
}

static void line(const char *name, const double *left, const double *test)
{
    printf("%-28s  left out %.4f %.4f    test %.4f %.4f\n", name, left[0], left[1], test[0], test[1]);
    fflush(stdout);
}

static void line_of_scores(const char *name, const bench *a)
{
    double left[2], test[2];
    judge(&left[0], &left[1], a, LEFT_OUT);
    judge(&test[0], &test[1], a, TEST);
    line(name, left, test);
}

/* ---- the other ways: a score for every candidate ---- */

/* The sum over models of what `of` makes of a row. */
static void score_all(bench *a, int part, const double *weight,
                      double (*of)(const bench *a, const float *row, size_t p))
{
    const tdm_sample *s = &a->s[part];
    size_t width = tdm_row_width(a->f.P), at = 0;
    for (size_t q = 0; q < s->n; q++)
        for (size_t j = 0; j < s->list[q].n; j++, at++) {
            double sum = 0;
            for (size_t p = 0; p < a->f.P; p++)
                if (weight[p] > 0) sum += weight[p] * of(a, s->list[q].row + j * width, p);
            a->score[part][at] = (float)sum;
        }
}

static double opinion(const bench *a, const float *row, size_t p)
{
    (void)a;
    return (double)row[p];
}

static double reciprocal(const bench *a, const float *row, size_t p)
{
    double rank = (double)row[2 * a->f.P + p];
    return rank > 0 ? 1 / (60 + 1 / rank) : 0;
}

static void reciprocal_ranks(bench *a)
{
    double weight[TDM_FUSION_MODELS];
    for (size_t p = 0; p < a->f.P; p++) weight[p] = 1;
    for (int part = LEFT_OUT; part < PARTS; part++) score_all(a, part, weight, reciprocal);
    line_of_scores("reciprocal ranks", a);
}

static double spread(const bench *a, size_t p)
{
    const tdm_sample *s = &a->s[TEACH];
    double sum = 0, square = 0;
    for (size_t q = 0; q < s->n; q++)
        for (size_t j = 0; j < s->list[q].n; j++) {
            double x = (double)s->list[q].row[j * tdm_row_width(a->f.P) + p];
            sum += x, square += x * x;
        }
    sum /= (double)s->rows;
    return sqrt(fmax(square / (double)s->rows - sum * sum, 1e-12));
}

static void greedy(bench *a)
{
    double weight[TDM_FUSION_MODELS] = {0}, best[TDM_FUSION_MODELS] = {0}, most = 0, unit[TDM_FUSION_MODELS], recall;
    for (size_t p = 0; p < a->f.P; p++) unit[p] = 1 / spread(a, p);
    for (int pick = 0; pick < PICKS; pick++) {
        size_t chosen = 0;
        double top = -1;
        for (size_t p = 0; p < a->f.P; p++) {
            double ndcg;
            weight[p] += unit[p];
            score_all(a, TEACH, weight, opinion);
            judge(&recall, &ndcg, a, TEACH);
            weight[p] -= unit[p];
            if (ndcg > top) top = ndcg, chosen = p;
        }
        weight[chosen] += unit[chosen];
        if (top > most) most = top, memcpy(best, weight, sizeof best);
    }
    for (int part = LEFT_OUT; part < PARTS; part++) score_all(a, part, best, opinion);
    line_of_scores("greedy ensemble", a);
}

static DMatrixHandle matrix(const bench *a, int part)
{
    const tdm_sample *s = &a->s[part];
    size_t P = a->f.P, width = tdm_row_width(P), at = 0;
    float *x = tdm_new(s->rows, width * sizeof *x), *y = tdm_new(s->rows, sizeof *y);
    unsigned *group = tdm_new(s->n, sizeof *group);
    DMatrixHandle m;
    if (!x || !y || !group) bench_stop("not enough memory");
    for (size_t q = 0; q < s->n; q++) {
        group[q] = (unsigned)s->list[q].n;
        for (size_t j = 0; j < s->list[q].n; j++, at++) {
            const float *row = s->list[q].row + j * width;
            memcpy(x + at * width, row, width * sizeof *x);
            x[at * width + tdm_row_target(P)] = (float)s->list[q].length; /* in the place of the answer */
            y[at] = row[tdm_row_target(P)] > 0;
        }
    }
    trees_fine(XGDMatrixCreateFromMat(x, s->rows, width, NAN, &m));
    trees_fine(XGDMatrixSetFloatInfo(m, "label", y, s->rows));
    trees_fine(XGDMatrixSetUIntInfo(m, "group", group, s->n));
    tdm_free(x);
    tdm_free(y);
    tdm_free(group);
    return m;
}

static void trees(bench *a)
{
    static const char *const set[][2] = {{"objective", "rank:ndcg"}, {"tree_method", "hist"},
                                         {"max_depth", "6"},         {"eta", "0.1"},
                                         {"min_child_weight", "1"},  {"seed", "1"}};
    DMatrixHandle m[PARTS];
    BoosterHandle b;
    for (int part = 0; part < PARTS; part++) m[part] = matrix(a, part);
    trees_fine(XGBoosterCreate(m, 1, &b));
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) trees_fine(XGBoosterSetParam(b, set[i][0], set[i][1]));
    for (int k = 1; k <= 300; k++) {
        trees_fine(XGBoosterUpdateOneIter(b, k - 1, m[TEACH]));
        for (int part = LEFT_OUT; k % 100 == 0 && k != 200 && part < PARTS; part++) {
            bst_ulong n;
            const float *score;
            trees_fine(XGBoosterPredict(b, m[part], 0, 0, 0, &n, &score));
            memcpy(a->score[part], score, n * sizeof *score);
        }
        if (k == 100) line_of_scores("boosted trees, 100", a);
        if (k == 300) line_of_scores("boosted trees, 300", a);
    }
    XGBoosterFree(b);
    for (int part = 0; part < PARTS; part++) XGDMatrixFree(m[part]);
}

/* ---- tandem's, and single models ---- */

static void recall_and_ndcg(double out[2], const bench *a, const tdm_model *m, int part)
{
    tdm_err err;
    tdm_evaluation *e;
    const tdm_evaluate_input in = {.models = &m,
                                   .n_models = 1,
                                   .questions = a->qs[part],
                                   .train = a->b->split->train,
                                   .k = {K},
                                   .n_k = 1,
                                   .seen = a->b->protocol.seen,
                                   .seed = 1};
    fine(tdm_evaluate(&e, &in, a->run, &err), &err);
    out[0] = e->models[0].at[0][TDM_RECALL].value, out[1] = e->models[0].at[0][TDM_NDCG].value;
    tdm_evaluation_close(e);
}

static void ours(const bench *a, bool network)
{
    tdm_err err;
    tdm_model *m;
    tdm_params p = tdm_params_standard(tdm_hybrid_ops.params);
    double left[2], test[2];
    fine(tdm_params_set(&p, "hybrid", "network", network, &err), &err);
    const tdm_fit_input in = {.train = a->b->split->train,
                              .params = &p,
                              .needs = a->needs,
                              .labels = a->qs[TEACH],
                              .seen = a->f.seen,
                              .run = a->run};
    fine(tdm_hybrid_ops.fit(&m, &in, &err), &err);
    recall_and_ndcg(left, a, m, LEFT_OUT);
    recall_and_ndcg(test, a, m, TEST);
    line(network ? "the network" : "linear, with gates", left, test);
    tdm_model_close(m);
}

/* The part that is best on people left out. */
static void best_part(const bench *a)
{
    double left[2], most[2] = {0}, test[2];
    size_t best = 0;
    char name[64];
    for (size_t p = 0; p < a->f.P; p++) {
        recall_and_ndcg(left, a, a->needs[p], LEFT_OUT);
        if (left[1] > most[1]) best = p, memcpy(most, left, sizeof most);
    }
    recall_and_ndcg(test, a, a->needs[best], TEST);
    snprintf(name, sizeof name, "%s, the best part", a->needs[best]->ops->name);
    line(name, most, test);
}

static void prepare(bench *a, const char *folder)
{
    tdm_err err;
    fine(tdm_bundle_open(&a->b, folder, &err), &err);
    int place = tdm_models_index(tdm_str_of(tdm_hybrid_ops.name));
    if (!a->b->model[place]) bench_stop("the folder holds no hybrid");
    tdm_models_needed(a->needs, a->b->model, place);
    char *path = tdm_path_join(folder, tdm_hybrid_ops.path);
    if (!path) bench_stop("not enough memory");
    fine(tdm_fusion_init(&a->f, a->needs, a->b->split->train, &err), &err);
    fine(tdm_fusion_read(&a->f, path, &err), &err); /* forms and floors; its weights know the people left out */
    tdm_free(path);
    uint64_t seed = (uint64_t)tdm_json_num(a->b->manifest, "seed", 0); /* with which the judges were drawn */
    const double cut = TDM_JUDGES + (1 - TDM_JUDGES) * 0.8, from[] = {TDM_JUDGES, cut, 1};
    for (int part = 0; part < 2; part++) {
        fine(tdm_questions_part(&a->own[part], &a->b->split->validation, a->b->data, from[part], from[part + 1], seed,
                                &err),
             &err);
        a->qs[part] = &a->own[part];
    }
    a->qs[TEST] = &a->b->split->test;
    for (int part = 0; part < PARTS; part++) {
        fine(tdm_sample_make(&a->s[part], &a->f, a->qs[part], TOP, SIZE_MAX, true, a->run, &err), &err);
        a->score[part] = tdm_new(a->s[part].rows, sizeof **a->score);
        if (!a->s[part].n) bench_stop("too few validation people have their answer among the candidates");
        if (!a->score[part]) bench_stop("not enough memory");
    }
}

int main(int argc, char **argv)
{
    tdm_err err;
    bench a = {0};
    if (argc != 2) bench_stop("use: bench_fusion MODEL");
    fine(tdm_run_open(&a.run, &(tdm_run_options){.seed = 1}, &err), &err);
    prepare(&a, argv[1]);
    printf("%zu people teach, %zu are left out, %zu test; recall@10 and ndcg@10\n", a.s[TEACH].asked,
           a.s[LEFT_OUT].asked, a.s[TEST].asked);
    best_part(&a);
    reciprocal_ranks(&a);
    greedy(&a);
    ours(&a, false);
    trees(&a);
    ours(&a, true);
    for (int part = 0; part < PARTS; part++) {
        tdm_sample_clear(&a.s[part]);
        tdm_free(a.score[part]);
    }
    tdm_questions_clear(&a.own[0]);
    tdm_questions_clear(&a.own[1]);
    tdm_fusion_clear(&a.f);
    tdm_bundle_close(a.b);
    tdm_run_close(a.run);
}
