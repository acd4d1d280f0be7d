/* SPDX-License-Identifier: Apache-2.0 */
/* test_topk.c - a model's own way to its best items is the plain one: every score, then the head of a sort. Same items,
 * same floats. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/factors_topk.h"
#include "model/topk.h"
#include "toy.h"

#include <math.h>
#include <string.h>

enum { MOST = 250 };

/* What tdm_model_topk does for a model that only scores. */
static void plainly(const tdm_ranked *out, float *scores, const tdm_history *h, size_t B, const tdm_wanted *w, size_t I)
{
    for (size_t b = 0; b < B; b++) {
        float *row = scores + b * I;
        for (size_t j = 0; w->filter_seen && j < h[b].n; j++)
            if (h[b].items[j] < I) row[h[b].items[j]] = -INFINITY;
        for (size_t i = 0; w->barred && i < I; i++)
            if (w->barred[i]) row[i] = -INFINITY;
        out->n[b] = tdm_topk(out->items + b * w->k, out->scores + b * w->k, row, I, w->k);
    }
}

static tdm_ranked ranked_new(size_t B, size_t k)
{
    tdm_ranked r = {tdm_new(B * k + 1, sizeof *r.items), tdm_new(B * k + 1, sizeof *r.scores), tdm_new(B, sizeof *r.n)};
    CHECK(r.items && r.scores && r.n);
    return r;
}

static void ranked_clear(tdm_ranked *r)
{
    tdm_free(r->items);
    tdm_free(r->scores);
    tdm_free(r->n);
}

static void same(const tdm_ranked *a, const tdm_ranked *b, size_t B, size_t k, const char *name)
{
    for (size_t i = 0; i < B; i++) {
        if (a->n[i] != b->n[i]) fail_msg("%s: %zu items where the plain way has %zu", name, a->n[i], b->n[i]);
        for (size_t j = i * k; j < i * k + a->n[i]; j++)
            if (a->items[j] != b->items[j] || a->scores[j] != b->scores[j])
                fail_msg("%s, list %zu of %zu, place %zu: %u (%.9g) where the plain way has %u (%.9g)", name, i, B,
                         j - i * k, a->items[j], (double)a->scores[j], b->items[j], (double)b->scores[j]);
    }
}

/* ---- models ---- */

static void compare(const tdm_model *m, const toy *t, size_t B, const tdm_wanted *w)
{
    size_t I = t->d.I;
    tdm_err err;
    tdm_history h[MOST];
    float *scores = tdm_new(B * I, sizeof *scores);
    tdm_ranked own = ranked_new(B, w->k), plain = ranked_new(B, w->k);
    for (size_t b = 0; b < B; b++) {
        size_t at = (size_t)t->offset[b];
        h[b] = (tdm_history){.items = t->item + at,
                             .ratings = t->rating + at,
                             .n = b % 11 == 7 ? 0 : (size_t)t->offset[b + 1] - at,
                             .now = TDM_NO_TIME,
                             .self = (uint32_t)b};
    }
    const uint32_t strange[] = {1, 4000000000, 3, 3, 1};
    if (B > 2) h[2] = (tdm_history){.items = strange, .n = 5, .now = TDM_NO_TIME, .self = TDM_NONE};
    CHECK_OK(m->ops->score(m, scores, h, B, &err), err);
    plainly(&plain, scores, h, B, w, I);
    CHECK_OK(tdm_model_topk(m, &own, h, B, w, I, &err), err);
    same(&own, &plain, B, w->k, m->ops->name);
    tdm_free(scores);
    ranked_clear(&own);
    ranked_clear(&plain);
}

static void every_model_lists_what_it_scores_highest(void **state)
{
    (void)state;
    static const struct {
        const tdm_model_ops *ops;
        const char *settings;
    } all[] = {{&tdm_popularity_ops, ""},
               {&tdm_cooccurrence_ops, ""},
               {&tdm_item_knn_ops, ""},
               {&tdm_user_knn_ops, ""},
               {&tdm_ease_ops, ""},
               {&tdm_slist_ops, ""},
               {&tdm_ials_ops, "factors=32 iterations=2"}};
    enum { I = 130 };
    toy *t = toy_drawn(MOST, I, 5);
    uint8_t barred[I];
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        tdm_model *m = toy_fit(all[k].ops, t, all[k].settings, 1);
        const size_t B[] = {1, 4, 5, 12, 49, MOST}, n[] = {1, 10, 10, I, 3, 10};
        for (size_t r = 0; r < sizeof B / sizeof *B; r++)
            for (int way = 0; way < 4; way++) {
                tdm_rng g = tdm_rng_make(9, r, (uint64_t)way);
                for (size_t i = 0; i < I; i++) barred[i] = tdm_rng_below(&g, 3) == 0;
                const tdm_wanted w = {.k = n[r], .filter_seen = way % 2 == 0, .barred = way > 1 ? barred : NULL};
                compare(m, t, B[r], &w);
            }
        memset(barred, 1, sizeof barred);
        compare(m, t, 5, &(tdm_wanted){.k = 10, .barred = barred}); /* nothing is left */
        compare(m, t, 5, &(tdm_wanted){.k = 0, .filter_seen = true});
        compare(m, t, 5, &(tdm_wanted){.k = 2 * I});
        tdm_model_close(m);
    }
    tdm_free(t);
}

/* ---- factors: what a fit would not draw ---- */

static void factors_compare(size_t I, size_t K, size_t B, const tdm_wanted *w, uint64_t seed)
{
    enum { LENGTH = 20 };
    tdm_err err;
    tdm_rng r = tdm_rng_make(seed, I, K);
    float *Y = tdm_new(I * K, sizeof *Y), *X = tdm_new(B * K, sizeof *X), *scores = tdm_new(B * I, sizeof *scores);
    uint32_t *had = tdm_new(B, LENGTH * sizeof *had);
    tdm_history *h = tdm_new(B, sizeof *h);
    tdm_ranked own = ranked_new(B, w->k), plain = ranked_new(B, w->k);
    CHECK(Y && X && scores && had && h);
    for (size_t k = 0; k < I * K; k++) Y[k] = (float)tdm_rng_normal(&r);
    for (size_t k = 0; k < B * K; k++) X[k] = (float)tdm_rng_normal(&r);
    for (size_t i = 0; i < I; i++) {
        uint64_t kind = tdm_rng_below(&r, 12), from = tdm_rng_below(&r, I);
        if (kind < 4) memcpy(Y + i * K, Y + from * K, K * sizeof *Y); /* ties, near and far */
        if (kind == 4) memset(Y + i * K, 0, K * sizeof *Y);           /* no opinion */
        if (kind == 5) Y[i * K + 3] = NAN;
        if (kind == 6) Y[i * K + 5] = INFINITY; /* or -INFINITY, or NaN where it meets another */
    }
    for (size_t b = 0; b < B; b++) {
        if (b % 9 == 4) memset(X + b * K, 0, K * sizeof *X);
        if (b % 9 == 5) memcpy(X + b * K, X + (b - 1) * K, K * sizeof *X);
        for (size_t j = 0; j < LENGTH; j++) had[b * LENGTH + j] = (uint32_t)tdm_rng_below(&r, I + 2);
        h[b] = (tdm_history){.items = had + b * LENGTH, .n = b % 4 ? LENGTH : 0, .self = TDM_NONE};
    }
    const tdm_factors f = {Y, I, K};
    CHECK_OK(tdm_factors_score(scores, &f, X, B, &err), err);
    for (size_t b = 0; b < B; b++) /* the same alone as in company */
        if (b < 3 || b + 3 > B) {
            float *one = tdm_new(I, sizeof *one);
            CHECK_OK(tdm_factors_score(one, &f, X + b * K, 1, &err), err);
            CHECK(!memcmp(one, scores + b * I, I * sizeof *one));
            tdm_free(one);
        }
    plainly(&plain, scores, h, B, w, I);
    CHECK_OK(tdm_factors_topk(&own, &f, X, h, B, w, &err), err);
    same(&own, &plain, B, w->k, "factors");
    tdm_free(Y);
    tdm_free(X);
    tdm_free(scores);
    tdm_free(had);
    tdm_free(h);
    ranked_clear(&own);
    ranked_clear(&plain);
}

static void factors_of_any_shape(void **state)
{
    (void)state;
    enum { WIDEST = 1700 };
    static uint8_t barred[WIDEST];
    /* 512 factors: a tile holds 264 items, so several are passed over; 193 people: more than one round of panels */
    const size_t I[] = {1, 7, 8, 9, 65, 700, WIDEST}, K[] = {16, 32, 64, 128, 512}, B[] = {1, 3, 47, 48, 49, 193};
    const size_t k[] = {1, 2, 10, 100, 5000};
    for (size_t a = 0; a < sizeof I / sizeof *I; a++)
        for (size_t b = 0; b < sizeof B / sizeof *B; b++) {
            uint64_t seed = a * 10 + b;
            tdm_rng r = tdm_rng_make(3, seed, 0);
            size_t factors = K[(a + b) % 5];
            for (size_t i = 0; i < I[a]; i++) barred[i] = tdm_rng_below(&r, 5) == 0;
            for (int way = 0; way < 4; way++) {
                const tdm_wanted w = {.k = k[(a + 2 * b + (size_t)way) % 5],
                                      .filter_seen = way % 2 == 0,
                                      .barred = way > 1 ? barred : NULL};
                factors_compare(I[a], factors, B[b], &w, seed);
            }
        }
}

static void short_memory_is_an_error_and_no_leak(void **state)
{
    (void)state;
    toy *t = toy_drawn(60, 40, 5);
    const tdm_model_ops *all[] = {&tdm_popularity_ops, &tdm_cooccurrence_ops, &tdm_user_knn_ops, &tdm_ials_ops};
    for (size_t k = 0; k < 4; k++) {
        tdm_model *m = toy_fit(all[k], t, all[k] == &tdm_ials_ops ? "factors=16 iterations=1" : "", 1);
        tdm_ranked out = ranked_new(60, 10);
        tdm_history h[60];
        for (size_t b = 0; b < 60; b++)
            h[b] = (tdm_history){.items = t->item + t->offset[b],
                                 .n = (size_t)(t->offset[b + 1] - t->offset[b]),
                                 .now = TDM_NO_TIME,
                                 .self = TDM_NONE};
        const tdm_wanted w = {.k = 10, .filter_seen = true};
        size_t live = tdm_mem_live();
        long n = 0;
        for (; n < 5000; n++) {
            tdm_err err;
            tdm_mem_fail_after(n);
            tdm_status st = tdm_model_topk(m, &out, h, 60, &w, 40, &err);
            tdm_mem_fail_after(-1);
            CHECK(tdm_mem_live() == live);
            if (st == TDM_OK) break;
            CHECK(st == TDM_E_NOMEM);
        }
        CHECK(n > 0 && n < 5000);
        ranked_clear(&out);
        tdm_model_close(m);
    }
    tdm_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_lists_what_it_scores_highest),
        cmocka_unit_test(factors_of_any_shape),
        cmocka_unit_test(short_memory_is_an_error_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
