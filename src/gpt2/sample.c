/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c - a draw among the few tokens that can come of it.
 *
 * A draw needs tokens in the order of their likelihood, but rarely more than some dozens of a vocabulary of 50,257. So
 * a bar is found first that no token below can matter under:
 *
 *     top_k      the top_k-th largest logit
 *     top_p      tokens below (1 - top_p) / n of the mass hold less than 1 - top_p together, so those above hold top_p
 *     min_p      the likeliest one's logit, less log(1 / min_p) of temperature
 *     none       the draw u in [0, 1) is made first: what it hits is the last of the tokens that hold u, as of a top_p
 *
 * Only what lies above is looked at. Where a count or a weight says enough it goes into a heap, from which the
 * likeliest is taken until then. Where a mass says so, thousands may come before: they are cast into bins by their
 * logit, and only the bin in which that mass is reached is put into order. Passes over the vocabulary skip blocks whose
 * largest logit is too small, which the kernel for maxima tells. */
#include "gpt2/sample.h"
#include "base/mem.h"
#include "kernels/kernels.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 64, BINS = 256, SPAN = 1024 }; /* SPAN: a sum of floats is no longer */

struct tdm_sampler {
    size_t V;
    float *logits; /* V: those of this draw, where they are not the caller's */
    float *work;   /* V: weights */
    uint32_t *at;  /* V: candidates, places in `value` */
    /* of this draw */
    const float *value;      /* n logits to draw from */
    const uint32_t *allowed; /* their tokens; NULL: the places are */
    size_t n;
    float top, per_unit; /* bins begin at the largest logit; so many for a unit below it */
    double bin[BINS];    /* the mass of the candidates in each */
};

tdm_status tdm_sampler_open(tdm_sampler **out, size_t V, tdm_err *err)
{
    *out = NULL;
    tdm_sampler *s = tdm_new(1, sizeof *s);
    if (!s) return tdm_nomem(err, "drawing tokens");
    s->V = V;
    s->logits = tdm_new(2 * V, sizeof *s->logits);
    s->work = tdm_new(V, sizeof *s->work);
    s->at = tdm_new(V, sizeof *s->at);
    if (s->logits && s->work && s->at) {
        *out = s;
        return TDM_OK;
    }
    tdm_sampler_close(s);
    return tdm_nomem(err, "drawing tokens");
}

void tdm_sampler_close(tdm_sampler *s)
{
    if (!s) return;
    tdm_free(s->logits);
    tdm_free(s->work);
    tdm_free(s->at);
    tdm_free(s);
}

double tdm_log_mass(const float *logits, size_t V)
{
    const tdm_kernels *k = tdm_kernels_best();
    float work[SPAN], most = k->max(logits, V);
    double sum = 0;
    for (size_t at = 0; at < V; at += SPAN)
        sum += (double)k->exp_sum(work, logits + at, most, V - at < SPAN ? V - at : SPAN);
    return (double)most + log(sum);
}

/* ---- the heap of candidates ---- */

static uint32_t token_of(const tdm_sampler *s, uint32_t place) { return s->allowed ? s->allowed[place] : place; }

/* Whether place a ranks before b: the likelier, equal ones by token. */
static bool before(const tdm_sampler *s, uint32_t a, uint32_t b)
{
    float x = s->value[a], y = s->value[b];
    return x > y || (x == y && token_of(s, a) < token_of(s, b));
}

/* The best is on top. */
static void sink(const tdm_sampler *s, uint32_t *heap, size_t n, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(s, heap[child + 1], heap[child])) child++;
        if (!before(s, heap[child], heap[at])) return;
        uint32_t x = heap[at];
        heap[at] = heap[child], heap[child] = x;
    }
}

/* ---- bars ---- */

/* The k-th largest value, k < n: a heap of k values with the least on top. */
static float kth(const tdm_sampler *s, size_t k)
{
    const tdm_kernels *f = tdm_kernels_best();
    float *heap = s->work, bar = -INFINITY;
    size_t m = 0;
    for (size_t b = 0; b < s->n; b += BLOCK) {
        size_t n = s->n - b < BLOCK ? s->n - b : BLOCK;
        if (m == k && !(f->max(s->value + b, n) > bar)) continue;
        for (size_t i = b; i < b + n; i++) {
            float x = s->value[i];
            size_t at = 0;
            if (m < k) {
                if (isnan(x)) continue;
                for (at = m++; at && heap[(at - 1) / 2] > x; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
                heap[at] = x;
            } else if (x > bar) {
                for (size_t child; (child = 2 * at + 1) < k; at = child) {
                    if (child + 1 < k && heap[child + 1] < heap[child]) child++;
                    if (heap[child] >= x) break;
                    heap[at] = heap[child];
                }
                heap[at] = x;
            }
            if (m == k) bar = heap[0];
        }
    }
    return m == k ? bar : -INFINITY;
}

/* sum of exp((value - most) / heat); what is NaN has none. */
static double mass_of(const tdm_sampler *s, float most, double heat)
{
    const tdm_kernels *k = tdm_kernels_best();
    const float *x = s->value;
    if (heat != 1) {
        k->scale(s->work, (float)(1 / heat), x, s->n);
        most = k->max(s->work, s->n);
        x = s->work;
    }
    double sum = 0;
    for (size_t at = 0; at < s->n; at += SPAN)
        sum += (double)k->exp_sum(s->work + at, x + at, most, s->n - at < SPAN ? s->n - at : SPAN);
    if (!isnan(sum)) return sum;
    sum = 0;
    for (size_t i = 0; i < s->n; i++) sum += isnan(s->work[i]) ? 0 : (double)s->work[i];
    return sum;
}

/* The places whose value is at least `bar`, into s->at; returns how many. */
static size_t collect(tdm_sampler *s, float bar)
{
    const tdm_kernels *k = tdm_kernels_best();
    size_t m = 0;
    for (size_t b = 0; b < s->n; b += BLOCK) {
        size_t n = s->n - b < BLOCK ? s->n - b : BLOCK;
        if (!(k->max(s->value + b, n) >= bar)) continue;
        for (size_t i = b; i < b + n; i++) { /* no branch: it would be guessed wrongly where many pass */
            s->at[m] = (uint32_t)i;
            m += s->value[i] >= bar;
        }
    }
    return m;
}

/* ---- bins ---- */

/* A larger logit is never in a later bin. */
static size_t bin_of(const tdm_sampler *s, uint32_t place)
{
    float x = (s->top - s->value[place]) * s->per_unit;
    return x < BINS - 1 ? (size_t)x : BINS - 1;
}

/* Casts n candidates at or above `bar`, whose weights mass_of() left in s->work. */
static void cast(tdm_sampler *s, size_t n, float most, float bar)
{
    s->top = most;
    s->per_unit = BINS / fmaxf(most - bar, BINS * FLT_MIN);
    memset(s->bin, 0, sizeof s->bin);
    for (size_t i = 0; i < n; i++) s->bin[bin_of(s, s->at[i])] += (double)s->work[s->at[i]];
}

typedef struct reached {
    uint32_t place;
    double before, mass; /* of those that rank before it, and with it */
} reached;

/* The first place, in the order of rank, with which the mass is `enough`, or above it; the last one where none is. */
static reached reach(tdm_sampler *s, size_t n, double enough, bool above)
{
    double sum = 0;
    size_t in = 0, m = 0;
    reached r = {0};
    for (size_t b = 0; b < BINS && !(above ? sum > enough : sum >= enough); b++) {
        if (!(s->bin[b] > 0)) continue;
        in = b;
        r.mass = sum;
        sum += s->bin[b];
    }
    for (size_t i = 0; i < n; i++) { /* those of that bin to the front */
        uint32_t x = s->at[i];
        s->at[i] = s->at[m];
        s->at[m] = x;
        m += bin_of(s, x) == in;
    }
    for (size_t i = m / 2; i-- > 0;) sink(s, s->at, m, i);
    do {
        r = (reached){s->at[0], r.mass, r.mass + (double)s->work[s->at[0]]};
        s->at[0] = s->at[--m];
        s->at[m] = r.place;
        sink(s, s->at, m, 0);
    } while (m && !(above ? r.mass > enough : r.mass >= enough));
    return r;
}

/* Among the fewest of n candidates that hold `share`, in proportion to their weights. */
static size_t draw_within(tdm_sampler *s, size_t n, double share, tdm_rng *rng)
{
    reached last = reach(s, n, share, false);
    if (!(last.before > 0)) return last.place;
    double u = tdm_rng_unit(rng) * last.mass;
    return u < last.before ? reach(s, n, u, true).place : last.place;
}

/* ---- a draw ---- */

/* The logits to draw from: the caller's where nothing is to be changed, else a copy. */
static void prepare(tdm_sampler *s, const float *logits, const tdm_choice *from, const tdm_sampling *how)
{
    float *own = s->logits, penalty = how->penalty;
    s->value = logits;
    s->allowed = from->allowed;
    s->n = from->allowed ? from->n : s->V;
    assert(s->n >= 1);
    if (penalty > 0 && penalty != 1 && from->n_said) {
        size_t first = how->window && how->window < from->n_said ? from->n_said - how->window : 0;
        memcpy(own, logits, s->V * sizeof *own);
        for (size_t i = first; i < from->n_said; i++) { /* a token said twice pays once */
            uint32_t t = from->said[i];
            if (t < s->V) own[t] = logits[t] > 0 ? logits[t] / penalty : logits[t] * penalty;
        }
        s->value = own;
        own += s->V;
    }
    if (!s->allowed) return;
    for (size_t i = 0; i < s->n; i++) own[i] = s->value[s->allowed[i]];
    s->value = own;
}

/* The place with the largest value, equal ones by token; s->n where there is none. */
static size_t likeliest(const tdm_sampler *s, float most)
{
    size_t best = s->n;
    for (size_t b = 0; b < s->n; b += BLOCK) {
        size_t n = s->n - b < BLOCK ? s->n - b : BLOCK;
        if (!(tdm_kernels_best()->max(s->value + b, n) == most)) continue;
        for (size_t i = b; i < b + n; i++)
            if (s->value[i] == most && (best == s->n || token_of(s, (uint32_t)i) < token_of(s, (uint32_t)best)))
                best = i;
    }
    return best;
}

/* The place drawn. */
static size_t draw(tdm_sampler *s, const tdm_sampling *how, tdm_rng *rng)
{
    float most = tdm_kernels_best()->max(s->value, s->n), bar = -INFINITY;
    if (!(how->temperature > 0) || s->n == 1 || !(most > -INFINITY) || most == INFINITY) return likeliest(s, most);
    double heat = (double)how->temperature, all = 0, least = fmin(fmax((double)how->min_p, 0), 1), draw = -1;
    double want = how->top_p > 0 && how->top_p < 1 ? (double)how->top_p : 1;
    size_t keep = how->top_k && how->top_k < s->n ? how->top_k : s->n;
    if (keep < s->n) bar = kth(s, keep);
    else if (want < 1 || !(least > 0)) {
        if (want == 1) want = draw = tdm_rng_unit(rng);
        all = mass_of(s, most, heat);
        /* a hundredth to spare: the mass is a sum of floats */
        bar = (float)((double)most + heat * log(0.99 * (1 - want) * all / (double)s->n));
    }
    if (least > 0 && want == 1) {
        float low = (float)((double)most + heat * (log(least) - 0.01));
        bar = low > bar ? low : bar;
    }
    size_t n = collect(s, bar), left = n, kept = 0, chosen = 0;
    if (all > 0 && !(least > 0)) {
        cast(s, n, most, bar);
        return draw < 0 ? draw_within(s, n, want * all, rng) : reach(s, n, draw * all, true).place;
    }
    if (keep > n) keep = n;
    for (size_t i = n / 2; i-- > 0;) sink(s, s->at, n, i);
    /* taken off the heap one by one and parked behind it: at[left .. n) falls in rank from its end */
    double total = 0;
    while (kept < keep) {
        uint32_t top = s->at[0];
        double weight = exp(((double)s->value[top] - (double)most) / heat);
        if (want == 1 && weight < least) break;
        s->at[0] = s->at[--left];
        s->at[left] = top;
        sink(s, s->at, left, 0);
        s->work[kept] = (float)weight;
        total += (double)s->work[kept++];
        if (all > 0 && total >= want * all) break;
    }
    if (want < 1) { /* the share is one of what top_k left; then min_p */
        double share = all > 0 ? want * all : want * total, sum = 0;
        size_t m = 0;
        for (; m < kept && sum < share && (double)s->work[m] >= least; m++) sum += (double)s->work[m];
        kept = m;
        total = sum;
    }
    double u = kept > 1 ? tdm_rng_unit(rng) * total : 0;
    while (chosen + 1 < kept && u >= (double)s->work[chosen]) u -= (double)s->work[chosen++];
    return s->at[n - 1 - chosen];
}

uint32_t tdm_sample(tdm_sampler *s, const float *logits, const tdm_choice *from, const tdm_sampling *how, tdm_rng *rng,
                    double *logp)
{
    double mass = logp ? tdm_log_mass(logits, s->V) : 0;
    prepare(s, logits, from, how);
    size_t place = draw(s, how, rng);
    uint32_t token = token_of(s, place < s->n ? (uint32_t)place : 0);
    if (logp) *logp = (double)logits[token] - mass;
    return token;
}
