/* SPDX-License-Identifier: Apache-2.0 */
/* test_user_knn.c - user-knn against numpy, its search against looking at everybody, and what the approximate search
 * misses on a made log. */
#include "check.h"

#include "base/mem.h"
#include "base/safetensors.h"
#include "cf/neighbours.h"
#include "log.h"
#include "model/topk.h"
#include "toy.h"

#include <math.h>
#include <string.h>

/* ---- numpy's ---- */

enum { GU = 90, GI = 60, GK = 12 };

static const void *array(const tdm_safetensors *f, const char *name, tdm_dtype type, size_t n)
{
    tdm_err err;
    const void *p;
    CHECK_OK(tdm_safetensors_need(f, &p, name, type, n, &err), err);
    return p;
}

static void it_says_what_numpy_says(void **state)
{
    (void)state;
    tdm_err err;
    tdm_safetensors *f;
    CHECK_OK(tdm_safetensors_open(&f, TDM_SOURCE_DIR "/tests/cf/golden/user_knn.safetensors", &err), err);
    const int64_t *offset = array(f, "offset", TDM_I64, GU + 1);
    size_t N = (size_t)offset[GU];
    const uint32_t *item = array(f, "item", TDM_U32, N), *near = array(f, "near", TDM_U32, GU * GK);
    const float *rating = array(f, "rating", TDM_F32, N), *similarity = array(f, "similarity", TDM_F32, GU * GK);
    const float *scores = array(f, "scores", TDM_F32, GU * GI), *ratings = array(f, "ratings", TDM_F32, GU * GI);
    toy *t = tdm_new(1, sizeof *t);
    assert_non_null(t);
    t->d = (tdm_dataset){.U = GU, .I = GI, .N = N, .offset = offset, .item = item, .rating = rating};
    t->d.has_ratings = true;
    t->d.rating_low = 1;
    t->d.rating_high = 5;
    tdm_model *m = toy_fit(&tdm_user_knn_ops, t, "k=12 rated_k=15 rated_shrink=3", 1);
    float got[GI], largest = 0, s[GK];
    uint32_t all[GI], users[GK];
    for (uint32_t i = 0; i < GI; i++) all[i] = i;
    for (size_t k = 0; k < GU * GI; k++) largest = scores[k] > largest ? scores[k] : largest;
    for (size_t u = 0; u < GU; u++) {
        size_t at = (size_t)offset[u], n = GK;
        tdm_history h = {
            .items = item + at, .ratings = rating + at, .n = (size_t)offset[u + 1] - at, .self = (uint32_t)u};
        CHECK_OK(tdm_user_knn_people(m, users, s, &n, &h, &err), err);
        for (size_t b = 0; b < GK; b++) {
            CHECK((b < n) == (similarity[u * GK + b] > 0));
            if (b >= n) continue;
            CHECK(fabsf(s[b] - similarity[u * GK + b]) < 1e-6f); /* one is rounded to float from integers of 2^-43 */
            CHECK(users[b] == near[u * GK + b]);
        }
        CHECK_OK(m->ops->score(m, got, &h, 1, &err), err);
        for (size_t i = 0; i < GI; i++) { /* sums of at most 12 floats: far below the 1e-4 that is promised */
            float want = scores[u * GI + i];
            CHECK(want < 0 ? got[i] == -INFINITY : fabsf(got[i] - want) < 1e-5f * largest);
        }
        CHECK_OK(m->ops->rate(m, got, &h, all, GI, &err), err);
        for (size_t i = 0; i < GI; i++)
            if (!(fabsf(got[i] - ratings[u * GI + i]) < 1e-4f))
                fail_msg("person %zu, item %zu: rating %g where numpy has %g", u, i, (double)got[i],
                         (double)ratings[u * GI + i]);
    }
    tdm_model_close(m);
    tdm_free(t);
    tdm_safetensors_close(f);
}

/* ---- the search ---- */

typedef struct searched {
    tdm_baseline baseline;
    tdm_people people;
    tdm_crowd crowd;
    tdm_neighbours near;
    tdm_similar similar;
} searched;

static searched searched_make(const tdm_dataset *d, size_t k)
{
    tdm_err err;
    tdm_rows rows;
    searched s;
    CHECK_OK(tdm_rows_make(&rows, d, 1000, true, &err), err);
    CHECK_OK(tdm_baseline_make(&s.baseline, &rows, d, &err), err);
    CHECK_OK(tdm_people_make(&s.people, &rows, &s.baseline, 1, &err), err);
    CHECK_OK(tdm_crowd_make(&s.crowd, &s.people, &err), err);
    CHECK_OK(tdm_neighbours_make(&s.near, &s.people, k, &err), err);
    CHECK_OK(tdm_similar_make(&s.similar, &s.people, &err), err);
    return s;
}

static void searched_clear(searched *s)
{
    tdm_baseline_clear(&s->baseline);
    tdm_people_clear(&s->people);
    tdm_crowd_clear(&s->crowd);
    tdm_neighbours_clear(&s->near);
    tdm_similar_clear(&s->similar);
}

static tdm_history history_of(const tdm_dataset *d, size_t u)
{
    size_t at = (size_t)d->offset[u];
    return (tdm_history){.items = d->item + at, .n = (size_t)d->offset[u + 1] - at, .self = (uint32_t)u};
}

/* The similarities of the k best, and that each is the person's own, from a walk over everybody; equal ones may change
 * places only where rounding decides. */
static void expect_the_best(searched *s, const tdm_history *h, double decay, double shrink, uint32_t *best)
{
    tdm_err err;
    tdm_probe q;
    CHECK_OK(tdm_probe_make(&q, &s->people, &s->baseline, h, TDM_COSINE, decay, &err), err);
    CHECK_OK(tdm_neighbours_find(&s->near, &s->people, &s->crowd, &q, shrink, 0, &err), err);
    tdm_similar_find(&s->similar, &s->people, &q, shrink);
    size_t n = tdm_topk(best, NULL, s->similar.s, s->similar.n, s->near.k);
    CHECK(n == s->near.n);
    for (size_t b = 0; b < n; b++) {
        uint32_t v = s->near.user[b];
        CHECK(v != h->self);
        CHECK(fabsf(s->near.s[b] - s->similar.s[best[b]]) <= 1e-6f * s->near.s[b]);
        CHECK(fabsf(s->near.s[b] - s->similar.of[v]) <= 1e-6f * s->near.s[b]);
        CHECK(s->near.anchor[b] == s->similar.anchor[v]);
        CHECK(b == 0 || s->near.s[b - 1] > s->near.s[b] ||
              (s->near.s[b - 1] == s->near.s[b] && s->near.user[b - 1] < v));
    }
    tdm_probe_clear(&q);
}

static void the_search_finds_the_best_of_everybody(void **state)
{
    (void)state;
    static uint32_t best[2000];
    const size_t many[] = {1, 7, 100, 2000};
    for (uint64_t seed = 0; seed < 3; seed++) {
        toy *t = toy_drawn(1500, 80, seed);
        for (size_t k = 0; k < 4; k++) {
            searched s = searched_make(&t->d, many[k]);
            for (size_t u = 0; u < t->d.U; u += 97) {
                tdm_history h = history_of(&t->d, u);
                expect_the_best(&s, &h, u % 2 ? 0.7 : 1, u % 3 ? 0.5 : 0, best);
            }
            searched_clear(&s);
        }
        tdm_free(t);
    }
}

/* A log of several blocks of people, where bounds leave people out and the search ends early. */
static void the_search_misses_little_where_lists_stay_unread(void **state)
{
    (void)state;
    enum { K = 500, TOP = 100 };
    static uint32_t best[K];
    tdm_err err;
    bench_log log;
    bench_log_make(&log, 1);
    searched s = searched_make(&log.d, K);
    double hits = 0, of = 0;
    for (size_t u = 0; u < log.d.U; u += 173) {
        tdm_history h = history_of(&log.d, u);
        if (u % 2) { /* the newest few: such a search ends before the longest people */
            size_t few = h.n < 1 + u % 3 ? h.n : 1 + u % 3;
            h.items += h.n - few;
            h.n = few;
        }
        tdm_probe q;
        expect_the_best(&s, &h, 0.7, 0.5, best);
        size_t n = s.near.n < TOP ? s.near.n : TOP;
        memcpy(best, s.near.user, n * sizeof *best);
        CHECK_OK(tdm_probe_make(&q, &s.people, &s.baseline, &h, TDM_COSINE, 0.7, &err), err);
        CHECK_OK(tdm_neighbours_find(&s.near, &s.people, &s.crowd, &q, 0.5, 0.05, &err), err);
        tdm_similar_find(&s.similar, &s.people, &q, 0.5);
        for (size_t b = 0; b < s.near.n; b++) { /* who is found has the whole similarity */
            CHECK(fabsf(s.near.s[b] - s.similar.of[s.near.user[b]]) <= 1e-6f * s.near.s[b]);
            for (size_t a = 0; a < n && b < TOP; a++) hits += best[a] == s.near.user[b];
        }
        of += (double)n;
        tdm_probe_clear(&q);
    }
    if (!(hits / of >= 0.95) || hits == of) fail_msg("recall@100 is %g", hits / of); /* all found: nothing was cut */
    searched_clear(&s);
    bench_log_clear(&log);
}

/* ---- evidence ---- */

static void shares_and_the_rest_are_one(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(300, 40, 5);
    const char *const settings[] = {"search=1", "search=2 unread=0.3", "similarity=1"};
    size_t explained = 0;
    for (size_t k = 0; k < 3; k++) {
        tdm_model *m = toy_fit(&tdm_user_knn_ops, t, settings[k], 1);
        for (size_t u = 0; u < t->d.U; u += 11) {
            tdm_history h = history_of(&t->d, u);
            h.ratings = t->d.rating + t->d.offset[u];
            float scores[40];
            CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
            for (uint32_t i = 0; i < 40; i += 3) {
                tdm_evidence e;
                double sum = 0;
                CHECK_OK(m->ops->because(m, &e, &h, i, &err), err);
                for (size_t j = 0; j < e.n_because; j++) sum += (double)e.because[j].share;
                CHECK(fabs(sum + (double)e.rest - 1) < 1e-5); /* floats that sum to one */
                CHECK((e.n_people > 0) == (scores[i] > 0));   /* neighbours where there is an opinion, and only there */
                explained += e.n_people > 0;
            }
        }
        tdm_model_close(m);
    }
    CHECK(explained > 500);
    tdm_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_numpy_says),
        cmocka_unit_test(the_search_finds_the_best_of_everybody),
        cmocka_unit_test(the_search_misses_little_where_lists_stay_unread),
        cmocka_unit_test(shares_and_the_rest_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
