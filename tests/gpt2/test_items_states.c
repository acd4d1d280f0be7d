/* SPDX-License-Identifier: Apache-2.0 */
/* test_items_states.c - a history extended event by event scores like the whole history read at once. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "gpt2/items_states.h"
#include "items_toy.h"

#include <math.h>

enum { I = 20, PEOPLE = 5, EVENTS = 14 };

typedef struct asked {
    uint32_t items[PEOPLE][64];
    size_t n[PEOPLE];
} asked;

/* 1e-4 as elsewhere: sums in another order, of logits below 10. */
static void scores_like_the_whole(const tdm_model *m, const tdm_items_states *s, const asked *a)
{
    tdm_err err;
    for (size_t p = 0; p < PEOPLE; p++) {
        float kept[I], whole[I];
        tdm_history h = toy_asked(a->items[p], a->n[p]);
        CHECK_OK(tdm_items_states_score(s, kept, p, &err), err);
        CHECK_OK(m->ops->score(m, whole, &h, 1, &err), err);
        for (size_t i = 0; i < I; i++) CHECK(kept[i] == whole[i] || fabsf(kept[i] - whole[i]) < 1e-4f);
    }
}

/* Some have an event at each turn, some have not; one event is of no item; a window of six is outgrown by all. */
static void extended(const char *settings, tdm_pool *pool)
{
    tdm_err err;
    toy *t = toy_cycle(60, I, 3);
    tdm_model *m = toy_fitted(t, settings, NULL);
    tdm_items_states *s;
    asked a = {0};
    CHECK_OK(tdm_items_states_open(&s, m, PEOPLE, pool, &err), err);
    for (size_t p = 0; p < PEOPLE; p++) {
        for (a.n[p] = 0; a.n[p] < 2 * p; a.n[p]++) a.items[p][a.n[p]] = (uint32_t)(7 * p + 3 * a.n[p]) % I;
        tdm_history h = toy_asked(a.items[p], a.n[p]);
        CHECK_OK(tdm_items_states_begin(s, p, &h, &err), err);
    }
    scores_like_the_whole(m, s, &a);
    float before[I], after[I];
    CHECK_OK(tdm_items_states_score(s, before, 0, &err), err);
    for (uint64_t e = 0; e < EVENTS; e++) {
        tdm_rng r = tdm_rng_make(31, e, 0);
        size_t who[PEOPLE], n = 0;
        uint32_t item[PEOPLE];
        for (size_t p = 0; p < PEOPLE; p++) {
            if (tdm_rng_below(&r, 4) == 0) continue;
            who[n] = p;
            item[n] = e == 3 ? 1000 : (uint32_t)tdm_rng_below(&r, I);
            a.items[p][a.n[p]++] = item[n++];
        }
        CHECK_OK(tdm_items_states_extend(s, who, item, n, &err), err);
        scores_like_the_whole(m, s, &a);
    }
    CHECK_OK(tdm_items_states_score(s, after, 0, &err), err);
    float most = 0;
    for (size_t i = 0; i < I; i++) most = fmaxf(most, fabsf(after[i] - before[i]));
    CHECK(most > 1e-2f); /* events say something */
    tdm_items_states_close(s);
    tdm_model_close(m);
    tdm_free(t);
}

static void an_event_more_scores_like_the_whole_history(void **state)
{
    (void)state;
    extended("window=6", NULL);
    extended("window=1", NULL);
    extended("window=50 layers=2", NULL);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    tdm_pool *pool;
    tdm_err err;
    CHECK_OK(tdm_pool_open(&pool, 3, &err), err);
    extended("window=6", pool);
    tdm_pool_close(pool);
}

static void who_has_not_begun_is_told_so(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_cycle(60, I, 3);
    tdm_model *m = toy_fitted(t, "window=4", NULL);
    const float v[I] = {1};
    toy_content other = toy_content_of(v, 1);
    tdm_items_states *s;
    CHECK(tdm_items_states_open(&s, &other.base, 1, NULL, &err) == TDM_E_ARG && !s);
    CHECK_OK(tdm_items_states_open(&s, m, 2, NULL, &err), err);
    float scores[I];
    const uint32_t item = 3;
    tdm_history none = toy_asked(&item, 0);
    CHECK(tdm_items_states_extend(s, (const size_t[]){0}, &item, 1, &err) == TDM_E_ARG);
    CHECK(tdm_items_states_score(s, scores, 0, &err) == TDM_E_ARG);
    CHECK(tdm_items_states_begin(s, 2, &none, &err) == TDM_E_ARG);
    CHECK_OK(tdm_items_states_begin(s, 1, &none, &err), err);
    CHECK_OK(tdm_items_states_extend(s, (const size_t[]){1}, &item, 1, &err), err);
    CHECK(tdm_items_states_score(s, scores, 2, &err) == TDM_E_ARG);
    tdm_items_states_close(s);
    tdm_model_close(m);
    tdm_free(t);
}

static void short_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_cycle(60, I, 3);
    tdm_model *m = toy_fitted(t, "window=4", NULL);
    const uint32_t items[] = {1, 2, 3, 4, 5, 6};
    tdm_history h = toy_asked(items, 3);
    size_t live = tdm_mem_live();
    tdm_status st = TDM_E_NOMEM;
    long k = 0;
    for (; st && k < 500; k++) {
        tdm_items_states *s;
        tdm_mem_fail_after(k);
        st = tdm_items_states_open(&s, m, 2, NULL, &err);
        if (!st) st = tdm_items_states_begin(s, 1, &h, &err);
        for (size_t i = 3; i < 6 && !st; i++) st = tdm_items_states_extend(s, (const size_t[]){1}, items + i, 1, &err);
        tdm_mem_fail_after(-1);
        tdm_items_states_close(s);
        CHECK(tdm_mem_live() == live && (!st || st == TDM_E_NOMEM));
    }
    CHECK(!st && k > 8);
    tdm_model_close(m);
    tdm_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_more_scores_like_the_whole_history),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(who_has_not_begun_is_told_so),
        cmocka_unit_test(short_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
