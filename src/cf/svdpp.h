/* SPDX-License-Identifier: Apache-2.0 */
/* svdpp.h - the parts of svdpp, on arrays: svdpp.c makes a model of them. Inside this folder only.
 *
 *     rating(u, i) = mean + x_u . y_i      x_u = (taste of u, 1, offset of u)      y_i = (traits of i, offset of i, 1)
 *
 * A person's last number but one is held at 1, an item's last: so offsets are factors like others. */
#ifndef TDM_CF_SVDPP_H
#define TDM_CF_SVDPP_H

#include "cf/grid.h"

enum { TDM_SVDPP_MOST = 256, TDM_SVDPP_TILE = 64 };

/* What a history is folded into. */
typedef struct tdm_svdpp_space {
    size_t I, K;
    const float *item;    /* I x K */
    const float *implied; /* I x K: what choosing an item says by itself, or NULL */
    double mean;
    double pull, power; /* a person with n ratings is pulled with pull * n^power */
} tdm_svdpp_space;

/* x = A^-1 (l c + sum over rated j: (r_j - mean - offset_j) y_j)
 * A = l + sum over rated j: y_j y_j'         c = 1 / sqrt(n) * sum over all n of the history: implied_j      l: the
 * pull
 *
 * What one fold needs; opened once, used for one history after another. */
typedef struct tdm_svdpp_fold {
    float *A;    /* K x K; factored after tdm_svdpp_fold_factor */
    float *b;    /* K */
    float *X;    /* TILE x K */
    float *v;    /* TILE */
    double pull; /* l of this history */
    double each; /* 1 / sqrt(n) */
} tdm_svdpp_fold;

tdm_status tdm_svdpp_fold_open(tdm_svdpp_fold *q, const tdm_svdpp_space *s, tdm_err *err);
void tdm_svdpp_fold_close(tdm_svdpp_fold *q); /* all-zero is fine */

/* For a history of n items, each once, with their ratings (NaN: none; or NULL: none at all). False: lost to rounding.
 */
bool tdm_svdpp_fold_factor(tdm_svdpp_fold *q, const tdm_svdpp_space *s, const uint32_t *items, const float *ratings,
                           size_t n);
/* x[K] from that; b is destroyed. */
void tdm_svdpp_fold_solve(tdm_svdpp_fold *q, const tdm_svdpp_space *s, float *x);

/* ---- what choosing says: implied_j, regressed from where people stand (svdpp_implied.c) ---- */

typedef struct tdm_svdpp_implied tdm_svdpp_implied;

/* Y[I x K] are the implied rows, P[U x K] where people stand less C[U x K], what their choices imply. */
tdm_status tdm_svdpp_implied_open(tdm_svdpp_implied **out, const tdm_rows *r, size_t K, float *P, float *C, float *Y,
                                  double power, double pull, tdm_run *run, tdm_err *err);
void tdm_svdpp_implied_step(tdm_svdpp_implied *w, size_t steps);
void tdm_svdpp_implied_close(tdm_svdpp_implied *w); /* NULL is fine */

/* ---- training ---- */

typedef struct tdm_svdpp_rules {
    size_t K;
    double rate, slowing;   /* the rate of epoch t is rate * slowing^t */
    double pull, pull_item; /* of people, of items, per rating */
    double power;           /* a row with n ratings is pulled with pull * n^power in all */
    bool implied;
    double pull_implied;
    size_t steps;
} tdm_svdpp_rules;

typedef struct tdm_svdpp_training tdm_svdpp_training;

/* Q[I x K] and Y (NULL without `implied`) are the caller's and become the model. */
tdm_status tdm_svdpp_training_open(tdm_svdpp_training **out, const tdm_svdpp_rules *rules, const tdm_rows *r,
                                   double mean, float *Q, float *Y, tdm_run *run, tdm_err *err);
/* One epoch; *rmse: of the ratings as they were met. Factors that grow beyond all bounds are TDM_E_ARG. */
tdm_status tdm_svdpp_training_epoch(tdm_svdpp_training *w, size_t t, double *rmse, tdm_err *err);
void tdm_svdpp_training_close(tdm_svdpp_training *w); /* NULL is fine */

/* ---- ratings kept back, to see how long to train (svdpp_held.c) ---- */

typedef struct tdm_svdpp_held {
    size_t n, people;
    uint32_t *who;  /* people */
    size_t *from;   /* people + 1; where a person's begin */
    uint32_t *item; /* n */
    float *rating;  /* n */
} tdm_svdpp_held;

/* Draws `share` of the ratings of at most `most` people, themselves drawn, and leaves `r` without them. */
tdm_status tdm_svdpp_held_take(tdm_svdpp_held *out, tdm_rows *r, double share, size_t most, tdm_run *run, tdm_err *err);
void tdm_svdpp_held_clear(tdm_svdpp_held *h); /* all-zero is fine */

/* Predicts each from its person's rows in `r`, as any stranger's: *rmse is of predictions clipped to low .. high; shift
 * and slope make the line shift + slope * prediction that is nearest to the ratings. */
tdm_status tdm_svdpp_held_ask(const tdm_svdpp_held *h, double *rmse, double *shift, double *slope,
                              const tdm_svdpp_space *s, const tdm_rows *r, double low, double high, tdm_run *run,
                              tdm_err *err);

#endif
