/* SPDX-License-Identifier: Apache-2.0 */
/* test_items.c - what gpt2-items learns: order, what mattered, and words where choices are few. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "items_toy.h"

#include <math.h>

static uint32_t first(const float *scores, size_t n)
{
    uint32_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (scores[i] > scores[best]) best = (uint32_t)i;
    return best;
}

/* Nothing but order tells the next item here: every item is as frequent as every other. */
static void order_is_learned(void **state)
{
    (void)state;
    tdm_err err;
    enum { I = 30, STEP = 7 };
    toy *t = toy_cycle(400, I, STEP);
    tdm_model *m = toy_fitted(t, "epochs=120 rate=0.005", NULL);
    float scores[I * I];
    tdm_history h[I];
    uint32_t asked[I][3];
    for (uint32_t i = 0; i < I; i++) {
        for (uint32_t k = 0; k < 3; k++) asked[i][k] = (i + k * STEP) % I;
        h[i] = toy_asked(asked[i], 3);
    }
    CHECK_OK(m->ops->score(m, scores, h, I, &err), err);
    for (uint32_t i = 0; i < I; i++) CHECK(first(scores + i * I, I) == (i + 3 * STEP) % I);
    tdm_model_close(m);
    tdm_free(t);
}

static void a_batch_scores_like_each_alone(void **state)
{
    (void)state;
    tdm_err err;
    enum { I = 20 };
    toy *t = toy_cycle(60, I, 3);
    tdm_model *m = toy_fitted(t, "window=4", NULL);
    const uint32_t items[] = {5, 9, 2, 2, 19, 0, 7};
    tdm_history h[] = {toy_asked(items, 7), toy_asked(items, 0), toy_asked(items + 3, 4), toy_asked(items, 1)};
    float all[4 * I], one[I];
    CHECK_OK(m->ops->score(m, all, h, 4, &err), err);
    for (size_t b = 0; b < 4; b++) {
        CHECK_OK(m->ops->score(m, one, &h[b], 1, &err), err);
        /* products of another shape may be added in another order: a few roundings of logits below 10 */
        for (size_t i = 0; i < I; i++) CHECK(fabsf(one[i] - all[b * I + i]) < 1e-4f);
    }
    /* the newest four are all that is read */
    for (size_t i = 0; i < I; i++) CHECK(all[i] == all[2 * I + i]);
    CHECK(isfinite(all[I])); /* nothing chosen yet has an answer */
    const uint32_t strange[] = {5, 9, 2, 2, 1000, 19, 0, 7};
    tdm_history odd = toy_asked(strange, 8);
    CHECK_OK(m->ops->score(m, one, &odd, 1, &err), err);
    for (size_t i = 0; i < I; i++) CHECK(fabsf(one[i] - all[i]) < 1e-4f);
    tdm_model_close(m);
    tdm_free(t);
}

/* The list of one history is the head of its sorted scores, up to roundings that swap what is as good as equal. */
static void list_is_of(const float *scores, size_t I, const uint32_t *items, const float *best, size_t n,
                       const tdm_wanted *w, const tdm_history *h)
{
    float left[64];
    size_t open = 0;
    for (size_t i = 0; i < I; i++) left[i] = scores[i];
    for (size_t j = 0; w->filter_seen && j < h->n; j++) left[h->items[j]] = -INFINITY;
    for (size_t i = 0; w->barred && i < I; i++) left[i] = w->barred[i] ? -INFINITY : left[i];
    for (size_t i = 0; i < I; i++) open += isfinite(left[i]);
    CHECK(n == (open < w->k ? open : w->k));
    for (size_t r = 0; r < n; r++) {
        CHECK(fabsf(left[items[r]] - best[r]) < 1e-4f); /* and so it is not one that stays out */
        CHECK(!r || best[r] <= best[r - 1]);
        left[items[r]] = -INFINITY; /* each once */
    }
    for (size_t i = 0; i < I && n == w->k; i++) CHECK(left[i] < best[n - 1] + 1e-4f);
}

static void lists_are_the_head_of_sorted_scores(void **state)
{
    (void)state;
    enum { I = 40, B = 70, K = 6 };
    static const char *const settings[] = {"channels=32", "channels=24"}; /* whole vectors, and not */
    tdm_err err;
    for (size_t k = 0; k < 2; k++) {
        toy *t = toy_cycle(60, I - 2, 3); /* nobody chose the last two: they have no score */
        t->d.I = I;
        t->id_at[I - 1] = t->id_at[I] = t->id_at[I - 2];
        t->d.item_id.n = I;
        tdm_model *m = toy_fitted(t, settings[k], NULL);
        uint32_t asked[B][8], items[B * I];
        float scores[B * I], best[B * I];
        size_t n[B];
        uint8_t barred[I] = {[3] = 1, [17] = 1};
        tdm_history h[B];
        for (uint64_t b = 0; b < B; b++) {
            tdm_rng r = tdm_rng_make(13, b, 0);
            for (size_t j = 0; j < 8; j++) asked[b][j] = (uint32_t)tdm_rng_below(&r, I - 2);
            h[b] = toy_asked(asked[b], (size_t)tdm_rng_below(&r, 9));
        }
        CHECK_OK(m->ops->score(m, scores, h, B, &err), err);
        CHECK(m->ops->topk != NULL && !isfinite(scores[I - 1]));
        const tdm_wanted wanted[] = {{K, true, barred}, {K, false, NULL}, {I, true, NULL}, {1, false, barred}};
        for (size_t v = 0; v < 4; v++)
            for (size_t many = 1; many <= B; many += B - 1) {
                const tdm_ranked out = {items, best, n};
                CHECK_OK(m->ops->topk(m, &out, h, many, &wanted[v], &err), err);
                for (size_t b = 0; b < many; b++)
                    list_is_of(scores + b * I, I, items + b * wanted[v].k, best + b * wanted[v].k, n[b], &wanted[v],
                               &h[b]);
            }
        tdm_model_close(m);
        tdm_free(t);
    }
}

/* A person's key (0 to 4) stands among the first four; behind it every other item, by chance, is 5 + key. The rest is
 * noise. */
static toy *keys_and_noise(void)
{
    toy *t = toy_new(25);
    for (uint64_t u = 0; u < 900; u++) {
        tdm_rng r = tdm_rng_make(11, u, 0);
        uint32_t key = (uint32_t)tdm_rng_below(&r, 5);
        size_t n = 6 + (size_t)tdm_rng_below(&r, 3), at = (size_t)tdm_rng_below(&r, 4);
        for (size_t k = 0; k < n; k++) {
            bool told = k > at && tdm_rng_below(&r, 2);
            toy_add(t, k == at ? key : told ? 5 + key : 10 + (uint32_t)tdm_rng_below(&r, 15));
        }
        toy_end_person(t);
    }
    return t;
}

static void shares_point_at_what_mattered(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = keys_and_noise();
    tdm_model *m = toy_fitted(t, "epochs=12 rate=0.005", NULL);
    for (uint32_t key = 0; key < 5; key++) {
        const uint32_t items[3] = {12, key, 17};
        tdm_history h = toy_asked(items, 3);
        tdm_evidence e;
        CHECK_OK(m->ops->because(m, &e, &h, 5 + key, &err), err);
        CHECK(e.n_because >= 1 && e.because[0].item == key && e.because[0].share > 0.9f);
        float sum = e.rest;
        for (size_t k = 0; k < e.n_because; k++) {
            CHECK(e.because[k].share > 0); /* what speaks against an item is not a reason for it */
            sum += e.because[k].share;
        }
        CHECK(fabsf(sum - 1) < 1e-5f); /* nine roundings of numbers below 1 */
    }
    tdm_history none = toy_asked(NULL, 0);
    tdm_evidence e;
    CHECK_OK(m->ops->because(m, &e, &none, 5, &err), err);
    CHECK(e.n_because == 0 && e.rest == 1);
    tdm_model_close(m);
    tdm_free(t);
}

/* Two tastes, items 0 to 9 and 10 to 19. Nobody ever chose 9 and 19: only their words say whose they are. */
static toy *two_tastes(float *v)
{
    toy *t = toy_new(20);
    for (uint64_t u = 0; u < 300; u++) {
        tdm_rng r = tdm_rng_make(13, u, 0);
        uint32_t taste = (uint32_t)tdm_rng_below(&r, 2);
        for (uint32_t k = 0; k < 6; k++) toy_add(t, taste * 10 + (uint32_t)tdm_rng_below(&r, 9));
        toy_end_person(t);
    }
    for (size_t i = 0; i < 20; i++) { /* the taste, and something of each item's own */
        tdm_rng r = tdm_rng_make(17, i, 0);
        for (size_t k = 0; k < 6; k++)
            v[i * 6 + k] = k < 2 ? (float)(k == i / 10) * 0.8f : 0.3f * (float)tdm_rng_normal(&r);
    }
    return t;
}

static void words_place_what_nobody_chose(void **state)
{
    (void)state;
    tdm_err err;
    float v[20 * 6], scores[2 * 20];
    toy *t = two_tastes(v);
    const uint32_t a[] = {1, 4, 2}, b[] = {13, 11, 18};
    tdm_history h[] = {toy_asked(a, 3), toy_asked(b, 3)};
    toy_content c = toy_content_of(v, 6);
    tdm_model *m = toy_fitted(t, "epochs=120 rate=0.005", &c.base);
    CHECK_OK(m->ops->score(m, scores, h, 2, &err), err);
    for (uint32_t i = 0; i < 10; i++) /* above all of the other taste */
        CHECK(scores[9] > scores[10 + i] + 1 && scores[20 + 19] > scores[20 + i] + 1);
    tdm_model_close(m);

    m = toy_fitted(t, "epochs=120 rate=0.005", NULL); /* without words nothing is known of them, and it says so */
    CHECK_OK(m->ops->score(m, scores, h, 2, &err), err);
    CHECK(scores[9] == -INFINITY && scores[20 + 19] == -INFINITY && isfinite(scores[0]));
    tdm_model_close(m);

    for (size_t i = 0; i < 20 * 6; i++) v[i] = 0; /* a content model that found no words is none */
    m = toy_fitted(t, "epochs=1", &c.base);
    tdm_model *without = toy_fitted(t, "epochs=1", NULL);
    float same[2 * 20];
    CHECK_OK(m->ops->score(m, scores, h, 2, &err), err);
    CHECK_OK(m->ops->score(without, same, h, 2, &err), err);
    for (size_t i = 0; i < 40; i++) CHECK(scores[i] == same[i]);
    tdm_model_close(m);
    tdm_model_close(without);
    tdm_free(t);
}

/* Says what it is told to: rises, then falls. */
typedef struct script {
    size_t asked;
    tdm_history h;
    float kept[30]; /* the scores of the model it liked best */
} script;

static tdm_status told(void *ctx, double *value, const tdm_model *m, tdm_err *err)
{
    script *s = ctx;
    s->asked++;
    *value = s->asked == 3 ? 1 : 0.1 * (double)s->asked;
    return s->asked == 3 ? m->ops->score(m, s->kept, &s->h, 1, err) : TDM_OK;
}

static void the_judge_stops_it_and_the_best_stays(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_cycle(60, 30, 7);
    const uint32_t items[] = {3, 10};
    script s = {.h = toy_asked(items, 2)};
    tdm_judge judge = {told, &s};
    toy_fit f = {.settings = "epochs=20 patience=4", .judge = &judge};
    tdm_model *m;
    CHECK_OK(toy_fit_run(&m, t, &f, &err), err);
    CHECK(s.asked == 3 + 4);
    float got[30];
    CHECK_OK(m->ops->score(m, got, &s.h, 1, &err), err);
    for (size_t i = 0; i < 30; i++) CHECK(got[i] == s.kept[i]);
    tdm_model_close(m);
    tdm_free(t);
}

static void a_small_log_gets_its_updates(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_cycle(60, 30, 7);
    toy_fit f = {.settings = "epochs=2 updates=100 batch=64"};
    tdm_model *m;
    CHECK_OK(toy_fit_run(&m, t, &f, &err), err);
    CHECK(f.updates >= 100 && f.updates < 120);
    tdm_model_close(m);
    f = (toy_fit){.settings = "channels=33"};
    CHECK(toy_fit_run(&m, t, &f, &err) == TDM_E_ARG && !m); /* not a multiple of two heads */
    t->d.N = 0;
    t->d.U = 0;
    f = (toy_fit){0};
    CHECK(toy_fit_run(&m, t, &f, &err) == TDM_E_ARG && !m);
    tdm_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_learned),
        cmocka_unit_test(a_batch_scores_like_each_alone),
        cmocka_unit_test(lists_are_the_head_of_sorted_scores),
        cmocka_unit_test(shares_point_at_what_mattered),
        cmocka_unit_test(words_place_what_nobody_chose),
        cmocka_unit_test(the_judge_stops_it_and_the_best_stays),
        cmocka_unit_test(a_small_log_gets_its_updates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
