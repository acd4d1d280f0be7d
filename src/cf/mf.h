/* SPDX-License-Identifier: Apache-2.0 */
/* mf.h - the sampling part of mf, on arrays: mf.c makes a model of it. Inside this folder only. */
#ifndef TDM_CF_MF_H
#define TDM_CF_MF_H

#include "base/run.h"

#include <stdint.h>

enum { TDM_MF_MOST = 64 }; /* factors */

/* Ratings from one side: row r has at[from[r] .. from[r + 1]) and their values, mean 0 and variance 1. */
typedef struct tdm_mf_lists {
    size_t n;
    const int64_t *from;
    const uint32_t *at;
    const float *value;
} tdm_mf_lists;

/* Where rows of one side are drawn from: N(mean, precision^-1). pull = precision * mean. */
typedef struct tdm_mf_prior {
    float *precision; /* K x K, symmetric */
    float *pull;      /* K */
} tdm_mf_prior;

typedef struct tdm_mf tdm_mf;

tdm_status tdm_mf_open(tdm_mf **out, size_t K, const tdm_mf_lists *people, const tdm_mf_lists *items, tdm_run *run,
                       tdm_err *err);
void tdm_mf_close(tdm_mf *w); /* NULL is fine */

/* One sweep of Gibbs sampling: both priors, people, items, noise. *rmse: of this sample on its own ratings. */
tdm_status tdm_mf_sweep(tdm_mf *w, uint64_t sweep, double *rmse, tdm_err *err);

/* What the last sweep drew: items [n x K], what people are drawn from, and the precision of a rating's noise. */
const float *tdm_mf_items(const tdm_mf *w);
tdm_mf_prior tdm_mf_people_prior(const tdm_mf *w);
float tdm_mf_precision(const tdm_mf *w);

#endif
