/* SPDX-License-Identifier: Apache-2.0 */
/* test_hybrid.c - the fusion's arithmetic, over models whose scores are tables. */
#include "fixture.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 8, I = SIDE * SIDE, TEACH = 40 };

/* Items lie on a square. One model knows the answer's row, the other its column, and neither knows both: the answer to
 * last item x is (3 x + 1) mod 64. Negative tables are what a model of logits gives. */
typedef struct square {
    table *row, *column;
    const tdm_model *models[4];
    quiz *teach, *ask;
    tdm_dataset log;
} square;

static uint32_t answer(uint32_t x) { return (3 * x + 1) % I; }

static square square_make(bool logits)
{
    square s = {.row = table_new("row", I, false),
                .column = table_new("column", I, false),
                .teach = quiz_new(),
                .ask = quiz_new(),
                .log = empty_log(I)};
    for (uint32_t x = 0; x < I; x++) {
        for (uint32_t i = 0; i < I; i++) {
            float noise = (float)((i * 13 + x * 7) % 16) / 32;
            s.row->score[x * I + i] = (i / SIDE == answer(x) / SIDE ? 2 : 0) + noise;
            s.column->score[x * I + i] = (i % SIDE == answer(x) % SIDE ? 2 : 0) + (logits ? noise - 5 : noise);
        }
        quiz_add(x % I < TEACH ? s.teach : s.ask, &x, 1, answer(x));
    }
    s.models[0] = &s.row->base;
    s.models[1] = &s.column->base;
    return s;
}

static void square_free(square *s)
{
    tdm_model_close(&s->row->base);
    tdm_model_close(&s->column->base);
    tdm_free(s->teach);
    tdm_free(s->ask);
}

static size_t hits(const tdm_model *m, const tdm_questions *qs)
{
    size_t n = 0;
    for (size_t q = 0; q < qs->n; q++) {
        tdm_history h = tdm_questions_history(qs, q);
        n += best_of(m, &h, I) == qs->target[q];
    }
    return n;
}

static void what_two_models_know_by_half_the_hybrid_knows(void **state)
{
    (void)state;
    for (int logits = 0; logits < 2; logits++) {
        square s = square_make(logits);
        tdm_model *m = fuse(s.models, &s.log, &s.teach->qs, 1);
        CHECK(hits(&s.row->base, &s.ask->qs) < s.ask->qs.n / 2);
        CHECK(hits(&s.column->base, &s.ask->qs) < s.ask->qs.n / 2);
        CHECK(hits(m, &s.ask->qs) == s.ask->qs.n);
        tdm_model_close(m);
        square_free(&s);
    }
}

static void parts_sum_to_the_score(void **state)
{
    (void)state;
    tdm_err err;
    for (int logits = 0; logits < 2; logits++) {
        square s = square_make(logits);
        tdm_model *m = fuse(s.models, &s.log, &s.teach->qs, 1);
        float scores[I], part[32];
        const char *const *names;
        size_t P;
        for (uint32_t x = 0; x < I; x += 5) {
            tdm_history h = {.items = &x, .n = 1, .now = TDM_NO_TIME, .self = TDM_NONE};
            float all[2 * I];
            uint32_t items[I];
            for (uint32_t i = 0; i < I; i++) items[i] = I - 1 - i;
            CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
            CHECK_OK(tdm_hybrid_parts_of(m, all, &h, items, I, &err), err);
            for (uint32_t i = 0; i < I; i++) {
                double sum = 0, mass = 0;
                CHECK_OK(tdm_hybrid_parts(m, part, &names, &P, &h, i, &err), err);
                CHECK(!memcmp(part, all + 2 * (I - 1 - i), 2 * sizeof *part)); /* many at once are as one by one */
                CHECK(P == 2 && !strcmp(names[0], "row") && !strcmp(names[1], "column"));
                for (size_t p = 0; p < P; p++) sum += (double)part[p], mass += fabs((double)part[p]);
                CHECK(fabs(sum - (double)scores[i]) <= 2e-7 * mass); /* one rounding of a float for each part */
            }
        }
        const tdm_model *const *joined;
        CHECK(tdm_hybrid_models(m, &joined) == 2 && joined[1] == s.models[1]);
        uint32_t x = 0;
        tdm_history h = {.items = &x, .n = 1};
        CHECK(tdm_hybrid_parts(m, part, &names, &P, &h, I, &err) == TDM_E_ARG);
        tdm_model_close(m);
        square_free(&s);
    }
}

/* The model likes the last item itself best and the answer second. Where such items may come again, it is learned what
 * they are worth; where they may not, they are no candidates, and nothing is known of them. */
static void what_comes_again_is_learned_where_it_may(void **state)
{
    (void)state;
    tdm_err err;
    table *t = table_new("near", I, false);
    quiz *teach = quiz_new();
    tdm_dataset log = empty_log(I);
    for (uint32_t x = 0; x < I; x++) {
        t->score[x * I + x] = 3;
        t->score[x * I + (x + 5) % I] = 1;
    }
    for (uint32_t q = 0; q < 300; q++) quiz_add(teach, &(uint32_t){q % I}, 1, (q + 5) % I);
    const tdm_model *models[] = {&t->base, NULL};
    tdm_model *again = fuse_seen(models, &log, &teach->qs), *once = fuse(models, &log, &teach->qs, 1);
    for (uint32_t x = 0; x < I; x++) {
        tdm_history h = {.items = &x, .n = 1, .now = TDM_NO_TIME, .self = TDM_NONE};
        uint32_t both[2] = {x, (x + 5) % I};
        float part[2];
        CHECK(best_of(once, &h, I) == x && best_of(again, &h, I) == both[1]);
        CHECK_OK(tdm_hybrid_parts_of(again, part, &h, both, 2, &err), err);
        CHECK(part[0] < part[1]);
    }
    tdm_model_close(again);
    tdm_model_close(once);
    tdm_model_close(&t->base);
    tdm_free(teach);
}

/* Short histories are answered by one model, long ones by the other. */
static void the_length_of_the_history_says_whom_to_trust(void **state)
{
    (void)state;
    table *s = table_new("short", I, false), *l = table_new("long", I, false);
    quiz *teach = quiz_new(), *ask = quiz_new();
    tdm_dataset log = empty_log(I);
    for (uint32_t x = 0; x < I; x++) {
        s->score[x * I + (x + 5) % I] = 1;
        l->score[x * I + (x + 9) % I] = 1;
    }
    for (uint32_t q = 0; q < 400; q++) {
        uint32_t history[12], n = q % 2 ? 2 : 12;
        for (uint32_t k = 0; k < n; k++) history[k] = (q * 5 + n - k) % I;
        quiz_add(q < 300 ? teach : ask, history, n, (history[n - 1] + (n == 2 ? 5 : 9)) % I);
    }
    const tdm_model *models[] = {&s->base, &l->base, NULL};
    tdm_model *m = fuse_seen(models, &log, &teach->qs);
    size_t right = 0;
    for (size_t q = 0; q < ask->qs.n; q++) {
        tdm_history h = tdm_questions_history(&ask->qs, q);
        right += best_of(m, &h, I) == ask->qs.target[q];
    }
    CHECK(right == ask->qs.n);
    tdm_model_close(m);
    tdm_model_close(&s->base);
    tdm_model_close(&l->base);
    tdm_free(teach);
    tdm_free(ask);
}

/* Where few have chosen the answer one model knows it, where many have the other; each is sure of a wrong one too. */
static void an_items_people_say_whom_to_trust(void **state)
{
    (void)state;
    table *rare = table_new("rare", I, false), *known = table_new("known", I, false);
    quiz *teach = quiz_new(), *ask = quiz_new();
    uint32_t item[20 * I];
    int64_t offset[] = {0, 0};
    tdm_dataset log = {.U = 1, .I = I, .offset = offset, .item = item};
    for (uint32_t i = 0; i < I; i++)
        for (int k = 0; k < (i % 2 ? 20 : 1); k++) item[log.N++] = i;
    offset[1] = (int64_t)log.N;
    for (uint32_t x = 0; x < I; x++)
        for (uint32_t i = 0; i < I; i++) { /* of the items nobody is asked about each says the other thing */
            uint32_t right = (x * 5 + 3) % I;
            bool odd = i % 2, near = i / 8 == right / 8;
            rare->score[x * I + i] = odd ? (float)((i * 7 + x) % 5) : i == right ? 5 : near ? 1 : 0;
            known->score[x * I + i] = !odd ? (float)((i * 3 + x) % 5) : i == right ? 5 : near ? 1 : 0;
        }
    for (uint32_t x = 0; x < I; x++) quiz_add(x % 4 == 0 ? ask : teach, &x, 1, (x * 5 + 3) % I);
    const tdm_model *models[] = {&rare->base, &known->base, NULL};
    tdm_model *m = fuse(models, &log, &teach->qs, 1);
    CHECK(hits(m, &ask->qs) == ask->qs.n);
    tdm_model_close(m);
    tdm_model_close(&rare->base);
    tdm_model_close(&known->base);
    tdm_free(teach);
    tdm_free(ask);
}

static void log_count(void *ctx, tdm_log_level level, const char *stage, const char *message)
{
    *(int *)ctx += level == TDM_LOG_WARN && !strcmp(stage, "hybrid") && strstr(message, "all models weigh the same");
}

static void without_labels_all_models_weigh_the_same(void **state)
{
    (void)state;
    tdm_err err;
    square s = square_make(false);
    quiz *none = quiz_new();
    tdm_params p = tdm_params_standard(tdm_hybrid_ops.params);
    for (int k = 0; k < 2; k++) {
        int warned = 0;
        struct tdm_run run = {.seed = 1, .log = log_count, .ctx = &warned};
        tdm_fit_input in = {
            .train = &s.log, .params = &p, .needs = s.models, .labels = k ? &none->qs : NULL, .run = &run};
        tdm_model *m;
        CHECK_OK(tdm_hybrid_ops.fit(&m, &in, &err), err);
        CHECK(warned == 1);
        tdm_model_close(m);
    }
    /* with people to see how opinions are spread, equal weights find what both say */
    uint32_t item[I];
    int64_t offset[I + 1] = {0};
    float rating[I];
    int64_t time[I];
    for (uint32_t x = 0; x < I; x++) item[x] = x, offset[x + 1] = x + 1, rating[x] = NAN, time[x] = TDM_NO_TIME;
    s.log = (tdm_dataset){.U = I, .I = I, .N = I, .offset = offset, .item = item, .rating = rating, .time = time};
    tdm_model *m = fuse(s.models, &s.log, NULL, 1);
    CHECK(hits(m, &s.ask->qs) == s.ask->qs.n);
    tdm_model_close(m);
    tdm_free(none);
    square_free(&s);
}

static void few_labels_do_not_break_it(void **state)
{
    (void)state;
    square s = square_make(false);
    for (size_t n = 1; n <= 12; n++) {
        s.teach->qs.n = n;
        tdm_model *m = fuse(s.models, &s.log, &s.teach->qs, 1);
        CHECK(hits(m, &s.ask->qs) == s.ask->qs.n);
        tdm_model_close(m);
    }
    square_free(&s);
}

static void a_model_without_opinion_poisons_nothing(void **state)
{
    (void)state;
    tdm_err err;
    square s = square_make(true);
    table *mute = table_new("mute", I, true), *mad = table_new("mad", I, false);
    for (size_t k = 0; k < (size_t)I * I; k++) {
        mute->score[k] = -INFINITY;
        mute->rating[k] = NAN;
        mad->score[k] = k % 3 == 0 ? NAN : k % 3 == 1 ? INFINITY : -INFINITY;
    }
    s.models[2] = &mute->base;
    s.models[3] = &mad->base;
    const tdm_model *all[] = {s.models[0], s.models[1], s.models[2], s.models[3], NULL};
    tdm_model *m = fuse(all, &s.log, &s.teach->qs, 1);
    CHECK(hits(m, &s.ask->qs) == s.ask->qs.n);
    float scores[I], rating;
    tdm_history stranger = {.n = 0, .now = TDM_NO_TIME, .self = TDM_NONE};
    CHECK_OK(m->ops->score(m, scores, &stranger, 1, &err), err);
    for (size_t i = 0; i < I; i++) CHECK(scores[i] == 0); /* nobody has an opinion on an empty history */
    uint32_t x = 1, item = 2;
    tdm_history h = {.items = &x, .n = 1};
    CHECK_OK(m->ops->rate(m, &rating, &h, &item, 1, &err), err);
    CHECK(isnan(rating)); /* a log without ratings */
    tdm_model_close(m);
    tdm_model_close(&mute->base);
    tdm_model_close(&mad->base);
    square_free(&s);
}

static void targets_that_do_not_count_teach_nothing(void **state)
{
    (void)state;
    square s = square_make(false);
    tdm_model *m = fuse(s.models, &s.log, &s.teach->qs, 1);
    tdm_err err;
    CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
    tdm_model_close(m);
    quiz *more = quiz_new(); /* wrong answers beside the right ones, and alone; none of them counts */
    for (uint32_t x = 0; x < TEACH; x++) {
        quiz_add(more, &x, 1, answer(x));
        quiz_add_target(more, (answer(x) + 1) % I, false);
    }
    for (uint32_t x = 0; x < 20; x++) {
        quiz_add(more, &x, 1, (answer(x) + 11) % I);
        more->counts[more->target_at[more->qs.n] - 1] = 0;
    }
    tdm_free(s.teach);
    s.teach = more;
    m = fuse(s.models, &s.log, &s.teach->qs, 1);
    CHECK_OK(m->ops->save(m, path_of("b"), &err), err);
    tdm_map a, b;
    CHECK_OK(tdm_map_open(&a, path_of("a"), &err), err);
    CHECK_OK(tdm_map_open(&b, path_of("b"), &err), err);
    CHECK(a.n == b.n && !memcmp(a.p, b.p, a.n));
    tdm_map_close(&a);
    tdm_map_close(&b);
    tdm_model_close(m);
    square_free(&s);
}

/* Where answers are often in the history already (--seen keep), they are candidates too. */
static void answers_from_the_history_can_be_learned(void **state)
{
    (void)state;
    table *again = table_new("again", I, false), *next = table_new("next", I, false);
    quiz *teach = quiz_new();
    tdm_dataset log = empty_log(I);
    for (uint32_t x = 0; x < I; x++) {
        again->score[x * I + x] = 1;
        next->score[x * I + (x + 1) % I] = 1;
        quiz_add(teach, &x, 1, x);
    }
    const tdm_model *models[] = {&again->base, &next->base, NULL};
    tdm_model *m = fuse_seen(models, &log, &teach->qs);
    uint32_t x = 7;
    tdm_history h = {.items = &x, .n = 1};
    CHECK(best_of(m, &h, I) == 7);
    tdm_model_close(m);
    tdm_model_close(&again->base);
    tdm_model_close(&next->base);
    tdm_free(teach);
}

/* ---- files ---- */

static void saved(const square *s, const char *name)
{
    tdm_err err;
    tdm_model *m = fuse(s->models, &s->log, &s->teach->qs, 1);
    CHECK_OK(m->ops->save(m, path_of(name), &err), err);
    tdm_model_close(m);
}

static void bytes_write(const char *path, const char *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
}

static void refused(const square *s, const tdm_model *const *needs, const char *why)
{
    tdm_err err;
    tdm_model *m;
    tdm_status st = tdm_hybrid_ops.load(&m, path_of("b"), &s->log, needs, &err);
    if (st != TDM_E_FORMAT || m) fail_msg("%s: was not refused", why);
    if (!strstr(err.msg, why)) fail_msg("\"%s\" does not say %s", err.msg, why);
}

/* Changes one member in the saved fusion. */
static void changed(const char *where, const char *key, cJSON *value)
{
    tdm_err err;
    cJSON *o, *at;
    CHECK_OK(tdm_json_read(&o, path_of("a"), &err), err);
    at = *where ? cJSON_GetObjectItemCaseSensitive(o, where) : o;
    if (cJSON_IsArray(at)) at = cJSON_GetArrayItem(at, 1);
    assert_true(cJSON_ReplaceItemInObjectCaseSensitive(at, key, value));
    CHECK_OK(tdm_json_write(o, path_of("b"), &err), err);
    cJSON_Delete(o);
}

static void a_damaged_file_is_refused(void **state)
{
    (void)state;
    tdm_err err;
    square s = square_make(true);
    saved(&s, "a");
    changed("", "kind", cJSON_CreateString("dream")), refused(&s, s.models, "dream");
    changed("", "models", cJSON_CreateArray()), refused(&s, s.models, "joins 0 models");
    changed("models", "name", cJSON_CreateString("other")), refused(&s, s.models, "joins other");
    changed("models", "form", cJSON_CreateString("round")), refused(&s, s.models, "round");
    changed("models", "weight", cJSON_CreateString("1")), refused(&s, s.models, "weight");
    changed("models", "weight", cJSON_CreateNumber(1e30)), refused(&s, s.models, "weight");
    changed("models", "floor", cJSON_CreateNumber(0)), refused(&s, s.models, "floor");
    changed("models", "by_people", cJSON_CreateNull()), refused(&s, s.models, "by_people");
    changed("by_length", "high", cJSON_CreateNumber(-1)), refused(&s, s.models, "high");
    changed("", "by_people", cJSON_CreateNull()), refused(&s, s.models, "low");
    changed("", "rating", cJSON_CreateObject()), refused(&s, s.models, "mean");
    changed("", "kind", cJSON_CreateString("linear"));
    const tdm_model *swapped[] = {s.models[1], s.models[0], NULL}, *fewer[] = {s.models[0], NULL};
    refused(&s, swapped, "train the hybrid again");
    refused(&s, fewer, "joins 2 models where the folder has 1");
    tdm_map map;
    CHECK_OK(tdm_map_open(&map, path_of("a"), &err), err);
    char *bytes = tdm_new(map.n, 1);
    uint32_t x = 3;
    tdm_history h = {.items = &x, .n = 1};
    for (size_t round = 0; round < 600; round++) { /* one byte wrong, or the end missing: refused, or harmless */
        tdm_rng r = tdm_rng_make(5, round, 0);
        size_t n = map.n;
        tdm_model *m;
        float scores[I];
        memcpy(bytes, map.p, n);
        if (round < 60) n = (size_t)tdm_rng_below(&r, map.n - 2);
        else bytes[tdm_rng_below(&r, n)] = (char)tdm_rng_below(&r, 256);
        bytes_write(path_of("b"), bytes, n);
        tdm_status st = tdm_hybrid_ops.load(&m, path_of("b"), &s.log, s.models, &err);
        CHECK(st == TDM_E_FORMAT || (round >= 60 && st == TDM_OK));
        if (st) continue;
        CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
        tdm_model_close(m);
    }
    tdm_free(bytes);
    tdm_map_close(&map);
    square_free(&s);
}

static void a_saved_hybrid_says_the_same(void **state)
{
    (void)state;
    tdm_err err;
    square s = square_make(true);
    tdm_model *m = fuse(s.models, &s.log, &s.teach->qs, 1), *n;
    CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
    CHECK_OK(tdm_hybrid_ops.load(&n, path_of("a"), &s.log, s.models, &err), err);
    CHECK_OK(n->ops->save(n, path_of("b"), &err), err);
    tdm_map a, b;
    CHECK_OK(tdm_map_open(&a, path_of("a"), &err), err);
    CHECK_OK(tdm_map_open(&b, path_of("b"), &err), err);
    CHECK(a.n == b.n && !memcmp(a.p, b.p, a.n));
    tdm_map_close(&a);
    tdm_map_close(&b);
    tdm_history h[I];
    uint32_t x[I];
    static float before[I * I], after[I * I];
    for (uint32_t k = 0; k < I; k++) {
        x[k] = k;
        h[k] = (tdm_history){.items = &x[k], .n = 1};
        CHECK_OK(m->ops->score(m, before + k * I, &h[k], 1, &err), err);
    }
    CHECK_OK(n->ops->score(n, after, h, I, &err), err); /* and a batch scores as its histories do */
    CHECK(!memcmp(before, after, sizeof before));
    tdm_model_close(m);
    tdm_model_close(n);
    square_free(&s);
}

/* ---- limits, memory, interruption ---- */

static void too_many_models_or_none_are_an_error(void **state)
{
    (void)state;
    tdm_err err;
    square s = square_make(false);
    const tdm_model *many[40] = {0};
    for (int k = 0; k < 35; k++) many[k] = s.models[0];
    struct tdm_run run = {.seed = 1};
    tdm_params p = tdm_params_standard(tdm_hybrid_ops.params);
    tdm_fit_input in = {.train = &s.log, .params = &p, .needs = many, .run = &run};
    tdm_model *m;
    CHECK(tdm_hybrid_ops.fit(&m, &in, &err) == TDM_E_ARG && !m && strstr(err.msg, "1 to 31"));
    in.needs = many + 39;
    CHECK(tdm_hybrid_ops.fit(&m, &in, &err) == TDM_E_ARG && !m);
    square_free(&s);
}

static tdm_status whole_life(const square *s, tdm_err *err)
{
    struct tdm_run run = {.seed = 1};
    tdm_params p = tdm_params_standard(tdm_hybrid_ops.params);
    tdm_fit_input in = {.train = &s->log, .params = &p, .needs = s->models, .labels = &s->teach->qs, .run = &run};
    uint32_t x = 3;
    tdm_history h = {.items = &x, .n = 1};
    tdm_model *m, *n = NULL;
    tdm_evidence e;
    float scores[I], part[32], rating;
    const char *const *names;
    size_t P;
    tdm_status st = tdm_hybrid_ops.fit(&m, &in, err);
    if (!st) st = m->ops->score(m, scores, &h, 1, err);
    if (!st) st = tdm_hybrid_parts(m, part, &names, &P, &h, 1, err);
    if (!st) st = m->ops->because(m, &e, &h, 1, err);
    if (!st) st = m->ops->rate(m, &rating, &h, &x, 1, err);
    if (!st) st = m->ops->save(m, path_of("a"), err);
    if (!st) st = tdm_hybrid_ops.load(&n, path_of("a"), &s->log, s->models, err);
    tdm_model_close(m);
    tdm_model_close(n);
    return st;
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    square s = square_make(false);
    s.teach->qs.n = 12;
    size_t live = tdm_mem_live();
    long n = 0;
    for (;; n++) {
        tdm_err err;
        tdm_mem_fail_after(n);
        tdm_status st = whole_life(&s, &err);
        tdm_mem_fail_after(-1);
        CHECK(tdm_mem_live() == live);
        if (st == TDM_OK) break;
        CHECK(st == TDM_E_NOMEM);
    }
    CHECK(n > 20);
    square_free(&s);
}

static void a_cancelled_fit_stops(void **state)
{
    (void)state;
    tdm_err err;
    square s = square_make(false);
    struct tdm_run run = {.seed = 1};
    tdm_run_cancel(&run);
    tdm_params p = tdm_params_standard(tdm_hybrid_ops.params);
    tdm_fit_input in = {.train = &s.log, .params = &p, .needs = s.models, .labels = &s.teach->qs, .run = &run};
    tdm_model *m;
    CHECK(tdm_hybrid_ops.fit(&m, &in, &err) == TDM_E_CANCELLED && !m);
    square_free(&s);
}

static int folder_remove(void **state)
{
    (void)state;
    path_of(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_two_models_know_by_half_the_hybrid_knows),
        cmocka_unit_test(parts_sum_to_the_score),
        cmocka_unit_test(what_comes_again_is_learned_where_it_may),
        cmocka_unit_test(the_length_of_the_history_says_whom_to_trust),
        cmocka_unit_test(an_items_people_say_whom_to_trust),
        cmocka_unit_test(without_labels_all_models_weigh_the_same),
        cmocka_unit_test(few_labels_do_not_break_it),
        cmocka_unit_test(a_model_without_opinion_poisons_nothing),
        cmocka_unit_test(targets_that_do_not_count_teach_nothing),
        cmocka_unit_test(answers_from_the_history_can_be_learned),
        cmocka_unit_test(a_damaged_file_is_refused),
        cmocka_unit_test(a_saved_hybrid_says_the_same),
        cmocka_unit_test(too_many_models_or_none_are_an_error),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(a_cancelled_fit_stops),
    };
    return cmocka_run_group_tests(tests, NULL, folder_remove);
}
