/* SPDX-License-Identifier: Apache-2.0 */
/* factors_topk.c - the best of x . y over the catalogue for many people, in one pass that keeps only what can still be
 * among their best.
 *
 * A panel is TDM_WIDE people: their factors lie across, their bars (each one's k-th best so far) in one vector beside
 * them. The kernel `above` runs a panel down the items and stops where a product is above its bar; the few that are go
 * into heaps, which raises the bars. In a catalogue in no order the i-th item is among the best k with probability k /
 * i, so a person's heap is touched about k (1 + ln(I / k)) times, not I times.
 *
 * What may not be in a list is a bit for each item and person of the panel: the mask of all and the histories, so a
 * whole block is filtered by one AND, and an item that is left out costs no more than one that does not pass. The items
 * are cut into tiles that stay in the second cache while all panels of the batch pass over them. */
#include "model/factors_topk.h"

#include "base/mem.h"
#include "base/status.h"
#include "kernels/kernels.h"
#include "model/topk.h"

#include <math.h>
#include <string.h>

enum { TILE = 512 * 1024, PANELS = 4, ENOUGH = 5 }; /* bytes of items; panels of a round; people worth a panel */

typedef struct panel {
    float *Z;      /* K x TDM_WIDE */
    uint64_t *out; /* I: bit c is set where the item stays out of person c's list */
    float least[TDM_WIDE];
    tdm_best best[TDM_WIDE];
    size_t n;
} panel;

static void panel_put(panel *p, const tdm_factors *f, const float *X, size_t n)
{
    memset(p->Z, 0, f->K * TDM_WIDE * sizeof *p->Z);
    for (size_t c = 0; c < n; c++)
        for (size_t k = 0; k < f->K; k++) p->Z[k * TDM_WIDE + c] = X[c * f->K + k];
    for (size_t c = 0; c < TDM_WIDE; c++) p->least[c] = c < n ? -INFINITY : INFINITY;
    p->n = n;
}

/* ---- every score ---- */

static void scores_of_panel(float *scores, const panel *p, const tdm_factors *f)
{
    float P[TDM_BLOCK * TDM_WIDE];
    uint64_t hit[TDM_BLOCK];
    const tdm_kernels *k = tdm_kernels_best();
    size_t rows;
    for (size_t i = 0; i < f->I; i += rows) {
        i += k->above(P, hit, &rows, f->item + i * f->K, f->I - i, f->K, p->Z, p->least);
        for (size_t r = 0; i < f->I && r < rows; r++)
            for (uint64_t bits = hit[r]; bits; bits &= bits - 1) {
                size_t c = (size_t)__builtin_ctzll(bits);
                scores[c * f->I + i + r] = P[r * TDM_WIDE + c];
            }
    }
}

tdm_status tdm_factors_score(float *scores, const tdm_factors *f, const float *X, size_t B, tdm_err *err)
{
    panel p = {0};
    size_t from = 0;
    for (; B - from >= ENOUGH; from += p.n) {
        if (!p.Z && !(p.Z = tdm_new(f->K, TDM_WIDE * sizeof *p.Z))) return tdm_nomem(err, "scores");
        panel_put(&p, f, X + from * f->K, B - from < TDM_WIDE ? B - from : TDM_WIDE);
        for (size_t i = from * f->I; i < (from + p.n) * f->I; i++) scores[i] = -INFINITY; /* NaN is above no bar */
        scores_of_panel(scores + from * f->I, &p, f);
    }
    for (; from < B; from++) tdm_kernels_best()->products(scores + from * f->I, f->item, f->I, f->K, X + from * f->K);
    for (size_t i = 0; i < B * f->I; i++)
        if (scores[i] == 0 || !isfinite(scores[i])) scores[i] = -INFINITY;
    tdm_free(p.Z);
    return TDM_OK;
}

/* ---- the best ---- */

static void pass(panel *p, const tdm_factors *f, size_t from, size_t to)
{
    float P[TDM_BLOCK * TDM_WIDE];
    uint64_t hit[TDM_BLOCK];
    const tdm_kernels *k = tdm_kernels_best();
    size_t rows;
    for (size_t i = from; i < to; i += rows) {
        i += k->above(P, hit, &rows, f->item + i * f->K, to - i, f->K, p->Z, p->least);
        for (size_t r = 0; i < to && r < rows; r++)
            for (uint64_t bits = hit[r] & ~p->out[i + r]; bits; bits &= bits - 1) {
                size_t c = (size_t)__builtin_ctzll(bits);
                float s = P[r * TDM_WIDE + c];
                if (!(s > p->least[c]) || s == 0 || s == INFINITY)
                    continue; /* the bar rose inside the block; no opinion */
                tdm_best_offer(&p->best[c], (uint32_t)(i + r), s);
                p->least[c] = tdm_best_bar(&p->best[c]);
            }
    }
}

static void history_mark(panel *p, const tdm_history *h, size_t I, bool on)
{
    for (size_t c = 0; c < p->n; c++)
        for (size_t j = 0; j < h[c].n; j++) {
            uint32_t i = h[c].items[j];
            if (i >= I) continue;
            if (on) p->out[i] |= (uint64_t)1 << c;
            else p->out[i] &= ~((uint64_t)1 << c);
        }
}

static void panel_begin(panel *p, const tdm_ranked *out, const tdm_factors *f, const float *X, const tdm_history *h,
                        size_t n, const tdm_wanted *w)
{
    panel_put(p, f, X, n);
    for (size_t c = 0; c < n; c++) {
        p->best[c] = (tdm_best){.items = out->items + c * w->k, .scores = out->scores + c * w->k, .k = w->k};
        p->least[c] = tdm_best_bar(&p->best[c]);
    }
    if (w->filter_seen) history_mark(p, h, f->I, true);
}

static void panel_end(panel *p, size_t *n, const tdm_factors *f, const tdm_history *h, const tdm_wanted *w)
{
    for (size_t c = 0; c < p->n; c++) {
        tdm_best_sort(&p->best[c]);
        n[c] = p->best[c].n;
    }
    if (!w->filter_seen) return;
    history_mark(p, h, f->I, false);
    for (size_t i = 0; w->barred && i < f->I; i++)
        if (w->barred[i]) p->out[i] = UINT64_MAX;
}

static tdm_status panels_open(panel *p, size_t n, const tdm_factors *f, const tdm_wanted *w, tdm_err *err)
{
    for (size_t q = 0; q < n; q++) {
        p[q].Z = tdm_new(f->K, TDM_WIDE * sizeof *p->Z);
        p[q].out = tdm_new(f->I, sizeof *p->out);
        if (!p[q].Z || !p[q].out) return tdm_nomem(err, "a batch of rankings");
        for (size_t i = 0; w->barred && i < f->I; i++)
            if (w->barred[i]) p[q].out[i] = UINT64_MAX;
    }
    return TDM_OK;
}

/* Fewer than a panel is worth: a row of scores, again and again. */
static tdm_status few(const tdm_ranked *out, const tdm_factors *f, const float *X, const tdm_history *h, size_t B,
                      const tdm_wanted *w, tdm_err *err)
{
    float *row = tdm_new(f->I, sizeof *row);
    tdm_status st = row ? TDM_OK : tdm_nomem(err, "a row of scores");
    for (size_t b = 0; !st && b < B; b++) {
        st = tdm_factors_score(row, f, X + b * f->K, 1, err);
        if (!st) out->n[b] = tdm_topk_wanted(out->items + b * w->k, out->scores + b * w->k, row, f->I, &h[b], w);
    }
    tdm_free(row);
    return st;
}

tdm_status tdm_factors_topk(const tdm_ranked *out, const tdm_factors *f, const float *X, const tdm_history *h, size_t B,
                            const tdm_wanted *w, tdm_err *err)
{
    if (B < ENOUGH) return few(out, f, X, h, B, w, err);
    panel p[PANELS] = {0};
    size_t tile = TILE / (f->K * sizeof *X) / TDM_BLOCK * TDM_BLOCK + TDM_BLOCK;
    tdm_status st = panels_open(p, tdm_chunks(B, TDM_WIDE) < PANELS ? tdm_chunks(B, TDM_WIDE) : PANELS, f, w, err);
    for (size_t from = 0; !st && from < B; from += PANELS * TDM_WIDE) {
        size_t n = 0;
        for (size_t at = from; n < PANELS && at < B; n++, at += TDM_WIDE) {
            const tdm_ranked list = {out->items + at * w->k, out->scores + at * w->k, NULL};
            panel_begin(&p[n], &list, f, X + at * f->K, h + at, B - at < TDM_WIDE ? B - at : TDM_WIDE, w);
        }
        for (size_t i = 0; i < f->I; i += tile)
            for (size_t q = 0; q < n; q++) pass(&p[q], f, i, f->I - i < tile ? f->I : i + tile);
        for (size_t q = 0; q < n; q++) panel_end(&p[q], out->n + from + q * TDM_WIDE, f, h + from + q * TDM_WIDE, w);
    }
    for (size_t q = 0; q < PANELS; q++) {
        tdm_free(p[q].Z);
        tdm_free(p[q].out);
    }
    return st;
}
