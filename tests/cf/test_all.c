/* SPDX-License-Identifier: Apache-2.0 */
/* test_all.c - what every model of this floor promises, on drawn logs. */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/safetensors.h"
#include "toy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the shares of history items come to, and what may be asked of a fit. */
enum {
    ALL_OF_IT = 1, /* the whole of a score above zero, and of other scores nothing */
    NOTHING = 2,   /* of no score anything */
    LEFT_OUT = 4,  /* a share is what leaving the item out costs */
    AT_ONCE = 8    /* fitted before one could interrupt it */
};

/* A model and how it is set here. */
typedef struct kind {
    const tdm_model_ops *ops;
    const char *settings;
    unsigned is;
} kind;
static const kind all[] = {
    {&tdm_popularity_ops, "", NOTHING},
    {&tdm_recent_ops, "", NOTHING},
    {&tdm_category_popularity_ops, "", 0},
    {&tdm_transitions_ops, "", 0},
    {&tdm_cooccurrence_ops, "", ALL_OF_IT | LEFT_OUT},
    {&tdm_item_knn_ops, "", ALL_OF_IT | LEFT_OUT},
    {&tdm_user_knn_ops, "", ALL_OF_IT | AT_ONCE}, /* without an item its neighbours change too */
    {&tdm_ease_ops, "", ALL_OF_IT | LEFT_OUT},
    {&tdm_slist_ops, "", ALL_OF_IT | LEFT_OUT},
    {&tdm_ials_ops, "factors=32 iterations=4", 0},
    {&tdm_ials_ops, "factors=16 iterations=4 conjugate=1 by_rating=1", 0},
    {&tdm_mf_ops, "warm_up=3 samples=4 thin=2", 0},
    {&tdm_svdpp_ops, "factors=32 epochs=4", 0},
    {&tdm_svdpp_ops, "factors=16 epochs=3 implied=0 held=0", 0},
};
enum { ALL = sizeof all / sizeof all[0], U = 300, I = 120 };

static char folder[] = "/tmp/tandem-test-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int folder_make(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
    (void)state;
    unlink(path_of("a"));
    unlink(path_of("b"));
    return rmdir(folder);
}

static tdm_history person(const toy *t, size_t u)
{
    size_t at = (size_t)t->offset[u];
    return (tdm_history){.items = t->item + at,
                         .ratings = t->rating + at,
                         .times = t->time + at,
                         .n = (size_t)t->offset[u + 1] - at,
                         .now = u % 2 ? t->time[t->offset[u + 1] - 1] : TDM_NO_TIME,
                         .self = (uint32_t)u};
}

static void same_bytes_at_any_number_of_threads(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(1500, 700, 3);
    for (size_t k = 0; k < ALL; k++) {
        tdm_map one, many;
        tdm_model *m = toy_fit(all[k].ops, t, all[k].settings, 1);
        CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
        tdm_model_close(m);
        for (size_t threads = 2; threads <= 7; threads += 5) {
            m = toy_fit(all[k].ops, t, all[k].settings, threads);
            CHECK_OK(m->ops->save(m, path_of("b"), &err), err);
            tdm_model_close(m);
            CHECK_OK(tdm_map_open(&one, path_of("a"), &err), err);
            CHECK_OK(tdm_map_open(&many, path_of("b"), &err), err);
            CHECK(one.n == many.n && !memcmp(one.p, many.p, one.n));
            tdm_map_close(&one);
            tdm_map_close(&many);
        }
    }
    tdm_free(t);
}

static void a_saved_model_says_the_same(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(U, I, 4);
    static float before[U * I], after[U * I];
    for (size_t k = 0; k < ALL; k++) {
        tdm_model *m = toy_fit(all[k].ops, t, all[k].settings, 2), *n;
        CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
        CHECK_OK(all[k].ops->load(&n, path_of("a"), &t->d, NULL, &err), err);
        for (size_t u = 0; u < U; u++) {
            tdm_history h = person(t, u);
            tdm_evidence e, f;
            uint32_t item = (uint32_t)u % I;
            float r, s;
            CHECK_OK(m->ops->score(m, before + u * I, &h, 1, &err), err);
            CHECK_OK(n->ops->score(n, after + u * I, &h, 1, &err), err);
            memset(&e, 0, sizeof e);
            memset(&f, 0, sizeof f);
            CHECK_OK(m->ops->because(m, &e, &h, item, &err), err);
            CHECK_OK(n->ops->because(n, &f, &h, item, &err), err);
            CHECK(e.n_because == f.n_because && e.n_people == f.n_people && e.rest == f.rest);
            if (!m->ops->rate) continue;
            CHECK_OK(m->ops->rate(m, &r, &h, &item, 1, &err), err);
            CHECK_OK(n->ops->rate(n, &s, &h, &item, 1, &err), err);
            CHECK(r == s && r >= 1 && r <= 5);
        }
        CHECK(!memcmp(before, after, sizeof before));
        CHECK_OK(n->ops->save(n, path_of("b"), &err), err); /* same model, same bytes */
        tdm_map one, two;
        CHECK_OK(tdm_map_open(&one, path_of("a"), &err), err);
        CHECK_OK(tdm_map_open(&two, path_of("b"), &err), err);
        CHECK(one.n == two.n && !memcmp(one.p, two.p, one.n));
        tdm_map_close(&one);
        tdm_map_close(&two);
        tdm_model_close(m);
        tdm_model_close(n);
    }
    tdm_free(t);
}

static void a_batch_scores_as_its_histories_do(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(U, I, 5);
    static float together[20 * I], alone[I];
    for (size_t k = 0; k < ALL; k++) {
        tdm_model *m = toy_fit(all[k].ops, t, all[k].settings, 1);
        tdm_history h[20];
        for (size_t u = 0; u < 20; u++) h[u] = person(t, u);
        CHECK_OK(m->ops->score(m, together, h, 20, &err), err);
        for (size_t u = 0; u < 20; u++) {
            CHECK_OK(m->ops->score(m, alone, &h[u], 1, &err), err);
            CHECK(!memcmp(alone, together + u * I, sizeof alone));
        }
        tdm_model_close(m);
    }
    tdm_free(t);
}

static void shares_and_rest_sum_to_one(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(U, I, 6);
    static float scores[I];
    for (size_t k = 0; k < ALL; k++) {
        tdm_model *m = toy_fit(all[k].ops, t, all[k].settings, 1);
        bool whole = all[k].is & ALL_OF_IT, nothing = all[k].is & NOTHING, ials = all[k].ops == &tdm_ials_ops;
        for (size_t u = 0; u < 60; u++) {
            tdm_history h = person(t, u);
            if (h.n > 8) h.n = 8; /* no more than evidence has room for */
            CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
            for (uint32_t i = 0; i < I; i++) {
                tdm_evidence e;
                CHECK_OK(m->ops->because(m, &e, &h, i, &err), err);
                double sum = (double)e.rest, mass = 1;
                for (size_t j = 0; j < e.n_because; j++) {
                    sum += (double)e.because[j].share;
                    mass += fabs((double)e.because[j].share); /* large of both signs where a score is nearly 0 */
                }
                CHECK(fabs(sum - 1) < (whole || nothing ? 1e-5 : 1e-6 * mass));
                if (nothing) CHECK(e.rest == 1 && !e.n_because);
                if (ials && scores[i] > 0.01f) CHECK(e.n_because && fabsf(e.rest) < 1e-5f);
                if (!whole && scores[i] < -0.01f) CHECK(e.rest == 1);
                if (whole && mass <= 1e3) /* else links of both signs cancel, and what is left is rounding */
                    CHECK(scores[i] > 0 ? fabs((double)e.rest) < 1e-6 * mass : e.rest == 1);
                for (size_t j = 1; j < e.n_because; j++) CHECK(e.because[j].share <= e.because[j - 1].share);
                for (size_t j = 0; j < e.n_people; j++) CHECK(e.people[j].user != u);
            }
        }
        tdm_model_close(m);
    }
    tdm_free(t);
}

/* Without decay, taking an item out of the history takes away exactly its share. */
static void a_share_is_what_leaving_the_item_out_costs(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(U, I, 8);
    static float whole[I], less[8][I];
    for (size_t k = 0; k < ALL; k++) {
        if (!(all[k].is & LEFT_OUT)) continue;
        tdm_model *m = toy_fit(all[k].ops, t, "history_decay=1", 1);
        for (size_t u = 0; u < 40; u++) {
            tdm_history h = person(t, u);
            uint32_t rest[8];
            if (h.n > 8) h.n = 8;
            CHECK_OK(m->ops->score(m, whole, &h, 1, &err), err);
            for (size_t out = 0; out < h.n; out++) { /* every item, wherever it repeats */
                tdm_history without = {.items = rest, .self = h.self};
                for (size_t j = 0; j < h.n; j++)
                    if (h.items[j] != h.items[out]) rest[without.n++] = h.items[j];
                CHECK_OK(m->ops->score(m, less[out], &without, 1, &err), err);
            }
            for (uint32_t i = 0; i < I; i++) {
                tdm_evidence e;
                if (!(whole[i] > 0)) continue;
                CHECK_OK(m->ops->because(m, &e, &h, i, &err), err);
                CHECK(e.n_because > 0);
                for (size_t j = 0; j < e.n_because; j++) {
                    size_t out = 0;
                    float share = e.because[j].share;
                    if (share > 1.0001f) continue; /* without it the rest speaks against: no opinion */
                    while (h.items[out] != e.because[j].item) CHECK(++out < h.n);
                    float lost = whole[i] - (less[out][i] > 0 ? less[out][i] : 0);
                    CHECK(fabsf(lost - share * whole[i]) < 1e-4f * whole[i] * (1 + fabsf(e.because[0].share)));
                }
            }
        }
        tdm_model_close(m);
    }
    tdm_free(t);
}

/* ---- files that are not what they should be ---- */

static void write_bytes(const char *path, const uint8_t *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
}

/* A model may open with one byte of it changed (a weight is a weight), but it must not lead out of its arrays. */
static void damaged_files_are_refused_or_harmless(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(60, 40, 9);
    tdm_history h = person(t, 0);
    float scores[40];
    for (size_t k = 0; k < ALL; k++) {
        tdm_model *m = toy_fit(all[k].ops, t, all[k].settings, 1);
        tdm_map map;
        CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
        tdm_model_close(m);
        CHECK_OK(tdm_map_open(&map, path_of("a"), &err), err);
        uint8_t *bytes = tdm_new(map.n, 1);
        assert_non_null(bytes);
        for (size_t round = 0; round < 400; round++) {
            tdm_rng r = tdm_rng_make(11, k, round);
            memcpy(bytes, map.p, map.n);
            size_t n = map.n;
            if (round < 40) n = (size_t)tdm_rng_below(&r, map.n);
            else bytes[tdm_rng_below(&r, map.n)] ^= (uint8_t)(1 + tdm_rng_below(&r, 255));
            write_bytes(path_of("b"), bytes, n);
            tdm_status st = all[k].ops->load(&m, path_of("b"), &t->d, NULL, &err);
            if (round < 40) CHECK(st == TDM_E_FORMAT);
            CHECK(st == TDM_OK || (st == TDM_E_FORMAT && !m && strstr(err.msg, folder)));
            if (st) continue;
            CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
            tdm_model_close(m);
        }
        tdm_map_close(&map);
        tdm_free(bytes);
    }
    tdm_free(t);
}

/* Changes one number of one tensor in a saved model. */
static void poke(const char *tensor, size_t at, const void *value, size_t size)
{
    tdm_err err;
    tdm_safetensors *s;
    tdm_map map;
    CHECK_OK(tdm_safetensors_open(&s, path_of("a"), &err), err);
    CHECK_OK(tdm_map_open(&map, path_of("a"), &err), err);
    const tdm_tensor *x = tdm_safetensors_find(s, tensor);
    assert_non_null(x);
    uint64_t header = 0;
    for (int i = 0; i < 8; i++) header |= (uint64_t)map.p[i] << 8 * i;
    const uint8_t *data = tdm_safetensors_at(s, 0)->data; /* the first tensor lies where the header ends */
    for (size_t i = 1; i < tdm_safetensors_n(s); i++)
        if ((const uint8_t *)tdm_safetensors_at(s, i)->data < data) data = tdm_safetensors_at(s, i)->data;
    size_t where = 8 + (size_t)header + (size_t)((const uint8_t *)x->data - data) + at * size;
    uint8_t *bytes = tdm_new(map.n, 1);
    assert_non_null(bytes);
    memcpy(bytes, map.p, map.n);
    memcpy(bytes + where, value, size);
    write_bytes(path_of("b"), bytes, map.n);
    tdm_free(bytes);
    tdm_map_close(&map);
    tdm_safetensors_close(s);
}

static void refuses(const tdm_model_ops *ops, const tdm_dataset *d, const char *why)
{
    tdm_err err;
    tdm_model *m;
    CHECK(ops->load(&m, path_of("b"), d, NULL, &err) == TDM_E_FORMAT);
    if (!strstr(err.msg, why)) fail_msg("%s does not say %s", err.msg, why);
    CHECK(m == NULL);
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(60, 40, 10);
    tdm_model *m = toy_fit(&tdm_item_knn_ops, t, "", 1);
    CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
    tdm_model_close(m);
    const uint32_t item = 40;
    const int64_t offset = 1000000, negative = -1;
    const float nan = NAN, inf = INFINITY;
    const double parameter = 1e9;
    poke("links.item", 3, &item, sizeof item), refuses(&tdm_item_knn_ops, &t->d, "links.item");
    poke("rated.item", 0, &item, sizeof item), refuses(&tdm_item_knn_ops, &t->d, "rated.item");
    poke("links.offset", 2, &offset, sizeof offset), refuses(&tdm_item_knn_ops, &t->d, "links.offset");
    poke("links.offset", 40, &offset, sizeof offset), refuses(&tdm_item_knn_ops, &t->d, "links.item");
    poke("links.offset", 0, &negative, sizeof negative), refuses(&tdm_item_knn_ops, &t->d, "links.offset");
    poke("links.weight", 5, &nan, sizeof nan), refuses(&tdm_item_knn_ops, &t->d, "links.weight[5]");
    poke("baseline.item", 7, &inf, sizeof inf), refuses(&tdm_item_knn_ops, &t->d, "baseline.item[7]");
    poke("parameters", 0, &parameter, sizeof parameter), refuses(&tdm_item_knn_ops, &t->d, ".k is 1e+09");
    poke("links.weight", 5, &(float){0.5f}, sizeof nan), refuses(&tdm_cooccurrence_ops, &t->d, "cooccurrence");
    tdm_dataset wider = t->d;
    wider.I = 41;
    refuses(&tdm_item_knn_ops, &wider, "links.offset");
    tdm_free(t);
}

static void numbers_of_factorisations_out_of_range_are_refused(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(60, 40, 10);
    const float nan = NAN, inf = INFINITY, below = -1;
    const double parameter = 1e9, none = 0;
    tdm_model *m = toy_fit(&tdm_ials_ops, t, "factors=32 iterations=4", 1);
    CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
    tdm_model_close(m);
    poke("item", 3, &nan, sizeof nan), refuses(&tdm_ials_ops, &t->d, "item[3]");
    poke("spread", 2, &inf, sizeof inf), refuses(&tdm_ials_ops, &t->d, "spread[2]");
    poke("spread", 2, &below, sizeof below), refuses(&tdm_ials_ops, &t->d, "spread[2]");
    poke("parameters", 0, &parameter, sizeof parameter), refuses(&tdm_ials_ops, &t->d, "factors is 1e+09");
    poke("item", 5, &(float){0.5f}, sizeof nan), refuses(&tdm_mf_ops, &t->d, "mf");
    tdm_dataset wider = t->d;
    wider.I = 41;
    refuses(&tdm_ials_ops, &wider, "item");
    m = toy_fit(&tdm_mf_ops, t, "warm_up=3 samples=4 thin=2", 1);
    CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
    tdm_model_close(m);
    poke("item", 3, &nan, sizeof nan), refuses(&tdm_mf_ops, &t->d, "item[3]");
    poke("noise", 1, &nan, sizeof nan), refuses(&tdm_mf_ops, &t->d, "noise[1]");
    poke("people.pull", 1, &inf, sizeof inf), refuses(&tdm_mf_ops, &t->d, "people.pull[1]");
    poke("scale", 1, &none, sizeof none), refuses(&tdm_mf_ops, &t->d, "scale[1]");
    wider.I = 39;
    poke("noise", 1, &(float){2}, sizeof nan), refuses(&tdm_mf_ops, &wider, "item");
    m = toy_fit(&tdm_svdpp_ops, t, "factors=16 epochs=3", 1);
    CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
    tdm_model_close(m);
    poke("rated", 0, &(float){7}, sizeof nan), refuses(&tdm_svdpp_ops, &wider, "item");
    poke("item", 3, &nan, sizeof nan), refuses(&tdm_svdpp_ops, &t->d, "item[3]");
    poke("implied", 4, &inf, sizeof inf), refuses(&tdm_svdpp_ops, &t->d, "implied[4]");
    poke("scale", 1, &parameter, sizeof parameter), refuses(&tdm_svdpp_ops, &t->d, "down to");
    tdm_free(t);
}

static void numbers_of_simple_models_out_of_range_are_refused(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(60, 40, 16);
    const int64_t far = 1000000, negative = -1, last = INT64_MAX;
    const float nan = NAN, inf = INFINITY, below = -1;
    const double zero = 0;
    const uint32_t number = 1000;
    const tdm_model_ops *ops = &tdm_recent_ops;
    tdm_model *m = toy_fit(ops, t, "", 1);
    CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
    tdm_model_close(m);
    poke("half_life", 0, &zero, sizeof zero), refuses(ops, &t->d, "half_life");
    poke("chosen.offset", 0, &negative, sizeof far), refuses(ops, &t->d, "chosen.offset");
    poke("chosen.offset", 40, &far, sizeof far), refuses(ops, &t->d, "chosen.time");
    poke("chosen.time", 0, &last, sizeof last), refuses(ops, &t->d, "chosen.time[1]");
    poke("chosen.sum", 4, &nan, sizeof nan), refuses(ops, &t->d, "chosen.sum[4]");
    ops = &tdm_category_popularity_ops;
    m = toy_fit(ops, t, "", 1);
    CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
    tdm_model_close(m);
    poke("people", 7, &below, sizeof below), refuses(ops, &t->d, "people[7]");
    poke("people", 7, &inf, sizeof inf), refuses(ops, &t->d, "people[7]");
    poke("category.offset", 3, &far, sizeof far), refuses(ops, &t->d, "category.offset");
    poke("category.number", 5, &number, sizeof number), refuses(ops, &t->d, "category.number[5]");
    poke("category.number", 0, &(uint32_t){9}, sizeof number), refuses(ops, &t->d, "category.number[1]");
    ops = &tdm_transitions_ops;
    m = toy_fit(ops, t, "", 1);
    CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
    tdm_model_close(m);
    poke("next.item", 0, &number, sizeof number), refuses(ops, &t->d, "next.item[0]");
    poke("prior", 2, &nan, sizeof nan), refuses(ops, &t->d, "prior[2]");
    poke("chosen", 2, &inf, sizeof inf), refuses(ops, &t->d, "chosen[2]");
    tdm_free(t);
}

static void user_knn_wants_its_own_training_rows(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_drawn(60, 40, 12), *other = toy_drawn(60, 40, 13);
    tdm_model *m = toy_fit(&tdm_user_knn_ops, t, "", 1);
    CHECK_OK(m->ops->save(m, path_of("b"), &err), err);
    tdm_model_close(m);
    refuses(&tdm_user_knn_ops, &other->d, "other training rows");
    tdm_free(t);
    tdm_free(other);
}

static void rows_out_of_the_catalogue_are_refused(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_of("a b | c d", 4);
    t->item[3] = 4;
    struct tdm_run run = {.seed = 1};
    for (size_t k = 0; k < ALL; k++) {
        tdm_params p = tdm_params_standard(all[k].ops->params);
        tdm_fit_input in = {.train = &t->d, .params = &p, .run = &run};
        tdm_model *m;
        CHECK(all[k].ops->fit(&m, &in, &err) == TDM_E_FORMAT);
        CHECK(m == NULL && strstr(err.msg, "item 4 of 4"));
    }
    tdm_free(t);
}

/* ---- memory and interruption ---- */

static tdm_status always_the_same(void *ctx, double *value, const tdm_model *m, tdm_err *err)
{
    (void)ctx, (void)m, (void)err;
    *value = 0.5;
    return TDM_OK;
}

static tdm_status whole_life(const kind *k, const toy *t, tdm_err *err)
{
    struct tdm_run run = {.seed = 1};
    tdm_params p;
    const tdm_judge judge = {always_the_same, NULL};
    tdm_fit_input in = {.train = &t->d, .params = &p, .judge = &judge, .run = &run};
    tdm_history h = person(t, 0);
    tdm_model *m, *n = NULL;
    tdm_evidence e;
    float scores[2 * 40], rating;
    uint32_t item = 1;
    toy_set(&p, k->ops, k->settings);
    tdm_status st = k->ops->fit(&m, &in, err);
    if (!st) st = k->ops->score(m, scores, &h, 1, err);
    if (!st) st = k->ops->because(m, &e, &h, 1, err);
    if (!st && k->ops->rate) st = k->ops->rate(m, &rating, &h, &item, 1, err);
    if (!st) st = k->ops->save(m, path_of("a"), err);
    if (!st) st = k->ops->load(&n, path_of("a"), &t->d, NULL, err);
    tdm_model_close(m);
    tdm_model_close(n);
    return st;
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    toy *t = toy_drawn(30, 20, 14);
    for (size_t k = 0; k < ALL; k++) {
        size_t live = tdm_mem_live();
        long n = 0;
        for (;; n++) {
            tdm_err err;
            tdm_mem_fail_after(n);
            tdm_status st = whole_life(&all[k], t, &err);
            tdm_mem_fail_after(-1);
            CHECK(tdm_mem_live() == live);
            if (st == TDM_OK) break;
            CHECK(st == TDM_E_NOMEM);
        }
        CHECK(n > 5);
    }
    tdm_free(t);
}

static void a_cancelled_fit_stops(void **state)
{
    (void)state;
    toy *t = toy_drawn(60, 40, 15);
    struct tdm_run run = {.seed = 1};
    tdm_run_cancel(&run);
    for (size_t k = 0; k < ALL; k++) {
        if (all[k].is & AT_ONCE) continue;
        tdm_err err;
        tdm_params p = tdm_params_standard(all[k].ops->params);
        tdm_fit_input in = {.train = &t->d, .params = &p, .run = &run};
        tdm_model *m;
        CHECK(all[k].ops->fit(&m, &in, &err) == TDM_E_CANCELLED);
        CHECK(m == NULL);
    }
    tdm_free(t);
}

static void a_log_without_rows_makes_models_without_opinions(void **state)
{
    (void)state;
    tdm_err err;
    toy *t = toy_of("", 3);
    tdm_history h = {.items = (const uint32_t[]){1}, .n = 1, .self = 0};
    float scores[3];
    for (size_t k = 0; k < ALL; k++) {
        tdm_model *m = toy_fit(all[k].ops, t, all[k].settings, 1);
        CHECK_OK(m->ops->score(m, scores, &h, 1, &err), err);
        for (size_t i = 0; i < 3; i++) CHECK(scores[i] == -INFINITY);
        CHECK_OK(m->ops->save(m, path_of("a"), &err), err);
        tdm_model_close(m);
        CHECK_OK(all[k].ops->load(&m, path_of("a"), &t->d, NULL, &err), err);
        tdm_model_close(m);
    }
    tdm_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes_at_any_number_of_threads),
        cmocka_unit_test(a_saved_model_says_the_same),
        cmocka_unit_test(a_batch_scores_as_its_histories_do),
        cmocka_unit_test(shares_and_rest_sum_to_one),
        cmocka_unit_test(a_share_is_what_leaving_the_item_out_costs),
        cmocka_unit_test(damaged_files_are_refused_or_harmless),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(numbers_of_factorisations_out_of_range_are_refused),
        cmocka_unit_test(numbers_of_simple_models_out_of_range_are_refused),
        cmocka_unit_test(user_knn_wants_its_own_training_rows),
        cmocka_unit_test(rows_out_of_the_catalogue_are_refused),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(a_cancelled_fit_stops),
        cmocka_unit_test(a_log_without_rows_makes_models_without_opinions),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
