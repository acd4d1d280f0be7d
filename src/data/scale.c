/* SPDX-License-Identifier: Apache-2.0 */
#include "data/scale.h"

#include "base/mem.h"

#include <float.h>

static const double highs[] = {5, 10, 100, DBL_MAX};
enum { LEVELS = 4, BATCH = 1000, MOST = 16 << 20 }; /* MOST: bytes of records that are remembered */

void tdm_scale_clear(tdm_scale *s)
{
    tdm_free(s->out);
    tdm_buf_clear(&s->bytes);
    *s = (tdm_scale){0};
}

/* Goes to a wider scale for as long as one of ten ratings lies outside. */
static void widen(tdm_scale *s, bool *negative)
{
    size_t below = 0;
    for (size_t i = 0; i < s->n; i++) below += s->out[i].rating < 0;
    *negative = below * 10 > s->rated;
    for (;;) {
        size_t kept = 0, above = 0;
        for (size_t i = 0; i < s->n; i++) {
            double r = s->out[i].rating;
            if (r > highs[s->level]) above++;
            if (r > highs[s->level] || r < 0) s->out[kept++] = s->out[i];
        }
        s->n = kept;
        if (s->level + 1 == LEVELS || above * 10 <= s->rated) return;
        s->level++;
    }
}

double tdm_scale_high(const tdm_scale *s) { return highs[s->level]; }

bool tdm_scale_add(tdm_scale *s, size_t rated, const tdm_outside *where, size_t n, tdm_str raw)
{
    bool negative;
    s->rated += rated;
    for (size_t i = 0; i < n; i++) {
        if (where[i].rating >= 0 && where[i].rating <= highs[s->level]) continue;
        if (tdm_grow(&s->out, &s->cap, s->n + 1, sizeof *s->out)) return false;
        tdm_outside *o = &s->out[s->n++];
        *o = where[i];
        o->at = s->bytes.n;
        o->n = s->bytes.n + o->n < MOST ? o->n : 0;
        tdm_buf_add(&s->bytes, raw.p + where[i].at, o->n);
        if (s->n % BATCH == 0) widen(s, &negative);
    }
    return !s->bytes.failed;
}

void tdm_scale_end(tdm_scale *s, double *low, double *high, bool *none)
{
    bool negative;
    size_t kept = 0, ones = 0, below = 0;
    widen(s, &negative);
    for (size_t i = 0; i < s->n; i++) {
        below += s->out[i].rating < 0;
        ones += s->out[i].rating == -1;
    }
    *none = below && ones == below && s->level + 1 < LEVELS;
    *low = negative && !*none ? -DBL_MAX : 0;
    *high = highs[s->level];
    for (size_t i = 0; i < s->n; i++) {
        double r = s->out[i].rating;
        if ((r > *high || r < *low) && !(*none && r == -1)) s->out[kept++] = s->out[i];
    }
    s->n = kept;
}
