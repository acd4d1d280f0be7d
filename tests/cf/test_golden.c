/* SPDX-License-Identifier: Apache-2.0 */
/* test_golden.c - the models without training steps against numpy (tools/golden_closed.py): every link or score within
 * 1e-4 of the largest. Floats keep seven digits, and the inverses' eigenvalues lie within a factor of a hundred. */
#include "check.h"

#include "base/mem.h"
#include "base/safetensors.h"
#include "cf/linear.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { U = 100, I = 30, DAY = 86400 };
#define GOLDEN TDM_SOURCE_DIR "/tests/cf/golden/closed.safetensors"

static toy *log_open(tdm_safetensors **file)
{
    tdm_err err;
    const void *offset, *time, *item;
    toy *t = toy_of("", I);
    CHECK_OK(tdm_safetensors_open(file, GOLDEN, &err), err);
    CHECK_OK(tdm_safetensors_need(*file, &offset, "offset", TDM_I64, U + 1, &err), err);
    t->d.U = U;
    t->d.N = (size_t)((const int64_t *)offset)[U];
    assert_true(t->d.N <= TOY_ROWS);
    CHECK_OK(tdm_safetensors_need(*file, &time, "time", TDM_I64, t->d.N, &err), err);
    CHECK_OK(tdm_safetensors_need(*file, &item, "item", TDM_U32, t->d.N, &err), err);
    memcpy(t->offset, offset, (U + 1) * sizeof *t->offset);
    memcpy(t->item, item, t->d.N * sizeof *t->item);
    for (size_t k = 0; k < t->d.N; k++) t->rating[k] = NAN;
    toy_times(t, time);
    return t;
}

static void compare(const tdm_safetensors *file, const char *name, const float *got, size_t n)
{
    tdm_err err;
    const void *p;
    CHECK_OK(tdm_safetensors_need(file, &p, name, TDM_F32, n, &err), err);
    const float *want = p;
    double most = 0, off = 0;
    for (size_t k = 0; k < n; k++) {
        most = fmax(most, fabs((double)want[k]));
        off = fmax(off, fabs((double)(got[k] > -INFINITY ? got[k] : 0) - (double)want[k]));
    }
    CHECK(most > 0.01);
    if (!(off <= 1e-4 * most)) fail_msg("%s: off by %g, and the largest is %g", name, off, most);
}

static void links_are_those_of_numpy(void **state)
{
    (void)state;
    static const struct {
        const tdm_model_ops *ops;
        const char *settings;
    } set[] = {
        {&tdm_ease_ops, "k=100 lambda=20"},
        {&tdm_slist_ops, "k=100 lambda=10 whole=0.3 past_decay=0.7 future_decay=0.4"},
        {&tdm_cooccurrence_ops, "gap_decay=0.85 reverse=0.3 shrink=3 source_power=0.5 target_power=0.25"},
    };
    static float got[I * I];
    tdm_safetensors *file;
    toy *t = log_open(&file);
    for (size_t k = 0; k < sizeof set / sizeof *set; k++) {
        tdm_model *m = toy_fit(set[k].ops, t, set[k].settings, 2);
        for (uint32_t a = 0; a < I; a++)
            for (uint32_t b = 0; b < I; b++) got[a * I + b] = tdm_links_at(&((const tdm_linear *)m)->links, a, b);
        compare(file, set[k].ops->name, got, I * I);
        tdm_model_close(m);
    }
    tdm_safetensors_close(file);
    tdm_free(t);
}

/* Scores each history of the log, in one batch. */
static void scores_are_those_of_numpy(void **state)
{
    (void)state;
    tdm_err err;
    static float got[U * I];
    static tdm_history h[U];
    tdm_safetensors *file;
    toy *t = log_open(&file);
    tdm_model *m = toy_fit(&tdm_ease_ops, t, "k=100 lambda=20 history_decay=0.6", 2);
    for (size_t u = 0; u < U; u++)
        h[u] = (tdm_history){.items = t->item + t->offset[u],
                             .n = (size_t)(t->offset[u + 1] - t->offset[u]),
                             .now = TDM_NO_TIME,
                             .self = (uint32_t)u};
    CHECK_OK(m->ops->score(m, got, h, U, &err), err);
    compare(file, "ease.scores", got, U * I);
    tdm_model_close(m);
    tdm_safetensors_close(file);
    tdm_free(t);
}

static void transitions_are_those_of_numpy(void **state)
{
    (void)state;
    tdm_err err;
    static float got[I * I];
    static uint32_t item[I];
    static tdm_history h[I];
    tdm_safetensors *file;
    toy *t = log_open(&file);
    tdm_model *m = toy_fit(&tdm_transitions_ops, t, "shrink=2", 2);
    for (uint32_t i = 0; i < I; i++) {
        item[i] = i;
        h[i] = (tdm_history){.items = item + i, .n = 1, .now = TDM_NO_TIME, .self = TDM_NONE};
    }
    CHECK_OK(m->ops->score(m, got, h, I, &err), err);
    compare(file, "transitions", got, I * I);
    tdm_model_close(m);
    tdm_safetensors_close(file);
    tdm_free(t);
}

static void counts_are_those_of_numpy(void **state)
{
    (void)state;
    tdm_err err;
    float got[2 * I];
    tdm_safetensors *file;
    toy *t = log_open(&file);
    const tdm_history h[] = {{.now = TDM_NO_TIME, .self = TDM_NONE}, {.now = 20 * DAY, .self = TDM_NONE}};
    tdm_model *m = toy_fit(&tdm_popularity_ops, t, "", 2), *n = toy_fit(&tdm_recent_ops, t, "half_life=10", 2);
    CHECK_OK(m->ops->score(m, got, h, 1, &err), err);
    compare(file, "popularity", got, I);
    CHECK_OK(n->ops->score(n, got, h, 2, &err), err);
    compare(file, "recent", got, 2 * I);
    tdm_model_close(m);
    tdm_model_close(n);
    tdm_safetensors_close(file);
    tdm_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_those_of_numpy),
        cmocka_unit_test(scores_are_those_of_numpy),
        cmocka_unit_test(transitions_are_those_of_numpy),
        cmocka_unit_test(counts_are_those_of_numpy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
