/* SPDX-License-Identifier: Apache-2.0 */
/* health_people.c - one pass over everybody, in parallel: repeated pairs, ties, rates, ratings, texts. */
#include "data/health_parts.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { FEW = 8, MOST_CHUNKS = 256 };

typedef struct chunk {
    tdm_health_people p; /* its arrays are those of the whole */
    bool failed;
} chunk;

typedef struct job {
    const tdm_dataset *d;
    tdm_health_people *out;
    chunk *part;
} job;

/* ---- ratings ---- */

static void tally_add(tdm_tally *t, float r, size_t count)
{
    int k = 0;
    if (t->n < 0) return;
    while (k < t->n && t->value[k] < r) k++;
    if (k < t->n && t->value[k] == r) {
        t->count[k] += count;
        return;
    }
    if (t->n == TDM_HEALTH_RATINGS) { /* a continuum: no histogram */
        t->n = -1;
        return;
    }
    memmove(t->value + k + 1, t->value + k, (size_t)(t->n - k) * sizeof *t->value);
    memmove(t->count + k + 1, t->count + k, (size_t)(t->n - k) * sizeof *t->count);
    t->value[k] = r + 0.0f; /* no -0 */
    t->count[k] = count;
    t->n++;
}

static void tally_merge(tdm_tally *to, const tdm_tally *from)
{
    if (from->n < 0) to->n = -1;
    for (int k = 0; k < from->n; k++) tally_add(to, from->value[k], from->count[k]);
}

/* ---- one person ---- */

/* How many of n items an earlier place has. `slot`: room for the power of two from 2n on. */
static size_t repeated(const uint32_t *item, size_t n, uint32_t *slot)
{
    size_t again = 0, room = 1;
    if (n <= FEW) {
        for (size_t k = 1; k < n; k++) {
            size_t m = 0;
            while (item[m] != item[k]) m++;
            again += m < k;
        }
        return again;
    }
    while (room < 2 * n) room *= 2;
    memset(slot, 0, room * sizeof *slot);
    for (size_t k = 0; k < n; k++) {
        size_t at = (item[k] * 2654435769u >> 7) & (room - 1);
        while (slot[at] && slot[at] != item[k] + 1) at = (at + 1) & (room - 1);
        again += slot[at] != 0;
        slot[at] = item[k] + 1; /* an item is below TDM_NONE, so this is not 0 */
    }
    return again;
}

/* The most of n rising times, from `begin` on, within `span` seconds. */
static uint32_t busiest(const int64_t *time, size_t begin, size_t n, int64_t span)
{
    size_t most = 0;
    for (size_t k = begin; k < n; k++) {
        while ((uint64_t)time[k] - (uint64_t)time[begin] >= (uint64_t)span) begin++;
        most = k - begin + 1 > most ? k - begin + 1 : most;
    }
    return (uint32_t)most;
}

static void times_take(tdm_health_people *p, const int64_t *time, size_t n, uint32_t *minute, uint32_t *day)
{
    size_t begin = 0;
    while (begin < n && time[begin] == TDM_NO_TIME) begin++; /* they are the smallest */
    if (begin == n) return;
    bool tie = false;
    for (size_t k = begin; k < n; k++) {
        p->midnight += time[k] % 86400 == 0;
        tie |= k > begin && time[k] == time[k - 1];
    }
    p->timed += n - begin;
    p->tied += tie;
    p->first = time[begin] < p->first ? time[begin] : p->first;
    p->last = time[n - 1] > p->last ? time[n - 1] : p->last;
    *minute = busiest(time, begin, n, 60);
    *day = busiest(time, begin, n, 86400);
}

static void texts_take(tdm_health_people *p, const tdm_dataset *d, size_t begin, size_t end)
{
    for (size_t j = begin; j < end; j++) {
        size_t summary = tdm_health_at(&d->summary, d->row[j]).n, review = tdm_health_at(&d->review, d->row[j]).n;
        if (!summary && !review) continue;
        p->summaries += summary > 0;
        p->reviews += review > 0;
        p->texts++;
        p->bytes += summary + review;
        p->most = summary + review > p->most ? summary + review : p->most;
        p->text_bins[tdm_health_bin(summary + review)]++;
    }
}

static void people_take(void *ctx, size_t number, size_t begin, size_t end)
{
    job *w = ctx;
    const tdm_dataset *d = w->d;
    chunk *c = &w->part[number];
    size_t longest = 0, from = (size_t)d->offset[begin], to = (size_t)d->offset[end];
    c->p.first = INT64_MAX;
    c->p.last = INT64_MIN;
    for (size_t u = begin; u < end; u++) {
        size_t n = (size_t)(d->offset[u + 1] - d->offset[u]);
        longest = n > longest ? n : longest;
    }
    uint32_t *slot = longest > FEW ? tdm_new(longest, 4 * sizeof *slot) : NULL; /* a power of two below 4n */
    if (longest > FEW && !slot) {
        c->failed = true;
        return;
    }
    for (size_t u = begin; u < end; u++) {
        size_t at = (size_t)d->offset[u], n = (size_t)d->offset[u + 1] - at;
        c->p.repeated += repeated(d->item + at, n, slot);
        times_take(&c->p, d->time + at, n, &w->out->minute[u], &w->out->day[u]);
    }
    for (size_t j = from; j < to; j++)
        if (!isnan(d->rating[j])) tally_add(&c->p.ratings, d->rating[j], 1);
    if (d->summary.n || d->review.n) texts_take(&c->p, d, from, to);
    tdm_free(slot);
}

/* ---- all ---- */

static void merge(tdm_health_people *to, const tdm_health_people *from)
{
    to->repeated += from->repeated;
    to->tied += from->tied;
    to->timed += from->timed;
    to->midnight += from->midnight;
    to->first = from->first < to->first ? from->first : to->first;
    to->last = from->last > to->last ? from->last : to->last;
    to->summaries += from->summaries;
    to->reviews += from->reviews;
    to->texts += from->texts;
    to->bytes += from->bytes;
    to->most = from->most > to->most ? from->most : to->most;
    for (int k = 0; k < TDM_HEALTH_BINS; k++) to->text_bins[k] += from->text_bins[k];
    tally_merge(&to->ratings, &from->ratings);
}

tdm_status tdm_health_people_init(tdm_health_people *out, const tdm_dataset *d, tdm_run *run, tdm_err *err)
{
    size_t grain = d->U / MOST_CHUNKS + 1, chunks = tdm_chunks(d->U, grain);
    *out = (tdm_health_people){.first = INT64_MAX, .last = INT64_MIN};
    out->minute = tdm_new(d->U, sizeof *out->minute);
    out->day = tdm_new(d->U, sizeof *out->day);
    job w = {d, out, tdm_new(chunks, sizeof *w.part)};
    tdm_status st = out->minute && out->day && w.part ? TDM_OK : tdm_nomem(err, "the health table");
    if (!st) tdm_pool_for(run ? run->pool : NULL, d->U, grain, people_take, &w);
    for (size_t k = 0; !st && k < chunks; k++) {
        if (w.part[k].failed) st = tdm_nomem(err, "the health table");
        merge(out, &w.part[k].p);
    }
    tdm_free(w.part);
    if (st) tdm_health_people_clear(out);
    return st;
}

void tdm_health_people_clear(tdm_health_people *p)
{
    tdm_free(p->minute);
    tdm_free(p->day);
    *p = (tdm_health_people){0};
}
