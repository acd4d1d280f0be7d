/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "data/small_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- tables ---- */

static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const table *t = (const table *)m;
    (void)err;
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < t->I; i++)
            scores[b * t->I + i] = h[b].n ? t->score[h[b].items[h[b].n - 1] * t->I + i] : -INFINITY;
    return TDM_OK;
}

static tdm_status rate(const tdm_model *m, float *ratings, const tdm_history *h, const uint32_t *items, size_t n,
                       tdm_err *err)
{
    const table *t = (const table *)m;
    (void)err;
    for (size_t k = 0; k < n; k++) ratings[k] = h->n ? t->rating[h->items[h->n - 1] * t->I + items[k]] : NAN;
    return TDM_OK;
}

static void table_close(tdm_model *m)
{
    table *t = (table *)m;
    tdm_free(t->score);
    tdm_free(t->rating);
    tdm_free(t);
}

table *table_new(const char *name, size_t I, bool rates)
{
    table *t = tdm_new(1, sizeof *t);
    assert_non_null(t);
    t->ops = (tdm_model_ops){.name = name, .score = score, .rate = rates ? rate : NULL, .close = table_close};
    t->base.ops = &t->ops;
    t->I = I;
    t->score = tdm_new(I * I, sizeof(float));
    t->rating = rates ? tdm_new(I * I, sizeof(float)) : NULL;
    assert_non_null(t->score);
    return t;
}

/* ---- questions ---- */

quiz *quiz_new(void)
{
    quiz *z = tdm_new(1, sizeof *z);
    assert_non_null(z);
    z->qs = (tdm_questions){.user = z->user,
                            .now = z->now,
                            .history_at = z->history_at,
                            .item = z->item,
                            .rating = z->rating,
                            .time = z->time,
                            .target_at = z->target_at,
                            .target = z->target,
                            .target_rating = z->target_rating,
                            .target_counts = z->counts};
    return z;
}

void quiz_add(quiz *z, const uint32_t *history, size_t n, uint32_t target)
{
    size_t q = z->qs.n++, at = (size_t)z->history_at[q];
    assert_true(q < 1024 && at + n <= 32768);
    for (size_t k = 0; k < n; k++) {
        z->item[at + k] = history[k];
        z->rating[at + k] = NAN;
        z->time[at + k] = TDM_NO_TIME;
    }
    z->user[q] = TDM_NONE;
    z->now[q] = TDM_NO_TIME;
    z->history_at[q + 1] = (int64_t)(at + n);
    z->target_at[q + 1] = z->target_at[q];
    quiz_add_target(z, target, true);
}

void quiz_add_target(quiz *z, uint32_t target, bool counts)
{
    size_t at = (size_t)z->target_at[z->qs.n]++;
    assert_true(at < 1024);
    z->target[at] = target;
    z->target_rating[at] = NAN;
    z->counts[at] = counts;
}

tdm_dataset empty_log(size_t I)
{
    static const int64_t none[1];
    return (tdm_dataset){.I = I, .offset = none};
}

/* ---- the hybrid ---- */

static tdm_model *fused(const tdm_model *const *models, const tdm_dataset *train, const tdm_questions *labels,
                        size_t threads, bool seen)
{
    tdm_err err;
    tdm_model *m;
    struct tdm_run run = {.seed = 1};
    tdm_params p = tdm_params_standard(tdm_hybrid_ops.params);
    CHECK_OK(tdm_pool_open(&run.pool, threads, &err), err);
    tdm_fit_input in = {.train = train, .params = &p, .needs = models, .labels = labels, .seen = seen, .run = &run};
    CHECK_OK(tdm_hybrid_ops.fit(&m, &in, &err), err);
    tdm_pool_close(run.pool);
    return m;
}

tdm_model *fuse(const tdm_model *const *models, const tdm_dataset *train, const tdm_questions *labels, size_t threads)
{
    return fused(models, train, labels, threads, false);
}

tdm_model *fuse_seen(const tdm_model *const *models, const tdm_dataset *train, const tdm_questions *labels)
{
    return fused(models, train, labels, 1, true);
}

uint32_t best_of(const tdm_model *m, const tdm_history *h, size_t I)
{
    tdm_err err;
    uint32_t best = 0;
    float *scores = tdm_new(I, sizeof *scores);
    CHECK_OK(m->ops->score(m, scores, h, 1, &err), err);
    for (uint32_t i = 1; i < I; i++)
        if (scores[i] > scores[best]) best = i;
    tdm_free(scores);
    return best;
}

/* ---- a drawn log ---- */

static tdm_str id_of(char *out, const char *letter, size_t i)
{
    snprintf(out, 24, "%s%zu", letter, i);
    return tdm_str_of(out);
}

static void item_add(tdm_builder *b, size_t i)
{
    static const char *const kind[] = {"Garden", "Kitchen", "Harbour", "Winter"};
    char id[24], title[64], brand[32];
    tdm_err err;
    snprintf(title, sizeof title, "%s story number %zu", kind[i % 4], i);
    snprintf(brand, sizeof brand, "House %zu", i % 7);
    tdm_item it = {.id = id_of(id, "i", i),
                   .title = tdm_str_of(title),
                   .brand = tdm_str_of(brand),
                   .category = tdm_str_of(i % 4 < 2 ? "Stories\nIndoors" : "Stories\nOutdoors")};
    CHECK_OK(tdm_builder_item(b, &it, NULL, &err), err);
}

tdm_dataset *drawn_log(size_t people, size_t items, uint64_t seed)
{
    tdm_builder *b;
    tdm_dataset *d;
    tdm_err err;
    CHECK_OK(tdm_builder_open(&b, seed, &err), err);
    for (size_t u = 0; u < people; u++) {
        tdm_rng r = tdm_rng_make(seed, u, 1);
        size_t kind = (size_t)tdm_rng_below(&r, 4), n = 4 + (size_t)tdm_rng_below(&r, 8), before = 0;
        for (size_t k = 0; k < n; k++) {
            double x = tdm_rng_unit(&r);
            size_t i = (size_t)(x * x * (double)items / 4) * 4 + kind;
            if (tdm_rng_below(&r, 6) == 0) i = (size_t)tdm_rng_below(&r, items);
            if (k && tdm_rng_below(&r, 3) == 0) i = (before * 7 + 3) % items; /* what follows what */
            if (i >= items) i = kind;
            before = i;
            char user[24], item[24], summary[64], review[128];
            snprintf(summary, sizeof summary, "A summary by person %zu about %zu", u, i);
            snprintf(review, sizeof review, "Person %zu read item %zu in one sitting. It was worth it.", u, i);
            tdm_row row = {.user = id_of(user, "u", u),
                           .item = id_of(item, "i", i),
                           .rating = (float)(i % 4 == kind ? 3 + tdm_rng_below(&r, 3) : 1 + tdm_rng_below(&r, 3)),
                           .time = (int64_t)(1000 * k + u),
                           .summary = tdm_str_of(summary),
                           .review = tdm_str_of(review)};
            CHECK_OK(tdm_builder_add(b, &row, &err), err);
        }
    }
    for (size_t i = 0; i < items; i++) item_add(b, i);
    CHECK_OK(small_log_finish(&d, b, 0, NULL, &err), err);
    tdm_builder_close(b);
    return d;
}

/* ---- files ---- */

const char *path_of(const char *name)
{
    static char folder[64], path[2][160];
    static int turn;
    if (!*folder) {
        strcpy(folder, "/tmp/tdm_hybrid_XXXXXX");
        assert_non_null(mkdtemp(folder));
    }
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name ? name : "");
    if (!name) {
        for (const char *const *f = (const char *const[]){"a", "b", NULL}; *f; f++) unlink(path_of(*f));
        rmdir(folder);
        *folder = 0;
        return NULL;
    }
    return path[turn];
}
