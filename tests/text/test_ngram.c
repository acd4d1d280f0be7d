/* SPDX-License-Identifier: Apache-2.0 */
/* test_ngram.c - the n-gram model against a case worked by hand, against its definition counted the slow way, and
 * against the law that probabilities sum to one. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "text/ngram.h"

#include <math.h>
#include <stdbool.h>

/* ---- by hand ---- */

enum { A, B, MARK };

/* "mark a b a" and "mark a a b". Bigrams: mark a 2, a b 2, b a 1, a a 1: n1 = n2 = 2, so Y = 1/3, D(1) = 1 - 2/3, and
 * too few for the others. Before a stand mark, a and b, before b only a: counts 3 and 1, too few for any discount. */
static void bigrams_as_worked_by_hand(void **state)
{
    (void)state;
    static const uint32_t token[] = {MARK, A, B, A, MARK, A, A, B}, start[] = {0, 4, 8};
    const double a = (3 - 1.5) / 4 + (0.5 + 1.5) / 4 / 3, b = (1 - 0.5) / 4 + (0.5 + 1.5) / 4 / 3, mark = 0.5 / 3;
    const double left = (1.0 / 3 + 1) / 3; /* behind a: a once, b twice */
    const double behind_a[] = {(1 - 1.0 / 3) / 3 + left * a, (2 - 1.0) / 3 + left * b, left * mark};
    tdm_ngram *m;
    tdm_err err;
    double D[3], perplexity;
    size_t tokens;
    CHECK_OK(tdm_ngram_open(&m, 2, 3, token, start, 2, &err), err);
    tdm_ngram_discounts(m, 2, D);
    assert_true(fabs(D[0] - 1.0 / 3) < 1e-12 && D[1] == 1 && D[2] == 1.5);
    tdm_ngram_discounts(m, 1, D);
    assert_true(D[0] == 0.5 && D[1] == 1 && D[2] == 1.5);
    assert_true(fabs(tdm_ngram_p(m, NULL, 0, A) - a) < 1e-12 && fabs(tdm_ngram_p(m, NULL, 0, B) - b) < 1e-12);
    for (uint32_t w = 0; w < 3; w++) {
        assert_true(fabs(tdm_ngram_p(m, (uint32_t[]){A}, 1, w) - behind_a[w]) < 1e-12);
        assert_true(fabs(tdm_ngram_p(m, (uint32_t[]){B, MARK, A}, 3, w) - behind_a[w]) < 1e-12); /* the last counts */
    }
    /* "mark a b": a is foretold behind mark, b behind a. Behind mark: a twice. */
    const double a_behind_mark = (2 - 1.0) / 2 + 1.0 / 2 * a;
    tdm_ngram_perplexity(m, &perplexity, &tokens, (uint32_t[]){MARK, A, B}, (uint32_t[]){0, 3}, 1);
    assert_int_equal(tokens, 2);
    assert_true(fabs(perplexity - 1 / sqrt(a_behind_mark * behind_a[B])) < 1e-12);
    tdm_ngram_close(m);
}

/* ---- the slow way ---- */

enum { V = 5, TEXTS = 12, MOST = 20 };

typedef struct slow {
    uint32_t token[TEXTS * MOST], start[TEXTS + 1];
    size_t order;
} slow;

static slow drawn(size_t order, uint64_t seed)
{
    slow s = {.order = order};
    tdm_rng rng = tdm_rng_make(seed, order, 0);
    for (size_t q = 0; q < TEXTS; q++) {
        size_t n = tdm_rng_below(&rng, MOST); /* empty ones too, and some of a first token alone */
        for (size_t i = 0; i < n; i++) {
            uint32_t x = (uint32_t)tdm_rng_below(&rng, V), y = (uint32_t)tdm_rng_below(&rng, V);
            s.token[s.start[q] + i] = i ? (x < y ? x : y) : x % 2; /* some more often than others */
        }
        s.start[q + 1] = s.start[q] + (uint32_t)n;
    }
    return s;
}

/* Places where g of n tokens ends at a token that is foretold; of these only those where `before` stands in front
 * (V: nothing does, a text begins; V + 1: whatever does). */
static size_t occurrences(const slow *s, const uint32_t *g, size_t n, uint32_t before)
{
    size_t found = 0;
    for (size_t q = 0; q < TEXTS; q++)
        for (uint32_t i = s->start[q]; i + n <= s->start[q + 1]; i++) {
            bool same = i + n - 1 > s->start[q];
            for (size_t k = 0; k < n; k++) same = same && s->token[i + k] == g[k];
            uint32_t here = i == s->start[q] ? V : s->token[i - 1];
            found += same && (before == V + 1 || before == here);
        }
    return found;
}

static size_t counted(const slow *s, const uint32_t *g, size_t n)
{
    if (n == s->order) return occurrences(s, g, n, V + 1);
    size_t c = occurrences(s, g, n, V);
    for (uint32_t x = 0; x < V; x++) c += occurrences(s, g, n, x) > 0;
    return c;
}

static double discount(const slow *s, size_t n, size_t c)
{
    double of[5] = {0};
    uint32_t g[TDM_NGRAM_ORDER];
    size_t all = 1;
    if (c > 3) c = 3;
    for (size_t k = 0; k < n; k++) all *= V;
    for (size_t x = 0; x < all; x++) {
        size_t rest = x;
        for (size_t k = 0; k < n; k++, rest /= V) g[k] = (uint32_t)(rest % V);
        size_t found = counted(s, g, n);
        if (found >= 1 && found <= 4) of[found]++;
    }
    if (!(of[c] > 0) || !(of[c + 1] > 0)) return (double)c / 2;
    double D = (double)c - (double)(c + 1) * of[1] / (of[1] + 2 * of[2]) * of[c + 1] / of[c];
    return D >= 0 && D <= (double)c ? D : (double)c / 2; /* 0/0 is neither */
}

/* p(g[n - 1] | the n - 1 before it) by the equations. */
static double slow_p(const slow *s, double D[][3], const uint32_t *g, size_t n)
{
    uint32_t other[TDM_NGRAM_ORDER];
    double sum = 0, taken = 0;
    if (!n) return 1.0 / V;
    for (size_t k = 0; k < n; k++) other[k] = g[k];
    for (uint32_t w = 0; w < V; w++) {
        other[n - 1] = w;
        size_t c = counted(s, other, n);
        sum += (double)c;
        if (c) taken += D[n][(c < 3 ? c : 3) - 1];
    }
    double lower = slow_p(s, D, g + 1, n - 1);
    if (!(sum > 0)) return lower;
    size_t c = counted(s, g, n);
    return (c ? ((double)c - D[n][(c < 3 ? c : 3) - 1]) / sum : 0) + taken / sum * lower;
}

static void as_counted_the_slow_way(void **state)
{
    (void)state;
    for (size_t order = 1; order <= 4; order++) {
        slow s = drawn(order, 3);
        tdm_rng rng = tdm_rng_make(9, order, 0);
        tdm_ngram *m;
        tdm_err err;
        double D[TDM_NGRAM_ORDER + 1][3];
        CHECK_OK(tdm_ngram_open(&m, order, V, s.token, s.start, TEXTS, &err), err);
        for (size_t n = 1; n <= order; n++) {
            tdm_ngram_discounts(m, n, D[n]);
            for (size_t c = 1; c <= 3; c++) {
                double is = discount(&s, n, c);
                if (!(fabs(D[n][c - 1] - is) < 1e-12))
                    fail_msg("order %zu: D(%zu) of length %zu is %.9g, not %.9g", order, c, n, D[n][c - 1], is);
            }
        }
        for (size_t k = 0; k < 200; k++) {
            uint32_t g[TDM_NGRAM_ORDER + 2];
            size_t n = tdm_rng_below(&rng, TDM_NGRAM_ORDER), used = n < order - 1 ? n : order - 1;
            for (size_t i = 0; i <= n; i++) g[i] = (uint32_t)tdm_rng_below(&rng, V);
            double p = tdm_ngram_p(m, g, n, g[n]), is = slow_p(&s, D, g + n - used, used + 1);
            if (!(fabs(p - is) < 1e-12)) fail_msg("order %zu, case %zu: %.9g, not %.9g", order, k, p, is);
        }
        tdm_ngram_close(m);
    }
}

/* ---- laws ---- */

static void probabilities_sum_to_one(void **state)
{
    (void)state;
    slow s = drawn(5, 4);
    tdm_rng rng = tdm_rng_make(5, 0, 0);
    tdm_ngram *m;
    tdm_err err;
    CHECK_OK(tdm_ngram_open(&m, 5, V + 3, s.token, s.start, TEXTS, &err), err); /* three tokens were never seen */
    for (size_t k = 0; k < 300; k++) {
        uint32_t h[6];
        size_t n = tdm_rng_below(&rng, 7);
        double sum = 0;
        for (size_t i = 0; i < n; i++) h[i] = (uint32_t)tdm_rng_below(&rng, k % 3 ? V : V + 3);
        for (uint32_t w = 0; w < V + 3; w++) {
            double p = tdm_ngram_p(m, h, n, w);
            assert_true(p > 0 && p < 1);
            sum += p;
        }
        if (!(fabs(sum - 1) < 1e-12)) fail_msg("case %zu: %.15g", k, sum);
    }
    tdm_ngram_close(m);
    CHECK_OK(tdm_ngram_open(&m, 5, 8, NULL, (uint32_t[]){0}, 0, &err), err); /* nothing was read: all are alike */
    assert_true(tdm_ngram_p(m, (uint32_t[]){1, 2}, 2, 3) == 0.125);
    tdm_ngram_close(m);
}

static void bad_orders_are_refused_and_failures_leave_nothing(void **state)
{
    (void)state;
    slow s = drawn(3, 6);
    size_t live = tdm_mem_live();
    tdm_ngram *m;
    tdm_err err;
    long k = 0;
    assert_int_equal(tdm_ngram_open(&m, 0, V, s.token, s.start, TEXTS, &err), TDM_E_ARG);
    assert_int_equal(tdm_ngram_open(&m, TDM_NGRAM_ORDER + 1, V, s.token, s.start, TEXTS, &err), TDM_E_ARG);
    for (; k < 100; k++) {
        tdm_mem_fail_after(k);
        tdm_status st = tdm_ngram_open(&m, 3, V, s.token, s.start, TEXTS, &err);
        tdm_mem_fail_after(-1);
        if (!st) break;
        assert_int_equal(st, TDM_E_NOMEM);
        assert_true(!m && tdm_mem_live() == live);
    }
    assert_true(k >= 2 && k < 100);
    tdm_ngram_close(m);
    assert_int_equal(tdm_mem_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bigrams_as_worked_by_hand),
        cmocka_unit_test(as_counted_the_slow_way),
        cmocka_unit_test(probabilities_sum_to_one),
        cmocka_unit_test(bad_orders_are_refused_and_failures_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
