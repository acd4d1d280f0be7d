/* SPDX-License-Identifier: Apache-2.0 */
#include "data/gather.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

struct tdm_gather {
    const tdm_dataset *d;
    tdm_protocol p;
    const uint32_t *order;
    const uint8_t *part;
    uint32_t *last; /* by item: place + 1 in the list under work, or 0; all 0 between calls */
    size_t longest; /* rows of the person with the most */
};

tdm_status tdm_gather_open(tdm_gather **out, const tdm_dataset *d, const tdm_protocol *p, const uint32_t *order,
                           const uint8_t *part, tdm_err *err)
{
    tdm_gather *g = *out = tdm_new(1, sizeof *g);
    uint32_t *last = tdm_new(d->I, sizeof *last);
    if (!g || !last) {
        tdm_free(last);
        return tdm_nomem(err, "the split");
    }
    *g = (tdm_gather){.d = d, .p = *p, .order = order, .part = part, .last = last};
    for (size_t u = 0; u < d->U; u++) {
        size_t n = (size_t)(d->offset[u + 1] - d->offset[u]);
        if (n > g->longest) g->longest = n;
    }
    return TDM_OK;
}

void tdm_gather_close(tdm_gather *g)
{
    if (!g) return;
    tdm_free(g->last);
    tdm_free(g);
}

/* The sum of two ratings, where one or both may be missing. */
static float plus(float a, float b) { return isnan(a) ? b : isnan(b) ? a : a + b; }

/* Leaves one row for each item: the newest, the oldest, or the newest with the sum of the ratings. */
static size_t resolve(const tdm_gather *g, tdm_event *e, size_t n)
{
    if (g->p.duplicates == TDM_DUPLICATES_KEEP) return n;
    for (size_t k = 0; k < n; k++) {
        uint32_t *last = &g->last[e[k].item];
        size_t other = *last;
        if (!other) {
            *last = (uint32_t)k + 1;
            continue;
        }
        if (g->p.duplicates == TDM_DUPLICATES_OLDEST) {
            e[k].at = TDM_NONE;
            continue;
        }
        if (g->p.duplicates == TDM_DUPLICATES_SUM) e[k].rating = plus(e[other - 1].rating, e[k].rating);
        e[other - 1].at = TDM_NONE;
        *last = (uint32_t)k + 1;
    }
    size_t kept = 0;
    for (size_t k = 0; k < n; k++) {
        g->last[e[k].item] = 0;
        if (e[k].at != TDM_NONE) e[kept++] = e[k];
    }
    return kept;
}

size_t tdm_gather_events(const tdm_gather *g, tdm_event *out, uint32_t u, unsigned parts)
{
    const tdm_dataset *d = g->d;
    size_t n = 0;
    for (size_t k = (size_t)d->offset[u]; k < (size_t)d->offset[u + 1]; k++) {
        uint32_t j = g->order[k];
        if (parts >> g->part[j] & 1) out[n++] = (tdm_event){d->item[j], d->rating[j], d->time[j], j};
    }
    return resolve(g, out, n);
}

/* Marks the answers that are relevant items of a ranking: not disliked, not in the history where seen items are left
 * out of rankings, and each item once. */
static void count(const tdm_gather *g, uint8_t *counts, const tdm_event *answer, size_t n, const tdm_event *history,
                  size_t h)
{
    if (g->p.seen == TDM_SEEN_FILTER)
        for (size_t k = 0; k < h; k++) g->last[history[k].item] = 1;
    for (size_t k = 0; k < n; k++) {
        bool disliked = answer[k].rating < g->p.positive_from; /* false where either is NaN */
        counts[k] = !disliked && !g->last[answer[k].item];
        if (counts[k]) g->last[answer[k].item] = 1;
    }
    for (size_t k = 0; k < h; k++) g->last[history[k].item] = 0;
    for (size_t k = 0; k < n; k++) g->last[answer[k].item] = 0;
}

/* Room for `n` questions with histories of `h` and answers of `a` rows in all; `owner` is the list of blocks. */
enum { BLOCKS = 10 };
static bool room(tdm_questions *q, size_t n, size_t h, size_t a)
{
    void **b = q->owner = tdm_new(BLOCKS, sizeof *b);
    if (!b) return false;
    q->user = b[0] = tdm_new(n, sizeof *q->user);
    q->now = b[1] = tdm_new(n, sizeof *q->now);
    q->history_at = b[2] = tdm_new(n + 1, sizeof *q->history_at);
    q->target_at = b[3] = tdm_new(n + 1, sizeof *q->target_at);
    q->item = b[4] = tdm_new(h, sizeof *q->item);
    q->rating = b[5] = tdm_new(h, sizeof *q->rating);
    q->time = b[6] = tdm_new(h, sizeof *q->time);
    q->target = b[7] = tdm_new(a, sizeof *q->target);
    q->target_rating = b[8] = tdm_new(a, sizeof *q->target_rating);
    q->target_counts = b[9] = tdm_new(a, 1);
    for (int k = 0; k < BLOCKS; k++)
        if (!b[k]) return false;
    return true;
}

void tdm_questions_clear(tdm_questions *q)
{
    void **b = q->owner;
    for (int k = 0; b && k < BLOCKS; k++) tdm_free(b[k]);
    tdm_free(b);
    *q = (tdm_questions){0};
}

/* Appends one question. The arrays are ours until they are handed out, hence the casts through `owner`. */
static void append(tdm_questions *q, uint32_t user, int64_t now, const tdm_event *h, size_t hn)
{
    void **b = q->owner;
    uint32_t *user_out = b[0], *item = b[4];
    int64_t *now_out = b[1], *at = b[2], *time = b[6];
    float *rating = b[5];
    size_t begin = (size_t)at[q->n];
    user_out[q->n] = user;
    now_out[q->n] = now;
    for (size_t k = 0; k < hn; k++) {
        item[begin + k] = h[k].item;
        rating[begin + k] = h[k].rating;
        time[begin + k] = h[k].time;
    }
    at[++q->n] = (int64_t)(begin + hn);
}

tdm_status tdm_gather_questions(const tdm_gather *g, tdm_questions *out, unsigned part, unsigned before, tdm_err *err)
{
    const tdm_dataset *d = g->d;
    size_t people = 0, rows = 0, answers = 0;
    for (size_t u = 0; u < d->U; u++) { /* how much room, at most */
        size_t h = 0, a = 0;
        for (size_t j = (size_t)d->offset[u]; j < (size_t)d->offset[u + 1]; j++) {
            h += before >> g->part[j] & 1;
            a += g->part[j] == part;
        }
        if (!a) continue;
        people++;
        rows += h;
        answers += a;
    }
    tdm_event *e = tdm_new(2 * g->longest, sizeof *e), *a = e + g->longest;
    if (!room(out, people, rows, answers) || !e) {
        tdm_questions_clear(out);
        tdm_free(e);
        return tdm_nomem(err, "the questions");
    }
    void **b = out->owner;
    int64_t *at = b[3];
    uint32_t *target = b[7];
    float *rating = b[8];
    uint8_t *counts = b[9];
    for (uint32_t u = 0; u < d->U; u++) {
        size_t n = tdm_gather_events(g, a, u, 1u << part), begin = (size_t)at[out->n];
        if (!n) continue;
        size_t h = tdm_gather_events(g, e, u, before);
        for (size_t k = 0; k < n; k++) {
            target[begin + k] = a[k].item;
            rating[begin + k] = a[k].rating;
        }
        count(g, counts + begin, a, n, e, h);
        append(out, u, a[0].time, e, h);
        at[out->n] = (int64_t)(begin + n);
    }
    tdm_free(e);
    return TDM_OK;
}

/* ---- questions ---- */

tdm_history tdm_questions_history(const tdm_questions *qs, size_t q)
{
    size_t at = (size_t)qs->history_at[q], n = (size_t)qs->history_at[q + 1] - at;
    bool cut = qs->newest && n > qs->newest;
    if (cut) {
        at += n - qs->newest;
        n = qs->newest;
    }
    return (tdm_history){.items = qs->item + at,
                         .ratings = qs->rating + at,
                         .times = qs->time + at,
                         .n = n,
                         .now = qs->now[q],
                         .self = cut ? TDM_NONE : qs->user[q]};
}

tdm_status tdm_questions_part(tdm_questions *out, const tdm_questions *qs, const tdm_dataset *d, double low,
                              double high, uint64_t seed, tdm_err *err)
{
    size_t rows = (size_t)qs->history_at[qs->n], answers = (size_t)qs->target_at[qs->n], longest = 0;
    *out = (tdm_questions){0};
    for (size_t q = 0; q < qs->n; q++) {
        size_t n = (size_t)(qs->history_at[q + 1] - qs->history_at[q]);
        if (n > longest) longest = n;
    }
    tdm_event *e = tdm_new(longest, sizeof *e);
    if (!room(out, qs->n, rows, answers) || !e) {
        tdm_questions_clear(out);
        tdm_free(e);
        return tdm_nomem(err, "the questions");
    }
    void **b = out->owner;
    int64_t *at = b[3];
    for (size_t q = 0; q < qs->n; q++) {
        tdm_str id = tdm_strings_at(&d->user_id, qs->user[q]);
        double place = (double)(XXH3_64bits_withSeed(id.p, id.n, seed) >> 11) * 0x1p-53; /* below 1 */
        if (!(place >= low && place < high)) continue;
        size_t begin = (size_t)at[out->n], from = (size_t)qs->target_at[q], n = (size_t)qs->target_at[q + 1] - from;
        memcpy((uint32_t *)b[7] + begin, qs->target + from, n * sizeof *qs->target);
        memcpy((float *)b[8] + begin, qs->target_rating + from, n * sizeof *qs->target_rating);
        memcpy((uint8_t *)b[9] + begin, qs->target_counts + from, n);
        tdm_history h = tdm_questions_history(qs, q);
        for (size_t k = 0; k < h.n; k++) e[k] = (tdm_event){h.items[k], h.ratings[k], h.times[k], 0};
        append(out, qs->user[q], qs->now[q], e, h.n);
        at[out->n] = (int64_t)(begin + n);
    }
    tdm_free(e);
    return TDM_OK;
}
