/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - raw files into a builder: read, clean, count what was left out and why. */
#ifndef TDM_DATA_LOAD_H
#define TDM_DATA_LOAD_H

#include "base/run.h"
#include "data/build.h"

/* key of the health table */
#define TDM_REJECT_LIST(X)                                                                                             \
    X(BROKEN, "broken record")                                                                                         \
    X(NO_USER, "no person")                                                                                            \
    X(NO_ITEM, "no item")                                                                                              \
    X(LONG_ID, "id over 256 bytes")                                                                                    \
    X(RATING, "bad rating")                                                                                            \
    X(SCALE, "rating outside the scale")                                                                               \
    X(TIME, "bad time")

typedef enum tdm_reject {
#define X(name, key) TDM_REJECT_##name,
    TDM_REJECT_LIST(X)
#undef X
        TDM_REJECTS
} tdm_reject;

/* What was met on the way. tdm_load_clear releases. */
typedef struct tdm_load {
    size_t rows_read, rejected[TDM_REJECTS], below_min_rating;
    size_t items_read, items_matched, items_broken;
    cJSON *sources; /* [{"file", "format", "rows"}] */
} tdm_load;

/* Reads o->sources, o->test and o->items into `b`. Titles that come with the rows count where o->items has none. With
 * o->strict the first bad row is the error. */
tdm_status tdm_load_files(tdm_load *out, tdm_builder *b, const tdm_options *o, tdm_run *run, tdm_err *err);
void tdm_load_clear(tdm_load *l);

/* The data-health table of a dataset that was loaded so. */
tdm_status tdm_health(cJSON **out, const tdm_dataset *d, const tdm_builder *b, const tdm_load *l, tdm_err *err);

#endif
