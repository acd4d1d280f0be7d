/* SPDX-License-Identifier: Apache-2.0 */
/* test_decode.c - many texts with a cache say what whole texts say, however they were put together. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "gpt2/decode.h"

#include <math.h>
#include <string.h>

enum { V = 90, T = 80, C = 80, MOST = 70 };
static const tdm_gpt2_shape shape = {.V = V, .T = T, .C = C, .L = 2, .H = 5};
static uint32_t text[3][T];
static float want[3][T][V]; /* logits of the whole texts */

static tdm_gpt2 *model(void)
{
    tdm_err err;
    tdm_gpt2 *g;
    tdm_rng r = tdm_rng_make(1, 2, 3);
    CHECK_OK(tdm_gpt2_open(&g, shape, &err), err);
    tdm_gpt2_init(g, 7);
    for (size_t i = 0; i < g->n; i++)
        g->block[i] += 0.1f * (float)tdm_rng_normal(&r); /* biases too, and no small ones */
    for (size_t q = 0; q < 3; q++) {
        for (size_t i = 0; i < T; i++) text[q][i] = i < 37 && q ? text[0][i] : (uint32_t)tdm_rng_below(&r, V);
        const uint32_t start[2] = {0, T};
        CHECK_OK(
            tdm_gpt2_logits(g, want[q][0], &(tdm_gpt2_batch){.token = text[q], .start = start, .S = 1, .N = T}, &err),
            err);
    }
    return g;
}

static double off(const float *got, const float *is)
{
    double most = 0, far = 0;
    for (size_t v = 0; v < V; v++) {
        most = fmax(most, fabs((double)is[v]));
        far = fmax(far, fabs((double)got[v] - (double)is[v]));
    }
    return far / most;
}

static void near(tdm_decoder *d, size_t row, size_t q, size_t at)
{
    float logits[3 * V], some[2];
    const uint32_t token[] = {V - 1, 3};
    tdm_decoder_logits(d, logits, row + 1);
    if (!(off(logits + row * V, want[q][at]) <= 1e-4)) fail_msg("text %zu at %zu", q, at);
    tdm_decoder_logits_of(d, row, some, token, 2);
    assert_float_equal(some[0], logits[row * V + V - 1], 1e-4);
    assert_float_equal(some[1], logits[row * V + 3], 1e-4);
}

/* Three texts share 37 tokens, which are read once, in the middle of a page; then they go on side by side. */
static void forks_say_what_whole_texts_say(void **state)
{
    (void)state;
    tdm_err err;
    tdm_gpt2 *g = model();
    tdm_gpt2_packed *p;
    tdm_decoder *d;
    tdm_pool *pool;
    const size_t all[] = {2, 0, 1};
    CHECK_OK(tdm_pool_open(&pool, 2, &err), err);
    CHECK_OK(tdm_gpt2_packed_open(&p, g, TDM_WEIGHTS_F32, NULL, &err), err);
    for (size_t threads = 0; threads < 2; threads++) {
        CHECK_OK(tdm_decoder_open(&d, p, 3, MOST, threads ? pool : NULL, &err), err);
        CHECK_OK(tdm_decoder_feed(d, 0, text[0], 30, &err), err); /* many at once, some, one */
        near(d, 0, 0, 29);
        CHECK_OK(tdm_decoder_feed(d, 0, text[0] + 30, 6, &err), err);
        near(d, 0, 0, 35);
        CHECK_OK(tdm_decoder_feed(d, 0, text[0] + 36, 1, &err), err);
        near(d, 0, 0, 36);
        tdm_decoder_fork(d, 1, 0);
        tdm_decoder_fork(d, 2, 1);
        for (size_t i = 37; i < 60; i++) {
            const uint32_t token[] = {text[2][i], text[0][i], text[1][i]};
            CHECK_OK(tdm_decoder_step(d, all, token, 3, &err), err);
            for (size_t r = 0; r < 3; r++) near(d, r, all[r], i);
        }
        tdm_decoder_rewind(d, 1, 40); /* into shared pages, and on with another text */
        CHECK_OK(tdm_decoder_feed(d, 1, text[1] + 40, 25, &err), err);
        near(d, 0, 1, 64);
        CHECK_OK(tdm_decoder_feed(d, 0, text[0] + 60, 1, &err), err);
        near(d, 0, 0, 60);
        tdm_decoder_fork(d, 2, 0);
        tdm_decoder_rewind(d, 2, 37);
        CHECK_OK(tdm_decoder_feed(d, 2, text[2] + 37, 10, &err), err);
        near(d, 0, 2, 46);
        CHECK_OK(tdm_decoder_feed(d, 0, text[0] + 61, 1, &err), err);
        near(d, 0, 0, 61);
        CHECK(tdm_decoder_feed(d, 0, text[0] + 62, 9, &err) == TDM_E_ARG);
        assert_non_null(strstr(err.msg, "outgrows"));
        CHECK(tdm_decoder_feed(d, 0, (const uint32_t[]){V}, 1, &err) == TDM_E_ARG);
        CHECK(tdm_decoder_step(d, (const size_t[]){0, 0}, text[0], 2, &err) == TDM_E_ARG);
        assert_int_equal(tdm_decoder_length(d, 0), 62);
        tdm_decoder_close(d);
    }
    tdm_gpt2_packed_close(p);
    tdm_pool_close(pool);
    tdm_gpt2_close(g);
}

/* A text's numbers do not depend on what else is in a step, nor on threads: the same bits. */
static void a_text_is_the_same_in_any_company(void **state)
{
    (void)state;
    tdm_err err;
    tdm_gpt2 *g = model();
    for (int kind = TDM_WEIGHTS_F32; kind <= TDM_WEIGHTS_I8; kind++) {
        float alone[T][V], logits[3 * V];
        tdm_gpt2_packed *p;
        tdm_decoder *d;
        tdm_pool *pool;
        CHECK_OK(tdm_gpt2_packed_open(&p, g, (tdm_weights)kind, NULL, &err), err);
        CHECK_OK(tdm_decoder_open(&d, p, 1, T, NULL, &err), err);
        for (size_t i = 0; i < T; i++) {
            CHECK_OK(tdm_decoder_feed(d, 0, text[1] + i, 1, &err), err);
            tdm_decoder_logits(d, alone[i], 1);
        }
        tdm_decoder_close(d);
        CHECK_OK(tdm_pool_open(&pool, 3, &err), err);
        CHECK_OK(tdm_decoder_open(&d, p, 3, T, pool, &err), err);
        for (size_t i = 0; i < T; i++) {
            const size_t all[] = {0, 1, 2};
            const uint32_t token[] = {text[0][i], text[1][i], text[2][i]};
            CHECK_OK(tdm_decoder_step(d, all, token, 3, &err), err);
            tdm_decoder_logits(d, logits, 3);
            assert_memory_equal(logits + V, alone[i], V * sizeof *logits);
        }
        tdm_decoder_close(d);
        tdm_pool_close(pool);
        tdm_gpt2_packed_close(p);
    }
    tdm_gpt2_close(g);
}

/* Weights with fewer bits: how far logits are off, of the largest. A weight moves by 2^-9 of itself with bf16, a number
 * by 1/254 of the largest of its group with int8; some hundred independent errors a sum leave about as much. */
static void fewer_bits_are_near(void **state)
{
    (void)state;
    tdm_err err;
    tdm_gpt2 *g = model();
    const double bound[] = {1e-4, 0.01, 0.05};
    double far[3] = {0};
    for (int kind = TDM_WEIGHTS_F32; kind <= TDM_WEIGHTS_I8; kind++) {
        tdm_gpt2_packed *p;
        tdm_decoder *d;
        float logits[V];
        CHECK_OK(tdm_gpt2_packed_open(&p, g, (tdm_weights)kind, NULL, &err), err);
        CHECK_OK(tdm_decoder_open(&d, p, 1, T, NULL, &err), err);
        for (size_t i = 0; i < T; i++) {
            CHECK_OK(tdm_decoder_feed(d, 0, text[0] + i, 1, &err), err);
            tdm_decoder_logits(d, logits, 1);
            far[kind] = fmax(far[kind], off(logits, want[0][i]));
        }
        if (!(far[kind] <= bound[kind])) fail_msg("kind %d is off by %g", kind, far[kind]);
        tdm_decoder_close(d);
        tdm_gpt2_packed_close(p);
    }
    CHECK(far[0] < far[1] && far[1] < far[2]); /* that is what was asked for */
    tdm_gpt2_close(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forks_say_what_whole_texts_say),
                                       cmocka_unit_test(a_text_is_the_same_in_any_company),
                                       cmocka_unit_test(fewer_bits_are_near)};
    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
