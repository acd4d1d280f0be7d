/* SPDX-License-Identifier: Apache-2.0 */
/* test_trec.c - the run and qrels files, read and judged as trec_eval does it.
 *
 * trec_eval (NIST) orders a run by score downwards and equal scores by document name downwards, whatever the rank
 * column says. With binary judgements: P_k = hits / k; recall_k = hits / relevant; ndcg_cut_k = sum of rel / log2(i +
 * 1) over the same sum of the ideal list, which is cut at k. */
#include "scripted.h"

#include "base/file.h"
#include "base/mem.h"
#include "eval/files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PEOPLE = 120, ITEMS = 50, K = 10 };

typedef struct line {
    char person[32], item[32];
    double score;
} line;

static int as_trec_eval(const void *x, const void *y)
{
    const line *a = x, *b = y;
    int person = strcmp(a->person, b->person);
    if (person) return person;
    if (a->score != b->score) return a->score < b->score ? 1 : -1;
    return -strcmp(a->item, b->item);
}

static size_t read_lines(line *out, const char *path, bool run)
{
    FILE *f = fopen(path, "r");
    size_t n = 0;
    int got;
    char tag[32], q0[8];
    long rank;
    assert_non_null(f);
    if (run)
        while ((got = fscanf(f, "%31s %7s %31s %ld %lf %31s", out[n].person, q0, out[n].item, &rank, &out[n].score,
                             tag)) == 6) {
            assert_string_equal(q0, "Q0");
            n++;
        }
    else
        while ((got = fscanf(f, "%31s %7s %31s %lf", out[n].person, q0, out[n].item, &out[n].score)) == 4) n++;
    assert_int_equal(got, EOF);
    fclose(f);
    return n;
}

static bool judged(const line *qrels, size_t n, const line *l)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(qrels[i].person, l->person) && !strcmp(qrels[i].item, l->item)) return qrels[i].score > 0;
    return false;
}

/* Means over the people of the qrels, as `trec_eval -c` takes them. */
static void judge_files(double mean[3], const line *run, size_t n, const line *qrels, size_t m)
{
    size_t people = 0;
    mean[0] = mean[1] = mean[2] = 0;
    for (size_t q = 0; q < m; q++) {
        bool again = false;
        size_t R = 0, place = 0, hits = 0;
        double gain = 0, ideal = 0;
        for (size_t i = 0; i < q; i++) again = again || !strcmp(qrels[i].person, qrels[q].person);
        if (again) continue;
        for (size_t i = 0; i < m; i++) R += !strcmp(qrels[i].person, qrels[q].person);
        for (size_t i = 0; i < n; i++) {
            if (strcmp(run[i].person, qrels[q].person) || ++place > K || !judged(qrels, m, &run[i])) continue;
            hits++;
            gain += 1 / log2((double)place + 1);
        }
        for (size_t i = 1; i <= R && i <= K; i++) ideal += 1 / log2((double)i + 1);
        mean[0] += gain / ideal;
        mean[1] += (double)hits / (double)R;
        mean[2] += (double)hits / K;
        people++;
    }
    for (int k = 0; k < 3; k++) mean[k] /= (double)people;
}

static void trec_eval_finds_the_same_figures(void **state)
{
    (void)state;
    tdm_err err;
    char folder[] = "/tmp/tdm-trec-XXXXXX", path[64], people[64];
    assert_non_null(mkdtemp(folder));
    stage *s = stage_drawn(PEOPLE, ITEMS, 5);
    stage_ids(&s->train);
    float *scores = tdm_new(PEOPLE * ITEMS, sizeof *scores);
    for (size_t i = 0; i < PEOPLE * ITEMS; i++)
        scores[i] =
            i / ITEMS == 7 ? -INFINITY : (float)(i * 2654435761u % 5); /* ties everywhere; person 7 gets no list */
    for (size_t q = 0; q < PEOPLE; q++)
        for (int64_t t = s->target_at[q]; t < s->target_at[q + 1]; t++) {
            s->counts[t] = q % 5 != 2 || t % 2;
            if (q != 7 && q % 3 == 0) scores[q * ITEMS + s->target[t]] += 1;
        }
    scripted m = scripted_make("a/b c", s); /* a name that is no file name */
    m.base.ops = &m.ops;
    m.scores = scores;
    const tdm_model *models[] = {&m.base};
    tdm_run *run;
    tdm_files files;
    tdm_evaluation *e;
    snprintf(people, sizeof people, "%s/people.jsonl", folder);
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2}, &err), err);
    CHECK_OK(tdm_files_open(&files, &s->train, folder, people, &err), err);
    tdm_evaluate_input in = {.models = models,
                             .n_models = 1,
                             .subject = 1,
                             .questions = &s->qs,
                             .train = &s->train,
                             .lists = tdm_files_take,
                             .ctx = &files};
    CHECK_OK(tdm_evaluate(&e, &in, run, &err), err);
    CHECK_OK(tdm_files_close(&files, &err), err);

    line *ranked = tdm_new(PEOPLE * ITEMS, sizeof *ranked), *qrels = tdm_new(PEOPLE * 3, sizeof *qrels);
    snprintf(path, sizeof path, "%s/a-b c.run", folder);
    size_t n = read_lines(ranked, path, true);
    unlink(path);
    for (size_t i = 1; i < n; i++) /* strictly downwards within a person: trec_eval's own tie order has no say */
        assert_true(strcmp(ranked[i].person, ranked[i - 1].person) || ranked[i].score < ranked[i - 1].score);
    qsort(ranked, n, sizeof *ranked, as_trec_eval);
    snprintf(path, sizeof path, "%s/qrels.txt", folder);
    size_t q = read_lines(qrels, path, false);
    unlink(path);
    assert_int_equal(q, e->counted);
    double mean[3];
    judge_files(mean, ranked, n, qrels, q);
    const tdm_estimate *at = e->models[0].at[e->main];
    /* sums of some hundred terms in another order */
    assert_true(fabs(mean[0] - at[TDM_NDCG].value) < 1e-12 && mean[0] > 0.05);
    assert_true(fabs(mean[1] - at[TDM_RECALL].value) < 1e-12);
    assert_true(fabs(mean[2] - at[TDM_PRECISION].value) < 1e-12);

    tdm_map lines;
    size_t count = 0;
    CHECK_OK(tdm_map_open(&lines, people, &err), err);
    for (size_t i = 0; i < lines.n; i++) count += lines.p[i] == '\n';
    assert_int_equal(count, e->people);
    tdm_map_close(&lines);
    unlink(people);
    rmdir(folder);
    tdm_evaluation_close(e);
    tdm_run_close(run);
    tdm_free(ranked);
    tdm_free(qrels);
    tdm_free(scores);
    tdm_free(s);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    tdm_err err;
    tdm_files files;
    assert_int_equal(tdm_files_open(&files, NULL, "/dev/null/x", NULL, &err), TDM_E_IO);
    assert_non_null(strstr(err.msg, "/dev/null"));
    assert_int_equal(tdm_files_open(&files, NULL, NULL, "/dev/null/x", &err), TDM_E_IO);
    assert_non_null(strstr(err.msg, "/dev/null/x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trec_eval_finds_the_same_figures),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
