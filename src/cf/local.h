/* SPDX-License-Identifier: Apache-2.0 */
/* local.h - one small regression for each item instead of one of all items, for catalogues whose items x items matrix
 * does not fit.
 *
 * The closed forms solve (A + lambda I) B = C, a column of B for each item; A is X'X of some X. Item b's column is
 * sought among a few candidates alone, those whose C_ab is largest beside their own A_aa:
 *
 *     d_a = sqrt(A_aa + lambda)     R_ab = A_ab / (d_a d_b), R_aa = 1     t_a = C_ab / (d_a d_b)
 *     N(b): the `candidates` items with the largest |t_a|
 *     R over N(b) x N(b):  R z = t          link(a, b) = z_a d_b / d_a
 *
 * (Neighbours first and a regression on them after: Ning and Karypis, "SLIM", ICDM 2011, there fsSLIM. The pattern from
 * the strongest correlations, and the values from the exact problem on it: Steck, "Markov Random Fields for
 * Collaborative Filtering", NeurIPS 2019.) Where the candidates are all items that b hangs together with, this is the
 * dense solution itself.
 *
 * Of A only the pairs that are not zero are kept. None of them may be dropped to save memory: the small systems would
 * no longer be positive definite, and the links of a dense log became noise (ndcg@10 .0003 for .0213). Shorter
 * histories may: what they leave is still X'X, of a smaller X. So where there are too many pairs, each history keeps
 * its newest rows only, as many as make them fit. */
#ifndef TDM_CF_LOCAL_H
#define TDM_CF_LOCAL_H

#include "cf/links.h"
#include "cf/rows.h"
#include "model/params.h"

/* The parameters of a model that uses this, for its table. */
#define TDM_LOCAL_PARAMS                                                                                               \
    {"form", 0, 0, 2, TDM_INTEGER, "1: one matrix; 2: a regression for each item; 0: one matrix where it fits"},       \
        {"candidates", 100, 1, 2000, TDM_INTEGER, "items an item is regressed on, without one matrix"},                \
    {                                                                                                                  \
        "pairs", 250, 0.001, 100000, TDM_LOG, "millions of pairs of items kept at most, without one matrix"            \
    }

typedef struct tdm_local {
    void (*row)(void *ctx, tdm_tally *t, uint32_t a);    /* row a of A; its diagonal is passed over */
    void (*column)(void *ctx, tdm_tally *t, uint32_t b); /* column b of C; NULL: A without its diagonal, so that b is
                                                            not among its own candidates */
    void *ctx;                                           /* as in tdm_links_maker */
    const double *diagonal;                              /* I: A_aa + lambda, all > 0 */
} tdm_local;

/* The training rows a fit reads, each item once in a history, and which form it takes. With `dense` these are the
 * newest "longest" rows of a person; otherwise fewer where "pairs", or half of the machine's memory, asks for that, and
 * then the log says so. `pairs_dense`: the dense form has a sparse matrix beside its own. */
tdm_status tdm_local_rows(tdm_rows *out, bool *dense, const tdm_dataset *train, const tdm_params *p, bool pairs_dense,
                          tdm_run *run, const char *stage, tdm_err *err);

/* The "k" strongest links of each item. The log says first what it will take. */
tdm_status tdm_local_solve(tdm_links *out, const tdm_local *l, const tdm_rows *r, const tdm_params *p, tdm_run *run,
                           const char *stage, tdm_err *err);

#endif
