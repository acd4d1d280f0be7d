/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c - questions are asked in chunks over the pool, each chunk into arrays of its own. */
#include "hybrid/sample.h"

#include "base/mem.h"
#include "model/topk.h"

#include <math.h>
#include <string.h>

enum { GRAIN = 16, ROUND = 32 }; /* a round ends with progress */

typedef struct tdm_sample_piece {
    float *row;
    tdm_list *list; /* .row is set once row[] has stopped growing */
    size_t rows, row_cap, n, list_cap, asked;
    tdm_status st;
    tdm_err err;
} piece;

typedef struct asking {
    const tdm_fusion *f;
    const tdm_questions *qs;
    const uint32_t *question;
    size_t top, first;
    bool answered;
    piece *piece;
} asking;

/* One thread's room. */
typedef struct room {
    float *score;  /* 2 P x I, of the histories and of their last items */
    float *rank;   /* P x I, and I more */
    uint8_t *mark; /* I: 1 a candidate, 2 an answer */
    uint32_t *candidate, *best;
} room;

static size_t most_of(size_t top) { return top > TDM_FUSION_RANKED ? top : TDM_FUSION_RANKED; }

static bool in_history(const tdm_history *h, uint32_t item)
{
    for (size_t j = 0; j < h->n; j++)
        if (h->items[j] == item) return true;
    return false;
}

/* The candidates into r->candidate, marked, and all ranks; returns how many. */
static size_t gather(room *r, const asking *a, const tdm_history *h)
{
    size_t I = a->f->I, P = a->f->P, n = 0;
    for (size_t p = 0; p < P; p++) {
        const float *score = r->score + p * I;
        size_t m = tdm_fusion_best(a->f, r->best, r->rank + P * I, score, h, most_of(a->top));
        tdm_fusion_ranks(a->f, r->rank + p * I, p, r->best, m, score);
        for (size_t k = 0; k < m && k < a->top; k++)
            if (!r->mark[r->best[k]]) {
                r->mark[r->best[k]] = 1;
                r->candidate[n++] = r->best[k];
            }
    }
    return n;
}

static bool rows_add(piece *c, const room *r, const asking *a, const double *norm, const tdm_history *h, size_t n,
                     size_t hits)
{
    const tdm_fusion *f = a->f;
    size_t P = f->P, width = tdm_row_width(P);
    if (tdm_grow(&c->row, &c->row_cap, (c->rows + n) * width, sizeof *c->row)) return false;
    if (tdm_grow(&c->list, &c->list_cap, c->n + 1, sizeof *c->list)) return false;
    for (size_t k = 0; k < n; k++) {
        uint32_t i = r->candidate[k];
        float *row = c->row + (c->rows + k) * width;
        for (size_t v = 0; v < 2 * P; v++)
            row[v] = (float)tdm_opinion_at(r->score[v * f->I + i], f->part[v % P].form, norm[v], f->part[v % P].floor);
        for (size_t p = 0; p < P; p++) row[2 * P + p] = r->rank[p * f->I + i];
        row[tdm_row_people(P)] = f->people[i];
        row[tdm_row_seen(P)] = f->seen && in_history(h, i);
        row[tdm_row_target(P)] = r->mark[i] == 2 ? 1 / (float)hits : 0;
    }
    c->list[c->n++] = (tdm_list){.n = n, .length = log1p((double)h->n)};
    c->rows += n;
    return true;
}

static tdm_status ask(piece *c, room *r, const asking *a, size_t q, tdm_err *err)
{
    const tdm_fusion *f = a->f;
    double norm[2 * TDM_FUSION_MODELS];
    tdm_history h = tdm_questions_history(a->qs, q);
    tdm_status st = tdm_fusion_voices(f, r->score, norm, &h, err);
    if (st) return st;
    size_t n = gather(r, a, &h), hits = 0;
    for (int64_t t = a->qs->target_at[q]; a->answered && t < a->qs->target_at[q + 1]; t++) {
        uint32_t i = a->qs->target[t];
        if (!a->qs->target_counts[t] || i >= f->I || r->mark[i] != 1) continue;
        r->mark[i] = 2;
        hits++;
    }
    bool ok = n == 0 || (a->answered && !hits) || rows_add(c, r, a, norm, &h, n, hits);
    for (size_t k = 0; k < n; k++) r->mark[r->candidate[k]] = 0;
    c->asked++;
    return ok ? TDM_OK : tdm_nomem(err, "the candidates");
}

static void chunk_ask(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const asking *a = ctx;
    size_t I = a->f->I, P = a->f->P;
    piece *c = &a->piece[a->first / GRAIN + chunk];
    room r = {.score = tdm_new(I, 2 * P * sizeof *r.score),
              .rank = tdm_new(I, (P + 1) * sizeof *r.rank),
              .mark = tdm_new(I, 1),
              .candidate = tdm_new(a->top, P * sizeof *r.candidate),
              .best = tdm_new(most_of(a->top), sizeof *r.best)};
    c->st = r.score && r.rank && r.mark && r.candidate && r.best ? TDM_OK : tdm_nomem(&c->err, "the candidates");
    for (size_t k = begin; k < end && !c->st; k++) c->st = ask(c, &r, a, a->question[a->first + k], &c->err);
    tdm_free(r.score);
    tdm_free(r.rank);
    tdm_free(r.mark);
    tdm_free(r.candidate);
    tdm_free(r.best);
}

static tdm_status join(tdm_sample *s, size_t width, tdm_err *err)
{
    for (size_t c = 0; c < s->pieces; c++)
        s->n += s->piece[c].n, s->rows += s->piece[c].rows, s->asked += s->piece[c].asked;
    s->list = tdm_new(s->n, sizeof *s->list);
    if (!s->list) return tdm_nomem(err, "the candidates");
    for (size_t c = 0, at = 0; c < s->pieces; c++) {
        const float *row = s->piece[c].row;
        for (size_t k = 0; k < s->piece[c].n; k++) {
            s->list[at] = s->piece[c].list[k];
            s->list[at++].row = row;
            row += s->piece[c].list[k].n * width;
        }
    }
    return TDM_OK;
}

static bool counts(const tdm_questions *qs, size_t q)
{
    for (int64_t t = qs->target_at[q]; t < qs->target_at[q + 1]; t++)
        if (qs->target_counts[t]) return true;
    return false;
}

/* The questions with a counted target (or all) into question[]; returns how many. */
static size_t choose(uint32_t *question, const tdm_questions *qs, size_t most, bool answered)
{
    size_t n = 0;
    for (size_t q = 0; q < qs->n && n < most; q++)
        if (!answered || counts(qs, q)) question[n++] = (uint32_t)q;
    return n;
}

tdm_status tdm_sample_make(tdm_sample *out, const tdm_fusion *f, const tdm_questions *qs, size_t top, size_t most,
                           bool answered, tdm_run *run, tdm_err *err)
{
    *out = (tdm_sample){0};
    if (top > f->I) top = f->I;
    uint32_t *question = tdm_new(qs->n, sizeof *question);
    if (!question) return tdm_nomem(err, "the questions");
    asking a = {.f = f, .qs = qs, .question = question, .top = top, .answered = answered};
    size_t n = choose(question, qs, most, answered);
    out->pieces = tdm_chunks(n, GRAIN);
    out->piece = a.piece = tdm_new(out->pieces, sizeof *out->piece);
    tdm_status st = a.piece ? TDM_OK : tdm_nomem(err, "the candidates");
    for (bool full = false; !st && !full && a.first < n; a.first += GRAIN * ROUND) {
        size_t some = n - a.first < GRAIN * ROUND ? n - a.first : GRAIN * ROUND;
        tdm_pool_for(run->pool, some, GRAIN, chunk_ask, &a);
        size_t rows = 0;
        for (size_t c = 0; c < out->pieces && !st; c++) {
            rows += a.piece[c].rows;
            if ((st = a.piece[c].st) && err) *err = a.piece[c].err;
        }
        full = rows * tdm_row_width(f->P) >= TDM_SAMPLE_CELLS;
        tdm_progress(run, "hybrid", a.first + some, n, "candidates");
        if (!st) st = tdm_run_check(run, "hybrid", err);
    }
    if (!st) st = join(out, tdm_row_width(f->P), err);
    tdm_free(question);
    if (st) tdm_sample_clear(out);
    return st;
}

void tdm_sample_clear(tdm_sample *s)
{
    for (size_t c = 0; c < s->pieces && s->piece; c++) {
        tdm_free(s->piece[c].row);
        tdm_free(s->piece[c].list);
    }
    tdm_free(s->piece);
    tdm_free(s->list);
    *s = (tdm_sample){0};
}
