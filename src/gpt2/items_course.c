/* SPDX-License-Identifier: Apache-2.0 */
/* items_course.c - how far a training has come, in a file that an interrupted one goes on from.
 *
 * All that the rest of the training depends on is in it: weights, both moments of AdamW, the running average, the best
 * weights so far, and the counters that key the random streams. The key tells another training's file from this one's.
 */
#include "base/rng.h"
#include "base/safetensors.h"
#include "gpt2/items_parts.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { COUNTERS = 4 };

uint64_t tdm_items_key(uint64_t key, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (uint64_t word; n; n -= n < 8 ? n : 8, p += 8) {
        word = 0;
        memcpy(&word, p, n < 8 ? n : 8);
        key = tdm_mix64(key ^ word);
    }
    return key;
}

void tdm_items_course_add(tdm_items_course *c, const char *name, float *data, size_t count)
{
    assert(c->n < sizeof c->array / sizeof c->array[0]);
    c->array[c->n].name = name;
    c->array[c->n].data = data;
    c->array[c->n++].count = count;
}

tdm_status tdm_items_course_write(const tdm_items_course *c, const char *path, tdm_err *err)
{
    tdm_tensor t[sizeof c->array / sizeof c->array[0] + 2];
    const uint64_t counter[COUNTERS] = {c->key, c->epoch, c->step, c->best_epoch};
    t[0] = tdm_tensor_1d("counters", TDM_U64, counter, COUNTERS);
    t[1] = tdm_tensor_1d("best.value", TDM_F64, &c->best, 1);
    for (size_t i = 0; i < c->n; i++)
        t[i + 2] = tdm_tensor_1d(c->array[i].name, TDM_F32, c->array[i].data, c->array[i].count);
    const char *meta[] = {"model", "gpt2-items checkpoint", NULL};
    return tdm_safetensors_write(path, t, c->n + 2, meta, err);
}

static bool all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

tdm_status tdm_items_course_read(tdm_items_course *c, const char *path, tdm_err *why)
{
    tdm_safetensors *f;
    const void *counter, *best, *data[sizeof c->array / sizeof c->array[0]];
    tdm_status st = tdm_safetensors_open(&f, path, why);
    if (st) return st;
    st = tdm_safetensors_need(f, &counter, "counters", TDM_U64, COUNTERS, why);
    if (!st && ((const uint64_t *)counter)[0] != c->key)
        st = tdm_fail(why, TDM_E_FORMAT, "%s: was begun with other data or settings", path);
    if (!st) st = tdm_safetensors_need(f, &best, "best.value", TDM_F64, 1, why);
    for (size_t i = 0; !st && i < c->n; i++) {
        st = tdm_safetensors_need(f, &data[i], c->array[i].name, TDM_F32, c->array[i].count, why);
        if (!st && !all_finite(data[i], c->array[i].count))
            st = tdm_fail(why, TDM_E_FORMAT, "%s: %s holds what is not a number", path, c->array[i].name);
    }
    if (!st) { /* all of it is right, so now it may be taken */
        const uint64_t *x = counter;
        c->epoch = x[1];
        c->step = x[2];
        c->best_epoch = x[3];
        c->best = *(const double *)best;
        for (size_t i = 0; i < c->n; i++) memcpy(c->array[i].data, data[i], c->array[i].count * sizeof(float));
    }
    tdm_safetensors_close(f);
    return st;
}
