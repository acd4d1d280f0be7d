/* SPDX-License-Identifier: Apache-2.0 */
#include "api/held.h"

#include "base/mem.h"
#include "text/terms.h"

#include <math.h>

static bool says(const tdm_dataset *d, uint32_t row)
{
    tdm_str word, review = tdm_strings_at(&d->review, row);
    return tdm_text_word(&word, &review);
}

static bool is_trained(const tdm_dataset *t, uint32_t user, uint32_t row)
{
    for (int64_t k = t->offset[user]; k < t->offset[user + 1]; k++)
        if (t->row[k] == row) return true;
    return false;
}

/* The held-out row in which `user` wrote about `item`: row k of the data, or -1. */
static int64_t row_of(const tdm_bundle *b, uint32_t user, uint32_t item, bool last)
{
    const tdm_dataset *d = b->data;
    int64_t found = -1;
    for (int64_t k = d->offset[user]; k < d->offset[user + 1] && (last || found < 0); k++)
        if (d->item[k] == item && says(d, d->row[k]) && !is_trained(b->split->train, user, d->row[k])) found = k;
    return found;
}

tdm_status tdm_held_find(tdm_held *out, const tdm_bundle *b, const tdm_questions *qs, bool validation, size_t most,
                         size_t each, tdm_err *err)
{
    const tdm_dataset *d = b->data;
    *out = (tdm_held){0};
    if (!d->row || !d->review.n || !d->summary.n) return TDM_OK;
    for (size_t q = 0; q < qs->n; q++) {
        size_t of_person = 0;
        for (int64_t t = qs->target_at[q]; t < qs->target_at[q + 1] && of_person < each && out->n < most; t++) {
            int64_t k = row_of(b, qs->user[q], qs->target[t], !validation);
            if (k < 0) continue;
            if (tdm_grow(&out->at, &out->cap, out->n + 1, sizeof *out->at)) {
                tdm_held_clear(out);
                return tdm_nomem(err, "the reviews held out");
            }
            out->at[out->n++] = (tdm_held_review){.history = tdm_questions_history(qs, q),
                                                  .user = qs->user[q],
                                                  .item = d->item[k],
                                                  .rating = d->rating ? d->rating[k] : NAN,
                                                  .row = d->row[k]};
            of_person++;
        }
    }
    return TDM_OK;
}

void tdm_held_clear(tdm_held *h)
{
    tdm_free(h->at);
    *h = (tdm_held){0};
}

/* The first `most` words of `text`, to the end of the last. */
static tdm_str beginning(tdm_str text, size_t most)
{
    tdm_str w = {0}, rest = text;
    size_t n = 0, end = 0;
    while (n < most && tdm_text_word(&w, &rest)) {
        end = (size_t)(w.p + w.n - text.p);
        n++;
    }
    return (tdm_str){text.p, end};
}

char *tdm_held_reference(const tdm_dataset *d, const tdm_held_review *r)
{
    enum { WORDS = 40 };
    tdm_buf all = {0};
    tdm_str summary = tdm_strings_at(&d->summary, r->row), review = tdm_strings_at(&d->review, r->row);
    tdm_buf_add(&all, summary.p, summary.n);
    tdm_buf_char(&all, '\n');
    tdm_buf_add(&all, review.p, review.n);
    tdm_str s = beginning((tdm_str){all.p, all.n}, WORDS);
    char *out = all.failed ? NULL : tdm_strndup(s.p, s.n);
    tdm_buf_clear(&all);
    return out;
}
