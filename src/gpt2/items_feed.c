/* SPDX-License-Identifier: Apache-2.0 */
/* items_feed.c - training histories as packed batches.
 *
 * A history longer than T is cut into pieces of T from its newest end, since that is how a question cuts it too. A
 * piece x1 .. xn becomes the tokens  begin x1 .. x(n-1)  with the targets  x1 .. xn: every item is foretold once, and
 * nothing is padded. An epoch shuffles the pieces and cuts them where the tokens so far pass a whole share of the
 * epoch, so that all its batches are about as long and their number never changes. */
#include "base/mem.h"
#include "base/rng.h"
#include "gpt2/items_parts.h"

void tdm_items_feed_clear(tdm_items_feed *f)
{
    tdm_free(f->at);
    tdm_free(f->n);
    tdm_free(f->order);
    tdm_free(f->token);
    tdm_free(f->target);
    tdm_free(f->start);
    *f = (tdm_items_feed){0};
}

tdm_status tdm_items_feed_open(tdm_items_feed *f, const tdm_dataset *train, size_t T, size_t tokens, tdm_err *err)
{
    *f = (tdm_items_feed){.item = train->item, .begin = (uint32_t)train->I, .N = train->N};
    for (size_t u = 0; u < train->U; u++) f->S += ((size_t)(train->offset[u + 1] - train->offset[u]) + T - 1) / T;
    f->steps = tokens < f->N ? (f->N + tokens - 1) / tokens : 1;
    f->most = (f->N + f->steps - 1) / f->steps + T;
    f->at = tdm_new(f->S, sizeof *f->at);
    f->n = tdm_new(f->S, sizeof *f->n);
    f->order = tdm_new(f->S, sizeof *f->order);
    f->token = tdm_new(f->most, sizeof *f->token);
    f->target = tdm_new(f->most, sizeof *f->target);
    f->start = tdm_new(f->most + 1, sizeof *f->start);
    if (!f->at || !f->n || !f->order || !f->token || !f->target || !f->start) {
        tdm_items_feed_clear(f);
        return tdm_nomem(err, "the batches of gpt2-items");
    }
    for (size_t u = 0, s = 0; u < train->U; u++)
        for (int64_t end = train->offset[u + 1], begin; end > train->offset[u]; end = begin, s++) {
            begin = end - train->offset[u] > (int64_t)T ? end - (int64_t)T : train->offset[u];
            f->at[s] = begin;
            f->n[s] = (uint32_t)(end - begin);
        }
    return TDM_OK;
}

void tdm_items_feed_epoch(tdm_items_feed *f, uint64_t seed, uint64_t epoch)
{
    tdm_rng rng = tdm_rng_make(seed, 0x17e5, epoch);
    for (size_t s = 0; s < f->S; s++) f->order[s] = (uint32_t)s;
    tdm_rng_shuffle_u32(&rng, f->order, f->S);
    f->next = f->done = f->step = 0;
}

tdm_gpt2_batch tdm_items_feed_next(tdm_items_feed *f)
{
    size_t S = 0, N = 0;
    f->step++;
    size_t until = f->step < f->steps ? (size_t)((double)f->N * (double)f->step / (double)f->steps) : f->N;
    while (f->next < f->S && f->done < until) {
        uint32_t s = f->order[f->next++];
        const uint32_t *x = f->item + f->at[s];
        f->start[S++] = (uint32_t)N;
        for (uint32_t k = 0; k < f->n[s]; k++, N++) {
            f->token[N] = k ? x[k - 1] : f->begin;
            f->target[N] = x[k];
        }
        f->done += f->n[s];
    }
    f->start[S] = (uint32_t)N;
    return (tdm_gpt2_batch){.token = f->token, .start = f->start, .S = S, .N = N, .target = f->target};
}
