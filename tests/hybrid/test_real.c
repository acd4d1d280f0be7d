/* SPDX-License-Identifier: Apache-2.0 */
/* test_real.c - the hybrid over the real models, on a drawn log. */
#include "fixture.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cf/cf.h"
#include "check.h"
#include "content/content.h"
#include "model/topk.h"

#include <math.h>
#include <string.h>

enum { PEOPLE = 1200, ITEMS = 240, ALL = 5 };

static const tdm_model_ops *const ops[ALL] = {&tdm_popularity_ops, &tdm_user_knn_ops, &tdm_item_knn_ops,
                                              &tdm_cooccurrence_ops, &tdm_content_ops};

typedef struct world {
    tdm_dataset *d;
    tdm_split *s;
    tdm_model *m[ALL + 1];
} world;

static world w;

static int world_open(void **state)
{
    (void)state;
    tdm_err err;
    w.d = drawn_log(PEOPLE, ITEMS, 1);
    tdm_protocol p = {.split = TDM_SPLIT_LEAVE_ONE_OUT, .positive_from = NAN, .seed = 1};
    CHECK_OK(tdm_split_make(&w.s, w.d, &p, &err), err);
    struct tdm_run run = {.seed = 1};
    for (size_t k = 0; k < ALL; k++) {
        tdm_params params = tdm_params_standard(ops[k]->params);
        tdm_fit_input in = {.train = w.s->train, .params = &params, .run = &run};
        CHECK_OK(ops[k]->fit(&w.m[k], &in, &err), err);
    }
    return 0;
}

static int world_close(void **state)
{
    (void)state;
    for (size_t k = 0; k < ALL; k++) tdm_model_close(w.m[k]);
    tdm_split_close(w.s);
    tdm_dataset_close(w.d);
    path_of(NULL);
    return 0;
}

static const tdm_model *const *models(void) { return (const tdm_model *const *)w.m; }

static double ndcg(const tdm_model *m, const tdm_questions *qs)
{
    tdm_err err;
    static float scores[ITEMS];
    double sum = 0;
    size_t people = 0;
    for (size_t q = 0; q < qs->n; q++) {
        tdm_history h = tdm_questions_history(qs, q);
        uint32_t best[10], t = qs->target[qs->target_at[q]];
        if (!qs->target_counts[qs->target_at[q]]) continue;
        people++;
        CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
        for (size_t j = 0; j < h.n; j++) scores[h.items[j]] = -INFINITY;
        size_t n = tdm_topk(best, NULL, scores, w.d->I, 10);
        for (size_t k = 0; k < n; k++)
            if (best[k] == t) sum += 1 / log2((double)k + 2);
    }
    return sum / (double)people;
}

static void the_hybrid_ranks_better_than_each_part(void **state)
{
    (void)state;
    tdm_model *m = fuse(models(), w.s->train, &w.s->validation, 2);
    double whole = ndcg(m, &w.s->test);
    for (size_t k = 0; k < ALL; k++) {
        double part = ndcg(w.m[k], &w.s->test);
        if (whole <= part) fail_msg("%s %.4f, hybrid %.4f", ops[k]->name, part, whole);
    }
    tdm_model_close(m);
}

static void same_bytes_at_any_number_of_threads(void **state)
{
    (void)state;
    tdm_err err;
    tdm_map a, b;
    for (size_t threads = 1; threads <= 7; threads += threads == 1 ? 1 : 5) {
        tdm_model *m = fuse(models(), w.s->train, &w.s->validation, threads);
        CHECK_OK(m->ops->save(m, path_of(threads == 1 ? "a" : "b"), &err), err);
        tdm_model_close(m);
        if (threads == 1) continue;
        CHECK_OK(tdm_map_open(&a, path_of("a"), &err), err);
        CHECK_OK(tdm_map_open(&b, path_of("b"), &err), err);
        CHECK(a.n == b.n && !memcmp(a.p, b.p, a.n));
        tdm_map_close(&a);
        tdm_map_close(&b);
    }
}

static void shares_and_rest_sum_to_one(void **state)
{
    (void)state;
    tdm_err err;
    tdm_model *m = fuse(models(), w.s->train, &w.s->validation, 1);
    size_t named = 0, people = 0;
    for (size_t q = 0; q < 100; q++) {
        tdm_history h = tdm_questions_history(&w.s->test, q);
        uint32_t item = best_of(m, &h, w.d->I);
        tdm_evidence e;
        CHECK_OK(m->ops->because(m, &e, &h, item, &err), err);
        double sum = (double)e.rest;
        for (size_t k = 0; k < e.n_because; k++) {
            sum += (double)e.because[k].share;
            bool mine = false;
            for (size_t j = 0; j < h.n; j++) mine = mine || h.items[j] == e.because[k].item;
            CHECK(mine);
        }
        CHECK(fabs(sum - 1) < 1e-5); /* nine floats near 1 were added */
        CHECK(e.rest > -1e-5f);      /* no part claims more than its weight in the sum */
        named += e.n_because;
        people += e.n_people;
        for (size_t k = 0; k < e.n_people; k++) CHECK(e.people[k].user != h.self && e.people[k].user < w.d->U);
    }
    CHECK(named > 100 && people > 100);
    tdm_model_close(m);
}

static void an_item_nobody_has_chosen_and_a_stranger_get_finite_scores(void **state)
{
    (void)state;
    tdm_err err;
    static float scores[ITEMS];
    tdm_model *m = fuse(models(), w.s->train, &w.s->validation, 1);
    uint32_t odd[] = {5, 5, 5};
    tdm_history h[] = {{.n = 0, .self = TDM_NONE}, {.items = odd, .n = 3, .self = TDM_NONE}};
    for (size_t k = 0; k < 2; k++) {
        CHECK_OK(m->ops->score(m, scores, &h[k], 1, &err), err);
        for (size_t i = 0; i < w.d->I; i++) CHECK(isfinite(scores[i]));
        float rating;
        uint32_t item = 9;
        CHECK_OK(m->ops->rate(m, &rating, &h[k], &item, 1, &err), err);
        CHECK(rating > 0 && rating < 6);
    }
    tdm_model_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hybrid_ranks_better_than_each_part),
        cmocka_unit_test(same_bytes_at_any_number_of_threads),
        cmocka_unit_test(shares_and_rest_sum_to_one),
        cmocka_unit_test(an_item_nobody_has_chosen_and_a_stranger_get_finite_scores),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
