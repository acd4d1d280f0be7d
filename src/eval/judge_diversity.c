/* SPDX-License-Identifier: Apache-2.0 */
/* judge_diversity.c - what lists lose in ndcg for what they win in diversity, weight by weight.
 *
 * People are drawn, their candidates are ranked once, and each weight makes its lists from those same candidates, so
 * all that is dear is one ranking of the drawn people. They are a tenth of all, which keeps this below a tenth of an
 * evaluation that ranks everybody with every model, with a floor, below which there would be more noise than time won.
 *
 *     columns of a person:  1 | for each weight: ndcg, ndcg - ndcg of the plain list, diversity, has it */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "eval/judge.h"
#include "eval/rank.h"
#include "eval/significance.h"

#include <math.h>
#include <string.h>

enum { NDCG, DIFFERENCE, DIVERSITY, HAS_DIVERSITY, PER_WEIGHT, W = 1 + TDM_SPREADS * PER_WEIGHT, GRAIN = 64 };

static const double weights[TDM_SPREADS] = {0, 0.1, 0.3, 0.5};

static const uint64_t drawing = 0x646976657273; /* a stream of its own beside those of the resamples */

typedef struct drawn {
    const tdm_judge_room *room;
    uint32_t *person, *asked; /* n: places among the people; their questions */
    size_t n, depth, k;       /* candidates to a person; of them go into a list */
    uint32_t *list, *found;   /* n x depth; n */
    float *scores;            /* n x depth */
    uint32_t *item;           /* n x depth: candidates in the order of one weight */
    float *score, *scratch;   /* likewise */
    double *sum;              /* chunks x K */
    double *x;                /* n x W */
} drawn;

static size_t how_many(size_t people)
{
    size_t n = (people + 9) / 10;
    if (n < TDM_SPREAD_LEAST) n = TDM_SPREAD_LEAST;
    if (n > TDM_SPREAD_MOST) n = TDM_SPREAD_MOST;
    return n < people ? n : people;
}

/* Each set of n is as likely as any other; they stay in the order of the people. */
static void people_draw(drawn *d)
{
    const tdm_judge_room *r = d->room;
    tdm_rng rng = tdm_rng_make(r->in->seed, drawing, 0);
    size_t taken = 0;
    for (size_t i = 0; taken < d->n; i++) {
        if (tdm_rng_below(&rng, r->e->people - i) >= d->n - taken) continue;
        d->person[taken] = (uint32_t)i;
        d->asked[taken++] = r->asked[i];
    }
}

static double diversity_of(const tdm_judge_room *r, const uint32_t *list, size_t n, double *sum)
{
    double cosines = 0, m = (double)n;
    memset(sum, 0, r->in->K * sizeof *sum);
    for (size_t i = 0; i < n; i++) cosines += tdm_judge_cosines(r, sum, list[i]);
    return 1 - cosines / (m * (m - 1) / 2);
}

static void spread_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const drawn *d = ctx;
    const tdm_judge_room *r = d->room;
    for (size_t i = begin; i < end; i++) {
        size_t person = d->person[i], at = i * d->depth, found = d->found[i];
        const uint32_t *relevant = r->relevant + r->relevant_at[person];
        size_t R = (size_t)(r->relevant_at[person + 1] - r->relevant_at[person]);
        double *row = d->x + i * W, v[TDM_METRICS], plain = 0;
        row[0] = 1;
        for (int w = 0; w < TDM_SPREADS; w++) {
            const tdm_diversity how = {weights[w], r->in->vectors, r->in->K};
            uint32_t *item = d->item + at;
            double *out = row + 1 + w * PER_WEIGHT;
            memcpy(item, d->list + at, found * sizeof *item);
            memcpy(d->score + at, d->scores + at, found * sizeof *d->score);
            size_t n = tdm_diverse(item, d->score + at, found, d->k, &how, d->scratch + at);
            tdm_metrics(v, item, n, relevant, R, r->e->k[r->e->main]);
            if (!w) plain = v[TDM_NDCG];
            out[NDCG] = v[TDM_NDCG];
            out[DIFFERENCE] = v[TDM_NDCG] - plain;
            if (n < 2) continue;
            out[DIVERSITY] = diversity_of(r, item, n, d->sum + chunk * r->in->K);
            out[HAS_DIVERSITY] = 1;
        }
    }
}

static tdm_estimate ratio(const double *all, const double *boot, double *some, size_t column, size_t over)
{
    tdm_estimate e = {NAN, NAN, NAN};
    if (!(all[over] > 0)) return e;
    e.value = all[column] / all[over];
    for (size_t s = 0; s < TDM_RESAMPLES; s++) some[s] = boot[s * W + column] / boot[s * W + over];
    tdm_interval(&e.low, &e.high, some, TDM_RESAMPLES);
    return e;
}

static tdm_status estimates(const drawn *d, tdm_err *err)
{
    const tdm_judge_room *r = d->room;
    double all[W] = {0}, *boot = tdm_new(TDM_RESAMPLES, W * sizeof *boot), *some = tdm_new(TDM_RESAMPLES, sizeof *some);
    tdm_status st = boot && some ? TDM_OK : tdm_nomem(err, "what diversity costs");
    if (!st) st = tdm_bootstrap(boot, d->x, d->n, W, TDM_RESAMPLES, r->in->seed, r->run->pool, err);
    for (size_t i = 0; !st && i < d->n; i++)
        for (size_t c = 0; c < W; c++) all[c] += d->x[i * W + c];
    for (size_t w = 0; !st && w < TDM_SPREADS; w++) {
        size_t at = 1 + w * PER_WEIGHT;
        r->e->tradeoff.at[w] = (tdm_spread){weights[w], ratio(all, boot, some, at + NDCG, 0),
                                            ratio(all, boot, some, at + DIVERSITY, at + HAS_DIVERSITY),
                                            ratio(all, boot, some, at + DIFFERENCE, 0)};
    }
    tdm_free(boot);
    tdm_free(some);
    return st;
}

tdm_status tdm_judge_diversity(const tdm_judge_room *r, tdm_err *err)
{
    const tdm_model *m = r->in->models[r->in->subject];
    double began = tdm_seconds();
    size_t k = r->e->k[r->e->main] < r->I ? r->e->k[r->e->main] : r->I, n = how_many(r->e->people);
    drawn d = {.room = r, .n = n, .k = k, .depth = tdm_diverse_depth(k, r->I)};
    d.person = tdm_new(n, sizeof *d.person);
    d.asked = tdm_new(n, sizeof *d.asked);
    d.found = tdm_new(n, sizeof *d.found);
    d.list = tdm_new(n * sizeof *d.list, d.depth);
    d.item = tdm_new(n * sizeof *d.item, d.depth);
    d.scores = tdm_new(n * sizeof *d.scores, d.depth);
    d.score = tdm_new(n * sizeof *d.score, d.depth);
    d.scratch = tdm_new(n * sizeof *d.scratch, d.depth);
    d.sum = tdm_new(tdm_chunks(n, GRAIN) * sizeof *d.sum, r->in->K);
    d.x = tdm_new(n * sizeof *d.x, W);
    bool room = d.person && d.asked && d.found && d.list && d.item && d.scores && d.score && d.scratch && d.sum && d.x;
    tdm_status st = room ? TDM_OK : tdm_nomem(err, "what diversity costs");
    if (!st) {
        people_draw(&d);
        const tdm_rank_job job = {m, r->in->questions, d.asked, n, r->I, d.depth, r->in->seen, NULL, d.scores};
        st = tdm_rank(d.list, d.found, &job, r->run->pool, r->run, err);
    }
    if (!st) {
        tdm_pool_for(r->run->pool, n, GRAIN, spread_chunk, &d);
        st = estimates(&d, err);
    }
    if (!st) {
        r->e->tradeoff.model = r->in->subject;
        r->e->tradeoff.people = n;
        r->e->tradeoff.seconds = tdm_seconds() - began;
    }
    void *const all[] = {d.person, d.asked, d.found, d.list, d.item, d.scores, d.score, d.scratch, d.sum, d.x};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) tdm_free(all[i]);
    return st;
}
