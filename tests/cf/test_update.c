/* SPDX-License-Identifier: Apache-2.0 */
/* test_update.c - new events in old models: what is counted again is what a fit counts, what is not lacks what is said.
 */
#include "check.h"
#include "toy.h"

#include "base/mem.h"
#include "cf/ials_model.h"
#include "cf/linear.h"
#include "cf/update.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A log as it is and as it was: without the last rows of some people, without one person of 17, without some items. */
typedef struct pair {
    toy *now, *was;
    uint32_t *item_now, *user_now;
    tdm_update u;
    tdm_change *changed;
    struct tdm_run run;
} pair;

static pair *pair_open(size_t U, size_t I, size_t every, double share, size_t threads)
{
    tdm_err err;
    pair *p = tdm_new(1, sizeof *p);
    assert_non_null(p);
    p->now = toy_drawn(U, I, 5);
    p->was = toy_drawn(1, I, 5);
    p->item_now = tdm_new(I, sizeof *p->item_now);
    p->user_now = tdm_new(U, sizeof *p->user_now);
    uint32_t number[2000];
    size_t n = 0;
    for (size_t i = 0; i < I; i++) {
        number[i] = i % 31 == 7 ? TDM_NONE : (uint32_t)n;
        if (i % 31 != 7) p->item_now[n++] = (uint32_t)i;
    }
    toy *w = p->was;
    w->d.U = w->d.N = 0;
    w->d.I = n;
    for (size_t v = 0; v < U; v++) {
        size_t at = (size_t)p->now->offset[v], end = (size_t)p->now->offset[v + 1];
        if (v % 17 == 3) continue;
        if (v % every == 0 && end - at > 2) end -= 2;
        for (size_t k = at; k < end; k++) {
            if (number[p->now->item[k]] == TDM_NONE) continue;
            w->item[w->d.N] = number[p->now->item[k]];
            w->rating[w->d.N++] = p->now->rating[k];
        }
        p->user_now[w->d.U] = (uint32_t)v;
        w->offset[++w->d.U] = (int64_t)w->d.N;
    }
    CHECK_OK(tdm_pool_open(&p->run.pool, threads, &err), err);
    p->run.seed = 1;
    p->u = (tdm_update){.now = &p->now->d, .was = &w->d, .item_now = p->item_now, .share = share, .run = &p->run};
    CHECK_OK(tdm_changes_find(&p->changed, &p->u.n_changed, p->u.now, p->u.was, p->item_now, p->user_now, &err), err);
    p->u.changed = p->changed;
    return p;
}

static void pair_close(pair *p)
{
    tdm_pool_close(p->run.pool);
    tdm_free(p->now);
    tdm_free(p->was);
    tdm_free(p->item_now);
    tdm_free(p->user_now);
    tdm_free(p->changed);
    tdm_free(p);
}

static tdm_model *updated(const tdm_model *m, const tdm_update *u, tdm_updated *what)
{
    tdm_model *out;
    tdm_err err;
    CHECK_OK(m->ops->update(&out, m, u, what, &err), err);
    return out;
}

static void who_changed_is_found(void **state)
{
    (void)state;
    pair *p = pair_open(200, 60, 10, 0, 1);
    size_t came = 0, k = 0;
    for (size_t v = 0, w = 0; v < 200; v++) {
        bool is_new = v % 17 == 3, differs = is_new;
        if (!is_new) {
            size_t n = (size_t)(p->now->offset[v + 1] - p->now->offset[v]);
            differs = n != (size_t)(p->was->offset[w + 1] - p->was->offset[w]); /* rows were only taken away */
        }
        if (differs) {
            CHECK(k < p->u.n_changed && p->changed[k].now == v);
            CHECK(p->changed[k].was == (is_new ? TDM_NONE : w));
            came += is_new;
            k++;
        }
        w += !is_new;
    }
    CHECK(k == p->u.n_changed && came > 5);
    pair_close(p);
}

/* With a share of 0 every row that changed is counted again, and the others' sizes follow: a fit, to what a float's
 * rounding of an old link times two ratios leaves (three roundings, 2e-7). */
static void a_share_of_0_is_a_fit(void **state)
{
    (void)state;
    static const struct {
        const tdm_model_ops *ops;
        const char *settings;
    } cases[] = {{&tdm_cooccurrence_ops, "k=100000"},
                 {&tdm_item_knn_ops, "k=100000"},
                 {&tdm_cooccurrence_ops, "k=100000 reverse=0 longest=5"},
                 {&tdm_item_knn_ops, "k=100000 activity=0 longest=5"}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        pair *p = pair_open(400, 600, 10, 0, 2);
        tdm_updated what;
        tdm_model *old = toy_fit(cases[c].ops, p->was, cases[c].settings, 1);
        tdm_model *fit = toy_fit(cases[c].ops, p->now, cases[c].settings, 1), *m = updated(old, &p->u, &what);
        const tdm_links *a = &((tdm_linear *)fit)->links, *b = &((tdm_linear *)m)->links;
        size_t same = 0;
        bool exact = cases[c].ops == &tdm_cooccurrence_ops;
        float rounding = exact ? 2e-7f : 2e-6f; /* a fit of item-knn adds some dozens of numbers in single precision */
        CHECK(memcmp(a->offset, b->offset, 601 * sizeof *a->offset) == 0);
        for (size_t i = 0; i < 600; i++) {
            size_t at = (size_t)a->offset[i], n = (size_t)a->offset[i + 1] - at;
            CHECK(memcmp(a->item + at, b->item + at, n * sizeof *a->item) == 0);
            same += memcmp(a->weight + at, b->weight + at, n * sizeof *a->weight) == 0;
            for (size_t k = at; k < at + n; k++)
                CHECK(fabsf(a->weight[k] - b->weight[k]) <= rounding * fabsf(a->weight[k]));
        }
        CHECK(what.remade > 100 && what.remade < 600);
        if (exact) CHECK(same >= what.remade); /* the remade ones to the bit */
        CHECK(what.missing <= 0 && what.most <= 0);
        tdm_model_close(old);
        tdm_model_close(fit);
        tdm_model_close(m);
        pair_close(p);
    }
}

/* Without powers, shrinking and a weight of people a link is what was counted, so a row lacks at most what it says; and
 * what rows lack stays with the model, through a file too, until they are counted again. */
static void rows_lack_what_they_say(void **state)
{
    (void)state;
    static const char *const settings[] = {"k=100000 shrink=0 source_power=0 target_power=0",
                                           "k=100000 shrink=0 source_power=0 target_power=0 activity=0.25"};
    for (int knn = 0; knn < 2; knn++) {
        const tdm_model_ops *ops = knn ? &tdm_item_knn_ops : &tdm_cooccurrence_ops;
        pair *p = pair_open(1500, 200, 10, 0.4, 2);
        tdm_updated what, again;
        tdm_model *old = toy_fit(ops, p->was, settings[knn], 1), *fit = toy_fit(ops, p->now, settings[knn], 1);
        tdm_model *m = updated(old, &p->u, &what);
        const tdm_linear *a = (const tdm_linear *)fit, *b = (const tdm_linear *)m;
        size_t lacking = 0;
        for (size_t i = 0; i < 200; i++) {
            double lack = 0, mass = 0;
            for (int64_t k = a->links.offset[i]; k < a->links.offset[i + 1]; k++) {
                lack += fabs((double)(a->links.weight[k] - tdm_links_at(&b->links, (uint32_t)i, a->links.item[k])));
                mass += (double)a->links.weight[k];
            }
            CHECK(lack <= (double)b->missing[i] + 1e-5 * mass); /* floats add up to what doubles did */
            if (knn)
                CHECK((double)b->missing[i] <= 0.40001 * mass); /* cooccurrence: some items repeat, and are no link */
            lacking += lack > 1e-3 * mass;
        }
        CHECK(what.remade > 0 && what.remade < 200 && lacking > 20);
        CHECK(what.missing > 0 && what.most > what.missing && what.most <= 0.4);

        /* the same again with nothing new: a smaller share finds the rows that lack something */
        char path[] = "/tmp/tandem-update-XXXXXX";
        tdm_err err;
        tdm_model *loaded, *third;
        CHECK(mkstemp(path) >= 0);
        CHECK_OK(ops->save(m, path, &err), err);
        CHECK_OK(ops->load(&loaded, path, p->u.now, NULL, &err), err);
        uint32_t same[200];
        for (uint32_t i = 0; i < 200; i++) same[i] = i;
        tdm_update u = {.now = p->u.now, .was = p->u.now, .item_now = same, .share = 0, .run = &p->run};
        third = updated(loaded, &u, &again);
        CHECK(again.remade > 0 && again.missing <= 0);
        CHECK(((const tdm_linear *)third)->links.offset[200] == a->links.offset[200]);
        tdm_model_close(third);
        tdm_model_close(loaded);
        unlink(path);
        tdm_model_close(old);
        tdm_model_close(fit);
        tdm_model_close(m);
        pair_close(p);
    }
}

/* ---- ials ---- */

/* The objective of ials.h with people at their best for these items: every pair, in doubles. */
static double objective(const tdm_ials_model *s, const tdm_dataset *d, float *X)
{
    size_t K = s->rules.K;
    double sum = 0, w0 = s->rules.unobserved;
    for (size_t u = 0; u < d->U; u++) {
        const float *x = X + u * K;
        size_t n = 0;
        double all = 0, listed = 0;
        unsigned char has[2000] = {0};
        for (int64_t k = d->offset[u]; k < d->offset[u + 1]; k++) has[d->item[k]] = 1;
        for (size_t i = 0; i < d->I; i++) {
            double y = 0;
            for (size_t k = 0; k < K; k++) y += (double)(x[k] * s->item[i * K + k]);
            if (has[i]) listed += (w0 + s->alpha) * (1 - y) * (1 - y), n++;
            else all += w0 * y * y;
        }
        double squares = 0;
        for (size_t k = 0; k < K; k++) squares += (double)(x[k] * x[k]);
        sum += all + listed + tdm_ials_pull(&s->rules, (double)n, (double)d->I) * squares;
    }
    tdm_rows r;
    tdm_err err;
    CHECK_OK(tdm_rows_make(&r, d, SIZE_MAX, true, &err), err);
    for (size_t i = 0; i < d->I; i++)
        for (size_t k = 0; k < K; k++)
            sum += tdm_ials_pull(&s->rules, (double)tdm_rows_count(&r, i), (double)d->U) *
                   (double)(s->item[i * K + k] * s->item[i * K + k]);
    tdm_rows_clear(&r);
    return sum;
}

/* X of all people of d by plain elimination, in doubles. */
static float *people_of(const tdm_ials_model *s, const tdm_dataset *d)
{
    enum { K = 16 };
    assert_int_equal(s->rules.K, K);
    float *X = tdm_new(d->U * K, sizeof *X);
    assert_non_null(X);
    for (size_t u = 0; u < d->U; u++) {
        double A[K][K + 1] = {{0}};
        unsigned char has[2000] = {0};
        size_t n = 0;
        for (int64_t k = d->offset[u]; k < d->offset[u + 1]; k++) n += !has[d->item[k]], has[d->item[k]] = 1;
        for (size_t i = 0; i < d->I; i++)
            for (size_t a = 0; a < K; a++) {
                double y = (double)s->item[i * K + a];
                for (size_t b = 0; b < K; b++)
                    A[a][b] += (s->rules.unobserved + (has[i] ? s->alpha : 0)) * y * (double)s->item[i * K + b];
                A[a][K] += has[i] ? (s->rules.unobserved + s->alpha) * y : 0;
            }
        for (size_t a = 0; a < K; a++) A[a][a] += tdm_ials_pull(&s->rules, (double)n, (double)d->I);
        for (size_t a = 0; a < K; a++)
            for (size_t b = 0; b < K; b++) {
                if (a == b) continue;
                double f = A[b][a] / A[a][a];
                for (size_t c = a; c <= K; c++) A[b][c] -= f * A[a][c];
            }
        for (size_t a = 0; a < K; a++) X[u * K + a] = (float)(A[a][K] / A[a][a]);
    }
    return X;
}

static double objective_of(const tdm_model *m, const tdm_dataset *d)
{
    const tdm_ials_model *s = (const tdm_ials_model *)m;
    float *X = people_of(s, d);
    double sum = objective(s, d, X);
    tdm_free(X);
    return sum;
}

static const char ials_settings[] = "factors=16 iterations=60 regularization=0.1 power=0.5";

/* The sum over people that a fit keeps is that of people folded in, where the fit has settled; and an update keeps it:
 * 5% covers that X of who did not change is not taken off and added again. */
static void the_sum_over_people_is_kept(void **state)
{
    (void)state;
    pair *p = pair_open(400, 100, 10, 0.05, 2);
    tdm_updated what;
    tdm_model *old = toy_fit(&tdm_ials_ops, p->was, ials_settings, 1), *m = updated(old, &p->u, &what);
    for (int is_new = 0; is_new < 2; is_new++) {
        const tdm_ials_model *s = (const tdm_ials_model *)(is_new ? m : old);
        const tdm_dataset *d = is_new ? p->u.now : p->u.was;
        float *X = people_of(s, d);
        double difference = 0, size = 0;
        for (size_t a = 0; a < 16; a++)
            for (size_t b = 0; b < 16; b++) {
                double sum = 0;
                for (size_t u = 0; u < d->U; u++) sum += (double)(X[u * 16 + a] * X[u * 16 + b]);
                difference = fmax(difference, fabs(sum - (double)s->people[a * 16 + b]));
                size = fmax(size, fabs(sum));
            }
        CHECK(difference <= (is_new ? 0.05 : 0.01) * size);
        tdm_free(X);
    }
    tdm_model_close(old);
    tdm_model_close(m);
    pair_close(p);
}

/* What an update leaves to a fit: here it takes off 3/4 and more of what standing still costs in the objective. */
static void the_objective_follows(void **state)
{
    (void)state;
    pair *p = pair_open(800, 120, 10, 0.05, 2);
    tdm_updated what, none;
    tdm_model *old = toy_fit(&tdm_ials_ops, p->was, ials_settings, 1);
    tdm_model *fit = toy_fit(&tdm_ials_ops, p->now, ials_settings, 1), *m = updated(old, &p->u, &what);
    tdm_update still = p->u;
    still.share = 1e30;
    still.n_changed = 0;
    tdm_model *stood = updated(old, &still, &none);
    double best = objective_of(fit, p->u.now), got = objective_of(m, p->u.now), was = objective_of(stood, p->u.now);
    CHECK(none.remade == 0 && what.remade > 3);
    CHECK(got < was && got - best < 0.25 * (was - best));
    tdm_model_close(old);
    tdm_model_close(fit);
    tdm_model_close(m);
    tdm_model_close(stood);
    pair_close(p);
}

/* Items of whom nobody is new get the same scores; threads change no byte. */
static void threads_change_no_byte(void **state)
{
    (void)state;
    const tdm_model_ops *const ops[] = {&tdm_ials_ops, &tdm_item_knn_ops, &tdm_cooccurrence_ops};
    for (int k = 0; k < 3; k++) {
        const char *settings = k ? "" : ials_settings;
        float *scores[2];
        for (int t = 0; t < 2; t++) {
            tdm_err err;
            tdm_updated what;
            pair *p = pair_open(400, 100, 10, 0.05, t ? 7 : 1);
            tdm_model *old = toy_fit(ops[k], p->was, settings, 1), *m = updated(old, &p->u, &what);
            toy *h = toy_of("a b c d", 100);
            tdm_history one = toy_history(h);
            scores[t] = tdm_new(100, sizeof(float));
            CHECK_OK(ops[k]->score(m, scores[t], &one, 1, &err), err);
            tdm_free(h);
            tdm_model_close(old);
            tdm_model_close(m);
            pair_close(p);
        }
        CHECK(memcmp(scores[0], scores[1], 100 * sizeof(float)) == 0);
        tdm_free(scores[0]);
        tdm_free(scores[1]);
    }
}

static void short_memory_is_an_error_and_no_leak(void **state)
{
    (void)state;
    const tdm_model_ops *const ops[] = {&tdm_ials_ops, &tdm_item_knn_ops, &tdm_cooccurrence_ops};
    for (int k = 0; k < 3; k++) {
        pair *p = pair_open(60, 40, 10, 0.05, 1);
        tdm_model *old = toy_fit(ops[k], p->was, k ? "" : "factors=16", 1), *m = NULL;
        tdm_updated what;
        tdm_err err;
        long live = (long)tdm_mem_live();
        int n = 0;
        for (;; n++) {
            tdm_mem_fail_after(n);
            tdm_status st = ops[k]->update(&m, old, &p->u, &what, &err);
            tdm_mem_fail_after(-1);
            if (!st) break;
            CHECK(st == TDM_E_NOMEM && !m && (long)tdm_mem_live() == live);
        }
        CHECK(n > 10);
        tdm_model_close(m);
        tdm_model_close(old);
        pair_close(p);
    }
}

/* recent is summed again, with the half-life it had and not one that the new span suggests. */
static void recent_keeps_its_half_life(void **state)
{
    (void)state;
    tdm_err err;
    pair *p = pair_open(200, 100, 10, 0, 2);
    tdm_updated what;
    tdm_model *old = toy_fit(&tdm_recent_ops, p->was, "half_life=3", 1);
    tdm_model *fit = toy_fit(&tdm_recent_ops, p->now, "half_life=3", 1), *m = updated(old, &p->u, &what);
    float a[100], b[100], before[100];
    tdm_history h = {.now = TDM_NO_TIME, .self = TDM_NONE};
    CHECK_OK(old->ops->score(old, before, &h, 1, &err), err);
    CHECK_OK(fit->ops->score(fit, a, &h, 1, &err), err);
    CHECK_OK(m->ops->score(m, b, &h, 1, &err), err);
    CHECK(!memcmp(a, b, sizeof a) && memcmp(a, before, sizeof a));
    CHECK(what.remade == 100);
    tdm_model_close(old);
    tdm_model_close(fit);
    tdm_model_close(m);
    pair_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recent_keeps_its_half_life),  cmocka_unit_test(who_changed_is_found),
        cmocka_unit_test(a_share_of_0_is_a_fit),       cmocka_unit_test(rows_lack_what_they_say),
        cmocka_unit_test(the_sum_over_people_is_kept), cmocka_unit_test(the_objective_follows),
        cmocka_unit_test(threads_change_no_byte),      cmocka_unit_test(short_memory_is_an_error_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
