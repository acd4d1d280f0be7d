/* SPDX-License-Identifier: Apache-2.0 */
/* split.c - who sees what: each interaction gets a part, then each part is gathered.
 *
 *     LOG (person by person, in time order)  --ties-->  order[]  --kind-->  part[]  --duplicates-->  train, questions
 *
 * Parts are given to rows before repeated pairs are resolved, and pairs are resolved inside what one question may see
 * (its history, its answers), so that no row of the past depends on the future. */
#include "data/split.h"

#include "base/mem.h"
#include "base/rng.h"
#include "data/gather.h"
#include "data/owner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { TRAIN, VALIDATION, TEST };

static const char *const kinds[] = {"time", "leave-one-out", "ratio", "files", "cold-items"};

const char *tdm_split_kind_name(tdm_split_kind k) { return kinds[k]; }

int tdm_split_kind_parse(const char *word)
{
    for (int k = 0; k < (int)(sizeof kinds / sizeof *kinds); k++)
        if (!strcmp(word, kinds[k])) return k;
    return -1;
}

/* ---- order ---- */

/* Rows of one instant are not in an order: draws one. The stream is keyed by the person's id, not by a number. */
static void ties_shuffle(uint32_t *order, const tdm_dataset *d, uint32_t u, uint64_t seed)
{
    tdm_str id = tdm_strings_at(&d->user_id, u);
    tdm_rng rng = tdm_rng_make(seed, XXH3_64bits(id.p, id.n), 0x71e5);
    size_t end = (size_t)d->offset[u + 1];
    for (size_t a = (size_t)d->offset[u], b; a < end; a = b) {
        for (b = a + 1; b < end && d->time[b] == d->time[a];) b++;
        if (b - a > 1 && d->time[a] != TDM_NO_TIME) tdm_rng_shuffle_u32(&rng, order + a, b - a);
    }
}

/* ---- parts ---- */

static void part_leave_one_out(uint8_t *part, const tdm_dataset *d, const uint32_t *order)
{
    for (size_t u = 0; u < d->U; u++) {
        size_t begin = (size_t)d->offset[u], n = (size_t)d->offset[u + 1] - begin, distinct = 0;
        uint32_t seen[3];
        for (size_t k = 0; k < n && distinct < 3; k++) {
            uint32_t i = d->item[order[begin + k]];
            bool known = false;
            for (size_t x = 0; x < distinct; x++) known |= seen[x] == i;
            if (!known) seen[distinct++] = i;
        }
        if (distinct < 3) continue;
        part[order[begin + n - 2]] = VALIDATION;
        part[order[begin + n - 1]] = TEST;
    }
}

static void part_ratio(uint8_t *part, const tdm_dataset *d, const uint32_t *order)
{
    for (size_t u = 0; u < d->U; u++) {
        size_t begin = (size_t)d->offset[u], end = (size_t)d->offset[u + 1], tenth = (end - begin + 5) / 10;
        for (size_t k = end - 2 * tenth; k < end; k++) part[order[k]] = k < end - tenth ? VALIDATION : TEST;
    }
}

static int by_instant(const void *x, const void *y)
{
    const int64_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

/* The cuts are the instants of the rows at 80% and 90% of the log; rows of that very instant are after the cut. */
static tdm_status part_time(uint8_t *part, const tdm_dataset *d, tdm_err *err)
{
    int64_t *t = tdm_new(d->N, sizeof *t);
    if (!t) return tdm_nomem(err, "the times");
    size_t n = 0;
    for (size_t j = 0; j < d->N; j++)
        if (d->time[j] != TDM_NO_TIME) t[n++] = d->time[j];
    tdm_status st = TDM_OK;
    if (!n)
        st =
            tdm_fail(err, TDM_E_ARG, "a split by time needs times, and this data has none: use leave-one-out or ratio");
    if (n) qsort(t, n, sizeof *t, by_instant);
    int64_t cut[2] = {n ? t[n * 8 / 10] : 0, n ? t[n * 9 / 10] : 0};
    if (n && cut[0] == t[0])
        st = tdm_fail(err, TDM_E_ARG,
                      "a split by time leaves nothing to train on: 8 of 10 interactions are of one instant; use "
                      "leave-one-out or ratio");
    for (size_t j = 0; !st && j < d->N; j++)
        part[j] = d->time[j] < cut[0] ? TRAIN : d->time[j] < cut[1] ? VALIDATION : TEST;
    tdm_free(t);
    return st;
}

/* A tenth of the training file, drawn by what a row is and not by where it stands. */
static tdm_status part_files(uint8_t *part, const tdm_dataset *d, uint64_t seed, tdm_err *err)
{
    if (!d->part)
        return tdm_fail(err, TDM_E_ARG, "a split by files needs a test file, and this data was prepared without one");
    for (size_t u = 0; u < d->U; u++)
        for (size_t j = (size_t)d->offset[u]; j < (size_t)d->offset[u + 1]; j++) {
            tdm_str user = tdm_strings_at(&d->user_id, u), item = tdm_strings_at(&d->item_id, d->item[j]);
            uint64_t key[3] = {XXH3_64bits(user.p, user.n), XXH3_64bits(item.p, item.n), (uint64_t)d->time[j]};
            uint64_t h = XXH3_64bits_withSeed(key, sizeof key, seed);
            part[j] = d->part[j] ? TEST : (double)h * 0x1p-64 < 0.1 ? VALIDATION : TRAIN;
        }
    return TDM_OK;
}

/* A tenth of the items, drawn by their ids, goes to test with all its interactions: to training they are as if nobody
 * had ever touched them. Of the others, each person's last is for validation, where two stay before it. */
static void part_cold_items(uint8_t *part, uint8_t *barred, const tdm_dataset *d, const uint32_t *order, uint64_t seed)
{
    for (uint32_t i = 0; i < d->I; i++) {
        tdm_str id = tdm_strings_at(&d->item_id, i);
        barred[i] = !((double)XXH3_64bits_withSeed(id.p, id.n, seed ^ 0xc01d) * 0x1p-64 < 0.1);
    }
    for (size_t u = 0; u < d->U; u++) {
        size_t warm = 0, last = 0;
        for (size_t k = (size_t)d->offset[u]; k < (size_t)d->offset[u + 1]; k++) {
            if (!barred[d->item[order[k]]]) part[order[k]] = TEST;
            else {
                warm++;
                last = order[k];
            }
        }
        if (warm >= 3) part[last] = VALIDATION;
    }
}

/* ---- gather ---- */

/* The training view: the same people, items and texts, the rows of one part. */
static tdm_status train_make(tdm_dataset **out, const tdm_dataset *d, const tdm_gather *g, tdm_err *err)
{
    tdm_dataset *t = tdm_owner_dataset();
    if (!t) return tdm_nomem(err, "the training rows");
    tdm_owner *o = t->owner;
    *t = *d;
    t->owner = o;
    t->part = NULL;
    *out = t;
    int64_t *offset = tdm_owner_new(o, d->U + 1, sizeof *offset), *time = tdm_owner_new(o, d->N, sizeof *time);
    uint32_t *item = tdm_owner_new(o, d->N, sizeof *item), *row = tdm_owner_new(o, d->N, sizeof *row);
    float *rating = tdm_owner_new(o, d->N, sizeof *rating);
    tdm_event *e = tdm_new(d->N, sizeof *e);
    tdm_status st = offset && time && item && row && rating && e ? TDM_OK : tdm_nomem(err, "the training rows");
    for (size_t u = 0, at = 0; !st && u < d->U; u++) {
        size_t n = tdm_gather_events(g, e, (uint32_t)u, 1u << TRAIN);
        for (size_t k = 0; k < n; k++, at++) {
            item[at] = e[k].item;
            rating[at] = e[k].rating;
            time[at] = e[k].time;
            row[at] = d->row[e[k].at];
        }
        offset[u + 1] = (int64_t)at;
    }
    tdm_free(e);
    if (st) return st;
    t->offset = offset;
    t->time = time;
    t->item = item;
    t->row = row;
    t->rating = rating;
    t->N = (size_t)offset[d->U];
    tdm_dataset_derive(t);
    return TDM_OK;
}

tdm_status tdm_split_make(tdm_split **out, const tdm_dataset *d, const tdm_protocol *p, tdm_err *err)
{
    *out = NULL;
    tdm_split *s = tdm_new(1, sizeof *s);
    uint32_t *order = tdm_new(d->N, sizeof *order);
    uint8_t *part = tdm_new(d->N, 1);
    tdm_gather *g = NULL;
    tdm_status st = s && order && part ? TDM_OK : tdm_nomem(err, "the split");
    for (size_t j = 0; !st && j < d->N; j++) order[j] = (uint32_t)j;
    if (!st && p->ties == TDM_TIES_SHUFFLE)
        for (size_t u = 0; u < d->U; u++) ties_shuffle(order, d, (uint32_t)u, p->seed);
    if (!st) switch (p->split) {
        case TDM_SPLIT_LEAVE_ONE_OUT:
            part_leave_one_out(part, d, order);
            break;
        case TDM_SPLIT_RATIO:
            part_ratio(part, d, order);
            break;
        case TDM_SPLIT_TIME:
            st = part_time(part, d, err);
            break;
        case TDM_SPLIT_FILES:
            st = part_files(part, d, p->seed, err);
            break;
        case TDM_SPLIT_COLD_ITEMS:
            s->barred = tdm_new(d->I, 1);
            if (s->barred) part_cold_items(part, s->barred, d, order, p->seed);
            else st = tdm_nomem(err, "the split");
            break;
        }
    for (size_t j = 0; !st && p->refit && j < d->N; j++)
        if (part[j] == VALIDATION) part[j] = TRAIN;
    if (!st) st = tdm_gather_open(&g, d, p, order, part, err);
    if (!st) st = train_make(&s->train, d, g, err);
    if (!st && !s->train->N) st = tdm_fail(err, TDM_E_ARG, "the split %s leaves nothing to train on", kinds[p->split]);
    if (!st) st = tdm_gather_questions(g, &s->validation, VALIDATION, 1u << TRAIN, err);
    if (!st) st = tdm_gather_questions(g, &s->test, TEST, 1u << TRAIN | 1u << VALIDATION, err);
    if (!st) s->test.barred = s->barred;
    tdm_gather_close(g);
    tdm_free(order);
    tdm_free(part);
    if (st) tdm_split_close(s);
    else *out = s;
    return st;
}

void tdm_split_close(tdm_split *s)
{
    if (!s) return;
    tdm_questions_clear(&s->validation);
    tdm_questions_clear(&s->test);
    tdm_dataset_close(s->train);
    tdm_free(s->barred);
    tdm_free(s);
}
