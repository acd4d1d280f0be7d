/* SPDX-License-Identifier: Apache-2.0 */
#include "cf/similar.h"
#include "base/mem.h"
#include "base/status.h"
#include "cf/recency.h"

#include <math.h>

tdm_status tdm_people_make(tdm_people *out, tdm_rows *rows, const tdm_baseline *base, double iuf_power, tdm_err *err)
{
    tdm_people p = {.rows = *rows};
    const tdm_rows *r = &p.rows;
    *rows = (tdm_rows){0};
    *out = (tdm_people){0};
    p.residual = tdm_new(r->N, sizeof *p.residual);
    p.b = tdm_new(r->I, sizeof *p.b);
    p.length = tdm_new(r->U, sizeof *p.length);
    p.centred = tdm_new(r->U, sizeof *p.centred);
    if (!p.residual || !p.b || !p.length || !p.centred) {
        tdm_people_clear(&p);
        return tdm_nomem(err, "the people of user-knn");
    }
    for (size_t i = 0; i < r->I; i++) {
        double n = (double)tdm_rows_count(r, i);
        p.b[i] = n > 0 ? pow(log1p((double)r->U / n), iuf_power) : 0;
    }
    for (size_t u = 0; u < r->U; u++) {
        size_t at = (size_t)r->offset[u], n = (size_t)r->offset[u + 1] - at;
        tdm_history h = {.items = r->item + at, .ratings = r->rating + at, .n = n};
        double offset = tdm_baseline_user(base, &h), length = 0, centred = 0;
        for (size_t k = at; k < at + n; k++) {
            double e = (double)r->rating[k] - tdm_baseline_at(base, offset, r->item[k]);
            p.residual[k] = (float)e;
            if (isfinite(e)) centred += e * e;
            length += p.b[r->item[k]] * p.b[r->item[k]];
        }
        p.length[u] = sqrt(length);
        p.centred[u] = sqrt(centred);
    }
    tdm_free(p.rows.rating); /* the residuals say it all */
    p.rows.rating = NULL;
    *out = p;
    return TDM_OK;
}

void tdm_people_clear(tdm_people *p)
{
    tdm_rows_clear(&p->rows);
    tdm_free(p->residual);
    tdm_free(p->b);
    tdm_free(p->length);
    tdm_free(p->centred);
    *p = (tdm_people){0};
}

/* ---- the history ---- */

tdm_status tdm_probe_make(tdm_probe *out, const tdm_people *p, const tdm_baseline *base, const tdm_history *h,
                          tdm_similarity kind, double decay, tdm_err *err)
{
    *out = (tdm_probe){0};
    tdm_recency r;
    tdm_status st = tdm_recency_make(&r, h, kind == TDM_COSINE ? decay : 1, p->rows.I, err);
    if (st) return st;
    double *a = r.weight, user = kind == TDM_COSINE ? 0 : tdm_baseline_user(base, h), length = 0;
    size_t n = 0;
    for (size_t j = 0; j < r.n; j++) { /* in place: n never runs ahead of j */
        double e = r.weight[j] * p->b[r.item[j]];
        if (kind != TDM_COSINE)
            e = h->ratings ? (double)h->ratings[r.at[j]] - tdm_baseline_at(base, user, r.item[j]) : (double)NAN;
        if (!isfinite(e) || e == 0) continue;
        r.item[n] = r.item[j];
        r.at[n] = r.at[j];
        a[n++] = e;
        length += e * e;
    }
    *out =
        (tdm_probe){.kind = kind, .n = n, .item = r.item, .at = r.at, .a = a, .length = sqrt(length), .self = h->self};
    return TDM_OK;
}

void tdm_probe_clear(tdm_probe *q)
{
    tdm_free(q->item);
    tdm_free(q->at);
    tdm_free(q->a);
    *q = (tdm_probe){0};
}

/* ---- who is like it ---- */

struct tdm_meeting { /* what is known of one person while the index is walked */
    double sum, own, theirs;
    uint32_t count;
};

tdm_status tdm_similar_make(tdm_similar *out, const tdm_people *p, tdm_err *err)
{
    size_t U = p->rows.U;
    tdm_similar s = {.user = tdm_new(U, sizeof *s.user),
                     .s = tdm_new(U, sizeof *s.s),
                     .of = tdm_new(U, sizeof *s.of),
                     .anchor = tdm_new(U, sizeof *s.anchor),
                     .meeting = tdm_new(U, sizeof *s.meeting)};
    *out = s;
    if (s.user && s.s && s.of && s.anchor && s.meeting) return TDM_OK;
    tdm_similar_clear(out);
    return tdm_nomem(err, "a search for similar people");
}

void tdm_similar_clear(tdm_similar *s)
{
    tdm_free(s->user);
    tdm_free(s->s);
    tdm_free(s->of);
    tdm_free(s->anchor);
    tdm_free(s->meeting);
    *s = (tdm_similar){0};
}

void tdm_similar_find(tdm_similar *s, const tdm_people *p, const tdm_probe *q, double shrink)
{
    const tdm_rows *r = &p->rows;
    for (size_t k = 0; k < s->n; k++) s->of[s->user[k]] = 0;
    size_t met = 0, n = 0;
    for (size_t j = 0; j < q->n; j++)
        for (int64_t k = r->from[q->item[j]]; k < r->from[q->item[j] + 1]; k++) {
            uint32_t v = r->user[k];
            double a = q->a[j], x = p->b[q->item[j]];
            if (v == q->self) continue;
            if (q->kind != TDM_COSINE) {
                x = (double)p->residual[r->offset[v] + r->place[k]];
                if (!isfinite(x)) continue;
            }
            struct tdm_meeting *m = &s->meeting[v];
            if (!m->count++) {
                s->user[met++] = v;
                s->anchor[v] = r->place[k];
            }
            m->sum += a * x;
            m->own += a * a;
            m->theirs += x * x;
        }
    for (size_t k = 0; k < met; k++) {
        uint32_t v = s->user[k];
        struct tdm_meeting *m = &s->meeting[v];
        double length = q->kind == TDM_COSINE    ? q->length * p->length[v]
                        : q->kind == TDM_PEARSON ? sqrt(m->own * m->theirs)
                                                 : q->length * p->centred[v];
        double x = length > 0 ? m->sum / length * m->count / (m->count + shrink) : 0;
        *m = (struct tdm_meeting){0};
        if (!(x > 0)) continue;
        s->user[n] = v;
        s->s[n++] = s->of[v] = (float)x;
    }
    s->n = n;
}

double tdm_similar_term(const tdm_people *p, const tdm_probe *q, size_t j, uint32_t v)
{
    const tdm_rows *r = &p->rows;
    int64_t low = r->from[q->item[j]], end = r->from[q->item[j] + 1], high = end;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if (r->user[mid] < v) low = mid + 1;
        else high = mid;
    }
    if (low == end || r->user[low] != v) return 0;
    if (q->kind == TDM_COSINE) return q->a[j] * p->b[q->item[j]];
    double e = (double)p->residual[r->offset[v] + r->place[low]];
    return isfinite(e) ? q->a[j] * e : 0;
}
