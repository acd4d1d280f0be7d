/* SPDX-License-Identifier: Apache-2.0 */
/* test_model.c - parameters, the order of rankings, evidence. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/evidence.h"
#include "model/registry.h"
#include "model/topk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const tdm_param table[] = {
    {"k", 10, 1, 100, TDM_INTEGER, "neighbours"},
    {"decay", 0.5, 0, 1, TDM_LINEAR, "of history"},
    {0},
};

static void params_start_at_their_standard(void **state)
{
    (void)state;
    tdm_params p = tdm_params_standard(table);
    CHECK(tdm_param_get(&p, "k") == 10);
    CHECK(tdm_param_get(&p, "decay") == 0.5);
    tdm_params none = tdm_params_standard(NULL);
    CHECK(none.table == NULL);
}

static void params_refuse_what_is_not_allowed(void **state)
{
    (void)state;
    tdm_err err;
    tdm_params p = tdm_params_standard(table);
    CHECK_OK(tdm_params_set(&p, "m", "k", 100, &err), err);
    CHECK(tdm_param_get(&p, "k") == 100);
    CHECK(tdm_params_set(&p, "m", "k", 101, &err) == TDM_E_ARG);
    CHECK(strstr(err.msg, "m.k is 101") && strstr(err.msg, "1 to 100"));
    CHECK(tdm_params_set(&p, "m", "k", 2.5, &err) == TDM_E_ARG);
    CHECK(strstr(err.msg, "whole number"));
    CHECK(tdm_params_set(&p, "m", "decay", NAN, &err) == TDM_E_ARG);
    CHECK(tdm_params_set(&p, "m", "decay", -1, NULL) == TDM_E_ARG);
    CHECK(tdm_params_set(&p, "m", "depth", 1, &err) == TDM_E_ARG);
    CHECK(strstr(err.msg, "depth") && strstr(err.msg, "k, decay"));
    tdm_params none = tdm_params_standard(NULL);
    CHECK(tdm_params_set(&none, "m", "k", 1, &err) == TDM_E_ARG);
    CHECK(strstr(err.msg, "no parameters"));
    CHECK(tdm_param_get(&p, "k") == 100 && tdm_param_get(&p, "decay") == 0.5);
}

static void registry_finds_by_name(void **state)
{
    (void)state;
    static const tdm_model_ops a = {.name = "a"}, b = {.name = "b"};
    static const tdm_model_ops *const all[] = {&a, &b, NULL};
    CHECK(tdm_registry_find(all, "b") == &b);
    CHECK(tdm_registry_find(all, "c") == NULL);
}

static void equal_scores_rank_by_id(void **state)
{
    (void)state;
    const float s[] = {1, 3, 3, NAN, -INFINITY, 3, 2, 1};
    uint32_t items[8];
    float best[8];
    CHECK(tdm_topk(items, best, s, 8, 2) == 2);
    CHECK(items[0] == 1 && items[1] == 2 && best[1] == 3);
    CHECK(tdm_topk(items, NULL, s, 8, 5) == 5);
    CHECK(items[0] == 1 && items[1] == 2 && items[2] == 5 && items[3] == 6 && items[4] == 0);
    CHECK(tdm_topk(items, best, s, 8, 0) == 0);
}

static void no_opinion_never_ranks(void **state)
{
    (void)state;
    const float s[] = {-INFINITY, NAN, 0, -5, -INFINITY};
    uint32_t items[5];
    CHECK(tdm_topk(items, NULL, s, 5, 5) == 2);
    CHECK(items[0] == 2 && items[1] == 3);
    CHECK(tdm_topk(items, NULL, s, 2, 2) == 0);
}

static const float *sorted_by;
static int by_rank(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (sorted_by[x] != sorted_by[y]) return sorted_by[x] > sorted_by[y] ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void topk_is_the_head_of_a_full_sort(void **state)
{
    (void)state;
    enum { N = 300 };
    float s[N];
    uint32_t all[N], items[N];
    for (uint64_t round = 0; round < 200; round++) {
        tdm_rng r = tdm_rng_make(7, round, 0);
        size_t n = 1 + (size_t)tdm_rng_below(&r, N), k = (size_t)tdm_rng_below(&r, N + 1);
        for (size_t i = 0; i < n; i++) {
            s[i] = (float)tdm_rng_below(&r, 20); /* many ties */
            all[i] = (uint32_t)i;
        }
        sorted_by = s;
        qsort(all, n, sizeof *all, by_rank);
        size_t want = k < n ? k : n;
        CHECK(tdm_topk(items, NULL, s, n, k) == want);
        CHECK(!memcmp(items, all, want * sizeof *all));
    }
}

/* Item by item, in any order, with its bar where items come by rising index: the same list. */
static void a_list_filled_item_by_item_is_the_same(void **state)
{
    (void)state;
    enum { N = 200 };
    float s[N], want[N], got[N];
    uint32_t list[N], items[N], order[N];
    for (uint64_t round = 0; round < 300; round++) {
        tdm_rng r = tdm_rng_make(8, round, 0);
        size_t n = 1 + (size_t)tdm_rng_below(&r, N), k = (size_t)tdm_rng_below(&r, round % 2 ? 12 : N);
        for (size_t i = 0; i < n; i++) {
            uint64_t kind = tdm_rng_below(&r, 30);
            s[i] = kind == 0 ? NAN : kind == 1 ? -INFINITY : kind == 2 ? INFINITY : (float)tdm_rng_below(&r, 15) - 7;
            order[i] = (uint32_t)i;
        }
        size_t m = tdm_topk(list, want, s, n, k);
        tdm_best by_index = {.items = items, .scores = got, .k = k};
        for (uint32_t i = 0; i < n; i++)
            if (s[i] > tdm_best_bar(&by_index)) tdm_best_offer(&by_index, i, s[i]);
        tdm_best_sort(&by_index);
        CHECK(by_index.n == m && !memcmp(items, list, m * sizeof *list) && !memcmp(got, want, m * sizeof *want));
        for (size_t i = n; i > 1; i--) {
            size_t j = (size_t)tdm_rng_below(&r, i);
            uint32_t swap = order[i - 1];
            order[i - 1] = order[j];
            order[j] = swap;
        }
        tdm_best drawn = {.items = items, .scores = got, .k = k};
        for (size_t i = 0; i < n; i++) tdm_best_offer(&drawn, order[i], s[order[i]]);
        tdm_best_sort(&drawn);
        CHECK(drawn.n == m && !memcmp(items, list, m * sizeof *list) && !memcmp(got, want, m * sizeof *want));
    }
}

static void evidence_keeps_the_largest_eight(void **state)
{
    (void)state;
    tdm_evidence e = {0};
    for (uint32_t i = 0; i < 20; i++) tdm_evidence_item(&e, i, (float)((i * 7) % 20));
    CHECK(e.n_because == 8);
    for (size_t i = 0; i < 8; i++) CHECK(e.because[i].share == (float)(19 - i));
    for (uint32_t i = 0; i < 20; i++) tdm_evidence_person(&e, 19 - i, 0.5f);
    CHECK(e.n_people == 8);
    for (uint32_t i = 0; i < 8; i++) CHECK(e.people[i].user == i); /* equal ones by number */
    tdm_evidence_person(&e, 3, NAN);
    tdm_evidence_person(&e, 30, 0);
    CHECK(e.people[7].user == 7);
}

static void shares_and_rest_are_one(void **state)
{
    (void)state;
    uint32_t items[12];
    double part[12];
    for (uint32_t i = 0; i < 12; i++) items[i] = i < 10 ? i : 0, part[i] = i;
    tdm_history h = {.items = items, .n = 12};
    tdm_evidence e = {0};
    tdm_evidence_shares(&e, &h, part, 34); /* 66 from the history, 34 from elsewhere */
    CHECK(e.n_because == 8);
    CHECK(e.because[0].item == 0 && fabsf(e.because[0].share - 0.21f) < 1e-6f); /* the item that came three times */
    CHECK(e.because[1].item == 9 && fabsf(e.because[1].share - 0.09f) < 1e-6f);
    double sum = (double)e.rest;
    for (size_t i = 0; i < 8; i++) sum += (double)e.because[i].share;
    CHECK(fabs(sum - 1) < 1e-6);
    memset(part, 0, sizeof part);
    tdm_evidence_shares(&e, &h, part, 0);
    CHECK(e.n_because == 0 && e.rest == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(params_start_at_their_standard),
        cmocka_unit_test(params_refuse_what_is_not_allowed),
        cmocka_unit_test(registry_finds_by_name),
        cmocka_unit_test(equal_scores_rank_by_id),
        cmocka_unit_test(no_opinion_never_ranks),
        cmocka_unit_test(topk_is_the_head_of_a_full_sort),
        cmocka_unit_test(a_list_filled_item_by_item_is_the_same),
        cmocka_unit_test(evidence_keeps_the_largest_eight),
        cmocka_unit_test(shares_and_rest_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
