/* SPDX-License-Identifier: Apache-2.0 */
/* test_network.c - the fusion's network: it learns what no fixed weights can say, is left where few people teach, and
 * what is read back is what was learned. */
#include "fixture.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "check.h"

#include <math.h>
#include <string.h>

enum { I = 64, TAUGHT = 48, TIMES = 13, ASKED = I - TAUGHT };

/* Two models of which just one is sure of the answer, this one or that one; of twenty others both are half sure.
 * `plain`: the first alone knows, and the second speaks of something else. */
typedef struct riddle {
    table *a, *b;
    const tdm_model *models[3];
    quiz *teach, *ask;
    tdm_dataset log;
} riddle;

static riddle riddle_make(bool plain)
{
    riddle r = {.a = table_new("a", I, false),
                .b = table_new("b", I, false),
                .teach = quiz_new(),
                .ask = quiz_new(),
                .log = empty_log(I)};
    for (uint32_t x = 0; x < I; x++) {
        uint32_t answer = (5 * x + 3) % I;
        for (uint32_t i = 0; i < I; i++) {
            float noise = (float)((i * 13 + x * 7) % 16) / 64;
            bool decoy = i != answer && (i + x) % 3 == 0, by_a = plain || x % 2;
            r.a->score[x * I + i] = noise + (i == answer ? (by_a ? 4 : 0) : decoy && !plain ? 2 : 0);
            r.b->score[x * I + i] = noise + (i == answer ? (by_a ? 0 : 4) : decoy ? 2 : 0);
        }
        for (int k = 0; k < (x < TAUGHT ? TIMES : 1); k++) quiz_add(x < TAUGHT ? r.teach : r.ask, &x, 1, answer);
    }
    r.models[0] = &r.a->base;
    r.models[1] = &r.b->base;
    return r;
}

static void riddle_free(riddle *r)
{
    tdm_model_close(&r->a->base);
    tdm_model_close(&r->b->base);
    tdm_free(r->teach);
    tdm_free(r->ask);
}

/* `seen`: items of a history may come again. */
static tdm_model *fused(const riddle *r, bool network, size_t threads, bool seen)
{
    tdm_err err;
    tdm_run *run;
    tdm_model *m;
    tdm_params p = tdm_params_standard(tdm_hybrid_ops.params);
    CHECK_OK(tdm_params_set(&p, "hybrid", "network", network, &err), err);
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = threads, .seed = 3}, &err), err);
    tdm_fit_input in = {
        .train = &r->log, .params = &p, .needs = r->models, .labels = &r->teach->qs, .seen = seen, .run = run};
    CHECK_OK(tdm_hybrid_ops.fit(&m, &in, &err), err);
    tdm_run_close(run);
    return m;
}

static size_t hits(const tdm_model *m, const riddle *r)
{
    size_t n = 0;
    for (size_t q = 0; q < r->ask->qs.n; q++) {
        tdm_history h = tdm_questions_history(&r->ask->qs, q);
        n += best_of(m, &h, I) == r->ask->qs.target[q];
    }
    return n;
}

static const char *kind_of(const tdm_model *m, const char *name)
{
    static char kind[16];
    tdm_err err;
    cJSON *o;
    CHECK_OK(m->ops->save(m, path_of(name), &err), err);
    CHECK_OK(tdm_json_read(&o, path_of(name), &err), err);
    strncpy(kind, tdm_json_str(o, "kind", ""), sizeof kind - 1);
    cJSON_Delete(o);
    return kind;
}

static void it_learns_what_fixed_weights_cannot_say(void **state)
{
    (void)state;
    riddle r = riddle_make(false);
    tdm_model *linear = fused(&r, false, 1, false), *m = fused(&r, true, 1, false);
    CHECK(!strcmp(kind_of(linear, "linear"), "linear") && !strcmp(kind_of(m, "network"), "network"));
    CHECK(hits(linear, &r) <= ASKED / 2); /* at most one of the two can be trusted */
    CHECK(hits(m, &r) == ASKED);
    tdm_model_close(linear);
    tdm_model_close(m);
    riddle_free(&r);
}

static void it_is_left_where_few_people_teach(void **state)
{
    (void)state;
    riddle r = riddle_make(true);
    tdm_model *linear = fused(&r, false, 1, false);
    CHECK(hits(linear, &r) == ASKED);
    tdm_model_close(linear);
    r.teach->qs.n = 400;
    tdm_model *m = fused(&r, true, 1, false);
    CHECK(!strcmp(kind_of(m, "few"), "linear"));
    tdm_model_close(m);
    riddle_free(&r);
}

enum { VOICES = 4, INPUTS = 9 }; /* two models: voices, ranks, people, seen, length */

/* The score by what the file says: w = max(0, x A + a) B + b with x = (voices, ranks, people, seen, length). */
static double plain_score(const cJSON *o, const double x[INPUTS])
{
    const cJSON *net = cJSON_GetObjectItemCaseSensitive(o, "network");
    size_t H = (size_t)tdm_json_num(net, "hidden", 0);
    const char *const names[] = {"A", "a", "B", "b"};
    double *v[4], sum = 0;
    for (int k = 0; k < 4; k++) {
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(net, names[k]), *one;
        size_t n = 0;
        v[k] = tdm_new((size_t)cJSON_GetArraySize(list), sizeof **v);
        cJSON_ArrayForEach(one, list) v[k][n++] = one->valuedouble;
    }
    for (size_t w = 0; w < VOICES; w++) {
        double weight = v[3][w];
        for (size_t k = 0; k < H; k++) {
            double h = v[1][k];
            for (size_t f = 0; f < INPUTS; f++) h += x[f] * v[0][f * H + k];
            weight += fmax(h, 0) * v[2][k * VOICES + w];
        }
        sum += x[w] * weight;
    }
    for (int k = 0; k < 4; k++) tdm_free(v[k]);
    return sum;
}

/* 1 / place of item i among all but item x, I for none; 0 behind the fiftieth place. */
static double rank(const float *scores, uint32_t x, uint32_t i)
{
    size_t above = 0, before = 0; /* higher scores, and those that come before it in a list */
    if (i == x) return 0;
    for (uint32_t k = 0; k < I; k++) {
        if (k == x) continue;
        above += scores[k] > scores[i];
        before += scores[k] > scores[i] || (scores[k] == scores[i] && k < i);
    }
    return before < 50 && scores[i] > 0 ? 1 / (double)(1 + above) : 0;
}

static double opinion(const float *scores, uint32_t i)
{
    double sum = 0;
    for (uint32_t k = 0; k < I; k++) sum += fmax((double)scores[k], 0);
    return log1p((double)scores[i] / sum / 1e-3);
}

static void score_is_checked(bool seen)
{
    tdm_err err;
    riddle r = riddle_make(false);
    tdm_model *m = fused(&r, true, 2, seen), *back;
    CHECK(!strcmp(kind_of(m, "network"), "network"));
    CHECK_OK(tdm_hybrid_ops.load(&back, path_of("network"), &r.log, r.models, &err), err);
    cJSON *o;
    CHECK_OK(tdm_json_read(&o, path_of("network"), &err), err);
    CHECK(tdm_json_bool(o, "seen", !seen) == seen);
    for (uint32_t x = 0; x < I; x += 5) {
        tdm_history h = {.items = &x, .n = 1, .now = TDM_NO_TIME, .self = TDM_NONE};
        float scores[I], again[I], part[32];
        const char *const *names;
        size_t P;
        CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
        CHECK_OK(m->ops->score(back, again, &h, 1, &err), err);
        CHECK(!memcmp(scores, again, sizeof scores));
        float all[2 * I];
        uint32_t items[I], out = seen ? I : x;
        for (uint32_t i = 0; i < I; i++) items[i] = I - 1 - i;
        CHECK_OK(tdm_hybrid_parts_of(m, all, &h, items, I, &err), err);
        for (uint32_t i = 0; i < I; i++) {
            double a = opinion(r.a->score + x * I, i), b = opinion(r.b->score + x * I, i);
            /* nobody has any item and all histories are as long: both gates are at their centre */
            double said[INPUTS] = {
                a, b, a, b, rank(r.a->score + x * I, out, i), rank(r.b->score + x * I, out, i), 0, seen && i == x};
            CHECK_OK(tdm_hybrid_parts(m, part, &names, &P, &h, i, &err), err);
            CHECK(!memcmp(part, all + 2 * (I - 1 - i), 2 * sizeof *part)); /* many at once are as one by one */
            double mass = fabs((double)part[0]) + fabs((double)part[1]), sum = (double)part[0] + (double)part[1];
            CHECK(P == 2 && fabs(sum - (double)scores[i]) <= 1e-5 * (1 + mass)); /* sums of products of floats */
            CHECK(fabs(plain_score(o, said) - (double)scores[i]) <= 1e-4 * (1 + mass));
        }
    }
    cJSON_Delete(o);
    tdm_model_close(m);
    tdm_model_close(back);
    riddle_free(&r);
}

static void a_score_is_what_the_file_says_and_parts_sum_to_it(void **state)
{
    (void)state;
    score_is_checked(false);
    score_is_checked(true);
}

static void threads_change_no_byte(void **state)
{
    (void)state;
    tdm_err err;
    riddle r = riddle_make(false);
    tdm_map one, many;
    tdm_model *m = fused(&r, true, 1, false);
    CHECK_OK(m->ops->save(m, path_of("one"), &err), err);
    tdm_model_close(m);
    m = fused(&r, true, 3, false);
    CHECK_OK(m->ops->save(m, path_of("many"), &err), err);
    tdm_model_close(m);
    CHECK_OK(tdm_map_open(&one, path_of("one"), &err), err);
    CHECK_OK(tdm_map_open(&many, path_of("many"), &err), err);
    CHECK(one.n == many.n && !memcmp(one.p, many.p, one.n));
    tdm_map_close(&one);
    tdm_map_close(&many);
    riddle_free(&r);
}

/* Writes "b": the network of file "network" with one member changed. */
static void changed(const char *key, cJSON *value)
{
    tdm_err err;
    cJSON *o;
    CHECK_OK(tdm_json_read(&o, path_of("network"), &err), err);
    assert_true(cJSON_ReplaceItemInObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(o, "network"), key, value));
    CHECK_OK(tdm_json_write(o, path_of("b"), &err), err);
    cJSON_Delete(o);
}

static void refused(const riddle *r, const char *why)
{
    tdm_err err;
    tdm_model *m;
    tdm_status st = tdm_hybrid_ops.load(&m, path_of("b"), &r->log, r->models, &err);
    if (st != TDM_E_FORMAT || m) fail_msg("%s: was not refused", why);
    if (!strstr(err.msg, why)) fail_msg("\"%s\" does not say %s", err.msg, why);
}

static void a_damaged_network_is_refused(void **state)
{
    (void)state;
    riddle r = riddle_make(false);
    tdm_model *m = fused(&r, true, 1, false);
    kind_of(m, "network");
    tdm_model_close(m);
    changed("hidden", cJSON_CreateNumber(0)), refused(&r, "hidden");
    changed("hidden", cJSON_CreateNumber(1e9)), refused(&r, "hidden");
    changed("hidden", cJSON_CreateNumber(31)), refused(&r, "\"A\"");
    changed("a", cJSON_CreateArray()), refused(&r, "\"a\"");
    changed("B", cJSON_CreateString("weights")), refused(&r, "\"B\"");
    const char *words[] = {"1", "2", "3", "4"};
    changed("b", cJSON_CreateStringArray(words, 4)), refused(&r, "\"b\"");
    const double huge[] = {1, 2, 3, 1e30};
    changed("b", cJSON_CreateDoubleArray(huge, 4)), refused(&r, "\"b\"");
    riddle_free(&r);
}

static int tidy(void **state)
{
    (void)state;
    path_of(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns_what_fixed_weights_cannot_say),
        cmocka_unit_test(it_is_left_where_few_people_teach),
        cmocka_unit_test(a_score_is_what_the_file_says_and_parts_sum_to_it),
        cmocka_unit_test(threads_change_no_byte),
        cmocka_unit_test(a_damaged_network_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, tidy);
}
