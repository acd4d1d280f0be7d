/* SPDX-License-Identifier: Apache-2.0 */
/* test_diverse.c - lists by marginal relevance, on vectors that can be judged by eye. */
#include "check.h"

#include "base/mem.h"
#include "hybrid/diverse.h"

#include <string.h>

/* Items 0 to 2 point one way, 3 and 4 another, 5 has no vector. */
static const float vectors[] = {1, 0, 2, 0, 1, 0.1f, 0, 1, 0.1f, 3, 0, 0};
enum { N = 6, K = 2 };

static void order_is(double weight, size_t n, const char *want)
{
    uint32_t items[N] = {0, 1, 2, 3, 4, 5};
    float scores[N] = {9, 8.5f, 8, 7, 6, 5}, scratch[N];
    const tdm_diversity d = {weight, vectors, K};
    char got[N + 1] = {0};
    size_t m = tdm_diverse(items, scores, N, n, &d, scratch);
    assert_int_equal(m, n < N ? n : N);
    for (size_t i = 0; i < m; i++) got[i] = (char)('0' + items[i]);
    assert_string_equal(got, want);
    for (size_t i = 0; i < N; i++) assert_true(scores[i] == ((float[]){9, 8.5f, 8, 7, 6, 5})[items[i]]);
}

static void the_unlike_come_forward(void **state)
{
    (void)state;
    order_is(0, 6, "012345");
    order_is(0.2, 3, "012"); /* relevance 1, .875, .75, .5, .25, 0: 1 is worth .8 * .875 - .2, and 3 .8 * .5 */
    order_is(0.3, 3, "031"); /* .7 * .5 is above .7 * .875 - .3 */
    order_is(0.3, 20, "031254");
    order_is(0.5, 6, "035124"); /* 5 has no relevance, and is like none */
    order_is(1, 2, "03");       /* 3 and 5 are as unlike: the better one */
}

static void equal_scores_and_short_lists(void **state)
{
    (void)state;
    uint32_t items[2] = {3, 0}, one[1] = {4};
    float scores[2] = {1, 1}, single[1] = {2}, scratch[2];
    const tdm_diversity d = {0.7, vectors, K};
    assert_int_equal(tdm_diverse(items, scores, 2, 2, &d, scratch), 2);
    assert_true(items[0] == 3 && items[1] == 0);
    assert_int_equal(tdm_diverse(one, single, 1, 10, &d, scratch), 1);
    assert_int_equal(tdm_diverse(one, single, 0, 10, &d, scratch), 0);
}

/* A model whose score of an item falls with its number. */
static tdm_status falling(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    (void)m, (void)h, (void)err;
    for (size_t i = 0; i < B * N; i++) scores[i] = 6 - (float)(i % N);
    return TDM_OK;
}

static void filters_hold_and_memory_may_be_short(void **state)
{
    (void)state;
    const tdm_model_ops ops = {.name = "falling", .score = falling};
    const tdm_model m = {.ops = &ops};
    const uint8_t barred[N] = {[3] = 1};
    const tdm_wanted w = {.k = 2, .barred = barred};
    const tdm_diversity d = {0.5, vectors, K}, none = {0};
    const tdm_history h[2] = {{.n = 0}, {.n = 0}};
    uint32_t items[4];
    float scores[4];
    size_t n[2];
    tdm_err err;
    const tdm_ranked out = {items, scores, n};
    CHECK_OK(tdm_diverse_topk(&m, &out, h, 2, &w, N, &none, &err), err);
    assert_true(n[0] == 2 && items[0] == 0 && items[1] == 1);
    long k = 0;
    for (tdm_status st = TDM_E_NOMEM; st; k++) {
        size_t live = tdm_mem_live();
        tdm_mem_fail_after(k);
        st = tdm_diverse_topk(&m, &out, h, 2, &w, N, &d, &err);
        tdm_mem_fail_after(-1);
        assert_int_equal(tdm_mem_live(), live);
        assert_true(!st || (st == TDM_E_NOMEM && k < 100));
    }
    for (size_t b = 0; b < 2; b++) assert_true(n[b] == 2 && items[2 * b] == 0 && items[2 * b + 1] == 4);
    assert_true(scores[1] == 2 && k > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_unlike_come_forward),
                                       cmocka_unit_test(equal_scores_and_short_lists),
                                       cmocka_unit_test(filters_hold_and_memory_may_be_short)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
