/* SPDX-License-Identifier: Apache-2.0 */
/* items_toy.h - histories made by a rule, and gpt2-items fitted to them in a second. */
#ifndef TDM_TESTS_GPT2_ITEMS_TOY_H
#define TDM_TESTS_GPT2_ITEMS_TOY_H

#include "gpt2/items.h"

enum { TOY_ROWS = 8000, TOY_PEOPLE = 1000, TOY_ITEMS = 100 };

/* A dataset in place; the arrays are its own. Item i is called "i<i>". */
typedef struct toy {
    tdm_dataset d;
    int64_t offset[TOY_PEOPLE + 1];
    uint32_t item[TOY_ROWS];
    char id[TOY_ITEMS * 4];
    int64_t id_at[TOY_ITEMS + 1];
} toy;

toy *toy_new(size_t I); /* freed with tdm_free */
void toy_add(toy *t, uint32_t item);
void toy_end_person(toy *t);

/* U people who begin anywhere and go on from i to i + step (modulo I), 2 to 9 items each. */
toy *toy_cycle(size_t U, size_t I, size_t step);

tdm_history toy_asked(const uint32_t *items, size_t n);

/* A model that has nothing but vectors, in the place of content. */
typedef struct toy_content {
    tdm_model base;
    size_t K;
    const float *v;
} toy_content;
toy_content toy_content_of(const float *v, size_t K);

typedef struct toy_fit {
    const char *settings; /* "name=value name=value" on top of small ones */
    const tdm_model *content;
    const tdm_judge *judge;
    const char *checkpoint;
    size_t threads;   /* 0: 1 */
    size_t cancel_at; /* the update at which somebody cancels; 0: nobody does */
    size_t updates;   /* out: as many this call made */
} toy_fit;

/* Fits; on failure *out is NULL. */
tdm_status toy_fit_run(tdm_model **out, const toy *t, toy_fit *f, tdm_err *err);

/* The same, where failure fails the test. */
tdm_model *toy_fitted(const toy *t, const char *settings, const tdm_model *content);

/* Whether two folders of gpt2-items hold the same bytes. */
bool toy_same_folders(const char *a, const char *b);

/* A fresh folder; toy_remove takes it away with all that is in it. */
void toy_folder(char out[64]);
void toy_remove(const char *folder);

#endif
