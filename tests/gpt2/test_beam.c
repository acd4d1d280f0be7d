/* SPDX-License-Identifier: Apache-2.0 */
/* test_beam.c - beams and scores of continuations against models small enough to ask everything. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "gpt2/beam.h"
#include "gpt2/score.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { V = 6, T = 12, MOST = 4, END = 2, PREFIX = 3 };
static const uint32_t end[] = {END};
static uint32_t prefix[PREFIX] = {5, 1, 3};

static struct {
    tdm_gpt2 *g;
    tdm_gpt2_packed *p;
} m;

/* Weights large enough that what stands before matters. */
static int setup(void **state)
{
    (void)state;
    tdm_err err;
    tdm_rng r = tdm_rng_make(4, 2, 3);
    CHECK_OK(tdm_gpt2_open(&m.g, (tdm_gpt2_shape){.V = V, .T = T, .C = 16, .L = 2, .H = 2}, &err), err);
    tdm_gpt2_init(m.g, 7);
    for (size_t i = 0; i < m.g->n; i++) m.g->block[i] += 0.2f * (float)tdm_rng_normal(&r);
    CHECK_OK(tdm_gpt2_packed_open(&m.p, m.g, TDM_WEIGHTS_F32, NULL, &err), err);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tdm_gpt2_packed_close(m.p);
    tdm_gpt2_close(m.g);
    return 0;
}

/* logits behind the prefix and n tokens, by a whole pass; counting only `allowed` where it is given */
static void next_logp(double *logp, const uint32_t *said, size_t n, const bool *allowed)
{
    tdm_err err;
    uint32_t token[T];
    float logits[T * V];
    memcpy(token, prefix, sizeof prefix);
    memcpy(token + PREFIX, said, n * sizeof *said);
    const uint32_t start[2] = {0, (uint32_t)(PREFIX + n)};
    CHECK_OK(
        tdm_gpt2_logits(m.g, logits, &(tdm_gpt2_batch){.token = token, .start = start, .S = 1, .N = PREFIX + n}, &err),
        err);
    double sum = 0;
    const float *row = logits + (PREFIX + n - 1) * V;
    for (size_t v = 0; v < V; v++) sum += allowed && !allowed[v] ? 0 : exp((double)row[v]);
    for (size_t v = 0; v < V; v++) logp[v] = (double)row[v] - log(sum);
}

/* ---- everything there is ---- */

typedef struct way {
    uint32_t token[MOST];
    size_t n;
    double logp, score;
    bool ended;
} way;

enum { WAYS = 2000 };

static double divided(double logp, size_t n, double alpha) { return logp / pow((5 + (double)n) / 6, alpha); }

static void all_ways(way *out, size_t *n, way at, double alpha)
{
    double logp[V];
    next_logp(logp, at.token, at.n, NULL);
    for (uint32_t v = 0; v < V; v++) {
        way to = at;
        to.logp += logp[v];
        to.score = divided(to.logp, at.n + 1, alpha);
        if (v == END) to.ended = true;
        else to.token[to.n++] = v;
        if (to.ended || to.n == MOST) out[(*n)++] = to;
        else all_ways(out, n, to, alpha);
    }
}

static int by_score(const void *a, const void *b)
{
    const way *x = a, *y = b;
    return x->score > y->score ? -1 : x->score < y->score;
}

static void check_way(const tdm_beam_found *f, const way *w)
{
    /* sums of a few logs of about 2, two ways to make them in float */
    assert_float_equal(f->logp, w->logp, 2e-5);
    assert_float_equal(f->score, w->score, 2e-5);
    CHECK(f->n == w->n && f->ended == w->ended && memcmp(f->token, w->token, w->n * sizeof *w->token) == 0);
}

static void a_beam_as_wide_as_the_space_finds_all_of_it(void **state)
{
    (void)state;
    const double alpha[] = {0, 0.7, 2};
    tdm_err err;
    for (size_t a = 0; a < 3; a++) {
        way *all = tdm_new(WAYS, sizeof *all);
        size_t n = 0;
        tdm_beam b;
        all_ways(all, &n, (way){.n = 0}, alpha[a]);
        CHECK(n == 1 + 5 + 25 + 125 + 625);
        qsort(all, n, sizeof *all, by_score);
        const tdm_beam_options o = {.width = WAYS, .most = MOST, .alpha = (float)alpha[a], .end = end, .n_end = 1};
        CHECK_OK(tdm_beam_search(&b, m.p, prefix, PREFIX, &o, NULL, &err), err);
        CHECK(b.n == n);
        for (size_t i = 0; i < n; i++) {
            assert_float_equal(b.found[i].score, all[i].score, 2e-5);
            bool alone = (i == 0 || all[i - 1].score - all[i].score > 1e-4) &&
                         (i + 1 == n || all[i].score - all[i + 1].score > 1e-4);
            if (alone) check_way(&b.found[i], &all[i]);
        }
        check_way(&b.found[0], &all[0]);
        tdm_beam_clear(&b);
        /* a beam of some width says nothing that is not there, the best first, and here it finds the best */
        const tdm_beam_options some = {.width = 8, .most = MOST, .alpha = (float)alpha[a], .end = end, .n_end = 1};
        CHECK_OK(tdm_beam_search(&b, m.p, prefix, PREFIX, &some, NULL, &err), err);
        CHECK(b.n == 8);
        check_way(&b.found[0], &all[0]);
        for (size_t i = 0; i < b.n; i++) {
            size_t at = 0;
            while (at < n && !(b.found[i].n == all[at].n && b.found[i].ended == all[at].ended &&
                               memcmp(b.found[i].token, all[at].token, all[at].n * sizeof(uint32_t)) == 0))
                at++;
            CHECK(at < n);
            check_way(&b.found[i], &all[at]);
            CHECK(i == 0 || b.found[i].score <= b.found[i - 1].score);
        }
        tdm_beam_clear(&b);
        tdm_free(all);
    }
}

/* The rule of beam.h without a cache, and to the end: nothing is stopped early. */
typedef struct step {
    way to;
    size_t from;
    uint32_t token;
} step;

static int by_logp(const void *a, const void *b)
{
    const step *x = a, *y = b;
    if (x->to.logp != y->to.logp) return x->to.logp > y->to.logp ? -1 : 1;
    return x->from != y->from ? (x->from < y->from ? -1 : 1) : x->token < y->token ? -1 : 1;
}

enum { WIDEST = 5 };

static void keep(way *done, size_t *n, size_t width, way w)
{
    size_t at = *n < width ? (*n)++ : *n;
    if (at == width && done[--at].score >= w.score) return;
    for (; at && done[at - 1].score < w.score; at--) done[at] = done[at - 1];
    done[at] = w;
}

static size_t plain_beam(way *done, size_t width, double alpha)
{
    way now[WIDEST] = {{.n = 0}};
    step all[WIDEST * V];
    size_t n = 1, n_done = 0;
    for (size_t length = 0; length < MOST; length++) {
        size_t ways = 0;
        for (size_t i = 0; i < n; i++) {
            double logp[V];
            next_logp(logp, now[i].token, length, NULL);
            for (uint32_t v = 0; v < V; v++, ways++) {
                all[ways] = (step){now[i], i, v};
                all[ways].to.logp += logp[v];
                all[ways].to.score = divided(all[ways].to.logp, length + 1, alpha);
                all[ways].to.ended = v == END;
                if (v != END) all[ways].to.token[all[ways].to.n++] = v;
            }
        }
        qsort(all, ways, sizeof *all, by_logp);
        n = 0;
        for (size_t rank = 0; rank < ways && n < width; rank++) {
            if (all[rank].token != END) now[n++] = all[rank].to;
            else if (rank < width) keep(done, &n_done, width, all[rank].to);
        }
    }
    for (size_t i = 0; i < n; i++) keep(done, &n_done, width, now[i]);
    return n_done;
}

/* Many prefixes, narrow beams: the list of the plain version, though the search stops as soon as nothing can change. */
static void a_narrow_beam_is_that_of_the_rule(void **state)
{
    (void)state;
    const double alpha[] = {0, 0.7, 3};
    tdm_err err;
    for (uint32_t k = 0; k < V * V * V; k++)
        for (size_t width = 1; width <= WIDEST; width += 2) {
            way want[WIDEST];
            tdm_beam b;
            prefix[0] = k % V, prefix[1] = k / V % V, prefix[2] = k / V / V;
            const tdm_beam_options o = {
                .width = width, .most = MOST, .alpha = (float)alpha[k % 3], .end = end, .n_end = 1};
            size_t n = plain_beam(want, width, (double)o.alpha);
            CHECK_OK(tdm_beam_search(&b, m.p, prefix, PREFIX, &o, NULL, &err), err);
            CHECK(b.n == n);
            for (size_t i = 0; i < n; i++) check_way(&b.found[i], &want[i]);
            tdm_beam_clear(&b);
        }
    memcpy(prefix, (const uint32_t[]){5, 1, 3}, sizeof prefix);
}

static void one_text_wide_it_is_greedy(void **state)
{
    (void)state;
    tdm_err err;
    tdm_beam b;
    size_t ends = 0;
    for (uint32_t stop = 0; stop < V; stop++) {
        uint32_t said[8];
        size_t n = 0;
        double sum = 0, logp[V];
        bool ended = false;
        while (n < 8 && !ended) {
            uint32_t best = 0;
            next_logp(logp, said, n, NULL);
            for (uint32_t v = 1; v < V; v++)
                if (logp[v] > logp[best]) best = v;
            sum += logp[best];
            ended = best == stop;
            if (!ended) said[n++] = best;
        }
        const tdm_beam_options o = {.width = 1, .most = 8, .end = &stop, .n_end = 1};
        CHECK_OK(tdm_beam_search(&b, m.p, prefix, PREFIX, &o, NULL, &err), err);
        CHECK(b.n == 1 && b.found[0].n == n && b.found[0].ended == ended);
        CHECK(memcmp(b.found[0].token, said, n * sizeof *said) == 0);
        assert_float_equal(b.found[0].logp, sum, 4e-5);
        ends += ended;
        tdm_beam_clear(&b);
    }
    CHECK(ends > 0 && ends < V);
}

/* ---- along a tree ---- */

/* 0: 3 3   1: 3   2: 1 4 0   3: 1 4 5   4: 3 (again)   5: 4 */
static const uint32_t title[] = {3, 3, 3, 1, 4, 0, 1, 4, 5, 3, 4};
static const int64_t offset[] = {0, 2, 3, 6, 9, 10, 11};

static double title_logp(const tdm_trie *t, size_t i, bool among)
{
    double sum = 0, logp[V];
    size_t n = (size_t)(offset[i + 1] - offset[i]);
    for (size_t k = 0; k <= n; k++) {
        bool allowed[V] = {false};
        uint32_t token[V];
        size_t ways = tdm_beam_along((void *)(uintptr_t)t, token, title + offset[i], k);
        for (size_t w = 0; w < ways; w++) allowed[token[w]] = true;
        next_logp(logp, title + offset[i], k, among ? allowed : NULL);
        sum += logp[k == n ? END : title[offset[i] + (int64_t)k]];
    }
    return sum;
}

static void along_a_tree_it_says_titles_only(void **state)
{
    (void)state;
    tdm_err err;
    tdm_trie t;
    tdm_beam b;
    CHECK_OK(tdm_trie_make(&t, title, offset, 6, END, &err), err);
    for (size_t width = 1; width < 12; width++)
        for (int among = 0; among < 2; among++) {
            const tdm_beam_options o = {
                .width = width, .most = 5, .end = end, .n_end = 1, .allow = tdm_beam_along, .ctx = &t, .among = among};
            bool said[6] = {false};
            CHECK_OK(tdm_beam_search(&b, m.p, prefix, PREFIX, &o, NULL, &err), err);
            CHECK(b.n > 0 && b.n <= 5 && (width < 6 || b.n == 5)); /* two items are called alike */
            for (size_t f = 0; f < b.n; f++) {
                size_t i = 0;
                while (i < 6 && ((size_t)(offset[i + 1] - offset[i]) != b.found[f].n ||
                                 memcmp(title + offset[i], b.found[f].token, b.found[f].n * sizeof *title)))
                    i++;
                CHECK(i < 6 && !said[i] && b.found[f].ended);
                said[i] = true;
                assert_float_equal(b.found[f].logp, title_logp(&t, i, among), 4e-5);
                CHECK(f == 0 || b.found[f].score <= b.found[f - 1].score);
            }
            tdm_beam_clear(&b);
        }
    /* no tokens for it: nothing is found */
    const tdm_trie none = {.end = END};
    const tdm_beam_options o = {.width = 3, .most = 5, .allow = tdm_beam_along, .ctx = (void *)(uintptr_t)&none};
    CHECK_OK(tdm_beam_search(&b, m.p, prefix, PREFIX, &o, NULL, &err), err);
    CHECK(b.n == 0);
    tdm_beam_clear(&b);
    tdm_trie_clear(&t);
}

/* ---- scores ---- */

enum { TEXTS = 70 };

static void scores_are_those_of_whole_texts(void **state)
{
    (void)state;
    tdm_err err;
    tdm_rng r = tdm_rng_make(8, 0, 0);
    uint32_t token[TEXTS * (T + 1)], start[TEXTS + 1] = {0};
    float logp[TEXTS * (T + 1)], again[T + 1];
    double sum[TEXTS], alone;
    for (size_t q = 0; q < TEXTS; q++) {
        size_t n = q == 30 ? T + 1 - PREFIX : (size_t)tdm_rng_below(&r, T + 2 - PREFIX);
        start[q + 1] = start[q] + (uint32_t)n;
        for (size_t i = start[q]; i < start[q + 1]; i++) token[i] = (uint32_t)tdm_rng_below(&r, V);
    }
    tdm_pool *pool;
    CHECK_OK(tdm_pool_open(&pool, 2, &err), err);
    CHECK_OK(tdm_gpt2_score(m.p, sum, logp, prefix, PREFIX, token, start, TEXTS, pool, &err), err);
    tdm_pool_close(pool);
    for (size_t q = 0; q < TEXTS; q++) {
        size_t n = start[q + 1] - start[q];
        uint32_t whole[T + 1], target[T + 1];
        float want[T + 1];
        double all = 0;
        memcpy(whole, prefix, sizeof prefix);
        memcpy(whole + PREFIX, token + start[q], n * sizeof *token);
        size_t read = n ? PREFIX + n - 1 : PREFIX;
        for (size_t i = 0; i < read; i++) target[i] = i + 1 < PREFIX || !n ? TDM_GPT2_SILENT : whole[i + 1];
        const uint32_t ends[2] = {0, (uint32_t)read};
        CHECK_OK(tdm_gpt2_logp(m.g, want,
                               &(tdm_gpt2_batch){.token = whole, .start = ends, .S = 1, .N = read, .target = target},
                               &err),
                 err);
        for (size_t i = 0; i < n; i++) {
            assert_float_equal(logp[start[q] + i], want[PREFIX - 1 + i], 2e-5);
            all += (double)want[PREFIX - 1 + i];
        }
        assert_float_equal(sum[q], all, 1e-4);
        const uint32_t one[2] = {0, (uint32_t)n}; /* alone, without threads: the same bits */
        CHECK_OK(tdm_gpt2_score(m.p, &alone, again, prefix, PREFIX, token + start[q], one, 1, NULL, &err), err);
        CHECK(alone == sum[q] && memcmp(again, logp + start[q], n * sizeof *again) == 0);
    }
    CHECK_OK(tdm_gpt2_score(m.p, NULL, NULL, prefix, PREFIX, token, start, 0, NULL, &err), err);
    CHECK(tdm_gpt2_score(m.p, sum, NULL, prefix, 0, token, start, 1, NULL, &err) == TDM_E_ARG);
    const uint32_t strange[] = {V}, one[] = {0, 1}, long_one[] = {0, T + 2 - PREFIX};
    CHECK(tdm_gpt2_score(m.p, sum, NULL, prefix, PREFIX, strange, one, 1, NULL, &err) == TDM_E_ARG);
    CHECK(tdm_gpt2_score(m.p, sum, NULL, prefix, PREFIX, token, long_one, 1, NULL, &err) == TDM_E_ARG);
}

/* ---- */

static void wrong_use_and_short_memory(void **state)
{
    (void)state;
    tdm_err err;
    tdm_beam b;
    tdm_beam_options o = {.width = 2, .most = 3, .end = end, .n_end = 1};
    CHECK(tdm_beam_search(&b, m.p, prefix, 0, &o, NULL, &err) == TDM_E_ARG);
    CHECK(tdm_beam_search(&b, m.p, (const uint32_t[]){V}, 1, &o, NULL, &err) == TDM_E_ARG);
    o.most = T - PREFIX + 2;
    CHECK(tdm_beam_search(&b, m.p, prefix, PREFIX, &o, NULL, &err) == TDM_E_ARG);
    o.most = 3;
    o.width = 0;
    CHECK(tdm_beam_search(&b, m.p, prefix, PREFIX, &o, NULL, &err) == TDM_E_ARG && b.n == 0);
    o.width = 2;
    size_t live = tdm_mem_live();
    long k = 0;
    for (; k < 500; k++) {
        double sum[2];
        tdm_mem_fail_after(k);
        tdm_status st = tdm_beam_search(&b, m.p, prefix, PREFIX, &o, NULL, &err);
        if (!st) st = tdm_gpt2_score(m.p, sum, NULL, prefix, PREFIX, title, (const uint32_t[]){0, 2, 3}, 2, NULL, &err);
        tdm_mem_fail_after(-1);
        tdm_beam_clear(&b);
        CHECK(tdm_mem_live() == live);
        if (!st) break;
        CHECK(st == TDM_E_NOMEM);
    }
    CHECK(k > 20 && k < 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beam_as_wide_as_the_space_finds_all_of_it),
        cmocka_unit_test(a_narrow_beam_is_that_of_the_rule),
        cmocka_unit_test(one_text_wide_it_is_greedy),
        cmocka_unit_test(along_a_tree_it_says_titles_only),
        cmocka_unit_test(scores_are_those_of_whole_texts),
        cmocka_unit_test(wrong_use_and_short_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
