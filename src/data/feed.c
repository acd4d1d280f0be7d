/* SPDX-License-Identifier: Apache-2.0 */
#include "data/feed.h"

#include "base/mem.h"

enum { SLOTS = TDM_FEED_SLOTS };

typedef struct round {
    tdm_block block[SLOTS];
    size_t n;
} round;

typedef struct work {
    const tdm_feed *f;
    tdm_reader *r;
    round rounds[2], *now, *next;
    tdm_records *records[SLOTS];
    tdm_status st[SLOTS + 1]; /* of the slots, and of the blocks that come next */
    tdm_err err[SLOTS + 1];
} work;

static void unpack(work *w)
{
    bool more = true;
    round *r = w->next;
    w->st[SLOTS] = TDM_OK;
    for (r->n = 0; r->n < SLOTS; r->n++) {
        w->st[SLOTS] = tdm_block_next(&r->block[r->n], w->r->s, &w->r->shape, TDM_BLOCK, &more, &w->err[SLOTS]);
        if (w->st[SLOTS] || !more) return;
    }
}

static void step(void *ctx, size_t chunk, size_t begin, size_t end)
{
    work *w = ctx;
    (void)begin;
    (void)end;
    if (chunk == 0) {
        unpack(w);
        return;
    }
    size_t k = chunk - 1;
    tdm_records_begin(w->records[k], &w->now->block[k]);
    w->st[k] = w->f->read(w->f->ctx, k, w->records[k], &w->now->block[k], &w->err[k]);
}

static tdm_status run_all(work *w, tdm_run *run, tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (size_t k = 0; !st && k < SLOTS; k++) st = tdm_records_open(&w->records[k], &w->r->shape, err);
    if (st) return st;
    w->now = &w->rounds[0];
    w->next = &w->rounds[1];
    for (;;) {
        tdm_pool_for(run ? run->pool : NULL, 1 + w->now->n, 1, step, w);
        for (size_t k = 0; !st && k < w->now->n; k++)
            if ((st = w->st[k]) && err) *err = w->err[k];
        if (!st && w->now->n) st = w->f->take(w->f->ctx, w->now->n, err);
        if (!st && (st = w->st[SLOTS]) && err) *err = w->err[SLOTS];
        if (st || !w->next->n) return st;
        round *was = w->now;
        w->now = w->next;
        w->next = was;
        was->n = 0;
    }
}

tdm_status tdm_feed_file(const tdm_feed *f, tdm_reader *r, tdm_run *run, tdm_err *err)
{
    work *w = tdm_new(1, sizeof *w);
    if (!w) return tdm_nomem(err, "a reader");
    w->f = f;
    w->r = r;
    tdm_status st = run_all(w, run, err);
    for (size_t k = 0; k < SLOTS; k++) {
        tdm_block_clear(&w->rounds[0].block[k]);
        tdm_block_clear(&w->rounds[1].block[k]);
        tdm_records_close(w->records[k]);
    }
    tdm_free(w);
    return st;
}
