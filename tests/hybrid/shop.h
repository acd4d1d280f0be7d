/* SPDX-License-Identifier: Apache-2.0 */
/* shop.h - a small log by hand, a user-knn of it, and what is explained with it. */
#ifndef TDM_TESTS_HYBRID_SHOP_H
#define TDM_TESTS_HYBRID_SHOP_H

#include "data/split.h"
#include "hybrid/explain.h"

typedef struct shop {
    tdm_dataset *d;
    tdm_split *s;
    tdm_model *knn;
} shop;

/* Ann is asked about: tea, then a pot (disliked), a cup; her kettle is held out, and so is its review. */
shop shop_open(void);
void shop_close(shop *x);

uint32_t shop_item(const shop *x, const char *id);

/* A question about item `id` for the history `h`, without a writer. */
tdm_explain_input shop_about(const shop *x, const tdm_history *h, const char *id);

cJSON *shop_explained(const tdm_explain_input *in); /* to cJSON_Delete() */
bool shop_says(const cJSON *o, const char *what);
void shop_must_say(const cJSON *o, const char *what); /* fails with what it says instead */

#endif
