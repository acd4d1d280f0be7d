/* SPDX-License-Identifier: Apache-2.0 */
/* update.h - new events in old models (model/model.h, `update`): what all of them share.
 *
 * A model here is rows, one an item: its links, its factors. An event changes a little of many rows, and to make every
 * one of those anew is to fit again. So a row is made anew once what came and went since it was made is more than a
 * `share` of what it is made of; until then it stays, and how much it lacks is kept with the model. That is the error,
 * and also the price: rows that lack a share s of themselves are made anew with work of at most 1/s of what came. */
#ifndef TDM_CF_UPDATE_H
#define TDM_CF_UPDATE_H

#include "cf/baseline.h"
#include "cf/links.h"
#include "cf/rows.h"
#include "model/model.h"

/* Who changed, for tdm_update.changed (the caller's to tdm_free): user_now[was->U] is as item_now. */
tdm_status tdm_changes_find(tdm_change **out, size_t *n, const tdm_dataset *now, const tdm_dataset *was,
                            const uint32_t *item_now, const uint32_t *user_now, tdm_err *err);

/* ---- histories ---- */

/* Reads histories as models read them (rows.h), in today's numbers. */
typedef struct tdm_reading {
    const tdm_dataset *d;
    const uint32_t *item_now; /* NULL: the numbers are today's */
    size_t longest;
    bool once;
    uint32_t *last; /* I: the person who last had it, plus 1 */
    uint32_t *item; /* what tdm_reading_of gave; room for `longest` or the longest history */
} tdm_reading;

tdm_status tdm_reading_open(tdm_reading *r, const tdm_dataset *d, const uint32_t *item_now, size_t I, size_t longest,
                            bool once, tdm_err *err);
void tdm_reading_close(tdm_reading *r);
size_t tdm_reading_of(tdm_reading *r, size_t u); /* u TDM_NONE: 0 */

/* ---- the rows of some people ---- */

/* The rows of n people of a dataset as tdm_rows of people 0 to n - 1, items in today's numbers; those gone are left
 * out. A TDM_NONE among the people has none. */
tdm_status tdm_rows_of(tdm_rows *out, const tdm_dataset *d, const uint32_t *people, size_t n, const uint32_t *item_now,
                       size_t I, size_t longest, bool once, tdm_err *err);

/* Those of the people of d, rising, who have an item that only[] marks. The caller's to tdm_free. */
tdm_status tdm_people_with(uint32_t **out, size_t *n, const tdm_dataset *d, const unsigned char *only, tdm_err *err);

/* Marks the rows that lack more than u->share of their mass, sums up into *what, and empties the lack of those. */
void tdm_rows_mark(unsigned char *only, float *missing, const double *mass, size_t I, double share, tdm_updated *what);

/* ---- what models lend ----
 *
 * The links of the rows that only[] marks (NULL: all); the powers are of size[] (NULL: of what `rows` says). */
tdm_status tdm_item_knn_links(tdm_links *out, const tdm_rows *rows, const double *size, const unsigned char *only,
                              const tdm_params *p, tdm_run *run, tdm_err *err);
tdm_status tdm_cooccurrence_links(tdm_links *out, const tdm_rows *rows, const double *size, const unsigned char *only,
                                  const tdm_params *p, tdm_run *run, tdm_err *err);

enum { TDM_COOCCURRENCE_WINDOW = 512 }; /* the furthest pair that cooccurrence may count */

/* Where an item-knn keeps what it rates with. Gives the size of its struct; m NULL: only that. */
size_t tdm_item_knn_rated(tdm_model *m, tdm_links **rated, tdm_baseline **baseline);

/* Members of tdm_model_ops. */
tdm_status tdm_item_knn_update(tdm_model **out, const tdm_model *m, const tdm_update *u, tdm_updated *what,
                               tdm_err *err);
tdm_status tdm_cooccurrence_update(tdm_model **out, const tdm_model *m, const tdm_update *u, tdm_updated *what,
                                   tdm_err *err);
tdm_status tdm_ials_update(tdm_model **out, const tdm_model *m, const tdm_update *u, tdm_updated *what, tdm_err *err);

#endif
