/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/mem.h"
#include "gpt2/sample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- the plain version: all tokens sorted, all in double ---- */

enum { MOST = 3000 };

typedef struct plain {
    double p; /* of the draw, after penalty and temperature; not a sum of 1 */
    uint32_t token;
} plain;

static int by_rank(const void *a, const void *b)
{
    const plain *x = a, *y = b;
    if (x->p != y->p) return x->p > y->p ? -1 : 1;
    return x->token < y->token ? -1 : x->token > y->token;
}

/* Fills `out` with what is left after all steps, the likeliest first; returns how many. */
static size_t plain_left(plain *out, const float *logits, size_t V, const tdm_choice *from, const tdm_sampling *how)
{
    static double value[MOST];
    size_t n = from->allowed ? from->n : V, first = 0;
    double most = -INFINITY, sum = 0, all = 0;
    for (size_t v = 0; v < V; v++) value[v] = (double)logits[v];
    if (how->window && how->window < from->n_said) first = from->n_said - how->window;
    for (size_t v = 0; v < V && how->penalty > 0; v++)
        for (size_t i = first; i < from->n_said; i++)
            if (from->said[i] == v) {
                value[v] = (double)(logits[v] > 0 ? logits[v] / how->penalty : logits[v] * how->penalty);
                break;
            }
    for (size_t i = 0; i < n; i++) out[i].token = from->allowed ? from->allowed[i] : (uint32_t)i;
    for (size_t i = 0; i < n; i++) most = fmax(most, value[out[i].token]);
    for (size_t i = 0; i < n; i++)
        out[i].p = exp((value[out[i].token] - most) / (how->temperature > 0 ? (double)how->temperature : 1));
    qsort(out, n, sizeof *out, by_rank);
    if (how->temperature <= 0) return 1;
    if (how->top_k && how->top_k < n) n = how->top_k;
    for (size_t i = 0; i < n; i++) all += out[i].p;
    if (how->top_p > 0 && how->top_p < 1)
        for (size_t i = 0; i < n; i++)
            if ((sum += out[i].p) >= (double)how->top_p * all) n = i + 1;
    size_t kept = 0;
    while (kept < n && (how->min_p <= 0 || out[kept].p >= (double)how->min_p * out[0].p)) kept++;
    return kept;
}

static uint32_t plain_draw(const plain *p, size_t n, double u)
{
    double total = 0;
    size_t i = 0;
    for (size_t k = 0; k < n; k++) total += p[k].p;
    for (u *= total; i + 1 < n && u >= p[i].p; i++) u -= p[i].p;
    return p[i].token;
}

/* ---- */

typedef struct room {
    tdm_sampler *s;
    float logits[MOST];
    uint32_t allowed[MOST], said[40];
    plain left[MOST];
} room;

static room *room_open(size_t V)
{
    tdm_err e;
    room *r = tdm_new(1, sizeof *r);
    CHECK(r != NULL);
    CHECK_OK(tdm_sampler_open(&r->s, V, &e), e);
    return r;
}

static void room_close(room *r)
{
    tdm_sampler_close(r->s);
    tdm_free(r);
}

/* Random steps over random logits, many of them equal: always the token that the plain version draws. Where the draw
 * falls within rounding of a border between two tokens either may come: sums of 3000 floats are off by 1e-5 at most. */
static void every_draw_is_that_of_the_plain_version(void **state)
{
    (void)state;
    tdm_rng rng = tdm_rng_make(11, 0, 0);
    size_t few = 0, border = 0, rounds = 4000;
    for (size_t k = 0; k < rounds; k++) {
        size_t V = 1 + (size_t)tdm_rng_below(&rng, k % 4 ? 90 : MOST);
        room *r = room_open(V);
        double spread = 0.3 + 5 * tdm_rng_unit(&rng);
        bool steps = k % 2;
        for (size_t v = 0; v < V; v++) {
            double x = tdm_rng_normal(&rng) * spread;
            r->logits[v] = (float)(steps ? floor(x * 2) / 2 : x);
        }
        tdm_choice from = {0};
        if (k % 3 == 0) { /* half of them, in no order */
            for (uint32_t v = 0; v < V; v++)
                if (tdm_rng_below(&rng, 2) || (v + 1 == V && !from.n)) r->allowed[from.n++] = v;
            tdm_rng_shuffle_u32(&rng, r->allowed, from.n);
            from.allowed = r->allowed;
        }
        tdm_sampling how = {.temperature = tdm_rng_below(&rng, 8) ? 0.2f + 1.5f * (float)tdm_rng_unit(&rng) : 0};
        if (tdm_rng_below(&rng, 2)) how.top_k = (size_t)tdm_rng_below(&rng, 60);
        if (tdm_rng_below(&rng, 2)) how.top_p = (float)tdm_rng_unit(&rng);
        if (tdm_rng_below(&rng, 2)) how.min_p = (float)tdm_rng_unit(&rng) * 0.3f;
        if (tdm_rng_below(&rng, 2)) {
            how.penalty = 0.7f + (float)tdm_rng_unit(&rng);
            how.window = (size_t)tdm_rng_below(&rng, 50);
            from.said = r->said;
            from.n_said = (size_t)tdm_rng_below(&rng, 40);
            for (size_t i = 0; i < from.n_said; i++) r->said[i] = (uint32_t)tdm_rng_below(&rng, V);
        }
        size_t n = plain_left(r->left, r->logits, V, &from, &how);
        tdm_rng mine = tdm_rng_make(k, 5, 6), other = mine;
        double logp, mass = 0, u = tdm_rng_unit(&other);
        uint32_t token = tdm_sample(r->s, r->logits, &from, &how, &mine, &logp);
        if (token != plain_draw(r->left, n, u)) {
            border++;
            CHECK(token == plain_draw(r->left, n, u + 1e-5) || token == plain_draw(r->left, n, fmax(u - 1e-5, 0)));
        }
        for (size_t v = 0; v < V; v++) mass += exp((double)r->logits[v]);
        assert_float_equal(logp, (double)r->logits[token] - log(mass), 1e-4); /* of the model, not of the draw */
        few += n < V;
        room_close(r);
    }
    CHECK(few > rounds / 2 && border < 4);
}

enum { DRAWS = 20000 };

static void draws(double *share, const float *logits, size_t V, tdm_choice from, tdm_sampling how)
{
    room *x = room_open(V);
    tdm_rng r = tdm_rng_make(1, 2, 3);
    memset(share, 0, V * sizeof *share);
    for (size_t k = 0; k < DRAWS; k++) share[tdm_sample(x->s, logits, &from, &how, &r, NULL)] += 1.0 / DRAWS;
    room_close(x);
}

/* Shares of 20,000 draws are off by less than 4 standard deviations of 0.0035. */
static void draws_follow_each_step(void **state)
{
    (void)state;
    const float logits[5] = {logf(0.1f), logf(0.4f), logf(0.2f), logf(0.05f), logf(0.25f)};
    const double want[] = {0.1, 0.4, 0.2, 0.05, 0.25};
    const tdm_choice all = {0};
    double share[5];
    draws(share, logits, 5, all, (tdm_sampling){.temperature = 1});
    for (size_t k = 0; k < 5; k++) assert_float_equal(share[k], want[k], 0.014);
    draws(share, logits, 5, all, (tdm_sampling){.temperature = 0.5f}); /* squares, over their sum .275 */
    assert_float_equal(share[1], 0.16 / 0.275, 0.014);
    draws(share, logits, 5, all, (tdm_sampling){.temperature = 1, .top_k = 2});
    assert_float_equal(share[1], 0.4 / 0.65, 0.014);
    CHECK(share[0] == 0 && share[2] == 0 && share[3] == 0);
    draws(share, logits, 5, all, (tdm_sampling){.temperature = 1, .top_p = 0.6f}); /* .4 + .25 */
    assert_float_equal(share[4], 0.25 / 0.65, 0.014);
    CHECK(share[0] == 0 && share[2] == 0 && share[3] == 0);
    draws(share, logits, 5, all, (tdm_sampling){.temperature = 1, .min_p = 0.4f}); /* .4, .25, .2 */
    assert_float_equal(share[2], 0.2 / 0.85, 0.014);
    CHECK(share[0] == 0 && share[3] == 0);
    draws(share, logits, 5, all, (tdm_sampling){0});
    CHECK(share[1] > 0.999);
    draws(share, logits, 5, (tdm_choice){(const uint32_t[]){0, 3}, 2, NULL, 0}, (tdm_sampling){.temperature = 1});
    assert_float_equal(share[0], 2.0 / 3, 0.014);
}

/* .4, .25, .2, .1, .05. */
static void the_steps_come_in_their_order(void **state)
{
    (void)state;
    const float logits[5] = {logf(0.1f), logf(0.4f), logf(0.2f), logf(0.05f), logf(0.25f)};
    const tdm_choice all = {0};
    double share[5];
    /* top_p after top_k: .7 of .85 are the first two, of 1 they would be three */
    draws(share, logits, 5, all, (tdm_sampling){.temperature = 1, .top_k = 3, .top_p = 0.7f});
    CHECK(share[2] == 0 && share[4] > 0);
    /* temperature before top_p: the squares' first two hold .81 */
    draws(share, logits, 5, all, (tdm_sampling){.temperature = 0.5f, .top_p = 0.8f});
    CHECK(share[2] == 0 && share[4] > 0);
    /* temperature before min_p: .0625 / .16 is below .5 */
    draws(share, logits, 5, all, (tdm_sampling){.temperature = 0.5f, .min_p = 0.5f});
    CHECK(share[1] > 0.999);
    /* min_p after top_p: .8 of 1 are .4 .25 .2; before it, .8 of .65 would be two as well, and here three are left */
    draws(share, logits, 5, all, (tdm_sampling){.temperature = 1, .top_p = 0.8f, .min_p = 0.45f});
    CHECK(share[2] > 0 && share[4] > 0 && share[0] == 0);
    draws(share, logits, 5, all, (tdm_sampling){.temperature = 1, .top_p = 0.8f, .min_p = 0.6f});
    CHECK(share[2] == 0 && share[4] > 0);
}

static void what_was_said_becomes_less_likely(void **state)
{
    (void)state;
    const float logits[4] = {2, 1.5f, -1, -1.2f};
    const uint32_t said[] = {0, 2, 0};
    const tdm_sampling how = {.penalty = 2};
    room *x = room_open(4);
    tdm_rng r = tdm_rng_make(1, 1, 1);
    double logp, mass = log(exp(2) + exp(1.5) + exp(-1) + exp(-1.2));
    CHECK(tdm_sample(x->s, logits, &(tdm_choice){.said = said, .n_said = 3}, &how, &r, &logp) == 1); /* 2 / 2 */
    assert_float_equal(logp, 1.5 - mass, 1e-6);
    /* below zero it is multiplied; said twice it pays once */
    const tdm_choice low = {.allowed = (const uint32_t[]){3, 2}, .n = 2, .said = said, .n_said = 3};
    CHECK(tdm_sample(x->s, logits, &low, &how, &r, &logp) == 3);
    assert_float_equal(logp, -1.2 - mass, 1e-6);
    double share[4];
    draws(share, logits, 4, (tdm_choice){.said = said, .n_said = 3}, (tdm_sampling){.temperature = 1, .penalty = 2});
    assert_float_equal(share[0], exp(1) / (exp(1) + exp(1.5) + exp(-2) + exp(-1.2)), 0.014);
    /* in a window of one only the newest counts */
    const tdm_sampling one = {.penalty = 2, .window = 1};
    CHECK(tdm_sample(x->s, logits, &(tdm_choice){.said = said, .n_said = 2}, &one, &r, &logp) == 0);
    /* penalty 1 and what is not a token change nothing */
    const uint32_t odd[] = {77};
    CHECK(tdm_sample(x->s, logits, &(tdm_choice){.said = odd, .n_said = 1}, &how, &r, &logp) == 0);
    CHECK(tdm_sample(x->s, logits, &(tdm_choice){.said = said, .n_said = 3}, &(tdm_sampling){.penalty = 1}, &r,
                     &logp) == 0);
    room_close(x);
}

static void odd_logits_are_no_harm(void **state)
{
    (void)state;
    float logits[70];
    room *x = room_open(70);
    tdm_rng r = tdm_rng_make(1, 1, 1);
    const tdm_choice all = {0};
    for (size_t k = 0; k < 6; k++) {
        const tdm_sampling how[] = {{0},
                                    {.temperature = 1},
                                    {.temperature = 1, .top_k = 5},
                                    {.temperature = 1, .top_p = 0.5f},
                                    {.temperature = 1, .min_p = 2},
                                    {.temperature = 1e-3f, .top_k = 69, .top_p = 0.99f, .min_p = 0.1f, .penalty = 3}};
        for (size_t i = 0; i < 70; i++) logits[i] = NAN;
        CHECK(tdm_sample(x->s, logits, &all, &how[k], &r, NULL) == 0);
        logits[66] = -3;
        CHECK(tdm_sample(x->s, logits, &all, &how[k], &r, NULL) == 66);
        for (size_t i = 0; i < 70; i++) logits[i] = i == 67 ? -1e30f : -INFINITY;
        CHECK(tdm_sample(x->s, logits, &all, &how[k], &r, NULL) == 67);
        for (size_t i = 0; i < 70; i++) logits[i] = -INFINITY;
        CHECK(tdm_sample(x->s, logits, &all, &how[k], &r, NULL) < 70);
        for (size_t i = 0; i < 70; i++) logits[i] = i == 65 || i == 69 ? INFINITY : 0;
        CHECK(tdm_sample(x->s, logits, &all, &how[k], &r, NULL) == 65);
        for (size_t i = 0; i < 70; i++) logits[i] = 4;
        uint32_t t = tdm_sample(x->s, logits, &all, &how[k], &r, NULL);
        CHECK(k == 0 ? t == 0 : k == 2 ? t < 5 : k == 3 ? t < 35 : t < 70); /* equal ones by number */
        CHECK(tdm_sample(x->s, logits, &(tdm_choice){(const uint32_t[]){9}, 1, NULL, 0}, &how[k], &r, NULL) == 9);
    }
    room_close(x);
}

static void short_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    size_t live = tdm_mem_live();
    tdm_err e;
    tdm_sampler *s;
    long k = 0;
    for (;; k++) {
        tdm_mem_fail_after(k);
        tdm_status st = tdm_sampler_open(&s, 10, &e);
        tdm_mem_fail_after(-1);
        if (!st) break;
        CHECK(st == TDM_E_NOMEM && s == NULL && tdm_mem_live() == live);
    }
    CHECK(k == 4);
    tdm_sampler_close(s);
    CHECK(tdm_mem_live() == live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_draw_is_that_of_the_plain_version),
        cmocka_unit_test(draws_follow_each_step),
        cmocka_unit_test(the_steps_come_in_their_order),
        cmocka_unit_test(what_was_said_becomes_less_likely),
        cmocka_unit_test(odd_logits_are_no_harm),
        cmocka_unit_test(short_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
