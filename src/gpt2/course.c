/* SPDX-License-Identifier: Apache-2.0 */
/* course.c - updates, and what is done with one that must not be made. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "gpt2/course_parts.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { RANGE = 1 << 16 };

double tdm_schedule_rate(const tdm_schedule *s, uint64_t step)
{
    return s->rate * tdm_cosine_rate(step, s->warmup, s->steps, s->floor);
}

uint64_t tdm_course_key(uint64_t key, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (uint64_t word; n; n -= n < 8 ? n : 8, p += 8) {
        word = 0;
        memcpy(&word, p, n < 8 ? n : 8);
        key = tdm_mix64(key ^ word);
    }
    return key;
}

/* ---- making one ---- */

tdm_status tdm_course_open(tdm_course **out, const tdm_course_plan *p, tdm_err *err)
{
    float *m, *v;
    size_t n;
    *out = NULL;
    tdm_course *c = tdm_new(1, sizeof *c);
    if (!c) return tdm_nomem(err, p->name);
    c->p = *p;
    c->share = 1;
    tdm_adamw_state(p->adam, &m, &v, &n);
    tdm_course_array(c, "moment1", m, n);
    tdm_course_array(c, "moment2", v, n);
    tdm_course_curve(c, "loss");
    tdm_status st = tdm_course_log_open(c, err);
    if (st) tdm_course_close(c);
    else *out = c;
    return st;
}

void tdm_course_close(tdm_course *c)
{
    if (!c) return;
    if (c->log.to) fclose(c->log.to);
    tdm_free(c->good);
    tdm_free(c);
}

void tdm_course_array(tdm_course *c, const char *name, float *data, size_t n)
{
    assert(c->n < COURSE_ARRAYS && strlen(name) + sizeof "good." <= COURSE_NAME);
    snprintf(c->array[c->n].good, COURSE_NAME, "good.%s", name);
    c->array[c->n].name = name;
    c->array[c->n].data = data;
    c->array[c->n++].count = n;
}

void tdm_course_number(tdm_course *c, double *x)
{
    assert(c->n_numbers < COURSE_NUMBERS);
    c->number[c->n_numbers++] = x;
}

void tdm_course_average(tdm_course *c, const char *name, float *average, const float *weights, size_t n)
{
    tdm_course_array(c, name, average, n);
    c->array[c->n - 1].weights = weights;
}

/* ---- beginning, keeping, going back ---- */

static tdm_status memory_of(tdm_course *c, tdm_err *err)
{
    size_t all = 0;
    for (size_t i = 0; i < c->n; i++) all += c->array[i].count;
    c->good = tdm_new(all, sizeof *c->good);
    return c->good ? TDM_OK : tdm_nomem(err, "the state that a training goes back to");
}

tdm_status tdm_course_keep(tdm_course *c, tdm_err *err)
{
    if (!c->row) c->kept = c->step; /* amid updates that cannot be made nothing is known to be good */
    else if (!c->p.checkpoint) return TDM_OK;
    if (c->p.checkpoint) return tdm_course_write(c, err);
    float *to = c->good;
    for (size_t i = 0; i < c->n; to += c->array[i++].count)
        if (c->array[i].count) memcpy(to, c->array[i].data, c->array[i].count * sizeof *to);
    return TDM_OK;
}

tdm_status tdm_course_begin(tdm_course *c, tdm_err *err)
{
    tdm_err why;
    tdm_run *run = c->p.run;
    bool there = c->p.checkpoint && tdm_file_exists(c->p.checkpoint);
    tdm_status st = c->p.checkpoint ? TDM_OK : memory_of(c, err);
    if (!st && there && tdm_course_read(c, &why)) {
        tdm_log(run, TDM_LOG_WARN, c->p.name, "begun anew, since the checkpoint is of no use: %s", why.msg);
        there = false;
    } else if (there && c->step)
        tdm_log(run, TDM_LOG_INFO, c->p.name, "goes on after update %llu", (unsigned long long)c->step);
    if (!st && !there) st = tdm_course_keep(c, err);
    c->began = c->lap = c->log.since = tdm_seconds();
    c->from = c->step;
    return st;
}

static tdm_status go_back(tdm_course *c, const char *what, tdm_err *err)
{
    unsigned long long step = c->step;
    if (c->returns == TDM_COURSE_RETURNS)
        return tdm_fail(err, TDM_E_FORMAT,
                        "%s, update %llu: the loss %s, at a %dth of the rate still; train with a lower rate", c->p.name,
                        step, what, 1 << TDM_COURSE_RETURNS);
    tdm_status st = tdm_course_restore(c, err);
    if (st) return st;
    if (c->p.updated) c->p.updated(c->p.ctx);
    c->returns++;
    c->row = 0;
    c->share /= 2;
    c->guard = (tdm_guard){0};
    tdm_log(c->p.run, TDM_LOG_WARN, c->p.name,
            "%d updates in a row could not be made: goes on from the weights after update %llu, at half the rate",
            TDM_COURSE_ROW, (unsigned long long)c->kept);
    return TDM_OK;
}

static tdm_status skip(tdm_course *c, tdm_verdict v, const tdm_course_batch *b, double norm, double usual, tdm_err *err)
{
    c->skipped++;
    if (!c->row++) { /* the first of a row is worth a line; how many they were, the next one says */
        char why[128];
        if (v == TDM_UPDATE_NO_NUMBER) snprintf(why, sizeof why, "its loss or gradients are no number");
        else if (v == TDM_UPDATE_LOSS_LEAPS)
            snprintf(why, sizeof why, "a loss of %.3g, where %.3g is usual", b->loss, usual);
        else snprintf(why, sizeof why, "gradients of norm %.3g, where %.3g is usual", norm, usual);
        tdm_log(c->p.run, TDM_LOG_WARN, c->p.name, "update %llu is left out: %s (%llu so far)",
                (unsigned long long)c->step, why, (unsigned long long)c->skipped);
    }
    if (c->row < TDM_COURSE_ROW) return TDM_OK;
    return go_back(c, v == TDM_UPDATE_NO_NUMBER ? "is no longer a number" : "leaps", err);
}

/* ---- an update ---- */

typedef struct averaging {
    float *average;
    const float *weights;
    float share;
} averaging;

static void average_range(void *ctx, size_t chunk, size_t begin, size_t end)
{
    (void)chunk;
    const averaging *a = ctx;
    for (size_t i = begin; i < end; i++) a->average[i] += a->share * (a->weights[i] - a->average[i]);
}

static void average(const tdm_course *c)
{
    double young = 10 / (10 + (double)c->step);
    for (size_t i = 0; i < c->n; i++) {
        if (!c->array[i].weights) continue;
        averaging a = {c->array[i].data, c->array[i].weights, (float)(young > c->p.share ? young : c->p.share)};
        tdm_pool_for(c->p.run->pool, c->array[i].count, RANGE, average_range, &a);
    }
}

static void tally(tdm_course *c, const tdm_course_batch *b)
{
    c->recent += (b->loss - c->recent) * (c->recent > 0 ? 0.05 : 1);
    c->sum += b->loss * (double)b->tokens;
    c->tokens += (double)b->tokens;
    c->lap_tokens += b->tokens;
    tdm_curve_add(&c->curve[0], c->step, b->loss, (double)b->tokens);
}

static tdm_status update(tdm_course *c, tdm_err *err)
{
    tdm_course_batch b = {0};
    double usual, norm = NAN;
    uint64_t step = c->step + 1;
    tdm_status st = c->p.gradients(c->p.ctx, &b, step, err);
    if (st && !(st == TDM_E_FORMAT && !isfinite(b.loss))) return st;
    c->step = step;
    if (!b.tokens) return TDM_OK;
    if (!st) norm = tdm_adamw_norm(c->p.adam, c->p.run->pool);
    double rate = tdm_schedule_rate(&c->p.schedule, step) * c->share;
    tdm_verdict v = tdm_guard_ask(&c->guard, b.loss, norm, &usual);
    if (v) {
        st = skip(c, v, &b, norm, usual, err);
        tdm_course_log_update(c, &b, rate, norm, false);
        return st;
    }
    c->row = 0;
    tdm_guard_add(&c->guard, b.loss, norm);
    tdm_adamw_update(c->p.adam, (float)rate, norm, step, c->p.run->pool);
    if (c->p.updated) c->p.updated(c->p.ctx);
    average(c);
    tally(c, &b);
    tdm_course_log_update(c, &b, rate, norm, true);
    return TDM_OK;
}

tdm_status tdm_course_run(tdm_course *c, uint64_t until, tdm_err *err)
{
    tdm_status st = TDM_OK;
    while (!st && c->step < until) {
        st = tdm_run_check(c->p.run, c->p.name, err);
        if (!st) st = update(c, err);
        /* what was asked for is to stop; the checkpoint is a help */
        else if (c->p.checkpoint) (void)tdm_course_write(c, NULL);
    }
    return st;
}

tdm_course_told tdm_course_tell(const tdm_course *c)
{
    double seconds = tdm_seconds() - c->lap;
    return (tdm_course_told){.step = c->step,
                             .skipped = c->skipped,
                             .returns = c->returns,
                             .share = c->share,
                             .loss = c->tokens > 0 ? c->sum / c->tokens : 0,
                             .speed = seconds > 0 ? (double)c->lap_tokens / seconds : 0,
                             .recent = c->recent};
}

void tdm_course_lap(tdm_course *c)
{
    c->sum = c->tokens = 0;
    c->lap_tokens = 0;
    c->lap = tdm_seconds();
}
