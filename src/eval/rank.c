/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/rank.h"

#include "base/mem.h"

enum { BATCH = 64, CHUNKS = 32 }; /* questions to a chunk; chunks between two looks at progress and cancel */

typedef struct block {
    const tdm_rank_job *job;
    uint32_t *list, *found;
    size_t first; /* place in job->asked where this block begins */
    tdm_status st[CHUNKS];
    tdm_err err[CHUNKS];
} block;

static void rank_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    block *b = ctx;
    const tdm_rank_job *job = b->job;
    size_t B = end - begin, at = b->first + begin, n[BATCH];
    tdm_history h[BATCH];
    float *own = job->scores ? NULL : tdm_new(B * sizeof *own, job->k);
    float *best = job->scores ? job->scores + at * job->k : own;
    if (!best) {
        b->st[chunk] = tdm_nomem(&b->err[chunk], "a batch of rankings");
        return;
    }
    for (size_t i = 0; i < B; i++) h[i] = tdm_questions_history(job->questions, job->asked[at + i]);
    const tdm_wanted w = {.k = job->k, .filter_seen = job->seen == TDM_SEEN_FILTER, .barred = job->questions->barred};
    const tdm_ranked out = {b->list + at * job->k, best, n};
    b->st[chunk] = tdm_diverse_topk(job->model, &out, h, B, &w, job->I, job->unlike, &b->err[chunk]);
    for (size_t i = 0; !b->st[chunk] && i < B; i++) b->found[at + i] = (uint32_t)n[i];
    tdm_free(own);
}

tdm_status tdm_rank(uint32_t *list, uint32_t *found, const tdm_rank_job *job, tdm_pool *pool, tdm_run *run,
                    tdm_err *err)
{
    const char *name = job->model->ops->name;
    block *b = tdm_new(1, sizeof *b);
    if (!b) return tdm_nomem(err, "an evaluation");
    *b = (block){.job = job, .list = list, .found = found};
    tdm_status st = TDM_OK;
    while (!st && b->first < job->n) {
        size_t n = job->n - b->first < BATCH * CHUNKS ? job->n - b->first : BATCH * CHUNKS;
        tdm_progress(run, "evaluate", b->first, job->n, name);
        tdm_pool_for(pool, n, BATCH, rank_chunk, b);
        for (size_t c = 0; !st && c < tdm_chunks(n, BATCH); c++)
            if ((st = b->st[c]) && err) *err = b->err[c];
        b->first += n;
        if (!st) st = tdm_run_check(run, "evaluate", err);
    }
    if (!st) tdm_progress(run, "evaluate", job->n, job->n, name);
    tdm_free(b);
    return st;
}

size_t tdm_questions_asked(uint32_t *asked, const tdm_questions *qs)
{
    size_t n = 0;
    for (size_t q = 0; q < qs->n; q++) {
        bool counts = false;
        for (int64_t t = qs->target_at[q]; !counts && t < qs->target_at[q + 1]; t++) counts = qs->target_counts[t];
        if (counts) asked[n++] = (uint32_t)q;
    }
    return n;
}
