/* SPDX-License-Identifier: Apache-2.0 */
/* words_batch.c - documents as batches, and how likely their words are. */
#include "gpt2/words_parts.h"
#include "base/mem.h"
#include "base/status.h"

#include <math.h>

tdm_status tdm_docs_room_make(tdm_docs_room *r, size_t most, tdm_err *err)
{
    *r = (tdm_docs_room){tdm_new(most, sizeof *r->token), tdm_new(most, sizeof *r->target),
                         tdm_new(most + 1, sizeof *r->start), tdm_new(most, sizeof *r->weight)};
    if (r->token && r->target && r->start && r->weight) return TDM_OK;
    tdm_docs_room_clear(r);
    return tdm_nomem(err, "a batch of documents");
}

void tdm_docs_room_clear(tdm_docs_room *r)
{
    tdm_free(r->token);
    tdm_free(r->target);
    tdm_free(r->start);
    tdm_free(r->weight);
    *r = (tdm_docs_room){0};
}

size_t tdm_docs_batch(tdm_gpt2_batch *out, const tdm_docs_room *room, const tdm_docs *d, const uint32_t *order,
                      size_t n, size_t most)
{
    *out = (tdm_gpt2_batch){.token = room->token, .start = room->start, .target = room->target, .weight = room->weight};
    room->start[0] = 0;
    for (; out->S < n; out->S++) {
        uint32_t q = order[out->S], from = d->start[q], to = d->start[q + 1];
        if (out->N + (to - from) > most) break;
        for (uint32_t i = from; i < to; i++, out->N++) {
            bool last = i + 1 == to || !(d->all.weight[i + 1] > 0);
            room->token[out->N] = d->all.token.at[i];
            room->target[out->N] = last ? TDM_GPT2_SILENT : d->all.token.at[i + 1];
            room->weight[out->N] = last ? 0 : d->all.weight[i + 1];
        }
        room->start[out->S + 1] = (uint32_t)out->N;
    }
    return out->S;
}

/* ---- perplexity ---- */

enum { TOKENS = 4096 };

/* Batches read side by side: batch c is order[at[c] .. at[c + 1]). */
typedef struct reading {
    const tdm_gpt2 *g;
    const tdm_docs *d;
    const tdm_run *run;
    size_t most; /* tokens of a batch */
    uint32_t *order;
    size_t *at, n, cap;
    struct batch_sum {
        double sum, mass;
        tdm_status st;
        tdm_err err;
    } * part; /* n */
} reading;

static tdm_status batch_read(struct batch_sum *p, const reading *r, size_t c, tdm_err *err)
{
    tdm_docs_room room;
    tdm_gpt2_batch b;
    tdm_status st = tdm_docs_room_make(&room, r->most, err);
    if (st) return st;
    float *logp = tdm_new(r->most, sizeof *logp);
    st = logp ? tdm_run_check(r->run, "gpt2-words", err) : tdm_nomem(err, "a measure of perplexity");
    tdm_docs_batch(&b, &room, r->d, r->order + r->at[c], r->at[c + 1] - r->at[c], r->most);
    if (!st) st = tdm_gpt2_logp(r->g, logp, &b, err);
    for (size_t i = 0; !st && i < b.N; i++) {
        p->sum -= (double)b.weight[i] * (double)logp[i];
        p->mass += (double)b.weight[i];
    }
    tdm_free(logp);
    tdm_docs_room_clear(&room);
    return st;
}

static void batches_read(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const reading *r = ctx;
    (void)chunk;
    for (size_t c = begin; c < end; c++) r->part[c].st = batch_read(&r->part[c], r, c, &r->part[c].err);
}

static tdm_status batches_cut(reading *r, tdm_err *err)
{
    const tdm_docs *d = r->d;
    size_t tokens = 0;
    r->most = d->longest > TOKENS ? d->longest : TOKENS;
    r->order = tdm_new(d->n, sizeof *r->order);
    if (!r->order) return tdm_nomem(err, "a measure of perplexity");
    for (size_t q = 0; q < d->n; q++) {
        size_t n = d->start[q + 1] - d->start[q];
        r->order[q] = (uint32_t)q;
        if (!q || tokens + n > r->most) {
            if (tdm_grow(&r->at, &r->cap, r->n + 2, sizeof *r->at)) return tdm_nomem(err, "a measure of perplexity");
            r->at[r->n++] = q;
            tokens = 0;
        }
        tokens += n;
    }
    if (r->n) r->at[r->n] = d->n;
    r->part = tdm_new(r->n, sizeof *r->part);
    return r->part ? TDM_OK : tdm_nomem(err, "a measure of perplexity");
}

tdm_status tdm_docs_perplexity(double *out, const tdm_gpt2 *g, const tdm_docs *d, tdm_run *run, tdm_err *err)
{
    reading r = {.g = g, .d = d, .run = run};
    double sum = 0, mass = 0;
    tdm_status st = batches_cut(&r, err);
    if (!st) tdm_pool_for(run->pool, r.n, 1, batches_read, &r);
    for (size_t c = 0; !st && c < r.n; c++) {
        sum += r.part[c].sum;
        mass += r.part[c].mass;
        st = r.part[c].st;
        if (st && err) *err = r.part[c].err;
    }
    *out = mass > 0 ? exp(sum / mass) : NAN;
    tdm_free(r.order);
    tdm_free(r.at);
    tdm_free(r.part);
    return st;
}
