/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/tpe.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

static const double best_share = 0.25; /* of the trials make l, and MOST of them at most */
static const double width = 0.2;       /* of a Gaussian, before Scott's rule narrows it */
enum { MOST = 25, TRIES = 64 };

bool tdm_tried_better(const tdm_tried *a, const tdm_tried *b)
{
    if (a->steps != b->steps && a->value > -INFINITY && b->value > -INFINITY) return a->steps > b->steps;
    return a->value > b->value;
}

/* ---- points spread evenly ---- */

/* Point n of the recurrence in D dimensions, moved by what the seed draws: x_d = frac(shift_d + n g^-(d+1)), with g the
 * root above 1 of g^(D+1) = g + 1. */
static void spread(double *x, size_t D, size_t n, uint64_t seed)
{
    double g = 2;
    for (int i = 0; i < 64; i++) g = pow(1 + g, 1 / (double)(D + 1));
    tdm_rng r = tdm_rng_make(seed, 0, 0);
    for (size_t d = 0; d < D; d++) {
        double v = tdm_rng_unit(&r) + (double)n * pow(g, -(double)(d + 1));
        x[d] = v - floor(v);
    }
}

/* ---- densities ---- */

/* The Gaussians of one side: at the points of `of`, n of them. */
typedef struct density {
    const tdm_tried *const *of;
    size_t n, D;
    double width;
} density;

static density density_of(const tdm_tried *const *of, size_t n, size_t D)
{
    return (density){of, n, D, width * pow((double)(n ? n : 1), -1 / (double)(D + 4))};
}

static double below(double z) { return 0.5 * erfc(-z * M_SQRT1_2); } /* the normal distribution's */

static double at(const density *p, const double *x)
{
    double sum = 1; /* the even one */
    for (size_t k = 0; k < p->n; k++) {
        double product = 1;
        for (size_t d = 0; d < p->D; d++) {
            double m = p->of[k]->x[d], z = (x[d] - m) / p->width;
            double inside = below((1 - m) / p->width) - below(-m / p->width);
            product *= exp(-z * z / 2) / (sqrt(2 * M_PI) * p->width * inside);
        }
        sum += product;
    }
    return sum / (double)(p->n + 1);
}

static void draw(double *x, const density *p, tdm_rng *r)
{
    size_t k = (size_t)tdm_rng_below(r, p->n + 1);
    for (size_t d = 0; d < p->D; d++) {
        x[d] = tdm_rng_unit(r);
        for (int i = 0; k < p->n && i < TRIES; i++) {
            double v = p->of[k]->x[d] + p->width * tdm_rng_normal(r);
            if (v < 0 || v > 1) continue;
            x[d] = v;
            break;
        }
    }
}

/* ---- the whole ---- */

static bool known(const double *x, size_t D, const tdm_tried *tried, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        size_t same = 0;
        while (same < D && fabs(x[same] - tried[k].x[same]) < 1e-9) same++;
        if (same == D) return true;
    }
    return false;
}

/* Trials from the best down; of equal ones the earlier first. */
static void sort(const tdm_tried **order, const tdm_tried *tried, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        size_t to = k;
        for (; to && tdm_tried_better(&tried[k], order[to - 1]); to--) order[to] = order[to - 1];
        order[to] = &tried[k];
    }
}

tdm_status tdm_tpe_propose(double *x, const tdm_space *s, const tdm_tried *tried, size_t n, uint64_t seed, tdm_err *err)
{
    tdm_rng r = tdm_rng_make(seed, 1, n);
    if (n < TDM_TPE_SPREAD) {
        for (size_t i = 0; i < TRIES; i++) { /* points of a coarse space meet: on to the first that is new */
            spread(x, s->D, n + i * TDM_TPE_SPREAD, seed);
            tdm_space_snap(x, s);
            if (!known(x, s->D, tried, n)) break;
        }
        return TDM_OK;
    }
    const tdm_tried **order = tdm_new(n, sizeof *order);
    if (!order) return tdm_nomem(err, "a search");
    sort(order, tried, n);
    size_t best = (size_t)ceil(best_share * (double)n);
    if (best > MOST) best = MOST;
    const density l = density_of(order, best, s->D), g = density_of(order + best, n - best, s->D);
    double most = -1;
    for (size_t i = 0; i < TDM_TPE_DRAWN; i++) {
        double y[TDM_MAX_PARAMS];
        draw(y, &l, &r);
        tdm_space_snap(y, s);
        double ratio = at(&l, y) / at(&g, y);
        if (known(y, s->D, tried, n)) ratio = 0; /* only where nothing else was drawn */
        if (!(ratio > most)) continue;
        most = ratio;
        memcpy(x, y, s->D * sizeof *x);
    }
    tdm_free(order);
    return TDM_OK;
}
