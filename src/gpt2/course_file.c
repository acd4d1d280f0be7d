/* SPDX-License-Identifier: Apache-2.0 */
/* course_file.c - the state of a course in a file.
 *
 *     counters  U64  key, updates, updates when it was last kept, left out, in a row, times it went back, guard's count
 *     numbers   F64  share of the rate, recent loss, sum and tokens of the lap, guard's losses and norms, the model's
 *     curves    F64  of each curve: points, stretch, values of the open point; step, value and weight of each point
 *     NAME      F32  each array as it is now
 *     good.NAME F32  each array as it was last kept, where that was not now
 *
 * The arrays of the last line come from the file that is there already: they are never held in memory. The key tells
 * another training's file from this one's. */
#include "base/safetensors.h"
#include "base/status.h"
#include "gpt2/course_parts.h"

#include <math.h>
#include <string.h>

enum { CURVE = sizeof(tdm_curve) / sizeof(double) };
enum { COUNTERS = 7, OWN = 4 + 2 * TDM_GUARD_WINDOW, NUMBERS = OWN + COURSE_NUMBERS };

/* ---- numbers ---- */

static size_t numbers_of(double *out, const tdm_course *c)
{
    const double own[] = {c->share, c->recent, c->sum, c->tokens};
    memcpy(out, own, sizeof own);
    memcpy(out + 4, c->guard.loss, sizeof c->guard.loss);
    memcpy(out + 4 + TDM_GUARD_WINDOW, c->guard.norm, sizeof c->guard.norm);
    for (size_t i = 0; i < c->n_numbers; i++) out[OWN + i] = *c->number[i];
    return OWN + c->n_numbers;
}

static void numbers_take(tdm_course *c, const double *x)
{
    c->share = x[0];
    c->recent = x[1];
    c->sum = x[2];
    c->tokens = x[3];
    memcpy(c->guard.loss, x + 4, sizeof c->guard.loss);
    memcpy(c->guard.norm, x + 4 + TDM_GUARD_WINDOW, sizeof c->guard.norm);
    for (size_t i = 0; i < c->n_numbers; i++) *c->number[i] = x[OWN + i];
}

static bool possible(const tdm_course *c, const uint64_t *count, const double *x)
{
    for (size_t i = 0; i < OWN + c->n_numbers; i++)
        if (i < OWN ? !isfinite(x[i]) : isnan(x[i])) return false;
    return count[1] <= c->p.schedule.steps && count[2] <= count[1] && count[3] <= count[1] &&
           count[4] < TDM_COURSE_ROW && count[5] <= TDM_COURSE_RETURNS && count[6] <= count[1] && x[0] > 0 && x[0] <= 1;
}

/* ---- arrays ---- */

static tdm_status array_in(const tdm_safetensors *f, const float **data, const char *name, size_t n, const char *path,
                           tdm_err *err)
{
    const void *at;
    tdm_status st = tdm_safetensors_need(f, &at, name, TDM_F32, n, err);
    if (st) return st;
    *data = at;
    for (size_t i = 0; i < n; i++)
        if (!isfinite((*data)[i])) return tdm_fail(err, TDM_E_FORMAT, "%s: %s holds what is not a number", path, name);
    return TDM_OK;
}

/* Every array as it was last kept, in a file that may have been written then or later. */
static tdm_status kept_in(const tdm_course *c, const tdm_safetensors *f, const float **data, tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (size_t i = 0; !st && i < c->n; i++) {
        const char *name = tdm_safetensors_find(f, c->array[i].good) ? c->array[i].good : c->array[i].name;
        st = array_in(f, &data[i], name, c->array[i].count, c->p.checkpoint, err);
    }
    return st;
}

tdm_status tdm_course_write(const tdm_course *c, tdm_err *err)
{
    tdm_tensor t[2 * COURSE_ARRAYS + 3];
    const uint64_t count[COUNTERS] = {c->p.key, c->step, c->kept, c->skipped, c->row, c->returns, c->guard.n};
    const char *meta[] = {"model", c->p.name, "what", "checkpoint", NULL};
    const float *kept[COURSE_ARRAYS];
    double number[NUMBERS];
    tdm_safetensors *old = NULL;
    tdm_status st = TDM_OK;
    size_t n = 0;
    t[n++] = tdm_tensor_1d("counters", TDM_U64, count, COUNTERS);
    t[n++] = tdm_tensor_1d("numbers", TDM_F64, number, numbers_of(number, c));
    t[n++] = tdm_tensor_1d("curves", TDM_F64, c->curve, c->n_curves * CURVE);
    for (size_t i = 0; i < c->n; i++)
        t[n++] = tdm_tensor_1d(c->array[i].name, TDM_F32, c->array[i].data, c->array[i].count);
    if (c->kept < c->step) {
        st = tdm_safetensors_open(&old, c->p.checkpoint, err);
        if (!st) st = kept_in(c, old, kept, err);
        for (size_t i = 0; !st && i < c->n; i++)
            t[n++] = tdm_tensor_1d(c->array[i].good, TDM_F32, kept[i], c->array[i].count);
    }
    if (!st) st = tdm_safetensors_write(c->p.checkpoint, t, n, meta, err);
    tdm_safetensors_close(old); /* mapped until now, whatever has its name by now */
    return st;
}

tdm_status tdm_course_read(tdm_course *c, tdm_err *why)
{
    tdm_safetensors *f;
    const void *counters, *numbers, *curves;
    const float *now[COURSE_ARRAYS];
    tdm_status st = tdm_safetensors_open(&f, c->p.checkpoint, why);
    if (st) return st;
    st = tdm_safetensors_need(f, &counters, "counters", TDM_U64, COUNTERS, why);
    const uint64_t *count = st ? NULL : counters;
    if (!st && count[0] != c->p.key)
        st = tdm_fail(why, TDM_E_FORMAT, "%s: was begun with other data or settings", c->p.checkpoint);
    if (!st) st = tdm_safetensors_need(f, &numbers, "numbers", TDM_F64, OWN + c->n_numbers, why);
    if (!st && !possible(c, count, numbers))
        st = tdm_fail(why, TDM_E_FORMAT, "%s: its counters do not belong together", c->p.checkpoint);
    if (!st) st = tdm_safetensors_need(f, &curves, "curves", TDM_F64, c->n_curves * CURVE, why);
    for (size_t i = 0; !st && i < c->n_curves; i++)
        if (!tdm_curve_possible((const tdm_curve *)curves + i))
            st = tdm_fail(why, TDM_E_FORMAT, "%s: a curve of its losses cannot be one", c->p.checkpoint);
    for (size_t i = 0; !st && i < c->n; i++)
        st = array_in(f, &now[i], c->array[i].name, c->array[i].count, c->p.checkpoint, why);
    for (size_t i = 0; !st && count[2] < count[1] && i < c->n; i++) {
        const float *kept;
        st = array_in(f, &kept, c->array[i].good, c->array[i].count, c->p.checkpoint, why);
    }
    if (!st) { /* all of it is right, so now it may be taken */
        c->step = count[1];
        c->kept = count[2];
        c->skipped = count[3];
        c->row = count[4];
        c->returns = count[5];
        c->guard.n = count[6];
        numbers_take(c, numbers);
        memcpy(c->curve, curves, c->n_curves * sizeof *c->curve);
        for (size_t i = 0; i < c->n; i++)
            if (c->array[i].count) memcpy(c->array[i].data, now[i], c->array[i].count * sizeof(float));
    }
    tdm_safetensors_close(f);
    return st;
}

tdm_status tdm_course_restore(tdm_course *c, tdm_err *err)
{
    tdm_safetensors *f = NULL;
    const float *kept[COURSE_ARRAYS], *at = c->good;
    tdm_status st = TDM_OK;
    if (c->p.checkpoint) {
        st = tdm_safetensors_open(&f, c->p.checkpoint, err);
        if (!st) st = kept_in(c, f, kept, err);
    } else
        for (size_t i = 0; i < c->n; at += c->array[i++].count) kept[i] = at;
    for (size_t i = 0; !st && i < c->n; i++)
        if (c->array[i].count) memcpy(c->array[i].data, kept[i], c->array[i].count * sizeof(float));
    tdm_safetensors_close(f);
    return st;
}
