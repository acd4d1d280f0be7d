/* SPDX-License-Identifier: Apache-2.0 */
#include "scripted.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

stage *stage_new(size_t I)
{
    stage *s = tdm_new(1, sizeof *s);
    assert_non_null(s);
    s->train = (tdm_dataset){.I = I, .offset = s->offset, .item = s->row, .rating_low = 1, .rating_high = 5};
    s->qs = (tdm_questions){.user = s->user,
                            .now = s->now,
                            .history_at = s->history_at,
                            .item = s->item,
                            .rating = s->rating,
                            .time = s->time,
                            .target_at = s->target_at,
                            .target = s->target,
                            .target_rating = s->target_rating,
                            .target_counts = s->counts};
    return s;
}

void stage_train(stage *s, const uint32_t *items, size_t n)
{
    tdm_dataset *d = &s->train;
    assert_true(d->N + n <= MOST && d->U < 8191);
    if (n) memcpy(s->row + d->N, items, n * sizeof *items);
    d->N += n;
    s->offset[++d->U] = (int64_t)d->N;
}

void stage_ask(stage *s, const uint32_t *history, size_t h, const uint32_t *targets, const uint8_t *counts,
               const float *ratings, size_t n)
{
    size_t q = s->qs.n++, at = (size_t)s->history_at[q], to = (size_t)s->target_at[q];
    assert_true(q < 4095 && at + h <= MOST && to + n <= MOST);
    s->user[q] = (uint32_t)q;
    s->now[q] = TDM_NO_TIME;
    for (size_t k = 0; k < h; k++) {
        s->item[at + k] = history[k];
        s->rating[at + k] = NAN;
        s->time[at + k] = TDM_NO_TIME;
    }
    for (size_t k = 0; k < n; k++) {
        s->target[to + k] = targets[k];
        s->counts[to + k] = counts ? counts[k] : 1;
        s->target_rating[to + k] = ratings ? ratings[k] : NAN;
    }
    s->history_at[q + 1] = (int64_t)(at + h);
    s->target_at[q + 1] = (int64_t)(to + n);
}

stage *stage_drawn(size_t people, size_t I, uint64_t seed)
{
    stage *s = stage_new(I);
    for (size_t u = 0; u < people; u++) {
        tdm_rng r = tdm_rng_make(seed, u, 1);
        uint32_t history[25], targets[3];
        float ratings[3];
        size_t h = (size_t)tdm_rng_below(&r, 25), n = 1 + (size_t)tdm_rng_below(&r, 3);
        for (size_t k = 0; k < h; k++) history[k] = (uint32_t)(tdm_rng_unit(&r) * tdm_rng_unit(&r) * (double)I);
        for (size_t k = 0; k < n; k++) {
            targets[k] = (uint32_t)tdm_rng_below(&r, I);
            ratings[k] = (float)(1 + tdm_rng_below(&r, 5));
        }
        stage_train(s, history, h);
        stage_ask(s, history, h, targets, NULL, ratings, n);
    }
    return s;
}

void stage_ids(tdm_dataset *d)
{
    static char bytes[1 << 17];
    static int64_t users[4096], items[4096];
    size_t at = 0;
    assert_true(d->U < 4096 && d->I < 4096);
    for (size_t u = 0; u < d->U; u++) {
        at += (size_t)snprintf(bytes + at, 16, "u%zu", u);
        users[u + 1] = (int64_t)at;
    }
    items[0] = (int64_t)at;
    for (size_t i = 0; i < d->I; i++) {
        at += (size_t)snprintf(bytes + at, 16, "i%zu", i);
        items[i + 1] = (int64_t)at;
    }
    d->user_id = (tdm_strings){bytes, users, d->U};
    d->item_id = (tdm_strings){bytes, items, d->I};
}

static tdm_status score(const tdm_model *m, float *scores, const tdm_history *h, size_t B, tdm_err *err)
{
    const scripted *s = (const scripted *)m;
    size_t I = s->s->train.I;
    if (s->fails) {
        if (err) snprintf(err->msg, sizeof err->msg, "scripted: told to fail");
        return s->fails;
    }
    for (size_t b = 0; b < B; b++) {
        size_t q = h[b].self;
        if (s->scores) {
            memcpy(scores + b * I, s->scores + q * I, I * sizeof *scores);
            continue;
        }
        tdm_rng r = tdm_rng_make(s->seed, q, 2);
        for (size_t i = 0; i < I; i++) scores[b * I + i] = (float)tdm_rng_unit(&r);
        for (int64_t t = s->s->target_at[q]; t < s->s->target_at[q + 1]; t++)
            scores[b * I + s->s->target[t]] += (float)s->skill;
    }
    return TDM_OK;
}

static tdm_status rate(const tdm_model *m, float *ratings, const tdm_history *h, const uint32_t *items, size_t n,
                       tdm_err *err)
{
    const scripted *s = (const scripted *)m;
    (void)items;
    (void)err;
    tdm_rng r = tdm_rng_make(s->seed, h->self, 3);
    for (size_t k = 0; k < n; k++)
        ratings[k] = s->ratings ? s->ratings[s->s->target_at[h->self] + (int64_t)k] : (float)(1 + 4 * tdm_rng_unit(&r));
    return TDM_OK;
}

scripted scripted_make(const char *name, const stage *s)
{
    return (scripted){.ops = {.name = name, .score = score, .rate = rate}, .s = s, .seed = 1};
}
