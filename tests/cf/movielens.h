/* SPDX-License-Identifier: Apache-2.0 */
/* movielens.h - ml-100k in the split u1, where it is at hand: what predicted ratings are measured on. */
#ifndef TDM_TESTS_MOVIELENS_H
#define TDM_TESTS_MOVIELENS_H

#include "check.h"

#include "model/model.h"

enum { TRAIN = 80000, TEST = 20000 };

typedef struct rated {
    uint32_t user, item;
    float rating;
    int64_t time;
} rated;

typedef struct movielens {
    tdm_dataset d; /* the training rows */
    rated train[TRAIN], test[TEST];
    uint32_t item[TRAIN];
    float rating[TRAIN];
    int64_t offset[944];
} movielens;

/* To tdm_free(); skips the test, and says so, where the files are not there. */
movielens *movielens_open(void);

/* Root mean squared error on the test rows of a model fitted with its standard parameters, asked with the histories. */
double movielens_rmse(const movielens *x, const tdm_model_ops *ops);

#endif
