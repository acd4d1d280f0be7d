/* SPDX-License-Identifier: Apache-2.0 */
/* course_curve.c - what a course went through, in few points: each is the mean over a stretch of updates.
 *
 * A stretch is one update at first. Once there are COURSE_POINTS of them, neighbours become one and stretches are twice
 * as long: so there are never more, and never fewer than half of it, however long the course is. The last one may be
 * shorter. Points follow from the numbers of the training alone and are part of its state, so that a training which was
 * stopped has the curve of one that was not. */
#include "base/json.h"
#include "base/mem.h"
#include "gpt2/course_parts.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void tdm_course_curve(tdm_course *c, const char *name)
{
    assert(c->n_curves < COURSE_CURVES);
    c->curve_name[c->n_curves] = name;
    c->curve[c->n_curves++] = (tdm_curve){.every = 1};
}

static void halve(tdm_curve *k)
{
    for (size_t i = 0; i < COURSE_POINTS / 2; i++) {
        const tdm_point a = k->point[2 * i], b = k->point[2 * i + 1];
        k->point[i] = (tdm_point){
            .step = b.step,
            .value = a.value + (b.value - a.value) * b.weight / (a.weight + b.weight),
            .weight = a.weight + b.weight,
        };
    }
    k->n = COURSE_POINTS / 2;
    k->every *= 2;
}

void tdm_curve_add(tdm_curve *k, uint64_t step, double value, double weight)
{
    tdm_point *p = &k->point[(size_t)k->n];
    if (k->count == 0) *p = (tdm_point){0};
    p->step = (double)step;
    p->weight += weight;
    p->value += (value - p->value) * weight / p->weight;
    if (++k->count < k->every) return;
    k->count = 0;
    if (++k->n == COURSE_POINTS) halve(k);
}

bool tdm_curve_possible(const tdm_curve *k)
{
    if (!(k->n >= 0 && k->n < COURSE_POINTS && k->n == floor(k->n) && k->every >= 1 && k->count >= 0 &&
          k->count < k->every))
        return false;
    for (size_t i = 0; i < (size_t)k->n + (k->count > 0); i++) {
        const tdm_point *p = &k->point[i];
        if (!isfinite(p->step) || !isfinite(p->value) || !(p->weight > 0) || !isfinite(p->weight)) return false;
    }
    return true;
}

void tdm_course_curves(const tdm_course *c, cJSON *to)
{
    double x[COURSE_POINTS];
    for (size_t i = 0; to && i < c->n_curves; i++) {
        const tdm_curve *k = &c->curve[i];
        int n = (int)k->n + (k->count > 0);
        if (!n) continue;
        cJSON *o = cJSON_AddObjectToObject(to, c->curve_name[i]);
        for (int p = 0; p < n; p++) x[p] = k->point[p].step;
        cJSON_AddItemToObject(o, "step", cJSON_CreateDoubleArray(x, n));
        for (int p = 0; p < n; p++) x[p] = k->point[p].value;
        cJSON_AddItemToObject(o, "value", cJSON_CreateDoubleArray(x, n));
    }
}
