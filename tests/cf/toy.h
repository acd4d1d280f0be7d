/* SPDX-License-Identifier: Apache-2.0 */
/* toy.h - logs small enough to reckon by hand, and a drawn one for what must hold of any log. */
#ifndef TDM_TESTS_CF_TOY_H
#define TDM_TESTS_CF_TOY_H

#include "cf/cf.h"

enum { TOY_ROWS = 20000 };

/* A dataset in place; the arrays are its own. */
typedef struct toy {
    tdm_dataset d;
    int64_t offset[2001];
    uint32_t item[TOY_ROWS];
    float rating[TOY_ROWS];
    int64_t time[TOY_ROWS];
    int64_t category_at[2001];
    char category[2000 * 20];
} toy;

/* A log from text: people separated by '|', items by ' ', an item a letter ('a' is 0) and a digit where it is rated:
 * "a5 b | a c". Freed with tdm_free. */
toy *toy_of(const char *log, size_t I);

/* A drawn log of U people and I items with ratings 1 to 5, times over a hundred days, popularity skewed, some items
 * repeated; most items have two categories. */
toy *toy_drawn(size_t U, size_t I, uint64_t seed);

/* Gives every row of a log without times a time, in the order of its rows. */
void toy_times(toy *t, const int64_t *time);

/* Gives items their categories: "x y|y" are those of items 0 and 1. */
void toy_categories(toy *t, const char *text);

/* A history from the same text, in `t` as its only person. */
tdm_history toy_history(const toy *t);

/* The model's parameters, of which "name=value name=value" sets some. */
void toy_set(tdm_params *p, const tdm_model_ops *ops, const char *settings);

/* Fits with parameters set like that on `threads`; fails the test where that fails. */
tdm_model *toy_fit(const tdm_model_ops *ops, const toy *t, const char *settings, size_t threads);

#endif
