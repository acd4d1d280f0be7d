/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - raw files into a builder: read, clean, count what was left out and why. */
#ifndef TDM_DATA_LOAD_H
#define TDM_DATA_LOAD_H

#include "base/run.h"
#include "data/build.h"
#include "data/clean.h"

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

const char *tdm_reject_reason(tdm_reject why);

/* What was met on the way. tdm_load_clear releases. */
typedef struct tdm_load {
    size_t rows_read, rejected[TDM_REJECTS], below_min_rating;
    size_t left_out_events; /* of a type that weighs 0 */
    size_t several_people;  /* rows beyond the first that cells with several people gave */
    size_t items_read, items_matched, items_broken;
    size_t cleaned[TDM_CLEANED]; /* values, by what was changed */
    size_t items_damaged;        /* found only once lost leading zeros are put back */
    cJSON *sources;              /* [{"file", "format", "holds", "rows"}] */
    cJSON *events;               /* {type: how many}; NULL: no file has types */
} tdm_load;

/* Reads o->sources, o->test and o->items into `b`; tells it the scale of the ratings. A source that is a list of items,
 * or a log of tags, is read for the items' sake. What files of the same run say of an item adds up, and titles that
 * come with the rows count where no list has one. With o->strict the first bad row is the error. */
tdm_status tdm_load_files(tdm_load *out, tdm_builder *b, const tdm_options *o, tdm_run *run, tdm_err *err);
void tdm_load_clear(tdm_load *l);

/* The data-health table of a dataset that was loaded so. */
tdm_status tdm_health(cJSON **out, const tdm_dataset *d, const tdm_left_out *left, const tdm_load *l, tdm_run *run,
                      tdm_err *err);

#endif
