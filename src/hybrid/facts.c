/* SPDX-License-Identifier: Apache-2.0 */
#include "hybrid/facts.h"

#include "base/mem.h"
#include "hybrid/tidy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

float tdm_facts_rating(const tdm_history *h, uint32_t item)
{
    for (size_t j = h->n; h->ratings && j-- > 0;)
        if (h->items[j] == item) return h->ratings[j];
    return NAN;
}

float tdm_facts_liked_from(const tdm_explain_input *in)
{
    const tdm_dataset *t = in->train;
    float upper = t->rating_low + 0.6f * (t->rating_high - t->rating_low);
    return in->positive_from > upper || !t->has_ratings ? in->positive_from : upper;
}

/* How good a row is to quote: 0 not at all. A good rating first, then a sentence of middling length. */
static double quote_worth(tdm_buf *work, tdm_str *sentence, const tdm_explain_input *in, size_t k)
{
    enum { LEAST = 20, BEST = 80 };
    const tdm_dataset *t = in->train;
    float r = t->rating ? t->rating[k] : NAN;
    if (r < tdm_facts_liked_from(in)) return 0;
    tdm_buf_reset(work);
    tdm_tidy(work, tdm_strings_at(&t->review, t->row[k]), 2000);
    *sentence = tdm_tidy_sentence((tdm_str){work->p, work->n}, LEAST, TDM_QUOTE_BYTES);
    if (!sentence->n) { /* a summary is short enough to stand whole */
        tdm_buf_reset(work);
        tdm_tidy(work, tdm_strings_at(&t->summary, t->row[k]), TDM_QUOTE_BYTES);
        *sentence = (tdm_str){work->p, work->n};
        if (work->n < LEAST / 2) return 0;
    }
    for (size_t i = 0; i < sentence->n; i++) /* quotes inside quotes read badly */
        if (sentence->p[i] == '"') return 0;
    double length = fabs((double)sentence->n - BEST) / TDM_QUOTE_BYTES;
    double rating = isfinite(r) && t->rating_high > t->rating_low
                        ? (double)((r - t->rating_low) / (t->rating_high - t->rating_low))
                        : 0.5;
    return 1 + 4 * rating - length;
}

/* Counts person u's rows [at, end). */
static void person_count(tdm_facts *f, const tdm_dataset *t, size_t at, size_t end)
{
    size_t here = SIZE_MAX, first[TDM_FACTS_NAMED];
    for (size_t j = 0; j < f->n_named; j++) first[j] = SIZE_MAX;
    for (size_t k = at; k < end; k++) {
        uint32_t i = t->item[k];
        if (i == f->in->item) {
            here = k; /* its last place */
            if (t->rating && isfinite(t->rating[k])) f->ratings++, f->rating_sum += (double)t->rating[k];
        }
        for (size_t j = 0; j < f->n_named; j++)
            if (i == f->named[j].item && first[j] == SIZE_MAX) first[j] = k;
    }
    f->people += here != SIZE_MAX;
    for (size_t j = 0; j < f->n_named; j++) {
        bool has = first[j] != SIZE_MAX;
        f->named[j].people += has;
        f->named[j].both += has && here != SIZE_MAX;
        if (!has || here == SIZE_MAX || here < first[j]) continue;
        bool timed = t->time && t->time[here] != TDM_NO_TIME; /* one instant is no order */
        f->named[j].after += !timed || t->time[here] > t->time[first[j]];
    }
}

tdm_status tdm_facts_find(tdm_facts *out, const tdm_explain_input *in, const tdm_evidence *e, tdm_err *err)
{
    const tdm_dataset *t = in->train;
    tdm_buf work = {0};
    double best = 0;
    *out = (tdm_facts){.in = in, .evidence = e};
    for (size_t k = 0; k < e->n_because && out->n_named < TDM_FACTS_NAMED; k++) {
        uint32_t i = e->because[k].item;
        if (i >= t->I || i == in->item || e->because[k].share < 0.05f) continue;
        out->named[out->n_named++] =
            (tdm_fact){.item = i, .liked = tdm_facts_rating(in->history, i) >= tdm_facts_liked_from(in)};
    }
    for (size_t u = 0; u < t->U; u++) {
        size_t at = (size_t)t->offset[u], end = (size_t)t->offset[u + 1];
        if (u == in->history->self) continue;
        person_count(out, t, at, end);
        for (size_t k = at; k < end; k++) {
            tdm_str s = {0};
            if (t->item[k] != in->item || !t->row || !t->review.n || !t->summary.n) continue;
            double worth = quote_worth(&work, &s, in, k);
            bool blocked = worth <= best;
            tdm_status st = blocked ? TDM_OK : tdm_block_find(in->block, &blocked, s, NULL, err);
            if (st) {
                tdm_buf_clear(&work);
                tdm_facts_clear(out);
                return st;
            }
            if (blocked) continue;
            best = worth;
            tdm_buf_reset(&out->quoted);
            tdm_buf_add(&out->quoted, s.p, s.n);
        }
    }
    out->quote = (tdm_str){out->quoted.p, out->quoted.n};
    bool failed = work.failed || out->quoted.failed;
    tdm_buf_clear(&work);
    if (!failed) return TDM_OK;
    tdm_facts_clear(out);
    return tdm_nomem(err, "a recommendation's facts");
}

void tdm_facts_clear(tdm_facts *f)
{
    tdm_buf_clear(&f->quoted);
    f->quote = (tdm_str){0};
}
