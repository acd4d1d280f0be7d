/* SPDX-License-Identifier: Apache-2.0 */
/* links_update.c - new events in links from item to item.
 *
 *     link(a, b) = counted(a, b) / (size_a^source size_b^target)
 *
 * The mass of a row a is the sum of what its pairs count, over all b. A person's new events add pairs: each with an end
 * that is new. Rows of which more than a share is new are counted again, by the very code that fits, over the people
 * who have them: to the bit what a fit would give. The other rows keep their counts, and both sizes are brought up to
 * date: what such a row lacks, together, is at most that share of its mass (and a link below the k-th stays out).
 *
 * When the newest rows only were added to a history, the pairs without a new end are as they were. When anything else
 * happened to it, all its pairs count as changed: more than there are, so the bound holds. (An item that one history
 * repeats makes pairs with itself, which are in the mass of cooccurrence and no link.) */
#include "base/mem.h"
#include "base/status.h"
#include "cf/cf.h"
#include "cf/linear.h"
#include "cf/update.h"

#include <math.h>
#include <string.h>

/* How a model weighs the pairs of a history. */
typedef struct weighing {
    const tdm_params *p;
    bool once; /* item-knn; else cooccurrence */
    double activity;
    double *after, *before; /* cooccurrence: [m]: what the next m count, and the m before */
    size_t window;
} weighing;

static tdm_status weighing_open(weighing *w, const tdm_params *p, bool once, tdm_err *err)
{
    *w = (weighing){.p = p, .once = once, .activity = once ? tdm_param_get(p, "activity") : 0};
    if (once) return TDM_OK;
    double x = 1, decay = tdm_param_get(p, "gap_decay"), reverse = tdm_param_get(p, "reverse");
    w->window = TDM_COOCCURRENCE_WINDOW;
    w->after = tdm_new(2 * (w->window + 1), sizeof *w->after);
    if (!w->after) return tdm_nomem(err, "co-occurrence");
    w->before = w->after + w->window + 1;
    for (size_t m = 1; m <= w->window; m++, x *= decay) {
        double counts = x > 1e-2 ? x : 0; /* as cooccurrence.c walks them */
        w->after[m] = w->after[m - 1] + counts;
        w->before[m] = w->before[m - 1] + reverse * counts;
    }
    return TDM_OK;
}

static double within(const weighing *w, const double *sum, size_t m) { return sum[m < w->window ? m : w->window]; }

/* What one pair counts in a history of n. */
static double pair_of(const weighing *w, size_t n) { return n ? pow((double)n, -2 * w->activity) : 0; }

/* Adds the mass of the pairs of a history that have an end at or behind `from`, times `sign`'s worth. */
static void mass_add(const weighing *w, double *mass, const uint32_t *item, size_t n, size_t from)
{
    double pair = w->once ? pair_of(w, n) : 0;
    for (size_t j = 0; j < n; j++) {
        if (w->once) mass[item[j]] += pair * (double)(j < from ? n - from : n - 1);
        else if (j < from) mass[item[j]] += within(w, w->after, n - 1 - j) - within(w, w->after, from - 1 - j);
        else mass[item[j]] += within(w, w->after, n - 1 - j) + within(w, w->before, j);
    }
}

/* Adds a history to sizes of items. */
static void size_add(const weighing *w, double *size, const uint32_t *item, size_t n, double sign)
{
    double pair = sign * (w->once ? pair_of(w, n) : 1);
    for (size_t j = 0; j < n; j++) size[item[j]] += pair;
}

/* Sizes of items, and the mass of their rows. Added up in the order of a fit, so that the bits are a fit's. */
static tdm_status measure(const weighing *w, double *size, double *mass, const tdm_dataset *d, size_t I, tdm_err *err)
{
    tdm_reading r;
    tdm_status st = tdm_reading_open(&r, d, NULL, I, (size_t)tdm_param_get(w->p, "longest"), w->once, err);
    for (size_t u = 0; !st && u < d->U; u++) {
        size_t n = tdm_reading_of(&r, u);
        size_add(w, size, r.item, n, 1);
        mass_add(w, mass, r.item, n, 0);
    }
    tdm_reading_close(&r);
    return st;
}

/* Adds to lack[] what each row lacks of today, and takes size_was[], which comes as today's, back to what it was. */
static tdm_status changes_add(const weighing *w, double *lack, double *size_was, const tdm_update *u, tdm_err *err)
{
    size_t longest = (size_t)tdm_param_get(w->p, "longest");
    tdm_reading was = {0}, now = {0};
    tdm_status st = tdm_reading_open(&was, u->was, u->item_now, u->now->I, longest, w->once, err);
    if (!st) st = tdm_reading_open(&now, u->now, NULL, u->now->I, longest, w->once, err);
    for (size_t c = 0; !st && c < u->n_changed; c++) {
        size_t a = tdm_reading_of(&was, u->changed[c].was), b = tdm_reading_of(&now, u->changed[c].now), same = 0;
        size_add(w, size_was, now.item, b, -1);
        size_add(w, size_was, was.item, a, 1);
        while (same < a && same < b && was.item[same] == now.item[same]) same++;
        if (same < a) {
            mass_add(w, lack, was.item, a, 0);
            same = 0;
        }
        mass_add(w, lack, now.item, b, same);
        if (w->once && same) { /* who chose more says less about the pairs that are not new, too */
            double less = (double)(same - 1) * fabs(pair_of(w, a) - pair_of(w, b));
            for (size_t j = 0; j < same; j++) lack[now.item[j]] += less;
        }
    }
    tdm_reading_close(&was);
    tdm_reading_close(&now);
    return st;
}

/* ---- joining ---- */

/* The factor of today's size over the size that was, to a power. What took a sum back to 0 left its rounding. */
static void ratios(double *out, const double *was, const double *now, size_t I, double power)
{
    for (size_t i = 0; i < I; i++) out[i] = was[i] > 1e-9 * now[i] && now[i] > 0 ? pow(was[i] / now[i], power) : 1;
}

/* Rows that only[] marks from `made`, the others from `old` in today's numbers, times source[a] target[b] (NULL: 1). */
static tdm_status join(tdm_links *out, const tdm_links *old, const tdm_links *made, const tdm_update *u,
                       const unsigned char *only, const double *source, const double *target, tdm_err *err)
{
    size_t I = u->now->I, most = (size_t)old->offset[old->I] + (made ? (size_t)made->offset[I] : 0), n = 0, was = 0;
    int64_t *offset = tdm_new(I + 1, sizeof *offset);
    uint32_t *item = tdm_new(most, sizeof *item);
    float *weight = tdm_new(most, sizeof *weight);
    *out = (tdm_links){I, offset, item, weight, true};
    if (!offset || !item || !weight) {
        tdm_links_clear(out);
        return tdm_nomem(err, "the links of items");
    }
    for (size_t a = 0; a < I; a++) {
        while (was < old->I && (u->item_now[was] == TDM_NONE || u->item_now[was] < a)) was++;
        bool known = was < old->I && u->item_now[was] == a;
        if (only && only[a]) {
            size_t begin = made ? (size_t)made->offset[a] : 0; /* NULL: nobody has any of them */
            size_t count = made ? (size_t)made->offset[a + 1] - begin : 0;
            if (count) memcpy(item + n, made->item + begin, count * sizeof *item);
            if (count) memcpy(weight + n, made->weight + begin, count * sizeof *weight);
            n += count;
        } else if (known) {
            double s = source ? source[a] : 1;
            for (int64_t k = old->offset[was]; k < old->offset[was + 1]; k++) {
                uint32_t b = u->item_now[old->item[k]];
                if (b == TDM_NONE) continue;
                item[n] = b;
                weight[n++] = (float)((double)old->weight[k] * s * (target ? target[b] : 1));
            }
        }
        offset[a + 1] = (int64_t)n;
    }
    return TDM_OK;
}

/* What each row lacked before, in today's numbers. */
static void lack_carry(double *lack, const float *missing, const tdm_update *u)
{
    for (size_t i = 0; missing && i < u->was->I; i++)
        if (u->item_now[i] != TDM_NONE) lack[u->item_now[i]] = (double)missing[i];
}

static tdm_status update(tdm_linear *l, const tdm_linear *old, const tdm_update *u, tdm_updated *what, bool once,
                         tdm_err *err)
{
    size_t I = u->now->I, n = 0, longest = (size_t)tdm_param_get(&old->p, "longest");
    double *x = tdm_new(4 * I, sizeof *x), *size_was = x, *size = x + I, *mass = x + 2 * I, *lack = x + 3 * I;
    unsigned char *only = tdm_new(I, 1);
    float *missing = tdm_new(I, sizeof *missing);
    uint32_t *people = NULL;
    weighing w = {0};
    tdm_rows rows = {0};
    tdm_links made = {0};
    l->missing = missing;
    tdm_status st = x && only && missing ? TDM_OK : tdm_nomem(err, "an update");
    if (!st) st = weighing_open(&w, &old->p, once, err);
    if (!st) st = measure(&w, size, mass, u->now, I, err);
    if (!st) memcpy(size_was, size, I * sizeof *size);
    if (!st) lack_carry(lack, old->missing, u);
    if (!st) st = changes_add(&w, lack, size_was, u, err);
    for (size_t i = 0; !st && i < I; i++) missing[i] = (float)lack[i];
    if (!st) {
        tdm_rows_mark(only, missing, mass, I, u->share, what);
        st = tdm_people_with(&people, &n, u->now, only, err);
    }
    if (!st) st = tdm_rows_of(&rows, u->now, people, n, NULL, I, longest, once, err);
    if (!st && once && n) st = tdm_item_knn_links(&made, &rows, size, only, &old->p, u->run, err);
    if (!st && !once && n) st = tdm_cooccurrence_links(&made, &rows, size, only, &old->p, u->run, err);
    if (!st) {
        ratios(mass, size_was, size, I, tdm_param_get(&old->p, "source_power"));
        ratios(lack, size_was, size, I, tdm_param_get(&old->p, "target_power"));
        st = join(&l->links, &old->links, n ? &made : NULL, u, only, mass, lack, err);
    }
    tdm_links_clear(&made);
    tdm_rows_clear(&rows);
    tdm_free(people);
    tdm_free(only);
    tdm_free(w.after);
    tdm_free(x);
    return st;
}

/* ---- members ---- */

tdm_status tdm_cooccurrence_update(tdm_model **out, const tdm_model *m, const tdm_update *u, tdm_updated *what,
                                   tdm_err *err)
{
    const tdm_linear *old = (const tdm_linear *)m;
    *out = NULL;
    tdm_linear *l = tdm_linear_new(sizeof *l, m->ops, &old->p);
    if (!l) return tdm_nomem(err, "co-occurrence");
    tdm_status st = update(l, old, u, what, false, err);
    if (st) m->ops->close(&l->base);
    else *out = &l->base;
    return st;
}

/* Predicted ratings stay as they were: offsets and links of what is new are 0. */
static tdm_status rated_carry(tdm_model *to, const tdm_model *from, const tdm_update *u, tdm_err *err)
{
    tdm_links *rated, *old_rated;
    tdm_baseline *b, *old;
    tdm_item_knn_rated(to, &rated, &b);
    tdm_item_knn_rated((tdm_model *)(uintptr_t)from, &old_rated, &old);
    float *item = tdm_new(u->now->I, sizeof *item);
    if (!item) return tdm_nomem(err, "item-knn");
    *b = *old;
    b->I = u->now->I;
    b->item = item;
    b->owned = true;
    for (size_t i = 0; i < u->was->I; i++)
        if (u->item_now[i] != TDM_NONE) item[u->item_now[i]] = old->item[i];
    return join(rated, old_rated, NULL, u, NULL, NULL, NULL, err);
}

tdm_status tdm_item_knn_update(tdm_model **out, const tdm_model *m, const tdm_update *u, tdm_updated *what,
                               tdm_err *err)
{
    tdm_links *rated;
    tdm_baseline *baseline;
    *out = NULL;
    const tdm_params *p = &((const tdm_linear *)m)->p;
    if (tdm_param_get(p, "similarity") > 0) { /* the others are not sizes to powers: a fit, which is exact */
        const tdm_fit_input in = {.train = u->now, .params = p, .run = u->run};
        *what = (tdm_updated){.remade = u->now->I};
        return m->ops->fit(out, &in, err);
    }
    tdm_linear *l = tdm_linear_new(tdm_item_knn_rated(NULL, &rated, &baseline), m->ops, p);
    if (!l) return tdm_nomem(err, "item-knn");
    tdm_status st = update(l, (const tdm_linear *)m, u, what, true, err);
    if (!st) st = rated_carry(&l->base, m, u, err);
    if (st) m->ops->close(&l->base);
    else *out = &l->base;
    return st;
}
