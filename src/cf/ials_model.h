/* SPDX-License-Identifier: Apache-2.0 */
/* ials_model.h - the model that ials.c makes and asks, and ials_update.c brings up to date. Inside this folder. */
#ifndef TDM_CF_IALS_MODEL_H
#define TDM_CF_IALS_MODEL_H

#include "base/safetensors.h"
#include "cf/ials.h"
#include "cf/rows.h"
#include "model/model.h"

typedef struct tdm_ials_model {
    tdm_model base;
    tdm_params p;
    tdm_ials_rules rules;
    double alpha, decay;
    bool by_rating;
    size_t I;
    const float *item;     /* I x K, in a basis where the sum of y y' is diagonal; all 0 where nobody chose it */
    const float *spread;   /* K: w0 times that diagonal */
    const float *people;   /* K x K: the sum of x x' over people, in the same basis */
    const float *missing;  /* I, after an update: events that each row lacks (update.h); else NULL */
    tdm_safetensors *file; /* what mapped arrays lie in; NULL for a fitted model, which owns them */
} tdm_ials_model;

/* Begins a model with these parameters for I items; NULL where memory is short. */
tdm_ials_model *tdm_ials_model_new(const tdm_params *p, size_t I);

/* Turns rows into lists with weights, people and items: ratings become weights where they lie, and places of the items'
 * lists too, so that the memory of the rows is enough. */
void tdm_ials_lists_make(tdm_ials_lists list[2], const tdm_ials_model *s, tdm_rows *r);

#endif
