/* SPDX-License-Identifier: Apache-2.0 */
/* test_influence.c - the shares of a hybrid's parts: against the parts of every item asked one by one, and on the page.
 */
#include "../hybrid/fixture.h"
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "eval/document.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { I = 40, ASKED = 240, K = 10 };

typedef struct world {
    table *a, *b;
    const tdm_model *joined[3];
    tdm_dataset log;
    quiz *z;
    tdm_model *hybrid;
} world;

/* One model knows what follows; the other knows nothing. Histories of 1, 7 and 13 items. */
static world world_make(void)
{
    world w = {.a = table_new("follows", I, false), .b = table_new("drawn", I, false), .log = empty_log(I)};
    tdm_rng r = tdm_rng_make(3, 1, 1);
    w.joined[0] = &w.a->base;
    w.joined[1] = &w.b->base;
    for (size_t k = 0; k < I * I; k++) {
        w.a->score[k] = (float)tdm_rng_unit(&r) / 8;
        w.b->score[k] = (float)tdm_rng_unit(&r);
    }
    for (uint32_t x = 0; x < I; x++) w.a->score[x * I + (x + 1) % I] = 1;
    w.z = quiz_new();
    for (uint32_t q = 0; q < ASKED; q++) {
        uint32_t history[13], n = 1 + 6 * (q % 3);
        for (uint32_t k = 0; k < n; k++) history[k] = (q * 7 + k * 3) % I;
        quiz_add(w.z, history, n, q % 10 < 7 ? (history[n - 1] + 1) % I : (history[n - 1] + 2 + q) % I);
    }
    w.hybrid = fuse(w.joined, &w.log, &w.z->qs, 1);
    return w;
}

static void world_free(world *w)
{
    tdm_model_close(w->hybrid);
    tdm_model_close(&w->a->base);
    tdm_model_close(&w->b->base);
    tdm_free(w->z);
}

static tdm_status ask(tdm_influence *v, const world *w, const tdm_model *subject, size_t threads, tdm_err *err)
{
    tdm_run *run;
    const tdm_model *models[] = {&w->a->base, subject};
    const tdm_evaluate_input in = {
        .models = models, .n_models = 2, .subject = 1, .questions = &w->z->qs, .train = &w->log, .seed = 3};
    tdm_status st = tdm_run_open(&run, &(tdm_run_options){.threads = threads, .seed = 3}, err);
    if (st) return st;
    st = tdm_evaluate_influence(v, &in, run, err);
    tdm_run_close(run);
    return st;
}

/* The mean shares of one question's first ten, found by looking at all items again for each place. */
static void shares_of(double share[2], const world *w, size_t q)
{
    tdm_err err;
    tdm_history h = tdm_questions_history(&w->z->qs, q);
    float scores[I];
    CHECK_OK(w->hybrid->ops->score(w->hybrid, scores, &h, 1, &err), err);
    for (size_t j = 0; j < h.n; j++) scores[h.items[j]] = -INFINITY;
    share[0] = share[1] = 0;
    for (int place = 0; place < K; place++) {
        const char *const *names;
        size_t P;
        float part[32];
        uint32_t best = 0;
        for (uint32_t i = 1; i < I; i++)
            if (scores[i] > scores[best]) best = i;
        CHECK_OK(tdm_hybrid_parts(w->hybrid, part, &names, &P, &h, best, &err), err);
        double all = fabs((double)part[0]) + fabs((double)part[1]);
        for (int p = 0; p < 2; p++) share[p] += fabs((double)part[p]) / all / K;
        scores[best] = -INFINITY;
    }
}

static void shares_are_those_of_the_parts(void **state)
{
    (void)state;
    tdm_err err;
    world w = world_make();
    tdm_influence v, again;
    CHECK_OK(ask(&v, &w, w.hybrid, 1, &err), err);
    CHECK_OK(ask(&again, &w, w.hybrid, 3, &err), err);
    CHECK(!memcmp(v.share, again.share, sizeof v.share) && !memcmp(v.of, again.of, sizeof v.of));
    double want[3][2] = {{0}}, n[3] = {0};
    for (size_t q = 0; q < ASKED; q++) {
        double share[2];
        if (!w.z->qs.target_counts[w.z->qs.target_at[q]]) continue;
        shares_of(share, &w, q);
        for (int p = 0; p < 2; p++) want[q % 3][p] += share[p];
        n[q % 3]++;
    }
    CHECK(v.P == 2 && v.list == K && !strcmp(v.name[0], "follows") && !strcmp(v.name[1], "drawn"));
    CHECK(v.of[0] == 0 && v.of[4] == 0 && v.people == (size_t)(n[0] + n[1] + n[2]));
    for (int c = 0; c < 3; c++) {
        CHECK((double)v.of[1 + c] == n[c] && n[c] > 0);
        for (int p = 0; p < 2; p++)
            if (fabs(v.share[1 + c][p] - want[c][p] / n[c]) > 1e-6)
                fail_msg("class %d, part %d: %.9g, not %.9g", c, p, v.share[1 + c][p], want[c][p] / n[c]);
        CHECK(fabs(v.share[1 + c][0] + v.share[1 + c][1] - 1) < 1e-9);
    }
    world_free(&w);
}

static void the_page_has_them(void **state)
{
    (void)state;
    tdm_err err;
    world w = world_make();
    tdm_influence v;
    tdm_buf page = {0};
    char text[96];
    CHECK_OK(ask(&v, &w, w.hybrid, 1, &err), err);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddObjectToObject(o, "models");
    CHECK_OK(tdm_evaluation_add_influence(o, &v, &err), err);
    CHECK_OK(tdm_evaluation_html(&page, o, &err), err);
    const char *section = strstr(page.p, "<h2>Whose opinion counts</h2>");
    CHECK(section && strstr(section, "5-9<span>80 people"));
    const char *row = strstr(section, "<th scope=\"row\">follows</th>");
    CHECK(row != NULL);
    double most = 0;
    for (int c = 1; c < 4; c++)
        for (int p = 0; p < 2; p++) most = fmax(most, v.share[c][p]);
    for (int c = 1; c < 4; c++) { /* each cell in its place: the bar, then the number */
        snprintf(text, sizeof text, "width=\"%.2f%%\"", 100 * v.share[c][0] / most);
        row = strstr(row, "<td>");
        CHECK(row && strstr(row, text) && strstr(row, text) < strstr(row, "</td>"));
        snprintf(text, sizeof text, "<b>%.1f%%</b></td>", 100 * v.share[c][0]);
        CHECK(strstr(row, text) && strstr(row, text) < strstr(row, "</td>"));
        row = strstr(row, "</td>");
    }
    tdm_buf_clear(&page);
    cJSON_Delete(o);
    world_free(&w);
}

/* A model that is no hybrid has no parts: no key and no section. */
static void others_have_none(void **state)
{
    (void)state;
    tdm_err err;
    world w = world_make();
    tdm_influence v;
    CHECK_OK(ask(&v, &w, &w.b->base, 1, &err), err);
    CHECK(v.P == 0 && v.people == 0);
    cJSON *o = cJSON_CreateObject();
    CHECK_OK(tdm_evaluation_add_influence(o, &v, &err), err);
    CHECK(o->child == NULL);
    cJSON_Delete(o);
    world_free(&w);
}

static void short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    tdm_err err;
    world w = world_make();
    size_t live = tdm_mem_live();
    long k = 0;
    for (; k < 20000; k++) {
        tdm_influence v;
        tdm_mem_fail_after(k);
        tdm_status st = ask(&v, &w, w.hybrid, 1, &err);
        tdm_mem_fail_after(-1);
        CHECK(tdm_mem_live() == live);
        if (!st) break;
        CHECK(st == TDM_E_NOMEM);
    }
    CHECK(k > 20 && k < 20000);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shares_are_those_of_the_parts),
                                       cmocka_unit_test(the_page_has_them), cmocka_unit_test(others_have_none),
                                       cmocka_unit_test(short_memory_is_reported_and_nothing_leaks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
