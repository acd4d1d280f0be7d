/* SPDX-License-Identifier: Apache-2.0 */
/* health_log.h - small logs for the tests of the health table, and looks into the table. */
#ifndef TDM_TESTS_HEALTH_LOG_H
#define TDM_TESTS_HEALTH_LOG_H

#include "data/build.h"
#include "data/health.h"

typedef struct row {
    const char *user, *item;
    float rating;
    int64_t time;
    const char *summary, *review; /* NULL: none */
} row;

tdm_builder *builder(void);
void add(tdm_builder *b, row r);
void title(tdm_builder *b, const char *id, const char *text);
tdm_dataset *finish(tdm_builder *b); /* closes b */

cJSON *health_of(const tdm_dataset *d, tdm_run *run);
cJSON *health_close(tdm_dataset *d); /* closes d */

/* The member at a path such as "core/5/users". */
const cJSON *at(const cJSON *h, const char *path);

/* Fail where the member is another number, or another text as unformatted JSON. */
void is(const cJSON *h, const char *path, double want);
void is_text(const cJSON *h, const char *path, const char *want);

/* Whether some warning has this in it. */
bool warns(const cJSON *h, const char *of);

#endif
