/* SPDX-License-Identifier: Apache-2.0 */
/* test_sparse.c - the closed forms of catalogues whose matrix does not fit: where a regression for each item must be
 * the whole matrix's solution, what it is elsewhere, what is said and cut, and what it reaches on Beauty. */
#include "check.h"

#include "base/mem.h"
#include "cf/linear.h"
#include "cf/local.h"
#include "cf/pairs.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const tdm_model_ops *const both[] = {&tdm_ease_ops, &tdm_slist_ops};

static const tdm_links *links_of(const tdm_model *m) { return &((const tdm_linear *)m)->links; }

static void expect_same(const tdm_model *a, const tdm_model *b)
{
    const tdm_links *x = links_of(a), *y = links_of(b);
    CHECK(x->I == y->I && !memcmp(x->offset, y->offset, (x->I + 1) * sizeof *x->offset));
    CHECK(!memcmp(x->item, y->item, (size_t)x->offset[x->I] * sizeof *x->item));
    CHECK(!memcmp(x->weight, y->weight, (size_t)x->offset[x->I] * sizeof *x->weight));
}

/* Whether every two of the items [begin, end) were chosen by somebody. */
static bool all_meet(const toy *t, size_t begin, size_t end)
{
    enum { MOST = 64 };
    bool met[MOST][MOST] = {0};
    for (size_t u = 0; u < t->d.U; u++)
        for (int64_t k = t->offset[u]; k < t->offset[u + 1]; k++)
            for (int64_t j = t->offset[u]; j < t->offset[u + 1]; j++) met[t->item[k] % MOST][t->item[j] % MOST] = true;
    bool all = end <= MOST;
    for (size_t a = begin; all && a < end; a++)
        for (size_t b = begin; b < end; b++) all &= met[a][b];
    return all;
}

static void expect_dense(const tdm_model_ops *ops, const toy *t, const char *settings, size_t candidates)
{
    char set[2][200];
    snprintf(set[0], sizeof set[0], "form=1 k=100 %s", settings);
    snprintf(set[1], sizeof set[1], "form=2 k=100 candidates=%zu %s", candidates, settings);
    tdm_model *dense = toy_fit(ops, t, set[0], 2), *sparse = toy_fit(ops, t, set[1], 2);
    double most = 0, off = 0;
    for (uint32_t a = 0; a < t->d.I; a++)
        for (uint32_t b = 0; b < t->d.I; b++) {
            double x = (double)tdm_links_at(links_of(dense), a, b), y = (double)tdm_links_at(links_of(sparse), a, b);
            most = fmax(most, fabs(x));
            off = fmax(off, fabs(x - y));
        }
    if (!(most > 0.005)) fail_msg("%s %s: the largest link is %g", ops->name, settings, most);
    /* two ways in floats, and matrices whose eigenvalues lie within a factor of a thousand: 1000 * 2^-24 is 6e-5 */
    if (!(off <= 1e-4 * most)) fail_msg("%s %s: off by %g, and the largest is %g", ops->name, settings, off, most);
    tdm_model_close(dense);
    tdm_model_close(sparse);
}

/* (G + lambda I)^-1 = P says G P_b = e_b - lambda P_b, so -P_ab / P_bb over a != b solves the regression of b on all
 * others: with every other item among its candidates, the small system is that regression. */
static void with_all_items_it_is_the_whole_matrix(void **state)
{
    (void)state;
    toy *t = toy_drawn(1500, 24, 31);
    CHECK(all_meet(t, 0, 24));
    expect_dense(&tdm_ease_ops, t, "lambda=20", 23);
    expect_dense(&tdm_slist_ops, t, "lambda=20", 24);
    expect_dense(&tdm_slist_ops, t, "lambda=20 whole=0 past_decay=0.9 future_decay=0.8", 24);
    expect_dense(&tdm_slist_ops, t, "lambda=20 whole=1", 24);
    tdm_free(t);
}

/* Two groups of items that no person joins: the matrix falls into blocks, and so does its inverse. */
static void what_never_meets_need_not_be_a_candidate(void **state)
{
    (void)state;
    enum { HALF = 14 };
    toy *t = toy_drawn(1800, HALF, 32);
    for (size_t u = 1; u < t->d.U; u += 2)
        for (int64_t k = t->offset[u]; k < t->offset[u + 1]; k++) t->item[k] += HALF;
    t->d.I = 2 * HALF;
    CHECK(all_meet(t, 0, HALF) && all_meet(t, HALF, t->d.I));
    expect_dense(&tdm_ease_ops, t, "lambda=20", HALF - 1);
    expect_dense(&tdm_slist_ops, t, "lambda=20", HALF);
    tdm_free(t);
}

/* ---- fewer candidates than items, by hand ---- */

enum { U = 400, I = 40, M = 6 };

/* G z = y for n equations, Gauss without pivots; y becomes z. */
static void solve(double G[M][M], double *y, size_t n)
{
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < n; i++) {
            if (i == k) continue;
            double x = G[i][k] / G[k][k];
            for (size_t j = k; j < n; j++) G[i][j] -= x * G[k][j];
            y[i] -= x * y[k];
        }
    for (size_t k = 0; k < n; k++) y[k] /= G[k][k];
}

static void count(double G[I][I], const toy *t)
{
    for (size_t u = 0; u < U; u++)
        for (uint32_t a = 0; a < I; a++)
            for (uint32_t b = 0; b < I; b++) {
                bool has_a = false, has_b = false;
                for (int64_t k = t->offset[u]; k < t->offset[u + 1]; k++)
                    has_a |= t->item[k] == a, has_b |= t->item[k] == b;
                G[a][b] += has_a && has_b;
            }
}

static void an_item_is_regressed_on_its_strongest_candidates(void **state)
{
    (void)state;
    static double G[I][I];
    const double lambda = 10;
    toy *t = toy_drawn(U, I, 33);
    count(G, t);
    tdm_model *m = toy_fit(&tdm_ease_ops, t, "form=2 lambda=10 k=100 candidates=6", 2);
    size_t links = 0;
    for (uint32_t b = 0; b < I; b++) {
        uint32_t near[M];
        double small[M][M], w[M];
        size_t n = 0;
        bool taken[I] = {0};
        for (; n < M; n++) { /* the strongest that is left; floats, as equal strengths must be seen to be equal */
            float best = 0;
            double d = sqrt(G[b][b] + lambda);
            for (uint32_t a = 0; a < I; a++) {
                float x = (float)(G[a][b] / (sqrt(G[a][a] + lambda) * d));
                if (a == b || taken[a] || x <= best) continue;
                best = x;
                near[n] = a;
            }
            if (best == 0) break;
            taken[near[n]] = true;
        }
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < n; j++) small[i][j] = G[near[i]][near[j]] + (i == j ? lambda : 0);
            w[i] = G[near[i]][b];
        }
        solve(small, w, n);
        for (size_t i = 0; i < n; i++) /* links of at most 1, and 6 x 6 floats */
            CHECK(fabs((double)tdm_links_at(links_of(m), near[i], b) - w[i]) < 1e-5);
        links += n;
    }
    CHECK((size_t)links_of(m)->offset[I] == links && links == I * M);
    tdm_model_close(m);
    tdm_free(t);
}

/* Pairs that contradict each other, as no log makes them. */
static void three_times_over_one(void *ctx, tdm_tally *t, uint32_t a)
{
    (void)ctx, (void)a;
    for (uint32_t b = 0; b < 3; b++) tdm_tally_add(t, b, 1.2);
}

/* 1.2 less a quarter is the first that is below 1: of two equations z + 0.9 z' = 1.2, z = z' is 1.2 / 1.9. */
static void an_indefinite_system_is_solved_as_a_weaker_one(void **state)
{
    (void)state;
    tdm_err err;
    struct tdm_run run = {.seed = 1};
    tdm_rows rows;
    tdm_links links;
    toy *t = toy_of("a b c", 3);
    tdm_params p = tdm_params_standard(tdm_ease_ops.params);
    const tdm_local l = {.row = three_times_over_one, .diagonal = (double[]){1, 1, 1}};
    CHECK_OK(tdm_rows_make(&rows, &t->d, 10, true, &err), err);
    CHECK_OK(tdm_local_solve(&links, &l, &rows, &p, &run, "test", &err), err);
    CHECK(links.offset[3] == 6);
    for (size_t k = 0; k < 6; k++) CHECK(fabs((double)links.weight[k] - 1.2 / 1.9) < 1e-5); /* det .19: a few 2^-24 */
    tdm_links_clear(&links);
    tdm_rows_clear(&rows);
    tdm_free(t);
}

/* ---- pairs ---- */

static void row_of_counts(void *ctx, tdm_tally *t, uint32_t a)
{
    const tdm_rows *r = ctx;
    for (int64_t k = r->from[a]; k < r->from[a + 1]; k++)
        for (int64_t j = r->offset[r->user[k]]; j < r->offset[r->user[k] + 1]; j++) tdm_tally_add(t, r->item[j], 1);
}

static float the_count(void *ctx, uint32_t a, uint32_t b, double sum, uint32_t n)
{
    (void)ctx, (void)a, (void)b, (void)n;
    return (float)sum;
}

static float counted(const tdm_rows *r, uint32_t a, uint32_t b)
{
    float n = 0;
    for (int64_t k = r->from[a]; k < r->from[a + 1]; k++)
        for (int64_t j = r->from[b]; j < r->from[b + 1]; j++) n += r->user[k] == r->user[j];
    return n;
}

/* Short lists, whose rows are searched, and long ones, whose rows are read. */
static void pairs_are_found_in_either_row(void **state)
{
    (void)state;
    enum { ALL = 300, MOST = 150 };
    static float got[MOST * MOST];
    static uint32_t item[MOST];
    static uint32_t slot[ALL];
    tdm_err err;
    struct tdm_run run = {.seed = 1};
    tdm_rows rows;
    tdm_pairs p;
    toy *t = toy_drawn(1500, ALL, 38);
    CHECK_OK(tdm_rows_make(&rows, &t->d, 100, true, &err), err);
    const tdm_links_maker maker = {row_of_counts, the_count, &rows};
    CHECK_OK(tdm_pairs_make(&p, &rows, &maker, &run, "test", &err), err);
    size_t searched = 0;
    for (uint32_t a = 0; a < ALL; a++)
        for (uint32_t b = a + 1; b < ALL; b++) {
            tdm_pairs_among(&p, got, 16, (uint32_t[]){a, b}, 2, slot);
            CHECK(got[1] == counted(&rows, a, b));
            searched += got[1] > 0 && p.row[a].many == p.row[b].many && p.row[b].n > 16 * 2;
        }
    CHECK(searched > 100); /* also where neither is rarer */
    for (uint32_t i = 0; i < MOST; i++) item[i] = 2 * i + 1;
    tdm_pairs_among(&p, got, MOST, item, MOST, slot);
    for (size_t i = 0; i < MOST; i++)
        for (size_t j = i + 1; j < MOST; j++) CHECK(got[i * MOST + j] == counted(&rows, item[i], item[j]));
    for (size_t i = 0; i < ALL; i++) CHECK(slot[i] == 0);
    tdm_pairs_clear(&p);
    tdm_rows_clear(&rows);
    tdm_free(t);
}

/* ---- what is chosen, and said ---- */

static char said[8][300];
static size_t lines;
static void hear(void *ctx, tdm_log_level level, const char *stage, const char *message)
{
    (void)ctx, (void)level, (void)stage;
    if (lines < 8) snprintf(said[lines++], sizeof said[0], "%s", message);
}

static tdm_status fit(tdm_model **out, const tdm_model_ops *ops, const toy *t, const char *name, double value,
                      struct tdm_run *run, tdm_err *err)
{
    tdm_params p = tdm_params_standard(ops->params);
    CHECK_OK(tdm_params_set(&p, ops->name, name, value, err), *err);
    tdm_fit_input in = {.train = &t->d, .params = &p, .run = run};
    lines = 0;
    return ops->fit(out, &in, err);
}

static void rare_items_have_links_where_the_matrix_does_not_fit(void **state)
{
    (void)state;
    toy *t = toy_of("a b c | a b d | b c a e | e b c", 5), *asked = toy_of("a b", 5);
    for (size_t k = 0; k < 2; k++) {
        tdm_err err;
        float got[5];
        struct tdm_run run = {.seed = 1, .log = hear};
        tdm_history h = toy_history(asked);
        tdm_model *m;
        CHECK_OK(fit(&m, both[k], t, "most_items", 4, &run, &err), err);
        CHECK(lines == 1 && strstr(said[0], "a regression of each of 5 items") && strstr(said[0], "GB of memory"));
        CHECK_OK(m->ops->score(m, got, &h, 1, &err), err);
        CHECK(got[3] > 0 && got[4] > 0); /* one person chose d, behind a and b */
        tdm_model_close(m);
        CHECK_OK(fit(&m, both[k], t, "most_items", 5, &run, &err), err);
        CHECK(lines == 1 && strstr(said[0], "a matrix of 5 x 5"));
        tdm_model_close(m);
    }
    tdm_free(t);
    tdm_free(asked);
}

/* A thousand pairs at most: histories of two rows make 400 of 400 people, and those of three could make 1,200. */
static void where_pairs_are_too_many_histories_are_cut(void **state)
{
    (void)state;
    toy *t = toy_drawn(400, 120, 34);
    for (size_t k = 0; k < 2; k++) {
        tdm_err err;
        struct tdm_run run = {.seed = 1, .log = hear};
        tdm_params p = tdm_params_standard(both[k]->params);
        tdm_model *cut, *whole = toy_fit(both[k], t, "form=2", 1), *newest = toy_fit(both[k], t, "form=2 longest=2", 1);
        CHECK_OK(tdm_params_set(&p, "test", "form", 2, &err), err);
        CHECK_OK(tdm_params_set(&p, "test", "pairs", 0.001, &err), err);
        tdm_fit_input in = {.train = &t->d, .params = &p, .run = &run};
        lines = 0;
        CHECK_OK(both[k]->fit(&cut, &in, &err), err);
        CHECK(lines == 2 && strstr(said[0], "too many; reading the newest 2 rows of a person"));
        expect_same(cut, newest);
        CHECK(links_of(whole)->offset[120] > links_of(cut)->offset[120]);
        tdm_model_close(cut);
        tdm_model_close(whole);
        tdm_model_close(newest);
    }
    tdm_free(t);
}

/* ---- what every model promises, in this form ---- */

static void same_bytes_at_any_number_of_threads(void **state)
{
    (void)state;
    toy *t = toy_drawn(1500, 700, 35);
    for (size_t k = 0; k < 2; k++) {
        tdm_model *one = toy_fit(both[k], t, "form=2 candidates=30", 1);
        for (size_t threads = 2; threads < 8; threads += 5) {
            tdm_model *more = toy_fit(both[k], t, "form=2 candidates=30", threads);
            expect_same(one, more);
            tdm_model_close(more);
        }
        tdm_model_close(one);
    }
    tdm_free(t);
}

typedef struct stopping {
    struct tdm_run *run;
    size_t after, reports;
} stopping;

static void stop(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    (void)stage, (void)done, (void)total, (void)note;
    stopping *s = ctx;
    if (s->reports++ == s->after) atomic_store(&s->run->cancel, 1);
}

/* At each report of progress: counting, choosing, solving and turning all stop. */
static void it_stops_when_told_to(void **state)
{
    (void)state;
    toy *t = toy_drawn(300, 120, 36);
    for (size_t k = 0; k < 2; k++)
        for (stopping s = {0};; s.after++) {
            tdm_err err;
            tdm_model *m;
            struct tdm_run run = {.seed = 1, .progress = stop, .ctx = &s};
            size_t live = tdm_mem_live();
            s.run = &run;
            s.reports = 0;
            tdm_status st = fit(&m, both[k], t, "form", 2, &run, &err);
            if (!st) {
                CHECK(s.after >= 4);
                tdm_model_close(m);
                break;
            }
            CHECK(s.reports == s.after + 1); /* nothing was begun behind it */
            CHECK(st == TDM_E_CANCELLED && !m && strstr(err.msg, both[k]->name));
            CHECK(tdm_mem_live() == live);
        }
    tdm_free(t);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    toy *t = toy_drawn(60, 30, 37);
    for (size_t k = 0; k < 2; k++) {
        size_t live = tdm_mem_live();
        for (long n = 0;; n++) {
            tdm_err err;
            tdm_model *m;
            struct tdm_run run = {.seed = 1};
            tdm_mem_fail_after(n);
            tdm_status st = fit(&m, both[k], t, "form", 2, &run, &err);
            tdm_mem_fail_after(-1);
            if (!st) {
                CHECK(n > 20);
                tdm_model_close(m);
                break;
            }
            CHECK(st == TDM_E_NOMEM && !m && err.msg[0] && tdm_mem_live() == live);
        }
    }
    tdm_free(t);
}

/* ---- Beauty, where it is at hand ---- */

enum { PEOPLE = 22363, ITEMS = 12101, CHOICES = 198502 };

typedef struct beauty {
    tdm_dataset d; /* all but the last two items of each person */
    int64_t offset[PEOPLE + 1];
    uint32_t item[CHOICES], next[PEOPLE]; /* next: the one before the last */
} beauty;

static beauty *beauty_open(void)
{
    FILE *f = fopen(TDM_SOURCE_DIR "/../shared/data/amazon2014/beauty/sequences.txt", "r");
    if (!f) {
        print_message("Beauty is not at hand (../shared/data/amazon2014/beauty); skipped\n");
        skip();
    }
    static char line[1 << 16];
    beauty *x = tdm_new(1, sizeof *x);
    assert_non_null(x);
    size_t u = 0, n = 0;
    for (; u < PEOPLE && fgets(line, sizeof line, f); u++) {
        char *at = line, *end;
        strtoul(at, &at, 10);
        for (unsigned long i; i = strtoul(at, &end, 10), end != at; at = end) {
            assert_true(n < CHOICES && i >= 1 && i <= ITEMS);
            x->item[n++] = (uint32_t)i - 1;
        }
        x->next[u] = x->item[n - 2];
        n -= 2;
        x->offset[u + 1] = (int64_t)n;
    }
    fclose(f);
    assert_true(u == PEOPLE && n == CHOICES - 2 * PEOPLE);
    x->d = (tdm_dataset){.U = PEOPLE, .I = ITEMS, .N = n, .offset = x->offset, .item = x->item};
    return x;
}

/* ndcg@10 of what each person chose next: the whole catalogue, history left out, ties by item. */
static double judge(const tdm_model *m, const beauty *x)
{
    float *scores = tdm_new(ITEMS, sizeof *scores);
    double sum = 0;
    for (size_t u = 0; u < PEOPLE; u++) {
        tdm_err err;
        size_t at = (size_t)x->offset[u], n = (size_t)x->offset[u + 1] - at, rank = 0;
        tdm_history h = {.items = x->item + at, .n = n, .now = TDM_NO_TIME, .self = TDM_NONE};
        CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
        for (size_t k = at; k < at + n; k++) scores[x->item[k]] = -INFINITY;
        float own = scores[x->next[u]];
        for (size_t i = 0; i < ITEMS && rank < 10; i++)
            rank += scores[i] > own || (i < x->next[u] && !(scores[i] < own));
        if (own > 0 && rank < 10) sum += 1 / log2((double)rank + 2);
    }
    tdm_free(scores);
    return sum / PEOPLE;
}

/* The whole matrix reaches .0599 and .0702 (docs/models.md). A fiftieth is three times the standard error between two
 * such models here, and a candidate list of 10 misses it. */
static void beauty_loses_nothing_that_shows(void **state)
{
    (void)state;
    const double dense[] = {0.0599, 0.0702};
    beauty *x = beauty_open();
    for (size_t k = 0; k < 2; k++) {
        tdm_err err;
        struct tdm_run run = {.seed = 1};
        tdm_params p = tdm_params_standard(both[k]->params);
        tdm_fit_input in = {.train = &x->d, .params = &p, .run = &run};
        tdm_model *m;
        CHECK_OK(tdm_pool_open(&run.pool, 2, &err), err);
        CHECK_OK(tdm_params_set(&p, "test", "form", 2, &err), err);
        CHECK_OK(both[k]->fit(&m, &in, &err), err);
        double got = judge(m, x);
        if (!(got > 0.98 * dense[k]))
            fail_msg("%s: ndcg@10 %.4f; the whole matrix reaches %.4f", both[k]->name, got, dense[k]);
        tdm_model_close(m);
        tdm_pool_close(run.pool);
    }
    tdm_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_all_items_it_is_the_whole_matrix),
        cmocka_unit_test(what_never_meets_need_not_be_a_candidate),
        cmocka_unit_test(an_item_is_regressed_on_its_strongest_candidates),
        cmocka_unit_test(an_indefinite_system_is_solved_as_a_weaker_one),
        cmocka_unit_test(pairs_are_found_in_either_row),
        cmocka_unit_test(rare_items_have_links_where_the_matrix_does_not_fit),
        cmocka_unit_test(where_pairs_are_too_many_histories_are_cut),
        cmocka_unit_test(same_bytes_at_any_number_of_threads),
        cmocka_unit_test(it_stops_when_told_to),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(beauty_loses_nothing_that_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
